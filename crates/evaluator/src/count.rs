//! Counting: how many families of a group have a tier, on ciphertexts.

use crate::evaluation::By;
use crate::progress::Progress;
use crate::{Checked, Engine, EvaluatorError, Job, Step, refused_key};
use blindtier_ledger::Ledger;
use blindtier_transcript::{Public, count_part};
use blindtier_wire::{
    ChunkWriter, Context, Counts, Digest, Kind, Question, SubmissionEntry, storage, write,
};
use rayon::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts that were made.
#[derive(Clone, Debug)]
pub struct CountedRound {
    /// The question's number, from 1.
    pub number: u32,
    /// The manifest.
    pub counts: Counts,
    /// Hash of the manifest file.
    pub digest: Digest,
    /// What the question leaves of the round's privacy budget, in thousandths of ε.
    pub left: u32,
}

/// Counts the families of these groups with each tier, on the submissions that were opened, and signs the manifest.
/// Refuses what the trustees would refuse: a group that was asked about before, or more than is left of the privacy budget.
///
/// `progress` as in [`crate::run`]. An interrupted run goes on at its first missing part.
pub fn count(
    job: &Job<'_>,
    question: &Question,
    engine: &dyn Engine,
    progress: &(dyn Fn(Step, u64, u64) + Sync),
) -> Result<CountedRound, EvaluatorError> {
    let Job { board, trust, identity, .. } = *job;
    let (round, context) = job.round()?;
    let own = Progress::open(job.state, &context, None)?;
    let refuse = |file, reason: String| EvaluatorError::Question { file, reason };
    let statistics =
        round.statistics().map_err(|fault| refuse(board.round(), fault.to_string()))?;
    let ledger = Ledger::read(&board.ledger(), &round, &context, trust)?;
    let (_, entries) = (ledger.committed()?, ledger.submissions()?);
    ledger.allows(question, &round).map_err(|reason| refuse(board.ledger(), reason.to_owned()))?;
    let parts = round.parts(question).map_err(|fault| refuse(board.round(), fault.to_string()))?;
    let number = u32::try_from(ledger.questions().count() + 1).unwrap_or(u32::MAX);
    let left = statistics.budget - ledger.spent() - question.epsilon;
    let path = board.counts(number);
    let keys = ledger.keys()?;
    if storage::exists(&path)? {
        let done = Counts::read(&path, &round, &context, trust)?;
        let same = done.body.question == *question
            && done.body.submissions == entries
            && done.body.evaluation_key == keys.evaluation_key;
        if same {
            return Ok(CountedRound { number, counts: done.body, digest: done.digest, left });
        }
        return Err(refuse(
            path,
            "another question was counted here that the trustees have not signed; open that one, or remove its folder"
                .into(),
        ));
    }
    let public = Public { board, round: &round, context: &context, trust };
    let Checked { inputs, evaluation_key, .. } =
        Checked::read(&public, &ledger, engine, &own, By::This(None), progress)?;
    let engine = engine
        .count(&evaluation_key)
        .map_err(|source| refused_key(&public, board.evaluation_key(), source))?;
    drop(evaluation_key);
    let total = u64::from(round.slots);
    let folder = path.parent().map(std::path::Path::to_owned).unwrap_or_default();
    // What an interrupted run left is kept for the same question about the same submissions only.
    let (note, text) = (folder.join("question.txt"), asked(&context, &entries, question));
    if storage::read_own(&note, 4096)?.is_none_or(|found| found != text.as_bytes()) {
        storage::remove_folder(&folder)?;
        storage::write_public(&note, text.as_bytes())?;
    }
    let mut writer = ChunkWriter::new(&folder, Kind::CountPart, &context, identity, parts)?;
    progress(Step::Counting, 0, total);
    let done = AtomicU64::new(0);
    let report = |families: u64| {
        let before = done.fetch_add(families, Ordering::Relaxed);
        progress(Step::Counting, (before + families).min(total), total);
    };
    let mut operations = 0u64;
    while let Some((_, first, chunks)) = writer.next_chunk() {
        let Some(kept) = writer.resume(trust) else { break };
        operations = operations.saturating_add(kept.operations);
        let families = (first..first + chunks).map(|chunk| inputs.chunking().range(chunk).1);
        report(families.map(u64::from).sum());
    }
    let missing = writer.next_chunk().map_or(u32::MAX, |(part, ..)| part);
    let missing: Vec<u32> = writer.chunks_from(missing).map(|(part, _)| part).collect();
    for group in missing.chunks(rayon::current_num_threads().max(1)) {
        let counted: Result<Vec<_>, _> = group
            .par_iter()
            .map(|part| count_part(*part, parts, &inputs, question, engine.as_ref(), &report))
            .collect();
        for part in counted? {
            operations = operations.saturating_add(part.operations);
            writer.push(part.counts, part.operations)?;
        }
    }
    let counts = Counts {
        plan: round.plan,
        evaluation_key: keys.evaluation_key,
        submissions: entries,
        question: question.clone(),
        parts: writer.finish()?,
        operations,
    };
    let digest = write(&path, &counts, &context, identity)?;
    storage::remove(&note)?;
    Ok(CountedRound { number, counts, digest, left })
}

/// What counts are made of, in one line.
fn asked(context: &Context, entries: &[SubmissionEntry], question: &Question) -> String {
    let Question { groups, epsilon } = question;
    let from = Digest(blindtier_transcript::seed(context, entries, 0));
    format!("{from} {groups:?} {epsilon}")
}
