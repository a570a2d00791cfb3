//! Taking submissions in: in time, too late, missing, and two different ones.

use crate::support::*;
use blindtier_auditor::{AuditError, Excluded, Execute};
use blindtier_ledger::{Event, Exclusion};
use blindtier_trustee::{Agreed, RegisterProgress, TrusteeError};
use blindtier_wire::{Digest, Fault, PartyName};
use std::fs;

const TAX: usize = 0;
const HEALTH: usize = 1;
const DEADLINE: u64 = 1_795_608_000;

fn with_deadline() -> World {
    World::with(Shape { deadline: Some(DEADLINE), ..Shape::of("2-of-3", false) })
}

fn signed(left_out: &[&PartyName], signed_two: &[&PartyName]) -> RegisterProgress {
    let list = |names: &[&PartyName]| names.iter().copied().cloned().collect();
    RegisterProgress::Signed { left_out: list(left_out), signed_two: list(signed_two) }
}

fn waiting(from: &[&PartyName], overdue: bool) -> RegisterProgress {
    RegisterProgress::Waiting { from: from.iter().copied().cloned().collect(), overdue }
}

/// A second submission, in the place of the first; returns the first.
fn second(world: &World, files: &Files, agency: usize) -> Vec<u8> {
    let path = files.own_submission(agency).join("submission.bt");
    let first = fs::read(&path).unwrap();
    world.sign_manifest(files, agency, &path, |body| body.columns += 1);
    first
}

fn goes_on_without(world: &World, files: &Files, agency: usize, reason: Exclusion, seen: bool) {
    world.hand_over(files, 1 - agency).unwrap();
    assert!(world.hand_over(files, agency).is_err());
    world.evaluate(files).unwrap();
    world.open_by_all(files);
    world.check_letters_without(files, Some(agency));
    let report = world.audit_with(&files.board, None, &Execute::All).unwrap();
    let submitter = world.agencies[agency].name().clone();
    assert_eq!(report.excluded, [Excluded { submitter, reason, seen }]);
}

#[test]
fn submissions_that_come_in_time() {
    let world = with_deadline();
    let files = world.keyed("round");
    let health = world.agencies[HEALTH].name();
    world.submit(&files, TAX);
    let none = Agreed::default();
    let register = |number, now| world.register_with(&files, number, &none, now).unwrap();
    for number in world.all() {
        assert_eq!(register(number, DEADLINE - 9), waiting(&[health], false));
    }
    world.submit(&files, HEALTH);
    // To the second, and seen in time is in time however late the trustee signs.
    assert_eq!(register(1, DEADLINE), signed(&[], &[]));
    world.at_desk(&files, 2, |desk| {
        let folder = files.path("agencies");
        blindtier_trustee::register(desk, &folder, &none, DEADLINE - 1).unwrap();
    });
    assert_eq!(register(2, DEADLINE + 100_000), signed(&[], &[]));
    assert_eq!(register(3, DEADLINE), signed(&[], &[]));
    (0..2).for_each(|agency| world.hand_over(&files, agency).unwrap());
    world.evaluate(&files).unwrap();
    world.open_by_all(&files);
    world.check_letters(&files);
    assert!(world.audit(&files, &[0]).unwrap().excluded.is_empty());
}

#[test]
fn a_submission_that_comes_too_late() {
    let world = with_deadline();
    let files = world.keyed("round");
    world.submit(&files, TAX);
    let (health, none) = (world.agencies[HEALTH].name(), Agreed::default());
    for number in world.all() {
        world.register_with(&files, number, &none, DEADLINE).unwrap();
    }
    world.submit(&files, HEALTH);
    let path = files.own_submission(HEALTH).join("submission.bt");
    for number in world.all() {
        for now in [DEADLINE + 1, DEADLINE + 2] {
            let error = world.register_with(&files, number, &none, now).unwrap_err();
            assert_eq!(names(&error.culprits()), [health.as_str()], "{error}");
            let text = error.to_string();
            let path = path.display().to_string();
            let seen = "2026-11-25T12:00:01Z";
            for part in
                [path.as_str(), "agency:health", "2026-11-25T12:00:00Z", seen, "--leave-out"]
            {
                assert!(text.contains(part), "`{part}` is missing: {text}");
            }
            assert!(matches!(error, TrusteeError::Late { .. }));
        }
    }
    // The others go on, without submitting anew, once the trustees have agreed.
    let leave_out = [health.clone()];
    let agreed = Agreed { leave_out: &leave_out, ..Agreed::default() };
    for number in world.all() {
        let progress = world.register_with(&files, number, &agreed, DEADLINE + 3).unwrap();
        assert_eq!(progress, signed(&[health], &[]));
    }
    goes_on_without(&world, &files, HEALTH, Exclusion::Late, false);
}

