//! The ledger: forked, cut, reordered, signed by too few; and what else trustees record in it.

use crate::support::*;
use blindtier_auditor::{AuditError, Execute};
use blindtier_family::{FamilyError, LetterKey, read_for_state};
use blindtier_ledger::{Entry, Event, LedgerError, MAX_REASON, Registration, endorsement_path};
use blindtier_submission::SubmissionError;
use blindtier_trustee::{
    OpenProgress, StateRequest, TrusteeError, destroy, open_to_state, refuse, witness,
};
use blindtier_wire::{Digest, Fault, PartyName, Purpose, StateSeeds, WireError, seal, write};
use std::fs;
use std::path::PathBuf;

fn refused_by(world: &World, number: u16, reason: &str) -> Event {
    let trustee = world.trustee(number).name().clone();
    Event::Refused { trustee, culprit: None, reason: reason.into() }
}

fn entry_folder(files: &Files, index: u32) -> PathBuf {
    files.board.ledger().join(format!("{index:05}"))
}

#[test]
fn a_trustee_signs_one_entry_a_place() {
    let world = World::new();
    let files = world.keyed("round");
    let one = refused_by(&world, 1, "one");
    let other = refused_by(&world, 1, "other");
    let signed = world.endorse(&files, 1, one.clone()).unwrap();
    assert_eq!(world.endorse(&files, 1, one.clone()).unwrap(), signed, "the same again");
    // Neither on top of its own signature nor after somebody took it off the board.
    for _ in 0..2 {
        let refused = world.endorse(&files, 1, other.clone());
        assert!(matches!(refused, Err(LedgerError::AlreadySigned { index: 1, .. })));
        let _ = fs::remove_dir_all(entry_folder(&files, 1));
    }
    world.endorse(&files, 1, one).unwrap();
}

#[test]
fn a_forked_ledger() {
    let world = World::new();
    let files = world.keyed("round");
    world.force(&files, &[2], &refused_by(&world, 2, "one"));
    let here = world.copy(&files, "other");
    world.force(&here, &[3], &refused_by(&world, 3, "other"));
    // Two copies brought together.
    copy_folder(&here.board.ledger(), &files.board.ledger());
    let Err(LedgerError::Forked { index, one, other, .. }) = world.ledger(&files) else {
        panic!("accepted")
    };
    assert_eq!((index, one.as_str(), other.as_str()), (1, "trustee:2", "trustee:3"));
    // Nobody goes on.
    let before = files.all();
    assert!(matches!(
        world.audit(&files, &[]),
        Err(AuditError::Ledger(LedgerError::Forked { .. }))
    ));
    assert!(world.invitation(&files, 0).is_err() && world.evaluate(&files).is_err());
    assert!(matches!(
        world.at_desk(&files, 1, witness),
        Err(TrusteeError::Ledger(LedgerError::Forked { .. }))
    ));
    assert_eq!(before, files.all());
}

#[test]
fn two_ledgers_of_one_majority_are_told_apart_by_their_heads() {
    // Two of three trustees sign two ledgers and show one to a family, the other to the auditor.
    let world = World::new();
    let files = world.keyed("round");
    let other = world.copy(&files, "other");
    let list = |manifest| {
        let entry = |submitter: &PartyName| Registration {
            submitter: submitter.clone(),
            manifest: Ok(manifest),
        };
        Event::Submissions(files.round().submitters.iter().map(entry).collect())
    };
    // Two lists of submissions cannot both be recorded: an honest third would have to sign both.
    let third = world.copy(&files, "third");
    world.force(&third, &[1, 2], &list(Digest([1; 32])));
    assert!(world.ledger(&third).unwrap().submissions().is_err());
    // Later entries need a majority only.
    for (copy, reason) in [(&files, "one"), (&other, "two")] {
        world.at_desk(copy, 1, |desk| refuse(desk, None, reason)).unwrap();
        world.force(copy, &[1, 2], &refused_by(&world, 1, reason));
    }
    let head = world.ledger(&files).unwrap().head();
    world.audit(&other, &[]).unwrap();
    let audited = world.audit_with(&other.board, Some(head), &Execute::Nothing);
    assert!(matches!(audited, Err(AuditError::Ledger(LedgerError::Cut { .. }))));
    world.audit_with(&files.board, Some(head), &Execute::Nothing).unwrap();
    // With the signature of an honest third under one of them, the other shows the fork by itself.
    let entry = world.ledger(&files).unwrap().entries()[1].entry.clone();
    world.sign_entry(&other, 3, &entry);
    assert!(matches!(world.ledger(&other), Err(LedgerError::Forked { .. })));
}

