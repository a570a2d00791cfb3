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
    /// An agency hands in a second, different submission.
    #[error(
        "{agency} handed in another submission (manifest {found}) than the one accepted before (manifest \
         {accepted}, recorded in {}); put the accepted one back, or begin a new round", file.display()
    )]
    SecondSubmission {
        /// The record.
        file: PathBuf,
        /// The agency.
        agency: PartyName,
        /// Hash of the accepted manifest.
        accepted: String,
        /// Hash of the new one.
        found: String,
    },
    /// The round was begun with another evaluation key.
    #[error("this round was begun with another evaluation key, recorded in {}; put that key back, or begin a new round", file.display())]
    OtherKey {
        /// The record.
        file: PathBuf,
    },
    /// The record cannot be read.
    #[error("{}: {source}; restore the record from its backup, or begin a new round", file.display())]
    Record {
        /// The record.
        file: PathBuf,
        /// The reason.
        source: Box<toml::de::Error>,
    },
    /// The output folder holds the receipt of another run.
    #[error("{} belongs to other submissions or another key; choose an empty output folder", file.display())]
    OtherReceipt {
        /// The receipt.
        file: PathBuf,
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
            Self::SecondSubmission { agency, .. } => Some(agency),
            _ => None,
        }
    }
}
