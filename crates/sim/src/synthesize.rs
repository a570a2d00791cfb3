//! Registers that probe a policy.

use crate::desk::{Desk, Rows};
use crate::encode::{encode, is_vote};
use crate::sheet::{Sheet, create_folder};
use crate::sums::{Options, Sums, assigned, listed_range};
use crate::{Gaps, SimError};
use blindtier_policy::{Answer, Domain, Facts, Interpreter, Policy};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;
use std::collections::BTreeSet;
use std::path::Path;

const LARGEST_FAMILY: u32 = 6;
/// Only after so many families does an agency begin not to know some, so that the first ones are easy to read.
const KNOWN_TO_ALL: u64 = 10;
/// How often the values behind a wanted sum are chosen anew when no family realises them.
const TRIES: usize = 24;
/// How many sums further from a threshold are tried when no family realises the nearest.
const NEXT_SUMS: usize = 4;
/// How many random families are looked at for one in a tier that is still rare.
const DRAWS: usize = 8;
/// How many random values the search for unseen tiers looks at, and how many steps a climb towards one takes.
const SEARCH: usize = 4096;

/// Writes one CSV file an agency, `<agency>.csv`, with columns `family,person,adult` and those that the agency's
/// indicators read: the folder shape of [`blindtier_policy::read_families`]. The same seed gives the same bytes.
///
/// In this order and as far as `families` allows, the set holds for every threshold of every cut the families with the
/// nearest sums on either side and, where there is one, with a sum one unit above it; every level of every indicator;
/// families that some agency does not know; every tier; and random families, spread over the tiers.
///
/// # Errors
/// The folder cannot be written, an indicator reads a column `family`, `person` or `adult`, or the policy cannot decide.
pub fn synthesize(
    policy: &Policy,
    families: u64,
    seed: u64,
    folder: &Path,
) -> Result<(), SimError> {
    let desks = Desk::all(policy, &["family", "person", "adult"])?;
    create_folder(folder)?;
    let mut sheets = Vec::with_capacity(desks.len());
    for desk in &desks {
        let header: Vec<&str> =
            ["family", "person", "adult"].into_iter().chain(desk.columns.iter().copied()).collect();
        sheets.push(Sheet::create(folder.join(format!("{}.csv", desk.id)), &header)?);
    }

    let mut maker = Maker::new(policy, desks, seed)?;
    let mut plan = Plan::new(&mut maker)?;
    for number in 1..=families {
        let household = plan.next(&mut maker, number)?;
        let id = format!("f{number}");
        for (sheet, rows) in sheets.iter_mut().zip(&household.tables) {
            for ((person, row), adult) in (1..).zip(rows.iter().flatten()).zip(&household.adults) {
                let person = format!("{id}-{person}");
                let adult = if *adult { "yes" } else { "no" };
                let own = row.iter().map(String::as_str);
                sheet.row([id.as_str(), &person, adult].into_iter().chain(own))?;
            }
        }
    }
    sheets.into_iter().try_for_each(Sheet::finish)
}

/// Writes the families of [`synthesize`] straight into what each party of a round holds by itself: `agencies/<agency>/
/// register.csv` and the registrar's `population` (`person,family,adult,letter_key`). One family is in memory at a time.
///
/// There are as many families as letter keys (hexadecimal digits, public). `gaps` are made at the end. `each` gets every
/// family's identifier and values, in order.
///
/// # Errors
/// As [`synthesize`]; or `each` fails.
pub fn populate<E: From<SimError>>(
    policy: &Policy,
    letter_keys: &[String],
    seed: u64,
    mut gaps: Gaps,
    agencies: &Path,
    population: &Path,
    mut each: impl FnMut(&str, &[i64]) -> Result<(), E>,
) -> Result<(), E> {
    let desks = Desk::all(policy, &["person"])?;
    let mut sheets = Vec::with_capacity(desks.len());
    for desk in &desks {
        let folder = agencies.join(desk.id);
        create_folder(&folder)?;
        let header: Vec<&str> =
            ["person"].into_iter().chain(desk.columns.iter().copied()).collect();
        sheets.push(Sheet::create(folder.join("register.csv"), &header)?);
    }
    if let Some(folder) = population.parent() {
        create_folder(folder)?;
    }
    let header = ["person", "family", "adult", "letter_key"];
    let mut roster = Sheet::create(population.to_owned(), &header)?;

    let mut maker = Maker::new(policy, desks, seed)?;
    let mut plan = Plan::new(&mut maker)?;
    for (number, key) in (1..).zip(letter_keys) {
        let mut household = plan.next(&mut maker, number)?;
        let id = format!("f{number}");
        let forgotten = gaps.next(policy, &mut household.values);
        let keys = [key.as_str()].into_iter().chain(std::iter::repeat(""));
        for ((person, adult), key) in (1..).zip(&household.adults).zip(keys) {
            let adult = if *adult { "yes" } else { "no" };
            roster.row([format!("{id}-{person}").as_str(), &id, adult, key])?;
        }
        for ((sheet, rows), gap) in sheets.iter_mut().zip(&household.tables).zip(forgotten) {
            for (person, row) in (1..).zip(rows.iter().filter(|_| !gap).flatten()) {
                let person = format!("{id}-{person}");
                sheet.row([person.as_str()].into_iter().chain(row.iter().map(String::as_str)))?;
            }
        }
        each(&id, &household.values)?;
    }
    sheets.into_iter().try_for_each(Sheet::finish)?;
    Ok(roster.finish()?)
}

