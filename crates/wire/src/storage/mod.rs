//! Files that are either whole or absent.
//!
//! A path is one of this machine, or, with a scheme before it, names an object of an object store ([`objects`]): public
//! files may lie there, secrets never.

mod files;
pub mod objects;
mod source;

pub(crate) use files::check_private;
pub(crate) use source::Source;

use crate::error::{Fault, WireError};
use crate::names::PartyName;
use objects::{Found, Object};
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The object at a path, if it is one.
fn object(path: &Path) -> Result<Option<Object>, WireError> {
    Object::at(path).transpose().map_err(|e| WireError::io(path, "reach the object store", e))
}

/// Refuses a place that is not on this machine.
pub(crate) fn on_this_machine(path: &Path) -> Result<(), WireError> {
    if Object::at(path).is_none() {
        return Ok(());
    }
    let detail = "a party's secrets and records stay on its own machine; give a folder there";
    let error = io::Error::new(io::ErrorKind::Unsupported, detail);
    Err(WireError::io(path, "use the object store", error))
}

/// Writes a file that only its owner may read (mode 0600), replacing an older one.
pub fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), WireError> {
    on_this_machine(path)?;
    files::write_secret(path, bytes)
}

/// Writes a record that only its owner may read, and only if there is none yet; `false` if there was one, which stays as it is.
///
/// Of several callers at the same moment exactly one gets `true`.
pub fn create_once(path: &Path, bytes: &[u8]) -> Result<bool, WireError> {
    on_this_machine(path)?;
    files::create_once(path, bytes)
}

