//! Why a letter could not be read.

use blindtier_wire::{PartyName, WireError};
use std::path::PathBuf;

/// Why a letter could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FamilyError {
    /// A file was refused or could not be written.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The round has no slot for this key.
    #[error("{}: this round has no family with this letter key; ask the registrar, or use the key you registered", file.display())]
    NotInRound {
        /// The letter keys.
        file: PathBuf,
    },
    /// The letter cannot be opened.
    #[error("{} from {culprit}: the letter of slot {slot} cannot be opened with its family's key; appeal to this party", file.display())]
    Unreadable {
        /// The letter chunk.
        file: PathBuf,
        /// Who sealed it.
        culprit: PartyName,
        /// The slot.
        slot: u32,
    },
}

impl FamilyError {
    /// The party to turn to; `None` when the fault is local.
    pub fn culprit(&self) -> Option<&PartyName> {
        match self {
            Self::Wire(e) => e.culprit(),
            Self::NotInRound { .. } => None,
            Self::Unreadable { culprit, .. } => Some(culprit),
        }
    }
}
