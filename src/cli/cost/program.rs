//! What a bfv program does to a chunk, and what it holds while it does it.

use blindtier_engine_bfv::{BfvPlan, Linear, Node, Program, Value};
use blindtier_estimate::{Ring, Work};
use std::collections::{BTreeMap, BTreeSet};

/// How many products the engine prepares the operands of at a time.
const TOGETHER: usize = 4;

/// Ring and moduli of a plan.
pub fn ring(plan: &BfvPlan) -> Ring {
    let parameters = plan.parameters();
    Ring {
        degree: u32::try_from(parameters.degree).unwrap_or(u32::MAX),
        primes: parameters.primes,
        extension: parameters.extension,
        pieces: parameters.pieces,
        result_primes: parameters.result_primes,
        shares: parameters.shares,
    }
}

/// Counts the steps of a chunk with so many ciphertexts.
pub fn work(program: &Program, inputs: u32) -> Work {
    let counts = program.counts();
    let last = program.last();
    let mut work = Work {
        products: counts.multiplications,
        checks: size(program.checks.len()),
        relinearisations: counts.relinearisations,
        extensions: counts.extensions,
        inputs,
        ..Work::default()
    };
    for node in program.nodes.iter().chain([&last]) {
        work.terms += size(node.linear.terms.len());
        for operand in node.operands() {
            let terms = size(operand.terms.len());
            match operand.is_light() {
                true if operand.single().is_none() => work.wide_terms += terms,
                true => {}
                false => work.terms += terms,
            }
        }
    }
    work
}

fn size(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// The most polynomials over the modulus and over the extension that one chunk holds: the engine's own order of nodes,
/// products and checks, each value kept until its last reader.
pub fn held(program: &Program, inputs: u64) -> [u64; 2] {
    let mut held = Held { now: [2 * inputs, 0], most: [2 * inputs, 0] };
    let checks: Vec<Node> = program.checks.iter().cloned().map(Node::from).collect();
    let mut uses = Uses::of(program, &checks);
    let mut summed = false;
    for (position, node) in program.nodes.iter().enumerate() {
        held.node(node, &mut uses, false);
        held.release(node, &mut uses);
        summed |= held.checks(&checks, Some(position), summed, &mut uses);
    }
    summed |= held.checks(&checks, None, summed, &mut uses);
    held.node(&program.output, &mut uses, summed);
    held.most
}

/// What still reads a value.
struct Uses {
    /// Nodes that need its coefficients.
    readers: BTreeMap<Value, usize>,
    /// Nodes that multiply it.
    multipliers: BTreeMap<Value, usize>,
    extended: BTreeSet<Value>,
    multiplied: BTreeSet<Value>,
}

impl Uses {
    fn of(program: &Program, checks: &[Node]) -> Self {
        let (mut readers, mut multipliers) = (BTreeMap::new(), BTreeMap::new());
        for node in program.nodes.iter().chain(checks).chain([&program.output]) {
            for value in multiplies(node) {
                let uses = multipliers.entry(value).or_insert(0);
                *uses += 1;
                if *uses == 1 {
                    *readers.entry(value).or_insert(0) += 1;
                }
            }
            for value in adds(node) {
                *readers.entry(value).or_insert(0) += 1;
            }
        }
        let (extended, multiplied) = (BTreeSet::new(), BTreeSet::new());
        Self { readers, multipliers, extended, multiplied }
    }
}

fn adds(node: &Node) -> BTreeSet<Value> {
    let forms = node.operands().filter(|form| !form.is_light()).chain([&node.linear]);
    forms.flat_map(values).collect()
}

fn multiplies(node: &Node) -> BTreeSet<Value> {
    node.operands().filter(|form| form.is_light()).flat_map(values).collect()
}

fn values(form: &Linear) -> impl Iterator<Item = Value> + '_ {
    form.terms.iter().map(|(value, _)| *value)
}

/// Buffers over the modulus and over the extension. They are used again, so that the most that were ever held at a time
/// is what a run allocates.
struct Held {
    now: [u64; 2],
    most: [u64; 2],
}

impl Held {
    fn take(&mut self, own: u64, extension: u64) {
        self.now = [self.now[0] + own, self.now[1] + extension];
        self.most = [self.most[0].max(self.now[0]), self.most[1].max(self.now[1])];
    }

    fn give(&mut self, own: u64, extension: u64) {
        self.now = [self.now[0].saturating_sub(own), self.now[1].saturating_sub(extension)];
    }

    /// A node's value, which stays.
    fn node(&mut self, node: &Node, uses: &mut Uses, summed: bool) {
        self.take(2, 0);
        let products: Vec<_> = node.products.iter().collect();
        if !products.is_empty() && !summed {
            self.take(3, 3);
        }
        self.products(&products, uses);
        if summed || !products.is_empty() {
            // The sum's extension goes once it is scaled down; two sums of relinearisation come, and then all goes into
            // the two parts of the value.
            self.give(0, 3);
            self.take(2, 0);
            self.give(5, 0);
        }
    }

    /// Checks that have read their last node; whether there were any.
    fn checks(
        &mut self,
        checks: &[Node],
        after: Option<usize>,
        summed: bool,
        uses: &mut Uses,
    ) -> bool {
        let last = |node: &Node| node.operands().filter_map(Linear::last_node).max();
        let ready: Vec<&Node> = checks.iter().filter(|check| last(check) == after).collect();
        if ready.is_empty() {
            return false;
        }
        if !summed {
            self.take(3, 3);
        }
        let products: Vec<_> = ready.iter().flat_map(|check| &check.products).collect();
        self.products(&products, uses);
        ready.iter().for_each(|check| self.release(check, uses));
        true
    }

    fn products(&mut self, products: &[&(Linear, Linear)], uses: &mut Uses) {
        for together in products.chunks(TOGETHER) {
            let mut formed = 0;
            for (left, right) in together {
                let same = left.is_light() && right.is_light() && left.terms == right.terms;
                for form in std::iter::once(left).chain((!same).then_some(right)) {
                    formed += self.operand(form, uses);
                }
            }
            self.give(2 * formed, 2 * formed);
        }
    }

    /// Prepares an operand; 1 if it is formed for this product alone.
    fn operand(&mut self, form: &Linear, uses: &mut Uses) -> u64 {
        if !form.is_light() {
            self.take(4, 2);
            self.give(2, 0);
            return 1;
        }
        for value in values(form) {
            if uses.extended.insert(value) {
                self.take(2, 2);
            }
        }
        match form.terms.as_slice() {
            [(_, 1)] => 0,
            _ => {
                self.take(2, 2);
                1
            }
        }
    }

    fn release(&mut self, node: &Node, uses: &mut Uses) {
        let mut done = adds(node);
        for value in multiplies(node) {
            if uses.multiplied.insert(value) {
                done.insert(value);
            }
            if last_use(&mut uses.multipliers, value) && uses.extended.contains(&value) {
                self.give(2, 2);
            }
        }
        for value in done {
            if last_use(&mut uses.readers, value) {
                self.give(2, 0);
            }
        }
    }
}

/// Counts a use down; true at the last one.
fn last_use(uses: &mut BTreeMap<Value, usize>, value: Value) -> bool {
    uses.get_mut(&value).is_some_and(|left| {
        *left = left.saturating_sub(1);
        *left == 0
    })
}
