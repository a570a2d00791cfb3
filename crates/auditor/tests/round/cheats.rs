//! Every way to cheat or to damage: refused with the file, the party and the reason, and nothing half-written.

use crate::support::*;
use blindtier_agency::{AgencyError, Invitation, InvitationFiles};
use blindtier_auditor::AuditError;
use blindtier_evaluator::EvaluatorError;
use blindtier_family::FamilyError;
use blindtier_transcript::TranscriptError;
use blindtier_trustee::TrusteeError;
use blindtier_wire::{
    Chunk, ChunkWriter, Context, Digest, EvaluationKey, Expect, Fault, Kind, PublicKey, Receipt,
    SigningIdentity, WireError, read, write,
};
use std::fs;
use std::path::Path;

#[track_caller]
fn expect(error: WireError, file: &Path, culprit: &str, kind: fn(&Fault) -> bool) {
    let text = error.to_string();
    assert_eq!(error.file(), Some(file), "{text}");
    assert_eq!(error.culprit().map(|c| c.as_str()), Some(culprit), "{text}");
    assert!(error.fault().is_some_and(kind), "{text}");
    assert!(text.contains(&file.display().to_string()) && text.contains(culprit), "{text}");
}

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
        Err(EvaluatorError::Wire(error)) => expect(error, file, culprit, kind),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("accepted"),
    }
    assert_eq!(before, files.all(), "the refusal wrote something");
}

