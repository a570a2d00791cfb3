//! Rows of a flat Parquet file, as texts.

use crate::SimulateError;
use blindtier_policy::Decimal;
use parquet::basic::ConvertedType;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Rows that are turned into texts at once.
const BATCH: usize = 4096;

/// A Parquet file that is read row by row.
pub(super) struct ParquetRows {
    file: SerializedFileReader<File>,
    /// The row group that comes next.
    next_group: usize,
    columns: Vec<Column>,
    /// Rows of the batch.
    filled: usize,
    /// The current row, within the batch.
    row: usize,
}

/// One column of the current row group and batch.
struct Column {
    name: String,
    /// Digits after the point, for decimals that are stored as integers.
    scale: u32,
    /// A value is there where its definition level is this one.
    present: i16,
    reader: Option<ColumnReader>,
    text: String,
    /// Where the text of each row ends.
    ends: Vec<usize>,
}

impl ParquetRows {
    /// Reads the schema; gives the columns' names too.
    pub fn open(file: File, name: &str) -> Result<(Self, Vec<String>), SimulateError> {
        guarded(name, || Self::read_schema(file, name))
    }

    fn read_schema(file: File, name: &str) -> Result<(Self, Vec<String>), SimulateError> {
        let file = SerializedFileReader::new(file).map_err(wrong(name))?;
        let mut columns = Vec::new();
        for column in file.metadata().file_metadata().schema_descr().columns() {
            if column.max_rep_level() > 0 || column.path().parts().len() != 1 {
                let reason = format!("column `{}` is a list or a group", column.path().string());
                return Err(SimulateError::Parquet { file: name.to_owned(), reason });
            }
            let decimal = column.converted_type() == ConvertedType::DECIMAL;
            columns.push(Column {
                name: column.name().to_owned(),
                scale: if decimal { u32::try_from(column.type_scale()).unwrap_or(0) } else { 0 },
                present: column.max_def_level(),
                reader: None,
                text: String::new(),
                ends: Vec::new(),
            });
        }
        let header = columns.iter().map(|column| column.name.clone()).collect();
        Ok((Self { file, next_group: 0, columns, filled: 0, row: 0 }, header))
    }

    /// Goes to the next row; false at the end.
    pub fn advance(&mut self, name: &str) -> Result<bool, SimulateError> {
        self.row = self.row.saturating_add(1);
        while self.row >= self.filled {
            if guarded(name, || self.fill(name))? {
                self.row = 0;
            } else if !guarded(name, || self.open_group(name))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A cell of the current row; null is empty.
    pub fn cell(&self, column: usize) -> &str {
        self.columns.get(column).map_or("", |column| column.cell(self.row))
    }

    fn open_group(&mut self, name: &str) -> Result<bool, SimulateError> {
        if self.next_group >= self.file.num_row_groups() {
            return Ok(false);
        }
        let group = self.file.get_row_group(self.next_group).map_err(wrong(name))?;
        self.next_group = self.next_group.saturating_add(1);
        for (position, column) in self.columns.iter_mut().enumerate() {
            column.reader = Some(group.get_column_reader(position).map_err(wrong(name))?);
        }
        Ok(true)
    }

    /// Reads the next batch of the open row group; false at its end.
    fn fill(&mut self, name: &str) -> Result<bool, SimulateError> {
        self.filled = 0;
        for column in &mut self.columns {
            column.fill(name)?;
        }
        let mut lengths = self.columns.iter().map(|column| column.ends.len());
        self.filled = lengths.next().unwrap_or(0);
        if lengths.any(|length| length != self.filled) {
            let reason = "its columns are of different length".to_owned();
            return Err(SimulateError::Parquet { file: name.to_owned(), reason });
        }
        Ok(self.filled > 0)
    }
}

/// The crate `parquet` panics on some damaged files, which are to be refused like others.
fn guarded<T>(
    name: &str,
    read: impl FnOnce() -> Result<T, SimulateError>,
) -> Result<T, SimulateError> {
    // Nothing that `read` left half done is used after an error.
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        let reason = "its bytes are damaged".to_owned();
        Err(SimulateError::Parquet { file: name.to_owned(), reason })
    })
}

impl Column {
    fn cell(&self, row: usize) -> &str {
        let start = row.checked_sub(1).and_then(|before| self.ends.get(before)).copied();
        let end = self.ends.get(row).copied().unwrap_or(0);
        self.text.get(start.unwrap_or(0)..end).unwrap_or_default()
    }

    fn fill(&mut self, name: &str) -> Result<(), SimulateError> {
        self.text.clear();
        self.ends.clear();
        let (scale, present) = (self.scale, self.present);
        let Some(reader) = &mut self.reader else { return Ok(()) };
        let mut into = Texts { text: &mut self.text, ends: &mut self.ends, present };
        let filled = match reader {
            ColumnReader::BoolColumnReader(reader) => {
                into.take(reader, |yes, text| add(text, if *yes { "yes" } else { "no" }))
            }
            ColumnReader::Int32ColumnReader(reader) => into.take(reader, |units, text| {
                add(text, &Decimal { units: i64::from(*units), scale }.to_string())
            }),
            ColumnReader::Int64ColumnReader(reader) => into.take(reader, |units, text| {
                add(text, &Decimal { units: *units, scale }.to_string())
            }),
            // A floating-point number is never written with an exponent.
            ColumnReader::FloatColumnReader(reader) => {
                into.take(reader, |value, text| add(text, &value.to_string()))
            }
            ColumnReader::DoubleColumnReader(reader) => {
                into.take(reader, |value, text| add(text, &value.to_string()))
            }
            ColumnReader::ByteArrayColumnReader(reader) => {
                into.take(reader, |value, text| add(text, value.as_utf8()?))
            }
            ColumnReader::Int96ColumnReader(_) | ColumnReader::FixedLenByteArrayColumnReader(_) => {
                let reason = format!(
                    "column `{}` has a type that is not read here; use texts, numbers or booleans",
                    self.name
                );
                return Err(SimulateError::Parquet { file: name.to_owned(), reason });
            }
        };
        filled.map_err(wrong(name))
    }
}

/// Where the texts of a batch go.
struct Texts<'c> {
    text: &'c mut String,
    ends: &'c mut Vec<usize>,
    present: i16,
}

impl Texts<'_> {
    fn take<T: DataType>(
        &mut self,
        reader: &mut ColumnReaderImpl<T>,
        write: impl Fn(&T::T, &mut String) -> Result<(), ParquetError>,
    ) -> Result<(), ParquetError> {
        let (mut levels, mut values) = (Vec::new(), Vec::new());
        let (records, _, _) = reader.read_records(BATCH, Some(&mut levels), None, &mut values)?;
        let mut values = values.iter();
        for record in 0..records {
            // A column that is always there has no levels.
            let there = self.present == 0 || levels.get(record) == Some(&self.present);
            if let Some(value) = there.then(|| values.next()).flatten() {
                write(value, self.text)?;
            }
            self.ends.push(self.text.len());
        }
        Ok(())
    }
}

fn add(text: &mut String, cell: &str) -> Result<(), ParquetError> {
    text.push_str(cell);
    Ok(())
}

fn wrong(file: &str) -> impl FnOnce(ParquetError) -> SimulateError + '_ {
    move |error| SimulateError::Parquet { file: file.to_owned(), reason: error.to_string() }
}
