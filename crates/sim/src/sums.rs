//! Which sums a score can reach, and how.
//!
//! Indicators that meet in one term of the score, or in what a term is derived from, form a part. Parts share nothing, so
//! a score is its value for the missing levels plus one independent difference a part. The differences come from the
//! clear twin, which therefore need not be understood here; adding them up is dynamic programming.

use blindtier_policy::{DecideError, Indicator, Interpreter, Policy, Score, Term, Variable};
use rand::RngExt;
use rand::seq::index;
use rand_chacha::ChaCha20Rng;
use std::collections::BTreeSet;

/// The most combinations of a part that are all tried; beyond, as many random ones.
const MAX_COMBINATIONS: usize = 1 << 12;
/// The most sums remembered after each part; beyond, a random selection of as many.
const MAX_SUMS: usize = 1 << 16;
/// How many consecutive integers stand for a wide range where it is not the last part. Consecutive ones reach every
/// remainder that the weights of the other parts leave.
const STRETCH: i64 = 128;

/// The values that an indicator can be given.
#[derive(Clone, Debug)]
pub(crate) enum Options {
    /// These, ascending; never empty.
    Listed(Vec<i64>),
    /// An integer, both bounds included.
    Range(i64, i64),
}

impl Options {
    pub fn random(&self, rng: &mut ChaCha20Rng) -> i64 {
        match self {
            Options::Listed(values) => {
                values.get(rng.random_range(0..values.len().max(1))).copied().unwrap_or_default()
            }
            &Options::Range(min, max) => match rng.random_range(0..16u8) {
                0 => min,
                1 => max,
                _ => rng.random_range(min..=max),
            },
        }
    }

    /// The values, or some of them where they are many.
    fn few(&self, rng: &mut ChaCha20Rng) -> Vec<i64> {
        match self {
            Options::Listed(values) => values.clone(),
            &Options::Range(min, max) => {
                let last_start = max.saturating_sub(STRETCH).max(min);
                let start = rng.random_range(min..=last_start);
                let stretch = start..=max.min(start.saturating_add(STRETCH));
                let mut values: Vec<i64> = [min, max].into_iter().chain(stretch).collect();
                values.sort_unstable();
                values.dedup();
                values
            }
        }
    }
}

/// Values for some indicators, by position.
pub(crate) type Assignment = Vec<(usize, i64)>;

/// The sums of one score.
pub(crate) struct Sums {
    parts: Vec<Part>,
    /// Sums after none, one, two … of the listed parts, each ascending.
    layers: Vec<Vec<i64>>,
    /// The widest integer. It comes last and is solved for rather than listed, so that its sums are exact.
    line: Option<Line>,
}

/// Indicators that act on the score together, and what they can add to it, ascending.
struct Part {
    choices: Vec<(i64, Assignment)>,
}

/// An integer indicator whose every step adds the same.
struct Line {
    indicator: usize,
    min: i64,
    max: i64,
    at_min: i64,
    step: i64,
}

impl Sums {
    pub fn of(
        policy: &Policy,
        twin: &Interpreter<'_>,
        options: &[Options],
        score: usize,
        rng: &mut ChaCha20Rng,
    ) -> Result<Self, DecideError> {
        let base = policy.base_values();
        let sum_of = |assignment: &[(usize, i64)]| -> Result<i64, DecideError> {
            let values = assigned(&base, assignment);
            Ok(twin.decide(&values)?.scores.get(score).copied().unwrap_or_default())
        };
        let start = sum_of(&[])?;
        let components = policy.scores.get(score).map_or(vec![], |known| components(policy, known));

        let mut line: Option<Line> = None;
        if let Some((indicator, min, max)) = widest(&components, options) {
            let at_min = sum_of(&[(indicator, min)])?.saturating_sub(start);
            let next = sum_of(&[(indicator, min.saturating_add(1))])?.saturating_sub(start);
            line = Some(Line { indicator, min, max, at_min, step: next.saturating_sub(at_min) });
        }
        let listed = components.iter().filter(|component| {
            line.as_ref().is_none_or(|line| !component.contains(&line.indicator))
        });
        let mut parts = Vec::new();
        for component in listed {
            let mut choices = Vec::new();
            let known =
                |assignment: &Assignment| policy.unknown(&assigned(&base, assignment)).is_empty();
            for assignment in combinations(component, options, rng).into_iter().filter(known) {
                choices.push((sum_of(&assignment)?.saturating_sub(start), assignment));
            }
            choices.sort_unstable();
            parts.push(Part { choices });
        }

        let mut layers = vec![vec![start]];
        for part in &parts {
            let mut sums = BTreeSet::new();
            let mut last = None;
            for (amount, _) in &part.choices {
                if last.replace(*amount) != Some(*amount) {
                    let before = layers.last().into_iter().flatten();
                    sums.extend(before.map(|sum| sum.saturating_add(*amount)));
                }
            }
            layers.push(thinned(sums.into_iter().collect(), rng));
        }
        Ok(Self { parts, layers, line })
    }

