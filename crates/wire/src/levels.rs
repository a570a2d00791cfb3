//! The levels that an agency used, sealed to the families: the ground of a letter's reasons.

use crate::chunk::ChunkReader;
use crate::envelope::{Context, Expect, Message, Received, read};
use crate::error::WireError;
use crate::identity::TrustFile;
use crate::kind::Kind;
use crate::names::{Digest, PartyName};
use crate::round::Round;
use crate::sealing::SEAL_BYTES;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Manifest of an agency's sealed levels; sent to the families. A chunk has for each slot the values of the agency's
/// indicators, eight bytes each, in the order of the policy, sealed to the slot's letter key: the same size for every slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Levels {
    /// The letter keys that the levels are sealed to, as [`crate::LetterKeys::digest`].
    pub letter_keys: Digest,
    /// How many values a slot has.
    pub values: u32,
    /// Hash of each chunk file.
    pub chunks: Vec<Digest>,
}

impl Message for Levels {
    const KIND: Kind = Kind::Levels;
}

impl Levels {
    /// Bytes of one slot.
    pub fn slot_bytes(&self) -> usize {
        (self.values as usize).saturating_mul(8).saturating_add(SEAL_BYTES)
    }

    /// Reads an agency's manifest and checks it against the round.
    pub fn read(
        path: &Path,
        agency: &PartyName,
        round: &Round,
        context: &Context,
        trust: &TrustFile,
    ) -> Result<Received<Self>, WireError> {
        let received = read::<Self>(path, &Expect::of(agency, context), trust)?;
        round
            .check_letter_keys(received.body.letter_keys)
            .map_err(|fault| WireError::refused(path, agency, fault))?;
        Ok(received)
    }

    /// The chunks that the manifest at `path` lists.
    pub fn chunks<'a>(
        &self,
        path: &Path,
        agency: &PartyName,
        round: &Round,
        context: &'a Context,
        trust: &'a TrustFile,
    ) -> Result<ChunkReader<'a>, WireError> {
        round.chunks(path, Kind::LevelChunk, agency, &self.chunks, context, trust)
    }
}
