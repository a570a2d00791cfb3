//! What results are computed from: the registered submissions, checked chunk by chunk.

use crate::TranscriptError;
use crate::error::{BadSubmission, Trouble};
use blindtier_engine::{Chunk, Count, Counted, EngineError, Evaluate, Evaluated, Verify};
use blindtier_wire::{
    Board, ChunkReader, Chunking, Context, Digest, Fault, Kind, PartyName, Round, Submission,
    SubmissionEntry, TrustFile, WireError, same, storage,
};
use rayon::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};

/// A round's public files, and what they are checked with.
#[derive(Clone, Copy)]
pub struct Public<'a> {
    /// The public folder.
    pub board: &'a Board,
    /// The round.
    pub round: &'a Round,
    /// What all files of the round carry.
    pub context: &'a Context,
    /// Everybody's public keys.
    pub trust: &'a TrustFile,
}

impl Public<'_> {
    pub(crate) fn chunking(&self) -> Result<Chunking, WireError> {
        self.round.chunking().map_err(|fault| {
            WireError::refused(&self.board.round(), &PartyName::registrar(), fault)
        })
    }
}

/// A hash (public) of all that results are computed from and of a chunk's number.
pub fn seed(context: &Context, submissions: &[SubmissionEntry], chunk: u32) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("blindtier evaluation seed v1");
    hasher.update(&context.round.0);
    for SubmissionEntry { submitter, manifest } in submissions {
        let name = submitter.as_str().as_bytes();
        hasher.update(&(name.len() as u64).to_le_bytes()).update(name);
        match manifest {
            Some(digest) => hasher.update(b"submitted").update(&digest.0),
            None => hasher.update(b"excluded"),
        };
    }
    hasher.update(&chunk.to_le_bytes());
    hasher.finalize().into()
}

/// The chunks of a submitter whose manifest is registered.
pub struct Submitted<'a> {
    submitter: PartyName,
    position: usize,
    context: &'a Context,
    manifest: Digest,
    digests: Vec<Digest>,
    reader: ChunkReader<'a>,
}

impl<'a> Submitted<'a> {
    /// Reads a submitter's manifest on the board, which has to be the one with the hash `registered` and about this public
    /// key. `position` is the submitter's, as the engine counts.
    pub fn read(
        public: &Public<'a>,
        submitter: &PartyName,
        position: usize,
        registered: Digest,
        public_key: Digest,
    ) -> Result<Self, WireError> {
        let Public { board, round, context, trust } = *public;
        let path = board.submission(submitter);
        let manifest = Submission::read(&path, submitter, round, context, trust)?;
        same("submission in the ledger", manifest.digest, registered, &path, submitter)?;
        let named = manifest.body.public_key;
        same("public-key file", public_key, named, &path, submitter)?;
        let reader = manifest.body.chunks(&path, submitter, round, context, trust)?;
        let (submitter, digests) = (submitter.clone(), manifest.body.chunks);
        Ok(Self { submitter, position, context, manifest: registered, digests, reader })
    }

    /// How many chunks there are.
    pub fn chunks(&self) -> u32 {
        u32::try_from(self.digests.len()).unwrap_or(u32::MAX)
    }

    /// Reads one chunk, and looks at its proof if there is a verifier.
    pub fn check(&self, chunk: u32, verifier: Option<&dyn Verify>) -> Result<(), Trouble> {
        let read = match self.reader.read(chunk) {
            Ok(read) => read,
            Err(error) if error.fault().is_none() => return Err(Trouble::Local(error)),
            // This is the very file that the submitter registered: nobody damaged it on its way.
            Err(error) if self.is_registered(chunk) => return Err(Trouble::Unreadable(error)),
            Err(error) => return Err(Trouble::NotThere(error)),
        };
        let Some(verifier) = verifier else { return Ok(()) };
        let binding = self.context.binding(&self.submitter, read.start, read.count);
        let families = read.count as usize;
        verifier.verify(self.position, families, &read.bytes, &binding).map_err(|source| {
            let (file, culprit) = (self.reader.path(chunk), self.submitter.clone());
            Trouble::Invalid { file, culprit, source }
        })
    }

