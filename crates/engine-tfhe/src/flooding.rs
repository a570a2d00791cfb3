//! The noise with which a share covers what its partial decryptions say about the key.
//!
//! Whoever holds all other shares and knows the tier and the pads learns from a partial decryption the result's own
//! noise e, which depends on the key, plus this share's flooding, which is uniform on 2·2ᵇ numbers. Shifting that by e
//! changes the distribution by a statistical distance of |e| / (2·2ᵇ); over e it is at most σ / (2·2ᵇ), because
//! E|e| ≤ σ; over several results at most the sum. Only one share's flooding is counted: all others may be known.
//!
//! σ is the standard deviation of noise-squashed ciphertexts by tfhe's own formula, see [`Noise`].

use crate::noise::Noise;
use crate::plan::ENGINE;
use blindtier_engine::EngineError;
use zeroize::Zeroizing;

/// The most shares a key is cut into.
const MOST_SHARES: u32 = 15;

/// How many bits of flooding each of so many shares adds: the floods of all shares and the noise together must stay
/// below half a step, 2¹²². Three times 2¹²⁰ and fifteen times 2¹¹⁸ do.
pub(crate) fn bits(shares: u32) -> Result<u32, EngineError> {
    match shares {
        1..=3 => Ok(120),
        4..=MOST_SHARES => Ok(118),
        _ => Err(EngineError::Unsupported {
            engine: ENGINE,
            reason: format!("the key can be cut into 1 to {MOST_SHARES} shares, not {shares}"),
        }),
    }
}

/// Base-2 logarithm of the statistical distance that `results` openings leave under so many bits of flooding.
pub(crate) fn log2_distance(bits: u32, results: u64) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "a bound needs no more than 53 bits")]
    let results = results as f64;
    let deviation = Noise::new().squashed.log2() / 2.0 + 128.0;
    results.log2() + deviation - f64::from(bits + 1)
}

/// Draws a share's flooding noise.
///
/// Pseudorandom in the masks alone. A result that is opened again with other pads gets the same noise, so that there is
/// nothing to average; results with different masks get independent noise.
pub(crate) struct Flooding {
    key: Zeroizing<[u8; 32]>,
    bits: u32,
}

impl Flooding {
    pub(crate) fn new(key: &[u8; 32], bits: u32) -> Self {
        let key = Zeroizing::new(blake3::derive_key("blindtier tfhe flooding v1", key));
        Self { key, bits }
    }

    /// Uniform in −2ᵇ..2ᵇ, modulo 2¹²⁸.
    pub(crate) fn noise(&self, mask: &[u8]) -> u128 {
        let mut hasher = Zeroizing::new(blake3::Hasher::new_keyed(&self.key));
        hasher.update(mask);
        let mut drawn = Zeroizing::new([0u8; 16]);
        Zeroizing::new(hasher.finalize_xof()).fill(drawn.as_mut());
        let interval = 2u128 << self.bits;
        (u128::from_le_bytes(*drawn) & (interval - 1)).wrapping_sub(interval / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floods_of_all_shares_stay_below_half_a_step() {
        for shares in 1..=MOST_SHARES {
            let floods = u128::from(shares) << bits(shares).unwrap();
            // Squashed noise beyond 2⁸⁰ would be thousands of standard deviations away.
            assert!(floods + (1 << 80) <= crate::parameters::SQUASHED_STEP / 2, "{shares} shares");
        }
        assert!(bits(0).is_err());
        assert!(bits(16).is_err());
    }

    #[test]
    fn noise_fills_its_interval_and_depends_on_the_mask_and_the_key() {
        let one = Flooding::new(&[1; 32], 120);
        let other = Flooding::new(&[2; 32], 120);
        let drawn: Vec<i128> =
            (0..1000u32).map(|n| one.noise(&n.to_le_bytes()).cast_signed()).collect();
        assert!(drawn.iter().all(|noise| (-(1 << 120)..1 << 120).contains(noise)));
        assert!(drawn.iter().any(|noise| *noise > 9 << 116));
        assert!(drawn.iter().any(|noise| *noise < -(9 << 116)));
        assert_eq!(one.noise(&[0; 4]), one.noise(&[0; 4]));
        assert_ne!(one.noise(&[0; 4]), one.noise(&[1; 4]));
        assert_ne!(one.noise(&[0; 4]), other.noise(&[0; 4]));
    }
}
