//! The files that have something of every family or person, which are not in memory together.

use crate::population::{Population, Size};
use crate::sorter::{Runs, Sorter};
use crate::{NewRound, RegistrarError, link, rows};
use blindtier_linkage::{LinkageError, LinkageKey};
use blindtier_policy::Fact;
use blindtier_wire::{
    Context, Digest, Entry, LetterKeysDigest, LetterKeysWriter, Linkage, PartyName, Pseudonym,
    PseudonymKey, RosterHead, RosterLinkage, RosterWriter, SigningIdentity, WireError, file_names,
    write,
};
use std::path::Path;
use zeroize::Zeroizing;

/// Where families stand, and what is declared of them (private). Wiped when dropped.
pub(crate) struct Slots {
    /// The slot of every family of the population, or [`NO_SLOT`].
    of_family: Zeroizing<Vec<u32>>,
    /// Number of slots.
    pub count: u32,
    /// Persons in all slots' families.
    pub persons: u64,
    /// Persons of each slot's family, if an agency has to know them.
    persons_of: Option<Zeroizing<Vec<u16>>>,
    /// Adults among them, if an agency has to know them.
    adults_of: Option<Zeroizing<Vec<u16>>>,
}

/// Stands for a family that is not in the round. No round has so many slots that one has this number.
const NO_SLOT: u32 = u32::MAX;

impl Slots {
    /// From the family of every slot.
    pub fn new(families: &[u32], population: &Population, declared: impl Fn(Fact) -> bool) -> Self {
        let mut of_family = Zeroizing::new(vec![NO_SLOT; population.families() as usize]);
        for (slot, family) in (0..).zip(families) {
            if let Some(place) = of_family.get_mut(*family as usize) {
                *place = slot;
            }
        }
        let sizes = || families.iter().map(|family| population.size(*family));
        let by_slot = |fact, of: fn(Size) -> u16| {
            declared(fact).then(|| Zeroizing::new(sizes().map(of).collect::<Vec<u16>>()))
        };
        Self {
            of_family,
            count: u32::try_from(families.len()).unwrap_or(NO_SLOT),
            persons: sizes().map(|size| u64::from(size.persons)).sum(),
            persons_of: by_slot(Fact::Persons, |size| size.persons),
            adults_of: by_slot(Fact::Adults, |size| size.adults),
        }
    }

    fn of(&self, family: u32) -> Option<u32> {
        self.of_family.get(family as usize).copied().filter(|slot| *slot != NO_SLOT)
    }
}

/// The letter keys by slot.
pub(crate) struct SlotKeys(Runs);

impl SlotKeys {
    /// Brings the letter keys of a population into the order of the slots; spools on the file system of a private folder.
    pub fn new(population: &Population, slots: &Slots, private: &Path) -> Result<Self, WireError> {
        let mut sorter = Sorter::new(private);
        let mut keys = population.letter_keys();
        for family in 0..population.families() {
            if let (Some(key), Some(slot)) = (keys.next()?, slots.of(family)) {
                sorter.push(&[slot.to_be_bytes().as_slice(), &key].concat())?;
            }
        }
        Ok(Self(sorter.finish()?))
    }

    /// What the round file commits to.
    pub fn digest(&self) -> Result<Digest, WireError> {
        let mut digest = LetterKeysDigest::new();
        self.each(|key| {
            digest.key(key);
            Ok(())
        })?;
        Ok(digest.finish())
    }

    /// Writes the letter keys of the round.
    pub fn write(
        &self,
        path: &Path,
        slots: u32,
        context: &Context,
        identity: &SigningIdentity,
    ) -> Result<Digest, WireError> {
        let mut writer = LetterKeysWriter::begin(path, slots, context, identity)?;
        self.each(|key| writer.key(key))?;
        writer.finish()
    }

    fn each(
        &self,
        mut take: impl FnMut(&[u8; 32]) -> Result<(), WireError>,
    ) -> Result<(), WireError> {
        let mut sorted = self.0.sorted()?;
        while let Some(record) = sorted.next()? {
            take(record.last_chunk().ok_or_else(|| self.0.damaged())?)?;
        }
        Ok(())
    }
}

/// Persons whose pseudonyms are computed at once.
const BLOCK: usize = 1 << 14;

