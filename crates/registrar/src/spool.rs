//! Private records that do not fit into memory, in a file without a name; few of them stay in memory.
//!
//! The file is encrypted under a key that nobody but this process ever has: what was on the disk is unreadable as soon as the
//! spool is dropped or the process ends, wherever the file system keeps it.

use blindtier_wire::{WireError, storage};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use zeroize::{Zeroize, Zeroizing};

/// Bytes that are encrypted and written at once. Few in tests, where small spools have a file too.
const PIECE: usize = if cfg!(test) { 1 << 10 } else { 1 << 16 };
/// Bytes of a record's length.
const LENGTH: usize = 4;

/// A spool that is being filled.
pub(crate) struct SpoolWriter {
    /// None as long as a piece is enough.
    file: Option<SpoolFile>,
    folder: PathBuf,
    /// What is not in the file, its end.
    piece: Zeroizing<Vec<u8>>,
    written: u64,
}

/// A spool that is read, once or several times.
pub(crate) struct Spool {
    content: Arc<Content>,
    length: u64,
}

/// What was appended.
struct Content {
    file: Option<SpoolFile>,
    /// All of it if there is no file.
    memory: Zeroizing<Vec<u8>>,
    /// Named in errors.
    folder: PathBuf,
}

struct SpoolFile {
    file: Mutex<File>,
    /// Encrypts what is at one place of the file once and no more.
    key: Zeroizing<[u8; 32]>,
}

impl SpoolWriter {
    /// An empty one, whose file will be on the file system of a folder, which need not exist yet.
    pub fn new(folder: &Path) -> Self {
        let (folder, piece) = (folder.to_owned(), Zeroizing::new(Vec::with_capacity(PIECE)));
        Self { file: None, folder, piece, written: 0 }
    }

    /// Appends a record (private).
    pub fn push(&mut self, record: &[u8]) -> Result<(), WireError> {
        let length = u32::try_from(record.len())
            .map_err(|_| error(&self.folder, WRITE, io::ErrorKind::FileTooLarge))?;
        self.append(&length.to_le_bytes())?;
        self.append(record)
    }

    /// Where the next record begins.
    pub fn position(&self) -> u64 {
        self.written + self.piece.len() as u64
    }

    /// Everything that was appended.
    pub fn finish(mut self) -> Result<Spool, WireError> {
        let length = self.position();
        if self.file.is_some() {
            self.flush()?;
        }
        let content = Content { file: self.file, memory: self.piece, folder: self.folder };
        Ok(Spool { content: Arc::new(content), length })
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        for part in bytes.chunks(PIECE) {
            if self.piece.len() + part.len() > PIECE {
                self.flush()?;
            }
            self.piece.extend_from_slice(part);
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), WireError> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(SpoolFile::new(&self.folder)?),
        };
        file.crypt(self.written, &mut self.piece);
        let written = file.lock().write_all(&self.piece);
        written.map_err(|e| error(&self.folder, WRITE, e))?;
        self.written += self.piece.len() as u64;
        self.piece.clear();
        Ok(())
    }
}

impl Spool {
    /// The records, in the order in which they were appended.
    pub fn records(&self) -> Records {
        self.records_in(0..self.length, PIECE)
    }

    /// The records in a range between two of [`SpoolWriter::position`], read about `piece` bytes at once.
    pub fn records_in(&self, range: Range<u64>, piece: usize) -> Records {
        Records {
            content: self.content.clone(),
            unread: range,
            buffer: Zeroizing::new(Vec::with_capacity(piece)),
            next: 0,
            current: 0..0,
        }
    }

    /// The error of a record that is not as it was written.
    pub fn damaged(&self) -> WireError {
        self.content.damaged()
    }
}

impl Content {
    fn read(&self, from: u64, into: &mut [u8]) -> Result<(), WireError> {
        if let Some(file) = &self.file {
            return file.read(from, into).map_err(|e| error(&self.folder, READ, e));
        }
        let from = usize::try_from(from).map_err(|_| self.damaged())?;
        let there = self.memory.get(from..).and_then(|rest| rest.get(..into.len()));
        into.copy_from_slice(there.ok_or_else(|| self.damaged())?);
        Ok(())
    }

    fn damaged(&self) -> WireError {
        error(&self.folder, READ, io::ErrorKind::InvalidData)
    }
}

const WRITE: &str = "write a temporary file";
const READ: &str = "read a temporary file";

fn error(folder: &Path, action: &'static str, source: impl Into<io::Error>) -> WireError {
    WireError::Io { file: folder.to_owned(), action, source: source.into() }
}

impl SpoolFile {
    fn new(folder: &Path) -> Result<Self, WireError> {
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(key.as_mut_slice()).map_err(WireError::Random)?;
        Ok(Self { file: Mutex::new(storage::scratch(folder)?), key })
    }

    fn lock(&self) -> MutexGuard<'_, File> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, from: u64, into: &mut [u8]) -> io::Result<()> {
        let mut file = self.lock();
        file.seek(SeekFrom::Start(from))?;
        file.read_exact(into)?;
        drop(file);
        self.crypt(from, into);
        Ok(())
    }

    /// Encrypts or decrypts what is at a place of the file: adds the output of keyed BLAKE3 from that place on.
    fn crypt(&self, from: u64, bytes: &mut [u8]) {
        let mut stream = blake3::Hasher::new_keyed(&self.key).finalize_xof();
        stream.set_position(from);
        let mut mask = Zeroizing::new([0; 4096]);
        for part in bytes.chunks_mut(mask.len()) {
            stream.fill(mask.as_mut_slice());
            for (byte, mask) in part.iter_mut().zip(mask.iter()) {
                *byte ^= mask;
            }
        }
        stream.zeroize();
    }
}

