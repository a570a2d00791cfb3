//! Submitters whose chunks are missing or invalid: named all at once, excluded for a reason that every trustee sees for
//! itself, and no reason for anybody else to submit again.

use crate::support::*;
use blindtier_auditor::{AuditError, Excluded, Execute, contradiction};
use blindtier_ledger::{Event, Exclusion, LedgerError};
use blindtier_submission::SubmissionError;
use blindtier_transcript::{TranscriptError, Trouble, seed};
use blindtier_trustee::{OpenProgress, TrusteeError, exclude};
use blindtier_wire::{Digest, PartyName, SubmissionEntry};
use std::convert::Infallible;
use std::fs;

const TAX: usize = 0;
const HEALTH: usize = 1;

/// A round in which an agency has registered and handed over a chunk with a false proof.
fn spoiled(world: &World, name: &str, agency: usize, chunk: u32) -> Files {
    let files = world.keyed(name);
    let folder = files.own_submission(agency);
    world.submit_spoiled(&files, agency, &folder, Some(chunk)).unwrap();
    world.submit(&files, 1 - agency);
    world.register_and_hand_over(&files);
    files
}

/// A round in which an agency signed a second submission after the first was registered, and both are on the board.
fn contradictory(world: &World, files: &Files, agency: usize) {
    let path = files.own_submission(agency).join("submission.bt");
    let first = fs::read(&path).unwrap();
    world.sign_manifest(files, agency, &path, |body| body.columns += 1);
    world.all().iter().for_each(|k| drop(world.register(files, *k).unwrap()));
    fs::write(&path, first).unwrap();
}

/// The round goes on without the agency, up to the letters, and passes the audit.
fn goes_on_without(world: &World, files: &Files, agency: usize, reason: Exclusion, seen: bool) {
    world.evaluate(files).unwrap();
    world.open_by_all(files);
    world.check_letters_without(files, Some(agency));
    let report = world.audit_with(&files.board, None, &Execute::All).unwrap();
    let submitter = world.agencies[agency].name().clone();
    assert_eq!(report.excluded, [Excluded { submitter, reason, seen }]);
    assert_eq!(report.submitters.len(), 2);
}

/// The trustee refuses for this reason and leaves nothing.
#[track_caller]
fn not_excluded(world: &World, files: &Files, agency: usize, reason: Exclusion, why: &str) {
    let before = files.all();
    match world.exclude(files, 1, agency, reason) {
        Err(TrusteeError::NotExcluded { detail, .. }) => assert!(detail.contains(why), "{detail}"),
        Err(other) => panic!("{other}"),
        Ok(()) => panic!("excluded"),
    }
    assert_eq!(before, files.all(), "the refusal left something");
}

#[test]
fn one_bad_agency_costs_the_others_nothing() {
    for (agency, chunk) in [(TAX, 1), (HEALTH, 0)] {
        let world = World::new();
        let files = spoiled(&world, "round", agency, chunk);
        let before = files.all();
        let error = world.evaluate(&files).unwrap_err();
        let name = world.agencies[agency].name();
        assert_eq!(names(&error.culprits()), [name.as_str()], "{error}");
        let text = error.to_string();
        let file = files.submission(agency).join(format!("chunk-0000{chunk}.bt"));
        let remedy = format!("trustee exclude --submitter {name} --reason invalid --chunk {chunk}");
        for part in [file.display().to_string().as_str(), "proof", &remedy] {
            assert!(text.contains(part), "{text}");
        }
        assert_eq!(before, files.all(), "nothing was computed");
        // The files of the other agency are those of before, and it does nothing more.
        let reason = Exclusion::Invalid { chunk };
        world.exclude_by_all(&files, agency, reason);
        goes_on_without(&world, &files, agency, reason, true);
    }
}

