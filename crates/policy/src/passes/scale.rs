//! Range analysis of scores: every cut score is shifted to start at zero and divided by the largest step
//! that all its amounts share, because a lookup's price grows with the number of values it may see.
//!
//! `floor` is the smallest sum and `step` the greatest common divisor of all differences; a threshold `t`
//! on the sum is the threshold `⌈(t − floor) / step⌉` on the scaled sum.

use crate::circuit::graph::{Graph, NodeId, Op};

/// Rewrites every cut of a sum to the scaled sum.
pub fn scale(graph: &mut Graph) {
    let cuts: Vec<NodeId> = (0..graph.nodes.len()).collect();
    let mut rewritten = Graph {
        nodes: Vec::new(),
        output: 0,
        agencies: graph.agencies.clone(),
        missing: graph.missing.clone(),
    };
    // Scaled sums are inserted before the cut that reads them, so positions move: `place[old] = new`.
    let mut place: Vec<NodeId> = Vec::with_capacity(graph.nodes.len());
    let at_place = |place: &[NodeId], old: NodeId| place.get(old).copied().unwrap_or_default();
    for id in cuts {
        let Some(node) = graph.nodes.get(id) else { continue };
        let moved = match &node.op {
            Op::Input { .. } => rewritten.push(node.op.clone(), node.range),
            Op::Linear { terms, constant } => {
                let terms = terms.iter().map(|(n, w)| (at_place(&place, *n), *w)).collect();
                rewritten.push(Op::Linear { terms, constant: *constant }, node.range)
            }
            Op::Table { inputs, outputs } => {
                let inputs = inputs.iter().map(|n| at_place(&place, *n)).collect();
                rewritten.push(Op::Table { inputs, outputs: outputs.clone() }, node.range)
            }
            Op::Cut { input, at, first } => {
                let source = at_place(&place, *input);
                let (input, floor, step) = scaled(&mut rewritten, source);
                let at = at.iter().map(|t| ceil_div(t.saturating_sub(floor), step)).collect();
                rewritten.push(Op::Cut { input, at, first: *first }, node.range)
            }
        };
        place.push(moved);
    }
    rewritten.output = at_place(&place, graph.output);
    *graph = rewritten;
}

/// Adds the scaled form of a sum; returns it with the sum's floor and step.
fn scaled(graph: &mut Graph, sum: NodeId) -> (NodeId, i64, i64) {
    let Some(Op::Linear { terms, constant }) = graph.op(sum).cloned() else { return (sum, 0, 1) };
    let mut floor = constant;
    let mut step = 0u64;
    for (node, weight) in &terms {
        let domain = match graph.op(*node) {
            Some(Op::Table { .. }) => graph.domain(*node),
            _ => {
                let (min, _) = graph.range(*node);
                vec![min, min.saturating_add(1)]
            }
        };
        let (min, max) = graph.range(*node);
        floor = floor.saturating_add(weight.saturating_mul(min).min(weight.saturating_mul(max)));
        for pair in domain.windows(2) {
            if let [a, b] = pair {
                step = gcd(step, b.saturating_sub(*a).saturating_mul(*weight).unsigned_abs());
            }
        }
    }
    let step = i64::try_from(step.max(1)).unwrap_or(1);
    let mut scaled = Vec::with_capacity(terms.len());
    let mut offset = 0i64;
    let mut high = 0i64;
    for (node, weight) in terms {
        let (min, max) = graph.range(node);
        let span = max.saturating_sub(min).saturating_mul(weight.saturating_abs()) / step;
        high = high.saturating_add(span);
        match graph.op(node).cloned() {
            Some(Op::Table { inputs, outputs }) => {
                let low = weight.saturating_mul(min).min(weight.saturating_mul(max));
                let outputs = outputs
                    .iter()
                    .map(|o| (o.saturating_mul(weight).saturating_sub(low)) / step)
                    .collect();
                scaled.push((graph.push(Op::Table { inputs, outputs }, (0, span)), 1));
            }
            _ => {
                let weight = weight / step;
                offset = offset
                    .saturating_sub(weight.saturating_mul(min).min(weight.saturating_mul(max)));
                scaled.push((node, weight));
            }
        }
    }
    (graph.push(Op::Linear { terms: scaled, constant: offset }, (0, high)), floor, step)
}

impl Graph {
    fn push(&mut self, op: Op, range: (i64, i64)) -> NodeId {
        self.nodes.push(crate::circuit::graph::Node { op, range });
        self.nodes.len() - 1
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn ceil_div(a: i64, b: i64) -> i64 {
    a.div_euclid(b) + i64::from(a.rem_euclid(b) != 0)
}