/// What an evaluator can do: change its receipt and sign it again.
fn sign_receipt_anew(world: &World, files: &Files, change: impl FnOnce(&mut Receipt)) {
    let path = files.path("results/receipt.bt");
    let (round, context) = (&files.announced.round, &files.announced.context);
    let mut receipt = Receipt::read(&path, round, context, &world.trust).unwrap().body;
    change(&mut receipt);
    write(&path, &receipt, context, &world.evaluator).unwrap();
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn a_submission_of_another_round() {
    let world = World::new();
    let (old, files) = (world.submitted("old"), world.submitted("new"));
    copy_folder(&old.submission(0), &files.submission(0));
    let manifest = files.submission(0).join("submission.bt");
    refused_by_evaluator(&world, &files, &manifest, "agency:tax", |f| {
        matches!(f, Fault::Round { .. })
    });
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
    let files = world.announce("round");
    let round = files.path("public/round.bt");
    for (policy, plan, plan_differs) in
        [(Digest([9; 32]), PLAN, false), (policy_hash(), Digest([9; 32]), true)]
    {
        let paths =
            InvitationFiles { round: &round, roster: &files.announced.rosters[0].1, policy, plan };
        let Err(AgencyError::Wire(error)) =
            Invitation::read(&paths, &world.agencies[0], &world.trust)
        else {
            panic!("accepted");
        };
        if plan_differs {
            expect(error, &round, "registrar", |f| matches!(f, Fault::Plan { .. }));
        } else {
            expect(error, &round, "registrar", |f| matches!(f, Fault::Policy { .. }));
        }
    }
}

#[test]
fn a_submission_for_another_policy() {
    let world = World::new();
    let files = world.submitted("round");
    let manifest = files.submission(1).join("submission.bt");
    let mut context = files.announced.context.clone();
    let honest = world.submit(&files, 1).submission;
    context.policy = Digest([9; 32]);
    write(&manifest, &honest, &context, &world.agencies[1]).unwrap();
    refused_by_evaluator(&world, &files, &manifest, "agency:health", |f| {
        matches!(f, Fault::Policy { .. })
    });
}

#[test]
fn a_submission_of_another_agency() {
    let world = World::new();
    let files = world.submitted("round");
    copy_folder(&files.submission(1), &files.submission(0));
    let manifest = files.submission(0).join("submission.bt");
    refused_by_evaluator(&world, &files, &manifest, "agency:tax", |f| {
        matches!(f, Fault::Sender { .. })
    });
}

#[test]
fn a_roster_of_another_agency() {
    let world = World::new();
    let files = world.announce("round");
    let roster = &files.announced.rosters[0].1;
    fs::copy(&files.announced.rosters[1].1, roster).unwrap();
    let Err(AgencyError::Wire(error)) = world.invitation(&files, 0) else { panic!("accepted") };
    expect(error, roster, "registrar", |f| matches!(f, Fault::Recipient { .. }));
}

#[test]
fn an_agency_that_the_round_does_not_ask() {
    let world = World::new();
    let files = world.announce("round");
    let round = files.path("public/round.bt");
    let school =
        SigningIdentity::generate(blindtier_wire::PartyName::agency("school").unwrap()).unwrap();
    let paths = InvitationFiles {
        round: &round,
        roster: &files.announced.rosters[0].1,
        policy: policy_hash(),
        plan: PLAN,
    };
    let refused = Invitation::read(&paths, &school, &world.trust);
    assert!(matches!(refused, Err(AgencyError::NotInvited { .. })));
}

#[test]
fn a_second_submission_for_the_round() {
    let world = World::new();
    let files = world.submitted("round");
    let receipt = world.evaluate(&files).unwrap();
    // The fake engine is deterministic, so that the second one has to differ in a column.
    let manifest = files.submission(0).join("submission.bt");
    let mut second = world.submit(&files, 0).submission;
    second.columns += 1;
    write(&manifest, &second, &files.announced.context, &world.agencies[0]).unwrap();
    let before = files.all();
    for finished in [true, false] {
        if !finished {
            fs::remove_dir_all(files.path("results")).unwrap();
        }
        let error = world.evaluate(&files).unwrap_err();
        assert_eq!(error.culprit(), Some(world.agencies[0].name()));
        assert!(matches!(error, EvaluatorError::SecondSubmission { .. }), "{error}");
    }
    assert!(!files.path("results").exists() && before.len() > files.all().len());
    drop(receipt);
}

#[test]
fn a_missing_agency() {
    let world = World::new();
    let files = world.announce("round");
    world.submit(&files, 0);
    let manifest = files.submission(1).join("submission.bt");
    refused_by_evaluator(&world, &files, &manifest, "agency:health", |f| {
        matches!(f, Fault::Missing)
    });
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
    let (a, b) =
        (files.submission(0).join("chunk-00000.bt"), files.submission(0).join("chunk-00001.bt"));
    let spare = files.root.join("spare");
    fs::rename(&a, &spare).unwrap();
    fs::rename(&b, &a).unwrap();
    fs::rename(&spare, &b).unwrap();
    refused_by_evaluator(&world, &files, &a, "agency:tax", |f| {
        matches!(f, Fault::ChunkRange { .. })
    });
}

#[test]
fn a_signed_chunk_that_the_manifest_does_not_list() {
    let world = World::new();
    let files = world.submitted("round");
    let context = &files.announced.context;
    let chunking = files.announced.round.chunking().unwrap();
    let spare = files.root.join("spare");
    let mut writer =
        ChunkWriter::new(&spare, Kind::SubmissionChunk, context, &world.agencies[0], chunking)
            .unwrap();
    writer.push(vec![0; 7], 0).unwrap();
    let chunk = files.submission(0).join("chunk-00000.bt");
    fs::rename(spare.join("chunk-00000.bt"), &chunk).unwrap();
    refused_by_evaluator(&world, &files, &chunk, "agency:tax", |f| {
        matches!(f, Fault::ChunkHash { .. })
    });
}

#[test]
fn a_manifest_with_too_few_chunks() {
    let world = World::new();
    let files = world.submitted("round");
    let manifest = files.submission(0).join("submission.bt");
    let mut short = world.submit(&files, 0).submission;
    short.chunks.pop();
    write(&manifest, &short, &files.announced.context, &world.agencies[0]).unwrap();
    refused_by_evaluator(&world, &files, &manifest, "agency:tax", |f| {
        matches!(f, Fault::ChunkCount { .. })
    });
}

#[test]
fn an_evaluation_key_with_other_parameters() {
    let world = World::new();
    let files = world.submitted("round");
    let path = files.keys.evaluation.clone();
    let honest = read::<EvaluationKey>(
        &path,
        &Expect::of(world.trustee.name(), &files.announced.context),
        &world.trust,
    )
    .unwrap()
    .body;
    let mut context: Context = files.announced.context.clone();
    context.engine.parameters = "two bytes".into();
    write(&path, &honest, &context, &world.trustee).unwrap();
    refused_by_evaluator(&world, &files, &path, "trustee:1", |f| matches!(f, Fault::Engine { .. }));

    // The header is right and the engine finds that the bytes are not.
    let wrong = EvaluationKey { bytes: vec![2, 77, 0], ..honest.clone() };
    write(&path, &wrong, &files.announced.context, &world.trustee).unwrap();
    let error = world.evaluate(&files).unwrap_err();
    assert_eq!(error.culprit(), Some(world.trustee.name()));
    assert!(matches!(error, EvaluatorError::Key { .. }));

    // It belongs to another public key than the one the agencies used.
    let wrong = EvaluationKey { public_key: Digest([0; 32]), ..honest };
    write(&path, &wrong, &files.announced.context, &world.trustee).unwrap();
    let manifest = files.submission(0).join("submission.bt");
    refused_by_evaluator(&world, &files, &manifest, "agency:tax", |f| {
        matches!(f, Fault::Reference { .. })
    });
}

#[test]
fn a_public_key_of_a_stranger() {
    let world = World::new();
    let files = world.announce("round");
    let stranger = SigningIdentity::generate(world.trustee.name().clone()).unwrap();
    write(
        &files.keys.public,
        &PublicKey { bytes: vec![1, 77] },
        &files.announced.context,
        &stranger,
    )
    .unwrap();
    let Err(AgencyError::Wire(error)) = world.submit_to(&files, 0, &files.submission(0)) else {
        panic!("accepted")
    };
    expect(error, &files.keys.public, "trustee:1", |f| matches!(f, Fault::Signature { .. }));
    assert!(!files.submission(0).exists(), "nothing was encrypted");
}

#[test]
fn an_evaluator_that_lies_is_found_by_the_auditor() {
    let world = World::new();
    let files = world.submitted("round");
    world.evaluate_with(&files, 1).unwrap();
    world.audit(&files, &[]).unwrap();
    let error = world.audit(&files, &[1]).unwrap_err();
    assert_eq!(error.culprit(), Some(world.evaluator.name()));
    let differs =
        matches!(error, AuditError::Transcript(TranscriptError::Differs { chunk: 1, .. }));
    assert!(differs, "{error}");
    assert!(matches!(world.audit(&files, &[3]), Err(AuditError::NoSuchChunk { .. })));
}

#[test]
fn a_trustee_opens_nothing_that_it_has_not_recomputed() {
    let world = World::new();
    let files = world.submitted("round");
    world.evaluate_with(&files, 1).unwrap();
    let before = files.all();
    let error = world.open(&files).unwrap_err();
    assert_eq!(error.culprit(), Some(world.evaluator.name()));
    let differs = matches!(error, TrusteeError::Transcript(TranscriptError::Differs { .. }));
    assert!(differs, "{error}");
    assert_eq!(before, files.all(), "the refusal left a record or a letter");
    // An honest result of the same round is opened afterwards.
    fs::remove_dir_all(files.path("results")).unwrap();
    world.evaluate(&files).unwrap();
    world.open(&files).unwrap();
}

#[test]
fn a_ciphertext_of_the_evaluators_choice_is_not_opened() {
    // The evaluator mixes another slot's result into one that works with it, and signs everything as it should be.
    let world = World::new();
    let files = world.submitted("round");
    world.evaluate(&files).unwrap();
    let path = files.path("results/receipt.bt");
    let (round, context) = (&files.announced.round, &files.announced.context);
    let mut receipt = Receipt::read(&path, round, context, &world.trust).unwrap().body;
    let mut results: Vec<Chunk> = {
        let chunks = receipt.chunks(&path, round, context, &world.trust).unwrap();
        (0..3).map(|n| chunks.read(n).unwrap()).collect()
    };
    // Slots are shuffled and results may be equal; an odd number changes whatever it is mixed into.
    let stolen = results[1].bytes[0];
    results[0].bytes[2] ^= stolen | 1;
    let mut writer = ChunkWriter::new(
        &files.path("results"),
        Kind::ResultChunk,
        context,
        &world.evaluator,
        round.chunking().unwrap(),
    )
    .unwrap();
    for chunk in results {
        writer.push(chunk.bytes, chunk.operations).unwrap();
    }
    receipt.chunks = writer.finish().unwrap();
    write(&path, &receipt, context, &world.evaluator).unwrap();
    world.audit(&files, &[]).unwrap();
    let error = world.open(&files).unwrap_err();
    assert_eq!(error.culprit(), Some(world.evaluator.name()));
    let named =
        matches!(error, TrusteeError::Transcript(TranscriptError::Differs { chunk: 0, .. }));
    assert!(named, "{error}");
}

#[test]
fn submissions_that_the_receipt_does_not_name() {
    let world = World::new();
    let files = world.submitted("round");
    world.evaluate(&files).unwrap();
    sign_receipt_anew(&world, &files, |receipt| receipt.submissions[0].manifest = Digest([9; 32]));
    let error = world.open(&files).unwrap_err();
    assert_eq!(error.culprit(), Some(world.evaluator.name()));
    assert!(error.to_string().contains("submission"), "{error}");
    assert!(!files.path("letters").exists());
}

#[test]
fn results_that_open_to_no_tier() {
    let world = World::new();
    let files = world.submitted("round");
    world.evaluate_with(&files, 100).unwrap();
    let error = world.open_with(&files, "letters", 100).unwrap_err();
    assert_eq!(error.culprit(), Some(world.evaluator.name()));
    assert!(matches!(error, TrusteeError::Open { .. }), "{error}");
    assert!(!files.path("letters/letters.bt").exists());
}

#[test]
fn another_receipt_of_an_opened_round() {
    let world = World::new();
    let files = world.submitted("round");
    world.evaluate(&files).unwrap();
    world.open(&files).unwrap();
    sign_receipt_anew(&world, &files, |receipt| receipt.platform.push('!'));
    assert!(matches!(world.open(&files), Err(TrusteeError::AlreadyOpened { .. })));
    // A trustee that was interrupted goes on with the same receipt only.
    let files = world.submitted("second");
    world.evaluate_with(&files, 100).unwrap();
    assert!(matches!(world.open_with(&files, "letters", 100), Err(TrusteeError::Open { .. })));
    fs::remove_dir_all(files.path("results")).unwrap();
    world.evaluate(&files).unwrap();
    assert!(matches!(world.open(&files), Err(TrusteeError::AlreadyOpened { .. })));
}

#[test]
fn a_receipt_for_another_evaluation_key() {
    let world = World::new();
    let files = world.submitted("round");
    world.evaluate(&files).unwrap();
    let path = files.path("results/receipt.bt");
    let context = &files.announced.context;
    let mut other =
        Receipt::read(&path, &files.announced.round, context, &world.trust).unwrap().body;
    other.evaluation_key = Digest([0; 32]);
    write(&path, &other, context, &world.evaluator).unwrap();
    let Err(TrusteeError::Wire(error)) = world.open(&files) else { panic!("accepted") };
    expect(error, &path, "evaluator", |f| matches!(f, Fault::Reference { .. }));
    let Err(AuditError::Wire(error)) = world.audit(&files, &[]) else { panic!("accepted") };
    expect(error, &path, "evaluator", |f| matches!(f, Fault::Reference { .. }));
    assert!(!files.path("letters").exists());
}

#[test]
fn letters_that_were_exchanged_between_slots() {
    let world = World::new();
    let files = world.finished("round");
    let context = &files.announced.context;
    let round = &files.announced.round;
    let manifest = files.path("letters/letters.bt");
    let mut body = blindtier_wire::Letters::read(
        &manifest,
        world.trustee.name(),
        round,
        context,
        &world.trust,
    )
    .unwrap()
    .body;
    let reader =
        body.chunks(&manifest, world.trustee.name(), round, context, &world.trust).unwrap();
    let chunks: Vec<Chunk> = (0..3).map(|c| reader.read(c).unwrap()).collect();
    let mut writer = ChunkWriter::new(
        &files.path("letters"),
        Kind::LetterChunk,
        context,
        &world.trustee,
        round.chunking().unwrap(),
    )
    .unwrap();
    for mut chunk in chunks {
        if chunk.count > 1 {
            chunk.bytes.rotate_left(blindtier_wire::LETTER_BYTES);
        } else {
            chunk.bytes.pop();
        }
        writer.push(chunk.bytes, 0).unwrap();
    }
    body.chunks = writer.finish().unwrap();
    write(&manifest, &body, context, &world.trustee).unwrap();
    let mail = world.mail(&files).unwrap();
    for key in &world.keys {
        let Err(error) = mail.read(key) else { panic!("opened") };
        assert_eq!(error.culprit(), Some(world.trustee.name()));
        assert!(matches!(error, FamilyError::Unreadable { .. }));
    }
    assert!(
        matches!(world.audit(&files, &[]), Err(AuditError::Wire(_))),
        "a letter has another size"
    );
}

#[test]
fn a_flipped_byte_in_every_public_file() {
    let world = World::new();
    let files = world.finished("round");
    let public: Vec<_> = files
        .all()
        .into_iter()
        .filter(|f| f.extension().is_some_and(|e| e == "bt"))
        .filter(|f| !f.ends_with("roster.bt") && !f.ends_with("secret-key.bt"))
        .collect();
    assert_eq!(public.len(), 4 + 8 + 4 + 4);
    for path in public {
        let whole = fs::read(&path).unwrap();
        for at in [0, 12, 20, whole.len() / 2, whole.len() - 64, whole.len() - 1] {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            fs::write(&path, &bytes).unwrap();
            match world.audit(&files, &[]) {
                Err(AuditError::Wire(error)) => {
                    assert_eq!(error.file(), Some(path.as_path()), "{error}");
                    assert!(error.culprit().is_some(), "{error}");
                }
                Err(other) => panic!("{other}"),
                Ok(_) => panic!("{} byte {at}: accepted", path.display()),
            }
        }
        fs::write(&path, whole).unwrap();
    }
    world.audit(&files, &[0, 1, 2]).unwrap();
}

#[test]
fn a_flipped_byte_in_a_secret_file() {
    let world = World::new();
    let files = world.submitted("round");
    world.evaluate(&files).unwrap();
    for path in [&files.keys.secret, &files.announced.rosters[0].1] {
        let whole = fs::read(path).unwrap();
        let mut bytes = whole.clone();
        let middle = whole.len() / 2;
        bytes[middle] ^= 1;
        fs::write(path, &bytes).unwrap();
        let refused = if path == &files.keys.secret {
            matches!(world.open(&files), Err(TrusteeError::Wire(_)))
        } else {
            matches!(world.invitation(&files, 0), Err(AgencyError::Wire(_)))
        };
        assert!(refused, "{}", path.display());
        fs::write(path, &whole).unwrap();
    }
    world.open(&files).unwrap();
}
