//! What a trustee contributes to an opening.

use crate::chunk::{Chunk, ChunkReader};
use crate::envelope::{Context, Expect, Message, Received, read};
use crate::error::{Fault, WireError};
use crate::identity::TrustFile;
use crate::kind::Kind;
use crate::names::{Digest, PartyName};
use crate::round::Round;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Folder of the chunks of partial decryptions, beside the manifest.
pub const PARTIAL_CHUNKS: &str = "partials";
/// Folder of the chunks of commitments to seeds, beside the manifest.
pub const COMMITMENT_CHUNKS: &str = "commitments";

/// Manifest of one trustee's partial decryptions and of its commitments to the seeds of the pads in them. Public. Its hash
/// stands in the ledger before any trustee shows a chunk.
///
/// A chunk of partial decryptions is the prepared bodies and then the partial decryption of each share, see
/// [`PartialChunk`]; a chunk of commitments has 32 bytes a slot and share, share by share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partials {
    /// Hash of the receipt whose results are opened.
    pub receipt: Digest,
    /// The shares, ascending: all that the trustee holds.
    pub shares: Vec<u32>,
    /// Hash of each chunk file of partial decryptions.
    pub partials: Vec<Digest>,
    /// Hash of each chunk file of commitments.
    pub commitments: Vec<Digest>,
}

impl Message for Partials {
    const KIND: Kind = Kind::Partials;
}

/// The bytes of one chunk of partial decryptions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartialChunk {
    /// What the partial decryptions are added to; every trustee computes the same.
    #[serde(with = "serde_bytes")]
    pub bodies: Vec<u8>,
    /// One a share, in the order of the manifest.
    pub partials: Vec<serde_bytes::ByteBuf>,
}

impl PartialChunk {
    /// As the bytes of a chunk.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Fault> {
        let mut bytes = Vec::new();
        crate::codec::append(&mut bytes, self, Kind::PartialChunk.limit())
            .map_err(|reason| Fault::Form { part: "body", reason })?;
        Ok(bytes)
    }

    /// From the bytes of a chunk.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Fault> {
        crate::codec::decode(bytes, Kind::PartialChunk.limit())
            .map_err(|reason| Fault::Form { part: "partial decryptions", reason })
    }
}

/// The commitments to the seeds of a chunk's slots: for each of `shares` shares, one a slot.
pub fn commitments_in(chunk: &Chunk, shares: usize) -> Result<Vec<Vec<Digest>>, Fault> {
    let (digests, rest) = chunk.bytes.as_chunks::<32>();
    let slots = chunk.count as usize;
    if !rest.is_empty() || slots == 0 || digests.len() != slots.saturating_mul(shares) {
        return Err(Fault::Content { detail: "there is not one commitment a slot and share" });
    }
    Ok(digests.chunks(slots).map(|share| share.iter().map(|d| Digest(*d)).collect()).collect())
}

impl Partials {
    /// Reads a trustee's manifest and checks it against the round.
    pub fn read(
        path: &Path,
        trustee: &PartyName,
        round: &Round,
        context: &Context,
        trust: &TrustFile,
    ) -> Result<Received<Self>, WireError> {
        let received = read::<Self>(path, &Expect::of(trustee, context), trust)?;
        let number = trustee.trustee_number().unwrap_or_default();
        if received.body.shares != round.sharing.held_by(number) {
            let fault =
                Fault::Content { detail: "these are not the shares that this trustee holds" };
            return Err(WireError::refused(path, trustee, fault));
        }
        Ok(received)
    }

    /// The chunks of partial decryptions that the manifest at `path` lists.
    pub fn partials<'a>(
        &self,
        path: &Path,
        trustee: &PartyName,
        round: &Round,
        context: &'a Context,
        trust: &'a TrustFile,
    ) -> Result<ChunkReader<'a>, WireError> {
        let beside = below(path, PARTIAL_CHUNKS);
        round.chunks(&beside, Kind::PartialChunk, trustee, &self.partials, context, trust)
    }

    /// The chunks of commitments that the manifest at `path` lists.
    pub fn commitments<'a>(
        &self,
        path: &Path,
        trustee: &PartyName,
        round: &Round,
        context: &'a Context,
        trust: &'a TrustFile,
    ) -> Result<ChunkReader<'a>, WireError> {
        let beside = below(path, COMMITMENT_CHUNKS);
        round.chunks(&beside, Kind::CommitmentChunk, trustee, &self.commitments, context, trust)
    }
}

/// Chunks lie beside a manifest; these have a folder of their own below it.
fn below(manifest: &Path, folder: &str) -> PathBuf {
    manifest.parent().unwrap_or(Path::new("")).join(folder).join("manifest")
}
