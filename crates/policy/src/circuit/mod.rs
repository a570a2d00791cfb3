//! The circuit: what agencies encrypt and what the evaluator computes, the same for every engine.
//!
//! A circuit has columns, each computed in the clear by one agency, and steps on encrypted values. Sums with
//! integer weights are free or nearly free in every engine; a step is the only costly thing.

mod compile;
pub mod dense;
pub mod graph;

pub use compile::compile;

use crate::passes::Layout;
use crate::{OPTED_OUT_NUMBER, OptOut, Policy, UNDECIDED_NUMBER};
use graph::{Graph, NodeId};
use serde::Serialize;

/// What agencies encrypt, and how they compute it. The one part of a circuit that every engine shares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Inputs {
    /// The decision graph, of which agencies evaluate their own parts.
    pub graph: Graph,
    /// How indicators were grouped.
    pub layout: Layout,
    /// One encrypted value a family each.
    pub columns: Vec<Column>,
}

/// A reduced circuit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Circuit {
    /// What agencies encrypt.
    pub inputs: Inputs,
    /// What the evaluator computes, in order.
    pub steps: Vec<Step>,
    /// The tier's position.
    pub output: Linear,
}

/// One encrypted value per family, computed in the clear by one agency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Position of the agency.
    pub agency: usize,
    /// How its value follows from the graph.
    pub source: Source,
    /// Smallest and largest value.
    pub range: (i64, i64),
}

/// How a column's value follows from the graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A table over the values of nodes, each over the positions of [`Graph::domain`], the last fastest.
    Table {
        /// Nodes that depend on this agency only.
        nodes: Vec<NodeId>,
        /// Value by combination.
        outputs: Vec<i64>,
    },
    /// A subtotal of a score.
    Sum {
        /// Nodes that depend on this agency only, with weights.
        terms: Vec<(NodeId, i64)>,
        /// Added to the sum.
        constant: i64,
    },
    /// 1 if one of these values is not known, else 0: the tier then cannot be decided.
    Unknown {
        /// Required indicators of one agency, each with its largest known value.
        indicators: Vec<(usize, i64)>,
    },
    /// 1 if the family said no, else 0. The registrar's.
    OptOut {
        /// What stands for the registrar's list among indicators: the number of indicators.
        indicator: usize,
    },
    /// 1 if all of these values are known, else 0: only then the family is counted.
    Known {
        /// Required indicators of one agency, each with its largest known value.
        indicators: Vec<(usize, i64)>,
    },
    /// 1 if the family belongs to a group that statistics are published about and did not say no, else 0. The
    /// registrar's.
    Group {
        /// What stands for the group among indicators: the groups follow the registrar's list.
        indicator: usize,
        /// What stands for the registrar's list.
        opt_out: usize,
    },
}

/// Something a sum can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Operand {
    /// A column, by position.
    Column(usize),
    /// The result of a step, by position.
    Step(usize),
}

/// `Σ weight · operand + constant`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Linear {
    /// Operands and weights.
    pub terms: Vec<(Operand, i64)>,
    /// Added to the sum.
    pub constant: i64,
}

/// One costly step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// A table of one sum, whose values lie in `0..table.len()`.
    Lookup {
        /// The sum.
        input: Linear,
        /// Result by value; `None` where no family falls.
        table: Vec<Option<i64>>,
    },
    /// `first` plus the number of thresholds that a sum reaches.
    Cut {
        /// The sum.
        input: Linear,
        /// Largest value of the sum; the smallest is 0.
        max: i64,
        /// Ascending thresholds in `1..=max`.
        at: Vec<i64>,
        /// Result below the first threshold.
        first: i64,
    },
}

impl Column {
    /// A column over nodes that depend on one agency only; agency and range follow from the source.
    pub fn new(graph: &Graph, source: Source) -> Self {
        let (nodes, range): (Vec<NodeId>, (i64, i64)) = match &source {
            Source::Table { nodes, outputs } => (
                nodes.clone(),
                (
                    outputs.iter().copied().min().unwrap_or_default(),
                    outputs.iter().copied().max().unwrap_or_default(),
                ),
            ),
            Source::Sum { terms, constant } => (
                terms.iter().map(|(n, _)| *n).collect(),
                terms.iter().fold((*constant, *constant), |(low, high), (n, w)| {
                    let (min, max) = graph.range(*n);
                    let (a, b) = (w.saturating_mul(min), w.saturating_mul(max));
                    (low.saturating_add(a.min(b)), high.saturating_add(a.max(b)))
                }),
            ),
            Source::Unknown { .. }
            | Source::OptOut { .. }
            | Source::Known { .. }
            | Source::Group { .. } => (Vec::new(), (0, 1)),
        };
        let agency = nodes
            .first()
            .and_then(|n| graph.indicators(*n).first().copied())
            .and_then(|i| graph.agencies.get(i).copied())
            .unwrap_or_default();
        Self { agency, source, range }
    }
}

