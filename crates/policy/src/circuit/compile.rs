//! Policy → decision graph.

use super::dense::{advance, combinations};
use super::graph::{Graph, NodeId, Op};
use crate::model::{Condition, Effect, Policy, Table, Term, Variable};
use std::collections::HashMap;

/// Conditions over at most this many combinations of classes become one table; larger ones are built from
/// their parts.
const CONDITION_TABLE: usize = 1 << 12;

/// Compiles a checked policy.
pub fn compile(policy: &Policy) -> Graph {
    let mut compiler = Compiler { policy, graph: Graph::new(policy), scores: HashMap::new() };
    let mut tier = {
        let decided = compiler.variable(policy.decision.from);
        let (low, high) = compiler.graph.range(decided);
        let tiers = (low..=high)
            .map(|c| {
                usize::try_from(c)
                    .ok()
                    .and_then(|c| policy.decision.tiers.get(c))
                    .map_or(0, |t| position(*t))
            })
            .collect();
        compiler.table(vec![decided], tiers)
    };
    for rule in &policy.overrides {
        let holds = compiler.condition(&rule.when);
        let named = position(rule.tier);
        let (low, high) = compiler.graph.range(tier);
        let outputs = (low..=high)
            .flat_map(|t| {
                let changed = match rule.effect {
                    Effect::AtLeast => t.max(named),
                    Effect::AtMost => t.min(named),
                    Effect::Exactly => named,
                };
                [t, changed]
            })
            .collect();
        let holds = compiler.both_values(holds);
        tier = compiler.table(vec![tier, holds], outputs);
    }
    compiler.graph.output = tier;
    compiler.graph
}

struct Compiler<'p> {
    policy: &'p Policy,
    graph: Graph,
    scores: HashMap<usize, NodeId>,
}

fn position(index: usize) -> i64 {
    i64::try_from(index).unwrap_or(i64::MAX)
}

