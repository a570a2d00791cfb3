//! One agency's part of the roster.

use crate::body_writer::BodyWriter;
use crate::codec;
use crate::envelope::{Context, Expect, Message, read};
use crate::error::{Fault, WireError};
use crate::identity::{SigningIdentity, TrustFile};
use crate::kind::Kind;
use crate::names::{Digest, PartyName};
use crate::pseudonym::{Pseudonym, PseudonymKey};
use crate::round::Round;
use serde::{Deserialize, Serialize};
use std::path::Path;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

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
const FACTS: &str = "the roster does not carry a declared fact for every slot";

pub(crate) fn check_facts(facts: u64, slots: u32) -> Result<(), Fault> {
    if facts == u64::from(slots) {
        return Ok(());
    }
    Err(Fault::Content { detail: FACTS })
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

/// What a roster has besides its entries; see [`Roster`].
pub struct RosterHead<'a> {
    /// The only party that may hold it.
    pub agency: &'a PartyName,
    /// Where this agency's pseudonyms in this round come from (secret).
    pub linkage: &'a RosterLinkage,
    /// Number of entries.
    pub entries: u64,
    /// Number of slots.
    pub slots: u32,
    /// Persons in each slot's family.
    pub persons: Option<&'a [u16]>,
    /// Adults in each slot's family.
    pub adults: Option<&'a [u16]>,
}

impl RosterHead<'_> {
    fn facts(&self) -> [Option<&[u16]>; 2] {
        [self.persons, self.adults]
    }
}

/// Writes a [`Roster`] whose entries are not in memory together: the same file as [`crate::write`] makes, which is absent
/// until it is finished. For the registrar.
pub struct RosterWriter<'a> {
    body: BodyWriter<'a>,
    head: RosterHead<'a>,
    last: Option<Pseudonym>,
}

impl<'a> RosterWriter<'a> {
    /// Begins the file (secret).
    ///
    /// # Errors
    /// A fact is not there for every slot, the roster is too large, or the file cannot be written.
    pub fn begin(
        path: &'a Path,
        head: RosterHead<'a>,
        context: &Context,
        identity: &'a SigningIdentity,
    ) -> Result<Self, WireError> {
        let (kind, slots) = (Roster::KIND, u64::from(head.slots));
        let unwritable = |fault| WireError::unwritable(path, kind, fault);
        for facts in head.facts().into_iter().flatten() {
            check_facts(facts.len() as u64, head.slots).map_err(unwritable)?;
        }
        let form = |reason| unwritable(Fault::Form { part: "body", reason });
        let before = (head.agency, head.linkage, head.entries);
        let mut first = Zeroizing::new(Vec::with_capacity(FIRST));
        codec::append(&mut first, &before, kind.limit()).map_err(form)?;
        let facts = head.facts().map(|facts| facts.map_or(1, |_| 1 + 8 + 2 * slots));
        let size = head
            .entries
            .checked_mul(ENTRY)
            .and_then(|entries| entries.checked_add(4 + first.len() as u64))
            .and_then(|size| size.checked_add(facts.iter().sum()))
            .unwrap_or(u64::MAX);
        let mut body = BodyWriter::begin(kind, path, size, context, identity)?;
        body.put(&first)?;
        Ok(Self { body, head, last: None })
    }

    /// Writes the next entry.
    ///
    /// # Errors
    /// Its pseudonym is not larger than the one before, its slot is none of the round's, there were as many entries as
    /// announced, or the file cannot be written.
    pub fn entry(&mut self, entry: Entry) -> Result<(), WireError> {
        if self.last.is_some_and(|last| last >= entry.pseudonym) {
            return Err(self.body.refused(NOT_ASCENDING));
        }
        if entry.slot >= self.head.slots {
            return Err(self.body.refused(OUTSIDE));
        }
        self.last = Some(entry.pseudonym);
        self.body.put(&entry.pseudonym.0)?;
        self.body.put(&entry.slot.to_le_bytes())
    }

    /// Writes the facts, signs the file and puts it in its place; its hash comes back.
    ///
    /// # Errors
    /// There were fewer entries than announced, or the file cannot be written.
    pub fn finish(mut self) -> Result<Digest, WireError> {
        self.body.put(&self.head.slots.to_le_bytes())?;
        for facts in self.head.facts() {
            let Some(facts) = facts else {
                self.body.put(&[0])?;
                continue;
            };
            self.body.put(&[1])?;
            self.body.put(&(facts.len() as u64).to_le_bytes())?;
            for fact in facts {
                self.body.put(&fact.to_le_bytes())?;
            }
        }
        self.body.finish()
    }
}

/// Bytes of an entry: pseudonym and slot.
const ENTRY: u64 = 16 + 4;
/// Bytes enough for what is before the entries: a name, a key and lengths.
const FIRST: usize = 256;
