//! What dealer and trustees can do wrong when a key is made.

use crate::support::*;
use blindtier_dealer::DealerError;
use blindtier_trustee::{KeyProgress, TrusteeError};
use blindtier_wire::{
    CeremonyMessages, Digest, EvaluationKey, Expect, Fault, FirstsChecked, Message, PublicKey,
    SealedShares, Share, ShareCommitments, SigningIdentity, WireError, read, write,
};
use std::fs;
use std::path::PathBuf;

fn said<M: Message>(world: &World, files: &Files, party: &SigningIdentity, file: &str) -> M {
    let path = files.board.ceremony(party.name()).join(file);
    let expect = Expect::of(party.name(), files.context());
    read::<M>(&path, &expect, &world.trust).unwrap().body
}

/// What a party can do: say something else and sign it. Returns the file.
fn say<M: Message>(files: &Files, party: &SigningIdentity, file: &str, body: &M) -> PathBuf {
    let path = files.board.ceremony(party.name()).join(file);
    write(&path, body, files.context(), party).unwrap();
    path
}

fn as_wire(error: TrusteeError) -> WireError {
    match error {
        TrusteeError::Wire(error) => error,
        other => panic!("{other}"),
    }
}

/// Every trustee goes on once.
fn turn(world: &World, files: &Files) {
    world.all().iter().for_each(|k| drop(world.make_keys(files, *k).unwrap()));
}

#[test]
fn a_dealer_that_seals_another_share_than_it_commits_to() {
    let world = World::with(Shape::of("2-of-3", true));
    let files = world.announce("round");
    turn(&world, &files);
    world.deal(&files).unwrap();
    let (sharing, context, dealer) = (world.shape.sharing, files.context(), &world.dealer);
    let receivers = (1..=3).map(|k| {
        said::<blindtier_wire::TrusteeKey>(&world, &files, world.trustee(k), "trustee-key.bt")
    });
    let receivers: Vec<[u8; 32]> = receivers.map(|key| key.receiving).collect();
    let to = world.trustee(2).name();
    let path = SealedShares::path(&files.path("sealed"), dealer.name(), to);
    let honest = fs::read(&path).unwrap();
    let made = |share| Share { share, key: [7; 32], material: vec![7; 32] };
    let held = sharing.held_by(2);
    let both: Vec<Share> = held.iter().map(|share| made(*share)).collect();
    for shares in [both, vec![made(held[0])]] {
        let body = SealedShares::seal(&shares, dealer.name(), to, &receivers[1], sharing, context);
        write(&path, &body.unwrap(), context, dealer).unwrap();
        let error = as_wire(world.make_keys(&files, 2).unwrap_err());
        expect(&error, &path, "dealer", |f| matches!(f, Fault::Content { .. }));
        assert!(!files.private(2).join("shares.bt").exists());
    }
    // Sealed for trustee 1, by its words for trustee 2.
    let other = SealedShares::path(&files.path("sealed"), dealer.name(), world.trustee(1).name());
    fs::copy(&other, &path).unwrap();
    let error = as_wire(world.make_keys(&files, 2).unwrap_err());
    expect(&error, &path, "dealer", |f| matches!(f, Fault::Recipient { .. }));
    // Left out.
    let body = SealedShares { to: to.clone(), shares: Vec::new() };
    write(&path, &body, context, dealer).unwrap();
    let error = as_wire(world.make_keys(&files, 2).unwrap_err());
    expect(&error, &path, "dealer", |f| matches!(f, Fault::Content { .. }));
    fs::write(&path, honest).unwrap();
    turn(&world, &files);
    world
        .all()
        .iter()
        .for_each(|k| assert_eq!(world.make_keys(&files, *k).unwrap(), KeyProgress::Done));
}

