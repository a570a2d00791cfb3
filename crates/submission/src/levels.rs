//! Sealing to every family the values that the submitter used: what a letter's reasons are computed from.

use crate::{Invitation, SubmissionError};
use blindtier_wire::{
    ChunkWriter, Digest, Fault, Kind, LetterKeyFile, Levels, PartyName, Purpose, SigningIdentity,
    TrustFile, WireError, check_randomness, file_names, seal, storage, write,
};
use rayon::prelude::*;
use std::path::Path;
use zeroize::Zeroizing;

impl Invitation {
    /// Seals the submitter's values (private) to each slot's letter key, into `output`, for the families.
    ///
    /// `values` gives a slot's values, `count` of them: of an agency those of its indicators, in the order of the policy; of
    /// the registrar 1 for a family that said no, else 0. Every slot gets the same size, whatever is known of it. Returns the
    /// hash of the manifest; levels that are finished are not sealed again.
    pub fn seal_levels<E: std::error::Error + Send + Sync + 'static>(
        &self,
        letter_keys: &Path,
        count: usize,
        mut values: impl FnMut(u32) -> Result<Vec<i64>, E>,
        output: &Path,
        identity: &SigningIdentity,
        trust: &TrustFile,
    ) -> Result<Digest, SubmissionError> {
        let (round, context) = (&self.round, &self.context);
        let manifest = output.join(file_names::LEVELS);
        if storage::exists(&manifest)? {
            return Ok(Levels::read(&manifest, identity.name(), round, context, trust)?.digest);
        }
        let keys_of_slots = LetterKeyFile::open(letter_keys, round, context, trust)?;
        let chunking = round
            .chunking()
            .map_err(|fault| WireError::refused(&manifest, &PartyName::registrar(), fault))?;
        check_randomness()?;
        let mut writer = ChunkWriter::new(output, Kind::LevelChunk, context, identity, chunking)?;
        while let Some((chunk, start, slots)) = writer.next_chunk() {
            let own = (start..start + slots)
                .map(|slot| values(slot).map(Zeroizing::new))
                .collect::<Result<Vec<_>, E>>()
                .map_err(|e| SubmissionError::Source { chunk, source: Box::new(e) })?;
            if own.iter().any(|values| values.len() != count) {
                return Err(SubmissionError::Shape { chunk, columns: count, slots });
            }
            let slots = start..start + slots;
            let keys = keys_of_slots.keys(slots.clone())?;
            let sealed = slots
                .into_par_iter()
                .zip(&keys)
                .zip(&own)
                .map(|((slot, key), values)| {
                    let mut plain = Zeroizing::new(Vec::with_capacity(8 * count));
                    values.iter().for_each(|value| plain.extend_from_slice(&value.to_le_bytes()));
                    let purpose = Purpose::Levels { slot, from: identity.name() };
                    seal(key, purpose, context, &plain).ok_or_else(|| {
                        let detail = "nothing can be sealed to a letter key";
                        let fault = Fault::Content { detail };
                        WireError::refused(letter_keys, &PartyName::registrar(), fault)
                    })
                })
                .collect::<Result<Vec<Vec<u8>>, WireError>>()?
                .concat();
            writer.push(sealed, 0)?;
        }
        let values = u32::try_from(count).unwrap_or(u32::MAX);
        let body = Levels { letter_keys: round.letter_keys, values, chunks: writer.finish()? };
        Ok(write(&manifest, &body, context, identity)?)
    }
}
