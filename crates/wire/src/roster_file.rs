//! The roster where its agency needs it: persons are looked up in the file.

use crate::body_file::BodyFile;
use crate::envelope::{Context, Expect};
use crate::error::{Fault, WireError};
use crate::identity::TrustFile;
use crate::kind::Kind;
use crate::names::PartyName;
use crate::pseudonym::Pseudonym;
use crate::roster::{NOT_ASCENDING, OUTSIDE, RosterLinkage, check_facts, check_round};
use crate::round::Round;
use std::ops::Range;
use std::path::Path;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Bytes of a pseudonym.
const PSEUDONYM: usize = 16;
/// Bytes of an entry: a pseudonym and a slot.
const ENTRY: usize = PSEUDONYM + 4;
/// Bytes of a fact.
const FACT: usize = 2;
/// Bytes of the number that stands before a text and before a list.
const LENGTH: u64 = 8;
/// Bytes of a linkage: which it is, and a key.
const LINKAGE: u64 = 4 + 32;
/// Bytes of the number of slots.
const SLOTS: u64 = 4;
/// Bytes of the mark that says whether there is a fact.
const MARK: u64 = 1;
/// Entries a group. Of each group one pseudonym is kept in memory, a quarter of a byte a person; a look-up reads one group.
const GROUP: u64 = 64;

/// A [`crate::Roster`] (secret) as it lies in its file. Nothing is in memory but an index and what was asked for last, whatever
/// the size of the round; what was read is wiped.
pub struct RosterFile {
    body: BodyFile,
    layout: Layout,
    /// The first pseudonym of every group of entries.
    index: Vec<Pseudonym>,
}

/// Where the parts of the body are.
struct Layout {
    agency: PartyName,
    linkage: RosterLinkage,
    entries: Pieces,
    slots: u32,
    persons: Option<Pieces>,
    adults: Option<Pieces>,
}

/// Where a list begins, behind its length, and how long it is.
#[derive(Clone, Copy)]
struct Pieces {
    start: u64,
    count: u64,
}

/// What the roster says of a slot's family (secret); zero where the agency's indicators do not declare the fact.
#[derive(Clone, Copy, Default, PartialEq, Eq, Zeroize)]
pub struct Family {
    /// Persons in the family.
    pub persons: u16,
    /// Adults in the family.
    pub adults: u16,
}

impl RosterFile {
    /// Opens the roster of `agency` and checks it against the round, with all checks of [`crate::Roster::read`].
    pub fn open(
        path: &Path,
        agency: &PartyName,
        round: &Round,
        context: &Context,
        trust: &TrustFile,
    ) -> Result<Self, WireError> {
        let registrar = PartyName::registrar();
        let expect = Expect::of(&registrar, context);
        let (body, layout) = BodyFile::open(Kind::Roster, path, &expect, trust, Layout::of)?;
        let mut file = Self { body, layout, index: Vec::new() };
        file.read_entries()?;
        let Layout { agency: found, linkage, slots, persons, adults, .. } = &file.layout;
        for facts in [persons, adults].into_iter().flatten() {
            check_facts(facts.count, *slots).map_err(|fault| file.body.refused(fault))?;
        }
        check_round(agency, found, linkage, *slots, round)
            .map_err(|fault| file.body.refused(fault))?;
        Ok(file)
    }

    /// How the agency finds its persons among the entries.
    pub fn linkage(&self) -> &RosterLinkage {
        &self.layout.linkage
    }

    /// Number of slots.
    pub fn slots(&self) -> u32 {
        self.layout.slots
    }

    /// Number of entries: persons who have a family.
    pub fn persons(&self) -> u64 {
        self.layout.entries.count
    }

    /// Position of a person's pseudonym among the entries, and the slot of the family; `None` for a person of no family.
    pub fn find(&self, pseudonym: Pseudonym) -> Result<Option<(u64, u32)>, WireError> {
        let Some(group) = self.index.partition_point(|first| *first <= pseudonym).checked_sub(1)
        else {
            return Ok(None);
        };
        let start = group as u64 * GROUP;
        let bytes = self.entries(start)?;
        let (entries, _) = bytes.as_chunks::<ENTRY>();
        let found = entries.binary_search_by_key(&pseudonym.0, |entry| split(entry).0);
        Ok(found.ok().and_then(|place| Some((start + place as u64, split(entries.get(place)?).1))))
    }

    /// What is said of the families of slots, in their order.
    pub fn families(&self, slots: Range<u32>) -> Result<Zeroizing<Vec<Family>>, WireError> {
        let mut families = Zeroizing::new(vec![Family::default(); slots.len()]);
        let (persons, adults) = (self.layout.persons, self.layout.adults);
        for (family, persons) in families.iter_mut().zip(self.facts(persons, &slots)?.iter()) {
            family.persons = *persons;
        }
        for (family, adults) in families.iter_mut().zip(self.facts(adults, &slots)?.iter()) {
            family.adults = *adults;
        }
        Ok(families)
    }

