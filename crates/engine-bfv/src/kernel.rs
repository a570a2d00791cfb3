//! The program on ciphertexts.
//!
//! A value that is multiplied is extended to the larger modulus and transformed once, however often it is used. A
//! node adds up all its products in transformed form; only the sum is brought back, scaled by t/Q and relinearised.

use crate::keys::{Cutting, EvaluationKey};
use crate::parameters::{PLAINTEXT, Parameters};
use crate::plaintext::{product, scaled_plaintext};
use crate::plan::basis;
use crate::program::{Linear, Node, Program};
use crate::ring::Basis;
use crate::ring::conversion::{Conversion, Factors};
use crate::ring::prime::Prime;
use crate::values::{Operand, Pool, Prepared, Values, Wide};
use blindtier_engine::EngineError;

/// Ciphertext c₀ + c₁·s over Q, in coefficient form.
pub(crate) type Ciphertext = [Vec<u64>; 2];

/// How many products of a node are added together. More would be faster and hold more operands at a time.
const TOGETHER: usize = 4;

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

    /// Runs a program. Returns the result and how many products were computed.
    pub fn run(&self, program: &Program, columns: Vec<Ciphertext>) -> (Ciphertext, u64) {
        let mut pool = Pool::new(self.own.words(), self.extension.words());
        let mut values = Values::new(program, columns);
        let mut multiplications = 0;
        for node in &program.nodes {
            let value = self.node(node, &mut values, &mut pool);
            multiplications += u64::try_from(node.products.len()).unwrap_or(u64::MAX);
            values.finish(node, value, &mut pool);
        }
        (self.form(&program.output, &values, &mut pool), multiplications)
    }

    fn node(&self, node: &Node, values: &mut Values, pool: &mut Pool) -> Ciphertext {
        let linear = self.form(&node.linear, values, pool);
        if node.products.is_empty() {
            return linear;
        }
        let mut sum = [pool.wide(), pool.wide(), pool.wide()];
        for products in node.products.chunks(TOGETHER) {
            let mut prepared = Vec::with_capacity(products.len());
            for (left, right) in products {
                let left = self.operand(left, values, pool);
                prepared.push((left, self.operand(right, values, pool)));
            }
            let operands: Vec<(&Operand, &Operand)> = prepared
                .iter()
                .filter_map(|(left, right)| Some((values.operand(left)?, values.operand(right)?)))
                .collect();
            self.add_products(&mut sum, &operands);
            for prepared in prepared.into_iter().flat_map(|(left, right)| [left, right]) {
                if let Prepared::Here(operand) = prepared {
                    pool.take_operand(*operand);
                }
            }
        }
        let [mut c0, mut c1, c2] = sum.map(|part| self.scaled_down(part, pool));
        let [l0, l1] = linear;
        self.own.add(&mut c0, &l0);
        self.own.add(&mut c1, &l1);
        self.key.relinearise(&self.own, &c2, [&mut c0, &mut c1], pool);
        for part in [l0, l1, c2] {
            pool.take_own(part);
        }
        [c0, c1]
    }

    /// Makes sure that an operand is there.
    fn operand(&self, form: &Linear, values: &mut Values, pool: &mut Pool) -> Prepared {
        if !form.is_light() {
            let ciphertext = self.form(form, values, pool);
            let operand = self.extended(&ciphertext, pool);
            ciphertext.into_iter().for_each(|part| pool.take_own(part));
            return Prepared::Here(Box::new(operand));
        }
        for (value, _) in &form.terms {
            if !values.operands.contains_key(value)
                && let Some(ciphertext) = values.get(*value)
            {
                let extended = self.extended(ciphertext, pool);
                values.operands.insert(*value, extended);
            }
        }
        if let Some(value) = form.single() {
            return Prepared::Known(value);
        }
        let mut sum = [pool.wide(), pool.wide()];
        for (value, coefficient) in &form.terms {
            if let Some(operand) = values.operands.get(value) {
                for (to, from) in sum.iter_mut().zip(operand) {
                    self.own.add_scaled(&mut to.own, &from.own, *coefficient);
                    self.extension.add_scaled(&mut to.extension, &from.extension, *coefficient);
                }
            }
        }
        if form.constant != 0 {
            // A constant polynomial is the same number at every root.
            let [first, _] = &mut sum;
            for (prime, run) in self.own.runs_mut(&mut first.own) {
                prime.add_constant(run, self.scaled_constant(prime, form.constant));
            }
            for (prime, run) in self.extension.runs_mut(&mut first.extension) {
                prime.add_constant(run, self.scaled_constant(prime, form.constant));
            }
        }
        Prepared::Here(Box::new(sum))
    }

    fn extended(&self, ciphertext: &Ciphertext, pool: &mut Pool) -> Operand {
        ciphertext.each_ref().map(|part| {
            let mut wide = pool.wide();
            wide.own.copy_from_slice(part);
            self.extend.convert(part, &mut wide.extension);
            self.own.transform(&mut wide.own);
            self.extension.transform(&mut wide.extension);
            wide
        })
    }

    fn add_products(&self, sum: &mut [Wide; 3], products: &[(&Operand, &Operand)]) {
        let [s0, s1, s2] = sum;
        let own = [&mut s0.own, &mut s1.own, &mut s2.own];
        add_tensors(&self.own, own, products, |wide| &wide.own);
        let extension = [&mut s0.extension, &mut s1.extension, &mut s2.extension];
        add_tensors(&self.extension, extension, products, |wide| &wide.extension);
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
    fn form(&self, form: &Linear, values: &Values, pool: &mut Pool) -> Ciphertext {
        let mut sum = [pool.own(), pool.own()];
        for (value, coefficient) in &form.terms {
            if let Some(ciphertext) = values.get(*value) {
                for (to, from) in sum.iter_mut().zip(ciphertext) {
                    self.own.add_scaled(to, from, *coefficient);
                }
            }
        }
        let [first, _] = &mut sum;
        for (prime, run) in self.own.runs_mut(first) {
            let constant = run.get_mut(..1).unwrap_or_default();
            prime.add_constant(constant, self.scaled_constant(prime, form.constant));
        }
        sum
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

/// Adds products to the three parts of a sum, run by run, so that the sum's runs stay in the cache.
fn add_tensors(
    basis: &Basis,
    sum: [&mut Vec<u64>; 3],
    products: &[(&Operand, &Operand)],
    part: impl Fn(&Wide) -> &Vec<u64>,
) {
    let [s0, s1, s2] = sum;
    let sums = basis.runs_mut(s0).zip(basis.runs_mut(s1)).zip(basis.runs_mut(s2));
    for (position, (((prime, s0), (_, s1)), (_, s2))) in sums.enumerate() {
        let run = |wide| -> &[u64] { basis.run(part(wide), position) };
        for (left, right) in products {
            let [left, right] = [left, right].map(|operand| operand.each_ref().map(run));
            prime.add_tensor([s0, s1, s2], left, right);
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
                    Cutting::residues(p, &pieces, &mut run);
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
