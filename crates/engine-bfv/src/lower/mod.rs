//! Policy → program.
//!
//! An agency may send any function of what it holds, so a column is an *indicator* of one class (0 or 1) where
//! tables read it, and a *number* where a score adds it up. Tables become sums of products ([`table`]), cuts of
//! scores polynomials ([`polynomial`]). Which cuts are better read as tables, and how deep a table may be, is tried
//! out: every candidate gets its parameters from its noise, and the cheapest is kept.

mod checks;
pub(crate) mod expression;
pub(crate) mod polynomial;
mod reach;
mod table;

use crate::counting::Counting;
use crate::gates::Gates;
use crate::parameters::{PLAINTEXT, Parameters, SECURE, choose};
use crate::program::{Linear, Node, Program, Value};
use blindtier_engine::{EngineError, Proofs};
use blindtier_policy::Policy;
use blindtier_policy::circuit::dense::Dense;
use blindtier_policy::circuit::graph::{Graph, NodeId, Op};
use blindtier_policy::circuit::{Column, Inputs, Operand, Source, Step, compile};
use blindtier_policy::passes::fold::{Argument, Owner, fold, owner};
use blindtier_policy::passes::{Layout, Prices, cluster, reduce, scale};
use expression::{Expression, name, settle};
use polynomial::{Powers, interpolate};
use std::collections::HashMap;
use table::{Cuts, Functions};

/// Name of the engine.
pub const ENGINE: &str = "bfv";
/// With more cuts than this, only "all in tables" and "none in tables" are tried.
const MOST_CUTS_TRIED: usize = 3;
/// The most values of a score whose cut is made a polynomial.
const MOST_VALUES: usize = 1 << 14;

/// A policy's columns and program, with parameters.
#[derive(Clone, Debug)]
pub struct Lowered {
    pub inputs: Inputs,
    pub gates: Gates,
    pub program: Program,
    /// What is counted, in a plan for statistics.
    pub counting: Option<Counting>,
    /// Multiplications for the tier alone.
    pub tier: u32,
    pub parameters: Parameters,
}

pub(crate) fn unsupported(reason: String) -> EngineError {
    EngineError::Unsupported { engine: ENGINE, reason }
}

/// How agencies encode what tables read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// For every argument whichever makes the plan cheaper.
    #[default]
    Cheapest,
    /// A column for every class but one, 0 or 1: more columns, fewer multiplications one after the other.
    Indicators,
    /// One column with the number of the class; tables become polynomials in several variables.
    Numbers,
}

/// Lowers a policy to the cheapest program that is found.
pub fn lower(
    policy: &Policy,
    layout: Layout,
    encoding: Encoding,
    shares: u32,
    proofs: Proofs,
    groups: u32,
) -> Result<Lowered, EngineError> {
    let mut graph = compile(policy);
    scale::scale(&mut graph);
    let mut search = Search {
        policy,
        graph: &graph,
        layout,
        shares,
        proofs,
        groups,
        cuts: Cuts::default(),
        best: None,
        refused: None,
    };
    let all = match encoding {
        Encoding::Numbers => Numbers::All,
        Encoding::Cheapest | Encoding::Indicators => Numbers::Some(Vec::new()),
    };
    for open_cuts in cut_choices(&graph) {
        for depth in 1..=4 {
            search.attempt(Shape { open_cuts: open_cuts.clone(), depth, numbers: all.clone() });
        }
    }
    if encoding == Encoding::Cheapest {
        search.improve();
        if search.best.is_none() {
            search.consider(numbers_only(policy, layout, groups > 0), None);
        }
    }
    match (search.best, search.refused) {
        (Some((_, lowered, _)), _) => Ok(lowered),
        (None, Some(error)) => Err(error),
        (None, None) => Err(unsupported("it decides nothing".into())),
    }
}

