//! The public files of a round: submissions, receipt and results, and what trustees open them with.
//!
//! Nobody believes a submitter or the evaluator. This crate checks every chunk of the registered submissions before
//! anything is computed from it, and recomputes results byte for byte. It holds no secret.
#![forbid(unsafe_code)]

mod counts;
mod error;
mod inputs;
mod openings;

pub use counts::{Opening, count_part};
pub use error::{BadSubmission, TranscriptError, Trouble};
pub use inputs::{Elsewhere, Inputs, Loaded, Look, Memory, Proofs, Public, Submitted, seed};
pub use openings::{Contribution, OpenedChunk, Speaker, contributions, open_chunk};

use blindtier_engine::{Combine, CombineCounts, Count, EngineError, Evaluate, Prepare, Verify};
use blindtier_wire::ChunkReader;
use rayon::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};

/// Makes an engine's public capabilities from checked keys.
pub trait Engine {
    /// Positions of the round's submitters, in its order: of agencies in the policy, and behind them the registrar.
    fn submitters(&self) -> Vec<usize>;

    /// From the bytes of the public key, to see whether submitted chunks may be used.
    fn verify(&self, public: &[u8]) -> Result<Box<dyn Verify>, EngineError>;

    /// From the bytes of the public key and of the evaluation key, to compute results.
    fn evaluate(&self, public: &[u8], evaluation: &[u8]) -> Result<Box<dyn Evaluate>, EngineError>;

    /// From the bytes of the evaluation key and of the opening key, if the round has one, to prepare results.
    fn prepare(
        &self,
        evaluation: &[u8],
        opening: Option<&[u8]>,
    ) -> Result<Box<dyn Prepare>, EngineError>;

    /// To add partial decryptions up.
    fn combine(&self) -> Result<Box<dyn Combine>, EngineError>;

    /// From the bytes of the evaluation key, to count families; for an engine with statistics.
    fn count(&self, evaluation: &[u8]) -> Result<Box<dyn Count>, EngineError> {
        let _ = evaluation;
        Err(no_statistics())
    }

    /// To add partial decryptions of counts up; for an engine with statistics.
    fn combine_counts(&self) -> Result<Box<dyn CombineCounts>, EngineError> {
        Err(no_statistics())
    }
}

/// What an engine without statistics says.
pub fn no_statistics() -> EngineError {
    EngineError::Unsupported {
        engine: "of this round",
        reason: "it cannot count families; announce a round with engine bfv for statistics".into(),
    }
}

/// Recomputes chunks and compares every byte with what was published; `platform` is what the receipt says of the
/// evaluator's machine. `progress` gets the families done and those of all these chunks, from any thread.
pub fn recompute(
    numbers: &[u32],
    inputs: &Inputs<'_>,
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
    inputs: &Inputs<'_>,
    results: &ChunkReader<'_>,
    engine: &dyn Evaluate,
    platform: &str,
    progress: &(dyn Fn(usize) + Sync),
) -> Result<(), TranscriptError> {
    let published = results.read(chunk)?;
    let file = results.path(chunk);
    let outcome = inputs
        .load(chunk)?
        .evaluate(engine, progress)
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
