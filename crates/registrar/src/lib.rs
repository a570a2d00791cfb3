//! The registrar: draws the roster of a round, gives each agency its part, answers its one request, and submits who said no.
//!
//! It knows who belongs to which family and who said no, and nothing else: no indicator, no tier. Of an engine it has what
//! every submitter has, encryption with the public key.
#![forbid(unsafe_code)]

mod columns;
mod corrections;
mod error;
mod link;
mod opt_outs;
mod population;
mod reading;
mod rosters;
mod rows;
mod shuffle;
mod sorter;
mod spool;
#[cfg(test)]
mod tests;

pub use blindtier_submission::{ColumnSource, Destination, Invitation, SubmissionError, Submitted};
pub use columns::RegistrarColumns;
pub use corrections::Corrects;
pub use error::{OptOutFault, PopulationFault, RegistrarError};
pub use link::{Answered, Link, link};
pub use opt_outs::OptOutList;
pub use population::{Grouping, Population};

use blindtier_policy::{Fact, OptOut, Policy};
use blindtier_wire::{
    Board, Context, Digest, Engine, GroupList, Layout, Linkage, MAX_LINKAGE_PERSONS, Message,
    NO_GROUP, OptOuts, PartyName, Round, RoundId, Sharing, SigningIdentity, Statistics, WireError,
    file_names, storage, write,
};
use rosters::{SlotKeys, Slots, write_roster};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// What the registrar decides about a round.
pub struct NewRound<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// The engine, chosen here for the whole round.
    pub engine: Engine,
    /// What agencies send.
    pub layout: Layout,
    /// Hash of the plan.
    pub plan: Digest,
    /// Slots a chunk; at least 1.
    pub chunk: u32,
    /// How the key is shared among the trustees.
    pub sharing: Sharing,
    /// Whether the engine needs a dealer to make the key.
    pub dealer: bool,
    /// Positions of those that have columns, ascending: agencies by their place in the policy, and the number of agencies
    /// for the registrar, if families may opt out.
    pub submitters: &'a [usize],
    /// How agencies find their persons in their rosters; see [`request_size`] for how many persons a request has.
    pub linkage: Linkage,
    /// Whether ciphertexts are proven or checked to hold allowed values, as the plan says.
    pub proofs: bool,
    /// When submissions are too late, in seconds since 1970.
    pub deadline: Option<u64>,
    /// The round of which this one corrects some slots, if it does; it then has the families of these slots only.
    pub corrects: Option<&'a Corrects<'a>>,
    /// What may be published about the groups of the population, if anything; it then has a grouping.
    pub statistics: Option<Statistics>,
    /// The population (private), from [`Population::read`].
    pub population: &'a Population,
    /// The file it was read from, for errors.
    pub population_file: &'a Path,
    /// Who said no (private), from [`Population::opt_outs`], and the file it was read from; nobody without it.
    pub opt_outs: Option<(&'a OptOutList, &'a Path)>,
    /// The public folder that `round.bt` and `letter-keys.bt` are written to; for a correction the board of the round that
    /// it corrects, below which it gets a folder of its own.
    pub board: &'a Board,
    /// The folder that the rosters (secret) are written to: `<agency>/roster.bt`.
    pub rosters: &'a Path,
    /// The registrar's own folder (private): `<agency>/linkage-key.bt` with oblivious linkage, `opt-outs.bt` if the
    /// registrar submits, and `groups.bt` if groups are counted.
    pub private: &'a Path,
    /// The registrar's signing key.
    pub identity: &'a SigningIdentity,
}

/// A round that was announced.
#[derive(Debug)]
pub struct Announced {
    /// The public round file's content.
    pub round: Round,
    /// What all files of the round carry.
    pub context: Context,
    /// Persons in the roster.
    pub persons: usize,
    /// Each agency and the file (secret) to hand to it alone.
    pub rosters: Vec<(PartyName, PathBuf)>,
    /// The public folder of the round.
    pub board: Board,
}

/// How many persons every agency's request has unless the registrar says otherwise: the persons of the population, rounded
/// up to a power of two so that their number stays hidden as well.
pub fn request_size(population: &Population) -> u32 {
    let rounded = u32::try_from(population.persons()).ok().and_then(u32::checked_next_power_of_two);
    rounded.unwrap_or(MAX_LINKAGE_PERSONS).min(MAX_LINKAGE_PERSONS)
}

