//! Why a round does not pass.

use blindtier_engine::EngineError;
use blindtier_transcript::TranscriptError;
use blindtier_wire::{PartyName, WireError};
use std::path::PathBuf;

/// Why a round does not pass.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// A file was refused.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The engine refuses the evaluation key.
    #[error("{} from {culprit}: {source}; ask this party for the key of this round", file.display())]
    Key {
        /// The key file.
        file: PathBuf,
        /// Who made the key.
        culprit: PartyName,
        /// The engine's reason.
        source: EngineError,
    },
    /// A chunk to recompute does not exist.
    #[error("there is no chunk {chunk}: the round has {chunks}, counted from 0; choose among them")]
    NoSuchChunk {
        /// What was asked for.
        chunk: u32,
        /// How many there are.
        chunks: u32,
    },
    /// A result is not what the submissions come to.
    #[error(transparent)]
    Transcript(#[from] TranscriptError),
}

impl AuditError {
    /// The party to turn to; `None` when the fault is the auditor's own.
    pub fn culprit(&self) -> Option<&PartyName> {
        match self {
            Self::Wire(e) => e.culprit(),
            Self::Key { culprit, .. } => Some(culprit),
            Self::Transcript(e) => e.culprit(),
            _ => None,
        }
    }
}
