//! Why nothing could be submitted.

use blindtier_engine::EngineError;
use blindtier_ledger::Exclusion;
use blindtier_wire::{PartyName, WireError};
use std::path::PathBuf;

/// Why nothing could be submitted. The engine's range error shows a value: show it to the submitter's own staff only.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SubmissionError {
    /// A file was refused or could not be written.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The ledger is not believed, or lacks something.
    #[error(transparent)]
    Ledger(#[from] blindtier_ledger::LedgerError),
    /// The ledger does not have the submission.
    #[error(
        "{}: the ledger does not have this submission of {submitter}; hand the manifest to the trustees and wait until a \
         majority has signed it, before anybody gets a ciphertext", file.display()
    )]
    NotRegistered {
        /// The manifest.
        file: PathBuf,
        /// The submitter.
        submitter: PartyName,
    },
    /// The trustees go on without this submitter.
    #[error("{}: the ledger leaves {submitter} out of the round: {reason}; nothing is to be handed over", file.display())]
    LeftOut {
        /// The manifest.
        file: PathBuf,
        /// The submitter.
        submitter: PartyName,
        /// Why.
        reason: Exclusion,
    },
    /// The round does not ask this party.
    #[error("{}: the round does not ask {party} for columns; nothing is to be submitted", file.display())]
    NotInvited {
        /// The round file.
        file: PathBuf,
        /// The party.
        party: PartyName,
    },
    /// The engine refuses the public key.
    #[error("{} from {culprit}: {source}; ask this party for the key of this round", file.display())]
    Key {
        /// The key file.
        file: PathBuf,
        /// Who made the key.
        culprit: PartyName,
        /// The engine's reason.
        source: EngineError,
    },
    /// There is no value.
    #[error("chunk {chunk}: {source}; correct it and submit again")]
    Source {
        /// The chunk.
        chunk: u32,
        /// The reason.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The values do not fit the plan.
    #[error(
        "chunk {chunk}: there are not {columns} columns of {slots} values; use the plan of this round"
    )]
    Shape {
        /// The chunk.
        chunk: u32,
        /// Columns that were announced.
        columns: usize,
        /// Slots of the chunk.
        slots: u32,
    },
    /// The engine refuses the values.
    #[error("chunk {chunk}: {source}; correct what the values come from and submit again")]
    Encrypt {
        /// The chunk.
        chunk: u32,
        /// The engine's reason.
        source: EngineError,
    },
}

impl SubmissionError {
    /// The other parties to turn to; none when the fault is the submitter's own.
    pub fn culprits(&self) -> Vec<PartyName> {
        match self {
            Self::Wire(e) => e.culprit().into_iter().cloned().collect(),
            Self::Ledger(e) => e.culprits(),
            Self::Key { culprit, .. } => vec![culprit.clone()],
            _ => Vec::new(),
        }
    }
}
