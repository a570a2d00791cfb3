//! Encrypted counts: made from the submissions, recomputed, opened from partial decryptions.

use crate::openings::{Place, Speaker, agreed};
use crate::{Engine, Inputs, Public, TranscriptError};
use blindtier_engine::{Count, Counted};
use blindtier_wire::{
    ChunkReader, Chunking, CountPartials, Counts, Digest, PartyName, Question, Received, WireError,
    storage,
};
use rayon::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts the families of a part: of so many consecutive chunks of slots.
pub fn count_part(
    part: u32,
    parts: Chunking,
    inputs: &Inputs<'_>,
    question: &Question,
    engine: &dyn Count,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Counted, TranscriptError> {
    let (first, chunks) = parts.range(part);
    let failed = |source| TranscriptError::Count { part, source };
    let mut whole: Option<Counted> = None;
    for chunk in first..first.saturating_add(chunks) {
        let loaded = inputs.load(chunk)?;
        let counted = loaded.count(engine, &question.groups).map_err(failed)?;
        progress(loaded.families() as u64);
        match &mut whole {
            None => whole = Some(counted),
            Some(whole) => {
                engine.add(&mut whole.counts, &counted.counts).map_err(failed)?;
                whole.operations = whole.operations.saturating_add(counted.operations);
            }
        }
    }
    Ok(whole.unwrap_or(Counted { counts: Vec::new(), operations: 0 }))
}

/// A question whose counts are recomputed and opened.
pub struct Opening<'a> {
    /// The public files of the round.
    pub public: Public<'a>,
    /// The question's number, from 1.
    pub number: u32,
    /// The manifest of the counts.
    pub counts: &'a Received<Counts>,
}

impl<'a> Opening<'a> {
    /// How the round's chunks are put together to parts.
    pub fn parts(&self) -> Result<Chunking, WireError> {
        self.public.round.parts(&self.counts.body.question).map_err(|fault| {
            let path = self.public.board.counts(self.number);
            WireError::refused(&path, &PartyName::evaluator(), fault)
        })
    }

    /// The encrypted counts, part by part.
    pub fn published(&self) -> Result<ChunkReader<'a>, WireError> {
        let Public { board, round, context, trust } = self.public;
        self.counts.body.parts(&board.counts(self.number), round, context, trust)
    }

    /// Recomputes parts and compares every byte with what was published. `progress` gets the families done, from any
    /// thread.
    pub fn recompute(
        &self,
        numbers: &[u32],
        inputs: &Inputs<'_>,
        engine: &dyn Count,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<(), TranscriptError> {
        let (parts, published) = (self.parts()?, self.published()?);
        let question = &self.counts.body.question;
        let done = AtomicU64::new(0);
        let report =
            |families: u64| progress(done.fetch_add(families, Ordering::Relaxed) + families);
        numbers.par_iter().try_for_each(|part| {
            let there = published.read(*part)?;
            let own = count_part(*part, parts, inputs, question, engine, &report)?;
            if own.counts == there.bytes && own.operations == there.operations {
                return Ok(());
            }
            Err(other_counts(&published, *part))
        })
    }

    /// The partial decryptions of a trustee, if they are there.
    pub fn partials(&self, trustee: &PartyName) -> Result<Option<CountPartials>, TranscriptError> {
        let Public { board, round, context, trust } = self.public;
        let path = board.count_partials(self.number, trustee);
        if !storage::exists(&path)? {
            return Ok(None);
        }
        let about: (Digest, usize) = (self.counts.digest, self.counts.body.parts.len());
        Ok(Some(CountPartials::read(&path, trustee, about, round, context, trust)?))
    }

    /// Compares what the holders of each share say, adds partial decryptions up, and adds the parts up: for every group of
    /// the question the counts of all tiers, of which there are so many, with noise. `own` is the trustee that reads, if it is one of them.
    pub fn combine(
        &self,
        said: &[(PartyName, CountPartials)],
        tiers: usize,
        engine: &dyn Engine,
        own: Option<&PartyName>,
    ) -> Result<Vec<Vec<i64>>, TranscriptError> {
        let Self { public: Public { board, round, .. }, number, counts } = *self;
        let published = self.published()?;
        let question = &counts.body.question;
        let lowest = match round.statistics() {
            Ok(statistics) => statistics.lowest(question, round.sharing.shares()),
            Err(_) => 0,
        };
        let failed = |part| move |source| TranscriptError::Count { part, source };
        let combine = engine.combine_counts().map_err(failed(0))?;
        let speakers: Vec<Speaker> = said
            .iter()
            .map(|(trustee, _)| Speaker {
                trustee: trustee.clone(),
                folder: board.count_partials(number, trustee),
            })
            .collect();
        let mut cells = vec![0i64; question.groups.len().saturating_mul(tiers)];
        for part in (0u32..).take(counts.body.parts.len()) {
            let mut partials = Vec::new();
            for share in 0..round.sharing.shares() {
                let of_share = speakers.iter().zip(said).filter_map(|(speaker, (_, body))| {
                    let place = body.shares.iter().position(|held| *held == share)?;
                    let bytes = body.partials.get(place)?.get(part as usize)?;
                    Some((speaker, bytes.as_slice()))
                });
                let place = Place {
                    chunk: part,
                    share,
                    what: "partial decryption of counts",
                    threshold: usize::from(round.sharing.threshold()),
                };
                partials.push(agreed(of_share.collect(), own, place)?);
            }
            let bytes = published.read(part)?.bytes;
            let numbers = combine.combine(&bytes, &partials, lowest).map_err(failed(part))?;
            if numbers.len() != cells.len() {
                return Err(other_counts(&published, part));
            }
            for (cell, number) in cells.iter_mut().zip(numbers) {
                *cell = cell.saturating_add(number);
            }
        }
        Ok(cells.chunks(tiers.max(1)).map(<[i64]>::to_vec).collect())
    }
}

fn other_counts(published: &ChunkReader<'_>, part: u32) -> TranscriptError {
    let (file, culprit) = (published.path(part), published.sender().clone());
    TranscriptError::OtherCounts { file, culprit, part }
}
