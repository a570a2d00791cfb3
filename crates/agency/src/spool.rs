//! Rows that wait in a file for their family's turn, because a register does not have the order of the slots, and the values
//! that they come to.

use crate::AgencyError;
use blindtier_wire::{WireError, storage};
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Slots whose rows are read together.
pub(crate) const SLOTS: u32 = 1 << 14;

/// Bytes that are written together.
const BLOCK: usize = 4096;

/// Rows (private) by slot, in a file without a name that is gone with this process.
///
/// In memory are one block of every [`SLOTS`] slots that is not full yet, 0.25 bytes a slot at most, and the numbers of those
/// that are.
pub(crate) struct Spool {
    folder: PathBuf,
    file: File,
    /// Blocks in the file.
    blocks: u64,
    /// Cells of a row.
    cells: usize,
    parts: Vec<Part>,
}

/// Where the rows of consecutive slots are, one after the other.
#[derive(Default)]
struct Part {
    /// The numbers of its blocks in the file.
    blocks: Vec<u64>,
    /// What comes after them.
    rest: Vec<u8>,
}

impl Spool {
    /// For rows of `cells` cells about this many slots, with its file in a folder of this machine.
    pub fn new(folder: &Path, slots: u32, cells: usize) -> Result<Self, AgencyError> {
        let file = storage::scratch(folder)?;
        let parts = (0..slots.div_ceil(SLOTS)).map(|_| Part::default()).collect();
        Ok(Self { folder: folder.to_owned(), file, blocks: 0, cells, parts })
    }

    /// Keeps a row with its line.
    pub fn keep<'c>(
        &mut self,
        slot: u32,
        line: u64,
        cells: impl Iterator<Item = &'c str>,
    ) -> Result<(), AgencyError> {
        self.append(slot, line, cells).map_err(|e| failed(&self.folder, WRITE, e))
    }

    fn append<'c>(
        &mut self,
        slot: u32,
        line: u64,
        cells: impl Iterator<Item = &'c str>,
    ) -> io::Result<()> {
        let Some(part) = self.parts.get_mut((slot / SLOTS) as usize) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        part.rest.extend_from_slice(&slot.to_le_bytes());
        part.rest.extend_from_slice(&line.to_le_bytes());
        for cell in cells {
            let length = u32::try_from(cell.len()).map_err(io::Error::other)?;
            part.rest.extend_from_slice(&length.to_le_bytes());
            part.rest.extend_from_slice(cell.as_bytes());
        }
        while let Some(block) = part.rest.first_chunk::<BLOCK>() {
            self.file.seek(SeekFrom::Start(self.blocks * BLOCK as u64))?;
            self.file.write_all(block)?;
            part.blocks.push(self.blocks);
            part.rest.drain(..BLOCK);
            self.blocks += 1;
        }
        Ok(())
    }

    /// The rows about the slots from a multiple of [`SLOTS`] on.
    pub fn read(&mut self, start: u32) -> Result<Kept, AgencyError> {
        self.collect(start).map_err(|e| failed(&self.folder, READ, e))
    }

    fn collect(&mut self, start: u32) -> io::Result<Kept> {
        let Some(part) = self.parts.get((start / SLOTS) as usize) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let size = part.blocks.len() * BLOCK + part.rest.len();
        let mut bytes = Zeroizing::new(Vec::with_capacity(size));
        for block in &part.blocks {
            self.file.seek(SeekFrom::Start(block * BLOCK as u64))?;
            let mut read = [0; BLOCK];
            self.file.read_exact(&mut read)?;
            bytes.extend_from_slice(&read);
        }
        bytes.extend_from_slice(&part.rest);
        let mut places = Vec::new();
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let place = bytes.len() - rest.len();
            let row = Row::take(&mut rest, self.cells).ok_or(io::ErrorKind::InvalidData)?;
            places.push((row.slot, place));
        }
        // Within a slot they stay in the order of the register.
        places.sort_unstable();
        Ok(Kept { bytes, places, cells: self.cells })
    }
}

