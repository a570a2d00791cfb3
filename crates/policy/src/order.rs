//! What depends on what: the order in which concepts, scores and cuts can be worked out.

use crate::{Condition, Policy, Term, Variable};

/// Something a policy works out from indicators, by its position in the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A concept.
    Concept(usize),
    /// A score.
    Score(usize),
    /// A cut.
    Cut(usize),
}

/// Steps that depend on one another in a circle, each needing the one after it, the last the first.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a circle of {} steps", .0.len())]
pub struct Cycle(pub Vec<Step>);

impl Policy {
    /// Every concept, score and cut, each after all that it needs.
    pub fn steps(&self) -> Result<Vec<Step>, Cycle> {
        let all: Vec<Step> = (0..self.concepts.len())
            .map(Step::Concept)
            .chain((0..self.scores.len()).map(Step::Score))
            .chain((0..self.cuts.len()).map(Step::Cut))
            .collect();
        let number = |step: Step| match step {
            Step::Concept(i) => i,
            Step::Score(i) => self.concepts.len().saturating_add(i),
            Step::Cut(i) => self.concepts.len().saturating_add(self.scores.len()).saturating_add(i),
        };
        let needs: Vec<Vec<usize>> =
            all.iter().map(|&step| self.needs(step).into_iter().map(number).collect()).collect();

        let mut users: Vec<Vec<usize>> = vec![Vec::new(); all.len()];
        let mut waiting: Vec<usize> = needs.iter().map(Vec::len).collect();
        for (user, needed) in needs.iter().enumerate() {
            for &step in needed {
                if let Some(list) = users.get_mut(step) {
                    list.push(user);
                }
            }
        }
        let mut ready: Vec<usize> =
            (0..all.len()).rev().filter(|&i| waiting.get(i) == Some(&0)).collect();
        let mut order = Vec::with_capacity(all.len());
        while let Some(done) = ready.pop() {
            order.extend(all.get(done));
            for &user in users.get(done).into_iter().flatten() {
                if let Some(count) = waiting.get_mut(user) {
                    *count = count.saturating_sub(1);
                    if *count == 0 {
                        ready.push(user);
                    }
                }
            }
        }
        if order.len() == all.len() { Ok(order) } else { Err(circle(&all, &needs, &waiting)) }
    }

    /// The steps that one step reads directly.
    fn needs(&self, step: Step) -> Vec<Step> {
        self.reads(step)
            .into_iter()
            .filter_map(|variable| match variable {
                Variable::Indicator(_) => None,
                Variable::Concept(i) => Some(Step::Concept(i)),
                Variable::Cut(i) => Some(Step::Cut(i)),
            })
            .chain(match step {
                Step::Cut(i) => self.cuts.get(i).map(|cut| Step::Score(cut.score)),
                _ => None,
            })
            .collect()
    }

    /// The variables that one step reads directly; an integer indicator counts as one.
    fn reads(&self, step: Step) -> Vec<Variable> {
        match step {
            Step::Concept(i) => self.concepts.get(i).map(|c| c.inputs.clone()).unwrap_or_default(),
            Step::Score(i) => self.scores.get(i).map_or_else(Vec::new, |score| {
                score
                    .terms
                    .iter()
                    .map(|term| match term {
                        Term::Points { variable, .. } => *variable,
                        Term::Weight { indicator, .. } => Variable::Indicator(*indicator),
                    })
                    .collect()
            }),
            Step::Cut(_) => Vec::new(),
        }
    }

    /// For each indicator, whether the tier or a reason depends on it.
    pub fn influential(&self) -> Vec<bool> {
        let mut influential = vec![false; self.indicators.len()];
        let mut seen: Vec<Variable> = Vec::new();
        let mut open = vec![self.decision.from];
        for condition in
            self.overrides.iter().map(|o| &o.when).chain(self.reasons.iter().map(|r| &r.when))
        {
            condition.variables(&mut open);
        }
        while let Some(variable) = open.pop() {
            match variable {
                Variable::Indicator(i) => {
                    if let Some(flag) = influential.get_mut(i) {
                        *flag = true;
                    }
                }
                _ if seen.contains(&variable) => {}
                Variable::Concept(i) => {
                    seen.push(variable);
                    open.extend(self.reads(Step::Concept(i)));
                }
                Variable::Cut(i) => {
                    seen.push(variable);
                    open.extend(
                        self.cuts
                            .get(i)
                            .into_iter()
                            .flat_map(|cut| self.reads(Step::Score(cut.score))),
                    );
                }
            }
        }
        influential
    }
}

impl Condition {
    /// Appends the variables that the condition looks at, in the order of the text.
    pub fn variables(&self, into: &mut Vec<Variable>) {
        match self {
            Condition::Is { variable, .. } => into.push(*variable),
            Condition::All(of) | Condition::Any(of) | Condition::Count { of, .. } => {
                of.iter().for_each(|condition| condition.variables(into));
            }
            Condition::Not(condition) => condition.variables(into),
        }
    }
}

/// Follows unmet needs from any step that still waits until one comes up again. A need that is no step at all
/// (only possible in a policy built by hand) ends the walk.
fn circle(all: &[Step], needs: &[Vec<usize>], waiting: &[usize]) -> Cycle {
    let unmet = |i: usize| waiting.get(i).is_some_and(|&count| count > 0);
    let mut path: Vec<usize> = Vec::new();
    let mut at = (0..all.len()).find(|&i| unmet(i));
    while let Some(step) = at {
        if let Some(start) = path.iter().position(|&earlier| earlier == step) {
            path.drain(..start);
            break;
        }
        path.push(step);
        at = needs.get(step).and_then(|list| list.iter().copied().find(|&need| unmet(need)));
    }
    Cycle(path.iter().filter_map(|&i| all.get(i).copied()).collect())
}
