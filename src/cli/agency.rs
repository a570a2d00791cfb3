//! `blindtier agency`.

use super::error::CliError;
use super::output::Output;
use super::round::{IdentityArg, RoundArgs, folder_bytes};
use blindtier_agency::{Destination, Invitation, InvitationFiles, Register, RegisterColumns};
use blindtier_wire::PartyName;
use serde_json::json;
use std::path::PathBuf;
use std::time::Instant;

/// What an agency does.
#[derive(clap::Subcommand)]
pub enum AgencyCommand {
    /// Encrypt this agency's indicators for every slot of a round and sign the submission
    Submit(SubmitArgs),
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
    /// The trustee's public-key file
    #[arg(long, value_name = "FILE")]
    public_key: PathBuf,
    /// The trustee that made the keys
    #[arg(long, value_name = "NAME", default_value = "trustee:1")]
    trustee: String,
    /// Folder for the submission, to be handed to the evaluator as it is
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub fn run(command: &AgencyCommand, output: Output) -> Result<(), CliError> {
    match command {
        AgencyCommand::Submit(args) => submit(args, output),
    }
}

fn submit(args: &SubmitArgs, output: Output) -> Result<(), CliError> {
    let start = Instant::now();
    let loaded = args.round.load()?;
    let identity = args.identity.load()?;
    let trustee = PartyName::new(args.trustee.clone()).map_err(blindtier_wire::WireError::from)?;
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
        round: &args.round.round,
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
        &Destination { agency, trustee: &trustee, public_key: &args.public_key, output: &args.out },
        &mut source,
        |key| loaded.plan.encrypt(key),
        &identity,
        &loaded.trust,
        |done, total| progress.set(done, total),
    )?;
    progress.finish();
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
        "bytes": bytes,
        "seconds": start.elapsed().as_secs_f64(),
    });
    output.report(&object, || {
        let state =
            if submitted.fresh { "written" } else { "was finished before and stands as it is" };
        format!("submission {} {state}: {bytes} bytes in {}", submitted.digest, args.out.display())
    })
}