/// Which of a policy's freedoms an attempt uses.
#[derive(Clone, Debug)]
struct Shape {
    /// Cuts that are read as tables.
    open_cuts: Vec<NodeId>,
    /// How deep a table may be.
    depth: u32,
    /// Whose classes are sent as numbers.
    numbers: Numbers,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Numbers {
    All,
    Some(Vec<Owner>),
}

impl Numbers {
    fn contains(&self, owner: Owner) -> bool {
        match self {
            Self::All => true,
            Self::Some(owners) => owners.contains(&owner),
        }
    }
}

struct Search<'a> {
    policy: &'a Policy,
    graph: &'a Graph,
    layout: Layout,
    shares: u32,
    proofs: Proofs,
    /// Groups whose families are counted.
    groups: u32,
    cuts: Cuts,
    best: Option<(f64, Lowered, Option<Shape>)>,
    refused: Option<EngineError>,
}

impl Search<'_> {
    fn attempt(&mut self, shape: Shape) {
        let lowering = Lowering::new(self.graph, self.layout, &shape, &mut self.cuts);
        let lowered = lowering.run(self.policy, self.groups > 0);
        self.consider(lowered, Some(shape));
    }

    fn consider(&mut self, candidate: Result<Candidate, EngineError>, shape: Option<Shape>) {
        match candidate.and_then(|candidate| self.fit(candidate)) {
            Ok((price, lowered)) => {
                if self.best.as_ref().is_none_or(|(least, ..)| price < *least) {
                    self.best = Some((price, lowered, shape));
                }
            }
            Err(error) => {
                self.refused.get_or_insert(error);
            }
        }
    }

    /// Completes a candidate with gates and checks, and gives it its parameters.
    fn fit(&self, candidate: Candidate) -> Result<(f64, Lowered), EngineError> {
        let Candidate { mut inputs, mut program, tiers, mut groups } = candidate;
        inputs.add_gates(self.policy);
        inputs.add_groups(self.policy, self.groups);
        groups.extend((self.groups > 1).then(|| inputs.group_columns()));
        let gates = Gates::new(&inputs, self.proofs)?;
        let counting = (self.groups > 0).then(|| Counting::new(&program, tiers, &inputs));
        program.prune();
        let tier = program.counts().multiplications;
        gates.withhold(&mut program.output);
        if self.proofs == Proofs::On {
            checks::add(&mut program, &inputs, &groups)?;
        }
        let chosen = choose(&program, counting.as_ref(), gates.covers().end, self.shares);
        let Some((mut parameters, price)) = chosen else {
            let counts = counting.as_ref().map_or(&program, |counting| &counting.program).counts();
            let (degree, bits) = SECURE.last().copied().unwrap_or_default();
            let way_out = match self.proofs {
                _ if self.groups > 0 => {
                    "announce the round without statistics, use fewer values in the widest score, or use engine tfhe"
                }
                Proofs::Off => "use fewer values in the widest score, or engine tfhe",
                Proofs::On => {
                    "use fewer values in the widest score, plan it without checks, or use engine tfhe"
                }
            };
            return Err(unsupported(format!(
                "it needs {} multiplications one after the other, and the largest ciphertext (degree {degree}, {bits} bits at 128 bits of security) does not carry that with room for flooding; {way_out}",
                counts.depth
            )));
        };
        parameters.checks = self.proofs == Proofs::On;
        Ok((price, Lowered { inputs, gates, program, counting, tier, parameters }))
    }

    /// Sends one owner's classes as a number after the other, and keeps what makes the plan cheaper.
    fn improve(&mut self) {
        let Some((_, lowered, Some(_))) = &self.best else { return };
        let columns = &lowered.inputs.columns;
        let mut owners: Vec<Owner> = columns
            .iter()
            .filter_map(|column| match &column.source {
                Source::Table { nodes, .. } => nodes.first().copied(),
                _ => None,
            })
            .map(|node| owner(self.graph, node, self.layout))
            .collect();
        owners.sort_unstable();
        owners.dedup();
        for owner in owners {
            let Some((_, _, Some(shape))) = &self.best else { return };
            let mut shape = shape.clone();
            if let Numbers::Some(list) = &mut shape.numbers {
                list.push(owner);
                self.attempt(shape);
            }
        }
    }
}

