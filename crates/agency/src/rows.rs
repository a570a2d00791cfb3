//! The rows of a register, one person each.

use blindtier_policy::RegisterError;
use std::fs::File;
use std::path::Path;
use zeroize::Zeroizing;

/// A register that is read row by row.
pub(crate) struct Rows {
    /// The file, for messages.
    pub name: String,
    /// The columns' names.
    pub header: Vec<String>,
    reader: csv::Reader<File>,
    person: usize,
    row: csv::StringRecord,
}

impl Rows {
    /// Opens a CSV file with a header that has a column `person`.
    pub fn open(file: &Path) -> Result<Self, RegisterError> {
        let name = file.display().to_string();
        let mut reader =
            csv::ReaderBuilder::new().from_path(file).map_err(|e| unreadable(&name, &e))?;
        let header: Vec<String> = reader
            .headers()
            .map_err(|e| unreadable(&name, &e))?
            .iter()
            .map(|cell| cell.trim().to_owned())
            .collect();
        let mut columns = header.iter().enumerate().filter(|(_, column)| *column == "person");
        let Some((person, _)) = columns.next() else {
            let reason = "no column `person`; add it to the header and to every row".to_owned();
            return Err(RegisterError::Unreadable { file: name, reason });
        };
        if columns.next().is_some() {
            return Err(RegisterError::RepeatedColumn { file: name, column: "person".to_owned() });
        }
        drop(columns);
        Ok(Self { name, header, reader, person, row: csv::StringRecord::new() })
    }

    /// Reads the next row and returns its line, counted from 1; `None` after the last.
    pub fn advance(&mut self) -> Result<Option<u64>, RegisterError> {
        if !self.reader.read_record(&mut self.row).map_err(|e| unreadable(&self.name, &e))? {
            return Ok(None);
        }
        let line = self.row.position().map_or(0, csv::Position::line);
        if self.person().is_empty() {
            let file = self.name.clone();
            return Err(RegisterError::Nameless { file, line, column: "person" });
        }
        Ok(Some(line))
    }

    /// Whom the row is about (private).
    pub fn person(&self) -> &str {
        self.cell(self.person).unwrap_or_default().trim()
    }

    /// A cell of the row (private).
    pub fn cell(&self, column: usize) -> Option<&str> {
        self.row.get(column)
    }
}

/// The persons (private) of a register, ascending, each once.
pub(crate) fn persons(file: &Path) -> Result<Zeroizing<Vec<String>>, RegisterError> {
    let mut rows = Rows::open(file)?;
    let mut persons = Zeroizing::new(Vec::new());
    while rows.advance()?.is_some() {
        persons.push(rows.person().to_owned());
    }
    persons.sort_unstable();
    persons.dedup();
    Ok(persons)
}

fn unreadable(name: &str, error: &csv::Error) -> RegisterError {
    RegisterError::Unreadable { file: name.to_owned(), reason: error.to_string() }
}
