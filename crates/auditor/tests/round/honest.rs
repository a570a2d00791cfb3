//! Rounds in which everybody does as agreed, with and without interruptions.

use crate::support::*;
use blindtier_dealer::DealerError;
use blindtier_family::{FamilyError, LetterKey};
use blindtier_trustee::{KeyProgress, OpenProgress, TrusteeError};
use blindtier_wire::{LetterKeys, PartyName, Roster};
use std::convert::Infallible;
use std::fs;

#[test]
fn every_family_learns_the_tier_of_the_clear_computation() {
    for (sharing, dealer) in
        [("2-of-3", false), ("2-of-3", true), ("3-of-5", false), ("1-of-1", true)]
    {
        let world = World::with(Shape::of(sharing, dealer));
        let files = world.finished("round");
        world.check_letters(&files);
        let mail = world.mail(&files).unwrap();
        let letter = mail.read(&world.keys[3]).unwrap();
        assert_eq!((letter.code, letter.opened_to_state), (tier(3), None), "{sharing}");
    }
    let tiers: std::collections::BTreeSet<_> = (0..7).map(tier).collect();
    assert!(tiers.len() > 2, "tiers differ");
}

#[test]
fn an_auditor_counts_every_file_of_the_board() {
    for dealer in [false, true] {
        let world = World::with(Shape::of("2-of-3", dealer));
        let files = world.finished("round");
        let report = world.audit(&files, &[2, 0, 1, 0]).unwrap();
        assert_eq!(report.chunks_recomputed, [0, 1, 2]);
        assert_eq!((report.slots, report.chunks, report.operations), (7, 3, 14));
        assert_eq!((report.entries, report.opened_by.len()), (4, 2));
        assert_eq!(report.head, world.ledger(&files).unwrap().head());
        let board = files_below(files.board.folder());
        assert_eq!(report.files_checked, board.len() as u64, "a file that nobody reads");
        assert!(!blindtier_auditor::UNKNOWN.is_empty());
    }
}

#[test]
fn a_round_may_be_audited_at_every_stage() {
    let world = World::new();
    let files = world.keyed("round");
    world.audit(&files, &[]).unwrap();
    (0..AGENCIES.len()).for_each(|agency| drop(world.submit(&files, agency)));
    world.register_all(&files);
    world.audit(&files, &[]).unwrap();
    assert!(world.audit(&files, &[0]).is_err(), "nothing to recompute yet");
    (0..AGENCIES.len()).for_each(|agency| world.hand_over(&files, agency).unwrap());
    world.evaluate(&files).unwrap();
    for number in [1, 2, 1, 2, 1, 2, 1, 2] {
        world.open(&files, number).unwrap();
        world.audit(&files, &[0, 1, 2]).unwrap();
    }
    assert_eq!(world.audit(&files, &[]).unwrap().entries, 4);
}

#[test]
fn every_trustee_says_how_far_it_is() {
    let world = World::new();
    let files = world.announce("round");
    let waits = |number| match world.make_keys(&files, number).unwrap() {
        KeyProgress::Waiting { from, .. } => from.iter().map(PartyName::to_string).collect(),
        KeyProgress::Done => Vec::new(),
    };
    assert_eq!(waits(1), ["trustee:2", "trustee:3"], "their receiving keys");
    world.make_all_keys(&files);
    assert_eq!(waits(1), Vec::<String>::new());
    assert!(world.evaluate(&files).is_err(), "no submission is registered");

    let files = world.evaluated("other");
    let name = |number| world.trustee(number).name().clone();
    assert_eq!(world.open(&files, 1).unwrap(), OpenProgress::Committed);
    assert_eq!(world.open(&files, 2).unwrap(), OpenProgress::Listed);
    assert_eq!(world.open(&files, 1).unwrap(), OpenProgress::Listed);
    assert_eq!(world.open(&files, 1).unwrap(), OpenProgress::Revealed { missing: vec![name(2)] });
    assert_eq!(world.open(&files, 2).unwrap(), OpenProgress::Combined);
    assert_eq!(world.open(&files, 1).unwrap(), OpenProgress::Combined);
    assert!(is_done(&world.open(&files, 1).unwrap()));
    assert!(is_done(&world.open(&files, 3).unwrap()), "letters of one that did not open");
}

