//! Key ceremonies: keys are made, encoded and decoded here.

use crate::flooding;
use crate::parameters::{
    COMPUTE, DIMENSION, NAME, SQUASHED_DIMENSION, SQUASHING, SQUASHING_NAME, encryption_noise,
};
use crate::words::{to_bytes, wide_bytes};
use bincode::Options;
use blindtier_engine::{EngineError, Proofs};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tfhe::conformance::ParameterSetConformant;
use tfhe::core_crypto::commons::math::random::RandomGenerator;
use tfhe::core_crypto::prelude::{
    CiphertextModulus, DefaultRandomGenerator, EncryptionRandomGenerator,
    allocate_and_generate_new_lwe_compact_public_key, new_seeder,
};
use tfhe::shortint::atomic_pattern::AtomicPatternParameters;
use tfhe::shortint::ciphertext::MaxDegree;
use tfhe::shortint::client_key::atomic_pattern::AtomicPatternClientKey;
use tfhe::shortint::noise_squashing::{
    CompressedNoiseSquashingKey, NoiseSquashingKey, NoiseSquashingPrivateKey,
};
use tfhe::shortint::parameters::PBSParameters;
use tfhe::shortint::{ClientKey, CompressedServerKey, ServerKey};
use zeroize::{Zeroize, Zeroizing};

/// The most bytes an evaluation key may have; the parameter set's has about 30 MB.
const EVALUATION_KEY_LIMIT: u64 = 64 << 20;
/// The most bytes a squashing key may have; the parameter set's has about 271 MB.
const SQUASHING_KEY_LIMIT: u64 = 288 << 20;

/// How keys are written: fixed-size integers, a size limit, nothing after the end.
pub(crate) fn options(limit: u64) -> impl bincode::Options {
    bincode::options().with_fixint_encoding().with_limit(limit).reject_trailing_bytes()
}

pub(crate) fn encode(
    what: &'static str,
    key: &impl Serialize,
    limit: u64,
) -> Result<Vec<u8>, EngineError> {
    options(limit)
        .serialize(key)
        .map_err(|e| EngineError::Malformed { what, detail: e.to_string() })
}

pub(crate) fn decode<K: DeserializeOwned>(
    what: &'static str,
    bytes: &[u8],
    limit: u64,
) -> Result<K, EngineError> {
    options(limit)
        .deserialize(bytes)
        .map_err(|e| EngineError::Malformed { what, detail: e.to_string() })
}

fn other_parameters(what: &'static str, expected: &str) -> EngineError {
    EngineError::Parameters {
        what,
        expected: expected.into(),
        found: "another parameter set".into(),
    }
}

/// Encodes an evaluation key.
pub(crate) fn evaluation_bytes(key: &CompressedServerKey) -> Result<Vec<u8>, EngineError> {
    encode("evaluation key", key, EVALUATION_KEY_LIMIT)
}

/// Encodes a squashing key.
pub(crate) fn squashing_bytes(key: &CompressedNoiseSquashingKey) -> Result<Vec<u8>, EngineError> {
    encode("squashing key", key, SQUASHING_KEY_LIMIT)
}

/// Decodes an evaluation key; refuses one of other parameters.
pub(crate) fn server_key(bytes: &[u8]) -> Result<ServerKey, EngineError> {
    let what = "evaluation key";
    let key: CompressedServerKey = decode(what, bytes, EVALUATION_KEY_LIMIT)?;
    let max_degree =
        MaxDegree::from_msg_carry_modulus(COMPUTE.message_modulus, COMPUTE.carry_modulus);
    if !key.is_conformant(&(COMPUTE.into(), max_degree)) {
        return Err(other_parameters(what, NAME));
    }
    Ok(key.decompress())
}

/// Decodes a squashing key; refuses one of other parameters.
pub(crate) fn squashing_key(bytes: &[u8]) -> Result<NoiseSquashingKey, EngineError> {
    let what = "squashing key";
    let key: CompressedNoiseSquashingKey = decode(what, bytes, SQUASHING_KEY_LIMIT)?;
    let compute = AtomicPatternParameters::Standard(PBSParameters::PBS(COMPUTE));
    let conformant =
        (compute, SQUASHING).try_into().is_ok_and(|parameters| key.is_conformant(&parameters));
    if !conformant {
        return Err(other_parameters(what, SQUASHING_NAME));
    }
    Ok(key.decompress())
}

/// What the ceremony of a single key holder yields.
pub struct KeySet {
    /// Private: the bits of the large LWE key, eight to a byte.
    pub secret: Zeroizing<Vec<u8>>,
    /// Public: what is encrypted with, and behind it the parameters of proofs if the plan has proofs.
    pub public: Vec<u8>,
    /// Public in this design, for the evaluator.
    pub evaluation: Vec<u8>,
}

