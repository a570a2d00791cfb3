//! What trustees, or a dealer, say to each other while a key is made. All of it is public.

use crate::envelope::Message;
use crate::error::Fault;
use crate::kind::Kind;
use crate::names::Digest;
use serde::{Deserialize, Serialize};

/// What the maker of a share commits to before anybody shows anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareCommitment {
    /// Number of the share.
    pub share: u32,
    /// [`crate::Share::commitment`].
    pub commitment: Digest,
    /// Hash of the share's first message; with a dealer there are no messages.
    pub first: Option<Digest>,
}

/// Commitments to the shares that the sender makes: those of one trustee, or all of them from a dealer.
///
/// First messages are committed to because whoever sees the others' could otherwise choose its own so that the sum is a
/// key of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareCommitments {
    /// Ascending by share.
    pub shares: Vec<ShareCommitment>,
}

impl Message for ShareCommitments {
    const KIND: Kind = Kind::ShareCommitments;

    fn check(&self) -> Result<(), Fault> {
        if self.shares.is_sorted_by(|a, b| a.share < b.share) {
            return Ok(());
        }
        Err(Fault::Content { detail: "the commitments to shares are not ascending" })
    }
}

/// The messages of one step of a key ceremony, for the shares that the sender makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CeremonyMessages {
    /// The step, 1 or 2.
    pub step: u8,
    /// Number of the share, and the engine's bytes. Ascending.
    pub messages: Vec<(u32, serde_bytes::ByteBuf)>,
}

impl Message for CeremonyMessages {
    const KIND: Kind = Kind::CeremonyMessages;

    fn check(&self) -> Result<(), Fault> {
        if !matches!(self.step, 1 | 2) {
            return Err(Fault::Content { detail: "a key ceremony has the steps 1 and 2" });
        }
        if self.messages.is_sorted_by(|a, b| a.0 < b.0) {
            return Ok(());
        }
        Err(Fault::Content { detail: "the messages of the ceremony are not ascending" })
    }
}

/// That a trustee has recomputed the first messages of the shares that it holds, and which first messages it has seen.
///
/// Second messages are given out only when all trustees have said so about the same first messages: with a first message of
/// its own making somebody could read a share off a second one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstsChecked {
    /// Hash of all first messages, in order.
    pub firsts: Digest,
}

impl Message for FirstsChecked {
    const KIND: Kind = Kind::FirstsChecked;
}