#[test]
fn a_dealer_with_too_few_shares_or_keys_that_do_not_belong_together() {
    let world = World::with(Shape::of("2-of-3", true));
    let files = world.announce("round");
    turn(&world, &files);
    let (round, context, dealer) = (files.round(), files.context(), &world.dealer);
    let receivers =
        blindtier_dealer::receivers(&files.board, round, context, &world.trust).unwrap();
    let mut dealt = world.dealt();
    dealt.shares.pop();
    let sealed = files.path("sealed");
    let few =
        blindtier_dealer::deal(dealt, &receivers, &files.board, &sealed, round, context, dealer);
    assert!(matches!(few, Err(DealerError::Shares { expected: 3, found: 2 })));
    assert!(!sealed.exists() && !files.board.public_key().exists());
    world.deal(&files).unwrap();
    let path = files.board.evaluation_key();
    let honest = read::<EvaluationKey>(&path, &Expect::of(dealer.name(), context), &world.trust)
        .unwrap()
        .body;
    let other = EvaluationKey { public_key: Digest([9; 32]), ..honest };
    write(&path, &other, context, dealer).unwrap();
    let error = as_wire(world.make_keys(&files, 1).unwrap_err());
    expect(&error, &path, "dealer", |f| matches!(f, Fault::Reference { .. }));
    assert!(world.ledger(&files).unwrap().pending().is_none(), "nobody signs it");
}

#[test]
fn a_first_message_that_was_not_committed_to() {
    let world = World::new();
    let files = world.announce("round");
    turn(&world, &files);
    turn(&world, &files);
    let maker = world.trustee(2);
    let mut messages = said::<CeremonyMessages>(&world, &files, maker, "step-1.bt");
    messages.messages[0].1[0] ^= 1;
    let path = say(&files, maker, "step-1.bt", &messages);
    for number in [1, 3] {
        let error = world.make_keys(&files, number).unwrap_err();
        let TrusteeError::Message { file, culprit, .. } = error else { panic!("{error}") };
        assert_eq!((file, &culprit), (path.clone(), maker.name()));
    }
    assert!(!files.board.public_key().exists());
}

#[test]
fn a_first_message_that_the_share_does_not_come_to() {
    // Committed to properly; the other holder of the share recomputes it.
    let world = World::new();
    let files = world.announce("round");
    turn(&world, &files);
    let maker = world.trustee(2);
    // It makes the share of 2 and 3, and commits before trustee 1 does.
    world.make_keys(&files, 2).unwrap();
    let mut commitments = said::<ShareCommitments>(&world, &files, maker, "commitments.bt");
    let share = commitments.shares[0].share;
    let message = vec![9; 64];
    commitments.shares[0].first = Some(Digest::of(&message));
    say(&files, maker, "commitments.bt", &commitments);
    let body = CeremonyMessages { step: 1, messages: vec![(share, message.into())] };
    let path = say(&files, maker, "step-1.bt", &body);
    let mut refused = Vec::new();
    for _ in 0..3 {
        for number in [1, 3] {
            if let Err(error) = world.make_keys(&files, number) {
                let TrusteeError::Message { file, culprit, .. } = error else { panic!("{error}") };
                assert_eq!((&file, &culprit), (&path, maker.name()));
                refused.push(number);
            }
        }
    }
    assert!(refused.contains(&3), "who holds the share with it");
    assert!(!files.board.public_key().exists(), "and without trustee 3 no second message is made");
}

#[test]
fn a_maker_that_commits_anew_after_it_saw_first_messages() {
    // It waits for the first messages of all others and then commits to one that makes the sum a key of its own. The holders
    // of a share may all be in it: 3-of-4 has shares of two trustees, and two are fewer than three.
    let world = World::with(Shape::of("3-of-4", false));
    let files = world.announce("round");
    let shown = |number| {
        let name = world.trustee(number).name();
        files.board.ceremony(name).join("step-1.bt")
    };
    // Everybody but trustee 3, which waits, has shown its first messages.
    for _ in 0..3 {
        [1, 2, 4].iter().for_each(|k| drop(world.make_keys(&files, *k).unwrap()));
        if !files.board.ceremony(world.trustee(3).name()).join("commitments.bt").exists() {
            world.make_keys(&files, 3).unwrap();
            fs::remove_file(shown(3)).ok();
        }
    }
    assert!(shown(1).exists() && shown(2).exists());
    let maker = world.trustee(3);
    let mut commitments = said::<ShareCommitments>(&world, &files, maker, "commitments.bt");
    let message = vec![9; 64];
    commitments.shares[0].first = Some(Digest::of(&message));
    let share = commitments.shares[0].share;
    let path = say(&files, maker, "commitments.bt", &commitments);
    say(
        &files,
        maker,
        "step-1.bt",
        &CeremonyMessages { step: 1, messages: vec![(share, message.into())] },
    );
    for number in [1, 2] {
        let error = as_wire(world.make_keys(&files, number).unwrap_err());
        expect(&error, &path, "trustee:3", |f| matches!(f, Fault::Content { .. }));
    }
    assert!(!files.board.public_key().exists());
}