fn failed(folder: &Path, action: &'static str, source: io::Error) -> AgencyError {
    WireError::Io { file: folder.to_owned(), action, source }.into()
}

const WRITE: &str = "write a temporary file in";
const READ: &str = "read a temporary file in";

/// The values (private) of every slot, in a file without a name. To write and to read a slot's takes the same time whatever
/// is known of the family.
pub(crate) struct Values {
    folder: PathBuf,
    file: BufWriter<File>,
    /// Values of a slot.
    count: usize,
}

impl Values {
    /// For `count` values a slot, with its file in a folder of this machine.
    pub fn new(folder: &Path, count: usize) -> Result<Self, AgencyError> {
        let file = BufWriter::new(storage::scratch(folder)?);
        Ok(Self { folder: folder.to_owned(), file, count })
    }

    /// Puts the next slot's values behind the others; nothing for a family whose rows have none.
    pub fn push(&mut self, values: Option<&[i64]>) -> Result<(), AgencyError> {
        let mut bytes = vec![0; self.width()];
        if let ([mark, places @ ..], Some(values)) = (bytes.as_mut_slice(), values) {
            *mark = 1;
            for (place, value) in places.as_chunks_mut::<8>().0.iter_mut().zip(values) {
                *place = value.to_le_bytes();
            }
        }
        self.file.write_all(&bytes).map_err(|e| failed(&self.folder, WRITE, e))
    }

    /// A slot's values, when all are there; nothing for a family whose rows have none.
    pub fn get(&mut self, slot: u32) -> Result<Option<Vec<i64>>, AgencyError> {
        let mut bytes = vec![0; self.width()];
        self.fill(slot, &mut bytes).map_err(|e| failed(&self.folder, READ, e))?;
        Ok(match bytes.as_slice() {
            [1, places @ ..] => {
                Some(places.as_chunks().0.iter().map(|place| i64::from_le_bytes(*place)).collect())
            }
            _ => None,
        })
    }

    fn fill(&mut self, slot: u32, bytes: &mut [u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(u64::from(slot) * bytes.len() as u64))?;
        self.file.get_ref().read_exact(bytes)
    }

    /// Bytes of a slot: a mark whether there are values, and the values.
    fn width(&self) -> usize {
        1 + 8 * self.count
    }
}

/// The rows (private) of [`SLOTS`] slots. Wiped when dropped.
pub(crate) struct Kept {
    bytes: Zeroizing<Vec<u8>>,
    /// Slot and place of every row, ascending.
    places: Vec<(u32, usize)>,
    cells: usize,
}

impl Kept {
    /// The rows about a slot, in the order of the register.
    pub fn of(&self, slot: u32) -> impl Iterator<Item = Row<'_>> {
        let from = self.places.partition_point(|(other, _)| *other < slot);
        let places = self.places.get(from..).unwrap_or_default().iter();
        places
            .take_while(move |(other, _)| *other == slot)
            .filter_map(|(_, place)| Row::take(&mut self.bytes.get(*place..)?, self.cells))
    }
}

/// A row (private) that was kept.
pub(crate) struct Row<'a> {
    slot: u32,
    /// Its line in the register, counted from 1.
    pub line: u64,
    /// The cells that were kept.
    pub cells: Vec<&'a str>,
}

impl<'a> Row<'a> {
    fn take(rest: &mut &'a [u8], cells: usize) -> Option<Self> {
        let slot = u32::from_le_bytes(take(rest)?);
        let line = u64::from_le_bytes(take(rest)?);
        let mut cell = || {
            let length = u32::from_le_bytes(take(rest)?);
            let (cell, after) = rest.split_at_checked(length as usize)?;
            *rest = after;
            std::str::from_utf8(cell).ok()
        };
        let cells = (0..cells).map(|_| cell()).collect::<Option<_>>()?;
        Some(Self { slot, line, cells })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*head)
}