/// A family's rows at every desk, and what they come to.
#[derive(Clone)]
struct Household {
    adults: Vec<bool>,
    /// One a desk; `None` where the agency does not know the family.
    tables: Vec<Option<Rows>>,
    /// What the policy reads from them.
    values: Vec<i64>,
}

/// Makes families to order.
struct Maker<'p> {
    policy: &'p Policy,
    desks: Vec<Desk<'p>>,
    twin: Interpreter<'p>,
    /// The values that some family can have, by indicator.
    options: Vec<Options>,
    rng: ChaCha20Rng,
}

impl<'p> Maker<'p> {
    fn new(policy: &'p Policy, desks: Vec<Desk<'p>>, seed: u64) -> Result<Self, SimError> {
        let twin = Interpreter::new(policy)?;
        let rng = ChaCha20Rng::seed_from_u64(seed);
        let mut maker = Self { policy, desks, twin, options: Vec::new(), rng };
        let missing = policy.base_values();
        for (position, indicator) in policy.indicators.iter().enumerate() {
            let (min, max) = indicator.range();
            let largest = i64::from(LARGEST_FAMILY);
            let candidates = match listed_range(indicator) {
                None if is_vote(indicator) => (min.max(0)..=max.min(largest)).collect(),
                Some(values) => values,
                None => {
                    maker.options.push(Options::Range(min, max));
                    continue;
                }
            };
            let mut options: Vec<i64> = candidates
                .into_iter()
                .filter(|&value| {
                    let wanted = assigned(&missing, &[(position, value)]);
                    maker
                        .realise(&wanted, 0, &|found| found.get(position) == Some(&value))
                        .is_some()
                })
                .chain([indicator.missing()])
                .collect();
            options.sort_unstable();
            options.dedup();
            maker.options.push(Options::Listed(options));
        }
        Ok(maker)
    }

    fn random_values(&mut self) -> Vec<i64> {
        let Self { options, rng, .. } = self;
        options.iter().map(|options| options.random(rng)).collect()
    }

    /// The tier; none if it cannot be decided.
    fn tier(&self, values: &[i64]) -> Result<Option<usize>, SimError> {
        Ok(match self.twin.answer(values, false)? {
            Answer::Tier(outcome) => Some(outcome.tier),
            Answer::Undecided(_) | Answer::OptedOut => None,
        })
    }

    /// A family whose values satisfy `must`, as close to the wanted ones as its size and its columns allow. Each agency
    /// does not know it with a chance of `unknown` percent, unless `must` needs the agency.
    fn realise(
        &mut self,
        wanted: &[i64],
        unknown: u32,
        must: &dyn Fn(&[i64]) -> bool,
    ) -> Option<Household> {
        let mut sizes: Vec<(u32, u32)> = (1..=LARGEST_FAMILY)
            .flat_map(|persons| (1..=persons).map(move |adults| (persons, adults)))
            .collect();
        sizes.shuffle(&mut self.rng);
        for (persons, adults) in sizes {
            let facts = Facts { persons, adults };
            let mut household = self.draft(wanted, facts);
            if unknown > 0 {
                let mut thinned = household.clone();
                self.forget(&mut thinned, unknown);
                if self.settle(&mut thinned, facts) && must(&thinned.values) {
                    return Some(thinned);
                }
            }
            if self.settle(&mut household, facts) && must(&household.values) {
                return Some(household);
            }
        }
        None
    }

