//! Who belongs to which family.

use crate::error::{OptOutFault, PopulationFault, RegistrarError};
use blindtier_wire::{LetterKeys, MAX_GROUPS, NO_GROUP, storage};
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::HashSet;
use std::collections::hash_map::Entry;
use std::path::Path;
use zeroize::{Zeroize, Zeroizing};

/// One family (private).
pub struct Family {
    /// Persons in it.
    pub persons: u16,
    /// Adults among them; 0 if the file does not say who is one.
    pub adults: u16,
    /// Where its letter is sealed to.
    pub letter_key: [u8; 32],
}

/// The population (private). Wiped when dropped; never printed.
pub struct Population {
    /// Person identifier and position of the family.
    pub persons: Vec<(String, u32)>,
    /// The families, in the order in which the file first names them.
    pub families: Vec<Family>,
    /// Family identifier to position.
    positions: HashMap<String, u32>,
    adults: bool,
    grouping: Option<Grouping>,
}

/// Which group every family belongs to (private).
pub struct Grouping {
    /// The groups' names, ascending. They become public with the round.
    pub names: Vec<String>,
    /// For every family the position of its group, or [`NO_GROUP`].
    pub families: Vec<u8>,
}

/// The families that said no (private), from [`Population::opt_outs`]. Wiped when dropped.
pub struct OptOutList {
    /// Of every family of the population.
    said_no: Vec<bool>,
}

impl OptOutList {
    /// Whether the family at this position of the population said no.
    pub(crate) fn said_no(&self, family: u32) -> bool {
        usize::try_from(family).ok().and_then(|f| self.said_no.get(f)).is_some_and(|no| *no)
    }
}

impl Drop for OptOutList {
    fn drop(&mut self) {
        self.said_no.zeroize();
    }
}

/// The largest opt-out list, in bytes.
const MAX_OPT_OUTS: u64 = 1 << 30;

struct Draft {
    line: u64,
    persons: u16,
    adults: u16,
    letter_key: Option<[u8; 32]>,
    group: String,
}

struct Columns {
    person: usize,
    family: usize,
    letter_key: usize,
    adult: Option<usize>,
    group: Option<usize>,
}

impl Population {
    /// Reads a CSV file with a header and one line a person.
    ///
    /// Columns: `person`, `family`, `letter_key` (64 hexadecimal digits, on at least one line of each family)
    /// and, if an indicator needs it, `adult` (yes or no). Other columns are ignored.
    ///
    /// A person belongs to one family: one that stands in two, or twice in one, is refused with both lines named. Where the
    /// persons of a family live does not matter.
    pub fn read(file: &Path) -> Result<Self, RegistrarError> {
        Self::read_grouped(file, None)
    }

    /// The same; `group`, if there is one, names the column with the group that statistics are published about. An empty
    /// cell says nothing, and two persons of a family cannot say different groups.
    pub fn read_grouped(file: &Path, group: Option<&str>) -> Result<Self, RegistrarError> {
        let csv_error = |source| RegistrarError::Csv { file: file.to_owned(), source };
        let wrong = |line, fault| RegistrarError::Population { file: file.to_owned(), line, fault };
        let mut reader =
            csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(file).map_err(csv_error)?;
        let columns = Columns::find(reader.headers().map_err(csv_error)?, group)
            .map_err(|fault| wrong(1, fault))?;

        let mut positions: HashMap<String, u32> = HashMap::new();
        let mut seen: HashMap<String, (u32, u64)> = HashMap::new();
        let mut drafts: Vec<Draft> = Vec::new();
        let mut record = csv::StringRecord::new();
        while reader.read_record(&mut record).map_err(csv_error)? {
            let line = record.position().map_or(0, csv::Position::line);
            columns
                .take(&record, line, &mut positions, &mut seen, &mut drafts)
                .map_err(|fault| wrong(line, fault))?;
        }
        drop(record);

        if drafts.is_empty() {
            return Err(wrong(1, PopulationFault::NoFamily));
        }
        let mut keys = HashSet::with_capacity(drafts.len());
        let grouping = match group {
            Some(_) => Some(Grouping::new(&drafts).map_err(|fault| wrong(1, fault))?),
            None => None,
        };
        let mut families = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let letter_key =
                draft.letter_key.ok_or_else(|| wrong(draft.line, PopulationFault::NoLetterKey))?;
            if !keys.insert(letter_key) {
                return Err(wrong(draft.line, PopulationFault::SharedLetterKey));
            }
            families.push(Family { persons: draft.persons, adults: draft.adults, letter_key });
        }
        let persons = seen.into_iter().map(|(person, (family, _))| (person, family)).collect();
        Ok(Self { persons, families, positions, adults: columns.adult.is_some(), grouping })
    }

    /// Which group every family belongs to, if a column said so.
    pub fn grouping(&self) -> Option<&Grouping> {
        self.grouping.as_ref()
    }

    /// Reads which families said no: a text file with one family identifier a line, as in the population's column
    /// `family`. Empty lines say nothing, and saying no twice is saying no.
    pub fn opt_outs(&self, file: &Path) -> Result<OptOutList, RegistrarError> {
        let wrong = |line, fault| RegistrarError::OptOutList { file: file.to_owned(), line, fault };
        let bytes = storage::read_own(file, MAX_OPT_OUTS)?
            .map(Zeroizing::new)
            .ok_or_else(|| wrong(1, OptOutFault::Missing))?;
        let text = std::str::from_utf8(&bytes).map_err(|_| wrong(1, OptOutFault::Text))?;
        let mut said_no = vec![false; self.families.len()];
        for (line, family) in (1..).zip(text.lines().map(str::trim)) {
            if family.is_empty() {
                continue;
            }
            let position = self.positions.get(family).and_then(|p| usize::try_from(*p).ok());
            match position.and_then(|position| said_no.get_mut(position)) {
                Some(place) => *place = true,
                None => return Err(wrong(line, OptOutFault::NoSuchFamily)),
            }
        }
        Ok(OptOutList { said_no })
    }

    /// Whether the file says who is an adult.
    pub fn has_adults(&self) -> bool {
        self.adults
    }
}

