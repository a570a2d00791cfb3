//! `blindtier cluster`: an evaluation on many machines. Only in builds with the feature `cluster`.

use super::error::CliError;
use super::evaluator::{JobArgs, Outcome, evaluate_with};
use super::output::Output;
use super::round::{IdentityArg, RoundArgs};
use blindtier_cluster::{Address, Cluster, Executor, Scheduler};
use blindtier_evaluator::{Order, Public, Worker};
use serde_json::json;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

/// What the machines of a cluster do.
#[derive(clap::Subcommand)]
pub enum ClusterCommand {
    /// The process that executors and runs connect to; it holds no key
    Scheduler(SchedulerArgs),
    /// A machine that computes chunks until it is ended
    Executor(ExecutorArgs),
    /// Have the executors compute a round's chunks, check what they wrote, and sign the receipt
    Run(RunArgs),
}

/// The process that executors and runs connect to.
///
/// It needs no file and holds no key; what goes through it are hashes, numbers and places of chunks. Whoever reaches its
/// address can keep executors busy: listen in a network of the evaluator's own. If it is ended, start it again at the same
/// address: executors come back by themselves, and a run orders what is missing again.
#[derive(clap::Args)]
pub struct SchedulerArgs {
    /// Address and port to listen on
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:50050")]
    listen: SocketAddr,
    /// How long an executor may be silent before its chunk is given to another one; they speak every five seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(6..=3600))]
    silence: u64,
}

/// A machine that computes chunks until it is ended (SIGTERM lets it finish what it is at).
///
/// Takes what the evaluator takes, its signing key too: it signs the results that it writes. Start it with the same policy,
/// trust file and board as the run, on any number of machines that reach the scheduler and the board; nothing has to reach
/// it. Before it computes a chunk it checks every submitter's part of it against the ledger.
#[derive(clap::Args)]
pub struct ExecutorArgs {
    #[command(flatten)]
    round: RoundArgs,
    #[command(flatten)]
    identity: IdentityArg,
    #[command(flatten)]
    scheduler: SchedulerArg,
    /// Chunks computed at once [default: with bfv one for each core, with tfhe one, which takes all cores]
    #[arg(long, value_name = "COUNT")]
    chunks: Option<NonZeroUsize>,
}

/// Have the executors compute a round's chunks, check what they wrote, and sign the receipt.
///
/// Does what `evaluator run` does, and leaves the same bytes. It believes the board only: a chunk is done when a result of it
/// lies there that the evaluator's key signed. What is missing when a job ends, fails or stalls is ordered again; after five
/// orders in a row that bring nothing it gives up, and a later run goes on from there.
#[derive(clap::Args)]
pub struct RunArgs {
    #[command(flatten)]
    job: JobArgs,
    #[command(flatten)]
    scheduler: SchedulerArg,
    /// How long no new result may come before a job is given up and what is missing is ordered again; longer than a chunk takes
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..))]
    stall: u64,
}

#[derive(clap::Args)]
struct SchedulerArg {
    /// Host and port of the scheduler
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:50050")]
    scheduler: Address,
}

pub fn run(command: &ClusterCommand, output: Output) -> Result<(), CliError> {
    match command {
        ClusterCommand::Scheduler(args) => scheduler(args, output),
        ClusterCommand::Executor(args) => executor(args, output),
        ClusterCommand::Run(args) => cluster_run(args, output),
    }
}

fn scheduler(args: &SchedulerArgs, output: Output) -> Result<(), CliError> {
    let settings = Scheduler { listen: args.listen, silence: Duration::from_secs(args.silence) };
    // Programs wait for this line.
    Ok(blindtier_cluster::schedule(&settings, &|address| {
        let object = json!({ "listening": address.to_string() });
        let _ = output.report(&object, || format!("listening on {address}"));
    })?)
}

fn executor(args: &ExecutorArgs, output: Output) -> Result<(), CliError> {
    let loaded = args.round.load()?;
    let identity = args.identity.load()?;
    let public = Public {
        board: &loaded.board,
        round: &loaded.round,
        context: &loaded.context,
        trust: &loaded.trust,
    };
    let worker = Worker::new(public, &identity, &loaded.plan);
    let scheduler = args.scheduler.scheduler.clone();
    let chunks = args.chunks.unwrap_or_else(|| loaded.plan.chunks_at_once());
    output.step(&format!("computing {chunks} chunks at once for the scheduler at {scheduler}"));
    let waiting = format!("the scheduler at {scheduler} does not answer; waiting for it");
    let settings = Executor { scheduler, chunks };
    let compute = |order: &Order| {
        worker.compute(order).map_err(|error| {
            let said = error.to_string();
            output.say(&format!("chunk {}: {said}", order.chunk));
            said
        })
    };
    Ok(blindtier_cluster::execute(&settings, &compute, &|| output.step(&waiting))?)
}

fn cluster_run(args: &RunArgs, output: Output) -> Result<(), CliError> {
    let (scheduler, stall) = (args.scheduler.scheduler.clone(), Duration::from_secs(args.stall));
    let machines = Cluster { scheduler, stall };
    evaluate_with(&args.job, output, |job, plan, report| {
        Ok(Outcome::Whole(blindtier_evaluator::run_on(job, plan, &machines, report)?))
    })
}