    /// A family for wanted values, whatever they come to; as a last resort one whose rows say nothing.
    fn any(&mut self, wanted: &[i64], unknown: u32) -> Household {
        self.realise(wanted, unknown, &|_| true).unwrap_or_else(|| Household {
            adults: vec![true],
            tables: self
                .desks
                .iter()
                .map(|desk| Some(vec![vec![String::new(); desk.columns.len()]]))
                .collect(),
            values: self.policy.base_values(),
        })
    }

    /// Rows that should come to the wanted values. Where indicators share a column, one of them has its way.
    fn draft(&mut self, wanted: &[i64], facts: Facts) -> Household {
        let Self { policy, desks, rng, .. } = self;
        let mut order: Vec<_> = policy.indicators.iter().zip(wanted).collect();
        order.shuffle(rng);
        let persons = usize::try_from(facts.persons).unwrap_or(0);
        let mut tables = Vec::with_capacity(desks.len());
        for desk in desks {
            let mut rows: Rows = vec![vec![String::new(); desk.columns.len()]; persons];
            let mut taken: BTreeSet<&str> = BTreeSet::new();
            let own = order.iter().filter(|(indicator, _)| indicator.agency == desk.agency);
            for (indicator, value) in own {
                if indicator.columns.iter().any(|column| taken.contains(column.as_str())) {
                    continue;
                }
                taken.extend(indicator.columns.iter().map(String::as_str));
                let Some(cells) = encode(indicator, **value, facts, rng) else { continue };
                for (row, cells) in rows.iter_mut().zip(cells) {
                    for (column, cell) in indicator.columns.iter().zip(cells) {
                        let place = desk.columns.iter().position(|known| known == column);
                        if let Some(place) = place.and_then(|place| row.get_mut(place)) {
                            *place = cell;
                        }
                    }
                }
            }
            tables.push(Some(rows));
        }
        let adults = (0..facts.persons).map(|person| person < facts.adults).collect();
        Household { adults, tables, values: Vec::new() }
    }

    /// Takes the family out of some registers, but never out of all: it would not exist then.
    fn forget(&mut self, household: &mut Household, unknown: u32) {
        let mut order: Vec<usize> = (0..household.tables.len()).collect();
        order.shuffle(&mut self.rng);
        for table in order.into_iter().skip(1) {
            if self.rng.random_ratio(unknown.min(100), 100)
                && let Some(table) = household.tables.get_mut(table)
            {
                *table = None;
            }
        }
    }

    /// Reads the rows as the agencies will, and says whether they can be read.
    fn settle(&self, household: &mut Household, facts: Facts) -> bool {
        household.values = self.policy.base_values();
        let Household { tables, values, .. } = household;
        self.desks
            .iter()
            .zip(tables)
            .all(|(desk, rows)| desk.read(rows.iter().flatten(), facts, values).is_ok())
    }
}

/// A score and a sum that it shall have, or the next ones in a direction.
#[derive(Clone, Copy)]
struct Edge {
    score: usize,
    sum: i64,
    direction: Direction,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Down,
    Up,
    Only,
}

/// What is still to come, the next one last.
struct Plan {
    sums: Vec<Sums>,
    edges: Vec<Edge>,
    /// Levels that no family has yet, by indicator.
    unseen: Vec<BTreeSet<i64>>,
    /// Whether a family that some agency does not know is still owed.
    stranger: bool,
    tiers: Vec<u64>,
    /// Values that come to a tier that no family has yet.
    witnesses: Option<Vec<Vec<i64>>>,
}

impl Plan {
    fn new(maker: &mut Maker<'_>) -> Result<Self, SimError> {
        let policy = maker.policy;
        let mut sums = Vec::with_capacity(policy.scores.len());
        for score in 0..policy.scores.len() {
            let Maker { twin, options, rng, .. } = maker;
            sums.push(Sums::of(policy, twin, options, score, rng)?);
        }
        let unseen = policy
            .indicators
            .iter()
            .zip(&maker.options)
            .map(|(indicator, options)| match (&indicator.domain, options) {
                (Domain::Levels { .. }, Options::Listed(values)) => {
                    values.iter().copied().collect()
                }
                _ => {
                    let (min, max) = indicator.range();
                    BTreeSet::from([min, max])
                }
            })
            .collect();
        let edges = edges(policy, &sums);
        // A family must remain with one agency, so that a single agency knows them all.
        let stranger = maker.desks.len() > 1;
        let tiers = vec![0; policy.tiers.len()];
        Ok(Self { sums, edges, unseen, stranger, tiers, witnesses: None })
    }

