//! `blindtier trustee`.

use super::error::CliError;
use super::output::Output;
use super::round::{IdentityArg, LoadedRound, RoundArgs, folder_bytes};
use super::statistics;
use blindtier_ledger::{Exclusion, Ledger};
use blindtier_trustee::{
    Agreed, AnswerProgress, Desk, KeyProgress, OpenProgress, RegisterProgress, StateRequest, Step,
};
use blindtier_wire::{Digest, PartyName, SigningIdentity, WireError, utc};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::{Instant, SystemTime};

/// What a trustee does.
///
/// Every command takes the next steps that the files on the board allow, says what it waits for, and may be repeated.
#[derive(clap::Subcommand)]
pub enum TrusteeCommand {
    /// Take the next step of making a round's key; again, until it is done
    Keygen(KeygenArgs),
    /// Sign the ledger's entry with the hash of every submission
    Register(RegisterArgs),
    /// Sign the ledger's entry that excludes a submitter whose registered submission cannot be used
    Exclude(ExcludeArgs),
    /// Take the next step of opening a round together with other trustees; again, until the letters are sealed
    Open(OpenArgs),
    /// Take the next step of opening numbers of families, with noise; again, until the answer is in the ledger
    Answer(AnswerArgs),
    /// State that this trustee does not open, and why
    Refuse(RefuseArgs),
    /// Sign the ledger's entry about what another trustee stated (a refusal, destroyed shares)
    Witness(DeskArgs),
    /// Destroy this trustee's shares of a round and state it
    Destroy(DeskArgs),
    /// Sign the ledger's entry that another round decided some slots of this one anew
    Correct(CorrectArgs),
}

/// What every command of a trustee takes.
#[derive(clap::Args)]
pub struct DeskArgs {
    #[command(flatten)]
    round: RoundArgs,
    #[command(flatten)]
    identity: IdentityArg,
    /// This trustee's own folder of the round: shares, and what it signed; never leaves the trustee
    #[arg(long, value_name = "DIR")]
    private: PathBuf,
}

/// Take the next step of making a round's key.
///
/// With engine bfv the trustees make it together and nobody ever has it; with tfhe a dealer deals it (`blindtier dealer deal`)
/// after every trustee has run this once. Run it again whenever new files of the others are on the board or in the folder
/// of sealed shares, until it says that the keys are made. The shares are never replaced.
#[derive(clap::Args)]
pub struct KeygenArgs {
    #[command(flatten)]
    desk: DeskArgs,
    /// Folder in which sealed shares travel, one folder a receiver: each to its trustee alone, not onto the board
    #[arg(long, value_name = "DIR")]
    sealed: PathBuf,
}

/// Sign the ledger's entry with the hash of every submission.
///
/// Run it whenever manifests arrive: it notes what it sees with this machine's time, says for whom it waits, and signs when all
/// are there. What it first sees after the round's deadline is refused. No submitter gives a ciphertext to anybody before
/// enough trustees have signed. One trustee signs first and the others sign the same, so agree by voice beforehand.
#[derive(clap::Args)]
pub struct RegisterArgs {
    #[command(flatten)]
    desk: DeskArgs,
    /// Folder with one folder a submitter (an agency's identifier, or registrar), and in it submission.bt
    #[arg(long, value_name = "DIR")]
    manifests: PathBuf,
    /// A submitter that the round goes on without, such as agency:tax: it was too late, or signed two submissions. May be
    /// repeated; all trustees have to say the same
    #[arg(long, value_name = "NAME", value_parser = |name: &str| PartyName::new(name))]
    leave_out: Vec<PartyName>,
    /// A submitter that this trustee saw too late and another one in time, if the trustees agreed to take it. May be repeated
    #[arg(long, value_name = "NAME", value_parser = |name: &str| PartyName::new(name))]
    take_in: Vec<PartyName>,
}

/// Sign the ledger's entry that excludes a submitter whose registered submission cannot be used.
///
/// The others need not submit again: the policy's missing values stand for what is excluded, and the families' letters say so.
/// The trustee sees for itself, on its own board, that the reason holds, and signs nothing otherwise. Not after the opening has
/// begun.
#[derive(clap::Args)]
pub struct ExcludeArgs {
    #[command(flatten)]
    desk: DeskArgs,
    /// Whom, such as agency:tax
    #[arg(long, value_name = "NAME", value_parser = |name: &str| PartyName::new(name))]
    submitter: PartyName,
    /// Why
    #[arg(long, value_enum)]
    reason: Reason,
    /// The invalid chunk, as the evaluator or `trustee open` named it
    #[arg(long, value_name = "N", required_if_eq("reason", "invalid"))]
    chunk: Option<u32>,
}

