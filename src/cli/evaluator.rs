//! `blindtier evaluator`.

use super::engine::AnyPlan;
use super::error::CliError;
use super::output::Output;
use super::registrar::epsilon;
use super::round::{IdentityArg, LoadedRound, RoundArgs, folder_bytes};
use blindtier_evaluator::{EvaluatorError, Job, Shard, Step};
use blindtier_ledger::thousandths;
use blindtier_wire::{Question, SigningIdentity};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
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
    job: JobArgs,
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
/// be used. Needs no secret but its own signing key. An interrupted run goes on where it was, and a finished one is left as it
/// is. Uses all cores; RAYON_NUM_THREADS limits them.
///
/// Several machines can share the work over one object store: each runs one `--shard`, and then one of them runs without, which
/// takes what it finds, computes what is missing and signs the receipt.
#[derive(clap::Args)]
pub struct RunArgs {
    #[command(flatten)]
    job: JobArgs,
    /// Compute only every COUNT-th chunk from the INDEX-th on, counted from 1, and sign no receipt
    #[arg(long, value_name = "INDEX/COUNT")]
    shard: Option<Shard>,
}

/// What every evaluation starts from.
#[derive(clap::Args)]
pub struct JobArgs {
    #[command(flatten)]
    round: RoundArgs,
    #[command(flatten)]
    identity: IdentityArg,
    /// Folder on this machine in which the evaluator remembers how far it is, and which keeps a second process from the same
    /// work [default: `progress` beside the signing key]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
}

impl JobArgs {
    /// Reads what the arguments name: the round, the signing key, and the folder to remember in.
    fn load(&self) -> Result<(LoadedRound, SigningIdentity, PathBuf), CliError> {
        let beside = || self.identity.identity.with_file_name("progress");
        let state = self.state.clone().unwrap_or_else(beside);
        Ok((self.round.load()?, self.identity.load()?, state))
    }
}

pub fn run(command: &EvaluatorCommand, output: Output) -> Result<(), CliError> {
    match command {
        EvaluatorCommand::Run(args) => evaluate(args, output),
        EvaluatorCommand::Count(args) => count(args, output),
    }
}

fn job<'a>(loaded: &'a LoadedRound, identity: &'a SigningIdentity, state: &'a Path) -> Job<'a> {
    Job {
        board: &loaded.board,
        policy: loaded.policy_hash,
        plan: loaded.plan_hash,
        identity,
        trust: &loaded.trust,
        state,
    }
}

fn count(args: &CountArgs, output: Output) -> Result<(), CliError> {
    let (loaded, identity, state) = args.job.load()?;
    let job = job(&loaded, &identity, &state);
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
    evaluate_with(&args.job, output, |job, plan, report| {
        Ok(match args.shard {
            None => Outcome::Whole(blindtier_evaluator::run(job, plan, report)?),
            Some(shard) => {
                Outcome::Shard(shard, blindtier_evaluator::run_shard(job, shard, plan, report)?)
            }
        })
    })
}

/// What an evaluation calls with its step, the families done and those that there are.
type Report<'a> = &'a (dyn Fn(Step, u64, u64) + Sync);

/// Evaluates in one way or another, and reports.
pub fn evaluate_with(
    args: &JobArgs,
    output: Output,
    evaluate: impl Fn(&Job<'_>, &AnyPlan, Report<'_>) -> Result<Outcome, EvaluatorError>,
) -> Result<(), CliError> {
    let (loaded, identity, state) = args.load()?;
    let job = job(&loaded, &identity, &state);
    let (checking, evaluating) = (output.progress("checking"), output.progress("evaluating"));
    // The two steps' own times: reading keys and submissions and looking at proofs, and computing.
    let (start, computing) = (Instant::now(), OnceLock::new());
    let outcome = evaluate(&job, &loaded.plan, &|step, done, total| match step {
        Step::Checking => checking.set(done, total),
        Step::Evaluating | Step::Counting => {
            computing.get_or_init(Instant::now);
            evaluating.set(done, total);
        }
    })?;
    let seconds = computing.get().map_or(0.0, |begun| begun.elapsed().as_secs_f64());
    let check_seconds = start.elapsed().as_secs_f64() - seconds;
    [checking, evaluating].iter().for_each(super::progress::Progress::finish);
    let counted = loaded.plan.summary().operations.name();
    let mut object = json!({
        "round": loaded.context.round.to_string(),
        "bytes": folder_bytes(&loaded.board.results()),
        "seconds": seconds,
        "check_seconds": check_seconds,
    });
    match outcome {
        Outcome::Whole(finished) => {
            let (slots, receipt) = (loaded.round.slots, &finished.receipt);
            let entries = receipt.submissions.iter().filter(|entry| entry.manifest.is_none());
            let excluded: Vec<&str> = entries.map(|entry| entry.submitter.as_str()).collect();
            extend(
                &mut object,
                json!({
                    "receipt": finished.digest.to_string(),
                    "slots": slots,
                    counted: receipt.operations,
                    "platform": receipt.platform,
                    "resumed_chunks": finished.resumed,
                    "lost_chunks": finished.lost,
                    "excluded": excluded,
                }),
            );
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
        Outcome::Shard(shard, done) => {
            extend(
                &mut object,
                json!({
                    "shard": shard.to_string(),
                    "chunks": done.chunks,
                    "slots": done.families,
                    counted: done.operations,
                    "resumed_chunks": done.resumed,
                    "lost_chunks": done.lost,
                }),
            );
            output.report(&object, || {
                format!(
                    "shard {shard}: {} chunks of {} slots evaluated, {} {counted}, {seconds:.1} s; run the evaluator without --shard for the receipt",
                    done.chunks, done.families, done.operations
                )
            })
        }
    }
}

/// What was evaluated.
pub enum Outcome {
    /// All of the round.
    Whole(blindtier_evaluator::Finished),
    /// A part.
    Shard(Shard, blindtier_evaluator::FinishedShard),
}

/// Adds the fields of one object to another.
fn extend(object: &mut Value, more: Value) {
    if let (Value::Object(object), Value::Object(more)) = (object, more) {
        object.extend(more);
    }
}
