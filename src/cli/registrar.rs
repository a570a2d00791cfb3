//! `blindtier registrar`.

use super::engine::{AnyPlan, EngineChoice, EngineName, LayoutName, ProofsName};
use super::error::CliError;
use super::output::Output;
use super::policy_file;
use super::round::{IdentityArg, LoadedRound, RoundArgs, folder_bytes, layout};
use blindtier_engine::Proofs;
use blindtier_ledger::Ledger;
use blindtier_policy::Policy;
use blindtier_policy::passes::Layout;
use blindtier_registrar::{
    Corrects, Destination, Invitation, Link, NewRound, Population, RegistrarColumns, RegistrarError,
};
use blindtier_wire::{
    Board, Digest, GroupList, LetterKeys, Linkage, OptOuts, PartyName, Sharing, SigningIdentity,
    Statistics, TrustFile, file_names,
};
use clap::ValueEnum;
use serde_json::json;
use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Instant;

/// What the registrar does.
#[derive(clap::Subcommand)]
pub enum RegistrarCommand {
    /// Announce a round: shuffle families into slots, choose engine and layout, write one roster an agency
    NewRound(NewRoundArgs),
    /// Announce a small round that decides some slots of an opened one anew
    Correct(CorrectArgs),
    /// Answer an agency's one request for the pseudonyms of its persons
    Link(LinkArgs),
    /// Encrypt which families said no, for every slot of a round, and sign the submission
    Submit(SubmitArgs),
    /// Put the finished submission on the board, once the trustees have registered it
    HandOver(HandOverArgs),
}

/// How agencies find their persons in their rosters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LinkageName {
    /// An agency asks the registrar blindly, once, and cannot try out identifiers
    #[default]
    Oblivious,
    /// An agency hashes its persons with a key from its roster: one step and much computing less, but it can find out whether
    /// any person whose identifier it can guess is in the round, and in whose family
    KeyedHash,
}

/// Announce a round.
///
/// Writes round.bt and letter-keys.bt to the board (public), ROSTERS/AGENCY/roster.bt (secret, for that
/// agency alone), and to the private folder what only the registrar may have. The population file has the columns person,
/// family and letter_key (64 hexadecimal digits, on at least one line of each family), and adult (yes or no) if the policy
/// needs to know adults. Nobody stands in it twice.
#[derive(clap::Args)]
pub struct NewRoundArgs {
    /// Policy file, or the name of a shipped policy
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    #[command(flatten)]
    announce: AnnounceArgs,
    /// The public folder of the round, which is begun with it
    #[arg(long, value_name = "DIR")]
    board: PathBuf,
    /// How many of how many trustees open together. With at least one more than twice the threshold less one (2-of-3,
    /// 3-of-5) an honest trustee holds every share, and lies are found; 2-of-4 also names the liar
    #[arg(long, value_name = "T-of-N", default_value = "2-of-3")]
    trustees: Sharing,
    /// Engine of the whole round
    #[arg(long, value_enum, default_value_t)]
    engine: EngineChoice,
    /// What agencies send
    #[arg(long, value_enum, default_value_t)]
    layout: LayoutName,
    /// Slots a chunk, with engine tfhe: files are written, checked and resumed chunk by chunk [default: 512; with
    /// engine bfv the plan says it]
    #[arg(long, value_name = "SLOTS", value_parser = clap::value_parser!(u32).range(1..=4096))]
    chunk: Option<u32>,
    /// Whether ciphertexts are proven (tfhe) or checked (bfv) to hold allowed values [default: on with tfhe, off with
    /// bfv]
    #[arg(long, value_enum)]
    proofs: Option<ProofsName>,
    /// Let the round publish how many families of a group have each tier, with noise: the column of the population with the
    /// group, such as region. The groups' names become public, whose family is in which does not. Needs engine bfv
    #[arg(long, value_name = "COLUMN")]
    statistics_by: Option<String>,
    /// The privacy budget of the round: what all questions about groups may spend of epsilon together, from 0.05 to 10
    #[arg(long, value_name = "EPSILON", value_parser = epsilon, default_value = "1")]
    privacy_budget: u32,
    /// Numbers of families below it are not shown, looked at with their noise
    #[arg(long, value_name = "N", default_value_t = 10)]
    minimum_cell: u32,
    /// Whether numbers of families have noise. Off for simulated families only: trustees refuse it unless told so
    #[arg(long, value_enum, default_value_t = Switch::On)]
    statistics_noise: Switch,
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// On
    On,
    /// Off
    Off,
}

