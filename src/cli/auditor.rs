//! `blindtier auditor`.

use super::error::CliError;
use super::output::Output;
use super::policy_file;
use super::round::RoundArgs;
use super::{round_report, statistics};
use blindtier_auditor::{Excluded, Execute, Questions, Reference, Report, UNKNOWN};
use blindtier_ledger::thousandths;
use blindtier_wire::{Board, Digest, PartyName, TrustFile};
use serde_json::{Value, json};
use std::path::PathBuf;

/// What an auditor does.
#[derive(clap::Subcommand)]
pub enum AuditorCommand {
    /// Check every signature and hash of a round's board, open it again, and recompute results if asked to
    Verify(VerifyArgs),
    /// Show the ledger of a round
    Show(ShowArgs),
    /// Check a family's proof of its tier
    CheckProof(CheckProofArgs),
    /// Check that a party signed two files that contradict each other
    Evidence(EvidenceArgs),
}

/// Check every signature and hash of a round's board, open it again, and recompute results if asked to.
///
/// Works offline on public files and prints what it checked and what it cannot know. Rounds that correct this one lie on its
/// board and are verified in the same way.
#[derive(clap::Args)]
pub struct VerifyArgs {
    #[command(flatten)]
    source: Source,
    /// Check the proofs of chunks, recompute their results and compare every byte: `all`, `sample N` (N chunks drawn at
    /// random), or `chunk N` (of corrections then all); engine tfhe needs AVX2 and FMA
    #[arg(long, value_name = "WHAT", num_args = 1..=2)]
    re_execute: Vec<String>,
    /// A ledger head from a family's letter: the ledger has to contain it, so that its end was not cut off
    #[arg(long, value_name = "HEX")]
    head: Option<String>,
}

/// Where a round lies.
#[derive(clap::Args)]
pub struct Source {
    /// The public folder of the round
    #[arg(value_name = "DIR")]
    board: PathBuf,
    /// Policy file, or the name of a shipped policy
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// Trust file that pins every party's public key
    #[arg(long, value_name = "FILE")]
    trust: PathBuf,
}

impl Source {
    fn round(&self) -> RoundArgs {
        let Self { board, policy, trust } = self;
        RoundArgs { policy: policy.clone(), board: board.clone(), trust: trust.clone() }
    }
}

/// Show the ledger of a round.
#[derive(clap::Args)]
pub struct ShowArgs {
    #[command(flatten)]
    source: Source,
    /// Write a page about the round as well: bytes by party, what was published; it loads nothing and has no scripts
    #[arg(long, value_name = "HTML")]
    report: Option<PathBuf>,
}

/// Check a family's proof of its tier.
///
/// Prints the tier that the proof shows; with --tier, fails unless it is this one.
#[derive(clap::Args)]
pub struct CheckProofArgs {
    #[command(flatten)]
    source: Source,
    /// The family's proof file
    #[arg(long, value_name = "FILE")]
    proof: PathBuf,
    /// The tier that the family claims, by its identifier
    #[arg(long, value_name = "TIER")]
    tier: Option<String>,
    /// The slot that the proof has to be of
    #[arg(long, value_name = "SLOT")]
    slot: Option<u32>,
}

/// Check that a party signed two files that contradict each other.
///
/// Two submissions for one round, two ledger entries for one place, and whatever else nobody signs twice who is honest. The
/// two files and the trust file show it to anybody.
#[derive(clap::Args)]
pub struct EvidenceArgs {
    /// The two files
    #[arg(value_name = "FILE", num_args = 2, required = true)]
    files: Vec<PathBuf>,
    /// Policy file, or the name of a shipped policy
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// Trust file that pins every party's public key
    #[arg(long, value_name = "FILE")]
    trust: PathBuf,
}

pub fn run(command: &AuditorCommand, output: Output) -> Result<(), CliError> {
    match command {
        AuditorCommand::Verify(args) => verify(args, output),
        AuditorCommand::Show(args) => show(args, output),
        AuditorCommand::CheckProof(args) => check_proof(args, output),
        AuditorCommand::Evidence(args) => evidence(args, output),
    }
}

fn execute(words: &[String]) -> Result<Execute, CliError> {
    let wrong = || CliError::ReExecute { text: words.join(" ") };
    let number = |text: &String| text.parse::<u32>().map_err(|_| wrong());
    match words {
        [] => Ok(Execute::Nothing),
        [all] if all == "all" => Ok(Execute::All),
        [what, count] if what == "sample" => Ok(Execute::Sample(number(count)?)),
        [what, chunk] if what == "chunk" => Ok(Execute::Chunks(vec![number(chunk)?])),
        _ => Err(wrong()),
    }
}

