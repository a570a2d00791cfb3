//! The one parameter set, and what follows from it.
//!
//! 2 bits of message and 2 bits of carry, TUniform noise, 132 bits of security by the estimate its authors
//! used, failure probability 2^−129.58 a lookup at the largest noise level they allow.

use tfhe::shortint::parameters::v1_8::V1_8_PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128;
use tfhe::shortint::parameters::v1_8::noise_squashing::p_fail_2_minus_128::V1_8_NOISE_SQUASHING_PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128;
use tfhe::shortint::parameters::{
    ClassicPBSParameters, DynamicDistribution, NoiseSquashingParameters,
};

/// The compute parameters.
pub const COMPUTE: ClassicPBSParameters = V1_8_PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128;
/// Name and library version, as every file's header carries it.
pub const NAME: &str = "tfhe-1.8.2 V1_8_PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128";
/// Dimension of every ciphertext between parties: the compute key's large LWE key.
pub const DIMENSION: usize = COMPUTE.glwe_dimension.0 * COMPUTE.polynomial_size.0;
/// Coefficients of a lookup table's polynomial; they cover half the torus.
pub const POLYNOMIAL: usize = COMPUTE.polynomial_size.0;
/// Distance on the torus (of 2⁶⁴) between neighbouring values of a narrow lookup: 16 values and a padding bit.
pub const STEP: u64 = 1 << 59;
/// What 1 is on the torus where a submitter encrypts it. The evaluator brings it to the scale of a sum by an integer
/// factor: fine enough for every scale to be a multiple of it, coarse enough for the noise times the factor to be nothing.
pub const UNIT: u64 = 1 << 45;
/// How many values a narrow lookup tells apart.
pub const WIDTH: usize = 16;
/// Torus distance of one polynomial coefficient.
pub const COEFFICIENT: u64 = (1 << 63) / POLYNOMIAL as u64;

/// The noise-squashing parameters, the only ones made for [`COMPUTE`] on processors.
pub const SQUASHING: NoiseSquashingParameters =
    V1_8_NOISE_SQUASHING_PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128;
/// Their name.
pub const SQUASHING_NAME: &str =
    "V1_8_NOISE_SQUASHING_PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128";
/// Dimension of prepared results and of the key that is shared.
pub const SQUASHED_DIMENSION: usize = match SQUASHING {
    NoiseSquashingParameters::Classic(set) => set.glwe_dimension.0 * set.polynomial_size.0,
    NoiseSquashingParameters::MultiBit(set) => set.glwe_dimension.0 * set.polynomial_size.0,
};
/// Bytes of a 128-bit word.
pub const WIDE_BYTES: usize = 16;
/// Bytes of a prepared result's mask, and of a share.
pub const MASK_BYTES: usize = SQUASHED_DIMENSION * WIDE_BYTES;
/// Distance on the torus (of 2¹²⁸) between neighbouring tiers of a prepared result: 16 values and a padding bit.
pub const SQUASHED_STEP: u128 = 1 << 123;
/// Opened numbers and pads are taken modulo this many: all steps of the torus.
pub const PAD_MODULUS: u32 = 32;

/// Noise of public-key encryption, both for the key and for its use, is uniform up to this power of two (half as likely at
/// either end).
pub const ENCRYPTION_NOISE_BITS: u32 = 17;

/// The same as a distribution.
pub fn encryption_noise() -> DynamicDistribution<u64> {
    DynamicDistribution::new_t_uniform(ENCRYPTION_NOISE_BITS)
}