#[test]
fn an_agency_that_never_comes() {
    let world = with_deadline();
    let files = world.keyed("round");
    world.submit(&files, HEALTH);
    let tax = world.agencies[TAX].name();
    let leave_out = [tax.clone()];
    let agreed = Agreed { leave_out: &leave_out, ..Agreed::default() };
    // It can come until the deadline.
    let error = world.register_with(&files, 1, &agreed, DEADLINE).unwrap_err();
    assert!(matches!(error, TrusteeError::NotLate { .. }), "{error}");
    assert!(error.to_string().contains("2026-11-25T12:00:00Z"), "{error}");
    assert!(world.ledger(&files).unwrap().pending().is_none());
    let none = Agreed::default();
    let overdue = world.register_with(&files, 1, &none, DEADLINE + 1).unwrap();
    assert_eq!(overdue, waiting(&[tax], true));
    for number in world.all() {
        // The health manifest is seen by trustees 2 and 3 for the first time now.
        let take_in = [world.agencies[HEALTH].name().clone()];
        let agreed = Agreed { take_in: &take_in, ..agreed };
        let progress = world.register_with(&files, number, &agreed, DEADLINE + 1).unwrap();
        assert_eq!(progress, signed(&[tax], &[]));
    }
    world.hand_over(&files, HEALTH).unwrap();
    world.evaluate(&files).unwrap();
    world.open_by_all(&files);
    world.check_letters_without(&files, Some(TAX));
    world.audit(&files, &[0]).unwrap();
}

#[test]
fn nobody_is_late_without_a_deadline() {
    let world = World::new();
    let files = world.keyed("round");
    world.submit(&files, TAX);
    let leave_out = [world.agencies[HEALTH].name().clone()];
    let agreed = Agreed { leave_out: &leave_out, ..Agreed::default() };
    let error = world.register_with(&files, 1, &agreed, u64::MAX).unwrap_err();
    assert!(matches!(error, TrusteeError::NotLate { .. }), "{error}");
    world.submit(&files, HEALTH);
    assert_eq!(world.register(&files, 1).unwrap(), signed(&[], &[]));
}

#[test]
fn a_submission_that_reached_one_trustee_in_time() {
    // An agency that hands in to one trustee only could otherwise set the trustees at odds for good.
    let world = with_deadline();
    let files = world.encrypted("round");
    let none = Agreed::default();
    assert_eq!(world.register_with(&files, 1, &none, DEADLINE).unwrap(), signed(&[], &[]));
    let everybody = [TAX, HEALTH].map(|agency| world.agencies[agency].name().clone());
    for number in [2, 3] {
        let error = world.register_with(&files, number, &none, DEADLINE + 1).unwrap_err();
        assert_eq!(error.culprits(), everybody, "{error}");
        assert!(matches!(error, TrusteeError::Several(_)), "both are named");
        let agreed = Agreed { take_in: &everybody, ..none };
        let progress = world.register_with(&files, number, &agreed, DEADLINE + 1).unwrap();
        assert_eq!(progress, signed(&[], &[]));
    }
    (0..2).for_each(|agency| world.hand_over(&files, agency).unwrap());
    // Or they agree to leave it out though one had it in time.
    let files = world.encrypted("other");
    let health = world.agencies[HEALTH].name();
    let folder = files.own_submission(HEALTH);
    let aside = files.path("aside");
    fs::rename(&folder, &aside).unwrap();
    for number in [2, 3] {
        world.register_with(&files, number, &none, DEADLINE).unwrap();
    }
    fs::rename(&aside, &folder).unwrap();
    let leave_out = [health.clone()];
    let agreed = Agreed { leave_out: &leave_out, ..none };
    let manifests = files.path("agencies");
    let noted = world.register_with(&files, 1, &agreed, DEADLINE);
    assert!(matches!(noted, Err(TrusteeError::NotLate { .. })), "noted before the deadline");
    assert!(manifests.exists());
    for number in world.all() {
        let progress = world.register_with(&files, number, &agreed, DEADLINE + 1).unwrap();
        assert_eq!(progress, signed(&[health], &[]));
    }
    goes_on_without(&world, &files, HEALTH, Exclusion::Late, false);
}

