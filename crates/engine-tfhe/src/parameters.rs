//! The one parameter set, and what follows from it.
//!
//! 2 bits of message and 2 bits of carry, TUniform noise, 132 bits of security by the estimate its authors
//! used, failure probability 2^−129.58 a lookup at the largest noise level they allow.

use tfhe::shortint::parameters::v1_8::V1_8_PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128;
use tfhe::shortint::parameters::{ClassicPBSParameters, DynamicDistribution};

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
/// How many values a narrow lookup tells apart.
pub const WIDTH: usize = 16;
/// Torus distance of one polynomial coefficient.
pub const COEFFICIENT: u64 = (1 << 63) / POLYNOMIAL as u64;

/// Noise of public-key encryption, both for the key and for its use.
pub fn encryption_noise() -> DynamicDistribution<u64> {
    DynamicDistribution::new_t_uniform(17)
}
