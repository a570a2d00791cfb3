//! Files of a population, which appear whole or not at all.

use super::encode::Encoded;
use crate::SimError;
use crate::sheet::persist;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::NamedTempFile;

/// Format of the files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated text with a header.
    #[default]
    Csv,
    /// Columns of text, compressed with Snappy. The cells are those of the CSV.
    Parquet,
}

impl Format {
    /// Ending of the files' names.
    pub fn ending(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Parquet => "parquet",
        }
    }

    fn other(self) -> Format {
        match self {
            Format::Csv => Format::Parquet,
            Format::Parquet => Format::Csv,
        }
    }
}

/// Rows held back before they are written as one group of a Parquet file.
const GROUP: usize = 1 << 18;

pub(crate) fn schema(columns: &[&str]) -> SchemaRef {
    let field = |name: &&str| Field::new(*name, DataType::Utf8, false);
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}

/// A file being written under a temporary name.
pub(crate) struct Output {
    path: PathBuf,
    sink: Sink,
}

enum Sink {
    Csv(BufWriter<NamedTempFile>),
    Parquet(Box<ArrowWriter<NamedTempFile>>),
}

impl Output {
    /// Starts `<name>.<ending>` in a folder that exists.
    pub fn create(
        folder: &Path,
        name: &str,
        columns: &[&str],
        format: Format,
    ) -> Result<Self, SimError> {
        let other = folder.join(format!("{name}.{}", format.other().ending()));
        if other.exists() {
            return Err(SimError::OtherFormat { path: other });
        }
        let path = folder.join(format!("{name}.{}", format.ending()));
        let file = temporary(&path)?;
        let sink = match format {
            Format::Csv => {
                let mut writer = BufWriter::new(file);
                writeln!(writer, "{}", columns.join(",")).map_err(SimError::io(&path))?;
                Sink::Csv(writer)
            }
            Format::Parquet => {
                let properties = WriterProperties::builder()
                    .set_compression(Compression::SNAPPY)
                    .set_max_row_group_row_count(Some(GROUP))
                    .build();
                let writer = ArrowWriter::try_new(file, schema(columns), Some(properties))
                    .map_err(SimError::parquet(&path))?;
                Sink::Parquet(Box::new(writer))
            }
        };
        Ok(Self { path, sink })
    }

    /// Appends lines that were encoded for this file.
    pub fn write(&mut self, lines: &Encoded) -> Result<(), SimError> {
        match (&mut self.sink, lines) {
            (Sink::Csv(writer), Encoded::Csv(text)) => {
                writer.write_all(text).map_err(SimError::io(&self.path))
            }
            (Sink::Parquet(writer), Encoded::Parquet(batch)) => {
                writer.write(batch).map_err(SimError::parquet(&self.path))
            }
            // One format runs through a whole population.
            _ => Ok(()),
        }
    }

    /// Syncs the file and gives it its name.
    pub fn finish(self) -> Result<(), SimError> {
        let Self { path, sink } = self;
        let file = match sink {
            Sink::Csv(writer) => writer
                .into_inner()
                .map_err(|error| SimError::Io { path: path.clone(), source: error.into_error() })?,
            Sink::Parquet(writer) => writer.into_inner().map_err(SimError::parquet(&path))?,
        };
        persist(file, &path)
    }
}

fn temporary(path: &Path) -> Result<NamedTempFile, SimError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    tempfile::Builder::new().prefix(".unfinished-").tempfile_in(folder).map_err(SimError::io(path))
}

/// Writes a small file at once.
pub(crate) fn write_whole(path: &Path, text: &str) -> Result<(), SimError> {
    let mut file = temporary(path)?;
    file.write_all(text.as_bytes()).map_err(SimError::io(path))?;
    persist(file, path)
}
