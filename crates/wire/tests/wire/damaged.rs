//! Whatever a file holds, reading it gives an error and never a panic.

use crate::support::*;
use blindtier_wire::*;
use proptest::prelude::*;
use serde::ser::{SerializeTuple, Serializer};
use std::fs;

fn fault(error: WireError) -> Fault {
    match error {
        WireError::Refused { fault, .. } => *fault,
        other => panic!("{other}"),
    }
}

#[test]
fn every_flipped_bit_of_every_kind_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    for name in write_all(folder.path()) {
        let path = folder.path().join(name);
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            fs::write(&path, &bytes).unwrap();
            let error = read_any(folder.path(), name).expect_err(name);
            assert_eq!(error.file(), Some(path.as_path()));
            assert!(error.culprit().is_some(), "{error}");
        }
        fs::write(&path, &whole).unwrap();
        read_any(folder.path(), name).unwrap();
    }
}

#[test]
fn every_truncation_and_every_extension_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    for name in write_all(folder.path()) {
        let path = folder.path().join(name);
        let whole = fs::read(&path).unwrap();
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            let fault = fault(read_any(folder.path(), name).expect_err(name));
            assert!(matches!(fault, Fault::Truncated), "{name} {length} {fault}");
        }
        for extra in [1, 64, 4096] {
            let mut bytes = whole.clone();
            bytes.resize(whole.len() + extra, 0);
            fs::write(&path, &bytes).unwrap();
            let fault = fault(read_any(folder.path(), name).expect_err(name));
            assert!(
                matches!(fault, Fault::TrailingBytes { extra: n } if n == extra as u64),
                "{name} {fault}"
            );
        }
        fs::write(&path, &whole).unwrap();
    }
}

#[test]
fn no_kind_passes_for_another() {
    let folder = tempfile::tempdir().unwrap();
    let names = write_all(folder.path());
    for name in &names {
        let path = folder.path().join(name);
        let own = fs::read(&path).unwrap();
        for other in &names {
            if name == other {
                continue;
            }
            fs::copy(folder.path().join(other), &path).unwrap();
            let fault = fault(read_any(folder.path(), name).expect_err(name));
            assert!(matches!(fault, Fault::Kind { .. }), "{other} as {name}: {fault}");
        }
        fs::write(&path, own).unwrap();
    }
}

#[test]
fn each_expectation_has_its_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("submission.bt");
    let p = parties();
    let round = round();
    let context = round.context().unwrap();
    let body = submission(vec![Digest([1; 32]); 2]);
    let read = || Submission::read(&path, p.agency.name(), &round, &context, &p.trust).map(|_| ());

    let mut other = context.clone();
    other.round = RoundId([9; 32]);
    write(&path, &body, &other, &p.agency).unwrap();
    assert!(matches!(fault(read().unwrap_err()), Fault::Round { .. }));

    let mut other = context.clone();
    other.policy = Digest([9; 32]);
    write(&path, &body, &other, &p.agency).unwrap();
    assert!(matches!(fault(read().unwrap_err()), Fault::Policy { .. }));

    let mut other = context.clone();
    other.engine.parameters = "others".into();
    write(&path, &body, &other, &p.agency).unwrap();
    let error = read().unwrap_err();
    assert!(error.to_string().contains("\"others\""), "{error}");
    assert!(matches!(fault(error), Fault::Engine { .. }));

    write(&path, &body, &context, &p.evaluator).unwrap();
    assert!(matches!(fault(read().unwrap_err()), Fault::Sender { .. }));

    write(&path, &body, &context, &identity("agency:tax", 77)).unwrap();
    let error = read().unwrap_err();
    assert_eq!(error.culprit(), Some(p.agency.name()));
    assert!(matches!(fault(error), Fault::Signature { .. }));

    let mut wrong = body.clone();
    wrong.plan = Digest([0; 32]);
    write(&path, &wrong, &context, &p.agency).unwrap();
    assert!(matches!(fault(read().unwrap_err()), Fault::Plan { .. }));

    fs::remove_file(&path).unwrap();
    assert!(matches!(fault(read().unwrap_err()), Fault::Missing));
    fs::create_dir(&path).unwrap();
    assert!(matches!(fault(read().unwrap_err()), Fault::NotAFile));
    fs::remove_dir(&path).unwrap();

    // A sparse file: refused by its size before anything is allocated.
    fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
    assert!(matches!(fault(read().unwrap_err()), Fault::TooLarge { .. }));

    write(&path, &body, &context, &p.agency).unwrap();
    let unpinned = Submission::read(&path, p.agency.name(), &round, &context, &TrustFile::new());
    assert!(matches!(unpinned, Err(WireError::NotPinned { .. })));
    read().unwrap();
}

