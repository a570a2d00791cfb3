//! A file or an object of which pieces are read.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Mutex, PoisonError};

/// What pieces are read of. An open file keeps its content when another one is put in its place.
pub(crate) struct Source {
    from: From,
    size: u64,
}

enum From {
    /// Locked, because a file has one position.
    File(Mutex<File>),
    /// An object comes whole.
    Bytes(Vec<u8>),
}

impl Source {
    pub(super) fn file(file: File, size: u64) -> Self {
        Self { from: From::File(Mutex::new(file)), size }
    }

    pub(super) fn bytes(bytes: Vec<u8>) -> Self {
        Self { size: bytes.len() as u64, from: From::Bytes(bytes) }
    }

    /// Bytes that there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Fills `buffer` with the bytes from `start` on.
    pub fn read(&self, start: u64, buffer: &mut [u8]) -> io::Result<()> {
        match &self.from {
            From::File(file) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.seek(SeekFrom::Start(start))?;
                file.read_exact(buffer)
            }
            From::Bytes(bytes) => {
                let from = usize::try_from(start).ok().and_then(|start| bytes.get(start..));
                from.unwrap_or_default().read_exact(buffer)
            }
        }
    }
}
