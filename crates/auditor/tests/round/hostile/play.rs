//! One round with all its parties, step by step.

use super::case::Values;
use super::engine::{SUBMITTERS, Strict};
use super::setting::register_policy;
use crate::support::{
    AGENCIES, Files, MODULUS, PLAN, World, copy_folder, is_done, policy_hash, tier_without,
};
use blindtier_agency::{AgencyError, Pseudonyms, Register, RegisterColumns};
use blindtier_auditor::{AuditError, Execute, Reference};
use blindtier_evaluator::EvaluatorError;
use blindtier_family::{FamilyError, Mail};
use blindtier_ledger::{Exclusion, LedgerError};
use blindtier_policy::Policy;
use blindtier_registrar::{RegistrarColumns, RegistrarError};
use blindtier_submission::{ColumnSource, Destination, Invitation, SubmissionError};
use blindtier_trustee::{Agreed, RegisterProgress, TrusteeError};
use blindtier_wire::{OptOuts, PartyName, RosterFile, SigningIdentity, WireError};
use serde::Deserialize;
use std::convert::Infallible;
use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

/// The steps of a round, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Agencies read their rosters and registers and make their requests.
    Link,
    /// The registrar answers.
    Answer,
    /// Agencies take the blinding off.
    TakeAnswer,
    /// Agencies read their registers.
    RegisterCsv,
    /// Agencies, and the registrar, encrypt.
    Submit,
    /// They seal levels to the families.
    Seal,
    /// Trustees sign the list of submissions.
    Register,
    /// Ciphertexts go onto the board.
    HandOver,
    /// Trustees exclude somebody; nobody, usually.
    Exclude,
    /// The evaluator checks and computes.
    Evaluate,
    /// Trustees check and recompute, and commit.
    Recompute,
    /// Trustees open.
    Open,
    /// The auditor checks everything.
    Audit,
    /// Families read their letters.
    Read,
}

impl Step {
    pub const ALL: [Self; 14] = [
        Self::Link,
        Self::Answer,
        Self::TakeAnswer,
        Self::RegisterCsv,
        Self::Submit,
        Self::Seal,
        Self::Register,
        Self::HandOver,
        Self::Exclude,
        Self::Evaluate,
        Self::Recompute,
        Self::Open,
        Self::Audit,
        Self::Read,
    ];
}

/// Who takes part in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    Agency(usize),
    Registrar,
    Trustee(u16),
    Evaluator,
    Auditor,
    Families,
}

/// What a party says when it does not go on.
pub struct Refusal {
    pub culprits: Vec<String>,
    pub text: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.text, self.culprits.join(", "))
    }
}

macro_rules! refusals {
    ($($error:ty),*) => {$(
        impl From<$error> for Refusal {
            fn from(error: $error) -> Self {
                let culprits = error.culprits().iter().map(PartyName::to_string).collect();
                Self { culprits, text: error.to_string() }
            }
        }
    )*};
}

refusals!(
    AgencyError,
    AuditError,
    EvaluatorError,
    FamilyError,
    LedgerError,
    RegistrarError,
    SubmissionError,
    TrusteeError
);

impl From<WireError> for Refusal {
    fn from(error: WireError) -> Self {
        LedgerError::from(error).into()
    }
}

/// A round in a folder of its own, and what in it is not as usual.
pub struct Play<'w> {
    pub world: &'w World,
    pub files: Files,
    /// The round before, of the same parties, up to its evaluation.
    pub last: &'w Files,
    /// The policy as agencies read their registers by it: the world's, and a column of categories.
    policy: Policy,
    /// Parties that look away.
    pub accomplices: Vec<String>,
    /// When trustees look at submissions.
    pub now: u64,
    /// Whom the trustees agreed to leave out.
    pub leave_out: Vec<PartyName>,
    /// What tax makes of its values.
    pub altered: Values,
    /// Whom trustees exclude before the evaluation.
    pub exclude: Option<(PartyName, Exclusion)>,
}

