//! Places in an object store: how a path that begins with a scheme, such as `s3://bucket/round-7`, is reached.
//!
//! This crate knows no store. The program says once, with [`open_with`], how a URL is opened; without that only folders of
//! this machine are reached.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// What a board needs of an object store. A name is the part of a URL after the authority, without a slash before it.
///
/// An object that [`Objects::write`] returned for is whole for every later reader, and one that was not finished is absent.
pub trait Objects: Send + Sync {
    /// The bytes of an object, if it has at most `limit`.
    fn read(&self, name: &str, limit: u64) -> io::Result<Found>;

    /// Writes an object, in the place of an older one.
    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// The size of an object in bytes; `None` if there is none.
    fn size(&self, name: &str) -> io::Result<Option<u64>>;

    /// The objects below a folder, each with its size; names are those after the folder's and its slash.
    fn list(&self, folder: &str) -> io::Result<Vec<(String, u64)>>;

    /// Removes an object; one that is not there is no error.
    fn remove(&self, name: &str) -> io::Result<()>;
}

/// What a store has under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Missing,
    /// More bytes than the reader takes; none were read.
    TooLarge(u64),
    /// All of it.
    Bytes(Vec<u8>),
}

/// Opens the store of a scheme and an authority: `s3://bucket`, `file://`.
pub type Opener = dyn Fn(&str) -> io::Result<Arc<dyn Objects>> + Send + Sync;

static OPENER: OnceLock<Box<Opener>> = OnceLock::new();
static OPENED: Mutex<Option<HashMap<String, Arc<dyn Objects>>>> = Mutex::new(None);

/// Says how object stores are opened; the first one that says it decides. Stores are kept open.
pub fn open_with(opener: Box<Opener>) {
    // A second opener would only be another copy of the same.
    let _ = OPENER.set(opener);
}

/// An object's place.
pub(super) struct Object {
    store: Arc<dyn Objects>,
    name: String,
}

impl Object {
    /// The object that a path names; `None` if the path is one of this machine.
    pub fn at(path: &Path) -> Option<io::Result<Self>> {
        let (store, name) = split(path)?;
        Some(opened(&store).map(|store| Self { store, name }))
    }

    pub fn read(&self, limit: u64) -> io::Result<Found> {
        self.store.read(&self.name, limit)
    }

    pub fn write(&self, bytes: &[u8]) -> io::Result<()> {
        self.store.write(&self.name, bytes)
    }

    pub fn size(&self) -> io::Result<Option<u64>> {
        self.store.size(&self.name)
    }

    pub fn list(&self) -> io::Result<Vec<(String, u64)>> {
        self.store.list(&self.name)
    }

    pub fn remove(&self) -> io::Result<()> {
        self.store.remove(&self.name)
    }

    pub fn remove_below(&self) -> io::Result<()> {
        let below = self.store.list(&self.name)?;
        below.iter().try_for_each(|(name, _)| self.store.remove(&format!("{}/{name}", self.name)))
    }
}

fn opened(url: &str) -> io::Result<Arc<dyn Objects>> {
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    let opened = opened.get_or_insert_default();
    if let Some(store) = opened.get(url) {
        return Ok(store.clone());
    }
    let unsupported =
        || io::Error::new(io::ErrorKind::Unsupported, "this program reaches no object stores");
    let store = OPENER.get().ok_or_else(unsupported)?(url)?;
    opened.insert(url.to_owned(), store.clone());
    Ok(store)
}

/// `s3://bucket/round/x` as `s3://bucket` and `round/x`.
fn split(path: &Path) -> Option<(String, String)> {
    let text = path.to_str()?;
    let (scheme, rest) = text.split_once("://")?;
    let in_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    if !scheme.starts_with(|c: char| c.is_ascii_alphabetic()) || !scheme.chars().all(in_scheme) {
        return None;
    }
    let (authority, name) = rest.split_once('/').unwrap_or((rest, ""));
    let name: Vec<&str> = name.split('/').filter(|part| !part.is_empty()).collect();
    Some((format!("{scheme}://{authority}"), name.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_a_scheme_names_an_object() {
        let of = |text: &str| split(Path::new(text));
        let some = |store: &str, name: &str| Some((store.to_owned(), name.to_owned()));
        assert_eq!(of("s3://bucket/round/x"), some("s3://bucket", "round/x"));
        assert_eq!(of("s3://bucket//round/"), some("s3://bucket", "round"));
        assert_eq!(of("s3://bucket"), some("s3://bucket", ""));
        assert_eq!(of("file:///tmp/x"), some("file://", "tmp/x"));
        assert_eq!(split(&Path::new("s3://bucket/a").join("b")), some("s3://bucket", "a/b"));
        let parent = Path::new("s3://bucket/a/b").parent().unwrap();
        assert_eq!(split(&parent.join("c")), some("s3://bucket", "a/c"));
        for local in ["board", "/tmp/board", "./a://b", "a b://c", "", "://x"] {
            assert_eq!(of(local), None, "{local}");
        }
    }

    #[test]
    fn without_an_opener_no_store_is_reached() {
        let error = Object::at(Path::new("s3://bucket/x")).unwrap().err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::Unsupported);
    }
}
