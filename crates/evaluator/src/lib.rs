//! The evaluator: runs the plan on submitted ciphertexts and signs a receipt.
//!
//! It holds no secret and sees no record. Before the first lookup it reads every file of every submission
//! once, so that a damaged chunk is noticed in minutes and not after hours.
#![forbid(unsafe_code)]

mod accepted;
mod error;

pub use error::EvaluatorError;

use accepted::Accepted;
use blindtier_engine::{EngineError, Evaluate, Evaluated};
use blindtier_wire::{
    ChunkReader, ChunkWriter, Context, Digest, EvaluationKey, Expect, Fault, Kind, PartyName,
    Receipt, Received, Round, SigningIdentity, Submission, SubmissionEntry, TrustFile, WireError,
    file_names, read, write,
};
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// What is to be evaluated.
pub struct Job<'a> {
    /// The public round file.
    pub round: &'a Path,
    /// The evaluator's own hash of the policy.
    pub policy: Digest,
    /// The evaluator's own hash of the plan.
    pub plan: Digest,
    /// The trustee that made the keys.
    pub trustee: &'a PartyName,
    /// Its evaluation-key file.
    pub evaluation_key: &'a Path,
    /// A folder with one folder an agency, named by its identifier, as the agency handed it in.
    pub submissions: &'a Path,
    /// The evaluator's own folder, where it remembers what it accepted.
    pub state: &'a Path,
    /// Where result chunks and, last, `receipt.bt` are written.
    pub output: &'a Path,
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
    let received = Round::read_with_plan(job.round, job.trust, job.policy, job.plan)?;
    let (round, context) = (received.body, received.context);
    let submissions = read_manifests(job, &round, &context)?;
    let key =
        read::<EvaluationKey>(job.evaluation_key, &Expect::of(job.trustee, &context), job.trust)?;
    for (path, agency, manifest) in &submissions {
        if manifest.body.public_key != key.body.public_key {
            let (expected, found) = (key.body.public_key, manifest.body.public_key);
            let fault = Fault::Reference { what: "public-key file", expected, found };
            return Err(WireError::refused(path, agency, fault).into());
        }
    }
    let readers = submissions
        .iter()
        .map(|(path, agency, manifest)| {
            manifest.body.chunks(path, agency, &round, &context, job.trust)
        })
        .collect::<Result<Vec<_>, WireError>>()?;
    let accepted = Accepted {
        round: context.round.to_string(),
        evaluation_key: key.digest.to_string(),
        submissions: submissions
            .iter()
            .map(|(_, agency, manifest)| (agency.clone(), manifest.digest.to_string()))
            .collect(),
    };
    let begun = accepted.check(job.state)?;

    let receipt_file = job.output.join(file_names::RECEIPT);
    if receipt_file.exists() {
        let done = Receipt::read(&receipt_file, &round, &context, job.trust)?;
        let same = done.body.evaluation_key == key.digest
            && done
                .body
                .submissions
                .iter()
                .map(|s| &s.manifest)
                .eq(submissions.iter().map(|(_, _, m)| &m.digest));
        if !same {
            return Err(EvaluatorError::OtherReceipt { file: receipt_file });
        }
        let resumed = u32::try_from(done.body.chunks.len()).unwrap_or(u32::MAX);
        return Ok(Finished { receipt: done.body, digest: done.digest, resumed });
    }

    let engine = load(&key.body.bytes).map_err(|source| EvaluatorError::Key {
        file: job.evaluation_key.to_owned(),
        culprit: job.trustee.clone(),
        source,
    })?;
    let evaluation_key = key.digest;
    drop(key);
    let chunking = round
        .chunking()
        .map_err(|fault| WireError::refused(job.round, &PartyName::registrar(), fault))?;
    verify_all(&readers, chunking.count())?;
    accepted.record(job.state)?;
    // Result chunks that lie there are of these submissions only if the record says that this run had begun.
    let writer = ChunkWriter::new(job.output, Kind::ResultChunk, &context, job.identity, chunking)?;
    let resume_with = begun.then_some(job.trust);
    let (chunks, operations, resumed) =
        evaluate(writer, resume_with, &readers, u64::from(round.slots), engine.as_ref(), progress)?;
    let receipt = Receipt {
        plan: round.plan,
        evaluation_key,
        submissions: submissions
            .into_iter()
            .map(|(_, agency, manifest)| SubmissionEntry { agency, manifest: manifest.digest })
            .collect(),
        chunks,
        operations,
        platform: platform(),
    };
    let digest = write(&receipt_file, &receipt, &context, job.identity)?;
    Ok(Finished { receipt, digest, resumed })
}

type Manifest = (PathBuf, PartyName, Received<Submission>);

fn read_manifests(
    job: &Job<'_>,
    round: &Round,
    context: &Context,
) -> Result<Vec<Manifest>, EvaluatorError> {
    let mut manifests = Vec::with_capacity(round.agencies.len());
    for agency in &round.agencies {
        let folder = agency.agency_id().unwrap_or_default();
        let path = job.submissions.join(folder).join(file_names::SUBMISSION);
        let manifest = Submission::read(&path, agency, round, context, job.trust)?;
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
    resume_with: Option<&TrustFile>,
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
        let Some(kept) = resume_with.and_then(|trust| writer.resume(trust)) else { break };
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

/// What decides whether another machine computes the same bits.
pub fn platform() -> String {
    let mut text = format!(
        "{} {} blindtier {}",
        std::env::consts::ARCH,
        std::env::consts::OS,
        env!("CARGO_PKG_VERSION")
    );
    #[cfg(target_arch = "x86_64")]
    for (feature, present) in [
        ("avx2", std::arch::is_x86_feature_detected!("avx2")),
        ("fma", std::arch::is_x86_feature_detected!("fma")),
        ("avx512f", std::arch::is_x86_feature_detected!("avx512f")),
    ] {
        if present {
            text.push(' ');
            text.push_str(feature);
        }
    }
    text
}