#[test]
fn an_entry_that_a_minority_signed_is_none() {
    let world = World::with(Shape::of("3-of-5", false));
    let files = world.keyed("round");
    (0..2).for_each(|agency| drop(world.submit(&files, agency)));
    for number in [2, 4, 1] {
        world.register(&files, number).unwrap();
        let ledger = world.ledger(&files).unwrap();
        assert!(matches!(ledger.submissions(), Err(LedgerError::Missing { .. })));
        assert_eq!(ledger.pending().unwrap().entry.index, 1);
        let handed = world.hand_over(&files, 0);
        assert!(matches!(handed, Err(SubmissionError::Ledger(LedgerError::Missing { .. }))));
        assert_eq!(ledger.entries().len(), 1);
    }
    // Nothing may follow it.
    let pending = world.ledger(&files).unwrap().pending().unwrap().clone();
    let entry = Entry { index: 2, previous: pending.digest, event: refused_by(&world, 1, "no") };
    [1, 2, 3].iter().for_each(|number| world.sign_entry(&files, *number, &entry));
    let unsigned = world.ledger(&files);
    assert!(matches!(unsigned, Err(LedgerError::Unsigned { index: 1, found: 3, needed: 4, .. })));
    fs::remove_dir_all(entry_folder(&files, 2)).unwrap();
    world.register(&files, 5).unwrap();
    world.hand_over(&files, 0).unwrap();
}

#[test]
fn a_signature_in_the_name_of_another() {
    let world = World::new();
    let files = world.keyed("round");
    let ledger = world.ledger(&files).unwrap();
    let event = refused_by(&world, 3, "no");
    let entry = Entry { index: 1, previous: ledger.head(), event };
    world.sign_entry(&files, 1, &entry);
    let folder = entry_folder(&files, 1);
    fs::copy(folder.join("trustee-1.bt"), folder.join("trustee-2.bt")).unwrap();
    let Err(LedgerError::Wire(error)) = world.ledger(&files) else { panic!("accepted") };
    let sender = |f: &Fault| matches!(f, Fault::Sender { .. });
    expect(&error, &folder.join("trustee-2.bt"), "trustee:2", sender);
    let name = world.trustee(2).name().clone();
    let forger = blindtier_wire::SigningIdentity::generate(name).unwrap();
    let path = endorsement_path(&files.board.ledger(), 1, forger.name());
    write(&path, &entry, files.context(), &forger).unwrap();
    let Err(LedgerError::Wire(error)) = world.ledger(&files) else { panic!("accepted") };
    expect(&error, &path, "trustee:2", |f| matches!(f, Fault::Signature { .. }));
}

#[test]
fn a_ledger_that_was_cut_off() {
    let world = World::new();
    let files = world.finished("round");
    let head = world.mail(&files).unwrap().read(&world.keys[0]).unwrap().head;
    let audit = |files: &Files| world.audit_with(&files.board, Some(head), &Execute::Nothing);
    audit(&files).unwrap();
    for from in 1..4 {
        let cut = world.copy(&files, &format!("cut-{from}"));
        (from..4).for_each(|index| fs::remove_dir_all(entry_folder(&cut, index)).unwrap());
        let refused = audit(&cut);
        assert!(matches!(refused, Err(AuditError::Ledger(LedgerError::Cut { .. }))), "{from}");
        assert!(world.mail(&cut).is_err(), "a family reads no letter with it");
    }
}

#[test]
fn an_entry_cut_out_of_the_middle() {
    let world = World::new();
    let files = world.finished("round");
    fs::remove_dir_all(entry_folder(&files, 1)).unwrap();
    assert!(matches!(
        world.audit(&files, &[]),
        Err(AuditError::Ledger(LedgerError::Missing { .. }))
    ));
    for index in [2, 3] {
        fs::rename(entry_folder(&files, index), entry_folder(&files, index - 1)).unwrap();
    }
    assert!(matches!(world.ledger(&files), Err(LedgerError::Broken { index: 1, .. })));
}

#[test]
fn reordered_entries() {
    let world = World::new();
    let files = world.finished("round");
    let spare = files.path("spare");
    fs::rename(entry_folder(&files, 1), &spare).unwrap();
    fs::rename(entry_folder(&files, 2), entry_folder(&files, 1)).unwrap();
    fs::rename(&spare, entry_folder(&files, 2)).unwrap();
    assert!(matches!(world.ledger(&files), Err(LedgerError::Broken { index: 1, .. })));
    assert!(world.audit(&files, &[]).is_err());
}

