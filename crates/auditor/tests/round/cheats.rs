//! What registrar, agencies and evaluator can do wrong: refused with the file, the party and the reason, and nothing
//! half-written.

use crate::support::*;
use blindtier_auditor::AuditError;
use blindtier_evaluator::EvaluatorError;
use blindtier_family::{FamilyError, LetterKey, check_roster};
use blindtier_ledger::{Event, LedgerError, Registration};
use blindtier_submission::{Invitation, SubmissionError};
use blindtier_transcript::{TranscriptError, Trouble};
use blindtier_trustee::{RegisterProgress, TrusteeError};
use blindtier_wire::{
    Chunk, ChunkWriter, Digest, EvaluationKey, Expect, Fault, Kind, LetterKeys, PublicKey,
    SigningIdentity, Submission, WireError, read, write,
};
use std::fs;
use std::path::Path;

#[track_caller]
fn refused_by_evaluator(
    world: &World,
    files: &Files,
    file: &Path,
    culprit: &str,
    kind: fn(&Fault) -> bool,
) {
    let before = files.all();
    match world.evaluate(files) {
        Err(EvaluatorError::Wire(error)) => expect(&error, file, culprit, kind),
        Err(error) => {
            let said = error.to_string();
            assert_eq!(names(&error.culprits()), [culprit], "{said}");
            let bad = bad_submissions(error);
            let (Trouble::NotThere(error) | Trouble::Unreadable(error)) = &bad[0].trouble else {
                panic!("{said}")
            };
            expect(error, file, culprit, kind);
            assert!(said.contains(&format!("trustee exclude --submitter {culprit}")), "{said}");
        }
        Ok(_) => panic!("accepted"),
    }
    assert_eq!(before, files.all(), "the refusal wrote something");
}

/// No trustee commits to anything because of the evaluator, and nothing is written.
#[track_caller]
fn refused_by_trustees(world: &World, files: &Files, kind: fn(&TrusteeError) -> bool) {
    let before = files.all();
    for number in world.all() {
        let error = world.open(files, number).unwrap_err();
        assert_eq!(names(&error.culprits()), ["evaluator"], "{error}");
        assert!(kind(&error), "{error}");
    }
    assert_eq!(before, files.all(), "the refusal left a record or a partial decryption");
}

#[test]
fn a_submission_of_another_round() {
    let world = World::new();
    let (old, files) = (world.submitted("old"), world.submitted("new"));
    copy_folder(&old.submission(0), &files.submission(0));
    let manifest = files.submission(0).join("submission.bt");
    let round = |f: &Fault| matches!(f, Fault::Round { .. });
    refused_by_evaluator(&world, &files, &manifest, "agency:tax", round);
}

#[test]
fn a_chunk_of_another_round() {
    let world = World::new();
    let (old, files) = (world.submitted("old"), world.submitted("new"));
    let chunk = files.submission(0).join("chunk-00001.bt");
    fs::copy(old.submission(0).join("chunk-00001.bt"), &chunk).unwrap();
    refused_by_evaluator(&world, &files, &chunk, "agency:tax", |f| {
        matches!(f, Fault::Round { .. })
    });
}

#[test]
fn another_policy_or_plan() {
    let world = World::new();
    let files = world.keyed("round");
    let round = files.board.round();
    for (policy, plan, plan_differs) in
        [(Digest([9; 32]), PLAN, false), (policy_hash(), Digest([9; 32]), true)]
    {
        let (board, identity) = (&files.board, &world.agencies[0]);
        let Err(SubmissionError::Wire(error)) =
            Invitation::read(board, policy, plan, identity, &world.trust)
        else {
            panic!("accepted");
        };
        if plan_differs {
            expect(&error, &round, "registrar", |f| matches!(f, Fault::Plan { .. }));
        } else {
            expect(&error, &round, "registrar", |f| matches!(f, Fault::Policy { .. }));
        }
    }
}

#[test]
fn a_submission_for_another_policy() {
    let world = World::new();
    let files = world.submitted("round");
    let path = files.submission(1).join("submission.bt");
    let mut context = files.context().clone();
    context.policy = Digest([9; 32]);
    write(&path, &world.manifest(&files, 1), &context, &world.agencies[1]).unwrap();
    let policy = |f: &Fault| matches!(f, Fault::Policy { .. });
    refused_by_evaluator(&world, &files, &path, "agency:health", policy);
}

#[test]
fn a_submission_of_another_agency() {
    let world = World::new();
    let files = world.submitted("round");
    copy_folder(&files.submission(1), &files.submission(0));
    let manifest = files.submission(0).join("submission.bt");
    let sender = |f: &Fault| matches!(f, Fault::Sender { .. });
    refused_by_evaluator(&world, &files, &manifest, "agency:tax", sender);
}

