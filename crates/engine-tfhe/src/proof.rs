//! Proofs that every ciphertext of a list holds 0 or 1.
//!
//! The proof system is the library's second one for compact lists (after Libert, ePrint 2023/800). It shows, for a list
//! (c₁, c₂) under the public key (a, b), that there are short noises e₁, e₂, bits r and messages m of one bit each with
//! c₁ = a·r + e₁ and c₂ = b·r + e₂ + Δ·m, and tells nothing else about them. Δ = 2⁶⁴/t is [`UNIT`], so t = 2¹⁹; 18 of its 19
//! bits are zero by the *padding* that the proof parameters declare, which leaves one bit for a message.
//!
//! What a proof costs hardly depends on how many values its list has: almost all of it is for the 2048 bits of r and for
//! bounding the noise. So a list is as long as a mask allows.
//!
//! Proof parameters are powers of a secret number in the exponent. Whoever knew that number could prove what is false, but
//! could read nothing by it. The dealer draws and forgets it, together with the key.

use crate::keys::{decode, encode};
use crate::parameters::{DIMENSION, ENCRYPTION_NOISE_BITS, NAME, UNIT, encryption_noise};
use crate::words::check_length;
use bincode::Options;
use blindtier_engine::EngineError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Display;
use std::sync::{Mutex, PoisonError};
use tfhe::conformance::ParameterSetConformant;
use tfhe::core_crypto::commons::generators::NoiseRandomGenerator;
use tfhe::core_crypto::commons::math::random::RandomGenerator;
use tfhe::core_crypto::prelude::{
    CiphertextModulus, DefaultRandomGenerator, LweCiphertextCount, LweCompactCiphertextListOwned,
    LweCompactPublicKeyOwned, LweDimension, new_seeder,
    par_encrypt_and_prove_lwe_compact_ciphertext_list_with_compact_public_key,
    verify_lwe_compact_ciphertext_list,
};
use tfhe::zk::{
    CompactPkeCrs, CompactPkeCrsConformanceParams, CompactPkeProof,
    CompactPkeProofConformanceParams, CompactPkeZkScheme, Compressible, ZkComputeLoad,
    ZkMSBZeroPaddingBitCount, ZkPkeV2SupportedHashConfig,
};

/// Bytes of a proof: 8 points of one group and 5 of the other, compressed, as bincode writes them.
pub(crate) const PROOF_BYTES: usize = 1_222;
/// Bytes of the proof parameters: as many points of one group as [`POINTS`] and twice as many of the other.
pub(crate) const CRS_BYTES: usize = 4_225_705;
/// 2048 bits of r, up to 2048 of messages and 128 numbers of 31 bits that bound the noise.
const POINTS: usize = 8_064;
/// The plaintext modulus t.
const MODULUS_BITS: u32 = 64 - UNIT.trailing_zeros();
/// All of t but one bit.
const PADDING: u64 = MODULUS_BITS as u64 - 1;
/// The largest noise of an honest encryption.
const NOISE: u64 = 1 << ENCRYPTION_NOISE_BITS;
/// Where the numbers of proof parameters begin, from the end of their bytes. Behind them come a random identifier and
/// random separators of hashes.
const NUMBERS: usize = 277;

/// Makes proof parameters. Takes several seconds.
pub(crate) fn new_parameters() -> Result<Vec<u8>, EngineError> {
    let mut generator =
        RandomGenerator::<DefaultRandomGenerator>::new(new_seeder().as_mut().seed());
    let crs = CompactPkeCrs::new(
        LweDimension(DIMENSION),
        LweCiphertextCount(DIMENSION),
        encryption_noise(),
        CiphertextModulus::<u64>::new_native(),
        1 << MODULUS_BITS,
        ZkMSBZeroPaddingBitCount(PADDING),
        &mut generator,
    )
    .map_err(|e| malformed("proof parameters", e))?;
    encode("proof parameters", &crs, CRS_BYTES as u64)
}

/// Decodes proof parameters and checks what verifying relies on: all numbers, and how many points there are.
///
/// These are compared as bytes, before anything is decoded.
pub(crate) fn parameters(bytes: &[u8]) -> Result<CompactPkeCrs, EngineError> {
    let what = "proof parameters";
    check_length(what, bytes, CRS_BYTES)?;
    let numbers = bytes.get(CRS_BYTES - NUMBERS..).unwrap_or_default();
    if bytes.starts_with(&head()) && numbers.starts_with(&numbers_bytes()) {
        decode(what, bytes, CRS_BYTES as u64)
    } else {
        Err(other_parameters())
    }
}

/// The second proof system, and the number of points of the larger list; decoding wants half of that of the other.
fn head() -> Vec<u8> {
    [&1u32.to_le_bytes()[..], &(2 * POINTS as u64).to_le_bytes()].concat()
}

