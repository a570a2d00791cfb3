//! A family's device: makes the letter key and reads the letter.
#![forbid(unsafe_code)]

mod error;
mod key;

pub use error::FamilyError;
pub use key::LetterKey;

use blindtier_wire::{Chunk, Received, WireError};
use blindtier_wire::{
    ChunkReader, Context, Digest, LETTER_BYTES, LetterKeys, Letters, PartyName, Round, TrustFile,
};
use std::path::{Path, PathBuf};

/// The public files of a round that a family needs.
pub struct Files<'a> {
    /// The round file.
    pub round: &'a Path,
    /// The registrar's letter keys.
    pub letter_keys: &'a Path,
    /// The trustee's manifest of the letters, beside the letter chunks.
    pub letters: &'a Path,
}

/// The letters of a round, with round, letter keys and manifest checked.
pub struct Mail<'a> {
    round: Round,
    context: Context,
    letter_keys: LetterKeys,
    letter_keys_file: PathBuf,
    manifest: Received<Letters>,
    manifest_file: PathBuf,
    trustee: PartyName,
    trust: &'a TrustFile,
}

/// What a letter says (private to the family; never printed here).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Letter {
    /// The family's slot.
    pub slot: u32,
    /// The tier code: below the policy's limit a tier's position, above it a reserved code.
    pub code: u8,
}

impl<'a> Mail<'a> {
    /// Reads and checks the public files; `policy` is the family's own hash of the policy.
    pub fn open(
        files: &Files<'_>,
        trustee: &PartyName,
        policy: Digest,
        trust: &'a TrustFile,
    ) -> Result<Self, FamilyError> {
        let received = Round::read(files.round, trust, policy)?;
        let (round, context) = (received.body, received.context);
        let letter_keys = LetterKeys::read(files.letter_keys, &round, &context, trust)?;
        let manifest = Letters::read(files.letters, trustee, &round, &context, trust)?;
        Ok(Self {
            round,
            context,
            letter_keys,
            letter_keys_file: files.letter_keys.to_owned(),
            manifest,
            manifest_file: files.letters.to_owned(),
            trustee: trustee.clone(),
            trust,
        })
    }

    /// The letter for one key.
    pub fn read(&self, key: &LetterKey) -> Result<Letter, FamilyError> {
        let slot = self.letter_keys.slot_of(key.public()).ok_or_else(|| self.not_in_round())?;
        let letters = self.chunks()?;
        let number = self.chunk_of(slot);
        let chunk = letters.read(number)?;
        self.open_letter(&letters, number, &chunk, slot, key)
    }

    /// The letters for many keys, in the order of the keys, for simulations that hold every family's device.
    /// Each chunk is read once.
    pub fn read_all(&self, keys: &[LetterKey]) -> Result<Vec<Letter>, FamilyError> {
        let slots = self.letter_keys.by_key();
        let mut order = Vec::with_capacity(keys.len());
        for (position, key) in keys.iter().enumerate() {
            let slot = *slots.get(key.public()).ok_or_else(|| self.not_in_round())?;
            order.push((slot, position, key));
        }
        order.sort_unstable_by_key(|(slot, position, _)| (*slot, *position));

        let letters = self.chunks()?;
        let mut found = Vec::with_capacity(keys.len());
        for group in order.chunk_by(|a, b| self.chunk_of(a.0) == self.chunk_of(b.0)) {
            let Some(number) = group.first().map(|(slot, _, _)| self.chunk_of(*slot)) else {
                continue;
            };
            let chunk = letters.read(number)?;
            for (slot, position, key) in group {
                found.push((*position, self.open_letter(&letters, number, &chunk, *slot, key)?));
            }
        }
        found.sort_unstable_by_key(|(position, _)| *position);
        Ok(found.into_iter().map(|(_, letter)| letter).collect())
    }

    fn chunks(&self) -> Result<ChunkReader<'_>, WireError> {
        self.manifest.body.chunks(
            &self.manifest_file,
            &self.trustee,
            &self.round,
            &self.context,
            self.trust,
        )
    }

    fn chunk_of(&self, slot: u32) -> u32 {
        slot / self.round.chunk.max(1)
    }

    fn not_in_round(&self) -> FamilyError {
        FamilyError::NotInRound { file: self.letter_keys_file.clone() }
    }

    fn open_letter(
        &self,
        letters: &ChunkReader<'_>,
        number: u32,
        chunk: &Chunk,
        slot: u32,
        key: &LetterKey,
    ) -> Result<Letter, FamilyError> {
        let refused = || FamilyError::Unreadable {
            file: letters.path(number),
            culprit: self.trustee.clone(),
            slot,
        };
        if chunk.bytes.len() as u64 != u64::from(chunk.count) * LETTER_BYTES as u64 {
            return Err(refused());
        }
        let (sealed, _) = chunk.bytes.as_chunks::<LETTER_BYTES>();
        let letter = slot
            .checked_sub(chunk.start)
            .and_then(|place| sealed.get(place as usize))
            .ok_or_else(refused)?;
        let code = key.open(&self.context, slot, letter).ok_or_else(refused)?;
        Ok(Letter { slot, code })
    }
}