#[test]
fn trustees_sign_the_same_list_or_none() {
    let world = with_deadline();
    let files = world.encrypted("round");
    let none = Agreed::default();
    let [tax, health] = [TAX, HEALTH].map(|agency| world.agencies[agency].name().clone());
    for number in world.all() {
        let folder = files.path("empty");
        let noted = world.at_desk(&files, number, |desk| {
            blindtier_trustee::register(desk, &folder, &none, DEADLINE).unwrap()
        });
        assert_eq!(noted, waiting(&[&tax, &health], false));
    }
    let leave_out = [health.clone()];
    let agreed = Agreed { leave_out: &leave_out, take_in: std::slice::from_ref(&tax) };
    world.register_with(&files, 1, &agreed, DEADLINE + 1).unwrap();
    // Another trustee that was not told.
    let take_in = [tax.clone(), health.clone()];
    let other = Agreed { take_in: &take_in, ..none };
    let error = world.register_with(&files, 2, &other, DEADLINE + 1).unwrap_err();
    assert!(matches!(error, TrusteeError::OtherRegistration { .. }), "{error}");
    assert_eq!(names(&error.culprits()), ["trustee:1"]);
    assert!(error.to_string().contains("--leave-out"), "{error}");
    // One whose clock is behind.
    let error = world.register_with(&files, 2, &agreed, DEADLINE).unwrap_err();
    assert!(matches!(error, TrusteeError::NotLate { .. }), "{error}");
    // One that would leave out another.
    let leave_out = [tax.clone(), health.clone()];
    let wrong = Agreed { leave_out: &leave_out, ..agreed };
    let error = world.register_with(&files, 2, &wrong, DEADLINE + 1).unwrap_err();
    assert!(matches!(error, TrusteeError::OtherRegistration { .. }), "{error}");
    for number in [2, 3] {
        world.register_with(&files, number, &agreed, DEADLINE + 1).unwrap();
    }
    goes_on_without(&world, &files, HEALTH, Exclusion::Late, false);
}

#[test]
fn a_trustee_does_not_register_while_another_entry_is_being_signed() {
    let world = World::new();
    let files = world.encrypted("round");
    let trustee = world.trustee(2).name().clone();
    let event = Event::Refused { trustee, culprit: None, reason: "an example".into() };
    world.force(&files, &[2], &event);
    let error = world.register(&files, 1).unwrap_err();
    assert!(matches!(error, TrusteeError::OtherEntry { index: 1, .. }), "{error}");
    assert_eq!(names(&error.culprits()), ["trustee:2"]);
}

