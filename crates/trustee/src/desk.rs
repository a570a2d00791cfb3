//! What every step of a trustee starts from.

use crate::error::TrusteeError;
use crate::open::Engine;
use blindtier_ledger::{Entry, Event, Ledger, Recorded};
use blindtier_transcript::{Inputs, Public};
use blindtier_wire::{
    Board, Context, Digest, EvaluationKey, Expect, PartyName, PublicKey, Round, Shares,
    SigningIdentity, SubmissionEntry, TrustFile, file_names, read, same,
};
use std::path::{Path, PathBuf};

/// A trustee's place: the public board, its own private folder, and what it knows by itself.
pub struct Desk<'a> {
    /// The public folder of the round; what the trustee says is written there.
    pub board: &'a Board,
    /// The trustee's own folder (private): shares, and what it signed and opened.
    pub private: &'a Path,
    /// The trustee's own hash of the policy.
    pub policy: Digest,
    /// The trustee's own hash of the plan.
    pub plan: Digest,
    /// The trustee's signing key.
    pub identity: &'a SigningIdentity,
    /// Everybody's public keys.
    pub trust: &'a TrustFile,
}

/// A round at a trustee's desk, with round and ledger checked.
pub(crate) struct Session<'a> {
    pub desk: &'a Desk<'a>,
    pub round: Round,
    pub context: Context,
    pub ledger: Ledger,
    /// The trustee's number, from 1.
    pub number: u16,
}

impl<'a> Session<'a> {
    pub fn new(desk: &'a Desk<'a>) -> Result<Self, TrusteeError> {
        let received =
            Round::read_with_plan(&desk.board.round(), desk.trust, desk.policy, desk.plan)?;
        let (round, context) = (received.body, received.context);
        let number = round
            .sharing
            .names()
            .position(|name| name == *desk.identity.name())
            .and_then(|place| u16::try_from(place + 1).ok())
            .ok_or_else(|| TrusteeError::NotATrustee {
                party: desk.identity.name().clone(),
                sharing: round.sharing,
            })?;
        let ledger = Ledger::read(&desk.board.ledger(), &round, &context, desk.trust)?;
        Ok(Self { desk, round, context, ledger, number })
    }

    pub fn name(&self) -> &PartyName {
        self.desk.identity.name()
    }

    pub fn shares_file(&self) -> PathBuf {
        self.desk.private.join(file_names::SHARES)
    }

    /// This trustee's shares (private), which have to be those that the ledger has commitments to.
    pub fn shares(&self) -> Result<Shares, TrusteeError> {
        let file = self.shares_file();
        let expect = Expect::of(self.name(), &self.context);
        let shares = read::<Shares>(&file, &expect, self.desk.trust)?.body;
        let numbers: Vec<u32> = shares.shares.iter().map(|share| share.share).collect();
        let committed = self.ledger.keys()?.shares;
        let right = numbers == self.round.sharing.held_by(self.number)
            && shares.shares.iter().all(|share| {
                committed.get(share.share as usize) == Some(&share.commitment(&self.context))
            });
        if right { Ok(shares) } else { Err(TrusteeError::OtherShares { file }) }
    }

    /// Signs an event as the next entry of the ledger, or under the entry that has it. Nothing else than what other trustees
    /// have begun to sign: this trustee's signature under another entry would only fork the ledger.
    pub fn endorse(&self, event: Event) -> Result<Entry, TrusteeError> {
        let (round, context) = (&self.round, &self.context);
        if let Some(pending) = self.ledger.pending()
            && pending.entry.event != event
            && !pending.signers.contains(self.name())
            && !self.ledger.events().any(|recorded| *recorded == event)
        {
            return Err(self.other_entry(pending));
        }
        let (private, identity) = (self.desk.private, self.desk.identity);
        Ok(self.ledger.endorse(event, round, context, private, identity)?)
    }

    /// That others signed another entry than this trustee would.
    pub fn other_entry(&self, other: &Recorded) -> TrusteeError {
        TrusteeError::OtherEntry {
            folder: self.desk.board.ledger(),
            index: other.entry.index,
            signers: other.signers.clone(),
            entry: other.entry.event.to_string(),
        }
    }

    /// What lies on the board, to be checked.
    pub fn public(&self) -> Public<'_> {
        let (board, trust) = (self.desk.board, self.desk.trust);
        Public { board, round: &self.round, context: &self.context, trust }
    }

    /// Refuses a manifest of the evaluator's that is about other submissions than those registered.
    pub fn same_submissions(
        &self,
        named: &[SubmissionEntry],
        file: &Path,
    ) -> Result<(), TrusteeError> {
        for (named, registered) in named.iter().zip(self.ledger.submissions()?) {
            if *named != registered {
                let (culprit, submitter) = (PartyName::evaluator(), registered.submitter);
                return Err(TrusteeError::OtherSubmission {
                    file: file.to_owned(),
                    culprit,
                    submitter,
                });
            }
        }
        Ok(())
    }

    /// The registered submissions with every chunk read and, with the public key's bytes, its proof checked. `progress` gets the families done, from any
    /// thread.
    pub fn inputs(
        &self,
        engine: &dyn Engine,
        public_key: &[u8],
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Inputs<'_>, TrusteeError> {
        let file = self.desk.board.public_key();
        let verifier =
            engine.verify(public_key).map_err(|source| TrusteeError::Key { file, source })?;
        Ok(Inputs::read(
            &self.public(),
            self.ledger.submissions()?,
            &engine.submitters(),
            self.ledger.keys()?.public_key,
            &|_| Some(verifier.as_ref()),
            &(),
            progress,
        )?)
    }

    /// The evaluation key's bytes; it is the one in the ledger.
    pub fn evaluation_key(&self) -> Result<Vec<u8>, TrusteeError> {
        let (file, maker) = (self.desk.board.evaluation_key(), &self.round.key_maker);
        let expect = Expect::of(maker, &self.context);
        let key = read::<EvaluationKey>(&file, &expect, self.desk.trust)?;
        let recorded = self.ledger.keys()?.evaluation_key;
        same("evaluation key in the ledger", key.digest, recorded, &file, maker)?;
        Ok(key.body.bytes)
    }

    /// The public key's bytes; it is the one in the ledger.
    pub fn public_key(&self) -> Result<Vec<u8>, TrusteeError> {
        let (file, maker) = (self.desk.board.public_key(), &self.round.key_maker);
        let expect = Expect::of(maker, &self.context);
        let key = read::<PublicKey>(&file, &expect, self.desk.trust)?;
        let recorded = self.ledger.keys()?.public_key;
        same("public key in the ledger", key.digest, recorded, &file, maker)?;
        Ok(key.body.bytes)
    }
}