/// Reads an amount of the privacy budget; thousandths of epsilon.
pub fn epsilon(text: &str) -> Result<u32, String> {
    let thousandths = blindtier_policy::Decimal::parse(text).ok().and_then(|number| {
        let up = 3u8.checked_sub(u8::try_from(number.scale).ok()?)?;
        u32::try_from(number.units.checked_mul(10i64.pow(up.into()))?).ok()
    });
    thousandths
        .filter(|amount| blindtier_wire::EPSILON.contains(amount))
        .ok_or_else(|| "write a number from 0.05 to 10 with at most three decimals".into())
}

/// Decide some slots of an opened round anew, after the agencies corrected their registers.
///
/// Announces a small round of its own with engine tfhe and proofs of encryption, below the board of the first one:
/// BOARD/corrections/ID, which is printed. It has the families of these slots only. Everybody takes part in it as in any round;
/// at the end the trustees record it in the ledger of the first (trustee correct), and from then on it counts. All agencies
/// submit all they know of these families, so that nobody sees which value was disputed. With unconcerned slots beside the
/// disputed ones nobody sees either which family disputes.
#[derive(clap::Args)]
pub struct CorrectArgs {
    #[command(flatten)]
    round: RoundArgs,
    #[command(flatten)]
    announce: AnnounceArgs,
    /// The slots, with commas between them, as the families' letters have them
    #[arg(long, value_name = "SLOTS", value_delimiter = ',', required = true)]
    slots: Vec<u32>,
    /// A correction has proofs; without them it is refused
    #[arg(long, value_enum, default_value_t = ProofsName::On)]
    proofs: ProofsName,
}

/// What every announcement needs to know.
#[derive(clap::Args)]
struct AnnounceArgs {
    /// Who belongs to which family (CSV)
    #[arg(long, value_name = "CSV")]
    population: PathBuf,
    #[command(flatten)]
    identity: IdentityArg,
    /// Folder for the rosters, one folder an agency
    #[arg(long, value_name = "DIR")]
    rosters: PathBuf,
    /// The registrar's own folder of this round: the agencies' linkage keys, which requests it has answered, and who said no
    #[arg(long, value_name = "DIR")]
    private: PathBuf,
    /// When submissions are too late, in seconds since 1970 (as `date +%s` prints) [default: never]
    #[arg(long, value_name = "SECONDS")]
    deadline: Option<u64>,
    /// How agencies find their persons in their rosters
    #[arg(long, value_enum, default_value_t)]
    linkage: LinkageName,
    /// How many persons every agency's request has, its register's and fillers, with oblivious linkage. All requests have this
    /// size, so that nobody sees how many persons a register has; it is also the most persons that an agency can ask about or
    /// try out. A person or filler takes about 0.2 ms of a core at the agency and 0.1 ms at the registrar, and 32 bytes each
    /// way. An agency with a larger register needs a larger number [default: the persons of the population, rounded up to a
    /// power of two]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    linkage_persons: Option<u32>,
    /// Families that said no: a text file with one family identifier a line, as in the population's column family. Only for
    /// policies with an opt-out rule; nobody said no without it
    #[arg(long, value_name = "FILE")]
    opt_out: Option<PathBuf>,
}