#[test]
fn a_roster_of_another_agency() {
    let world = World::new();
    let files = world.keyed("round");
    let roster = &files.announced.rosters[0].1;
    fs::copy(&files.announced.rosters[1].1, roster).unwrap();
    let Err(error) = world.roster(&files, 0) else { panic!("accepted") };
    expect(&error, roster, "registrar", |f| matches!(f, Fault::Recipient { .. }));
}

#[test]
fn a_damaged_roster() {
    let world = World::new();
    let files = world.keyed("round");
    let path = &files.announced.rosters[0].1;
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, &bytes).unwrap();
    assert!(world.roster(&files, 0).is_err());
}

#[test]
fn an_agency_that_the_round_does_not_ask() {
    let world = World::new();
    let files = world.keyed("round");
    let school =
        SigningIdentity::generate(blindtier_wire::PartyName::agency("school").unwrap()).unwrap();
    let refused = Invitation::read(&files.board, policy_hash(), PLAN, &school, &world.trust);
    assert!(matches!(refused, Err(SubmissionError::NotInvited { .. })));
}

#[test]
fn a_second_submission_after_the_registered_one() {
    let world = World::new();
    let files = world.submitted("round");
    // The fake engine is deterministic, so that the second one has to differ in a column.
    let path = files.submission(0).join("submission.bt");
    world.sign_manifest(&files, 0, &path, |body| body.columns += 1);
    let reference = |f: &Fault| matches!(f, Fault::Reference { .. });
    refused_by_evaluator(&world, &files, &path, "agency:tax", reference);
}

#[test]
fn a_second_list_of_submissions() {
    let world = World::new();
    let files = world.submitted("round");
    let path = files.own_submission(0).join("submission.bt");
    world.sign_manifest(&files, 0, &path, |body| body.columns += 1);
    // The second one is kept as evidence, and what is recorded stays as it is.
    let signed_two = vec![world.agencies[0].name().clone()];
    let signed = RegisterProgress::Signed { left_out: Vec::new(), signed_two };
    assert_eq!(world.register(&files, 1).unwrap(), signed);
    let entry = |agency: usize, manifest| Registration {
        submitter: world.agencies[agency].name().clone(),
        manifest: Ok(manifest),
    };
    let list = vec![entry(0, Digest([1; 32])), entry(1, Digest([2; 32]))];
    let error = world.endorse(&files, 1, Event::Submissions(list)).unwrap_err();
    assert!(matches!(error, LedgerError::Order { .. }), "{error}");
}

#[test]
fn a_missing_agency() {
    let world = World::new();
    let files = world.keyed("round");
    world.submit(&files, 0);
    let from = vec![world.agencies[1].name().clone()];
    let waiting = RegisterProgress::Waiting { from, overdue: false };
    assert_eq!(world.register(&files, 1).unwrap(), waiting);
    // Registered, but not handed over.
    world.submit(&files, 1);
    world.register_all(&files);
    world.hand_over(&files, 0).unwrap();
    let path = files.submission(1).join("chunk-00000.bt");
    refused_by_evaluator(&world, &files, &path, "agency:health", |f| matches!(f, Fault::Missing));
}

#[test]
fn a_missing_a_truncated_and_an_extended_chunk() {
    let world = World::new();
    let files = world.submitted("round");
    let chunk = files.submission(0).join("chunk-00002.bt");
    let whole = fs::read(&chunk).unwrap();
    fs::remove_file(&chunk).unwrap();
    refused_by_evaluator(&world, &files, &chunk, "agency:tax", |f| matches!(f, Fault::Missing));
    fs::write(&chunk, &whole[..whole.len() - 1]).unwrap();
    refused_by_evaluator(&world, &files, &chunk, "agency:tax", |f| matches!(f, Fault::Truncated));
    fs::write(&chunk, [&whole[..], b"!"].concat()).unwrap();
    refused_by_evaluator(&world, &files, &chunk, "agency:tax", |f| {
        matches!(f, Fault::TrailingBytes { extra: 1 })
    });
    fs::write(&chunk, whole).unwrap();
    world.evaluate(&files).unwrap();
}

#[test]
fn swapped_chunks() {
    let world = World::new();
    let files = world.submitted("round");
    let [a, b] = [0, 1].map(|n| files.submission(0).join(format!("chunk-0000{n}.bt")));
    let spare = files.root.join("spare");
    fs::rename(&a, &spare).unwrap();
    fs::rename(&b, &a).unwrap();
    fs::rename(&spare, &b).unwrap();
    let range = |f: &Fault| matches!(f, Fault::ChunkRange { .. });
    refused_by_evaluator(&world, &files, &a, "agency:tax", range);
}

