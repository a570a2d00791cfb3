//! `blindtier evaluator`.

use super::error::CliError;
use super::output::Output;
use super::registrar::epsilon;
use super::round::{IdentityArg, LoadedRound, RoundArgs, folder_bytes};
use blindtier_evaluator::{Job, Step};
use blindtier_ledger::thousandths;
use blindtier_wire::{Question, SigningIdentity};
use serde_json::json;
use std::sync::OnceLock;
use std::time::Instant;

/// What the evaluator does.
#[derive(clap::Subcommand)]
pub enum EvaluatorCommand {
    /// Check all submissions, compute every slot's tier on ciphertexts, and sign a receipt
    Run(RunArgs),
    /// Count, on ciphertexts, how many families of some groups have each tier, for the trustees to open with noise
    Count(CountArgs),
}

/// Count, on ciphertexts, how many families of some groups have each tier, for the trustees to open with noise.
///
/// Only in a round that was announced with statistics, once its opening has begun. Each group is asked about once, and the
/// question spends its part of the round's privacy budget: a family adds at most one to one number, and each number gets
/// noise from every share of the key, two-sided geometric with rate epsilon. The trustees count again before they open
/// anything (trustee answer).
#[derive(clap::Args)]
pub struct CountArgs {
    #[command(flatten)]
    round: RoundArgs,
    #[command(flatten)]
    identity: IdentityArg,
    /// The groups, with commas between them, as the round names them [default: all of the round]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    groups: Vec<String>,
    /// How much of the privacy budget the question spends: less is more noise. From 0.05 to 10
    #[arg(long, value_name = "EPSILON", value_parser = epsilon, default_value = "0.5")]
    epsilon: u32,
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
        EvaluatorCommand::Count(args) => count(args, output),
    }
}

fn job<'a>(loaded: &'a LoadedRound, identity: &'a SigningIdentity) -> Job<'a> {
    Job {
        board: &loaded.board,
        policy: loaded.policy_hash,
        plan: loaded.plan_hash,
        identity,
        trust: &loaded.trust,
    }
}

fn count(args: &CountArgs, output: Output) -> Result<(), CliError> {
    let loaded = args.round.load()?;
    let identity = args.identity.load()?;
    let job = job(&loaded, &identity);
    let names = loaded.round.statistics.as_ref().map_or(&[][..], |s| s.groups.as_slice());
    let question = Question { groups: positions(&args.groups, names)?, epsilon: args.epsilon };
    let (checking, counting) = (output.progress("checking"), output.progress("counting"));
    let start = Instant::now();
    let done =
        blindtier_evaluator::count(
            &job,
            &question,
            &loaded.plan,
            &|step, done, total| match step {
                Step::Checking => checking.set(done, total),
                Step::Evaluating | Step::Counting => counting.set(done, total),
            },
        )?;
    [checking, counting].iter().for_each(super::progress::Progress::finish);
    let seconds = start.elapsed().as_secs_f64();
    let (left, spent) = (thousandths(done.left), thousandths(question.epsilon));
    let named: Vec<&String> =
        question.groups.iter().filter_map(|group| names.get(*group as usize)).collect();
    let bytes = loaded.board.counts(done.number).parent().map_or(0, folder_bytes);
    let object = json!({
        "round": loaded.context.round.to_string(),
        "question": done.number,
        "counts": done.digest.to_string(),
        "groups": named,
        "epsilon": spent,
        "budget_left": left,
        "parts": done.counts.parts.len(),
        "multiplications": done.counts.operations,
        "bytes": bytes,
        "seconds": seconds,
    });
    output.report(&object, || {
        format!(
            "question {}: {} groups counted in {} parts, {} multiplications, {seconds:.1} s; epsilon {spent}, {left} of the budget would be left",
            done.number,
            named.len(),
            done.counts.parts.len(),
            done.counts.operations,
        )
    })
}

/// The positions of named groups, ascending; of all without names.
fn positions(named: &[String], groups: &[String]) -> Result<Vec<u32>, CliError> {
    let unknown = named.iter().find(|name| !groups.contains(name));
    if let Some(name) = unknown {
        return Err(CliError::NoSuchGroup { name: name.clone(), groups: groups.to_vec() });
    }
    let asked = |(_, name): &(u32, &String)| named.is_empty() || named.contains(name);
    Ok((0u32..).zip(groups).filter(asked).map(|(position, _)| position).collect())
}

fn evaluate(args: &RunArgs, output: Output) -> Result<(), CliError> {
    let loaded = args.round.load()?;
    let identity = args.identity.load()?;
    let job = job(&loaded, &identity);
    let (checking, evaluating) = (output.progress("checking"), output.progress("evaluating"));
    // The two steps' own times: reading keys and submissions and looking at proofs, and computing.
    let (start, computing) = (Instant::now(), OnceLock::new());
    let finished = blindtier_evaluator::run(&job, &loaded.plan, &|step, done, total| match step {
        Step::Checking => checking.set(done, total),
        Step::Evaluating | Step::Counting => {
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
