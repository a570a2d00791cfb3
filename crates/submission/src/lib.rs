//! What every party does that submits encrypted columns: agencies, and the registrar where families may opt out.
//!
//! It knows columns and slots, and neither a register nor a roster.
#![forbid(unsafe_code)]

mod error;
mod levels;

pub use error::SubmissionError;

use blindtier_engine::{Encrypt, EngineError};
use blindtier_ledger::Ledger;
use blindtier_wire::{
    Board, ChunkWriter, Context, Digest, Expect, Fault, Kind, PartyName, PublicKey, Round,
    SigningIdentity, Submission, TrustFile, WireError, chunk_name, file_names, read, same, storage,
    write,
};
use std::ops::Range;
use std::path::Path;

/// Yields a submitter's clear columns (private) for consecutive slots.
pub trait ColumnSource {
    /// Why a value cannot be given.
    type Error: std::error::Error + Send + Sync + 'static;

    /// How many columns there are.
    fn columns(&self) -> usize;

    /// `result[c][f]` is the value of column `c` for the `f`-th slot of the range. Every slot has a value: the
    /// policy's missing one where the submitter does not know the family.
    fn values(&mut self, slots: Range<u32>) -> Result<Vec<Vec<i64>>, Self::Error>;
}

/// A round that a party submits to, with round and ledger checked.
pub struct Invitation {
    /// The round.
    pub round: Round,
    /// What all files of the round carry.
    pub context: Context,
    /// What the trustees have signed so far.
    pub ledger: Ledger,
}

/// Where a submission comes from and goes to.
pub struct Destination<'a> {
    /// The submitter's position: of an agency in the policy, or the number of agencies for the registrar.
    pub submitter: usize,
    /// The public-key file; it has to be the one in the ledger.
    pub public_key: &'a Path,
    /// Folder for the chunks and, last, the manifest `submission.bt`. The manifest goes to the trustees at once, the
    /// chunks to nobody before the ledger has its hash, see [`Invitation::hand_over`].
    pub output: &'a Path,
}

/// A finished submission.
#[derive(Clone, Debug)]
pub struct Submitted {
    /// The manifest.
    pub submission: Submission,
    /// Hash of the manifest file.
    pub digest: Digest,
    /// False if the submission was finished earlier and nothing was encrypted now.
    pub fresh: bool,
}

impl Invitation {
    /// Reads the round and the ledger and checks them against the submitter's own hashes of policy and plan.
    pub fn read(
        board: &Board,
        policy: Digest,
        plan: Digest,
        identity: &SigningIdentity,
        trust: &TrustFile,
    ) -> Result<Self, SubmissionError> {
        let file = board.round();
        let received = Round::read_with_plan(&file, trust, policy, plan)?;
        let (round, context) = (received.body, received.context);
        if !round.submitters.contains(identity.name()) {
            return Err(SubmissionError::NotInvited { file, party: identity.name().clone() });
        }
        let ledger = Ledger::read(&board.ledger(), &round, &context, trust)?;
        Ok(Self { round, context, ledger })
    }