    fn next(&mut self, maker: &mut Maker<'_>, number: u64) -> Result<Household, SimError> {
        let unknown = if number > KNOWN_TO_ALL { 5 } else { 0 };
        let household = self.choose(maker, unknown)?;
        for (unseen, value) in self.unseen.iter_mut().zip(&household.values) {
            unseen.remove(value);
        }
        let tier = maker.tier(&household.values)?;
        if let Some(count) = tier.and_then(|tier| self.tiers.get_mut(tier)) {
            *count = count.saturating_add(1);
        }
        if unknown > 0 {
            self.stranger &= household.tables.iter().all(Option::is_some);
        }
        Ok(household)
    }

    fn choose(&mut self, maker: &mut Maker<'_>, unknown: u32) -> Result<Household, SimError> {
        while let Some(edge) = self.edges.pop() {
            if let Some(household) = self.at_edge(maker, edge, unknown) {
                return Ok(household);
            }
        }
        while let Some((indicator, value)) = self.next_unseen() {
            if let Some(household) = self.with_value(maker, indicator, value, unknown) {
                return Ok(household);
            }
            if let Some(unseen) = self.unseen.get_mut(indicator) {
                unseen.remove(&value);
            }
        }
        if self.stranger && unknown > 0 {
            let wanted = maker.random_values();
            return Ok(maker.any(&wanted, 50));
        }
        if self.witnesses.is_none() {
            self.witnesses = Some(witnesses(maker, &self.tiers)?);
        }
        while let Some(values) = self.witnesses.as_mut().and_then(Vec::pop) {
            if let Some(household) = maker.realise(&values, 0, &|found| found == values) {
                return Ok(household);
            }
        }
        let rarest = (0..self.tiers.len()).min_by_key(|tier| self.tiers.get(*tier));
        let mut wanted = maker.random_values();
        for _ in 1..DRAWS {
            if maker.tier(&wanted)? == rarest {
                break;
            }
            wanted = maker.random_values();
        }
        Ok(maker.any(&wanted, unknown))
    }

    /// A family at a sum or, if none realises it, at the nearest one further from the threshold.
    fn at_edge(&self, maker: &mut Maker<'_>, edge: Edge, unknown: u32) -> Option<Household> {
        let sums = self.sums.get(edge.score)?;
        let twin = maker.twin.clone();
        let mut sum = edge.sum;
        for _ in 0..NEXT_SUMS {
            let reached = |found: &[i64]| {
                twin.decide(found).is_ok_and(|outcome| outcome.scores.get(edge.score) == Some(&sum))
            };
            for _ in 0..TRIES {
                let base = maker.random_values();
                let wanted = assigned(&base, &sums.compose(sum, &mut maker.rng)?);
                if let Some(household) = maker.realise(&wanted, unknown, &reached) {
                    return Some(household);
                }
            }
            sum = match edge.direction {
                Direction::Down => sums.below(sum)?,
                Direction::Up => sums.from(sum.checked_add(1)?)?,
                Direction::Only => return None,
            };
        }
        None
    }

    fn next_unseen(&self) -> Option<(usize, i64)> {
        self.unseen
            .iter()
            .enumerate()
            .find_map(|(indicator, unseen)| Some((indicator, *unseen.first()?)))
    }

    /// A family with one unseen value for certain, and with as many others as it can have.
    fn with_value(
        &self,
        maker: &mut Maker<'_>,
        indicator: usize,
        value: i64,
        unknown: u32,
    ) -> Option<Household> {
        let others: Vec<(usize, i64)> = self
            .unseen
            .iter()
            .enumerate()
            .filter_map(|(other, unseen)| Some((other, *unseen.first()?)))
            .collect();
        let random = maker.random_values();
        let alone = assigned(&maker.policy.base_values(), &[(indicator, value)]);
        let proposals =
            [assigned(&random, &others), assigned(&random, &[(indicator, value)]), alone];
        proposals.iter().find_map(|wanted| {
            maker.realise(wanted, unknown, &|found| found.get(indicator) == Some(&value))
        })
    }
}

