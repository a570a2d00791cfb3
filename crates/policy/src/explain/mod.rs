//! Why a family has its tier: the facts, how far each is from changing it, and which agency holds it.
//!
//! Everything is read off the clear twin's decisions for this family's values and for values that differ from them
//! in one indicator.

#[cfg(test)]
mod tests;

use crate::{Cut, DecideError, Domain, Interpreter, Outcome, Policy, Term, Variable};
use std::cmp::Ordering;

/// Why a family has its tier. Positions index the policy's vectors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What the policy decides: the tier, the override that set it if one did, and the reasons.
    pub outcome: Outcome,
    /// One for every indicator, in the order of the policy.
    pub facts: Vec<Finding>,
    /// How far the deciding score is from other tiers, if a cut of a score decides.
    pub margin: Option<Margin>,
    /// The smallest change of one indicator that gives a higher tier.
    pub higher: Option<Change>,
    /// The smallest change of one indicator that gives a lower tier.
    pub lower: Option<Change>,
}

/// What one indicator says of a family, and what it does to the tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Position of the indicator.
    pub indicator: usize,
    /// Position of the agency that holds it, and so the one to ask about it.
    pub agency: usize,
    /// Its value.
    pub value: i64,
    /// Whether a family that the register does not know would have this value too.
    pub missing: bool,
    /// What it adds directly to scores, one entry per score.
    pub points: Vec<Points>,
    /// Its smallest change that alone gives a higher tier.
    pub higher: Option<Change>,
    /// Its smallest change that alone gives a lower tier.
    pub lower: Option<Change>,
}

impl Finding {
    /// Whether another value of this indicator alone would change the tier.
    pub fn decisive(&self) -> bool {
        self.higher.is_some() || self.lower.is_some()
    }
}

/// What an indicator adds to a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Points {
    /// Position of the score.
    pub score: usize,
    /// In units of the score's last decimal.
    pub amount: i64,
}

/// Another value of one indicator, and the tier it would give. It measures how close a tier is and advises nothing:
/// many facts are not a family's to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Position of the indicator.
    pub indicator: usize,
    /// Its value now.
    pub from: i64,
    /// The other value.
    pub to: i64,
    /// The tier with the other value, overrides applied.
    pub tier: usize,
}

/// How far the deciding score is from other tiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Margin {
    /// Position of the deciding cut.
    pub cut: usize,
    /// Position of its score.
    pub score: usize,
    /// The score, in units of its last decimal.
    pub value: i64,
    /// The next class above with another tier.
    pub above: Option<Gap>,
    /// The next class below with another tier.
    pub below: Option<Gap>,
}

/// The distance from a score to a class of its cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The fewest points, more or fewer, that reach the class, in units of the score's last decimal.
    pub points: i64,
    /// The class.
    pub class: usize,
    /// The tier of the class before overrides.
    pub tier: usize,
}

impl Policy {
    /// Explains one family's tier. To explain many, make one [`Interpreter`].
    pub fn explain(&self, values: &[i64]) -> Result<Explanation, DecideError> {
        Interpreter::new(self)?.explain(values)
    }
}

impl Interpreter<'_> {
    /// Explains one family's tier. `values` are those of [`Interpreter::decide`].
    pub fn explain(&self, values: &[i64]) -> Result<Explanation, DecideError> {
        let policy = self.policy;
        let outcome = self.decide(values)?;
        let nearest = |changes: &[Change], towards: Ordering| {
            let tier = outcome.tier;
            changes
                .iter()
                .filter(|change| change.tier.cmp(&tier) == towards)
                .min_by(|a, b| nearer(policy, tier, a, b))
                .copied()
        };
        let mut facts = Vec::with_capacity(values.len());
        let mut all = Vec::new();
        for (position, (indicator, &value)) in policy.indicators.iter().zip(values).enumerate() {
            let changes = self.changes(values, position, &outcome)?;
            facts.push(Finding {
                indicator: position,
                agency: indicator.agency,
                value,
                missing: value == indicator.missing(),
                points: points(policy, position, value),
                higher: nearest(&changes, Ordering::Greater),
                lower: nearest(&changes, Ordering::Less),
            });
            all.extend(changes);
        }
        Ok(Explanation {
            facts,
            margin: margin(policy, &outcome),
            higher: nearest(&all, Ordering::Greater),
            lower: nearest(&all, Ordering::Less),
            outcome,
        })
    }

    /// Goes from the family's value of an indicator down and up, and stops at the first value of every stretch on
    /// which all classes stay the same. Within a stretch the tier is the same and the stop is the closest value, so the
    /// stops suffice, however wide the range.
    fn changes(
        &self,
        values: &[i64],
        position: usize,
        outcome: &Outcome,
    ) -> Result<Vec<Change>, DecideError> {
        let mut changes = Vec::new();
        let (Some(indicator), Some(&from)) =
            (self.policy.indicators.get(position), values.get(position))
        else {
            return Ok(changes);
        };
        let (min, max) = indicator.range();
        for direction in [-1, 1] {
            let mut changed = values.to_vec();
            let mut reached = outcome.clone();
            while let (Some(steps), Some(value)) =
                (stretch(self.policy, position, direction, &reached), changed.get_mut(position))
            {
                *value = value.saturating_add(steps.saturating_mul(direction));
                let to = *value;
                if to < min || to > max {
                    break;
                }
                reached = self.decide(&changed)?;
                changes.push(Change { indicator: position, from, to, tier: reached.tier });
            }
        }
        Ok(changes)
    }
}

