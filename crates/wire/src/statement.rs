//! What a trustee states for the ledger.

use crate::envelope::Message;
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
}