/// Which cuts may be read as tables: every choice of few, all or none of many.
fn cut_choices(graph: &Graph) -> Vec<Vec<NodeId>> {
    let cuts: Vec<NodeId> =
        (0..graph.nodes.len()).filter(|n| matches!(graph.op(*n), Some(Op::Cut { .. }))).collect();
    if cuts.len() > MOST_CUTS_TRIED {
        return vec![Vec::new(), cuts];
    }
    (0u32..1 << cuts.len())
        .map(|set| {
            let chosen = cuts.iter().enumerate().filter(|(i, _)| set >> i & 1 == 1);
            chosen.map(|(_, c)| *c).collect()
        })
        .collect()
}

/// What computes the tier, without gates, checks and parameters.
struct Candidate {
    inputs: Inputs,
    program: Program,
    /// For each tier of the policy, where it is wanted, what is 1 for that tier and 0 for others.
    tiers: Vec<Expression>,
    /// Positions of indicators of which at most one is 1.
    groups: Vec<Vec<usize>>,
}

/// Prices under which the passes of `blindtier-policy` cut a policy into lookups of one number each.
struct NumberPrices;

impl Prices for NumberPrices {
    fn width(&self) -> usize {
        32
    }

    fn cut(&self, max: i64, _at: &[i64]) -> Option<u32> {
        usize::try_from(max).is_ok_and(|max| max < MOST_VALUES).then_some(2)
    }
}

/// The way out where tables need too many functions: every agency sends numbers and every step is a polynomial of
/// one sum, which makes the deepest programs.
fn numbers_only(policy: &Policy, layout: Layout, tiers: bool) -> Result<Candidate, EngineError> {
    let circuit = reduce(policy, layout, &NumberPrices).map_err(|e| unsupported(e.to_string()))?;
    let mut program = Program::default();
    let mut steps: Vec<Linear> = Vec::with_capacity(circuit.steps.len());
    let form = |linear: &blindtier_policy::circuit::Linear, steps: &[Linear]| {
        let mut sum = Linear::constant(linear.constant);
        for (operand, weight) in &linear.terms {
            match operand {
                Operand::Column(c) => sum.add(&Linear::of(Value::Input(*c)), *weight),
                Operand::Step(s) => sum.add(&steps.get(*s).cloned().unwrap_or_default(), *weight),
            }
        }
        sum
    };
    for step in &circuit.steps {
        let (input, points) = match step {
            Step::Lookup { input, table } => {
                let points: Vec<(i64, i64)> =
                    (0i64..).zip(table).filter_map(|(v, out)| out.map(|out| (v, out))).collect();
                (input, points)
            }
            Step::Cut { input, max, at, first } => {
                let class = |v: i64| first + at.iter().map(|t| i64::from(v >= *t)).sum::<i64>();
                (input, (0..=*max).map(|v| (v, class(v))).collect())
            }
        };
        let base = name(&mut program, form(input, &steps));
        let coefficients = interpolate(&points);
        let shape = polynomial::Shape::cheapest(coefficients.len(), 1);
        let whole = Powers::new(base).evaluate(&mut program, &coefficients, shape);
        let result = settle(&mut program, whole);
        steps.push(result);
    }
    let output = form(&circuit.output, &steps);
    let mut indicators = Vec::new();
    if tiers {
        let all: Vec<Vec<i64>> = each_tier(policy)
            .map(|tier| {
                let points = each_tier(policy).map(|t| (t, i64::from(t == tier)));
                interpolate(&points.collect::<Vec<_>>())
            })
            .collect();
        let base = name(&mut program, output.clone());
        indicators = Powers::new(base).evaluate_all(&mut program, &all);
    }
    program.output = output.into();
    Ok(Candidate { inputs: circuit.inputs, program, tiers: indicators, groups: Vec::new() })
}

fn each_tier(policy: &Policy) -> impl Iterator<Item = i64> {
    0..i64::try_from(policy.tiers.len()).unwrap_or_default()
}

