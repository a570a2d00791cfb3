//! The auditor: checks a finished round from its public files and recomputes chosen chunks.
//!
//! It holds no secret. What it cannot know stands in [`UNKNOWN`] and belongs into every report.
#![forbid(unsafe_code)]

mod error;

pub use error::AuditError;

use blindtier_engine::{EngineError, Evaluate};
use blindtier_transcript::same;
use blindtier_wire::{
    Context, Digest, EvaluationKey, Expect, Fault, LETTER_BYTES, LetterKeys, Letters, PartyName,
    PublicKey, Receipt, Round, RoundId, TrustFile, WireError, read,
};
use std::path::Path;

/// What no check of public files can show.
pub const UNKNOWN: &[&str] = &[
    "whether an agency's values are true: a signature shows who sent them, not that they are right",
    "whether the roster puts the right persons into the right family",
    "whether chunks that were not recomputed were computed as published",
    "whether the trustee sealed the tiers that the results hold: only families and the trustee can open them",
    "whether parties exchanged anything outside these files",
];

/// The public files of a round.
pub struct Files<'a> {
    /// The round file.
    pub round: &'a Path,
    /// The registrar's letter keys.
    pub letter_keys: &'a Path,
    /// The trustee's public-key file.
    pub public_key: &'a Path,
    /// The trustee's evaluation-key file.
    pub evaluation_key: &'a Path,
    /// A folder with one folder an agency, named by its identifier.
    pub submissions: &'a Path,
    /// The evaluator's receipt, beside its result chunks.
    pub receipt: &'a Path,
    /// The trustee's manifest of the letters, beside the letter chunks; `None` before the opening.
    pub letters: Option<&'a Path>,
}

/// What the auditor knows by itself.
pub struct Reference<'a> {
    /// Its own hash of the policy.
    pub policy: Digest,
    /// Its own hash of the plan.
    pub plan: Digest,
    /// The trustee of the round.
    pub trustee: &'a PartyName,
    /// Everybody's public keys.
    pub trust: &'a TrustFile,
}

/// What was checked. All of it held; anything else is an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The round.
    pub round: RoundId,
    /// Its slots.
    pub slots: u32,
    /// The agencies that submitted.
    pub agencies: Vec<PartyName>,
    /// Signed files whose signature, round, policy, engine and hash were checked.
    pub files_checked: u64,
    /// Chunks of the round.
    pub chunks: u32,
    /// Chunks that were recomputed, with the same bytes as published.
    pub chunks_recomputed: Vec<u32>,
    /// Lookups that the receipt claims; equal to the sum over its chunks.
    pub operations: u64,
    /// Whether the letters were there to be checked.
    pub letters_checked: bool,
    /// What the evaluator computed on, in its own words.
    pub platform: String,
}

/// Checks every signature, hash and reference of a round and recomputes the chunks `recompute`.
///
/// `load` makes the engine from the bytes of the checked evaluation key; it is called only if there is a chunk
/// to recompute.
pub fn verify(
    files: &Files<'_>,
    reference: &Reference<'_>,
    recompute: &[u32],
    load: impl FnOnce(&[u8]) -> Result<Box<dyn Evaluate>, EngineError>,
) -> Result<Report, AuditError> {
    let trust = reference.trust;
    let received = Round::read_with_plan(files.round, trust, reference.policy, reference.plan)?;
    let (round, context) = (received.body, received.context);
    let registrar = PartyName::registrar();
    let chunking =
        round.chunking().map_err(|fault| WireError::refused(files.round, &registrar, fault))?;
    if let Some(&chunk) = recompute.iter().find(|&&chunk| chunk >= chunking.count()) {
        return Err(AuditError::NoSuchChunk { chunk, chunks: chunking.count() });
    }
    LetterKeys::read(files.letter_keys, &round, &context, trust)?;
    let expect = Expect::of(reference.trustee, &context);
    let public_key = read::<PublicKey>(files.public_key, &expect, trust)?.digest;
    let key = read::<EvaluationKey>(files.evaluation_key, &expect, trust)?;
    same(
        "public-key file",
        public_key,
        key.body.public_key,
        files.evaluation_key,
        reference.trustee,
    )?;

    let receipt = Receipt::read(files.receipt, &round, &context, trust)?;
    let evaluator = PartyName::evaluator();
    let (named, actual) = (receipt.body.evaluation_key, key.digest);
    same("evaluation-key file", actual, named, files.receipt, &evaluator)?;
    let transcript =
        blindtier_transcript::Files { submissions: files.submissions, receipt: files.receipt };
    let submissions = blindtier_transcript::submissions(
        &transcript,
        &round,
        &context,
        trust,
        &receipt,
        public_key,
    )?;
    let inputs = blindtier_transcript::chunks(&submissions, &round, &context, trust)?;
    let results = receipt.body.chunks(files.receipt, &round, &context, trust)?;
    // Round, letter keys, public key, evaluation key, receipt, and one manifest an agency.
    let mut files_checked = 5 + submissions.len() as u64;
    let mut operations = 0_u64;
    for chunk in 0..chunking.count() {
        for input in &inputs {
            input.read(chunk)?;
        }
        operations = operations.saturating_add(results.read(chunk)?.operations);
        files_checked += inputs.len() as u64 + 1;
    }
    if operations != receipt.body.operations {
        let fault =
            Fault::Content { detail: "the receipt's operations are not the sum over its chunks" };
        return Err(WireError::refused(files.receipt, &evaluator, fault).into());
    }
    if let Some(path) = files.letters {
        files_checked += 1 + check_letters(path, reference, &round, &context, receipt.digest)?;
    }

    let mut chunks_recomputed = recompute.to_vec();
    chunks_recomputed.sort_unstable();
    chunks_recomputed.dedup();
    if !chunks_recomputed.is_empty() {
        let engine = load(&key.body.bytes).map_err(|source| AuditError::Key {
            file: files.evaluation_key.to_owned(),
            culprit: reference.trustee.clone(),
            source,
        })?;
        blindtier_transcript::recompute(
            &chunks_recomputed,
            &inputs,
            &results,
            engine.as_ref(),
            &receipt.body.platform,
            &|_| {},
        )?;
    }
    Ok(Report {
        round: context.round,
        slots: round.slots,
        agencies: round.agencies,
        files_checked,
        chunks: chunking.count(),
        chunks_recomputed,
        operations,
        letters_checked: files.letters.is_some(),
        platform: receipt.body.platform,
    })
}

/// Checks the letters and returns how many chunks there are. What the letters say stays sealed.
fn check_letters(
    path: &Path,
    reference: &Reference<'_>,
    round: &Round,
    context: &Context,
    receipt: Digest,
) -> Result<u64, AuditError> {
    let trustee = reference.trustee;
    let letters = Letters::read(path, trustee, round, context, reference.trust)?.body;
    same("receipt", receipt, letters.receipt, path, trustee)?;
    let chunks = letters.chunks(path, trustee, round, context, reference.trust)?;
    let count = u32::try_from(letters.chunks.len()).unwrap_or(u32::MAX);
    for number in 0..count {
        let chunk = chunks.read(number)?;
        if chunk.bytes.len() as u64 != u64::from(chunk.count) * LETTER_BYTES as u64 {
            let fault = Fault::Content { detail: "the letters do not all have the one size" };
            return Err(WireError::refused(&chunks.path(number), trustee, fault).into());
        }
    }
    Ok(u64::from(count))
}
