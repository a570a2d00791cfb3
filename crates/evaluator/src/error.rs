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
    /// Another process does this.
    #[error("{}: another process of the evaluator works on this round; wait for it or end it", file.display())]
    Busy {
        /// What it holds.
        file: PathBuf,
    },
    /// What is remembered of the round cannot be used.
    #[error("{}: cannot be used: {source}; check the permissions and the free space, or remove this file: what it remembers is found again on the board", file.display())]
    Progress {
        /// The file.
        file: PathBuf,
        /// The reason.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Results of other submissions are in the way.
    #[error("{}: the results here were computed from other submissions; run the evaluator once without --shard", folder.display())]
    Stale {
        /// The results.
        folder: PathBuf,
    },
    /// A machine was told to compute something else than it may.
    #[error("{}: not computed: {reason}; start every machine and the run with the same policy, board and trust file", result.display())]
    Order {
        /// Where the result should have been written.
        result: PathBuf,
        /// Why it was not.
        reason: &'static str,
    },
    /// Other machines do not finish.
    #[error("{}: {missing} chunks have no result, and none came though they were ordered again and again: {source}; see what the executors say, and run this again: what is there is kept", folder.display())]
    Unfinished {
        /// The results.
        folder: PathBuf,
        /// How many there should be besides.
        missing: usize,
        /// What the machines said last.
        source: Box<dyn std::error::Error + Send + Sync>,
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
            Self::Evaluate { .. }
            | Self::Question { .. }
            | Self::Busy { .. }
            | Self::Progress { .. }
            | Self::Order { .. }
            | Self::Unfinished { .. }
            | Self::Stale { .. } => Vec::new(),
        }
    }
}
