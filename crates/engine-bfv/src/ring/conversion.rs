//! From residues modulo some primes to residues modulo others.
//!
//! With A = ∏ aᵢ and yᵢ = x·(A/aᵢ)⁻¹ mod aᵢ, the centred x is Σ yᵢ·(A/aᵢ) − v·A, where v is the nearest integer of
//! Σ yᵢ/aᵢ (Halevi, Polyakov, Shoup, ePrint 2018/117, section 2.2). The sum is computed in doubles; if x/A is within
//! 2⁻⁴⁵ of ±1/2, v may be off by one and the result by A. Callers either do not care which of the two they get, or
//! know that x is not so large.
//!
//! Every conversion here can multiply x by a constant first, add a multiple of the target's own residue, and
//! scale the result, because all of that only changes constants.

use super::Basis;
use super::prime::{Constant, EXACT_TERMS, Prime, round, vectorized, wide};

/// Coefficients that are worked on at a time, so that they stay in the nearest cache.
const BLOCK: usize = 512;

/// A conversion between two bases, `to = own·to + scale·centred(factor·from)`.
pub struct Conversion {
    from: Vec<Prime>,
    /// factor·(A/aᵢ)⁻¹ mod aᵢ.
    first: Vec<Constant>,
    targets: Vec<Target>,
    degree: usize,
}

struct Target {
    prime: Prime,
    /// scale·(A/aᵢ) mod the target.
    weights: Vec<Constant>,
    /// −scale·A mod the target.
    overflow: Constant,
    /// What the target's own residue is multiplied by; `None` if it is overwritten.
    own: Option<Constant>,
}

/// Constants of a conversion, each a function of the prime.
pub struct Factors<'a> {
    /// What x is multiplied by modulo a source prime.
    pub factor: &'a dyn Fn(Prime) -> u64,
    /// What the result is multiplied by modulo a target prime.
    pub scale: &'a dyn Fn(Prime) -> u64,
    /// What the target's own residue is multiplied by, if it is added.
    pub own: Option<&'a dyn Fn(Prime) -> u64>,
}

impl Conversion {
    /// Prepares the constants.
    pub fn new(from: &[Prime], to: &[Prime], degree: usize, factors: &Factors<'_>) -> Self {
        let others = |position: usize, modulus: Prime| {
            from.iter()
                .enumerate()
                .filter(|(other, _)| *other != position)
                .fold(1, |product, (_, p)| modulus.multiply(product, p.value() % modulus.value()))
        };
        let first = from
            .iter()
            .enumerate()
            .map(|(i, prime)| {
                let inverse = prime.invert(others(i, *prime));
                prime.constant(prime.multiply((factors.factor)(*prime), inverse))
            })
            .collect();
        let targets = to
            .iter()
            .map(|prime| {
                let scale = (factors.scale)(*prime);
                let scaled = |x| prime.constant(prime.multiply(x, scale));
                Target {
                    prime: *prime,
                    weights: (0..from.len()).map(|i| scaled(others(i, *prime))).collect(),
                    overflow: scaled(prime.negate(others(from.len(), *prime))),
                    own: factors.own.map(|own| prime.constant(own(*prime))),
                }
            })
            .collect();
        Self { from: from.to_vec(), first, targets, degree }
    }

    /// Takes a polynomial in coefficient form to `to`, in coefficient form.
    pub fn convert(&self, from: &[u64], to: &mut [u64]) {
        let mut values = vec![0.0f64; self.from.len() * BLOCK];
        for start in (0..self.degree).step_by(BLOCK) {
            let end = (start + BLOCK).min(self.degree);
            let mut carry = [0.0f64; BLOCK];
            let sources = from.chunks_exact(self.degree).filter_map(|run| run.get(start..end));
            let blocks = values.chunks_exact_mut(BLOCK);
            for (((prime, first), run), block) in
                self.from.iter().zip(&self.first).zip(sources).zip(blocks)
            {
                prime.split(*first, run, block, &mut carry);
            }
            let targets =
                to.chunks_exact_mut(self.degree).filter_map(|run| run.get_mut(start..end));
            for (target, run) in self.targets.iter().zip(targets) {
                target.block(&values, &carry, run);
            }
        }
    }
}