#[test]
fn all_bad_submissions_are_named_at_once() {
    let world = World::new();
    let files = spoiled(&world, "round", TAX, 1);
    let [first, last] =
        ["chunk-00000.bt", "chunk-00002.bt"].map(|c| files.submission(HEALTH).join(c));
    fs::remove_file(&first).unwrap();
    spoil_file(&last);
    let error = world.evaluate(&files).unwrap_err();
    assert_eq!(names(&error.culprits()), ["agency:tax", "agency:health"]);
    let text = error.to_string();
    for part in [
        "--submitter agency:tax --reason invalid --chunk 1",
        "--submitter agency:health --reason withheld",
    ] {
        assert!(text.contains(part), "{text}");
    }
    let bad = bad_submissions(error);
    let [tax, health] = bad.as_slice() else { panic!("{text}") };
    assert!(
        matches!(tax.trouble, Trouble::Invalid { .. }) && (tax.chunk, tax.more) == (Some(1), 0)
    );
    let missing = matches!(health.trouble, Trouble::NotThere(_));
    assert!(missing && (health.chunk, health.more) == (Some(0), 1));
    // A missing manifest hides no chunk of another agency either.
    fs::remove_file(files.submission(HEALTH).join("submission.bt")).unwrap();
    let error = world.evaluate(&files).unwrap_err();
    assert_eq!(error.culprits().len(), 2, "{error}");
    assert!(bad_submissions(error).iter().any(|bad| bad.chunk.is_none()));
}

#[test]
fn an_evaluator_that_looks_at_no_proof_is_found_out() {
    let world = World::new();
    let files = spoiled(&world, "round", TAX, 2);
    world.evaluate_with(&files, Fake { blind: true, ..Fake::default() }).unwrap();
    let before = files.all();
    for number in world.all() {
        let error = world.open(&files, number).unwrap_err();
        assert!(matches!(error, TrusteeError::Transcript(TranscriptError::Submissions(_))));
        assert_eq!(names(&error.culprits()), ["agency:tax"], "{error}");
    }
    assert_eq!(before, files.all(), "nothing is committed to");
    world.audit(&files, &[0, 1]).unwrap();
    for execute in [Execute::Chunks(vec![2]), Execute::All] {
        let error = world.audit_with(&files.board, None, &execute).unwrap_err();
        assert!(matches!(error, AuditError::Transcript(TranscriptError::Submissions(_))));
        assert_eq!(names(&error.culprits()), ["agency:tax"], "{error}");
    }
}

#[test]
fn a_chunk_is_bound_to_sender_place_and_round() {
    // Health signs tax's ciphertexts, its own ones in other places, and those of another round.
    let world = World::new();
    let other = world.encrypted("other");
    let bytes_of = |files: &Files, agency: usize, chunk: u32| {
        let copy = world.copy(files, "copy");
        let mut found = Vec::new();
        world.resubmit(&copy, agency, |number, bytes| {
            if number == chunk {
                found.clone_from(bytes);
            }
        });
        fs::remove_dir_all(&copy.root).unwrap();
        found
    };
    for how in 0..3 {
        let files = world.encrypted(&format!("round-{how}"));
        let stolen = match how {
            0 => bytes_of(&files, TAX, 0),
            1 => bytes_of(&files, HEALTH, 1),
            _ => bytes_of(&other, HEALTH, 0),
        };
        world.resubmit(&files, HEALTH, |number, bytes| {
            if number == 0 {
                bytes.clone_from(&stolen);
            }
        });
        world.register_and_hand_over(&files);
        let error = world.evaluate(&files).unwrap_err();
        assert_eq!(names(&error.culprits()), ["agency:health"], "{error}");
        let bad = bad_submissions(error);
        assert!(matches!(bad[0].trouble, Trouble::Invalid { .. }) && bad[0].chunk == Some(0));
        let reason = Exclusion::Invalid { chunk: 0 };
        world.exclude_by_all(&files, HEALTH, reason);
        goes_on_without(&world, &files, HEALTH, reason, true);
    }
}

