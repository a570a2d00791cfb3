//! Long columns as numbered chunk files of consecutive slots.
//!
//! The writer signs each chunk; the manifest with the hashes of all chunk files is written last, by the
//! message that owns them. The reader checks hash, signature and slots of each chunk when it reads it, so that
//! only one chunk of each sender is in memory.

use crate::envelope::{Context, Expect, read_as, write_as};
use crate::error::{Fault, WireError};
use crate::identity::{SigningIdentity, TrustFile};
use crate::kind::Kind;
use crate::names::{Digest, PartyName};
use crate::storage;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Opaque bytes for consecutive slots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// First slot.
    pub start: u32,
    /// How many slots.
    pub count: u32,
    /// Lookups that were spent to compute it; 0 for submissions and letters.
    pub operations: u64,
    /// The engine's bytes.
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}

/// How a round's slots are cut into chunks. All chunks but the last have the same number of slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunking {
    slots: u32,
    size: u32,
}

impl Chunking {
    /// `slots` slots in chunks of `size`; `None` if either is zero.
    pub fn new(slots: u32, size: u32) -> Option<Self> {
        (slots > 0 && size > 0).then_some(Self { slots, size })
    }

    /// Slots of the round.
    pub fn slots(self) -> u32 {
        self.slots
    }

    /// Number of chunks.
    pub fn count(self) -> u32 {
        self.slots.div_ceil(self.size)
    }

    /// First slot and number of slots of a chunk; the number is 0 past the end.
    pub fn range(self, chunk: u32) -> (u32, u32) {
        let start = chunk.saturating_mul(self.size).min(self.slots);
        (start, self.size.min(self.slots - start))
    }
}

/// Name of the file of a chunk.
pub fn chunk_name(chunk: u32) -> String {
    format!("chunk-{chunk:05}.bt")
}

/// Whether the files of the first `count` chunks are all in a folder, whatever is in them.
pub fn chunks_exist(folder: &Path, count: usize) -> Result<bool, WireError> {
    let files = storage::list(folder)?;
    let there: BTreeSet<u32> = files.iter().filter_map(|(name, _)| chunk_number(name)).collect();
    Ok((0u32..).take(count).all(|chunk| there.contains(&chunk)))
}

/// The chunk whose file has this name.
pub fn chunk_number(name: &str) -> Option<u32> {
    let number = name.strip_prefix("chunk-")?.strip_suffix(".bt")?.parse().ok()?;
    (chunk_name(number) == name).then_some(number)
}

/// Writes the chunks of one sender, in order.
pub struct ChunkWriter<'a> {
    folder: PathBuf,
    kind: Kind,
    context: &'a Context,
    identity: &'a SigningIdentity,
    chunking: Chunking,
    digests: Vec<Digest>,
}