/// Why a submitter is excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Reason {
    /// Not all of its registered files were handed over
    Withheld,
    /// A chunk that it registered cannot be used, or its proof does not hold
    Invalid,
    /// It signed two different submissions; both are on the board
    TwoSubmissions,
}

/// Sign the ledger's entry that another round decided some slots of this one anew.
///
/// The other round is opened, was announced as a correction of this one, and its board lies on this board under corrections.
#[derive(clap::Args)]
pub struct CorrectArgs {
    #[command(flatten)]
    desk: DeskArgs,
    /// Which, by the first digits of its round; needed if several are not recorded yet
    #[arg(long, value_name = "HEX")]
    correction: Option<String>,
}

/// Take the next step of opening a round together with other trustees.
///
/// First checks every submission's proofs, then recomputes every result from them and compares it byte for byte, which takes as
/// long as the evaluation; with engine tfhe it needs a processor with AVX2 and FMA. Then commits to its partial decryptions, shows them once the
/// ledger has the commitments of all that open, adds them up, and seals every family's seeds to its letter key. Run it again
/// whenever new files of the others are on the board. A round is opened once.
#[derive(clap::Args)]
pub struct OpenArgs {
    #[command(flatten)]
    desk: DeskArgs,
    /// Folder for this trustee's sealed letters: to the families, not onto the board
    #[arg(long, value_name = "DIR", required_if_eq("open_to", "families"))]
    letters: Option<PathBuf>,
    /// A trustee that is not waited for, such as trustee:3; may be repeated. All trustees that open should say the same. The
    /// fewer are left out, the more is compared
    #[arg(long, value_name = "NAME", value_parser = |name: &str| PartyName::new(name))]
    without: Vec<PartyName>,
    /// To whom: families, or one tier to the state as well, after the round is opened
    #[arg(long, value_enum, default_value_t)]
    open_to: OpenTo,
    /// Whose tier the state may see
    #[arg(long, value_name = "SLOT", required_if_eq("open_to", "state"))]
    slot: Option<u32>,
    /// Why; it stands in the ledger and in the family's letter
    #[arg(long, value_name = "TEXT", required_if_eq("open_to", "state"))]
    reason: Option<String>,
    /// The state's public key (64 hexadecimal digits), as `blindtier family keygen` printed it
    #[arg(long, value_name = "HEX", required_if_eq("open_to", "state"))]
    state_key: Option<String>,
    /// Folder for the seeds that are sealed to the state
    #[arg(long, value_name = "DIR", required_if_eq("open_to", "state"))]
    out: Option<PathBuf>,
}

/// Who may see tiers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum OpenTo {
    /// Every family its own
    #[default]
    Families,
    /// The state one of them; once a slot
    State,
}

/// Take the next step of opening numbers of families of some groups, with noise.
///
/// Answers what the evaluator has counted (evaluator count). First counts again and compares every byte, checks that no group
/// was asked about before and that the privacy budget reaches, and signs the question: from then on its part of the budget is
/// spent. Then shows partial decryptions with this trustee's noise, adds those of all up, and signs the answer. Run it again
/// whenever new files of the others are on the board. Nobody ever sees a number without noise.
#[derive(clap::Args)]
pub struct AnswerArgs {
    #[command(flatten)]
    desk: DeskArgs,
    /// A trustee that is not waited for, such as trustee:3; may be repeated
    #[arg(long, value_name = "NAME", value_parser = |name: &str| PartyName::new(name))]
    without: Vec<PartyName>,
    /// Open exact numbers too, in a round that was announced without noise because its families are simulated
    #[arg(long)]
    simulated: bool,
}

/// State that this trustee does not open, and why.
#[derive(clap::Args)]
pub struct RefuseArgs {
    #[command(flatten)]
    desk: DeskArgs,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Whose file is refused, if it is another party's
    #[arg(long, value_name = "NAME")]
    culprit: Option<String>,
}

pub fn run(command: &TrusteeCommand, output: Output) -> Result<(), CliError> {
    match command {
        TrusteeCommand::Keygen(args) => keygen(args, output),
        TrusteeCommand::Register(args) => register(args, output),
        TrusteeCommand::Exclude(args) => exclude(args, output),
        TrusteeCommand::Open(args) => open(args, output),
        TrusteeCommand::Answer(args) => answer(args, output),
        TrusteeCommand::Refuse(args) => refuse(args, output),
        TrusteeCommand::Witness(args) => witness(args, output),
        TrusteeCommand::Destroy(args) => destroy(args, output),
        TrusteeCommand::Correct(args) => correct(args, output),
    }
}