#[test]
fn levels_come_with_the_letter() {
    let world = World::new();
    let files = world.submitted("round");
    let families = world.families(&files);
    for (agency, (position, _, columns)) in AGENCIES.into_iter().enumerate() {
        let invitation = world.invitation(&files, agency).unwrap();
        let identity = &world.agencies[agency];
        let output = files.path("letters").join(identity.name().file_part());
        let values = |slot: u32| {
            let family = families[slot as usize];
            Ok::<_, Infallible>((0..columns).map(|c| clear(position, c, family)).collect())
        };
        let keys = files.board.letter_keys();
        let seal = || {
            invitation.seal_levels(&keys, columns, values, &output, identity, &world.trust).unwrap()
        };
        assert_eq!(seal(), seal(), "levels are sealed once");
    }
    world.evaluate(&files).unwrap();
    world.open_by(&files, &world.all()).unwrap();
    world.check_letters(&files);
    let mail = world.mail(&files).unwrap();
    for (family, key) in world.keys.iter().enumerate() {
        let letter = mail.read(key).unwrap();
        for (agency, (position, _, columns)) in AGENCIES.into_iter().enumerate() {
            let expected: Vec<i64> = (0..columns).map(|c| clear(position, c, family)).collect();
            assert_eq!(letter.levels[world.agencies[agency].name()], expected);
        }
    }
    // Damaged levels are complained about, and the tier is read all the same.
    for name in ["chunk-00000.bt", "levels.bt"] {
        let path = files.path("letters/agency-health").join(name);
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[1..]).unwrap();
        let letters = mail.read_all(&world.keys).unwrap();
        assert!(letters.iter().zip(0..).all(|(letter, family)| letter.code == tier(family)));
        let complaints: Vec<_> = letters.iter().flat_map(|letter| &letter.complaints).collect();
        let about = |c: &&FamilyError| names(&c.culprits()) == ["agency:health"];
        assert!(complaints.len() >= 3 && complaints.iter().all(about), "{name}");
        fs::write(&path, bytes).unwrap();
    }
}

#[test]
fn rosters_carry_facts_only_to_those_who_declare_them() {
    let world = World::new();
    let files = world.keyed("round");
    let tax = world.roster(&files, 0).unwrap();
    let health = world.roster(&files, 1).unwrap();
    let mut persons = tax.persons.clone().unwrap();
    persons.sort_unstable();
    assert_eq!(persons, [1, 1, 1, 2, 2, 3, 3]);
    assert!(tax.adults.is_none() && health.persons.is_none() && health.adults.is_none());
    for entry in &tax.entries {
        let shared = health.entries.iter().any(|e| e.pseudonym == entry.pseudonym);
        assert!(!shared, "pseudonyms differ per agency");
    }
    assert_eq!(files.announced.rosters.len(), 2, "an agency without columns gets no roster");
}

#[test]
fn sizes_say_nothing_about_families() {
    let world = World::new();
    let files = world.finished("round");
    for folder in
        ["board/submissions/tax", "board/results", "board/opened/trustee-1", "letters/trustee-1"]
    {
        let size = |chunk: &str| fs::metadata(files.path(folder).join(chunk)).unwrap().len();
        assert_eq!(size("chunk-00000.bt"), size("chunk-00001.bt"), "{folder}");
    }
}

#[test]
fn a_finished_submission_is_never_made_again() {
    let world = World::new();
    let files = world.keyed("round");
    let first = world.submit(&files, 0);
    let again = world.submit(&files, 0);
    assert!(first.fresh && !again.fresh);
    assert_eq!(first.digest, again.digest);
}

#[test]
fn an_interrupted_submission_is_made_anew() {
    let world = World::new();
    let files = world.keyed("round");
    world.submit(&files, 0);
    fs::remove_file(files.own_submission(0).join("submission.bt")).unwrap();
    fs::remove_file(files.own_submission(0).join("chunk-00002.bt")).unwrap();
    assert!(world.submit(&files, 0).fresh);
    world.submit(&files, 1);
    world.register_all(&files);
    (0..2).for_each(|agency| world.hand_over(&files, agency).unwrap());
    world.evaluate(&files).unwrap();
}