    /// The largest sum below a bound.
    pub fn below(&self, bound: i64) -> Option<i64> {
        let sums = self.layers.last()?;
        let Some(line) = &self.line else {
            return sums.get(sums.partition_point(|&sum| sum < bound).checked_sub(1)?).copied();
        };
        let target = bound.saturating_sub(1);
        sums.iter().filter_map(|sum| line.up_to(target.saturating_sub(*sum)).map(|a| sum + a)).max()
    }

    /// The smallest sum not below a bound.
    pub fn from(&self, bound: i64) -> Option<i64> {
        let sums = self.layers.last()?;
        let Some(line) = &self.line else {
            return sums.get(sums.partition_point(|&sum| sum < bound)).copied();
        };
        sums.iter().filter_map(|sum| line.from(bound.saturating_sub(*sum)).map(|a| sum + a)).min()
    }

    /// Some values that reach a sum, other ones each time where there are several.
    pub fn compose(&self, sum: i64, rng: &mut ChaCha20Rng) -> Option<Assignment> {
        let mut assignment = Assignment::new();
        let mut rest = sum;
        if let Some(line) = &self.line {
            let reached = self.layers.last()?;
            let (before, value) = rotated(reached, rng)
                .find_map(|&before| Some((before, line.value_of(sum.saturating_sub(before))?)))?;
            assignment.push((line.indicator, value));
            rest = before;
        }
        for (part, before) in self.parts.iter().zip(&self.layers).rev() {
            let (amount, chosen) = rotated(&part.choices, rng)
                .find(|(amount, _)| before.binary_search(&rest.saturating_sub(*amount)).is_ok())?;
            assignment.extend_from_slice(chosen);
            rest = rest.saturating_sub(*amount);
        }
        Some(assignment)
    }
}

impl Line {
    fn amount(&self, value: i64) -> i64 {
        self.at_min.saturating_add(value.saturating_sub(self.min).saturating_mul(self.step))
    }

    /// The value at which the line stands at the amount or, rounding towards `min` of the indicator, just before it.
    fn at(&self, amount: i64) -> i64 {
        let steps = amount.saturating_sub(self.at_min).checked_div_euclid(self.step).unwrap_or(0);
        self.min.saturating_add(steps)
    }

    fn near(&self, amount: i64) -> impl Iterator<Item = i64> {
        let at = self.at(amount);
        [at.saturating_sub(1), at, at.saturating_add(1)]
            .map(|value| self.amount(value.clamp(self.min, self.max)))
            .into_iter()
    }

    /// The largest amount of the line up to a bound.
    fn up_to(&self, bound: i64) -> Option<i64> {
        self.near(bound).filter(|amount| *amount <= bound).max()
    }

    /// The smallest amount of the line from a bound.
    fn from(&self, bound: i64) -> Option<i64> {
        self.near(bound).filter(|amount| *amount >= bound).min()
    }

    fn value_of(&self, amount: i64) -> Option<i64> {
        let value = self.at(amount).clamp(self.min, self.max);
        (self.amount(value) == amount).then_some(value)
    }
}

/// Values with some of them replaced.
pub(crate) fn assigned(base: &[i64], assignment: &[(usize, i64)]) -> Vec<i64> {
    let mut values = base.to_vec();
    for &(indicator, value) in assignment {
        if let Some(place) = values.get_mut(indicator) {
            *place = value;
        }
    }
    values
}

