//! `blindtier agency`.

use super::error::CliError;
use super::output::Output;
use super::policy_file;
use super::round::{IdentityArg, LoadedRound, RoundArgs, folder_bytes};
use blindtier_agency::{
    AgencyError, Destination, Invitation, Link, Pseudonyms, Register, RegisterColumns,
};
use blindtier_wire::{Board, Digest, RosterFile, SigningIdentity, TrustFile};
use serde_json::json;
use std::path::PathBuf;
use std::time::Instant;

/// What an agency does.
#[derive(clap::Subcommand)]
pub enum AgencyCommand {
    /// Ask the registrar blindly for what the roster calls this agency's persons, once a round
    Link(LinkArgs),
    /// Encrypt this agency's indicators for every slot of a round and sign the submission
    Submit(SubmitArgs),
    /// Put a finished submission on the board, once the trustees have registered it
    HandOver(HandOverArgs),
}

/// Ask the registrar blindly for what the roster calls this agency's persons, once a round.
///
/// The request has the register's persons, blinded, and fillers up to the number that the round says: the registrar learns
/// neither whom it is about nor how many. It answers one request an agency, so that identifiers cannot be tried out; a request
/// that was made before is given out again. Only in rounds with oblivious linkage.
#[derive(clap::Args)]
pub struct LinkArgs {
    #[command(flatten)]
    round: RoundArgs,
    #[command(flatten)]
    identity: IdentityArg,
    /// This agency's roster, as the registrar sent it (secret)
    #[arg(long, value_name = "FILE")]
    roster: PathBuf,
    /// This agency's register (CSV; stays here)
    #[arg(long, value_name = "CSV")]
    register: PathBuf,
    /// File for the request, to be handed to the registrar
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// This agency's own folder of the round: what makes the request readable stays there
    #[arg(long, value_name = "DIR")]
    private: PathBuf,
}