#[test]
fn a_round_file_names_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("round.bt");
    let p = parties();
    let round = round();
    let mut context = round.context().unwrap();
    context.round = RoundId([1; 32]);
    write(&path, &round, &context, &p.registrar).unwrap();
    let error = Round::read(&path, &p.trust, round.policy).map(|_| ()).unwrap_err();
    assert!(matches!(fault(error), Fault::Round { .. }));
    for change in [
        |r: &mut Round| r.nonce[0] ^= 1,
        |r: &mut Round| r.slots += 1,
        |r: &mut Round| r.chunk += 1,
        |r: &mut Round| r.layout = Layout::PerIndicator,
        |r: &mut Round| r.letter_keys.0[0] ^= 1,
        |r: &mut Round| r.submitters.insert(0, PartyName::agency("z").unwrap()),
        |r: &mut Round| r.submitters.truncate(1),
        |r: &mut Round| r.linkage = Linkage::KeyedHash,
        |r: &mut Round| r.linkage = Linkage::Oblivious { persons: 5 },
        |r: &mut Round| r.proofs = false,
        |r: &mut Round| r.deadline = None,
        |r: &mut Round| r.deadline = Some(0),
        |r: &mut Round| {
            r.corrects = Some(Correction { round: RoundId([1; 32]), slots: vec![0, 1, 2] });
        },
        |r: &mut Round| r.sharing = Sharing::new(3, 3).unwrap(),
        |r: &mut Round| r.key_maker = PartyName::dealer(),
    ] {
        let mut other = round.clone();
        change(&mut other);
        assert_ne!(other.id().unwrap(), round.id().unwrap());
    }
}

#[test]
fn lengths_inside_a_file_are_checked_before_allocating() {
    let folder = tempfile::tempdir().unwrap();
    write_all(folder.path());
    let path = folder.path().join("public-key.bt");
    let whole = fs::read(&path).unwrap();
    let header = 14;
    let body = 18 + u32::from_le_bytes(whole[14..18].try_into().unwrap()) as usize;
    for (at, length) in [(header, 4), (body, 8)] {
        let mut bytes = whole.clone();
        bytes[at..at + length].fill(0xff);
        fs::write(&path, &bytes).unwrap();
        let fault = fault(read_any(folder.path(), "public-key.bt").unwrap_err());
        assert!(matches!(fault, Fault::TooLarge { .. }), "{fault}");
    }
}

#[test]
fn bodies_that_contradict_themselves_are_neither_written_nor_read() {
    let folder = tempfile::tempdir().unwrap();
    let (p, context) = (parties(), round().context().unwrap());
    let path = folder.path().join("file.bt");
    let low = TrusteeKey { receiving: [0; 32] };
    let commitment = |share| ShareCommitment { share, commitment: Digest([1; 32]), first: None };
    let twice = ShareCommitments { shares: vec![commitment(1), commitment(1)] };
    let step = CeremonyMessages { step: 3, messages: Vec::new() };
    let order =
        CeremonyMessages { step: 1, messages: vec![(2, vec![].into()), (1, vec![].into())] };
    let long = Statement::Refusal { culprit: None, reason: "x".repeat(MAX_REASON + 1) };
    let empty = Statement::Refusal { culprit: None, reason: " ".into() };
    let persons = vec!["ann".to_owned(), "ann".to_owned()];
    let state = LinkageState { request: Digest([1; 32]), seed: [2; 32], persons };
    let (agency, request) = (p.agency.name().clone(), Digest([1; 32]));
    let torn = LinkageAnswer { agency, request, elements: vec![0; 32], proofs: vec![0; 65] };
    let refused = [
        write(&path, &low, &context, &p.trustee),
        write(&path, &twice, &context, &p.trustee),
        write(&path, &step, &context, &p.trustee),
        write(&path, &order, &context, &p.trustee),
        write(&path, &long, &context, &p.trustee),
        write(&path, &empty, &context, &p.trustee),
        write(&path, &LinkageRequest { elements: vec![0; 33] }, &context, &p.agency),
        write(&path, &state, &context, &p.agency),
        write(&path, &torn, &context, &p.registrar),
        write(&path, &OptOuts { slots: vec![0, 2] }, &context, &p.registrar),
    ];
    for error in refused.map(Result::unwrap_err) {
        assert!(matches!(error, WireError::Unwritable { .. }), "{error}");
    }
    assert!(!path.exists());
    // Whoever writes them all the same is not read.
    for body in [vec![1, 0, 0, 0, 0], vec![0; 5], vec![2, 0, 0, 0]] {
        write(&path, &Raw::<26>(body), &context, &p.trustee).unwrap();
        assert!(
            read::<Statement>(&path, &Expect::of(p.trustee.name(), &context), &p.trust).is_err()
        );
    }
}

