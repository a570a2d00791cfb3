//! Why a letter could not be read.

use crate::list;
use blindtier_ledger::LedgerError;
use blindtier_wire::{PartyName, RoundId, WireError};
use std::path::PathBuf;

/// Why a letter could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FamilyError {
    /// A file was refused or could not be written.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The ledger is not believed, or lacks something.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The round has no slot for this key.
    #[error("{}: this round has no family with this letter key; ask the registrar, or use the key you registered", file.display())]
    NotInRound {
        /// The letter keys.
        file: PathBuf,
    },
    /// A letter cannot be opened.
    #[error("{} from {culprit}: the letter of slot {slot} cannot be opened with its family's key; appeal to this party", file.display())]
    Unreadable {
        /// The letter chunk.
        file: PathBuf,
        /// Who sealed it.
        culprit: PartyName,
        /// The slot.
        slot: u32,
    },
    /// A letter has a seed that is not the one that was committed to.
    #[error("{} from {culprit}: the letter of slot {slot} has another seed for share {share} than was committed to; appeal to this party", file.display())]
    WrongSeed {
        /// The folder of letters.
        file: PathBuf,
        /// Who sealed it.
        culprit: PartyName,
        /// The slot.
        slot: u32,
        /// The share.
        share: u32,
    },
    /// No letter has the seed of a share.
    #[error(
        "{}: no letter that can be read has the seed of share {share}; fetch the letters of {}{complaints}",
        folder.display(),
        list(trustees.iter())
    )]
    TooFewLetters {
        /// The folder of letters.
        folder: PathBuf,
        /// The share.
        share: u32,
        /// Who holds it.
        trustees: Vec<PartyName>,
        /// What is wrong with those that are there.
        complaints: String,
    },
    /// The ledger does not say that this slot is opened to this key.
    #[error("{}: the ledger does not say that slot {slot} is opened to the state with this key; nothing is shown", folder.display())]
    NotOpenedToState {
        /// The ledger.
        folder: PathBuf,
        /// The slot.
        slot: u32,
    },
    /// Another round decided the slot anew.
    #[error("{}: round {by} decided slot {slot} anew; have slot {there} of that round opened to the state", folder.display())]
    Corrected {
        /// The ledger.
        folder: PathBuf,
        /// The slot.
        slot: u32,
        /// The correcting round.
        by: RoundId,
        /// The slot there.
        there: u32,
    },
    /// The board has no such slot.
    #[error("{}: the board has nothing of slot {slot}; fetch it again", folder.display())]
    NoSuchSlot {
        /// The board.
        folder: PathBuf,
        /// The slot.
        slot: u32,
    },
}

impl FamilyError {
    /// The parties to turn to; none when the fault is local.
    pub fn culprits(&self) -> Vec<PartyName> {
        match self {
            Self::Wire(e) => e.culprit().into_iter().cloned().collect(),
            Self::Ledger(e) => e.culprits(),
            Self::Unreadable { culprit, .. } | Self::WrongSeed { culprit, .. } => {
                vec![culprit.clone()]
            }
            Self::TooFewLetters { trustees, .. } => trustees.clone(),
            Self::NotInRound { .. } => vec![PartyName::registrar()],
            Self::NotOpenedToState { .. } | Self::Corrected { .. } | Self::NoSuchSlot { .. } => {
                Vec::new()
            }
        }
    }
}
