//! Rows of a register, whatever kind of file it is.

use super::parquet::ParquetRows;
use crate::SimulateError;
use blindtier_policy::RegisterError;
use csv::{Reader, StringRecord};
use std::fs::File;
use std::path::Path;

/// An open file and its current row.
pub(crate) struct Source {
    /// The file, for messages.
    pub name: String,
    /// Its columns.
    pub header: Vec<String>,
    rows: Rows,
    /// Rows read so far.
    pub count: u64,
}

enum Rows {
    Csv { reader: Reader<File>, row: StringRecord },
    Parquet(ParquetRows),
}

impl Source {
    /// Opens a file; its ending says what it is.
    pub fn open(path: &Path) -> Result<Self, SimulateError> {
        let name = path.display().to_string();
        let unreadable = |reason: String| RegisterError::Unreadable { file: name.clone(), reason };
        let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
        if path.extension().is_some_and(|ending| ending == "parquet") {
            let (rows, header) = ParquetRows::open(file, &name)?;
            return Ok(Self { name, header, rows: Rows::Parquet(rows), count: 0 });
        }
        let mut reader = csv::ReaderBuilder::new().buffer_capacity(1 << 18).from_reader(file);
        let header = reader.headers().map_err(|error| unreadable(error.to_string()))?;
        let header: Vec<String> = header.iter().map(|column| column.trim().to_owned()).collect();
        if header.is_empty() {
            return Err(unreadable(
                "the file is empty; its first line names the columns".to_owned(),
            )
            .into());
        }
        let rows = Rows::Csv { reader, row: StringRecord::new() };
        Ok(Self { name, header, rows, count: 0 })
    }

    /// Position of a column.
    pub fn column(&self, name: &str) -> Result<Option<usize>, RegisterError> {
        let mut found =
            self.header.iter().enumerate().filter(|(_, column)| *column == name).map(|(i, _)| i);
        let first = found.next();
        if found.next().is_some() {
            return Err(RegisterError::RepeatedColumn {
                file: self.name.clone(),
                column: name.to_owned(),
            });
        }
        Ok(first)
    }

    /// Goes to the next row; false at the end.
    pub fn advance(&mut self) -> Result<bool, SimulateError> {
        let more = match &mut self.rows {
            Rows::Csv { reader, row } => reader.read_record(row).map_err(|error| {
                let (file, reason) = (self.name.clone(), error.to_string());
                RegisterError::Unreadable { file, reason }
            })?,
            Rows::Parquet(rows) => rows.advance(&self.name)?,
        };
        self.count = self.count.saturating_add(u64::from(more));
        Ok(more)
    }

    /// Line of the current row, counted from 1; of Parquet the number of the row.
    pub fn line(&self) -> u64 {
        match &self.rows {
            Rows::Csv { row, .. } => row.position().map_or(0, csv::Position::line),
            Rows::Parquet(_) => self.count,
        }
    }

    /// A cell of the current row without blanks around it; what is not there is empty.
    pub fn cell(&self, column: usize) -> &str {
        match &self.rows {
            Rows::Csv { row, .. } => row.get(column).unwrap_or_default().trim(),
            Rows::Parquet(rows) => rows.cell(column).trim(),
        }
    }

    /// A cell that names someone.
    pub fn name_cell(&self, position: usize, column: &'static str) -> Result<&str, RegisterError> {
        match self.cell(position) {
            "" => {
                Err(RegisterError::Nameless { file: self.name.clone(), line: self.line(), column })
            }
            text => Ok(text),
        }
    }
}

/// Whether a text is one of the usual words for yes or no, as in the registers.
pub(crate) fn yes_or_no(text: &str) -> Option<bool> {
    let is = |words: [&str; 4]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(["1", "true", "yes", "y"]) {
        Some(true)
    } else if is(["0", "false", "no", "n"]) {
        Some(false)
    } else {
        None
    }
}
