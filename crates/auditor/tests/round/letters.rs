//! Letters and proofs: what a damaged or false one is worth.

use crate::support::*;
use blindtier_auditor::{AuditError, ProvenTier, check_proof};
use blindtier_family::FamilyError;
use blindtier_ledger::LedgerError;
use blindtier_wire::{
    Chunk, ChunkWriter, Digest, Fault, Kind, LetterText, Letters, PartyName, Proof, Purpose,
    RoundId, Seed, letter_bytes, seal, write,
};
use std::fs;
use std::path::PathBuf;

/// What a trustee can do: seal other letters and sign them.
fn reseal(world: &World, files: &Files, number: u16, mut change: impl FnMut(&mut Chunk)) {
    let identity = world.trustee(number);
    let manifest = files.letters(number).join("letters.bt");
    let (name, round, context) = (identity.name(), files.round(), files.context());
    let mut body = Letters::read(&manifest, name, round, context, &world.trust).unwrap().body;
    let reader = body.chunks(&manifest, name, round, context, &world.trust).unwrap();
    let chunks: Vec<Chunk> = (0..3).map(|chunk| reader.read(chunk).unwrap()).collect();
    let (folder, chunking) = (files.letters(number), round.chunking().unwrap());
    let mut writer =
        ChunkWriter::new(&folder, Kind::LetterChunk, context, identity, chunking).unwrap();
    for mut chunk in chunks {
        change(&mut chunk);
        writer.push(chunk.bytes, 0).unwrap();
    }
    body.chunks = writer.finish().unwrap();
    write(&manifest, &body, context, identity).unwrap();
}

/// A trustee seals this text to every family.
fn seal_to_all(world: &World, files: &Files, number: u16, text: impl Fn(u32) -> LetterText) {
    let families = world.families(files);
    let from = world.trustee(number).name();
    reseal(world, files, number, |chunk| {
        let slots = chunk.start..chunk.start + chunk.count;
        chunk.bytes = slots
            .flat_map(|slot| {
                let key = world.keys[families[slot as usize]].public();
                let purpose = Purpose::Letter { slot, from };
                seal(key, purpose, files.context(), &text(slot).to_bytes()).unwrap()
            })
            .collect();
    });
}

/// The letters of the others are enough, and there is one complaint of this kind about trustee 2.
fn others_suffice(world: &World, files: &Files, kind: fn(&FamilyError) -> bool) {
    let letters = world.mail(files).unwrap().read_all(&world.keys).unwrap();
    for (family, letter) in letters.iter().enumerate() {
        assert_eq!(letter.code, tier(family));
        assert!(!letter.complaints.is_empty());
        for complaint in &letter.complaints {
            assert!(kind(complaint), "{complaint}");
        }
    }
}

fn about_two(error: &FamilyError) -> bool {
    names(&error.culprits()) == ["trustee:2"]
}

/// The seeds (private) that a trustee has for a slot.
fn seeds(world: &World, files: &Files, number: u16, slot: u32) -> Vec<Seed> {
    let path = files.board.receipt();
    let receipt = world.receipt(files);
    let results = receipt.chunks(&path, files.round(), files.context(), &world.trust).unwrap();
    let digest = Digest::of(&results.read(slot / world.shape.chunk).unwrap().bytes);
    world.shares(files, number).shares.iter().map(|share| share.seed(&digest, slot)).collect()
}

#[test]
fn letters_of_any_two_of_three_trustees_are_enough() {
    let world = World::new();
    let files = world.finished("round");
    for lost in world.all() {
        let folder = files.path(&format!("without-{lost}"));
        copy_folder(&files.path("letters"), &folder);
        fs::remove_dir_all(folder.join(format!("trustee-{lost}"))).unwrap();
        let mail = world.mail_of(&files, &folder).unwrap();
        for (family, key) in world.keys.iter().enumerate() {
            let letter = mail.read(key).unwrap();
            assert_eq!(letter.code, tier(family));
            assert!(letter.complaints.is_empty());
        }
        // One is not.
        let second = lost % 3 + 1;
        fs::remove_dir_all(folder.join(format!("trustee-{second}"))).unwrap();
        let mail = world.mail_of(&files, &folder).unwrap();
        let Err(error) = mail.read(&world.keys[0]) else { panic!("read") };
        let FamilyError::TooFewLetters { trustees, .. } = &error else { panic!("{error}") };
        let missing = [lost.min(second), lost.max(second)].map(PartyName::trustee);
        assert_eq!(*trustees, missing, "whose letters to fetch");
    }
}