/// Shuffles the families into slots and writes the round, the letter keys, one roster an agency, and what the registrar
/// keeps: the agencies' linkage keys and who said no.
///
/// The round file is written last: without it the other files are of no use to anybody. Refuses to replace
/// a round, or what another round needs. What does not fit into memory is spooled as by [`Population::read`].
pub fn new_round(new: &NewRound<'_>) -> Result<Announced, RegistrarError> {
    if new.corrects.is_none() && storage::exists(&new.board.round())? {
        return Err(RegistrarError::RoundExists { file: new.board.round() });
    }
    let population = new.population;
    let Submitters { agencies, registrar } = submitters(new)?;
    check_facts(new, &agencies)?;
    if let Linkage::Oblivious { persons } = new.linkage
        && persons > MAX_LINKAGE_PERSONS
    {
        return Err(RegistrarError::TooManyPersons { persons: persons.into() });
    }
    let may = new.policy.opt_out == OptOut::Neutral;
    if let (false, Some((_, file))) = (may, new.opt_outs) {
        return Err(RegistrarError::NoOptOut { file: file.to_owned() });
    }
    let announcing = Announcing::new(new);
    if !announcing.interrupted()? {
        check_private(new, &agencies)?;
    }

    let families = match new.corrects {
        Some(corrects) => Zeroizing::new(corrects.families(population, new.population_file)?),
        None => shuffle::permutation(population.families())?,
    };
    let declared = |fact| agencies.iter().any(|(_, facts)| facts.contains(&fact));
    let slots = Slots::new(&families, population, declared);
    let letter_keys = SlotKeys::new(population, &slots, new.private)?;
    let mut nonce = [0; 32];
    getrandom::fill(&mut nonce).map_err(WireError::Random)?;
    let mut submitters: Vec<PartyName> = agencies.iter().map(|(name, _)| name.clone()).collect();
    submitters.extend(registrar.then(PartyName::registrar));
    let round = Round {
        nonce,
        policy: Digest(new.policy.hash().0),
        engine: new.engine.clone(),
        layout: new.layout,
        plan: new.plan,
        slots: slots.count,
        chunk: new.chunk,
        submitters,
        sharing: new.sharing,
        key_maker: if new.dealer { PartyName::dealer() } else { PartyName::trustee(1) },
        letter_keys: letter_keys.digest()?,
        linkage: new.linkage,
        proofs: new.proofs,
        deadline: new.deadline,
        corrects: new.corrects.map(Corrects::named),
        statistics: new.statistics.clone(),
    };
    let context = round
        .context()
        .map_err(|fault| RegistrarError::Round { file: new.board.round(), fault })?;
    let board = match new.corrects {
        Some(_) => new.board.correction(&context.round),
        None => new.board.clone(),
    };

    round.check().map_err(|fault| WireError::Unwritable {
        file: board.round(),
        kind: Round::KIND,
        fault: Box::new(fault),
    })?;

    announcing.begin(&context.round, &agencies)?;
    if registrar {
        let said_no = |family: &u32| new.opt_outs.is_some_and(|(list, _)| list.said_no(*family));
        let list = OptOuts { slots: families.iter().map(|f| u8::from(said_no(f))).collect() };
        write(&new.private.join(file_names::OPT_OUTS), &list, &context, new.identity)?;
    }
    if let (Some(_), Some(grouping)) = (&new.statistics, population.grouping()) {
        let group = |family: &u32| grouping.families.get(*family as usize).copied();
        let slots = families.iter().map(|family| group(family).unwrap_or(NO_GROUP)).collect();
        let list = GroupList { slots };
        write(&new.private.join(file_names::GROUPS), &list, &context, new.identity)?;
    }
    drop(families);
    let mut rosters = Vec::with_capacity(agencies.len());
    for (name, facts) in agencies {
        let path = new.rosters.join(name.submitter_folder()).join(file_names::ROSTER);
        write_roster(new, &slots, (&name, &facts), &path, &context)?;
        rosters.push((name, path));
    }
    letter_keys.write(&board.letter_keys(), slots.count, &context, new.identity)?;
    write(&board.round(), &round, &context, new.identity)?;
    announcing.end()?;
    let persons = usize::try_from(slots.persons).unwrap_or(usize::MAX);
    Ok(Announced { round, context, persons, rosters, board })
}

