//! What small changes of a policy do: every cut, every point value and every weight, each by itself.
//!
//! A score is read by cuts alone, so a family whose score stays in its class keeps its tier. Only the others are decided
//! again, by the interpreter and the changed policy.

use crate::decide::{SHARE, answer};
use crate::population::Population;
use crate::support::Support;
use crate::variation::{Variation, What, variations};
use blindtier_policy::{Answer, Cut, DecideError, Interpreter, Policy, Variable};
use blindtier_report::{Change, Sensitivity};
use rayon::prelude::*;

/// What the first policy works out for every combination of values.
struct Base {
    /// By score.
    scores: Vec<Vec<i64>>,
    concepts: Vec<Vec<u32>>,
    cuts: Vec<Vec<u32>>,
}

/// Counts what each change does.
pub(crate) fn sensitivity(
    population: &Population,
    policy: &Policy,
    answers: &[u8],
    support: &Support,
) -> Result<Sensitivity, DecideError> {
    let base = Base::new(population, policy)?;
    let changes = variations(policy)
        .into_par_iter()
        .map(|variation| change(population, policy, answers, support, &base, variation))
        .collect::<Result<Vec<Change>, DecideError>>()?;
    Ok(Sensitivity { changes })
}

fn change(
    population: &Population,
    policy: &Policy,
    answers: &[u8],
    support: &Support,
    base: &Base,
    variation: Variation,
) -> Result<Change, DecideError> {
    let interpreter = Interpreter::new(&variation.policy)?;
    let undecided = policy.tiers.len();
    let mut change = Change {
        kind: variation.kind,
        place: variation.place.clone(),
        from: variation.from.clone(),
        to: variation.to.clone(),
        changed: 0,
        up: 0,
        down: 0,
        gained: support.known().then_some(0),
        lost: support.known().then_some(0),
    };
    let mut values = Vec::new();
    for (position, (before, weight)) in answers.iter().zip(&population.weight).enumerate() {
        if usize::from(*before) == undecided
            || !base.moves(population, policy, &variation, position)
        {
            continue;
        }
        population.values(0, position, &mut values);
        let after = answer(&interpreter, &variation.policy, &values)?;
        let weight = u64::from(*weight);
        if after == *before {
            continue;
        }
        change.changed = change.changed.saturating_add(weight);
        let side = if after > *before { &mut change.up } else { &mut change.down };
        *side = side.saturating_add(weight);
        let supported = (support.has(*before), support.has(after));
        let side = match supported {
            (false, true) => &mut change.gained,
            (true, false) => &mut change.lost,
            _ => continue,
        };
        *side = side.map(|count| count.saturating_add(weight));
    }
    Ok(change)
}

impl Base {
    fn new(population: &Population, policy: &Policy) -> Result<Self, DecideError> {
        let interpreter = Interpreter::new(policy)?;
        let shares: Vec<usize> = (0..population.distinct()).step_by(SHARE).collect();
        let parts: Vec<Base> = shares
            .into_par_iter()
            .map(|start| Base::of_share(population, policy, &interpreter, start))
            .collect::<Result<_, DecideError>>()?;
        let mut all = Base::empty(policy);
        for part in parts {
            append(&mut all.scores, part.scores);
            append(&mut all.concepts, part.concepts);
            append(&mut all.cuts, part.cuts);
        }
        Ok(all)
    }

    fn empty(policy: &Policy) -> Self {
        Self {
            scores: vec![Vec::new(); policy.scores.len()],
            concepts: vec![Vec::new(); policy.concepts.len()],
            cuts: vec![Vec::new(); policy.cuts.len()],
        }
    }

    fn of_share(
        population: &Population,
        policy: &Policy,
        interpreter: &Interpreter<'_>,
        start: usize,
    ) -> Result<Self, DecideError> {
        let mut base = Base::empty(policy);
        let mut values = Vec::new();
        let end = start.saturating_add(SHARE).min(population.distinct());
        for position in start..end {
            population.values(0, position, &mut values);
            let (scores, concepts, cuts) = match interpreter.answer(&values, false)? {
                Answer::Tier(outcome) => (outcome.scores, outcome.concepts, outcome.cuts),
                // Never looked at.
                Answer::Undecided(_) | Answer::OptedOut => (
                    vec![0; policy.scores.len()],
                    vec![0; policy.concepts.len()],
                    vec![0; policy.cuts.len()],
                ),
            };
            push(&mut base.scores, scores);
            push(&mut base.concepts, concepts.into_iter().map(class));
            push(&mut base.cuts, cuts.into_iter().map(class));
        }
        Ok(base)
    }

    /// Whether some cut has another class with the change.
    fn moves(
        &self,
        population: &Population,
        policy: &Policy,
        variation: &Variation,
        position: usize,
    ) -> bool {
        let score = self.scores.get(variation.score).and_then(|scores| scores.get(position));
        let score = score.copied().unwrap_or(0);
        let shifted = match variation.what {
            What::Cut { cut } => {
                let classes =
                    |policy: &Policy| policy.cuts.get(cut).map(|cut| class_of(cut, score));
                return classes(policy) != classes(&variation.policy);
            }
            What::Points { variable, class, by } => {
                if self.class(population, variable, position) != class {
                    return false;
                }
                score.saturating_add(by)
            }
            What::Weight { indicator, by } => {
                let value = indicator_value(population, indicator, position);
                score.saturating_add(value.saturating_mul(by))
            }
        };
        let mut cuts = policy.cuts.iter().filter(|cut| cut.score == variation.score);
        cuts.any(|cut| class_of(cut, score) != class_of(cut, shifted))
    }

    fn class(&self, population: &Population, variable: Variable, position: usize) -> i64 {
        let of = |classes: Option<&Vec<u32>>| {
            classes.and_then(|classes| classes.get(position)).map_or(-1, |class| i64::from(*class))
        };
        match variable {
            Variable::Indicator(i) => indicator_value(population, i, position),
            Variable::Concept(i) => of(self.concepts.get(i)),
            Variable::Cut(i) => of(self.cuts.get(i)),
        }
    }
}

fn indicator_value(population: &Population, indicator: usize, position: usize) -> i64 {
    let place = population.layout.places(0).get(indicator).copied().unwrap_or(usize::MAX);
    population.layout.value(place, population.stored(position))
}

fn class_of(cut: &Cut, score: i64) -> usize {
    cut.at.iter().filter(|start| score >= **start).count()
}

fn class(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn push<T>(columns: &mut [Vec<T>], values: impl IntoIterator<Item = T>) {
    for (column, value) in columns.iter_mut().zip(values) {
        column.push(value);
    }
}

fn append<T>(columns: &mut [Vec<T>], more: Vec<Vec<T>>) {
    for (column, more) in columns.iter_mut().zip(more) {
        column.extend(more);
    }
}
