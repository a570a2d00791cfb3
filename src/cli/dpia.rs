//! `blindtier policy dpia`: a data-protection impact assessment of a policy.

use super::engine::EngineName;
use super::error::CliError;
use super::output::Output;
use super::policy_file;
use blindtier_assessment::{Engine, TrustTable, assess};
use blindtier_wire::storage;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Write a data-protection impact assessment (GDPR Art. 35) of a policy, as Markdown.
///
/// Data fields by agency, who learns what, retention, the logic in plain words, rights and how to use them, risks and what is
/// left of them. Fields and logic come from the policy, the rest from the table that README and SECURITY.md quote. What only
/// the controller can know is marked in its place and listed first as an open point. No legal advice.
#[derive(clap::Args)]
pub struct DpiaArgs {
    /// Policy file, or the name of a shipped policy (nursery, digital-family-card, eight-indicators, mpi)
    #[arg(value_name = "POLICY")]
    policy: PathBuf,
    /// Only what concerns rounds with this engine [default: both]
    #[arg(long, value_enum)]
    engine: Option<EngineName>,
    /// File to write instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub fn run(args: &DpiaArgs, output: Output) -> Result<(), CliError> {
    let policy = policy_file::load(&args.policy)?;
    let engine = args.engine.map(|engine| match engine {
        EngineName::Tfhe => Engine::Tfhe,
        EngineName::Bfv => Engine::Bfv,
    });
    let assessment = assess(&policy, &TrustTable::shipped()?, engine);
    let open: Vec<Value> = assessment
        .open_points
        .iter()
        .map(|point| json!({ "section": point.section, "what": point.what }))
        .collect();
    let mut object = json!({
        "policy": policy.name,
        "policy_hash": policy.hash().to_string(),
        "open_points": open,
    });
    let (key, value) = match &args.out {
        Some(file) => {
            storage::write_public(file, assessment.markdown.as_bytes())?;
            ("file", json!(file))
        }
        None => ("markdown", json!(assessment.markdown)),
    };
    if let Some(fields) = object.as_object_mut() {
        fields.insert(key.into(), value);
    }
    output.report(&object, || match &args.out {
        Some(file) => {
            format!("{}: {} open points for the controller", file.display(), open.len())
        }
        None => assessment.markdown.trim_end().to_owned(),
    })
}
