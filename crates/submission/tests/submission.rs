//! What every submitter does, with an engine that encrypts nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop at the first surprise; clippy.toml exempts only the test functions themselves"
)]

use blindtier_engine::{Encrypt, EngineError};
use blindtier_ledger::{Event, Exclusion, Ledger, Registration};
use blindtier_submission::{ColumnSource, Destination, Invitation, SubmissionError, Submitted};
use blindtier_wire::*;
use std::convert::Infallible;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const POLICY: Digest = Digest([6; 32]);
const PLAN: Digest = Digest([7; 32]);

/// Shows what it was given: submitter, binding, values.
struct Shown;

impl Encrypt for Shown {
    fn encrypt(
        &self,
        submitter: usize,
        columns: &[Vec<i64>],
        binding: &[u8; 32],
    ) -> Result<Vec<u8>, EngineError> {
        let values = columns.iter().flatten().map(|value| *value as u8);
        Ok([submitter as u8].into_iter().chain(*binding).chain(values).collect())
    }
}

fn shown(key: &[u8]) -> Result<Box<dyn Encrypt>, EngineError> {
    match key {
        [1, 2, 3] => Ok(Box::new(Shown)),
        _ => Err(EngineError::Malformed { what: "key", detail: "not as it should be".into() }),
    }
}

/// Ten times the slot, and the slot.
struct Slots {
    columns: usize,
    /// How many columns come out.
    given: usize,
}

impl ColumnSource for Slots {
    type Error = Infallible;

    fn columns(&self) -> usize {
        self.columns
    }

    fn values(&mut self, slots: Range<u32>) -> Result<Vec<Vec<i64>>, Infallible> {
        let column = |factor| slots.clone().map(|slot| factor * i64::from(slot)).collect();
        Ok([10, 1].map(column).into_iter().take(self.given).collect())
    }
}

/// An agency that submits something of which nothing is known here.
fn other() -> PartyName {
    PartyName::agency("other").unwrap()
}

/// A round of three slots with keys, in a folder of its own.
struct World {
    dir: TempDir,
    agency: SigningIdentity,
    registrar: SigningIdentity,
    trustees: Vec<SigningIdentity>,
    trust: TrustFile,
    families: Vec<LetterKey>,
    round: Round,
    context: Context,
}

