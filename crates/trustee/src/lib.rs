//! The trustee: holds the secret key, opens each round once and seals every tier to its family.
//!
//! For now one trustee holds the whole key. It opens only what it has recomputed from the submissions itself, byte
//! for byte: an evaluator that could have ciphertexts of its own choice opened would read what it likes with them.
#![forbid(unsafe_code)]

mod error;
mod keys;
mod opened;
mod seal;

pub use error::TrusteeError;
pub use keys::{KeyFiles, Keys, store_keys};

use blindtier_engine::{EngineError, Evaluate, Open};
use blindtier_wire::{
    ChunkReader, ChunkWriter, Context, Digest, EvaluationKey, Expect, Kind, LETTER_BYTES,
    LetterKeys, Letters, PartyName, Receipt, Round, SecretKey, SigningIdentity, TrustFile,
    WireError, file_names, read, write,
};
use opened::Opening;
use rayon::prelude::*;
use std::path::Path;
use zeroize::Zeroizing;

/// What is to be opened.
pub struct Job<'a> {
    /// The public round file.
    pub round: &'a Path,
    /// The trustee's own hash of the policy.
    pub policy: Digest,
    /// The trustee's own hash of the plan.
    pub plan: Digest,
    /// The registrar's letter keys.
    pub letter_keys: &'a Path,
    /// The trustee's secret-key file.
    pub secret_key: &'a Path,
    /// The evaluation-key file that this trustee made; the receipt has to name it.
    pub evaluation_key: &'a Path,
    /// A folder with one folder an agency, named by its identifier: what the evaluator computed on.
    pub submissions: &'a Path,
    /// The evaluator's receipt, beside its result chunks.
    pub receipt: &'a Path,
    /// The trustee's own folder, where it remembers what it opened.
    pub state: &'a Path,
    /// Where letter chunks and, last, `letters.bt` are written.
    pub output: &'a Path,
    /// The trustee's signing key.
    pub identity: &'a SigningIdentity,
    /// Everybody's public keys.
    pub trust: &'a TrustFile,
}

/// A finished opening.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Manifest of the letters.
    pub letters: Letters,
    /// Hash of the manifest file.
    pub digest: Digest,
}

/// What a trustee is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Recomputing the results.
    Recomputing,
    /// Opening and sealing.
    Opening,
}

/// Makes engines from checked keys.
pub struct Engines<E, O> {
    /// From the bytes of the evaluation key, to recompute.
    pub evaluate: E,
    /// From the bytes (private) of the secret key.
    pub open: O,
}