/// What [`Desk`] borrows from.
struct Loaded<'a> {
    round: LoadedRound,
    identity: SigningIdentity,
    args: &'a DeskArgs,
}

impl DeskArgs {
    fn load(&self) -> Result<Loaded<'_>, CliError> {
        Ok(Loaded { round: self.round.load()?, identity: self.identity.load()?, args: self })
    }
}

impl Loaded<'_> {
    fn desk(&self) -> Desk<'_> {
        Desk {
            board: &self.round.board,
            private: &self.args.private,
            policy: self.round.policy_hash,
            plan: self.round.plan_hash,
            identity: &self.identity,
            trust: &self.round.trust,
        }
    }

    fn object(&self, more: Value) -> Value {
        let mut object = json!({
            "round": self.round.context.round.to_string(),
            "trustee": self.identity.name().as_str(),
        });
        if let (Some(fields), Value::Object(more)) = (object.as_object_mut(), more) {
            fields.extend(more);
        }
        object
    }
}

fn names(parties: &[PartyName]) -> String {
    parties.iter().map(PartyName::as_str).collect::<Vec<_>>().join(", ")
}

fn answer(args: &AnswerArgs, output: Output) -> Result<(), CliError> {
    let loaded = args.desk.load()?;
    let (checking, counting) = (output.progress("checking"), output.progress("recounting"));
    let start = Instant::now();
    let LoadedRound { policy, round, context, board, trust, plan, .. } = &loaded.round;
    let tiers = policy.tiers.len();
    let progress = blindtier_trustee::answer(
        &loaded.desk(),
        tiers,
        &args.without,
        args.simulated,
        plan,
        &|step, done, total| match step {
            Step::Checking => checking.set(done, total),
            _ => counting.set(done, total),
        },
    )?;
    [checking, counting].iter().for_each(super::progress::Progress::finish);
    let (stage, waiting): (&str, &[PartyName]) = match &progress {
        AnswerProgress::Asked => ("asked", &[]),
        AnswerProgress::Shown { missing } => ("shown", missing),
        AnswerProgress::Combined => ("combined", &[]),
        AnswerProgress::Done => ("done", &[]),
    };
    let ledger = Ledger::read(&board.ledger(), round, context, trust)?;
    let answers = statistics::answered(policy, round, &ledger);
    let latest = answers.last().filter(|_| stage == "done");
    let waiting_for: Vec<&str> = waiting.iter().map(PartyName::as_str).collect();
    let object = loaded.object(json!({
        "stage": stage,
        "done": stage == "done",
        "waiting_for": waiting_for,
        "privacy": statistics::budget(round, &ledger),
        "answer": latest.map(statistics::Answered::object),
        "seconds": start.elapsed().as_secs_f64(),
    }));
    output.report(&object, || match &progress {
        AnswerProgress::Asked => {
            "counted again, the same; the question is signed; run this again when the others have signed it".into()
        }
        AnswerProgress::Shown { missing } if missing.is_empty() => {
            "partial decryptions shown; too few trustees have; run this again when more have".into()
        }
        AnswerProgress::Shown { missing } => format!(
            "partial decryptions shown; waiting for those of {}; run this again when they are there",
            names(missing)
        ),
        AnswerProgress::Combined => {
            "added up and signed; run this again when the others have signed the answer".into()
        }
        AnswerProgress::Done => {
            latest.map(statistics::Answered::text).unwrap_or_default()
        }
    })
}

fn keygen(args: &KeygenArgs, output: Output) -> Result<(), CliError> {
    let loaded = args.desk.load()?;
    let start = Instant::now();
    let ceremony = loaded.round.plan.ceremony();
    let progress = blindtier_trustee::make_keys(&loaded.desk(), &args.sealed, ceremony)?;
    let seconds = start.elapsed().as_secs_f64();
    let (done, waiting) = match &progress {
        KeyProgress::Done => (true, String::new()),
        KeyProgress::Waiting { what, from } => (false, format!("{what} of {}", names(from))),
    };
    let object = loaded.object(json!({ "done": done, "waiting_for": waiting, "seconds": seconds }));
    output.report(&object, || {
        if done {
            let shares = loaded.round.round.sharing.shares();
            let file = args.desk.private.join(blindtier_wire::file_names::SHARES);
            format!(
                "the keys are made and checked; this trustee's part of {shares} shares: {}",
                file.display()
            )
        } else {
            format!("waiting for {waiting}; run this again when they are there")
        }
    })
}