/// Encrypt this agency's indicators for every slot of a round and sign the submission.
///
/// The register is a CSV file with one row a person: the column person and those that the policy's indicators
/// of this agency read. Families that the register does not know get the policy's missing level, so that the
/// submission does not show whom the agency knows; nor does anything that is printed. A finished submission is never made
/// again.
#[derive(clap::Args)]
pub struct SubmitArgs {
    #[command(flatten)]
    round: RoundArgs,
    #[command(flatten)]
    identity: IdentityArg,
    /// This agency's roster, as the registrar sent it (secret)
    #[arg(long, value_name = "FILE")]
    roster: PathBuf,
    /// This agency's register (CSV; stays here)
    #[arg(long, value_name = "CSV")]
    register: PathBuf,
    /// Folder for the submission. Its manifest submission.bt goes to the trustees; the rest to nobody before they have
    /// registered it (agency hand-over)
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Folder for the levels that were used, sealed to every family's letter key: the ground of its letter's reasons
    #[arg(long, value_name = "DIR")]
    levels: PathBuf,
    /// This agency's own folder of the round, as given to agency link; with oblivious linkage
    #[arg(long, value_name = "DIR", requires = "answer")]
    private: Option<PathBuf>,
    /// The registrar's answer to this agency's request; with oblivious linkage
    #[arg(long, value_name = "FILE", requires = "private")]
    answer: Option<PathBuf>,
    /// File for what this agency's own staff should know about the register (CSV, readable by its owner only): how many
    /// persons and families were found, and a line for every person that no family has or that has two rows, and for every
    /// family without a value that the policy needs. It tells whom the agency knows
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// Put a finished submission on the board, once the ledger has its hash.
///
/// Whoever got ciphertexts earlier could hand them in as its own.
#[derive(clap::Args)]
pub struct HandOverArgs {
    #[command(flatten)]
    round: RoundArgs,
    #[command(flatten)]
    identity: IdentityArg,
    /// The folder of the submission
    #[arg(long, value_name = "DIR")]
    submission: PathBuf,
}

pub fn run(command: &AgencyCommand, output: Output) -> Result<(), CliError> {
    match command {
        AgencyCommand::Link(args) => link(args, output),
        AgencyCommand::Submit(args) => submit(args, output),
        AgencyCommand::HandOver(args) => hand_over(args, output),
    }
}

fn link(args: &LinkArgs, output: Output) -> Result<(), CliError> {
    let policy = policy_file::load(&args.round.policy)?;
    let trust = TrustFile::read(&args.round.trust)?;
    let identity = args.identity.load()?;
    let job = Link {
        board: &Board::new(&args.round.board),
        policy: Digest(policy.hash().0),
        roster: &args.roster,
        register: &args.register,
        private: &args.private,
        output: &args.out,
    };
    let progress = output.progress_on_persons("blinding");
    let requested =
        blindtier_agency::link(&job, &identity, &trust, &|done, total| progress.set(done, total))?;
    progress.finish();
    // Nothing here depends on the register: it is as good as public.
    let object = json!({
        "agency": identity.name().agency_id(),
        "request": requested.request.to_string(),
        "persons": requested.elements,
        "fresh": requested.fresh,
    });
    output.report(&object, || {
        let state = if requested.fresh { "written" } else { "was made before and is given out again" };
        format!(
            "request {} about {} persons and fillers {state}: hand {} to the registrar, who answers one request a round",
            requested.request,
            requested.elements,
            args.out.display()
        )
    })
}

fn submit(args: &SubmitArgs, output: Output) -> Result<(), CliError> {
    let loaded = args.round.load()?;
    let identity = args.identity.load()?;
    let agency = position(&loaded, &identity)?;
    let invitation = invitation(&loaded, &identity)?;
    let (round, context, trust) = (&invitation.round, &invitation.context, &loaded.trust);
    let roster = RosterFile::open(&args.roster, identity.name(), round, context, trust)?;
    let progress = output.progress_on_persons("linking");
    let pseudonyms = Pseudonyms::obtain(
        &invitation,
        &loaded.board,
        &roster,
        args.private.as_deref().zip(args.answer.as_deref()),
        &identity,
        trust,
        &|done, total| progress.set(done, total),
    )?;
    progress.finish();
    let list = args.report.is_some();
    // What the register says waits beside its ciphertexts, in files without a name.
    let (file, policy, folder) = (&args.register, &loaded.policy, &args.out);
    let mut register = Register::read(file, policy, agency, &pseudonyms, list, folder)?;
    drop(pseudonyms);
    if let Some(report) = &args.report {
        register.write_report(report)?;
    }
    register.check()?;

    // From here on nothing depends on whom the register knows, neither what is printed nor how long it takes.
    let start = Instant::now();
    let indicators: Vec<usize> = register.indicators().collect();
    let inputs = loaded.plan.plan().inputs();
    let columns = inputs.columns_of(agency);
    let mut source = RegisterColumns {
        register: &mut register,
        columns: columns.len(),
        fold: |values: &[i64]| {
            let mut value = |indicator: usize| {
                let place = indicators.iter().position(|i| *i == indicator);
                place.and_then(|p| values.get(p)).copied().unwrap_or_default()
            };
            columns.iter().map(|column| inputs.column_value(*column, &mut value)).collect()
        },
    };
    let progress = output.progress("encrypting");
    let public_key = &loaded.board.public_key();
    let submitted = invitation
        .submit(
            &Destination { submitter: agency, public_key, output: &args.out },
            &mut source,
            |key| loaded.plan.encrypt(key),
            &identity,
            trust,
            |done, total| progress.set(done, total),
        )
        .map_err(AgencyError::from)?;
    progress.finish();
    let levels = invitation
        .seal_levels(
            &loaded.board.letter_keys(),
            indicators.len(),
            |slot| register.values(slot),
            &args.levels,
            &identity,
            trust,
        )
        .map_err(AgencyError::from)?;
    let bytes = folder_bytes(&args.out);
    let object = json!({
        "agency": identity.name().agency_id(),
        "round": context.round.to_string(),
        "submission": submitted.digest.to_string(),
        "columns": submitted.submission.columns,
        "slots": submitted.submission.slots,
        "fresh": submitted.fresh,
        "levels": levels.to_string(),
        "bytes": bytes,
        "seconds": start.elapsed().as_secs_f64(),
    });
    output.report(&object, || {
        let state =
            if submitted.fresh { "written" } else { "was finished before and stands as it is" };
        format!("submission {} {state}: {bytes} bytes in {}", submitted.digest, args.out.display())
    })
}

fn hand_over(args: &HandOverArgs, output: Output) -> Result<(), CliError> {
    let loaded = args.round.load()?;
    let identity = args.identity.load()?;
    let invitation = invitation(&loaded, &identity)?;
    let to = loaded.board.submissions().join(identity.name().submitter_folder());
    invitation
        .hand_over(&args.submission, &to, &identity, &loaded.trust)
        .map_err(AgencyError::from)?;
    let bytes = folder_bytes(&to);
    let object = json!({
        "agency": identity.name().agency_id(),
        "round": loaded.context.round.to_string(),
        "bytes": bytes,
    });
    output.report(&object, || format!("{bytes} bytes handed over: {}", to.display()))
}

/// The agency's position in the policy.
fn position(loaded: &LoadedRound, identity: &SigningIdentity) -> Result<usize, CliError> {
    let agencies = &loaded.policy.agencies;
    let position = identity.name().agency_id().and_then(|id| loaded.policy.agency(id));
    position.ok_or_else(|| CliError::NoSuchAgency {
        party: identity.name().clone(),
        known: agencies.iter().map(|a| a.id.as_str()).collect::<Vec<_>>().join(", "),
    })
}

fn invitation(loaded: &LoadedRound, identity: &SigningIdentity) -> Result<Invitation, CliError> {
    let (policy, plan) = (loaded.policy_hash, loaded.plan_hash);
    let read = Invitation::read(&loaded.board, policy, plan, identity, &loaded.trust);
    Ok(read.map_err(AgencyError::from)?)
}