#[test]
fn a_registered_file_that_is_no_chunk() {
    // The agency registered exactly these bytes: it cannot say that they were damaged on the way.
    let world = World::new();
    let files = world.encrypted("round");
    let folder = files.own_submission(TAX);
    fs::write(folder.join("chunk-00001.bt"), b"no chunk").unwrap();
    let digest = Digest::of(b"no chunk");
    let path = folder.join("submission.bt");
    world.sign_manifest(&files, TAX, &path, |body| body.chunks[1] = digest);
    world.register_and_hand_over(&files);
    let error = world.evaluate(&files).unwrap_err();
    assert!(error.to_string().contains("--reason invalid --chunk 1"), "{error}");
    assert!(matches!(bad_submissions(error)[0].trouble, Trouble::Unreadable(_)));
    let why = "all of its chunks are on the board, and chunk 1 is invalid";
    not_excluded(&world, &files, TAX, Exclusion::Withheld, why);
    let reason = Exclusion::Invalid { chunk: 1 };
    world.exclude_by_all(&files, TAX, reason);
    goes_on_without(&world, &files, TAX, reason, true);
}

#[test]
fn an_agency_that_does_not_hand_over() {
    let world = World::new();
    let files = world.encrypted("round");
    world.register_all(&files);
    world.hand_over(&files, TAX).unwrap();
    let error = world.evaluate(&files).unwrap_err();
    assert_eq!(names(&error.culprits()), ["agency:health"], "{error}");
    // Neither all nor some of it.
    let path = files.own_submission(HEALTH);
    for name in ["chunk-00000.bt", "chunk-00001.bt"] {
        fs::copy(path.join(name), files.submission(HEALTH).join(name)).unwrap();
    }
    let why = "what it registered is not on the board";
    not_excluded(&world, &files, HEALTH, Exclusion::Invalid { chunk: 2 }, why);
    world.exclude_by_all(&files, HEALTH, Exclusion::Withheld);
    // It comes too late now, and what it leaves on the board changes nothing.
    assert!(matches!(world.hand_over(&files, HEALTH), Err(SubmissionError::LeftOut { .. })));
    copy_folder(&path, &files.submission(HEALTH));
    goes_on_without(&world, &files, HEALTH, Exclusion::Withheld, false);
    fs::remove_dir_all(files.submission(HEALTH)).unwrap();
    world.audit(&files, &[0]).unwrap();
}

#[test]
fn nobody_is_excluded_without_a_reason() {
    let world = World::new();
    let files = world.submitted("round");
    let refuses = |reason, why| not_excluded(&world, &files, TAX, reason, why);
    refuses(Exclusion::Withheld, "all of its chunks are on the board");
    refuses(Exclusion::Invalid { chunk: 1 }, "this trustee finds the chunk valid");
    refuses(Exclusion::Invalid { chunk: 3 }, "the round has no such chunk");
    refuses(Exclusion::TwoSubmissions, "there are not two on the board");
    refuses(Exclusion::Late, "registered");
    let stranger = PartyName::agency("school").unwrap();
    let reason = Exclusion::Withheld;
    let refused =
        world.at_desk(&files, 1, |desk| exclude(desk, &stranger, reason, &Fake::default(), 0));
    assert!(matches!(refused, Err(TrusteeError::NoSubmitter { .. })));
    // What a dishonest trustee signs, honest ones do not follow.
    let event = Event::Excluded { submitter: world.agencies[TAX].name().clone(), reason };
    world.force(&files, &[2], &event);
    not_excluded(&world, &files, TAX, reason, "all of its chunks are on the board");
    assert_eq!(world.ledger(&files).unwrap().exclusions().count(), 0);
}

