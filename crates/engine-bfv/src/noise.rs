//! A bound on the noise of every value of a program.
//!
//! Noise is measured in the canonical embedding: ‖a‖ is the largest size of a polynomial at the complex roots of
//! X^N + 1. It bounds every coefficient, ‖a + b‖ ≤ ‖a‖ + ‖b‖ and ‖a·b‖ ≤ ‖a‖·‖b‖ (Gentry, Halevi, Smart, ePrint
//! 2012/099). Polynomials with independent coefficients of variance V are bounded by D·√(N·V); the value at a root
//! is close to a complex normal, which exceeds that with probability e^(−D²). Everything else follows by the
//! two inequalities. `docs/design.md` derives the formulas.

use crate::parameters::{ENCRYPTION_BITS, PLAINTEXT, Parameters};
use crate::program::{Linear, Program, Value};

/// D: a root exceeds the bound with probability e^(−49) < 2⁻⁷⁰.
const DEVIATIONS: f64 = 7.0;
/// Variance of the error: a centred binomial of 42 coins, standard deviation 3.24, a little above the table's 3.19.
pub const ERROR_VARIANCE: f64 = 10.5;

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
    error: f64,
    secret: f64,
    /// A ciphertext over Q, seen as c₀ + c₁·s with centred coefficients.
    ciphertext: f64,
    /// Rounding of the three parts of a product.
    product_rounding: f64,
    relinearisation: f64,
    plaintext: f64,
    modulus: f64,
}

impl Norms {
    fn new(parameters: &Parameters) -> Self {
        let degree = f64::from(u32::try_from(parameters.degree).unwrap_or(u32::MAX));
        let spread = |variance: f64| DEVIATIONS * (degree * variance).sqrt();
        let secret = spread(2.0 / 3.0);
        let error = spread(ERROR_VARIANCE);
        let uniform = spread(1.0 / 12.0);
        let pieces = f64::from(parameters.pieces * parameters.primes);
        let piece = uniform * 2f64.powi(i32::try_from(parameters.piece_bits()).unwrap_or(i32::MAX));
        Self {
            error,
            secret,
            ciphertext: uniform * (1.0 + secret),
            product_rounding: uniform * (1.0 + secret + secret * secret),
            relinearisation: pieces * piece * error,
            #[allow(clippy::cast_precision_loss, reason = "17 bits")]
            plaintext: PLAINTEXT as f64,
            modulus: 2f64.powi(i32::try_from(parameters.modulus_bits).unwrap_or(i32::MAX)),
        }
    }

    /// A fresh ciphertext: e₀ + e₁·s + u·e divided by the encryption prime, and the rounding of both parts.
    fn fresh(&self) -> f64 {
        let prime = 2f64.powi(i32::try_from(ENCRYPTION_BITS).unwrap_or_default() - 1);
        self.error * (1.0 + 2.0 * self.secret) / prime + self.ciphertext
    }
}

impl NoiseBound {
    /// Follows a program.
    pub fn of(program: &Program, parameters: &Parameters) -> Self {
        let norms = Norms::new(parameters);
        let mut nodes: Vec<f64> = Vec::with_capacity(program.nodes.len());
        for node in &program.nodes {
            let mut noise = norms.form(&node.linear, &nodes);
            for (left, right) in &node.products {
                let [(a, wa), (b, wb)] = [left, right].map(|form| {
                    let weight = if form.is_light() { form.weight() } else { 1 };
                    #[allow(clippy::cast_precision_loss, reason = "at most 16")]
                    let weight = weight as f64;
                    (norms.form(form, &nodes), weight * norms.ciphertext)
                });
                noise += norms.plaintext * (wa * b + wb * a + a * b / norms.modulus);
            }
            if !node.products.is_empty() {
                noise += norms.product_rounding + norms.relinearisation;
            }
            nodes.push(noise);
        }
        Self { result: norms.form(&program.output, &nodes), rounding: norms.ciphertext }
    }

    /// Bits between the noise of the switched result and the largest that still decodes, Q'/(2t).
    pub fn room(&self, parameters: &Parameters) -> f64 {
        // The primes are a little below their power of two.
        let kept = f64::from(parameters.result_bits()) - 0.01;
        let dropped = f64::from(parameters.modulus_bits) - f64::from(parameters.result_bits());
        let rounding = if dropped > 0.0 { 2.0 * self.rounding } else { 0.0 };
        let noise = self.result * 2f64.powf(-dropped) + rounding;
        #[allow(clippy::cast_precision_loss, reason = "17 bits")]
        let twice = 2.0 * PLAINTEXT as f64;
        kept - twice.log2() - noise.log2()
    }
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
