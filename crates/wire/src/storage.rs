//! Files that are either whole or absent: written under a temporary name in the same folder, synced, renamed.

use crate::error::{Fault, WireError};
use crate::names::PartyName;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;
use tempfile::{Builder, NamedTempFile};
use zeroize::{Zeroize, Zeroizing};

/// Writes a file that anyone may read, replacing an older one.
pub fn write_public(path: &Path, bytes: &[u8]) -> Result<(), WireError> {
    let file = temporary(path, bytes, false)?;
    file.persist(path).map_err(|e| WireError::io(path, "rename into place", e.error))?;
    sync_folder(path)
}

/// Writes a file that only its owner may read (mode 0600), replacing an older one.
pub fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), WireError> {
    let file = temporary(path, bytes, true)?;
    file.persist(path).map_err(|e| WireError::io(path, "rename into place", e.error))?;
    sync_folder(path)
}

/// Writes a file only if there is none yet; `false` if there was one, which stays as it is.
///
/// Of several callers at the same moment exactly one gets `true`.
pub fn create_once(path: &Path, bytes: &[u8]) -> Result<bool, WireError> {
    match temporary(path, bytes, true)?.persist_noclobber(path) {
        Ok(_) => sync_folder(path).map(|()| true),
        Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(e) => Err(WireError::io(path, "create", e.error)),
    }
}

/// Reads one of the reader's own files, at most `limit` bytes; `None` if there is none.
pub fn read_own(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, WireError> {
    match open(path, limit) {
        Ok((file, size)) => read_all(file, path, size, limit).map(Some).map_err(|e| e.own(path)),
        Err(ReadError::Fault(Fault::Missing)) => Ok(None),
        Err(e) => Err(e.own(path)),
    }
}

/// Reads a small file with a secret and refuses it if other users can read it.
pub fn read_secret(
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

/// Overwrites a file with zeros, as far as the file system allows, and removes it; nothing if there is none.
pub fn destroy(path: &Path) -> Result<(), WireError> {
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

/// Removes a folder with everything in it; nothing if there is none.
pub fn remove_folder(path: &Path) -> Result<(), WireError> {
    match fs::remove_dir_all(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(WireError::io(path, "remove", e)),
        _ => Ok(()),
    }
}

/// Copies a file, whole or not at all.
pub fn copy(from: &Path, to: &Path, limit: u64) -> Result<(), WireError> {
    match read_own(from, limit)? {
        Some(bytes) => write_public(to, &bytes),
        None => Err(WireError::io(from, "read", io::ErrorKind::NotFound.into())),
    }
}

/// Creates a folder and its parents.
pub fn create_folder(path: &Path) -> Result<(), WireError> {
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

/// Reads a file of `culprit`, at most `limit` bytes.
pub(crate) fn read_from(
    path: &Path,
    culprit: &PartyName,
    limit: u64,
) -> Result<Vec<u8>, WireError> {
    let read = || {
        let (file, size) = open(path, limit)?;
        read_all(file, path, size, limit)
    };
    read().map_err(|e| match e {
        ReadError::Wire(e) => e,
        ReadError::Fault(fault) => WireError::refused(path, culprit, fault),
    })
}

enum ReadError {
    Wire(WireError),
    Fault(Fault),
}

impl ReadError {
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
    let folder = folder(path);
    create_folder(folder)?;
    let mut builder = Builder::new();
    builder.prefix(".unfinished-");
    #[cfg(unix)]
    let mode = {
        use std::os::unix::fs::PermissionsExt;
        fs::Permissions::from_mode(if secret { 0o600 } else { 0o666 })
    };
    #[cfg(unix)]
    builder.permissions(mode);
    #[cfg(not(unix))]
    let _ = secret;
    let mut file = builder.tempfile_in(folder).map_err(|e| WireError::io(path, "create", e))?;
    file.write_all(bytes).map_err(|e| WireError::io(path, "write", e))?;
    file.as_file().sync_all().map_err(|e| WireError::io(path, "sync", e))?;
    Ok(file)
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
