//! What a run holds: the values so far, and the buffers they lie in.

use crate::kernel::Ciphertext;
use crate::program::{Linear, Node, Program, Value};
use std::collections::{HashMap, HashSet};

/// One polynomial over Q and over the extension, transformed.
pub(crate) struct Wide {
    pub own: Vec<u64>,
    pub extension: Vec<u64>,
}

/// A ciphertext ready to be multiplied.
pub(crate) type Operand = [Wide; 2];

/// An operand of a product.
pub(crate) enum Prepared {
    /// A value that is kept.
    Known(Value),
    /// A form that is used here only.
    Here(Box<Operand>),
}

/// The values so far. A value goes when nothing reads it any more.
pub(crate) struct Values {
    inputs: Vec<Ciphertext>,
    nodes: Vec<Ciphertext>,
    /// Values that are ready to be multiplied.
    pub operands: HashMap<Value, Operand>,
    /// Nodes that still need a value's coefficients (the first that multiplies it, and all that add it), and nodes
    /// that still multiply it.
    readers: HashMap<Value, usize>,
    multipliers: HashMap<Value, usize>,
    /// Values that were multiplied before.
    multiplied: HashSet<Value>,
}

impl Values {
    /// Before the first node.
    pub fn new(program: &Program, inputs: Vec<Ciphertext>) -> Self {
        let mut readers: HashMap<Value, usize> = HashMap::new();
        let mut multipliers: HashMap<Value, usize> = HashMap::new();
        let checks: Vec<Node> = program.checks.iter().cloned().map(Node::from).collect();
        let cells = program.cells.iter();
        for node in program.nodes.iter().chain(&checks).chain([&program.output]).chain(cells) {
            for value in multiplies(node) {
                let uses = multipliers.entry(value).or_default();
                *uses += 1;
                if *uses == 1 {
                    *readers.entry(value).or_default() += 1;
                }
            }
            for value in adds(node) {
                *readers.entry(value).or_default() += 1;
            }
        }
        Self {
            inputs,
            nodes: Vec::new(),
            operands: HashMap::new(),
            readers,
            multipliers,
            multiplied: HashSet::new(),
        }
    }

    /// A value's ciphertext.
    pub fn get(&self, value: Value) -> Option<&Ciphertext> {
        match value {
            Value::Input(i) => self.inputs.get(i),
            Value::Node(n) => self.nodes.get(n),
        }
    }

    /// A prepared operand.
    pub fn operand<'a>(&'a self, prepared: &'a Prepared) -> Option<&'a Operand> {
        match prepared {
            Prepared::Known(value) => self.operands.get(value),
            Prepared::Here(operand) => Some(operand),
        }
    }

    /// Keeps a node's value.
    pub fn keep(&mut self, value: Ciphertext) {
        self.nodes.push(value);
    }

    /// Frees what a node, or a check, read last.
    pub fn release(&mut self, node: &Node, pool: &mut Pool) {
        let mut done = adds(node);
        for value in multiplies(node) {
            if self.multiplied.insert(value) {
                done.push(value);
            }
            if last(&mut self.multipliers, value)
                && let Some(operand) = self.operands.remove(&value)
            {
                pool.take_operand(operand);
            }
        }
        for value in done {
            if last(&mut self.readers, value) {
                let freed = match value {
                    Value::Input(i) => self.inputs.get_mut(i),
                    Value::Node(n) => self.nodes.get_mut(n),
                };
                for part in freed.map(std::mem::take).unwrap_or_default() {
                    pool.take_own(part);
                }
            }
        }
    }
}

/// Counts a use down; true at the last one.
fn last(uses: &mut HashMap<Value, usize>, value: Value) -> bool {
    uses.get_mut(&value).is_some_and(|left| {
        *left = left.saturating_sub(1);
        *left == 0
    })
}

fn distinct<'a>(forms: impl Iterator<Item = &'a Linear>) -> Vec<Value> {
    let mut values: Vec<Value> = forms.flat_map(|f| f.terms.iter().map(|(v, _)| *v)).collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// The values whose coefficients a node reads: those that it adds, also inside an operand that is formed first.
fn adds(node: &Node) -> Vec<Value> {
    distinct(node.operands().filter(|form| !form.is_light()).chain([&node.linear]))
}

fn multiplies(node: &Node) -> Vec<Value> {
    distinct(node.operands().filter(|form| form.is_light()))
}

/// Buffers that go round, so that a run allocates only what it holds at its widest point.
pub(crate) struct Pool {
    own_words: usize,
    extension_words: usize,
    own: Vec<Vec<u64>>,
    extension: Vec<Vec<u64>>,
}

impl Pool {
    /// For polynomials of so many words over Q and over the extension.
    pub fn new(own_words: usize, extension_words: usize) -> Self {
        Self { own_words, extension_words, own: Vec::new(), extension: Vec::new() }
    }

    /// A zero polynomial over Q.
    pub fn own(&mut self) -> Vec<u64> {
        zeroed(self.own.pop(), self.own_words)
    }

    /// A zero polynomial over Q and the extension.
    pub fn wide(&mut self) -> Wide {
        let extension = zeroed(self.extension.pop(), self.extension_words);
        Wide { own: self.own(), extension }
    }

    /// Takes a buffer back.
    pub fn take_own(&mut self, buffer: Vec<u64>) {
        if buffer.len() == self.own_words {
            self.own.push(buffer);
        }
    }

    /// Takes a buffer back.
    pub fn take_extension(&mut self, buffer: Vec<u64>) {
        self.extension.push(buffer);
    }

    /// Takes an operand's buffers back.
    pub fn take_operand(&mut self, operand: Operand) {
        for wide in operand {
            self.take_own(wide.own);
            self.take_extension(wide.extension);
        }
    }
}

fn zeroed(buffer: Option<Vec<u64>>, words: usize) -> Vec<u64> {
    match buffer {
        Some(mut buffer) => {
            buffer.fill(0);
            buffer
        }
        None => vec![0; words],
    }
}
