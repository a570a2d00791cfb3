//! The evaluator: runs the plan on submitted ciphertexts and signs a receipt.
//!
//! It holds no secret and sees no record. Before the first costly operation it reads every file of every submission
//! once and checks every proof, so that a bad chunk is noticed in minutes and not after hours.
#![forbid(unsafe_code)]

mod count;
mod error;

pub use blindtier_transcript::Engine;
pub use count::{CountedRound, count};
pub use error::EvaluatorError;

use blindtier_engine::{EngineError, Evaluate, Evaluated};
use blindtier_ledger::Ledger;
use blindtier_transcript::{Inputs, Public};
use blindtier_wire::{
    Board, ChunkWriter, Context, Digest, EvaluationKey, Expect, Kind, Message, PublicKey, Receipt,
    Received, Round, SigningIdentity, SubmissionEntry, TrustFile, WireError, read, same, storage,
    write,
};
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// What is to be evaluated.
pub struct Job<'a> {
    /// The public folder of the round: round, ledger, keys and, as submitters handed them over, submissions. Result chunks
    /// and, last, `receipt.bt` are written there.
    pub board: &'a Board,
    /// The evaluator's own hash of the policy.
    pub policy: Digest,
    /// The evaluator's own hash of the plan.
    pub plan: Digest,
    /// The evaluator's signing key.
    pub identity: &'a SigningIdentity,
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
    /// Chunks that an earlier, interrupted run had left; the whole run if it was finished already.
    pub resumed: u32,
}

/// Checks everything, runs the plan chunk by chunk and signs the receipt.
///
/// `progress` gets the families done and the families of the round, from any thread; each step begins with none. As many
/// chunks of each submitter are in memory as the engine evaluates at once. An interrupted run goes on at its first missing
/// chunk. If a submitter was excluded since, it starts anew.
pub fn run(
    job: &Job<'_>,
    engine: &dyn Engine,
    progress: &(dyn Fn(Step, u64, u64) + Sync),
) -> Result<Finished, EvaluatorError> {
    let Job { board, trust, identity, .. } = *job;
    let received = Round::read_with_plan(&board.round(), trust, job.policy, job.plan)?;
    let (round, context) = (received.body, received.context);
    let ledger = Ledger::read(&board.ledger(), &round, &context, trust)?;
    let entries = ledger.submissions()?;
    let keys = ledger.keys()?;
    if board.receipt().exists() {
        let done = Receipt::read(&board.receipt(), &round, &context, trust)?;
        if done.body.submissions == entries && done.body.evaluation_key == keys.evaluation_key {
            let resumed = u32::try_from(done.body.chunks.len()).unwrap_or(u32::MAX);
            return Ok(Finished { receipt: done.body, digest: done.digest, resumed });
        }
    }

    let total = u64::from(round.slots);
    let public = Public { board, round: &round, context: &context, trust };
    let Checked { inputs, public_key, evaluation_key } =
        Checked::read(&public, &ledger, engine, progress)?;
    let engine = engine
        .evaluate(&public_key, &evaluation_key)
        .map_err(|source| refused_key(&public, board.evaluation_key(), source))?;
    drop((public_key, evaluation_key));
    let results = board.results();
    let excluded = ledger.exclusions().next().is_some();
    clear_stale(&results, &context, &entries, excluded)?;
    let chunking = inputs.chunking();
    let writer = ChunkWriter::new(&results, Kind::ResultChunk, &context, identity, chunking)?;
    progress(Step::Evaluating, 0, total);
    let report = |done, total| progress(Step::Evaluating, done, total);
    let (chunks, operations, resumed) =
        evaluate(writer, trust, &inputs, total, engine.as_ref(), &report)?;
    let receipt = Receipt {
        plan: round.plan,
        evaluation_key: keys.evaluation_key,
        submissions: entries,
        chunks,
        operations,
        platform: platform(&engine.platform()),
    };
    let digest = write(&board.receipt(), &receipt, &context, identity)?;
    storage::destroy(&results.join(INPUTS))?;
    Ok(Finished { receipt, digest, resumed })
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
        progress: &(dyn Fn(Step, u64, u64) + Sync),
    ) -> Result<Self, EvaluatorError> {
        let (board, keys) = (public.board, ledger.keys()?);
        let public_key =
            recorded_key::<PublicKey>(public, &board.public_key(), keys.public_key)?.bytes;
        let evaluation_key =
            recorded_key::<EvaluationKey>(public, &board.evaluation_key(), keys.evaluation_key)?
                .bytes;
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
            &|done| progress(Step::Checking, done, total),
        )?;
        Ok(Self { inputs, public_key, evaluation_key })
    }
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

