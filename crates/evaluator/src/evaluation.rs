//! Computing a round's chunks, in any order, each once.

use crate::progress::{Done, Progress};
use crate::{
    Checked, Engine, EvaluatorError, Job, Machines, Order, Shard, Step, Wanted, refused_key,
};
use blindtier_engine::{EngineError, Evaluate, Evaluated};
use blindtier_transcript::{Inputs, Public, seed};
use blindtier_wire::{
    ChunkWriter, Chunking, Digest, Kind, PartyName, SubmissionEntry, TrustFile, WireError,
    chunk_number, storage,
};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Lies beside results that have no receipt yet, and says which submissions they are computed from.
pub(crate) const INPUTS: &str = "inputs.txt";
/// The largest result file that is read again.
const LIMIT: u64 = (1 << 30) + (1 << 16);

/// How many orders in a row may bring nothing new before a run on other machines is given up.
const FRUITLESS: u32 = 5;

/// Who computes.
#[derive(Clone, Copy)]
pub(crate) enum By<'m> {
    /// This machine, all chunks or those of a shard.
    This(Option<Shard>),
    /// Others, all chunks.
    Machines(&'m dyn Machines),
}

impl By<'_> {
    /// The shard, unless it is all chunks.
    pub fn shard(self) -> Option<Shard> {
        match self {
            Self::This(shard) => shard,
            Self::Machines(_) => None,
        }
    }
}

/// A round's results, as far as they are there.
pub(crate) struct Evaluation<'a> {
    public: Public<'a>,
    trust: &'a TrustFile,
    own: &'a Progress,
    by: By<'a>,
    /// Hash of what the results are computed from.
    inputs: [u8; 32],
    writer: ChunkWriter<'a>,
}

/// What was computed or found.
pub(crate) struct Results {
    pub chunks: BTreeMap<u32, Done>,
    pub families: u64,
    pub resumed: u32,
    pub lost: u32,
    pub platform: String,
}

impl Results {
    pub fn operations(&self) -> u64 {
        self.chunks.values().fold(0, |sum, done| sum.saturating_add(done.operations))
    }
}

impl<'a> Evaluation<'a> {
    /// Makes room for results that are computed from these submissions.
    pub fn new(
        job: &Job<'a>,
        public: &Public<'a>,
        entries: &[SubmissionEntry],
        own: &'a Progress,
        by: By<'a>,
    ) -> Result<Self, EvaluatorError> {
        let Job { board, trust, identity, .. } = *job;
        let (round, context) = (public.round, public.context);
        let inputs = seed(context, entries, 0);
        claim(&board.results(), &inputs, own, by.shard())?;
        let chunking = round
            .chunking()
            .map_err(|fault| WireError::refused(&board.round(), &PartyName::registrar(), fault))?;
        let writer =
            ChunkWriter::new(&board.results(), Kind::ResultChunk, context, identity, chunking)?;
        Ok(Self { public: *public, trust, own, by, inputs, writer })
    }

    /// Computes what is missing.
    pub fn run(
        &self,
        checked: Checked<'_>,
        engine: &dyn Engine,
        progress: &(dyn Fn(Step, u64, u64) + Sync),
    ) -> Result<Results, EvaluatorError> {
        let shard = self.by.shard();
        let Checked { inputs, public_key, evaluation_key } = checked;
        let engine = engine.evaluate(&public_key, &evaluation_key).map_err(|source| {
            refused_key(&self.public, self.public.board.evaluation_key(), source)
        })?;
        drop((public_key, evaluation_key));
        let chunking = self.writer.chunking();
        let (mut wanted, mut total) = (Vec::new(), 0);
        for chunk in (0..chunking.count()).filter(|chunk| shard.is_none_or(|s| s.has(*chunk))) {
            wanted.push(chunk);
            total += u64::from(chunking.range(chunk).1);
        }
        let mut results = Results {
            chunks: BTreeMap::new(),
            families: total,
            resumed: 0,
            lost: 0,
            platform: engine.platform(),
        };
        let done = AtomicU64::new(0);
        let report = |families: usize| {
            let before = done.fetch_add(families as u64, Ordering::Relaxed);
            progress(Step::Evaluating, (before + families as u64).min(total), total);
        };
        progress(Step::Evaluating, 0, total);
        let mut missing = Vec::new();
        for chunk in wanted {
            match self.find(chunk, &mut results)? {
                Some(done) => {
                    results.chunks.insert(chunk, done);
                    report(families(chunking, chunk));
                }
                None => missing.push(chunk),
            }
        }
        results.resumed = u32::try_from(results.chunks.len()).unwrap_or(u32::MAX);
        match self.by {
            By::This(_) => {
                self.compute(&missing, &inputs, engine.as_ref(), &report, &mut results)?;
            }
            By::Machines(machines) => {
                drop((inputs, engine));
                self.order(missing, machines, &report, &mut results)?;
            }
        }
        Ok(results)
    }

