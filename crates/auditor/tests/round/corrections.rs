//! Rounds that decide some slots of another anew.

use crate::support::*;
use blindtier_auditor::{AuditError, Correction, Execute, check_proof};
use blindtier_family::{FamilyError, LetterKey, read_for_state};
use blindtier_ledger::{Event, LedgerError};
use blindtier_trustee::{StateRequest, TrusteeError, correct, correction, open_to_state};
use blindtier_wire::{
    Digest, Expect, Fault, LetterKeys, PartyName, Round, SigningIdentity, WireError, read, write,
};
use std::fs;

/// A round that corrects these slots of another, up to its submissions.
fn begun(world: &World, name: &str, parent: &Files, slots: &[u32]) -> Files {
    let files = world.announce_correction(name, parent, slots);
    world.make_all_keys(&files);
    (0..AGENCIES.len()).for_each(|agency| drop(world.submit(&files, agency)));
    world.register_and_hand_over(&files);
    files
}

/// The same, opened.
fn opened(world: &World, name: &str, parent: &Files, slots: &[u32]) -> Files {
    let files = begun(world, name, parent, slots);
    world.evaluate(&files).unwrap();
    world.open_by_all(&files);
    files
}

/// A trustee signs that the round on this board corrects the other.
fn sign(world: &World, parent: &Files, number: u16, files: &Files) -> Result<Event, TrusteeError> {
    world.at_desk(parent, number, |desk| correct(desk, files.board.clone()))
}

fn recorded(world: &World, name: &str, parent: &Files, slots: &[u32]) -> Files {
    let files = opened(world, name, parent, slots);
    [1, 2].iter().for_each(|number| drop(sign(world, parent, *number, &files).unwrap()));
    files
}

fn audit(world: &World, files: &Files) -> Result<Vec<Correction>, AuditError> {
    Ok(world.audit(files, &[])?.corrections)
}

/// No trustee signs it, whichever way, and the auditor names the registrar's file.
#[track_caller]
fn refused(
    world: &World,
    parent: &Files,
    files: &Files,
    file: &std::path::Path,
    kind: fn(&Fault) -> bool,
) {
    let check = |error: &WireError| expect(error, file, "registrar", kind);
    for number in world.all() {
        match sign(world, parent, number, files) {
            Err(TrusteeError::Ledger(LedgerError::Wire(error))) => check(&error),
            Err(other) => panic!("{other}"),
            Ok(event) => panic!("signed: {event}"),
        }
    }
    match audit(world, parent) {
        Err(AuditError::Ledger(LedgerError::Wire(error))) => check(&error),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("accepted"),
    }
    assert_eq!(world.ledger(parent).unwrap().corrections().count(), 0);
}

