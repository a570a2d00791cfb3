//! The registrar: draws the roster of a round and gives each agency its part.
//!
//! It knows who belongs to which family and nothing else: no engine, no indicator, no tier.
#![forbid(unsafe_code)]

mod error;
mod population;
mod shuffle;

pub use error::{PopulationFault, RegistrarError};
pub use population::{Family, Population};

use blindtier_policy::{Fact, Policy};
use blindtier_wire::{
    Board, Context, Digest, Engine, Entry, Layout, LetterKeys, PartyName, PseudonymKey, Roster,
    Round, Sharing, SigningIdentity, WireError, file_names, write,
};
use std::path::{Path, PathBuf};

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
    /// Positions in the policy of the agencies that have columns, ascending.
    pub agencies: &'a [usize],
    /// The population (private), from [`Population::read`].
    pub population: &'a Population,
    /// The file it was read from, for errors.
    pub population_file: &'a Path,
    /// The public folder that `round.bt` and `letter-keys.bt` are written to.
    pub board: &'a Board,
    /// The folder that the rosters (secret) are written to: `<agency>/roster.bt`.
    pub rosters: &'a Path,
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
}

/// Shuffles the families into slots and writes the round, the letter keys and one roster an agency.
///
/// The round file is written last: without it the other files are of no use to anybody. Refuses to replace
/// a round.
pub fn new_round(new: &NewRound<'_>) -> Result<Announced, RegistrarError> {
    let round_file = new.board.round();
    if round_file.exists() {
        return Err(RegistrarError::RoundExists { file: round_file });
    }
    let mut agencies = Vec::with_capacity(new.agencies.len());
    for &position in new.agencies {
        let Some(agency) = new.policy.agencies.get(position) else {
            return Err(RegistrarError::NoSuchAgency {
                position,
                agencies: new.policy.agencies.len(),
            });
        };
        agencies.push((
            PartyName::agency(&agency.id).map_err(WireError::from)?,
            new.policy.facts_of(position),
        ));
    }
    let population = new.population;
    if !population.has_adults() && agencies.iter().any(|(_, facts)| facts.contains(&Fact::Adults)) {
        return Err(RegistrarError::Population {
            file: new.population_file.to_owned(),
            line: 1,
            fault: PopulationFault::MissingColumn { column: "adult" },
        });
    }

    let slots = u32::try_from(population.families.len())
        .map_err(|_| RegistrarError::TooManyFamilies { families: population.families.len() })?;
    let families = shuffle::permutation(slots)?;
    let by_slot = || families.iter().filter_map(|&f| population.families.get(f as usize));
    let letter_keys = LetterKeys { keys: by_slot().map(|f| f.letter_key).collect() };
    let mut nonce = [0; 32];
    getrandom::fill(&mut nonce).map_err(WireError::Random)?;
    let round = Round {
        nonce,
        policy: Digest(new.policy.hash().0),
        engine: new.engine.clone(),
        layout: new.layout,
        plan: new.plan,
        slots,
        chunk: new.chunk,
        agencies: agencies.iter().map(|(name, _)| name.clone()).collect(),
        sharing: new.sharing,
        key_maker: if new.dealer { PartyName::dealer() } else { PartyName::trustee(1) },
        letter_keys: letter_keys.digest(),
    };
    let context = round
        .context()
        .map_err(|fault| RegistrarError::Round { file: round_file.clone(), fault })?;

    let mut slot_of = vec![0; families.len()];
    for (slot, &family) in (0..).zip(families.iter()) {
        if let Some(place) = slot_of.get_mut(family as usize) {
            *place = slot;
        }
    }
    let mut rosters = Vec::with_capacity(agencies.len());
    for (name, facts) in agencies {
        let key = PseudonymKey::generate()?;
        let mut entries: Vec<Entry> = population
            .persons
            .iter()
            .filter_map(|(person, family)| {
                let slot = *slot_of.get(*family as usize)?;
                Some(Entry { pseudonym: key.pseudonym(person), slot })
            })
            .collect();
        entries.sort_unstable();
        let fact = |fact, count: fn(&Family) -> u16| {
            facts.contains(&fact).then(|| by_slot().map(count).collect())
        };
        let persons = fact(Fact::Persons, |f| f.persons);
        let adults = fact(Fact::Adults, |f| f.adults);
        let roster = Roster { agency: name.clone(), key, entries, slots, persons, adults };
        let folder = name.agency_id().unwrap_or_default();
        let path = new.rosters.join(folder).join(file_names::ROSTER);
        write(&path, &roster, &context, new.identity)?;
        rosters.push((name, path));
    }
    write(&new.board.letter_keys(), &letter_keys, &context, new.identity)?;
    write(&round_file, &round, &context, new.identity)?;
    Ok(Announced { round, context, persons: population.persons.len(), rosters })
}
