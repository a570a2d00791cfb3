//! Functions of one encrypted number: interpolation, and evaluation in few nodes.
//!
//! A polynomial of degree below k·m·n is p(x) = Σᵢ zⁱ · Σⱼ yʲ · pᵢⱼ(x) with y = xᵏ, z = yᵐ and pᵢⱼ of degree below k. The
//! pᵢⱼ are linear forms of powers of x. Because a node takes any number of products, an inner sum is one node and
//! the outer sum is one node: about k + m + 2n nodes, instead of the 2·√d of Paterson and Stockmeyer (SIAM J.
//! Comput. 2, 1973), whose baby steps and giant steps this extends by one level.

use super::expression::{Expression, settle};
use crate::parameters::PLAINTEXT;
use crate::program::{Linear, Program, balanced};
use crate::ring::prime::Prime;
use std::collections::HashMap;

/// Coefficients of the polynomial of least degree through these points, lowest first; the places differ modulo
/// the plaintext modulus. Newton's divided differences.
pub fn interpolate(points: &[(i64, i64)]) -> Vec<i64> {
    let field = Prime::new(PLAINTEXT);
    let places: Vec<u64> = points.iter().map(|(x, _)| field.residue(*x)).collect();
    let mut differences: Vec<u64> = points.iter().map(|(_, y)| field.residue(*y)).collect();
    let subtract = |a: u64, b: u64| (a + field.negate(b)) % PLAINTEXT;
    // Inverses of all small distances at once: the places are mostly consecutive.
    let mut inverses: HashMap<u64, u64> = HashMap::new();
    for order in 1..places.len() {
        let mut previous = differences.get(order - 1).copied().unwrap_or_default();
        for (place, (far, difference)) in
            places.iter().zip(places.iter().zip(differences.iter_mut()).skip(order))
        {
            let distance = subtract(*far, *place);
            let inverse = *inverses.entry(distance).or_insert_with(|| field.invert(distance));
            let current = *difference;
            *difference = field.multiply(subtract(current, previous), inverse);
            previous = current;
        }
    }
    let mut coefficients: Vec<u64> = Vec::with_capacity(places.len());
    for (place, difference) in places.iter().zip(&differences).rev() {
        // p ← p·(x − place) + difference
        let mut carry = *difference;
        for coefficient in &mut coefficients {
            let shifted = *coefficient;
            *coefficient = subtract(carry, field.multiply(shifted, *place));
            carry = shifted;
        }
        coefficients.push(carry);
    }
    // The first pushed carry is the constant of an empty product.
    while coefficients.len() > 1 && coefficients.last() == Some(&0) {
        coefficients.pop();
    }
    coefficients.iter().map(|c| balanced(i64::try_from(*c).unwrap_or_default())).collect()
}

/// The powers of one encrypted number.
pub struct Powers {
    base: Linear,
    known: HashMap<usize, Linear>,
    /// The powers of one power, for the next level.
    giants: HashMap<usize, Powers>,
}

impl Powers {
    /// Of this number.
    pub fn new(base: Linear) -> Self {
        Self { base, known: HashMap::new(), giants: HashMap::new() }
    }

    /// xᵉ, in ⌈log₂ e⌉ multiplications one after the other.
    pub fn power(&mut self, program: &mut Program, exponent: usize) -> Linear {
        match exponent {
            0 => Linear::constant(1),
            1 => self.base.clone(),
            _ => {
                if let Some(known) = self.known.get(&exponent) {
                    return known.clone();
                }
                let half = exponent.next_power_of_two() / 2;
                let mut product = Expression::default();
                let (left, right) =
                    (self.power(program, half), self.power(program, exponent - half));
                product.add_product(left, right);
                let power = settle(program, product);
                self.known.insert(exponent, power.clone());
                power
            }
        }
    }

    /// The powers of xᵉ.
    fn giant(&mut self, program: &mut Program, exponent: usize) -> &mut Self {
        let base = self.power(program, exponent);
        self.giants.entry(exponent).or_insert_with(|| Self::new(base))
    }

    /// The values of several polynomials, cut alike so that they share powers.
    pub fn evaluate_all(
        &mut self,
        program: &mut Program,
        polynomials: &[Vec<i64>],
    ) -> Vec<Expression> {
        let longest = polynomials.iter().map(Vec::len).max().unwrap_or(1);
        let shape = Shape::cheapest(longest, polynomials.len());
        polynomials.iter().map(|p| self.evaluate(program, p, shape)).collect()
    }