#[test]
fn a_signed_chunk_that_the_manifest_does_not_list() {
    let world = World::new();
    let files = world.submitted("round");
    let chunking = files.round().chunking().unwrap();
    let (spare, kind) = (files.root.join("spare"), Kind::SubmissionChunk);
    let identity = &world.agencies[0];
    let mut writer = ChunkWriter::new(&spare, kind, files.context(), identity, chunking).unwrap();
    writer.push(vec![0; 7], 0).unwrap();
    let chunk = files.submission(0).join("chunk-00000.bt");
    fs::rename(spare.join("chunk-00000.bt"), &chunk).unwrap();
    let hash = |f: &Fault| matches!(f, Fault::ChunkHash { .. });
    refused_by_evaluator(&world, &files, &chunk, "agency:tax", hash);
}

#[test]
fn a_manifest_with_too_few_chunks_is_not_registered() {
    let world = World::new();
    let files = world.keyed("round");
    (0..2).for_each(|agency| drop(world.submit(&files, agency)));
    let path = files.own_submission(0).join("submission.bt");
    world.sign_manifest(&files, 0, &path, |body| body.chunks.truncate(2));
    let TrusteeError::Wire(error) = world.register(&files, 1).unwrap_err() else { panic!() };
    expect(&error, &path, "agency:tax", |f| matches!(f, Fault::ChunkCount { .. }));
}

#[test]
fn a_copied_column() {
    // Whoever saw tax's ciphertexts could hand them in as its own, to learn how tiers change with them.
    let world = World::new();
    let files = world.keyed("round");
    (0..2).for_each(|agency| drop(world.submit(&files, agency)));
    // So nobody sees them before every submission is registered.
    let error = world.hand_over(&files, 0).unwrap_err();
    assert!(matches!(error, SubmissionError::Ledger(LedgerError::Missing { .. })), "{error}");
    for number in [1, 2] {
        world.register(&files, number).unwrap();
        let handed = world.hand_over(&files, 0);
        assert!(handed.is_err(), "two of three trustees could have signed another list as well");
    }
    world.register(&files, 3).unwrap();
    (0..2).for_each(|agency| world.hand_over(&files, agency).unwrap());
    assert!(matches!(world.hand_over(&files, 0), Ok(())), "handing over again changes nothing");

    // Now health signs tax's chunks as its own.
    let (context, chunking) = (files.context(), files.round().chunking().unwrap());
    let tax = world.manifest(&files, 0);
    let path = files.submission(0).join("submission.bt");
    let name = world.agencies[0].name();
    let reader = tax.chunks(&path, name, files.round(), context, &world.trust).unwrap();
    let (folder, kind) = (files.submission(1), Kind::SubmissionChunk);
    let mut writer =
        ChunkWriter::new(&folder, kind, context, &world.agencies[1], chunking).unwrap();
    (0..3).for_each(|n| writer.push(reader.read(n).unwrap().bytes, 0).unwrap());
    let copied = Submission { chunks: writer.finish().unwrap(), ..tax };
    let path = folder.join("submission.bt");
    let digest = write(&path, &copied, context, &world.agencies[1]).unwrap();
    let reference = |f: &Fault| matches!(f, Fault::Reference { .. });
    refused_by_evaluator(&world, &files, &path, "agency:health", reference);
    // The agency cannot hand it over as a registered one either.
    copy_folder(&folder, &files.own_submission(1));
    let error = world.hand_over(&files, 1).unwrap_err();
    assert!(matches!(error, SubmissionError::NotRegistered { .. }), "{error}");

    // An evaluator that is in league with health evaluates it all the same.
    let honest = world.evaluated("honest");
    let mut receipt = world.receipt(&honest);
    receipt.evaluation_key = world.ledger(&files).unwrap().keys().unwrap().evaluation_key;
    receipt.submissions = world.ledger(&files).unwrap().submissions().unwrap();
    receipt.submissions[1].manifest = Some(digest);
    write(&files.board.receipt(), &receipt, context, &world.evaluator).unwrap();
    refused_by_trustees(&world, &files, |e| matches!(e, TrusteeError::OtherSubmission { .. }));
}

