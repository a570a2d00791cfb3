//! What the trustee opens: one record a round.

use crate::error::TrusteeError;
use blindtier_wire::{Digest, RoundId, WireError, storage};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

const MAX_RECORD: u64 = 4096;

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    /// Hash of the receipt that is opened.
    receipt: String,
    /// Hash of the manifest of the letters, once they are sealed.
    letters: Option<String>,
}

pub(crate) struct Opening {
    file: PathBuf,
    receipt: String,
}

impl Opening {
    pub(crate) fn new(state: &Path, round: RoundId, receipt: Digest) -> Self {
        Self { file: file(state, round), receipt: receipt.to_string() }
    }

    /// Refuses if the opening of the round has begun, from whatever receipt.
    pub(crate) fn refuse_begun(state: &Path, round: RoundId) -> Result<(), TrusteeError> {
        Self { file: file(state, round), receipt: String::new() }.check().map(|_| ())
    }

    /// Refuses if another receipt of the round was begun; the hash of the letters if they are sealed.
    pub(crate) fn check(&self) -> Result<Option<Digest>, TrusteeError> {
        let Some(bytes) = storage::read_own(&self.file, MAX_RECORD)? else {
            return Ok(None);
        };
        let earlier: Record =
            toml::from_str(&String::from_utf8_lossy(&bytes)).map_err(|source| {
                TrusteeError::Record { file: self.file.clone(), source: Box::new(source) }
            })?;
        if earlier.receipt != self.receipt {
            return Err(TrusteeError::AlreadyOpened {
                file: self.file.clone(),
                receipt: earlier.receipt,
            });
        }
        Ok(earlier.letters.as_deref().and_then(Digest::from_hex))
    }

    /// Makes the record. Of two processes that begin at once with different receipts one is refused.
    pub(crate) fn begin(&self) -> Result<(), TrusteeError> {
        if !storage::create_once(&self.file, self.text(None)?.as_bytes())? {
            self.check()?;
        }
        Ok(())
    }

    pub(crate) fn finish(&self, letters: Digest) -> Result<(), TrusteeError> {
        Ok(storage::write_secret(&self.file, self.text(Some(letters))?.as_bytes())?)
    }

    fn text(&self, letters: Option<Digest>) -> Result<String, WireError> {
        let letters = letters.map(|digest| digest.to_string());
        toml::to_string(&Record { receipt: self.receipt.clone(), letters }).map_err(|e| {
            WireError::Io {
                file: self.file.clone(),
                action: "encode the record",
                source: std::io::Error::other(e),
            }
        })
    }
}

fn file(state: &Path, round: RoundId) -> PathBuf {
    state.join(format!("opened-{round}.toml"))
}
