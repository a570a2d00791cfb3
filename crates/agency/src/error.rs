//! Why an agency could not take part.

use blindtier_linkage::LinkageError;
use blindtier_submission::SubmissionError;
use blindtier_wire::{PartyName, WireError};
use std::path::PathBuf;

/// Why an agency could not take part. Messages about a register may show a cell, a person or, from the engine, a value: show
/// them to the agency's own staff only.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AgencyError {
    /// A file was refused or could not be written.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The register cannot be read. The message may show a cell.
    #[error(transparent)]
    Register(#[from] blindtier_policy::RegisterError),
    /// Nothing could be submitted.
    #[error(transparent)]
    Submission(#[from] SubmissionError),
    /// The request could not be made. Persons are named by their position among the register's, in ascending order.
    #[error(transparent)]
    Linkage(#[from] LinkageError),
    /// The register has more persons than the round's requests.
    #[error(
        "{}: the register has more persons than a request of this round, which has {size}; ask the registrar for a round with requests of {enough} persons, or take persons out of the register that the round is not about", file.display()
    )]
    TooManyPersons {
        /// The register.
        file: PathBuf,
        /// Persons of a request.
        size: usize,
        /// A power of two that would be enough: it tells the registrar no more than it has to know.
        enough: usize,
    },
    /// A person came into the register after the request was made.
    #[error(
        "{}, line {line}: the request of this round does not ask about this person, and there is no second one; use the register that the request was made from", file.display()
    )]
    NotAsked {
        /// The register.
        file: PathBuf,
        /// The line, counted from 1.
        line: u64,
    },
    /// The round needs the registrar's answer.
    #[error(
        "{}: in this round the registrar has to answer this agency's request first; make the request (`agency link`), hand it to the registrar, and give its answer and the private folder", file.display()
    )]
    NeedsAnswer {
        /// The round file.
        file: PathBuf,
    },
    /// The round needs no request.
    #[error(
        "{}: in this round the roster has the key to this agency's pseudonyms; submit without a request and an answer", file.display()
    )]
    NeedsNoAnswer {
        /// The round file.
        file: PathBuf,
    },
    /// The report has no form as CSV.
    #[error("{}: cannot write the report: {source}; submit without it", file.display())]
    Report {
        /// The report.
        file: PathBuf,
        /// The reason.
        source: csv::Error,
    },
    /// The registrar's answer does not answer the request.
    #[error("{} from {culprit}: {source}; ask this party to answer the request again", file.display())]
    Answer {
        /// The answer.
        file: PathBuf,
        /// The registrar.
        culprit: PartyName,
        /// What is wrong.
        source: LinkageError,
    },
}

impl AgencyError {
    /// The other parties to turn to; none when the fault is the agency's own.
    pub fn culprits(&self) -> Vec<PartyName> {
        match self {
            Self::Wire(e) => e.culprit().into_iter().cloned().collect(),
            Self::Submission(e) => e.culprits(),
            Self::Answer { culprit, .. } => vec![culprit.clone()],
            _ => Vec::new(),
        }
    }
}
