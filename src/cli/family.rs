//! `blindtier family`.

use super::error::CliError;
use super::output::Output;
use super::policy_file;
use super::round::{LoadedRound, RoundArgs};
use blindtier_family::{Letter as Mailed, LetterKey, Mail};
use blindtier_letter::{Correction, Language, Letter, Levels, Reading, RoundFacts};
use blindtier_policy::Policy;
use blindtier_wire::{Board, Digest, PartyName, Proof, TrustFile, storage};
use serde_json::json;
use std::path::{Path, PathBuf};

/// What a family does.
#[derive(clap::Subcommand)]
pub enum FamilyCommand {
    /// Make a letter key; its public half goes to the registrar
    Keygen(KeygenArgs),
    /// Check that the round has this family's letter key
    Check(CheckArgs),
    /// Read this family's letters: tier, reasons, distance to the next tier
    Read(ReadArgs),
    /// Write a proof of this family's tier
    Prove(ProveArgs),
    /// Read a tier that was opened to the state
    ReadForState(ReadForStateArgs),
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

/// What reading letters takes.
#[derive(clap::Args)]
pub struct MailArgs {
    #[command(flatten)]
    round: RoundArgs,
    /// This family's letter key
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Folder of letters, with one folder a trustee (trustee-1) and one an agency (agency-health)
    #[arg(long, value_name = "DIR")]
    letters: PathBuf,
    /// Which key of the file, counted from 0; for simulations, whose files hold many keys
    #[arg(long, value_name = "N")]
    family: Option<usize>,
}

/// Read this family's letters: its tier, what decided it, what would change it, and how to object.
///
/// The trustees' letters open the tier. The agencies' letters say which levels they used; the policy is run on them here, on
/// the family's own device, and explains the tier. Levels that do not give the opened tier are shown as such. Fixed phrases are
/// in the language asked for; names are the policy's own, in that language where it has them.
#[derive(clap::Args)]
pub struct ReadArgs {
    #[command(flatten)]
    mail: MailArgs,
    /// How to write the letter [default: text, with --json json]
    #[arg(long, value_enum)]
    format: Option<LetterFormat>,
    /// Language of the letter: en (English), ru (Russian), kk (Kazakh)
    #[arg(long, value_name = "TAG", default_value_t)]
    language: Language,
    /// Where and by when to object, as the letter should say it, for example "until 1 March: Family office, 5 Main Street"
    #[arg(long, value_name = "TEXT")]
    objections: Option<String>,
    /// File to write instead of standard output; readable by its owner only
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What a letter is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LetterFormat {
    /// Plain text
    Text,
    /// A page for a phone or for paper, without scripts; loads nothing
    Html,
    /// One JSON object, with everything that the letter says
    Json,
}

/// Check that the round has this family's letter key, before anything is opened.
///
/// A registrar that put another key in its place would read the letter instead of the family.
#[derive(clap::Args)]
pub struct CheckArgs {
    #[command(flatten)]
    round: RoundArgs,
    /// This family's letter key
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

/// Write a proof of this family's tier, to show to whom it wants.
///
/// Whoever has the proof knows this tier and nothing else; it cannot be taken back.
#[derive(clap::Args)]
pub struct ProveArgs {
    #[command(flatten)]
    mail: MailArgs,
    /// File to write; readable by its owner only
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Read a tier that was opened to the state.
///
/// Only for slots about which the ledger says so; the family's letter says it too.
#[derive(clap::Args)]
pub struct ReadForStateArgs {
    #[command(flatten)]
    round: RoundArgs,
    /// The state's key
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Folder of the seeds that trustees sealed to the state
    #[arg(long, value_name = "DIR")]
    seeds: PathBuf,
    /// Whose tier
    #[arg(long, value_name = "SLOT")]
    slot: u32,
}

pub fn run(command: &FamilyCommand, output: Output) -> Result<(), CliError> {
    match command {
        FamilyCommand::Keygen(args) => keygen(args, output),
        FamilyCommand::Check(args) => check(args, output),
        FamilyCommand::Read(args) => read(args, output),
        FamilyCommand::Prove(args) => prove(args, output),
        FamilyCommand::ReadForState(args) => read_for_state(args, output),
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

fn check(args: &CheckArgs, output: Output) -> Result<(), CliError> {
    let policy = policy_file::load(&args.round.policy)?;
    let trust = TrustFile::read(&args.round.trust)?;
    let board = Board::new(&args.round.board);
    let hash = Digest(policy.hash().0);
    let keys: Vec<[u8; 32]> = LetterKey::read(&args.key)?.iter().map(|key| *key.public()).collect();
    let slots = blindtier_family::check_roster(&board, &keys, hash, &trust)?;
    output.report(&json!({ "slots": slots }), || match slots.as_slice() {
        [slot] => format!("the round has this letter key, for slot {slot}"),
        slots => format!("the round has all {} letter keys", slots.len()),
    })
}

/// The letters that were asked for, with the policy.
struct Opened {
    loaded: LoadedRound,
    letters: Vec<Mailed>,
    proofs: Vec<Proof>,
}

impl MailArgs {
    fn open(&self) -> Result<Opened, CliError> {
        let loaded = self.round.load()?;
        let modulus = loaded.plan.combine()?.pad_modulus();
        let mut keys = LetterKey::read(&self.key)?;
        if let Some(position) = self.family {
            let count = keys.len();
            let chosen = keys.into_iter().nth(position);
            let file = || self.key.clone();
            keys = vec![chosen.ok_or_else(|| CliError::NoSuchKey {
                file: file(),
                position,
                count,
            })?];
        }
        let hash = loaded.policy_hash;
        let mail = Mail::open(&loaded.board, &self.letters, hash, modulus, &loaded.trust)?;
        let letters = mail.read_all(&keys)?;
        let proofs = letters.iter().map(|letter| mail.prove(letter)).collect();
        drop(mail);
        Ok(Opened { loaded, letters, proofs })
    }
}

fn read(args: &ReadArgs, output: Output) -> Result<(), CliError> {
    let Opened { loaded, letters, .. } = args.mail.open()?;
    let policy = &loaded.policy;
    let readings =
        letters.iter().map(|mailed| reading(policy, mailed)).collect::<Result<Vec<_>, _>>()?;
    let ids: Vec<&str> = readings.iter().map(Reading::id).collect();
    let mut object = json!({ "tiers": ids });
    let format =
        args.format.unwrap_or(if output.json { LetterFormat::Json } else { LetterFormat::Text });
    let output = Output { json: output.json || format == LetterFormat::Json, ..output };
    let ([mailed], [reading]) = (letters.as_slice(), readings.as_slice()) else {
        // Many keys are a simulation's: it wants all tiers and no letter.
        if args.out.is_some() || format == LetterFormat::Html {
            return Err(CliError::ManyKeys { file: args.mail.key.clone(), count: letters.len() });
        }
        return output.report(&object, || {
            ids.iter().map(|id| format!("your tier: {id}")).collect::<Vec<_>>().join("\n")
        });
    };
    let letter = Letter::new(reading, &facts(&loaded, mailed, args), args.language);
    if let Some(fields) = object.as_object_mut() {
        fields.insert("slot".into(), json!(mailed.slot));
        fields.insert("head".into(), json!(mailed.head.to_string()));
        fields.insert("letter".into(), json!(letter.lines()));
        fields.insert("contents".into(), json!(letter));
    }
    let text = match format {
        LetterFormat::Text => letter.text(),
        LetterFormat::Html => letter.html() + "\n",
        LetterFormat::Json => format!("{object}\n"),
    };
    match &args.out {
        Some(file) => keep(file, &text, mailed.slot, output),
        // With --json standard output has JSON, whatever the format.
        None => output.report(&object, || text.trim_end().to_owned()),
    }
}

/// Writes a letter into a file of the family's own.
fn keep(file: &Path, text: &str, slot: u32, output: Output) -> Result<(), CliError> {
    storage::write_secret(file, text.as_bytes())?;
    output.report(&json!({ "slot": slot, "file": file }), || {
        format!("{}: the letter of slot {slot}", file.display())
    })
}

/// What was opened for the family, held against what the agencies sealed to it.
fn reading<'p>(policy: &'p Policy, mailed: &Mailed) -> Result<Reading<'p>, CliError> {
    let levels = policy.agencies.iter().map(|agency| {
        let name = PartyName::agency(&agency.id).map_err(blindtier_wire::WireError::from)?;
        Ok(match mailed.levels.get(&name) {
            _ if mailed.excluded.contains(&name) => Levels::LeftOut,
            Some(levels) => Levels::Sealed(levels.clone()),
            None => Levels::Silent,
        })
    });
    let levels = levels.collect::<Result<Vec<_>, CliError>>()?;
    let said_no = mailed.levels.get(&PartyName::registrar()).is_some_and(|said| said == &[1]);
    Ok(Reading::new(policy, mailed.code, &levels, said_no)?)
}

/// What the public files and the mail say beside the levels.
fn facts(loaded: &LoadedRound, mailed: &Mailed, args: &ReadArgs) -> RoundFacts {
    RoundFacts {
        round: loaded.context.round.to_string(),
        slot: mailed.slot,
        head: mailed.head.to_string(),
        corrected: mailed
            .corrected
            .as_ref()
            .map(|(round, slot)| Correction { round: round.to_string(), slot: *slot }),
        opened_to_state: mailed.opened_to_state.clone(),
        complaints: mailed.complaints.iter().map(ToString::to_string).collect(),
        objections: args.objections.clone(),
    }
}

fn prove(args: &ProveArgs, output: Output) -> Result<(), CliError> {
    let Opened { letters, proofs, .. } = args.mail.open()?;
    let (Some(letter), [proof]) = (letters.first(), proofs.as_slice()) else {
        return Err(CliError::ManyKeys { file: args.mail.key.clone(), count: proofs.len() });
    };
    proof.write(&args.out)?;
    output.report(&json!({ "slot": letter.slot }), || {
        format!(
            "{}: shows the tier of slot {} to whoever has it, with the public board",
            args.out.display(),
            letter.slot
        )
    })
}

fn read_for_state(args: &ReadForStateArgs, output: Output) -> Result<(), CliError> {
    let loaded = args.round.load()?;
    let modulus = loaded.plan.combine()?.pad_modulus();
    let keys = LetterKey::read(&args.key)?;
    let [key] = keys.as_slice() else {
        return Err(CliError::ManyKeys { file: args.key.clone(), count: keys.len() });
    };
    let (board, hash, trust) = (&loaded.board, loaded.policy_hash, &loaded.trust);
    let code =
        blindtier_family::read_for_state(board, &args.seeds, args.slot, key, hash, modulus, trust)?;
    let id = code_id(&loaded.policy, code);
    output.report(&json!({ "slot": args.slot, "tier": id }), || {
        format!("slot {} has tier {id}", args.slot)
    })
}

/// The identifier of a code; `withheld` for a number that is no tier and does not say why.
pub(super) fn code_id(policy: &Policy, number: u32) -> &str {
    policy.code(number).id(policy).unwrap_or("withheld")
}
