//! `blindtier family`.

use super::error::CliError;
use super::output::Output;
use super::policy_file;
use super::round::{LoadedRound, RoundArgs};
use blindtier_family::{Letter, LetterKey, Mail};
use blindtier_policy::{
    Answer, Code, INVALID, Interpreter, Labels, OPTED_OUT, OptOut, Policy, UNDECIDED,
};
use blindtier_wire::{Board, Digest, PartyName, Proof, TrustFile};
use serde_json::json;
use std::path::PathBuf;

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

/// Read this family's letters: its tier, what decided it, and what would change it.
///
/// The trustees' letters open the tier. The agencies' letters say which levels they used; the policy is run on them here, on
/// the family's own device, and explains the tier. Levels that do not give the opened tier are shown as such.
#[derive(clap::Args)]
pub struct ReadArgs {
    #[command(flatten)]
    mail: MailArgs,
    /// Language of names
    #[arg(long, value_name = "TAG", default_value = "en")]
    language: String,
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
    letters: Vec<Letter>,
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
    let told =
        letters.iter().map(|letter| Told::of(policy, letter)).collect::<Result<Vec<_>, _>>()?;
    let ids: Vec<&str> = told.iter().map(|told| told.id(policy)).collect();
    let mut object = json!({ "tiers": ids });
    let lines = match (letters.as_slice(), told.as_slice()) {
        ([letter], [told]) => {
            let lines = letter_lines(policy, letter, told, &args.language);
            if let Some(fields) = object.as_object_mut() {
                fields.insert("slot".into(), json!(letter.slot));
                fields.insert("head".into(), json!(letter.head.to_string()));
                fields.insert("letter".into(), json!(lines));
            }
            lines
        }
        _ => ids.iter().map(|id| format!("your tier: {id}")).collect(),
    };
    output.report(&object, || lines.join("\n"))
}

/// What a letter comes to: the opened number, and what the policy says of the values that were sealed to the family.
struct Told {
    code: Code,
    /// The values that the offices say they used; missing ones where they are silent or excluded.
    values: Vec<i64>,
    /// What the policy says of them; nothing if they are no values of this policy.
    answer: Option<Answer>,
    /// Positions of the agencies from which there are no levels.
    silent: Vec<usize>,
}

impl Told {
    fn of(policy: &Policy, letter: &Letter) -> Result<Self, CliError> {
        let mut values = policy.missing_values();
        let mut silent = Vec::new();
        for (position, agency) in policy.agencies.iter().enumerate() {
            let own = || policy.indicators.iter().zip(0..).filter(|(i, _)| i.agency == position);
            let name = PartyName::agency(&agency.id).map_err(blindtier_wire::WireError::from)?;
            if letter.excluded.contains(&name) {
                continue;
            }
            match letter.levels.get(&name).filter(|levels| levels.len() == own().count()) {
                Some(levels) => {
                    for ((_, indicator), level) in own().zip(levels) {
                        if let Some(value) = values.get_mut::<usize>(indicator) {
                            *value = *level;
                        }
                    }
                }
                None => silent.push(position),
            }
        }
        let said_no = policy.opt_out == OptOut::Neutral
            && letter.levels.get(&PartyName::registrar()).is_some_and(|said| said == &[1]);
        let answer = Interpreter::new(policy)?.answer(&values, said_no).ok();
        Ok(Self { code: policy.code(letter.code), values, answer, silent })
    }

    /// The identifier of the tier, or of the reserved code. A number that is no tier says by itself that there is none;
    /// why, the sealed values say.
    fn id<'p>(&self, policy: &'p Policy) -> &'p str {
        self.code.id(policy).unwrap_or(match self.answer {
            Some(Answer::OptedOut) => OPTED_OUT,
            Some(Answer::Undecided(_)) => UNDECIDED,
            Some(Answer::Tier(_)) | None => INVALID,
        })
    }
}

