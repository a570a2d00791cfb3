//! `blindtier dealer`.

use super::error::CliError;
use super::output::Output;
use super::round::{IdentityArg, RoundArgs};
use serde_json::json;
use std::path::PathBuf;
use std::time::Instant;

/// What the dealer does.
#[derive(clap::Subcommand)]
pub enum DealerCommand {
    /// Make the keys of a round, seal a share of the secret one to each trustee, publish the others, and end
    Deal(DealArgs),
}

/// Make the keys of a round, seal a share of the secret one to each trustee, publish the others, and end.
///
/// Only rounds with engine tfhe need it. While it runs, this process has the whole key: run it on an offline machine that is
/// wiped afterwards. Every trustee runs `trustee keygen` once before it and once after it.
#[derive(clap::Args)]
pub struct DealArgs {
    #[command(flatten)]
    round: RoundArgs,
    #[command(flatten)]
    identity: IdentityArg,
    /// Folder for the sealed shares, one folder a trustee: each to its trustee alone
    #[arg(long, value_name = "DIR")]
    sealed: PathBuf,
}

pub fn run(command: &DealerCommand, output: Output) -> Result<(), CliError> {
    match command {
        DealerCommand::Deal(args) => deal(args, output),
    }
}

fn deal(args: &DealArgs, output: Output) -> Result<(), CliError> {
    let loaded = args.round.load()?;
    let identity = args.identity.load()?;
    let (board, round, context) = (&loaded.board, &loaded.round, &loaded.context);
    let receivers = blindtier_dealer::receivers(board, round, context, &loaded.trust)?;
    let start = Instant::now();
    let dealt = loaded.plan.deal()?;
    let bytes = [dealt.public.len(), dealt.evaluation.len(), dealt.opening.len()];
    blindtier_dealer::deal(dealt, &receivers, board, &args.sealed, round, context, &identity)?;
    let seconds = start.elapsed().as_secs_f64();
    let [public, evaluation, opening] = bytes;
    let object = json!({
        "round": context.round.to_string(),
        "shares": round.sharing.shares(),
        "public_key_bytes": public,
        "evaluation_key_bytes": evaluation,
        "opening_key_bytes": opening,
        "seconds": seconds,
    });
    output.report(&object, || {
        format!(
            "keys of round {} dealt in {seconds:.1} s: {} shares, sealed to {} trustees in {}",
            context.round,
            round.sharing.shares(),
            receivers.len(),
            args.sealed.display(),
        )
    })
}
