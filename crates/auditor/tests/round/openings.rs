//! What trustees can do wrong when a round is opened.

use crate::support::*;
use blindtier_auditor::{AuditError, Execute};
use blindtier_family::FamilyError;
use blindtier_ledger::{Event, LedgerError};
use blindtier_transcript::TranscriptError;
use blindtier_trustee::{OpenProgress, TrusteeError};
use blindtier_wire::{Digest, Fault, PARTIAL_CHUNKS, Seed, Shares, WireError, chunk_name, write};
use std::fs;

/// The share that exactly these trustees hold.
fn share_of(world: &World, holders: &[u16]) -> u32 {
    let sharing = world.shape.sharing;
    (0..sharing.shares()).find(|share| sharing.holders(*share) == holders).unwrap()
}

/// The place of a share in a trustee's files.
fn place(world: &World, number: u16, share: u32) -> usize {
    let held = world.shape.sharing.held_by(number);
    held.iter().position(|held| *held == share).unwrap()
}

/// A trustee adds one to its partial decryption of a share, for the first slot of every chunk.
fn lie(world: &World, files: &Files, number: u16, share: u32) {
    let place = place(world, number, share);
    world.recommit(files, number, |_, chunk, _| {
        chunk.partials[place][0] = chunk.partials[place][0].wrapping_add(1);
    });
}

fn as_transcript(error: TrusteeError) -> TranscriptError {
    match error {
        TrusteeError::Transcript(error) => error,
        other => panic!("{other}"),
    }
}

fn as_wire(error: TrusteeError) -> WireError {
    match error {
        TrusteeError::Wire(error) | TrusteeError::Transcript(TranscriptError::Wire(error)) => error,
        other => panic!("{other}"),
    }
}

#[track_caller]
fn names_liar(error: &TranscriptError, world: &World, liar: u16, lied_about: Option<u32>) {
    assert_eq!(error.culprits(), [world.trustee(liar).name().clone()], "{error}");
    let TranscriptError::Lied { share, .. } = error else { panic!("{error}") };
    assert!(lied_about.is_none_or(|expected| *share == expected), "{error}");
}

/// All of them go on until one of the honest ones refuses; what the liar says is of no interest.
fn open_until_refused(world: &World, files: &Files, liar: u16, honest: &[u16]) -> TrusteeError {
    for _ in 0..8 {
        let _ = world.open(files, liar);
        for number in honest {
            if let Err(error) = world.open(files, *number) {
                return error;
            }
        }
    }
    panic!("nobody refused")
}

fn audit_error(world: &World, files: &Files) -> TranscriptError {
    match world.audit(files, &[]).unwrap_err() {
        AuditError::Transcript(error) => error,
        other => panic!("{other}"),
    }
}

#[test]
fn a_lying_share_with_three_holders_is_named_by_everybody() {
    let world = World::with(Shape::of("2-of-4", false));
    let files = world.evaluated("round");
    world.commit_by(&files, &[1, 2, 3]);
    let share = share_of(&world, &[1, 2, 3]);
    lie(&world, &files, 2, share);
    let error = as_transcript(open_until_refused(&world, &files, 2, &[1, 3]));
    names_liar(&error, &world, 2, Some(share));
    // So does somebody without a share.
    let error = audit_error(&world, &files);
    names_liar(&error, &world, 2, Some(share));
    assert!(error.to_string().contains("trustee:1 and trustee:3"), "{error}");
    assert!(world.ledger(&files).unwrap().opened().is_err());
}

#[test]
fn a_lying_share_with_two_holders_is_named_by_the_other() {
    for dealer in [false, true] {
        let world = World::with(Shape::of("2-of-3", dealer));
        let files = world.evaluated("round");
        world.commit_by(&files, &[1, 2]);
        let share = share_of(&world, &[1, 2]);
        lie(&world, &files, 2, share);
        let error = as_transcript(open_until_refused(&world, &files, 2, &[1]));
        names_liar(&error, &world, 2, Some(share));
        // Somebody without a share sees that they disagree.
        let error = audit_error(&world, &files);
        let disagree = matches!(&error, TranscriptError::Disagree { share: s, .. } if *s == share);
        let mut between = error.culprits();
        between.sort();
        assert!(disagree && names(&between) == ["trustee:1", "trustee:2"], "{error}");
        for name in ["trustee:1", "trustee:2"] {
            assert!(error.to_string().contains(name), "{error}");
        }
        assert!(world.ledger(&files).unwrap().opened().is_err());
    }
}

