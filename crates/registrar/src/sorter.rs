//! Sorts private records that do not fit into memory: runs that do are sorted and spooled, and then merged.

use crate::spool::{Records, Spool, SpoolWriter};
use blindtier_wire::WireError;
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::ops::Range;
use std::path::Path;
use zeroize::Zeroize;

/// Bytes and records of a run. Few bytes in tests, where a small population has several runs too.
const RUN: usize = if cfg!(test) { 1 << 10 } else { 1 << 22 };
const RUN_RECORDS: usize = 1 << 16;

/// Takes records in any order.
pub(crate) struct Sorter {
    spool: SpoolWriter,
    runs: Vec<Range<u64>>,
    next: Run,
}

/// The next run.
#[derive(Default)]
struct Run {
    /// The records, one after the other.
    bytes: Vec<u8>,
    places: Vec<Place>,
}

impl Run {
    /// Wipes it. Not by `Zeroizing`, which would touch all that is reserved, for three families too.
    fn clear(&mut self) {
        self.bytes.as_mut_slice().zeroize();
        self.bytes.clear();
        for place in &mut self.places {
            place.first = 0;
        }
        self.places.clear();
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Where a record is among the bytes of its run.
struct Place {
    /// Its first bytes, which mostly decide.
    first: u64,
    bytes: Range<usize>,
}

impl Sorter {
    /// Nothing yet; spools on the file system of a folder.
    pub fn new(folder: &Path) -> Self {
        Self { spool: SpoolWriter::new(folder), runs: Vec::new(), next: Run::default() }
    }

    /// Takes a record (private).
    pub fn push(&mut self, record: &[u8]) -> Result<(), WireError> {
        let Run { bytes, places } = &self.next;
        if bytes.len() + record.len() > RUN || places.len() == RUN_RECORDS {
            self.flush()?;
        }
        let Run { bytes, places } = &mut self.next;
        if bytes.is_empty() {
            // At once, and while there is nothing in it: growing would leave a copy behind.
            bytes.reserve_exact(RUN.max(record.len()));
        }
        let begin = bytes.len();
        bytes.extend_from_slice(record);
        places.push(Place { first: first(record), bytes: begin..bytes.len() });
        Ok(())
    }

    /// All records, which may be gone through several times.
    pub fn finish(mut self) -> Result<Runs, WireError> {
        self.flush()?;
        Ok(Runs { spool: self.spool.finish()?, runs: self.runs })
    }

    fn flush(&mut self) -> Result<(), WireError> {
        let Run { bytes, places } = &mut self.next;
        if places.is_empty() {
            return Ok(());
        }
        let record = |place: &Place| bytes.get(place.bytes.clone()).unwrap_or_default();
        places
            .sort_unstable_by(|a, b| a.first.cmp(&b.first).then_with(|| record(a).cmp(record(b))));
        let begin = self.spool.position();
        for place in &*places {
            self.spool.push(record(place))?;
        }
        self.runs.push(begin..self.spool.position());
        self.next.clear();
        Ok(())
    }
}

/// Records, in runs that are each ascending.
pub(crate) struct Runs {
    spool: Spool,
    runs: Vec<Range<u64>>,
}

impl Runs {
    /// The records, ascending; equal ones are all there.
    pub fn sorted(&self) -> Result<Sorted, WireError> {
        let piece = (RUN / self.runs.len().max(1)).clamp(1 << 13, 1 << 16);
        let mut heads = BinaryHeap::with_capacity(self.runs.len());
        for run in &self.runs {
            let mut records = self.spool.records_in(run.clone(), piece);
            if records.advance()? {
                heads.push(Head(records));
            }
        }
        Ok(Sorted { heads, taken: false })
    }

    /// The error of a record that is not as it was pushed.
    pub fn damaged(&self) -> WireError {
        self.spool.damaged()
    }
}

/// Records in ascending order.
pub(crate) struct Sorted {
    heads: BinaryHeap<Head>,
    /// Whether the smallest record was handed out.
    taken: bool,
}

impl Sorted {
    /// The next record (private); `None` after the last.
    pub fn next(&mut self) -> Result<Option<&[u8]>, WireError> {
        if self.taken
            && let Some(mut head) = self.heads.peek_mut()
            && !head.0.advance()?
        {
            PeekMut::pop(head);
        }
        self.taken = true;
        Ok(self.heads.peek().map(|head| head.0.current()))
    }
}

/// The rest of a run. The greatest, which a heap has at its top, is that with the smallest record.
struct Head(Records);

impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        other.0.current().cmp(self.0.current())
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Head {}

/// The first bytes as a number, which orders records like the bytes do.
fn first(record: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    for (to, from) in bytes.iter_mut().zip(record) {
        *to = *from;
    }
    u64::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(runs: &Runs) -> Vec<Vec<u8>> {
        let mut sorted = runs.sorted().unwrap();
        let mut records = Vec::new();
        while let Some(record) = sorted.next().unwrap() {
            records.push(record.to_vec());
        }
        assert!(sorted.next().unwrap().is_none());
        records
    }

    #[test]
    fn records_are_ascending_however_many_runs_they_fill() {
        let folder = tempfile::tempdir().unwrap();
        let mut records: Vec<Vec<u8>> = (0..3000u32)
            .map(|n| {
                let hash = blake3::hash(&(n / 2).to_le_bytes());
                hash.as_bytes()[..(n as usize * 7 % 33)].to_vec()
            })
            .collect();
        records.push(vec![5; 20_000]);
        let mut sorter = Sorter::new(folder.path());
        for record in &records {
            sorter.push(record).unwrap();
        }
        let runs = sorter.finish().unwrap();
        assert!(runs.runs.len() > 40);
        records.sort();
        assert!(sorted(&runs) == records);
        assert!(sorted(&runs) == records, "a second time");
    }

    #[test]
    fn nothing_is_sorted_too() {
        let folder = tempfile::tempdir().unwrap();
        let runs = Sorter::new(folder.path()).finish().unwrap();
        assert!(sorted(&runs).is_empty());
    }
}
