//! Where a calibration is kept.

use crate::calibration::{Calibration, FORMAT};
use crate::error::EstimateError;
use etcetera::BaseStrategy;
use serde::Deserialize;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// No calibration is larger, bytes.
const LARGEST: u64 = 1 << 20;

/// Where a calibration is kept unless somebody says otherwise: in the user's folder for what can be made again, on
/// Linux `$XDG_CACHE_HOME/blindtier/calibration.json`. `option` is the one that names another file.
pub fn default_file(option: &'static str) -> Result<PathBuf, EstimateError> {
    let base = etcetera::choose_base_strategy().map_err(|_| EstimateError::NoFolder { option })?;
    Ok(base.cache_dir().join("blindtier").join("calibration.json"))
}

/// The one field that every format has.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

/// Reads a calibration; `None` if there is no such file.
pub fn read(file: &Path) -> Result<Option<Calibration>, EstimateError> {
    let refused = |source| EstimateError::File {
        file: file.to_owned(),
        action: "read the calibration",
        option: "calibration",
        source,
    };
    let malformed = |reason: String| EstimateError::Malformed { file: file.to_owned(), reason };
    let opened = match fs::File::open(file) {
        Ok(opened) => opened,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refused(error)),
    };
    let mut text = String::new();
    opened.take(LARGEST + 1).read_to_string(&mut text).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => malformed("it is not text".into()),
        _ => refused(error),
    })?;
    if text.len() as u64 > LARGEST {
        return Err(malformed(format!("it is larger than {LARGEST} bytes")));
    }
    let Format { format } = serde_json::from_str(&text).map_err(|e| malformed(e.to_string()))?;
    if format != FORMAT {
        return Err(malformed(format!("it has format {format}, this release reads {FORMAT}")));
    }
    let calibration: Calibration =
        serde_json::from_str(&text).map_err(|e| malformed(e.to_string()))?;
    calibration.check().map_err(|error| malformed(error.to_string()))?;
    Ok(Some(calibration))
}

/// Writes a calibration, whole or not at all.
pub fn write(file: &Path, calibration: &Calibration) -> Result<(), EstimateError> {
    let refused = |source| EstimateError::File {
        file: file.to_owned(),
        action: "write the calibration",
        option: "out",
        source,
    };
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder).map_err(refused)?;
    let mut text = serde_json::to_string_pretty(calibration).map_err(|e| refused(e.into()))?;
    text.push('\n');
    let mut temporary =
        tempfile::Builder::new().prefix(".unfinished-").tempfile_in(folder).map_err(refused)?;
    temporary.write_all(text.as_bytes()).map_err(refused)?;
    temporary.as_file().sync_all().map_err(refused)?;
    temporary.persist(file).map_err(|error| refused(error.error))?;
    Ok(())
}
