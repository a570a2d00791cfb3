//! Why a round does not pass.

use blindtier_engine::EngineError;
use blindtier_ledger::LedgerError;
use blindtier_transcript::TranscriptError;
use blindtier_wire::{PartyName, RoundId, WireError};
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
    /// A result is not what the submissions come to, or was not opened as published.
    #[error(transparent)]
    Transcript(#[from] TranscriptError),
    /// The ledger is not believed, or lacks something.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The engine refuses.
    #[error("{0}")]
    Engine(EngineError),
    /// The partial decryptions open something else than the ledger says.
    #[error(
        "chunk {chunk}: the partial decryptions open other numbers than the ledger has; a majority of the trustees signed a wrong opening"
    )]
    OtherOpening {
        /// The chunk.
        chunk: u32,
    },
    /// A proof is of another round.
    #[error("{}: this proof is of round {found}, not of {expected}; take the board of that round", file.display())]
    ProofRound {
        /// The proof.
        file: PathBuf,
        /// The proof's.
        found: RoundId,
        /// The board's.
        expected: RoundId,
    },
    /// A proof is of a slot that the round does not have.
    #[error("{}: this proof is of slot {slot}, but the round has {slots}; it is not accepted", file.display())]
    ProofSlot {
        /// The proof.
        file: PathBuf,
        /// The proof's.
        slot: u32,
        /// The round's.
        slots: u32,
    },
    /// A proof does not show what was committed to.
    #[error("{}: the seed of share {share} is not the one that was committed to for slot {slot}: this proves nothing; ask for a new proof", file.display())]
    Proof {
        /// The proof.
        file: PathBuf,
        /// The slot.
        slot: u32,
        /// The share.
        share: u32,
    },
}

impl AuditError {
    /// The party to turn to; `None` when the fault is the auditor's own.
    pub fn culprit(&self) -> Option<&PartyName> {
        match self {
            Self::Wire(e) => e.culprit(),
            Self::Key { culprit, .. } => Some(culprit),
            Self::Transcript(e) => e.culprit(),
            Self::Ledger(e) => e.culprit(),
            _ => None,
        }
    }
}