#[test]
fn only_a_quorum_excludes() {
    let world = World::new();
    let files = spoiled(&world, "round", TAX, 0);
    let reason = Exclusion::Invalid { chunk: 0 };
    for number in [1, 2] {
        world.exclude(&files, number, TAX, reason).unwrap();
        assert!(
            world.evaluate(&files).is_err(),
            "two of three could have signed otherwise as well"
        );
    }
    // A trustee that would sign another entry says so and does not.
    let other = world.exclude(&files, 3, TAX, Exclusion::Invalid { chunk: 1 });
    assert!(matches!(other, Err(TrusteeError::NotExcluded { .. })));
    fs::remove_file(files.submission(HEALTH).join("chunk-00000.bt")).unwrap();
    let error = world.exclude(&files, 3, HEALTH, Exclusion::Withheld).unwrap_err();
    assert!(matches!(error, TrusteeError::OtherEntry { index: 2, .. }), "{error}");
    assert_eq!(names(&error.culprits()), ["trustee:1", "trustee:2"]);
    world.hand_over(&files, HEALTH).unwrap();
    world.exclude(&files, 3, TAX, reason).unwrap();
    goes_on_without(&world, &files, TAX, reason, true);
}

#[test]
fn not_all_agencies_are_excluded() {
    let world = World::new();
    let files = world.encrypted("round");
    world.register_all(&files);
    world.exclude_by_all(&files, TAX, Exclusion::Withheld);
    let refused = world.exclude(&files, 1, HEALTH, Exclusion::Withheld);
    assert!(matches!(refused, Err(TrusteeError::Ledger(LedgerError::Order { .. }))));
    let again = world.exclude(&files, 1, TAX, Exclusion::TwoSubmissions);
    assert!(matches!(again, Err(TrusteeError::NotExcluded { .. })));
    world.exclude(&files, 1, TAX, Exclusion::Withheld).unwrap();
}

#[test]
fn nobody_is_excluded_once_an_opening_has_begun() {
    // Results with and without a submitter, both opened, would show what it submitted.
    let world = World::new();
    let files = world.evaluated("round");
    contradictory(&world, &files, TAX);
    world.open(&files, 1).unwrap();
    let refused = world.exclude(&files, 1, TAX, Exclusion::TwoSubmissions);
    assert!(matches!(refused, Err(TrusteeError::AlreadyOpened { .. })));
    let commits = world.copy(&files, "commits");
    // The others can still; then the first one's part is for results that are not opened.
    for number in [2, 3] {
        world.exclude(&files, number, TAX, Exclusion::TwoSubmissions).unwrap();
    }
    assert_eq!(world.ledger(&files).unwrap().exclusions().count(), 0, "no quorum without it");
    // After the list of those who open is recorded, no quorum can.
    world.open_by_all(&commits);
    let event = Event::Excluded {
        submitter: world.agencies[TAX].name().clone(),
        reason: Exclusion::TwoSubmissions,
    };
    world.force(&commits, &world.all(), &event);
    assert!(matches!(world.ledger(&commits), Err(LedgerError::Order { .. })));
}

#[test]
fn a_round_is_not_opened_with_and_without_a_submitter() {
    let world = World::with(Shape::of("2-of-4", false));
    let files = world.evaluated("round");
    contradictory(&world, &files, TAX);
    assert_eq!(world.open(&files, 1).unwrap(), OpenProgress::Committed);
    // Three of four exclude tax, and the evaluator runs again.
    for number in [2, 3, 4] {
        world.exclude(&files, number, TAX, Exclusion::TwoSubmissions).unwrap();
    }
    world.evaluate(&files).unwrap();
    let begun = world.open(&files, 1);
    assert!(matches!(begun, Err(TrusteeError::AlreadyOpened { .. })), "it opens nothing else");
    // The others open without it, though its hashes for the old results are on the board.
    let absent = [world.trustee(1).name().clone()];
    let open = |number: u16| {
        let letters = files.letters(number);
        let progress = |_, done, total| assert!(done <= total);
        world.at_desk(&files, number, |desk| {
            blindtier_trustee::open(desk, &letters, &absent, &Fake::default(), &progress)
        })
    };
    for _ in 0..6 {
        [2, 3, 4].iter().for_each(|number| drop(open(*number).unwrap()));
    }
    assert!([2, 3, 4].iter().all(|number| is_done(&open(*number).unwrap())));
    world.check_letters_without(&files, Some(TAX));
    let report = world.audit_with(&files.board, None, &Execute::All).unwrap();
    assert_eq!(names(&report.signed_two), ["agency:tax"]);
}