#[test]
fn a_lying_share_that_no_other_opener_holds_is_named_by_its_third_holder() {
    // Trustees 1 and 2 open; only 2 of them has the share that 2 and 3 hold. What 1 cannot see, 3 does.
    let world = World::new();
    let files = world.evaluated("round");
    let share = share_of(&world, &[2, 3]);
    world.commit_by(&files, &[1, 2]);
    lie(&world, &files, 2, share);
    assert!(world.open_by(&files, &[1, 2]).unwrap().iter().all(is_done));
    world.audit(&files, &[0, 1, 2]).unwrap();
    let error = as_transcript(world.open(&files, 3).unwrap_err());
    names_liar(&error, &world, 2, Some(share));
    assert!(!files.letters(3).exists(), "it takes no part");
}

#[test]
fn a_lying_preparation_is_named() {
    let world = World::with(Shape::of("2-of-4", true));
    let files = world.evaluated("round");
    world.commit_by(&files, &[1, 2, 4]);
    world.recommit(&files, 4, |_, chunk, _| chunk.bodies[0] ^= 1);
    let error = as_transcript(open_until_refused(&world, &files, 4, &[1, 2]));
    names_liar(&error, &world, 4, None);
    names_liar(&audit_error(&world, &files), &world, 4, None);
}

#[test]
fn a_preparation_about_which_all_openers_lie_is_found_by_recomputing() {
    let world = World::new();
    let files = world.evaluated("round");
    world.commit_by(&files, &[1, 2]);
    for number in [1, 2] {
        world.recommit(&files, number, |_, chunk, _| chunk.bodies[0] ^= 1);
    }
    world.open_by(&files, &[1, 2]).unwrap();
    let audit = |execute| world.audit_with(&files.board, None, &execute);
    audit(Execute::Nothing).unwrap();
    let Err(AuditError::Transcript(error)) = audit(Execute::All) else { panic!("accepted") };
    names_liar(&error, &world, 1, None);
}

#[test]
fn a_lying_commitment_is_named() {
    let world = World::new();
    let files = world.evaluated("round");
    world.commit_by(&files, &[1, 2]);
    let share = share_of(&world, &[1, 2]);
    let place = place(&world, 2, share);
    world.recommit(&files, 2, |_, _, committed| {
        let slots = committed.len() / 64;
        committed[32 * slots * place] ^= 1;
    });
    let error = as_transcript(open_until_refused(&world, &files, 2, &[1]));
    names_liar(&error, &world, 2, Some(share));
}

#[test]
fn a_lying_commitment_to_a_share_that_no_other_opener_holds() {
    let world = World::new();
    let files = world.evaluated("round");
    world.commit_by(&files, &[1, 2]);
    let share = share_of(&world, &[2, 3]);
    let place = place(&world, 2, share);
    world.recommit(&files, 2, |_, _, committed| {
        let slots = committed.len() / 64;
        committed[32 * slots * place..][..32 * slots].fill(7);
    });
    world.open_by(&files, &[1, 2]).unwrap();
    // A family believes no seed that is not the committed one, so that no other tier can be made up for it.
    let Err(error) = world.mail(&files).unwrap().read(&world.keys[0]) else { panic!("believed") };
    let too_few = matches!(&error, FamilyError::TooFewLetters { share: s, .. } if *s == share);
    assert!(too_few && error.to_string().contains("another seed"), "{error}");
    let error = as_transcript(world.open(&files, 3).unwrap_err());
    names_liar(&error, &world, 2, Some(share));
}

#[test]
fn swapped_partial_decryptions() {
    let world = World::with(Shape::of("2-of-4", false));
    let files = world.evaluated("round");
    world.commit_by(&files, &[1, 2, 3]);
    world.recommit(&files, 3, |_, chunk, _| chunk.partials.swap(0, 1));
    let error = as_transcript(open_until_refused(&world, &files, 3, &[1, 2]));
    names_liar(&error, &world, 3, None);
}

