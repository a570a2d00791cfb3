//! How likely a lookup is to read a wrong value.
//!
//! The variances are tfhe's own formulas (`core_crypto::commons::noise_formulas`, which its parameters were
//! chosen with); with them the published −129.581 of the parameter set comes out again, see the test. A
//! lookup reads wrongly when the noise of its input, of the key switch and of the modulus switch together
//! exceeds the distance to the next value that matters.

use crate::parameters::{COMPUTE, DIMENSION, ENCRYPTION_NOISE_BITS, SQUASHING};
use tfhe::core_crypto::commons::noise_formulas::centered_mean_shifted_modulus_switch::centered_binary_shifted_modulus_switch_additive_variance;
use tfhe::core_crypto::commons::noise_formulas::lwe_keyswitch::keyswitch_additive_variance_132_bits_security_tuniform;
use tfhe::core_crypto::commons::noise_formulas::lwe_programmable_bootstrap::pbs_variance_132_bits_security_tuniform_fft_mul;
use tfhe::core_crypto::prelude::LweDimension;

/// The largest acceptable base-2 logarithm of the failure probability of one lookup.
pub const LARGEST_LOG2_FAILURE: f64 = -128.0;

/// [`ENCRYPTION_NOISE_BITS`] as an exponent.
const NOISE_BITS: i32 = ENCRYPTION_NOISE_BITS as i32;
/// 2⁶⁴ as a float.
const MODULUS: f64 = 18_446_744_073_709_551_616.0;
/// Bits of a double's mantissa, in which the fast Fourier transform works.
const MANTISSA: f64 = 53.0;
/// 2¹²⁸ as a float.
const WIDE_MODULUS: f64 = MODULUS * MODULUS;
/// Bits of a double-double's mantissa, as tfhe's own noise simulation counts them.
const WIDE_MANTISSA: f64 = 104.0;

/// Variances in units of the whole torus.
#[derive(Clone, Copy, Debug)]
pub struct Noise {
    /// Of a lookup's output.
    pub lookup: f64,
    /// Of an input as it is read: a fresh public-key encryption, and the encryption of zero that is added to it.
    pub input: f64,
    /// Added by key switch and modulus switch before a value is read.
    pub reading: f64,
    /// Of a noise-squashed ciphertext, whatever noise went in: a bootstrap starts afresh.
    pub squashed: f64,
}

impl Noise {
    /// The variances of the parameter set.
    pub fn new() -> Self {
        let lookup = pbs_variance_132_bits_security_tuniform_fft_mul(
            COMPUTE.lwe_dimension,
            COMPUTE.glwe_dimension,
            COMPUTE.polynomial_size,
            COMPUTE.pbs_base_log,
            COMPUTE.pbs_level,
            MANTISSA,
            MODULUS,
        );
        let key_switch = keyswitch_additive_variance_132_bits_security_tuniform(
            LweDimension(DIMENSION),
            COMPUTE.lwe_dimension,
            COMPUTE.ks_base_log,
            COMPUTE.ks_level,
            MODULUS,
            MODULUS,
        );
        #[allow(clippy::cast_precision_loss, reason = "4096 is exact")]
        let switched_modulus = (2 * COMPUTE.polynomial_size.0) as f64;
        let modulus_switch = centered_binary_shifted_modulus_switch_additive_variance(
            COMPUTE.lwe_dimension,
            MODULUS,
            switched_modulus,
        );
        let squashed = pbs_variance_132_bits_security_tuniform_fft_mul(
            COMPUTE.lwe_dimension,
            SQUASHING.glwe_dimension(),
            SQUASHING.polynomial_size(),
            SQUASHING.decomp_base_log(),
            SQUASHING.decomp_level_count(),
            WIDE_MANTISSA,
            WIDE_MODULUS,
        );
        // A fresh ciphertext is r·(−a·s + e₁) + e₂ + r'-terms with binary r and s: at most `DIMENSION` terms
        // of e₁, as many of the mask noise times the key, and one body noise. TUniform(b) has variance
        // (2^(2b+1) + 1) / 6. Over all keys the variance is half of that, because half of the bits are 0; for one key
        // it can be more or less, since the terms of e₁ are the same in all its ciphertexts.
        #[allow(clippy::cast_precision_loss, reason = "4097 is exact")]
        let terms = (2 * DIMENSION + 1) as f64;
        let uniform = (2f64.powi(2 * NOISE_BITS + 1) + 1.0) / 6.0;
        Self {
            lookup: lookup.0,
            input: 2.0 * terms * uniform / (MODULUS * MODULUS),
            reading: key_switch.0 + modulus_switch.0,
            squashed: squashed.0,
        }
    }

    /// The largest error, as a fraction of the torus, that whoever encrypts can choose for a proven ciphertext.
    ///
    /// A proof shows that the noises e of a list of d masks and k ≤ d bodies have ‖e‖² ≤ B²·(d + k), B being the largest
    /// noise of an honest one (the library's `inf_norm_bound_to_euclidean_squared`). An error is an inner product of e with d bits of the key and one 1, hence at most ‖e‖·√(d + 1). The public key's own
    /// noise comes on top; nobody who encrypts knows it, so that it stays what it is in [`Noise::input`].
    pub fn proven() -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "2048 is exact")]
        let dimension = DIMENSION as f64;
        2f64.powi(NOISE_BITS) * (2.0 * dimension * (dimension + 1.0)).sqrt() / MODULUS
    }

    /// Base-2 logarithm of a bound on the probability that a centred normal of this variance exceeds
    /// `distance` (a fraction of the torus): erfc(x) ≤ exp(−x²) / (x·√π).
    pub fn log2_failure(variance: f64, distance: f64) -> f64 {
        if distance <= 0.0 {
            return 0.0;
        }
        let x = distance / (2.0 * variance).sqrt();
        (-x * x * std::f64::consts::LOG2_E - (x * std::f64::consts::PI.sqrt()).log2()).min(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_failure_probability_comes_out() {
        let noise = Noise::new();
        let level = f64::from(u32::try_from(COMPUTE.max_noise_level.get()).unwrap());
        let variance = level * level * noise.lookup + noise.reading;
        let found = Noise::log2_failure(variance, 1.0 / 64.0);
        assert!(
            (found - COMPUTE.log2_p_fail).abs() < 0.05,
            "{found} against {}",
            COMPUTE.log2_p_fail
        );
    }

    #[test]
    fn the_tail_bound_is_a_bound() {
        // P(|X| > σ) = 0.3173, P(|X| > 3σ) = 0.0026998 for a normal X.
        assert!(Noise::log2_failure(1.0, 1.0) >= 0.3173f64.log2());
        assert!(Noise::log2_failure(1.0, 3.0) >= 0.002_699_8_f64.log2());
        assert!(Noise::log2_failure(1.0, 3.0) < 0.0033f64.log2());
    }
}
