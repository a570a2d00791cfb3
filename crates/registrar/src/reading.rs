//! The population file → families: read once, and sorted by person, to find those that stand there twice, and by family, to
//! bring families together.

use crate::error::{PopulationFault, RegistrarError};
use crate::population::{Grouping, Size};
use crate::rows::{Columns, FirstFault, KeyOf, Member, Place, Row, Standing, Tag, Tags};
use crate::sorter::{Runs, Sorter};
use crate::spool::{Spool, SpoolWriter};
use blindtier_wire::{MAX_GROUPS, NO_GROUP, WireError};
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::path::Path;
use zeroize::Zeroizing;

/// What the file says (private).
pub(crate) struct Read {
    pub families: Families,
    pub tags: Tags,
    /// Whether the file says who is an adult.
    pub adults: bool,
    pub grouping: Option<Grouping>,
}

/// Families (private), each at its position.
pub(crate) struct Families {
    pub sizes: Vec<Size>,
    /// The persons' identifiers, family by family.
    pub persons: Spool,
    /// 32 bytes a family.
    pub letter_keys: Spool,
    /// What the families' identifiers became, ascending.
    pub tags: Spool,
}

/// Reads the file, and spools on the file system of a private folder.
pub(crate) fn read(
    file: &Path,
    group: Option<&str>,
    private: &Path,
) -> Result<Read, RegistrarError> {
    let csv_error = |source| RegistrarError::Csv { file: file.to_owned(), source };
    let wrong = |line, fault| RegistrarError::Population { file: file.to_owned(), line, fault };
    let refuse = |fault: FirstFault| match fault.found() {
        Some((line, fault)) => Err(wrong(line, fault)),
        None => Ok(()),
    };
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(file).map_err(csv_error)?;
    let columns = Columns::find(reader.headers().map_err(csv_error)?, group)
        .map_err(|fault| wrong(1, fault))?;

    let tags = Tags::draw()?;
    let mut fault = FirstFault::default();
    let mut lines = Lines::new(private);
    let unreadable = lines.read(&mut reader, &columns, &tags, &mut fault)?;
    let Sorting { standings, members } = lines.finish()?;
    note_persons_twice(&standings, &mut fault)?;
    drop(standings);
    let groups = group.is_some().then(Groups::default);
    let mut assembly = Assembly::new(&tags, fault, groups, private);
    let mut sorted = members.sorted()?;
    while let Some(record) = sorted.next()? {
        assembly.member(&Member::read(record).ok_or_else(|| members.damaged())?)?;
    }
    assembly.close()?;
    let Assembly { sizes, persons, letter_keys, family_tags, by_key, groups, .. } = assembly;
    let (fault, mut letter_fault) = (assembly.fault, assembly.letter_fault);

    refuse(fault)?;
    if let Some(source) = unreadable {
        return Err(csv_error(source));
    }
    if sizes.is_empty() {
        return Err(wrong(1, PopulationFault::NoFamily));
    }
    if u32::try_from(sizes.len()).is_err() {
        return Err(RegistrarError::TooManyFamilies { families: sizes.len() });
    }
    let grouping = groups.map(Groups::finish).transpose().map_err(|fault| wrong(1, fault))?;
    note_shared_keys(&by_key.finish()?, &mut letter_fault)?;
    refuse(letter_fault)?;
    let families = Families {
        sizes,
        persons: persons.finish()?,
        letter_keys: letter_keys.finish()?,
        tags: family_tags.finish()?,
    };
    Ok(Read { families, tags, adults: columns.adult.is_some(), grouping })
}

/// Takes lines to sort them.
struct Lines {
    standings: Sorter,
    members: Sorter,
    record: Zeroizing<Vec<u8>>,
}

/// The lines, by person and by family.
struct Sorting {
    standings: Runs,
    members: Runs,
}

/// Bytes that are enough for a usual record.
const RECORD: usize = 1 << 12;

