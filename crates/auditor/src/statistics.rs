//! What was asked about groups of families, and answered.

use crate::{Audit, AuditError, Engine};
use blindtier_transcript::{Inputs, Opening};
use blindtier_wire::{Counts, EvaluationKey, Expect, Fault, PartyName, WireError, read, same};

/// What was checked of a round's statistics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Questions {
    /// Questions that the ledger has.
    pub asked: u32,
    /// Those with an answer, which the partial decryptions on the board come to.
    pub answered: u32,
    /// Parts of encrypted counts that were recomputed, with the same bytes as published.
    pub parts_recomputed: u32,
}

impl Audit<'_> {
    /// Every question's counts are those of the ledger; every answer is what its partial decryptions come to; and parts
    /// whose chunks are all among `execute` are counted again.
    pub(crate) fn questions(
        &mut self,
        execute: &[u32],
        inputs: &Inputs<'_>,
        engine: &dyn Engine,
    ) -> Result<Questions, AuditError> {
        let (board, round, context, trust) = (self.board, self.round, self.context, self.trust);
        let evaluator = PartyName::evaluator();
        let mut found = Questions::default();
        let mut answers = self.ledger.answers();
        for (digest, question) in self.ledger.questions() {
            found.asked += 1;
            let number = found.asked;
            let path = board.counts(number);
            let counts = Counts::read(&path, round, context, trust)?;
            same("counts in the ledger", counts.digest, digest, &path, &evaluator)?;
            let registered = self.ledger.submissions()?;
            let refused = |detail| {
                let fault = Fault::Content { detail };
                AuditError::from(WireError::refused(&path, &evaluator, fault))
            };
            if counts.body.submissions != registered || counts.body.question != *question {
                return Err(refused("these are not counts of what the ledger has"));
            }
            let key = self.ledger.keys()?.evaluation_key;
            same("evaluation-key file", key, counts.body.evaluation_key, &path, &evaluator)?;
            self.files += 1;
            let opening = Opening { public: self.public(), number, counts: &counts };
            let (published, parts) = (opening.published()?, opening.parts()?);
            let mut operations = 0u64;
            for part in 0..parts.count() {
                operations = operations.saturating_add(published.read(part)?.operations);
                self.files += 1;
            }
            if operations != counts.body.operations {
                return Err(refused("the operations of the parts do not add up"));
            }
            let whole = |part: &u32| {
                let (first, chunks) = parts.range(*part);
                (first..first.saturating_add(chunks)).all(|c| execute.binary_search(&c).is_ok())
            };
            let chosen: Vec<u32> = (0..parts.count()).filter(whole).collect();
            if !chosen.is_empty() {
                let (file, maker) = (board.evaluation_key(), &round.key_maker);
                let expect = Expect::of(maker, context);
                let key = read::<EvaluationKey>(&file, &expect, trust)?.body.bytes;
                let count = engine.count(&key).map_err(|source| AuditError::Key {
                    file,
                    culprit: maker.clone(),
                    source,
                })?;
                opening.recompute(&chosen, inputs, count.as_ref(), &|_| {})?;
                found.parts_recomputed += u32::try_from(chosen.len()).unwrap_or(u32::MAX);
            }
            let Some(answer) = answers.next() else { break };
            let tiers = answer.first().map_or(0, Vec::len);
            let mut said = Vec::new();
            for trustee in round.sharing.names() {
                if let Some(partials) = opening.partials(&trustee)? {
                    self.files += 1;
                    said.push((trustee, partials));
                }
            }
            let cells = opening.combine(&said, tiers, engine, None)?;
            if cells != answer {
                return Err(AuditError::OtherAnswer { folder: board.ledger(), number });
            }
            found.answered += 1;
        }
        Ok(found)
    }
}
