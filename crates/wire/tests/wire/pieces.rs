//! Files that are written in pieces are those that are written at once.

use crate::support::*;
use blindtier_wire::*;
use std::fs;
use std::path::Path;

/// A roster of so many entries, of which the facts are there or not.
fn roster_of(entries: u32, linkage: RosterLinkage, facts: [bool; 2]) -> Roster {
    let entry = |n: u32| {
        let mut pseudonym = [0; 16];
        pseudonym[..4].copy_from_slice(&n.to_be_bytes());
        Entry { pseudonym: Pseudonym(pseudonym), slot: n % 7 }
    };
    let [persons, adults] = facts.map(|there| there.then(|| (0..7u16).map(|n| 300 * n).collect()));
    let agency = PartyName::agency("tax").unwrap();
    Roster {
        agency,
        linkage,
        entries: (0..entries).map(entry).collect(),
        slots: 7,
        persons,
        adults,
    }
}

fn head(roster: &Roster) -> RosterHead<'_> {
    RosterHead {
        agency: &roster.agency,
        linkage: &roster.linkage,
        entries: roster.entries.len() as u64,
        slots: roster.slots,
        persons: roster.persons.as_deref(),
        adults: roster.adults.as_deref(),
    }
}

fn write_roster(path: &Path, head: RosterHead<'_>, entries: &[Entry]) -> Result<Digest, WireError> {
    let (p, context) = (parties(), round().context().unwrap());
    let mut writer = RosterWriter::begin(path, head, &context, &p.registrar)?;
    for entry in entries {
        writer.entry(*entry)?;
    }
    writer.finish()
}

fn write_keys(path: &Path, slots: u32, keys: &[[u8; 32]]) -> Result<Digest, WireError> {
    let (p, context) = (parties(), round().context().unwrap());
    let mut writer = LetterKeysWriter::begin(path, slots, &context, &p.registrar)?;
    for key in keys {
        writer.key(key)?;
    }
    writer.finish()
}

#[test]
fn a_roster_in_pieces_has_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let (p, context) = (parties(), round().context().unwrap());
    let (whole, pieces) = (folder.path().join("whole"), folder.path().join("a/pieces"));
    // The last has more bytes than are hashed at once.
    for entries in [0, 1, 3, 40_000] {
        for facts in [[false, false], [true, false], [false, true], [true, true]] {
            let key = || RosterLinkage::Key(PseudonymKey::from_bytes([8; 32]));
            for linkage in [key(), RosterLinkage::Oblivious { public: [29; 32] }] {
                let roster = roster_of(entries, linkage, facts);
                let expected = write(&whole, &roster, &context, &p.registrar).unwrap();
                let digest = write_roster(&pieces, head(&roster), &roster.entries).unwrap();
                assert!(fs::read(&whole).unwrap() == fs::read(&pieces).unwrap(), "{entries}");
                assert_eq!(digest, expected);
            }
        }
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&pieces).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn letter_keys_in_pieces_have_the_same_bytes_and_digest() {
    let folder = tempfile::tempdir().unwrap();
    let (p, context) = (parties(), round().context().unwrap());
    let (whole, pieces) = (folder.path().join("whole"), folder.path().join("pieces"));
    for count in [1, 3, 10_000] {
        let key = |n: u32| {
            let mut key = [9; 32];
            key[..4].copy_from_slice(&n.to_be_bytes());
            key
        };
        let keys = LetterKeys { keys: (0..count).map(key).collect() };
        let expected = write(&whole, &keys, &context, &p.registrar).unwrap();
        assert_eq!(write_keys(&pieces, count, &keys.keys).unwrap(), expected);
        assert!(fs::read(&whole).unwrap() == fs::read(&pieces).unwrap(), "{count}");
        let mut digest = LetterKeysDigest::new();
        keys.keys.iter().for_each(|key| digest.key(key));
        assert_eq!(digest.finish(), keys.digest());
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&whole), mode(&pieces));
    }
}

#[test]
fn what_contradicts_itself_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    let refused = |written: Result<Digest, WireError>, text: &str| {
        let error = written.unwrap_err();
        assert!(matches!(error, WireError::Unwritable { .. }), "{error}");
        assert!(error.to_string().contains(text), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left: {text}");
    };
    let roster = || roster_of(3, RosterLinkage::Oblivious { public: [29; 32] }, [true, true]);
    let entries = roster().entries.clone();
    let roster_with = |change: &dyn Fn(&mut RosterHead<'_>), entries: &[Entry]| {
        let roster = roster();
        let mut head = head(&roster);
        change(&mut head);
        write_roster(&path, head, entries)
    };
    let [a, b, c] = entries[..] else { panic!("three entries") };
    refused(roster_with(&|_| (), &[a, c, b]), "ascending");
    refused(roster_with(&|_| (), &[a, a, b]), "ascending");
    refused(roster_with(&|_| (), &[a, b, Entry { slot: 7, ..c }]), "outside the slots");
    refused(roster_with(&|_| (), &[a, b]), "another length");
    refused(roster_with(&|head| head.entries = 0, &[a, b, c]), "longer than announced");
    refused(roster_with(&|head| head.adults = Some(&[1]), &[a, b, c]), "fact for every slot");
    for entries in [1 << 26, u64::MAX] {
        refused(roster_with(&|head| head.entries = entries, &[]), "body cannot be decoded");
    }
    let key = [9; 32];
    refused(write_keys(&path, 0, &[]), "no letter key");
    refused(write_keys(&path, 2, &[key]), "another length");
    refused(write_keys(&path, 2, &[key, key, key]), "longer than announced");
    refused(write_keys(&path, 2, &[key, [0; 32]]), "low order");
}

#[test]
fn an_unfinished_file_leaves_the_older_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    write_keys(&path, 1, &[[9; 32]]).unwrap();
    let before = fs::read(&path).unwrap();
    assert!(write_keys(&path, 2, &[[9; 32]]).is_err());
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_scratch_file_has_no_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = storage::scratch(&folder.path().join("not/yet/there")).unwrap();
    std::io::Write::write_all(&mut file, b"secret").unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert!(storage::scratch(Path::new("s3://bucket/private")).is_err(), "secrets stay here");
}