#[test]
fn another_evaluation_key() {
    let world = World::new();
    let files = world.submitted("round");
    let path = files.board.evaluation_key();
    let (context, maker) = (files.context(), world.trustee(1));
    let honest = read::<EvaluationKey>(&path, &Expect::of(maker.name(), context), &world.trust)
        .unwrap()
        .body;
    let mut other = context.clone();
    other.engine.parameters = "two bytes".into();
    write(&path, &honest, &other, maker).unwrap();
    let engine = |f: &Fault| matches!(f, Fault::Engine { .. });
    refused_by_evaluator(&world, &files, &path, "trustee:1", engine);
    // The maker signs another one than a majority did.
    write(&path, &EvaluationKey { bytes: vec![2, 77], ..honest }, context, maker).unwrap();
    let reference = |f: &Fault| matches!(f, Fault::Reference { .. });
    refused_by_evaluator(&world, &files, &path, "trustee:1", reference);
}

#[test]
fn an_evaluation_key_that_the_engine_refuses() {
    let world = World::with(Shape::of("2-of-3", true));
    let files = world.announce("round");
    let (round, context) = (files.round(), files.context());
    world.all().iter().for_each(|k| drop(world.make_keys(&files, *k).unwrap()));
    let receivers =
        blindtier_dealer::receivers(&files.board, round, context, &world.trust).unwrap();
    let dealt = blindtier_dealer::Dealt { evaluation: vec![2, 77, 0], ..world.dealt() };
    let (board, sealed) = (&files.board, &files.path("sealed"));
    let dealer = &world.dealer;
    blindtier_dealer::deal(dealt, &receivers, board, sealed, round, context, dealer).unwrap();
    world.make_all_keys(&files);
    (0..2).for_each(|agency| drop(world.submit(&files, agency)));
    world.register_all(&files);
    (0..2).for_each(|agency| world.hand_over(&files, agency).unwrap());
    let error = world.evaluate(&files).unwrap_err();
    assert_eq!(names(&error.culprits()), ["dealer"]);
    assert!(matches!(error, EvaluatorError::Key { .. }), "{error}");
}

#[test]
fn a_public_key_of_a_stranger_or_of_one_trustee_alone() {
    let world = World::new();
    let files = world.keyed("round");
    let body = PublicKey { bytes: vec![1, 77] };
    let stranger = SigningIdentity::generate(world.trustee(1).name().clone()).unwrap();
    let path = files.board.public_key();
    for signer in [&stranger, world.trustee(1)] {
        write(&path, &body, files.context(), signer).unwrap();
        let submitted = world.submit_to(&files, 0, &files.own_submission(0));
        let Err(SubmissionError::Wire(error)) = submitted else { panic!("accepted") };
        expect(&error, &path, "trustee:1", |f| {
            matches!(f, Fault::Signature { .. } | Fault::Reference { .. })
        });
        assert!(!files.own_submission(0).exists(), "nothing was encrypted");
    }
}

#[test]
fn an_evaluator_that_lies_is_found_by_the_auditor() {
    let world = World::new();
    let files = world.submitted("round");
    world.evaluate_with(&files, Fake { lie: 1, ..Fake::default() }).unwrap();
    world.audit(&files, &[]).unwrap();
    let error = world.audit(&files, &[1]).unwrap_err();
    assert_eq!(names(&error.culprits()), ["evaluator"]);
    let differs =
        matches!(error, AuditError::Transcript(TranscriptError::Differs { chunk: 1, .. }));
    assert!(differs, "{error}");
    assert!(matches!(world.audit(&files, &[3]), Err(AuditError::NoSuchChunk { .. })));
}

fn differs(error: &TrusteeError) -> bool {
    matches!(error, TrusteeError::Transcript(TranscriptError::Differs { .. }))
}

#[test]
fn a_trustee_opens_nothing_that_it_has_not_recomputed() {
    let world = World::new();
    let files = world.submitted("round");
    world.evaluate_with(&files, Fake { lie: 1, ..Fake::default() }).unwrap();
    refused_by_trustees(&world, &files, differs);
    // An honest result of the same round is opened afterwards.
    fs::remove_dir_all(files.board.results()).unwrap();
    world.evaluate(&files).unwrap();
    world.open_by(&files, &world.all()).unwrap();
    world.check_letters(&files);
}

