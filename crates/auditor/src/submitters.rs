//! Who submitted, who did not, and whether what the ledger says of those who did not can be seen.

use crate::{Audit, AuditError, Engine};
use blindtier_engine::Verify;
use blindtier_ledger::Exclusion;
use blindtier_transcript::{Public, Submitted, Trouble};
use blindtier_wire::{Expect, PartyName, PublicKey, Submission, read, same, storage};

/// A submitter that a round went on without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excluded {
    /// Who.
    pub submitter: PartyName,
    /// Why, as the trustees signed.
    pub reason: Exclusion,
    /// Whether the files show that this is so; otherwise it is the trustees' word.
    pub seen: bool,
}

impl<'a> Audit<'a> {
    /// What lies on the board, to be checked.
    pub(crate) fn public(&self) -> Public<'a> {
        let Self { board, round, context, trust, .. } = *self;
        Public { board, round, context, trust }
    }

    /// What proofs of submitted chunks are looked at with, if any are to be.
    pub(crate) fn verifier(
        &self,
        chunks: &[u32],
        engine: &dyn Engine,
    ) -> Result<Option<Box<dyn Verify>>, AuditError> {
        if chunks.is_empty() {
            return Ok(None);
        }
        let (file, maker) = (self.board.public_key(), &self.round.key_maker);
        let key = read::<PublicKey>(&file, &Expect::of(maker, self.context), self.trust)?.body;
        let verifier = engine.verify(&key.bytes).map_err(|source| AuditError::Key {
            file,
            culprit: maker.clone(),
            source,
        })?;
        Ok(Some(verifier))
    }

    /// Who signed two different submissions. Both lie on the board if the ledger gives that as a reason.
    pub(crate) fn signed_two(&mut self) -> Result<Vec<PartyName>, AuditError> {
        let mut found = Vec::new();
        for submitter in &self.round.submitters {
            let files = self.board.evidence(submitter);
            let reason = |(name, reason): (&PartyName, Exclusion)| {
                name == submitter && reason == Exclusion::TwoSubmissions
            };
            let [one, other] = &files;
            let there = storage::exists(one)? || storage::exists(other)?;
            if there || self.ledger.exclusions().any(reason) {
                let Self { round, context, trust, .. } = *self;
                Submission::signed_two(&files, submitter, round, context, trust)?;
                self.files += 2;
                found.push(submitter.clone());
            }
        }
        Ok(found)
    }

    /// Who was excluded. An invalid chunk is looked at if it is one of `chunks`; one that is valid shows that trustees excluded
    /// its submitter wrongly.
    pub(crate) fn excluded(
        &self,
        signed_two: &[PartyName],
        chunks: &[u32],
        verifier: Option<&dyn Verify>,
        engine: &dyn Engine,
    ) -> Result<Vec<Excluded>, AuditError> {
        let mut found = Vec::new();
        for (submitter, reason) in self.ledger.exclusions() {
            let seen = match reason {
                Exclusion::Late | Exclusion::Withheld => false,
                Exclusion::TwoSubmissions => signed_two.contains(submitter),
                Exclusion::Invalid { chunk } if chunks.contains(&chunk) => {
                    self.is_invalid(submitter, chunk, verifier, engine)?
                }
                Exclusion::Invalid { .. } => false,
            };
            found.push(Excluded { submitter: submitter.clone(), reason, seen });
        }
        Ok(found)
    }

    /// Whether an excluded submitter's chunk is invalid; `false` if it is not on the board any more.
    fn is_invalid(
        &self,
        submitter: &PartyName,
        chunk: u32,
        verifier: Option<&dyn Verify>,
        engine: &dyn Engine,
    ) -> Result<bool, AuditError> {
        let key = self.ledger.keys()?.public_key;
        for (entry, position) in self.ledger.registrations()?.iter().zip(engine.submitters()) {
            let Ok(registered) = entry.manifest else { continue };
            if entry.submitter != *submitter {
                continue;
            }
            let read = Submitted::read(&self.public(), submitter, position, registered, key);
            return match read.map_err(Trouble::NotThere).and_then(|s| s.check(chunk, verifier)) {
                Ok(()) => Err(AuditError::WronglyExcluded { submitter: submitter.clone(), chunk }),
                Err(Trouble::Local(error)) => Err(error.into()),
                Err(Trouble::NotThere(_)) => Ok(false),
                Err(Trouble::Unreadable(_) | Trouble::Invalid { .. }) => Ok(true),
            };
        }
        Ok(false)
    }

    /// The registered manifests that are on the board, before there are results.
    pub(crate) fn manifests(&mut self) -> Result<(), AuditError> {
        for entry in self.ledger.submissions().unwrap_or_default() {
            let path = self.board.submission(&entry.submitter);
            let Some(registered) = entry.manifest else { continue };
            if !storage::exists(&path)? {
                continue;
            }
            let Self { round, context, trust, .. } = *self;
            let found = Submission::read(&path, &entry.submitter, round, context, trust)?.digest;
            same("submission in the ledger", found, registered, &path, &entry.submitter)?;
            self.files += 1;
        }
        Ok(())
    }
}
