//! Why an agency could not submit.

use blindtier_engine::EngineError;
use blindtier_wire::{PartyName, WireError};
use std::path::PathBuf;

/// Why an agency could not submit. No message shows a value of the register, but the engine's range error
/// does: show it to the agency's own staff only.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AgencyError {
    /// A file was refused or could not be written.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The register cannot be read. The message may show a cell.
    #[error(transparent)]
    Register(#[from] blindtier_policy::RegisterError),
    /// The ledger is not believed, or lacks something.
    #[error(transparent)]
    Ledger(#[from] blindtier_ledger::LedgerError),
    /// The ledger does not have the submission.
    #[error(
        "{}: the ledger does not have this submission of {agency}; hand the manifest to the trustees and wait until a \
         majority has signed it, before anybody gets a ciphertext", file.display()
    )]
    NotRegistered {
        /// The manifest.
        file: PathBuf,
        /// The agency.
        agency: PartyName,
    },
    /// The round does not ask this agency.
    #[error("{}: the round does not ask {agency} for columns; nothing is to be submitted", file.display())]
    NotInvited {
        /// The round file.
        file: PathBuf,
        /// The agency.
        agency: PartyName,
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
    /// The register gives no value.
    #[error("chunk {chunk}: {source}; correct the register and submit again")]
    Source {
        /// The chunk.
        chunk: u32,
        /// The reason.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The column source does not fit the plan.
    #[error(
        "chunk {chunk}: the register does not give {columns} columns of {slots} values; use the plan of this round"
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
    #[error("chunk {chunk}: {source}; correct the register and submit again")]
    Encrypt {
        /// The chunk.
        chunk: u32,
        /// The engine's reason.
        source: EngineError,
    },
}

impl AgencyError {
    /// The other party to turn to; `None` when the fault is the agency's own.
    pub fn culprit(&self) -> Option<&PartyName> {
        match self {
            Self::Wire(e) => e.culprit(),
            Self::Ledger(e) => e.culprit(),
            Self::Key { culprit, .. } => Some(culprit),
            _ => None,
        }
    }
}
