//! An agency's side.

use crate::bytes::{append, read};
use crate::kernel::Ciphertext;
use crate::parameters::Parameters;
use crate::plaintext::{add_plaintext, slots};
use crate::plan::{BfvPlan, basis, check_families, encryption_basis};
use crate::random::Stream;
use crate::ring::Basis;
use crate::ring::conversion::Conversion;
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
        let slots = slots(basis.degree())?;
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
        add_plaintext(&self.basis, &mut c0, message);
        Ok([c0, c1])
    }
}

impl Encrypt for BfvEncrypt {
    fn encrypt(
        &self,
        submitter: usize,
        columns: &[Vec<i64>],
        _binding: &[u8; 32],
    ) -> Result<Vec<u8>, EngineError> {
        let BfvPlan { inputs, gates, .. } = &self.plan;
        let families = check_columns(inputs, submitter, columns)?;
        check_families(families, self.encryptor.basis.degree())?;
        let mut bytes = Vec::new();
        let mut send = |values: &[i64], rest| -> Result<(), EngineError> {
            for part in self.encryptor.column(values, rest)? {
                append(&mut bytes, &self.encryptor.basis, &part);
            }
            Ok(())
        };
        for (position, column) in inputs.columns_of(submitter).into_iter().zip(columns) {
            // Slots beyond the last family hold what a family is that no register knows, and withhold nothing.
            if gates.contains(position) {
                send(&gates.sent(column)?, 0)?;
            } else {
                send(column, inputs.missing_value(position))?;
            }
        }
        for _ in gates.covers_of(submitter) {
            send(&gates.cover(families)?, 0)?;
        }
        Ok(bytes)
    }
}