#[test]
fn an_interrupted_evaluation_goes_on_at_the_first_missing_chunk() {
    let world = World::new();
    let files = world.submitted("round");
    let whole = world.evaluate(&files).unwrap();
    assert_eq!(whole.resumed, 0);
    fs::remove_file(files.board.receipt()).unwrap();
    fs::remove_file(files.board.results().join("chunk-00001.bt")).unwrap();
    fs::write(files.board.results().join("chunk-00002.bt"), b"half").unwrap();
    let again = world.evaluate(&files).unwrap();
    assert_eq!((again.resumed, again.digest), (1, whole.digest), "the same receipt to the byte");
    assert_eq!(world.evaluate(&files).unwrap().digest, whole.digest, "a finished run is returned");
}

#[test]
fn an_interrupted_opening_goes_on() {
    let world = World::new();
    let files = world.evaluated("round");
    // Something is in the way of the own chunks, then of the letters.
    fs::write(files.hidden(1), b"in the way").unwrap();
    assert!(matches!(world.open(&files, 1), Err(TrusteeError::Wire(_))));
    fs::remove_file(files.hidden(1)).unwrap();
    fs::create_dir_all(files.path("letters")).unwrap();
    fs::write(files.letters(1), b"in the way").unwrap();
    assert!(matches!(world.open_by(&files, &[1, 2]), Err(TrusteeError::Wire(_))));
    fs::remove_file(files.letters(1)).unwrap();
    world.open_by(&files, &world.all()).unwrap();
    world.check_letters(&files);
    let before = files.all();
    world.open_by(&files, &world.all()).unwrap();
    assert_eq!(before, files.all(), "a finished opening writes nothing");
}

#[test]
fn a_stranger_has_no_letter_and_keys_survive_their_file() {
    let world = World::new();
    let files = world.finished("round");
    let stranger = LetterKey::generate().unwrap();
    let mail = world.mail(&files).unwrap();
    assert!(matches!(mail.read(&stranger), Err(FamilyError::NotInRound { .. })));
    assert!(mail.read_all(&[stranger]).is_err());

    let path = files.path("devices");
    LetterKey::write(&path, &world.keys).unwrap();
    let read = LetterKey::read(&path).unwrap();
    assert!(read.iter().map(LetterKey::public).eq(world.keys.iter().map(LetterKey::public)));
    let whole = fs::read(&path).unwrap();
    for cut in [0, 5, 21, 40, whole.len() - 2] {
        blindtier_wire::storage::write_secret(&path, &whole[..cut]).unwrap();
        assert!(LetterKey::read(&path).is_err(), "{cut}");
    }
}

#[cfg(unix)]
#[test]
fn secret_files_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    let files = world.finished("round");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for number in world.all() {
        for name in ["shares.bt", "receiving.key", "made-shares.bt"] {
            assert_eq!(mode(&files.private(number).join(name)), 0o600, "{name}");
        }
    }
    for (_, roster) in &files.announced.rosters {
        assert_eq!(mode(roster), 0o600);
    }
}

#[test]
fn keys_and_a_round_are_never_replaced() {
    let world = World::with(Shape::of("2-of-3", true));
    let files = world.keyed("round");
    assert!(world.announce_as(&files.root, &world.population()).is_err());
    let before = files.all();
    assert!(matches!(world.deal(&files), Err(DealerError::KeysExist { .. })));
    let shares = fs::read(files.private(1).join("shares.bt")).unwrap();
    assert_eq!(world.make_keys(&files, 1).unwrap(), KeyProgress::Done);
    assert_eq!(shares, fs::read(files.private(1).join("shares.bt")).unwrap());
    assert_eq!(before, files.all());
    let without = World::new();
    let files = without.announce("round");
    assert!(matches!(without.deal(&files), Err(DealerError::NotNeeded { .. })));
}

#[test]
fn two_rounds_over_one_population_share_nothing() {
    let world = World::new();
    let (one, two) = (world.keyed("one"), world.keyed("two"));
    assert_ne!(one.context().round, two.context().round);
    let pseudonyms = |files: &Files| -> Vec<_> {
        let roster: Roster = world.roster(files, 0).unwrap();
        roster.entries.iter().map(|e| e.pseudonym).collect()
    };
    assert!(pseudonyms(&one).iter().all(|p| !pseudonyms(&two).contains(p)));
    let keys = |files: &Files| {
        let path = files.board.letter_keys();
        LetterKeys::read(&path, files.round(), files.context(), &world.trust).unwrap()
    };
    assert_eq!(keys(&one).by_key().len(), world.shape.families);
    assert!(keys(&two).slot_of(world.keys[0].public()).is_some());
}
