//! Who belongs to which family.
//!
//! A population may be larger than memory, which holds a few bytes a family. Identifiers and letter keys are spooled.

use crate::error::RegistrarError;
use crate::reading::{Families, Read, read};
use crate::rows::{Tags, take};
use crate::spool::Records;
use blindtier_wire::WireError;
use std::path::{Path, PathBuf};
use std::slice::Iter;
use zeroize::{Zeroize, Zeroizing};

/// The population (private). Wiped when dropped; never printed.
///
/// Families have positions from 0, in an order that has nothing to do with that of the file.
pub struct Population {
    families: Families,
    /// How many persons there are.
    persons: u64,
    tags: Tags,
    adults: bool,
    grouping: Option<Grouping>,
    /// Where more is spooled.
    private: PathBuf,
}

/// How many persons (private) a family has.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub persons: u16,
    /// Adults among them; 0 if the file does not say who is one.
    pub adults: u16,
}

/// Which group every family belongs to (private).
pub struct Grouping {
    /// The groups' names, ascending. They become public with the round.
    pub names: Vec<String>,
    /// For every family the position of its group, or [`blindtier_wire::NO_GROUP`].
    pub families: Vec<u8>,
}

impl Population {
    /// Reads a CSV file with a header and one line a person.
    ///
    /// Columns: `person`, `family`, `letter_key` (64 hexadecimal digits, on at least one line of each family)
    /// and, if an indicator needs it, `adult` (yes or no). Other columns are ignored.
    ///
    /// A person belongs to one family: one that stands in two, or twice in one, is refused with both lines named. Where the
    /// persons of a family live does not matter.
    ///
    /// What does not fit into memory is spooled to encrypted files without names on the file system of `private`, the
    /// registrar's own folder, which need not exist yet: about 150 bytes a person. They are gone when this is dropped, or the
    /// process ends, however it does.
    ///
    /// # Errors
    /// The file cannot be read, a line of it is wrong, of which the first is named, or nothing can be spooled.
    pub fn read(file: &Path, private: &Path) -> Result<Self, RegistrarError> {
        Self::read_grouped(file, None, private)
    }

    /// The same; `group`, if there is one, names the column with the group that statistics are published about. An empty
    /// cell says nothing, and two persons of a family cannot say different groups.
    pub fn read_grouped(
        file: &Path,
        group: Option<&str>,
        private: &Path,
    ) -> Result<Self, RegistrarError> {
        let Read { families, tags, adults, grouping } = read(file, group, private)?;
        let persons = families.sizes.iter().map(|size| u64::from(size.persons)).sum();
        let private = private.to_owned();
        Ok(Self { families, persons, tags, adults, grouping, private })
    }

    /// How many families there are.
    pub fn families(&self) -> u32 {
        u32::try_from(self.families.sizes.len()).unwrap_or(u32::MAX)
    }

    /// How many persons there are.
    pub fn persons(&self) -> u64 {
        self.persons
    }

    /// Which group every family belongs to, if a column said so.
    pub fn grouping(&self) -> Option<&Grouping> {
        self.grouping.as_ref()
    }

    /// Whether the file says who is an adult.
    pub fn has_adults(&self) -> bool {
        self.adults
    }

    /// Persons and adults of the family at a position; nobody if there is none.
    pub(crate) fn size(&self, family: u32) -> Size {
        let size = usize::try_from(family).ok().and_then(|f| self.families.sizes.get(f));
        size.copied().unwrap_or(Size { persons: 0, adults: 0 })
    }

    /// The letter keys of the families by position.
    pub(crate) fn letter_keys(&self) -> LetterKeysOf {
        LetterKeysOf(self.families.letter_keys.records())
    }

    /// The persons, family by family.
    pub(crate) fn members(&self) -> Members<'_> {
        let sizes = self.families.sizes.iter();
        Members { persons: self.families.persons.records(), sizes, begun: 0, left: 0 }
    }

    /// What the families' identifiers became, by position; ascending.
    pub(crate) fn tags(&self) -> (&Tags, Records) {
        (&self.tags, self.families.tags.records())
    }

    /// The folder on whose file system is spooled.
    pub(crate) fn private(&self) -> &Path {
        &self.private
    }
}

/// Goes through letter keys.
pub(crate) struct LetterKeysOf(Records);

impl LetterKeysOf {
    /// The key of the next family; `None` after the last.
    pub fn next(&mut self) -> Result<Option<[u8; 32]>, WireError> {
        Ok(self.0.next()?.and_then(|mut key| take(&mut key)))
    }
}

/// Goes through persons.
pub(crate) struct Members<'a> {
    persons: Records,
    sizes: Iter<'a, Size>,
    /// Families that have been begun.
    begun: u32,
    /// Persons of the last one that have not come.
    left: u16,
}

impl Members<'_> {
    /// The next person's identifier (private) and the position of the family; `None` after the last.
    pub fn next(&mut self) -> Result<Option<(Zeroizing<String>, u32)>, WireError> {
        while self.left == 0 {
            let Some(size) = self.sizes.next() else { return Ok(None) };
            self.left = size.persons;
            self.begun += 1;
        }
        self.left -= 1;
        if !self.persons.advance()? {
            return Err(self.persons.damaged());
        }
        let person = std::str::from_utf8(self.persons.current());
        let person = person.map_err(|_| self.persons.damaged())?;
        Ok(Some((Zeroizing::new(person.to_owned()), self.begun - 1)))
    }
}

impl Drop for Population {
    fn drop(&mut self) {
        for size in &mut self.families.sizes {
            *size = Size { persons: 0, adults: 0 };
        }
    }
}

impl Drop for Grouping {
    fn drop(&mut self) {
        self.families.zeroize();
    }
}