#[test]
fn a_damaged_letter_can_be_done_without() {
    let world = World::new();
    let files = world.finished("round");
    for name in ["letters.bt", "chunk-00000.bt", "chunk-00001.bt", "chunk-00002.bt"] {
        let path = files.letters(2).join(name);
        let whole = fs::read(&path).unwrap();
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 1;
        for bytes in [flipped, whole[..9].to_vec()] {
            fs::write(&path, bytes).unwrap();
            let letters = world.mail(&files).unwrap().read_all(&world.keys).unwrap();
            let complaints: Vec<_> = letters.iter().flat_map(|l| &l.complaints).collect();
            assert!(!complaints.is_empty() && complaints.iter().all(|c| about_two(c)), "{name}");
            assert!(letters.iter().zip(0..).all(|(letter, family)| letter.code == tier(family)));
        }
        fs::write(&path, whole).unwrap();
    }
    world.check_letters(&files);
}

#[test]
fn a_forged_letter() {
    let world = World::new();
    let files = world.finished("round");
    // Signed by somebody else in the trustee's name.
    let forger = World::new();
    let honest = world.copy(&files, "honest");
    reseal(&world, &honest, 2, |_| {});
    let manifest = files.letters(2).join("letters.bt");
    let (name, round, context) = (world.trustee(2).name(), files.round(), files.context());
    let body = Letters::read(&manifest, name, round, context, &world.trust).unwrap().body;
    write(&manifest, &body, context, forger.trustee(2)).unwrap();
    others_suffice(&world, &files, about_two);
}

#[test]
fn letters_of_another_round() {
    let world = World::new();
    let (old, files) = (world.finished("old"), world.finished("new"));
    copy_folder(&old.letters(2), &files.letters(2));
    others_suffice(&world, &files, about_two);
    [1, 3].iter().for_each(|k| copy_folder(&old.letters(*k), &files.letters(*k)));
    let Err(error) = world.mail(&files).unwrap().read(&world.keys[0]) else { panic!("read") };
    assert!(matches!(error, FamilyError::TooFewLetters { .. }));
    assert!(error.to_string().contains("belongs to round"), "{error}");
}

#[test]
fn letters_that_were_exchanged_between_slots() {
    let world = World::new();
    let files = world.finished("round");
    let size = letter_bytes(2);
    reseal(&world, &files, 2, |chunk| {
        if chunk.count > 1 {
            chunk.bytes.rotate_left(size);
        } else {
            chunk.bytes.pop();
        }
    });
    others_suffice(&world, &files, |e| about_two(e) && matches!(e, FamilyError::Unreadable { .. }));
}

#[test]
fn a_letter_with_another_seed() {
    let world = World::new();
    let files = world.finished("round");
    let head = world.ledger(&files).unwrap().head();
    // Another seed for its second share would make another tier.
    seal_to_all(&world, &files, 2, |slot| {
        let mut seeds = seeds(&world, &files, 2, slot);
        seeds[1].0[5] ^= 1;
        LetterText { head, seeds }
    });
    others_suffice(&world, &files, |e| {
        let held = blindtier_wire::Sharing::new(3, 2).unwrap().held_by(2);
        about_two(e) && matches!(e, FamilyError::WrongSeed { share, .. } if *share == held[1])
    });
    // Alone with trustee 1, who has one of its shares, the other is missing and nothing is believed.
    fs::remove_dir_all(files.letters(3)).unwrap();
    let mail = world.mail(&files).unwrap();
    let held = world.shape.sharing.held_by(2);
    let missing = world.shape.sharing.missing(&[1]).unwrap();
    let read = mail.read(&world.keys[0]);
    if held[1] == missing {
        let Err(error) = read else { panic!("believed") };
        assert!(matches!(error, FamilyError::TooFewLetters { share, .. } if share == missing));
    } else {
        assert_eq!(read.unwrap().code, tier(0));
    }
}

#[test]
fn a_letter_that_has_seen_another_ledger() {
    let world = World::new();
    let files = world.finished("round");
    let head = Digest([9; 32]);
    seal_to_all(&world, &files, 2, |slot| LetterText {
        head,
        seeds: seeds(&world, &files, 2, slot),
    });
    others_suffice(
        &world,
        &files,
        |e| matches!(e, FamilyError::Ledger(LedgerError::Cut { head, .. }) if *head == Digest([9; 32])),
    );
}

/// The proof of every family, by family.
fn proofs(world: &World, files: &Files) -> Vec<Proof> {
    let mail = world.mail(files).unwrap();
    world.keys.iter().map(|key| mail.prove(&mail.read(key).unwrap())).collect()
}

fn checked(world: &World, files: &Files, proof: &Proof) -> Result<ProvenTier, AuditError> {
    let path: PathBuf = files.path("proof.toml");
    proof.write(&path).unwrap();
    check_proof(&files.board, &path, policy_hash(), MODULUS, &world.trust)
}