impl Prime {
    /// The yᵢ of a block, and their shares of the carry v.
    fn split(self, first: Constant, run: &[u64], block: &mut [f64], carry: &mut [f64; BLOCK]) {
        let prime = self;
        vectorized!(
            prime: Prime, first: Constant, run: &'a [u64], block: &'a mut [f64],
            carry: &'a mut [f64; BLOCK] => {
                let (modulus, inverse) = prime.doubles();
                for ((y, x), carry) in block.iter_mut().zip(run).zip(carry.iter_mut()) {
                    let remainder = prime.scaled(wide(*x), first);
                    *y = if remainder < 0.0 { remainder + modulus } else { remainder };
                    *carry += *y * inverse;
                }
            }
        );
    }
}

impl Target {
    fn block(&self, values: &[f64], carry: &[f64; BLOCK], run: &mut [u64]) {
        let target = self;
        vectorized!(
            target: &'a Target, values: &'a [f64], carry: &'a [f64; BLOCK], run: &'a mut [u64] => {
                let prime = target.prime;
                let mut sum = [0.0f64; BLOCK];
                for (s, v) in sum.iter_mut().zip(carry) {
                    *s = prime.scaled(round(*v), target.overflow);
                }
                let mut terms = 1;
                if let Some(own) = target.own {
                    for (s, x) in sum.iter_mut().zip(run.iter()) {
                        *s += prime.scaled(wide(*x), own);
                    }
                    terms += 1;
                }
                for (weight, block) in target.weights.iter().zip(values.chunks_exact(BLOCK)) {
                    if terms == EXACT_TERMS {
                        for s in &mut sum {
                            *s = prime.reduce(*s);
                        }
                        terms = 1;
                    }
                    for (s, y) in sum.iter_mut().zip(block) {
                        *s += prime.scaled(*y, *weight);
                    }
                    terms += 1;
                }
                for (word, sum) in run.iter_mut().zip(&sum) {
                    *word = prime.canonical(prime.reduce(*sum));
                }
            }
        );
    }
}

impl Basis {
    /// Takes the last prime q off: c ← (c − centred(c mod q)) / q modulo the others. `None` if there is only one.
    pub fn drop_last(&self) -> Option<Conversion> {
        let (dropped, others) = self.primes().split_last()?;
        if others.is_empty() {
            return None;
        }
        let inverse = |p: Prime| p.invert(dropped.value() % p.value());
        let minus = |p: Prime| p.negate(inverse(p));
        let factors = Factors { factor: &|_| 1, scale: &minus, own: Some(&inverse) };
        Some(Conversion::new(&[*dropped], others, self.degree(), &factors))
    }

    /// A plain change of basis: the centred value modulo other primes.
    pub fn extension(&self, to: &[Prime]) -> Conversion {
        let one = |_: Prime| 1;
        let factors = Factors { factor: &one, scale: &one, own: None };
        Conversion::new(self.primes(), to, self.degree(), &factors)
    }
}

#[cfg(test)]
mod tests {
    use super::super::primes_below;
    use super::*;
    use num_bigint::BigInt;

    #[test]
    fn extension_keeps_the_centred_value() {
        let primes = primes_below(50, 4096, 17, &[]);
        for count in [1, 2, 5, 9] {
            let from = Basis::new(1024, &primes[..count]).unwrap();
            let to = Basis::new(1024, &primes[count..]).unwrap();
            let mut x = from.zero();
            let mut state = 1u64;
            for (prime, run) in from.runs_mut(&mut x) {
                for word in run.iter_mut() {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    *word = state % prime.value();
                }
            }
            let mut y = to.zero();
            from.extension(to.primes()).convert(&x, &mut y);
            for coefficient in [0, 1, 511, 512, 1023] {
                let expected = from.lift(&x, coefficient);
                for (prime, run) in to.runs(&y) {
                    let modulus = BigInt::from(prime.value());
                    let expected = ((&expected % &modulus) + &modulus) % &modulus;
                    assert_eq!(BigInt::from(run[coefficient]), expected);
                }
            }
        }
    }
}
