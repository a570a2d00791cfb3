//! A signed file whose body is read piece by piece, because it is as long as the round.

use crate::codec;
use crate::envelope::{Expect, Head, SIGNATURE, check_context, check_signature, file_limit};
use crate::error::{Fault, WireError};
use crate::identity::TrustFile;
use crate::kind::Kind;
use crate::names::{Digest, PartyName};
use crate::storage::{self, Source};
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Bytes that are hashed by themselves. A look-up reads one or two blocks, and a hash of 32 bytes a block is what an open
/// file takes in memory.
const BLOCK: usize = 4096;

/// The most bytes of a fixed part of a body: a party's name and a few numbers.
const PART: u64 = 4096;

/// The body of a file that was accepted.
///
/// The signature covers one hash over the whole file. Of a public file, which may lie in a folder that others write to, the
/// hash of every block is kept beside it, so that a piece that is read later is the one that was signed, even if the file was
/// changed in its place meanwhile. A secret file is its owner's alone (mode 0600).
pub(crate) struct BodyFile {
    path: PathBuf,
    sender: PartyName,
    kind: Kind,
    source: Source,
    /// Where the body begins.
    start: u64,
    /// Its bytes.
    size: u64,
    /// The hashes of its blocks, unless it is secret.
    blocks: Vec<Digest>,
}

impl BodyFile {
    /// Opens a file and accepts it only if it is what the receiver expects, signed by the pinned key: the checks of
    /// [`crate::read`], in one pass over the file. `decode` finds its way in the body.
    pub fn open<T>(
        kind: Kind,
        path: &Path,
        expect: &Expect<'_>,
        trust: &TrustFile,
        decode: impl FnOnce(&Self) -> Result<T, WireError>,
    ) -> Result<(Self, T), WireError> {
        if kind.is_secret() {
            storage::on_this_machine(path)?;
        }
        let source = storage::open_from(path, expect.sender, file_limit(kind))?;
        if trust.key(expect.sender).is_none() {
            return Err(WireError::NotPinned { party: expect.sender.clone() });
        }
        let (path, sender) = (path.to_owned(), expect.sender.clone());
        let mut body = Self { path, sender, kind, source, start: 0, size: 0, blocks: Vec::new() };
        body.verify(expect, trust)?;
        let decoded = decode(&body)?;
        if kind.is_secret() {
            storage::check_private(&body.path)?;
        }
        Ok((body, decoded))
    }

    fn verify(&mut self, expect: &Expect<'_>, trust: &TrustFile) -> Result<(), WireError> {
        let mut begin = buffer(self.source.size().min(Head::MOST));
        self.read_file(0, &mut begin)?;
        let mut rest = begin.as_slice();
        let head = Head::take(&mut rest, Some(self.kind)).map_err(|fault| self.refused(fault))?;
        self.start = (begin.len() - rest.len()) as u64;
        self.size = head.body;
        let end = self.start + self.size;
        let whole = end + SIGNATURE as u64;
        if self.source.size() < whole {
            return Err(self.refused(Fault::Truncated));
        }
        if self.source.size() > whole {
            let extra = self.source.size() - whole;
            return Err(self.refused(Fault::TrailingBytes { extra }));
        }
        let header = head.header_from(expect.sender).map_err(|fault| self.refused(fault))?;

        let mut hasher = blake3::Hasher::new();
        hasher.update(begin.get(..begin.len() - rest.len()).unwrap_or_default());
        let mut block = buffer(BLOCK as u64);
        let mut at = self.start;
        while at < end {
            let length = usize::try_from(end - at).unwrap_or(BLOCK).min(BLOCK);
            block.truncate(length);
            self.read_file(at, &mut block)?;
            hasher.update(&block);
            if !self.kind.is_secret() {
                self.blocks.push(Digest::of(&block));
            }
            at += length as u64;
        }
        let mut signature = [0; SIGNATURE];
        self.read_file(end, &mut signature)?;
        check_signature(self.kind, &hasher.finalize(), &signature, expect.sender, trust)
            .and_then(|()| match expect.context {
                Some(context) => check_context(context, &header.context),
                None => Ok(()),
            })
            .map_err(|fault| self.refused(fault))
    }

    /// Fills `piece` with the bytes of the body from `start` on.
    pub fn read(&self, start: u64, piece: &mut [u8]) -> Result<(), WireError> {
        if self.kind.is_secret() {
            self.after(start, piece.len() as u64, 1)?;
            return self.read_file(self.start + start, piece);
        }
        let mut block = buffer(BLOCK as u64);
        let (mut at, mut rest) = (start, piece);
        while !rest.is_empty() {
            let number = at / BLOCK as u64;
            let begin = number * BLOCK as u64;
            let length = self.size.saturating_sub(begin).min(BLOCK as u64);
            block.resize(usize::try_from(length).unwrap_or(BLOCK), 0);
            self.read_file(self.start + begin, &mut block)?;
            let known = usize::try_from(number).ok().and_then(|number| self.blocks.get(number));
            let skipped = usize::try_from(at - begin).unwrap_or(BLOCK);
            let Some(from) = block.get(skipped..).filter(|from| !from.is_empty()) else {
                return Err(self.cut_short());
            };
            if known != Some(&Digest::of(&block)) {
                let detail = "the file was changed after its signature had been checked";
                return Err(self.refused(Fault::Content { detail }));
            }
            let count = from.len().min(rest.len());
            let (filled, empty) = rest.split_at_mut(count);
            filled.copy_from_slice(from.get(..count).unwrap_or_default());
            rest = empty;
            at += count as u64;
        }
        Ok(())
    }

    /// Decodes a fixed part of the body that begins at `start`. What it has of its own is wiped by `T`.
    pub fn part<T: DeserializeOwned>(&self, start: u64) -> Result<T, WireError> {
        let mut bytes = buffer(self.size.saturating_sub(start).min(PART));
        self.read(start, &mut bytes)?;
        codec::decode_start(&bytes, self.kind.limit())
            .map_err(|reason| self.refused(Fault::Form { part: "body", reason }))
    }

    /// Where `count` pieces of `width` bytes end that begin at `start`; an error if the body ends before.
    pub fn after(&self, start: u64, count: u64, width: u64) -> Result<u64, WireError> {
        let end = count.checked_mul(width).and_then(|bytes| start.checked_add(bytes));
        end.filter(|end| *end <= self.size).ok_or_else(|| self.cut_short())
    }

    /// Refuses a body that goes on after `end`.
    pub fn ends_at(&self, end: u64) -> Result<(), WireError> {
        if end == self.size {
            return Ok(());
        }
        Err(self.refused(Fault::Form { part: "body", reason: codec::goes_on() }))
    }

    /// The file, refused.
    pub fn refused(&self, fault: Fault) -> WireError {
        WireError::refused(&self.path, &self.sender, fault)
    }

    fn cut_short(&self) -> WireError {
        self.refused(Fault::Form { part: "body", reason: codec::cut_short() })
    }

    fn read_file(&self, start: u64, buffer: &mut [u8]) -> Result<(), WireError> {
        self.source.read(start, buffer).map_err(|e| WireError::io(&self.path, "read", e))
    }
}

/// A buffer that is wiped.
fn buffer(size: u64) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(vec![0; usize::try_from(size).unwrap_or(0)])
}
