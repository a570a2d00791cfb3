//! The key ceremony of a single key holder, and the evaluation key.

use crate::bytes::{append, polynomial_bytes, read};
use crate::parameters::Parameters;
use crate::plan::{BfvPlan, basis, encryption_basis};
use crate::random::Stream;
use crate::ring::Basis;
use crate::ring::prime::{Prime, vectorized};
use blindtier_engine::EngineError;
use zeroize::Zeroizing;

/// What one key ceremony yields.
pub struct KeySet {
    /// Private: the secret's coefficients, one byte each (0, 1, or 2 for −1).
    pub secret: Zeroizing<Vec<u8>>,
    /// Public: what agencies encrypt with.
    pub public: Vec<u8>,
    /// Public: relinearisation, for the evaluator and whoever recomputes.
    pub evaluation: Vec<u8>,
}

/// How a residue is cut into pieces for relinearisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cutting {
    pub pieces: u32,
    bits: u32,
}

impl Cutting {
    pub fn new(parameters: &Parameters) -> Self {
        Self { pieces: parameters.pieces, bits: parameters.piece_bits() }
    }

    /// Residues in −q/2..q/2.
    pub fn centre(prime: Prime, run: &[u64], to: &mut [i64]) {
        let (modulus, half) = (prime.value(), prime.value() / 2);
        vectorized!(modulus: u64, half: u64, run: &'a [u64], to: &'a mut [i64] => {
            for (to, word) in to.iter_mut().zip(run) {
                let shift = if *word > half { modulus } else { 0 };
                *to = word.wrapping_sub(shift).cast_signed();
            }
        });
    }

    /// Takes the next piece, centred, off `rest`.
    pub fn next(self, piece: u32, rest: &mut [i64], to: &mut [i64]) {
        if piece + 1 == self.pieces {
            to.copy_from_slice(rest);
            return;
        }
        let (bits, half) = (self.bits, 1i64 << (self.bits - 1));
        let mask = (1i64 << bits) - 1;
        vectorized!(bits: u32, half: i64, mask: i64, rest: &'a mut [i64], to: &'a mut [i64] => {
            for (to, rest) in to.iter_mut().zip(rest.iter_mut()) {
                let low = ((*rest + half) & mask) - half;
                *to = low;
                *rest = (*rest - low) >> bits;
            }
        });
    }

    /// Signed numbers below 2·prime in size as residues. A piece may be larger than the prime: half of a prime of Q
    /// can be a little more than a whole one that has a bit less.
    pub fn residues(prime: Prime, from: &[i64], to: &mut [u64]) {
        let modulus = prime.value();
        vectorized!(modulus: u64, from: &'a [i64], to: &'a mut [u64] => {
            for (to, small) in to.iter_mut().zip(from) {
                let word = small.cast_unsigned().wrapping_add(2 * modulus);
                let word = word.min(word.wrapping_sub(2 * modulus));
                *to = word.min(word.wrapping_sub(modulus));
            }
        });
    }
}

/// Encryptions of s²·2^(bits·k) for each prime of Q alone, transformed and divided by N.
pub(crate) struct EvaluationKey {
    pub cutting: Cutting,
    pub entries: Vec<[Vec<u64>; 2]>,
}

impl EvaluationKey {
    /// Decodes a key against its parameters.
    pub fn read(parameters: &Parameters, basis: &Basis, bytes: &[u8]) -> Result<Self, EngineError> {
        let what = "evaluation key";
        let (seed, bodies) = bytes.split_first_chunk::<32>().ok_or(EngineError::Malformed {
            what,
            detail: format!("{} bytes are too few", bytes.len()),
        })?;
        let cutting = Cutting::new(parameters);
        let count = usize::try_from(parameters.primes * cutting.pieces).unwrap_or_default();
        let bodies = read(what, basis, count, bodies)?;
        let mut masks = Stream::from_seed(MASKS, seed);
        let size = u64::try_from(basis.degree()).unwrap_or_default();
        let prepared = |mut polynomial: Vec<u64>| {
            basis.transform(&mut polynomial);
            for (prime, run) in basis.runs_mut(&mut polynomial) {
                prime.scale(run, prime.constant(prime.invert(size)));
            }
            polynomial
        };
        let entries = bodies
            .into_iter()
            .map(|body| [prepared(body), prepared(masks.uniform(basis))])
            .collect();
        Ok(Self { cutting, entries })
    }
}

/// The public masks of an evaluation key follow from a seed under this name.
const MASKS: &str = "blindtier bfv evaluation key masks v1";

/// Generates fresh keys for a plan's parameters (public) with randomness from the operating system.
pub fn generate_keys(plan: &BfvPlan) -> Result<KeySet, EngineError> {
    generate(&plan.parameters)
}

