//! The side of a single holder of the whole key, which no round has.

use crate::parameters::{DIMENSION, STEP};
use crate::words::from_bytes;
use blindtier_engine::{EngineError, Open};
use zeroize::Zeroizing;

/// Opens results with the whole secret key.
pub struct TfheOpen {
    key: Zeroizing<Vec<u64>>,
}

impl TfheOpen {
    /// Takes the secret key's bytes (private).
    pub fn new(secret: &[u8]) -> Result<Self, EngineError> {
        if secret.len() != DIMENSION / 8 {
            return Err(EngineError::Malformed {
                what: "secret key",
                detail: format!("expected {} bytes, found {}", DIMENSION / 8, secret.len()),
            });
        }
        let bits = secret.iter().flat_map(|byte| (0..8).map(move |bit| u64::from(byte >> bit & 1)));
        Ok(Self { key: Zeroizing::new(bits.collect()) })
    }

    /// Where an LWE ciphertext stands on the torus.
    pub(crate) fn phase(&self, ciphertext: &[u64]) -> u64 {
        let Some((body, mask)) = ciphertext.split_last() else { return 0 };
        mask.iter()
            .zip(self.key.iter())
            .fold(*body, |phase, (a, s)| phase.wrapping_sub(a.wrapping_mul(*s)))
    }
}

impl Open for TfheOpen {
    fn open(&self, families: usize, results: &[u8]) -> Result<Vec<u32>, EngineError> {
        let words = from_bytes("results", results, families.saturating_mul(DIMENSION + 1))?;
        Ok(words
            .chunks(DIMENSION + 1)
            .map(|ciphertext| self.phase(ciphertext).wrapping_add(STEP / 2) / STEP)
            .map(|number| u32::try_from(number).unwrap_or_default())
            .collect())
    }
}
