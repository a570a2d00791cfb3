//! All keys of one holder, for tests and measurements, and the evaluation key as the kernel uses it.

use crate::bytes::read;
use crate::ceremony::Ceremony;
use crate::parameters::Parameters;
use crate::plan::BfvPlan;
use crate::random::Stream;
use crate::ring::Basis;
use crate::ring::prime::{Prime, vectorized};
use blindtier_engine::{EngineError, Plan};
use zeroize::Zeroizing;

/// What a key ceremony yields whose shares are all in one hand.
pub struct KeySet {
    /// Private: the secret's coefficients, one signed byte each.
    pub secret: Zeroizing<Vec<u8>>,
    /// Private: the seeds of the shares.
    pub shares: Vec<Zeroizing<[u8; 32]>>,
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

    /// By how many bits a piece is shifted.
    pub fn shift(self, piece: u32) -> u64 {
        u64::from(self.bits * piece)
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
}

/// Encryptions of s²·2^(bits·k) for each prime of Q alone, body and mask, transformed and divided by N.
pub(crate) struct EvaluationKey {
    pub cutting: Cutting,
    pub entries: Vec<[Vec<u64>; 2]>,
}

impl EvaluationKey {
    /// Decodes a key against its parameters.
    pub fn read(parameters: &Parameters, basis: &Basis, bytes: &[u8]) -> Result<Self, EngineError> {
        let cutting = Cutting::new(parameters);
        let count = usize::try_from(parameters.primes * cutting.pieces).unwrap_or_default();
        let mut polynomials = read("evaluation key", basis, 2 * count, bytes)?.into_iter();
        let size = u64::try_from(basis.degree()).unwrap_or_default();
        let prepared = |mut polynomial: Vec<u64>| {
            basis.transform(&mut polynomial);
            for (prime, run) in basis.runs_mut(&mut polynomial) {
                prime.scale(run, prime.constant(prime.invert(size)));
            }
            polynomial
        };
        let mut entries = Vec::with_capacity(count);
        while let (Some(body), Some(mask)) = (polynomials.next(), polynomials.next()) {
            entries.push([prepared(body), prepared(mask)]);
        }
        Ok(Self { cutting, entries })
    }
}

/// Runs the key ceremony of a plan (public) with shares from the operating system's randomness, all in one place. The
/// keys have the noise of a real ceremony; the trust is that of a dealer.
pub fn generate_keys(plan: &BfvPlan) -> Result<KeySet, EngineError> {
    generate(&plan.parameters, plan.summary().hash)
}

/// The same for parameters, with what binds the keys to their use.
pub(crate) fn generate(parameters: &Parameters, plan: [u8; 32]) -> Result<KeySet, EngineError> {
    let mut private = Stream::secret()?;
    let ceremony = Ceremony::new(parameters, plan, *private.key())?;
    let seeds: Vec<Zeroizing<[u8; 32]>> = (0..parameters.shares).map(|_| private.key()).collect();
    let shares: Vec<_> = seeds.iter().map(|seed| ceremony.share(seed)).collect();

    let mut sum = Zeroizing::new(vec![0i64; parameters.degree]);
    for share in &shares {
        for (to, from) in sum.iter_mut().zip(share.secret(parameters.degree).iter()) {
            *to += from;
        }
    }
    let byte = |c: &i64| i8::try_from(*c).unwrap_or_default().cast_unsigned();
    let secret = Zeroizing::new(sum.iter().map(byte).collect());

    let firsts: Vec<Vec<u8>> = shares.iter().map(|share| ceremony.first(share)).collect();
    let firsts: Vec<&[u8]> = firsts.iter().map(Vec::as_slice).collect();
    let seconds = shares
        .iter()
        .map(|share| ceremony.second(share, &firsts))
        .collect::<Result<Vec<_>, _>>()?;
    let seconds: Vec<&[u8]> = seconds.iter().map(Vec::as_slice).collect();
    Ok(KeySet {
        secret,
        shares: seeds,
        public: ceremony.public_key(&firsts)?,
        evaluation: ceremony.evaluation_key(&firsts, &seconds)?,
    })
}

/// A secret's bytes (private) → its coefficients, each the sum of one ternary coefficient a share.
pub(crate) fn secret_coefficients(
    degree: usize,
    shares: u32,
    secret: &[u8],
) -> Result<Zeroizing<Vec<i64>>, EngineError> {
    let malformed = |detail: String| EngineError::Malformed { what: "secret key", detail };
    if secret.len() != degree {
        return Err(malformed(format!("expected {degree} bytes, found {}", secret.len())));
    }
    let coefficients: Zeroizing<Vec<i64>> =
        Zeroizing::new(secret.iter().map(|byte| i64::from(byte.cast_signed())).collect());
    if coefficients.iter().any(|c| c.unsigned_abs() > u64::from(shares)) {
        return Err(malformed("a coefficient is larger than any sum of its shares".into()));
    }
    Ok(coefficients)
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
                        target.residues(&piece, &mut run);
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