    /// Copies a finished submission to `output`, for the evaluator and everybody, once the ledger has its hash: whoever
    /// got ciphertexts earlier could hand them in as its own.
    pub fn hand_over(
        &self,
        submission: &Path,
        output: &Path,
        identity: &SigningIdentity,
        trust: &TrustFile,
    ) -> Result<(), SubmissionError> {
        let file = submission.join(file_names::SUBMISSION);
        let submitter = identity.name();
        let manifest = Submission::read(&file, submitter, &self.round, &self.context, trust)?;
        let submitter = submitter.clone();
        if let Some((_, reason)) = self.ledger.exclusions().find(|(name, _)| **name == submitter) {
            return Err(SubmissionError::LeftOut { file, submitter, reason });
        }
        let mut registrations = self.ledger.registrations()?.iter();
        let own = registrations.find(|entry| entry.submitter == submitter);
        if own.is_none_or(|entry| entry.manifest != Ok(manifest.digest)) {
            return Err(SubmissionError::NotRegistered { file, submitter });
        }
        let limit = Kind::SubmissionChunk.limit() + (1 << 16);
        for (chunk, digest) in (0u32..).zip(&manifest.body.chunks) {
            let name = chunk_name(chunk);
            let (from, to) = (submission.join(&name), output.join(&name));
            // What an interrupted hand-over left is not sent again.
            if storage::read_own(&to, limit)?.is_some_and(|bytes| Digest::of(&bytes) == *digest) {
                continue;
            }
            let missing = || WireError::refused(&from, identity.name(), Fault::Missing);
            let bytes = storage::read_own(&from, limit)?.ok_or_else(missing)?;
            let (expected, found) = (*digest, Digest::of(&bytes));
            if found != expected {
                let fault = Fault::ChunkHash { expected, found };
                return Err(WireError::refused(&from, identity.name(), fault).into());
            }
            storage::write_public(&to, &bytes)?;
        }
        Ok(storage::copy(&file, &output.join(file_names::SUBMISSION), limit)?)
    }

    /// Encrypts the submitter's columns chunk by chunk, each bound to round, sender and slots, and signs the manifest.
    ///
    /// `load` makes the engine from the bytes of the checked public key. A finished submission is returned as it
    /// is, never made again: two encryptions of the same values would be two submissions. One that was
    /// interrupted has no manifest, nobody has seen it, and all of it is written anew.
    pub fn submit<S: ColumnSource>(
        &self,
        to: &Destination<'_>,
        source: &mut S,
        load: impl FnOnce(&[u8]) -> Result<Box<dyn Encrypt>, EngineError>,
        identity: &SigningIdentity,
        trust: &TrustFile,
        progress: impl Fn(u64, u64),
    ) -> Result<Submitted, SubmissionError> {
        let manifest = to.output.join(file_names::SUBMISSION);
        if storage::exists(&manifest)? {
            let done =
                Submission::read(&manifest, identity.name(), &self.round, &self.context, trust)?;
            return Ok(Submitted { submission: done.body, digest: done.digest, fresh: false });
        }
        let maker = &self.round.key_maker;
        let key = read::<PublicKey>(to.public_key, &Expect::of(maker, &self.context), trust)?;
        let recorded = self.ledger.keys()?.public_key;
        same("key in the ledger", key.digest, recorded, to.public_key, maker)?;
        let engine = load(&key.body.bytes).map_err(|source| SubmissionError::Key {
            file: to.public_key.to_owned(),
            culprit: maker.clone(),
            source,
        })?;
        let chunking = self
            .round
            .chunking()
            .map_err(|fault| WireError::refused(&manifest, &PartyName::registrar(), fault))?;
        let columns = source.columns();
        let mut writer =
            ChunkWriter::new(to.output, Kind::SubmissionChunk, &self.context, identity, chunking)?;
        while let Some((chunk, start, count)) = writer.next_chunk() {
            let values = source
                .values(start..start + count)
                .map_err(|e| SubmissionError::Source { chunk, source: Box::new(e) })?;
            if values.len() != columns || values.iter().any(|column| column.len() != count as usize)
            {
                return Err(SubmissionError::Shape { chunk, columns, slots: count });
            }
            let binding = self.context.binding(identity.name(), start, count);
            let bytes = engine
                .encrypt(to.submitter, &values, &binding)
                .map_err(|source| SubmissionError::Encrypt { chunk, source })?;
            writer.push(bytes, 0)?;
            progress(u64::from(start) + u64::from(count), u64::from(chunking.slots()));
        }
        let submission = Submission {
            plan: self.round.plan,
            public_key: key.digest,
            slots: self.round.slots,
            columns: u32::try_from(columns).unwrap_or(u32::MAX),
            chunks: writer.finish()?,
        };
        let digest = write(&manifest, &submission, &self.context, identity)?;
        Ok(Submitted { submission, digest, fresh: true })
    }
}