/// Answer an agency's one request for the pseudonyms of its persons.
///
/// The registrar does not learn whom the request is about. It answers one request an agency and round, and notes in its private
/// folder which; the same request is answered again. The answer goes to that agency alone.
#[derive(clap::Args)]
pub struct LinkArgs {
    #[command(flatten)]
    round: RoundArgs,
    #[command(flatten)]
    identity: IdentityArg,
    /// The agency's request
    #[arg(long, value_name = "FILE")]
    request: PathBuf,
    /// The registrar's own folder of this round
    #[arg(long, value_name = "DIR")]
    private: PathBuf,
    /// File for the answer
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Encrypt which families said no, for every slot of a round, and sign the submission.
///
/// Only in rounds of a policy with an opt-out rule, and there always, even if nobody said no. Whoever said no gets "opted out"
/// in the place of a tier, and nobody but the family sees which of the two it was.
#[derive(clap::Args)]
pub struct SubmitArgs {
    #[command(flatten)]
    round: RoundArgs,
    #[command(flatten)]
    identity: IdentityArg,
    /// The registrar's own folder of this round
    #[arg(long, value_name = "DIR")]
    private: PathBuf,
    /// Folder for the submission. Its manifest submission.bt goes to the trustees; the rest to nobody before they have
    /// registered it (registrar hand-over)
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Folder for what was submitted of every family, sealed to its letter key
    #[arg(long, value_name = "DIR")]
    levels: PathBuf,
}

/// Put the finished submission on the board, once the ledger has its hash.
///
/// Whoever got ciphertexts earlier could hand them in as its own.
#[derive(clap::Args)]
pub struct HandOverArgs {
    #[command(flatten)]
    round: RoundArgs,
    #[command(flatten)]
    identity: IdentityArg,
    /// The folder of the submission
    #[arg(long, value_name = "DIR")]
    submission: PathBuf,
}

pub fn run(command: &RegistrarCommand, output: Output) -> Result<(), CliError> {
    match command {
        RegistrarCommand::NewRound(args) => new_round(args, output),
        RegistrarCommand::Correct(args) => correct(args, output),
        RegistrarCommand::Link(args) => link(args, output),
        RegistrarCommand::Submit(args) => submit(args, output),
        RegistrarCommand::HandOver(args) => hand_over(args, output),
    }
}

fn new_round(args: &NewRoundArgs, output: Output) -> Result<(), CliError> {
    let policy = policy_file::load(&args.policy)?;
    let by = args.statistics_by.as_deref();
    let population =
        Population::read_grouped(&args.announce.population, by, &args.announce.private)?;
    let families = u64::from(population.families());
    let statistics = population.grouping().map(|grouping| Statistics {
        groups: grouping.names.clone(),
        budget: args.privacy_budget,
        minimum_cell: args.minimum_cell,
        noise: args.statistics_noise == Switch::On,
    });
    let groups = statistics.as_ref().map_or(0, |statistics| statistics.groups.len());
    let groups = u32::try_from(groups).unwrap_or(u32::MAX);
    let (layout, trustees) = (args.layout.into(), args.trustees);
    let (plan, why) =
        AnyPlan::choose(&policy, args.engine, layout, trustees, args.proofs, families, groups)?;
    let board = Board::new(&args.board);
    let (sharing, chunk) = (trustees, args.chunk);
    let round = Planned { policy, plan, why, sharing, chunk, corrects: None, statistics };
    args.announce.announce(&round, &board, &population, output)
}

fn correct(args: &CorrectArgs, output: Output) -> Result<(), CliError> {
    if args.proofs == ProofsName::Off {
        return Err(CliError::CorrectionWithoutProofs);
    }
    let LoadedRound { policy, round, context, board, trust, .. } = args.round.load()?;
    Ledger::read(&board.ledger(), &round, &context, &trust)?.opened()?;
    let letter_keys = LetterKeys::read(&board.letter_keys(), &round, &context, &trust)?;
    let population = Population::read(&args.announce.population, &args.announce.private)?;
    let (layout, sharing) = (layout(round.layout), round.sharing);
    let plan = AnyPlan::new(&policy, EngineName::Tfhe, layout, sharing, Proofs::On)?;
    let why = "tfhe: corrections need proofs of encryption".to_owned();
    let slots = &args.slots;
    let corrects = Some(Corrects { round: context.round, letter_keys: &letter_keys, slots });
    let planned = Planned { policy, plan, why, sharing, chunk: None, corrects, statistics: None };
    args.announce.announce(&planned, &board, &population, output)
}

/// What is settled about a round before its population is looked at.
struct Planned<'a> {
    policy: Policy,
    plan: AnyPlan,
    /// Why this engine.
    why: String,
    sharing: Sharing,
    /// Slots a chunk, if the caller said so.
    chunk: Option<u32>,
    corrects: Option<Corrects<'a>>,
    statistics: Option<Statistics>,
}