impl World {
    fn new() -> Self {
        let make = |name: PartyName| SigningIdentity::generate(name).unwrap();
        let sharing = Sharing::new(3, 2).unwrap();
        let agency = make(PartyName::agency("tax").unwrap());
        let registrar = make(PartyName::registrar());
        let trustees: Vec<SigningIdentity> = sharing.names().map(make).collect();
        let mut trust = TrustFile::new();
        for party in trustees.iter().chain([&agency, &registrar]) {
            assert!(trust.pin(party.name().clone(), &party.public_key()));
        }
        let families: Vec<LetterKey> = (0..3).map(|_| LetterKey::generate().unwrap()).collect();
        let keys = LetterKeys { keys: families.iter().map(|key| *key.public()).collect() };
        let round = Round {
            nonce: [5; 32],
            policy: POLICY,
            engine: Engine { name: "clear".into(), parameters: "none".into() },
            layout: Layout::Folded,
            plan: PLAN,
            slots: 3,
            chunk: 2,
            submitters: vec![agency.name().clone(), other(), registrar.name().clone()],
            sharing,
            key_maker: PartyName::trustee(1),
            letter_keys: keys.digest(),
            linkage: Linkage::KeyedHash,
            proofs: false,
            deadline: None,
            corrects: None,
            statistics: None,
        };
        let context = round.context().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let world = Self { dir, agency, registrar, trustees, trust, families, round, context };
        let board = world.board();
        write(&board.letter_keys(), &keys, &world.context, &world.registrar).unwrap();
        write(&board.round(), &world.round, &world.context, &world.registrar).unwrap();
        let public_key = world.write_key(&[1, 2, 3]);
        world.sign(&Event::Keys {
            public_key,
            evaluation_key: Digest([1; 32]),
            opening_key: None,
            shares: vec![Digest([2; 32]), Digest([3; 32]), Digest([4; 32])],
            letter_keys: world.round.letter_keys,
        });
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn board(&self) -> Board {
        Board::new(self.path("board"))
    }

    fn write_key(&self, bytes: &[u8]) -> Digest {
        let key = PublicKey { bytes: bytes.to_vec() };
        write(&self.board().public_key(), &key, &self.context, &self.trustees[0]).unwrap()
    }

    /// All trustees sign an entry.
    fn sign(&self, event: &Event) {
        let folder = self.board().ledger();
        let ledger = Ledger::read(&folder, &self.round, &self.context, &self.trust).unwrap();
        for trustee in &self.trustees {
            let state = self.path(&trustee.name().file_part());
            ledger.endorse(event.clone(), &self.round, &self.context, &state, trustee).unwrap();
        }
    }

    /// All trustees sign what was submitted by the agency, another one and the registrar.
    fn register(&self, agency: Result<Digest, Exclusion>, registrar: Digest) {
        let entry = |submitter: &PartyName, manifest| Registration {
            submitter: submitter.clone(),
            manifest,
        };
        self.sign(&Event::Submissions(vec![
            entry(self.agency.name(), agency),
            entry(&other(), Ok(Digest([9; 32]))),
            entry(self.registrar.name(), Ok(registrar)),
        ]));
    }

    fn invitation(&self, identity: &SigningIdentity) -> Result<Invitation, SubmissionError> {
        Invitation::read(&self.board(), POLICY, PLAN, identity, &self.trust)
    }

    fn submit_as(
        &self,
        identity: &SigningIdentity,
        submitter: usize,
        source: &mut Slots,
    ) -> Result<Submitted, SubmissionError> {
        let output = self.path("out").join(identity.name().file_part());
        let public_key = &self.board().public_key();
        let to = Destination { submitter, public_key, output: &output };
        let invitation = self.invitation(identity)?;
        let progress = |done, all| assert!(done <= all && all == 3);
        invitation.submit(&to, source, shown, identity, &self.trust, progress)
    }

    fn submit(&self, identity: &SigningIdentity, submitter: usize) -> Submitted {
        self.submit_as(identity, submitter, &mut Slots { columns: 2, given: 2 }).unwrap()
    }

    fn chunk(&self, identity: &SigningIdentity, number: u32) -> Vec<u8> {
        let manifest = self.path("out").join(identity.name().file_part()).join("submission.bt");
        let (round, context) = (&self.round, &self.context);
        let body = Submission::read(&manifest, identity.name(), round, context, &self.trust);
        let body = body.unwrap().body;
        let chunks = body.chunks(&manifest, identity.name(), round, context, &self.trust);
        chunks.unwrap().read(number).unwrap().bytes
    }

    fn hand_over(&self, identity: &SigningIdentity) -> Result<(), SubmissionError> {
        let from = self.path("out").join(identity.name().file_part());
        let to = self.board().submissions().join(identity.name().submitter_folder());
        self.invitation(identity)?.hand_over(&from, &to, identity, &self.trust)
    }
}

#[test]
fn every_chunk_is_bound_to_its_sender_and_slots() {
    let world = World::new();
    for (identity, submitter) in [(&world.agency, 0), (&world.registrar, 1)] {
        let done = world.submit(identity, submitter);
        assert_eq!((done.fresh, done.submission.columns, done.submission.slots), (true, 2, 3));
        let ranges = [(0, 2, vec![0, 10, 0, 1]), (2, 1, vec![20, 2])];
        for (number, (start, count, values)) in (0..).zip(ranges) {
            let binding = world.context.binding(identity.name(), start, count);
            let expected = [&[submitter as u8][..], &binding, &values].concat();
            assert_eq!(world.chunk(identity, number), expected);
        }
        // Finished is finished.
        let again = world.submit(identity, submitter);
        assert_eq!((again.fresh, again.digest), (false, done.digest));
    }
}

#[test]
fn another_key_and_columns_that_do_not_fit() {
    let world = World::new();
    for (columns, given) in [(2, 1), (1, 2)] {
        let mut source = Slots { columns, given };
        let refused = world.submit_as(&world.agency, 0, &mut source).unwrap_err();
        assert!(matches!(refused, SubmissionError::Shape { chunk: 0, .. }), "{refused}");
    }
    world.write_key(&[9]);
    let mut source = Slots { columns: 2, given: 2 };
    let refused = world.submit_as(&world.agency, 0, &mut source).unwrap_err();
    assert_eq!(refused.culprits(), [PartyName::trustee(1)]);
    assert!(refused.to_string().contains("public-key.bt"), "{refused}");
    assert!(!world.path("out/agency-tax/submission.bt").exists());
    let stranger = SigningIdentity::generate(PartyName::agency("stranger").unwrap()).unwrap();
    assert!(matches!(world.invitation(&stranger), Err(SubmissionError::NotInvited { .. })));
}

#[test]
fn ciphertexts_are_handed_over_once_they_are_registered() {
    let world = World::new();
    let (agency, registrar) = (&world.agency, &world.registrar);
    let manifests = (world.submit(agency, 0).digest, world.submit(registrar, 1).digest);
    let refused = world.hand_over(agency).unwrap_err();
    assert!(matches!(refused, SubmissionError::Ledger(_)), "{refused}");
    world.register(Ok(manifests.0), manifests.1);
    world.hand_over(agency).unwrap();
    world.hand_over(registrar).unwrap();
    for folder in ["tax", "registrar"] {
        let files = fs::read_dir(world.board().submissions().join(folder)).unwrap();
        assert_eq!(files.count(), 3, "two chunks and the manifest");
    }
    // Another submission than the registered one.
    fs::remove_dir_all(world.path("out/agency-tax")).unwrap();
    world.submit_as(agency, 0, &mut Slots { columns: 1, given: 1 }).unwrap();
    let refused = world.hand_over(agency).unwrap_err();
    assert!(matches!(refused, SubmissionError::NotRegistered { .. }), "{refused}");
}

#[test]
fn who_is_left_out_hands_nothing_over() {
    let world = World::new();
    world.submit(&world.agency, 0);
    let registrar = world.submit(&world.registrar, 1).digest;
    world.register(Err(Exclusion::TwoSubmissions), registrar);
    let refused = world.hand_over(&world.agency).unwrap_err();
    assert!(matches!(refused, SubmissionError::LeftOut { .. }), "{refused}");
    assert!(!world.board().submissions().join("tax").exists());
}

#[test]
fn levels_are_sealed_to_every_slot_and_are_equally_long() {
    let world = World::new();
    let seal = |identity: &SigningIdentity, output: &Path| {
        let invitation = world.invitation(identity).unwrap();
        let values = |slot: u32| Ok::<_, Infallible>(vec![i64::from(slot), -1]);
        let keys = world.board().letter_keys();
        invitation.seal_levels(&keys, 2, values, output, identity, &world.trust)
    };
    for identity in [&world.agency, &world.registrar] {
        let output = world.path("levels").join(identity.name().file_part());
        let digest = seal(identity, &output).unwrap();
        assert_eq!(seal(identity, &output).unwrap(), digest, "finished is finished");
        let (file, round, context) = (output.join("levels.bt"), &world.round, &world.context);
        let levels = Levels::read(&file, identity.name(), round, context, &world.trust).unwrap();
        let chunks = levels.body.chunks(&file, identity.name(), round, context, &world.trust);
        let chunks = chunks.unwrap();
        let sealed = [chunks.read(0).unwrap().bytes, chunks.read(1).unwrap().bytes].concat();
        let size = levels.body.slot_bytes();
        assert_eq!((levels.body.values, sealed.len()), (2, 3 * size));
        for (slot, (key, sealed)) in (0u32..).zip(world.families.iter().zip(sealed.chunks(size))) {
            let purpose = Purpose::Levels { slot, from: identity.name() };
            let plain = key.open(purpose, context, sealed).unwrap();
            assert_eq!(*plain, [i64::from(slot), -1].map(i64::to_le_bytes).concat());
        }
    }
    let invitation = world.invitation(&world.agency).unwrap();
    let values = |_| Ok::<_, Infallible>(vec![1]);
    let (keys, output) = (world.board().letter_keys(), world.path("short"));
    let refused =
        invitation.seal_levels(&keys, 2, values, &output, &world.agency, &world.trust).unwrap_err();
    assert!(matches!(refused, SubmissionError::Shape { columns: 2, .. }), "{refused}");
}
