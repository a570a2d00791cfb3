//! Why there is no result.

use blindtier_engine::EngineError;
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
    /// The engine refuses a chunk. The engine sees all agencies' chunks at once and cannot say whose is to blame
    /// unless its reason does.
    #[error(
        "chunk {chunk} ({}): {source}; ask the agencies to check and begin a new round",
        listed(files)
    )]
    Evaluate {
        /// The chunk.
        chunk: u32,
        /// The agencies' files, in the order of the round.
        files: Vec<PathBuf>,
        /// The engine's reason.
        source: EngineError,
    },
}

fn listed(files: &[PathBuf]) -> String {
    files.iter().map(|f| f.display().to_string()).collect::<Vec<_>>().join(", ")
}

impl EvaluatorError {
    /// The party to turn to; `None` when the fault is local or cannot be assigned.
    pub fn culprit(&self) -> Option<&PartyName> {
        match self {
            Self::Wire(e) => e.culprit(),
            Self::Key { culprit, .. } => Some(culprit),
            Self::Ledger(e) => e.culprit(),
            _ => None,
        }
    }
}
