//! An agency's side.

use crate::bytes::{append, read};
use crate::kernel::Ciphertext;
use crate::parameters::{PLAINTEXT, Parameters};
use crate::plan::{BfvPlan, basis, check_families, encryption_basis};
use crate::program::balanced;
use crate::random::Stream;
use crate::ring::Basis;
use crate::ring::conversion::Conversion;
use crate::ring::prime::Prime;
use crate::slots::Slots;
use blindtier_engine::{Encrypt, EngineError, check_columns};
use zeroize::Zeroizing;

/// Encrypts columns with the public key only.
pub struct BfvEncrypt {
    plan: BfvPlan,
    encryptor: Encryptor,
}

impl BfvEncrypt {
    /// Takes a plan and a public key's bytes, both public.
    pub fn new(plan: BfvPlan, public: &[u8]) -> Result<Self, EngineError> {
        let encryptor = Encryptor::new(&plan.parameters, public)?;
        Ok(Self { plan, encryptor })
    }
}

/// A public key, prepared.
pub(crate) struct Encryptor {
    pub basis: Basis,
    /// Q and the encryption prime.
    wide: Basis,
    narrow: Conversion,
    slots: Slots,
    /// The public key's two parts over the wide basis, transformed.
    key: [Vec<u64>; 2],
}

impl Encryptor {
    /// Takes parameters and a public key's bytes, both public.
    pub fn new(parameters: &Parameters, public: &[u8]) -> Result<Self, EngineError> {
        let basis = basis(parameters.degree, &parameters.moduli().0)?;
        let wide = encryption_basis(parameters)?;
        let narrow = wide
            .drop_last()
            .ok_or_else(|| crate::lower::unsupported("a modulus without primes".into()))?;
        let mut parts = read("public key", &wide, 2, public)?.into_iter();
        let mut part = || {
            let mut polynomial = parts.next().unwrap_or_default();
            wide.transform(&mut polynomial);
            polynomial
        };
        let key = [part(), part()];
        let slots = Slots::new(basis.degree()).ok_or_else(|| {
            crate::lower::unsupported(format!("degree {} has no slots", basis.degree()))
        })?;
        Ok(Self { basis, wide, narrow, slots, key })
    }

    /// Encrypts a column (private); slots beyond its values hold `rest`.
    pub fn column(&self, values: &[i64], rest: i64) -> Result<Ciphertext, EngineError> {
        self.polynomial(&Zeroizing::new(self.slots.encode(values, rest)))
    }

    /// Encrypts one polynomial (private) modulo the plaintext modulus: u·key + (e₀, e₁), divided by the encryption
    /// prime, and round(Q·m/t) added to the first part.
    fn polynomial(&self, message: &[u64]) -> Result<Ciphertext, EngineError> {
        let wide = &self.wide;
        let degree = wide.degree();
        let mut private = Stream::secret()?;
        let mut blind = Zeroizing::new(wide.small(&private.ternary(degree)));
        wide.transform(&mut blind);
        let [mut c0, c1] = self.key.each_ref().map(|key| {
            let mut product = wide.product(&blind, key);
            wide.invert(&mut product);
            let error = Zeroizing::new(wide.small(&private.error(degree)));
            wide.add(&mut product, &error);
            let last = product.split_off(self.basis.words());
            self.narrow.convert(&last, &mut product);
            product
        });
        self.add_message(&mut c0, message);
        Ok([c0, c1])
    }

    /// Adds round(Q·m/t): modulo a prime of Q that is −r/t with the centred r = Q·m mod t.
    fn add_message(&self, to: &mut [u64], message: &[u64]) {
        let field = Prime::new(PLAINTEXT);
        let modulus = crate::kernel::product(self.basis.primes(), field);
        let rest = |m: &u64| balanced(field.multiply(modulus, *m).cast_signed());
        let rests: Zeroizing<Vec<i64>> = Zeroizing::new(message.iter().map(rest).collect());
        let residues = Zeroizing::new(self.basis.small(&rests));
        for ((prime, run), (_, residues)) in self.basis.runs_mut(to).zip(self.basis.runs(&residues))
        {
            let minus = prime.negate(prime.invert(PLAINTEXT % prime.value()));
            prime.add_scaled(run, residues, prime.constant(minus));
        }
    }
}

impl Encrypt for BfvEncrypt {
    fn encrypt(&self, agency: usize, columns: &[Vec<i64>]) -> Result<Vec<u8>, EngineError> {
        let families = check_columns(&self.plan.inputs, agency, columns)?;
        check_families(families, self.encryptor.basis.degree())?;
        let mut bytes = Vec::new();
        for (position, column) in self.plan.inputs.columns_of(agency).into_iter().zip(columns) {
            // Slots beyond the last family hold what a family is that no register knows.
            let missing = self.plan.inputs.missing_value(position);
            for part in self.encryptor.column(column, missing)? {
                append(&mut bytes, &self.encryptor.basis, &part);
            }
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::scaled_plaintext;
    use crate::ring::primes_below;

    #[test]
    fn the_two_ways_to_scale_a_message_agree() {
        let basis = Basis::new(16, &primes_below(44, 32, 3, &[])).unwrap();
        for m in [0, 1, 2, 32_768, -32_768, -1] {
            for prime in basis.primes() {
                let scaled = scaled_plaintext(basis.primes(), *prime, m);
                // t·round(Q·m/t) = Q·m − r, and Q is 0 modulo its primes.
                let field = Prime::new(PLAINTEXT);
                let modulus = crate::kernel::product(basis.primes(), field);
                let r = field.multiply(modulus, field.residue(m));
                let r = if r > PLAINTEXT / 2 { r.cast_signed() - 65_537 } else { r.cast_signed() };
                assert_eq!(prime.multiply(scaled, PLAINTEXT), prime.residue(-r));
            }
        }
    }
}
