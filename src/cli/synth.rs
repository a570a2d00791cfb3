//! `blindtier synth`: seeded register rows.

use super::error::CliError;
use super::output::Output;
use super::policy_file;
use serde_json::json;
use std::path::PathBuf;

/// Write seeded register rows that reach every level and both sides of every cut.
///
/// One CSV file an agency, for `--data` and for tests. The same seed gives the same bytes. These are test
/// rows, not a likeness of any population.
#[derive(clap::Args)]
pub struct SynthArgs {
    /// Policy file, or the name of a shipped policy
    #[arg(long, value_name = "FILE", default_value = "nursery")]
    policy: PathBuf,
    /// How many families
    #[arg(long, value_name = "N", default_value_t = 100)]
    families: u64,
    /// Shapes the rows; never a key
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// Folder to write
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub fn run(args: &SynthArgs, output: Output) -> Result<(), CliError> {
    let policy = policy_file::load(&args.policy)?;
    blindtier_sim::synthesize(&policy, args.families, args.seed, &args.out)?;
    let object = json!({ "policy": policy.name, "families": args.families, "seed": args.seed });
    output.report(&object, || {
        format!("{} families of policy {} in {}", args.families, policy.name, args.out.display())
    })
}
