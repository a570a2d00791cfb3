//! What is counted for statistics: how many families of a group have a tier.
//!
//! A *cell* is a group and a tier. Its node is 1 in the slots of the group's families with that tier and 0 in all others:
//! the registrar's column of the group, times a function of the columns that is 1 for the tier, times a column of every
//! agency whose values have to be known. With m(X) the polynomial of a packed plaintext, the sum of all slots is
//! Σ m(ζ) over the roots ζ of X^N + 1, and that is N·m₀: all other powers cancel. So a count is N times one coefficient,
//! and only that one is opened. No rotation of slots is needed.

use crate::lower::expression::{Expression, settle};
use crate::program::{Linear, Node, Program, Value};
use blindtier_policy::circuit::Inputs;

/// A plan's program for statistics. Public.
#[derive(Clone, Debug)]
pub(crate) struct Counting {
    /// Its cells: for each group all tiers.
    pub program: Program,
    /// How many groups there are.
    pub groups: u32,
    /// How many tiers.
    pub tiers: usize,
}

impl Counting {
    /// From the program for the tier, the functions that are 1 for each tier, and the columns.
    pub fn new(tier: &Program, tiers: Vec<Expression>, inputs: &Inputs) -> Self {
        let mut program = Program { nodes: tier.nodes.clone(), ..Program::default() };
        let count = tiers.len();
        let tiers: Vec<Linear> = tiers.into_iter().map(|tier| settle(&mut program, tier)).collect();
        let of = |column: &usize| Linear::of(Value::Input(*column));
        let known = product(&mut program, inputs.known_columns().iter().map(of).collect());
        let groups = inputs.group_columns();
        for group in &groups {
            let member = match &known {
                Some(known) => times(&mut program, of(group), known.clone()),
                None => of(group),
            };
            for tier in &tiers {
                let mut cell = Expression::default();
                cell.add_product(member.clone(), tier.clone());
                program.cells.push(Node { products: cell.products, linear: cell.linear });
            }
        }
        program.prune();
        Self { program, groups: u32::try_from(groups.len()).unwrap_or(u32::MAX), tiers: count }
    }

    /// The program for some of the groups, by position.
    pub fn of_groups(&self, groups: &[u32]) -> Program {
        let cells = groups.iter().flat_map(|group| {
            let first = usize::try_from(*group).unwrap_or(usize::MAX).saturating_mul(self.tiers);
            self.program.cells.iter().skip(first).take(self.tiers).cloned()
        });
        let mut program = Program { cells: cells.collect(), ..self.program.clone() };
        program.prune();
        program
    }
}

fn times(program: &mut Program, left: Linear, right: Linear) -> Linear {
    let mut product = Expression::default();
    product.add_product(left, right);
    settle(program, product)
}

/// The product of all factors, as a tree; `None` without factors.
fn product(program: &mut Program, mut factors: Vec<Linear>) -> Option<Linear> {
    while factors.len() > 1 {
        let mut next = Vec::with_capacity(factors.len().div_ceil(2));
        let mut rest = factors.into_iter();
        while let Some(left) = rest.next() {
            next.push(match rest.next() {
                Some(right) => times(program, left, right),
                None => left,
            });
        }
        factors = next;
    }
    factors.pop()
}
