//! The driver: runs the passes for one engine's prices and keeps the cheapest circuit.

use super::fold::{Argument, Owner, fold, owner};
use super::narrow::Freedom;
use super::split::{Tree, root_values, split};
use super::{Layout, Prices, cluster, scale, select};
use crate::circuit::dense::Dense;
use crate::circuit::graph::{Graph, NodeId, Op};
use crate::circuit::{Circuit, Column, Inputs, Linear, Operand, Source, Step, compile};
use crate::model::Policy;
use std::collections::HashMap;

/// Search steps for all tables of one attempt; a step takes well under a microsecond.
const BUDGET: u64 = 10_000_000;
/// The deepest tree of lookups that is searched for.
const MOST_LOOKUPS: usize = 6;
/// With more cuts than this, only "all in tables" and "none in tables" are tried.
const MOST_CUTS_TRIED: usize = 3;

/// Why a policy has no circuit for an engine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReduceError {
    /// A sum is too wide, or its thresholds are too close together for its width.
    #[error(
        "a score with {values} different values cut at {thresholds} places is too wide for this engine: use fewer distinct amounts, or a common step for all points"
    )]
    CutTooWide {
        /// Values the sum takes after scaling.
        values: i64,
        /// Number of thresholds.
        thresholds: usize,
    },
    /// A decision on encrypted values has more classes than a lookup can tell apart.
    #[error(
        "a table over encrypted values tells {classes} classes of one value apart, and a lookup only {width}: merge classes, or let one agency decide them"
    )]
    TooManyClasses {
        /// Classes of the widest argument.
        classes: usize,
        /// Width of a lookup.
        width: usize,
    },
}

/// Reduces a policy to the cheapest circuit that the passes find for these prices.
pub fn reduce(
    policy: &Policy,
    layout: Layout,
    prices: &dyn Prices,
) -> Result<Circuit, ReduceError> {
    let mut graph = compile(policy);
    scale::scale(&mut graph);
    let cuts: Vec<NodeId> =
        (0..graph.nodes.len()).filter(|n| matches!(graph.op(*n), Some(Op::Cut { .. }))).collect();
    let choices: Vec<Vec<NodeId>> = if cuts.len() <= MOST_CUTS_TRIED {
        (0u32..1 << cuts.len())
            .map(|set| {
                cuts.iter()
                    .enumerate()
                    .filter(|(i, _)| set >> i & 1 == 1)
                    .map(|(_, c)| *c)
                    .collect()
            })
            .collect()
    } else {
        vec![Vec::new(), cuts]
    };
    let mut best: Option<(u32, Circuit)> = None;
    let mut refused = None;
    for open_cuts in choices {
        match attempt(&graph, layout, prices, &open_cuts) {
            Ok((price, circuit)) => {
                let better = best.as_ref().is_none_or(|(least, found)| {
                    (price, circuit.inputs.columns.len()) < (*least, found.inputs.columns.len())
                });
                if better {
                    best = Some((price, circuit));
                }
            }
            Err(error) => refused = Some(error),
        }
    }
    match (best, refused) {
        (Some((_, mut circuit)), _) => {
            circuit.inputs.add_gates(policy);
            Ok(circuit)
        }
        (None, Some(error)) => Err(error),
        (None, None) => Err(ReduceError::CutTooWide { values: 0, thresholds: 0 }),
    }
}

fn attempt(
    graph: &Graph,
    layout: Layout,
    prices: &dyn Prices,
    open_cuts: &[NodeId],
) -> Result<(u32, Circuit), ReduceError> {
    let mut readers: HashMap<NodeId, usize> = HashMap::new();
    for node in 0..graph.nodes.len() {
        for operand in graph.operands(node) {
            *readers.entry(operand).or_default() += 1;
        }
    }
    let mut reducer = Reducer {
        graph,
        layout,
        prices,
        open_cuts,
        readers,
        budget: BUDGET,
        price: 0,
        columns: Vec::new(),
        steps: Vec::new(),
        shared: HashMap::new(),
    };
    let output = reducer.value(graph.output, &|value| value)?;
    let price = reducer.price;
    let (columns, steps) = (reducer.columns, reducer.steps);
    Ok((price, Circuit { inputs: Inputs { graph: graph.clone(), layout, columns }, steps, output }))
}

struct Reducer<'a> {
    graph: &'a Graph,
    layout: Layout,
    prices: &'a dyn Prices,
    open_cuts: &'a [NodeId],
    readers: HashMap<NodeId, usize>,
    budget: u64,
    price: u32,
    columns: Vec<Column>,
    steps: Vec<Step>,
    /// Values with several readers, computed once.
    shared: HashMap<NodeId, Operand>,
}