/// What is wanted around every threshold, the most wanted last: first everything just below, then just above. Thus
/// few families still lie in many classes.
fn edges(policy: &Policy, sums: &[Sums]) -> Vec<Edge> {
    let longest = policy.cuts.iter().map(|cut| cut.at.len()).max().unwrap_or(0);
    // Thresholds in turn, each time of all cuts.
    let thresholds = || {
        (0..longest).flat_map(|k| {
            policy.cuts.iter().filter_map(move |cut| Some((cut.score, *cut.at.get(k)?)))
        })
    };
    let mut wanted = Vec::new();
    for direction in [Direction::Down, Direction::Up, Direction::Only] {
        for (score, at) in thresholds() {
            let Some(sums) = sums.get(score) else { continue };
            let sum = match direction {
                Direction::Down => sums.below(at),
                Direction::Up => sums.from(at),
                Direction::Only => {
                    let next = at.saturating_add(1);
                    sums.from(next).filter(|sum| *sum == next)
                }
            };
            wanted.extend(sum.map(|sum| Edge { score, sum, direction }));
        }
    }
    // Neighbouring thresholds may want the same sum.
    let mut known = BTreeSet::new();
    wanted.retain(|edge| known.insert((edge.score, edge.sum)));
    wanted.reverse();
    wanted
}

/// Values that come to the tiers that no family has, as far as a search finds them: every combination if they are few,
/// else random ones, and climbs from the nearest tier, one indicator at a time.
fn witnesses(maker: &mut Maker<'_>, tiers: &[u64]) -> Result<Vec<Vec<i64>>, SimError> {
    let mut found: Vec<Option<Vec<i64>>> = vec![None; tiers.len()];
    let wanted: Vec<usize> = (0..tiers.len()).filter(|tier| tiers.get(*tier) == Some(&0)).collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let lists: Option<Vec<&[i64]>> = maker
        .options
        .iter()
        .map(|options| match options {
            Options::Listed(values) => Some(values.as_slice()),
            Options::Range(..) => None,
        })
        .collect();
    let combinations = lists.as_ref().and_then(|lists| {
        lists.iter().try_fold(1usize, |count, list| count.checked_mul(list.len()))
    });
    let all = combinations.filter(|count| *count <= SEARCH * 16);
    for number in 0..all.unwrap_or(SEARCH) {
        let values = match (&lists, all) {
            (Some(lists), Some(_)) => numbered(lists, number),
            _ => maker.options.iter().map(|options| options.random(&mut maker.rng)).collect(),
        };
        if let Some(tier) = maker.tier(&values)?
            && let Some(place @ None) = found.get_mut(tier)
        {
            *place = Some(values);
        }
    }
    if all.is_none() {
        for &target in &wanted {
            climb(maker, target, &mut found)?;
        }
    }
    Ok(wanted.into_iter().filter_map(|tier| found.get_mut(tier)?.take()).collect())
}

/// Walks from the nearest tier found towards a target, changing one value at a time and never moving away.
fn climb(
    maker: &mut Maker<'_>,
    target: usize,
    found: &mut [Option<Vec<i64>>],
) -> Result<(), SimError> {
    let nearest = found
        .iter()
        .enumerate()
        .filter_map(|(tier, values)| Some((tier.abs_diff(target), values.clone()?)))
        .min();
    let Some((mut distance, mut values)) = nearest else { return Ok(()) };
    for _ in 0..SEARCH {
        if distance == 0 {
            break;
        }
        let indicator = maker.rng.random_range(0..maker.options.len().max(1));
        let Some(options) = maker.options.get(indicator) else { break };
        let step = assigned(&values, &[(indicator, options.random(&mut maker.rng))]);
        let Some(reached) = maker.tier(&step)?.map(|tier| tier.abs_diff(target)) else { continue };
        if reached <= distance {
            (distance, values) = (reached, step);
        }
    }
    if distance == 0
        && let Some(place) = found.get_mut(target)
    {
        *place = Some(values);
    }
    Ok(())
}

/// One combination of the lists' values by its number.
fn numbered(lists: &[&[i64]], number: usize) -> Vec<i64> {
    let mut rest = number;
    lists
        .iter()
        .map(|list| {
            let size = list.len().max(1);
            let value = list.get(rest % size).copied().unwrap_or_default();
            rest /= size;
            value
        })
        .collect()
}
