//! The levels that submitters sealed to the family.

use crate::{Damaged, FamilyError, LetterKey, Mail};
use blindtier_wire::{Chunk, Context, Levels, PartyName, Purpose, WireError, file_names, storage};
use std::path::{Path, PathBuf};

/// One submitter's sealed levels of a chunk.
pub(crate) struct Sealed {
    pub submitter: PartyName,
    file: PathBuf,
    values: usize,
    size: usize,
    chunk: Chunk,
}

impl Mail<'_> {
    /// What submitters sealed for a chunk; those whose folder is not there are left out, and so are the excluded, whose levels
    /// the tier does not come from. Levels that cannot be read keep no family from its tier.
    pub(crate) fn levels(&self, number: u32, damaged: &mut Vec<Damaged>) -> Vec<Sealed> {
        let mut found = Vec::new();
        let counts =
            |submitter: &&PartyName| !self.ledger.exclusions().any(|(name, _)| name == *submitter);
        for submitter in self.round.submitters.iter().filter(counts) {
            let path = self.folder.join(submitter.file_part()).join(file_names::LEVELS);
            let read = match storage::exists(&path) {
                Ok(false) => continue,
                Ok(true) => self.levels_of(submitter, &path, number),
                Err(error) => Err(error),
            };
            match read {
                Ok(sealed) => found.push(sealed),
                Err(error) => damaged.push(Damaged {
                    file: error.file().unwrap_or(&path).to_owned(),
                    culprit: submitter.clone(),
                    why: error.to_string(),
                }),
            }
        }
        found
    }

    fn levels_of(
        &self,
        submitter: &PartyName,
        path: &Path,
        number: u32,
    ) -> Result<Sealed, WireError> {
        let (round, context) = (&self.round, &self.context);
        let manifest = Levels::read(path, submitter, round, context, self.trust)?.body;
        let reader = manifest.chunks(path, submitter, round, context, self.trust)?;
        Ok(Sealed {
            submitter: submitter.clone(),
            file: reader.path(number),
            values: manifest.values as usize,
            size: manifest.slot_bytes(),
            chunk: reader.read(number)?,
        })
    }
}

impl Sealed {
    /// The values (private) of a slot.
    pub fn open(&self, context: &Context, slot: u32, key: &LetterKey) -> Option<Vec<i64>> {
        if self.chunk.bytes.len() as u64 != u64::from(self.chunk.count) * self.size as u64 {
            return None;
        }
        let place = slot.checked_sub(self.chunk.start)? as usize;
        let sealed = self.chunk.bytes.chunks(self.size).nth(place)?;
        let plain = key.open(Purpose::Levels { slot, from: &self.submitter }, context, sealed)?;
        let (values, rest) = plain.as_chunks::<8>();
        let whole = rest.is_empty() && values.len() == self.values;
        whole.then(|| values.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect())
    }

    pub fn complaint(&self, slot: u32) -> FamilyError {
        let (file, culprit) = (self.file.clone(), self.submitter.clone());
        FamilyError::Unreadable { file, culprit, slot }
    }
}
