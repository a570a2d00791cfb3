//! Lines of cells as CSV bytes or as a batch of a Parquet file. Both hold the same texts.

use super::cell::Cell;
use super::output::{Format, schema};
use crate::SimError;
use arrow_array::RecordBatch;
use arrow_array::builder::StringBuilder;
use std::path::Path;
use std::sync::Arc;

/// Lines, ready to write.
pub(crate) enum Encoded {
    Csv(Vec<u8>),
    Parquet(RecordBatch),
}

/// Encodes lines, each with as many cells as there are columns.
pub(crate) fn encode<L: Iterator<Item = Cell>>(
    format: Format,
    columns: &[&str],
    lines: impl ExactSizeIterator<Item = L>,
) -> Result<Encoded, SimError> {
    match format {
        Format::Csv => Ok(Encoded::Csv(csv(lines))),
        Format::Parquet => parquet(columns, lines).map(Encoded::Parquet),
    }
}

fn csv<L: Iterator<Item = Cell>>(lines: impl ExactSizeIterator<Item = L>) -> Vec<u8> {
    let mut text = Vec::with_capacity(lines.len() * 32);
    for line in lines {
        for (position, cell) in line.enumerate() {
            if position > 0 {
                text.push(b',');
            }
            cell.write(&mut text);
        }
        text.push(b'\n');
    }
    text
}

fn parquet<L: Iterator<Item = Cell>>(
    columns: &[&str],
    lines: impl ExactSizeIterator<Item = L>,
) -> Result<RecordBatch, SimError> {
    let mut builders: Vec<StringBuilder> = columns
        .iter()
        .map(|_| StringBuilder::with_capacity(lines.len(), lines.len() * 8))
        .collect();
    let mut text = Vec::new();
    for line in lines {
        for (builder, cell) in builders.iter_mut().zip(line) {
            text.clear();
            cell.write(&mut text);
            builder.append_value(String::from_utf8_lossy(&text));
        }
    }
    let arrays = builders.iter_mut().map(|builder| Arc::new(builder.finish()) as _).collect();
    RecordBatch::try_new(schema(columns), arrays)
        .map_err(|error| SimError::parquet(Path::new("the batch"))(error.into()))
}
