//! The answer of a policy to every combination of values.

use crate::population::Population;
use blindtier_policy::{Answer, DecideError, Interpreter, Policy};
use rayon::prelude::*;

/// Combinations that a thread takes at once.
pub(crate) const SHARE: usize = 2048;

/// The answers of one policy, by position of the values: the tier, or behind the tiers "undecided".
pub(crate) type Answers = Vec<u8>;

/// Answers to all values of a population; `number` is the policy's among those that the population was read for.
pub(crate) fn decide(
    population: &Population,
    number: usize,
    policy: &Policy,
) -> Result<Answers, DecideError> {
    let interpreter = Interpreter::new(policy)?;
    (0..population.distinct())
        .into_par_iter()
        .with_min_len(SHARE)
        .map_init(Vec::new, |values, position| {
            population.values(number, position, values);
            answer(&interpreter, policy, values)
        })
        .collect()
}

/// The same as if some agencies knew nobody. `before` are the answers with all agencies.
pub(crate) fn decide_without(
    population: &Population,
    policy: &Policy,
    absent: &[usize],
    before: &[u8],
) -> Result<Answers, DecideError> {
    let interpreter = Interpreter::new(policy)?;
    let gone: Vec<Option<i64>> = policy
        .indicators
        .iter()
        .map(|indicator| absent.contains(&indicator.agency).then(|| indicator.missing()))
        .collect();
    before
        .par_iter()
        .enumerate()
        .with_min_len(SHARE)
        .map_init(Vec::new, |values, (position, before)| {
            population.values(0, position, values);
            let mut changed = false;
            for (value, gone) in values.iter_mut().zip(&gone) {
                if let Some(missing) = gone.filter(|missing| missing != value) {
                    *value = missing;
                    changed = true;
                }
            }
            if changed { answer(&interpreter, policy, values) } else { Ok(*before) }
        })
        .collect()
}

/// One answer as a number.
pub(crate) fn answer(
    interpreter: &Interpreter<'_>,
    policy: &Policy,
    values: &[i64],
) -> Result<u8, DecideError> {
    let number = match interpreter.answer(values, false)? {
        Answer::Tier(outcome) => outcome.tier,
        Answer::Undecided(_) | Answer::OptedOut => policy.tiers.len(),
    };
    // A policy has at most thirteen tiers.
    Ok(u8::try_from(number).unwrap_or(u8::MAX))
}

/// Families by answer.
pub(crate) fn counts(population: &Population, answers: &[u8], kinds: usize) -> Vec<u64> {
    let mut counts = vec![0u64; kinds];
    for (answer, weight) in answers.iter().zip(&population.weight) {
        if let Some(count) = counts.get_mut(usize::from(*answer)) {
            *count = count.saturating_add(u64::from(*weight));
        }
    }
    counts
}