    /// Whether a chunk's file has the hash that the manifest lists.
    fn is_registered(&self, chunk: u32) -> bool {
        let limit = Kind::SubmissionChunk.limit() + (1 << 16);
        let file = storage::read_own(&self.reader.path(chunk), limit).ok().flatten();
        file.is_some_and(|bytes| self.digests.get(chunk as usize) == Some(&Digest::of(&bytes)))
    }
}

/// Says which chunks' proofs are looked at, and with what.
pub type Proofs<'v> = dyn Fn(u32) -> Option<&'v dyn Verify> + Sync + 'v;

/// What is still to be looked at of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// All of it.
    Everything,
    /// Whether it is the registered file: what is in it was found valid before.
    File,
    /// Nothing: another machine looks at it.
    Nothing,
}

/// What is remembered of chunks that were looked at.
pub trait Memory: Sync {
    /// What is to be looked at of a chunk of the submission with this manifest.
    fn look(&self, manifest: &Digest, chunk: u32) -> Look;

    /// The chunk was read and found valid.
    fn passed(&self, manifest: &Digest, chunk: u32);
}

/// Nothing is remembered.
impl Memory for () {
    fn look(&self, _: &Digest, _: u32) -> Look {
        Look::Everything
    }

    fn passed(&self, _: &Digest, _: u32) {}
}

/// Other machines look at all chunks.
pub struct Elsewhere;

impl Memory for Elsewhere {
    fn look(&self, _: &Digest, _: u32) -> Look {
        Look::Nothing
    }

    fn passed(&self, _: &Digest, _: u32) {}
}

/// What results are computed from, with every chunk checked.
pub struct Inputs<'a> {
    context: &'a Context,
    chunking: Chunking,
    entries: Vec<SubmissionEntry>,
    /// In the order of the round; `None` for the excluded.
    submitted: Vec<Option<Submitted<'a>>>,
}

impl<'a> Inputs<'a> {
    /// Reads the registered submissions and all their chunks, so that what is damaged or malformed is noticed in minutes and
    /// not after hours. What is wrong with one submitter's files does not hide what is wrong with another's.
    ///
    /// `positions` are those of the round's submitters, as the engine counts. `progress` gets the families done, from any
    /// thread.
    pub fn read(
        public: &Public<'a>,
        entries: Vec<SubmissionEntry>,
        positions: &[usize],
        public_key: Digest,
        proofs: &Proofs<'_>,
        memory: &dyn Memory,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Self, TranscriptError> {
        let (round, context, chunking) = (public.round, public.context, public.chunking()?);
        if positions.len() != round.submitters.len() {
            let detail = "the round does not name the submitters of its plan";
            let (file, registrar) = (public.board.round(), PartyName::registrar());
            return Err(WireError::refused(&file, &registrar, Fault::Content { detail }).into());
        }
        let mut bad = Vec::new();
        let mut submitted = Vec::with_capacity(entries.len());
        for (entry, position) in entries.iter().zip(positions) {
            let SubmissionEntry { submitter, manifest } = entry;
            let read =
                manifest.map(|d| Submitted::read(public, submitter, *position, d, public_key));
            match read.transpose() {
                Ok(read) => submitted.push(read),
                Err(error) if error.fault().is_none() => return Err(error.into()),
                Err(error) => bad.push(BadSubmission {
                    submitter: submitter.clone(),
                    chunk: None,
                    trouble: Trouble::NotThere(error),
                    more: 0,
                }),
            }
        }
        let done = AtomicU64::new(0);
        let there: Vec<&Submitted<'_>> = submitted.iter().flatten().collect();
        for submitted in &there {
            let found = submitted.check_all(chunking, proofs, memory, &|count| {
                let done = done.fetch_add(u64::from(count), Ordering::Relaxed) + u64::from(count);
                progress(done / there.len() as u64);
            })?;
            bad.extend(found);
        }
        if bad.is_empty() {
            return Ok(Self { context, chunking, entries, submitted });
        }
        Err(TranscriptError::Submissions(bad))
    }

    /// Looks at everything of one chunk, for whoever read the submissions without looking at their chunks.
    pub fn check(&self, chunk: u32, verifier: &dyn Verify) -> Result<(), TranscriptError> {
        let mut bad = Vec::new();
        for submitted in self.submitted.iter().flatten() {
            match submitted.check(chunk, Some(verifier)) {
                Ok(()) => {}
                Err(Trouble::Local(error)) => return Err(error.into()),
                Err(trouble) => {
                    let submitter = submitted.submitter.clone();
                    bad.push(BadSubmission { submitter, chunk: Some(chunk), trouble, more: 0 });
                }
            }
        }
        if bad.is_empty() { Ok(()) } else { Err(TranscriptError::Submissions(bad)) }
    }

    /// Reads what is computed together.
    pub fn load(&self, chunk: u32) -> Result<Loaded, WireError> {
        let read = |submitted: &Option<Submitted<'_>>| {
            let submitted = submitted.as_ref()?;
            Some(submitted.reader.read(chunk).map(|read| read.bytes))
        };
        Ok(Loaded {
            families: self.chunking.range(chunk).1 as usize,
            inputs: self.submitted.iter().map(|s| read(s).transpose()).collect::<Result<_, _>>()?,
            seed: seed(self.context, &self.entries, chunk),
        })
    }