/// Reads records one after the other.
pub(crate) struct Records {
    content: Arc<Content>,
    unread: Range<u64>,
    buffer: Zeroizing<Vec<u8>>,
    /// Where in the buffer the next record begins.
    next: usize,
    /// Where in the buffer the current one is.
    current: Range<usize>,
}

impl Records {
    /// The next record (private); `None` after the last.
    pub fn next(&mut self) -> Result<Option<&[u8]>, WireError> {
        Ok(if self.advance()? { Some(self.current()) } else { None })
    }

    /// Goes to the next record; `false` after the last.
    pub fn advance(&mut self) -> Result<bool, WireError> {
        if self.next == self.buffer.len() && self.unread.is_empty() {
            self.current = 0..0;
            return Ok(false);
        }
        self.fill(LENGTH)?;
        let length = self.buffer.get(self.next..).and_then(<[u8]>::first_chunk).copied();
        let length = u32::from_le_bytes(length.ok_or_else(|| self.content.damaged())?);
        let length = usize::try_from(length).map_err(|_| self.content.damaged())?;
        self.fill(LENGTH + length)?;
        let begin = self.next + LENGTH;
        self.current = begin..begin + length;
        self.next = self.current.end;
        Ok(true)
    }

    /// The record (private) that [`Records::advance`] went to.
    pub fn current(&self) -> &[u8] {
        self.buffer.get(self.current.clone()).unwrap_or_default()
    }

    /// The error of a record that is not as it was written.
    pub fn damaged(&self) -> WireError {
        self.content.damaged()
    }

    /// Reads on until so many bytes after the current record are in the buffer.
    fn fill(&mut self, count: usize) -> Result<(), WireError> {
        let there = self.buffer.len() - self.next;
        if there >= count {
            return Ok(());
        }
        let unread = self.unread.end - self.unread.start;
        if (count - there) as u64 > unread {
            return Err(self.content.damaged());
        }
        if count > self.buffer.capacity() {
            // Not grown: that would leave a copy behind.
            let mut larger = Vec::with_capacity(count);
            larger.extend_from_slice(self.buffer.get(self.next..).unwrap_or_default());
            self.buffer = Zeroizing::new(larger);
        } else {
            self.buffer.drain(..self.next);
        }
        self.next = 0;
        let room = self.buffer.capacity() - there;
        let more = usize::try_from(unread).map_or(room, |unread| unread.min(room));
        self.buffer.resize(there + more, 0);
        let into = self.buffer.get_mut(there..).unwrap_or_default();
        self.content.read(self.unread.start, into)?;
        self.unread.start += more as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back_in_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = SpoolWriter::new(&folder.path().join("later"));
        // Empty ones, small ones, and ones that are larger than a piece.
        let records: Vec<Vec<u8>> =
            (0..300).map(|n: usize| vec![n as u8; n * n * n % 90_001 * (n % 3)]).collect();
        let mut positions = Vec::new();
        for record in &records {
            positions.push(writer.position());
            writer.push(record).unwrap();
        }
        let spool = writer.finish().unwrap();
        for piece in [LENGTH, 100, PIECE] {
            let mut read = spool.records_in(positions[0]..spool.length, piece);
            for record in &records {
                assert!(read.next().unwrap().unwrap() == record);
            }
            assert!(read.next().unwrap().is_none() && read.next().unwrap().is_none());
        }
        // Several readers at once, of ranges.
        let mut readers = [7..9, 100..250].map(|range: Range<usize>| {
            let bytes = positions[range.start]..positions[range.end];
            (spool.records_in(bytes, 10), &records[range])
        });
        for at in 0..150 {
            for (reader, records) in &mut readers {
                assert!(reader.next().unwrap() == records.get(at).map(Vec::as_slice));
            }
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "no file has a name");
    }

    #[test]
    fn what_is_on_the_disk_cannot_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = SpoolWriter::new(folder.path());
        for _ in 0..1000 {
            writer.push(b"somebody's name").unwrap();
        }
        let spool = writer.finish().unwrap();
        let mut bytes = Vec::new();
        let mut file = spool.content.file.as_ref().unwrap().lock();
        file.rewind().unwrap();
        file.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes.len() as u64, spool.length);
        assert!(!bytes.windows(4).any(|part| part == b"some"));
    }

    #[test]
    fn a_shorter_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = SpoolWriter::new(folder.path());
        writer.push(&[7; 5000]).unwrap();
        let spool = writer.finish().unwrap();
        assert!(spool.records_in(0..50, 8).next().is_err());
        assert!(spool.records_in(0..3, 8).next().is_err());
        spool.content.file.as_ref().unwrap().lock().set_len(4000).unwrap();
        let error = spool.records().next().map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("temporary file"), "{error}");
    }

    #[test]
    fn a_few_records_need_no_file() {
        let mut writer = SpoolWriter::new(Path::new("s3://nowhere"));
        writer.push(b"one").unwrap();
        writer.push(b"two").unwrap();
        let spool = writer.finish().unwrap();
        let mut records = spool.records_in(0..spool.length, LENGTH);
        assert_eq!(records.next().unwrap(), Some(b"one".as_slice()));
        assert_eq!(records.next().unwrap(), Some(b"two".as_slice()));
        assert!(records.next().unwrap().is_none());
        assert!(spool.records_in(0..7 + 8, PIECE).next().is_err());
        let mut writer = SpoolWriter::new(Path::new("s3://nowhere"));
        assert!(writer.push(&[7; 5000]).is_err(), "secrets stay on this machine");
    }
}
