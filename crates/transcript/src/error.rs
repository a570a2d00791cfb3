//! Why results are not what the submissions come to.

use blindtier_engine::EngineError;
use blindtier_wire::{PartyName, WireError};
use std::path::PathBuf;

/// Why results are not what the submissions come to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TranscriptError {
    /// A file was refused.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// A chunk could not be recomputed.
    #[error("{}: chunk {chunk} cannot be recomputed: {source}; use the release and engine of the round", file.display())]
    Recompute {
        /// The chunk.
        chunk: u32,
        /// The published result.
        file: PathBuf,
        /// The engine's reason.
        source: EngineError,
    },
    /// A recomputed chunk has other bytes.
    #[error(
        "{} from {culprit}: recomputing chunk {chunk} gives another result; recompute it on the evaluator's \
         platform ({platform}), and if it stays so the result is wrong and must not be opened", file.display()
    )]
    Differs {
        /// The published result.
        file: PathBuf,
        /// Who computed it.
        culprit: PartyName,
        /// The chunk.
        chunk: u32,
        /// What the receipt says of the evaluator's machine.
        platform: String,
    },
}

impl TranscriptError {
    /// The party to turn to; `None` when the fault is the reader's own.
    pub fn culprit(&self) -> Option<&PartyName> {
        match self {
            Self::Wire(e) => e.culprit(),
            Self::Differs { culprit, .. } => Some(culprit),
            Self::Recompute { .. } => None,
        }
    }
}
