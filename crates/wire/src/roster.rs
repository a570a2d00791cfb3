//! One agency's part of the roster.

use crate::envelope::{Context, Expect, Message, read};
use crate::error::{Fault, WireError};
use crate::identity::TrustFile;
use crate::kind::Kind;
use crate::names::PartyName;
use crate::pseudonym::{Pseudonym, PseudonymKey};
use crate::round::Round;
use serde::{Deserialize, Serialize};
use std::path::Path;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Where a person's family stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Entry {
    /// The person.
    pub pseudonym: Pseudonym,
    /// The family's slot.
    pub slot: u32,
}

/// How the agency finds its persons among the entries, as the round's [`crate::Linkage`] says.
#[derive(Serialize, Deserialize)]
pub enum RosterLinkage {
    /// It makes their pseudonyms itself, with this key (secret).
    Key(PseudonymKey),
    /// It asks the registrar blindly, once, and checks the answer against this key.
    Oblivious {
        /// The public half of the linkage key, which is this agency's in this round only.
        public: [u8; 32],
    },
}

/// Which person belongs to which slot, for one agency. Secret; sent by the registrar to that agency.
///
/// The facts are there only if the agency's indicators declare them, one value a slot.
#[derive(Serialize, Deserialize)]
pub struct Roster {
    /// The only party that may hold it.
    pub agency: PartyName,
    /// Where this agency's pseudonyms in this round come from.
    pub linkage: RosterLinkage,
    /// Ascending by pseudonym, without repetition.
    pub entries: Vec<Entry>,
    /// Number of slots.
    pub slots: u32,
    /// Persons in each slot's family.
    pub persons: Option<Vec<u16>>,
    /// Adults in each slot's family.
    pub adults: Option<Vec<u16>>,
}

impl Message for Roster {
    const KIND: Kind = Kind::Roster;

    fn check(&self) -> Result<(), Fault> {
        if !self.entries.is_sorted_by(|a, b| a.pseudonym < b.pseudonym) {
            return Err(Fault::Content { detail: NOT_ASCENDING });
        }
        if self.entries.iter().any(|e| e.slot >= self.slots) {
            return Err(Fault::Content { detail: OUTSIDE });
        }
        for facts in [&self.persons, &self.adults].into_iter().flatten() {
            check_facts(facts.len() as u64, self.slots)?;
        }
        Ok(())
    }
}

pub(crate) const NOT_ASCENDING: &str = "the entries of the roster are not ascending";
pub(crate) const OUTSIDE: &str = "an entry of the roster lies outside the slots";

pub(crate) fn check_facts(facts: u64, slots: u32) -> Result<(), Fault> {
    if facts == u64::from(slots) {
        return Ok(());
    }
    Err(Fault::Content { detail: "the roster does not carry a declared fact for every slot" })
}

/// Refuses what an agency cannot use in the round.
pub(crate) fn check_round(
    expected: &PartyName,
    found: &PartyName,
    linkage: &RosterLinkage,
    slots: u32,
    round: &Round,
) -> Result<(), Fault> {
    if found != expected {
        return Err(Fault::Recipient { expected: expected.clone(), found: found.clone() });
    }
    if slots != round.slots {
        let detail = "the roster covers another number of slots than the round";
        return Err(Fault::Content { detail });
    }
    let oblivious = matches!(linkage, RosterLinkage::Oblivious { .. });
    if oblivious != round.linkage.persons().is_some() {
        return Err(Fault::Content { detail: "the roster has another linkage than the round" });
    }
    Ok(())
}

impl Roster {
    /// Reads the roster of `agency` whole and checks it against the round; an agency opens it as a [`crate::RosterFile`].
    pub fn read(
        path: &Path,
        agency: &PartyName,
        round: &Round,
        context: &Context,
        trust: &TrustFile,
    ) -> Result<Self, WireError> {
        let registrar = PartyName::registrar();
        let roster = read::<Self>(path, &Expect::of(&registrar, context), trust)?.body;
        check_round(agency, &roster.agency, &roster.linkage, roster.slots, round)
            .map_err(|fault| WireError::refused(path, &registrar, fault))?;
        Ok(roster)
    }

    /// Position of a person's pseudonym among the entries; `None` for a person of no family.
    pub fn find(&self, pseudonym: Pseudonym) -> Option<usize> {
        self.entries.binary_search_by_key(&pseudonym, |e| e.pseudonym).ok()
    }
}

impl Drop for Roster {
    fn drop(&mut self) {
        for entry in &mut self.entries {
            entry.pseudonym.0.zeroize();
            entry.slot = 0;
        }
        self.persons.zeroize();
        self.adults.zeroize();
    }
}

impl ZeroizeOnDrop for Roster {}
