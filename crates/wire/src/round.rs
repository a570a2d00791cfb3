//! What the registrar announces to everybody.

use crate::chunk::{ChunkReader, Chunking};
use crate::envelope::{Context, Engine, Expect, Message, Received, check_context, read};
use crate::error::{Fault, WireError};
use crate::identity::TrustFile;
use crate::kind::Kind;
use crate::names::{Digest, PartyName, RoundId};
use crate::sharing::Sharing;
use crate::statistics::Statistics;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// Whether agencies compute what is local in the clear first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Layout {
    /// An agency sends classes of what it can compute alone.
    Folded,
    /// An agency sends every indicator.
    PerIndicator,
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Folded => "folded",
            Self::PerIndicator => "per-indicator",
        })
    }
}

impl FromStr for Layout {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        match text {
            "folded" => Ok(Self::Folded),
            "per-indicator" => Ok(Self::PerIndicator),
            _ => Err(Fault::Content {
                detail: "the layout is neither \"folded\" nor \"per-indicator\"",
            }),
        }
    }
}

/// One run of one policy over one roster. Public; sent by the registrar to all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// Drawn at random, so that two rounds that agree in all else differ.
    pub nonce: [u8; 32],
    /// Hash of the policy.
    pub policy: Digest,
    /// The engine.
    pub engine: Engine,
    /// What agencies send.
    pub layout: Layout,
    /// Hash of the plan.
    pub plan: Digest,
    /// Number of slots, one a family.
    pub slots: u32,
    /// Slots a chunk.
    pub chunk: u32,
    /// Who has columns and must submit: agencies in the order of the policy, and last the registrar if families may
    /// opt out or groups are counted.
    pub submitters: Vec<PartyName>,
    /// How the key is shared among the trustees.
    pub sharing: Sharing,
    /// Who signs the public keys: a dealer that makes them alone, or the trustee that publishes what all of them made.
    pub key_maker: PartyName,
    /// The families' letter keys, as [`crate::LetterKeys::digest`].
    pub letter_keys: Digest,
    /// How agencies find out which slot a person of their register has.
    pub linkage: Linkage,
    /// Whether every ciphertext comes with a proof, or is checked, that it holds an allowed value.
    pub proofs: bool,
    /// Submissions that trustees see later than this are refused, in seconds since 1970; none is too late without it.
    pub deadline: Option<u64>,
    /// The earlier round of which this one corrects some slots.
    pub corrects: Option<Correction>,
    /// What may be published about groups of families; nothing without it.
    pub statistics: Option<Statistics>,
}

/// How agencies find out which slot a person of their register has. Public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Linkage {
    /// The roster has a key that the agency hashes its persons with. Cheap; the agency can try out identifiers.
    KeyedHash,
    /// The agency asks the registrar blindly, once, about `persons` persons (its register's and fillers), so that it
    /// cannot try out more, and the registrar learns neither whom nor how many it asks about.
    Oblivious {
        /// Persons in every agency's request.
        persons: u32,
    },
}

impl fmt::Display for Linkage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyedHash => f.write_str("keyed-hash"),
            Self::Oblivious { persons } => write!(f, "oblivious, {persons} persons a request"),
        }
    }
}

/// Which slots of an earlier round a round decides anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    /// The earlier round.
    pub round: RoundId,
    /// For every slot of this round, the slot of the earlier one.
    pub slots: Vec<u32>,
}

impl Message for Round {
    const KIND: Kind = Kind::Round;

    fn check(&self) -> Result<(), Fault> {
        let wrong = |detail| Err(Fault::Content { detail });
        if self.slots == 0 || self.chunk == 0 {
            return wrong("a round needs at least one slot and one slot a chunk");
        }
        let agencies = match self.submitters.split_last() {
            Some((last, before)) if *last == PartyName::registrar() => before,
            _ => &self.submitters,
        };
        if agencies.is_empty() || agencies.iter().any(|a| a.agency_id().is_none_or(str::is_empty)) {
            return wrong(
                "a round names at least one agency, and nobody but agencies and, last, the registrar, as submitter",
            );
        }
        if agencies.iter().collect::<BTreeSet<_>>().len() != agencies.len() {
            return wrong("a round names an agency twice");
        }
        if self.linkage == (Linkage::Oblivious { persons: 0 }) {
            return wrong("the linkage of the round is about nobody");
        }
        if let Some(statistics) = &self.statistics {
            statistics.check()?;
            if self.submitters.last() != Some(&PartyName::registrar()) {
                return wrong("a round with statistics has the registrar among its submitters");
            }
        }
        if let Some(correction) = &self.corrects {
            let different: BTreeSet<_> = correction.slots.iter().collect();
            if correction.slots.len() as u64 != u64::from(self.slots)
                || different.len() != correction.slots.len()
            {
                return wrong(
                    "a round that corrects another names one slot of it for each of its own",
                );
            }
            if !self.proofs {
                return wrong("a round that corrects another needs proofs of encryption");
            }
        }
        Ok(())
    }
}