/// Columns that are not what they should be.
struct Altered<S> {
    source: S,
    how: Values,
}

impl<S: ColumnSource> ColumnSource for Altered<S> {
    type Error = S::Error;

    fn columns(&self) -> usize {
        self.how.columns.unwrap_or(self.source.columns())
    }

    fn values(&mut self, slots: Range<u32>) -> Result<Vec<Vec<i64>>, S::Error> {
        let mut values = self.source.values(slots.clone())?;
        for column in &mut values {
            for (slot, value) in slots.clone().zip(column) {
                if self.how.slot.is_none_or(|only| only == slot) {
                    *value += self.how.add;
                }
            }
        }
        values.resize(self.columns(), vec![0; slots.len()]);
        Ok(values)
    }
}

fn quiet(done: u64, all: u64) {
    assert!(done <= all);
}

impl<'w> Play<'w> {
    pub fn new(world: &'w World, files: Files, last: &'w Files) -> Self {
        Self {
            world,
            files,
            last,
            policy: register_policy(),
            accomplices: Vec::new(),
            now: 0,
            leave_out: Vec::new(),
            altered: Values::default(),
            exclude: None,
        }
    }

    /// From now on everybody is honest, but for those who look away.
    pub fn amend(&mut self) {
        self.now = 0;
        self.altered = Values::default();
        self.exclude = None;
    }

    /// Who takes part in a step, one after the other.
    pub fn actors(&self, step: Step) -> Vec<Actor> {
        let agencies = || (0..AGENCIES.len()).map(Actor::Agency);
        let submitters = || agencies().chain([Actor::Registrar]);
        let trustees = || self.world.all().into_iter().map(Actor::Trustee);
        match step {
            Step::Link | Step::Answer | Step::TakeAnswer | Step::RegisterCsv => {
                agencies().collect()
            }
            Step::Submit | Step::Seal => submitters().collect(),
            Step::HandOver => submitters().filter(|actor| !self.is_left_out(*actor)).collect(),
            Step::Exclude if self.exclude.is_none() => Vec::new(),
            Step::Register | Step::Exclude | Step::Recompute => trustees().collect(),
            Step::Open => vec![Actor::Trustee(1)],
            Step::Evaluate => vec![Actor::Evaluator],
            Step::Audit => vec![Actor::Auditor],
            Step::Read => vec![Actor::Families],
        }
    }

    fn is_left_out(&self, actor: Actor) -> bool {
        let ledger = self.world.ledger(&self.files).unwrap();
        ledger.exclusions().any(|(name, _)| name == self.identity(actor).name())
    }

