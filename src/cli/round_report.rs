//! A round's page, from its public files.

use super::error::CliError;
use super::policy::english;
use super::round::folder_bytes;
use super::statistics;
use blindtier_ledger::{Ledger, thousandths};
use blindtier_policy::Policy;
use blindtier_report::{Published, RoundReport};
use blindtier_wire::{Board, PartyName, Round, WireError, storage};
use std::path::{Path, PathBuf};

/// What the board shows to anybody: no tier of any family is in it.
pub fn of_board(
    policy: &Policy,
    board: &Board,
    round: &Round,
    ledger: &Ledger,
) -> Result<RoundReport, CliError> {
    let id = round
        .id()
        .map_err(|fault| WireError::refused(&board.round(), &PartyName::registrar(), fault))?;
    let size = |path: PathBuf| storage::file_bytes(&path).unwrap_or(0);
    let mut sent: Vec<(String, String, u64)> = Vec::new();
    let mut add = |party: &str, what: &str, bytes: u64| {
        if bytes > 0 {
            sent.push((party.to_owned(), what.to_owned(), bytes));
        }
    };
    add("registrar", "round, letter keys", size(board.round()) + size(board.letter_keys()));
    let keys = size(board.public_key()) + size(board.evaluation_key()) + size(board.opening_key());
    let maker = round.key_maker.as_str();
    add(maker, "public keys", keys);
    for submitter in &round.submitters {
        let folder = board.submissions().join(submitter.submitter_folder());
        add(submitter.as_str(), "submission", folder_bytes(&folder));
    }
    let evaluator = PartyName::evaluator();
    add(evaluator.as_str(), "results, receipt", folder_bytes(&board.results()));
    let questions = 1..=u32::try_from(ledger.questions().count()).unwrap_or(u32::MAX);
    let counted = questions.clone().filter_map(|number| {
        let folder = board.counts(number).parent().map(Path::to_owned)?;
        let files = storage::list(&folder).ok()?.into_iter();
        let of_evaluator = files.filter(|(name, _)| !name.starts_with("trustee-"));
        Some(of_evaluator.map(|(_, size)| size).sum::<u64>())
    });
    add(evaluator.as_str(), "encrypted counts", counted.sum());
    for trustee in round.sharing.names() {
        let name = trustee.as_str();
        add(name, "key ceremony", folder_bytes(&board.ceremony(&trustee)));
        add(name, "partial decryptions, commitments", folder_bytes(&board.partials(&trustee)));
        add(name, "opened numbers", folder_bytes(&board.opened(&trustee)));
        let shown = questions.clone().map(|n| size(board.count_partials(n, &trustee)));
        add(name, "partial decryptions of counts", shown.sum());
    }
    let published = statistics::answered(policy, round, ledger)
        .iter()
        .map(|answer| Published {
            description: answer.description(),
            groups: answer.rows().map(|(name, cells)| (name.to_owned(), cells)).collect(),
        })
        .collect();
    let mut facts = vec![
        ("policy".to_owned(), policy.name.clone()),
        ("policy hash".to_owned(), policy.hash().to_string()),
        ("round".to_owned(), id.to_string()),
        ("families".to_owned(), round.slots.to_string()),
        ("engine".to_owned(), round.engine.name.clone()),
        ("trustees".to_owned(), round.sharing.to_string()),
        ("ledger head".to_owned(), ledger.head().to_string()),
    ];
    if let Some(statistics) = &round.statistics {
        let (spent, budget) = (thousandths(ledger.spent()), thousandths(statistics.budget));
        facts.push(("privacy budget spent".to_owned(), format!("{spent} of {budget}")));
    }
    Ok(RoundReport {
        title: format!("Round: {}", english(&policy.title)),
        simulated: false,
        facts,
        tiers: policy.tiers.iter().map(|tier| english(&tier.label).to_owned()).collect(),
        answers: Vec::new(),
        statistics: published,
        phases: Vec::new(),
        sent,
        operations: Vec::new(),
        notes: vec![
            "No party of a round learns how many families have which tier, but for what is published here with noise."
                .to_owned(),
        ],
    })
}

/// Writes a page.
pub fn write(file: &Path, report: &RoundReport) -> Result<(), CliError> {
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        blindtier_wire::storage::create_folder(folder)?;
    }
    Ok(blindtier_wire::storage::write_public(file, report.page().as_bytes())?)
}
