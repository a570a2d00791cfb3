//! The program: what is computed on whole columns, modulo the plaintext modulus. Public and hashed.
//!
//! A node is one sum of products and costs one scaling-down and one relinearisation, however many products it has.
//! Linear forms cost little. The last sum is the result: the tier's position, what withholds it, and the checks of what
//! was submitted, each a product that is 0 for every allowed value, times a random factor.

use crate::parameters::PLAINTEXT;
use serde::Serialize;

/// Largest sum of coefficients with which a linear form of several values is formed from their extended
/// transforms. Larger ones are formed first and then extended, so that the products stay inside the larger
/// modulus.
pub const LIGHT: i64 = 16;

/// Something that has a ciphertext.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// What was submitted, by position: a column or, behind all columns, a gate's cover.
    Input(usize),
    /// A node, by position.
    Node(usize),
}

/// `Σ coefficient · value + constant`, coefficients in −t/2..t/2.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Linear {
    /// Values and coefficients, ascending, none twice.
    pub terms: Vec<(Value, i64)>,
    /// Added to the sum.
    pub constant: i64,
}

/// `Σ left · right + linear`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Node {
    /// The products; none for a sum that is only given a name.
    pub products: Vec<(Linear, Linear)>,
    /// The rest.
    pub linear: Linear,
}

/// Everything the evaluator computes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Program {
    /// In order; a node reads columns and earlier nodes.
    pub nodes: Vec<Node>,
    /// The tier's position, and what withholds it.
    pub output: Node,
    /// Products `left · right` that are 0 for every allowed value. Each is added to the result times a factor of its own,
    /// which is drawn anew for every slot when everything was submitted.
    pub checks: Vec<(Linear, Linear)>,
    /// What is counted for statistics, apart from the tier: each is 1 in the slots that count, else 0.
    #[serde(skip)]
    pub cells: Vec<Node>,
}

/// What a program costs and needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Products of two ciphertexts.
    pub multiplications: u32,
    /// Relinearisations, one a node with products.
    pub relinearisations: u32,
    /// Operands that are extended to the larger modulus.
    pub extensions: u32,
    /// Most multiplications on a path.
    pub depth: u32,
}

/// The residue in −t/2..t/2.
pub fn balanced(x: i64) -> i64 {
    let modulus = i64::try_from(PLAINTEXT).unwrap_or(i64::MAX);
    let rest = x.rem_euclid(modulus);
    if rest > modulus / 2 { rest - modulus } else { rest }
}

impl Linear {
    /// A constant.
    pub fn constant(constant: i64) -> Self {
        Self { terms: Vec::new(), constant: balanced(constant) }
    }

    /// One value.
    pub fn of(value: Value) -> Self {
        Self { terms: vec![(value, 1)], constant: 0 }
    }

    /// The value, if the form is nothing else.
    pub fn single(&self) -> Option<Value> {
        match self.terms.as_slice() {
            [(value, 1)] if self.constant == 0 => Some(*value),
            _ => None,
        }
    }

    /// Adds `factor · other`.
    pub fn add(&mut self, other: &Self, factor: i64) {
        let times = |coefficient: i64| balanced(coefficient.saturating_mul(factor));
        for (value, coefficient) in &other.terms {
            match self.terms.iter_mut().find(|(v, _)| v == value) {
                Some((_, sum)) => *sum = balanced(*sum + times(*coefficient)),
                None => self.terms.push((*value, times(*coefficient))),
            }
        }
        self.terms.retain(|(_, coefficient)| *coefficient != 0);
        self.terms.sort_unstable();
        self.constant = balanced(self.constant + times(other.constant));
    }

    /// Sum of the coefficients' sizes.
    pub fn weight(&self) -> i64 {
        self.terms.iter().map(|(_, c)| c.abs()).sum::<i64>() + self.constant.abs().min(1)
    }

    /// Whether a product's operand is formed after extension.
    pub fn is_light(&self) -> bool {
        self.weight() <= LIGHT
    }