    pub fn identity(&self, actor: Actor) -> &'w SigningIdentity {
        match actor {
            Actor::Agency(agency) => &self.world.agencies[agency],
            Actor::Registrar => &self.world.registrar,
            Actor::Trustee(number) => self.world.trustee(number),
            Actor::Evaluator => &self.world.evaluator,
            Actor::Auditor | Actor::Families => panic!("{actor:?} signs nothing"),
        }
    }

    /// The identity with this name.
    pub fn named(&self, name: &str) -> &'w SigningIdentity {
        let agencies = (0..AGENCIES.len()).map(Actor::Agency);
        let trustees = self.world.all().into_iter().map(Actor::Trustee);
        let mut all = agencies.chain(trustees).chain([Actor::Registrar, Actor::Evaluator]);
        self.identity(all.find(|actor| self.identity(*actor).name().as_str() == name).unwrap())
    }

    /// One party's part of a step.
    pub fn act(&self, step: Step, actor: Actor) -> Result<(), Refusal> {
        match (step, actor) {
            (Step::Link, Actor::Agency(agency)) => self.link(agency),
            (Step::Answer, Actor::Agency(agency)) => self.answer(agency),
            (Step::TakeAnswer, Actor::Agency(agency)) => {
                let roster = self.world.roster_file(&self.files, agency)?;
                self.pseudonyms(agency, &roster).map(drop)
            }
            (Step::RegisterCsv, Actor::Agency(agency)) => self.with_register(agency, |_| Ok(())),
            (Step::Submit, _) => self.submit(actor),
            (Step::Seal, _) => self.seal(actor),
            (Step::Register, Actor::Trustee(number)) => self.register(number),
            (Step::HandOver, _) => {
                let (from, to) = (self.own(actor), self.files.board.submissions());
                let identity = self.identity(actor);
                let to = to.join(identity.name().submitter_folder());
                if self.accomplices.iter().any(|name| name == identity.name().as_str()) {
                    // By a program of its own, which does not compare what it sends.
                    copy_folder(&from, &to);
                    return Ok(());
                }
                let invitation = self.invitation(actor)?;
                Ok(invitation.hand_over(&from, &to, identity, &self.world.trust)?)
            }
            (Step::Exclude, Actor::Trustee(number)) => {
                let (submitter, reason) = self.exclude.as_ref().unwrap();
                self.exclude(number, submitter, *reason)
            }
            (Step::Evaluate, _) => self.evaluate(),
            (Step::Recompute, Actor::Trustee(number)) => self.open(number).map(drop),
            (Step::Open, _) => self.open_by_all(),
            (Step::Audit, _) => self.audit(),
            (Step::Read, _) => self.read(),
            (step, actor) => panic!("{actor:?} has no part in {step:?}"),
        }
    }

    pub fn register_file(&self, agency: usize) -> PathBuf {
        self.files.path(&format!("{}.csv", AGENCIES[agency].1))
    }

    /// An agency's own folder.
    pub fn private(&self, agency: usize) -> PathBuf {
        self.files.path("private").join(AGENCIES[agency].1)
    }

    pub fn request(&self, agency: usize) -> PathBuf {
        self.files.path("requests").join(format!("{}.bt", AGENCIES[agency].1))
    }

    pub fn answered(&self, agency: usize) -> PathBuf {
        self.files.path("answers").join(format!("{}.bt", AGENCIES[agency].1))
    }

    /// Where a submitter's submission waits to be handed over.
    pub fn own(&self, actor: Actor) -> PathBuf {
        self.files.path("agencies").join(self.identity(actor).name().submitter_folder())
    }

    pub fn link(&self, agency: usize) -> Result<(), Refusal> {
        let job = blindtier_agency::Link {
            board: &self.files.board,
            policy: policy_hash(),
            roster: &self.files.announced.rosters[agency].1,
            register: &self.register_file(agency),
            private: &self.private(agency),
            output: &self.request(agency),
        };
        let identity = self.identity(Actor::Agency(agency));
        blindtier_agency::link(&job, identity, &self.world.trust, &quiet)?;
        Ok(())
    }

    /// The registrar answers an agency.
    pub fn answer(&self, agency: usize) -> Result<(), Refusal> {
        let job = blindtier_registrar::Link {
            board: &self.files.board,
            policy: policy_hash(),
            request: &self.request(agency),
            private: &self.files.path("registrar"),
            output: &self.answered(agency),
            identity: &self.world.registrar,
            trust: &self.world.trust,
        };
        blindtier_registrar::link(&job, &quiet)?;
        Ok(())
    }

    fn pseudonyms<'r>(
        &self,
        agency: usize,
        roster: &'r RosterFile,
    ) -> Result<Pseudonyms<'r>, Refusal> {
        let invitation = self.invitation(Actor::Agency(agency))?;
        let (private, answer) = (self.private(agency), self.answered(agency));
        let (identity, trust) = (self.identity(Actor::Agency(agency)), &self.world.trust);
        let given = Some((private.as_path(), answer.as_path()));
        let board = &self.files.board;
        Ok(Pseudonyms::obtain(&invitation, board, roster, given, identity, trust, &quiet)?)
    }

    fn with_register<T>(
        &self,
        agency: usize,
        act: impl FnOnce(&mut Register<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let roster = self.world.roster_file(&self.files, agency)?;
        let pseudonyms = self.pseudonyms(agency, &roster)?;
        let (file, position) = (self.register_file(agency), AGENCIES[agency].0);
        let private = self.private(agency);
        let policy = &self.policy;
        let mut register = Register::read(&file, policy, position, &pseudonyms, false, &private)?;
        register.check().map_err(AgencyError::from)?;
        // Totals are looked at when they are used, and are part of reading.
        for slot in 0..roster.slots() {
            register.values(slot)?;
        }
        act(&mut register)
    }

    fn invitation(&self, actor: Actor) -> Result<Invitation, Refusal> {
        let (board, trust) = (&self.files.board, &self.world.trust);
        Ok(Invitation::read(board, policy_hash(), PLAN, self.identity(actor), trust)?)
    }

    /// The values of an agency's register, column by column.
    pub fn values(&self, agency: usize, slots: Range<u32>) -> Vec<Vec<i64>> {
        let columns = AGENCIES[agency].2;
        let values = self.with_register(agency, |register| {
            let fold = |values: &[i64]| values.to_vec();
            let mut source = RegisterColumns { register, columns, fold };
            Ok(source.values(slots).unwrap())
        });
        values.unwrap_or_else(|refusal| panic!("{refusal}"))
    }

    fn submit(&self, actor: Actor) -> Result<(), Refusal> {
        match actor {
            Actor::Agency(agency) => self.with_register(agency, |register| {
                let (columns, fold) = (AGENCIES[agency].2, |values: &[i64]| values.to_vec());
                let source = RegisterColumns { register, columns, fold };
                let how = if agency == 0 { self.altered } else { Values::default() };
                self.submit_from(actor, SUBMITTERS[agency].0, Altered { source, how })
            }),
            _ => {
                let file = self.files.path("registrar").join("opt-outs.bt");
                let (round, context) = (self.files.round(), self.files.context());
                let opt_outs = &OptOuts::read(&file, round, context, &self.world.trust)?;
                let fold = |slot| vec![opt_outs.value(slot)];
                let source = RegistrarColumns { columns: 1, fold };
                self.submit_from(actor, SUBMITTERS[2].0, source)
            }
        }
    }

    fn submit_from(
        &self,
        actor: Actor,
        submitter: usize,
        mut source: impl ColumnSource,
    ) -> Result<(), Refusal> {
        let (output, public_key) = (&self.own(actor), &self.files.board.public_key());
        let to = Destination { submitter, public_key, output };
        let (identity, trust) = (self.identity(actor), &self.world.trust);
        let load = Strict::encrypting;
        self.invitation(actor)?.submit(&to, &mut source, load, identity, trust, quiet)?;
        Ok(())
    }

    /// What a submitter seals to the families.
    pub fn letters(&self, actor: Actor) -> PathBuf {
        self.files.path("letters").join(self.identity(actor).name().file_part())
    }

    fn seal(&self, actor: Actor) -> Result<(), Refusal> {
        let (keys, output) = (self.files.board.letter_keys(), self.letters(actor));
        let (identity, trust) = (self.identity(actor), &self.world.trust);
        let invitation = self.invitation(actor)?;
        match actor {
            Actor::Agency(agency) => self.with_register(agency, |register| {
                let (count, values) = (AGENCIES[agency].2, |slot| register.values(slot));
                invitation.seal_levels(&keys, count, values, &output, identity, trust)?;
                Ok(())
            }),
            _ => {
                let values = |_| Ok::<_, Infallible>(vec![0]);
                invitation.seal_levels(&keys, 1, values, &output, identity, trust)?;
                Ok(())
            }
        }
    }

    /// A trustee registers; that it waits for somebody counts as a refusal.
    pub fn register(&self, number: u16) -> Result<(), Refusal> {
        let agreed = Agreed { leave_out: &self.leave_out, take_in: &[] };
        let manifests = self.files.path("agencies");
        let progress = self.world.at_desk(&self.files, number, |desk| {
            blindtier_trustee::register(desk, &manifests, &agreed, self.now)
        })?;
        match progress {
            RegisterProgress::Signed { .. } => Ok(()),
            RegisterProgress::Waiting { from, .. } => {
                let culprits: Vec<String> = from.iter().map(PartyName::to_string).collect();
                Err(Refusal { text: format!("waiting for {}", culprits.join(", ")), culprits })
            }
        }
    }

    pub fn exclude(
        &self,
        number: u16,
        submitter: &PartyName,
        reason: Exclusion,
    ) -> Result<(), Refusal> {
        let engine = self.engine(Actor::Trustee(number));
        self.world.at_desk(&self.files, number, |desk| {
            Ok(blindtier_trustee::exclude(desk, submitter, reason, &engine, self.now)?)
        })
    }

    fn engine(&self, actor: Actor) -> Strict {
        let name = match actor {
            Actor::Auditor => "auditor",
            actor => self.identity(actor).name().as_str(),
        };
        Strict::new(self.accomplices.iter().any(|accomplice| accomplice == name))
    }

    fn evaluate(&self) -> Result<(), Refusal> {
        // Cases are played side by side, in copies of one round.
        let state = tempfile::tempdir().unwrap();
        let job = blindtier_evaluator::Job {
            board: &self.files.board,
            policy: policy_hash(),
            plan: PLAN,
            identity: &self.world.evaluator,
            trust: &self.world.trust,
            state: state.path(),
        };
        let engine = self.engine(Actor::Evaluator);
        blindtier_evaluator::run(&job, &engine, &|_, done, all| quiet(done, all))?;
        Ok(())
    }

    /// Takes a trustee's next steps; whether it is done.
    fn open(&self, number: u16) -> Result<bool, Refusal> {
        let (letters, engine) = (self.files.letters(number), self.engine(Actor::Trustee(number)));
        let progress = self.world.at_desk(&self.files, number, |desk| {
            blindtier_trustee::open(desk, &letters, &[], &engine, &|_, done, all| quiet(done, all))
        })?;
        Ok(is_done(&progress))
    }

    fn open_by_all(&self) -> Result<(), Refusal> {
        for _ in 0..10 {
            let done = self
                .world
                .all()
                .into_iter()
                .map(|number| self.open(number))
                .collect::<Result<Vec<_>, _>>()?;
            if done.iter().all(|done| *done) {
                return Ok(());
            }
        }
        Err(Refusal { text: "the opening does not end".into(), culprits: Vec::new() })
    }

    fn audit(&self) -> Result<(), Refusal> {
        let trust = &self.world.trust;
        let reference = Reference { policy: policy_hash(), plan: PLAN, trust, head: None };
        let engine = self.engine(Actor::Auditor);
        blindtier_auditor::verify(&self.files.board, &reference, &Execute::All, &engine)?;
        Ok(())
    }

    /// Families read their letters. Every one gets its tier; the first complaint of one counts as a refusal.
    fn read(&self) -> Result<(), Refusal> {
        let (board, letters) = (&self.files.board, self.files.path("letters"));
        let mail = Mail::open(board, &letters, policy_hash(), MODULUS, &self.world.trust)?;
        let letters = mail.read_all(&self.world.keys)?;
        let excluded = (0..AGENCIES.len()).find(|agency| self.is_left_out(Actor::Agency(*agency)));
        for (family, letter) in letters.into_iter().enumerate() {
            assert_eq!(letter.code, tier_without(family, excluded), "the tier of family {family}");
            if let Some(complaint) = letter.complaints.into_iter().next() {
                return Err(complaint.into());
            }
        }
        Ok(())
    }
}