#[test]
fn a_correction_counts_once_it_is_recorded() {
    for dealer in [false, true] {
        let world = World::with(Shape::of("2-of-3", dealer));
        let parent = world.finished("round");
        let slots = [5, 0, 2];
        let files = begun(&world, "correction", &parent, &slots);
        // Not before it is opened.
        let refused = sign(&world, &parent, 1, &files);
        assert!(matches!(refused, Err(TrusteeError::Ledger(LedgerError::Missing { .. }))));
        world.evaluate(&files).unwrap();
        world.open_by_all(&files);
        let round = files.context().round;
        let unrecorded = [Correction { round, slots: slots.to_vec(), head: None }];
        assert_eq!(audit(&world, &parent).unwrap(), unrecorded);

        sign(&world, &parent, 1, &files).unwrap();
        assert!(world.ledger(&parent).unwrap().correction_of(0).is_none(), "one is no majority");
        sign(&world, &parent, 3, &files).unwrap();
        let head = world.ledger(&files).unwrap().opening().unwrap();
        let event = Event::Corrected { round, slots: slots.to_vec(), head };
        assert_eq!(sign(&world, &parent, 2, &files).unwrap(), event, "it may add its signature");
        let found = audit(&world, &parent).unwrap();
        assert_eq!(found, [Correction { round, slots: slots.to_vec(), head: Some(head) }]);
        world.audit_with(&files.board, Some(head), &Execute::All).unwrap();

        // Every family's letter says which round counts, and that round has its tier.
        let families = world.families(&parent);
        let letters = world.mail(&parent).unwrap().read_all(&world.keys).unwrap();
        for (family, letter) in letters.iter().enumerate() {
            let there = slots.iter().position(|slot| *slot == letter.slot);
            assert_eq!(letter.corrected, there.map(|there| (round, there as u32)));
            let Some(there) = there else { continue };
            let mail = world.mail(&files).unwrap();
            let corrected = mail.read(&world.keys[family]).unwrap();
            assert_eq!((corrected.slot as usize, corrected.code), (there, tier(family)));
            assert_eq!(corrected.corrected, None);
            // A proof of the old tier is none any more.
            let path = files.path("proof.toml");
            let check = |files: &Files| {
                check_proof(&files.board, &path, policy_hash(), MODULUS, &world.trust)
            };
            world.mail(&parent).unwrap().prove(letter).write(&path).unwrap();
            let error = check(&parent).unwrap_err();
            let named = matches!(
                error,
                AuditError::Corrected { by, there: slot, .. } if by == round && slot == there as u32
            );
            assert!(named, "{error}");
            mail.prove(&corrected).write(&path).unwrap();
            assert_eq!(check(&files).unwrap().code, tier(family));
        }
        let untouched = letters.iter().find(|letter| letter.slot == 1).unwrap();
        let path = files.path("proof.toml");
        world.mail(&parent).unwrap().prove(untouched).write(&path).unwrap();
        let proven = check_proof(&parent.board, &path, policy_hash(), MODULUS, &world.trust);
        assert_eq!(proven.unwrap().code, tier(families[1]));
    }
}

#[test]
fn the_state_is_not_shown_a_tier_that_was_corrected() {
    let world = World::new();
    let parent = world.finished("round");
    let (state, output) = (LetterKey::generate().unwrap(), parent.path("state"));
    let request = StateRequest { slot: 3, reason: "appeal".into(), key: *state.public() };
    for number in [1, 2, 1, 2] {
        world.at_desk(&parent, number, |desk| open_to_state(desk, &request, &output)).unwrap();
    }
    let read = || {
        let (board, trust) = (&parent.board, &world.trust);
        read_for_state(board, &output, 3, &state, policy_hash(), MODULUS, trust)
    };
    read().unwrap();
    let files = recorded(&world, "correction", &parent, &[0, 3]);
    let refused = read().unwrap_err();
    let by = files.context().round;
    let named = matches!(refused, FamilyError::Corrected { by: b, there: 1, .. } if b == by);
    assert!(named, "{refused}");
}

#[test]
fn a_slot_that_is_corrected_again() {
    let world = World::new();
    let parent = world.finished("round");
    let first = recorded(&world, "first", &parent, &[4, 6]);
    let again = recorded(&world, "again", &parent, &[6]);
    let ledger = world.ledger(&parent).unwrap();
    assert_eq!(ledger.correction_of(6), Some((&again.context().round, 0)));
    assert_eq!(ledger.correction_of(4), Some((&first.context().round, 0)));
    let rounds: Vec<_> = audit(&world, &parent).unwrap().iter().map(|c| c.round).collect();
    assert_eq!(rounds, [first.context().round, again.context().round], "all stay");
    // The same once more is no other entry.
    let entries = ledger.entries().len();
    sign(&world, &parent, 3, &first).unwrap();
    assert_eq!(world.ledger(&parent).unwrap().entries().len(), entries);
}

