//! What the trustee opened: one record a round.

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
    /// Whether its letters are finished.
    finished: bool,
}

pub(crate) struct Opening {
    file: PathBuf,
    receipt: String,
}

impl Opening {
    pub(crate) fn new(state: &Path, round: RoundId, receipt: Digest) -> Self {
        Self { file: state.join(format!("opened-{round}.toml")), receipt: receipt.to_string() }
    }

    /// Refuses if the round was opened, or if another receipt of it was begun.
    pub(crate) fn check(&self) -> Result<(), TrusteeError> {
        let Some(bytes) = storage::read_own(&self.file, MAX_RECORD)? else {
            return Ok(());
        };
        let earlier: Record =
            toml::from_str(&String::from_utf8_lossy(&bytes)).map_err(|source| {
                TrusteeError::Record { file: self.file.clone(), source: Box::new(source) }
            })?;
        if earlier.finished || earlier.receipt != self.receipt {
            return Err(TrusteeError::AlreadyOpened {
                file: self.file.clone(),
                receipt: earlier.receipt,
            });
        }
        Ok(())
    }

    /// Makes the record. Of two processes that begin at once with different receipts one is refused.
    pub(crate) fn begin(&self) -> Result<(), TrusteeError> {
        if storage::create_once(&self.file, self.text(false)?.as_bytes())? {
            Ok(())
        } else {
            self.check()
        }
    }

    pub(crate) fn finish(&self) -> Result<(), TrusteeError> {
        Ok(storage::write_secret(&self.file, self.text(true)?.as_bytes())?)
    }

    fn text(&self, finished: bool) -> Result<String, WireError> {
        toml::to_string(&Record { receipt: self.receipt.clone(), finished }).map_err(|e| {
            WireError::Io {
                file: self.file.clone(),
                action: "encode the record",
                source: std::io::Error::other(e),
            }
        })
    }
}
