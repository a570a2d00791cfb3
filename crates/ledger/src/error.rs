//! Why a ledger is not believed or not continued.

use blindtier_wire::{Digest, PartyName, WireError};
use std::path::PathBuf;

/// Why a ledger is not believed or not continued.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// A file was refused or could not be written.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// Two trustees signed different entries for one place.
    #[error("{}: {one} and {other} signed different entries {index}: the ledger was forked; compare the copies of all trustees", folder.display())]
    Forked {
        /// The ledger.
        folder: PathBuf,
        /// The place.
        index: u32,
        /// Who signed one entry.
        one: PartyName,
        /// Who signed another.
        other: PartyName,
    },
    /// Entries follow one that has no majority.
    #[error("{}: entry {index} has {found} signatures and needs {needed}, yet others follow it; fetch the missing signatures", folder.display())]
    Unsigned {
        /// The ledger.
        folder: PathBuf,
        /// The place.
        index: u32,
        /// Signatures found.
        found: usize,
        /// Signatures needed.
        needed: usize,
    },
    /// An entry stands in the wrong place.
    #[error("{}: entry {index} does not continue the entry before it: entries were cut out or reordered; fetch the ledger from another trustee", folder.display())]
    Broken {
        /// The ledger.
        folder: PathBuf,
        /// The place.
        index: u32,
    },
    /// An entry says what cannot happen at this point of a round.
    #[error("{}: entry {index} cannot follow: {reason}", folder.display())]
    Order {
        /// The ledger.
        folder: PathBuf,
        /// The place.
        index: u32,
        /// What is wrong.
        reason: &'static str,
    },
    /// The ledger does not contain a known entry.
    #[error("{}: the ledger has no entry {head}: its end was cut off, or it is another ledger; fetch it from another trustee", folder.display())]
    Cut {
        /// The ledger.
        folder: PathBuf,
        /// The entry that a letter or a trustee has seen.
        head: Digest,
    },
    /// Something has to be in the ledger first.
    #[error("{}: {what} not in the ledger yet; wait until a majority of the trustees signed it", folder.display())]
    Missing {
        /// The ledger.
        folder: PathBuf,
        /// What is missing.
        what: &'static str,
    },
    /// This trustee signed another entry for the same place.
    #[error("{}: this trustee signed another entry {index} of this round, {signed}; a second one would fork the ledger", record.display())]
    AlreadySigned {
        /// The trustee's record.
        record: PathBuf,
        /// The place.
        index: u32,
        /// Hash of the entry that was signed.
        signed: String,
    },
}

impl LedgerError {
    /// The parties to turn to; none when the fault is the reader's own or nobody's in particular.
    pub fn culprits(&self) -> Vec<PartyName> {
        match self {
            Self::Wire(e) => e.culprit().into_iter().cloned().collect(),
            Self::Forked { one, other, .. } => vec![one.clone(), other.clone()],
            Self::Unsigned { .. }
            | Self::Broken { .. }
            | Self::Order { .. }
            | Self::Cut { .. }
            | Self::Missing { .. }
            | Self::AlreadySigned { .. } => Vec::new(),
        }
    }
}
