//! `blindtier trustee`.

use super::error::CliError;
use super::output::Output;
use super::round::{IdentityArg, RoundArgs, folder_bytes};
use blindtier_trustee::{Engines, Job, Step};
use serde_json::json;
use std::path::PathBuf;
use std::time::Instant;

/// What the trustee does.
#[derive(clap::Subcommand)]
pub enum TrusteeCommand {
    /// Make the keys of a round: a secret one that stays, a public one for agencies, an evaluation key
    Keygen(KeygenArgs),
    /// Open the results of a round, once, and seal every tier to its family's letter key
    Open(OpenArgs),
}

/// Make the keys of a round.
///
/// For now one trustee holds the whole secret key and could open everything: see SECURITY.md.
#[derive(clap::Args)]
pub struct KeygenArgs {
    #[command(flatten)]
    round: RoundArgs,
    #[command(flatten)]
    identity: IdentityArg,
    /// Folder for secret-key.bt; never leaves the trustee
    #[arg(long, value_name = "DIR")]
    private: PathBuf,
    /// Folder for public-key.bt (to agencies) and evaluation-key.bt (to the evaluator)
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Open the results of a round, once, and seal every tier to its family's letter key.
///
/// First recomputes every result from the submissions and compares it byte for byte, which takes as long as the
/// evaluation; with engine tfhe it needs a processor with the same features as the evaluator's. Nothing is opened if one
/// byte differs.
#[derive(clap::Args)]
pub struct OpenArgs {
    #[command(flatten)]
    round: RoundArgs,
    #[command(flatten)]
    identity: IdentityArg,
    /// The registrar's letter-keys file
    #[arg(long, value_name = "FILE")]
    letter_keys: PathBuf,
    /// This trustee's secret-key file
    #[arg(long, value_name = "FILE")]
    secret_key: PathBuf,
    /// The evaluation-key file that this trustee made
    #[arg(long, value_name = "FILE")]
    evaluation_key: PathBuf,
    /// Folder with one folder an agency, named by the agency's identifier: the results are recomputed from it
    #[arg(long, value_name = "DIR")]
    submissions: PathBuf,
    /// The evaluator's folder of results, with its receipt
    #[arg(long, value_name = "DIR")]
    results: PathBuf,
    /// The trustee's own folder, where it remembers which rounds it opened
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// Folder for the sealed letters
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub fn run(command: &TrusteeCommand, output: Output) -> Result<(), CliError> {
    match command {
        TrusteeCommand::Keygen(args) => keygen(args, output),
        TrusteeCommand::Open(args) => open(args, output),
    }
}

fn keygen(args: &KeygenArgs, output: Output) -> Result<(), CliError> {
    let loaded = args.round.load()?;
    let identity = args.identity.load()?;
    let start = Instant::now();
    let keys = loaded.plan.generate_keys()?;
    let seconds = start.elapsed().as_secs_f64();
    let (public, evaluation) = (keys.public.len(), keys.evaluation.len());
    let files =
        blindtier_trustee::store_keys(keys, &args.private, &args.out, &loaded.context, &identity)?;
    let object = json!({
        "round": loaded.context.round.to_string(),
        "public_key": files.public_digest.to_string(),
        "public_key_bytes": public,
        "evaluation_key_bytes": evaluation,
        "seconds": seconds,
    });
    output.report(&object, || {
        format!(
            "keys of round {} made in {seconds:.1} s\n  {} ({public} bytes): to agencies\n  {} ({evaluation} bytes): to the evaluator\n  {}: stays here",
            loaded.context.round,
            files.public.display(),
            files.evaluation.display(),
            files.secret.display(),
        )
    })
}

fn open(args: &OpenArgs, output: Output) -> Result<(), CliError> {
    let loaded = args.round.load()?;
    let identity = args.identity.load()?;
    let receipt = args.results.join(blindtier_wire::file_names::RECEIPT);
    let job = Job {
        round: &args.round.round,
        policy: loaded.policy_hash,
        plan: loaded.plan_hash,
        letter_keys: &args.letter_keys,
        secret_key: &args.secret_key,
        evaluation_key: &args.evaluation_key,
        submissions: &args.submissions,
        receipt: &receipt,
        state: &args.state,
        output: &args.out,
        identity: &identity,
        trust: &loaded.trust,
    };
    let (recomputing, opening) = (output.progress("recomputing"), output.progress("opening"));
    let start = Instant::now();
    let recomputed = std::sync::OnceLock::new();
    let tiers = loaded.policy.tiers.len();
    let engines = Engines {
        evaluate: |key: &[u8]| loaded.plan.evaluate(key),
        open: |key: &[u8]| {
            recomputing.finish();
            // Set once: the secret key is loaded when everything is recomputed.
            let _ = recomputed.set(start.elapsed().as_secs_f64());
            loaded.plan.open(key, tiers)
        },
    };
    let opened = blindtier_trustee::open(&job, engines, &|step, done, total| match step {
        Step::Recomputing => recomputing.set(done, total),
        Step::Opening => opening.set(done, total),
    })?;
    opening.finish();
    let recompute_seconds = recomputed.get().copied().unwrap_or_default();
    let seconds = start.elapsed().as_secs_f64() - recompute_seconds;
    let object = json!({
        "round": loaded.context.round.to_string(),
        "letters": opened.digest.to_string(),
        "slots": loaded.round.slots,
        "bytes": folder_bytes(&args.out),
        "seconds": seconds,
        "recompute_seconds": recompute_seconds,
    });
    output.report(&object, || {
        format!(
            "all results recomputed in {recompute_seconds:.1} s, {} letters sealed in {seconds:.1} s: {}",
            loaded.round.slots,
            args.out.display()
        )
    })
}