fn verify(args: &VerifyArgs, output: Output) -> Result<(), CliError> {
    let execute = execute(&args.re_execute)?;
    let head = match &args.head {
        None => None,
        Some(text) => {
            Some(Digest::from_hex(text).ok_or_else(|| CliError::NotAHead { text: text.clone() })?)
        }
    };
    let source = &args.source;
    let report = verify_board(source, &source.board, head, &execute)?;
    let board = Board::new(&source.board);
    // A number of a chunk is one of this round.
    let of_corrections = match execute {
        Execute::Chunks(_) => Execute::All,
        execute => execute,
    };
    let corrections = report
        .corrections
        .iter()
        .map(|correction| {
            let folder = board.correction(&correction.round).folder().to_owned();
            verify_board(source, &folder, correction.head, &of_corrections)
        })
        .collect::<Result<Vec<Report>, CliError>>()?;
    let mut object = report_object(&report);
    if let Some(fields) = object.as_object_mut() {
        let corrections: Vec<Value> = corrections.iter().map(report_object).collect();
        fields.insert("corrections".into(), json!(corrections));
        fields.insert("unknown".into(), json!(UNKNOWN));
    }
    output.report(&object, || {
        let mut lines = report_lines(&report);
        for (correction, report) in report.corrections.iter().zip(&corrections) {
            let slots: Vec<String> = correction.slots.iter().map(u32::to_string).collect();
            let recorded = if correction.head.is_some() { "" } else { ", not recorded yet" };
            lines.push(format!("correction of slots {}{recorded}:", slots.join(", ")));
            lines.extend(report_lines(report).iter().map(|line| format!("  {line}")));
        }
        lines.push("cannot be known from these files:".to_owned());
        lines.extend(UNKNOWN.iter().map(|line| format!("  - {line}")));
        lines.join("\n")
    })
}

fn verify_board(
    source: &Source,
    board: &std::path::Path,
    head: Option<Digest>,
    execute: &Execute,
) -> Result<Report, CliError> {
    let loaded = RoundArgs { board: board.to_owned(), ..source.round() }.load()?;
    let reference = Reference {
        policy: loaded.policy_hash,
        plan: loaded.plan_hash,
        trust: &loaded.trust,
        head,
    };
    Ok(blindtier_auditor::verify(&loaded.board, &reference, execute, &loaded.plan)?)
}

fn names(parties: &[PartyName]) -> Vec<&str> {
    parties.iter().map(PartyName::as_str).collect()
}

fn report_object(report: &Report) -> Value {
    let excluded = |Excluded { submitter, reason, seen }: &Excluded| json!({ "submitter": submitter.as_str(), "reason": reason.to_string(), "seen": seen });
    json!({
        "round": report.round.to_string(),
        "slots": report.slots,
        "submitters": names(&report.submitters),
        "excluded": report.excluded.iter().map(excluded).collect::<Vec<_>>(),
        "signed_two": names(&report.signed_two),
        "files_checked": report.files_checked,
        "chunks": report.chunks,
        "chunks_recomputed": report.chunks_recomputed,
        "operations": report.operations,
        "opened_by": names(&report.opened_by),
        "uncompared_shares": report.uncompared,
        "questions": {
            "asked": report.questions.asked,
            "answered": report.questions.answered,
            "parts_recomputed": report.questions.parts_recomputed,
        },
        "entries": report.entries,
        "head": report.head.to_string(),
        "platform": report.platform,
    })
}

fn report_lines(report: &Report) -> Vec<String> {
    let mut lines = vec![
        format!(
            "round {}: {} slots, {} submitters",
            report.round,
            report.slots,
            report.submitters.len()
        ),
        format!("checked: {} signed files, every hash between them", report.files_checked),
        format!(
            "ledger: {} entries, each signed by a majority; head {}",
            report.entries, report.head
        ),
        format!(
            "recomputed: {} of {} chunks, byte for byte",
            report.chunks_recomputed.len(),
            report.chunks
        ),
        if report.opened_by.is_empty() {
            "not opened yet".to_owned()
        } else {
            let names = names(&report.opened_by).join(", ");
            format!("opened again from the partial decryptions of {names}")
        },
    ];
    lines.extend(report.excluded.iter().map(|Excluded { submitter, reason, seen }| {
        let how = if *seen { "as its files show" } else { "as the trustees say" };
        format!("excluded: {submitter}, because {reason}, {how}")
    }));
    lines.extend(report.signed_two.iter().map(evidence_line));
    let Questions { asked, answered, parts_recomputed } = report.questions;
    if asked > 0 {
        lines.push(format!(
            "statistics: {asked} questions, {answered} answers combined again, {parts_recomputed} parts of counts recomputed"
        ));
    }
    if !report.uncompared.is_empty() {
        let shares: Vec<String> = report.uncompared.iter().map(u32::to_string).collect();
        lines.push(format!(
            "one trustee alone spoke about each of the shares {}: have another holder run `trustee open` to compare",
            shares.join(", ")
        ));
    }
    lines
}

