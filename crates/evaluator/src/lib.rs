//! The evaluator: runs the plan on submitted ciphertexts and signs a receipt.
//!
//! It holds no secret and sees no record. Before the first costly operation it reads every file of every submission
//! once and checks every proof, so that a bad chunk is noticed in minutes and not after hours.
#![forbid(unsafe_code)]

mod count;
mod error;
mod evaluation;
mod machines;
mod progress;
mod shard;
mod worker;

pub use blindtier_transcript::{Engine, Public};
pub use count::{CountedRound, count};
pub use error::EvaluatorError;
pub use machines::{Machines, Order, Wanted};
pub use shard::Shard;
pub use worker::Worker;

use blindtier_engine::EngineError;
use blindtier_ledger::Ledger;
use blindtier_transcript::{Elsewhere, Inputs};
use blindtier_wire::{
    Board, Context, Digest, EvaluationKey, Expect, Message, PublicKey, Receipt, Received, Round,
    SigningIdentity, TrustFile, WireError, read, same, storage, write,
};
use evaluation::{By, Evaluation, INPUTS, Results};
use progress::Progress;
use std::path::{Path, PathBuf};

/// What is to be evaluated.
pub struct Job<'a> {
    /// The public folder of the round, or a place in an object store: round, ledger, keys and, as submitters handed them over, submissions. Result chunks
    /// and, last, `receipt.bt` are written there.
    pub board: &'a Board,
    /// The evaluator's own hash of the policy.
    pub policy: Digest,
    /// The evaluator's own hash of the plan.
    pub plan: Digest,
    /// The evaluator's signing key.
    pub identity: &'a SigningIdentity,
    /// A folder of the evaluator's own, for the store that remembers how far it is.
    pub state: &'a Path,
    /// Everybody's public keys.
    pub trust: &'a TrustFile,
}

/// What the evaluator is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Reading submissions and checking their proofs.
    Checking,
    /// Computing.
    Evaluating,
    /// Counting.
    Counting,
}

/// A finished evaluation.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The receipt.
    pub receipt: Receipt,
    /// Hash of the receipt file.
    pub digest: Digest,
    /// Chunks that were there already; the whole run if it was finished.
    pub resumed: u32,
    /// Chunks that had been finished, and were computed again because their files are gone or damaged.
    pub lost: u32,
}

/// A shard whose chunks are all on the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FinishedShard {
    /// Its chunks.
    pub chunks: u32,
    /// Families in them; 0 if the whole round was finished before.
    pub families: u64,
    /// What they took: lookups or multiplications.
    pub operations: u64,
    /// Chunks that were there already.
    pub resumed: u32,
    /// Chunks that had been finished, and were computed again because their files are gone or damaged.
    pub lost: u32,
}

/// Checks everything, runs the plan chunk by chunk and signs the receipt.
///
/// `progress` gets the families done and the families of the round, from any thread; each step begins with none. As many
/// chunks of each submitter are in memory as the engine evaluates at once. An interrupted run goes on where it was: what it
/// has checked and computed stands in a store in the job's folder `state`, and what other machines computed as shards on the
/// board. If a submitter was excluded since, it computes anew.
pub fn run(
    job: &Job<'_>,
    engine: &dyn Engine,
    progress: &(dyn Fn(Step, u64, u64) + Sync),
) -> Result<Finished, EvaluatorError> {
    finish(job, engine, By::This(None), progress)
}

/// Has the chunks checked and computed by [`Worker`]s on other machines, and signs the receipt.
///
/// Nothing that the machines say is believed: a chunk is done when the board has a result of it that the evaluator's key
/// signed. What is missing when they end or fail is ordered again, until several orders in a row bring nothing new.
pub fn run_on(
    job: &Job<'_>,
    engine: &dyn Engine,
    machines: &dyn Machines,
    progress: &(dyn Fn(Step, u64, u64) + Sync),
) -> Result<Finished, EvaluatorError> {
    finish(job, engine, By::Machines(machines), progress)
}

fn finish(
    job: &Job<'_>,
    engine: &dyn Engine,
    by: By<'_>,
    progress: &(dyn Fn(Step, u64, u64) + Sync),
) -> Result<Finished, EvaluatorError> {
    let (board, announced) = (job.board, job.round()?);
    let (round, context) = (&announced.0, &announced.1);
    let own = Progress::open(job.state, context, by.shard())?;
    let ledger = Ledger::read(&board.ledger(), round, context, job.trust)?;
    let done = if let Some(done) = job.receipt(round, context, &ledger)? {
        let resumed = u32::try_from(done.body.chunks.len()).unwrap_or(u32::MAX);
        Finished { receipt: done.body, digest: done.digest, resumed, lost: 0 }
    } else {
        let done = compute(job, (round, context), &ledger, engine, &own, by, progress)?;
        let receipt = Receipt {
            plan: round.plan,
            evaluation_key: ledger.keys()?.evaluation_key,
            submissions: ledger.submissions()?,
            chunks: done.chunks.values().map(|done| done.digest).collect(),
            operations: done.operations(),
            platform: platform(&done.platform),
        };
        let digest = write(&board.receipt(), &receipt, context, job.identity)?;
        Finished { receipt, digest, resumed: done.resumed, lost: done.lost }
    };
    storage::remove(&board.results().join(INPUTS))?;
    Ok(done)
}

