//! Clusters: connected tables become one table over their leaves where that table stays small, so that the
//! later passes see what really depends on what instead of how the author cut it up.

use crate::circuit::dense::{Dense, combinations};
use crate::circuit::graph::{Graph, NodeId, Op};
use crate::model::MAX_TABLE;

/// The leaves of the largest cluster under `root`: nodes that stay values of their own. Cuts outside
/// `open_cuts` are never looked into.
pub fn leaves(graph: &Graph, root: NodeId, open_cuts: &[NodeId]) -> Vec<NodeId> {
    let mut leaves = expand(graph, root);
    let mut closed: Vec<NodeId> = Vec::new();
    loop {
        let candidate = leaves
            .iter()
            .copied()
            .filter(|leaf| !closed.contains(leaf))
            .filter(|leaf| match graph.op(*leaf) {
                Some(Op::Table { .. } | Op::Linear { .. }) => true,
                Some(Op::Cut { .. }) => open_cuts.contains(leaf),
                _ => false,
            })
            .max();
        let Some(candidate) = candidate else { break };
        let mut wider: Vec<NodeId> = leaves.iter().copied().filter(|l| *l != candidate).collect();
        wider.extend(expand(graph, candidate));
        wider.sort_unstable();
        wider.dedup();
        match combinations(wider.iter().map(|l| graph.domain_size(*l)), MAX_TABLE) {
            Some(_) => leaves = wider,
            None => closed.push(candidate),
        }
    }
    leaves
}

/// What a node reads, looking through sums.
fn expand(graph: &Graph, node: NodeId) -> Vec<NodeId> {
    let mut found = Vec::new();
    let mut pending = graph.operands(node);
    while let Some(next) = pending.pop() {
        match graph.op(next) {
            Some(Op::Linear { .. }) => pending.extend(graph.operands(next)),
            _ => found.push(next),
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// The cluster's table: the value of `root` for every combination of the leaves' domains.
pub fn tabulate(graph: &Graph, root: NodeId, leaves: &[NodeId]) -> Dense {
    let domains: Vec<Vec<i64>> = leaves.iter().map(|l| graph.domain(*l)).collect();
    Dense::tabulate(domains.iter().map(Vec::len).collect(), |positions| {
        let known: Vec<(NodeId, i64)> = leaves
            .iter()
            .zip(&domains)
            .zip(positions)
            .map(|((leaf, domain), position)| {
                (*leaf, domain.get(*position).copied().unwrap_or_default())
            })
            .collect();
        graph.value(root, &known, &mut |_| 0)
    })
}