    /// The last node that the form reads.
    pub fn last_node(&self) -> Option<usize> {
        let nodes = self.terms.iter().filter_map(|(value, _)| match value {
            Value::Input(_) => None,
            Value::Node(node) => Some(*node),
        });
        nodes.max()
    }

    /// The constant, where it is added after extension.
    pub fn light_constant(&self) -> i64 {
        if self.is_light() { self.constant } else { 0 }
    }

    fn clear(&self, inputs: &[i64], nodes: &[i64]) -> i64 {
        let value = |v: &Value| match v {
            Value::Input(i) => inputs.get(*i),
            Value::Node(n) => nodes.get(*n),
        };
        let sum = self.terms.iter().fold(self.constant, |sum, (v, c)| {
            balanced(sum + balanced(value(v).copied().unwrap_or_default()) * c)
        });
        balanced(sum)
    }

    fn depth(&self, nodes: &[u32]) -> u32 {
        let deepest = self.terms.iter().map(|(v, _)| match v {
            Value::Input(_) => 0,
            Value::Node(n) => nodes.get(*n).copied().unwrap_or_default(),
        });
        deepest.max().unwrap_or_default()
    }
}

impl Node {
    /// All linear forms of the node.
    pub fn forms(&self) -> impl Iterator<Item = &Linear> {
        self.operands().chain([&self.linear])
    }

    /// The products' operands.
    pub fn operands(&self) -> impl Iterator<Item = &Linear> {
        self.products.iter().flat_map(|(left, right)| [left, right])
    }

    fn clear(&self, inputs: &[i64], nodes: &[i64]) -> i64 {
        let linear = self.linear.clear(inputs, nodes);
        self.products.iter().fold(linear, |sum, (left, right)| {
            balanced(sum + left.clear(inputs, nodes) * right.clear(inputs, nodes))
        })
    }
}

impl From<(Linear, Linear)> for Node {
    fn from(product: (Linear, Linear)) -> Self {
        Self { products: vec![product], linear: Linear::default() }
    }
}

impl From<Linear> for Node {
    fn from(linear: Linear) -> Self {
        Self { products: Vec::new(), linear }
    }
}