/// This machine's time, in seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

fn register(args: &RegisterArgs, output: Output) -> Result<(), CliError> {
    let loaded = args.desk.load()?;
    let agreed = Agreed { leave_out: &args.leave_out, take_in: &args.take_in };
    let progress = blindtier_trustee::register(&loaded.desk(), &args.manifests, &agreed, now())?;
    let deadline = loaded.round.round.deadline.map(utc);
    let (waiting, left_out, signed_two) = match &progress {
        RegisterProgress::Waiting { from, .. } => (from.as_slice(), &[][..], &[][..]),
        RegisterProgress::Signed { left_out, signed_two } => {
            (&[][..], left_out.as_slice(), signed_two.as_slice())
        }
    };
    let list = |parties: &[PartyName]| -> Vec<String> {
        parties.iter().map(PartyName::to_string).collect()
    };
    let object = loaded.object(json!({
        "signed": waiting.is_empty(),
        "waiting_for": list(waiting),
        "left_out": list(left_out),
        "signed_two": list(signed_two),
        "deadline": deadline,
    }));
    output.report(&object, || match &progress {
        RegisterProgress::Waiting { from, overdue: false } => format!(
            "waiting for the submissions of {}{}; run this again when they are there",
            names(from),
            deadline.map(|time| format!(", until {time}")).unwrap_or_default()
        ),
        RegisterProgress::Waiting { from, overdue: true } => format!(
            "the submissions of {} are missing and the deadline has passed; if the trustees agree, run this again with {}",
            names(from),
            from.iter().map(|name| format!("--leave-out {name}")).collect::<Vec<_>>().join(" ")
        ),
        RegisterProgress::Signed { left_out, signed_two } => {
            let submitters = &loaded.round.round.submitters;
            let there: Vec<PartyName> =
                submitters.iter().filter(|name| !left_out.contains(name)).cloned().collect();
            let mut lines = vec![format!("signed: the submissions of {}", names(&there))];
            if !left_out.is_empty() {
                lines.push(format!("left out: {}", names(left_out)));
            }
            lines.extend(signed_two.iter().map(|name| {
                format!(
                    "{name} signed two different submissions: exclude it with `trustee exclude --submitter {name} --reason two-submissions`"
                )
            }));
            lines.join("\n")
        }
    })
}

fn exclude(args: &ExcludeArgs, output: Output) -> Result<(), CliError> {
    let loaded = args.desk.load()?;
    let reason = match args.reason {
        Reason::Withheld => Exclusion::Withheld,
        Reason::Invalid => Exclusion::Invalid { chunk: args.chunk.unwrap_or_default() },
        Reason::TwoSubmissions => Exclusion::TwoSubmissions,
    };
    let submitter = &args.submitter;
    let plan = &loaded.round.plan;
    blindtier_trustee::exclude(&loaded.desk(), submitter, reason, plan, now())?;
    let object = json!({ "submitter": submitter.as_str(), "reason": reason.to_string() });
    output.report(&loaded.object(object), || {
        format!(
            "signed: {submitter} is excluded because {reason}; the evaluator runs again once enough trustees have signed"
        )
    })
}

fn correct(args: &CorrectArgs, output: Output) -> Result<(), CliError> {
    let loaded = args.desk.load()?;
    let board = blindtier_trustee::correction(&loaded.desk(), args.correction.as_deref())?;
    // Whoever signs has planned the correcting round itself.
    let plan = RoundArgs {
        policy: args.desk.round.policy.clone(),
        board: board.folder().to_owned(),
        trust: args.desk.round.trust.clone(),
    };
    let correcting = plan.load()?;
    let event = blindtier_trustee::correct(&loaded.desk(), board)?;
    let object = json!({ "correction": correcting.context.round.to_string() });
    output.report(&loaded.object(object), || format!("signed: {event}"))
}

fn open(args: &OpenArgs, output: Output) -> Result<(), CliError> {
    let loaded = args.desk.load()?;
    match args.open_to {
        OpenTo::Families => open_to_families(args, &loaded, output),
        OpenTo::State => open_to_state(args, &loaded, output),
    }
}