/// In rounds with exclusions, says what the chunks that an interrupted run left were computed from.
const INPUTS: &str = "inputs.txt";

/// Removes results that were computed with a submitter that is excluded now. While nobody is, the ledger fixes the
/// submissions, and what an interrupted run left can only be of these.
fn clear_stale(
    results: &Path,
    context: &Context,
    entries: &[SubmissionEntry],
    excluded: bool,
) -> Result<(), WireError> {
    if !excluded {
        return Ok(());
    }
    let note = results.join(INPUTS);
    let text = Digest(blindtier_transcript::seed(context, entries, 0)).to_string();
    if storage::read_own(&note, 4096)?.is_none_or(|found| found != text.as_bytes()) {
        storage::remove_folder(results)?;
        storage::write_public(&note, text.as_bytes())?;
    }
    Ok(())
}

fn evaluate(
    mut writer: ChunkWriter<'_>,
    trust: &TrustFile,
    inputs: &Inputs<'_>,
    total: u64,
    engine: &dyn Evaluate,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<(Vec<Digest>, u64, u32), EvaluatorError> {
    let done = AtomicU64::new(0);
    let report = |families: usize| {
        let families = families as u64;
        progress((done.fetch_add(families, Ordering::Relaxed) + families).min(total), total);
    };
    let (mut operations, mut resumed) = (0_u64, 0);
    while let Some((_, _, count)) = writer.next_chunk() {
        let Some(kept) = writer.resume(trust) else { break };
        operations = operations.saturating_add(kept.operations);
        resumed += 1;
        report(count as usize);
    }
    let missing = writer.next_chunk().map_or(u32::MAX, |(chunk, ..)| chunk);
    let missing: Vec<u32> = writer.chunks_from(missing).map(|(chunk, _)| chunk).collect();
    let mut write = |finished: Vec<Evaluated>| -> Result<(), WireError> {
        for outcome in finished {
            operations = operations.saturating_add(outcome.operations);
            writer.push(outcome.results, outcome.operations)?;
        }
        Ok(())
    };
    // While some chunks are computed, those before them are signed and written.
    let mut finished: Vec<Evaluated> = Vec::new();
    for group in missing.chunks(engine.chunks_at_once().max(1)) {
        let compute = || -> Vec<Result<Evaluated, EvaluatorError>> {
            group.par_iter().map(|chunk| evaluate_chunk(inputs, engine, *chunk, &report)).collect()
        };
        let before = std::mem::take(&mut finished);
        // On a thread of its own, which mostly waits for the disk.
        let (outcomes, written) = std::thread::scope(|scope| {
            let writing = scope.spawn(|| write(before));
            (compute(), writing.join())
        });
        written.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        for outcome in outcomes {
            match outcome {
                Ok(outcome) => finished.push(outcome),
                Err(error) => {
                    // What came before the fault is kept, so that the next run starts there.
                    write(finished)?;
                    return Err(error);
                }
            }
        }
    }
    write(finished)?;
    Ok((writer.finish()?, operations, resumed))
}

fn evaluate_chunk(
    inputs: &Inputs<'_>,
    engine: &dyn Evaluate,
    chunk: u32,
    report: &(dyn Fn(usize) + Sync),
) -> Result<Evaluated, EvaluatorError> {
    let refused = |source: EngineError| EvaluatorError::Evaluate { chunk, source };
    inputs.load(chunk)?.evaluate(engine, report).map_err(refused)
}

/// What may decide whether another machine computes the same bits.
fn platform(engine: &str) -> String {
    let (arch, os, version) =
        (std::env::consts::ARCH, std::env::consts::OS, env!("CARGO_PKG_VERSION"));
    format!("{arch} {os} blindtier {version} {engine}").trim_end().to_owned()
}
