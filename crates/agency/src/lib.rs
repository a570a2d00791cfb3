//! An agency: joins its register to the roster, encrypts its columns and submits them.
#![forbid(unsafe_code)]

mod error;
mod levels;
mod register;

pub use error::AgencyError;
pub use levels::seal_levels;
pub use register::{LinkageReport, Register, RegisterColumns};

use blindtier_engine::{Encrypt, EngineError};
use blindtier_ledger::Ledger;
use blindtier_wire::{
    Board, ChunkWriter, Context, Digest, Expect, Kind, PartyName, PublicKey, Roster, Round,
    SigningIdentity, Submission, TrustFile, WireError, chunk_name, file_names, read, same, storage,
    write,
};
use std::ops::Range;
use std::path::Path;

/// Yields an agency's clear columns (private) for consecutive slots.
pub trait ColumnSource {
    /// Why a value cannot be given.
    type Error: std::error::Error + Send + Sync + 'static;

    /// How many columns there are.
    fn columns(&self) -> usize;

    /// `result[c][f]` is the value of column `c` for the `f`-th slot of the range. Every slot has a value: the
    /// policy's missing one where the register does not know the family.
    fn values(&mut self, slots: Range<u32>) -> Result<Vec<Vec<i64>>, Self::Error>;
}

/// The files that invite an agency to a round.
pub struct InvitationFiles<'a> {
    /// The public folder of the round.
    pub board: &'a Board,
    /// The agency's own roster (secret).
    pub roster: &'a Path,
    /// The agency's own hash of the policy.
    pub policy: Digest,
    /// The agency's own hash of the plan.
    pub plan: Digest,
}

/// A round that an agency takes part in, with everything checked.
pub struct Invitation {
    /// The round.
    pub round: Round,
    /// What all files of the round carry.
    pub context: Context,
    /// Who belongs to which slot (secret).
    pub roster: Roster,
    /// What the trustees have signed so far.
    pub ledger: Ledger,
}

/// Where a submission comes from and goes to.
pub struct Destination<'a> {
    /// The agency's position in the policy.
    pub agency: usize,
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
    /// Reads the round and this agency's roster and checks both against the agency's own policy and plan.
    pub fn read(
        files: &InvitationFiles<'_>,
        identity: &SigningIdentity,
        trust: &TrustFile,
    ) -> Result<Self, AgencyError> {
        let path = files.board.round();
        let received = Round::read_with_plan(&path, trust, files.policy, files.plan)?;
        let (round, context) = (received.body, received.context);
        if !round.agencies.contains(identity.name()) {
            return Err(AgencyError::NotInvited { file: path, agency: identity.name().clone() });
        }
        let roster = Roster::read(files.roster, identity.name(), &round, &context, trust)?;
        let ledger = Ledger::read(&files.board.ledger(), &round, &context, trust)?;
        Ok(Self { round, context, roster, ledger })
    }

    /// Copies a finished submission to `output`, for the evaluator and everybody, once the ledger has its hash: whoever
    /// got ciphertexts earlier could hand them in as its own.
    pub fn hand_over(
        &self,
        submission: &Path,
        output: &Path,
        identity: &SigningIdentity,
        trust: &TrustFile,
    ) -> Result<(), AgencyError> {
        let file = submission.join(file_names::SUBMISSION);
        let agency = identity.name();
        let manifest = Submission::read(&file, agency, &self.round, &self.context, trust)?;
        let registered = self.ledger.submissions()?.iter().find(|entry| entry.agency == *agency);
        if registered.is_none_or(|entry| entry.manifest != manifest.digest) {
            return Err(AgencyError::NotRegistered { file, agency: agency.clone() });
        }
        let limit = Kind::SubmissionChunk.limit() + (1 << 16);
        for chunk in (0u32..).take(manifest.body.chunks.len()) {
            let name = chunk_name(chunk);
            storage::copy(&submission.join(&name), &output.join(&name), limit)?;
        }
        Ok(storage::copy(&file, &output.join(file_names::SUBMISSION), limit)?)
    }

    /// Encrypts the agency's columns chunk by chunk and signs the manifest.
    ///
    /// `load` makes the engine from the bytes of the checked public key. A finished submission is returned as it
    /// is, never made again: two encryptions of one register would be two submissions. One that was
    /// interrupted has no manifest, nobody has seen it, and all of it is written anew.
    pub fn submit<S: ColumnSource>(
        &self,
        to: &Destination<'_>,
        source: &mut S,
        load: impl FnOnce(&[u8]) -> Result<Box<dyn Encrypt>, EngineError>,
        identity: &SigningIdentity,
        trust: &TrustFile,
        progress: impl Fn(u64, u64),
    ) -> Result<Submitted, AgencyError> {
        let manifest = to.output.join(file_names::SUBMISSION);
        if manifest.exists() {
            let done =
                Submission::read(&manifest, identity.name(), &self.round, &self.context, trust)?;
            return Ok(Submitted { submission: done.body, digest: done.digest, fresh: false });
        }
        let maker = &self.round.key_maker;
        let key = read::<PublicKey>(to.public_key, &Expect::of(maker, &self.context), trust)?;
        let recorded = self.ledger.keys()?.public_key;
        same("key in the ledger", key.digest, recorded, to.public_key, maker)?;
        let engine = load(&key.body.bytes).map_err(|source| AgencyError::Key {
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
            let slots = start..start + count;
            let values = source
                .values(slots)
                .map_err(|e| AgencyError::Source { chunk, source: Box::new(e) })?;
            if values.len() != columns || values.iter().any(|column| column.len() != count as usize)
            {
                return Err(AgencyError::Shape { chunk, columns, slots: count });
            }
            let bytes = engine
                .encrypt(to.agency, &values)
                .map_err(|source| AgencyError::Encrypt { chunk, source })?;
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