#[test]
fn linkage_that_is_not_of_this_round_and_agency_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    write_all(folder.path());
    let (p, round) = (parties(), round());
    let context = round.context().unwrap();
    let path = folder.path().join("file.bt");
    let content = |error: WireError, part: &str| {
        let found = fault(error);
        let Fault::Content { detail } = found else { panic!("{found}") };
        assert!(detail.contains(part), "{detail}");
    };
    let (tax, health) = (p.agency.name(), PartyName::agency("health").unwrap());

    // A request of another size, of another agency of the round, and of somebody who is no agency of it.
    let request = |elements: usize| LinkageRequest { elements: vec![1; 32 * elements] };
    let read = |round: &Round| LinkageRequest::read(&path, round, &context, &p.trust);
    for elements in [0, 3, 5] {
        write(&path, &request(elements), &context, &p.agency).unwrap();
        content(read(&round).map(|_| ()).unwrap_err(), "as many elements");
    }
    write(&path, &request(4), &context, &p.agency).unwrap();
    let mut more = round.clone();
    more.submitters.insert(0, health.clone());
    let mut trust = p.trust.clone();
    trust.pin(health.clone(), &identity("agency:health", 9).public_key());
    let (sender, received) = LinkageRequest::read(&path, &more, &context, &trust).unwrap();
    assert_eq!((&sender, received.body.elements().len()), (tax, 4));
    write(&path, &request(4), &context, &p.evaluator).unwrap();
    assert!(matches!(fault(read(&round).map(|_| ()).unwrap_err()), Fault::Sender { .. }));
    write(&path, &request(4), &context, &identity("agency:tax", 77)).unwrap();
    assert!(matches!(fault(read(&round).map(|_| ()).unwrap_err()), Fault::Signature { .. }));
    let mut keyed = round.clone();
    keyed.linkage = Linkage::KeyedHash;
    write(&path, &request(4), &context, &p.agency).unwrap();
    content(read(&keyed).map(|_| ()).unwrap_err(), "as many elements");

    // An answer to another request, for another agency, of another size.
    let answer = |agency: &PartyName, request: u8, elements: usize| LinkageAnswer {
        agency: agency.clone(),
        request: Digest([request; 32]),
        elements: vec![1; 32 * elements],
        proofs: vec![1; 64],
    };
    let read = |answer: &LinkageAnswer| {
        write(&path, answer, &context, &p.registrar).unwrap();
        LinkageAnswer::read(&path, tax, Digest([1; 32]), &round, &context, &p.trust)
    };
    let whole = read(&answer(tax, 1, 4)).unwrap();
    assert_eq!((whole.elements().len(), whole.proofs()), (4, [[1; 64]].as_slice()));
    let refused = |changed| {
        let error = read(&changed).map(|_| ()).unwrap_err();
        assert_eq!(error.culprit(), Some(p.registrar.name()));
        error
    };
    assert!(matches!(fault(refused(answer(tax, 2, 4))), Fault::Reference { .. }));
    assert!(matches!(fault(refused(answer(&health, 1, 4))), Fault::Recipient { .. }));
    content(refused(answer(tax, 1, 5)), "as many elements");

    // The registrar's own files: a key for another agency, a list of another length.
    let key = LinkageKey { agency: health.clone(), seed: [1; 32] };
    write(&path, &key, &context, &p.registrar).unwrap();
    let read = LinkageKey::read(&path, tax, &context, &p.trust).map(|_| ());
    assert!(matches!(fault(read.unwrap_err()), Fault::Recipient { .. }));
    write(&path, &OptOuts { slots: vec![0; 4] }, &context, &p.registrar).unwrap();
    let read = OptOuts::read(&path, &round, &context, &p.trust).map(|_| ());
    content(read.unwrap_err(), "every slot");
    let list = OptOuts { slots: vec![0, 1, 0] };
    assert_eq!([0, 1, 2, 3].map(|slot| list.value(slot)), [0, 1, 0, 0]);

    // A roster of the other linkage; and of this one, in a round that has it.
    let mut keyed_roster = roster();
    keyed_roster.linkage = RosterLinkage::Key(PseudonymKey::from_bytes([8; 32]));
    for (roster, round, ok) in
        [(&keyed_roster, &round, false), (&keyed_roster, &keyed, true), (&roster(), &keyed, false)]
    {
        write(&path, roster, &context, &p.registrar).unwrap();
        let read = Roster::read(&path, tax, round, &context, &p.trust).map(|_| ());
        match read {
            Ok(()) => assert!(ok),
            Err(error) if !ok => content(error, "another linkage"),
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn partial_decryptions_of_other_shares_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (p, round) = (parties(), round());
    let context = round.context().unwrap();
    let path = folder.path().join("partials.bt");
    for shares in [vec![], vec![0], vec![0, 1], vec![2, 1], vec![1, 2, 2]] {
        let body = Partials {
            receipt: Digest([1; 32]),
            shares,
            partials: Vec::new(),
            commitments: Vec::new(),
        };
        write(&path, &body, &context, &p.trustee).unwrap();
        let read = Partials::read(&path, p.trustee.name(), &round, &context, &p.trust);
        assert!(matches!(fault(read.map(|_| ()).unwrap_err()), Fault::Content { .. }));
    }
    assert_eq!(sharing().held_by(1), [1, 2]);
}

/// A body that is exactly these bytes.
#[derive(Debug)]
pub struct Raw<const KIND: u16>(pub Vec<u8>);

impl<const KIND: u16> serde::Serialize for Raw<KIND> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(self.0.len())?;
        for byte in &self.0 {
            tuple.serialize_element(byte)?;
        }
        tuple.end()
    }
}

