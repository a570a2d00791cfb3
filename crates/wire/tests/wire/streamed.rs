//! Letter keys and rosters that are read piece by piece: the same content and the same refusals as of those that are read
//! whole. Damage of every byte is tried by the tests of damaged files, with both.

use crate::damaged::{Raw, body};
use crate::support::*;
use blindtier_wire::*;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// More than several blocks and several groups, and no multiple of either.
const SLOTS: u32 = 3001;

struct World {
    folder: TempDir,
    round: Round,
    context: Context,
    parties: Parties,
}

impl World {
    fn new(keys: &LetterKeys) -> Self {
        let mut round = round();
        round.slots = u32::try_from(keys.keys.len()).unwrap();
        round.letter_keys = keys.digest();
        let context = round.context().unwrap();
        Self { folder: tempfile::tempdir().unwrap(), round, context, parties: parties() }
    }

    fn write<M: Message>(&self, body: &M) -> PathBuf {
        let path = self.folder.path().join("file.bt");
        write(&path, body, &self.context, &self.parties.registrar).unwrap();
        path
    }

    fn keys(&self, path: &Path) -> Result<LetterKeyFile, WireError> {
        LetterKeyFile::open(path, &self.round, &self.context, &self.parties.trust)
    }

    fn roster(&self, path: &Path) -> Result<RosterFile, WireError> {
        let (agency, trust) = (self.parties.agency.name(), &self.parties.trust);
        RosterFile::open(path, agency, &self.round, &self.context, trust)
    }

    /// Both ways of reading letter keys.
    fn same_keys(&self, path: &Path) -> Result<(), WireError> {
        let whole = LetterKeys::read(path, &self.round, &self.context, &self.parties.trust);
        alike(whole.map(|_| ()), self.keys(path).map(|_| ()))
    }

    /// Both ways of reading a roster.
    fn same_roster(&self, path: &Path) -> Result<(), WireError> {
        let (agency, trust) = (self.parties.agency.name(), &self.parties.trust);
        let whole = Roster::read(path, agency, &self.round, &self.context, trust);
        alike(whole.map(|_| ()), self.roster(path).map(|_| ()))
    }
}

fn many_keys() -> LetterKeys {
    let key = |slot: u32| *Digest::of(&slot.to_le_bytes()).0.first_chunk().unwrap();
    LetterKeys { keys: (0..SLOTS).map(key).collect() }
}

fn many_persons() -> Roster {
    let entry = |person: u32| {
        let pseudonym = Pseudonym(*Digest::of(&person.to_le_bytes()).0.first_chunk().unwrap());
        Entry { pseudonym, slot: person % SLOTS }
    };
    let mut entries: Vec<Entry> = (0..2 * SLOTS + 17).map(entry).collect();
    entries.sort_unstable();
    let mut roster = roster_of_nobody();
    roster.entries = entries;
    roster
}

/// A roster without persons and facts.
fn roster_of_nobody() -> Roster {
    let (agency, linkage) = (parties().agency.name().clone(), roster_linkage());
    Roster { agency, linkage, entries: Vec::new(), slots: SLOTS, persons: None, adults: None }
}

fn roster_linkage() -> RosterLinkage {
    RosterLinkage::Oblivious { public: [29; 32] }
}

#[test]
fn letter_keys_of_any_slots_are_those_of_the_file() {
    let keys = many_keys();
    let world = World::new(&keys);
    let path = world.write(&keys);
    world.same_keys(&path).unwrap();
    let file = world.keys(&path).unwrap();
    for slots in [0..SLOTS, 0..0, 0..1, 127..129, 2000..2999, SLOTS - 1..SLOTS, SLOTS..SLOTS] {
        let range = slots.start as usize..slots.end as usize;
        assert_eq!(file.keys(slots).unwrap(), keys.keys[range]);
    }
    assert!(file.keys(0..SLOTS + 1).is_err());
}