#[test]
fn a_rushing_trustee_cannot_change_what_it_committed_to() {
    // It waits for the others' partial decryptions and then changes its own so that the sum is of its choice.
    let world = World::new();
    let files = world.evaluated("round");
    world.commit_by(&files, &[1, 2]);
    [1, 2].iter().for_each(|k| drop(world.open(&files, *k).unwrap()));
    let missing = vec![world.trustee(2).name().clone()];
    assert_eq!(world.open(&files, 1).unwrap(), OpenProgress::Revealed { missing });
    let chunk = files.board.partials(world.trustee(1).name()).join("partials").join(chunk_name(0));
    assert!(chunk.exists(), "trustee 1 has shown its own");
    lie(&world, &files, 2, share_of(&world, &[2, 3]));
    let error = as_wire(world.open(&files, 1).unwrap_err());
    assert_eq!(error.culprit(), Some(world.trustee(2).name()));
    assert!(matches!(error.fault(), Some(Fault::Reference { .. })), "{error}");
    let error = world.audit(&files, &[]).unwrap_err();
    assert_eq!(names(&error.culprits()), ["trustee:2"], "{error}");
}

#[test]
fn other_chunks_than_those_of_the_manifest() {
    let world = World::new();
    let files = world.evaluated("round");
    world.commit_by(&files, &[1, 2]);
    [1, 2].iter().for_each(|k| drop(world.open(&files, *k).unwrap()));
    let manifest = world.partials(&files, 2);
    lie(&world, &files, 2, share_of(&world, &[2, 3]));
    world.sign_partials(&files, 2, &manifest);
    copy_folder(&files.hidden(2), &files.board.partials(world.trustee(2).name()));
    let error = as_wire(world.open(&files, 1).unwrap_err());
    let folder = files.board.partials(world.trustee(2).name()).join(PARTIAL_CHUNKS);
    let hash = |f: &Fault| matches!(f, Fault::ChunkHash { .. });
    expect(&error, &folder.join(chunk_name(0)), "trustee:2", hash);
}

#[test]
fn a_trustee_that_is_not_listed_cannot_add_partial_decryptions() {
    let world = World::new();
    let files = world.evaluated("round");
    world.commit_by(&files, &[1, 2]);
    [1, 2].iter().for_each(|k| drop(world.open(&files, *k).unwrap()));
    // The third comes later and shows whatever it likes.
    world.open(&files, 3).unwrap();
    world.recommit(&files, 3, |_, chunk, _| chunk.partials[0].fill(9));
    copy_folder(&files.hidden(3), &files.board.partials(world.trustee(3).name()));
    let (receipt, listed) = {
        let ledger = world.ledger(&files).unwrap();
        let (receipt, listed) = ledger.committed().unwrap();
        (receipt, listed.to_vec())
    };
    assert!(listed.iter().all(|(name, _)| name != world.trustee(3).name()));
    // Nor does a second list help.
    let path = files.board.partials(world.trustee(3).name()).join("partials.bt");
    let mut partials = listed;
    partials.push((world.trustee(3).name().clone(), Digest::of(&fs::read(path).unwrap())));
    let second = Event::Committed { receipt, partials };
    let refused = world.endorse(&files, 3, second);
    assert!(matches!(refused, Err(LedgerError::Order { .. })));
    assert!(world.open_by(&files, &[1, 2]).unwrap().iter().all(is_done));
    world.check_letters(&files);
    world.audit(&files, &[]).unwrap();
}

#[test]
fn a_second_opening() {
    for dealer in [false, true] {
        let world = World::with(Shape::of("2-of-3", dealer));
        let files = world.finished("round");
        let (receipt, partials) = {
            let ledger = world.ledger(&files).unwrap();
            let (receipt, listed) = ledger.committed().unwrap();
            (receipt, listed.to_vec())
        };
        // The evaluator signs another receipt of the same results.
        world.sign_receipt_anew(&files, |receipt| receipt.platform.push('!'));
        let other = Digest::of(&fs::read(files.board.receipt()).unwrap());
        assert_ne!(receipt, other);
        let before = files.all();
        for number in world.all() {
            let refused = world.open(&files, number);
            assert!(matches!(refused, Err(TrusteeError::AlreadyOpened { .. })));
        }
        assert_eq!(before, files.all());
        // Not even if its record is lost: the ledger remembers.
        for entry in fs::read_dir(files.private(1)).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().unwrap().to_string_lossy().starts_with("opened-") {
                fs::remove_file(path).unwrap();
            }
        }
        let error = world.open(&files, 1).unwrap_err();
        assert!(!error.culprits().is_empty(), "{error}");
        // Nor if all trustees sign that they open once more.
        let second = Event::Committed { receipt: other, partials };
        for number in world.all() {
            let refused = world.endorse(&files, number, second.clone());
            assert!(matches!(refused, Err(LedgerError::Order { .. })));
        }
        world.force(&files, &world.all(), &second);
        assert!(matches!(world.ledger(&files), Err(LedgerError::Order { .. })));
        assert!(world.open(&files, 2).is_err());
    }
}