#[test]
fn results_from_before_an_exclusion_are_made_anew() {
    let world = World::new();
    let files = world.evaluated("round");
    contradictory(&world, &files, HEALTH);
    world.exclude_by_all(&files, HEALTH, Exclusion::TwoSubmissions);
    let before = files.all();
    for number in world.all() {
        let error = world.open(&files, number).unwrap_err();
        assert!(matches!(error, TrusteeError::OtherSubmission { .. }), "{error}");
        assert_eq!(names(&error.culprits()), ["evaluator"]);
    }
    assert_eq!(before, files.all());
    let error = world.audit(&files, &[]).unwrap_err();
    assert_eq!(names(&error.culprits()), ["evaluator"], "{error}");
    let again = world.evaluate(&files).unwrap();
    assert_eq!(again.resumed, 0, "nothing of the old results is used");
    assert_eq!(again.receipt.submissions[HEALTH].manifest, None);
    goes_on_without(&world, &files, HEALTH, Exclusion::TwoSubmissions, true);
}

#[test]
fn an_interrupted_evaluation_without_somebody_goes_on() {
    let world = World::new();
    let files = spoiled(&world, "round", TAX, 0);
    // Chunks that were computed before nobody was excluded.
    world.evaluate_with(&files, Fake { blind: true, ..Fake::default() }).unwrap();
    fs::remove_file(files.board.receipt()).unwrap();
    let reason = Exclusion::Invalid { chunk: 0 };
    world.exclude_by_all(&files, TAX, reason);
    let entries = world.ledger(&files).unwrap().submissions().unwrap();
    let fail = Some(seed(files.context(), &entries, 1));
    for resumed in [0, 1] {
        let failed = world.evaluate_with(&files, Fake { fail, ..Fake::default() });
        assert!(failed.is_err() && !files.board.receipt().exists(), "{resumed}");
    }
    let finished = world.evaluate(&files).unwrap();
    assert_eq!(finished.resumed, 1, "the first chunk was computed since");
    goes_on_without(&world, &files, TAX, reason, true);
}

#[test]
fn a_receipt_that_leaves_somebody_out_or_in() {
    let world = World::new();
    let refuses = |files: &Files| {
        for number in world.all() {
            let error = world.open(files, number).unwrap_err();
            assert!(matches!(error, TrusteeError::OtherSubmission { .. }), "{error}");
            assert_eq!(names(&error.culprits()), ["evaluator"]);
        }
        let error = world.audit(files, &[]).unwrap_err();
        assert_eq!(names(&error.culprits()), ["evaluator"], "{error}");
    };
    let files = world.evaluated("out");
    world.sign_receipt_anew(&files, |receipt| receipt.submissions[TAX].manifest = None);
    refuses(&files);
    let files = spoiled(&world, "in", TAX, 0);
    let manifest = world.ledger(&files).unwrap().submissions().unwrap()[TAX].manifest;
    world.exclude_by_all(&files, TAX, Exclusion::Invalid { chunk: 0 });
    world.evaluate(&files).unwrap();
    world.sign_receipt_anew(&files, |receipt| receipt.submissions[TAX].manifest = manifest);
    refuses(&files);
    // Nor one that says of nobody anything.
    world.sign_receipt_anew(&files, |receipt| drop(receipt.submissions.pop()));
    assert!(matches!(world.open(&files, 1), Err(TrusteeError::Wire(_))));
}

