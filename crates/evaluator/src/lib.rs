//! The evaluator: runs the plan on submitted ciphertexts and signs a receipt.
//!
//! It holds no secret and sees no record. Before the first lookup it reads every file of every submission
//! once, so that a damaged chunk is noticed in minutes and not after hours.
#![forbid(unsafe_code)]

mod error;

pub use error::EvaluatorError;

use blindtier_engine::{EngineError, Evaluate, Evaluated};
use blindtier_ledger::Ledger;
use blindtier_wire::{
    Board, ChunkReader, ChunkWriter, Context, Digest, EvaluationKey, Expect, Kind, PartyName,
    Receipt, Received, Round, SigningIdentity, Submission, SubmissionEntry, TrustFile, WireError,
    file_names, read, same, write,
};
use rayon::prelude::*;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

/// What is to be evaluated.
pub struct Job<'a> {
    /// The public folder of the round: round, ledger, evaluation key and, as agencies handed them over, submissions.
    /// Result chunks and, last, `receipt.bt` are written there.
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
/// `load` makes the engine from the bytes of the checked evaluation key. `progress` gets the families done and
/// the families of the round, from any thread. As many chunks of each
/// agency are in memory as the engine evaluates at once. An interrupted
/// run goes on at its first missing chunk.
pub fn run(
    job: &Job<'_>,
    load: impl FnOnce(&[u8]) -> Result<Box<dyn Evaluate>, EngineError>,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<Finished, EvaluatorError> {
    let board = job.board;
    let received = Round::read_with_plan(&board.round(), job.trust, job.policy, job.plan)?;
    let (round, context) = (received.body, received.context);
    let ledger = Ledger::read(&board.ledger(), &round, &context, job.trust)?;
    let maker = &round.key_maker;
    let key_file = board.evaluation_key();
    let key = read::<EvaluationKey>(&key_file, &Expect::of(maker, &context), job.trust)?;
    let recorded = ledger.keys()?.evaluation_key;
    same("key in the ledger", key.digest, recorded, &key_file, maker)?;
    let submissions = read_manifests(job, &round, &context, &ledger)?;
    let readers = submissions
        .iter()
        .map(|(path, agency, manifest)| {
            manifest.body.chunks(path, agency, &round, &context, job.trust)
        })
        .collect::<Result<Vec<_>, WireError>>()?;
    let receipt_file = board.receipt();
    if receipt_file.exists() {
        let done = Receipt::read(&receipt_file, &round, &context, job.trust)?;
        let resumed = u32::try_from(done.body.chunks.len()).unwrap_or(u32::MAX);
        return Ok(Finished { receipt: done.body, digest: done.digest, resumed });
    }

    let engine = load(&key.body.bytes).map_err(|source| EvaluatorError::Key {
        file: key_file,
        culprit: maker.clone(),
        source,
    })?;
    let evaluation_key = key.digest;
    drop(key);
    let chunking = round
        .chunking()
        .map_err(|fault| WireError::refused(&board.round(), &PartyName::registrar(), fault))?;
    verify_all(&readers, chunking.count())?;
    // The ledger fixes the submissions and the key of a round: what an interrupted run left can only be of these.
    let results = board.results();
    let writer = ChunkWriter::new(&results, Kind::ResultChunk, &context, job.identity, chunking)?;
    let total = u64::from(round.slots);
    let (chunks, operations, resumed) =
        evaluate(writer, job.trust, &readers, total, engine.as_ref(), progress)?;
    let receipt = Receipt {
        plan: round.plan,
        evaluation_key,
        submissions: submissions
            .into_iter()
            .map(|(_, agency, manifest)| SubmissionEntry { agency, manifest: manifest.digest })
            .collect(),
        chunks,
        operations,
        platform: platform(&engine.platform()),
    };
    let digest = write(&receipt_file, &receipt, &context, job.identity)?;
    Ok(Finished { receipt, digest, resumed })
}

type Manifest = (PathBuf, PartyName, Received<Submission>);

fn read_manifests(
    job: &Job<'_>,
    round: &Round,
    context: &Context,
    ledger: &Ledger,
) -> Result<Vec<Manifest>, EvaluatorError> {
    let registered = ledger.submissions()?;
    let mut manifests = Vec::with_capacity(registered.len());
    for (agency, entry) in round.agencies.iter().zip(registered) {
        let folder = agency.agency_id().unwrap_or_default();
        let path = job.board.submissions().join(folder).join(file_names::SUBMISSION);
        let manifest = Submission::read(&path, agency, round, context, job.trust)?;
        same("submission in the ledger", manifest.digest, entry.manifest, &path, agency)?;
        manifests.push((path, agency.clone(), manifest));
    }
    Ok(manifests)
}

fn verify_all(readers: &[ChunkReader<'_>], chunks: u32) -> Result<(), EvaluatorError> {
    for reader in readers {
        (0..chunks).into_par_iter().try_for_each(|chunk| reader.read(chunk).map(drop))?;
    }
    Ok(())
}

fn evaluate(
    mut writer: ChunkWriter<'_>,
    trust: &TrustFile,
    readers: &[ChunkReader<'_>],
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
    let missing: Vec<(u32, u32)> = writer.chunks_from(missing).collect();
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
            let one = |(chunk, count): &(u32, u32)| {
                evaluate_chunk(readers, engine, *chunk, *count, &report)
            };
            group.par_iter().map(one).collect()
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
    readers: &[ChunkReader<'_>],
    engine: &dyn Evaluate,
    chunk: u32,
    count: u32,
    report: &(dyn Fn(usize) + Sync),
) -> Result<Evaluated, EvaluatorError> {
    let inputs = readers.iter().map(|r| r.read(chunk)).collect::<Result<Vec<_>, WireError>>()?;
    let inputs: Vec<&[u8]> = inputs.iter().map(|c| c.bytes.as_slice()).collect();
    engine.evaluate(count as usize, &inputs, report).map_err(|source| EvaluatorError::Evaluate {
        chunk,
        files: readers.iter().map(|r| r.path(chunk)).collect(),
        source,
    })
}

/// What may decide whether another machine computes the same bits.
fn platform(engine: &str) -> String {
    let (arch, os, version) =
        (std::env::consts::ARCH, std::env::consts::OS, env!("CARGO_PKG_VERSION"));
    format!("{arch} {os} blindtier {version} {engine}").trim_end().to_owned()
}