/// The widest range that forms a part by itself.
fn widest(components: &[BTreeSet<usize>], options: &[Options]) -> Option<(usize, i64, i64)> {
    components
        .iter()
        .filter(|component| component.len() == 1)
        .flatten()
        .filter_map(|&indicator| match options.get(indicator) {
            Some(&Options::Range(min, max)) => Some((indicator, min, max)),
            _ => None,
        })
        .max_by_key(|(_, min, max)| max.saturating_sub(*min))
}

/// The indicators of the score, those together that meet in a term.
fn components(policy: &Policy, score: &Score) -> Vec<BTreeSet<usize>> {
    let mut components: Vec<BTreeSet<usize>> = Vec::new();
    for term in &score.terms {
        let mut component = BTreeSet::new();
        support_of_term(policy, term, &mut component);
        let (meeting, apart): (Vec<_>, Vec<_>) =
            components.into_iter().partition(|known| !known.is_disjoint(&component));
        component.extend(meeting.into_iter().flatten());
        components = apart;
        components.push(component);
    }
    components
}

fn support_of_term(policy: &Policy, term: &Term, found: &mut BTreeSet<usize>) {
    match term {
        Term::Points { variable, .. } => support(policy, *variable, found),
        Term::Weight { indicator, .. } => {
            found.insert(*indicator);
        }
    }
}

/// The indicators that a variable depends on. It ends because a checked policy has no circles.
fn support(policy: &Policy, variable: Variable, found: &mut BTreeSet<usize>) {
    match variable {
        Variable::Indicator(indicator) => {
            found.insert(indicator);
        }
        Variable::Concept(concept) => {
            for input in policy.concepts.get(concept).into_iter().flat_map(|known| &known.inputs) {
                support(policy, *input, found);
            }
        }
        Variable::Cut(cut) => {
            let score = policy.cuts.get(cut).and_then(|cut| policy.scores.get(cut.score));
            for term in score.into_iter().flat_map(|score| &score.terms) {
                support_of_term(policy, term, found);
            }
        }
    }
}

/// All combinations of the component's values, or as many random ones as can be tried.
fn combinations(
    component: &BTreeSet<usize>,
    options: &[Options],
    rng: &mut ChaCha20Rng,
) -> Vec<Assignment> {
    let lists: Vec<(usize, Vec<i64>)> = component
        .iter()
        .filter_map(|&indicator| Some((indicator, options.get(indicator)?.few(rng))))
        .collect();
    let count = lists
        .iter()
        .try_fold(1usize, |count, (_, values)| count.checked_mul(values.len()))
        .filter(|count| *count <= MAX_COMBINATIONS);
    if count.is_some() {
        return lists.iter().fold(vec![Assignment::new()], |combinations, (indicator, values)| {
            let extend = |combination: &Assignment| {
                let combination = combination.clone();
                values.iter().map(move |value| {
                    let mut longer = combination.clone();
                    longer.push((*indicator, *value));
                    longer
                })
            };
            combinations.iter().flat_map(extend).collect()
        });
    }
    (0..MAX_COMBINATIONS)
        .map(|_| {
            component
                .iter()
                .filter_map(|&indicator| Some((indicator, options.get(indicator)?.random(rng))))
                .collect()
        })
        .collect()
}

/// The items from a random one on, round to it again.
fn rotated<'i, T>(items: &'i [T], rng: &mut ChaCha20Rng) -> impl Iterator<Item = &'i T> {
    let start = rng.random_range(0..items.len().max(1));
    items.iter().cycle().skip(start).take(items.len())
}

fn thinned(sums: Vec<i64>, rng: &mut ChaCha20Rng) -> Vec<i64> {
    if sums.len() <= MAX_SUMS {
        return sums;
    }
    let mut kept = index::sample(rng, sums.len(), MAX_SUMS).into_vec();
    kept.sort_unstable();
    kept.into_iter().filter_map(|position| sums.get(position).copied()).collect()
}

/// The values that an integer indicator is tried with one by one; `None` where they are too many.
pub(crate) fn listed_range(indicator: &Indicator) -> Option<Vec<i64>> {
    let (min, max) = indicator.range();
    (max.saturating_sub(min) < STRETCH).then(|| (min..=max).collect())
}
