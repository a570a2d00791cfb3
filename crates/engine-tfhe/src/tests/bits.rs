//! Bootstraps give the same bits on every processor: known answers.
//!
//! They were the same with vectors of 512 bits (AVX-512) and of 256 bits (AVX2 and FMA, under Valgrind, which has no
//! AVX-512). Where they are not, results are not those of everybody else.

use crate::parameters::{COMPUTE, SQUASHING};
use tfhe::core_crypto::prelude::{
    CiphertextModulus, Fourier128LweBootstrapKeyOwned, FourierLweBootstrapKeyOwned, GlweCiphertext,
    LweBootstrapKey, LweCiphertext, LweDimension, convert_standard_lwe_bootstrap_key_to_fourier,
    convert_standard_lwe_bootstrap_key_to_fourier_128, programmable_bootstrap_f128_lwe_ciphertext,
    programmable_bootstrap_lwe_ciphertext,
};

/// Bits of the bootstrapped key: each takes one external product, as all of the real 918 do.
const BITS: LweDimension = LweDimension(4);

fn words(context: &str, count: usize, size: usize) -> Vec<u8> {
    let mut bytes = vec![0; count * size];
    blake3::Hasher::new_derive_key(context).finalize_xof().fill(&mut bytes);
    bytes
}

fn narrow(context: &str, count: usize) -> Vec<u64> {
    crate::words::from_bytes("words", &words(context, count, 8), count).unwrap()
}

fn wide(context: &str, count: usize) -> Vec<u128> {
    crate::words::wide_words(&words(context, count, 16)).collect()
}

#[test]
fn a_lookup_gives_the_known_bits() {
    crate::fft::fix_plan();
    let (size, polynomial) = (COMPUTE.glwe_dimension.to_glwe_size(), COMPUTE.polynomial_size);
    let (base, level) = (COMPUTE.pbs_base_log, COMPUTE.pbs_level);
    let modulus = CiphertextModulus::new_native();
    let count = BITS.0 * level.0 * size.0 * size.0 * polynomial.0;
    let key = LweBootstrapKey::from_container(
        narrow("key", count),
        size,
        polynomial,
        base,
        level,
        modulus,
    );
    let mut fourier = FourierLweBootstrapKeyOwned::new(BITS, size, polynomial, base, level);
    convert_standard_lwe_bootstrap_key_to_fourier(&key, &mut fourier);
    let input = LweCiphertext::from_container(narrow("input", BITS.0 + 1), modulus);
    let table = narrow("table", size.0 * polynomial.0);
    let table = GlweCiphertext::from_container(table, polynomial, modulus);
    let mut output = crate::evaluate::empty();
    programmable_bootstrap_lwe_ciphertext(&input, &mut output, &table, &fourier);
    let hash = blake3::hash(&crate::words::to_bytes(output.as_ref())).to_hex();
    // Roots of unity come from the C library: with others, lookups may round differently, which receipts say.
    let platform = crate::platform_features();
    let same_roots = platform.ends_with("roots-ffbf76d5");
    assert!(!same_roots || &hash[..16] == "f150b889c310a1c6", "{platform}: {hash}");
}

#[test]
fn squashing_gives_the_known_bits() {
    let (size, polynomial) =
        (SQUASHING.glwe_dimension().to_glwe_size(), SQUASHING.polynomial_size());
    let (base, level) = (SQUASHING.decomp_base_log(), SQUASHING.decomp_level_count());
    let modulus = CiphertextModulus::new_native();
    let count = BITS.0 * level.0 * size.0 * size.0 * polynomial.0;
    let key =
        LweBootstrapKey::from_container(wide("key", count), size, polynomial, base, level, modulus);
    let mut fourier = Fourier128LweBootstrapKeyOwned::new(BITS, size, polynomial, base, level);
    convert_standard_lwe_bootstrap_key_to_fourier_128(&key, &mut fourier);
    let narrow_modulus = CiphertextModulus::new_native();
    let input = LweCiphertext::from_container(narrow("input", BITS.0 + 1), narrow_modulus);
    let table = wide("table", size.0 * polynomial.0);
    let table = GlweCiphertext::from_container(table, polynomial, modulus);
    let dimension = LweDimension(crate::parameters::SQUASHED_DIMENSION);
    let mut output = LweCiphertext::new(0u128, dimension.to_lwe_size(), modulus);
    programmable_bootstrap_f128_lwe_ciphertext(&input, &mut output, &table, &fourier);
    let hash = blake3::hash(&crate::words::wide_bytes(output.as_ref())).to_hex();
    assert_eq!(&hash[..16], "18c19f1f894c67b3");
}
