//! Sums of products that are not nodes yet.

use crate::program::{Linear, Node, Program, Value};

/// `Σ left · right + linear`. It becomes a node only when something multiplies it; added to another sum, its
/// products join that sum's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expression {
    pub products: Vec<(Linear, Linear)>,
    pub linear: Linear,
}

impl Expression {
    /// A linear form.
    pub fn of(linear: Linear) -> Self {
        Self { products: Vec::new(), linear }
    }

    /// Adds another sum.
    pub fn add(&mut self, other: Self) {
        self.products.extend(other.products);
        self.linear.add(&other.linear, 1);
    }

    /// Adds `left · right`, which is linear when one of them is constant.
    pub fn add_product(&mut self, left: Linear, right: Linear) {
        if left.terms.is_empty() {
            self.linear.add(&right, left.constant);
        } else if right.terms.is_empty() {
            self.linear.add(&left, right.constant);
        } else {
            self.products.push((left, right));
        }
    }
}

/// Makes a node of a sum that has products, once.
pub fn settle(program: &mut Program, expression: Expression) -> Linear {
    if expression.products.is_empty() {
        return expression.linear;
    }
    named(program, Node { products: expression.products, linear: expression.linear })
}

/// Gives a linear form of several values a name, so that it is added up once.
pub fn name(program: &mut Program, linear: Linear) -> Linear {
    if linear.single().is_some() || linear.terms.is_empty() {
        return linear;
    }
    named(program, Node { products: Vec::new(), linear })
}

fn named(program: &mut Program, node: Node) -> Linear {
    let position = program.nodes.iter().position(|n| *n == node).unwrap_or_else(|| {
        program.nodes.push(node);
        program.nodes.len() - 1
    });
    Linear::of(Value::Node(position))
}