/// By how much an indicator must move in a direction until some class changes; every level may change one.
///
/// An integer is read only by scores, which it weighs. Until a cut changes, every score moves along a line, so the
/// first cut to change is the one whose line meets its boundary first.
fn stretch(policy: &Policy, position: usize, direction: i64, reached: &Outcome) -> Option<i64> {
    if let Domain::Levels { .. } = policy.indicators.get(position)?.domain {
        return Some(1);
    }
    let line = |cut: &Cut, class: usize| {
        let score = policy.scores.get(cut.score)?;
        let weights = score.terms.iter().filter_map(|term| match term {
            Term::Weight { indicator, weight } if *indicator == position => Some(*weight),
            _ => None,
        });
        let slope = weights.fold(0i64, i64::saturating_add).saturating_mul(direction);
        let next = class.checked_add_signed(isize::try_from(slope.signum()).ok()?)?;
        let gap = distance(cut, *reached.scores.get(cut.score)?, class, next)?;
        // At least one: a cut out of order, possible only in a policy built by hand, must not halt the walk.
        i64::try_from(gap.unsigned_abs().div_ceil(slope.unsigned_abs()).max(1)).ok()
    };
    policy.cuts.iter().zip(&reached.cuts).filter_map(|(cut, &class)| line(cut, class)).min()
}

/// The fewest points between a score in class `from` of a cut and class `to`; none if there is no such class or it is
/// the same.
fn distance(cut: &Cut, score: i64, from: usize, to: usize) -> Option<i64> {
    match to.cmp(&from) {
        Ordering::Greater => cut.at.get(to.checked_sub(1)?)?.checked_sub(score),
        Ordering::Less => score.checked_sub(*cut.at.get(to)?)?.checked_add(1),
        Ordering::Equal => None,
    }
}

fn margin(policy: &Policy, outcome: &Outcome) -> Option<Margin> {
    let Variable::Cut(position) = policy.decision.from else { return None };
    let cut = policy.cuts.get(position)?;
    let class = *outcome.cuts.get(position)?;
    let value = *outcome.scores.get(cut.score)?;
    let gap = |to: usize| {
        let tier = *policy.decision.tiers.get(to).filter(|&&tier| tier != outcome.decided)?;
        Some(Gap { points: distance(cut, value, class, to)?, class: to, tier })
    };
    Some(Margin {
        cut: position,
        score: cut.score,
        value,
        above: (class..cut.classes.len()).find_map(gap),
        below: (0..class).rev().find_map(gap),
    })
}

/// What a value of an indicator adds directly to every score that reads it.
fn points(policy: &Policy, position: usize, value: i64) -> Vec<Points> {
    let amount = |term: &Term| match term {
        Term::Points { variable: Variable::Indicator(i), points } if *i == position => {
            usize::try_from(value).ok().and_then(|class| points.get(class).copied())
        }
        Term::Weight { indicator, weight } if *indicator == position => value.checked_mul(*weight),
        _ => None,
    };
    let scores = policy.scores.iter().enumerate();
    scores
        .filter_map(|(score, terms)| {
            let amount = terms.terms.iter().filter_map(amount).reduce(i64::saturating_add)?;
            Some(Points { score, amount })
        })
        .collect()
}

/// Orders changes by their share of the indicator's range (the Gower distance, which makes levels and integers
/// comparable), then by how far their tiers are from the family's.
fn nearer(policy: &Policy, tier: usize, a: &Change, b: &Change) -> Ordering {
    let step = |change: &Change| i128::from(change.to.abs_diff(change.from));
    let width = |change: &Change| {
        let (min, max) = policy.indicators.get(change.indicator).map_or((0, 1), |i| i.range());
        i128::from(max.abs_diff(min))
    };
    // The parser bounds widths by 2^41: the products fit.
    let (left, right) = (step(a).saturating_mul(width(b)), step(b).saturating_mul(width(a)));
    left.cmp(&right).then_with(|| a.tier.abs_diff(tier).cmp(&b.tier.abs_diff(tier)))
}