impl Compiler<'_> {
    fn variable(&mut self, variable: Variable) -> NodeId {
        match variable {
            Variable::Indicator(indicator) => self.indicator(indicator),
            Variable::Concept(concept) => self.concept(concept),
            Variable::Cut(cut) => self.cut(cut),
        }
    }

    fn indicator(&mut self, indicator: usize) -> NodeId {
        let range = self.policy.indicators.get(indicator).map_or((0, 0), |i| i.range());
        self.graph.add(Op::Input { indicator }, range)
    }

    fn concept(&mut self, concept: usize) -> NodeId {
        let Some(concept) = self.policy.concepts.get(concept) else { return self.constant(0) };
        let inputs: Vec<NodeId> = concept.inputs.iter().map(|v| self.variable(*v)).collect();
        let domains: Vec<usize> =
            concept.inputs.iter().map(|v| self.policy.classes(*v).len()).collect();
        // A cut may have lost classes that no score reaches; the table covers what its inputs can take.
        let lows: Vec<i64> = inputs.iter().map(|n| self.graph.range(*n).0).collect();
        let sizes: Vec<usize> =
            inputs.iter().map(|n| self.graph.domain_size_of_range(*n)).collect();
        let mut arguments = vec![0usize; inputs.len()];
        let mut outputs = Vec::new();
        loop {
            let classes: Vec<usize> = arguments
                .iter()
                .zip(&lows)
                .map(|(a, low)| a + usize::try_from(*low).unwrap_or_default())
                .collect();
            outputs.push(position(match &concept.table {
                Table::Grid(cells) => {
                    let index = classes.iter().zip(&domains).fold(0, |index, (c, d)| index * d + c);
                    cells.get(index).copied().unwrap_or_default()
                }
                Table::FirstMatch(rules) => rules
                    .iter()
                    .find(|rule| {
                        rule.when.iter().zip(&classes).all(|(accepted, class)| {
                            accepted.as_ref().is_none_or(|accepted| accepted.contains(class))
                        })
                    })
                    .map_or(0, |rule| rule.then),
            }));
            if !advance(&mut arguments, &sizes) {
                break;
            }
        }
        self.table(inputs, outputs)
    }

    fn cut(&mut self, cut: usize) -> NodeId {
        let Some(cut) = self.policy.cuts.get(cut) else { return self.constant(0) };
        let input = self.score(cut.score);
        let (min, max) = self.graph.range(input);
        let first = position(cut.at.iter().filter(|t| **t <= min).count());
        let at: Vec<i64> = cut.at.iter().copied().filter(|t| *t > min && *t <= max).collect();
        if at.is_empty() {
            return self.constant(first);
        }
        let last = first + position(at.len());
        self.graph.add(Op::Cut { input, at, first }, (first, last))
    }

    fn score(&mut self, score: usize) -> NodeId {
        if let Some(node) = self.scores.get(&score) {
            return *node;
        }
        let Some(definition) = self.policy.scores.get(score) else { return self.constant(0) };
        let mut terms = Vec::new();
        for term in &definition.terms {
            match term {
                Term::Points { variable, points } => {
                    let class = self.variable(*variable);
                    let (low, high) = self.graph.range(class);
                    let outputs = (low..=high)
                        .map(|c| {
                            usize::try_from(c)
                                .ok()
                                .and_then(|c| points.get(c))
                                .copied()
                                .unwrap_or_default()
                        })
                        .collect();
                    terms.push((self.table(vec![class], outputs), 1));
                }
                Term::Weight { indicator, weight } => {
                    terms.push((self.indicator(*indicator), *weight))
                }
            }
        }
        let node = self.linear(terms, definition.constant);
        self.scores.insert(score, node);
        node
    }

    /// A node that is 1 when the condition holds, else 0.
    fn condition(&mut self, condition: &Condition) -> NodeId {
        let mut variables = Vec::new();
        collect(condition, &mut variables);
        variables.sort_unstable();
        variables.dedup();
        let nodes: Vec<NodeId> = variables.iter().map(|v| self.variable(*v)).collect();
        let sizes: Vec<usize> = nodes.iter().map(|n| self.graph.domain_size_of_range(*n)).collect();
        if combinations(sizes.iter().copied(), CONDITION_TABLE).is_some() {
            let lows: Vec<i64> = nodes.iter().map(|n| self.graph.range(*n).0).collect();
            let mut arguments = vec![0usize; nodes.len()];
            let mut outputs = Vec::new();
            loop {
                let class = |variable: Variable| {
                    let at = variables.iter().position(|v| *v == variable)?;
                    Some(arguments.get(at)? + usize::try_from(*lows.get(at)?).ok()?)
                };
                outputs.push(i64::from(holds(condition, &class)));
                if !advance(&mut arguments, &sizes) {
                    break;
                }
            }
            return self.table(nodes, outputs);
        }
        match condition {
            Condition::Is { variable, classes } => {
                let node = self.variable(*variable);
                let (low, high) = self.graph.range(node);
                let outputs = (low..=high)
                    .map(|c| i64::from(usize::try_from(c).is_ok_and(|c| classes.contains(&c))))
                    .collect();
                self.table(vec![node], outputs)
            }
            Condition::Not(inner) => {
                let node = self.condition(inner);
                let node = self.both_values(node);
                self.table(vec![node], vec![1, 0])
            }
            Condition::All(of) => self.count(of, of.len(), of.len()),
            Condition::Any(of) => self.count(of, 1, of.len()),
            Condition::Count { min, max, of } => self.count(of, *min, *max),
        }
    }

    fn count(&mut self, of: &[Condition], min: usize, max: usize) -> NodeId {
        let terms = of.iter().map(|c| (self.condition(c), 1)).collect();
        let sum = self.linear(terms, 0);
        let (low, high) = self.graph.range(sum);
        let outputs: Vec<i64> =
            (low..=high).map(|n| i64::from(n >= position(min) && n <= position(max))).collect();
        if outputs.iter().all(|o| Some(o) == outputs.first()) {
            return self.constant(outputs.first().copied().unwrap_or_default());
        }
        // Steps of the count, so that it stays a sum and a cut: 0 below, 1 between, 2 above.
        let at: Vec<i64> = [position(min), position(max) + 1]
            .into_iter()
            .filter(|t| *t > low && *t <= high)
            .collect();
        let first = i64::from(position(min) <= low);
        let last = first + position(at.len());
        let cut = self.graph.add(Op::Cut { input: sum, at, first }, (first, last));
        let outputs = (first..=last).map(|c| i64::from(c == 1)).collect();
        self.table(vec![cut], outputs)
    }

    fn linear(&mut self, terms: Vec<(NodeId, i64)>, constant: i64) -> NodeId {
        let mut merged: Vec<(NodeId, i64)> = Vec::new();
        let mut sum = constant;
        for (node, weight) in terms {
            let (min, max) = self.graph.range(node);
            if min == max {
                sum = sum.saturating_add(weight.saturating_mul(min));
            } else if let Some(found) = merged.iter_mut().find(|(n, _)| *n == node) {
                found.1 = found.1.saturating_add(weight);
            } else {
                merged.push((node, weight));
            }
        }
        merged.retain(|(_, weight)| *weight != 0);
        let range = merged.iter().fold((sum, sum), |(low, high), (node, weight)| {
            let (min, max) = self.graph.range(*node);
            let (a, b) = (weight.saturating_mul(min), weight.saturating_mul(max));
            (low.saturating_add(a.min(b)), high.saturating_add(a.max(b)))
        });
        self.graph.add(Op::Linear { terms: merged, constant: sum }, range)
    }

    fn table(&mut self, inputs: Vec<NodeId>, outputs: Vec<i64>) -> NodeId {
        let min = outputs.iter().copied().min().unwrap_or_default();
        let max = outputs.iter().copied().max().unwrap_or_default();
        if min == max {
            return self.constant(min);
        }
        self.graph.add(Op::Table { inputs, outputs }, (min, max))
    }

    fn constant(&mut self, value: i64) -> NodeId {
        self.graph.add(Op::Linear { terms: Vec::new(), constant: value }, (value, value))
    }

    /// A condition that is constant gets its full range 0..=1 back, so that tables over it have two rows.
    fn both_values(&mut self, node: NodeId) -> NodeId {
        let (min, max) = self.graph.range(node);
        if min == max {
            self.graph.nodes.push(super::graph::Node {
                op: Op::Linear { terms: Vec::new(), constant: min },
                range: (0, 1),
            });
            return self.graph.nodes.len() - 1;
        }
        node
    }
}

impl Graph {
    fn domain_size_of_range(&self, node: NodeId) -> usize {
        let (min, max) = self.range(node);
        usize::try_from(max.saturating_sub(min)).unwrap_or(usize::MAX).saturating_add(1)
    }
}

fn collect(condition: &Condition, variables: &mut Vec<Variable>) {
    match condition {
        Condition::Is { variable, .. } => variables.push(*variable),
        Condition::Not(inner) => collect(inner, variables),
        Condition::All(of) | Condition::Any(of) | Condition::Count { of, .. } => {
            of.iter().for_each(|c| collect(c, variables));
        }
    }
}

fn holds(condition: &Condition, class: &dyn Fn(Variable) -> Option<usize>) -> bool {
    match condition {
        Condition::Is { variable, classes } => {
            class(*variable).is_some_and(|c| classes.contains(&c))
        }
        Condition::Not(inner) => !holds(inner, class),
        Condition::All(of) => of.iter().all(|c| holds(c, class)),
        Condition::Any(of) => of.iter().any(|c| holds(c, class)),
        Condition::Count { min, max, of } => {
            let n = of.iter().filter(|c| holds(c, class)).count();
            n >= *min && n <= *max
        }
    }
}
