//! The key ceremony of a single key holder.

use crate::parameters::{COMPUTE, DIMENSION, encryption_noise};
use crate::words::to_bytes;
use bincode::Options;
use blindtier_engine::EngineError;
use tfhe::core_crypto::prelude::{
    CiphertextModulus, DefaultRandomGenerator, EncryptionRandomGenerator,
    allocate_and_generate_new_lwe_compact_public_key, new_seeder,
};
use tfhe::shortint::{ClientKey, CompressedServerKey};
use zeroize::Zeroizing;

/// The most bytes an evaluation key may have; the parameter set's has about 30 MB.
const EVALUATION_KEY_LIMIT: u64 = 64 << 20;

/// How evaluation keys are written: fixed-size integers, a size limit, nothing after the end.
pub(crate) fn key_options() -> impl bincode::Options {
    bincode::options()
        .with_fixint_encoding()
        .with_limit(EVALUATION_KEY_LIMIT)
        .reject_trailing_bytes()
}

/// What one key ceremony yields.
pub struct KeySet {
    /// Private: the bits of the large LWE key, eight to a byte.
    pub secret: Zeroizing<Vec<u8>>,
    /// Public: what agencies encrypt with.
    pub public: Vec<u8>,
    /// Public in this design, for the evaluator.
    pub evaluation: Vec<u8>,
}

/// Generates fresh keys with the library's own generator, seeded by the processor (RDSEED) or else the
/// operating system. Takes about a second.
///
/// Agencies' values are encrypted under the compute key itself, so an input costs no lookup.
pub fn generate_keys() -> Result<KeySet, EngineError> {
    crate::fft::fix_plan();
    let client = ClientKey::new(COMPUTE);
    let key = client.encryption_key();
    let mut seeder = new_seeder();
    let seeder = seeder.as_mut();
    let mut generator =
        EncryptionRandomGenerator::<DefaultRandomGenerator>::new(seeder.seed(), seeder);
    let public = allocate_and_generate_new_lwe_compact_public_key(
        &key,
        encryption_noise(),
        CiphertextModulus::new_native(),
        &mut generator,
    );
    let mut secret = Zeroizing::new(Vec::with_capacity(DIMENSION / 8));
    for bits in key.as_ref().chunks(8) {
        secret.push(bits.iter().rev().fold(0u8, |byte, bit| byte << 1 | u8::from(*bit == 1)));
    }
    let evaluation = key_options()
        .serialize(&CompressedServerKey::new(&client))
        .map_err(|e| EngineError::Malformed { what: "evaluation key", detail: e.to_string() })?;
    Ok(KeySet { secret, public: to_bytes(public.as_ref()), evaluation })
}