#[test]
fn two_sets_of_first_messages() {
    // Somebody shows one trustee other first messages than another: no second message is made.
    let world = World::new();
    let files = world.announce("round");
    (0..3).for_each(|_| turn(&world, &files));
    let liar = world.trustee(2);
    let path = say(&files, liar, "checked.bt", &FirstsChecked { firsts: Digest([9; 32]) });
    let error = world.make_keys(&files, 1).unwrap_err();
    assert_eq!(error.culprits(), [liar.name().clone()], "{error}");
    assert!(error.to_string().contains(&path.display().to_string()), "{error}");
}

#[test]
fn a_second_message_that_the_share_does_not_come_to() {
    let world = World::new();
    let files = world.announce("round");
    let maker = world.trustee(2);
    let step = files.board.ceremony(maker.name()).join("step-2.bt");
    while !step.exists() {
        world.make_keys(&files, 2).unwrap();
        if !step.exists() {
            [1, 3].iter().for_each(|k| drop(world.make_keys(&files, *k).unwrap()));
        }
    }
    let mut messages = said::<CeremonyMessages>(&world, &files, maker, "step-2.bt");
    messages.messages[0].1[0] ^= 1;
    let path = say(&files, maker, "step-2.bt", &messages);
    let error = world.make_keys(&files, 3).and_then(|_| world.make_keys(&files, 3));
    let error = match error {
        Err(error) => error,
        Ok(_) => {
            world.make_keys(&files, 1).unwrap();
            world.make_keys(&files, 3).unwrap_err()
        }
    };
    let TrusteeError::Message { file, culprit, .. } = error else { panic!("{error}") };
    assert_eq!((file, &culprit), (path, maker.name()));
}

#[test]
fn a_publisher_of_another_key() {
    let world = World::new();
    let files = world.announce("round");
    let maker = world.trustee(1);
    while !files.board.evaluation_key().exists() {
        turn(&world, &files);
    }
    let ledger = files.board.ledger();
    let _ = fs::remove_dir_all(&ledger);
    let context = files.context();
    let public_key =
        write(&files.board.public_key(), &PublicKey { bytes: vec![1; 33] }, context, maker)
            .unwrap();
    let body = EvaluationKey { public_key, bytes: vec![2; 33] };
    write(&files.board.evaluation_key(), &body, context, maker).unwrap();
    for number in [2, 3] {
        let error = as_wire(world.make_keys(&files, number).unwrap_err());
        let path = files.board.public_key();
        expect(&error, &path, "trustee:1", |f| matches!(f, Fault::Content { .. }));
    }
    assert!(!ledger.exists(), "without a majority it is no key of the round");
}

#[test]
fn commitments_to_shares_of_others() {
    let world = World::new();
    let files = world.announce("round");
    turn(&world, &files);
    [1, 2].iter().for_each(|k| drop(world.make_keys(&files, *k).unwrap()));
    let maker = world.trustee(2);
    let mut commitments = said::<ShareCommitments>(&world, &files, maker, "commitments.bt");
    commitments.shares[0].share = 1;
    let path = say(&files, maker, "commitments.bt", &commitments);
    let error = as_wire(world.make_keys(&files, 3).unwrap_err());
    expect(&error, &path, "trustee:2", |f| matches!(f, Fault::Content { .. }));
}

#[test]
fn a_trustee_of_another_round_or_none() {
    let world = World::new();
    let small = World::with(Shape::of("1-of-1", true));
    let files = small.announce("round");
    let desk = blindtier_trustee::Desk {
        board: &files.board,
        private: &files.private(2),
        policy: policy_hash(),
        plan: PLAN,
        identity: world.trustee(2),
        trust: &small.trust,
    };
    let refused = blindtier_trustee::make_keys(&desk, &files.path("sealed"), None);
    assert!(matches!(refused, Err(TrusteeError::NotATrustee { .. })));
    assert_ne!(small.make_keys(&files, 1).unwrap(), KeyProgress::Done);
}