#[test]
fn an_interrupted_trustee_goes_on_with_the_same_receipt_only() {
    let world = World::new();
    let files = world.evaluated("round");
    world.open(&files, 1).unwrap();
    world.sign_receipt_anew(&files, |receipt| receipt.platform.push('!'));
    assert!(matches!(world.open(&files, 1), Err(TrusteeError::AlreadyOpened { .. })));
    // Another that has not begun does not open it together with what the first committed to.
    let error = world.open(&files, 2).unwrap_err();
    assert_eq!(names(&error.culprits()), ["trustee:1"], "{error}");
}

#[test]
fn another_receipt_than_the_one_in_the_ledger() {
    // A majority that lists manifests about one receipt and writes down another one.
    let world = World::new();
    let files = world.evaluated("round");
    world.commit_by(&files, &[1, 2]);
    let partials = [1, 2].map(|k| {
        let name = world.trustee(k).name();
        let path = files.board.partials(name).join("partials.bt");
        (name.clone(), Digest::of(&fs::read(path).unwrap()))
    });
    let event = Event::Committed { receipt: Digest([9; 32]), partials: partials.to_vec() };
    world.force(&files, &[2, 3], &event);
    let error = as_wire(world.open(&files, 1).unwrap_err());
    assert!(matches!(error.fault(), Some(Fault::Reference { .. })), "{error}");
    assert!(world.audit(&files, &[]).is_err());
}

#[test]
fn asking_again_gives_the_same_bytes() {
    // Otherwise the noise of many answers could be averaged away.
    for dealer in [false, true] {
        let world = World::with(Shape::of("2-of-3", dealer));
        let files = world.evaluated("round");
        let hidden = || -> Vec<Vec<u8>> {
            files_below(&files.hidden(1)).iter().map(|path| fs::read(path).unwrap()).collect()
        };
        let board = files.board.partials(world.trustee(1).name());
        world.open(&files, 1).unwrap();
        let (first, manifest) = (hidden(), fs::read(board.join("partials.bt")).unwrap());
        assert_eq!(first.len(), 6);
        fs::remove_dir_all(files.hidden(1)).unwrap();
        fs::remove_dir_all(&board).unwrap();
        world.open(&files, 1).unwrap();
        assert_eq!(first, hidden());
        assert_eq!(manifest, fs::read(board.join("partials.bt")).unwrap());
    }
    // All holders of a share give the same.
    let world = World::new();
    let files = world.evaluated("round");
    world.commit_by(&files, &[1, 2]);
    let share = share_of(&world, &[1, 2]);
    let [one, two] = [1, 2].map(|k| {
        let chunk = &world.hidden(&files, k).0[0];
        let body = blindtier_wire::PartialChunk::from_bytes(&chunk.bytes).unwrap();
        body.partials[place(&world, k, share)].clone()
    });
    assert_eq!(one, two);
}

#[test]
fn a_searched_commitment() {
    let world = World::new();
    let files = world.evaluated("round");
    world.open(&files, 1).unwrap();
    let (_, commitments) = world.hidden(&files, 1);
    let committed: Vec<Digest> = commitments
        .iter()
        .flat_map(|chunk| chunk.bytes.chunks(32).map(|d| Digest(d.try_into().unwrap())))
        .collect();
    assert_eq!(committed.len(), 2 * 7);
    // A pad is one of 256 numbers. Had the trustee committed to the pad, all of them could be tried.
    let pads: Vec<u32> = {
        let receipt = world.receipt(&files);
        let (path, context) = (files.board.receipt(), files.context());
        let results = receipt.chunks(&path, files.round(), context, &world.trust).unwrap();
        let digests: Vec<Digest> =
            (0..3).map(|chunk| Digest::of(&results.read(chunk).unwrap().bytes)).collect();
        let shares = world.shares(&files, 1).shares;
        let pad = |slot: u32| shares[0].seed(&digests[slot as usize / 3], slot).pad(MODULUS);
        (0..7).map(pad).collect()
    };
    let naive = |pad: u32| Digest::of(&pad.to_le_bytes());
    let search = |digest: Digest| (0..MODULUS).find(|pad| naive(*pad) == digest);
    assert!(pads.iter().all(|pad| search(naive(*pad)) == Some(*pad)), "the naive one is found");
    // What is committed to is the seed, which has 256 bits.
    let context = files.context();
    for digest in &committed {
        assert_eq!(search(*digest), None);
        for pad in 0..MODULUS {
            let mut seed = [0; 32];
            seed[..4].copy_from_slice(&pad.to_le_bytes());
            let places = (0..3).flat_map(|share| (0..7).map(move |slot| (share, slot)));
            for (share, slot) in places {
                assert_ne!(Seed(seed).commitment(context, share, slot), *digest);
            }
        }
    }
}

