//! `blindtier cluster` in a build without the feature `cluster`: says how to get it.

use super::error::CliError;
use super::output::Output;
use std::ffi::OsString;

/// Whatever of a cluster was asked for.
#[derive(clap::Subcommand)]
pub enum ClusterCommand {
    /// The process that executors and runs connect to; it holds no key
    Scheduler(LeftOut),
    /// A machine that computes chunks until it is ended
    Executor(LeftOut),
    /// Have the executors compute a round's chunks, check what they wrote, and sign the receipt
    Run(LeftOut),
}

/// This program was built without the feature `cluster`: `cargo build --release --features cluster` makes one with it.
///
/// The same work without it: `blindtier evaluator run --shard`.
#[derive(clap::Args)]
pub struct LeftOut {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    arguments: Vec<OsString>,
}

pub fn run(_: &ClusterCommand, _: Output) -> Result<(), CliError> {
    Err(CliError::NoCluster)
}
