//! Results → the form in which they are opened: noise is squashed.
//!
//! A result's own noise is too close to its tier to be covered by flooding. A bootstrap to a key of 128-bit words gives
//! the same tier with noise so far below it that flooding fits in between.

use crate::evaluate::wrap;
use crate::keys::{server_key, squashing_key};
use crate::parameters::{DIMENSION, MASK_BYTES, WIDE_BYTES};
use crate::words::{from_bytes, wide_bytes};
use blindtier_engine::{EngineError, Prepare, Prepared};
use rayon::prelude::*;
use tfhe::core_crypto::prelude::{CiphertextModulus, LweCiphertextOwned};
use tfhe::shortint::ServerKey;
use tfhe::shortint::noise_squashing::NoiseSquashingKey;

/// Squashes noise with the evaluation key and the squashing key, both public.
pub struct TfhePrepare {
    /// Only its key switch is used: it brings a result to the small key, which the squashing key bootstraps from.
    key: ServerKey,
    squashing: NoiseSquashingKey,
}

impl TfhePrepare {
    /// Takes the evaluation key's and the squashing key's bytes (both public); refuses keys of other parameters. Needs
    /// about 1 GB of memory, and twice as much while it decodes.
    pub fn new(evaluation: &[u8], squashing: &[u8]) -> Result<Self, EngineError> {
        crate::check_processor()?;
        crate::fft::fix_plan();
        Ok(Self { key: server_key(evaluation)?, squashing: squashing_key(squashing)? })
    }

    fn squash(&self, result: &[u64], mask: &mut [u8], body: &mut [u8]) -> Result<(), EngineError> {
        let malformed = |detail: String| EngineError::Malformed { what: "results", detail };
        let result =
            LweCiphertextOwned::from_container(result.to_vec(), CiphertextModulus::new_native());
        let squashed = self
            .squashing
            .checked_squash_ciphertext_noise(&wrap(result), &self.key)
            .map_err(|e| malformed(e.to_string()))?;
        let bytes = wide_bytes(squashed.lwe_ciphertext().as_ref());
        match bytes.split_at_checked(mask.len()) {
            Some((words, last)) if last.len() == body.len() => {
                mask.copy_from_slice(words);
                body.copy_from_slice(last);
                Ok(())
            }
            _ => Err(malformed("a squashed ciphertext of another dimension".into())),
        }
    }
}

impl Prepare for TfhePrepare {
    fn prepare(
        &self,
        families: usize,
        results: &[u8],
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<Prepared, EngineError> {
        let words = from_bytes("results", results, families.saturating_mul(DIMENSION + 1))?;
        let mut masks = vec![0; families * MASK_BYTES];
        let mut bodies = vec![0; families * WIDE_BYTES];
        masks
            .par_chunks_mut(MASK_BYTES)
            .zip(bodies.par_chunks_mut(WIDE_BYTES))
            .zip(words.par_chunks(DIMENSION + 1))
            .try_for_each(|((mask, body), result)| {
                self.squash(result, mask, body).map(|()| progress(1))
            })?;
        Ok(Prepared { masks, bodies })
    }
}