fn open_to_families(args: &OpenArgs, loaded: &Loaded<'_>, output: Output) -> Result<(), CliError> {
    let letters = args.letters.clone().unwrap_or_default();
    let checking = output.progress("checking");
    let (recomputing, opening) = (output.progress("recomputing"), output.progress("opening"));
    let (combining, sealing) = (output.progress("combining"), output.progress("sealing"));
    let start = Instant::now();
    let recomputed = std::sync::OnceLock::new();
    let progress = blindtier_trustee::open(
        &loaded.desk(),
        &letters,
        &args.without,
        &loaded.round.plan,
        &|step, done, total| {
            match step {
                Step::Checking => checking.set(done, total),
                Step::Recomputing => {
                    recomputing.set(done, total);
                    if done == total {
                        // Set once: what follows is the opening.
                        let _ = recomputed.set(start.elapsed().as_secs_f64());
                    }
                }
                Step::Opening => opening.set(done, total),
                Step::Combining => combining.set(done, total),
                Step::Sealing => sealing.set(done, total),
            }
        },
    )?;
    [checking, recomputing, opening, combining, sealing]
        .iter()
        .for_each(super::progress::Progress::finish);
    let recompute_seconds = recomputed.get().copied().unwrap_or_default();
    let seconds = start.elapsed().as_secs_f64() - recompute_seconds;
    let (stage, text) = match &progress {
        OpenProgress::Committed => (
            "committed",
            "committed to partial decryptions; run this again when the other trustees have, or name those that do not come with --without"
                .to_owned(),
        ),
        OpenProgress::Listed => (
            "listed",
            "signed the list of commitments; run this again when a majority has".to_owned(),
        ),
        OpenProgress::Revealed { missing } => (
            "revealed",
            format!(
                "partial decryptions shown; run this again when those of {} are there",
                names(missing)
            ),
        ),
        OpenProgress::Combined => {
            ("combined", "signed what was opened; run this again when a majority has".to_owned())
        }
        OpenProgress::Done { .. } => {
            let slots = loaded.round.round.slots;
            ("done", format!("{slots} letters sealed: {}", letters.display()))
        }
    };
    let object = loaded.object(json!({
        "stage": stage,
        "slots": loaded.round.round.slots,
        "bytes": folder_bytes(&letters),
        "seconds": seconds,
        "recompute_seconds": recompute_seconds,
    }));
    output.report(&object, || text)
}

fn open_to_state(args: &OpenArgs, loaded: &Loaded<'_>, output: Output) -> Result<(), CliError> {
    let text = args.state_key.as_deref().unwrap_or_default();
    let key = Digest::from_hex(text).ok_or_else(|| CliError::NotAKey { text: text.to_owned() })?.0;
    let slot = args.slot.unwrap_or_default();
    let reason = args.reason.clone().unwrap_or_default();
    let request = StateRequest { slot, reason, key };
    let folder = args.out.clone().unwrap_or_default();
    let sealed = blindtier_trustee::open_to_state(&loaded.desk(), &request, &folder)?;
    output.report(&loaded.object(json!({ "slot": slot, "sealed": sealed })), || {
        if sealed {
            format!("the seeds of slot {slot} are sealed to the state: {}", folder.display())
        } else {
            format!(
                "signed: slot {slot} is opened to the state; run this again when a majority has"
            )
        }
    })
}

fn refuse(args: &RefuseArgs, output: Output) -> Result<(), CliError> {
    let loaded = args.desk.load()?;
    let culprit = args.culprit.clone().map(PartyName::new).transpose().map_err(WireError::from)?;
    blindtier_trustee::refuse(&loaded.desk(), culprit, &args.reason)?;
    output.report(&loaded.object(json!({})), || {
        "stated on the board; the other trustees sign it with `trustee witness`".to_owned()
    })
}

fn witness(args: &DeskArgs, output: Output) -> Result<(), CliError> {
    let loaded = args.load()?;
    let entry = blindtier_trustee::witness(&loaded.desk())?;
    let text = entry.map(|entry| entry.event.to_string());
    output.report(&loaded.object(json!({ "signed": text })), || match &text {
        Some(text) => format!("signed: {text}"),
        None => "the ledger has every statement on the board; nothing to sign".to_owned(),
    })
}

fn destroy(args: &DeskArgs, output: Output) -> Result<(), CliError> {
    let loaded = args.load()?;
    blindtier_trustee::destroy(&loaded.desk())?;
    output.report(&loaded.object(json!({})), || {
        "the shares are destroyed; remove their backups too; the other trustees sign it with `trustee witness`"
            .to_owned()
    })
}