impl AnnounceArgs {
    fn announce(
        &self,
        planned: &Planned<'_>,
        board: &Board,
        population: &Population,
        output: Output,
    ) -> Result<(), CliError> {
        let Planned { policy, plan, why, sharing, .. } = planned;
        let opt_outs = self.opt_out.as_deref().map(|file| population.opt_outs(file)).transpose()?;
        let summary = plan.summary();
        let chunk = plan.chunk(planned.chunk)?;
        let persons = || blindtier_registrar::request_size(population);
        let linkage = match (self.linkage, self.linkage_persons) {
            (LinkageName::KeyedHash, None) => Linkage::KeyedHash,
            (LinkageName::KeyedHash, Some(_)) => return Err(RegistrarError::NoRequests.into()),
            (LinkageName::Oblivious, size) => {
                Linkage::Oblivious { persons: size.unwrap_or_else(persons) }
            }
        };
        let announced = blindtier_registrar::new_round(&NewRound {
            policy,
            engine: plan.engine(),
            layout: match summary.layout {
                Layout::Folded => blindtier_wire::Layout::Folded,
                Layout::PerIndicator => blindtier_wire::Layout::PerIndicator,
            },
            plan: plan.hash(),
            chunk,
            submitters: &summary.submitters,
            linkage,
            proofs: summary.proofs == Proofs::On,
            deadline: self.deadline,
            corrects: planned.corrects.as_ref(),
            statistics: planned.statistics.clone(),
            population,
            population_file: &self.population,
            opt_outs: opt_outs.as_ref().zip(self.opt_out.as_deref()),
            board,
            rosters: &self.rosters,
            private: &self.private,
            sharing: *sharing,
            dealer: plan.needs_dealer(),
            identity: &self.identity.load()?,
        })?;
        let submitters = &announced.round.submitters;
        let agencies: Vec<&str> = submitters.iter().filter_map(|name| name.agency_id()).collect();
        let names: Vec<&str> = submitters.iter().map(PartyName::as_str).collect();
        // How many said no is nobody's business: it is not printed.
        let object = json!({
            "round": announced.context.round.to_string(),
            "policy_hash": policy.hash().to_string(),
            "engine": summary.engine.name,
            "why": why,
            "trustees": sharing.to_string(),
            "dealer": plan.needs_dealer(),
            "chunk": chunk,
            "layout": summary.layout.to_string(),
            "proofs": announced.round.proofs,
            "slots": announced.round.slots,
            "board": announced.board.folder().display().to_string(),
            "persons": announced.persons,
            "agencies": agencies,
            "submitters": names,
            "linkage": value_name(self.linkage),
            "linkage_persons": linkage.persons(),
            "statistics": announced.round.statistics,
        });
        output.report(&object, || {
            format!(
                "round {}: {} families, {} persons, engine {}, layout {}, chunks of {chunk} slots\nengine {why}\nkey: {} trustees{}\nlinkage: {}\nwho must submit: {}\nhand {} to everybody, and each roster to its agency alone:\n{}",
                announced.context.round,
                announced.round.slots,
                announced.persons,
                summary.engine.name,
                summary.layout,
                sharing,
                if plan.needs_dealer() { ", dealt once by a dealer" } else { ", made by them without a dealer" },
                announced.round.linkage,
                names.join(", "),
                announced.board.folder().display(),
                announced
                    .rosters
                    .iter()
                    .map(|(agency, file)| format!("  {agency}: {}", file.display()))
                    .collect::<Vec<_>>()
                    .join("\n"),
            )
        })
    }
}

