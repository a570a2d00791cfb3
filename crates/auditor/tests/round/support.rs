//! A fake engine and a world of parties in one temporary folder.

use blindtier_auditor::{AuditError, Execute, Reference, Report};
use blindtier_dealer::{DealerError, Dealt};
use blindtier_engine::{
    Ceremony, Combine, Encrypt, EngineError, Evaluate, Evaluated, OpenShare, Prepare, Prepared,
    Verify,
};
use blindtier_evaluator::{EvaluatorError, Finished};
use blindtier_family::{FamilyError, LetterKey, Mail};
use blindtier_ledger::{Entry, Event, Exclusion, Ledger, LedgerError, endorsement_path};
use blindtier_policy::*;
use blindtier_registrar::{Announced, Corrects, NewRound, Population, RegistrarError, new_round};
use blindtier_submission::{ColumnSource, Destination, Invitation, SubmissionError, Submitted};
use blindtier_transcript::{BadSubmission, TranscriptError};
use blindtier_trustee::{Agreed, Desk, KeyProgress, OpenProgress, RegisterProgress, TrusteeError};
use blindtier_wire::{
    Board, Chunk, ChunkReader, ChunkWriter, Context, Digest, Engine, Expect, Fault, Kind, Layout,
    LetterKeys, Linkage, Partials, PartyName, Receipt, Roster, RosterFile, RosterLinkage, Round,
    Shares, Sharing, SigningIdentity, Submission, TrustFile, WireError, read, write,
};
use std::convert::Infallible;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use zeroize::Zeroizing;

pub const PLAN: Digest = Digest([2; 32]);
pub const MODULUS: u32 = 256;

/// A vector of bytes: a share of the key, a key or a mask.
pub type Vector = [u8; 32];

/// "Encrypts" by adding the product of a mask and the key, which is the sum of all shares; its public keys hold the key. It
/// shows the flow and hides nothing, but opening it needs every share: each result has a mask of its own.
#[derive(Clone, Copy, Default)]
pub struct Fake {
    pub key: Vector,
    /// An evaluator that lies adds this to every tier.
    pub lie: u8,
    /// A submitter that cheats makes a false proof for the chunk with this binding.
    pub spoil: Option<[u8; 32]>,
    /// An evaluator that cheats looks at no proof.
    pub blind: bool,
    /// An evaluator whose machine fails at the chunk with this seed.
    pub fail: Option<[u8; 32]>,
}

impl Fake {
    pub fn from_key(bytes: &[u8], role: u8) -> Result<Self, EngineError> {
        match bytes.split_first() {
            Some((r, key)) if *r == role => {
                let key = key.try_into().map_err(|_| malformed("key"))?;
                Ok(Self { key, ..Self::default() })
            }
            _ => Err(malformed("key")),
        }
    }
}

fn malformed(what: &'static str) -> EngineError {
    EngineError::Malformed { what, detail: "not as the fake engine makes it".into() }
}

/// What a share (private) comes to: its material from a dealer, otherwise a hash of its key.
pub fn share_vector(key: &[u8; 32], material: &[u8]) -> Vector {
    material.try_into().unwrap_or_else(|_| Digest::of(key).0)
}

fn key_file(role: u8, shares: impl Iterator<Item = Vector>) -> Vec<u8> {
    let mut key = vec![role; 33];
    key[1..].fill(0);
    for share in shares {
        key[1..].iter_mut().zip(share).for_each(|(k, s)| *k = k.wrapping_add(s));
    }
    key
}

fn product(mask: &[u8], vector: &Vector) -> u8 {
    mask.iter().zip(vector).fold(0, |sum, (m, v)| sum.wrapping_add(m.wrapping_mul(*v)))
}

/// Everybody knows the masks of inputs.
fn input_mask(agency: u8, place: usize) -> Vector {
    Digest::of(&[&[agency], &place.to_le_bytes()[..]].concat()).0
}

/// What a chunk ends with if it is bound to its place and nobody changed it.
fn fake_proof(binding: &[u8; 32], values: &[u8]) -> [u8; 32] {
    Digest::of(&[&binding[..], values].concat()).0
}

impl Encrypt for Fake {
    fn encrypt(
        &self,
        submitter: usize,
        columns: &[Vec<i64>],
        binding: &[u8; 32],
    ) -> Result<Vec<u8>, EngineError> {
        let mut bytes = vec![submitter as u8];
        for (place, value) in columns.iter().flatten().enumerate() {
            let mask = input_mask(submitter as u8, place);
            bytes.push((*value as u8).wrapping_add(product(&mask, &self.key)));
        }
        let mut proof = fake_proof(binding, &bytes);
        proof[0] ^= u8::from(self.spoil == Some(*binding));
        bytes.extend_from_slice(&proof);
        Ok(bytes)
    }
}

impl Verify for Fake {
    fn verify(
        &self,
        submitter: usize,
        families: usize,
        chunk: &[u8],
        binding: &[u8; 32],
    ) -> Result<(), EngineError> {
        let (values, proof) = chunk.split_last_chunk::<32>().ok_or_else(|| malformed("chunk"))?;
        if values.len() <= families || (values.len() - 1) % families != 0 {
            return Err(malformed("chunk"));
        }
        if usize::from(values[0]) != submitter || *proof != fake_proof(binding, values) {
            return Err(EngineError::Proof { detail: "of the fake engine".into() });
        }
        Ok(())
    }
}

