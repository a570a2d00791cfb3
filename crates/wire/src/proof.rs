//! What a family shows to prove its tier.

use crate::envelope::{Context, Message};
use crate::error::WireError;
use crate::kind::Kind;
use crate::names::{Digest, PartyName, RoundId};
use crate::pads::Seed;
use crate::storage;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Everything that somebody needs, with the public board, to see the tier of one slot. Whoever has it knows that tier: a
/// family shows it to whom it wants, and it tells nothing else.
pub struct Proof {
    /// The round.
    pub round: RoundId,
    /// The slot.
    pub slot: u32,
    /// The seeds of all shares, in order.
    pub seeds: Vec<Seed>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProofText {
    round: String,
    slot: u32,
    seeds: Vec<String>,
}

/// The most bytes of a proof.
const MAX_PROOF: u64 = 1 << 16;

impl Proof {
    /// Writes the proof as a short text that only its owner can read.
    pub fn write(&self, path: &Path) -> Result<(), WireError> {
        let text = ProofText {
            round: self.round.to_string(),
            slot: self.slot,
            seeds: self.seeds.iter().map(|seed| hex::encode(seed.0)).collect(),
        };
        let text = toml::to_string(&text).map_err(|e| WireError::Io {
            file: path.to_owned(),
            action: "encode the proof",
            source: std::io::Error::other(e),
        })?;
        storage::write_secret(path, text.as_bytes())
    }

    /// Reads what [`Proof::write`] wrote.
    pub fn read(path: &Path) -> Result<Self, WireError> {
        let wrong = || WireError::SecretForm { file: path.to_owned(), what: "proof" };
        let bytes = storage::read_own(path, MAX_PROOF)?.ok_or_else(wrong)?;
        let text: ProofText =
            toml::from_str(&String::from_utf8_lossy(&bytes)).map_err(|_| wrong())?;
        let number = |text: &String| Digest::from_hex(text).map(|digest| digest.0);
        Ok(Self {
            round: RoundId(number(&text.round).ok_or_else(wrong)?),
            slot: text.slot,
            seeds: text
                .seeds
                .iter()
                .map(|seed| number(seed).map(Seed))
                .collect::<Option<Vec<Seed>>>()
                .ok_or_else(wrong)?,
        })
    }

    /// The first share whose seed is not the one that was committed to; `None` if all are.
    pub fn first_wrong(&self, context: &Context, commitments: &[Digest]) -> Option<u32> {
        if self.seeds.len() != commitments.len() {
            return Some(
                u32::try_from(self.seeds.len().min(commitments.len())).unwrap_or(u32::MAX),
            );
        }
        (0u32..)
            .zip(self.seeds.iter().zip(commitments))
            .find(|(share, (seed, committed))| {
                seed.commitment(context, *share, self.slot) != **committed
            })
            .map(|(share, _)| share)
    }
}

/// A trustee's seeds for one slot, sealed to the state's key after the ledger recorded why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateSeeds {
    /// The slot.
    pub slot: u32,
    /// The seeds of the trustee's shares, ascending, sealed.
    #[serde(with = "serde_bytes")]
    pub sealed: Vec<u8>,
}

impl Message for StateSeeds {
    const KIND: Kind = Kind::StateSeeds;
}

impl StateSeeds {
    /// The usual name of the file.
    pub fn file_name(slot: u32, trustee: &PartyName) -> String {
        format!("slot-{slot}-{}.bt", trustee.file_part())
    }
}
