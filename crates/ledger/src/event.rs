//! What a ledger records.

use blindtier_wire::{
    Digest, Fault, Kind, Message, PartyName, Sharing, SubmissionEntry, check_reason,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Something that happened in a round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// The keys were made: the first entry. The round's name covers policy, roster size and letter keys.
    Keys {
        /// Hash of the public-key file.
        public_key: Digest,
        /// Hash of the evaluation-key file.
        evaluation_key: Digest,
        /// Hash of the opening-key file, with an engine that has one.
        opening_key: Option<Digest>,
        /// Commitment to each share, in order.
        shares: Vec<Digest>,
        /// The letter keys of the roster.
        letter_keys: Digest,
    },
    /// Every agency's manifest, before any ciphertext leaves its owner.
    Submissions(Vec<SubmissionEntry>),
    /// The receipt that trustees recomputed, and the hash of each one's manifest of partial decryptions and commitments,
    /// before any of them is shown.
    Committed {
        /// Hash of the receipt.
        receipt: Digest,
        /// Who opens, and the hash of its manifest. Ascending.
        partials: Vec<(PartyName, Digest)>,
    },
    /// The hash of the opened numbers of each chunk.
    Opened(Vec<Digest>),
    /// A trustee refused.
    Refused {
        /// Who refused.
        trustee: PartyName,
        /// Whose file it refused, if it was another's.
        culprit: Option<PartyName>,
        /// Why.
        reason: String,
    },
    /// A tier is opened to the state as well.
    StateOpening {
        /// Whose tier.
        slot: u32,
        /// Why.
        reason: String,
        /// The state's key, which seeds are sealed to.
        key: [u8; 32],
    },
    /// A trustee destroyed its shares.
    Destroyed(PartyName),
}

impl Event {
    /// How many signatures record it. What everything later builds on must not exist twice: the keys, and the list of
    /// submissions, of which a second one could contain copies of the first's ciphertexts. Later entries about the same
    /// submissions come to the same whoever signs them, and a round has to go on when a trustee is lost.
    pub fn signatures(&self, sharing: Sharing) -> usize {
        match self {
            Self::Keys { .. } | Self::Submissions(_) => sharing.quorum(),
            _ => sharing.majority(),
        }
    }
}

/// One entry. Its place and what went before are part of what is signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Position, from 0.
    pub index: u32,
    /// Hash of the entry before; of the round for the first.
    pub previous: Digest,
    /// What happened.
    pub event: Event,
}

/// A trustee's signature under an entry.
impl Message for Entry {
    const KIND: Kind = Kind::Endorsement;

    fn check(&self) -> Result<(), Fault> {
        let reason = match &self.event {
            Event::Refused { reason, .. } | Event::StateOpening { reason, .. } => reason,
            Event::Committed { partials, .. } => {
                if !partials.is_sorted_by(|a, b| a.0 < b.0) {
                    return Err(Fault::Content {
                        detail: "the trustees of an entry are not ascending",
                    });
                }
                return Ok(());
            }
            _ => return Ok(()),
        };
        check_reason(reason)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keys { public_key, shares, .. } => {
                write!(f, "keys made: public key {public_key}, {} shares", shares.len())
            }
            Self::Submissions(manifests) => {
                write!(f, "submissions registered:")?;
                manifests.iter().try_for_each(|m| write!(f, " {} {}", m.agency, m.manifest))
            }
            Self::Committed { receipt, partials } => {
                write!(f, "receipt {receipt} recomputed and partial decryptions committed to by")?;
                partials.iter().try_for_each(|(trustee, _)| write!(f, " {trustee}"))
            }
            Self::Opened(chunks) => write!(f, "opened, {} chunks", chunks.len()),
            Self::Refused { trustee, culprit, reason } => {
                write!(f, "{trustee} refused")?;
                if let Some(culprit) = culprit {
                    write!(f, " a file of {culprit}")?;
                }
                write!(f, ": {}", reason.escape_debug())
            }
            Self::StateOpening { slot, reason, .. } => {
                write!(f, "slot {slot} opened to the state: {}", reason.escape_debug())
            }
            Self::Destroyed(trustee) => write!(f, "{trustee} destroyed its shares"),
        }
    }
}