pub(crate) fn generate(parameters: &Parameters) -> Result<KeySet, EngineError> {
    let (moduli, _) = parameters.moduli();
    let basis = basis(parameters.degree, &moduli)?;
    let mut private = Stream::secret()?;
    let ternary = private.ternary(parameters.degree);
    let transformed = |basis: &Basis| {
        let mut secret = Zeroizing::new(basis.small(&ternary));
        basis.transform(&mut secret);
        secret
    };

    let wide = encryption_basis(parameters)?;
    let mut public = Vec::with_capacity(2 * polynomial_bytes(&wide));
    let mask = private.uniform(&wide);
    append(&mut public, &wide, &masked(&wide, &transformed(&wide), &mask, &mut private));
    append(&mut public, &wide, &mask);

    let secret = transformed(&basis);

    let mut square = Zeroizing::new(basis.product(&secret, &secret));
    basis.invert(&mut square);
    let cutting = Cutting::new(parameters);
    let seed = private.seed();
    let mut masks = Stream::from_seed(MASKS, &seed);
    let mut evaluation = seed.to_vec();
    for position in 0..moduli.len() {
        for piece in 0..cutting.pieces {
            let mask = masks.uniform(&basis);
            let mut body = masked(&basis, &secret, &mask, &mut private);
            // The gadget's element is 2^(bits·piece) modulo one prime and 0 modulo the others.
            let runs = basis.runs_mut(&mut body).zip(basis.runs(&square));
            for ((prime, run), (_, square)) in runs.skip(position).take(1) {
                let weight = prime.power(2, u64::from(cutting.bits * piece));
                prime.add_scaled(run, square, prime.constant(weight));
            }
            append(&mut evaluation, &basis, &body);
        }
    }
    let secret = Zeroizing::new(
        ternary.iter().map(|c| u8::try_from(c.rem_euclid(3)).unwrap_or_default()).collect(),
    );
    Ok(KeySet { secret, public, evaluation })
}

/// e − mask·s, in coefficient form; `mask` is in coefficient form, `secret` (private) transformed.
fn masked(basis: &Basis, secret: &[u64], mask: &[u64], private: &mut Stream) -> Vec<u64> {
    let mut mask = mask.to_vec();
    basis.transform(&mut mask);
    let mut masked = Zeroizing::new(basis.product(&mask, secret));
    basis.invert(&mut masked);
    let mut body = basis.small(&private.error(basis.degree()));
    for ((prime, to), (_, from)) in basis.runs_mut(&mut body).zip(basis.runs(&masked)) {
        prime.subtract(to, from);
    }
    body
}

/// A secret's bytes (private) → its coefficients.
pub(crate) fn secret_coefficients(
    degree: usize,
    secret: &[u8],
) -> Result<Zeroizing<Vec<i64>>, EngineError> {
    let what = "secret key";
    if secret.len() != degree {
        return Err(EngineError::Malformed {
            what,
            detail: format!("expected {degree} bytes, found {}", secret.len()),
        });
    }
    let coefficient = |byte: &u8| match byte {
        0 => Ok(0),
        1 => Ok(1),
        2 => Ok(-1),
        _ => Err(EngineError::Malformed { what, detail: "a coefficient is not ternary".into() }),
    };
    Ok(Zeroizing::new(secret.iter().map(coefficient).collect::<Result<Vec<i64>, _>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::primes_below;

    #[test]
    fn pieces_are_residues_modulo_every_prime_of_the_modulus() {
        // Primes of Q differ by up to one bit, so that half of one can be more than another.
        for bits in [36, 43, 47, 49] {
            let small = Prime::new(primes_below(bits, 65_536, 1, &[])[0]);
            let large = Prime::new(primes_below(bits + 1, 65_536, 1, &[])[0]);
            let (q, p) = (large.value(), small.value());
            let words =
                [0, 1, p - 1, p, p + 1, q / 2 - 1, q / 2, q / 2 + 1, q - p, q - p + 1, q - 1];
            for pieces in 1..=3 {
                let cutting = Cutting { pieces, bits: (bits + 1).div_ceil(pieces) };
                let mut rest = vec![0; words.len()];
                Cutting::centre(large, &words, &mut rest);
                let mut piece = vec![0; words.len()];
                for target in [small, large] {
                    let mut rest = rest.clone();
                    let mut sum = vec![0; words.len()];
                    for number in 0..pieces {
                        cutting.next(number, &mut rest, &mut piece);
                        let mut run = vec![0; words.len()];
                        Cutting::residues(target, &piece, &mut run);
                        assert!(run.iter().all(|word| *word < target.value()), "{bits} {pieces}");
                        let weight = target.power(2, u64::from(cutting.bits * number));
                        target.add_scaled(&mut sum, &run, target.constant(weight));
                    }
                    for (word, sum) in words.iter().zip(&sum) {
                        let centred = if *word > q / 2 {
                            word.cast_signed() - q.cast_signed()
                        } else {
                            word.cast_signed()
                        };
                        assert_eq!(*sum, target.residue(centred), "{bits} {pieces} {word}");
                    }
                }
            }
        }
    }
}
