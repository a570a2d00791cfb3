//! Encrypted counts: made from the submissions, recomputed, opened from partial decryptions.

use crate::openings::{Place, Speaker, agreed};
use crate::{Engine, Inputs, TranscriptError};
use blindtier_engine::{Count, Counted};
use blindtier_wire::{
    Board, ChunkReader, Chunking, Context, CountPartials, Counts, Digest, PartyName, Question,
    Received, Round, TrustFile,
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

/// Recomputes parts of counts and compares every byte with what was published. `progress` gets the families done, from
/// any thread.
pub fn recompute_counts(
    numbers: &[u32],
    parts: Chunking,
    inputs: &Inputs<'_>,
    published: &ChunkReader<'_>,
    question: &Question,
    engine: &dyn Count,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<(), TranscriptError> {
    let done = AtomicU64::new(0);
    let report = |families: u64| progress(done.fetch_add(families, Ordering::Relaxed) + families);
    numbers.par_iter().try_for_each(|part| {
        let published_part = published.read(*part)?;
        let own = count_part(*part, parts, inputs, question, engine, &report)?;
        if own.counts == published_part.bytes && own.operations == published_part.operations {
            return Ok(());
        }
        Err(TranscriptError::OtherCounts {
            file: published.path(*part),
            culprit: published.sender().clone(),
            part: *part,
        })
    })
}

/// What is known of a question whose counts are opened.
pub struct Opening<'a> {
    /// The public folder of the round.
    pub board: &'a Board,
    /// The round.
    pub round: &'a Round,
    /// What all files of the round carry.
    pub context: &'a Context,
    /// Everybody's public keys.
    pub trust: &'a TrustFile,
    /// The question's number, from 1.
    pub number: u32,
    /// The manifest of the counts.
    pub counts: &'a Received<Counts>,
    /// How many tiers the policy has.
    pub tiers: usize,
}

impl Opening<'_> {
    /// The partial decryptions of a trustee, if they are there.
    pub fn partials(&self, trustee: &PartyName) -> Result<Option<CountPartials>, TranscriptError> {
        let path = self.board.count_partials(self.number, trustee);
        if !path.exists() {
            return Ok(None);
        }
        let (round, context, trust) = (self.round, self.context, self.trust);
        let about: (Digest, usize) = (self.counts.digest, self.counts.body.parts.len());
        Ok(Some(CountPartials::read(&path, trustee, about, round, context, trust)?))
    }

    /// Compares what the holders of each share say, adds partial decryptions up, and adds the parts up: for every group of
    /// the question the counts of all tiers, with noise. `own` is the trustee that reads, if it is one of them.
    pub fn combine(
        &self,
        said: &[(PartyName, CountPartials)],
        engine: &dyn Engine,
        own: Option<&PartyName>,
    ) -> Result<Vec<Vec<i64>>, TranscriptError> {
        let Self { board, round, context, trust, number, counts, tiers } = *self;
        let path = board.counts(number);
        let published = counts.body.parts(&path, round, context, trust)?;
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
                let culprit = published.sender().clone();
                return Err(TranscriptError::OtherCounts {
                    file: published.path(part),
                    culprit,
                    part,
                });
            }
            for (cell, number) in cells.iter_mut().zip(numbers) {
                *cell = cell.saturating_add(number);
            }
        }
        Ok(cells.chunks(tiers.max(1)).map(<[i64]>::to_vec).collect())
    }
}