/// Makes a record with `make`, which gets a temporary name beside it, unless there is one; `false` if there was one.
pub fn make_once<E: From<WireError>>(
    path: &Path,
    make: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<bool, E> {
    on_this_machine(path)?;
    files::make_once(path, make)
}

/// Reads a small file with a secret and refuses it if other users can read it.
pub fn read_secret(
    path: &Path,
    limit: u64,
    what: &'static str,
) -> Result<Zeroizing<Vec<u8>>, WireError> {
    on_this_machine(path)?;
    files::read_secret(path, limit, what)
}

/// Overwrites a secret file with zeros, as far as the file system allows, and removes it; nothing if there is none.
pub fn destroy(path: &Path) -> Result<(), WireError> {
    on_this_machine(path)?;
    files::destroy(path)
}

/// Creates a folder and its parents; an object store needs none.
pub fn create_folder(path: &Path) -> Result<(), WireError> {
    match Object::at(path) {
        Some(_) => Ok(()),
        None => files::create_folder(path),
    }
}

/// Writes a file that anyone may read, replacing an older one.
pub fn write_public(path: &Path, bytes: &[u8]) -> Result<(), WireError> {
    match object(path)? {
        Some(object) => object.write(bytes).map_err(|e| WireError::io(path, "write", e)),
        None => files::write_public(path, bytes),
    }
}

/// A file that is written in pieces: until it is finished, and if it never is, the older one stays or there is none.
pub(crate) struct Unfinished {
    path: PathBuf,
    place: Place,
}

enum Place {
    File(files::NamedTempFile),
    /// An object store takes objects as a whole.
    Object(Object, Vec<u8>),
}

impl Unfinished {
    /// Begins a file that only its owner may read, or a public one.
    pub fn begin(path: &Path, secret: bool) -> Result<Self, WireError> {
        if secret {
            on_this_machine(path)?;
        }
        let place = match object(path)? {
            Some(object) => Place::Object(object, Vec::new()),
            None => Place::File(files::begin(path, secret)?),
        };
        Ok(Self { path: path.to_owned(), place })
    }

    /// Appends to it.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        match &mut self.place {
            Place::File(file) => files::write(&self.path, file, bytes),
            Place::Object(_, all) => {
                all.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    /// Puts it in its place.
    pub fn finish(self) -> Result<(), WireError> {
        match self.place {
            Place::File(file) => files::finish(&self.path, file),
            Place::Object(object, bytes) => {
                object.write(&bytes).map_err(|e| WireError::io(&self.path, "write", e))
            }
        }
    }
}

/// A file (mode 0600) for what does not fit into memory, on the file system of `folder`, which need not exist yet.
///
/// It has no name: nobody else can open it, and it is gone when it is closed, also if the process is killed.
pub fn scratch(folder: &Path) -> Result<File, WireError> {
    on_this_machine(folder)?;
    files::scratch(folder)
}

/// Opens one of the reader's own files, of at most `limit` bytes, to read it in pieces; `None` if there is none.
pub fn open_own(path: &Path, limit: u64) -> Result<Option<Box<dyn Read>>, WireError> {
    let reader = |file| Box::new(file) as Box<dyn Read>;
    match object(path)? {
        Some(_) => Ok(read_own(path, limit)?.map(|bytes| Box::new(Cursor::new(bytes)) as _)),
        None => Ok(files::open_own(path, limit)?.map(reader)),
    }
}

/// Reads one of the reader's own files, at most `limit` bytes; `None` if there is none.
pub fn read_own(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, WireError> {
    match object(path)? {
        Some(object) => match object.read(limit).map_err(|e| WireError::io(path, "read", e))? {
            Found::Bytes(bytes) => Ok(Some(bytes)),
            Found::Missing => Ok(None),
            Found::TooLarge(size) => {
                let fault = Fault::TooLarge { size, limit }.to_string();
                let error = io::Error::new(io::ErrorKind::InvalidData, fault);
                Err(WireError::io(path, "read", error))
            }
        },
        None => files::read_own(path, limit),
    }
}

/// Reads a file of `culprit`, at most `limit` bytes.
pub(crate) fn read_from(
    path: &Path,
    culprit: &PartyName,
    limit: u64,
) -> Result<Vec<u8>, WireError> {
    let Some(object) = object(path)? else { return files::read_from(path, culprit, limit) };
    let fault = match object.read(limit).map_err(|e| WireError::io(path, "read", e))? {
        Found::Bytes(bytes) => return Ok(bytes),
        Found::Missing => Fault::Missing,
        Found::TooLarge(size) => Fault::TooLarge { size, limit },
    };
    Err(WireError::refused(path, culprit, fault))
}

/// Opens a file of `culprit`, of at most `limit` bytes, to be read piece by piece.
pub(crate) fn open_from(path: &Path, culprit: &PartyName, limit: u64) -> Result<Source, WireError> {
    if object(path)?.is_some() {
        return read_from(path, culprit, limit).map(Source::bytes);
    }
    files::open_from(path, culprit, limit).map(|(file, size)| Source::file(file, size))
}

/// Whether there is a file. An error where that cannot be told: what is not seen is not absent.
pub fn exists(path: &Path) -> Result<bool, WireError> {
    match object(path)? {
        Some(object) => {
            Ok(object.size().map_err(|e| WireError::io(path, "look for", e))?.is_some())
        }
        None => path.try_exists().or_else(|e| match e.kind() {
            io::ErrorKind::NotADirectory => Ok(false),
            _ => Err(WireError::io(path, "look for", e)),
        }),
    }
}

/// Whether there is a folder; in an object store, something in it.
pub fn folder_exists(path: &Path) -> Result<bool, WireError> {
    match object(path)? {
        Some(_) => Ok(!list(path)?.is_empty()),
        None => exists(path),
    }
}

/// The files in a folder and below it, sorted by name, each with its size in bytes: names are those after the folder's,
/// with `/` between their parts. None if there is no such folder. What an interrupted writer left is not among them.
pub fn list(folder: &Path) -> Result<Vec<(String, u64)>, WireError> {
    let mut found = match object(folder)? {
        Some(object) => object.list().map_err(|e| WireError::io(folder, "list", e))?,
        None => files::list(folder)?,
    };
    found.sort();
    Ok(found)
}

/// Size of all files in a folder and below it.
pub fn folder_bytes(folder: &Path) -> Result<u64, WireError> {
    Ok(list(folder)?.iter().map(|(_, size)| size).sum())
}

/// Size of a file in bytes; 0 if there is none.
pub fn file_bytes(path: &Path) -> Result<u64, WireError> {
    match object(path)? {
        Some(object) => {
            Ok(object.size().map_err(|e| WireError::io(path, "look for", e))?.unwrap_or(0))
        }
        None => Ok(std::fs::metadata(path).map_or(0, |metadata| metadata.len())),
    }
}

/// Removes a public file; nothing if there is none.
pub fn remove(path: &Path) -> Result<(), WireError> {
    match object(path)? {
        Some(object) => object.remove().map_err(|e| WireError::io(path, "remove", e)),
        None => files::remove(path),
    }
}

/// Removes a folder with everything in it; nothing if there is none.
pub fn remove_folder(path: &Path) -> Result<(), WireError> {
    match object(path)? {
        Some(object) => object.remove_below().map_err(|e| WireError::io(path, "remove", e)),
        None => files::remove_folder(path),
    }
}

/// Copies a public file, whole or not at all.
pub fn copy(from: &Path, to: &Path, limit: u64) -> Result<(), WireError> {
    match read_own(from, limit)? {
        Some(bytes) => write_public(to, &bytes),
        None => Err(WireError::io(from, "read", io::ErrorKind::NotFound.into())),
    }
}
