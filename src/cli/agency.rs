//! `blindtier agency`.

use super::error::CliError;
use super::output::Output;
use super::round::{IdentityArg, RoundArgs, folder_bytes};
use blindtier_agency::{Destination, Invitation, InvitationFiles, Register, RegisterColumns};
use serde_json::json;
use std::path::PathBuf;
use std::time::Instant;

/// What an agency does.
#[derive(clap::Subcommand)]
pub enum AgencyCommand {
    /// Encrypt this agency's indicators for every slot of a round and sign the submission
    Submit(SubmitArgs),
    /// Put a finished submission on the board, once the trustees have registered it
    HandOver(HandOverArgs),
}

/// Encrypt this agency's indicators for every slot of a round and sign the submission.
///
/// The register is a CSV file with one row a person: the column person and those that the policy's indicators
/// of this agency read. Families that the register does not know get the policy's missing level, so that the
/// submission does not show whom the agency knows. A finished submission is never made again.
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
    /// This agency's roster, as the registrar sent it (secret)
    #[arg(long, value_name = "FILE")]
    roster: PathBuf,
    /// The folder of the submission
    #[arg(long, value_name = "DIR")]
    submission: PathBuf,
}

pub fn run(command: &AgencyCommand, output: Output) -> Result<(), CliError> {
    match command {
        AgencyCommand::Submit(args) => submit(args, output),
        AgencyCommand::HandOver(args) => hand_over(args, output),
    }
}

fn submit(args: &SubmitArgs, output: Output) -> Result<(), CliError> {
    let start = Instant::now();
    let loaded = args.round.load()?;
    let identity = args.identity.load()?;
    let agency =
        identity.name().agency_id().and_then(|id| loaded.policy.agency(id)).ok_or_else(|| {
            CliError::NoSuchAgency {
                party: identity.name().clone(),
                known: loaded
                    .policy
                    .agencies
                    .iter()
                    .map(|a| a.id.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
            }
        })?;
    let files = InvitationFiles {
        board: &loaded.board,
        roster: &args.roster,
        policy: loaded.policy_hash,
        plan: loaded.plan_hash,
    };
    let invitation = Invitation::read(&files, &identity, &loaded.trust)?;
    let register = Register::read(&args.register, &loaded.policy, agency, &invitation.roster)?;
    let indicators: Vec<usize> = register.indicators().collect();
    let inputs = loaded.plan.plan().inputs();
    let columns = inputs.columns_of(agency);
    let mut source = RegisterColumns {
        register: &register,
        roster: &invitation.roster,
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
    let submitted = invitation.submit(
        &Destination { agency, public_key: &loaded.board.public_key(), output: &args.out },
        &mut source,
        |key| loaded.plan.encrypt(key),
        &identity,
        &loaded.trust,
        |done, total| progress.set(done, total),
    )?;
    progress.finish();
    let levels = blindtier_agency::seal_levels(
        &invitation,
        &loaded.board.letter_keys(),
        indicators.len(),
        |slot| Ok(register.values(slot, &invitation.roster)?),
        &args.levels,
        &identity,
        &loaded.trust,
    )?;
    let report = register.report();
    if report.persons_unmatched > 0 {
        // Said here only: how many people a register knows is the agency's own business.
        output.say(&format!(
            "{} of {} register rows are of persons outside the roster and were not used",
            report.persons_unmatched, report.rows
        ));
    }
    let bytes = folder_bytes(&args.out);
    let object = json!({
        "agency": identity.name().agency_id(),
        "round": loaded.context.round.to_string(),
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
    let files = InvitationFiles {
        board: &loaded.board,
        roster: &args.roster,
        policy: loaded.policy_hash,
        plan: loaded.plan_hash,
    };
    let invitation = Invitation::read(&files, &identity, &loaded.trust)?;
    let id = identity.name().agency_id().unwrap_or_default();
    let to = loaded.board.submissions().join(id);
    invitation.hand_over(&args.submission, &to, &identity, &loaded.trust)?;
    let bytes = folder_bytes(&to);
    let object = json!({
        "agency": id,
        "round": loaded.context.round.to_string(),
        "bytes": bytes,
    });
    output.report(&object, || format!("{bytes} bytes handed over: {}", to.display()))
}
