//! What the trustee hands to the families.

use crate::chunk::ChunkReader;
use crate::envelope::{Context, Expect, Message, Received, read};
use crate::error::{Fault, WireError};
use crate::identity::TrustFile;
use crate::kind::Kind;
use crate::names::{Digest, PartyName};
use crate::round::Round;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Bytes of one sealed letter: HPKE's encapsulated X25519 key (32), one byte with the tier code, and the
/// ChaCha20-Poly1305 tag (16). The same for every slot.
pub const LETTER_BYTES: usize = 32 + 1 + 16;

/// Manifest of the sealed letters; a chunk is the letters of its slots one after another. Public; sent by the
/// trustee to the families.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letters {
    /// Hash of the receipt whose results were opened.
    pub receipt: Digest,
    /// The letter keys that the letters are sealed to, as [`crate::LetterKeys::digest`].
    pub letter_keys: Digest,
    /// Hash of each letter chunk file.
    pub chunks: Vec<Digest>,
}

impl Message for Letters {
    const KIND: Kind = Kind::Letters;
}

impl Letters {
    /// Reads a trustee's manifest and checks it against the round.
    pub fn read(
        path: &Path,
        trustee: &PartyName,
        round: &Round,
        context: &Context,
        trust: &TrustFile,
    ) -> Result<Received<Self>, WireError> {
        let received = read::<Self>(path, &Expect::of(trustee, context), trust)?;
        if received.body.letter_keys != round.letter_keys {
            let fault = Fault::Reference {
                what: "list of letter keys",
                expected: round.letter_keys,
                found: received.body.letter_keys,
            };
            return Err(WireError::refused(path, trustee, fault));
        }
        Ok(received)
    }

    /// The letter chunks that the manifest at `path` lists.
    pub fn chunks<'a>(
        &self,
        path: &Path,
        trustee: &PartyName,
        round: &Round,
        context: &'a Context,
        trust: &'a TrustFile,
    ) -> Result<ChunkReader<'a>, WireError> {
        let chunking =
            round.chunking().map_err(|fault| WireError::refused(path, trustee, fault))?;
        ChunkReader::new(
            path,
            Kind::LetterChunk,
            trustee,
            context,
            chunking,
            self.chunks.clone(),
            trust,
        )
    }
}

/// What HPKE binds a letter to: round, policy and slot. A letter opened with another of them fails.
pub fn letter_info(context: &Context, slot: u32) -> Vec<u8> {
    let mut info = b"blindtier/v1/letter\0".to_vec();
    info.extend_from_slice(&context.round.0);
    info.extend_from_slice(&context.policy.0);
    info.extend_from_slice(&slot.to_le_bytes());
    info
}
