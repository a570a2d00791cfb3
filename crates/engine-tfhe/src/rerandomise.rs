//! Inputs are re-randomised before they are computed on: a fresh encryption of zero is added to every ciphertext.
//!
//! Whoever submits chooses its ciphertexts, and could look for some whose noise is large after computing: a wrong result
//! tells something about the key. With noise that is drawn only once all ciphertexts of all submitters are fixed, there
//! is nothing to look for. The library names the notion of security that this is for sIND-CPA^D (its
//! `high_level_api::re_randomization`) and has it for a public key over the compute key itself, as here
//! (`ReRandomizationParameters::DerivedCPKWithoutKeySwitch`). Its `re_randomize_compact_ciphertext_lists` does what this
//! file does, on types that carry other encodings, and with a seed that it hashes itself; so the two functions are used
//! that it consists of.
//!
//! Everybody who recomputes draws the same: AES in counter mode, keyed by a hash of the seed and the list's place.

use crate::chunk::{CompactChunk, empty_list};
use crate::parameters::encryption_noise;
use rayon::prelude::*;
use tfhe::core_crypto::algorithms::lwe_encryption::re_randomization::rerand_encrypt_lwe_compact_ciphertext_list_with_compact_public_key;
use tfhe::core_crypto::commons::generators::NoiseRandomGenerator;
use tfhe::core_crypto::commons::math::random::XofSeed;
use tfhe::core_crypto::prelude::{
    DefaultRandomGenerator, LweCompactPublicKeyOwned, PlaintextCount, PlaintextListOwned,
};

/// What the library's generator is told that the seed is for.
const DOMAIN: [u8; XofSeed::DOMAIN_SEP_LEN] = *b"bt-rrand";

/// Adds encryptions of zero to all lists of a submitter's chunk.
pub(crate) fn rerandomise(
    chunk: &mut CompactChunk,
    key: &LweCompactPublicKeyOwned<u64>,
    seed: &[u8; 32],
    submitter: usize,
) {
    let lists: Vec<(&mut [u64], &mut [u64])> = chunk.lists_mut().collect();
    lists.into_par_iter().enumerate().for_each(|(position, (mask, bodies))| {
        let mut hasher = blake3::Hasher::new_derive_key("blindtier tfhe re-randomisation v1");
        hasher.update(seed);
        hasher.update(&(submitter as u64).to_le_bytes());
        hasher.update(&(position as u64).to_le_bytes());
        let seed = XofSeed::new(hasher.finalize().as_bytes().to_vec(), DOMAIN);
        let mut zeros = empty_list(bodies.len());
        rerand_encrypt_lwe_compact_ciphertext_list_with_compact_public_key(
            key,
            &mut zeros,
            &PlaintextListOwned::new(0, PlaintextCount(bodies.len())),
            encryption_noise(),
            encryption_noise(),
            &mut NoiseRandomGenerator::<DefaultRandomGenerator>::new_from_seed(seed),
        );
        for (word, zero) in mask.iter_mut().chain(bodies).zip(zeros.as_ref()) {
            *word = word.wrapping_add(*zero);
        }
    });
}