#[test]
fn a_ledger_of_another_round() {
    let world = World::new();
    let (old, files) = (world.finished("old"), world.evaluated("new"));
    fs::remove_dir_all(files.board.ledger()).unwrap();
    copy_folder(&old.board.ledger(), &files.board.ledger());
    let Err(LedgerError::Wire(error)) = world.ledger(&files) else { panic!("accepted") };
    assert!(matches!(error.fault(), Some(Fault::Round { .. })), "{error}");
}

/// What an entry may not say at the ledger's present stage, even if all trustees sign it.
#[track_caller]
fn out_of_order(world: &World, files: &Files, event: &Event) {
    let index = world.ledger(files).unwrap().entries().len() as u32;
    let refused = world.endorse(files, 1, event.clone());
    assert!(matches!(refused, Err(LedgerError::Order { .. })), "{event}");
    world.force(files, &world.all(), event);
    assert!(matches!(world.ledger(files), Err(LedgerError::Order { .. })), "{event}");
    fs::remove_dir_all(entry_folder(files, index)).unwrap();
}

#[test]
fn events_out_of_order() {
    let world = World::new();
    let trustee = |number| PartyName::trustee(number);
    let digest = Digest([9; 32]);
    let keys = |shares: usize, letter_keys| Event::Keys {
        public_key: digest,
        evaluation_key: digest,
        opening_key: None,
        shares: vec![digest; shares],
        letter_keys,
    };
    let agency = |id: &str| PartyName::agency(id).unwrap();
    let submissions = |ids: &[&str]| {
        Event::Submissions(
            ids.iter()
                .map(|id| Registration { submitter: agency(id), manifest: Ok(digest) })
                .collect(),
        )
    };
    let committed = |numbers: &[u16]| Event::Committed {
        receipt: digest,
        partials: numbers.iter().map(|k| (trustee(*k), digest)).collect(),
    };
    let state = |slot| Event::StateOpening { slot, reason: "appeal".into(), key: [1; 32] };
    let refusal =
        |number| Event::Refused { trustee: trustee(number), culprit: None, reason: "no".into() };

    let files = world.announce("announced");
    let letter_keys = files.round().letter_keys;
    for event in [
        keys(2, letter_keys),
        keys(3, digest),
        submissions(&["tax", "health"]),
        committed(&[1, 2]),
        Event::Opened(vec![digest; 3]),
        state(0),
        refusal(1),
        Event::Destroyed(trustee(1)),
    ] {
        out_of_order(&world, &files, &event);
    }
    let files = world.keyed("keyed");
    for event in [
        keys(3, files.round().letter_keys),
        submissions(&["tax"]),
        submissions(&["health", "tax"]),
        submissions(&["tax", "health", "school"]),
        committed(&[1, 2]),
        Event::Opened(vec![digest; 3]),
        state(0),
        refusal(4),
        Event::Destroyed(trustee(4)),
        Event::Destroyed(PartyName::evaluator()),
    ] {
        out_of_order(&world, &files, &event);
    }
    let files = world.evaluated("evaluated");
    for event in [
        submissions(&["tax", "health"]),
        committed(&[2]),
        committed(&[]),
        committed(&[1, 2, 4]),
        Event::Opened(vec![digest; 3]),
        state(0),
    ] {
        out_of_order(&world, &files, &event);
    }
    world.commit_by(&files, &[1, 2]);
    [1, 2].iter().for_each(|k| drop(world.open(&files, *k).unwrap()));
    for event in [committed(&[1, 2]), Event::Opened(vec![digest; 2]), state(0)] {
        out_of_order(&world, &files, &event);
    }
    world.open_by(&files, &[1, 2]).unwrap();
    for event in [Event::Opened(vec![digest; 3]), committed(&[1, 2]), state(7)] {
        out_of_order(&world, &files, &event);
    }
}

#[test]
fn a_trustee_listed_twice_or_out_of_order() {
    let world = World::new();
    let files = world.evaluated("round");
    let digest = Digest([9; 32]);
    for numbers in [vec![1, 1, 2], vec![2, 1]] {
        let partials = numbers.iter().map(|k| (PartyName::trustee(*k), digest)).collect();
        let event = Event::Committed { receipt: digest, partials };
        let refused = world.endorse(&files, 1, event);
        let Err(LedgerError::Wire(error)) = refused else { panic!("signed") };
        assert!(matches!(error.fault(), Some(Fault::Content { .. })), "{error}");
    }
}

