//! What a round opened: for every slot the tier code plus the pads of all shares.

use crate::chunk::{Chunk, ChunkReader};
use crate::envelope::{Context, Expect, Message, Received, read};
use crate::error::{Fault, WireError};
use crate::identity::TrustFile;
use crate::kind::Kind;
use crate::names::{Digest, PartyName};
use crate::round::Round;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Manifest of the opened numbers. Public: it tells nobody anything who does not know the pads. Every trustee computes
/// it and signs its own; what is in the chunks is the same, and its hashes stand in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// Hash of the receipt whose results were opened.
    pub receipt: Digest,
    /// Hash of each chunk file.
    pub chunks: Vec<Digest>,
}

impl Message for Opened {
    const KIND: Kind = Kind::Opened;
}

impl Opened {
    /// Reads a trustee's manifest.
    pub fn read(
        path: &Path,
        trustee: &PartyName,
        context: &Context,
        trust: &TrustFile,
    ) -> Result<Received<Self>, WireError> {
        read::<Self>(path, &Expect::of(trustee, context), trust)
    }

    /// The chunks that the manifest at `path` lists.
    pub fn chunks<'a>(
        &self,
        path: &Path,
        trustee: &PartyName,
        round: &Round,
        context: &'a Context,
        trust: &'a TrustFile,
    ) -> Result<ChunkReader<'a>, WireError> {
        round.chunks(path, Kind::OpenedChunk, trustee, &self.chunks, context, trust)
    }
}

/// The hash of one chunk's numbers that the ledger has, whoever signs the file.
pub fn opened_digest(context: &Context, start: u32, numbers: &[u32]) -> Digest {
    let mut hasher = blake3::Hasher::new_derive_key("blindtier opened chunk v1");
    hasher.update(&context.round.0);
    hasher.update(&start.to_le_bytes());
    hasher.update(&to_bytes(numbers));
    Digest(*hasher.finalize().as_bytes())
}

/// Opened numbers as the bytes of a chunk.
pub fn to_bytes(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// The opened numbers of a chunk.
pub fn from_chunk(chunk: &Chunk) -> Result<Vec<u32>, Fault> {
    let (numbers, rest) = chunk.bytes.as_chunks::<4>();
    if !rest.is_empty() || numbers.len() as u64 != u64::from(chunk.count) {
        return Err(Fault::Content { detail: "there is not one opened number a slot" });
    }
    Ok(numbers.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect())
}
