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
    /// Two holders of a share say different things about it, and it is known who is wrong.
    #[error(
        "{} from {culprit}: chunk {chunk}: the {what} of share {share} differs from that of {witnesses}; nothing is \
         opened; begin a new round without {culprit}", file.display()
    )]
    Lied {
        /// The folder of the partial decryptions.
        file: PathBuf,
        /// Who is outvoted, or contradicts what the reader computed itself.
        culprit: PartyName,
        /// The chunk.
        chunk: u32,
        /// The share.
        share: u32,
        /// What differs.
        what: &'static str,
        /// Who says otherwise.
        witnesses: String,
    },
    /// Holders of a share disagree, and there are too few to tell who is right.
    #[error(
        "{}: chunk {chunk}: {one} and {other} disagree about the {what} of share {share}; nothing is opened; a trustee \
         that holds the share can recompute it and tell who lies", file.display()
    )]
    Disagree {
        /// The folder of one of them.
        file: PathBuf,
        /// The chunk.
        chunk: u32,
        /// The share.
        share: u32,
        /// What differs.
        what: &'static str,
        /// One of them.
        one: PartyName,
        /// The other.
        other: PartyName,
    },
    /// No trustee contributes a share.
    #[error(
        "chunk {chunk}: nobody contributes share {share}; fewer trustees open than the threshold"
    )]
    Lacking {
        /// The chunk.
        chunk: u32,
        /// The share.
        share: u32,
    },
    /// Partial decryptions cannot be added up.
    #[error(
        "chunk {chunk}: the partial decryptions do not open: {source}; have all trustees compare their files"
    )]
    Combine {
        /// The chunk.
        chunk: u32,
        /// The engine's reason.
        source: EngineError,
    },
}

impl TranscriptError {
    /// The party to turn to; `None` when the fault is the reader's own.
    pub fn culprit(&self) -> Option<&PartyName> {
        match self {
            Self::Wire(e) => e.culprit(),
            Self::Differs { culprit, .. } | Self::Lied { culprit, .. } => Some(culprit),
            Self::Recompute { .. }
            | Self::Disagree { .. }
            | Self::Lacking { .. }
            | Self::Combine { .. } => None,
        }
    }
}
