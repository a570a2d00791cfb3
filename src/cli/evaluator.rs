//! `blindtier evaluator`.

use super::error::CliError;
use super::output::Output;
use super::round::{IdentityArg, RoundArgs, folder_bytes};
use blindtier_evaluator::Job;
use blindtier_wire::PartyName;
use serde_json::json;
use std::path::PathBuf;
use std::time::Instant;

/// What the evaluator does.
#[derive(clap::Subcommand)]
pub enum EvaluatorCommand {
    /// Check all submissions, compute every slot's tier on ciphertexts, and sign a receipt
    Run(RunArgs),
}

/// Check all submissions, compute every slot's tier on ciphertexts, and sign a receipt.
///
/// Needs no secret but its own signing key. An interrupted run goes on at the first missing chunk. Uses all
/// cores; RAYON_NUM_THREADS limits them.
#[derive(clap::Args)]
pub struct RunArgs {
    #[command(flatten)]
    round: RoundArgs,
    #[command(flatten)]
    identity: IdentityArg,
    /// The trustee's evaluation-key file
    #[arg(long, value_name = "FILE")]
    evaluation_key: PathBuf,
    /// Folder with one folder an agency, named by the agency's identifier
    #[arg(long, value_name = "DIR")]
    submissions: PathBuf,
    /// The trustee that made the keys
    #[arg(long, value_name = "NAME", default_value = "trustee:1")]
    trustee: String,
    /// The evaluator's own folder, where it remembers which submissions it accepted
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// Folder for the encrypted results and the receipt
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub fn run(command: &EvaluatorCommand, output: Output) -> Result<(), CliError> {
    match command {
        EvaluatorCommand::Run(args) => evaluate(args, output),
    }
}

fn evaluate(args: &RunArgs, output: Output) -> Result<(), CliError> {
    let loaded = args.round.load()?;
    let identity = args.identity.load()?;
    let trustee = PartyName::new(args.trustee.clone()).map_err(blindtier_wire::WireError::from)?;
    let job = Job {
        round: &args.round.round,
        policy: loaded.policy_hash,
        plan: loaded.plan_hash,
        trustee: &trustee,
        evaluation_key: &args.evaluation_key,
        submissions: &args.submissions,
        state: &args.state,
        output: &args.out,
        identity: &identity,
        trust: &loaded.trust,
    };
    let progress = output.progress("evaluating");
    // Checking files and expanding the key comes first; the evaluation's own time starts with the engine.
    let mut started = Instant::now();
    let finished = blindtier_evaluator::run(
        &job,
        |key| {
            let engine = loaded.plan.evaluate(key)?;
            started = Instant::now();
            Ok(engine)
        },
        &|done, total| progress.set(done, total),
    )?;
    let seconds = started.elapsed().as_secs_f64();
    progress.finish();
    let slots = loaded.round.slots;
    let receipt = &finished.receipt;
    let counted = loaded.plan.summary().operations.name();
    let object = json!({
        "round": loaded.context.round.to_string(),
        "receipt": finished.digest.to_string(),
        "slots": slots,
        counted: receipt.operations,
        "platform": receipt.platform,
        "resumed_chunks": finished.resumed,
        "bytes": folder_bytes(&args.out),
        "seconds": seconds,
        "peak_memory_bytes": peak_memory(),
    });
    output.report(&object, || {
        format!(
            "{slots} slots evaluated, {} {counted}, {seconds:.1} s; receipt {}",
            receipt.operations, finished.digest
        )
    })
}

/// The most memory that this process has held, where the system tells (Linux).
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes.saturating_mul(1024))
}