/// Recomputes all results from the submissions, opens them chunk by chunk and seals each tier code to its family.
///
/// Nothing is opened, and no record is made, before every result was recomputed with the same bytes. A round is opened
/// once. The record of it is made before the first result is opened; a run that was interrupted may be repeated with
/// the same receipt, until its letters are finished. `progress` gets the families done and those of the round, from any
/// thread.
pub fn open<E, O>(
    job: &Job<'_>,
    engines: Engines<E, O>,
    progress: &(dyn Fn(Step, u64, u64) + Sync),
) -> Result<Opened, TrusteeError>
where
    E: FnOnce(&[u8]) -> Result<Box<dyn Evaluate>, EngineError>,
    O: FnOnce(&[u8]) -> Result<Box<dyn Open>, EngineError>,
{
    let received = Round::read_with_plan(job.round, job.trust, job.policy, job.plan)?;
    let (round, context) = (received.body, received.context);
    let letter_keys = LetterKeys::read(job.letter_keys, &round, &context, job.trust)?;
    let receipt = Receipt::read(job.receipt, &round, &context, job.trust)?;
    let key = own_key(job, &context, receipt.body.evaluation_key)?;
    let results = receipt.body.chunks(job.receipt, &round, &context, job.trust)?;
    let opening = Opening::new(job.state, context.round, receipt.digest);
    opening.check()?;
    let chunking = round
        .chunking()
        .map_err(|fault| WireError::refused(job.round, &PartyName::registrar(), fault))?;
    let refused_key = |file: &Path| {
        let file = file.to_owned();
        move |source| TrusteeError::Key { file, source }
    };
    let total = u64::from(round.slots);
    {
        let files =
            blindtier_transcript::Files { submissions: job.submissions, receipt: job.receipt };
        let submissions = blindtier_transcript::submissions(
            &files,
            &round,
            &context,
            job.trust,
            &receipt,
            key.public_key,
        )?;
        let inputs = blindtier_transcript::chunks(&submissions, &round, &context, job.trust)?;
        let evaluator = (engines.evaluate)(&key.bytes).map_err(refused_key(job.evaluation_key))?;
        blindtier_transcript::recompute(
            &(0..chunking.count()).collect::<Vec<_>>(),
            &inputs,
            &results,
            evaluator.as_ref(),
            &receipt.body.platform,
            &|done| progress(Step::Recomputing, done.min(total), total),
        )?;
    }
    drop(key);
    let secret =
        read::<SecretKey>(job.secret_key, &Expect::of(job.identity.name(), &context), job.trust)?;
    let engine = (engines.open)(&secret.body.bytes).map_err(refused_key(job.secret_key))?;
    drop(secret);
    seal::check_randomness()?;
    opening.begin()?;

    let mut writer =
        ChunkWriter::new(job.output, Kind::LetterChunk, &context, job.identity, chunking)?;
    while let Some((chunk, start, count)) = writer.next_chunk() {
        let codes = open_chunk(&results, chunk, count, engine.as_ref())?;
        let keys = letter_keys.keys.iter().skip(start as usize);
        let slots: Vec<_> = (start..start + count).zip(keys).zip(codes.iter()).collect();
        let letters = slots
            .into_par_iter()
            .map(|((slot, key), code)| {
                seal::seal(&context, slot, key, *code)
                    .ok_or_else(|| TrusteeError::Seal { file: job.letter_keys.to_owned(), slot })
            })
            .collect::<Result<Vec<[u8; LETTER_BYTES]>, TrusteeError>>()?;
        writer.push(letters.into_flattened(), 0)?;
        progress(Step::Opening, u64::from(start) + u64::from(count), total);
    }
    let letters = Letters {
        receipt: receipt.digest,
        letter_keys: letter_keys.digest(),
        chunks: writer.finish()?,
    };
    let digest = write(&job.output.join(file_names::LETTERS), &letters, &context, job.identity)?;
    opening.finish()?;
    Ok(Opened { letters, digest })
}

/// This trustee's own evaluation key, which the receipt has to name.
fn own_key(job: &Job<'_>, context: &Context, named: Digest) -> Result<EvaluationKey, TrusteeError> {
    let expect = Expect::of(job.identity.name(), context);
    let own = read::<EvaluationKey>(job.evaluation_key, &expect, job.trust)?;
    let evaluator = PartyName::evaluator();
    blindtier_transcript::same("evaluation-key file", own.digest, named, job.receipt, &evaluator)?;
    Ok(own.body)
}

/// The tier codes (private) of one chunk.
fn open_chunk(
    results: &ChunkReader<'_>,
    chunk: u32,
    count: u32,
    engine: &dyn Open,
) -> Result<Zeroizing<Vec<u8>>, TrusteeError> {
    let refused = |source| TrusteeError::Open {
        file: results.path(chunk),
        culprit: results.sender().clone(),
        source,
    };
    let encrypted = results.read(chunk)?;
    let codes = Zeroizing::new(engine.open(count as usize, &encrypted.bytes).map_err(refused)?);
    if codes.len() != count as usize {
        let (expected, found) = (count as usize, codes.len());
        return Err(refused(EngineError::Shape { what: "opened results", expected, found }));
    }
    Ok(codes)
}