#[test]
fn results_for_others_than_the_receipt_names_are_recomputed() {
    // The evaluator leaves a registered submitter out of the results and not out of the receipt.
    let world = World::new();
    let files = world.submitted("round");
    let without = world.copy(&files, "without");
    fs::remove_dir_all(without.submission(TAX)).unwrap();
    world.exclude_by_all(&without, TAX, Exclusion::Withheld);
    let finished = world.evaluate(&without).unwrap();
    copy_folder(&without.board.results(), &files.board.results());
    let submissions: Vec<SubmissionEntry> = world.ledger(&files).unwrap().submissions().unwrap();
    assert_ne!(finished.receipt.submissions, submissions);
    world.sign_receipt_anew(&files, |receipt| receipt.submissions = submissions);
    let error = world.open(&files, 1).unwrap_err();
    assert!(matches!(error, TrusteeError::Transcript(TranscriptError::Differs { .. })), "{error}");
}

#[test]
fn a_quorum_that_excludes_wrongly_is_found_by_recomputing() {
    let world = World::new();
    let files = world.submitted("round");
    let submitter = world.agencies[TAX].name().clone();
    let reason = Exclusion::Invalid { chunk: 1 };
    let event = Event::Excluded { submitter: submitter.clone(), reason };
    world.force(&files, &world.all(), &event);
    world.evaluate(&files).unwrap();
    for execute in [Execute::Nothing, Execute::Chunks(vec![0, 2])] {
        let report = world.audit_with(&files.board, None, &execute).unwrap();
        let submitter = submitter.clone();
        assert_eq!(report.excluded, [Excluded { submitter, reason, seen: false }]);
    }
    let error = world.audit(&files, &[1]).unwrap_err();
    assert!(matches!(error, AuditError::WronglyExcluded { chunk: 1, .. }), "{error}");
    // Its files may be gone; then it stays the trustees' word.
    fs::remove_file(files.submission(TAX).join("chunk-00001.bt")).unwrap();
    assert!(!world.audit(&files, &[1]).unwrap().excluded[0].seen);
}

#[test]
fn levels_of_an_excluded_agency_are_not_read() {
    let world = World::new();
    let files = spoiled(&world, "round", HEALTH, 2);
    for (agency, (_, _, columns)) in AGENCIES.into_iter().enumerate() {
        let invitation = world.invitation(&files, agency).unwrap();
        let identity = &world.agencies[agency];
        let output = files.path("letters").join(identity.name().file_part());
        let keys = files.board.letter_keys();
        let values = |_| Ok::<_, Infallible>(vec![1; columns]);
        invitation.seal_levels(&keys, columns, values, &output, identity, &world.trust).unwrap();
    }
    spoil_file(&files.path("letters/agency-health/chunk-00000.bt"));
    let reason = Exclusion::Invalid { chunk: 2 };
    world.exclude_by_all(&files, HEALTH, reason);
    goes_on_without(&world, &files, HEALTH, reason, true);
    for letter in world.mail(&files).unwrap().read_all(&world.keys).unwrap() {
        let levels: Vec<&str> = letter.levels.keys().map(PartyName::as_str).collect();
        assert_eq!(levels, ["agency:tax"]);
    }
}

#[test]
fn what_makes_results_differ_makes_their_seeds_differ() {
    let world = World::new();
    let (files, other) = (world.announce("round"), world.announce("other"));
    let entry = |name: &str, manifest| SubmissionEntry {
        submitter: PartyName::new(name).unwrap(),
        manifest,
    };
    let digest = |byte| Some(Digest([byte; 32]));
    let lists = [
        vec![entry("agency:a", digest(1)), entry("agency:b", digest(2))],
        vec![entry("agency:a", digest(2)), entry("agency:b", digest(1))],
        vec![entry("agency:a", digest(1)), entry("agency:b", None)],
        vec![entry("agency:a", None), entry("agency:b", digest(2))],
        vec![entry("agency:a", None), entry("agency:b", None)],
        vec![entry("agency:ab", None), entry("agency:b", None)],
        vec![entry("agency:a", digest(1))],
    ];
    let all: std::collections::BTreeSet<[u8; 32]> = [&files, &other]
        .iter()
        .flat_map(|files| lists.iter().map(|list| (files.context(), list)))
        .flat_map(|(context, list)| (0..3).map(|chunk| seed(context, list, chunk)))
        .collect();
    assert_eq!(all.len(), 2 * 7 * 3);
}

