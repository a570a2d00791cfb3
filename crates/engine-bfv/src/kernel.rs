//! What is done with ciphertexts, and the constants for it.

use crate::keys::{Cutting, EvaluationKey};
use crate::parameters::{PLAINTEXT, Parameters};
use crate::plaintext::{product, scaled_plaintext};
use crate::plan::basis;
use crate::program::Linear;
use crate::ring::Basis;
use crate::ring::conversion::{Conversion, Factors};
use crate::ring::prime::Prime;
use crate::values::{Operand, Pool, Values, Wide};
use blindtier_engine::EngineError;

/// Ciphertext c₀ + c₁·s over Q, in coefficient form.
pub(crate) type Ciphertext = [Vec<u64>; 2];

/// Everything that does not change from chunk to chunk.
pub(crate) struct Kernel {
    own: Basis,
    extension: Basis,
    result: Basis,
    extend: Conversion,
    scale: Conversion,
    back: Conversion,
    /// Take the last prime off a ciphertext, one after the other.
    drops: Vec<Conversion>,
    key: EvaluationKey,
}

impl Kernel {
    /// Prepares the constants and the key.
    pub fn new(parameters: &Parameters, key: &[u8]) -> Result<Self, EngineError> {
        let (moduli, extension) = parameters.moduli();
        let own = basis(parameters.degree, &moduli)?;
        let extension = basis(parameters.degree, &extension)?;
        let result_primes = usize::try_from(parameters.result_primes).unwrap_or_default();
        let kept: Vec<u64> = moduli.iter().copied().take(result_primes).collect();
        let result = basis(parameters.degree, &kept)?;
        let degree = parameters.degree;
        let size = u64::try_from(degree).unwrap_or_default();
        let modulus = |prime: Prime| product(own.primes(), prime);
        // y = (t·X − centred(t·X mod Q)) / Q, where X still is N times too large.
        let shrunk = |p: Prime| p.multiply(PLAINTEXT % p.value(), p.invert(size));
        let minus = |p: Prime| p.negate(p.invert(modulus(p)));
        let kept_own = |p: Prime| p.multiply(shrunk(p), p.invert(modulus(p)));
        let factors = Factors { factor: &shrunk, scale: &minus, own: Some(&kept_own) };
        let scale = Conversion::new(own.primes(), extension.primes(), degree, &factors);
        let drops = (result_primes..moduli.len())
            .rev()
            .map(|last| {
                let larger = moduli.get(..=last).unwrap_or_default();
                Ok(basis(degree, larger)?.drop_last())
            })
            .collect::<Result<Vec<_>, EngineError>>()?;
        let drops = drops.into_iter().flatten().collect();
        let key = EvaluationKey::read(parameters, &own, key)?;
        Ok(Self {
            extend: own.extension(extension.primes()),
            back: extension.extension(own.primes()),
            own,
            extension,
            result,
            scale,
            drops,
            key,
        })
    }

    /// The basis of Q.
    pub fn basis(&self) -> &Basis {
        &self.own
    }

    /// The basis of a result's modulus.
    pub fn result_basis(&self) -> &Basis {
        &self.result
    }

    /// A message without encryption: the same value in every slot.
    pub fn constant(&self, value: i64) -> Ciphertext {
        let mut message = self.own.zero();
        self.add_constant(&mut message, value);
        [message, self.own.zero()]
    }

    /// Buffers for a run.
    pub fn pool(&self) -> Pool {
        Pool::new(self.own.words(), self.extension.words())
    }

    /// `to += factor · from`.
    pub fn add_scaled(&self, to: &mut Operand, from: &Operand, factor: i64) {
        for (to, from) in to.iter_mut().zip(from) {
            self.own.add_scaled(&mut to.own, &from.own, factor);
            self.extension.add_scaled(&mut to.extension, &from.extension, factor);
        }
    }

    /// A ciphertext extended to the larger modulus and transformed.
    pub fn extended(&self, ciphertext: &Ciphertext, pool: &mut Pool) -> Operand {
        ciphertext.each_ref().map(|part| {
            let mut wide = pool.wide();
            wide.own.copy_from_slice(part);
            self.extend.convert(part, &mut wide.extension);
            self.own.transform(&mut wide.own);
            self.extension.transform(&mut wide.extension);
            wide
        })
    }

