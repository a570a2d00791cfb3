//! `blindtier auditor`.

use super::error::CliError;
use super::output::Output;
use super::round::RoundArgs;
use blindtier_auditor::{Files, Reference, UNKNOWN};
use blindtier_wire::{PartyName, file_names};
use serde_json::json;
use std::path::PathBuf;

/// What the auditor does.
#[derive(clap::Subcommand)]
pub enum AuditorCommand {
    /// Check every signature and hash of a round's public files, and recompute chunks if asked to
    Verify(VerifyArgs),
}

/// Check every signature and hash of a round's public files, and recompute chunks if asked to.
///
/// Works offline on public files and prints what it checked and what it cannot know.
#[derive(clap::Args)]
pub struct VerifyArgs {
    #[command(flatten)]
    round: RoundArgs,
    /// The registrar's letter-keys file
    #[arg(long, value_name = "FILE")]
    letter_keys: PathBuf,
    /// Folder with the trustee's public-key.bt and evaluation-key.bt
    #[arg(long, value_name = "DIR")]
    keys: PathBuf,
    /// Folder with one folder an agency, named by the agency's identifier
    #[arg(long, value_name = "DIR")]
    submissions: PathBuf,
    /// The evaluator's folder of results, with its receipt
    #[arg(long, value_name = "DIR")]
    results: PathBuf,
    /// The trustee's folder of letters, once the round is opened
    #[arg(long, value_name = "DIR")]
    letters: Option<PathBuf>,
    /// The trustee of the round
    #[arg(long, value_name = "NAME", default_value = "trustee:1")]
    trustee: String,
    /// Recompute these chunks and compare every byte (0,3,4); needs the evaluator's platform
    #[arg(long, value_name = "CHUNKS", value_delimiter = ',')]
    re_execute: Vec<u32>,
}

pub fn run(command: &AuditorCommand, output: Output) -> Result<(), CliError> {
    match command {
        AuditorCommand::Verify(args) => verify(args, output),
    }
}

fn verify(args: &VerifyArgs, output: Output) -> Result<(), CliError> {
    let loaded = args.round.load()?;
    let trustee = PartyName::new(args.trustee.clone()).map_err(blindtier_wire::WireError::from)?;
    let letters = args.letters.as_ref().map(|folder| folder.join(file_names::LETTERS));
    let files = Files {
        round: &args.round.round,
        letter_keys: &args.letter_keys,
        public_key: &args.keys.join(file_names::PUBLIC_KEY),
        evaluation_key: &args.keys.join(file_names::EVALUATION_KEY),
        submissions: &args.submissions,
        receipt: &args.results.join(file_names::RECEIPT),
        letters: letters.as_deref(),
    };
    let reference = Reference {
        policy: loaded.policy_hash,
        plan: loaded.plan_hash,
        trustee: &trustee,
        trust: &loaded.trust,
    };
    let report = blindtier_auditor::verify(&files, &reference, &args.re_execute, |key| {
        loaded.plan.evaluate(key)
    })?;
    let object = json!({
        "round": report.round.to_string(),
        "slots": report.slots,
        "agencies": report.agencies.iter().map(PartyName::as_str).collect::<Vec<_>>(),
        "files_checked": report.files_checked,
        "chunks": report.chunks,
        "chunks_recomputed": report.chunks_recomputed,
        "operations": report.operations,
        "letters_checked": report.letters_checked,
        "platform": report.platform,
        "unknown": UNKNOWN,
    });
    output.report(&object, || {
        let mut lines = vec![
            format!(
                "round {}: {} slots, {} agencies",
                report.round,
                report.slots,
                report.agencies.len()
            ),
            format!("checked: {} signed files, every hash between them", report.files_checked),
            format!(
                "recomputed: {} of {} chunks, byte for byte",
                report.chunks_recomputed.len(),
                report.chunks
            ),
            format!("letters: {}", if report.letters_checked { "checked" } else { "not given" }),
            "cannot be known from these files:".to_owned(),
        ];
        lines.extend(UNKNOWN.iter().map(|line| format!("  - {line}")));
        lines.join("\n")
    })
}
