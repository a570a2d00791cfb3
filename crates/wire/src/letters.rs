//! What trustees hand to the families.

use crate::chunk::ChunkReader;
use crate::envelope::{Context, Expect, Message, Received, read};
use crate::error::WireError;
use crate::identity::TrustFile;
use crate::kind::Kind;
use crate::names::{Digest, PartyName};
use crate::pads::Seed;
use crate::round::Round;
use crate::sealing::SEAL_BYTES;
use serde::{Deserialize, Serialize};
use std::path::Path;
use zeroize::Zeroizing;

/// Manifest of a trustee's sealed letters; a chunk is the letters of its slots one after another. For the families.
///
/// A letter has the ledger's head when it was sealed and the seed of each share that the trustee holds, ascending: 32 bytes
/// each, and the same for every slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letters {
    /// Hash of the receipt whose results were opened.
    pub receipt: Digest,
    /// The letter keys that the letters are sealed to, as [`crate::LetterKeys::digest`].
    pub letter_keys: Digest,
    /// Hash of each letter chunk file.
    pub chunks: Vec<Digest>,
}

/// What a letter says (private to the family).
pub struct LetterText {
    /// The ledger's head when the letter was sealed.
    pub head: Digest,
    /// One a share of the trustee, ascending.
    pub seeds: Vec<Seed>,
}

impl LetterText {
    /// The plain text (private).
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(32 * (1 + self.seeds.len())));
        bytes.extend_from_slice(&self.head.0);
        self.seeds.iter().for_each(|seed| bytes.extend_from_slice(&seed.0));
        bytes
    }

    /// Reads a plain text (private) with so many seeds.
    pub fn from_bytes(bytes: &[u8], seeds: usize) -> Option<Self> {
        let (parts, rest) = bytes.as_chunks::<32>();
        let (head, parts) = parts.split_first()?;
        let whole = rest.is_empty() && parts.len() == seeds;
        whole.then(|| Self { head: Digest(*head), seeds: parts.iter().map(|p| Seed(*p)).collect() })
    }
}

/// Bytes of a sealed letter with so many seeds.
pub fn letter_bytes(seeds: usize) -> usize {
    SEAL_BYTES + 32 * (1 + seeds)
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
        round
            .check_letter_keys(received.body.letter_keys)
            .map_err(|fault| WireError::refused(path, trustee, fault))?;
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
        round.chunks(path, Kind::LetterChunk, trustee, &self.chunks, context, trust)
    }
}