impl<'a> ChunkWriter<'a> {
    /// Chunks of `kind` in `folder`, which is created.
    pub fn new(
        folder: &Path,
        kind: Kind,
        context: &'a Context,
        identity: &'a SigningIdentity,
        chunking: Chunking,
    ) -> Result<Self, WireError> {
        storage::create_folder(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
            kind,
            context,
            identity,
            chunking,
            digests: Vec::new(),
        })
    }

    /// Number of the next chunk, its first slot and its number of slots; `None` when all are written.
    pub fn next_chunk(&self) -> Option<(u32, u32, u32)> {
        let next = u32::try_from(self.digests.len()).ok()?;
        let (start, count) = self.chunking.range(next);
        (count > 0).then_some((next, start, count))
    }

    /// The chunks from this one on, each with its number of slots.
    pub fn chunks_from(&self, chunk: u32) -> impl Iterator<Item = (u32, u32)> + use<> {
        let chunking = self.chunking;
        (chunk..chunking.count()).map(move |chunk| (chunk, chunking.range(chunk).1))
    }

    /// Writes the next chunk.
    pub fn push(&mut self, bytes: Vec<u8>, operations: u64) -> Result<(), WireError> {
        let Some((number, ..)) = self.next_chunk() else {
            return Err(self.miscounted());
        };
        self.digests.push(self.write(number, bytes, operations)?);
        Ok(())
    }

    /// Writes a chunk out of order, and returns the hash of its file.
    pub fn write(&self, number: u32, bytes: Vec<u8>, operations: u64) -> Result<Digest, WireError> {
        let (start, count) = self.chunking.range(number);
        if count == 0 {
            return Err(self.miscounted());
        }
        let chunk = Chunk { start, count, operations, bytes };
        write_as(self.kind, &self.path(number), &chunk, self.context, self.identity)
    }

    /// Keeps the next chunk if an earlier, interrupted run left it whole; what is damaged or belongs to
    /// another round is written anew.
    pub fn resume(&mut self, trust: &TrustFile) -> Option<Chunk> {
        let (number, ..) = self.next_chunk()?;
        let (digest, chunk) = self.find(number, trust)?;
        self.digests.push(digest);
        Some(chunk)
    }

    /// A chunk that an earlier run or another machine of this sender left whole, with the hash of its file.
    pub fn find(&self, number: u32, trust: &TrustFile) -> Option<(Digest, Chunk)> {
        let expect = Expect::of(self.identity.name(), self.context);
        let found = read_as::<Chunk>(self.kind, &self.path(number), &expect, trust).ok()?;
        let range = (found.body.start, found.body.count);
        (range == self.chunking.range(number)).then_some((found.digest, found.body))
    }

    /// The file of a chunk.
    pub fn path(&self, number: u32) -> PathBuf {
        self.folder.join(chunk_name(number))
    }

    /// How the slots are cut.
    pub fn chunking(&self) -> Chunking {
        self.chunking
    }

    /// The hashes of all chunk files, for the manifest.
    pub fn finish(self) -> Result<Vec<Digest>, WireError> {
        if self.next_chunk().is_some() { Err(self.miscounted()) } else { Ok(self.digests) }
    }

    fn miscounted(&self) -> WireError {
        let fault =
            Fault::ChunkCount { expected: self.chunking.count(), found: self.digests.len() as u64 };
        WireError::unwritable(&self.folder, self.kind, fault)
    }
}

/// Reads the chunks that a manifest lists.
pub struct ChunkReader<'a> {
    folder: PathBuf,
    kind: Kind,
    sender: PartyName,
    context: &'a Context,
    chunking: Chunking,
    digests: Vec<Digest>,
    trust: &'a TrustFile,
}

impl<'a> ChunkReader<'a> {
    /// Chunks of `kind` from `sender` beside `manifest`, which lists their hashes `digests`.
    ///
    /// Fails if the manifest lists another number of chunks than the round has.
    pub fn new(
        manifest: &Path,
        kind: Kind,
        sender: &PartyName,
        context: &'a Context,
        chunking: Chunking,
        digests: Vec<Digest>,
        trust: &'a TrustFile,
    ) -> Result<Self, WireError> {
        let found = digests.len() as u64;
        if found != u64::from(chunking.count()) {
            let fault = Fault::ChunkCount { expected: chunking.count(), found };
            return Err(WireError::refused(manifest, sender, fault));
        }
        let folder = manifest.parent().unwrap_or(Path::new("")).to_owned();
        Ok(Self { folder, kind, sender: sender.clone(), context, chunking, digests, trust })
    }

    /// The file of a chunk.
    pub fn path(&self, chunk: u32) -> PathBuf {
        self.folder.join(chunk_name(chunk))
    }

    /// Who sent the chunks.
    pub fn sender(&self) -> &PartyName {
        &self.sender
    }

    /// Reads and checks one chunk.
    pub fn read(&self, chunk: u32) -> Result<Chunk, WireError> {
        let path = self.path(chunk);
        let refused = |fault| WireError::refused(&path, &self.sender, fault);
        let received = read_as::<Chunk>(
            self.kind,
            &path,
            &Expect::of(&self.sender, self.context),
            self.trust,
        )?;
        let found = received.body;
        let (start, count) = self.chunking.range(chunk);
        if (found.start, found.count) != (start, count) {
            return Err(refused(Fault::ChunkRange {
                expected_start: start,
                expected_count: count,
                found_start: found.start,
                found_count: found.count,
            }));
        }
        match self.digests.get(chunk as usize) {
            Some(expected) if *expected == received.digest => Ok(found),
            Some(expected) => {
                Err(refused(Fault::ChunkHash { expected: *expected, found: received.digest }))
            }
            None => Err(refused(Fault::ChunkCount {
                expected: self.chunking.count(),
                found: u64::from(chunk) + 1,
            })),
        }
    }
}
