//! What a ledger records.

use blindtier_wire::{
    Digest, Fault, Kind, Message, PartyName, Question, RoundId, Sharing, check_reason,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a round goes on without a submitter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exclusion {
    /// The trustees did not all have its submission before the deadline.
    Late,
    /// It signed two different submissions.
    TwoSubmissions,
    /// Its submission was registered, but not all of its chunks were handed over.
    Withheld,
    /// This chunk, which its submission lists, cannot be used.
    Invalid {
        /// The chunk.
        chunk: u32,
    },
}

impl fmt::Display for Exclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Late => f.write_str("its submission came too late"),
            Self::TwoSubmissions => f.write_str("it signed two different submissions"),
            Self::Withheld => f.write_str("it did not hand its chunks over"),
            Self::Invalid { chunk } => write!(f, "its chunk {chunk} is invalid"),
        }
    }
}

/// What is registered of one submitter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// Who.
    pub submitter: PartyName,
    /// Hash of its manifest, or why it is left out.
    pub manifest: Result<Digest, Exclusion>,
}

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
    /// The submitters' manifests, in the order of the round, before any ciphertext leaves its owner.
    Submissions(Vec<Registration>),
    /// A registered submitter is excluded: its columns are computed with the missing values.
    Excluded {
        /// Who.
        submitter: PartyName,
        /// Why.
        reason: Exclusion,
    },
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
    /// Another round decided some slots anew, see [`blindtier_wire::Correction`].
    Corrected {
        /// That round.
        round: RoundId,
        /// Which slot of this round each of its slots corrects.
        slots: Vec<u32>,
        /// Hash of the entry with which it was opened, in its own ledger.
        head: Digest,
    },
    /// A question about groups of families is answered: its part of the privacy budget is spent, whatever follows.
    Asked {
        /// Hash of the manifest of the counts.
        counts: Digest,
        /// What is asked.
        question: Question,
    },
    /// The answer to the latest question.
    Answered {
        /// Hash of the manifest of the counts.
        counts: Digest,
        /// For every group of the question the count of every tier, with the noise of all shares.
        cells: Vec<Vec<i64>>,
    },
}

impl Event {
    /// How many signatures record it. What everything later builds on must not exist twice: the keys; the list of
    /// submissions, of which a second one could contain copies of the first's ciphertexts; and who is excluded from it, because
    /// two results, with and without a submitter, would show what it submitted; what is asked about groups, because two
    /// different lists of questions would each spend the whole privacy budget. Later entries about the same submissions come
    /// to the same whoever signs them, and a round has to go on when a trustee is lost.
    pub fn signatures(&self, sharing: Sharing) -> usize {
        match self {
            Self::Keys { .. }
            | Self::Submissions(_)
            | Self::Excluded { .. }
            | Self::Asked { .. } => sharing.quorum(),
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

/// ε, from its thousandths.
pub fn thousandths(epsilon: u32) -> String {
    let text = format!("{}.{:03}", epsilon / 1000, epsilon % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keys { public_key, shares, .. } => {
                write!(f, "keys made: public key {public_key}, {} shares", shares.len())
            }
            Self::Submissions(all) => {
                write!(f, "submissions registered:")?;
                all.iter().try_for_each(|Registration { submitter, manifest }| match manifest {
                    Ok(digest) => write!(f, " {submitter} {digest}"),
                    Err(reason) => write!(f, " {submitter} left out ({reason})"),
                })
            }
            Self::Excluded { submitter, reason } => write!(f, "{submitter} excluded: {reason}"),
            Self::Committed { receipt, partials } => {
                write!(f, "receipt {receipt} recomputed and partial decryptions committed to by")?;
                partials.iter().try_for_each(|(trustee, _)| write!(f, " {trustee}"))
            }
            Self::Opened(chunks) => write!(f, "opened, {} chunks", chunks.len()),
            Self::Asked { question, .. } => {
                let groups: Vec<String> = question.groups.iter().map(u32::to_string).collect();
                let spent = thousandths(question.epsilon);
                write!(
                    f,
                    "asked about groups {}, spending {spent} of the budget",
                    groups.join(", ")
                )
            }
            Self::Answered { cells, .. } => write!(f, "answered for {} groups", cells.len()),
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
            Self::Corrected { round, slots, head } => {
                write!(
                    f,
                    "{} slots corrected by round {round}, opened in entry {head}",
                    slots.len()
                )
            }
        }
    }
}
