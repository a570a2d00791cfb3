//! A single holder's side: the whole secret key. Only tests, measurements and comparisons have one.

use crate::bytes::read;
use crate::keys::secret_coefficients;
use crate::plaintext::Decoder;
use crate::plan::{BfvPlan, check_families};
use crate::ring::Basis;
use blindtier_engine::{EngineError, Open};
use zeroize::Zeroizing;

/// Opens results with the whole secret key.
pub struct BfvOpen {
    basis: Basis,
    decoder: Decoder,
    /// Transformed.
    key: Zeroizing<Vec<u64>>,
}

impl BfvOpen {
    /// Takes a plan (public) and the secret key's bytes (private).
    pub fn new(plan: &BfvPlan, secret: &[u8]) -> Result<Self, EngineError> {
        Self::over(plan.result_basis()?, plan.parameters.shares, secret)
    }

    /// For ciphertexts over this basis.
    pub(crate) fn over(basis: Basis, shares: u32, secret: &[u8]) -> Result<Self, EngineError> {
        let coefficients = secret_coefficients(basis.degree(), shares, secret)?;
        let key = basis.transformed(&coefficients);
        let decoder = Decoder::new(&basis)?;
        Ok(Self { basis, decoder, key })
    }

    /// c₀ + c₁·s (private), in coefficient form.
    pub(crate) fn phase(&self, c0: &[u64], c1: &[u64]) -> Zeroizing<Vec<u64>> {
        let mut phase = self.basis.multiply(c1.to_vec(), &self.key);
        self.basis.add(&mut phase, c0);
        phase
    }

    /// All slots (private) of a ciphertext.
    pub(crate) fn slots(&self, c0: &[u64], c1: &[u64]) -> Zeroizing<Vec<u64>> {
        self.decoder.slots(&self.phase(c0, c1))
    }
}

impl Open for BfvOpen {
    fn open(&self, families: usize, results: &[u8]) -> Result<Vec<u32>, EngineError> {
        check_families(families, self.basis.degree())?;
        let parts = read("results", &self.basis, 2, results)?;
        let [c0, c1] = parts.as_slice() else { return Ok(Vec::new()) };
        let numbers = self.slots(c0, c1);
        Ok(numbers.iter().take(families).map(|n| u32::try_from(*n).unwrap_or(u32::MAX)).collect())
    }
}
