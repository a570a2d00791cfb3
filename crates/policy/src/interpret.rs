//! The clear twin: what a policy decides for one family, read straight off the model.
//!
//! Circuits and engines are held against it, so it shares no code with them.

use crate::{Concept, Condition, Cut, Effect, OptOut, Policy, Score, Step, Table, Term, Variable};

/// What a policy decides for one family. Positions index the policy's vectors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The tier, overrides applied.
    pub tier: usize,
    /// The tier before overrides.
    pub decided: usize,
    /// The last override that changed the tier, if one did.
    pub decided_by: Option<usize>,
    /// The class of every concept.
    pub concepts: Vec<usize>,
    /// Every score, in units of its last decimal.
    pub scores: Vec<i64>,
    /// The class of every cut.
    pub cuts: Vec<usize>,
    /// The reasons that hold, ascending.
    pub reasons: Vec<usize>,
}

/// What a family is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A tier.
    Tier(Outcome),
    /// The reserved code of a family that said no. Nothing was decided about it.
    OptedOut,
    /// The reserved code of a family about which something is missing that the policy needs: the positions of these
    /// indicators.
    Undecided(Vec<usize>),
}

/// Why a policy cannot decide for these values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecideError {
    /// Not one value per indicator.
    #[error(
        "{found} values for {expected} indicators; give one value for each, in the order of the policy"
    )]
    WrongCount {
        /// Indicators of the policy.
        expected: usize,
        /// Values given.
        found: usize,
    },
    /// A value that the indicator cannot take.
    #[error("indicator `{indicator}` cannot be {value}; it goes from {min} to {max}")]
    OutOfRange {
        /// Identifier of the indicator.
        indicator: String,
        /// The value given.
        value: i64,
        /// Smallest value.
        min: i64,
        /// Largest value.
        max: i64,
    },
    /// Something is missing that the policy needs.
    #[error("the tier cannot be decided: nothing is known of indicator `{indicator}`")]
    Undecided {
        /// Identifier of the first such indicator.
        indicator: String,
    },
    /// A family said no, but the policy has no rule for that.
    #[error(
        "policy `{policy}` offers no opt-out; add `[opt_out]` with `result = \"neutral\"`, or take the family off the list"
    )]
    NoOptOut {
        /// Name of the policy.
        policy: String,
    },
    /// The policy contradicts itself. The parser never yields such a policy; one built by hand may.
    #[error("the policy is broken at {part}")]
    Broken {
        /// Which part.
        part: String,
    },
}

impl Policy {
    /// Decides for one family. `values` follow the order of the indicators: the position of a level, or the
    /// integer. To decide for many families, make one [`Interpreter`].
    pub fn decide(&self, values: &[i64]) -> Result<Outcome, DecideError> {
        Interpreter::new(self)?.decide(values)
    }

    /// The values of a family that no register knows.
    pub fn missing_values(&self) -> Vec<i64> {
        self.indicators.iter().map(crate::Indicator::missing).collect()
    }

    /// The missing values, and the smallest one where the tier could not be decided without a value: a family to start
    /// from.
    pub fn base_values(&self) -> Vec<i64> {
        let base = |indicator: &crate::Indicator| {
            if indicator.is_required() { indicator.range().0 } else { indicator.missing() }
        };
        self.indicators.iter().map(base).collect()
    }

    /// Positions of the required indicators whose value is not known.
    pub fn unknown(&self, values: &[i64]) -> Vec<usize> {
        let indicators = self.indicators.iter().zip(values).enumerate();
        indicators
            .filter(|(_, (indicator, value))| {
                indicator.is_required() && **value == indicator.unknown()
            })
            .map(|(position, _)| position)
            .collect()
    }
}

/// A policy made ready to decide for many families.
#[derive(Clone, Debug)]
pub struct Interpreter<'p> {
    pub(crate) policy: &'p Policy,
    steps: Vec<Step>,
}

impl<'p> Interpreter<'p> {
    /// Puts concepts, scores and cuts in order.
    pub fn new(policy: &'p Policy) -> Result<Self, DecideError> {
        let steps = policy.steps().map_err(|cycle| broken(format!("{:?}", cycle.0)))?;
        Ok(Self { policy, steps })
    }