/// One attempt.
struct Lowering<'a> {
    graph: &'a Graph,
    layout: Layout,
    shape: &'a Shape,
    cuts: &'a mut Cuts,
    columns: Vec<Column>,
    /// Indicators of the classes of one argument.
    groups: Vec<Vec<usize>>,
    /// The scores that are cut, and their powers.
    scores: HashMap<NodeId, (Powers, Vec<i64>)>,
}

impl<'a> Lowering<'a> {
    fn new(graph: &'a Graph, layout: Layout, shape: &'a Shape, cuts: &'a mut Cuts) -> Self {
        let (columns, groups, scores) = (Vec::new(), Vec::new(), HashMap::new());
        Self { graph, layout, shape, cuts, columns, groups, scores }
    }

    fn run(mut self, policy: &Policy, tiers: bool) -> Result<Candidate, EngineError> {
        let mut program = Program::default();
        let output = self.graph.output;
        let identity = self.graph.domain(output);
        let tier = self.node(&mut program, output, &[identity])?;
        let tier = tier.into_iter().next().unwrap_or_default();
        program.output = Node { products: tier.products, linear: tier.linear };
        let mut indicators = Vec::new();
        if tiers {
            let domain = self.graph.domain(output);
            let indicator = |tier| domain.iter().map(|t| i64::from(*t == tier)).collect();
            let all: Vec<Vec<i64>> = each_tier(policy).map(indicator).collect();
            indicators = self.node(&mut program, output, &all)?;
        }
        let inputs =
            Inputs { graph: self.graph.clone(), layout: self.layout, columns: self.columns };
        Ok(Candidate { inputs, program, tiers: indicators, groups: self.groups })
    }

    /// Functions of a node; `functions[k][p]` is the k-th function's value at the p-th value of the node's
    /// domain.
    fn node(
        &mut self,
        program: &mut Program,
        node: NodeId,
        functions: &[Vec<i64>],
    ) -> Result<Vec<Expression>, EngineError> {
        let leaves = match self.graph.op(node) {
            Some(Op::Input { .. }) => vec![node],
            Some(Op::Cut { .. }) if !self.shape.open_cuts.contains(&node) => vec![node],
            _ => cluster::leaves(self.graph, node, &self.shape.open_cuts),
        };
        let domain = self.graph.domain(node);
        let position = |value: i64| {
            i64::try_from(domain.binary_search(&value).unwrap_or_default()).unwrap_or_default()
        };
        let whole = cluster::tabulate(self.graph, node, &leaves);
        let whole = Dense::tabulate(whole.domains().to_vec(), |point| position(whole.at(point)));
        let owners: Vec<Owner> =
            leaves.iter().map(|l| owner(self.graph, *l, self.layout)).collect();
        let (arguments, folded) = fold(&whole, &owners, &|_, _| false);
        let values = functions
            .iter()
            .map(|function| {
                let value = |p: &i64| usize::try_from(*p).ok().and_then(|p| function.get(p));
                folded.values().iter().map(|p| value(p).copied().unwrap_or_default()).collect()
            })
            .collect();
        let wanted = Functions {
            arguments: arguments.iter().map(|a| a.count).enumerate().collect(),
            values,
            factors: 0,
        };
        let depth = self.shape.depth;
        let mut leaves = Leaves { lowering: self, leaves, arguments };
        table::functions(program, &mut leaves, wanted, depth)
    }

    fn column(&mut self, source: Source) -> usize {
        self.columns.iter().position(|c| c.source == source).unwrap_or_else(|| {
            self.columns.push(Column::new(self.graph, source));
            self.columns.len() - 1
        })
    }

    /// Functions of a cut, as polynomials of its score.
    fn cut(
        &mut self,
        program: &mut Program,
        node: NodeId,
        functions: &[Vec<i64>],
    ) -> Result<Vec<Expression>, EngineError> {
        let Some(Op::Cut { input, at, .. }) = self.graph.op(node).cloned() else {
            return Err(unsupported("a cut is missing from its graph".into()));
        };
        let (mut powers, reached) = match self.scores.remove(&input) {
            Some(known) => known,
            None => self.score(program, input)?,
        };
        let class = |v: i64| at.iter().filter(|t| v >= **t).count();
        let polynomials: Vec<Vec<i64>> = functions
            .iter()
            .map(|function| {
                let value = |v: i64| function.get(class(v)).copied().unwrap_or_default();
                interpolate(&reached.iter().map(|v| (*v, value(*v))).collect::<Vec<_>>())
            })
            .collect();
        let values = powers.evaluate_all(program, &polynomials);
        self.scores.insert(input, (powers, reached));
        Ok(values)
    }