/// Who submits.
struct Submitters {
    /// The agencies that have columns, each with the facts that it gets.
    agencies: Vec<(PartyName, Vec<Fact>)>,
    /// Whether the registrar does.
    registrar: bool,
}

fn submitters(new: &NewRound<'_>) -> Result<Submitters, RegistrarError> {
    let count = new.policy.agencies.len();
    let mut agencies = Vec::with_capacity(new.submitters.len());
    for &position in new.submitters.iter().filter(|position| **position != count) {
        let Some(agency) = new.policy.agencies.get(position) else {
            return Err(RegistrarError::NoSuchAgency { position, agencies: count });
        };
        let name = PartyName::agency(&agency.id).map_err(WireError::from)?;
        agencies.push((name, new.policy.facts_of(position)));
    }
    Ok(Submitters { agencies, registrar: new.submitters.contains(&count) })
}

/// Refuses a population that does not say what an agency has to know.
fn check_facts(
    new: &NewRound<'_>,
    agencies: &[(PartyName, Vec<Fact>)],
) -> Result<(), RegistrarError> {
    let needed = agencies.iter().any(|(_, facts)| facts.contains(&Fact::Adults));
    if new.population.has_adults() || !needed {
        return Ok(());
    }
    Err(RegistrarError::Population {
        file: new.population_file.to_owned(),
        line: 1,
        fault: PopulationFault::MissingColumn { column: "adult" },
    })
}

/// Says in the private folder that a round is being announced. Until the round file is there, nobody has seen what belongs to
/// it, and an announcement that was interrupted is made anew.
struct Announcing<'a> {
    new: &'a NewRound<'a>,
    file: PathBuf,
}

impl<'a> Announcing<'a> {
    fn new(new: &'a NewRound<'a>) -> Self {
        Self { new, file: new.private.join("announcing.txt") }
    }

    /// The place of a round's file.
    fn round_file(&self, round: &RoundId) -> PathBuf {
        match self.new.corrects {
            Some(_) => self.new.board.correction(round).round(),
            None => self.new.board.round(),
        }
    }

    /// Whether an announcement on this board was interrupted before anybody saw it.
    fn interrupted(&self) -> Result<bool, WireError> {
        let Some(bytes) = storage::read_own(&self.file, 1 << 16)? else { return Ok(false) };
        let text = String::from_utf8_lossy(&bytes);
        let named = text.split_once('\n').and_then(|(round, board)| {
            let round = RoundId(Digest::from_hex(round)?.0);
            (board == self.new.board.folder().display().to_string()).then_some(round)
        });
        match named {
            Some(round) => Ok(!storage::exists(&self.round_file(&round))?),
            None => Ok(false),
        }
    }

    /// Before the first file is written. What an interrupted announcement left is removed.
    fn begin(&self, round: &RoundId, agencies: &[(PartyName, Vec<Fact>)]) -> Result<(), WireError> {
        if self.interrupted()? {
            for file in private_files(self.new, agencies) {
                storage::destroy(&file)?;
            }
        }
        let text = format!("{round}\n{}", self.new.board.folder().display());
        storage::write_secret(&self.file, text.as_bytes())
    }

    /// After the round file is written.
    fn end(&self) -> Result<(), WireError> {
        storage::destroy(&self.file)
    }
}

/// The files of a round that nothing replaces.
fn private_files(new: &NewRound<'_>, agencies: &[(PartyName, Vec<Fact>)]) -> Vec<PathBuf> {
    let of_agency = |(name, _): &(PartyName, Vec<Fact>)| {
        let folder = link::folder(new.private, name);
        [folder.join(file_names::LINKAGE_KEY), folder.join(file_names::LINKAGE_ANSWERED)]
    };
    let mut files = agencies.iter().flat_map(of_agency).collect::<Vec<_>>();
    files.push(new.private.join(file_names::OPT_OUTS));
    files.push(new.private.join(file_names::GROUPS));
    files
}

/// Refuses a private folder with files of another round.
fn check_private(
    new: &NewRound<'_>,
    agencies: &[(PartyName, Vec<Fact>)],
) -> Result<(), RegistrarError> {
    match private_files(new, agencies).into_iter().find(|file| file.exists()) {
        Some(file) => Err(RegistrarError::PrivateExists { file }),
        None => Ok(()),
    }
}
