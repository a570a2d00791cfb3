//! The lines of the population file.

use crate::error::PopulationFault;
use blindtier_wire::{LetterKeys, WireError};
use zeroize::Zeroizing;

/// Names of persons and families (private) as numbers that are only known here, and the same for the same name. That they
/// are the same for two names is as improbable as that two keys are.
pub(crate) struct Tags(Zeroizing<[u8; 32]>);

/// The number of a name.
pub(crate) type Tag = [u8; 16];

impl Tags {
    /// Draws the key of the numbers.
    pub fn draw() -> Result<Self, WireError> {
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(key.as_mut_slice()).map_err(WireError::Random)?;
        Ok(Self(key))
    }

    /// The number of a name (private).
    pub fn of(&self, name: &str) -> Tag {
        let mut tag = [0; 16];
        blake3::Hasher::new_keyed(&self.0).update(name.as_bytes()).finalize_xof().fill(&mut tag);
        tag
    }
}

/// Where something stands in the population file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// Its place among the persons, from 0: with line ends of old, several share a line.
    pub order: u64,
    /// The line, from 1.
    pub line: u64,
}

/// The fault that one who reads from the first line on meets first.
#[derive(Default)]
pub(crate) struct FirstFault(Option<(Place, PopulationFault)>);

impl FirstFault {
    pub fn note(&mut self, place: Place, fault: PopulationFault) {
        let key = |place: Place, fault: &PopulationFault| (place, step(fault));
        if self.0.as_ref().is_none_or(|(known, of)| key(place, &fault) < key(*known, of)) {
            self.0 = Some((place, fault));
        }
    }

    /// Its line and the fault.
    pub fn found(self) -> Option<(u64, PopulationFault)> {
        self.0.map(|(place, fault)| (place.line, fault))
    }
}

/// In which order a line is looked at.
fn step(fault: &PopulationFault) -> u8 {
    match fault {
        PopulationFault::DuplicatePerson { .. } | PopulationFault::TwoFamilies { .. } => 0,
        PopulationFault::TooManyPersons => 1,
        PopulationFault::Empty { .. } | PopulationFault::Adult => 2,
        PopulationFault::TwoGroups => 3,
        PopulationFault::LetterKey => 4,
        _ => 5,
    }
}

/// Which columns mean what.
pub(crate) struct Columns {
    person: usize,
    family: usize,
    letter_key: usize,
    pub adult: Option<usize>,
    group: Option<usize>,
}

/// What a line says.
pub(crate) struct Row<'a> {
    pub person: &'a str,
    pub family: &'a str,
    pub adult: bool,
    /// Empty if it says nothing.
    pub group: &'a str,
    pub letter_key: Option<[u8; 32]>,
    /// The first thing that is wrong with it beyond person and family, which others can be compared with nevertheless.
    pub fault: Option<PopulationFault>,
}

impl Columns {
    pub fn find(header: &csv::StringRecord, group: Option<&str>) -> Result<Self, PopulationFault> {
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

    /// What a line says, unless it does not say who it is about.
    pub fn row<'a>(&self, record: &'a csv::StringRecord) -> Result<Row<'a>, PopulationFault> {
        let cell = |column| record.get(column).unwrap_or_default();
        let filled = |column, name| match cell(column) {
            "" => Err(PopulationFault::Empty { column: name }),
            text => Ok(text),
        };
        let mut row = Row {
            person: filled(self.person, "person")?,
            family: filled(self.family, "family")?,
            adult: false,
            group: self.group.map(cell).unwrap_or_default(),
            letter_key: None,
            fault: None,
        };
        let is_adult = |column| match filled(column, "adult")?.to_ascii_lowercase().as_str() {
            "yes" | "true" | "1" => Ok(true),
            "no" | "false" | "0" => Ok(false),
            _ => Err(PopulationFault::Adult),
        };
        match self.adult.map(is_adult).transpose() {
            Ok(adult) => row.adult = adult.unwrap_or_default(),
            Err(fault) => row.fault = Some(fault),
        }
        match letter_key(cell(self.letter_key)) {
            Ok(key) => row.letter_key = key,
            Err(fault) => {
                row.fault.get_or_insert(fault);
            }
        }
        Ok(row)
    }
}

fn letter_key(text: &str) -> Result<Option<[u8; 32]>, PopulationFault> {
    if text.is_empty() {
        return Ok(None);
    }
    let mut key = [0; 32];
    if hex::decode_to_slice(text, &mut key).is_err() || !LetterKeys::usable(&key) {
        return Err(PopulationFault::LetterKey);
    }
    Ok(Some(key))
}

/// What is sorted to find a person (private) that stands there twice: ascending by person and then by place.
pub(crate) struct Standing {
    pub person: Tag,
    pub place: Place,
    pub family: Tag,
}

impl Standing {
    pub fn write(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(&self.person);
        write_place(self.place, to);
        to.extend_from_slice(&self.family);
    }

    pub fn read(mut record: &[u8]) -> Option<Self> {
        let rest = &mut record;
        Some(Self { person: take(rest)?, place: take_place(rest)?, family: take(rest)? })
    }
}

/// What is sorted to bring families (private) together: ascending by family and then by place.
pub(crate) struct Member<'a> {
    pub family: Tag,
    pub place: Place,
    pub adult: bool,
    pub letter_key: Option<[u8; 32]>,
    pub group: &'a str,
    pub person: &'a str,
}

impl<'a> Member<'a> {
    pub fn write(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(&self.family);
        write_place(self.place, to);
        to.extend_from_slice(&[u8::from(self.adult), u8::from(self.letter_key.is_some())]);
        to.extend_from_slice(self.letter_key.as_ref().map_or(&[], |key| key.as_slice()));
        to.extend_from_slice(&(self.group.len() as u64).to_be_bytes());
        to.extend_from_slice(self.group.as_bytes());
        to.extend_from_slice(self.person.as_bytes());
    }

    pub fn read(mut record: &'a [u8]) -> Option<Self> {
        let rest = &mut record;
        let (family, place) = (take(rest)?, take_place(rest)?);
        let [adult, has_key] = take(rest)?;
        let letter_key = if has_key == 1 { Some(take(rest)?) } else { None };
        let group = usize::try_from(u64::from_be_bytes(take(rest)?)).ok()?;
        let (group, person) = rest.split_at_checked(group)?;
        Some(Self {
            family,
            place,
            adult: adult == 1,
            letter_key,
            group: std::str::from_utf8(group).ok()?,
            person: std::str::from_utf8(person).ok()?,
        })
    }
}

/// What is sorted to find families (private) with one letter key: ascending by key and then by place.
pub(crate) struct KeyOf {
    pub letter_key: [u8; 32],
    pub place: Place,
}

impl KeyOf {
    pub fn write(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(&self.letter_key);
        write_place(self.place, to);
    }

    pub fn read(mut record: &[u8]) -> Option<Self> {
        let rest = &mut record;
        Some(Self { letter_key: take(rest)?, place: take_place(rest)? })
    }
}

fn write_place(place: Place, to: &mut Vec<u8>) {
    to.extend_from_slice(&place.order.to_be_bytes());
    to.extend_from_slice(&place.line.to_be_bytes());
}

fn take_place(rest: &mut &[u8]) -> Option<Place> {
    let (order, line) = (take(rest)?, take(rest)?);
    Some(Place { order: u64::from_be_bytes(order), line: u64::from_be_bytes(line) })
}

/// The first bytes of a record, which are taken off.
pub(crate) fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk()?;
    *rest = tail;
    Some(*head)
}