#[test]
fn an_opening_to_the_state_is_recorded_and_told() {
    for dealer in [false, true] {
        let world = World::with(Shape::of("2-of-3", dealer));
        let files = world.finished("round");
        let state = LetterKey::generate().unwrap();
        let slot = world.mail(&files).unwrap().read(&world.keys[2]).unwrap().slot;
        let reason = "the family appeals".to_owned();
        let request = StateRequest { slot, reason: reason.clone(), key: *state.public() };
        let output = files.path("state");
        let ask = |number, request: &StateRequest| {
            world.at_desk(&files, number, |desk| open_to_state(desk, request, &output))
        };
        assert!(!ask(1, &request).unwrap() && !ask(2, &request).unwrap());
        assert!(ask(1, &request).unwrap() && ask(2, &request).unwrap());
        assert!(ask(1, &request).unwrap(), "asking again gives the same seeds");
        // It stands in the ledger, and in what the family reads.
        let ledger = world.ledger(&files).unwrap();
        assert_eq!(ledger.state_opening(slot), Some((reason.as_str(), state.public())));
        let letters = world.mail(&files).unwrap().read_all(&world.keys).unwrap();
        for (family, letter) in letters.iter().enumerate() {
            assert_eq!(letter.opened_to_state.as_ref(), (family == 2).then_some(&reason));
        }
        world.audit(&files, &[]).unwrap();
        // The seeds of two trustees give this tier to the state, those of one do not, and nobody else can read them.
        let read = |slot, key: &LetterKey| {
            let (board, trust) = (&files.board, &world.trust);
            read_for_state(board, &output, slot, key, policy_hash(), MODULUS, trust)
        };
        assert_eq!(read(slot, &state).unwrap(), tier(2));
        let other = (slot + 1) % 7;
        assert!(matches!(read(other, &state), Err(FamilyError::NotOpenedToState { .. })));
        let stranger = read(slot, &world.keys[0]);
        assert!(matches!(stranger, Err(FamilyError::NotOpenedToState { .. })));
        let path = output.join(StateSeeds::file_name(slot, world.trustee(2).name()));
        let honest = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert!(matches!(read(slot, &state), Err(FamilyError::TooFewLetters { .. })));
        // A false seed is named.
        let (context, from) = (files.context(), world.trustee(2).name());
        let purpose = Purpose::State { slot, from };
        let sealed = seal(state.public(), purpose, context, &[7; 64]).unwrap();
        write(&path, &StateSeeds { slot, sealed }, context, world.trustee(2)).unwrap();
        let error = read(slot, &state).unwrap_err();
        assert!(matches!(error, FamilyError::WrongSeed { .. }), "{error}");
        assert_eq!(names(&error.culprits()), [from.as_str()]);
        fs::write(&path, honest).unwrap();
        // At most once a slot, for one reason and key.
        for other in [
            StateRequest { reason: "curiosity".into(), ..request.clone() },
            StateRequest { key: [1; 32], ..request.clone() },
        ] {
            let refused = ask(3, &other);
            assert!(matches!(refused, Err(TrusteeError::Ledger(LedgerError::Order { .. }))));
        }
    }
}

#[test]
fn an_opening_to_the_state_needs_a_reason() {
    let world = World::new();
    let files = world.finished("round");
    let before = files.all();
    let ask = |reason: String| {
        let request = StateRequest { slot: 0, reason, key: *world.keys[0].public() };
        let output = files.path("state");
        world.at_desk(&files, 1, |desk| open_to_state(desk, &request, &output))
    };
    for reason in [String::new(), "  \n".into(), "x".repeat(MAX_REASON + 1)] {
        let Err(TrusteeError::Ledger(LedgerError::Wire(error))) = ask(reason) else {
            panic!("accepted")
        };
        assert!(matches!(error.fault(), Some(Fault::Content { .. })), "{error}");
    }
    assert_eq!(before, files.all());
    assert!(!ask("é".repeat(MAX_REASON)).unwrap());
}

#[test]
fn nothing_is_opened_to_the_state_before_the_round_is_opened() {
    let world = World::new();
    let files = world.evaluated("round");
    let request = StateRequest { slot: 0, reason: "appeal".into(), key: *world.keys[0].public() };
    let output = files.path("state");
    let refused = world.at_desk(&files, 1, |desk| open_to_state(desk, &request, &output));
    assert!(matches!(refused, Err(TrusteeError::Ledger(LedgerError::Order { .. }))));
    assert!(!output.exists());
}

