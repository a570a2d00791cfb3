//! A fake engine and a world of parties in one temporary folder.

use blindtier_agency::{
    AgencyError, ColumnSource, Destination, Invitation, InvitationFiles, Submitted,
};
use blindtier_auditor::{AuditError, Report};
use blindtier_engine::{Encrypt, EngineError, Evaluate, Evaluated, Open};
use blindtier_evaluator::{EvaluatorError, Finished};
use blindtier_family::{FamilyError, LetterKey, Mail};
use blindtier_policy::*;
use blindtier_registrar::{Announced, NewRound, Population, RegistrarError, new_round};
use blindtier_trustee::{KeyFiles, Keys, Opened, TrusteeError, store_keys};
use blindtier_wire::{Digest, Engine, Layout, PartyName, SigningIdentity, TrustFile};
use std::convert::Infallible;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use zeroize::Zeroizing;

pub const FAMILIES: usize = 7;
pub const CHUNK: u32 = 3;
pub const PLAN: Digest = Digest([2; 32]);

/// "Encrypts" by adding one secret byte, which all three of its keys hold: it shows the flow and hides nothing.
#[derive(Clone, Copy)]
pub struct Fake {
    pub key: u8,
    /// An evaluator that lies adds this to every tier.
    pub lie: u8,
}

impl Fake {
    pub fn from_key(bytes: &[u8], role: u8) -> Result<Self, EngineError> {
        match bytes {
            [r, key] if *r == role => Ok(Self { key: *key, lie: 0 }),
            _ => Err(EngineError::Malformed {
                what: "key",
                detail: format!("{} bytes", bytes.len()),
            }),
        }
    }
}

impl Encrypt for Fake {
    fn encrypt(&self, agency: usize, columns: &[Vec<i64>]) -> Result<Vec<u8>, EngineError> {
        let mut bytes = vec![agency as u8];
        for value in columns.iter().flatten() {
            bytes.push((*value as u8).wrapping_add(self.key));
        }
        Ok(bytes)
    }
}