    /// A score as one number: each owner's subtotal is a column. With the values it can take.
    fn score(
        &mut self,
        program: &mut Program,
        node: NodeId,
    ) -> Result<(Powers, Vec<i64>), EngineError> {
        let (terms, constant) = match self.graph.op(node) {
            Some(Op::Linear { terms, constant }) => (terms.clone(), *constant),
            _ => (vec![(node, 1)], 0),
        };
        let (low, high) = self.graph.range(node);
        let modulus = i64::try_from(PLAINTEXT).unwrap_or(i64::MAX);
        if high.saturating_sub(low) >= modulus {
            return Err(unsupported(format!(
                "a score has {} different values, and the plaintext modulus is {PLAINTEXT}; use fewer distinct amounts, or a common step for all points",
                high.saturating_sub(low).saturating_add(1)
            )));
        }
        let mut sum = Linear::constant(constant);
        let mut reach = reach::Reach::at(constant);
        let mut local: Vec<(Owner, Vec<(NodeId, i64)>)> = Vec::new();
        for (term, weight) in terms {
            let domain = self.graph.domain(term);
            reach.add(domain.iter().map(|v| v.saturating_mul(weight)));
            let owner = owner(self.graph, term, self.layout);
            if let Owner::Shared(_) = owner {
                let scaled: Vec<i64> = domain.iter().map(|v| v.saturating_mul(weight)).collect();
                for part in self.node(program, term, &[scaled])? {
                    let part = settle(program, part);
                    sum.add(&part, 1);
                }
            } else if let Some((_, list)) = local.iter_mut().find(|(o, _)| *o == owner) {
                list.push((term, weight));
            } else {
                local.push((owner, vec![(term, weight)]));
            }
        }
        for (_, terms) in local {
            let column = self.column(Source::Sum { terms, constant: 0 });
            sum.add(&Linear::of(Value::Input(column)), 1);
        }
        let reached = reach.values();
        if reached.len() > MOST_VALUES {
            return Err(unsupported(format!(
                "a score with {} different values is too wide for one polynomial (at most {MOST_VALUES}); use fewer distinct amounts, or a common step for all points",
                reached.len()
            )));
        }
        Ok((Powers::new(name(program, sum)), reached))
    }
}

/// Where a table's arguments come from.
trait Arguments {
    /// Functions of one argument.
    fn functions(
        &mut self,
        program: &mut Program,
        argument: usize,
        functions: &Functions,
    ) -> Result<Vec<Expression>, EngineError>;

    /// The cuts that were found for earlier attempts.
    fn cuts(&mut self) -> &mut Cuts;
}

struct Leaves<'l, 'a> {
    lowering: &'l mut Lowering<'a>,
    leaves: Vec<NodeId>,
    arguments: Vec<Argument>,
}

impl Arguments for Leaves<'_, '_> {
    fn functions(
        &mut self,
        program: &mut Program,
        argument: usize,
        functions: &Functions,
    ) -> Result<Vec<Expression>, EngineError> {
        let Some(argument) = self.arguments.get(argument).cloned() else {
            return Err(unsupported("a table reads an argument that it does not have".into()));
        };
        match argument.owner {
            Owner::Shared(node) => {
                let by_value: Vec<Vec<i64>> = functions
                    .values
                    .iter()
                    .map(|f| {
                        let value = |c: &usize| f.get(*c).copied().unwrap_or_default();
                        argument.classes.iter().map(value).collect()
                    })
                    .collect();
                match self.lowering.graph.op(node) {
                    Some(Op::Cut { .. }) => self.lowering.cut(program, node, &by_value),
                    _ => self.lowering.node(program, node, &by_value),
                }
            }
            Owner::Local(_) if self.lowering.shape.numbers.contains(argument.owner) => {
                Ok(self.number(program, &argument, &functions.values))
            }
            Owner::Local(_) => Ok(self.local(&argument, functions)),
        }
    }