/// Finds every chunk valid.
struct Blind;

impl Verify for Blind {
    fn verify(&self, _: usize, _: usize, _: &[u8], _: &[u8; 32]) -> Result<(), EngineError> {
        Ok(())
    }
}

impl Evaluate for Fake {
    fn evaluate(
        &self,
        chunk: &blindtier_engine::Chunk<'_>,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<Evaluated, EngineError> {
        if self.fail == Some(chunk.seed) {
            return Err(malformed("machine"));
        }
        let families = chunk.families;
        let mut sums = vec![0_u8; families];
        let mut all = chunk.seed.to_vec();
        // The columns of one that is excluded have the missing values, which are 0.
        for input in chunk.inputs.iter().flatten() {
            let (values, _) = input.split_last_chunk::<32>().ok_or_else(|| malformed("chunk"))?;
            let (submitter, values) = values.split_first().ok_or_else(|| malformed("chunk"))?;
            for (place, value) in values.iter().enumerate() {
                let clear = value.wrapping_sub(product(&input_mask(*submitter, place), &self.key));
                sums[place % families] = sums[place % families].wrapping_add(clear);
            }
            all.extend_from_slice(input);
        }
        progress(families);
        let all = Digest::of(&all);
        let masks: Vec<Vector> =
            (0..families).map(|f| Digest::of(&[&all.0[..], &f.to_le_bytes()].concat()).0).collect();
        let mut results = masks.concat();
        for (sum, mask) in sums.iter().zip(&masks) {
            results.push((sum % 5 + self.lie).wrapping_add(product(mask, &self.key)));
        }
        Ok(Evaluated { results, operations: 2 * families as u64 })
    }
}

impl Prepare for Fake {
    fn prepare(
        &self,
        families: usize,
        results: &[u8],
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<Prepared, EngineError> {
        if results.len() != 33 * families {
            return Err(malformed("result"));
        }
        progress(families);
        let (masks, bodies) = results.split_at(32 * families);
        Ok(Prepared { masks: masks.to_vec(), bodies: bodies.to_vec() })
    }
}

impl Combine for Fake {
    fn pad_modulus(&self) -> u32 {
        MODULUS
    }

    fn combine(
        &self,
        families: usize,
        bodies: &[u8],
        partials: &[&[u8]],
    ) -> Result<Vec<u32>, EngineError> {
        if partials.iter().any(|p| p.len() != families) || bodies.len() != families {
            return Err(malformed("partial decryption"));
        }
        let at = |f: usize| partials.iter().fold(bodies[f], |sum, p| sum.wrapping_add(p[f])).into();
        Ok((0..families).map(at).collect())
    }
}

struct FakeShare(Vector);

impl OpenShare for FakeShare {
    fn partial(&self, families: usize, masks: &[u8], pads: &[u32]) -> Result<Vec<u8>, EngineError> {
        if masks.len() != 32 * families || pads.len() != families {
            return Err(malformed("mask"));
        }
        let one = |(mask, pad): (&[u8], &u32)| (*pad as u8).wrapping_sub(product(mask, &self.0));
        Ok(masks.chunks(32).zip(pads).map(one).collect())
    }
}

impl blindtier_auditor::Engine for Fake {
    fn submitters(&self) -> Vec<usize> {
        AGENCIES.map(|(position, ..)| position).to_vec()
    }

    fn verify(&self, public: &[u8]) -> Result<Box<dyn Verify>, EngineError> {
        let fake = Fake::from_key(public, 1)?;
        Ok(if self.blind { Box::new(Blind) } else { Box::new(fake) })
    }

    fn evaluate(&self, public: &[u8], key: &[u8]) -> Result<Box<dyn Evaluate>, EngineError> {
        let (public, key) = (Fake::from_key(public, 1)?, Fake::from_key(key, 2)?);
        if public.key != key.key {
            return Err(malformed("key"));
        }
        Ok(Box::new(Fake { lie: self.lie, fail: self.fail, ..key }))
    }

    fn prepare(&self, key: &[u8], opening: Option<&[u8]>) -> Result<Box<dyn Prepare>, EngineError> {
        let key = Fake::from_key(key, 2)?;
        match opening.map(|bytes| Fake::from_key(bytes, 3)).transpose()? {
            Some(opening) if opening.key != key.key => Err(malformed("opening key")),
            _ => Ok(Box::new(key)),
        }
    }

    fn combine(&self) -> Result<Box<dyn Combine>, EngineError> {
        Ok(Box::new(*self))
    }
}

impl blindtier_trustee::Engine for Fake {
    fn share(&self, key: &[u8; 32], material: &[u8]) -> Result<Box<dyn OpenShare>, EngineError> {
        Ok(Box::new(FakeShare(share_vector(key, material))))
    }
}

pub struct FakeCeremony;

impl Ceremony for FakeCeremony {
    fn first(&self, common: &[u8; 32], key: &[u8; 32]) -> Result<Vec<u8>, EngineError> {
        let text = Digest::of(&[&common[..], key].concat()).0;
        Ok([share_vector(key, &[]), text].concat())
    }

    fn second(
        &self,
        common: &[u8; 32],
        key: &[u8; 32],
        firsts: &[&[u8]],
    ) -> Result<Vec<u8>, EngineError> {
        Ok(Digest::of(&[&common[..], key, &firsts.concat()].concat()).0.to_vec())
    }

