//! The public key: what is encrypted with, and behind it the parameters of proofs where the plan has proofs.

use crate::parameters::DIMENSION;
use crate::proof::{self, CRS_BYTES};
use crate::words::{check_length, from_bytes};
use blindtier_engine::{EngineError, Proofs};
use tfhe::core_crypto::prelude::{CiphertextModulus, LweCompactPublicKeyOwned};
use tfhe::zk::CompactPkeCrs;

/// Bytes of the key alone.
const KEY_BYTES: usize = 2 * DIMENSION * 8;

/// Cuts a public key's bytes into key and proof parameters.
fn cut(bytes: &[u8], proofs: Proofs) -> Result<(&[u8], &[u8]), EngineError> {
    let what = "public key";
    let expected = match proofs {
        Proofs::Off => KEY_BYTES,
        Proofs::On => KEY_BYTES + CRS_BYTES,
    };
    check_length(what, bytes, expected)?;
    Ok(bytes.split_at(KEY_BYTES.min(bytes.len())))
}

fn key(words: &[u8]) -> Result<LweCompactPublicKeyOwned<u64>, EngineError> {
    let words = from_bytes("public key", words, 2 * DIMENSION)?;
    Ok(LweCompactPublicKeyOwned::from_container(words, CiphertextModulus::new_native()))
}

/// Decodes the key alone.
pub(crate) fn encryption_key(
    bytes: &[u8],
    proofs: Proofs,
) -> Result<LweCompactPublicKeyOwned<u64>, EngineError> {
    key(cut(bytes, proofs)?.0)
}

/// A decoded public key.
pub(crate) struct PublicKey {
    pub(crate) key: LweCompactPublicKeyOwned<u64>,
    pub(crate) crs: Option<CompactPkeCrs>,
}

impl PublicKey {
    /// For whoever verifies.
    pub(crate) fn for_verifying(bytes: &[u8], proofs: Proofs) -> Result<Self, EngineError> {
        let (words, parameters) = cut(bytes, proofs)?;
        let crs = match proofs {
            Proofs::Off => None,
            Proofs::On => Some(proof::parameters(parameters)?),
        };
        Ok(Self { key: key(words)?, crs })
    }

    /// For whoever encrypts, and proves something about private values.
    pub(crate) fn for_encrypting(bytes: &[u8], proofs: Proofs) -> Result<Self, EngineError> {
        let public = Self::for_verifying(bytes, proofs)?;
        if let Some(crs) = &public.crs {
            proof::check_points(crs, cut(bytes, proofs)?.1)?;
        }
        Ok(public)
    }
}
