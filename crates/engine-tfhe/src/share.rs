//! What the holder of one share does.

use crate::flooding::Flooding;
use crate::parameters::{MASK_BYTES, PAD_MODULUS, SQUASHED_DIMENSION, SQUASHED_STEP};
use crate::plan::TfhePlan;
use crate::words::{check_length, wide_bytes, wide_words};
use blindtier_engine::{EngineError, OpenShare};
use rayon::prelude::*;
use zeroize::Zeroizing;

/// Answers prepared results with partial decryptions: `flooding + pad · step − ⟨mask, share⟩` modulo 2¹²⁸.
///
/// Flooding covers the noise of honestly prepared results only. A mask that somebody chose can carry a bit of the key
/// far above any flooding, so a holder must never answer masks that it did not prepare itself.
pub struct TfheOpenShare {
    share: Zeroizing<Vec<u128>>,
    flooding: Flooding,
}

impl TfheOpenShare {
    /// Takes the plan (public), this holder's flooding key and share (private).
    pub fn new(
        plan: &TfhePlan,
        flooding_key: &[u8; 32],
        share: &[u8],
    ) -> Result<Self, EngineError> {
        check_length("share", share, MASK_BYTES)?;
        let mut words = Zeroizing::new(Vec::with_capacity(SQUASHED_DIMENSION));
        words.extend(wide_words(share));
        Ok(Self { share: words, flooding: Flooding::new(flooding_key, plan.flooding) })
    }

    fn answer(&self, mask: &[u8], pad: u32) -> u128 {
        let start =
            self.flooding.noise(mask).wrapping_add(u128::from(pad).wrapping_mul(SQUASHED_STEP));
        wide_words(mask)
            .zip(self.share.iter())
            .fold(start, |sum, (a, s)| sum.wrapping_sub(a.wrapping_mul(*s)))
    }
}

impl OpenShare for TfheOpenShare {
    fn partial(&self, families: usize, masks: &[u8], pads: &[u32]) -> Result<Vec<u8>, EngineError> {
        check_length("masks", masks, families.saturating_mul(MASK_BYTES))?;
        if pads.len() != families {
            return Err(EngineError::Shape { what: "pads", expected: families, found: pads.len() });
        }
        if pads.iter().any(|pad| *pad >= PAD_MODULUS) {
            // Pads are private: the error does not repeat them.
            return Err(EngineError::Malformed {
                what: "pads",
                detail: format!("every pad must be below {PAD_MODULUS}"),
            });
        }
        let answers: Vec<u128> = masks
            .par_chunks(MASK_BYTES)
            .zip(pads)
            .map(|(mask, pad)| self.answer(mask, *pad))
            .collect();
        Ok(wide_bytes(&answers))
    }
}