    fn public_key(&self, _: &[u8; 32], firsts: &[&[u8]]) -> Result<Vec<u8>, EngineError> {
        Ok(key_file(1, firsts.iter().map(|first| share_in(first))))
    }

    fn evaluation_key(
        &self,
        _: &[u8; 32],
        firsts: &[&[u8]],
        _: &[&[u8]],
    ) -> Result<Vec<u8>, EngineError> {
        Ok(key_file(2, firsts.iter().map(|first| share_in(first))))
    }
}

fn share_in(first: &[u8]) -> Vector {
    first[..32].try_into().unwrap()
}

/// What an agency knows of person `p<family>a`: a number that depends on the family and the column.
pub fn clear(agency: usize, column: usize, family: usize) -> i64 {
    (family * (3 + agency) + 2 * column + agency) as i64 % 7
}

/// The tier of a family, computed in the clear.
pub fn tier(family: usize) -> u32 {
    tier_without(family, None)
}

/// The same, but for the columns of one agency.
pub fn tier_without(family: usize, excluded: Option<usize>) -> u32 {
    let counted = (0..AGENCIES.len()).filter(|agency| Some(*agency) != excluded);
    let columns = counted.map(|agency| AGENCIES[agency]);
    let sum: i64 = columns.flat_map(|(a, _, n)| (0..n).map(move |c| clear(a, c, family))).sum();
    (sum % 5) as u32
}

/// Position in the policy, identifier, columns.
pub const AGENCIES: [(usize, &str, usize); 2] = [(0, "tax", 2), (2, "health", 1)];

struct Register {
    agency: usize,
    columns: usize,
    /// Family by slot.
    families: Vec<usize>,
}

impl ColumnSource for Register {
    type Error = Infallible;

    fn columns(&self) -> usize {
        self.columns
    }

    fn values(&mut self, slots: Range<u32>) -> Result<Vec<Vec<i64>>, Infallible> {
        let families = &self.families[slots.start as usize..slots.end as usize];
        let column = |c| families.iter().map(|&f| clear(self.agency, c, f)).collect();
        Ok((0..self.columns).map(column).collect())
    }
}

pub fn policy_hash() -> Digest {
    Digest(policy().hash().0)
}

pub fn policy() -> Policy {
    let class = |id: &str| Class { id: id.into(), label: Labels::new() };
    let indicator = |id: &str, agency, per| Indicator {
        id: id.into(),
        label: Labels::new(),
        agency,
        columns: vec![id.into()],
        aggregate: Aggregate::Sum,
        matches: vec![],
        per,
        domain: Domain::Integer { min: 0, max: 6, unit: String::new(), missing: Some(0) },
    };
    Policy {
        name: "test".into(),
        title: Labels::new(),
        tiers: vec![class("low"), class("high")],
        agencies: ["tax", "school", "health"]
            .map(|id| Agency { id: id.into(), label: Labels::new() })
            .to_vec(),
        indicators: vec![indicator("income", 0, Some(Fact::Persons)), indicator("visits", 2, None)],
        concepts: vec![],
        scores: vec![],
        cuts: vec![],
        decision: Decision { from: Variable::Cut(0), tiers: vec![] },
        overrides: vec![],
        opt_out: OptOut::NotOffered,
        reasons: vec![],
    }
}

/// What a world's rounds have in common.
#[derive(Clone, Copy)]
pub struct Shape {
    pub families: usize,
    pub chunk: u32,
    pub sharing: Sharing,
    pub dealer: bool,
    pub deadline: Option<u64>,
}

impl Shape {
    /// Seven families in three chunks.
    pub fn of(sharing: &str, dealer: bool) -> Self {
        let sharing = sharing.parse().unwrap();
        Self { families: 7, chunk: 3, sharing, dealer, deadline: None }
    }
}

pub struct World {
    pub dir: TempDir,
    pub shape: Shape,
    pub registrar: SigningIdentity,
    pub agencies: Vec<SigningIdentity>,
    pub evaluator: SigningIdentity,
    pub dealer: SigningIdentity,
    pub trustees: Vec<SigningIdentity>,
    pub trust: TrustFile,
    pub keys: Vec<LetterKey>,
}

/// One round in a folder of its own: the board, and a folder for each party.
pub struct Files {
    pub root: PathBuf,
    pub board: Board,
    pub announced: Announced,
}

impl World {
    /// 2-of-3 without a dealer.
    pub fn new() -> Self {
        Self::with(Shape::of("2-of-3", false))
    }

    pub fn with(shape: Shape) -> Self {
        let make = |name: PartyName| SigningIdentity::generate(name).unwrap();
        let registrar = make(PartyName::registrar());
        let agencies: Vec<_> =
            AGENCIES.iter().map(|(_, id, _)| make(PartyName::agency(id).unwrap())).collect();
        let evaluator = make(PartyName::evaluator());
        let dealer = make(PartyName::dealer());
        let trustees: Vec<_> = shape.sharing.names().map(make).collect();
        let mut trust = TrustFile::new();
        for party in agencies.iter().chain(&trustees).chain([&registrar, &evaluator, &dealer]) {
            assert!(trust.pin(party.name().clone(), &party.public_key()));
        }
        let keys = (0..shape.families).map(|_| LetterKey::generate().unwrap()).collect();
        let dir = tempfile::tempdir().unwrap();
        Self { dir, shape, registrar, agencies, evaluator, dealer, trustees, trust, keys }
    }

