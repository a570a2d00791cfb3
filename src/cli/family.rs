//! `blindtier family`.

use super::error::CliError;
use super::output::Output;
use super::policy_file;
use super::round::RoundArgs;
use blindtier_family::{Files, Letter, LetterKey, Mail};
use blindtier_policy::{Labels, Policy};
use blindtier_wire::{Digest, PartyName, TrustFile};
use serde_json::json;
use std::path::PathBuf;

/// What a family does.
#[derive(clap::Subcommand)]
pub enum FamilyCommand {
    /// Make a letter key; its public half goes to the registrar
    Keygen(KeygenArgs),
    /// Read this family's own letter
    Read(ReadArgs),
}

/// Make a letter key; its public half goes to the registrar.
#[derive(clap::Args)]
pub struct KeygenArgs {
    /// File to write; readable by its owner only
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// How many keys to put into the file; more than one only to simulate many families' devices
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    families: u32,
}

/// Read this family's own letter.
#[derive(clap::Args)]
pub struct ReadArgs {
    #[command(flatten)]
    round: RoundArgs,
    /// This family's letter key
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The registrar's letter-keys file
    #[arg(long, value_name = "FILE")]
    letter_keys: PathBuf,
    /// The trustee's folder of letters
    #[arg(long, value_name = "DIR")]
    letters: PathBuf,
    /// The trustee of the round
    #[arg(long, value_name = "NAME", default_value = "trustee:1")]
    trustee: String,
    /// Language of the tier's name
    #[arg(long, value_name = "TAG", default_value = "en")]
    language: String,
}

pub fn run(command: &FamilyCommand, output: Output) -> Result<(), CliError> {
    match command {
        FamilyCommand::Keygen(args) => keygen(args, output),
        FamilyCommand::Read(args) => read(args, output),
    }
}

fn keygen(args: &KeygenArgs, output: Output) -> Result<(), CliError> {
    if args.out.exists() {
        return Err(CliError::File {
            file: args.out.clone(),
            action: "write a new letter key",
            remedy: "it would replace another; give a new file name",
            source: std::io::ErrorKind::AlreadyExists.into(),
        });
    }
    let keys = (0..args.families).map(|_| LetterKey::generate()).collect::<Result<Vec<_>, _>>()?;
    LetterKey::write(&args.out, &keys)?;
    let public: Vec<String> = keys.iter().map(LetterKey::public_hex).collect();
    output.report(&json!({ "letter_keys": public }), || public.join("\n"))
}

fn read(args: &ReadArgs, output: Output) -> Result<(), CliError> {
    let policy = policy_file::load(&args.round.policy)?;
    let trust = TrustFile::read(&args.round.trust)?;
    let trustee = PartyName::new(args.trustee.clone()).map_err(blindtier_wire::WireError::from)?;
    let manifest = args.letters.join(blindtier_wire::file_names::LETTERS);
    let files =
        Files { round: &args.round.round, letter_keys: &args.letter_keys, letters: &manifest };
    let mail = Mail::open(&files, &trustee, Digest(policy.hash().0), &trust)?;
    let letters = mail.read_all(&LetterKey::read(&args.key)?)?;
    let tiers =
        letters.iter().map(|letter| tier(&policy, letter)).collect::<Result<Vec<_>, _>>()?;
    let ids: Vec<&str> = tiers.iter().map(|t| t.id.as_str()).collect();
    let text = || {
        let lines: Vec<String> = tiers
            .iter()
            .map(|tier| format!("your tier: {} ({})", label(&tier.label, &args.language), tier.id))
            .collect();
        lines.join("\n")
    };
    output.report(&json!({ "tiers": ids }), text)
}

fn tier<'p>(policy: &'p Policy, letter: &Letter) -> Result<&'p blindtier_policy::Class, CliError> {
    policy
        .tiers
        .get(usize::from(letter.code))
        .ok_or(CliError::NotATier { slot: letter.slot, code: letter.code })
}

fn label<'l>(labels: &'l Labels, language: &str) -> &'l str {
    let found =
        labels.get(language).or_else(|| labels.get("en")).or_else(|| labels.values().next());
    found.map_or("", String::as_str)
}