#[test]
fn partial_decryptions_of_another_round() {
    let world = World::new();
    let (old, files) = (world.evaluated("old"), world.evaluated("new"));
    world.commit_by(&old, &[2]);
    let name = world.trustee(2).name();
    copy_folder(&old.board.partials(name), &files.board.partials(name));
    let error = as_wire(world.open(&files, 1).unwrap_err());
    let path = files.board.partials(name).join("partials.bt");
    expect(&error, &path, "trustee:2", |f| matches!(f, Fault::Round { .. }));
}

#[test]
fn partial_decryptions_for_other_shares() {
    let world = World::new();
    let files = world.evaluated("round");
    world.commit_by(&files, &[2]);
    for shares in [world.shape.sharing.held_by(1), vec![0, 1, 2], vec![0], vec![0, 0]] {
        let manifest = blindtier_wire::Partials { shares, ..world.partials(&files, 2) };
        let honest = world.partials(&files, 2);
        world.sign_partials(&files, 2, &manifest);
        let error = as_wire(world.open(&files, 1).unwrap_err());
        let path = files.board.partials(world.trustee(2).name()).join("partials.bt");
        expect(&error, &path, "trustee:2", |f| matches!(f, Fault::Content { .. }));
        world.sign_partials(&files, 2, &honest);
    }
}

#[test]
fn a_chunk_listed_twice() {
    let world = World::new();
    let files = world.evaluated("round");
    world.commit_by(&files, &[1, 2]);
    let mut manifest = world.partials(&files, 2);
    manifest.partials[1] = manifest.partials[0];
    world.sign_partials(&files, 2, &manifest);
    let folder = files.hidden(2).join(PARTIAL_CHUNKS);
    fs::copy(folder.join(chunk_name(0)), folder.join(chunk_name(1))).unwrap();
    [1, 2].iter().for_each(|k| drop(world.open(&files, *k).unwrap()));
    world.open(&files, 2).unwrap();
    let error = as_wire(world.open(&files, 1).unwrap_err());
    let file =
        files.board.partials(world.trustee(2).name()).join(PARTIAL_CHUNKS).join(chunk_name(1));
    expect(&error, &file, "trustee:2", |f| matches!(f, Fault::ChunkRange { .. }));
}

#[test]
fn one_partial_decryption_too_few_or_too_many() {
    for more in [false, true] {
        let world = World::new();
        let files = world.evaluated("round");
        world.commit_by(&files, &[1, 2]);
        world.recommit(&files, 2, |_, chunk, _| {
            if more {
                chunk.partials.push(chunk.partials[0].clone());
            } else {
                chunk.partials.pop();
            }
        });
        let error = as_wire(open_until_refused(&world, &files, 2, &[1]));
        assert_eq!(error.culprit(), Some(world.trustee(2).name()), "{error}");
        assert!(matches!(error.fault(), Some(Fault::Content { .. })), "{error}");
    }
}