impl Drop for Population {
    fn drop(&mut self) {
        for (person, _) in &mut self.persons {
            person.zeroize();
        }
        for (mut family, _) in self.positions.drain() {
            family.zeroize();
        }
    }
}

impl Grouping {
    fn new(drafts: &[Draft]) -> Result<Self, PopulationFault> {
        let named = drafts.iter().map(|draft| draft.group.as_str());
        let names: BTreeSet<&str> = named.filter(|name| !name.is_empty()).collect();
        if names.is_empty() || names.len() > MAX_GROUPS {
            return Err(PopulationFault::Groups { found: names.len() });
        }
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let position = |draft: &Draft| {
            let place = names.binary_search(&draft.group).ok();
            place.and_then(|place| u8::try_from(place).ok()).unwrap_or(NO_GROUP)
        };
        let families = drafts.iter().map(position).collect();
        Ok(Self { names, families })
    }
}

impl Drop for Grouping {
    fn drop(&mut self) {
        self.families.zeroize();
    }
}

impl Columns {
    fn find(header: &csv::StringRecord, group: Option<&str>) -> Result<Self, PopulationFault> {
        let position = |column: &'static str| header.iter().position(|name| name == column);
        let needed = |column| position(column).ok_or(PopulationFault::MissingColumn { column });
        Ok(Self {
            person: needed("person")?,
            family: needed("family")?,
            letter_key: needed("letter_key")?,
            adult: position("adult"),
            group: group
                .map(|column| {
                    let place = header.iter().position(|name| name == column);
                    place
                        .ok_or_else(|| PopulationFault::NoGroupColumn { column: column.to_owned() })
                })
                .transpose()?,
        })
    }

    fn take(
        &self,
        record: &csv::StringRecord,
        line: u64,
        positions: &mut HashMap<String, u32>,
        seen: &mut HashMap<String, (u32, u64)>,
        drafts: &mut Vec<Draft>,
    ) -> Result<(), PopulationFault> {
        let cell = |column| record.get(column).unwrap_or_default();
        let filled = |column, name| match cell(column) {
            "" => Err(PopulationFault::Empty { column: name }),
            text => Ok(text),
        };
        let person = filled(self.person, "person")?;
        let family = filled(self.family, "family")?;

        let next = u32::try_from(drafts.len()).unwrap_or(u32::MAX);
        let position = match positions.get(family) {
            Some(&position) => position,
            None => {
                positions.insert(family.to_owned(), next);
                let group = String::new();
                drafts.push(Draft { line, persons: 0, adults: 0, letter_key: None, group });
                next
            }
        };
        match seen.entry(person.to_owned()) {
            Entry::Vacant(place) => {
                place.insert((position, line));
            }
            Entry::Occupied(place) => {
                let (other, first) = *place.get();
                return Err(if other == position {
                    PopulationFault::DuplicatePerson { first }
                } else {
                    PopulationFault::TwoFamilies { first }
                });
            }
        }

        let Some(draft) = drafts.get_mut(position as usize) else {
            return Ok(());
        };
        draft.persons = draft.persons.checked_add(1).ok_or(PopulationFault::TooManyPersons)?;
        if let Some(column) = self.adult {
            match filled(column, "adult")?.to_ascii_lowercase().as_str() {
                "yes" | "true" | "1" => draft.adults += 1,
                "no" | "false" | "0" => {}
                _ => return Err(PopulationFault::Adult),
            }
        }
        let group = self.group.map(cell).unwrap_or_default();
        if !group.is_empty() && draft.group.is_empty() {
            group.clone_into(&mut draft.group);
        } else if !group.is_empty() && draft.group != group {
            return Err(PopulationFault::TwoGroups);
        }
        let text = cell(self.letter_key);
        if !text.is_empty() {
            let mut key = [0; 32];
            if hex::decode_to_slice(text, &mut key).is_err() || !LetterKeys::usable(&key) {
                return Err(PopulationFault::LetterKey);
            }
            if draft.letter_key.is_some_and(|known| known != key) {
                return Err(PopulationFault::TwoLetterKeys);
            }
            draft.letter_key = Some(key);
        }
        Ok(())
    }
}
