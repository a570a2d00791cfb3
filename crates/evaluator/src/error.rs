//! Why there is no result.

use blindtier_engine::EngineError;
use blindtier_transcript::TranscriptError;
use blindtier_wire::{PartyName, WireError};
use std::path::PathBuf;

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluatorError {
    /// A file was refused or could not be written.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The ledger is not believed, or lacks something.
    #[error(transparent)]
    Ledger(#[from] blindtier_ledger::LedgerError),
    /// Submissions cannot be used.
    #[error(transparent)]
    Transcript(#[from] TranscriptError),
    /// The engine refuses a key.
    #[error("{} from {culprit}: {source}; ask this party for the key of this round", file.display())]
    Key {
        /// The key file.
        file: PathBuf,
        /// Who made the key.
        culprit: PartyName,
        /// The engine's reason.
        source: EngineError,
    },
    /// What is asked may not be asked.
    #[error("{}: {reason}; nothing is counted", file.display())]
    Question {
        /// The round or ledger that says so.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// The engine refuses to compute a chunk, though it found every submission's part of it valid.
    #[error(
        "chunk {chunk}: {source}; use the release and engine of the round, and if it stays so report it: all submissions are valid"
    )]
    Evaluate {
        /// The chunk.
        chunk: u32,
        /// The engine's reason.
        source: EngineError,
    },
}

impl EvaluatorError {
    /// The parties to turn to; none when the fault is local.
    pub fn culprits(&self) -> Vec<PartyName> {
        match self {
            Self::Wire(e) => e.culprit().into_iter().cloned().collect(),
            Self::Ledger(e) => e.culprits(),
            Self::Transcript(e) => e.culprits(),
            Self::Key { culprit, .. } => vec![culprit.clone()],
            Self::Evaluate { .. } | Self::Question { .. } => Vec::new(),
        }
    }
}