#[test]
fn shares_of_another_trustee_or_ceremony() {
    let world = World::new();
    let (files, other) = (world.evaluated("round"), world.evaluated("other"));
    let path = files.private(1).join("shares.bt");
    let own = world.shares(&files, 1);
    let refused = |files: &Files| {
        let before = files.all();
        let error = world.open(files, 1).unwrap_err();
        assert_eq!(before, files.all(), "the refusal wrote something");
        error
    };
    fs::copy(files.private(2).join("shares.bt"), &path).unwrap();
    assert!(matches!(refused(&files), TrusteeError::Wire(_)));
    fs::copy(other.private(1).join("shares.bt"), &path).unwrap();
    assert!(matches!(refused(&files), TrusteeError::Wire(_)));
    let (two, elsewhere) = (world.shares(&files, 2), world.shares(&other, 1));
    let fewer = Shares { shares: world.shares(&files, 2).shares.split_off(1) };
    for shares in [two, elsewhere, fewer] {
        write(&path, &shares, files.context(), world.trustee(1)).unwrap();
        assert!(matches!(refused(&files), TrusteeError::OtherShares { .. }));
    }
    write(&path, &own, files.context(), world.trustee(1)).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert!(matches!(refused(&files), TrusteeError::Wire(_)));
    write(&path, &own, files.context(), world.trustee(1)).unwrap();
    world.open_by(&files, &[1, 2]).unwrap();
    world.check_letters(&files);
}

#[test]
fn the_partial_decryptions_of_one_trustee_too_few() {
    let world = World::with(Shape::of("3-of-5", false));
    let files = world.evaluated("round");
    world.commit_by(&files, &[1, 3, 5]);
    [1, 3, 5].iter().for_each(|k| drop(world.open(&files, *k).unwrap()));
    let missing = vec![world.trustee(5).name().clone()];
    let progress = world.open_by(&files, &[1, 3]).unwrap();
    assert!(progress.iter().all(|p| *p == OpenProgress::Revealed { missing: missing.clone() }));
    // Without the third nothing adds up, whoever tries.
    let ledger = world.ledger(&files).unwrap();
    let (receipt, listed) = ledger.committed().unwrap();
    let (round, context) = (files.round(), files.context());
    let there = blindtier_transcript::contributions(
        &files.board,
        &listed[..2],
        receipt,
        round,
        context,
        &world.trust,
    )
    .unwrap();
    let sharing = world.shape.sharing;
    let combined = blindtier_transcript::open_chunk(0, 3, &there, sharing, &Fake::default(), None);
    assert!(matches!(combined, Err(TranscriptError::Lacking { .. })));
    world.open_by(&files, &[5, 1, 3]).unwrap();
    world.check_letters(&files);
}

#[test]
fn a_manifest_whose_hash_is_not_the_one_in_the_ledger() {
    let world = World::new();
    let files = world.evaluated("round");
    world.commit_by(&files, &[1, 2]);
    let name = |k| world.trustee(k).name().clone();
    let hash =
        |k| Digest::of(&fs::read(files.board.partials(&name(k)).join("partials.bt")).unwrap());
    let receipt = Digest::of(&fs::read(files.board.receipt()).unwrap());
    let partials = vec![(name(1), hash(1)), (name(2), Digest([9; 32]))];
    let wrong = Event::Committed { receipt, partials };
    // One trustee signs it: an honest one does not follow.
    world.force(&files, &[2], &wrong);
    assert!(matches!(world.open(&files, 1), Err(TrusteeError::OtherEntry { .. })));
    // A majority signs it: an honest trustee shows nothing.
    world.force(&files, &[2, 3], &wrong);
    let error = world.open(&files, 1).unwrap_err();
    assert_eq!(error.culprits(), [name(2)], "{error}");
    assert!(!files.board.partials(&name(1)).join(PARTIAL_CHUNKS).exists());
    let error = world.audit(&files, &[]).unwrap_err();
    assert_eq!(error.culprits(), [name(2)], "{error}");
}

#[test]
fn other_opened_numbers_than_the_partial_decryptions_open() {
    let world = World::new();
    let files = world.evaluated("round");
    world.commit_by(&files, &[1, 2]);
    while world.open(&files, 2).unwrap() != OpenProgress::Combined {
        world.open(&files, 1).unwrap();
    }
    let path = files.board.ledger().join("00003");
    fs::remove_dir_all(&path).unwrap();
    world.force(&files, &[2, 3], &Event::Opened(vec![Digest([9; 32]); 3]));
    let refused = world.open(&files, 1);
    assert!(matches!(refused, Err(TrusteeError::OtherEntry { .. })));
    assert!(!files.letters(1).exists());
    let error = world.audit(&files, &[]).unwrap_err();
    assert!(matches!(error, AuditError::OtherOpening { chunk: 0 }), "{error}");
}