#[test]
fn persons_and_facts_of_a_roster_are_those_of_the_file() {
    let world = World::new(&many_keys());
    let facts =
        |factor: u32| Some((0..SLOTS).map(|slot| (factor * slot % 65_521) as u16).collect());
    for (persons, adults) in
        [(None, None), (facts(3), None), (None, facts(5)), (facts(7), facts(11))]
    {
        let mut roster = many_persons();
        (roster.persons, roster.adults) = (persons, adults);
        let path = world.write(&roster);
        world.same_roster(&path).unwrap();
        let file = world.roster(&path).unwrap();
        assert_eq!((file.slots(), file.persons()), (SLOTS, roster.entries.len() as u64));
        assert!(
            matches!(file.linkage(), RosterLinkage::Oblivious { public } if *public == [29; 32])
        );
        for (position, entry) in (0..).zip(&roster.entries) {
            assert!(file.find(entry.pseudonym).unwrap() == Some((position, entry.slot)));
            // Nobody is beside a person.
            let mut other = entry.pseudonym;
            other.0[15] ^= 1;
            assert!(roster.find(other).is_none() && file.find(other).unwrap().is_none());
        }
        for nobody in [[0; 16], [255; 16]] {
            assert!(file.find(Pseudonym(nobody)).unwrap().is_none());
        }
        let fact = |facts: &Option<Vec<u16>>, slot: u32| {
            facts.as_ref().map_or(0, |facts| facts[slot as usize])
        };
        for slots in [0..SLOTS, 0..0, 2047..2050, SLOTS - 1..SLOTS] {
            let families = file.families(slots.clone()).unwrap();
            assert_eq!(families.len(), slots.len());
            for (slot, family) in slots.zip(families.iter()) {
                assert_eq!(family.persons, fact(&roster.persons, slot));
                assert_eq!(family.adults, fact(&roster.adults, slot));
            }
        }
    }
    // A roster of nobody.
    let path = world.write(&roster_of_nobody());
    world.same_roster(&path).unwrap();
    assert!(world.roster(&path).unwrap().find(Pseudonym([7; 16])).unwrap().is_none());
}

/// A body that the registrar signed, changed at one place, cut or extended: both readers say the same of it.
fn all_changes(whole: &[u8], step: usize, mut check: impl FnMut(Vec<u8>)) {
    for at in (0..whole.len()).step_by(step).chain(whole.len() - 8..whole.len()) {
        check(whole[..at].to_vec());
        for value in [0xff, whole[at] ^ 1] {
            let mut bytes = whole.to_vec();
            bytes[at] = value;
            check(bytes);
        }
    }
    for extra in [1, 20, 5000] {
        check([whole, &vec![0; extra]].concat());
    }
}

#[test]
fn signed_bodies_that_are_wrong_are_refused_alike() {
    let (keys, mut roster) = (many_keys(), many_persons());
    let big = World::new(&keys);
    roster.persons = Some(vec![2; SLOTS as usize]);
    let whole = body(&fs::read(big.write(&keys)).unwrap());
    all_changes(&whole, 8191, |bytes| drop(big.same_keys(&big.write(&Raw::<3>(bytes)))));
    let whole = body(&fs::read(big.write(&roster)).unwrap());
    all_changes(&whole, 12_289, |bytes| drop(big.same_roster(&big.write(&Raw::<2>(bytes)))));

    let (keys, roster) = (letter_keys(), super::support::roster());
    let small = World::new(&keys);
    let whole = body(&fs::read(small.write(&keys)).unwrap());
    all_changes(&whole, 1, |bytes| drop(small.same_keys(&small.write(&Raw::<3>(bytes)))));
    let whole = body(&fs::read(small.write(&roster)).unwrap());
    all_changes(&whole, 1, |bytes| drop(small.same_roster(&small.write(&Raw::<2>(bytes)))));
    // Lengths that no body has.
    for length in [0, 1, 4, 1 << 20, 1 << 32, 1 << 60, u64::MAX / 20, u64::MAX] {
        for at in [0, 8 + roster.agency.as_str().len() + 36] {
            let mut bytes = whole.clone();
            bytes[at..at + 8].copy_from_slice(&u64::to_le_bytes(length));
            drop(small.same_roster(&small.write(&Raw::<2>(bytes))));
        }
        let bytes = [&length.to_le_bytes()[..], &[9; 96]].concat();
        drop(small.same_keys(&small.write(&Raw::<3>(bytes))));
    }
}

