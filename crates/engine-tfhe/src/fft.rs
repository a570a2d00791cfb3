//! One Fourier transform for everybody.
//!
//! Left to itself, tfhe times several plans when a process first needs one and takes the fastest, so that two
//! processes on one machine may round differently and give different bits for the same input. Results are
//! recomputed by others and compared byte for byte, so the plan is fixed: radix 4, decimation in frequency,
//! over the whole size, which was also the fastest of the 48 plans on the machines it was measured on.
//!
//! Noise squashing has a transform of its own, in pairs of doubles. It knows one algorithm only, with roots of unity that
//! it computes itself, so there is nothing to fix.

use crate::parameters::COMPUTE;
use std::sync::Once;
use tfhe::core_crypto::fft_impl::fft64::math::fft::{FftAlgo, Method, Plan, setup_custom_fft_plan};

/// Fixes the plan; must run before the first transform of the process.
pub(crate) fn fix_plan() {
    static FIXED: Once = Once::new();
    FIXED.call_once(|| {
        // A real polynomial of N coefficients is transformed as N/2 complex numbers.
        let size = COMPUTE.polynomial_size.0 / 2;
        setup_custom_fft_plan(Plan::new(
            size,
            Method::UserProvided { base_algo: FftAlgo::Dif4, base_n: size },
        ));
    });
}