#[test]
fn two_submissions_are_evidence_for_everybody() {
    let world = World::new();
    let files = world.submitted("round");
    contradictory(&world, &files, TAX);
    let tax = world.agencies[TAX].name();
    let [one, other] = files.board.evidence(tax);
    let found = contradiction([&one, &other], policy_hash(), &world.trust).unwrap();
    assert_eq!((&found.party, found.round, found.place), (tax, files.context().round, 0));
    assert_eq!(found.kind.name(), "submission");
    assert!(found.files[0] < found.files[1], "all trustees write the same two files");
    let report = world.audit(&files, &[]).unwrap();
    assert_eq!((names(&report.signed_two), report.excluded.len()), (vec!["agency:tax"], 0));
    let shown = blindtier_auditor::show(&files.board, policy_hash(), &world.trust).unwrap();
    assert_eq!(names(&shown.signed_two), ["agency:tax"]);
    // So are two entries for one place of the ledger.
    let copy = world.copy(&files, "copy");
    let refused = |reason: &str| Event::Refused {
        trustee: world.trustee(1).name().clone(),
        culprit: None,
        reason: reason.into(),
    };
    world.force(&files, &[2], &refused("one"));
    world.force(&copy, &[2], &refused("other"));
    let place = |files: &Files, index: u32, number: u16| {
        let name = world.trustee(number).name();
        blindtier_ledger::endorsement_path(&files.board.ledger(), index, name)
    };
    let (one, other) = (place(&files, 2, 2), place(&copy, 2, 2));
    let found = contradiction([&one, &other], policy_hash(), &world.trust).unwrap();
    assert_eq!((found.party.as_str(), found.place), ("trustee:2", 2));
}

#[test]
fn what_is_no_evidence() {
    let world = World::new();
    let (files, later) = (world.submitted("round"), world.submitted("later"));
    contradictory(&world, &files, TAX);
    let [one, other] = files.board.evidence(world.agencies[TAX].name());
    let check = |one: &std::path::Path, other: &std::path::Path| {
        contradiction([one, other], policy_hash(), &world.trust)
    };
    let no = |one: &std::path::Path, other: &std::path::Path, why: &str| match check(one, other) {
        Err(AuditError::NoContradiction { why: found, .. }) => {
            assert!(found.contains(why), "{found}");
        }
        Err(other) => panic!("{other}"),
        Ok(found) => panic!("{found:?}"),
    };
    no(&one, &one, "the same content");
    no(&one, &files.submission(HEALTH).join("submission.bt"), "different parties");
    no(&one, &later.submission(TAX).join("submission.bt"), "different rounds");
    let entry = |index, number| {
        let name = world.trustee(number).name();
        blindtier_ledger::endorsement_path(&files.board.ledger(), index, name)
    };
    no(&entry(0, 1), &entry(1, 1), "different entries");
    no(&entry(0, 1), &entry(0, 2), "different parties");
    let ceremony = files.board.ceremony(world.trustee(1).name());
    no(&entry(0, 1), &ceremony.join("commitments.bt"), "different kinds");
    no(&ceremony.join("step-1.bt"), &ceremony.join("step-2.bt"), "different entries or steps");
    // What a party that was interrupted makes anew, what nobody signed, and what is not there.
    let unsigned = |path: &std::path::Path| {
        let refused = check(&one, path);
        assert!(matches!(refused, Err(AuditError::NotSigned { .. })), "{}", path.display());
    };
    unsigned(&files.submission(TAX).join("chunk-00000.bt"));
    unsigned(&files.private(1).join("shares.bt"));
    unsigned(&files.path("nothing"));
    let forged = files.path("forged");
    fs::copy(&other, &forged).unwrap();
    spoil_file(&forged);
    unsigned(&forged);
    let other_policy = contradiction([&one, &other], Digest([1; 32]), &world.trust);
    assert!(matches!(other_policy, Err(AuditError::NotSigned { .. })));
}
