//! The levels that agencies sealed to the family.

use crate::{Damaged, FamilyError, LetterKey, Mail};
use blindtier_wire::{Chunk, Context, Levels, PartyName, Purpose, WireError, file_names};
use std::path::{Path, PathBuf};

/// One agency's sealed levels of a chunk.
pub(crate) struct Sealed {
    pub agency: PartyName,
    file: PathBuf,
    values: usize,
    size: usize,
    chunk: Chunk,
}

impl Mail<'_> {
    /// What agencies sealed for a chunk; agencies whose folder is not there are left out. Levels that cannot be read keep
    /// no family from its tier.
    pub(crate) fn levels(&self, number: u32, damaged: &mut Vec<Damaged>) -> Vec<Sealed> {
        let mut found = Vec::new();
        for agency in &self.round.agencies {
            let path = self.folder.join(agency.file_part()).join(file_names::LEVELS);
            if !path.exists() {
                continue;
            }
            match self.levels_of(agency, &path, number) {
                Ok(sealed) => found.push(sealed),
                Err(error) => damaged.push(Damaged {
                    file: error.file().unwrap_or(&path).to_owned(),
                    culprit: agency.clone(),
                    why: error.to_string(),
                }),
            }
        }
        found
    }

    fn levels_of(&self, agency: &PartyName, path: &Path, number: u32) -> Result<Sealed, WireError> {
        let (round, context) = (&self.round, &self.context);
        let manifest = Levels::read(path, agency, round, context, self.trust)?.body;
        let reader = manifest.chunks(path, agency, round, context, self.trust)?;
        Ok(Sealed {
            agency: agency.clone(),
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
        let plain = key.open(Purpose::Levels { slot, from: &self.agency }, context, sealed)?;
        let (values, rest) = plain.as_chunks::<8>();
        let whole = rest.is_empty() && values.len() == self.values;
        whole.then(|| values.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect())
    }

    pub fn complaint(&self, slot: u32) -> FamilyError {
        let (file, culprit) = (self.file.clone(), self.agency.clone());
        FamilyError::Unreadable { file, culprit, slot }
    }
}
