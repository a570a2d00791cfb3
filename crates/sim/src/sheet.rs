//! CSV files that appear whole or not at all.

use crate::SimError;
use csv::Writer;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// A CSV file being written under a temporary name.
pub(crate) struct Sheet {
    path: PathBuf,
    writer: Writer<NamedTempFile>,
}

impl Sheet {
    /// Starts a file whose folder exists.
    pub fn create(path: PathBuf, header: &[&str]) -> Result<Self, SimError> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let file = tempfile::Builder::new()
            .prefix(".unfinished-")
            .tempfile_in(folder)
            .map_err(SimError::io(&path))?;
        let mut sheet = Self { path, writer: Writer::from_writer(file) };
        sheet.row(header)?;
        Ok(sheet)
    }

    pub fn row<S: AsRef<[u8]>>(
        &mut self,
        cells: impl IntoIterator<Item = S>,
    ) -> Result<(), SimError> {
        self.writer.write_record(cells).map_err(SimError::csv(&self.path))
    }

    /// Syncs the file and gives it its name.
    pub fn finish(self) -> Result<(), SimError> {
        let Self { path, writer } = self;
        let file = writer.into_inner().map_err(|error| {
            let source = error.into_error();
            SimError::Io { path: path.clone(), source }
        })?;
        persist(file, &path)
    }
}

/// Syncs a finished file and gives it its name.
pub(crate) fn persist(file: NamedTempFile, path: &Path) -> Result<(), SimError> {
    file.as_file().sync_all().map_err(SimError::io(path))?;
    file.persist(path)
        .map_err(|error| SimError::Io { path: path.to_owned(), source: error.error })?;
    sync_folder(path.parent().unwrap_or(Path::new(".")))
}

/// Makes the rename itself survive a power cut.
fn sync_folder(folder: &Path) -> Result<(), SimError> {
    if cfg!(unix) {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(SimError::io(folder))?;
    }
    Ok(())
}

pub(crate) fn create_folder(path: &Path) -> Result<(), SimError> {
    fs::create_dir_all(path).map_err(SimError::io(path))
}
