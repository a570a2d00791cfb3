//! `blindtier evaluator`.

use super::error::CliError;
use super::output::Output;
use super::round::{IdentityArg, RoundArgs, folder_bytes};
use blindtier_evaluator::{Job, Step};
use serde_json::json;
use std::sync::OnceLock;
use std::time::Instant;

/// What the evaluator does.
#[derive(clap::Subcommand)]
pub enum EvaluatorCommand {
    /// Check all submissions, compute every slot's tier on ciphertexts, and sign a receipt
    Run(RunArgs),
}

/// Check all submissions, compute every slot's tier on ciphertexts, and sign a receipt.
///
/// Reads round, ledger, keys and submissions from the board and writes results there. Computes on nothing that the trustees did
/// not register in the ledger, nor before every chunk was read and its proof checked; names all submitters whose chunks cannot
/// be used. Needs no secret but its own signing key. An interrupted run goes on at the first missing chunk. Uses all cores;
/// RAYON_NUM_THREADS limits them.
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
    let (checking, evaluating) = (output.progress("checking"), output.progress("evaluating"));
    // The two steps' own times: reading keys and submissions and looking at proofs, and computing.
    let (start, computing) = (Instant::now(), OnceLock::new());
    let finished = blindtier_evaluator::run(&job, &loaded.plan, &|step, done, total| match step {
        Step::Checking => checking.set(done, total),
        Step::Evaluating => {
            computing.get_or_init(Instant::now);
            evaluating.set(done, total);
        }
    })?;
    let seconds = computing.get().map_or(0.0, |begun| begun.elapsed().as_secs_f64());
    let check_seconds = start.elapsed().as_secs_f64() - seconds;
    [checking, evaluating].iter().for_each(super::progress::Progress::finish);
    let slots = loaded.round.slots;
    let receipt = &finished.receipt;
    let counted = loaded.plan.summary().operations.name();
    let entries = receipt.submissions.iter().filter(|entry| entry.manifest.is_none());
    let excluded: Vec<&str> = entries.map(|entry| entry.submitter.as_str()).collect();
    let object = json!({
        "round": loaded.context.round.to_string(),
        "receipt": finished.digest.to_string(),
        "slots": slots,
        counted: receipt.operations,
        "platform": receipt.platform,
        "resumed_chunks": finished.resumed,
        "excluded": excluded,
        "bytes": folder_bytes(&loaded.board.results()),
        "seconds": seconds,
        "check_seconds": check_seconds,
        "peak_memory_bytes": blindtier_compare::peak_memory(),
    });
    output.report(&object, || {
        let without = match excluded.as_slice() {
            [] => String::new(),
            names => format!(", without {}", names.join(", ")),
        };
        format!(
            "{slots} slots evaluated{without}, {} {counted}, {seconds:.1} s; receipt {}",
            receipt.operations, finished.digest
        )
    })
}
