//! Files of this machine: written under a temporary name in the same folder, synced, renamed.

use crate::error::{Fault, WireError};
use crate::names::PartyName;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;
pub(super) use tempfile::NamedTempFile;
use tempfile::{Builder, tempfile_in};
use zeroize::{Zeroize, Zeroizing};

pub(super) fn write_public(path: &Path, bytes: &[u8]) -> Result<(), WireError> {
    replace(path, temporary(path, bytes, false)?)
}

/// Gives a file that was begun with [`begin`] its name.
pub(super) fn finish(path: &Path, file: NamedTempFile) -> Result<(), WireError> {
    sync(path, &file)?;
    replace(path, file)
}

fn replace(path: &Path, file: NamedTempFile) -> Result<(), WireError> {
    let written = file.into_temp_path();
    fs::rename(&written, path).map_err(|e| WireError::io(path, "rename into place", e))?;
    // There is nothing left to remove under the temporary name.
    let _ = written.keep();
    sync_folder(path)
}

pub(super) fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), WireError> {
    replace(path, temporary(path, bytes, true)?)
}

pub(super) fn create_once(path: &Path, bytes: &[u8]) -> Result<bool, WireError> {
    keep_once(path, temporary(path, bytes, true)?)
}

pub(super) fn make_once<E: From<WireError>>(
    path: &Path,
    make: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<bool, E> {
    let file = temporary(path, &[], true)?;
    make(file.path())?;
    Ok(keep_once(path, file)?)
}

fn keep_once(path: &Path, file: NamedTempFile) -> Result<bool, WireError> {
    match file.persist_noclobber(path) {
        Ok(_) => sync_folder(path).map(|()| true),
        Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(e) => Err(WireError::io(path, "create", e.error)),
    }
}

pub(super) fn scratch(folder: &Path) -> Result<File, WireError> {
    let place = folder.ancestors().find(|place| place.is_dir()).unwrap_or(Path::new("."));
    let private = |file: File| {
        #[cfg(unix)]
        file.set_permissions(mode(true))?;
        Ok(file)
    };
    tempfile_in(place)
        .and_then(private)
        .map_err(|e| WireError::io(place, "create a temporary file", e))
}

#[cfg(unix)]
fn mode(secret: bool) -> fs::Permissions {
    use std::os::unix::fs::PermissionsExt;
    fs::Permissions::from_mode(if secret { 0o600 } else { 0o666 })
}

pub(super) fn open_own(path: &Path, limit: u64) -> Result<Option<File>, WireError> {
    match open(path, limit) {
        Ok((file, _)) => Ok(Some(file)),
        Err(ReadError::Fault(Fault::Missing)) => Ok(None),
        Err(e) => Err(e.own(path)),
    }
}

pub(super) fn read_own(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, WireError> {
    match open(path, limit) {
        Ok((file, size)) => read_all(file, path, size, limit).map(Some).map_err(|e| e.own(path)),
        Err(ReadError::Fault(Fault::Missing)) => Ok(None),
        Err(e) => Err(e.own(path)),
    }
}

pub(super) fn read_secret(
    path: &Path,
    limit: u64,
    what: &'static str,
) -> Result<Zeroizing<Vec<u8>>, WireError> {
    check_private(path)?;
    match read_own(path, limit)? {
        Some(bytes) => Ok(Zeroizing::new(bytes)),
        None => Err(WireError::io(path, what, io::ErrorKind::NotFound.into())),
    }
}

pub(super) fn destroy(path: &Path) -> Result<(), WireError> {
    let length = match fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(WireError::io(path, "open", e)),
    };
    let mut file = fs::OpenOptions::new()
        .write(true)
        .open(path)
        .map_err(|e| WireError::io(path, "open", e))?;
    io::copy(&mut io::repeat(0).take(length), &mut file)
        .and_then(|_| file.sync_all())
        .and_then(|()| fs::remove_file(path))
        .map_err(|e| WireError::io(path, "destroy", e))?;
    sync_folder(path)
}

pub(super) fn remove(path: &Path) -> Result<(), WireError> {
    removed(path, fs::remove_file(path))
}

pub(super) fn remove_folder(path: &Path) -> Result<(), WireError> {
    removed(path, fs::remove_dir_all(path))
}

fn removed(path: &Path, outcome: io::Result<()>) -> Result<(), WireError> {
    match outcome {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(WireError::io(path, "remove", e)),
        _ => Ok(()),
    }
}

pub(super) fn list(folder: &Path) -> Result<Vec<(String, u64)>, WireError> {
    let refused = |e| WireError::io(folder, "look into", e);
    let entries = match fs::read_dir(folder) {
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        entries => entries.map_err(refused)?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(refused)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => {
                let below = list(&entry.path())?.into_iter();
                found.extend(below.map(|(below, size)| (format!("{name}/{below}"), size)));
            }
            Ok(metadata) if !name.starts_with(UNFINISHED) => found.push((name, metadata.len())),
            Ok(_) => {}
            // Renamed or removed since the folder was read.
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(refused(e)),
        }
    }
    Ok(found)
}