impl Inputs {
    /// Adds the columns that may take a tier's place, behind all others: for every agency with required indicators
    /// whether one of them is not known, and the registrar's opt-outs. The registrar's position is the number of agencies.
    /// Does nothing if they are there.
    pub fn add_gates(&mut self, policy: &Policy) {
        if self.columns.iter().any(Column::is_gate) {
            return;
        }
        for (agency, indicators) in required(policy) {
            let source = Source::Unknown { indicators };
            self.columns.push(Column { agency, source, range: (0, 1) });
        }
        if policy.opt_out == OptOut::Neutral {
            let source = Source::OptOut { indicator: policy.indicators.len() };
            self.columns.push(Column { agency: policy.agencies.len(), source, range: (0, 1) });
        }
    }

    /// Adds the columns that statistics need, behind all others: for every agency with required indicators whether all
    /// of them are known, and the registrar's, one a group. Does nothing without groups.
    pub fn add_groups(&mut self, policy: &Policy, groups: u32) {
        if groups == 0 {
            return;
        }
        for (agency, indicators) in required(policy) {
            let source = Source::Known { indicators };
            self.columns.push(Column { agency, source, range: (0, 1) });
        }
        let opt_out = policy.indicators.len();
        for group in 1..=usize::try_from(groups).unwrap_or(usize::MAX) {
            let source = Source::Group { indicator: opt_out.saturating_add(group), opt_out };
            self.columns.push(Column { agency: policy.agencies.len(), source, range: (0, 1) });
        }
    }

    /// Positions of the columns that say that a family may be counted.
    pub fn known_columns(&self) -> Vec<usize> {
        self.positions(|source| matches!(source, Source::Known { .. }))
    }

    /// Positions of the columns that say to which group a family belongs, one a group.
    pub fn group_columns(&self) -> Vec<usize> {
        self.positions(|source| matches!(source, Source::Group { .. }))
    }

    /// Positions of the columns that say that the tier cannot be decided.
    pub fn unknown_columns(&self) -> Vec<usize> {
        self.positions(|source| matches!(source, Source::Unknown { .. }))
    }

    /// Position of the column that says that the family said no.
    pub fn opt_out_column(&self) -> Option<usize> {
        self.positions(|source| matches!(source, Source::OptOut { .. })).first().copied()
    }

    fn positions(&self, wanted: impl Fn(&Source) -> bool) -> Vec<usize> {
        let columns = self.columns.iter().enumerate();
        columns.filter(|(_, column)| wanted(&column.source)).map(|(position, _)| position).collect()
    }

    /// Positions of an agency's columns.
    pub fn columns_of(&self, agency: usize) -> Vec<usize> {
        self.columns
            .iter()
            .enumerate()
            .filter(|(_, c)| c.agency == agency)
            .map(|(p, _)| p)
            .collect()
    }

    /// Positions of those that have columns, ascending: agencies, and behind them the registrar.
    pub fn submitters(&self) -> Vec<usize> {
        let mut agencies: Vec<usize> = self.columns.iter().map(|c| c.agency).collect();
        agencies.sort_unstable();
        agencies.dedup();
        agencies
    }

    /// The clear value of a column. `input` gives an indicator's value and is asked only for indicators of
    /// the column's agency; of the registrar's columns for the number of indicators, which stands for its list (1 for a
    /// family that said no), and for the numbers behind it, which stand for the groups (1 for a family that belongs to it).
    pub fn column_value(&self, column: usize, input: &mut dyn FnMut(usize) -> i64) -> i64 {
        match self.columns.get(column).map(|c| &c.source) {
            Some(Source::Table { nodes, outputs }) => {
                let mut index = 0usize;
                for node in nodes {
                    let value = self.graph.value(*node, &[], input);
                    let (position, size) = position_in_domain(&self.graph, *node, value);
                    index = index.saturating_mul(size).saturating_add(position);
                }
                outputs.get(index).copied().unwrap_or_default()
            }
            Some(Source::Sum { terms, constant }) => {
                terms.iter().fold(*constant, |sum, (node, weight)| {
                    sum.saturating_add(weight.saturating_mul(self.graph.value(*node, &[], input)))
                })
            }
            Some(Source::Unknown { indicators }) => {
                let unknown = |(i, largest): &(usize, i64)| i64::from(input(*i) > *largest);
                // All of them are asked, so that the time does not depend on which is unknown.
                indicators.iter().map(unknown).fold(0, |any, one| any | one)
            }
            Some(Source::OptOut { indicator }) => input(*indicator),
            Some(Source::Known { indicators }) => {
                let known = |(i, largest): &(usize, i64)| i64::from(input(*i) <= *largest);
                indicators.iter().map(known).fold(1, |all, one| all & one)
            }
            Some(Source::Group { indicator, opt_out }) => input(*indicator) & !input(*opt_out) & 1,
            None => 0,
        }
    }

