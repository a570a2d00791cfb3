//! A bound on the noise of every value of a program.
//!
//! Noise is measured in the canonical embedding: ‖a‖ is the largest size of a polynomial at the complex roots of
//! X^N + 1. It bounds every coefficient, ‖a + b‖ ≤ ‖a‖ + ‖b‖ and ‖a·b‖ ≤ ‖a‖·‖b‖ (Gentry, Halevi, Smart, ePrint
//! 2012/099). Polynomials with independent coefficients of variance V are bounded by D·√(N·V). Everything else follows by
//! the two inequalities. `docs/design.md` derives the formulas.
//!
//! The secret is a sum of M independent ternary polynomials, so its coefficients have the variance 2M/3, and whatever
//! shares add their errors to has M times an error's variance.

use crate::parameters::{ENCRYPTION_BITS, PLAINTEXT, Parameters};
use crate::program::{Linear, Node, Program, Value};

/// D: how many standard deviations a polynomial's value at a root may have.
///
/// All distributions here (ternary, centred binomial, uniform on equally spaced numbers around 0, and sums of
/// independent ones) are strictly sub-Gaussian: E e^(x·λ) ≤ e^(V·λ²/2). The squared cosines of a root's powers sum to
/// N/2 in every direction, so a value at a root exceeds D·√(N·V) in a given direction with probability at most e^(−D²),
/// and in size with at most 32·e^(−(D·cos(π/32))²) < 2⁻⁷⁵ (one of 32 directions is within π/32). There are N/2 pairs of
/// roots a polynomial. With 2¹² polynomials a chunk, a round of 6.2 million families has 2³³·⁶ values and exceeds some
/// bound with probability below 2⁻⁴⁰.
const DEVIATIONS: f64 = 7.5;
/// Variance of the error: a centred binomial of 42 coins, standard deviation 3.24, a little above the table's 3.19.
pub const ERROR_VARIANCE: f64 = 10.5;

/// Over how many chunks counts are added up at most before they are opened: 65,536 slots in the smallest ring.
const MOST_CHUNKS: f64 = 8.0;

/// What is known of a program's result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NoiseBound {
    /// Bound on the result's noise before it is switched to a smaller modulus.
    pub result: f64,
    /// Bound on what rounding a ciphertext adds.
    rounding: f64,
}

/// Bounds of single polynomials.
struct Norms {
    /// An error.
    error: f64,
    /// The sum of one error of each share.
    errors: f64,
    /// The encryptor's blinding.
    blinding: f64,
    /// The secret: the sum of all shares.
    secret: f64,
    /// A ciphertext over Q, seen as c₀ + c₁·s with centred coefficients.
    ciphertext: f64,
    /// Rounding of the three parts of a product.
    product_rounding: f64,
    relinearisation: f64,
    /// A check's factor. With uniform slots its coefficients are independent and uniform modulo t; that no slot is 0 makes
    /// nothing more than (1 − 1/t)^−N < 1.65 times as likely.
    factor: f64,
    /// Rounding of a message to multiples of Q/t: at most ½ in each coefficient, whatever the message.
    message_rounding: f64,
    plaintext: f64,
    modulus: f64,
}

impl Norms {
    fn new(parameters: &Parameters) -> Self {
        let degree = f64::from(u32::try_from(parameters.degree).unwrap_or(u32::MAX));
        let shares = f64::from(parameters.shares);
        let spread = |variance: f64| DEVIATIONS * (degree * variance).sqrt();
        let secret = spread(shares * 2.0 / 3.0);
        let errors = spread(shares * ERROR_VARIANCE);
        let uniform = spread(1.0 / 12.0);
        let pieces = f64::from(parameters.pieces * parameters.primes);
        let piece = uniform * 2f64.powi(i32::try_from(parameters.piece_bits()).unwrap_or(i32::MAX));
        // s·e + u·e' of the first messages, with u distributed as s, and two errors of the second ones.
        let key_error = 2.0 * secret * errors + spread(shares * 2.0 * ERROR_VARIANCE);
        #[allow(clippy::cast_precision_loss, reason = "17 bits")]
        let plaintext = PLAINTEXT as f64;
        Self {
            error: spread(ERROR_VARIANCE),
            errors,
            blinding: spread(2.0 / 3.0),
            secret,
            ciphertext: uniform * (1.0 + secret),
            product_rounding: uniform * (1.0 + secret + secret * secret),
            relinearisation: pieces * piece * key_error,
            factor: uniform * plaintext,
            message_rounding: degree / 2.0,
            plaintext,
            modulus: 2f64.powi(i32::try_from(parameters.modulus_bits).unwrap_or(i32::MAX)),
        }
    }

    /// A fresh ciphertext: e₀ + e₁·s and the blinding times the public key's error, divided by the encryption prime; the
    /// rounding of both parts; and that of the message and, if it is a cover, of what the evaluator adds. What stands for a
    /// submitter that was left out is a message without encryption, which has the last of these only.
    fn fresh(&self) -> f64 {
        let prime = 2f64.powi(i32::try_from(ENCRYPTION_BITS).unwrap_or_default() - 1);
        let error = self.error * (1.0 + self.secret) + self.blinding * self.errors;
        error / prime + self.ciphertext + 2.0 * self.message_rounding
    }