    /// Has other machines compute what is missing, and looks at every result itself.
    fn order(
        &self,
        mut missing: Vec<u32>,
        machines: &dyn Machines,
        report: &(dyn Fn(usize) + Sync),
        results: &mut Results,
    ) -> Result<(), EvaluatorError> {
        let (folder, chunking) = (self.public.board.results(), self.writer.chunking());
        // What was reported once is not reported again, though it may be lost and computed anew.
        let reported = Mutex::new(BTreeSet::new());
        let mut fruitless = 0;
        while !missing.is_empty() {
            let order = |&chunk: &u32| -> Result<Order, WireError> {
                let result = self.writer.path(chunk);
                // Nothing that is damaged may look like a result.
                storage::remove(&result)?;
                Ok(Order { inputs: Digest(self.inputs), chunk, result })
            };
            let orders = missing.iter().map(order).collect::<Result<Vec<_>, _>>()?;
            let there = || -> Result<usize, WireError> {
                let names = storage::list(&folder)?;
                let wanted = |(name, _): &(String, u64)| {
                    chunk_number(name).filter(|chunk| missing.binary_search(chunk).is_ok())
                };
                let found: Vec<u32> = names.iter().filter_map(wanted).collect();
                let mut reported = reported.lock().unwrap_or_else(PoisonError::into_inner);
                for chunk in &found {
                    if reported.insert(*chunk) {
                        report(families(chunking, *chunk));
                    }
                }
                Ok(found.len())
            };
            let outcome = machines.compute(&Wanted { orders: &orders, there: &there });
            there()?;
            let ordered = missing.len();
            let mut lacking = Vec::new();
            for chunk in missing {
                match self.find(chunk, results)? {
                    Some(done) => _ = results.chunks.insert(chunk, done),
                    None => lacking.push(chunk),
                }
            }
            missing = lacking;
            fruitless = if missing.len() < ordered { 0 } else { fruitless + 1 };
            if fruitless == FRUITLESS {
                let source = outcome.err().unwrap_or_else(|| "they said that all is done".into());
                let missing = missing.len();
                return Err(EvaluatorError::Unfinished { folder, missing, source });
            }
            if let (Err(_), 1..) = (&outcome, fruitless) {
                std::thread::sleep(Duration::from_secs(1 << fruitless));
            }
        }
        Ok(())
    }

    /// The result of a chunk, if an earlier run or another machine left it.
    fn find(&self, chunk: u32, results: &mut Results) -> Result<Option<Done>, EvaluatorError> {
        if let Some(recorded) = self.own.finished(&self.inputs, chunk)? {
            if is_there(&self.writer.path(chunk), recorded)? {
                return Ok(Some(recorded));
            }
            results.lost += 1;
            return Ok(None);
        }
        let Some((digest, found)) = self.writer.find(chunk, self.trust) else { return Ok(None) };
        let done = Done { digest, operations: found.operations };
        self.own.finish(&self.inputs, &[(chunk, done)])?;
        Ok(Some(done))
    }