impl Round {
    /// The name of the round: a hash of everything in it.
    pub fn id(&self) -> Result<RoundId, Fault> {
        let mut bytes = b"blindtier/v1/round-id\0".to_vec();
        crate::codec::append(&mut bytes, self, Kind::Round.limit())
            .map_err(|reason| Fault::Form { part: "body", reason })?;
        Ok(RoundId(Digest::of(&bytes).0))
    }

    /// What all files of the round carry.
    pub fn context(&self) -> Result<Context, Fault> {
        Ok(Context { round: self.id()?, policy: self.policy, engine: self.engine.clone() })
    }

    /// How the slots are cut.
    pub fn chunking(&self) -> Result<Chunking, Fault> {
        Chunking::new(self.slots, self.chunk).ok_or(Fault::Content {
            detail: "a round needs at least one slot and one slot a chunk",
        })
    }

    /// Refuses a manifest of something sealed to other letter keys than the round's.
    pub(crate) fn check_letter_keys(&self, found: Digest) -> Result<(), Fault> {
        if found == self.letter_keys {
            return Ok(());
        }
        let expected = self.letter_keys;
        Err(Fault::Reference { what: "list of letter keys", expected, found })
    }

    /// Everybody who makes shares of the key: the dealer, or the first holder of each share.
    pub fn share_makers(&self) -> Vec<PartyName> {
        if self.key_maker == PartyName::dealer() {
            return vec![PartyName::dealer()];
        }
        self.sharing.names().filter(|name| !self.shares_made_by(name).is_empty()).collect()
    }

    /// The shares that a party makes, ascending.
    pub fn shares_made_by(&self, party: &PartyName) -> Vec<u32> {
        let dealt = self.key_maker == PartyName::dealer();
        let makes = |share: &u32| match party.trustee_number() {
            Some(number) => !dealt && self.sharing.maker(*share) == number,
            None => dealt && *party == self.key_maker,
        };
        (0..self.sharing.shares()).filter(makes).collect()
    }

    /// The chunks of `kind` that `sender`'s manifest at `manifest` lists by their hashes.
    pub fn chunks<'a>(
        &self,
        manifest: &Path,
        kind: Kind,
        sender: &PartyName,
        digests: &[Digest],
        context: &'a Context,
        trust: &'a TrustFile,
    ) -> Result<ChunkReader<'a>, WireError> {
        let chunking =
            self.chunking().map_err(|fault| WireError::refused(manifest, sender, fault))?;
        let digests = digests.to_vec();
        ChunkReader::new(manifest, kind, sender, context, chunking, digests, trust)
    }

    /// Reads a round file and accepts it only for the reader's own policy.
    pub fn read(
        path: &Path,
        trust: &TrustFile,
        policy: Digest,
    ) -> Result<Received<Self>, WireError> {
        let registrar = PartyName::registrar();
        let expect = Expect { sender: &registrar, context: None };
        let received = read::<Self>(path, &expect, trust)?;
        let check = || {
            let round = &received.body;
            check_context(&round.context()?, &received.context)?;
            if round.policy != policy {
                return Err(Fault::Policy { expected: policy, found: round.policy });
            }
            Ok(())
        };
        check().map_err(|fault| WireError::refused(path, &registrar, fault))?;
        Ok(received)
    }

    /// Reads a round file and accepts it only for the reader's own policy and plan.
    pub fn read_with_plan(
        path: &Path,
        trust: &TrustFile,
        policy: Digest,
        plan: Digest,
    ) -> Result<Received<Self>, WireError> {
        let received = Self::read(path, trust, policy)?;
        if received.body.plan != plan {
            let fault = Fault::Plan { expected: plan, found: received.body.plan };
            return Err(WireError::refused(path, &PartyName::registrar(), fault));
        }
        Ok(received)
    }
}