    pub fn trustee(&self, number: u16) -> &SigningIdentity {
        &self.trustees[usize::from(number) - 1]
    }

    /// The numbers of all trustees.
    pub fn all(&self) -> Vec<u16> {
        (1..=u16::from(self.shape.sharing.trustees())).collect()
    }

    /// The population, with these letter keys.
    pub fn population_with(&self, keys: &[String]) -> PathBuf {
        let mut text = "person,family,adult,letter_key\n".to_owned();
        for (family, key) in keys.iter().enumerate() {
            text += &format!("p{family}a,f{family},yes,{key}\n");
            for child in 0..family % 3 {
                text += &format!("p{family}c{child},f{family},no,\n");
            }
        }
        let file = self.dir.path().join("population.csv");
        fs::write(&file, text).unwrap();
        file
    }

    pub fn population(&self) -> PathBuf {
        let keys: Vec<String> = self.keys.iter().map(LetterKey::public_hex).collect();
        self.population_with(&keys)
    }

    pub fn announce_as(&self, root: &Path, population: &Path) -> Result<Announced, RegistrarError> {
        self.announce_on(root, &Board::new(root.join("board")), population, None)
    }

    fn announce_on(
        &self,
        root: &Path,
        board: &Board,
        population: &Path,
        corrects: Option<&Corrects<'_>>,
    ) -> Result<Announced, RegistrarError> {
        let population_file = population;
        let population = &Population::read(population_file, &root.join("registrar"))?;
        new_round(&NewRound {
            policy: &policy(),
            engine: Engine { name: "fake".into(), parameters: "one byte".into() },
            layout: Layout::Folded,
            plan: PLAN,
            chunk: self.shape.chunk,
            sharing: self.shape.sharing,
            dealer: self.shape.dealer,
            submitters: &[0, 2],
            linkage: Linkage::KeyedHash,
            proofs: true,
            deadline: self.shape.deadline,
            corrects,
            statistics: None,
            population,
            population_file,
            opt_outs: None,
            board,
            rosters: &root.join("rosters"),
            private: &root.join("registrar"),
            identity: &self.registrar,
        })
    }

    /// A round that corrects some slots of another one. Its board lies on the other's.
    pub fn announce_correction(&self, name: &str, parent: &Files, slots: &[u32]) -> Files {
        let root = self.dir.path().join(name);
        let keys = parent.board.letter_keys();
        let (round, context) = (parent.round(), parent.context());
        let letter_keys = &LetterKeys::read(&keys, round, context, &self.trust).unwrap();
        let corrects = Corrects { round: context.round, letter_keys, slots };
        let population = self.population();
        let announced =
            self.announce_on(&root, &parent.board, &population, Some(&corrects)).unwrap();
        Files { board: announced.board.clone(), root, announced }
    }

    /// What a registrar can do: say something else of a round that it announced. Nothing of it is written.
    pub fn copy_announced(&self, files: &Files, change: impl FnOnce(&mut Round)) -> Files {
        let Announced { round, persons, rosters, board, .. } = &files.announced;
        let (mut round, board) = (round.clone(), board.clone());
        change(&mut round);
        let context = round.context().unwrap();
        let (persons, rosters) = (*persons, rosters.clone());
        let announced = Announced { round, context, persons, rosters, board: board.clone() };
        Files { board, root: files.root.clone(), announced }
    }

    /// Announces a round with this population.
    pub fn announce_with(&self, name: &str, population: &Path) -> Files {
        let root = self.dir.path().join(name);
        let announced = self.announce_as(&root, population).unwrap();
        Files { board: announced.board.clone(), root, announced }
    }

    pub fn announce(&self, name: &str) -> Files {
        self.announce_with(name, &self.population())
    }