    /// Applies the opt-out rule and the rules for missing values, and decides for the families that are left.
    pub fn answer(&self, values: &[i64], said_no: bool) -> Result<Answer, DecideError> {
        match (said_no, self.policy.opt_out) {
            (true, OptOut::Neutral) => return Ok(Answer::OptedOut),
            (true, OptOut::NotOffered) => {
                return Err(DecideError::NoOptOut { policy: self.policy.name.clone() });
            }
            (false, _) => {}
        }
        let unknown = self.policy.unknown(values);
        if unknown.is_empty() {
            return self.decide(values).map(Answer::Tier);
        }
        Ok(Answer::Undecided(unknown))
    }

    /// Decides for one family, as [`Policy::decide`] does.
    pub fn decide(&self, values: &[i64]) -> Result<Outcome, DecideError> {
        let policy = self.policy;
        check_values(policy, values)?;
        let mut known = Known {
            values,
            concepts: vec![0; policy.concepts.len()],
            scores: vec![0; policy.scores.len()],
            cuts: vec![0; policy.cuts.len()],
        };
        for &step in &self.steps {
            match step {
                Step::Concept(i) => {
                    let class = part(policy.concepts.get(i), "a concept")
                        .and_then(|c| concept_class(c, policy, &known))?;
                    set(&mut known.concepts, i, class);
                }
                Step::Score(i) => {
                    let sum =
                        part(policy.scores.get(i), "a score").and_then(|s| score_sum(s, &known))?;
                    set(&mut known.scores, i, sum);
                }
                Step::Cut(i) => {
                    let class =
                        part(policy.cuts.get(i), "a cut").and_then(|c| cut_class(c, &known))?;
                    set(&mut known.cuts, i, class);
                }
            }
        }

        let class = known.class(policy.decision.from)?;
        let decided = *part(policy.decision.tiers.get(class), "the tier map")?;
        let mut tier = decided;
        let mut decided_by = None;
        for (position, rule) in policy.overrides.iter().enumerate() {
            if holds(&rule.when, &known)? {
                let changed = match rule.effect {
                    Effect::AtLeast => tier.max(rule.tier),
                    Effect::AtMost => tier.min(rule.tier),
                    Effect::Exactly => rule.tier,
                };
                if changed != tier {
                    tier = changed;
                    decided_by = Some(position);
                }
            }
        }
        let mut reasons = Vec::new();
        for (position, reason) in policy.reasons.iter().enumerate() {
            if holds(&reason.when, &known)? {
                reasons.push(position);
            }
        }
        Ok(Outcome {
            tier,
            decided,
            decided_by,
            concepts: known.concepts,
            scores: known.scores,
            cuts: known.cuts,
            reasons,
        })
    }
}

/// What is known of one family so far.
struct Known<'v> {
    values: &'v [i64],
    concepts: Vec<usize>,
    scores: Vec<i64>,
    cuts: Vec<usize>,
}

impl Known<'_> {
    fn class(&self, variable: Variable) -> Result<usize, DecideError> {
        let class = match variable {
            Variable::Indicator(i) => {
                self.values.get(i).and_then(|&value| usize::try_from(value).ok())
            }
            Variable::Concept(i) => self.concepts.get(i).copied(),
            Variable::Cut(i) => self.cuts.get(i).copied(),
        };
        class.ok_or_else(|| broken(format!("{variable:?}")))
    }
}

fn check_values(policy: &Policy, values: &[i64]) -> Result<(), DecideError> {
    if values.len() != policy.indicators.len() {
        return Err(DecideError::WrongCount {
            expected: policy.indicators.len(),
            found: values.len(),
        });
    }
    for (indicator, &value) in policy.indicators.iter().zip(values) {
        let (min, max) = indicator.range();
        if indicator.is_required() && value == indicator.unknown() {
            return Err(DecideError::Undecided { indicator: indicator.id.clone() });
        }
        if value < min || value > max {
            return Err(DecideError::OutOfRange {
                indicator: indicator.id.clone(),
                value,
                min,
                max,
            });
        }
    }
    Ok(())
}