    fn cuts(&mut self) -> &mut Cuts {
        self.lowering.cuts
    }
}

impl Leaves<'_, '_> {
    fn nodes(&self, argument: &Argument) -> Vec<NodeId> {
        argument.positions.iter().filter_map(|p| self.leaves.get(*p)).copied().collect()
    }

    /// An agency sends the number of its class; functions are polynomials in it.
    fn number(
        &mut self,
        program: &mut Program,
        argument: &Argument,
        functions: &[Vec<i64>],
    ) -> Vec<Expression> {
        let position = |c: &usize| i64::try_from(*c).unwrap_or(i64::MAX);
        let outputs = argument.classes.iter().map(position).collect();
        let column = self.lowering.column(Source::Table { nodes: self.nodes(argument), outputs });
        let mut powers = Powers::new(Linear::of(Value::Input(column)));
        let polynomials: Vec<Vec<i64>> = functions
            .iter()
            .map(|f| interpolate(&(0..).zip(f.iter().copied()).collect::<Vec<_>>()))
            .collect();
        powers.evaluate_all(program, &polynomials)
    }

    /// An agency sends the functions themselves, or its classes' indicators if those are no more. One class needs
    /// no indicator: the one from which the factors' values are least far, because products multiply noise.
    fn local(&mut self, argument: &Argument, wanted: &Functions) -> Vec<Expression> {
        let functions = &wanted.values;
        let at = |f: &[i64], class: usize| f.get(class).copied().unwrap_or_default();
        let distance = |base: &usize| -> u64 {
            let one =
                |f: &Vec<i64>| f.iter().map(|v| (v - at(f, *base)).unsigned_abs()).sum::<u64>();
            functions.iter().take(wanted.factors).map(one).sum()
        };
        let base = (0..argument.count).min_by_key(distance).unwrap_or_default();
        let shifted = |f: &Vec<i64>| -> Vec<i64> { f.iter().map(|v| v - at(f, base)).collect() };
        let opposite = |f: &[i64]| -> Vec<i64> { f.iter().map(|v| -v).collect() };
        let mut different: Vec<Vec<i64>> = Vec::new();
        for function in functions.iter().map(shifted) {
            let known = different.contains(&function) || different.contains(&opposite(&function));
            if !known && function.iter().any(|v| *v != 0) {
                different.push(function);
            }
        }
        let others: Vec<usize> = (0..argument.count).filter(|c| *c != base).collect();
        let by_class = different.len() >= others.len();
        let sent: Vec<Vec<i64>> = if by_class {
            let indicator = |c: &usize| (0..argument.count).map(|k| i64::from(k == *c)).collect();
            others.iter().map(indicator).collect()
        } else {
            different
        };
        let nodes = self.nodes(argument);
        let columns: Vec<usize> = sent
            .iter()
            .map(|by_class| {
                let outputs = argument.classes.iter().map(|c| at(by_class, *c)).collect();
                self.lowering.column(Source::Table { nodes: nodes.clone(), outputs })
            })
            .collect();
        if by_class && columns.len() > 1 && !self.lowering.groups.contains(&columns) {
            self.lowering.groups.push(columns.clone());
        }
        functions
            .iter()
            .map(|function| {
                let mut form = Linear::constant(at(function, base));
                let function = shifted(function);
                for (position, (column, values)) in columns.iter().zip(&sent).enumerate() {
                    let weight = if by_class {
                        others.get(position).map_or(0, |c| at(&function, *c))
                    } else {
                        i64::from(function == *values) - i64::from(function == opposite(values))
                    };
                    form.add(&Linear::of(Value::Input(*column)), weight);
                }
                Expression::of(form)
            })
            .collect()
    }
}