impl Evaluate for Fake {
    fn evaluate(
        &self,
        families: usize,
        inputs: &[&[u8]],
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<Evaluated, EngineError> {
        let mut sums = vec![0_u8; families];
        for input in inputs {
            let (_, values) = input
                .split_first()
                .ok_or(EngineError::Malformed { what: "chunk", detail: "empty".into() })?;
            if values.len() % families != 0 {
                return Err(EngineError::Shape {
                    what: "values",
                    expected: families,
                    found: values.len(),
                });
            }
            for (place, value) in values.iter().enumerate() {
                sums[place % families] =
                    sums[place % families].wrapping_add(value.wrapping_sub(self.key));
            }
        }
        progress(families);
        let results = sums.iter().map(|s| (s % 5 + self.lie).wrapping_add(self.key)).collect();
        Ok(Evaluated { results, operations: 2 * families as u64 })
    }
}

impl Open for Fake {
    fn open(&self, families: usize, results: &[u8]) -> Result<Vec<u8>, EngineError> {
        if results.len() != families {
            return Err(EngineError::Shape {
                what: "results",
                expected: families,
                found: results.len(),
            });
        }
        let codes: Vec<u8> = results.iter().map(|r| r.wrapping_sub(self.key)).collect();
        match codes.iter().position(|c| *c >= 16) {
            Some(slot) => Err(EngineError::NotATier { slot }),
            None => Ok(codes),
        }
    }
}

/// What an agency knows of person `p<family>a`: a number that depends on the family and the column.
pub fn clear(agency: usize, column: usize, family: usize) -> i64 {
    (family * (3 + agency) + 2 * column + agency) as i64 % 7
}

/// The tier of a family, computed in the clear.
pub fn tier(family: usize) -> u8 {
    let sum: i64 =
        AGENCIES.iter().flat_map(|&(a, _, n)| (0..n).map(move |c| clear(a, c, family))).sum();
    (sum % 5) as u8
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
        domain: Domain::Integer { min: 0, max: 6, unit: String::new(), missing: 0 },
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

pub struct World {
    pub dir: TempDir,
    pub registrar: SigningIdentity,
    pub agencies: Vec<SigningIdentity>,
    pub evaluator: SigningIdentity,
    pub trustee: SigningIdentity,
    pub trust: TrustFile,
    pub keys: Vec<LetterKey>,
}

/// One round in a folder of its own.
pub struct Files {
    pub root: PathBuf,
    pub announced: Announced,
    pub keys: KeyFiles,
}

impl World {
    pub fn new() -> Self {
        let make = |name: PartyName| SigningIdentity::generate(name).unwrap();
        let registrar = make(PartyName::registrar());
        let agencies: Vec<_> =
            AGENCIES.iter().map(|(_, id, _)| make(PartyName::agency(id).unwrap())).collect();
        let evaluator = make(PartyName::evaluator());
        let trustee = make(PartyName::trustee(1));
        let mut trust = TrustFile::new();
        for party in agencies.iter().chain([&registrar, &evaluator, &trustee]) {
            assert!(trust.pin(party.name().clone(), &party.public_key()));
        }
        let keys = (0..FAMILIES).map(|_| LetterKey::generate().unwrap()).collect();
        let dir = tempfile::tempdir().unwrap();
        Self { dir, registrar, agencies, evaluator, trustee, trust, keys }
    }

    pub fn population(&self) -> PathBuf {
        let mut text = "person,family,adult,letter_key\n".to_owned();
        for (family, key) in self.keys.iter().enumerate() {
            text += &format!("p{family}a,f{family},yes,{}\n", key.public_hex());
            for child in 0..family % 3 {
                text += &format!("p{family}c{child},f{family},no,\n");
            }
        }
        let file = self.dir.path().join("population.csv");
        fs::write(&file, text).unwrap();
        file
    }

    pub fn announce_as(&self, root: &Path, population: &Path) -> Result<Announced, RegistrarError> {
        let population_file = population;
        let population = &Population::read(population_file)?;
        new_round(&NewRound {
            policy: &policy(),
            engine: Engine { name: "fake".into(), parameters: "one byte".into() },
            layout: Layout::Folded,
            plan: PLAN,
            chunk: CHUNK,
            agencies: &[0, 2],
            population,
            population_file,
            output: &root.join("public"),
            identity: &self.registrar,
        })
    }

    /// Announces a round and makes its keys.
    pub fn announce(&self, name: &str) -> Files {
        let root = self.dir.path().join(name);
        let announced = self.announce_as(&root, &self.population()).unwrap();
        let keys = Keys {
            secret: Zeroizing::new(vec![3, 77]),
            public: vec![1, 77],
            evaluation: vec![2, 77],
        };
        let keys = store_keys(
            keys,
            &root.join("trustee"),
            &root.join("public"),
            &announced.context,
            &self.trustee,
        )
        .unwrap();
        Files { root, announced, keys }
    }

    pub fn invitation(&self, files: &Files, agency: usize) -> Result<Invitation, AgencyError> {
        let paths = InvitationFiles {
            round: &files.path("public/round.bt"),
            roster: &files.announced.rosters[agency].1,
            policy: policy_hash(),
            plan: PLAN,
        };
        Invitation::read(&paths, &self.agencies[agency], &self.trust)
    }

    pub fn submit_to(
        &self,
        files: &Files,
        agency: usize,
        output: &Path,
    ) -> Result<Submitted, AgencyError> {
        let invitation = self.invitation(files, agency)?;
        let (position, _, columns) = AGENCIES[agency];
        let mut families = vec![0; FAMILIES];
        for family in 0..FAMILIES {
            let entry = invitation.roster.find(&format!("p{family}a")).unwrap();
            families[invitation.roster.entries[entry].slot as usize] = family;
        }
        let to = Destination {
            agency: position,
            trustee: self.trustee.name(),
            public_key: &files.keys.public,
            output,
        };
        let load = |bytes: &[u8]| Ok(Box::new(Fake::from_key(bytes, 1)?) as Box<dyn Encrypt>);
        let mut register = Register { agency: position, columns, families };
        invitation.submit(&to, &mut register, load, &self.agencies[agency], &self.trust, |_, _| {})
    }

    pub fn submit(&self, files: &Files, agency: usize) -> Submitted {
        self.submit_to(files, agency, &files.submission(agency)).unwrap()
    }

    pub fn evaluate_with(&self, files: &Files, lie: u8) -> Result<Finished, EvaluatorError> {
        let (round, submissions) = (files.path("public/round.bt"), files.path("submissions"));
        let (state, output) = (files.path("evaluator"), files.path("results"));
        let job = blindtier_evaluator::Job {
            round: &round,
            policy: policy_hash(),
            plan: PLAN,
            trustee: self.trustee.name(),
            evaluation_key: &files.keys.evaluation,
            submissions: &submissions,
            state: &state,
            output: &output,
            identity: &self.evaluator,
            trust: &self.trust,
        };
        let load = |bytes: &[u8]| {
            Ok(Box::new(Fake { lie, ..Fake::from_key(bytes, 2)? }) as Box<dyn Evaluate>)
        };
        blindtier_evaluator::run(&job, load, &|done, total| assert!(done <= total))
    }

    pub fn evaluate(&self, files: &Files) -> Result<Finished, EvaluatorError> {
        self.evaluate_with(files, 0)
    }

    pub fn open_to(&self, files: &Files, output: &str) -> Result<Opened, TrusteeError> {
        self.open_with(files, output, 0)
    }

    /// With a trustee whose own computation lies as well, as if the submissions came to that.
    pub fn open_with(&self, files: &Files, output: &str, lie: u8) -> Result<Opened, TrusteeError> {
        let (round, letter_keys) =
            (files.path("public/round.bt"), files.path("public/letter-keys.bt"));
        let (receipt, state) = (files.path("results/receipt.bt"), files.path("trustee"));
        let submissions = files.path("submissions");
        let output = files.path(output);
        let job = blindtier_trustee::Job {
            round: &round,
            policy: policy_hash(),
            plan: PLAN,
            letter_keys: &letter_keys,
            secret_key: &files.keys.secret,
            evaluation_key: &files.keys.evaluation,
            submissions: &submissions,
            receipt: &receipt,
            state: &state,
            output: &output,
            identity: &self.trustee,
            trust: &self.trust,
        };
        let engines = blindtier_trustee::Engines {
            evaluate: |bytes: &[u8]| {
                Ok(Box::new(Fake { lie, ..Fake::from_key(bytes, 2)? }) as Box<dyn Evaluate>)
            },
            open: |bytes: &[u8]| Ok(Box::new(Fake::from_key(bytes, 3)?) as Box<dyn Open>),
        };
        blindtier_trustee::open(&job, engines, &|_, done, total| assert!(done <= total))
    }

    pub fn open(&self, files: &Files) -> Result<Opened, TrusteeError> {
        self.open_to(files, "letters")
    }

    pub fn mail(&self, files: &Files) -> Result<Mail<'_>, FamilyError> {
        let paths = blindtier_family::Files {
            round: &files.path("public/round.bt"),
            letter_keys: &files.path("public/letter-keys.bt"),
            letters: &files.path("letters/letters.bt"),
        };
        Mail::open(&paths, self.trustee.name(), policy_hash(), &self.trust)
    }

    pub fn audit(&self, files: &Files, recompute: &[u32]) -> Result<Report, AuditError> {
        let letters = files.path("letters/letters.bt");
        let paths = blindtier_auditor::Files {
            round: &files.path("public/round.bt"),
            letter_keys: &files.path("public/letter-keys.bt"),
            public_key: &files.keys.public,
            evaluation_key: &files.keys.evaluation,
            submissions: &files.path("submissions"),
            receipt: &files.path("results/receipt.bt"),
            letters: letters.exists().then_some(letters.as_path()),
        };
        let reference = blindtier_auditor::Reference {
            policy: policy_hash(),
            plan: PLAN,
            trustee: self.trustee.name(),
            trust: &self.trust,
        };
        let load = |bytes: &[u8]| Ok(Box::new(Fake::from_key(bytes, 2)?) as Box<dyn Evaluate>);
        blindtier_auditor::verify(&paths, &reference, recompute, load)
    }

    /// A round with both submissions.
    pub fn submitted(&self, name: &str) -> Files {
        let files = self.announce(name);
        for agency in 0..AGENCIES.len() {
            self.submit(&files, agency);
        }
        files
    }

    /// A round with letters.
    pub fn finished(&self, name: &str) -> Files {
        let files = self.submitted(name);
        self.evaluate(&files).unwrap();
        self.open(&files).unwrap();
        files
    }
}

impl Files {
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub fn submission(&self, agency: usize) -> PathBuf {
        self.path("submissions").join(AGENCIES[agency].1)
    }

    /// Every file below the round's folder, and no temporary one among them.
    pub fn all(&self) -> Vec<PathBuf> {
        fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, found);
                } else {
                    assert!(
                        !path.to_string_lossy().contains("unfinished"),
                        "left behind: {}",
                        path.display()
                    );
                    found.push(path);
                }
            }
        }
        let mut found = Vec::new();
        walk(&self.root, &mut found);
        found.sort();
        found
    }
}
