//! The three shapes of `--data`: one row a family, one row a person, or a folder with one such file per agency.

use super::binding::{Binding, find_column};
use super::error::{RegisterError, fact_name};
use super::{Facts, join};
use crate::{Fact, Policy};
use csv::{Reader, StringRecord};
use std::fs::File;
use std::path::Path;

/// One family, ready to decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    /// `id` or `family` of the file, or the number of the row, counted from 1.
    pub id: String,
    /// One value per indicator, in the order of the policy.
    pub values: Vec<i64>,
}

/// The families of a data set, in the order of the file. One row a family is streamed in constant memory, so that
/// repeated identifiers go unnoticed there; the other shapes are joined in memory first.
#[derive(Debug)]
pub struct Families<'p>(Source<'p>);

#[derive(Debug)]
enum Source<'p> {
    Rows(Box<Rows<'p>>),
    Joined(std::vec::IntoIter<Family>),
}

/// Opens a CSV file or a folder of them, and yields its families.
///
/// # Errors
/// The file cannot be read, or its header lacks a column; for one row a person and for folders also everything that is
/// wrong with a row.
pub fn read_families<'p>(policy: &'p Policy, path: &Path) -> Result<Families<'p>, RegisterError> {
    if path.is_dir() {
        return Ok(Families(Source::Joined(join::folder(policy, path)?.into_iter())));
    }
    let table = CsvFile::open(path)?;
    if table.is_by_person()? {
        return Ok(Families(Source::Joined(join::single(policy, table)?.into_iter())));
    }
    Ok(Families(Source::Rows(Box::new(Rows::new(policy, table)?))))
}

impl Iterator for Families<'_> {
    type Item = Result<Family, RegisterError>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Source::Rows(rows) => rows.next_family(),
            Source::Joined(families) => families.next().map(Ok),
        }
    }
}

/// An open CSV file with its header.
#[derive(Debug)]
pub(super) struct CsvFile {
    pub name: String,
    pub header: Vec<String>,
    reader: Reader<File>,
    /// Rows read so far.
    pub rows: u64,
}

impl CsvFile {
    pub fn open(path: &Path) -> Result<Self, RegisterError> {
        let name = path.display().to_string();
        let unreadable = |reason: String| RegisterError::Unreadable { file: name.clone(), reason };
        let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
        let mut reader = Reader::from_reader(file);
        let header = reader.headers().map_err(|error| unreadable(error.to_string()))?;
        let header: Vec<String> = header.iter().map(|column| column.trim().to_owned()).collect();
        if header.is_empty() {
            return Err(unreadable(
                "the file is empty; its first line names the columns".to_owned(),
            ));
        }
        Ok(Self { name, header, reader, rows: 0 })
    }

    pub fn column(&self, name: &str) -> Result<Option<usize>, RegisterError> {
        find_column(&self.name, &self.header, name)
    }

    pub fn is_by_person(&self) -> Result<bool, RegisterError> {
        Ok(self.column("family")?.is_some() && self.column("person")?.is_some())
    }

    /// Reads the next row into the buffer and gives its line, or `None` at the end.
    pub fn next_row(&mut self, row: &mut StringRecord) -> Result<Option<u64>, RegisterError> {
        let more = self.reader.read_record(row).map_err(|error| RegisterError::Unreadable {
            file: self.name.clone(),
            reason: error.to_string(),
        })?;
        if !more {
            return Ok(None);
        }
        self.rows = self.rows.saturating_add(1);
        Ok(Some(row.position().map_or(0, csv::Position::line)))
    }

    /// A cell that names someone.
    pub fn name_cell(
        &self,
        row: &StringRecord,
        position: usize,
        column: &'static str,
        line: u64,
    ) -> Result<String, RegisterError> {
        match row.get(position).unwrap_or_default().trim() {
            "" => Err(RegisterError::Nameless { file: self.name.clone(), line, column }),
            text => Ok(text.to_owned()),
        }
    }

    /// A cell that counts persons or adults; an empty one says nothing.
    pub fn fact_cell(
        &self,
        row: &StringRecord,
        position: usize,
        fact: Fact,
        line: u64,
    ) -> Result<Option<u32>, RegisterError> {
        let text = row.get(position).unwrap_or_default().trim();
        if text.is_empty() {
            return Ok(None);
        }
        // Digits only: `u32` would also take a plus sign.
        let number = text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        number.map(Some).ok_or_else(|| RegisterError::Roster {
            file: self.name.clone(),
            line,
            column: fact_name(fact),
            text: text.to_owned(),
            right: "a whole number",
        })
    }
}

/// One row a family, streamed.
#[derive(Debug)]
struct Rows<'p> {
    policy: &'p Policy,
    table: CsvFile,
    binding: Binding<'p>,
    id: Option<usize>,
    persons: Option<usize>,
    adults: Option<usize>,
    row: StringRecord,
    /// Set after an error: rows behind it would be misread.
    ended: bool,
}

impl<'p> Rows<'p> {
    fn new(policy: &'p Policy, table: CsvFile) -> Result<Self, RegisterError> {
        let binding = Binding::new(policy, None, &table.name, &table.header)?;
        let (id, persons, adults) =
            (table.column("id")?, table.column("persons")?, table.column("adults")?);
        check_facts(policy, &table.name, persons.is_some(), adults.is_some())?;
        Ok(Self {
            policy,
            table,
            binding,
            id,
            persons,
            adults,
            row: StringRecord::new(),
            ended: false,
        })
    }

    fn next_family(&mut self) -> Option<Result<Family, RegisterError>> {
        if self.ended {
            return None;
        }
        let family = self.read().transpose();
        self.ended = !matches!(family, Some(Ok(_)));
        family
    }

    fn read(&mut self) -> Result<Option<Family>, RegisterError> {
        let Some(line) = self.table.next_row(&mut self.row)? else { return Ok(None) };
        let id = match self.id {
            Some(position) => self.table.name_cell(&self.row, position, "id", line)?,
            None => self.table.rows.to_string(),
        };
        let fact = |position: Option<usize>, fact| match position {
            Some(position) => self.table.fact_cell(&self.row, position, fact, line),
            None => Ok(None),
        };
        let facts = Facts {
            persons: fact(self.persons, Fact::Persons)?.unwrap_or(0),
            adults: fact(self.adults, Fact::Adults)?.unwrap_or(0),
        };
        let mut accumulator = self.binding.accumulator();
        self.binding.add(&mut accumulator, line, |column| self.row.get(column))?;
        let mut values = self.policy.missing_values();
        place(&mut values, &self.binding, self.binding.finish(&accumulator, facts)?);
        Ok(Some(Family { id, values }))
    }
}

/// Puts the values of the bound indicators at their positions.
pub(super) fn place(values: &mut [i64], binding: &Binding<'_>, found: Vec<i64>) {
    for (position, value) in binding.indicators().zip(found) {
        if let Some(cell) = values.get_mut(position) {
            *cell = value;
        }
    }
}

/// Every fact that some indicator divides by must be known.
pub(super) fn check_facts(
    policy: &Policy,
    file: &str,
    persons: bool,
    adults: bool,
) -> Result<(), RegisterError> {
    for indicator in &policy.indicators {
        let known = match indicator.per {
            None => true,
            Some(Fact::Persons) => persons,
            Some(Fact::Adults) => adults,
        };
        if let (false, Some(fact)) = (known, indicator.per) {
            let (file, indicator, fact) = (file.to_owned(), indicator.id.clone(), fact_name(fact));
            return Err(RegisterError::MissingFact { file, indicator, fact });
        }
    }
    Ok(())
}
