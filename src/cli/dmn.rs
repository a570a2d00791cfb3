//! `blindtier policy import-dmn`: decision tables of a modelling tool as a policy.

use super::error::CliError;
use super::output::Output;
use blindtier_dmn::{Imported, MAX_DMN, Map, Options, Role, import};
use blindtier_wire::storage;
use serde_json::json;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Import decision tables of OMG DMN 1.3, 1.4 or 1.5 as a policy.
///
/// One decision is the tier; the tables that it needs become concepts, scores, cuts and overrides, and the inputs that they
/// read become indicators. Texts, numbers, true and false can be compared with literals; anything else is refused with the
/// table, the rule and the place in the file. docs/dmn.md lists what can be imported.
#[derive(clap::Args)]
pub struct ImportDmnArgs {
    /// DMN file, as the modelling tool exported it
    #[arg(value_name = "FILE.dmn")]
    file: PathBuf,
    /// TOML file that says which agency holds which input, what a missing value means, how many decimals numbers have,
    /// and where a sum that is the tier is cut [default: agency `applicant` holds all, missing values leave the tier
    /// undecided]
    #[arg(long, value_name = "MAP.toml")]
    agencies: Option<PathBuf>,
    /// Decision that is the tier, or one output of it: Decision.Output [default: the one that no other requires]
    #[arg(long, value_name = "DECISION")]
    tier: Option<String>,
    /// Tiers, lowest first, as the model writes them, with commas between [default: the order in which the model lists
    /// them]
    #[arg(long, value_name = "TIERS", value_delimiter = ',')]
    tiers: Option<Vec<String>>,
    /// File to write instead of standard output
    #[arg(long, value_name = "POLICY.toml")]
    out: Option<PathBuf>,
}

pub fn run(args: &ImportDmnArgs, output: Output) -> Result<(), CliError> {
    let text = read(&args.file)?;
    let mut options =
        Options { tier: args.tier.clone(), tiers: args.tiers.clone(), ..Options::default() };
    if let Some(file) = &args.agencies {
        options.map_name = file.display().to_string();
        options.map = Map::parse(&options.map_name, &read(file)?)?;
    }
    let imported = import(&args.file.display().to_string(), &text, &options)?;
    let mut object = json!({
        "policy": imported.policy.name,
        "policy_hash": imported.policy.hash().to_string(),
        "parts": imported.parts,
        "left_out": imported.notes,
    });
    let (key, value) = match &args.out {
        Some(file) => {
            storage::write_public(file, imported.toml.as_bytes())?;
            ("file", json!(file))
        }
        None => ("toml", json!(imported.toml)),
    };
    if let Some(fields) = object.as_object_mut() {
        fields.insert(key.into(), value);
    }
    for note in &imported.notes {
        output.say(&format!("table \"{}\": {}", note.table, note.text));
    }
    output.report(&object, || match &args.out {
        Some(file) => summary(file, &imported),
        None => imported.toml.trim_end().to_owned(),
    })
}

fn summary(file: &Path, imported: &Imported) -> String {
    let tiers: Vec<&str> = imported.policy.tiers.iter().map(|tier| tier.id.as_str()).collect();
    let mut lines = vec![format!("{}: tiers, lowest first: {}", file.display(), tiers.join(", "))];
    for part in &imported.parts {
        let what = if part.role == Role::Indicator { "input" } else { "table" };
        lines.push(format!("  {what} \"{}\" → {} {}", part.dmn, part.role, part.id));
    }
    lines.join("\n")
}

/// Reads a text file, but not more than a DMN file may have.
fn read(path: &Path) -> Result<String, CliError> {
    let failed = |source| CliError::File {
        file: path.to_owned(),
        action: "read",
        remedy: "give a text file in UTF-8",
        source,
    };
    let limit = u64::try_from(MAX_DMN).unwrap_or(u64::MAX).saturating_add(1);
    let mut text = String::new();
    File::open(path).map_err(failed)?.take(limit).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}
