//! Raw measurements as comma-separated values, for other tools.

use crate::comparison::{Circuit, Report};
use ::csv::{Error, WriterBuilder};
use serde::Serialize;
use std::io;

#[derive(Serialize)]
struct RunLine<'a> {
    id: &'a str,
    circuit: Circuit,
    repetition: usize,
    first: u64,
    families: u64,
    slots: u64,
    seconds: f64,
    encrypt_seconds: f64,
    open_seconds: f64,
    floor_seconds: Option<f64>,
    agree: u64,
    disagree: u64,
}

#[derive(Serialize)]
struct PointLine<'a> {
    quantity: &'a str,
    fixed: &'a str,
    id: &'a str,
    x: f64,
    seconds: Option<f64>,
    families: u64,
    operations: Option<u64>,
    upload_bytes_per_family: Option<f64>,
    key_bytes: Option<u64>,
    disagree: Option<u64>,
    refused: &'a str,
}

const RUN_HEADER: [&str; 12] = [
    "id",
    "circuit",
    "repetition",
    "first",
    "families",
    "slots",
    "seconds",
    "encrypt_seconds",
    "open_seconds",
    "floor_seconds",
    "agree",
    "disagree",
];

const POINT_HEADER: [&str; 11] = [
    "quantity",
    "fixed",
    "id",
    "x",
    "seconds",
    "families",
    "operations",
    "upload_bytes_per_family",
    "key_bytes",
    "disagree",
    "refused",
];

/// One line a run of every approach that was compared; repetitions are counted from 1.
///
/// # Errors
///
/// If the lines cannot be written.
pub fn rows_csv(report: &Report) -> Result<String, Error> {
    let rows = report.comparison.iter().flat_map(|comparison| &comparison.rows);
    let lines = rows.flat_map(|row| {
        row.runs.iter().zip(1..).map(|(run, repetition)| RunLine {
            id: &row.id,
            circuit: row.about.circuit,
            repetition,
            first: run.first,
            families: run.families,
            slots: run.slots,
            seconds: run.seconds,
            encrypt_seconds: run.encrypt_seconds,
            open_seconds: run.open_seconds,
            floor_seconds: run.floor_seconds,
            agree: run.families.saturating_sub(run.disagree),
            disagree: run.disagree,
        })
    });
    write(&RUN_HEADER, lines)
}

/// One line a point of every sweep; a refused point has its reason and no measurements.
///
/// # Errors
///
/// If the lines cannot be written.
pub fn scaling_csv(report: &Report) -> Result<String, Error> {
    let lines = report.scaling.iter().flat_map(|sweep| {
        sweep.series.iter().flat_map(move |series| {
            series.points.iter().map(move |point| {
                let measured = point.refused.is_none();
                PointLine {
                    quantity: &sweep.quantity,
                    fixed: &sweep.fixed,
                    id: &series.id,
                    x: point.x,
                    seconds: measured.then_some(point.seconds),
                    families: point.families,
                    operations: measured.then_some(point.operations),
                    upload_bytes_per_family: measured.then_some(point.upload_bytes_per_family),
                    key_bytes: measured.then_some(point.key_bytes),
                    disagree: measured.then_some(point.disagree),
                    refused: point.refused.as_deref().unwrap_or_default(),
                }
            })
        })
    });
    write(&POINT_HEADER, lines)
}

/// Writes the header even where there are no lines, which serde would not.
fn write(header: &[&str], lines: impl Iterator<Item = impl Serialize>) -> Result<String, Error> {
    let mut writer = WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    writer.write_record(header)?;
    for line in lines {
        writer.serialize(line)?;
    }
    let bytes = writer.into_inner().map_err(|error| error.into_error())?;
    String::from_utf8(bytes).map_err(|error| io::Error::other(error).into())
}
