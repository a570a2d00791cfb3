//! Which processors give the same bits.
//!
//! Results and prepared results are recomputed by others and compared byte for byte, but Fourier transforms are done
//! in floating point. tfhe picks its code when it runs: vectors of 512 bits where the processor has AVX-512, of 256
//! bits where it has AVX2 and FMA, else none. The two vector paths do the same operations, fused where fused, on
//! every element in the same order, so that they round alike; known answers in the tests hold on both. The path
//! without vectors fuses other operations and rounds differently: processors without AVX2 and FMA are refused.
//!
//! One thing is left to the operating system: the roots of unity by which tfhe twists polynomials come from the C
//! library's sine and cosine, which may differ in the last bit between libraries. [`platform_features`] names them.

use crate::parameters::POLYNOMIAL;
use crate::plan::ENGINE;
use blindtier_engine::EngineError;
use std::hint::black_box;

/// Refuses a processor whose results would differ from those of everybody else.
pub fn check_processor() -> Result<(), EngineError> {
    match vectors() {
        Some(_) => Ok(()),
        None => Err(EngineError::Processor {
            engine: ENGINE,
            needs: "a processor with AVX2 and FMA (Intel since 2013, AMD since 2015): without them some bits differ",
        }),
    }
}

/// What the bits of results may depend on, for receipts: the vector instructions in use and a short hash of the C
/// library's roots of unity. Two parties with the same line get the same bits.
pub fn platform_features() -> String {
    format!("{} roots-{}", vectors().unwrap_or("scalar"), roots())
}

/// The vector instructions that tfhe uses here, by the same tests as its own.
#[cfg(target_arch = "x86_64")]
fn vectors() -> Option<&'static str> {
    use std::arch::is_x86_feature_detected as has;
    let avx2 = has!("avx2")
        && has!("fma")
        && has!("bmi1")
        && has!("bmi2")
        && has!("lzcnt")
        && has!("popcnt");
    let avx512 = has!("avx512f")
        && has!("avx512bw")
        && has!("avx512cd")
        && has!("avx512dq")
        && has!("avx512vl");
    match (avx2, avx512) {
        (true, true) => Some("avx512f"),
        (true, false) => Some("avx2+fma"),
        (false, _) => None,
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn vectors() -> Option<&'static str> {
    None
}

/// A short hash of the roots of unity, computed as tfhe does.
fn roots() -> String {
    let half = POLYNOMIAL / 2;
    #[allow(clippy::cast_precision_loss, reason = "numbers below 2048 are exact")]
    let unit = std::f64::consts::PI / (2 * half) as f64;
    let mut hasher = blake3::Hasher::new();
    for position in 0..half {
        #[allow(clippy::cast_precision_loss, reason = "numbers below 2048 are exact")]
        let (sine, cosine) = black_box(position as f64 * unit).sin_cos();
        hasher.update(&sine.to_le_bytes());
        hasher.update(&cosine.to_le_bytes());
    }
    hasher.finalize().to_hex().chars().take(8).collect()
}