#[test]
fn every_family_proves_its_tier() {
    for (sharing, dealer) in [("2-of-3", false), ("2-of-3", true), ("3-of-5", false)] {
        let world = World::with(Shape::of(sharing, dealer));
        let files = world.finished("round");
        for (family, proof) in proofs(&world, &files).iter().enumerate() {
            let proven = checked(&world, &files, proof).unwrap();
            let slot = proof.slot;
            assert_eq!(proven, ProvenTier { slot, code: tier(family) });
            assert_eq!(proof.seeds.len() as u32, world.shape.sharing.shares());
        }
    }
}

#[test]
fn a_proof_of_another_slot() {
    let world = World::new();
    let files = world.finished("round");
    let mut proof = proofs(&world, &files).remove(0);
    let own = proof.slot;
    for slot in (0..7).filter(|slot| *slot != own) {
        proof.slot = slot;
        let refused = checked(&world, &files, &proof);
        assert!(matches!(refused, Err(AuditError::Proof { share: 0, .. })));
    }
    for slot in [7, 8, u32::MAX] {
        proof.slot = slot;
        let refused = checked(&world, &files, &proof);
        assert!(matches!(refused, Err(AuditError::ProofSlot { slots: 7, .. })));
    }
}

#[test]
fn a_proof_of_another_round() {
    let world = World::new();
    let (old, files) = (world.finished("old"), world.finished("new"));
    let mut proof = proofs(&world, &old).remove(0);
    assert!(matches!(checked(&world, &files, &proof), Err(AuditError::ProofRound { .. })));
    // Renamed, it shows seeds that nobody committed to here.
    proof.round = RoundId(files.context().round.0);
    assert!(matches!(checked(&world, &files, &proof), Err(AuditError::Proof { .. })));
}

#[test]
fn a_proof_with_an_altered_seed() {
    let world = World::new();
    let files = world.finished("round");
    for place in 0..3 {
        for bit in [0, 77, 255] {
            let mut proof = proofs(&world, &files).remove(1);
            proof.seeds[place].0[bit / 8] ^= 1 << (bit % 8);
            let refused = checked(&world, &files, &proof);
            let named =
                matches!(refused, Err(AuditError::Proof { share, .. }) if share == place as u32);
            assert!(named);
        }
    }
}

#[test]
fn a_proof_with_swapped_seeds() {
    // The sum of the pads is the same, and so would be the tier.
    let world = World::new();
    let files = world.finished("round");
    for (a, b) in [(0, 1), (1, 2), (0, 2)] {
        let mut proof = proofs(&world, &files).remove(2);
        proof.seeds.swap(a, b);
        let refused = checked(&world, &files, &proof);
        assert!(matches!(refused, Err(AuditError::Proof { share, .. }) if share == a as u32));
    }
}

#[test]
fn a_proof_with_too_few_or_too_many_seeds() {
    let world = World::new();
    let files = world.finished("round");
    let mut proof = proofs(&world, &files).remove(3);
    let spare = proof.seeds[0].clone();
    proof.seeds.push(spare);
    assert!(matches!(checked(&world, &files, &proof), Err(AuditError::Proof { .. })));
    for _ in 0..4 {
        proof.seeds.pop();
        let accepted = checked(&world, &files, &proof).is_ok();
        assert_eq!(accepted, proof.seeds.len() == 3);
    }
}

#[test]
fn a_proof_against_an_altered_board() {
    let world = World::new();
    let files = world.finished("round");
    let proof = proofs(&world, &files).remove(0);
    let chunk = format!("chunk-0000{}.bt", proof.slot / 3);
    let path = files.board.partials(world.trustee(1).name()).join("commitments").join(&chunk);
    let whole = fs::read(&path).unwrap();
    let mut bytes = whole.clone();
    bytes[whole.len() / 2] ^= 1;
    fs::write(&path, bytes).unwrap();
    let error = checked(&world, &files, &proof).unwrap_err();
    assert_eq!(names(&error.culprits()), ["trustee:1"], "{error}");
    fs::write(&path, whole).unwrap();
    // A trustee's false copy of what was opened is passed over for another's.
    let path = files.board.opened(world.trustee(1).name()).join(&chunk);
    fs::write(&path, b"other").unwrap();
    checked(&world, &files, &proof).unwrap();
    world.all().iter().for_each(|k| {
        let path = files.board.opened(world.trustee(*k).name()).join(&chunk);
        fs::write(path, b"other").unwrap();
    });
    let AuditError::Ledger(LedgerError::Wire(error)) = checked(&world, &files, &proof).unwrap_err()
    else {
        panic!("accepted")
    };
    assert!(matches!(error.fault(), Some(Fault::Truncated | Fault::Magic)), "{error}");
}