    /// Adds products to a sum.
    pub fn add_products(&self, sum: &mut Sum, products: &[Product<'_>]) {
        let [s0, s1, s2] = sum;
        let constant = |prime, constant| self.scaled_constant(prime, constant);
        let own = [&mut s0.own, &mut s1.own, &mut s2.own];
        add_tensors(&self.own, own, products, |wide| &wide.own, constant);
        let extension = [&mut s0.extension, &mut s1.extension, &mut s2.extension];
        add_tensors(&self.extension, extension, products, |wide| &wide.extension, constant);
    }

    /// A sum of products → t/Q times as large, rounded and relinearised.
    pub fn closed(&self, sum: Sum, pool: &mut Pool) -> Ciphertext {
        let [mut c0, mut c1, c2] = sum.map(|part| self.scaled_down(part, pool));
        self.key.relinearise(&self.own, &c2, [&mut c0, &mut c1], pool);
        pool.take_own(c2);
        [c0, c1]
    }

    /// A transformed sum of products → t/Q times as large, rounded, over Q in coefficient form.
    fn scaled_down(&self, mut part: Wide, pool: &mut Pool) -> Vec<u64> {
        self.own.invert_scaled(&mut part.own);
        self.extension.invert_scaled(&mut part.extension);
        self.scale.convert(&part.own, &mut part.extension);
        self.back.convert(&part.extension, &mut part.own);
        pool.take_extension(part.extension);
        part.own
    }

    /// A linear form of ciphertexts over Q.
    pub fn form(&self, form: &Linear, values: &Values, pool: &mut Pool) -> Ciphertext {
        let mut sum = [pool.own(), pool.own()];
        for (value, coefficient) in &form.terms {
            if let Some(ciphertext) = values.get(*value) {
                for (to, from) in sum.iter_mut().zip(ciphertext) {
                    self.own.add_scaled(to, from, *coefficient);
                }
            }
        }
        let [first, _] = &mut sum;
        self.add_constant(first, form.constant);
        sum
    }

    /// Adds round(Q·c/t), in coefficient form.
    fn add_constant(&self, to: &mut [u64], constant: i64) {
        for (prime, run) in self.own.runs_mut(to) {
            let first = run.get_mut(..1).unwrap_or_default();
            prime.add_constant(first, self.scaled_constant(prime, constant));
        }
    }

    /// round(Q·c/t) modulo a prime.
    fn scaled_constant(&self, prime: Prime, constant: i64) -> u64 {
        scaled_plaintext(self.own.primes(), prime, constant)
    }

    /// Switches a result to the smaller modulus.
    pub fn shrink(&self, ciphertext: Ciphertext) -> Ciphertext {
        ciphertext.map(|mut part| {
            let degree = self.own.degree();
            for drop in &self.drops {
                let last = part.split_off(part.len().saturating_sub(degree));
                drop.convert(&last, &mut part);
            }
            part
        })
    }
}

/// The three parts of a sum of products, transformed.
pub(crate) type Sum = [Wide; 3];

/// A product of two operands and perhaps a factor, a polynomial with small coefficients.
pub(crate) struct Product<'a> {
    pub factor: Option<&'a [i64]>,
    pub operands: [&'a Operand; 2],
    /// What is added to the operands.
    pub constants: [i64; 2],
}

/// Adds products to the three parts of a sum, run by run, so that the sum's runs stay in the cache.
fn add_tensors(
    basis: &Basis,
    sum: [&mut Vec<u64>; 3],
    products: &[Product<'_>],
    part: impl Fn(&Wide) -> &Vec<u64>,
    constant: impl Fn(Prime, i64) -> u64,
) {
    let [s0, s1, s2] = sum;
    let mut factor = vec![0; basis.degree()];
    let sums = basis.runs_mut(s0).zip(basis.runs_mut(s1)).zip(basis.runs_mut(s2));
    for (position, (((prime, s0), (_, s1)), (_, s2))) in sums.enumerate() {
        let run = |wide| -> &[u64] { basis.run(part(wide), position) };
        for product in products {
            let [left, right] = product.operands.map(|operand| operand.each_ref().map(run));
            // A constant polynomial is the same number at every root.
            let constants = product.constants.map(|c| constant(prime, c));
            match product.factor {
                None => prime.add_tensor([s0, s1, s2], left, right, constants),
                Some(coefficients) => {
                    prime.residues(coefficients, &mut factor);
                    basis.transform_run(position, &mut factor);
                    prime.add_scaled_tensor([s0, s1, s2], &factor, left, right, constants);
                }
            }
        }
    }
}

impl EvaluationKey {
    /// Adds a product's third part, which belongs to s², to the other two.
    fn relinearise(&self, basis: &Basis, third: &[u64], to: [&mut Vec<u64>; 2], pool: &mut Pool) {
        let degree = basis.degree();
        let (mut sum0, mut sum1) = (pool.own(), pool.own());
        let mut pieces = vec![0i64; degree];
        let mut rest = vec![0i64; degree];
        let mut run = vec![0u64; degree];
        let mut entries = self.entries.iter();
        for (prime, source) in basis.runs(third) {
            Cutting::centre(prime, source, &mut rest);
            for piece in 0..self.cutting.pieces {
                self.cutting.next(piece, &mut rest, &mut pieces);
                let Some([key0, key1]) = entries.next() else { return };
                let keys = basis.runs(key0).zip(basis.runs(key1));
                let sums = basis.runs_mut(&mut sum0).zip(basis.runs_mut(&mut sum1));
                for (target, (((p, key0), (_, key1)), ((_, sum0), (_, sum1)))) in
                    keys.zip(sums).enumerate()
                {
                    p.residues(&pieces, &mut run);
                    basis.transform_run(target, &mut run);
                    p.add_product(sum0, &run, key0);
                    p.add_product(sum1, &run, key1);
                }
            }
        }
        // The key is 1/N times as large as it should be.
        for (to, mut sum) in to.into_iter().zip([sum0, sum1]) {
            basis.invert_scaled(&mut sum);
            basis.add(to, &sum);
            pool.take_own(sum);
        }
    }
}