/// Generates fresh keys with the library's own generator, seeded by the processor (RDSEED) or else the
/// operating system. Takes about a second, with the parameters of proofs some more. For tests and measurements: a round has shares, see [`deal`].
///
/// Submitted values are encrypted under the compute key itself, so an input costs no lookup.
pub fn generate_keys(proofs: Proofs) -> Result<KeySet, EngineError> {
    crate::fft::fix_plan();
    let client = ClientKey::new(COMPUTE);
    let mut secret = Zeroizing::new(Vec::with_capacity(DIMENSION / 8));
    for bits in client.encryption_key().as_ref().chunks(8) {
        secret.push(bits.iter().rev().fold(0u8, |byte, bit| byte << 1 | u8::from(*bit == 1)));
    }
    let public = public_bytes(&client, proofs);
    let evaluation = evaluation_bytes(&CompressedServerKey::new(&client));
    clear(client);
    Ok(KeySet { secret, public: public?, evaluation: evaluation? })
}

/// What a dealing yields.
pub struct Dealt {
    /// Public: what is encrypted with, and behind it the parameters of proofs if the plan has proofs.
    pub public: Vec<u8>,
    /// Public: what results are computed and prepared with.
    pub evaluation: Vec<u8>,
    /// Public: what results are prepared with.
    pub squashing: Vec<u8>,
    /// Private, one for each share: only all of them together open anything.
    pub shares: Vec<Zeroizing<Vec<u8>>>,
}

/// Generates fresh keys and cuts the opening key into additive shares. Takes about half a minute.
///
/// Only the key under which noise-squashed results stand is shared. The compute key, which could open results and
/// submissions before that, is forgotten. So is the secret behind the parameters of proofs: it opens nothing, but whoever
/// knew it could prove what is false.
pub fn deal(shares: u32, proofs: Proofs) -> Result<Dealt, EngineError> {
    flooding::bits(shares)?;
    crate::fft::fix_plan();
    let client = ClientKey::new(COMPUTE);
    let opening = NoiseSquashingPrivateKey::new(SQUASHING);
    let public = public_bytes(&client, proofs);
    let evaluation = evaluation_bytes(&CompressedServerKey::new(&client));
    let squashing = squashing_bytes(&CompressedNoiseSquashingKey::new(&client, &opening));
    clear(client);
    let opening = Zeroizing::new(opening.into_raw_parts().0.into_lwe_secret_key().into_container());
    Ok(Dealt {
        public: public?,
        evaluation: evaluation?,
        squashing: squashing?,
        shares: cut(&opening, shares),
    })
}

/// Cuts a key into additive shares modulo 2¹²⁸, 128-bit little-endian words. All but one are uniform; the last is what
/// they leave.
pub(crate) fn cut(key: &[u128], shares: u32) -> Vec<Zeroizing<Vec<u8>>> {
    let mut generator =
        RandomGenerator::<DefaultRandomGenerator>::new(new_seeder().as_mut().seed());
    let mut rest = Zeroizing::new(key.to_vec());
    let mut uniform = Zeroizing::new(vec![0u128; SQUASHED_DIMENSION]);
    let mut cut = Vec::new();
    for _ in 1..shares {
        generator.fill_slice_with_random_uniform(&mut uniform);
        for (rest, word) in rest.iter_mut().zip(uniform.iter()) {
            *rest = rest.wrapping_sub(*word);
        }
        cut.push(Zeroizing::new(wide_bytes(&uniform)));
    }
    cut.push(Zeroizing::new(wide_bytes(&rest)));
    cut
}

/// The public key, and behind it fresh parameters of proofs.
fn public_bytes(client: &ClientKey, proofs: Proofs) -> Result<Vec<u8>, EngineError> {
    let mut seeder = new_seeder();
    let seeder = seeder.as_mut();
    let mut generator =
        EncryptionRandomGenerator::<DefaultRandomGenerator>::new(seeder.seed(), seeder);
    let public = allocate_and_generate_new_lwe_compact_public_key(
        &client.encryption_key(),
        encryption_noise(),
        CiphertextModulus::new_native(),
        &mut generator,
    );
    let mut bytes = to_bytes(public.as_ref());
    if proofs == Proofs::On {
        bytes.extend(crate::proof::new_parameters()?);
    }
    Ok(bytes)
}

/// Overwrites a client key: tfhe's keys do not do so themselves when they are dropped.
fn clear(client: ClientKey) {
    if let AtomicPatternClientKey::Standard(key) = client.atomic_pattern {
        let (large, small, ..) = key.into_raw_parts();
        large.into_container().zeroize();
        small.into_container().zeroize();
    }
}