impl<'de, const KIND: u16> serde::Deserialize<'de> for Raw<KIND> {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom("only written"))
    }
}

impl<const KIND: u16> Message for Raw<KIND> {
    const KIND: Kind = match KIND {
        2 => Kind::Roster,
        3 => Kind::LetterKeys,
        4 => Kind::PublicKey,
        7 => Kind::Submission,
        9 => Kind::Receipt,
        12 => Kind::Shares,
        14 => Kind::SealedShares,
        15 => Kind::ShareCommitments,
        16 => Kind::CeremonyMessages,
        20 => Kind::Partials,
        22 => Kind::Opened,
        24 => Kind::Levels,
        26 => Kind::Statement,
        27 => Kind::StateSeeds,
        29 => Kind::LinkageKey,
        30 => Kind::LinkageRequest,
        31 => Kind::LinkageState,
        32 => Kind::LinkageAnswer,
        33 => Kind::OptOuts,
        34 => Kind::GroupList,
        36 => Kind::Counts,
        37 => Kind::CountPartials,
        _ => Kind::Letters,
    };
}

/// A file that is written with a body of any bytes and its sender's signature.
struct RawFile {
    name: &'static str,
    write: fn(&std::path::Path, Vec<u8>),
}

macro_rules! raw {
    ($kind:literal, $name:literal, $sender:ident) => {
        RawFile {
            name: $name,
            write: |folder, bytes| {
                let context = round().context().unwrap();
                let sender = parties().$sender;
                write(&folder.join($name), &Raw::<$kind>(bytes), &context, &sender).unwrap();
            },
        }
    };
}