    /// A product.
    fn product(&self, (left, right): &(Linear, Linear), nodes: &[f64]) -> f64 {
        let [(a, wa), (b, wb)] = [left, right].map(|form| {
            let weight = if form.is_light() { form.weight() } else { 1 };
            #[allow(clippy::cast_precision_loss, reason = "at most 16")]
            let weight = weight as f64;
            (self.form(form, nodes), weight * self.ciphertext)
        });
        self.plaintext * (wa * b + wb * a + a * b / self.modulus)
    }

    /// The noise of all nodes, in order.
    fn nodes(&self, program: &Program) -> Vec<f64> {
        let mut nodes: Vec<f64> = Vec::with_capacity(program.nodes.len());
        for node in &program.nodes {
            nodes.push(self.node(node, &[], &nodes));
        }
        nodes
    }

    /// A node's noise, and that of products which are multiplied by factors.
    fn node(&self, node: &Node, checks: &[(Linear, Linear)], nodes: &[f64]) -> f64 {
        let products = node.products.iter().map(|product| self.product(product, nodes));
        let checks = checks.iter().map(|check| self.factor * self.product(check, nodes));
        let mut noise = self.form(&node.linear, nodes);
        if let Some(sum) = products.chain(checks).reduce(|sum, noise| sum + noise) {
            noise += sum + self.product_rounding + self.relinearisation;
        }
        noise
    }
}

impl NoiseBound {
    /// Follows a program.
    pub fn of(program: &Program, parameters: &Parameters) -> Self {
        let norms = Norms::new(parameters);
        let nodes = norms.nodes(program);
        let result = norms.node(&program.output, &program.checks, &nodes);
        Self { result, rounding: norms.ciphertext }
    }

    /// Follows a program to what it counts, added up over as many chunks as are ever added up.
    pub fn of_cells(program: &Program, parameters: &Parameters) -> Self {
        let norms = Norms::new(parameters);
        let nodes = norms.nodes(program);
        let cells = program.cells.iter().map(|cell| norms.node(cell, &[], &nodes));
        let largest = cells.fold(0.0, f64::max);
        Self { result: MOST_CHUNKS * largest, rounding: MOST_CHUNKS * norms.ciphertext }
    }

    /// Bits between the noise of the switched result and the largest that still decodes, Q'/(2t).
    pub fn room(&self, parameters: &Parameters) -> f64 {
        largest(parameters).log2() - self.switched(parameters).log2()
    }

    /// Noise of the result after it is switched to the smaller modulus.
    pub fn switched(&self, parameters: &Parameters) -> f64 {
        let dropped = f64::from(parameters.modulus_bits) - f64::from(parameters.result_bits());
        let rounding = if dropped > 0.0 { 2.0 * self.rounding } else { 0.0 };
        self.result * 2f64.powf(-dropped) + rounding
    }

    /// The largest log₂ B with which the sum of all partial decryptions decodes: the noise, B of every share, and half
    /// a unit for rounding each of the pads and the message.
    pub fn flooding_bits(&self, parameters: &Parameters, most: u32) -> Option<u32> {
        let shares = f64::from(parameters.shares);
        let rest = largest(parameters) - self.switched(parameters) - (shares + 1.0) / 2.0;
        (0..=most).rev().find(|bits| shares * flooding(*bits) <= rest)
    }

    /// Base-2 logarithm of the statistical distance that remains over a round of so many families. A coefficient that
    /// is moved by v inside noise uniform in −B..B shows it with probability at most |v|/(2B). It is moved by the
    /// result's noise and by how the message and the pads were rounded, which is at most 1 apart from how their sum is.
    /// Of all shares' flooding, that of one counts: the others may be known.
    pub fn distance(&self, parameters: &Parameters, families: u64) -> f64 {
        let degree = u64::try_from(parameters.degree).unwrap_or(u64::MAX).max(1);
        self.distance_of(parameters, families.div_ceil(degree).saturating_mul(degree))
    }

    /// The same for so many coefficients.
    pub fn distance_of(&self, parameters: &Parameters, coefficients: u64) -> f64 {
        #[allow(
            clippy::cast_precision_loss,
            reason = "a bound, and rounding errors are far below its last digit"
        )]
        let coefficients = coefficients as f64;
        let moved = self.switched(parameters) + 1.0;
        (coefficients * moved / (2.0 * flooding(parameters.flooding_bits))).log2()
    }
}

/// Q'/(2t). The primes are a little below their power of two.
fn largest(parameters: &Parameters) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "17 bits")]
    let twice = 2.0 * PLAINTEXT as f64;
    2f64.powf(f64::from(parameters.result_bits()) - 0.01) / twice
}

/// B.
fn flooding(bits: u32) -> f64 {
    2f64.powi(i32::try_from(bits).unwrap_or(i32::MAX))
}

impl Norms {
    fn form(&self, form: &Linear, nodes: &[f64]) -> f64 {
        form.terms.iter().fold(0.5, |sum, (value, coefficient)| {
            let noise = match value {
                Value::Input(_) => self.fresh(),
                Value::Node(n) => nodes.get(*n).copied().unwrap_or_default(),
            };
            #[allow(clippy::cast_precision_loss, reason = "at most 16 bits")]
            let size = coefficient.abs() as f64;
            sum + size * noise
        })
    }
}
