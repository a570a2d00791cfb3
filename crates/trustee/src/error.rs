//! Why nothing was opened.

use blindtier_engine::EngineError;
use blindtier_transcript::TranscriptError;
use blindtier_wire::{PartyName, WireError};
use std::path::PathBuf;

/// Why keys could not be stored or a round not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrusteeError {
    /// A file was refused or could not be written.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// There is a secret key already.
    #[error("{} exists: a secret key is never replaced; choose another folder for another round", file.display())]
    KeysExist {
        /// Its file.
        file: PathBuf,
    },
    /// The engine refuses the trustee's own secret key.
    #[error("{}: {source}; take the key of this round, from its backup if need be", file.display())]
    Key {
        /// The key file.
        file: PathBuf,
        /// The engine's reason.
        source: EngineError,
    },
    /// The round was opened, or is being opened from another receipt.
    #[error(
        "this round was opened from receipt {receipt}, recorded in {}; a round is opened once: keep its letters, \
         or begin a new round", file.display()
    )]
    AlreadyOpened {
        /// The record.
        file: PathBuf,
        /// Hash of the receipt that was opened.
        receipt: String,
    },
    /// The record cannot be read.
    #[error("{}: {source}; restore the record from its backup: without it nothing is opened", file.display())]
    Record {
        /// The record.
        file: PathBuf,
        /// The reason.
        source: Box<toml::de::Error>,
    },
    /// The engine refuses results.
    #[error("{} from {culprit}: {source}; have the auditor recompute this chunk", file.display())]
    Open {
        /// The result chunk.
        file: PathBuf,
        /// Who computed it.
        culprit: PartyName,
        /// The engine's reason.
        source: EngineError,
    },
    /// A result is not what the submissions come to.
    #[error(transparent)]
    Transcript(#[from] TranscriptError),
    /// Nothing can be sealed to a letter key.
    #[error("{}: nothing can be sealed to the letter key of slot {slot}; ask the registrar for a new round", file.display())]
    Seal {
        /// The letter keys.
        file: PathBuf,
        /// The slot.
        slot: u32,
    },
}

impl TrusteeError {
    /// The other party to turn to; `None` when the fault is the trustee's own.
    pub fn culprit(&self) -> Option<&PartyName> {
        match self {
            Self::Wire(e) => e.culprit(),
            Self::Open { culprit, .. } => Some(culprit),
            Self::Transcript(e) => e.culprit(),
            _ => None,
        }
    }
}