#[test]
fn two_different_submissions_of_one_agency() {
    let world = World::new();
    let files = world.keyed("round");
    let tax = world.agencies[TAX].name();
    world.submit(&files, TAX);
    // All trustees have seen the first when the second comes.
    for number in world.all() {
        world.register(&files, number).unwrap();
    }
    second(&world, &files, TAX);
    world.submit(&files, HEALTH);
    let evidence = files.board.evidence(tax);
    for number in world.all() {
        let error = world.register(&files, number).unwrap_err();
        assert!(matches!(error, TrusteeError::TwoSubmissions { .. }), "{error}");
        assert_eq!(names(&error.culprits()), [tax.as_str()]);
        for file in &evidence {
            assert!(error.to_string().contains(&file.display().to_string()), "{error}");
        }
    }
    assert!(world.ledger(&files).unwrap().pending().is_none(), "nothing is signed");
    let leave_out = [tax.clone()];
    let agreed = Agreed { leave_out: &leave_out, ..Agreed::default() };
    for number in world.all() {
        let progress = world.register_with(&files, number, &agreed, 0).unwrap();
        assert_eq!(progress, signed(&[tax], &[]));
    }
    goes_on_without(&world, &files, TAX, Exclusion::TwoSubmissions, true);
    // Without the evidence the audit does not pass.
    let whole = fs::read(&evidence[1]).unwrap();
    for bytes in [None, Some(fs::read(&evidence[0]).unwrap()), Some(b"other".to_vec())] {
        match bytes {
            None => fs::remove_file(&evidence[1]).unwrap(),
            Some(bytes) => fs::write(&evidence[1], bytes).unwrap(),
        }
        let Err(AuditError::Wire(error)) = world.audit(&files, &[]) else { panic!("accepted") };
        expect(&error, &evidence[1], "agency:tax", |f| {
            matches!(f, Fault::Missing | Fault::Content { .. } | Fault::Truncated | Fault::Magic)
        });
    }
    fs::write(&evidence[1], whole).unwrap();
    world.audit(&files, &[]).unwrap();
}

#[test]
fn trustees_that_saw_different_submissions_agree_and_exclude() {
    // An agency shows one submission to trustee 1, which signs, and another to the others.
    let world = World::new();
    let files = world.encrypted("round");
    let tax = world.agencies[TAX].name();
    world.register(&files, 1).unwrap();
    let first = second(&world, &files, TAX);
    let apart = world.copy(&files, "apart");
    // On a board that has trustee 1's signature, but not the submission that it names.
    fs::remove_dir_all(apart.board.submissions()).unwrap();
    let error = world.register(&apart, 2).unwrap_err();
    assert!(matches!(error, TrusteeError::OtherRegistration { .. }), "{error}");
    assert!(error.to_string().contains("bring both files together"), "{error}");
    // With it, the two are evidence; the place in the ledger is trustee 1's, so the others sign what it signed.
    for number in [2, 3] {
        assert_eq!(world.register(&files, number).unwrap(), signed(&[], &[tax]));
    }
    let ledger = world.ledger(&files).unwrap();
    assert_eq!(ledger.submissions().unwrap()[TAX].manifest, Some(Digest::of(&first)));
    let leave_out = [tax.clone()];
    let agreed = Agreed { leave_out: &leave_out, ..Agreed::default() };
    let error = world.register_with(&files, 2, &agreed, 0).unwrap_err();
    assert!(error.to_string().contains("trustee exclude"), "{error}");
    world.exclude_by_all(&files, TAX, Exclusion::TwoSubmissions);
    goes_on_without(&world, &files, TAX, Exclusion::TwoSubmissions, true);
}

#[test]
fn evidence_on_the_board_is_seen_by_trustees_that_saw_one_submission() {
    let world = World::new();
    let files = world.encrypted("round");
    let elsewhere = world.copy(&files, "elsewhere");
    let tax = world.agencies[TAX].name();
    fs::remove_dir_all(elsewhere.own_submission(HEALTH)).unwrap();
    world.register(&elsewhere, 3).unwrap();
    second(&world, &elsewhere, TAX);
    assert!(world.register(&elsewhere, 3).is_err());
    copy_folder(&elsewhere.board.folder().join("evidence"), &files.board.folder().join("evidence"));
    let error = world.register(&files, 1).unwrap_err();
    assert_eq!(names(&error.culprits()), [tax.as_str()], "{error}");
    // Somebody else cannot make it up.
    let made_up = world.encrypted("made-up");
    let [one, other] = made_up.board.evidence(tax);
    fs::create_dir_all(one.parent().unwrap()).unwrap();
    fs::copy(made_up.own_submission(TAX).join("submission.bt"), &one).unwrap();
    for bytes in [fs::read(&one).unwrap(), b"nothing".to_vec()] {
        fs::write(&other, bytes).unwrap();
        assert_eq!(world.register(&made_up, 1).unwrap(), signed(&[], &[]));
    }
    let leave_out = [tax.clone()];
    let agreed = Agreed { leave_out: &leave_out, ..Agreed::default() };
    let none = world.encrypted("none");
    let refused = world.register_with(&none, 1, &agreed, 0);
    assert!(matches!(refused, Err(TrusteeError::NotLate { .. })));
}