#[test]
fn damage_far_inside_is_noticed_alike() {
    let (keys, roster) = (many_keys(), many_persons());
    let world = World::new(&keys);
    let check = |whole: &[u8], read: &dyn Fn(&Path) -> Result<(), WireError>| {
        let path = world.folder.path().join("file.bt");
        for at in (0..whole.len()).step_by(4999) {
            let mut bytes = whole.to_vec();
            bytes[at] ^= 0x10;
            fs::write(&path, &bytes).unwrap();
            read(&path).unwrap_err();
            fs::write(&path, &whole[..at]).unwrap();
            assert!(matches!(read(&path).unwrap_err().fault(), Some(Fault::Truncated)));
        }
        fs::write(&path, [whole, &[0; 7]].concat()).unwrap();
        let refused = read(&path).unwrap_err();
        assert!(matches!(refused.fault(), Some(Fault::TrailingBytes { extra: 7 })), "{refused}");
    };
    let whole = fs::read(world.write(&keys)).unwrap();
    check(&whole, &|path| world.same_keys(path));
    let whole = fs::read(world.write(&roster)).unwrap();
    check(&whole, &|path| world.same_roster(path));
}

#[test]
fn what_is_not_of_the_round_is_refused_alike() {
    let (keys, mut roster) = (many_keys(), many_persons());
    let mut world = World::new(&keys);
    let path = world.folder.path().join("file.bt");
    let refused = |world: &World, part: &str| {
        let errors = [world.same_keys(&path).unwrap_err(), world.same_roster(&path).unwrap_err()];
        assert!(errors.iter().any(|error| error.to_string().contains(part)), "{part}: {errors:?}");
    };
    refused(&world, "missing");
    // Of another round, and of another sender.
    let (p, context) = (parties(), world.context.clone());
    let other = Context { round: RoundId([1; 32]), ..context.clone() };
    write(&path, &keys, &other, &p.registrar).unwrap();
    refused(&world, "belongs to round");
    write(&path, &roster, &other, &p.registrar).unwrap();
    refused(&world, "belongs to round");
    write(&path, &keys, &context, &p.evaluator).unwrap();
    refused(&world, "sent by evaluator");
    write(&path, &roster, &context, &identity("registrar", 77)).unwrap();
    refused(&world, "signature");
    // Other keys, other numbers of slots, another agency, another linkage.
    let mut less = keys.clone();
    less.keys.pop();
    write(&path, &less, &context, &p.registrar).unwrap();
    refused(&world, "list of letter keys");
    roster.agency = PartyName::agency("health").unwrap();
    write(&path, &roster, &context, &p.registrar).unwrap();
    refused(&world, "meant for agency:health");
    roster.agency = p.agency.name().clone();
    roster.linkage = RosterLinkage::Key(PseudonymKey::from_bytes([8; 32]));
    write(&path, &roster, &context, &p.registrar).unwrap();
    refused(&world, "another linkage");
    world.round.slots += 1;
    refused(&world, "another number of slots");
    write(&path, &keys, &context, &p.registrar).unwrap();
    refused(&world, "not one letter key a slot");
    world.parties.trust = TrustFile::new();
    refused(&world, "pins no key");
}

#[cfg(unix)]
#[test]
fn a_roster_that_others_can_read_is_refused_alike() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new(&many_keys());
    let path = world.write(&many_persons());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let refused = world.same_roster(&path).unwrap_err();
    assert!(matches!(refused, WireError::Exposed { mode: 0o640, .. }), "{refused}");
}

#[test]
fn an_open_file_gives_what_was_signed_or_nothing() {
    let (keys, roster) = (many_keys(), many_persons());
    let world = World::new(&keys);
    let path = world.write(&keys);
    let file = world.keys(&path).unwrap();
    // Another file in its place.
    let mut others = keys.clone();
    others.keys.reverse();
    world.write(&others);
    assert_eq!(file.keys(0..SLOTS).unwrap(), keys.keys);
    // The file itself changed: what is not touched is given out as before.
    let path = world.write(&keys);
    let file = world.keys(&path).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let end = bytes.len() - 64;
    bytes[end - 32 * 2..end].fill(9);
    fs::write(&path, &bytes).unwrap();
    assert_eq!(file.keys(0..1000).unwrap(), keys.keys[..1000]);
    let refused = file.keys(SLOTS - 2..SLOTS).unwrap_err();
    assert_eq!(refused.culprit(), Some(world.parties.registrar.name()));
    assert!(refused.to_string().contains("changed"), "{refused}");

    let path = world.write(&roster);
    let file = world.roster(&path).unwrap();
    let size = fs::metadata(&path).unwrap().len();
    fs::File::options().write(true).open(&path).unwrap().set_len(size / 2).unwrap();
    let (first, last) = (&roster.entries[0], roster.entries.last().unwrap());
    assert!(file.find(first.pseudonym).unwrap() == Some((0, first.slot)));
    assert!(file.find(last.pseudonym).is_err());
}
