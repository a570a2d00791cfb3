//! `blindtier evaluator`.

use super::error::CliError;
use super::output::Output;
use super::round::{IdentityArg, RoundArgs, folder_bytes};
use blindtier_evaluator::Job;
use serde_json::json;
use std::time::Instant;

/// What the evaluator does.
#[derive(clap::Subcommand)]
pub enum EvaluatorCommand {
    /// Check all submissions, compute every slot's tier on ciphertexts, and sign a receipt
    Run(RunArgs),
}

/// Check all submissions, compute every slot's tier on ciphertexts, and sign a receipt.
///
/// Reads round, ledger, evaluation key and submissions from the board and writes results there. Computes on nothing that
/// the trustees did not register in the ledger. Needs no secret but its own signing key. An interrupted run goes on at the first missing chunk. Uses all
/// cores; RAYON_NUM_THREADS limits them.
#[derive(clap::Args)]
pub struct RunArgs {
    #[command(flatten)]
    round: RoundArgs,
    #[command(flatten)]
    identity: IdentityArg,
}

pub fn run(command: &EvaluatorCommand, output: Output) -> Result<(), CliError> {
    match command {
        EvaluatorCommand::Run(args) => evaluate(args, output),
    }
}

fn evaluate(args: &RunArgs, output: Output) -> Result<(), CliError> {
    let loaded = args.round.load()?;
    let identity = args.identity.load()?;
    let job = Job {
        board: &loaded.board,
        policy: loaded.policy_hash,
        plan: loaded.plan_hash,
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
        "bytes": folder_bytes(&loaded.board.results()),
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