#[test]
fn a_damaged_submission_does_not_hide_another() {
    let world = with_deadline();
    let files = world.encrypted("round");
    let path = |agency| files.own_submission(agency).join("submission.bt");
    (0..2).for_each(|agency| spoil_file(&path(agency)));
    let none = Agreed::default();
    let error = world.register_with(&files, 1, &none, 0).unwrap_err();
    assert_eq!(names(&error.culprits()), ["agency:tax", "agency:health"], "{error}");
    spoil_file(&path(HEALTH));
    let error = world.register_with(&files, 1, &none, 0).unwrap_err();
    assert_eq!(names(&error.culprits()), ["agency:tax"], "{error}");
    // What was noted is not forgotten when the file is damaged or lost later, and a damaged one can be left out.
    fs::remove_file(path(HEALTH)).unwrap();
    let leave_out = [world.agencies[TAX].name().clone()];
    let agreed = Agreed { leave_out: &leave_out, ..none };
    let progress = world.register_with(&files, 1, &agreed, DEADLINE + 1).unwrap();
    assert_eq!(progress, signed(&[world.agencies[TAX].name()], &[]));
}

#[test]
fn a_submission_for_another_key() {
    let world = World::new();
    let files = world.encrypted("round");
    let path = files.own_submission(TAX).join("submission.bt");
    world.sign_manifest(&files, TAX, &path, |body| body.public_key = Digest([1; 32]));
    let TrusteeError::Wire(error) = world.register(&files, 1).unwrap_err() else { panic!() };
    expect(&error, &path, "agency:tax", |f| matches!(f, Fault::Reference { .. }));
}

#[test]
fn a_name_that_submits_nothing() {
    let world = World::new();
    let files = world.encrypted("round");
    let stranger = [PartyName::agency("school").unwrap()];
    for agreed in [
        Agreed { leave_out: &stranger, ..Agreed::default() },
        Agreed { take_in: &stranger, ..Agreed::default() },
    ] {
        let error = world.register_with(&files, 1, &agreed, 0).unwrap_err();
        assert!(matches!(error, TrusteeError::NoSubmitter { .. }), "{error}");
    }
}

#[test]
fn a_note_that_cannot_be_read() {
    let world = World::new();
    let files = world.encrypted("round");
    fs::remove_dir_all(files.own_submission(HEALTH)).unwrap();
    world.register(&files, 1).unwrap();
    let folder = files.private(1).join(format!("submissions-{}", files.context().round));
    fs::write(folder.join("tax.txt"), "yesterday").unwrap();
    let TrusteeError::Wire(error) = world.register(&files, 1).unwrap_err() else { panic!() };
    assert_eq!(error.file(), Some(folder.join("tax.txt").as_path()));
}

#[test]
fn manifests_lie_on_the_board_once_they_are_taken_in() {
    let world = World::new();
    let files = world.encrypted("round");
    world.register(&files, 1).unwrap();
    for agency in [TAX, HEALTH] {
        let path = files.submission(agency).join("submission.bt");
        let own = files.own_submission(agency).join("submission.bt");
        assert_eq!(fs::read(&path).unwrap(), fs::read(own).unwrap());
        assert_eq!(files_below(&files.submission(agency)).len(), 1, "and no chunk");
    }
    world.register_all(&files);
    // The auditor sees that they are the registered ones.
    let before = world.audit(&files, &[]).unwrap().files_checked;
    let path = files.submission(TAX).join("submission.bt");
    let whole = fs::read(&path).unwrap();
    world.sign_manifest(&files, TAX, &path, |body| body.columns += 1);
    let Err(AuditError::Wire(error)) = world.audit(&files, &[]) else { panic!("accepted") };
    expect(&error, &path, "agency:tax", |f| matches!(f, Fault::Reference { .. }));
    fs::write(&path, whole).unwrap();
    assert_eq!(before, files_below(files.board.folder()).len() as u64);
}