    /// What a column is for a family that no register knows, and that did not say no.
    pub fn missing_value(&self, column: usize) -> i64 {
        self.column_value(column, &mut |i| self.graph.missing.get(i).copied().unwrap_or_default())
    }

    /// The clear values of all columns, from indicator values in the order of the policy and, behind them, 1 if the
    /// family said no and 1 for each group that it belongs to.
    pub fn column_values(&self, values: &[i64]) -> Vec<i64> {
        (0..self.columns.len())
            .map(|c| self.column_value(c, &mut |i| values.get(i).copied().unwrap_or_default()))
            .collect()
    }
}

impl Circuit {
    /// Runs the circuit in the clear on indicator values in the order of the policy and, behind them, 1 if the family
    /// said no. The result is a tier's position or a reserved number.
    pub fn evaluate(&self, values: &[i64]) -> i64 {
        self.evaluate_columns(&self.inputs.column_values(values))
    }

    /// Runs the steps in the clear on column values.
    pub fn evaluate_columns(&self, columns: &[i64]) -> i64 {
        let mut results: Vec<i64> = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let result = match step {
                Step::Lookup { input, table } => usize::try_from(input.value(columns, &results))
                    .ok()
                    .and_then(|sum| table.get(sum).copied().flatten())
                    .unwrap_or_default(),
                Step::Cut { input, at, first, .. } => {
                    let sum = input.value(columns, &results);
                    at.iter().filter(|t| sum >= **t).fold(*first, |class, _| class + 1)
                }
            };
            results.push(result);
        }
        let says = |column: usize| columns.get(column).is_some_and(|value| *value != 0);
        if self.inputs.opt_out_column().is_some_and(says) {
            return i64::from(OPTED_OUT_NUMBER);
        }
        if self.inputs.unknown_columns().into_iter().any(says) {
            return i64::from(UNDECIDED_NUMBER);
        }
        self.output.value(columns, &results)
    }
}

impl Column {
    /// Whether it can take a tier's place.
    pub fn is_gate(&self) -> bool {
        matches!(self.source, Source::Unknown { .. } | Source::OptOut { .. })
    }
}

/// The agencies with required indicators, each with these and their largest known values.
fn required(policy: &Policy) -> impl Iterator<Item = (usize, Vec<(usize, i64)>)> {
    (0..policy.agencies.len()).filter_map(|agency| {
        let indicators: Vec<(usize, i64)> = policy
            .indicators
            .iter()
            .enumerate()
            .filter(|(_, indicator)| indicator.agency == agency && indicator.is_required())
            .map(|(position, indicator)| (position, indicator.range().1))
            .collect();
        (!indicators.is_empty()).then_some((agency, indicators))
    })
}

/// Position of a value in [`Graph::domain`], and the size of that domain.
fn position_in_domain(graph: &Graph, node: NodeId, value: i64) -> (usize, usize) {
    match graph.op(node) {
        Some(graph::Op::Table { .. }) => {
            let domain = graph.domain(node);
            (domain.binary_search(&value).unwrap_or_default(), domain.len())
        }
        _ => {
            let (min, max) = graph.range(node);
            let position = usize::try_from(value.clamp(min, max) - min).unwrap_or_default();
            (position, graph.domain_size(node))
        }
    }
}

impl Linear {
    /// One operand, unscaled.
    pub fn of(operand: Operand) -> Self {
        Self { terms: vec![(operand, 1)], constant: 0 }
    }

    /// The sum, given the values of columns and steps.
    pub fn value(&self, columns: &[i64], steps: &[i64]) -> i64 {
        self.terms.iter().fold(self.constant, |sum, (operand, weight)| {
            let value = match operand {
                Operand::Column(c) => columns.get(*c),
                Operand::Step(s) => steps.get(*s),
            };
            sum.saturating_add(weight.saturating_mul(value.copied().unwrap_or_default()))
        })
    }
}