    fn compute(
        &self,
        missing: &[u32],
        inputs: &Inputs<'_>,
        engine: &dyn Evaluate,
        report: &(dyn Fn(usize) + Sync),
        results: &mut Results,
    ) -> Result<(), EvaluatorError> {
        // While some chunks are computed, those before them are signed and written.
        let mut finished: Vec<(u32, Evaluated)> = Vec::new();
        for group in missing.chunks(engine.chunks_at_once().max(1)) {
            let compute = || -> Vec<Result<(u32, Evaluated), EvaluatorError>> {
                let evaluate =
                    |chunk: &u32| Ok((*chunk, evaluate_chunk(inputs, engine, *chunk, report)?));
                group.par_iter().map(evaluate).collect()
            };
            let before = std::mem::take(&mut finished);
            // On a thread of its own, which mostly waits for the disk.
            let (outcomes, written) = std::thread::scope(|scope| {
                let writing = scope.spawn(|| self.write(before));
                (compute(), writing.join())
            });
            results.chunks.extend(written.unwrap_or_else(|p| std::panic::resume_unwind(p))?);
            for outcome in outcomes {
                match outcome {
                    Ok(outcome) => finished.push(outcome),
                    Err(error) => {
                        // What came before the fault is kept, so that the next run starts there.
                        self.write(finished)?;
                        return Err(error);
                    }
                }
            }
        }
        results.chunks.extend(self.write(finished)?);
        Ok(())
    }

    /// Writes results, and then records that they are there.
    fn write(&self, finished: Vec<(u32, Evaluated)>) -> Result<Vec<(u32, Done)>, EvaluatorError> {
        let mut written = Vec::with_capacity(finished.len());
        for (chunk, Evaluated { results, operations, .. }) in finished {
            let digest = self.writer.write(chunk, results, operations)?;
            written.push((chunk, Done { digest, operations }));
        }
        if !written.is_empty() {
            self.own.finish(&self.inputs, &written)?;
        }
        Ok(written)
    }
}

fn families(chunking: Chunking, chunk: u32) -> usize {
    chunking.range(chunk).1 as usize
}

/// Removes what was computed from other submissions, and says from which those results are that follow.
///
/// A shard removes nothing, since others may be at work: it takes an empty folder, or one that is claimed for the same.
fn claim(
    results: &Path,
    inputs: &[u8; 32],
    own: &Progress,
    shard: Option<Shard>,
) -> Result<(), EvaluatorError> {
    if claimed(results, inputs)? {
        return Ok(());
    }
    let there = storage::list(results)?;
    if shard.is_some() && !there.is_empty() {
        // Another shard may have claimed it since.
        return match claimed(results, inputs)? {
            true => Ok(()),
            false => Err(EvaluatorError::Stale { folder: results.to_owned() }),
        };
    }
    for (name, _) in there {
        let recorded = chunk_number(&name).map(|chunk| own.finished(inputs, chunk)).transpose()?;
        let file = results.join(name);
        if !recorded.flatten().is_some_and(|done| is_there(&file, done).unwrap_or(false)) {
            storage::remove(&file)?;
        }
    }
    let text = Digest(*inputs).to_string();
    Ok(storage::write_public(&results.join(INPUTS), text.as_bytes())?)
}

/// Whether the results are said to be computed from these submissions.
pub(crate) fn claimed(results: &Path, inputs: &[u8; 32]) -> Result<bool, WireError> {
    let found = storage::read_own(&results.join(INPUTS), 4096)?;
    Ok(found.is_some_and(|found| found == Digest(*inputs).to_string().as_bytes()))
}

/// Whether a file is the result that was recorded.
fn is_there(file: &Path, recorded: Done) -> Result<bool, WireError> {
    let found = storage::read_own(file, LIMIT)?;
    Ok(found.is_some_and(|bytes| Digest::of(&bytes) == recorded.digest))
}

pub(crate) fn evaluate_chunk(
    inputs: &Inputs<'_>,
    engine: &dyn Evaluate,
    chunk: u32,
    report: &(dyn Fn(usize) + Sync),
) -> Result<Evaluated, EvaluatorError> {
    let refused = |source: EngineError| EvaluatorError::Evaluate { chunk, source };
    inputs.load(chunk)?.evaluate(engine, report).map_err(refused)
}