/// What the names of files begin with that are not finished.
const UNFINISHED: &str = ".unfinished-";

pub(super) fn create_folder(path: &Path) -> Result<(), WireError> {
    fs::create_dir_all(path).map_err(|e| WireError::io(path, "create the folder", e))
}

/// Refuses a secret file that other users can read.
#[cfg(unix)]
pub(crate) fn check_private(path: &Path) -> Result<(), WireError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = match fs::metadata(path) {
        Ok(metadata) => metadata.permissions().mode() & 0o777,
        Err(e) => return Err(WireError::io(path, "open", e)),
    };
    if mode & 0o077 != 0 {
        return Err(WireError::Exposed { file: path.to_owned(), mode });
    }
    Ok(())
}

#[cfg(not(unix))]
pub(crate) fn check_private(_: &Path) -> Result<(), WireError> {
    Ok(())
}

pub(super) fn read_from(
    path: &Path,
    culprit: &PartyName,
    limit: u64,
) -> Result<Vec<u8>, WireError> {
    let read = || {
        let (file, size) = open(path, limit)?;
        read_all(file, path, size, limit)
    };
    read().map_err(|e| e.of(path, culprit))
}

/// Opens a file of `culprit`, and says how many bytes it has.
pub(super) fn open_from(
    path: &Path,
    culprit: &PartyName,
    limit: u64,
) -> Result<(File, u64), WireError> {
    open(path, limit).map_err(|e| e.of(path, culprit))
}

enum ReadError {
    Wire(WireError),
    Fault(Fault),
}

impl ReadError {
    fn of(self, path: &Path, culprit: &PartyName) -> WireError {
        match self {
            Self::Wire(e) => e,
            Self::Fault(fault) => WireError::refused(path, culprit, fault),
        }
    }

    fn own(self, path: &Path) -> WireError {
        match self {
            Self::Wire(e) => e,
            Self::Fault(fault) => WireError::io(
                path,
                "read",
                io::Error::new(io::ErrorKind::InvalidData, fault.to_string()),
            ),
        }
    }
}

/// Opens a regular file and checks its size before anything is allocated.
fn open(path: &Path, limit: u64) -> Result<(File, u64), ReadError> {
    let io_error = |e| ReadError::Wire(WireError::io(path, "open", e));
    // Looked at before opening: opening a named pipe would wait for a writer.
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Err(ReadError::Fault(Fault::Missing));
        }
        Err(e) => return Err(io_error(e)),
    };
    if !metadata.is_file() {
        return Err(ReadError::Fault(Fault::NotAFile));
    }
    let size = metadata.len();
    if size > limit {
        return Err(ReadError::Fault(Fault::TooLarge { size, limit }));
    }
    Ok((File::open(path).map_err(io_error)?, size))
}

fn read_all(file: File, path: &Path, size: u64, limit: u64) -> Result<Vec<u8>, ReadError> {
    // One byte more than announced, so that a file of the announced size is read without growing the
    // buffer: growing would leave a copy of a secret behind.
    let mut bytes =
        Vec::with_capacity(usize::try_from(size.saturating_add(1)).unwrap_or(usize::MAX));
    let read = file.take(limit.saturating_add(1)).read_to_end(&mut bytes);
    let size = bytes.len() as u64;
    match read {
        Ok(_) if size <= limit => Ok(bytes),
        Ok(_) => {
            bytes.zeroize();
            Err(ReadError::Fault(Fault::TooLarge { size, limit }))
        }
        Err(e) => {
            bytes.zeroize();
            Err(ReadError::Wire(WireError::io(path, "read", e)))
        }
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn temporary(path: &Path, bytes: &[u8], secret: bool) -> Result<NamedTempFile, WireError> {
    let mut file = begin(path, secret)?;
    write(path, &mut file, bytes)?;
    sync(path, &file)?;
    Ok(file)
}

pub(super) fn write(path: &Path, file: &mut NamedTempFile, bytes: &[u8]) -> Result<(), WireError> {
    file.write_all(bytes).map_err(|e| WireError::io(path, "write", e))
}

fn sync(path: &Path, file: &NamedTempFile) -> Result<(), WireError> {
    file.as_file().sync_all().map_err(|e| WireError::io(path, "sync", e))
}

/// An empty file under a temporary name in the folder of `path`.
pub(super) fn begin(path: &Path, secret: bool) -> Result<NamedTempFile, WireError> {
    let folder = folder(path);
    create_folder(folder)?;
    let mut builder = Builder::new();
    builder.prefix(UNFINISHED);
    #[cfg(unix)]
    builder.permissions(mode(secret));
    #[cfg(not(unix))]
    let _ = secret;
    builder.tempfile_in(folder).map_err(|e| WireError::io(path, "create", e))
}

/// Makes the rename itself survive a power cut.
fn sync_folder(path: &Path) -> Result<(), WireError> {
    #[cfg(unix)]
    {
        let folder = folder(path);
        File::open(folder)
            .and_then(|f| f.sync_all())
            .map_err(|e| WireError::io(folder, "sync", e))?;
    }
    Ok(())
}