fn link(args: &LinkArgs, output: Output) -> Result<(), CliError> {
    let policy = policy_file::load(&args.round.policy)?;
    let job = Link {
        board: &Board::new(&args.round.board),
        policy: Digest(policy.hash().0),
        request: &args.request,
        private: &args.private,
        output: &args.out,
        identity: &args.identity.load()?,
        trust: &TrustFile::read(&args.round.trust)?,
    };
    let progress = output.progress_on_persons("answering");
    let answered = blindtier_registrar::link(&job, &|done, total| progress.set(done, total))?;
    progress.finish();
    let object = json!({
        "agency": answered.agency.agency_id(),
        "request": answered.request.to_string(),
        "answer": answered.answer.to_string(),
        "persons": answered.elements,
        "first": answered.first,
    });
    output.report(&object, || {
        format!(
            "request {} of {} answered{}: hand {} to this agency alone; no other request of it is answered in this round",
            answered.request,
            answered.agency,
            if answered.first { "" } else { " again" },
            args.out.display()
        )
    })
}

fn submit(args: &SubmitArgs, output: Output) -> Result<(), CliError> {
    let start = Instant::now();
    let loaded = args.round.load()?;
    let identity = args.identity.load()?;
    let invitation = invitation(&loaded, &identity)?;
    let (context, trust) = (&invitation.context, &loaded.trust);
    let file = args.private.join(file_names::OPT_OUTS);
    let opt_outs = OptOuts::read(&file, &invitation.round, context, trust)?;
    let groups = match &invitation.round.statistics {
        Some(_) => {
            let file = args.private.join(file_names::GROUPS);
            Some(GroupList::read(&file, &invitation.round, context, trust)?)
        }
        None => None,
    };
    let submitter = loaded.policy.agencies.len();
    let inputs = loaded.plan.plan().inputs();
    let columns = inputs.columns_of(submitter);
    let indicators = loaded.policy.indicators.len();
    let listed = |slot, position: usize| match (position.checked_sub(indicators), &groups) {
        (Some(0), _) => opt_outs.value(slot),
        (Some(group), Some(groups)) => groups.value(slot, group - 1),
        _ => 0,
    };
    let mut source = RegistrarColumns {
        columns: columns.len(),
        fold: |slot| {
            let value = |column: &usize| inputs.column_value(*column, &mut |i| listed(slot, i));
            columns.iter().map(value).collect()
        },
    };
    let progress = output.progress("encrypting");
    let public_key = &loaded.board.public_key();
    let submitted = invitation
        .submit(
            &Destination { submitter, public_key, output: &args.out },
            &mut source,
            |key| loaded.plan.encrypt(key),
            &identity,
            trust,
            |done, total| progress.set(done, total),
        )
        .map_err(RegistrarError::from)?;
    progress.finish();
    let levels = invitation
        .seal_levels(
            &loaded.board.letter_keys(),
            1,
            |slot| Ok::<_, Infallible>(vec![opt_outs.value(slot)]),
            &args.levels,
            &identity,
            trust,
        )
        .map_err(RegistrarError::from)?;
    let bytes = folder_bytes(&args.out);
    let object = json!({
        "round": context.round.to_string(),
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
    let invitation = invitation(&loaded, &identity)?;
    let to = loaded.board.submissions().join(identity.name().submitter_folder());
    invitation
        .hand_over(&args.submission, &to, &identity, &loaded.trust)
        .map_err(RegistrarError::from)?;
    let bytes = folder_bytes(&to);
    let object = json!({ "round": loaded.context.round.to_string(), "bytes": bytes });
    output.report(&object, || format!("{bytes} bytes handed over: {}", to.display()))
}

fn invitation(loaded: &LoadedRound, identity: &SigningIdentity) -> Result<Invitation, CliError> {
    let party = identity.name();
    if *party != PartyName::registrar() {
        return Err(RegistrarError::NotRegistrar { party: party.clone() }.into());
    }
    let (policy, plan) = (loaded.policy_hash, loaded.plan_hash);
    let read = Invitation::read(&loaded.board, policy, plan, identity, &loaded.trust);
    Ok(read.map_err(RegistrarError::from)?)
}

fn value_name(linkage: LinkageName) -> String {
    linkage.to_possible_value().map(|v| v.get_name().to_owned()).unwrap_or_default()
}
