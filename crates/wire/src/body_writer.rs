//! Signed files that are written in pieces, for bodies that are not in memory as a whole.

use crate::envelope::{Context, beginning, signed_text};
use crate::error::{Fault, WireError};
use crate::identity::SigningIdentity;
use crate::kind::Kind;
use crate::names::Digest;
use crate::storage::Unfinished;
use std::path::Path;
use zeroize::Zeroizing;

/// Bytes that are hashed and written at once.
const PIECE: usize = 1 << 18;

/// Writes the file that [`crate::write`] would write of the same body, which comes in pieces. Until it is finished there is
/// no file, and an older one stays.
pub(crate) struct BodyWriter<'a> {
    kind: Kind,
    path: &'a Path,
    identity: &'a SigningIdentity,
    file: Unfinished,
    hasher: blake3::Hasher,
    piece: Zeroizing<Vec<u8>>,
    /// Bytes of the body that were announced and that came.
    announced: u64,
    came: u64,
}

impl<'a> BodyWriter<'a> {
    /// Begins a file whose body has `size` bytes.
    pub fn begin(
        kind: Kind,
        path: &'a Path,
        size: u64,
        context: &Context,
        identity: &'a SigningIdentity,
    ) -> Result<Self, WireError> {
        let unwritable = |fault| WireError::unwritable(path, kind, fault);
        if size > kind.limit() {
            let reason = Box::new(bincode::ErrorKind::SizeLimit);
            return Err(unwritable(Fault::Form { part: "body", reason }));
        }
        let beginning = beginning(kind, size, context, identity).map_err(unwritable)?;
        let mut writer = Self {
            kind,
            path,
            identity,
            file: Unfinished::begin(path, kind.is_secret())?,
            hasher: blake3::Hasher::new(),
            piece: Zeroizing::new(Vec::with_capacity(PIECE)),
            announced: size,
            came: 0,
        };
        writer.append(&beginning)?;
        Ok(writer)
    }

    /// Takes the next bytes of the body.
    ///
    /// # Errors
    /// They are more than were announced, or the file cannot be written.
    pub fn put(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        self.came = self.came.saturating_add(bytes.len() as u64);
        if self.came > self.announced {
            return Err(self.refused("the body is longer than announced"));
        }
        self.append(bytes)
    }

    /// The error of a body that contradicts itself.
    pub fn refused(&self, detail: &'static str) -> WireError {
        WireError::unwritable(self.path, self.kind, Fault::Content { detail })
    }

    /// Signs the file and puts it in its place; its hash comes back.
    ///
    /// # Errors
    /// Not as many bytes came as were announced, or the file cannot be written.
    pub fn finish(mut self) -> Result<Digest, WireError> {
        if self.came != self.announced {
            return Err(self.refused("the body has another length than announced"));
        }
        self.flush()?;
        let signature = self.identity.sign(&signed_text(self.kind, self.hasher.finalize()));
        self.append(&signature)?;
        self.flush()?;
        self.file.finish()?;
        Ok(Digest(self.hasher.finalize().into()))
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
        self.hasher.update(&self.piece);
        self.file.write(&self.piece)?;
        self.piece.clear();
        Ok(())
    }
}