impl Lines {
    fn new(private: &Path) -> Self {
        Self {
            standings: Sorter::new(private),
            members: Sorter::new(private),
            record: Zeroizing::new(Vec::with_capacity(RECORD)),
        }
    }

    /// Takes lines up to the first that shows a fault by itself. An earlier one may contradict one before it, which is seen
    /// when they are sorted. Why the rest is no CSV comes back, if it is none.
    fn read(
        &mut self,
        reader: &mut csv::Reader<File>,
        columns: &Columns,
        tags: &Tags,
        fault: &mut FirstFault,
    ) -> Result<Option<csv::Error>, WireError> {
        let mut record = csv::StringRecord::new();
        for order in 0.. {
            match reader.read_record(&mut record) {
                Ok(true) => {}
                Ok(false) => break,
                Err(source) => return Ok(Some(source)),
            }
            let place = Place { order, line: record.position().map_or(0, csv::Position::line) };
            let found = match columns.row(&record) {
                Ok(row) => {
                    self.push(&row, place, tags)?;
                    row.fault
                }
                Err(found) => Some(found),
            };
            if let Some(found) = found {
                fault.note(place, found);
                break;
            }
        }
        Ok(None)
    }

    fn push(&mut self, row: &Row<'_>, place: Place, tags: &Tags) -> Result<(), WireError> {
        let (person, family) = (tags.of(row.person), tags.of(row.family));
        self.record.clear();
        Standing { person, place, family }.write(&mut self.record);
        self.standings.push(&self.record)?;
        let &Row { adult, letter_key, group, person, .. } = row;
        self.record.clear();
        Member { family, place, adult, letter_key, group, person }.write(&mut self.record);
        self.members.push(&self.record)
    }

    fn finish(self) -> Result<Sorting, WireError> {
        Ok(Sorting { standings: self.standings.finish()?, members: self.members.finish()? })
    }
}

/// A person may stand in one line.
fn note_persons_twice(standings: &Runs, fault: &mut FirstFault) -> Result<(), WireError> {
    let mut sorted = standings.sorted()?;
    let mut first: Option<Standing> = None;
    while let Some(record) = sorted.next()? {
        let standing = Standing::read(record).ok_or_else(|| standings.damaged())?;
        match &first {
            Some(known) if known.person == standing.person => {
                let first = known.place.line;
                let found = if known.family == standing.family {
                    PopulationFault::DuplicatePerson { first }
                } else {
                    PopulationFault::TwoFamilies { first }
                };
                fault.note(standing.place, found);
            }
            _ => first = Some(standing),
        }
    }
    Ok(())
}

/// A letter key is one family's. Families are named by their first line.
fn note_shared_keys(keys: &Runs, fault: &mut FirstFault) -> Result<(), WireError> {
    let mut sorted = keys.sorted()?;
    let mut before = None;
    while let Some(record) = sorted.next()? {
        let KeyOf { letter_key, place } = KeyOf::read(record).ok_or_else(|| keys.damaged())?;
        if before.replace(letter_key) == Some(letter_key) {
            fault.note(place, PopulationFault::SharedLetterKey);
        }
    }
    Ok(())
}

/// Puts families together from their members, which come family by family.
struct Assembly<'a> {
    /// The family whose members are coming.
    draft: Option<Draft>,
    sizes: Vec<Size>,
    persons: SpoolWriter,
    letter_keys: SpoolWriter,
    family_tags: SpoolWriter,
    by_key: Sorter,
    groups: Option<Groups>,
    tags: &'a Tags,
    fault: FirstFault,
    /// What is only looked at when no line contradicts another.
    letter_fault: FirstFault,
    record: Vec<u8>,
}

struct Draft {
    tag: Tag,
    /// Of its first line.
    place: Place,
    size: Size,
    letter_key: Option<[u8; 32]>,
    group: String,
}