fn evidence_line(name: &PartyName) -> String {
    format!("evidence: {name} signed two different submissions; both are on the board")
}

fn evidence(args: &EvidenceArgs, output: Output) -> Result<(), CliError> {
    let policy = policy_file::load(&args.policy)?;
    let trust = TrustFile::read(&args.trust)?;
    let mut files = args.files.iter().map(PathBuf::as_path);
    let (Some(one), Some(other)) = (files.next(), files.next()) else { return Ok(()) };
    let found = blindtier_auditor::contradiction([one, other], Digest(policy.hash().0), &trust)?;
    let object = json!({
        "party": found.party.as_str(),
        "round": found.round.to_string(),
        "kind": found.kind.name(),
        "place": found.place,
        "files": found.files.map(|digest| digest.to_string()),
    });
    output.report(&object, || {
        let [one, other] = found.files;
        format!(
            "{} signed two different files of kind {} in round {}, where an honest party signs one:\n  {one}\n  {other}",
            found.party, found.kind, found.round
        )
    })
}

fn show(args: &ShowArgs, output: Output) -> Result<(), CliError> {
    let policy = policy_file::load(&args.source.policy)?;
    let trust = TrustFile::read(&args.source.trust)?;
    let board = Board::new(&args.source.board);
    let shown = blindtier_auditor::show(&board, Digest(policy.hash().0), &trust)?;
    let (round, ledger) = (&shown.round, &shown.ledger);
    let entries: Vec<_> = ledger
        .entries()
        .iter()
        .map(|recorded| {
            json!({
                "index": recorded.entry.index,
                "event": recorded.entry.event.to_string(),
                "hash": recorded.digest.to_string(),
                "signed_by": recorded.signers.iter().map(PartyName::as_str).collect::<Vec<_>>(),
            })
        })
        .collect();
    let pending = ledger.pending().map(|pending| pending.entry.event.to_string());
    let answers = statistics::answered(&policy, round, ledger);
    if let Some(file) = &args.report {
        let page = round_report::of_board(&policy, &board, round, ledger)?;
        round_report::write(file, &page)?;
    }
    let object = json!({
        "trustees": round.sharing.to_string(),
        "entries": entries,
        "pending": pending,
        "signed_two": names(&shown.signed_two),
        "head": ledger.head().to_string(),
        "privacy": statistics::budget(round, ledger),
        "answers": answers.iter().map(statistics::Answered::object).collect::<Vec<_>>(),
    });
    output.report(&object, || {
        let mut lines = vec![format!("{} trustees; {} entries", round.sharing, entries.len())];
        for recorded in ledger.entries() {
            let signers: Vec<&str> = recorded.signers.iter().map(PartyName::as_str).collect();
            lines.push(format!("{:>3}  {}", recorded.entry.index, recorded.entry.event));
            lines.push(format!("     {} signed by {}", recorded.digest, signers.join(", ")));
        }
        if let Some(pending) = ledger.pending() {
            let signers: Vec<&str> = pending.signers.iter().map(PartyName::as_str).collect();
            lines.push(format!(
                "  -  no majority yet: {} (signed by {})",
                pending.entry.event,
                signers.join(", ")
            ));
        }
        lines.extend(shown.signed_two.iter().map(evidence_line));
        for (number, answer) in (1..).zip(&answers) {
            lines.push(format!("answer to question {number}:"));
            lines.push(answer.text());
        }
        if let Some(statistics) = &round.statistics {
            let (spent, budget) = (thousandths(ledger.spent()), thousandths(statistics.budget));
            lines.push(format!("privacy budget: {spent} of {budget} spent"));
        }
        lines.push(format!("head {}", ledger.head()));
        lines.join("\n")
    })
}

fn check_proof(args: &CheckProofArgs, output: Output) -> Result<(), CliError> {
    let loaded = args.source.round().load()?;
    let modulus = loaded.plan.combine()?.pad_modulus();
    let (board, trust) = (&loaded.board, &loaded.trust);
    let proven =
        blindtier_auditor::check_proof(board, &args.proof, loaded.policy_hash, modulus, trust)?;
    let tier = super::family::code_id(&loaded.policy, proven.code);
    let claims = [
        (args.slot.map(|slot| slot.to_string()), proven.slot.to_string(), "slot"),
        (args.tier.clone(), tier.to_owned(), "tier"),
    ];
    for (claimed, shown, what) in claims {
        if let Some(claimed) = claimed.filter(|claimed| *claimed != shown) {
            return Err(CliError::OtherClaim { file: args.proof.clone(), what, shown, claimed });
        }
    }
    let object = json!({ "slot": proven.slot, "tier": tier });
    output.report(&object, || format!("proven: slot {} has tier {tier}", proven.slot))
}