    /// A fact of slots; nothing if the roster does not have it.
    fn facts(
        &self,
        facts: Option<Pieces>,
        slots: &Range<u32>,
    ) -> Result<Zeroizing<Vec<u16>>, WireError> {
        let Some(Pieces { start, .. }) = facts else { return Ok(Zeroizing::default()) };
        let start = self.body.after(start, u64::from(slots.start), FACT as u64)?;
        let bytes = self.read(start, slots.len() as u64, FACT)?;
        let (facts, _) = bytes.as_chunks::<FACT>();
        Ok(Zeroizing::new(facts.iter().map(|bytes| u16::from_le_bytes(*bytes)).collect()))
    }

    /// Checks all entries and makes the index.
    fn read_entries(&mut self) -> Result<(), WireError> {
        // Reserved at once: growing would leave copies behind.
        let groups = self.persons().div_ceil(GROUP);
        self.index.reserve_exact(usize::try_from(groups).unwrap_or(0));
        let mut before: Option<[u8; PSEUDONYM]> = None;
        let mut outside = false;
        let mut start = 0;
        while start < self.persons() {
            let bytes = self.entries(start)?;
            let (entries, _) = bytes.as_chunks::<ENTRY>();
            for entry in entries {
                let (pseudonym, slot) = split(entry);
                if before.is_some_and(|before| before >= pseudonym) {
                    return Err(self.body.refused(Fault::Content { detail: NOT_ASCENDING }));
                }
                before = Some(pseudonym);
                outside |= slot >= self.slots();
            }
            self.index.extend(entries.first().map(|first| Pseudonym(split(first).0)));
            start += GROUP;
        }
        if outside {
            return Err(self.body.refused(Fault::Content { detail: OUTSIDE }));
        }
        Ok(())
    }

    /// The bytes of the group of entries that begins at an entry.
    fn entries(&self, start: u64) -> Result<Zeroizing<Vec<u8>>, WireError> {
        let count = self.persons().saturating_sub(start).min(GROUP);
        let start = self.body.after(self.layout.entries.start, start, ENTRY as u64)?;
        self.read(start, count, ENTRY)
    }

    /// The bytes of `count` pieces of `width` bytes.
    fn read(&self, start: u64, count: u64, width: usize) -> Result<Zeroizing<Vec<u8>>, WireError> {
        // Before anything is allocated.
        let end = self.body.after(start, count, width as u64)?;
        let mut bytes = Zeroizing::new(vec![0; usize::try_from(end - start).unwrap_or(0)]);
        self.body.read(start, &mut bytes)?;
        Ok(bytes)
    }
}

impl Drop for RosterFile {
    fn drop(&mut self) {
        for Pseudonym(first) in &mut self.index {
            first.zeroize();
        }
    }
}

impl ZeroizeOnDrop for RosterFile {}

impl Layout {
    /// Finds the parts of a body: agency, linkage, number of entries, entries, number of slots, and twice a mark, the number of
    /// facts and the facts.
    fn of(body: &BodyFile) -> Result<Self, WireError> {
        let (agency, linkage, count): (PartyName, RosterLinkage, u64) = body.part(0)?;
        let start = LENGTH + agency.as_str().len() as u64 + LINKAGE + LENGTH;
        let entries = Pieces { start, count };
        let slots_at = body.after(start, count, ENTRY as u64)?;
        let (slots, persons): (u32, Option<u64>) = body.part(slots_at)?;
        let (persons, adults_at) = Self::facts(body, slots_at + SLOTS, persons)?;
        let adults: Option<u64> = body.part(adults_at)?;
        let (adults, end) = Self::facts(body, adults_at, adults)?;
        body.ends_at(end)?;
        Ok(Self { agency, linkage, entries, slots, persons, adults })
    }

    /// A fact whose mark is at `mark`, and where it ends.
    fn facts(
        body: &BodyFile,
        mark: u64,
        count: Option<u64>,
    ) -> Result<(Option<Pieces>, u64), WireError> {
        let Some(count) = count else { return Ok((None, mark + MARK)) };
        let start = mark + MARK + LENGTH;
        Ok((Some(Pieces { start, count }), body.after(start, count, FACT as u64)?))
    }
}

fn split(entry: &[u8; ENTRY]) -> ([u8; PSEUDONYM], u32) {
    let [pseudonym @ .., a, b, c, d] = *entry;
    (pseudonym, u32::from_le_bytes([a, b, c, d]))
}
