//! A data set taken apart: who is in which family, and each agency's rows. The three shapes are those of
//! [`blindtier_policy::read_families`], which has read the data before and found it sound.

use crate::SimError;
use crate::desk::{Desk, Rows};
use blindtier_policy::Facts;
use csv::StringRecord;
use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

/// The most persons of a family that a population file may hold.
const MAX_PERSONS: u32 = u16::MAX as u32;

/// One family with its rows.
pub(crate) struct Gathered {
    pub id: String,
    pub persons: Vec<Person>,
    stated_persons: Option<u32>,
    stated_adults: Option<u32>,
    /// By desk.
    pub registers: Vec<Register>,
}

pub(crate) struct Person {
    pub id: String,
    pub adult: bool,
}

/// One agency's rows of a family. A row for the whole family belongs to the first person.
#[derive(Default)]
pub(crate) struct Register {
    /// Positions of the persons whom the rows are about.
    pub persons: Vec<usize>,
    pub rows: Rows,
}

#[derive(Default)]
struct Dataset {
    families: Vec<Gathered>,
    positions: HashMap<String, usize>,
    /// Whether any file has rows about persons, and whether one says who is an adult.
    by_person: bool,
    knows_adults: bool,
}

/// The families in the order in which they first appear.
pub(crate) fn load(desks: &[Desk<'_>], data: &Path) -> Result<Vec<Gathered>, SimError> {
    let mut dataset = Dataset::default();
    if data.is_dir() {
        for (number, desk) in desks.iter().enumerate() {
            let path = data.join(format!("{}.csv", desk.id));
            dataset.add(Table::open(path)?, desks, Some(number))?;
        }
    } else {
        dataset.add(Table::open(data.to_owned())?, desks, None)?;
    }
    let Dataset { mut families, by_person, knows_adults, .. } = dataset;
    for family in &mut families {
        if by_person && !knows_adults {
            family.persons.iter_mut().for_each(|person| person.adult = true);
        }
        family.populate(data, by_person)?;
    }
    name_apart(&mut families);
    Ok(families)
}

impl Gathered {
    /// Position of a person; an adult is one that some file calls so.
    fn person(&mut self, id: &str, adult: bool) -> usize {
        let next = self.persons.len();
        let position = self.persons.iter().position(|known| known.id == id).unwrap_or(next);
        match self.persons.get_mut(position) {
            Some(known) => known.adult |= adult,
            None => self.persons.push(Person { id: id.to_owned(), adult }),
        }
        position
    }

    pub fn facts(&self) -> Facts {
        let count = |of: usize| u32::try_from(of).unwrap_or(u32::MAX);
        Facts {
            persons: count(self.persons.len()),
            adults: count(self.persons.iter().filter(|person| person.adult).count()),
        }
    }

    /// Adds persons, and turns them into adults or minors, until their numbers are the stated ones. Where that cannot
    /// be, it is left to whoever compares the values that follow: most policies do not ask.
    fn populate(&mut self, data: &Path, by_person: bool) -> Result<(), SimError> {
        let listed = self.facts();
        let least = listed.persons.max(1);
        let persons = self.stated_persons.or(self.stated_adults).unwrap_or(least).max(least);
        if persons > MAX_PERSONS {
            let (path, family) = (data.to_owned(), self.id.clone());
            return Err(SimError::TooManyPersons { path, family, persons, max: MAX_PERSONS });
        }
        let listed_persons = self.persons.len();
        let mut numbers = 1u32..;
        for _ in listed.persons..persons {
            let taken = |id: &String| {
                self.persons.iter().take(listed_persons).any(|person| person.id == *id)
            };
            let mut ids = numbers.by_ref().map(|number| format!("{}-{number}", self.id));
            if let Some(id) = ids.find(|id| !taken(id)) {
                self.persons.push(Person { id, adult: false });
            }
        }
        // A file about families that does not count adults means a family of adults.
        let everyone = if by_person { listed.adults } else { persons };
        let wanted = self.stated_adults.unwrap_or(everyone);
        let mut adults = listed.adults;
        for person in &mut self.persons {
            if !person.adult && adults < wanted {
                (person.adult, adults) = (true, adults.saturating_add(1));
            }
        }
        for person in self.persons.iter_mut().rev() {
            if person.adult && adults > wanted {
                (person.adult, adults) = (false, adults.saturating_sub(1));
            }
        }
        Ok(())
    }
}

impl Dataset {
    fn family(&mut self, id: &str, desks: usize) -> Option<&mut Gathered> {
        let next = self.families.len();
        let position = *self.positions.entry(id.to_owned()).or_insert(next);
        if position == next {
            let registers = std::iter::repeat_with(Register::default).take(desks).collect();
            self.families.push(Gathered {
                id: id.to_owned(),
                persons: Vec::new(),
                stated_persons: None,
                stated_adults: None,
                registers,
            });
        }
        self.families.get_mut(position)
    }

    /// Takes in a file of one agency, or of all.
    fn add(
        &mut self,
        mut table: Table,
        desks: &[Desk<'_>],
        desk: Option<usize>,
    ) -> Result<(), SimError> {
        let by_person = table.column("family").zip(table.column("person"));
        let adult = table.column("adult");
        let (id, persons, adults) =
            (table.column("id"), table.column("persons"), table.column("adults"));
        // A file with all agencies' columns has blank cells where an agency does not know the family.
        let owners: Vec<(usize, Vec<Option<usize>>)> = desks
            .iter()
            .enumerate()
            .filter(|(number, _)| desk.is_none_or(|desk| desk == *number))
            .map(|(number, desk)| {
                (number, desk.columns.iter().map(|column| table.column(column)).collect())
            })
            .collect();
        self.by_person |= by_person.is_some();
        self.knows_adults |= by_person.is_some() && adult.is_some();

        let mut row = StringRecord::new();
        let mut number = 0u64;
        while table.next(&mut row)? {
            number = number.saturating_add(1);
            let cell = |column: Option<usize>| {
                column.and_then(|column| row.get(column)).unwrap_or_default().trim()
            };
            let (line, name) = (row.position().map_or(0, csv::Position::line), number.to_string());
            let name = match by_person {
                Some((family, _)) => cell(Some(family)),
                None if id.is_some() => cell(id),
                None => &name,
            };
            if by_person.is_none() && desk.is_none() && self.positions.contains_key(name) {
                let (path, family) = (table.path.clone(), name.to_owned());
                return Err(SimError::RepeatedFamily { path, line, family });
            }
            let Some(family) = self.family(name, desks.len()) else { continue };
            let person = match by_person {
                Some((_, person)) => family.person(cell(Some(person)), is_yes(cell(adult))),
                None => {
                    // In a file by itself a blank number of persons is none; beside other files it says nothing.
                    let stated = |column: Option<usize>| {
                        let blank = column.is_some() && desk.is_none();
                        cell(column).parse().ok().or(blank.then_some(0))
                    };
                    family.stated_persons = family.stated_persons.or(stated(persons));
                    family.stated_adults = family.stated_adults.or(stated(adults));
                    0
                }
            };
            for (owner, columns) in &owners {
                let cells: Vec<String> =
                    columns.iter().map(|column| cell(*column).to_owned()).collect();
                let known = desk.is_some() || cells.iter().any(|cell| !cell.is_empty());
                if let (true, Some(register)) = (known, family.registers.get_mut(*owner)) {
                    register.persons.push(person);
                    register.rows.push(cells);
                }
            }
        }
        Ok(())
    }
}

/// Data may number the persons of each family anew; a population may not.
fn name_apart(families: &mut [Gathered]) {
    let mut owners: HashMap<&str, usize> = HashMap::new();
    let people = families.iter().flat_map(|family| &family.persons);
    people.for_each(|person| *owners.entry(&person.id).or_default() += 1);
    if owners.values().all(|count| *count == 1) {
        return;
    }
    for family in families {
        for person in &mut family.persons {
            person.id = format!("{}-{}", family.id, person.id);
        }
    }
}

fn is_yes(text: &str) -> bool {
    ["1", "true", "yes", "y"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// An open CSV file with its header.
struct Table {
    path: PathBuf,
    header: Vec<String>,
    reader: csv::Reader<File>,
}

impl Table {
    fn open(path: PathBuf) -> Result<Self, SimError> {
        let mut reader = csv::Reader::from_path(&path).map_err(SimError::csv(&path))?;
        let header = reader.headers().map_err(SimError::csv(&path))?;
        let header = header.iter().map(|column| column.trim().to_owned()).collect();
        Ok(Self { path, header, reader })
    }

    fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column == name)
    }

    fn next(&mut self, row: &mut StringRecord) -> Result<bool, SimError> {
        self.reader.read_record(row).map_err(SimError::csv(&self.path))
    }
}
