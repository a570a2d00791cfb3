//! Why results are not what the submissions come to.

use blindtier_engine::EngineError;
use blindtier_wire::{PartyName, WireError};
use std::fmt;
use std::path::PathBuf;

/// What is wrong with a submitted chunk.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The reader's own machine failed.
    #[error(transparent)]
    Local(WireError),
    /// The file is not there, or is not the one that the submitter registered.
    #[error(transparent)]
    NotThere(WireError),
    /// The file is the one that the submitter registered, and has no valid form.
    #[error(transparent)]
    Unreadable(WireError),
    /// The engine refuses what is in it.
    #[error("{} from {culprit}: {source}", file.display())]
    Invalid {
        /// The chunk.
        file: PathBuf,
        /// Who submitted it.
        culprit: PartyName,
        /// The engine's reason.
        source: EngineError,
    },
}

/// A submission that cannot be used.
#[derive(Debug)]
pub struct BadSubmission {
    /// Whose.
    pub submitter: PartyName,
    /// The first chunk that is bad; `None` if the manifest is.
    pub chunk: Option<u32>,
    /// What is wrong with it.
    pub trouble: Trouble,
    /// How many more chunks are bad.
    pub more: usize,
}

impl fmt::Display for BadSubmission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { submitter, chunk, trouble, more } = self;
        write!(f, "{trouble}")?;
        if *more > 0 {
            write!(f, " (and {more} more of its chunks are bad)")?;
        }
        match (trouble, chunk) {
            (Trouble::Unreadable(_) | Trouble::Invalid { .. }, Some(chunk)) => write!(
                f,
                "; it is the file that this party registered, so the trustees exclude it (trustee exclude --submitter {submitter} --reason invalid --chunk {chunk})"
            ),
            _ => write!(
                f,
                ", or the trustees exclude it (trustee exclude --submitter {submitter} --reason withheld)"
            ),
        }
    }
}

fn lines(bad: &[BadSubmission]) -> String {
    bad.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Why results are not what the submissions come to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TranscriptError {
    /// A file was refused.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// Submissions cannot be used: one for each submitter that this is about.
    #[error("{}", lines(.0))]
    Submissions(Vec<BadSubmission>),
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
    /// Families could not be counted.
    #[error("counts of part {part}: {source}; use the release and engine of the round")]
    Count {
        /// The part.
        part: u32,
        /// The engine's reason.
        source: EngineError,
    },
    /// Recounted families come to other bytes.
    #[error(
        "{} from {culprit}: counting part {part} again gives other counts; they are wrong and must not be opened",
        file.display()
    )]
    OtherCounts {
        /// The published part.
        file: PathBuf,
        /// Who counted.
        culprit: PartyName,
        /// The part.
        part: u32,
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
    /// The parties to turn to; none when the fault is the reader's own.
    pub fn culprits(&self) -> Vec<PartyName> {
        match self {
            Self::Wire(e) => e.culprit().into_iter().cloned().collect(),
            Self::Submissions(bad) => bad.iter().map(|bad| bad.submitter.clone()).collect(),
            Self::Differs { culprit, .. }
            | Self::Lied { culprit, .. }
            | Self::OtherCounts { culprit, .. } => vec![culprit.clone()],
            Self::Disagree { one, other, .. } => vec![one.clone(), other.clone()],
            Self::Recompute { .. }
            | Self::Lacking { .. }
            | Self::Combine { .. }
            | Self::Count { .. } => Vec::new(),
        }
    }
}
