//! Partial decryptions → opened numbers.

use crate::parameters::{PAD_MODULUS, SQUASHED_STEP, WIDE_BYTES};
use crate::plan::TfhePlan;
use crate::words::{check_length, wide_words};
use blindtier_engine::{Combine, EngineError};

/// Adds the partial decryptions of all shares to the bodies, and rounds.
pub struct TfheCombine {
    shares: usize,
}

impl TfheCombine {
    /// Takes the plan (public).
    pub fn new(plan: &TfhePlan) -> Self {
        Self { shares: usize::try_from(plan.shares).unwrap_or(usize::MAX) }
    }
}

impl Combine for TfheCombine {
    fn pad_modulus(&self) -> u32 {
        PAD_MODULUS
    }

    fn combine(
        &self,
        families: usize,
        bodies: &[u8],
        partials: &[&[u8]],
    ) -> Result<Vec<u32>, EngineError> {
        if partials.len() != self.shares {
            return Err(EngineError::Shape {
                what: "partial decryptions",
                expected: self.shares,
                found: partials.len(),
            });
        }
        let expected = families.saturating_mul(WIDE_BYTES);
        check_length("bodies", bodies, expected)?;
        let mut sums: Vec<u128> = wide_words(bodies).collect();
        for partial in partials {
            check_length("partial decryption", partial, expected)?;
            for (sum, term) in sums.iter_mut().zip(wide_words(partial)) {
                *sum = sum.wrapping_add(term);
            }
        }
        // The step divides 2¹²⁸ into as many parts as pads have values: the quotient is the opened number.
        Ok(sums
            .into_iter()
            .map(|sum| sum.wrapping_add(SQUASHED_STEP / 2) / SQUASHED_STEP)
            .map(|number| u32::try_from(number).unwrap_or_default())
            .collect())
    }
}