impl Reducer<'_> {
    /// Emits a node as a sum whose value is `encode` of the node's value.
    fn value(&mut self, node: NodeId, encode: &dyn Fn(i64) -> i64) -> Result<Linear, ReduceError> {
        let (min, max) = self.graph.range(node);
        if min == max {
            return Ok(Linear { terms: Vec::new(), constant: encode(min) });
        }
        let leaves = match self.graph.op(node) {
            Some(Op::Cut { .. }) if !self.open_cuts.contains(&node) => vec![node],
            Some(Op::Input { .. }) => vec![node],
            _ => cluster::leaves(self.graph, node, self.open_cuts),
        };
        let table = cluster::tabulate(self.graph, node, &leaves);
        let table = Dense::tabulate(table.domains().to_vec(), |point| encode(table.at(point)));
        let owners: Vec<Owner> =
            leaves.iter().map(|l| owner(self.graph, *l, self.layout)).collect();
        // A cut gives its classes in order, so only neighbours can become one.
        let keep = |owner: Owner, classes: &[usize]| match owner {
            Owner::Local(_) => false,
            Owner::Shared(node) => {
                self.readers.get(&node).copied().unwrap_or_default() > 1
                    || (matches!(self.graph.op(node), Some(Op::Cut { .. }))
                        && !is_ascending(classes))
            }
        };
        let (arguments, dense) = fold(&table, &owners, &keep);
        if let [argument] = arguments.as_slice()
            && let Owner::Shared(leaf) = argument.owner
            && let Some(linear) = self.pass_through(leaf, argument, &dense)?
        {
            return Ok(linear);
        }
        self.table(&Folded { leaves: &leaves, arguments: &arguments }, &dense)
    }

    /// A table over one cut whose classes map to equally spaced values is no table at all.
    fn pass_through(
        &mut self,
        leaf: NodeId,
        argument: &Argument,
        folded: &Dense,
    ) -> Result<Option<Linear>, ReduceError> {
        if !matches!(self.graph.op(leaf), Some(Op::Cut { .. })) {
            return Ok(None);
        }
        let values = folded.values();
        let (Some(first), Some(second)) = (values.first(), values.get(1)) else { return Ok(None) };
        let step = second - first;
        let even = values.windows(2).all(|pair| matches!(pair, [a, b] if b - a == step));
        if !even {
            return Ok(None);
        }
        let operand = self.cut(leaf, &argument.classes)?;
        Ok(Some(Linear { terms: vec![(operand, step)], constant: *first }))
    }

    fn table(&mut self, folded: &Folded<'_>, table: &Dense) -> Result<Linear, ReduceError> {
        if let [constant] = table.values() {
            return Ok(Linear { terms: Vec::new(), constant: *constant });
        }
        let freedom: Vec<Freedom> = folded.arguments.iter().map(|a| self.freedom(a)).collect();
        let width = self.prices.width();
        match split(table, &freedom, width, MOST_LOOKUPS, &mut self.budget) {
            Some(tree) => {
                let values = root_values(table);
                self.tree(&tree, folded, &values)
            }
            None => self.selection(folded, table),
        }
    }

    fn freedom(&self, argument: &Argument) -> Freedom {
        match argument.owner {
            Owner::Local(_) => Freedom::Free,
            Owner::Shared(node) => match self.graph.op(node) {
                // A cut gives its classes in equal steps; another encoding would be another lookup.
                Some(Op::Cut { .. }) => Freedom::Multiple,
                _ if self.readers.get(&node).copied().unwrap_or_default() > 1 => Freedom::Multiple,
                _ => Freedom::Free,
            },
        }
    }

    /// Emits a tree; `values[class]` is what the root's classes become.
    fn tree(
        &mut self,
        tree: &Tree,
        folded: &Folded<'_>,
        values: &[i64],
    ) -> Result<Linear, ReduceError> {
        match tree {
            Tree::Argument(position) => {
                let Some(argument) = folded.arguments.get(*position) else {
                    return Ok(Linear::default());
                };
                self.argument(argument, folded.leaves, values)
            }
            Tree::Lookup { children, narrow } => {
                let mut input = Linear::default();
                for (child, offsets) in children.iter().zip(&narrow.offsets) {
                    let offsets: Vec<i64> =
                        offsets.iter().map(|o| i64::try_from(*o).unwrap_or(i64::MAX)).collect();
                    let part = self.tree(child, folded, &offsets)?;
                    input.add(part);
                }
                let table = narrow
                    .table
                    .iter()
                    .map(|class| class.and_then(|c| values.get(usize::try_from(c).ok()?)).copied())
                    .collect();
                Ok(Linear::of(self.lookup(input, table)))
            }
        }
    }

    /// Emits an argument so that its class `c` has the value `values[c]`.
    fn argument(
        &mut self,
        argument: &Argument,
        leaves: &[NodeId],
        values: &[i64],
    ) -> Result<Linear, ReduceError> {
        let value_at = |class: usize| values.get(class).copied().unwrap_or_default();
        match argument.owner {
            Owner::Local(_) => {
                let nodes: Vec<NodeId> =
                    argument.positions.iter().filter_map(|p| leaves.get(*p)).copied().collect();
                let outputs: Vec<i64> = argument.classes.iter().map(|c| value_at(*c)).collect();
                Ok(Linear::of(self.column(Source::Table { nodes, outputs })))
            }
            Owner::Shared(node) if matches!(self.graph.op(node), Some(Op::Cut { .. })) => {
                let operand = self.cut(node, &argument.classes)?;
                let step = value_at(1) - value_at(0);
                Ok(Linear { terms: vec![(operand, step)], constant: value_at(0) })
            }
            Owner::Shared(node) if self.readers.get(&node).copied().unwrap_or_default() > 1 => {
                let operand = match self.shared.get(&node) {
                    Some(operand) => *operand,
                    None => {
                        let domain = self.graph.domain(node);
                        let encoded = self.value(node, &|value| position_of(&domain, value))?;
                        let operand = match encoded.terms.as_slice() {
                            [(operand, 1)] if encoded.constant == 0 => *operand,
                            _ => self.identity(encoded, domain.len()),
                        };
                        self.shared.insert(node, operand);
                        operand
                    }
                };
                let step = value_at(1) - value_at(0);
                Ok(Linear { terms: vec![(operand, step)], constant: value_at(0) })
            }
            Owner::Shared(node) => {
                let domain = self.graph.domain(node);
                let classes = argument.classes.clone();
                self.value(node, &|value| {
                    let position = usize::try_from(position_of(&domain, value)).unwrap_or_default();
                    value_at(classes.get(position).copied().unwrap_or_default())
                })
            }
        }
    }

    /// Emits a table by fixing one argument; see [`select`].
    fn selection(&mut self, folded: &Folded<'_>, table: &Dense) -> Result<Linear, ReduceError> {
        let width = self.prices.width();
        let mut result = Linear::default();
        for part in select::summands(table, width / 2) {
            let Some(fixed) = select::argument_to_fix(&part) else {
                result.constant = result
                    .constant
                    .saturating_add(part.values().first().copied().unwrap_or_default());
                continue;
            };
            let Some(argument) = folded.arguments.get(fixed) else { continue };
            let mut values: Vec<i64> = part.values().to_vec();
            values.push(0);
            values.sort_unstable();
            values.dedup();
            let off = values.len();
            for class in 0..argument.count {
                let restricted = select::restrict(&part, fixed, class);
                let flag: Vec<i64> = (0..argument.count)
                    .map(|c| if c == class { 0 } else { i64::try_from(off).unwrap_or(i64::MAX) })
                    .collect();
                let mut input = self.flag(argument, folded.leaves, &flag)?;
                let encoded = Dense::tabulate(restricted.domains().to_vec(), |point| {
                    position_of(&values, restricted.at(point))
                });
                input.add(self.restricted(folded, &encoded)?);
                let table: Vec<Option<i64>> = (0..2 * off)
                    .map(|sum| Some(values.get(sum).copied().unwrap_or_default()))
                    .collect();
                result.add(Linear::of(self.lookup(input, table)));
            }
        }
        Ok(result)
    }

    /// A flag column, or a lookup that makes one out of an encrypted value.
    fn flag(
        &mut self,
        argument: &Argument,
        leaves: &[NodeId],
        flag: &[i64],
    ) -> Result<Linear, ReduceError> {
        if matches!(argument.owner, Owner::Local(_)) {
            return self.argument(argument, leaves, flag);
        }
        let width = self.prices.width();
        if argument.count > width {
            return Err(ReduceError::TooManyClasses { classes: argument.count, width });
        }
        let identity: Vec<i64> =
            (0..argument.count).map(|c| i64::try_from(c).unwrap_or(i64::MAX)).collect();
        let input = self.argument(argument, leaves, &identity)?;
        Ok(Linear::of(self.lookup(input, flag.iter().map(|f| Some(*f)).collect())))
    }

    /// A table in which fixed arguments have one class left: drops and merges those, then emits it.
    fn restricted(&mut self, folded: &Folded<'_>, table: &Dense) -> Result<Linear, ReduceError> {
        let mut arguments = Vec::new();
        let mut kept = Vec::new();
        for (position, argument) in folded.arguments.iter().enumerate() {
            let (classes, count) = match self.freedom(argument) {
                Freedom::Free => table.classes(&[position]),
                Freedom::Multiple => {
                    let count = table.domains().get(position).copied().unwrap_or(1);
                    let decides = table.classes(&[position]).1 > 1;
                    ((0..count).collect(), if decides { count } else { 1 })
                }
            };
            if count <= 1 {
                continue;
            }
            let mut representative = vec![0usize; count];
            for (class, merged) in classes.iter().enumerate().rev() {
                if let Some(slot) = representative.get_mut(*merged) {
                    *slot = class;
                }
            }
            let joint = argument
                .classes
                .iter()
                .map(|c| classes.get(*c).copied().unwrap_or_default())
                .collect();
            arguments.push(Argument { classes: joint, count, ..argument.clone() });
            kept.push((position, representative));
        }
        let merged = Dense::tabulate(arguments.iter().map(|a| a.count).collect(), |point| {
            let mut original = vec![0usize; folded.arguments.len()];
            for ((position, representative), class) in kept.iter().zip(point) {
                if let Some(cell) = original.get_mut(*position) {
                    *cell = representative.get(*class).copied().unwrap_or_default();
                }
            }
            table.at(&original)
        });
        self.table(&Folded { leaves: folded.leaves, arguments: &arguments }, &merged)
    }

    /// Emits a cut whose classes are merged by `classes` (ascending).
    fn cut(&mut self, node: NodeId, classes: &[usize]) -> Result<Operand, ReduceError> {
        if let Some(operand) = self.shared.get(&node) {
            return Ok(*operand);
        }
        let Some(Op::Cut { input, at, .. }) = self.graph.op(node).cloned() else {
            return Ok(Operand::Step(0));
        };
        let (_, max) = self.graph.range(input);
        let at: Vec<i64> = at
            .iter()
            .zip(classes.windows(2))
            .filter(|(_, pair)| matches!(pair, [a, b] if a != b))
            .map(|(threshold, _)| *threshold)
            .collect();
        let refused =
            ReduceError::CutTooWide { values: max.saturating_add(1), thresholds: at.len() };
        let price = self.prices.cut(max, &at).ok_or(refused)?;
        let sum = self.sum(input)?;
        self.price = self.price.saturating_add(price);
        self.steps.push(Step::Cut { input: sum, max, at, first: 0 });
        let operand = Operand::Step(self.steps.len() - 1);
        self.shared.insert(node, operand);
        Ok(operand)
    }

    /// Emits a scaled sum: one subtotal for each owner, one lookup for each shared term.
    fn sum(&mut self, node: NodeId) -> Result<Linear, ReduceError> {
        let Some(Op::Linear { terms, constant }) = self.graph.op(node).cloned() else {
            return self.value(node, &|value| value);
        };
        let mut result = Linear { terms: Vec::new(), constant };
        let mut local: Vec<(Owner, Vec<(NodeId, i64)>)> = Vec::new();
        for (term, weight) in terms {
            let owner = owner(self.graph, term, self.layout);
            if let Owner::Shared(_) = owner {
                let part = self.value(term, &|value| value.saturating_mul(weight))?;
                result.add(part);
            } else if let Some((_, list)) = local.iter_mut().find(|(o, _)| *o == owner) {
                list.push((term, weight));
            } else {
                local.push((owner, vec![(term, weight)]));
            }
        }
        for (_, terms) in local {
            let column = self.column(Source::Sum { terms, constant: 0 });
            result.add(Linear::of(column));
        }
        Ok(result)
    }

    fn column(&mut self, source: Source) -> Operand {
        if let Some(found) = self.columns.iter().position(|c| c.source == source) {
            return Operand::Column(found);
        }
        self.columns.push(Column::new(self.graph, source));
        Operand::Column(self.columns.len() - 1)
    }

    fn lookup(&mut self, input: Linear, table: Vec<Option<i64>>) -> Operand {
        self.price = self.price.saturating_add(1);
        self.steps.push(Step::Lookup { input, table });
        Operand::Step(self.steps.len() - 1)
    }

    fn identity(&mut self, input: Linear, values: usize) -> Operand {
        self.lookup(input, (0..values).map(|v| i64::try_from(v).ok()).collect())
    }
}

/// A folded table's arguments and the leaves they came from.
struct Folded<'a> {
    leaves: &'a [NodeId],
    arguments: &'a [Argument],
}

fn position_of(domain: &[i64], value: i64) -> i64 {
    i64::try_from(domain.binary_search(&value).unwrap_or_default()).unwrap_or_default()
}

fn is_ascending(classes: &[usize]) -> bool {
    classes.windows(2).all(|pair| matches!(pair, [a, b] if a <= b))
}

impl Linear {
    /// Adds another sum.
    pub fn add(&mut self, other: Self) {
        self.constant = self.constant.saturating_add(other.constant);
        for (operand, weight) in other.terms {
            match self.terms.iter_mut().find(|(o, _)| *o == operand) {
                Some((_, sum)) => *sum = sum.saturating_add(weight),
                None => self.terms.push((operand, weight)),
            }
        }
    }
}
