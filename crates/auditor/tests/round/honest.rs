//! Rounds in which everybody does as agreed, with and without interruptions.

use crate::support::*;
use blindtier_family::FamilyError;
use blindtier_family::LetterKey;
use blindtier_trustee::TrusteeError;
use blindtier_wire::{LetterKeys, Roster};
use std::fs;

#[test]
fn every_family_learns_the_tier_of_the_clear_computation() {
    let world = World::new();
    let files = world.finished("round");
    let mail = world.mail(&files).unwrap();
    let all = mail.read_all(&world.keys).unwrap();
    for (family, key) in world.keys.iter().enumerate() {
        let letter = mail.read(key).unwrap();
        assert_eq!(letter.code, tier(family), "family {family}");
        assert!(all[family] == letter);
    }
    assert!(
        (0..FAMILIES).map(tier).collect::<std::collections::BTreeSet<_>>().len() > 2,
        "tiers differ"
    );

    let report = world.audit(&files, &[2, 0, 1, 0]).unwrap();
    assert_eq!(report.chunks_recomputed, [0, 1, 2]);
    assert_eq!((report.slots, report.chunks, report.operations), (7, 3, 14));
    // Five files, two manifests, nine chunks, the letters' manifest and its three chunks.
    assert_eq!(report.files_checked, 5 + 2 + 9 + 4);
    assert!(report.letters_checked && !blindtier_auditor::UNKNOWN.is_empty());
    files.all();
}

#[test]
fn rosters_carry_facts_only_to_those_who_declare_them() {
    let world = World::new();
    let files = world.announce("round");
    let tax = world.invitation(&files, 0).unwrap().roster;
    let health = world.invitation(&files, 1).unwrap().roster;
    let mut persons = tax.persons.clone().unwrap();
    persons.sort_unstable();
    assert_eq!(persons, [1, 1, 1, 2, 2, 3, 3]);
    assert!(tax.adults.is_none() && health.persons.is_none() && health.adults.is_none());
    assert!(tax.entries[0].pseudonym != health.entries[0].pseudonym);
    for entry in &tax.entries {
        assert!(
            health.entries.iter().all(|e| e.pseudonym != entry.pseudonym),
            "pseudonyms differ per agency"
        );
    }
    assert_eq!(files.announced.rosters.len(), 2, "an agency without columns gets no roster");
}

#[test]
fn sizes_say_nothing_about_families() {
    let world = World::new();
    let files = world.finished("round");
    let size = |name: &str| fs::metadata(files.path(name)).unwrap().len();
    assert_eq!(size("submissions/tax/chunk-00000.bt"), size("submissions/tax/chunk-00001.bt"));
    assert_eq!(size("letters/chunk-00000.bt"), size("letters/chunk-00001.bt"));
}

#[test]
fn a_finished_submission_is_never_made_again() {
    let world = World::new();
    let files = world.announce("round");
    let first = world.submit(&files, 0);
    let again = world.submit(&files, 0);
    assert!(first.fresh && !again.fresh);
    assert_eq!(first.digest, again.digest);
}

#[test]
fn an_interrupted_submission_is_made_anew() {
    let world = World::new();
    let files = world.announce("round");
    world.submit(&files, 0);
    fs::remove_file(files.submission(0).join("submission.bt")).unwrap();
    fs::remove_file(files.submission(0).join("chunk-00002.bt")).unwrap();
    assert!(world.submit(&files, 0).fresh);
    world.submit(&files, 1);
    world.evaluate(&files).unwrap();
}

#[test]
fn an_interrupted_evaluation_goes_on_at_the_first_missing_chunk() {
    let world = World::new();
    let files = world.submitted("round");
    let whole = world.evaluate(&files).unwrap();
    assert_eq!(whole.resumed, 0);
    fs::remove_file(files.path("results/receipt.bt")).unwrap();
    fs::remove_file(files.path("results/chunk-00001.bt")).unwrap();
    fs::write(files.path("results/chunk-00002.bt"), b"half").unwrap();
    let again = world.evaluate(&files).unwrap();
    assert_eq!((again.resumed, again.digest), (1, whole.digest), "the same receipt to the byte");
    assert_eq!(world.evaluate(&files).unwrap().digest, whole.digest, "a finished run is returned");

    // Without its record the evaluator does not know what left-over chunks were computed from.
    fs::remove_file(files.path("results/receipt.bt")).unwrap();
    fs::remove_dir_all(files.path("evaluator")).unwrap();
    assert_eq!(world.evaluate(&files).unwrap().resumed, 0);
}

#[test]
fn an_interrupted_opening_may_be_repeated_and_a_finished_one_not() {
    let world = World::new();
    let files = world.submitted("round");
    world.evaluate(&files).unwrap();
    fs::write(files.path("letters"), b"in the way").unwrap();
    assert!(matches!(world.open(&files), Err(TrusteeError::Wire(_))));
    fs::remove_file(files.path("letters")).unwrap();
    world.open(&files).unwrap();
    let before = files.all();
    for output in ["letters", "letters-again"] {
        assert!(matches!(world.open_to(&files, output), Err(TrusteeError::AlreadyOpened { .. })));
    }
    assert_eq!(before, files.all(), "the refusal wrote nothing");
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
    assert_eq!(mode(&files.keys.secret), 0o600);
    for (_, roster) in &files.announced.rosters {
        assert_eq!(mode(roster), 0o600);
    }
}

#[test]
fn a_secret_key_and_a_round_are_never_replaced() {
    let world = World::new();
    let files = world.announce("round");
    assert!(world.announce_as(&files.root, &world.population()).is_err());
    let keys = blindtier_trustee::Keys {
        secret: zeroize::Zeroizing::new(vec![1]),
        public: vec![],
        evaluation: vec![],
    };
    let context = &files.announced.context;
    let again = blindtier_trustee::store_keys(
        keys,
        &files.path("trustee"),
        &files.path("public"),
        context,
        &world.trustee,
    );
    assert!(matches!(again, Err(TrusteeError::KeysExist { .. })));
    world.submit(&files, 0);
}

#[test]
fn two_rounds_over_one_population_share_nothing() {
    let world = World::new();
    let (one, two) = (world.announce("one"), world.announce("two"));
    assert_ne!(one.announced.context.round, two.announced.context.round);
    let pseudonyms = |files: &Files| -> Vec<_> {
        let roster: Roster = world.invitation(files, 0).unwrap().roster;
        roster.entries.iter().map(|e| e.pseudonym).collect()
    };
    assert!(pseudonyms(&one).iter().all(|p| !pseudonyms(&two).contains(p)));
    let keys = |files: &Files| {
        let round = &files.announced.round;
        LetterKeys::read(
            &files.path("public/letter-keys.bt"),
            round,
            &files.announced.context,
            &world.trust,
        )
        .unwrap()
    };
    assert_eq!(keys(&one).by_key().len(), FAMILIES);
    assert!(keys(&two).slot_of(world.keys[0].public()).is_some());
}