    /// Calls `act` with what a trustee starts from.
    pub fn at_desk<T>(&self, files: &Files, number: u16, act: impl FnOnce(&Desk<'_>) -> T) -> T {
        let identity = self.trustee(number);
        act(&Desk {
            board: &files.board,
            private: &files.private(number),
            policy: policy_hash(),
            plan: PLAN,
            identity,
            trust: &self.trust,
        })
    }

    pub fn make_keys(&self, files: &Files, number: u16) -> Result<KeyProgress, TrusteeError> {
        let ceremony = (!self.shape.dealer).then_some(&FakeCeremony as &dyn Ceremony);
        let sealed = files.path("sealed");
        self.at_desk(files, number, |desk| blindtier_trustee::make_keys(desk, &sealed, ceremony))
    }

    /// A key and its shares.
    pub fn dealt(&self) -> Dealt {
        let shares: Vec<Zeroizing<Vec<u8>>> = (0..self.shape.sharing.shares())
            .map(|_| Zeroizing::new(LetterKey::generate().unwrap().public().to_vec()))
            .collect();
        let key = |role| key_file(role, shares.iter().map(|share| share_in(share)));
        let (public, evaluation, opening) = (key(1), key(2), key(3));
        Dealt { public, evaluation, opening, shares }
    }

    pub fn deal(&self, files: &Files) -> Result<(), DealerError> {
        let (round, context) = (files.round(), files.context());
        let receivers = blindtier_dealer::receivers(&files.board, round, context, &self.trust)?;
        let sealed = files.path("sealed");
        let board = &files.board;
        blindtier_dealer::deal(
            self.dealt(),
            &receivers,
            board,
            &sealed,
            round,
            context,
            &self.dealer,
        )
    }

    /// A round with keys.
    pub fn keyed(&self, name: &str) -> Files {
        let files = self.announce(name);
        self.make_all_keys(&files);
        files
    }

    pub fn make_all_keys(&self, files: &Files) {
        for turn in 0.. {
            let progress: Vec<KeyProgress> =
                self.all().iter().map(|k| self.make_keys(files, *k).unwrap()).collect();
            if progress.iter().all(|p| *p == KeyProgress::Done) {
                return;
            }
            assert!(turn < 8, "{progress:?}");
            if self.shape.dealer && turn == 0 {
                self.deal(files).unwrap();
            }
        }
    }

    pub fn invitation(&self, files: &Files, agency: usize) -> Result<Invitation, SubmissionError> {
        let identity = &self.agencies[agency];
        Invitation::read(&files.board, policy_hash(), PLAN, identity, &self.trust)
    }

    pub fn roster(&self, files: &Files, agency: usize) -> Result<Roster, WireError> {
        let (path, name) = (&files.announced.rosters[agency].1, self.agencies[agency].name());
        Roster::read(path, name, files.round(), files.context(), &self.trust)
    }

    /// The roster as the agency opens it.
    pub fn roster_file(&self, files: &Files, agency: usize) -> Result<RosterFile, WireError> {
        let (path, name) = (&files.announced.rosters[agency].1, self.agencies[agency].name());
        RosterFile::open(path, name, files.round(), files.context(), &self.trust)
    }

    /// The family of every slot.
    pub fn families(&self, files: &Files) -> Vec<usize> {
        let roster = self.roster(files, 0).unwrap();
        let RosterLinkage::Key(key) = &roster.linkage else { panic!("another linkage") };
        let mut families = vec![0; files.round().slots as usize];
        for family in 0..self.shape.families {
            // A correction has some of the families only.
            if let Some(entry) = roster.find(key.pseudonym(&format!("p{family}a"))) {
                families[roster.entries[entry].slot as usize] = family;
            }
        }
        families
    }

    /// Encrypts an agency's columns into its own folder.
    pub fn submit_to(
        &self,
        files: &Files,
        agency: usize,
        output: &Path,
    ) -> Result<Submitted, SubmissionError> {
        self.submit_spoiled(files, agency, output, None)
    }

    /// The same, with a false proof for one chunk.
    pub fn submit_spoiled(
        &self,
        files: &Files,
        agency: usize,
        output: &Path,
        chunk: Option<u32>,
    ) -> Result<Submitted, SubmissionError> {
        let invitation = self.invitation(files, agency)?;
        let (position, _, columns) = AGENCIES[agency];
        let families = self.families(files);
        let public_key = &files.board.public_key();
        let to = Destination { submitter: position, public_key, output };
        let identity = &self.agencies[agency];
        let spoil = chunk.map(|chunk| {
            let (start, count) = files.round().chunking().unwrap().range(chunk);
            files.context().binding(identity.name(), start, count)
        });
        let load = |bytes: &[u8]| {
            Ok(Box::new(Fake { spoil, ..Fake::from_key(bytes, 1)? }) as Box<dyn Encrypt>)
        };
        let mut register = Register { agency: position, columns, families };
        invitation.submit(&to, &mut register, load, identity, &self.trust, |_, _| {})
    }

    pub fn submit(&self, files: &Files, agency: usize) -> Submitted {
        self.submit_to(files, agency, &files.own_submission(agency)).unwrap()
    }

    pub fn hand_over(&self, files: &Files, agency: usize) -> Result<(), SubmissionError> {
        let (from, to) = (files.own_submission(agency), files.submission(agency));
        let invitation = self.invitation(files, agency)?;
        invitation.hand_over(&from, &to, &self.agencies[agency], &self.trust)
    }

    /// An agency's manifest on the board.
    pub fn manifest(&self, files: &Files, agency: usize) -> Submission {
        let path = files.submission(agency).join("submission.bt");
        let (name, round, context) = (self.agencies[agency].name(), files.round(), files.context());
        Submission::read(&path, name, round, context, &self.trust).unwrap().body
    }

    /// What an agency can do: change a manifest and sign it again. Returns its hash.
    pub fn sign_manifest(
        &self,
        files: &Files,
        agency: usize,
        path: &Path,
        change: impl FnOnce(&mut Submission),
    ) -> Digest {
        let (identity, context) = (&self.agencies[agency], files.context());
        let expect = Expect::of(identity.name(), context);
        let mut body = read::<Submission>(path, &expect, &self.trust).unwrap().body;
        change(&mut body);
        write(path, &body, context, identity).unwrap()
    }

    /// One trustee signs the submissions' manifests, which it got from the agencies, at this time.
    pub fn register_with(
        &self,
        files: &Files,
        number: u16,
        agreed: &Agreed<'_>,
        now: u64,
    ) -> Result<RegisterProgress, TrusteeError> {
        let manifests = files.path("agencies");
        self.at_desk(files, number, |desk| {
            blindtier_trustee::register(desk, &manifests, agreed, now)
        })
    }

    pub fn register(&self, files: &Files, number: u16) -> Result<RegisterProgress, TrusteeError> {
        self.register_with(files, number, &Agreed::default(), 0)
    }

    pub fn register_all(&self, files: &Files) {
        let signed = RegisterProgress::Signed { left_out: Vec::new(), signed_two: Vec::new() };
        self.all().iter().for_each(|k| assert_eq!(self.register(files, *k).unwrap(), signed));
    }

    /// What an agency can do before it hands its manifest in: change its chunks and sign all of it. Returns the manifest's hash.
    pub fn resubmit(
        &self,
        files: &Files,
        agency: usize,
        mut change: impl FnMut(u32, &mut Vec<u8>),
    ) -> Digest {
        let (folder, identity) = (files.own_submission(agency), &self.agencies[agency]);
        let (path, name) = (folder.join("submission.bt"), identity.name());
        let (round, context) = (files.round(), files.context());
        let body = Submission::read(&path, name, round, context, &self.trust).unwrap().body;
        let reader = body.chunks(&path, name, round, context, &self.trust).unwrap();
        let chunking = round.chunking().unwrap();
        let mut all: Vec<Chunk> =
            (0..chunking.count()).map(|chunk| reader.read(chunk).unwrap()).collect();
        let kind = Kind::SubmissionChunk;
        let mut writer = ChunkWriter::new(&folder, kind, context, identity, chunking).unwrap();
        for (number, chunk) in (0..).zip(&mut all) {
            change(number, &mut chunk.bytes);
            writer.push(std::mem::take(&mut chunk.bytes), 0).unwrap();
        }
        let chunks = writer.finish().unwrap();
        self.sign_manifest(files, agency, &path, |body| body.chunks = chunks)
    }

    /// A trustee excludes an agency.
    pub fn exclude(
        &self,
        files: &Files,
        number: u16,
        agency: usize,
        reason: Exclusion,
    ) -> Result<(), TrusteeError> {
        let name = self.agencies[agency].name();
        self.at_desk(files, number, |desk| {
            blindtier_trustee::exclude(desk, name, reason, &Fake::default(), 0)
        })
    }

    pub fn exclude_by_all(&self, files: &Files, agency: usize, reason: Exclusion) {
        self.all().iter().for_each(|k| self.exclude(files, *k, agency, reason).unwrap());
    }

    /// Calls something with the evaluator's job.
    pub fn at_evaluation<T>(
        &self,
        files: &Files,
        call: impl FnOnce(&blindtier_evaluator::Job<'_>) -> T,
    ) -> T {
        call(&blindtier_evaluator::Job {
            board: &files.board,
            policy: policy_hash(),
            plan: PLAN,
            identity: &self.evaluator,
            trust: &self.trust,
            state: &self.dir.path().join("evaluator"),
        })
    }

    pub fn evaluate_with(&self, files: &Files, engine: Fake) -> Result<Finished, EvaluatorError> {
        self.at_evaluation(files, |job| {
            blindtier_evaluator::run(job, &engine, &|_, done, total| assert!(done <= total))
        })
    }

    pub fn evaluate(&self, files: &Files) -> Result<Finished, EvaluatorError> {
        self.evaluate_with(files, Fake::default())
    }

    pub fn open(&self, files: &Files, number: u16) -> Result<OpenProgress, TrusteeError> {
        let letters = files.letters(number);
        let progress = |_, done, total| assert!(done <= total);
        // Nobody waits for those that have not committed.
        let absent: Vec<PartyName> = self
            .shape
            .sharing
            .names()
            .filter(|name| name.trustee_number() != Some(number))
            .filter(|name| !files.board.partials(name).join("partials.bt").exists())
            .collect();
        self.at_desk(files, number, |desk| {
            blindtier_trustee::open(desk, &letters, &absent, &Fake::default(), &progress)
        })
    }

    /// Lets these trustees go on until nothing changes any more.
    pub fn open_by(&self, files: &Files, who: &[u16]) -> Result<Vec<OpenProgress>, TrusteeError> {
        let mut before = (Vec::new(), 0);
        loop {
            let now = who.iter().map(|k| self.open(files, *k)).collect::<Result<Vec<_>, _>>()?;
            let now = (now, files.all().len());
            if now == before {
                return Ok(now.0);
            }
            before = now;
        }
    }

    /// These trustees commit at the same time, before one of them sees another's manifest and lists it.
    pub fn commit_by(&self, files: &Files, who: &[u16]) {
        let aside = files.path("aside");
        fs::create_dir_all(&aside).unwrap();
        for number in who {
            assert_eq!(self.open(files, *number).unwrap(), OpenProgress::Committed);
            let name = self.trustee(*number).name();
            fs::rename(files.board.partials(name), aside.join(name.file_part())).unwrap();
        }
        for number in who {
            let name = self.trustee(*number).name();
            fs::rename(aside.join(name.file_part()), files.board.partials(name)).unwrap();
        }
    }

    pub fn ledger(&self, files: &Files) -> Result<Ledger, LedgerError> {
        Ledger::read(&files.board.ledger(), files.round(), files.context(), &self.trust)
    }

    /// A trustee signs an event as the next entry, as the ledger's rules and its own record allow.
    pub fn endorse(&self, files: &Files, number: u16, event: Event) -> Result<Entry, LedgerError> {
        let (round, context) = (files.round(), files.context());
        let (private, identity) = (files.private(number), self.trustee(number));
        self.ledger(files)?.endorse(event, round, context, &private, identity)
    }

    /// Trustees sign an event as the next entry, whatever the rules say.
    pub fn force(&self, files: &Files, who: &[u16], event: &Event) {
        let ledger = self.ledger(files).unwrap();
        let index = u32::try_from(ledger.entries().len()).unwrap();
        let entry = Entry { index, previous: ledger.head(), event: event.clone() };
        who.iter().for_each(|number| self.sign_entry(files, *number, &entry));
    }

    pub fn sign_entry(&self, files: &Files, number: u16, entry: &Entry) {
        let identity = self.trustee(number);
        let path = endorsement_path(&files.board.ledger(), entry.index, identity.name());
        write(&path, entry, files.context(), identity).unwrap();
    }

    pub fn mail_of<'a>(&'a self, files: &'a Files, folder: &Path) -> Result<Mail<'a>, FamilyError> {
        Mail::open(&files.board, folder, policy_hash(), MODULUS, &self.trust)
    }

    pub fn mail<'a>(&'a self, files: &'a Files) -> Result<Mail<'a>, FamilyError> {
        self.mail_of(files, &files.path("letters"))
    }

    /// Every family gets its tier, and has nothing to complain about.
    #[track_caller]
    pub fn check_letters(&self, files: &Files) {
        self.check_letters_without(files, None);
    }

    /// The same, with an agency excluded.
    #[track_caller]
    pub fn check_letters_without(&self, files: &Files, excluded: Option<usize>) {
        let letters = self.mail(files).unwrap().read_all(&self.keys).unwrap();
        let names: Vec<&PartyName> = excluded.iter().map(|a| self.agencies[*a].name()).collect();
        for (family, letter) in letters.iter().enumerate() {
            assert_eq!(letter.code, tier_without(family, excluded), "family {family}");
            assert!(letter.complaints.is_empty(), "{}", letter.complaints[0]);
            assert!(letter.excluded.iter().eq(names.iter().copied()), "{:?}", letter.excluded);
            assert_eq!(letter.corrected, None);
        }
    }

    pub fn audit_with(
        &self,
        board: &Board,
        head: Option<Digest>,
        execute: &Execute,
    ) -> Result<Report, AuditError> {
        let reference = Reference { policy: policy_hash(), plan: PLAN, trust: &self.trust, head };
        blindtier_auditor::verify(board, &reference, execute, &Fake::default())
    }

    pub fn audit(&self, files: &Files, recompute: &[u32]) -> Result<Report, AuditError> {
        self.audit_with(&files.board, None, &Execute::Chunks(recompute.to_vec()))
    }

    /// A round with keys in which every agency has encrypted.
    pub fn encrypted(&self, name: &str) -> Files {
        let files = self.keyed(name);
        (0..AGENCIES.len()).for_each(|agency| drop(self.submit(&files, agency)));
        files
    }

    /// All submissions are registered and handed over.
    pub fn register_and_hand_over(&self, files: &Files) {
        self.register_all(files);
        (0..AGENCIES.len()).for_each(|agency| self.hand_over(files, agency).unwrap());
    }

    /// A round whose submissions are registered and handed over.
    pub fn submitted(&self, name: &str) -> Files {
        let files = self.encrypted(name);
        self.register_and_hand_over(&files);
        files
    }

    /// A round with results.
    pub fn evaluated(&self, name: &str) -> Files {
        let files = self.submitted(name);
        self.evaluate(&files).unwrap();
        files
    }

    /// A round that all trustees opened, with letters of all.
    pub fn finished(&self, name: &str) -> Files {
        let files = self.evaluated(name);
        self.open_by_all(&files);
        files
    }

    /// All trustees open.
    pub fn open_by_all(&self, files: &Files) {
        let progress = self.open_by(files, &self.all()).unwrap();
        assert!(progress.iter().all(is_done), "{progress:?}");
    }

    /// A copy of everything of a round.
    pub fn copy(&self, files: &Files, name: &str) -> Files {
        let root = self.dir.path().join(name);
        copy_folder(&files.root, &root);
        let Announced { round, context, persons, rosters, .. } = &files.announced;
        let rosters = rosters
            .iter()
            .map(|(name, path)| (name.clone(), root.join(path.strip_prefix(&files.root).unwrap())))
            .collect();
        let (round, context) = (round.clone(), context.clone());
        let board = Board::new(root.join(files.board.folder().strip_prefix(&files.root).unwrap()));
        let announced =
            Announced { round, context, persons: *persons, rosters, board: board.clone() };
        Files { board, root, announced }
    }

    /// A trustee's shares (private).
    pub fn shares(&self, files: &Files, number: u16) -> Shares {
        let expect = Expect::of(self.trustee(number).name(), files.context());
        read::<Shares>(&files.private(number).join("shares.bt"), &expect, &self.trust).unwrap().body
    }

    pub fn receipt(&self, files: &Files) -> Receipt {
        let path = files.board.receipt();
        Receipt::read(&path, files.round(), files.context(), &self.trust).unwrap().body
    }

    /// What an evaluator can do: change its receipt and sign it again.
    pub fn sign_receipt_anew(&self, files: &Files, change: impl FnOnce(&mut Receipt)) {
        let mut receipt = self.receipt(files);
        change(&mut receipt);
        write(&files.board.receipt(), &receipt, files.context(), &self.evaluator).unwrap();
    }

    /// What a trustee can do before its manifest is in the ledger, and after it to its own files: change its partial
    /// decryptions and commitments, chunk by chunk, and sign all of it.
    pub fn recommit(
        &self,
        files: &Files,
        number: u16,
        mut change: impl FnMut(u32, &mut blindtier_wire::PartialChunk, &mut Vec<u8>),
    ) {
        let mut manifest = self.partials(files, number);
        let (partials, commitments) = self.hidden(files, number);
        let mut writers =
            [("partials", Kind::PartialChunk), ("commitments", Kind::CommitmentChunk)].map(
                |(folder, kind)| {
                    let folder = files.hidden(number).join(folder);
                    let chunking = files.round().chunking().unwrap();
                    ChunkWriter::new(&folder, kind, files.context(), self.trustee(number), chunking)
                        .unwrap()
                },
            );
        for (number, (partial, commitment)) in (0..).zip(partials.iter().zip(commitments)) {
            let mut body = blindtier_wire::PartialChunk::from_bytes(&partial.bytes).unwrap();
            let mut committed = commitment.bytes;
            change(number, &mut body, &mut committed);
            writers[0].push(body.to_bytes().unwrap(), 0).unwrap();
            writers[1].push(committed, 0).unwrap();
        }
        [manifest.partials, manifest.commitments] = writers.map(|writer| writer.finish().unwrap());
        self.sign_partials(files, number, &manifest);
    }

    pub fn partials(&self, files: &Files, number: u16) -> Partials {
        let name = self.trustee(number).name();
        let path = files.board.partials(name).join("partials.bt");
        Partials::read(&path, name, files.round(), files.context(), &self.trust).unwrap().body
    }

    pub fn sign_partials(&self, files: &Files, number: u16, manifest: &Partials) {
        let identity = self.trustee(number);
        let path = files.board.partials(identity.name()).join("partials.bt");
        write(&path, manifest, files.context(), identity).unwrap();
    }

    /// A trustee's chunks of partial decryptions and of commitments in its private folder.
    pub fn hidden(&self, files: &Files, number: u16) -> (Vec<Chunk>, Vec<Chunk>) {
        let manifest = self.partials(files, number);
        let read = |folder: &str, kind, digests: Vec<Digest>| {
            let beside = files.hidden(number).join(folder).join("manifest");
            let (name, chunking) = (self.trustee(number).name(), files.round().chunking().unwrap());
            let trust = &self.trust;
            let reader =
                ChunkReader::new(&beside, kind, name, files.context(), chunking, digests, trust)
                    .unwrap();
            (0..chunking.count()).map(|chunk| reader.read(chunk).unwrap()).collect()
        };
        (
            read("partials", Kind::PartialChunk, manifest.partials),
            read("commitments", Kind::CommitmentChunk, manifest.commitments),
        )
    }
}

/// Alters a file.
pub fn spoil_file(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

pub fn is_done(progress: &OpenProgress) -> bool {
    matches!(progress, OpenProgress::Done { .. })
}

pub fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// Every file below a folder, and no temporary one among them.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else {
                let text = path.display().to_string();
                assert!(!text.contains("unfinished"), "left behind: {text}");
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(folder, &mut found);
    found.sort();
    found
}

impl Files {
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub fn round(&self) -> &Round {
        &self.announced.round
    }

    pub fn context(&self) -> &Context {
        &self.announced.context
    }

    /// A trustee's own folder.
    pub fn private(&self, number: u16) -> PathBuf {
        self.root.join(format!("trustee-{number}"))
    }

    /// Where a trustee's partial decryptions wait.
    pub fn hidden(&self, number: u16) -> PathBuf {
        self.private(number).join(format!("opening-{}", self.context().round))
    }

    /// A trustee's letters, for the families.
    pub fn letters(&self, number: u16) -> PathBuf {
        self.path("letters").join(format!("trustee-{number}"))
    }

    /// What an agency made, in its own folder.
    pub fn own_submission(&self, agency: usize) -> PathBuf {
        self.path("agencies").join(AGENCIES[agency].1)
    }

    /// What an agency handed over.
    pub fn submission(&self, agency: usize) -> PathBuf {
        self.board.submissions().join(AGENCIES[agency].1)
    }

    /// Every file of the round.
    pub fn all(&self) -> Vec<PathBuf> {
        files_below(&self.root)
    }
}

/// The submissions that cannot be used, as the evaluator says.
pub fn bad_submissions(error: EvaluatorError) -> Vec<BadSubmission> {
    match error {
        EvaluatorError::Transcript(TranscriptError::Submissions(bad)) => bad,
        other => panic!("{other}"),
    }
}

/// The names of parties.
pub fn names(parties: &[PartyName]) -> Vec<&str> {
    parties.iter().map(PartyName::as_str).collect()
}

/// The error names this file and party, and the fault is of this kind.
#[track_caller]
pub fn expect(error: &WireError, file: &Path, culprit: &str, kind: fn(&Fault) -> bool) {
    let text = error.to_string();
    assert_eq!(error.file(), Some(file), "{text}");
    assert_eq!(error.culprit().map(|c| c.as_str()), Some(culprit), "{text}");
    assert!(error.fault().is_some_and(kind), "{text}");
    assert!(text.contains(&file.display().to_string()) && text.contains(culprit), "{text}");
}