#[test]
fn which_correction_is_meant() {
    let world = World::new();
    let parent = world.finished("round");
    let find = |name: Option<&str>| world.at_desk(&parent, 1, |desk| correction(desk, name));
    assert!(matches!(find(None), Err(TrusteeError::WhichCorrection { .. })), "there is none");
    let first = opened(&world, "first", &parent, &[1]);
    assert_eq!(find(None).unwrap(), first.board);
    let second = opened(&world, "second", &parent, &[2]);
    let Err(TrusteeError::WhichCorrection { found, .. }) = find(None) else { panic!("found") };
    for files in [&first, &second] {
        let round = files.context().round.to_string();
        assert!(found.contains(&round[..16]), "{found}");
        for name in [&round[..], &round[..16], &round[..6]] {
            assert_eq!(find(Some(name)).unwrap(), files.board);
        }
    }
    for name in ["", "xyz", "../../other"] {
        assert!(matches!(find(Some(name)), Err(TrusteeError::WhichCorrection { .. })), "{name}");
    }
    [1, 2].iter().for_each(|number| drop(sign(&world, &parent, *number, &first).unwrap()));
    assert_eq!(find(None).unwrap(), second.board, "the other is recorded");
}

/// What a registrar can do: sign another round file, and the letter keys, in the place of a correction.
fn announce_anew(
    world: &World,
    parent: &Files,
    files: &Files,
    change: impl FnOnce(&mut Round),
) -> Files {
    let changed = world.copy_announced(files, change);
    let board = parent.board.correction(&changed.context().round);
    fs::create_dir_all(board.folder()).unwrap();
    let keys = files.board.letter_keys();
    let expect = Expect::of(world.registrar.name(), files.context());
    let keys = read::<LetterKeys>(&keys, &expect, &world.trust).unwrap().body;
    write(&board.letter_keys(), &keys, changed.context(), &world.registrar).unwrap();
    write(&board.round(), changed.round(), changed.context(), &world.registrar).unwrap();
    fs::remove_dir_all(files.board.folder()).unwrap();
    Files { board, ..changed }
}

#[test]
fn a_round_that_is_no_correction_of_this_one() {
    let world = World::new();
    let (parent, other) = (world.finished("round"), world.finished("other"));
    // Of another round.
    let files = opened(&world, "elsewhere", &other, &[1]);
    let moved = Files {
        board: parent.board.correction(&files.context().round),
        root: files.root.clone(),
        announced: files.announced,
    };
    copy_folder(other.board.corrections().as_path(), parent.board.corrections().as_path());
    refused(&world, &parent, &moved, &moved.board.round(), |f| {
        matches!(f, Fault::Reference { .. })
    });
    fs::remove_dir_all(parent.board.corrections()).unwrap();
    // One that corrects nothing.
    let board = parent.board.correction(&other.context().round);
    copy_folder(other.board.folder(), board.folder());
    let plain = Files { board, ..world.copy(&other, "plain") };
    refused(&world, &parent, &plain, &plain.board.round(), |f| matches!(f, Fault::Content { .. }));
    fs::remove_dir_all(parent.board.corrections()).unwrap();
    // In the folder of another.
    let files = opened(&world, "files", &parent, &[1]);
    let folder = parent.board.correction(&other.context().round);
    fs::rename(files.board.folder(), folder.folder()).unwrap();
    let moved = Files { board: folder, ..world.copy_announced(&files, |_| {}) };
    refused(&world, &parent, &moved, &moved.board.round(), |f| matches!(f, Fault::Content { .. }));
}

#[test]
fn a_correction_of_slots_or_families_that_are_others() {
    let world = World::new();
    let parent = world.finished("round");
    let files = world.announce_correction("files", &parent, &[1, 2]);
    let files = announce_anew(&world, &parent, &files, |round| {
        round.corrects.as_mut().unwrap().slots = vec![1, 7];
    });
    refused(&world, &parent, &files, &files.board.round(), |f| matches!(f, Fault::Content { .. }));
    fs::remove_dir_all(parent.board.corrections()).unwrap();
    // The families of slots 1 and 2 would get what is decided for 3 and 4.
    let files = world.announce_correction("other", &parent, &[1, 2]);
    let files = announce_anew(&world, &parent, &files, |round| {
        round.corrects.as_mut().unwrap().slots = vec![3, 4];
    });
    let keys = files.board.letter_keys();
    refused(&world, &parent, &files, &keys, |f| matches!(f, Fault::Content { .. }));
}

