//! The key holder's side.

use crate::bytes::read;
use crate::kernel::product;
use crate::keys::secret_coefficients;
use crate::parameters::PLAINTEXT;
use crate::plan::{BfvPlan, check_families};
use crate::ring::Basis;
use crate::ring::conversion::{Conversion, Factors};
use crate::ring::prime::Prime;
use crate::slots::Slots;
use blindtier_engine::{EngineError, Open};
use zeroize::Zeroizing;

/// Opens tiers with the whole secret key.
pub struct BfvOpen {
    basis: Basis,
    slots: Slots,
    round: Conversion,
    /// Transformed.
    key: Zeroizing<Vec<u64>>,
    tiers: usize,
}

impl BfvOpen {
    /// Takes a plan (public), the secret key's bytes (private) and how many tiers the policy has (public).
    pub fn new(plan: &BfvPlan, secret: &[u8], tiers: usize) -> Result<Self, EngineError> {
        Self::over(plan.result_basis()?, secret, tiers)
    }

    /// For ciphertexts over this basis.
    pub(crate) fn over(basis: Basis, secret: &[u8], tiers: usize) -> Result<Self, EngineError> {
        let degree = basis.degree();
        let coefficients = secret_coefficients(degree, secret)?;
        let mut key = Zeroizing::new(basis.small(&coefficients));
        basis.transform(&mut key);
        let slots = Slots::new(degree)
            .ok_or_else(|| crate::lower::unsupported(format!("degree {degree} has no slots")))?;
        // m = (t·x − centred(t·x mod Q)) / Q, of which the first term is 0 modulo t.
        let factor = |p: Prime| PLAINTEXT % p.value();
        let scale = |p: Prime| p.negate(p.invert(product(basis.primes(), p)));
        let factors = Factors { factor: &factor, scale: &scale, own: None };
        let target = [Prime::new(PLAINTEXT)];
        let round = Conversion::new(basis.primes(), &target, degree, &factors);
        Ok(Self { basis, slots, round, key, tiers })
    }

    /// c₀ + c₁·s (private), in coefficient form.
    pub(crate) fn phase(&self, c0: &[u64], c1: &[u64]) -> Zeroizing<Vec<u64>> {
        let mut transformed = Zeroizing::new(c1.to_vec());
        self.basis.transform(&mut transformed);
        let mut phase = Zeroizing::new(self.basis.product(&transformed, &self.key));
        self.basis.invert(&mut phase);
        self.basis.add(&mut phase, c0);
        phase
    }

    /// All slots (private) of a ciphertext.
    pub(crate) fn slots(&self, c0: &[u64], c1: &[u64]) -> Zeroizing<Vec<u64>> {
        let phase = self.phase(c0, c1);
        let mut message = Zeroizing::new(vec![0; self.basis.degree()]);
        self.round.convert(&phase, &mut message);
        self.slots.decode(message)
    }
}

impl Open for BfvOpen {
    fn open(&self, families: usize, results: &[u8]) -> Result<Vec<u8>, EngineError> {
        check_families(families, self.basis.degree())?;
        let parts = read("results", &self.basis, 2, results)?;
        let [c0, c1] = parts.as_slice() else { return Ok(Vec::new()) };
        self.slots(c0, c1)
            .iter()
            .take(families)
            .enumerate()
            .map(|(slot, value)| {
                u8::try_from(*value)
                    .ok()
                    .filter(|code| usize::from(*code) < self.tiers)
                    .ok_or(EngineError::NotATier { slot })
            })
            .collect()
    }
}