fn concept_class(
    concept: &Concept,
    policy: &Policy,
    known: &Known<'_>,
) -> Result<usize, DecideError> {
    match &concept.table {
        Table::FirstMatch(rules) => {
            for rule in rules {
                let mut matches = true;
                for (&input, accepted) in concept.inputs.iter().zip(&rule.when) {
                    if let Some(accepted) = accepted {
                        matches &= accepted.contains(&known.class(input)?);
                    }
                }
                if matches {
                    return Ok(rule.then);
                }
            }
            Err(broken(format!("concept `{}`: no rule matches", concept.id)))
        }
        Table::Grid(cells) => {
            let mut cell = 0usize;
            for &input in &concept.inputs {
                // The last input varies fastest, as in a number written digit by digit.
                cell = cell
                    .saturating_mul(policy.classes(input).len())
                    .saturating_add(known.class(input)?);
            }
            cells
                .get(cell)
                .copied()
                .ok_or_else(|| broken(format!("concept `{}`: the grid is too small", concept.id)))
        }
    }
}

fn score_sum(score: &Score, known: &Known<'_>) -> Result<i64, DecideError> {
    let wrong = || broken(format!("score `{}`", score.id));
    let mut sum = score.constant;
    for term in &score.terms {
        let amount = match term {
            Term::Points { variable, points } => points.get(known.class(*variable)?).copied(),
            Term::Weight { indicator, weight } => {
                known.values.get(*indicator).and_then(|value| value.checked_mul(*weight))
            }
        };
        sum = amount.and_then(|amount| sum.checked_add(amount)).ok_or_else(wrong)?;
    }
    Ok(sum)
}

fn cut_class(cut: &Cut, known: &Known<'_>) -> Result<usize, DecideError> {
    let score = *part(known.scores.get(cut.score), "a cut's score")?;
    Ok(cut.at.iter().filter(|&&start| score >= start).count())
}

fn holds(condition: &Condition, known: &Known<'_>) -> Result<bool, DecideError> {
    let count = |of: &[Condition]| -> Result<usize, DecideError> {
        let mut count = 0usize;
        for condition in of {
            count = count.saturating_add(usize::from(holds(condition, known)?));
        }
        Ok(count)
    };
    Ok(match condition {
        Condition::Is { variable, classes } => classes.contains(&known.class(*variable)?),
        Condition::All(of) => count(of)? == of.len(),
        Condition::Any(of) => count(of)? > 0,
        Condition::Not(condition) => !holds(condition, known)?,
        Condition::Count { min, max, of } => (*min..=*max).contains(&count(of)?),
    })
}

fn set<T>(list: &mut [T], position: usize, value: T) {
    if let Some(place) = list.get_mut(position) {
        *place = value;
    }
}

fn part<T>(found: Option<T>, name: &str) -> Result<T, DecideError> {
    found.ok_or_else(|| broken(name.to_owned()))
}

fn broken(part: String) -> DecideError {
    DecideError::Broken { part }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(opt_out: &str) -> Policy {
        let text = format!(
            r#"
            blindtier = "1"
            name = "small"
            title = "Small"
            tiers = ["low", "high"]
            [agencies]
            tax = {{ label = "Tax" }}
            [indicators.loan]
            agency = "tax"
            aggregate = "any"
            missing = "no"
            [tier]
            from = "loan"
            map = {{ no = "high", yes = "low" }}
            {opt_out}
            "#
        );
        Policy::parse("small.toml", &text).unwrap()
    }

    #[test]
    fn who_said_no_gets_the_reserved_code_and_nobody_else_does() {
        let policy = policy("[opt_out]\nresult = \"neutral\"");
        let interpreter = Interpreter::new(&policy).unwrap();
        for values in [[0], [1]] {
            assert_eq!(
                interpreter.answer(&values, true),
                Ok(Answer::OptedOut),
                "the values do not matter"
            );
            let told = interpreter.answer(&values, false);
            assert_eq!(told, interpreter.decide(&values).map(Answer::Tier));
        }
    }

    #[test]
    fn a_policy_without_the_rule_refuses_a_no() {
        for rule in ["", "[opt_out]\nresult = \"not-offered\""] {
            let policy = policy(rule);
            let interpreter = Interpreter::new(&policy).unwrap();
            assert_eq!(
                interpreter.answer(&[0], true),
                Err(DecideError::NoOptOut { policy: "small".into() })
            );
            assert!(interpreter.answer(&[0], false).is_ok());
        }
    }
}
