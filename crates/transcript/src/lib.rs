//! The public files of a round: submissions, receipt and results, and what trustees open them with.
//!
//! Whoever opens or audits results must not believe the evaluator. This crate checks that a receipt names the
//! submissions that lie there, and recomputes results from them byte for byte. It holds no secret.
#![forbid(unsafe_code)]

mod error;
mod openings;

pub use error::TranscriptError;
pub use openings::{Contribution, OpenedChunk, contributions, open_chunk};

use blindtier_engine::{Combine, EngineError, Evaluate, Prepare};
use blindtier_wire::{
    ChunkReader, Context, Digest, PartyName, Receipt, Received, Round, Submission, TrustFile,
    WireError, file_names, same,
};
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Makes an engine's public capabilities from checked keys.
pub trait Engine {
    /// From the bytes of the evaluation key, to recompute.
    fn evaluate(&self, key: &[u8]) -> Result<Box<dyn Evaluate>, EngineError>;

    /// From the bytes of the evaluation key and of the opening key, if the round has one, to prepare results.
    fn prepare(
        &self,
        evaluation: &[u8],
        opening: Option<&[u8]>,
    ) -> Result<Box<dyn Prepare>, EngineError>;

    /// To add partial decryptions up.
    fn combine(&self) -> Result<Box<dyn Combine>, EngineError>;
}

/// Where an evaluation's files lie, and what they have to be.
pub struct Files<'a> {
    /// A folder with one folder an agency, named by its identifier.
    pub submissions: &'a Path,
    /// The evaluator's receipt.
    pub receipt: &'a Path,
}

/// An agency's manifest, with its place and sender.
pub type Manifest = (PathBuf, PartyName, Submission);

/// Reads the submissions that a receipt names and checks that they are those, under this public key.
pub fn submissions(
    files: &Files<'_>,
    round: &Round,
    context: &Context,
    trust: &TrustFile,
    receipt: &Received<Receipt>,
    public_key: Digest,
) -> Result<Vec<Manifest>, WireError> {
    let mut submissions = Vec::with_capacity(receipt.body.submissions.len());
    for entry in &receipt.body.submissions {
        let folder = entry.agency.agency_id().unwrap_or_default();
        let path = files.submissions.join(folder).join(file_names::SUBMISSION);
        let manifest = Submission::read(&path, &entry.agency, round, context, trust)?;
        same("public-key file", public_key, manifest.body.public_key, &path, &entry.agency)?;
        let (found, named) = (manifest.digest, entry.manifest);
        same("submission", found, named, files.receipt, &PartyName::evaluator())?;
        submissions.push((path, entry.agency.clone(), manifest.body));
    }
    Ok(submissions)
}

/// The chunks of submissions.
pub fn chunks<'a>(
    submissions: &[Manifest],
    round: &Round,
    context: &'a Context,
    trust: &'a TrustFile,
) -> Result<Vec<ChunkReader<'a>>, WireError> {
    submissions
        .iter()
        .map(|(path, agency, manifest)| manifest.chunks(path, agency, round, context, trust))
        .collect()
}

/// Recomputes chunks and compares every byte with what was published; `platform` is what the receipt says of the
/// evaluator's machine. `progress` gets the families done and those of all these chunks, from any thread.
pub fn recompute(
    numbers: &[u32],
    inputs: &[ChunkReader<'_>],
    results: &ChunkReader<'_>,
    engine: &dyn Evaluate,
    platform: &str,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<(), TranscriptError> {
    let done = AtomicU64::new(0);
    let report = |families: usize| {
        let families = families as u64;
        progress(done.fetch_add(families, Ordering::Relaxed) + families);
    };
    for group in numbers.chunks(engine.chunks_at_once().max(1)) {
        group
            .par_iter()
            .try_for_each(|chunk| one(*chunk, inputs, results, engine, platform, &report))?;
    }
    Ok(())
}

fn one(
    chunk: u32,
    inputs: &[ChunkReader<'_>],
    results: &ChunkReader<'_>,
    engine: &dyn Evaluate,
    platform: &str,
    progress: &(dyn Fn(usize) + Sync),
) -> Result<(), TranscriptError> {
    let published = results.read(chunk)?;
    let inputs = inputs.iter().map(|r| r.read(chunk)).collect::<Result<Vec<_>, WireError>>()?;
    let inputs: Vec<&[u8]> = inputs.iter().map(|c| c.bytes.as_slice()).collect();
    let file = results.path(chunk);
    let outcome = engine
        .evaluate(published.count as usize, &inputs, progress)
        .map_err(|source| TranscriptError::Recompute { chunk, file: file.clone(), source })?;
    if outcome.results != published.bytes || outcome.operations != published.operations {
        return Err(TranscriptError::Differs {
            file,
            culprit: results.sender().clone(),
            chunk,
            platform: platform.chars().take(200).flat_map(char::escape_default).collect(),
        });
    }
    Ok(())
}