    /// A polynomial's value, cut as `shape` says.
    pub fn evaluate(
        &mut self,
        program: &mut Program,
        coefficients: &[i64],
        shape: Shape,
    ) -> Expression {
        let mut whole = Expression::default();
        for (i, outer) in coefficients.chunks(shape.baby * shape.middle).enumerate() {
            let mut inner = Expression::default();
            for (j, part) in outer.chunks(shape.baby).enumerate() {
                let mut form = Linear::default();
                for (e, coefficient) in part.iter().enumerate().filter(|(_, c)| **c != 0) {
                    form.add(&self.power(program, e), *coefficient);
                }
                if form != Linear::default() {
                    let factor = match j {
                        0 => Linear::constant(1),
                        _ => self.giant(program, shape.baby).power(program, j),
                    };
                    inner.add_product(form, factor);
                }
            }
            if i == 0 {
                whole.add(inner);
            } else if inner != Expression::default() {
                let inner = settle(program, inner);
                let middle = self.giant(program, shape.baby);
                let factor = middle.giant(program, shape.middle).power(program, i);
                whole.add_product(inner, factor);
            }
        }
        whole
    }
}

/// How a polynomial is cut: k powers, k·m coefficients in an inner sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub baby: usize,
    pub middle: usize,
}

impl Shape {
    /// The cheapest cut of so many polynomials with so many coefficients. A node is counted as four extensions of an
    /// operand; and everything costs more the deeper the program is, because the modulus grows with it.
    pub fn cheapest(coefficients: usize, polynomials: usize) -> Self {
        let levels =
            |n: usize| usize::try_from(n.next_power_of_two().trailing_zeros()).unwrap_or(0);
        let price = |baby: usize, middle: usize| {
            let parts = coefficients.div_ceil(baby);
            let outer = parts.div_ceil(middle);
            let inner = middle.min(parts);
            let powers = (baby - 1) + (inner - 1) + outer.saturating_sub(2);
            let nodes = 4 * (powers + polynomials * outer) + polynomials * parts;
            let deepest = levels(baby) + levels(inner) + levels(outer);
            nodes * (3 + deepest)
        };
        let most = coefficients.max(1);
        let mut best = (usize::MAX, Self { baby: most, middle: 1 });
        for baby in 1..=most.min(256) {
            for middle in 1..=coefficients.div_ceil(baby).clamp(1, 256) {
                let price = price(baby, middle);
                if price < best.0 {
                    best = (price, Self { baby, middle });
                }
            }
        }
        best.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Value;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn polynomials_take_their_values(
            values in proptest::collection::vec(-12i64..13, 1..80),
            gaps in proptest::collection::vec(1i64..5, 80),
            middle in 1usize..6, baby in 1usize..9,
        ) {
            let places: Vec<i64> = gaps.iter().scan(-7, |at, gap| { *at += gap; Some(*at) }).collect();
            let points: Vec<(i64, i64)> = places.into_iter().zip(values).collect();
            let coefficients = interpolate(&points);
            prop_assert!(coefficients.len() <= points.len());
            for shape in [Shape { baby, middle }, Shape::cheapest(coefficients.len(), 1)] {
                let mut program = Program::default();
                let mut powers = Powers::new(Linear::of(Value::Input(0)));
                let whole = powers.evaluate(&mut program, &coefficients, shape);
                program.output = settle(&mut program, whole).into();
                for (x, y) in &points {
                    prop_assert_eq!(program.simulate(&[*x], &[]), *y);
                }
            }
        }
    }

    #[test]
    fn three_levels_need_fewer_nodes_than_two() {
        let coefficients: Vec<i64> = (1..=628).collect();
        let mut program = Program::default();
        let mut powers = Powers::new(Linear::of(Value::Input(0)));
        let shape = Shape::cheapest(coefficients.len(), 1);
        let whole = powers.evaluate(&mut program, &coefficients, shape);
        program.output = settle(&mut program, whole).into();
        let counts = program.counts();
        assert!(counts.relinearisations <= 36, "{counts:?} {shape:?}");
        assert!(counts.depth <= 11, "{counts:?}");
    }
}