/// A letter for people.
fn letter_lines(policy: &Policy, letter: &Letter, told: &Told, language: &str) -> Vec<String> {
    let name = |tier: usize| policy.tiers.get(tier).map_or("?", |t| label(&t.label, language));
    let office =
        |agency: usize| policy.agencies.get(agency).map_or("?", |a| label(&a.label, language));
    let mut lines = Vec::new();
    match (told.code, &told.answer) {
        (Code::Tier(tier), Some(Answer::Tier(outcome))) if outcome.tier == tier => {
            match policy.explain(&told.values) {
                Ok(explanation) => lines.extend(explanation.lines(policy, language)),
                Err(_) => lines.extend(does_not_hold(name(tier), None)),
            }
        }
        (Code::Tier(tier), other) => lines.extend(does_not_hold(
            name(tier),
            other.as_ref().map(|answer| match answer {
                Answer::Tier(outcome) => name(outcome.tier),
                Answer::OptedOut => "no tier, because you opted out",
                Answer::Undecided(_) => "no tier, because something is missing",
            }),
        )),
        (Code::OptedOut | Code::Withheld, Some(Answer::OptedOut)) => {
            lines.push("You opted out: no tier was computed for you".to_owned());
        }
        (Code::OptedOut, _) => lines.push(
            "You opted out, says the result, but the registrar did not seal that to you; ask the registrar".to_owned(),
        ),
        (Code::Undecided | Code::Withheld, Some(Answer::Undecided(unknown))) => {
            lines.push("Your tier cannot be decided: something is missing that the policy needs".to_owned());
            for indicator in unknown.iter().filter_map(|i| policy.indicators.get(*i)) {
                let what = label(&indicator.label, language);
                lines.push(format!("Missing: {what}; please ask: {}", office(indicator.agency)));
            }
        }
        (Code::Undecided | Code::Withheld, _) => lines.push(
            "No tier: an office encrypted something else than it sealed to you, or what no family can have. \
             Nothing was decided about you; appeal with this letter"
                .to_owned(),
        ),
    }
    if !letter.excluded.is_empty() {
        let names: Vec<&str> = letter
            .excluded
            .iter()
            .filter_map(|name| name.agency_id().and_then(|id| policy.agency(id)))
            .map(office)
            .collect();
        lines.push(format!(
            "Left out of the round, so that it counts as if it knew nothing of you: {}",
            names.join(", ")
        ));
    }
    if !told.silent.is_empty() {
        let names: Vec<&str> = told.silent.iter().map(|agency| office(*agency)).collect();
        lines.push(format!("No levels from: {}", names.join(", ")));
    }
    if let Some((round, slot)) = &letter.corrected {
        lines.push(format!(
            "This was corrected: what counts is slot {slot} of round {round}; read that letter"
        ));
    }
    if let Some(reason) = &letter.opened_to_state {
        lines.push(format!("This tier was opened to the state as well: {reason}"));
    }
    lines.extend(letter.complaints.iter().map(|complaint| format!("Note: {complaint}")));
    lines.push(format!("Slot {}; ledger head {}", letter.slot, letter.head));
    lines
}

/// A tier whose reasons are not those of the sealed values; `given` is what these would give, if anything.
fn does_not_hold(tier: &str, given: Option<&str>) -> [String; 2] {
    [
        format!("Your tier: {tier}"),
        match given {
            Some(given) => format!(
                "The reasons do not hold: the levels that the offices sealed would give {given}, not the tier that was opened. \
                 An office sealed other levels than it submitted, or its letter is missing; appeal with this letter"
            ),
            None => "The reasons do not hold: the levels that the offices sealed are none of this policy; appeal with this letter".to_owned(),
        },
    ]
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

fn label<'l>(labels: &'l Labels, language: &str) -> &'l str {
    let found =
        labels.get(language).or_else(|| labels.get("en")).or_else(|| labels.values().next());
    found.map_or("", String::as_str)
}
