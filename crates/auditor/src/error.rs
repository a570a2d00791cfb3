//! Why a round does not pass.

use blindtier_engine::EngineError;
use blindtier_ledger::LedgerError;
use blindtier_transcript::TranscriptError;
use blindtier_wire::{Fault, PartyName, RoundId, WireError};
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
    /// A submitter was excluded for a chunk that is valid.
    #[error(
        "{submitter} was excluded because of chunk {chunk}, which is valid: a quorum of the trustees excluded it wrongly; ask them, and keep this board"
    )]
    WronglyExcluded {
        /// Who.
        submitter: PartyName,
        /// The chunk.
        chunk: u32,
    },
    /// A recorded correction is not the one on the board.
    #[error("{}: the round that lies there is not the one that the ledger has as correction, or was opened otherwise; fetch it again", folder.display())]
    OtherCorrection {
        /// The correcting board.
        folder: PathBuf,
    },
    /// A file is no evidence.
    #[error("{}: {fault}; this is no evidence", file.display())]
    NotSigned {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        fault: Fault,
    },
    /// Two files may both have been signed.
    #[error("{} and {} do not contradict each other: {why}", one.display(), other.display())]
    NoContradiction {
        /// One file.
        one: PathBuf,
        /// The other.
        other: PathBuf,
        /// Why they do not.
        why: &'static str,
    },
    /// A proof shows a tier that was decided anew.
    #[error("{}: round {by} decided slot {slot} anew; ask for a proof of slot {there} of that round", file.display())]
    Corrected {
        /// The proof.
        file: PathBuf,
        /// The slot.
        slot: u32,
        /// The correcting round.
        by: RoundId,
        /// The slot there.
        there: u32,
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
    /// An answer about groups of families is not what was shown.
    #[error("{}: the answer to question {number} is not what the trustees' partial decryptions come to; a majority of trustees signed something else; do not publish it", folder.display())]
    OtherAnswer {
        /// The ledger.
        folder: PathBuf,
        /// The question, from 1.
        number: u32,
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
    /// The parties to turn to; none when the fault is the auditor's own or that of many.
    pub fn culprits(&self) -> Vec<PartyName> {
        match self {
            Self::Wire(e) => e.culprit().into_iter().cloned().collect(),
            Self::Key { culprit, .. } => vec![culprit.clone()],
            Self::Transcript(e) => e.culprits(),
            Self::Ledger(e) => e.culprits(),
            Self::NoSuchChunk { .. }
            | Self::Engine(_)
            | Self::OtherOpening { .. }
            | Self::WronglyExcluded { .. }
            | Self::OtherCorrection { .. }
            | Self::NotSigned { .. }
            | Self::NoContradiction { .. }
            | Self::Corrected { .. }
            | Self::OtherAnswer { .. }
            | Self::ProofRound { .. }
            | Self::ProofSlot { .. }
            | Self::Proof { .. } => Vec::new(),
        }
    }
}
