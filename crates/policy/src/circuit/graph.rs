//! The decision graph: the policy with its names gone, before anything is optimised.
//!
//! Every value has a known range. Nodes refer only to earlier nodes.

use crate::model::Policy;
use serde::Serialize;

/// Position of a node.
pub type NodeId = usize;

/// One value of the graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Node {
    /// How it is computed.
    pub op: Op,
    /// Smallest and largest value it can take.
    pub range: (i64, i64),
}

/// How a value is computed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// An indicator's value.
    Input {
        /// Position of the indicator.
        indicator: usize,
    },
    /// `Σ weight · node + constant`.
    Linear {
        /// Nodes and their weights.
        terms: Vec<(NodeId, i64)>,
        /// Added to the sum.
        constant: i64,
    },
    /// A decision table over the whole ranges of its inputs, the last input varying fastest.
    Table {
        /// Inputs.
        inputs: Vec<NodeId>,
        /// One value per combination.
        outputs: Vec<i64>,
    },
    /// `first` plus the number of thresholds that the input reaches.
    Cut {
        /// Input.
        input: NodeId,
        /// Ascending thresholds.
        at: Vec<i64>,
        /// Value below the first threshold.
        first: i64,
    },
}

/// A policy as a graph whose last word is the tier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Graph {
    /// Nodes in topological order.
    pub nodes: Vec<Node>,
    /// The node that holds the tier's position.
    pub output: NodeId,
    /// Agency of every indicator.
    pub agencies: Vec<usize>,
    /// What every indicator is for a family that the register does not know.
    pub missing: Vec<i64>,
}

impl Graph {
    /// An empty graph over the policy's indicators.
    pub fn new(policy: &Policy) -> Self {
        Self {
            nodes: Vec::new(),
            output: 0,
            agencies: policy.indicators.iter().map(|i| i.agency).collect(),
            missing: policy.missing_values(),
        }
    }

    /// Adds a node, or finds the equal one that is there already.
    pub fn add(&mut self, op: Op, range: (i64, i64)) -> NodeId {
        if let Some(found) = self.nodes.iter().position(|n| n.op == op) {
            return found;
        }
        self.nodes.push(Node { op, range });
        self.nodes.len() - 1
    }

    /// Range of a node.
    pub fn range(&self, node: NodeId) -> (i64, i64) {
        self.nodes.get(node).map_or((0, 0), |n| n.range)
    }

    /// Operation of a node.
    pub fn op(&self, node: NodeId) -> Option<&Op> {
        self.nodes.get(node).map(|n| &n.op)
    }

    /// The values a node can take, ascending, without repetition.
    pub fn domain(&self, node: NodeId) -> Vec<i64> {
        let (min, max) = self.range(node);
        match self.op(node) {
            Some(Op::Table { outputs, .. }) => {
                let mut values = outputs.clone();
                values.sort_unstable();
                values.dedup();
                values
            }
            _ => (min..=max).collect(),
        }
    }

    /// How many values [`Graph::domain`] lists.
    pub fn domain_size(&self, node: NodeId) -> usize {
        match self.op(node) {
            Some(Op::Table { .. }) => self.domain(node).len(),
            _ => {
                let (min, max) = self.range(node);
                usize::try_from(max.saturating_sub(min)).unwrap_or(usize::MAX).saturating_add(1)
            }
        }
    }

    /// The nodes an operation reads.
    pub fn operands(&self, node: NodeId) -> Vec<NodeId> {
        match self.op(node) {
            Some(Op::Linear { terms, .. }) => terms.iter().map(|(n, _)| *n).collect(),
            Some(Op::Table { inputs, .. }) => inputs.clone(),
            Some(Op::Cut { input, .. }) => vec![*input],
            Some(Op::Input { .. }) | None => Vec::new(),
        }
    }

    /// The indicators a node depends on, ascending.
    pub fn indicators(&self, node: NodeId) -> Vec<usize> {
        let mut seen = vec![false; self.nodes.len()];
        let mut pending = vec![node];
        let mut found = Vec::new();
        while let Some(next) = pending.pop() {
            let Some(mark) = seen.get_mut(next) else { continue };
            if std::mem::replace(mark, true) {
                continue;
            }
            if let Some(Op::Input { indicator }) = self.op(next) {
                found.push(*indicator);
            }
            pending.extend(self.operands(next));
        }
        found.sort_unstable();
        found
    }

    /// Computes one node, reading nodes in `known` as given and indicators through `input`.
    pub fn value(
        &self,
        node: NodeId,
        known: &[(NodeId, i64)],
        input: &mut dyn FnMut(usize) -> i64,
    ) -> i64 {
        if let Some((_, value)) = known.iter().find(|(n, _)| *n == node) {
            return *value;
        }
        match self.op(node) {
            // What stands for an unknown value is beyond the range; another column says that it is unknown.
            Some(Op::Input { indicator }) => {
                let (min, max) = self.range(node);
                input(*indicator).clamp(min, max)
            }
            Some(Op::Linear { terms, constant }) => terms.iter().fold(*constant, |sum, (n, w)| {
                sum.saturating_add(w.saturating_mul(self.value(*n, known, input)))
            }),
            Some(Op::Table { inputs, outputs }) => {
                let mut index = 0usize;
                for n in inputs {
                    let (min, max) = self.range(*n);
                    let size = usize::try_from(max - min).unwrap_or_default() + 1;
                    let value = self.value(*n, known, input).clamp(min, max);
                    index = index.saturating_mul(size)
                        + usize::try_from(value - min).unwrap_or_default();
                }
                outputs.get(index).copied().unwrap_or_default()
            }
            Some(Op::Cut { input: n, at, first }) => {
                let value = self.value(*n, known, input);
                at.iter().filter(|t| value >= **t).fold(*first, |class, _| class + 1)
            }
            None => 0,
        }
    }

    /// The tier's position for these indicator values, in the order of the policy.
    pub fn evaluate(&self, values: &[i64]) -> i64 {
        self.value(self.output, &[], &mut |i| values.get(i).copied().unwrap_or_default())
    }
}