/// Draws an agency's key and writes its roster, with the facts that are declared to it. A linkage key is written to the private folder: answers need it.
pub(crate) fn write_roster(
    new: &NewRound<'_>,
    slots: &Slots,
    (agency, facts): (&PartyName, &[Fact]),
    path: &Path,
    context: &Context,
) -> Result<(), RegistrarError> {
    let maker = Maker::new(new, agency, context)?;
    let mut sorter = Sorter::new(new.private);
    let mut members = new.population.members();
    let mut persons = Vec::with_capacity(BLOCK);
    let mut places = Vec::with_capacity(BLOCK);
    let mut done = 0;
    loop {
        let next = members.next()?;
        if persons.len() == BLOCK || next.is_none() {
            for (pseudonym, slot) in maker.pseudonyms(&persons, done)?.iter().zip(&places) {
                sorter.push(&entry_record(pseudonym, *slot))?;
            }
            done += persons.len();
            persons.clear();
            places.clear();
        }
        let Some((person, family)) = next else { break };
        if let Some(slot) = slots.of(family) {
            persons.push(person);
            places.push(slot);
        }
    }
    let entries = sorter.finish()?;
    let linkage = &maker.linkage();
    let gets = |fact| facts.contains(&fact);
    let head = RosterHead {
        agency,
        linkage,
        entries: slots.persons,
        slots: slots.count,
        persons: slots.persons_of.as_ref().filter(|_| gets(Fact::Persons)).map(|of| of.as_slice()),
        adults: slots.adults_of.as_ref().filter(|_| gets(Fact::Adults)).map(|of| of.as_slice()),
    };
    let mut roster = RosterWriter::begin(path, head, context, new.identity)?;
    let mut sorted = entries.sorted()?;
    while let Some(record) = sorted.next()? {
        roster.entry(entry(record).ok_or_else(|| entries.damaged())?)?;
    }
    roster.finish()?;
    Ok(())
}

/// An entry as it is sorted: ascending by pseudonym.
fn entry_record(pseudonym: &Pseudonym, slot: u32) -> [u8; 20] {
    let mut record = [0; 20];
    for (to, from) in record.iter_mut().zip(pseudonym.0.iter().chain(&slot.to_be_bytes())) {
        *to = *from;
    }
    record
}

fn entry(mut record: &[u8]) -> Option<Entry> {
    let rest = &mut record;
    let pseudonym = Pseudonym(rows::take(rest)?);
    Some(Entry { pseudonym, slot: u32::from_be_bytes(rows::take(rest)?) })
}

/// Makes an agency's pseudonyms.
enum Maker {
    Key(PseudonymKey),
    Oblivious(LinkageKey),
}

impl Maker {
    fn new(
        new: &NewRound<'_>,
        agency: &PartyName,
        context: &Context,
    ) -> Result<Self, RegistrarError> {
        match new.linkage {
            Linkage::KeyedHash => Ok(Self::Key(PseudonymKey::generate()?)),
            Linkage::Oblivious { .. } => {
                let key = LinkageKey::generate()?;
                let body = blindtier_wire::LinkageKey { agency: agency.clone(), seed: *key.seed() };
                let file = link::folder(new.private, agency).join(file_names::LINKAGE_KEY);
                write(&file, &body, context, new.identity)?;
                Ok(Self::Oblivious(key))
            }
        }
    }

    /// The pseudonyms of persons (private), in their order, of whom `before` were there before.
    fn pseudonyms(
        &self,
        persons: &[Zeroizing<String>],
        before: usize,
    ) -> Result<Vec<Pseudonym>, LinkageError> {
        match self {
            Self::Key(key) => Ok(persons.iter().map(|person| key.pseudonym(person)).collect()),
            Self::Oblivious(key) => {
                let made = key.pseudonyms(persons).map_err(|error| match error {
                    LinkageError::Identifier { position, bytes } => {
                        LinkageError::Identifier { position: before + position, bytes }
                    }
                    other => other,
                })?;
                Ok(made.into_iter().map(Pseudonym).collect())
            }
        }
    }

    /// What the agency gets of it.
    fn linkage(self) -> RosterLinkage {
        match self {
            Self::Key(key) => RosterLinkage::Key(key),
            Self::Oblivious(key) => RosterLinkage::Oblivious { public: key.public() },
        }
    }
}