    /// How many submissions there are.
    pub fn submissions(&self) -> usize {
        self.submitted.iter().flatten().count()
    }

    /// How the slots are cut.
    pub fn chunking(&self) -> Chunking {
        self.chunking
    }
}

impl Submitted<'_> {
    fn check_all(
        &self,
        chunking: Chunking,
        proofs: &Proofs<'_>,
        memory: &dyn Memory,
        progress: &(dyn Fn(u32) + Sync),
    ) -> Result<Option<BadSubmission>, WireError> {
        let check = |chunk| {
            let outcome = match memory.look(&self.manifest, chunk) {
                Look::Nothing => Ok(()),
                Look::File => self.check(chunk, None),
                Look::Everything => self
                    .check(chunk, proofs(chunk))
                    .inspect(|()| memory.passed(&self.manifest, chunk)),
            };
            progress(chunking.range(chunk).1);
            outcome.err().map(|trouble| (chunk, trouble))
        };
        let found: Vec<(u32, Trouble)> =
            (0..chunking.count()).into_par_iter().filter_map(check).collect();
        let more = found.len().saturating_sub(1);
        match found.into_iter().next() {
            None => Ok(None),
            Some((_, Trouble::Local(error))) => Err(error),
            Some((chunk, trouble)) => {
                let submitter = self.submitter.clone();
                Ok(Some(BadSubmission { submitter, chunk: Some(chunk), trouble, more }))
            }
        }
    }
}

/// One chunk of all submitters.
pub struct Loaded {
    families: usize,
    inputs: Vec<Option<Vec<u8>>>,
    seed: [u8; 32],
}

impl Loaded {
    /// How many families there are.
    pub fn families(&self) -> usize {
        self.families
    }

    /// Counts it, for each of these groups all tiers.
    pub fn count(&self, engine: &dyn Count, groups: &[u32]) -> Result<Counted, EngineError> {
        engine.count(&self.chunk(), groups)
    }

    /// Computes it.
    pub fn evaluate(
        &self,
        engine: &dyn Evaluate,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<Evaluated, EngineError> {
        engine.evaluate(&self.chunk(), progress)
    }

    fn chunk(&self) -> Chunk<'_> {
        let inputs = self.inputs.iter().map(Option::as_deref).collect();
        Chunk { families: self.families, inputs, seed: self.seed }
    }
}