impl<'a> Assembly<'a> {
    fn new(tags: &'a Tags, fault: FirstFault, groups: Option<Groups>, private: &Path) -> Self {
        Self {
            draft: None,
            sizes: Vec::new(),
            persons: SpoolWriter::new(private),
            letter_keys: SpoolWriter::new(private),
            family_tags: SpoolWriter::new(private),
            by_key: Sorter::new(private),
            groups,
            tags,
            fault,
            letter_fault: FirstFault::default(),
            record: Vec::with_capacity(RECORD),
        }
    }

    fn member(&mut self, member: &Member<'_>) -> Result<(), WireError> {
        if self.draft.as_ref().is_none_or(|draft| draft.tag != member.family) {
            self.close()?;
        }
        let draft = self.draft.get_or_insert_with(|| Draft {
            tag: member.family,
            place: member.place,
            size: Size { persons: 0, adults: 0 },
            letter_key: None,
            group: String::new(),
        });
        if let Err(fault) = draft.add(member) {
            self.fault.note(member.place, fault);
        }
        self.persons.push(member.person.as_bytes())
    }

    /// Ends the family whose members came.
    fn close(&mut self) -> Result<(), WireError> {
        let Some(draft) = self.draft.take() else { return Ok(()) };
        self.sizes.push(draft.size);
        self.family_tags.push(&draft.tag)?;
        if let Some(groups) = &mut self.groups {
            groups.add(&draft.group, self.tags);
        }
        match draft.letter_key {
            Some(letter_key) => {
                self.letter_keys.push(&letter_key)?;
                self.record.clear();
                KeyOf { letter_key, place: draft.place }.write(&mut self.record);
                self.by_key.push(&self.record)
            }
            None => {
                self.letter_fault.note(draft.place, PopulationFault::NoLetterKey);
                Ok(())
            }
        }
    }
}

impl Draft {
    fn add(&mut self, member: &Member<'_>) -> Result<(), PopulationFault> {
        let persons = self.size.persons.checked_add(1);
        self.size.persons = persons.ok_or(PopulationFault::TooManyPersons)?;
        self.size.adults += u16::from(member.adult);
        if !member.group.is_empty() && self.group.is_empty() {
            member.group.clone_into(&mut self.group);
        } else if !member.group.is_empty() && self.group != member.group {
            return Err(PopulationFault::TwoGroups);
        }
        if let Some(key) = member.letter_key {
            if self.letter_key.is_some_and(|known| known != key) {
                return Err(PopulationFault::TwoLetterKeys);
            }
            self.letter_key = Some(key);
        }
        Ok(())
    }
}

/// The groups of the families that have come.
#[derive(Default)]
struct Groups {
    /// By name, in the order in which they came.
    numbers: HashMap<String, u8>,
    /// The group of every family.
    families: Zeroizing<Vec<u8>>,
    /// Those that are too many.
    others: HashSet<Tag>,
}

impl Groups {
    /// Takes the next family's; no name is no group.
    fn add(&mut self, name: &str, tags: &Tags) {
        let next = u8::try_from(self.numbers.len()).ok();
        let group = match (self.numbers.get(name), next) {
            _ if name.is_empty() => NO_GROUP,
            (Some(number), _) => *number,
            (None, Some(next)) if self.numbers.len() < MAX_GROUPS => {
                self.numbers.insert(name.to_owned(), next);
                next
            }
            (None, _) => {
                self.others.insert(tags.of(name));
                NO_GROUP
            }
        };
        self.families.push(group);
    }

    /// The groups by name, ascending.
    fn finish(self) -> Result<Grouping, PopulationFault> {
        let found = self.numbers.len() + self.others.len();
        if found == 0 || found > MAX_GROUPS {
            return Err(PopulationFault::Groups { found });
        }
        let mut named: Vec<(String, u8)> = self.numbers.into_iter().collect();
        named.sort_unstable();
        let position = |group: &u8| {
            let place = named.iter().position(|(_, number)| number == group);
            place.and_then(|place| u8::try_from(place).ok()).unwrap_or(NO_GROUP)
        };
        let families = self.families.iter().map(position).collect();
        Ok(Grouping { families, names: named.into_iter().map(|(name, _)| name).collect() })
    }
}