/// D, n, d, k, the bound on what the 128 numbers prove (squared), B, q, t, padding, and that the bound holds always (by
/// Cauchy and Schwarz) and not by a heuristic.
fn numbers_bytes() -> Vec<u8> {
    let list = DIMENSION as u64;
    let both = 2 * u128::from(list);
    let square = |x: u64| u128::from(x) * u128::from(x);
    let bound = (2 * both + 4) * (square(NOISE) * both + square(list + 2) * both / 4);
    let words = |numbers: &[u64]| numbers.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<u8>>();
    [
        words(&[2 * list, POINTS as u64, list, list]),
        bound.to_le_bytes().to_vec(),
        words(&[NOISE, 0, 1 << MODULUS_BITS, PADDING]),
        1u32.to_le_bytes().to_vec(),
    ]
    .concat()
}

/// Checks every point as well: with crafted points a proof might tell something. Takes seconds, so that it is done once
/// for parameters that are used again.
pub(crate) fn check_points(crs: &CompactPkeCrs, bytes: &[u8]) -> Result<(), EngineError> {
    static CHECKED: Mutex<Option<blake3::Hash>> = Mutex::new(None);
    let hash = blake3::hash(bytes);
    if *CHECKED.lock().unwrap_or_else(PoisonError::into_inner) == Some(hash) {
        return Ok(());
    }
    let expected = CompactPkeCrsConformanceParams::new(
        DIMENSION,
        DIMENSION,
        NOISE,
        0,
        1 << MODULUS_BITS,
        PADDING,
    );
    if !crs.is_conformant(&expected) {
        return Err(other_parameters());
    }
    *CHECKED.lock().unwrap_or_else(PoisonError::into_inner) = Some(hash);
    Ok(())
}

/// What a list's proof is bound to beside the list itself: the chunk's binding, and its place in the chunk.
pub(crate) fn context(
    binding: &[u8; 32],
    submitter: usize,
    families: usize,
    list: usize,
) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("blindtier tfhe proof v1");
    hasher.update(binding);
    for number in [submitter, families, list] {
        hasher.update(&(number as u64).to_le_bytes());
    }
    hasher.finalize().into()
}

/// Encrypts bits (private) into a list and proves that they are bits.
///
/// Of the two loads that the library offers, the one that costs whoever proves more (a third) and whoever verifies less (a
/// sixth): a chunk is proven once and verified by many.
pub(crate) fn encrypt(
    key: &LweCompactPublicKeyOwned<u64>,
    crs: &CompactPkeCrs,
    bits: &[u64],
    context: &[u8; 32],
    list: &mut LweCompactCiphertextListOwned<u64>,
) -> Result<Vec<u8>, EngineError> {
    let seed = new_seeder().as_mut().seed();
    let proof = par_encrypt_and_prove_lwe_compact_ciphertext_list_with_compact_public_key(
        key,
        list,
        &bits,
        UNIT,
        encryption_noise(),
        encryption_noise(),
        &mut NoiseRandomGenerator::<DefaultRandomGenerator>::new_from_seed(seed),
        crs,
        context,
        ZkComputeLoad::Proof,
    )
    .map_err(|e| malformed("list", e))?;
    match proof {
        CompactPkeProof::PkeV2(proof) => compressed(&proof),
        CompactPkeProof::PkeV1(_) => Err(other_parameters()),
    }
}

/// Whether a proof (any bytes) holds for a list.
pub(crate) fn holds(
    key: &LweCompactPublicKeyOwned<u64>,
    crs: &CompactPkeCrs,
    list: &LweCompactCiphertextListOwned<u64>,
    proof: &[u8],
    context: &[u8; 32],
) -> Result<bool, EngineError> {
    check_length("proof", proof, PROOF_BYTES)?;
    // That the points lie in their groups is checked here; verifying takes it for granted.
    let expected = CompactPkeProofConformanceParams::new(CompactPkeZkScheme::V2)
        .forbid_compute_load(ZkComputeLoad::Verify)
        .forbid_hash_config(ZkPkeV2SupportedHashConfig::V0_4_0)
        .forbid_hash_config(ZkPkeV2SupportedHashConfig::V0_7_0);
    Ok(uncompressed(proof, CompactPkeProof::PkeV2).is_some_and(|proof| {
        proof.is_conformant(&expected)
            && verify_lwe_compact_ciphertext_list(list, key, &proof, crs, context).is_valid()
    }))
}

/// A proof as bytes. The type has no public name; it is the content of [`CompactPkeProof::PkeV2`].
fn compressed<P: Compressible<Compressed: Serialize>>(proof: &P) -> Result<Vec<u8>, EngineError> {
    let bytes = encode("proof", &proof.compress(), PROOF_BYTES as u64)?;
    check_length("proof", &bytes, PROOF_BYTES)?;
    Ok(bytes)
}

fn uncompressed<P: Compressible<Compressed: DeserializeOwned>>(
    bytes: &[u8],
    wrap: fn(P) -> CompactPkeProof,
) -> Option<CompactPkeProof> {
    let compressed = crate::keys::options(PROOF_BYTES as u64).deserialize(bytes).ok()?;
    P::uncompress(compressed).ok().map(wrap)
}

fn malformed(what: &'static str, error: impl Display) -> EngineError {
    EngineError::Malformed { what, detail: error.to_string() }
}

fn other_parameters() -> EngineError {
    EngineError::Parameters {
        what: "proof parameters",
        expected: NAME.into(),
        found: "other numbers or points".into(),
    }
}