/// Checks and computes the chunks of one shard, and leaves the others and the receipt to other machines and to [`run`],
/// which takes what it finds on the board. Every shard needs the evaluator's signing key.
pub fn run_shard(
    job: &Job<'_>,
    shard: Shard,
    engine: &dyn Engine,
    progress: &(dyn Fn(Step, u64, u64) + Sync),
) -> Result<FinishedShard, EvaluatorError> {
    let (board, by, announced) = (job.board, By::This(Some(shard)), job.round()?);
    let (round, context) = (&announced.0, &announced.1);
    let own = Progress::open(job.state, context, by.shard())?;
    let ledger = Ledger::read(&board.ledger(), round, context, job.trust)?;
    if let Some(done) = job.receipt(round, context, &ledger)? {
        let all = u32::try_from(done.body.chunks.len()).unwrap_or(u32::MAX);
        let chunks = (0..all).filter(|chunk| shard.has(*chunk)).count();
        let chunks = u32::try_from(chunks).unwrap_or(u32::MAX);
        return Ok(FinishedShard { chunks, families: 0, operations: 0, resumed: chunks, lost: 0 });
    }
    let done = compute(job, (round, context), &ledger, engine, &own, by, progress)?;
    Ok(FinishedShard {
        chunks: u32::try_from(done.chunks.len()).unwrap_or(u32::MAX),
        families: done.families,
        operations: done.operations(),
        resumed: done.resumed,
        lost: done.lost,
    })
}

/// Checks the submissions, and computes what is missing of the results.
fn compute(
    job: &Job<'_>,
    (round, context): (&Round, &Context),
    ledger: &Ledger,
    engine: &dyn Engine,
    own: &Progress,
    by: By<'_>,
    progress: &(dyn Fn(Step, u64, u64) + Sync),
) -> Result<Results, EvaluatorError> {
    let entries = ledger.submissions()?;
    let public = Public { board: job.board, round, context, trust: job.trust };
    let checked = Checked::read(&public, ledger, engine, own, by, progress)?;
    let evaluation = Evaluation::new(job, &public, &entries, own, by)?;
    evaluation.run(checked, engine, progress)
}

impl Job<'_> {
    fn round(&self) -> Result<(Round, Context), WireError> {
        let received =
            Round::read_with_plan(&self.board.round(), self.trust, self.policy, self.plan)?;
        Ok((received.body, received.context))
    }

    /// The receipt, if there is one of the registered submissions.
    fn receipt(
        &self,
        round: &Round,
        context: &Context,
        ledger: &Ledger,
    ) -> Result<Option<Received<Receipt>>, EvaluatorError> {
        let file = self.board.receipt();
        if !storage::exists(&file)? {
            return Ok(None);
        }
        let (entries, keys) = (ledger.submissions()?, ledger.keys()?);
        let done = Receipt::read(&file, round, context, self.trust)?;
        let same =
            done.body.submissions == entries && done.body.evaluation_key == keys.evaluation_key;
        Ok(same.then_some(done))
    }
}

/// What every computation starts from: the keys that the ledger has, and the registered submissions with every chunk read
/// and its proof checked.
struct Checked<'a> {
    inputs: Inputs<'a>,
    public_key: Vec<u8>,
    evaluation_key: Vec<u8>,
}

impl<'a> Checked<'a> {
    fn read(
        public: &Public<'a>,
        ledger: &Ledger,
        engine: &dyn Engine,
        own: &Progress,
        by: By<'_>,
        progress: &(dyn Fn(Step, u64, u64) + Sync),
    ) -> Result<Self, EvaluatorError> {
        let (board, keys) = (public.board, ledger.keys()?);
        let (public_key, evaluation_key) =
            recorded_keys(public, keys.public_key, keys.evaluation_key)?;
        let verifier = engine
            .verify(&public_key)
            .map_err(|source| refused_key(public, board.public_key(), source))?;
        let total = u64::from(public.round.slots);
        progress(Step::Checking, 0, total);
        let inputs = Inputs::read(
            public,
            ledger.submissions()?,
            &engine.submitters(),
            keys.public_key,
            &|_| Some(verifier.as_ref()),
            match by {
                By::This(_) => own,
                By::Machines(_) => &Elsewhere,
            },
            &|done| progress(Step::Checking, done, total),
        );
        // What was found valid is known the next time, also if something else was not.
        own.save()?;
        let inputs = inputs?;
        Ok(Self { inputs, public_key, evaluation_key })
    }
}

/// The bytes of the public key and of the evaluation key, which have to be those in the ledger.
fn recorded_keys(
    public: &Public<'_>,
    public_key: Digest,
    evaluation_key: Digest,
) -> Result<(Vec<u8>, Vec<u8>), WireError> {
    let board = public.board;
    let key = recorded_key::<PublicKey>(public, &board.public_key(), public_key)?;
    let evaluation =
        recorded_key::<EvaluationKey>(public, &board.evaluation_key(), evaluation_key)?;
    Ok((key.bytes, evaluation.bytes))
}

/// A key file, which has to be the one in the ledger.
fn recorded_key<K: Message>(
    public: &Public<'_>,
    file: &Path,
    recorded: Digest,
) -> Result<K, WireError> {
    let maker = &public.round.key_maker;
    let key: Received<K> = read(file, &Expect::of(maker, public.context), public.trust)?;
    same("key in the ledger", key.digest, recorded, file, maker)?;
    Ok(key.body)
}

/// The engine refuses a key.
fn refused_key(public: &Public<'_>, file: PathBuf, source: EngineError) -> EvaluatorError {
    EvaluatorError::Key { file, culprit: public.round.key_maker.clone(), source }
}

/// What may decide whether another machine computes the same bits.
fn platform(engine: &str) -> String {
    let (arch, os, version) =
        (std::env::consts::ARCH, std::env::consts::OS, env!("CARGO_PKG_VERSION"));
    format!("{arch} {os} blindtier {version} {engine}").trim_end().to_owned()
}