#[test]
fn destroyed_shares_open_nothing_any_more() {
    let world = World::new();
    let files = world.evaluated("round");
    world.open(&files, 3).unwrap();
    world.at_desk(&files, 3, destroy).unwrap();
    let private = files.private(3);
    let left: Vec<String> = files_below(&private)
        .iter()
        .map(|path| path.strip_prefix(&private).unwrap().display().to_string())
        .collect();
    assert!(
        left.iter().all(|name| {
            ["signed-", "opened-", "commitments-", "first-messages", "submissions-"]
                .iter()
                .any(|p| name.starts_with(p))
        }),
        "{left:?}"
    );
    let error = world.open(&files, 3).unwrap_err();
    assert!(matches!(error, TrusteeError::Wire(WireError::Refused { .. })), "{error}");
    // The others sign that it is so.
    let event = Event::Destroyed(world.trustee(3).name().clone());
    for number in [1, 2] {
        let signed = world.at_desk(&files, number, witness).unwrap();
        assert_eq!(signed.unwrap().event, event);
    }
    assert_eq!(world.at_desk(&files, 3, witness).unwrap(), None, "once");
    world.audit(&files, &[]).unwrap();
    // Two of three are enough to open, and one is not.
    let twice = world.copy(&files, "twice");
    world.force(&twice, &[1, 2], &event);
    assert!(matches!(world.ledger(&twice), Err(LedgerError::Order { .. })));
    let one = world.copy(&files, "one");
    world.at_desk(&one, 2, destroy).unwrap();
    world.open(&one, 1).unwrap();
    assert!(world.open(&one, 2).is_err());
    assert!(one.board.partials(world.trustee(1).name()).exists() && !one.letters(1).exists());
    // What the third committed to before is on the board and cannot be shown any more: the others open without it.
    let manifest = files.board.partials(world.trustee(3).name());
    fs::remove_dir_all(manifest).unwrap();
    world.open_by(&files, &[1, 2]).unwrap();
    world.check_letters(&files);
    world.audit(&files, &[]).unwrap();
}

#[test]
fn a_refusal_is_recorded() {
    let world = World::new();
    let files = world.evaluated("round");
    let evaluator = world.evaluator.name().clone();
    let state = |reason: &str| {
        world.at_desk(&files, 2, |desk| refuse(desk, Some(evaluator.clone()), reason))
    };
    for reason in [String::new(), "x".repeat(MAX_REASON + 1)] {
        assert!(state(&reason).is_err(), "the others could not sign it");
    }
    assert_eq!(world.at_desk(&files, 1, witness).unwrap(), None);
    state("chunk 3 comes out differently").unwrap();
    for number in [1, 3] {
        world.at_desk(&files, number, witness).unwrap().unwrap();
    }
    let expected = Event::Refused {
        trustee: world.trustee(2).name().clone(),
        culprit: Some(evaluator.clone()),
        reason: "chunk 3 comes out differently".into(),
    };
    let ledger = world.ledger(&files).unwrap();
    assert_eq!(ledger.events().last(), Some(&expected));
    assert!(expected.to_string().contains("trustee:2 refused a file of evaluator"));
    world.audit(&files, &[]).unwrap();
    // A recorded statement has to be there.
    let path = files.board.statements(world.trustee(2).name()).join("refusal.bt");
    fs::remove_file(&path).unwrap();
    let Err(AuditError::Wire(error)) = world.audit(&files, &[]) else { panic!("accepted") };
    expect(&error, &path, "trustee:2", |f| matches!(f, Fault::Missing));
}

#[test]
fn a_lost_trustee_does_not_keep_the_others_from_opening() {
    for sharing in ["2-of-3", "3-of-5"] {
        let world = World::with(Shape::of(sharing, false));
        let files = world.evaluated("round");
        fs::remove_dir_all(files.private(1)).unwrap();
        let who: Vec<u16> = world.all().split_off(1);
        assert!(world.open_by(&files, &who).unwrap().iter().all(is_done));
        world.check_letters(&files);
        world.audit(&files, &[]).unwrap();
    }
    // Lost after it committed alone: the others list those that are there, so its manifest has to go.
    let world = World::new();
    let files = world.evaluated("round");
    assert_eq!(world.open(&files, 1).unwrap(), OpenProgress::Committed);
    fs::remove_dir_all(files.private(1)).unwrap();
    fs::remove_dir_all(files.board.partials(world.trustee(1).name())).unwrap();
    world.open_by(&files, &[2, 3]).unwrap();
    world.check_letters(&files);
}
