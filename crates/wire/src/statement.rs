//! What a trustee states for the ledger.

use crate::envelope::Message;
use crate::error::Fault;
use crate::kind::Kind;
use crate::names::PartyName;
use serde::{Deserialize, Serialize};

/// What a trustee states; the others sign an entry about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Statement {
    /// It does not open, and why.
    Refusal {
        /// Whose file it refuses, if it is another's.
        culprit: Option<PartyName>,
        /// Why.
        reason: String,
    },
    /// It destroyed its shares.
    Destroyed,
}

impl Message for Statement {
    const KIND: Kind = Kind::Statement;

    /// A reason that no entry of the ledger could repeat would keep the others from signing one.
    fn check(&self) -> Result<(), Fault> {
        match self {
            Self::Refusal { reason, .. } => check_reason(reason),
            Self::Destroyed => Ok(()),
        }
    }
}

/// The most characters of a reason.
pub const MAX_REASON: usize = 500;

/// Refuses a reason that says nothing or too much.
pub fn check_reason(reason: &str) -> Result<(), Fault> {
    if reason.trim().is_empty() || reason.chars().count() > MAX_REASON {
        return Err(Fault::Content { detail: "a reason has between 1 and 500 characters" });
    }
    Ok(())
}