#[test]
fn a_correction_that_somebody_else_announced() {
    let world = World::new();
    let parent = world.finished("round");
    let files = opened(&world, "files", &parent, &[3]);
    let forger = SigningIdentity::generate(PartyName::registrar()).unwrap();
    write(&files.board.round(), files.round(), files.context(), &forger).unwrap();
    refused(&world, &parent, &files, &files.board.round(), |f| {
        matches!(f, Fault::Signature { .. })
    });
}

#[test]
fn a_recorded_correction_has_to_be_there() {
    let world = World::new();
    let parent = world.finished("round");
    let files = recorded(&world, "files", &parent, &[3, 1]);
    let aside = parent.path("aside");
    fs::rename(parent.board.corrections(), &aside).unwrap();
    let Err(AuditError::Ledger(LedgerError::Wire(error))) = audit(&world, &parent) else {
        panic!("accepted")
    };
    expect(&error, &files.board.round(), "registrar", |f| matches!(f, Fault::Missing));
    fs::rename(&aside, parent.board.corrections()).unwrap();
    // Cut off before it was opened.
    let entry = files.board.ledger().join("00003");
    let aside = parent.path("entry");
    fs::rename(&entry, &aside).unwrap();
    let cut = audit(&world, &parent);
    assert!(matches!(cut, Err(AuditError::Ledger(LedgerError::Missing { .. }))));
    // Opened otherwise: a majority of the trustees signed other numbers for it.
    world.force(&files, &[1, 2], &Event::Opened(vec![Digest([9; 32])]));
    assert!(matches!(audit(&world, &parent), Err(AuditError::OtherCorrection { .. })));
    fs::remove_dir_all(&entry).unwrap();
    fs::rename(&aside, &entry).unwrap();
    audit(&world, &parent).unwrap();
}

#[test]
fn an_entry_that_says_otherwise_than_the_correction() {
    let world = World::new();
    let parent = world.finished("round");
    let files = opened(&world, "files", &parent, &[3, 1]);
    let (round, head) = (files.context().round, world.ledger(&files).unwrap().opening().unwrap());
    for (slots, head) in [(vec![1, 3], head), (vec![3], head), (vec![3, 1], Digest([9; 32]))] {
        let copy = world.copy(&parent, "copy");
        let event = Event::Corrected { round, slots, head };
        world.force(&copy, &[1, 2], &event);
        assert!(matches!(audit(&world, &copy), Err(AuditError::OtherCorrection { .. })), "{event}");
        fs::remove_dir_all(&copy.root).unwrap();
    }
    // Honest trustees do not add to it.
    let event = Event::Corrected { round, slots: vec![1, 3], head };
    world.force(&parent, &[2], &event);
    let error = sign(&world, &parent, 1, &files).unwrap_err();
    assert!(matches!(error, TrusteeError::OtherEntry { .. }), "{error}");
    assert_eq!(names(&error.culprits()), ["trustee:2"]);
}

#[test]
fn a_correction_goes_on_without_a_bad_agency_too() {
    let world = World::new();
    let parent = world.finished("round");
    let files = world.announce_correction("files", &parent, &[6, 2]);
    world.make_all_keys(&files);
    world.submit_spoiled(&files, 0, &files.own_submission(0), Some(0)).unwrap();
    world.submit(&files, 1);
    world.register_and_hand_over(&files);
    world.exclude_by_all(&files, 0, blindtier_ledger::Exclusion::Invalid { chunk: 0 });
    world.evaluate(&files).unwrap();
    world.open_by_all(&files);
    [1, 2].iter().for_each(|number| drop(sign(&world, &parent, *number, &files).unwrap()));
    let families = world.families(&parent);
    let mail = world.mail(&files).unwrap();
    for (there, slot) in [(0, 6), (1, 2)] {
        let letter = mail.read(&world.keys[families[slot]]).unwrap();
        assert_eq!(letter.slot, there);
        assert_eq!(letter.code, tier_without(families[slot], Some(0)));
        assert_eq!(names(&letter.excluded), ["agency:tax"]);
    }
}