impl Program {
    /// Runs the program in the clear on one slot's inputs and factors of the checks; the result lies in −t/2..t/2.
    pub fn simulate(&self, inputs: &[i64], factors: &[i64]) -> i64 {
        let mut nodes = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            nodes.push(node.clear(inputs, &nodes));
        }
        let output = self.output.clear(inputs, &nodes);
        self.checks.iter().zip(factors).fold(output, |sum, ((left, right), factor)| {
            let check = balanced(left.clear(inputs, &nodes) * right.clear(inputs, &nodes));
            balanced(sum + factor * check)
        })
    }

    /// Computes what is counted in the clear, on one slot's inputs; every number lies in −t/2..t/2.
    pub fn simulate_cells(&self, inputs: &[i64]) -> Vec<i64> {
        let mut nodes = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            nodes.push(node.clear(inputs, &nodes));
        }
        self.cells.iter().map(|cell| cell.clear(inputs, &nodes)).collect()
    }

    /// Everything that is added up to the result, checks without their factors.
    pub fn last(&self) -> Node {
        let products = self.output.products.iter().chain(&self.checks).cloned().collect();
        Node { products, linear: self.output.linear.clone() }
    }

    /// Counts what the program costs.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        let mut depths = Vec::with_capacity(self.nodes.len());
        let mut extended: std::collections::HashSet<Value> = std::collections::HashSet::new();
        for node in self.nodes.iter().chain([&self.last()]).chain(&self.cells) {
            let products = u32::try_from(node.products.len()).unwrap_or(u32::MAX);
            counts.multiplications = counts.multiplications.saturating_add(products);
            counts.relinearisations += u32::from(products > 0);
            for operand in node.operands() {
                if operand.is_light() {
                    for (value, _) in &operand.terms {
                        counts.extensions += u32::from(extended.insert(*value));
                    }
                } else {
                    counts.extensions += 1;
                }
            }
            let below = node.operands().map(|o| o.depth(&depths) + 1).max().unwrap_or_default();
            depths.push(below.max(node.linear.depth(&depths)));
        }
        counts.depth = depths.into_iter().max().unwrap_or_default();
        counts
    }

    /// Drops nodes that nothing reads.
    pub fn prune(&mut self) {
        let mut used = vec![false; self.nodes.len()];
        let mark = |form: &Linear, used: &mut Vec<bool>| {
            for (value, _) in &form.terms {
                if let Value::Node(n) = value
                    && let Some(slot) = used.get_mut(*n)
                {
                    *slot = true;
                }
            }
        };
        let last = self.last();
        last.forms()
            .chain(self.cells.iter().flat_map(Node::forms))
            .for_each(|form| mark(form, &mut used));
        for position in (0..self.nodes.len()).rev() {
            if used.get(position).copied().unwrap_or_default()
                && let Some(node) = self.nodes.get(position)
            {
                node.forms().for_each(|form| mark(form, &mut used));
            }
        }
        let mut places = Vec::with_capacity(used.len());
        let mut next = 0;
        for kept in &used {
            places.push(next);
            next += usize::from(*kept);
        }
        let moved = |form: &mut Linear| {
            for (value, _) in &mut form.terms {
                if let Value::Node(n) = value {
                    *n = places.get(*n).copied().unwrap_or_default();
                }
            }
        };
        let mut kept = used.iter();
        self.nodes.retain(|_| kept.next().copied().unwrap_or_default());
        for node in self.nodes.iter_mut().chain([&mut self.output]).chain(&mut self.cells) {
            for (left, right) in &mut node.products {
                moved(left);
                moved(right);
            }
            moved(&mut node.linear);
        }
        for (left, right) in &mut self.checks {
            moved(left);
            moved(right);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: usize) -> Linear {
        Linear::of(if value < 10 { Value::Input(value) } else { Value::Node(value - 10) })
    }

    fn node(products: &[(usize, usize)]) -> Node {
        let products = products.iter().map(|(a, b)| (of(*a), of(*b))).collect();
        Node { products, linear: Linear::constant(1) }
    }

    #[test]
    fn counts_and_clear_values() {
        let nodes = vec![node(&[(0, 1), (1, 2)]), node(&[(0, 0)]), node(&[(10, 2)])];
        let mut program = Program { nodes, output: of(12).into(), ..Program::default() };
        assert_eq!(program.simulate(&[2, 3, 5], &[]), (6 + 15 + 1) * 5 + 1);
        let before = program.counts();
        assert_eq!((before.multiplications, before.relinearisations, before.depth), (4, 3, 2));
        assert_eq!(before.extensions, 4);
        program.prune();
        assert_eq!(program.nodes.len(), 2);
        assert_eq!(program.simulate(&[2, 3, 5], &[]), 111);
        assert_eq!(program.counts().multiplications, 3);
    }

    #[test]
    fn the_last_sum_has_products_and_checks_with_factors() {
        let nodes = vec![node(&[(0, 0)]), node(&[(0, 1)]), node(&[(1, 1)])];
        let output = Node { products: vec![(of(10), of(1))], linear: of(1) };
        let checks = vec![(of(0), of(1)), (of(12), of(1))];
        let mut program = Program { nodes, output, checks, cells: Vec::new() };
        assert_eq!(program.simulate(&[2, 3], &[0, 0]), 5 * 3 + 3);
        assert_eq!(program.simulate(&[2, 3], &[7, -2]), 18 + 7 * 6 - 2 * 10 * 3);
        program.prune();
        assert_eq!(program.nodes.len(), 2, "what only a check reads stays");
        assert_eq!(program.simulate(&[2, 3], &[7, -2]), 0);
        let counts = program.counts();
        assert_eq!((counts.multiplications, counts.relinearisations, counts.depth), (5, 3, 2));
    }

    #[test]
    fn residues_are_balanced() {
        assert_eq!(balanced(65_536), -1);
        assert_eq!(balanced(32_768), 32_768);
        assert_eq!(balanced(32_769), -32_768);
        let mut form = Linear::of(Value::Input(0));
        form.add(&Linear::of(Value::Input(0)), -1);
        assert_eq!(form, Linear::default());
    }
}