const RAW: [RawFile; 22] = [
    raw!(2, "roster.bt", registrar),
    raw!(3, "letter-keys.bt", registrar),
    raw!(7, "submission/submission.bt", agency),
    raw!(9, "results/receipt.bt", evaluator),
    raw!(11, "letters/letters.bt", trustee),
    raw!(12, "shares.bt", trustee),
    raw!(14, "sealed.bt", trustee),
    raw!(15, "commitments.bt", trustee),
    raw!(16, "step-1.bt", trustee),
    raw!(20, "partials/partials.bt", trustee),
    raw!(22, "opened/opened.bt", trustee),
    raw!(24, "levels/levels.bt", agency),
    raw!(26, "refusal.bt", trustee),
    raw!(27, "state.bt", trustee),
    raw!(29, "linkage-key.bt", registrar),
    raw!(30, "linkage-request.bt", agency),
    raw!(31, "linkage-state.bt", agency),
    raw!(32, "linkage-answer.bt", registrar),
    raw!(33, "opt-outs.bt", registrar),
    raw!(34, "groups.bt", registrar),
    raw!(36, "statistics/counts.bt", evaluator),
    raw!(37, "statistics/trustee-1.bt", trustee),
];

/// The body of a file.
pub fn body(file: &[u8]) -> Vec<u8> {
    let header = u32::from_le_bytes(file[14..18].try_into().unwrap()) as usize;
    file[18 + header + 8..file.len() - 64].to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..600), skip in 0_usize..40) {
        let folder = tempfile::tempdir().unwrap();
        for name in write_all(folder.path()) {
            let path = folder.path().join(name);
            // Some begin like a real file, so that the later checks are reached.
            let mut content = fs::read(&path).unwrap();
            content.truncate(skip);
            content.extend_from_slice(&bytes);
            fs::write(&path, &content).unwrap();
            prop_assert!(read_any(folder.path(), name).is_err());
        }
    }

    #[test]
    fn signed_nonsense_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let folder = tempfile::tempdir().unwrap();
        for file in &RAW {
            (file.write)(folder.path(), bytes.clone());
            prop_assert!(read_any(folder.path(), file.name).is_err(), "{}", file.name);
        }
        // Opaque bytes with a length that lies.
        let mut lie = u64::MAX.to_le_bytes().to_vec();
        lie.extend_from_slice(&bytes);
        let context = round().context().unwrap();
        let path = folder.path().join("public-key.bt");
        write(&path, &Raw::<4>(lie), &context, &parties().trustee).unwrap();
        prop_assert!(read_any(folder.path(), "public-key.bt").is_err());
    }

    #[test]
    fn names_are_short_and_plain(name in ".*") {
        if let Ok(party) = PartyName::new(name.clone()) {
            prop_assert_eq!(party.as_str(), name.as_str());
            prop_assert!(name.len() <= 64 && !name.contains(['/', '.', '\\', ' ']));
        }
    }

    /// A sender that signs something close to a real body is refused or understood.
    #[test]
    fn signed_changes_are_refused_or_read(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..5_u8), 1..4)
    ) {
        let folder = tempfile::tempdir().unwrap();
        write_all(folder.path());
        for file in &RAW {
            let path = folder.path().join(file.name);
            let original = fs::read(&path).unwrap();
            let mut bytes = body(&original);
            for (index, byte, how) in &changes {
                let at = index.index(bytes.len() + 1);
                match how {
                    0 => bytes.truncate(at),
                    1 => bytes.insert(at, *byte),
                    2 => {
                        let end = bytes.len().min(at + 8);
                        bytes[at..end].fill(0xff);
                    }
                    3 if at < bytes.len() => drop(bytes.remove(at)),
                    _ if at < bytes.len() => bytes[at] ^= byte,
                    _ => {}
                }
            }
            (file.write)(folder.path(), bytes);
            // Either is right; what counts is that it comes back.
            let _ = read_any(folder.path(), file.name);
            fs::write(&path, &original).unwrap();
            prop_assert!(read_any(folder.path(), file.name).is_ok(), "{}", file.name);
        }
    }
}
