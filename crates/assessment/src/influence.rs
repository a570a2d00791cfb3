//! Which indicators a tier depends on: what data minimisation asks.

use blindtier_policy::{Condition, Policy, Term, Variable};
use std::collections::BTreeSet;

/// What the indicators of a policy are there for; the parser refuses those that nothing reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Influence {
    /// Positions of the indicators that the tier can depend on.
    pub tier: BTreeSet<usize>,
    /// Positions of those that only reasons read.
    pub reasons_only: BTreeSet<usize>,
}

impl Influence {
    /// Follows everything that the tier, and everything that the reasons read.
    pub fn of(policy: &Policy) -> Self {
        let mut tier = Walk::new(policy);
        tier.variable(policy.decision.from);
        for rule in &policy.overrides {
            tier.condition(&rule.when);
        }
        let mut reasons = Walk::new(policy);
        for reason in &policy.reasons {
            reasons.condition(&reason.when);
        }
        let reasons_only = &reasons.indicators - &tier.indicators;
        Self { tier: tier.indicators, reasons_only }
    }
}

struct Walk<'p> {
    policy: &'p Policy,
    seen: BTreeSet<Variable>,
    indicators: BTreeSet<usize>,
}

impl<'p> Walk<'p> {
    fn new(policy: &'p Policy) -> Self {
        Self { policy, seen: BTreeSet::new(), indicators: BTreeSet::new() }
    }

    fn variable(&mut self, variable: Variable) {
        if !self.seen.insert(variable) {
            return;
        }
        let policy = self.policy;
        match variable {
            Variable::Indicator(i) => {
                self.indicators.insert(i);
            }
            Variable::Concept(i) => {
                for &input in policy.concepts.get(i).map_or(&[][..], |concept| &concept.inputs) {
                    self.variable(input);
                }
            }
            Variable::Cut(i) => {
                let score = policy.cuts.get(i).and_then(|cut| policy.scores.get(cut.score));
                for term in score.map_or(&[][..], |score| &score.terms) {
                    match term {
                        Term::Points { variable, .. } => self.variable(*variable),
                        Term::Weight { indicator, .. } => {
                            self.indicators.insert(*indicator);
                        }
                    }
                }
            }
        }
    }

    fn condition(&mut self, condition: &Condition) {
        match condition {
            Condition::Is { variable, .. } => self.variable(*variable),
            Condition::Not(part) => self.condition(part),
            Condition::All(parts) | Condition::Any(parts) | Condition::Count { of: parts, .. } => {
                for part in parts {
                    self.condition(part);
                }
            }
        }
    }
}
