//! `blindtier identity`: a party's signing key.

use super::error::CliError;
use super::output::Output;
use blindtier_wire::{PartyName, SigningIdentity, WireError};
use serde_json::json;
use std::fmt::Write;
use std::path::PathBuf;

/// Make a party's signing key, and print the line that pins it in the trust file.
///
/// Names: registrar, agency:ID, evaluator, trustee:1. Hand the printed line to the other parties in person;
/// every party keeps its own trust file, because a public key found beside a file proves nothing.
#[derive(clap::Args)]
pub struct IdentityArgs {
    /// Name of the party: registrar, agency:ID, evaluator or trustee:1
    #[arg(long, value_name = "NAME")]
    party: String,
    /// File to write; readable by its owner only
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub fn run(args: &IdentityArgs, output: Output) -> Result<(), CliError> {
    let name = PartyName::new(args.party.clone()).map_err(WireError::from)?;
    if args.out.exists() {
        return Err(CliError::File {
            file: args.out.clone(),
            action: "write a new signing key",
            remedy: "it would replace another; give a new file name",
            source: std::io::ErrorKind::AlreadyExists.into(),
        });
    }
    let identity = SigningIdentity::generate(name)?;
    identity.write(&args.out)?;
    let public = identity.public_key().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    let object = json!({ "party": identity.name().as_str(), "public_key": public });
    output.report(&object, || format!("\"{}\" = \"{public}\"", identity.name()))
}