#[test]
fn a_ciphertext_of_the_evaluators_choice_is_not_opened() {
    // The evaluator mixes another slot's result into one, and signs everything as it should be.
    for dealer in [false, true] {
        let world = World::with(Shape::of("2-of-3", dealer));
        let files = world.evaluated("round");
        let (path, context) = (files.board.receipt(), files.context());
        let mut receipt = world.receipt(&files);
        let mut results: Vec<Chunk> = {
            let chunks = receipt.chunks(&path, files.round(), context, &world.trust).unwrap();
            (0..3).map(|n| chunks.read(n).unwrap()).collect()
        };
        // Slots are shuffled and results may be equal; an odd number changes whatever it is mixed into.
        let stolen = results[1].bytes[0];
        results[0].bytes[2] ^= stolen | 1;
        let (folder, chunking) = (files.board.results(), files.round().chunking().unwrap());
        let identity = &world.evaluator;
        let mut writer =
            ChunkWriter::new(&folder, Kind::ResultChunk, context, identity, chunking).unwrap();
        for chunk in results {
            writer.push(chunk.bytes, chunk.operations).unwrap();
        }
        receipt.chunks = writer.finish().unwrap();
        write(&path, &receipt, context, &world.evaluator).unwrap();
        world.audit(&files, &[]).unwrap();
        refused_by_trustees(&world, &files, differs);
        assert_eq!(world.ledger(&files).unwrap().entries().len(), 2, "keys and submissions");
    }
}

#[test]
fn submissions_that_the_receipt_does_not_name() {
    let world = World::new();
    let files = world.evaluated("round");
    world.sign_receipt_anew(&files, |receipt| {
        receipt.submissions[0].manifest = Some(Digest([9; 32]));
    });
    refused_by_trustees(&world, &files, |e| matches!(e, TrusteeError::OtherSubmission { .. }));
    let error = world.audit(&files, &[]).unwrap_err();
    assert_eq!(names(&error.culprits()), ["evaluator"]);
}

#[test]
fn a_receipt_for_another_evaluation_key() {
    let world = World::new();
    let files = world.evaluated("round");
    world.sign_receipt_anew(&files, |receipt| receipt.evaluation_key = Digest([0; 32]));
    refused_by_trustees(&world, &files, |e| matches!(e, TrusteeError::Wire(_)));
    let Err(AuditError::Wire(error)) = world.audit(&files, &[]) else { panic!("accepted") };
    let path = files.board.receipt();
    expect(&error, &path, "evaluator", |f| matches!(f, Fault::Reference { .. }));
}

#[test]
fn a_letter_key_that_the_registrar_swapped() {
    let world = World::new();
    let own = LetterKey::generate().unwrap();
    let mut keys: Vec<String> = world.keys.iter().map(LetterKey::public_hex).collect();
    keys[3] = own.public_hex();
    let files = world.announce_with("round", &world.population_with(&keys));
    world.make_all_keys(&files);
    // Every family can see it before anything is opened.
    for (family, key) in world.keys.iter().enumerate() {
        let found = check_roster(&files.board, &[*key.public()], policy_hash(), &world.trust);
        match found {
            Err(FamilyError::NotInRound { .. }) => assert_eq!(family, 3),
            found => assert_eq!(world.families(&files)[found.unwrap()[0] as usize], family),
        }
    }
}

#[test]
fn a_roster_check_before_trustees_signed_the_letter_keys() {
    let world = World::new();
    let files = world.announce("round");
    let check =
        || check_roster(&files.board, &[*world.keys[0].public()], policy_hash(), &world.trust);
    let missing = matches!(check(), Err(FamilyError::Ledger(LedgerError::Missing { .. })));
    assert!(missing, "the registrar could still show another list to somebody else");
    world.make_all_keys(&files);
    check().unwrap();
}

#[test]
fn other_letter_keys_than_those_of_the_round() {
    let world = World::new();
    let files = world.evaluated("round");
    let path = files.board.letter_keys();
    let mut keys = LetterKeys::read(&path, files.round(), files.context(), &world.trust).unwrap();
    let own = LetterKey::generate().unwrap();
    let victim = keys.slot_of(world.keys[0].public()).unwrap();
    keys.keys[victim as usize] = *own.public();
    write(&path, &keys, files.context(), &world.registrar).unwrap();
    let reference = |f: &Fault| matches!(f, Fault::Reference { .. });
    let check = |error: Option<WireError>| expect(&error.unwrap(), &path, "registrar", reference);
    let roster = check_roster(&files.board, &[*own.public()], policy_hash(), &world.trust);
    check(match roster {
        Err(FamilyError::Wire(error)) => Some(error),
        _ => None,
    });
    check(match world.open_by(&files, &world.all()) {
        Err(TrusteeError::Wire(error)) => Some(error),
        _ => None,
    });
    assert!(!files.path("letters").exists(), "nothing is sealed to it");
    check(match world.audit(&files, &[]) {
        Err(AuditError::Wire(error)) => Some(error),
        _ => None,
    });
}
