//! `blindtier trustee`.

use super::error::CliError;
use super::output::Output;
use super::round::{IdentityArg, LoadedRound, RoundArgs, folder_bytes};
use blindtier_trustee::{Desk, KeyProgress, OpenProgress, StateRequest, Step};
use blindtier_wire::{Digest, PartyName, SigningIdentity, WireError};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Instant;

/// What a trustee does.
///
/// Every command takes the next steps that the files on the board allow, says what it waits for, and may be repeated.
#[derive(clap::Subcommand)]
pub enum TrusteeCommand {
    /// Take the next step of making a round's key; again, until it is done
    Keygen(KeygenArgs),
    /// Sign the ledger's entry with the hash of every agency's submission
    Register(RegisterArgs),
    /// Take the next step of opening a round together with other trustees; again, until the letters are sealed
    Open(OpenArgs),
    /// State that this trustee does not open, and why
    Refuse(RefuseArgs),
    /// Sign the ledger's entry about what another trustee stated (a refusal, destroyed shares)
    Witness(DeskArgs),
    /// Destroy this trustee's shares of a round and state it
    Destroy(DeskArgs),
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

/// Sign the ledger's entry with the hash of every agency's submission.
///
/// No agency gives a ciphertext to anybody before a majority of the trustees has signed it.
#[derive(clap::Args)]
pub struct RegisterArgs {
    #[command(flatten)]
    desk: DeskArgs,
    /// Folder with one folder an agency, named by the agency's identifier, and in it submission.bt
    #[arg(long, value_name = "DIR")]
    manifests: PathBuf,
}

/// Take the next step of opening a round together with other trustees.
///
/// First recomputes every result from the submissions and compares it byte for byte, which takes as long as the evaluation;
/// with engine tfhe it needs a processor with AVX2 and FMA. Then commits to its partial decryptions, shows them once the
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
        TrusteeCommand::Open(args) => open(args, output),
        TrusteeCommand::Refuse(args) => refuse(args, output),
        TrusteeCommand::Witness(args) => witness(args, output),
        TrusteeCommand::Destroy(args) => destroy(args, output),
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

fn register(args: &RegisterArgs, output: Output) -> Result<(), CliError> {
    let loaded = args.desk.load()?;
    blindtier_trustee::register(&loaded.desk(), &args.manifests)?;
    output.report(&loaded.object(json!({})), || {
        format!("signed: the submissions of {}", names(&loaded.round.round.agencies))
    })
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
    [recomputing, opening, combining, sealing].iter().for_each(super::progress::Progress::finish);
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
