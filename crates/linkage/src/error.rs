//! Why linkage failed.

/// Why linkage failed. No message shows a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkageError {
    /// The operating system has no random bytes.
    #[error("the operating system gives no random bytes: {0}; nothing was made, try again later")]
    Random(getrandom::Error),
    /// A person identifier is too long.
    #[error(
        "the person identifier at position {position} has {bytes} bytes, more than {}; shorten it at all parties",
        crate::MAX_IDENTIFIER
    )]
    Identifier {
        /// Position in the list of persons.
        position: usize,
        /// Its length.
        bytes: usize,
    },
    /// There are more persons than a request has elements.
    #[error("{persons} persons do not fit a request of {size}")]
    TooManyPersons {
        /// Persons.
        persons: usize,
        /// Elements of a request.
        size: usize,
    },
    /// A list has another length than it has to have.
    #[error("{found} {what} instead of {expected}")]
    Count {
        /// What was counted.
        what: &'static str,
        /// How many there have to be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// An element is no point of the group, not in its one encoding, or the neutral point.
    #[error("the {what} at position {position} is no element of the group")]
    Element {
        /// Which list.
        what: &'static str,
        /// Position in it.
        position: usize,
    },
    /// The public key is no element of the group.
    #[error("the public key is no element of the group")]
    PublicKey,
    /// A proof does not hold: the answers of a batch were not made with the key, or were changed or reordered.
    #[error(
        "the proof of batch {batch} does not hold: its answers were not made with the key of the roster, or not for this request"
    )]
    Proof {
        /// The batch, counted from 0.
        batch: usize,
    },
    /// The library refused what it cannot refuse.
    #[error("the linkage library failed: {0}; please report it")]
    Library(String),
}

impl LinkageError {
    /// For calls whose arguments were checked before.
    pub(crate) fn library(error: &voprf::Error) -> Self {
        Self::Library(error.to_string())
    }
}
