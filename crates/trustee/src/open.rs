//! Opening a round, step by step.

use crate::desk::{Desk, Session};
use crate::error::TrusteeError;
use crate::letters::seal_letters;
use crate::opened::Opening;
use blindtier_engine::{EngineError, OpenCounts, OpenShare, Prepare};
use blindtier_ledger::Event;
use blindtier_transcript::Contribution;
use blindtier_wire::{
    COMMITMENT_CHUNKS, ChunkReader, ChunkWriter, Chunking, Digest, Expect, Kind, Opened,
    OpeningKey, PARTIAL_CHUNKS, PartialChunk, Partials, PartyName, Receipt, Received, Share,
    Shares, WireError, check_randomness, chunk_name, chunks_exist, file_names, opened_bytes,
    opened_digest, read, storage, write,
};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Makes an engine's capabilities from checked keys, those of a trustee among them.
pub trait Engine: blindtier_transcript::Engine {
    /// From the key and the material (both private) of a share.
    fn share(&self, key: &[u8; 32], material: &[u8]) -> Result<Box<dyn OpenShare>, EngineError>;

    /// From the key (private) of a share, to open counts; for an engine with statistics.
    fn share_counts(&self, key: &[u8; 32]) -> Result<Box<dyn OpenCounts>, EngineError> {
        let _ = key;
        Err(blindtier_transcript::no_statistics())
    }
}

/// What a trustee is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Reading submissions and checking their proofs.
    Checking,
    /// Recomputing the results.
    Recomputing,
    /// Preparing them and computing partial decryptions.
    Opening,
    /// Adding partial decryptions up.
    Combining,
    /// Sealing letters.
    Sealing,
}

/// How far the opening of a round is for this trustee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenProgress {
    /// Its partial decryptions are committed to, but those of some trustees that are not known to be absent are not yet, or
    /// fewer than the threshold are there.
    Committed,
    /// It signed the list of commitments; a majority has not yet.
    Listed,
    /// It opens with others and has shown its partial decryptions, but not all of these have.
    Revealed {
        /// Who is missing.
        missing: Vec<PartyName>,
    },
    /// It combined and signed what was opened; a majority has not yet.
    Combined,
    /// The letters are sealed.
    Done {
        /// Hash of the manifest of the letters.
        letters: Digest,
    },
}

/// Takes the next steps of the opening, as far as the board allows, and says how far it came.
///
/// Before anything else every chunk of every submission is checked and every result is recomputed with the same bytes. A round is opened once: the record of it is made
/// before the first partial decryption, and a run that was interrupted goes on with the same receipt only. `letters` is
/// this trustee's folder of sealed letters, which goes to the families and not onto the board. `absent` are the trustees that
/// are not waited for: with fewer of them more is compared, because more shares have several holders that speak. `progress`
/// gets the families done and those of the round, from any thread.
pub fn open(
    desk: &Desk<'_>,
    letters: &Path,
    absent: &[PartyName],
    engine: &dyn Engine,
    progress: &(dyn Fn(Step, u64, u64) + Sync),
) -> Result<OpenProgress, TrusteeError> {
    let session = Session::new(desk)?;
    let shares = session.shares()?;
    let run = Run::new(&session, progress)?;
    let opening = Opening::new(desk.private, session.context.round, run.receipt.digest);
    // Letters that are lost are sealed again, with the same seeds.
    if let Some(digest) = opening.check()?
        && storage::exists(&letters.join(file_names::LETTERS))?
    {
        return Ok(OpenProgress::Done { letters: digest });
    }
    let own = match run.manifest(session.name())? {
        Some(own) => own,
        None => run.commit(&shares, engine, &opening)?,
    };
    let Ok((receipt, listed)) = session.ledger.committed() else {
        let Some(list) = run.list(absent)? else { return Ok(OpenProgress::Committed) };
        session.endorse(Event::Committed { receipt: run.receipt.digest, partials: list })?;
        return Ok(OpenProgress::Listed);
    };
    let (found, evaluator) = (run.receipt.digest, PartyName::evaluator());
    let what = "receipt that is not in the ledger";
    blindtier_wire::same(what, receipt, found, &desk.board.receipt(), &evaluator)?;
    let (round, context) = (&session.round, &session.context);
    let contributions = blindtier_transcript::contributions(
        desk.board, listed, receipt, round, context, desk.trust,
    )?;
    if listed.iter().any(|(trustee, _)| trustee == session.name()) {
        run.reveal(&own)?;
    }
    let missing = run.missing(listed)?;
    if !missing.is_empty() {
        return Ok(OpenProgress::Revealed { missing });
    }
    let opened = run.combine(contributions, &own, engine)?;
    match session.ledger.opened() {
        Ok(recorded) if recorded == opened => {}
        Ok(_) => {
            let signers = session.ledger.entries().iter().rev().flat_map(|e| &e.signers);
            return Err(TrusteeError::OtherEntry {
                folder: desk.board.ledger(),
                index: u32::try_from(session.ledger.entries().len()).unwrap_or(u32::MAX),
                signers: signers.take(1).cloned().collect(),
                entry: "other opened numbers".into(),
            });
        }
        Err(_) => {
            session.endorse(Event::Opened(opened))?;
            return Ok(OpenProgress::Combined);
        }
    }
    let digest = seal_letters(&session, &run.receipt, &shares, letters, &|done| {
        progress(Step::Sealing, done, u64::from(session.round.slots));
    })?;
    opening.finish(digest)?;
    Ok(OpenProgress::Done { letters: digest })
}

/// What stays the same during an opening.
struct Run<'s, 'a> {
    session: &'s Session<'a>,
    receipt: Received<Receipt>,
    chunking: Chunking,
    progress: &'s (dyn Fn(Step, u64, u64) + Sync),
}

impl<'s, 'a> Run<'s, 'a> {
    /// Reads the receipt, which has to name the registered submissions and the evaluation key of the ledger.
    fn new(
        session: &'s Session<'a>,
        progress: &'s (dyn Fn(Step, u64, u64) + Sync),
    ) -> Result<Self, TrusteeError> {
        let desk = session.desk;
        let path = desk.board.receipt();
        let receipt = Receipt::read(&path, &session.round, &session.context, desk.trust)?;
        let evaluator = PartyName::evaluator();
        session.same_submissions(&receipt.body.submissions, &path)?;
        let key = session.ledger.keys()?.evaluation_key;
        let named = receipt.body.evaluation_key;
        blindtier_wire::same("evaluation-key file", key, named, &path, &evaluator)?;
        let chunking = session
            .round
            .chunking()
            .map_err(|fault| WireError::refused(&path, &PartyName::registrar(), fault))?;
        Ok(Self { session, receipt, chunking, progress })
    }

    fn results(&self) -> Result<ChunkReader<'_>, WireError> {
        let session = self.session;
        let path = session.desk.board.receipt();
        self.receipt.body.chunks(&path, &session.round, &session.context, session.desk.trust)
    }

    /// Where the own chunks wait until everybody has committed.
    fn hidden(&self) -> PathBuf {
        self.session.desk.private.join(format!("opening-{}", self.session.context.round))
    }

    /// A trustee's manifest, if it is there; it has to be about this receipt.
    fn manifest(&self, trustee: &PartyName) -> Result<Option<Received<Partials>>, TrusteeError> {
        let session = self.session;
        let path = session.desk.board.partials(trustee).join(file_names::PARTIALS);
        if !storage::exists(&path)? {
            return Ok(None);
        }
        let trust = session.desk.trust;
        let found = Partials::read(&path, trustee, &session.round, &session.context, trust)?;
        let (own, named) = (self.receipt.digest, found.body.receipt);
        blindtier_wire::same("receipt", own, named, &path, trustee)?;
        Ok(Some(found))
    }

    /// Recomputes everything, then computes partial decryptions and commitments and publishes their hashes only.
    fn commit(
        &self,
        shares: &Shares,
        engine: &dyn Engine,
        opening: &Opening,
    ) -> Result<Received<Partials>, TrusteeError> {
        let session = self.session;
        let results = self.results()?;
        self.recompute(engine, &results)?;
        let prepare = self.prepare(engine)?;
        let shares_file = session.shares_file();
        let openers = shares
            .shares
            .iter()
            .map(|share| {
                engine
                    .share(&share.key, &share.material)
                    .map_err(|source| TrusteeError::Key { file: shares_file.clone(), source })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let combine = engine.combine().map_err(TrusteeError::Engine)?;
        let modulus = combine.pad_modulus();
        check_randomness()?;
        opening.begin()?;

        let hidden = self.hidden();
        let writer = |folder: &str, kind| {
            let identity = session.desk.identity;
            ChunkWriter::new(&hidden.join(folder), kind, &session.context, identity, self.chunking)
        };
        let mut partials = writer(PARTIAL_CHUNKS, Kind::PartialChunk)?;
        let mut commitments = writer(COMMITMENT_CHUNKS, Kind::CommitmentChunk)?;
        let (done, total) = (std::sync::atomic::AtomicU64::new(0), u64::from(session.round.slots));
        let report = |families: usize| {
            let families = families as u64;
            let before = done.fetch_add(families, std::sync::atomic::Ordering::Relaxed);
            (self.progress)(Step::Opening, (before + families).min(total), total);
        };
        while let Some((chunk, start, count)) = partials.next_chunk() {
            let refused = |source| TrusteeError::Open {
                file: results.path(chunk),
                culprit: results.sender().clone(),
                source,
            };
            let bytes = results.read(chunk)?.bytes;
            let families = count as usize;
            let prepared = prepare.prepare(families, &bytes, &report).map_err(refused)?;
            let digest = Digest::of(&bytes);
            let mut committed = Vec::with_capacity(shares.shares.len() * families * 32);
            let mut contributions = Vec::with_capacity(shares.shares.len());
            for (share, opener) in shares.shares.iter().zip(&openers) {
                let (pads, own) = self.pads(share, &digest, start, count, modulus);
                let partial = opener.partial(families, &prepared.masks, &pads).map_err(refused)?;
                committed.extend_from_slice(&own);
                contributions.push(serde_bytes::ByteBuf::from(partial));
            }
            let body = PartialChunk { bodies: prepared.bodies, partials: contributions };
            let bytes = body
                .to_bytes()
                .map_err(|fault| WireError::refused(&hidden, session.name(), fault))?;
            partials.push(bytes, 0)?;
            commitments.push(committed, 0)?;
        }
        let manifest = Partials {
            receipt: self.receipt.digest,
            shares: shares.shares.iter().map(|share| share.share).collect(),
            partials: partials.finish()?,
            commitments: commitments.finish()?,
        };
        let path = session.desk.board.partials(session.name()).join(file_names::PARTIALS);
        let digest = write(&path, &manifest, &session.context, session.desk.identity)?;
        Ok(Received { context: session.context.clone(), body: manifest, digest })
    }

    /// The pads (private) of a share for consecutive slots, and the commitments to their seeds.
    fn pads(
        &self,
        share: &Share,
        results: &Digest,
        start: u32,
        count: u32,
        modulus: u32,
    ) -> (Zeroizing<Vec<u32>>, Vec<u8>) {
        let mut pads = Zeroizing::new(Vec::with_capacity(count as usize));
        let mut commitments = Vec::with_capacity(count as usize * 32);
        for slot in start..start + count {
            let seed = share.seed(results, slot);
            pads.push(seed.pad(modulus));
            let commitment = seed.commitment(&self.session.context, share.share, slot);
            commitments.extend_from_slice(&commitment.0);
        }
        (pads, commitments)
    }

    fn recompute(
        &self,
        engine: &dyn Engine,
        results: &ChunkReader<'_>,
    ) -> Result<(), TrusteeError> {
        let session = self.session;
        let total = u64::from(session.round.slots);
        let public_key = session.public_key()?;
        let checking = |done| (self.progress)(Step::Checking, done, total);
        let inputs = session.inputs(engine, &public_key, &checking)?;
        let evaluator =
            engine.evaluate(&public_key, &session.evaluation_key()?).map_err(|source| {
                TrusteeError::Key { file: session.desk.board.evaluation_key(), source }
            })?;
        drop(public_key);
        blindtier_transcript::recompute(
            &(0..self.chunking.count()).collect::<Vec<_>>(),
            &inputs,
            results,
            evaluator.as_ref(),
            &self.receipt.body.platform,
            &|done| (self.progress)(Step::Recomputing, done.min(total), total),
        )?;
        Ok(())
    }

    fn prepare(&self, engine: &dyn Engine) -> Result<Box<dyn Prepare>, TrusteeError> {
        let session = self.session;
        let path = session.desk.board.opening_key();
        let bytes = match session.ledger.keys()?.opening_key {
            None => None,
            Some(recorded) => {
                let maker = &session.round.key_maker;
                let expect = Expect::of(maker, &session.context);
                let key = read::<OpeningKey>(&path, &expect, session.desk.trust)?;
                let ledger = session.desk.board.ledger();
                blindtier_wire::same("opening key", key.digest, recorded, &ledger, maker)?;
                Some(key.body.bytes)
            }
        };
        engine
            .prepare(&session.evaluation_key()?, bytes.as_deref())
            .map_err(|source| TrusteeError::Key { file: path, source })
    }

    /// Who opens, and the hash of each one's manifest: as another trustee signed it, or all that are not absent. `None` while
    /// they are too few.
    fn list(&self, absent: &[PartyName]) -> Result<Option<Vec<(PartyName, Digest)>>, TrusteeError> {
        let session = self.session;
        let mut there = Vec::new();
        for name in session.round.sharing.names() {
            match self.manifest(&name) {
                Ok(Some(found)) => there.push((name, found.digest)),
                Ok(None) => {}
                // One that is not waited for keeps nobody from opening, whatever it committed to.
                Err(_) if absent.contains(&name) => {}
                Err(error) => return Err(error),
            }
        }
        if let Some(pending) = session.ledger.pending() {
            if let Event::Committed { receipt, partials } = &pending.entry.event
                && *receipt == self.receipt.digest
                && partials.iter().all(|listed| there.contains(listed))
            {
                return Ok(Some(partials.clone()));
            }
            return Err(session.other_entry(pending));
        }
        there.retain(|(name, _)| !absent.contains(name));
        let waited_for = session.round.sharing.names().filter(|name| !absent.contains(name));
        if there.len() < waited_for.count() {
            return Ok(None);
        }
        there.sort();
        let numbers: Vec<u16> =
            there.iter().filter_map(|(name, _)| name.trustee_number()).collect();
        Ok(session.round.sharing.missing(&numbers).is_none().then_some(there))
    }

    /// Adds all partial decryptions up and writes what comes out. Returns the hashes for the ledger.
    ///
    /// A trustee that does not open with the others compares what it has computed itself all the same: where fewer than all
    /// open, it may be the only other holder of a share.
    fn combine<'c>(
        &'c self,
        mut contributions: Vec<Contribution<'c>>,
        own: &Received<Partials>,
        engine: &dyn Engine,
    ) -> Result<Vec<Digest>, TrusteeError> {
        let session = self.session;
        let (board, trust) = (session.desk.board, session.desk.trust);
        let (round, context) = (&session.round, &session.context);
        let receipt = self.receipt.digest;
        let unlisted = !contributions.iter().any(|c| c.speaker.trustee == *session.name());
        if unlisted && self.hidden().exists() {
            let (hidden, name) = (self.hidden(), session.name());
            let computed = Contribution::new(hidden, name, &own.body, round, context, trust)?;
            contributions.push(computed);
        }
        let engine = engine.combine().map_err(TrusteeError::Engine)?;
        let folder = board.opened(session.name());
        let identity = session.desk.identity;
        let mut writer =
            ChunkWriter::new(&folder, Kind::OpenedChunk, context, identity, self.chunking)?;
        let mut digests = Vec::new();
        while let Some((chunk, start, count)) = writer.next_chunk() {
            let numbers = blindtier_transcript::open_chunk(
                chunk,
                count as usize,
                &contributions,
                round.sharing,
                engine.as_ref(),
                Some(session.name()),
            )?
            .numbers;
            digests.push(opened_digest(context, start, &numbers));
            writer.push(opened_bytes(&numbers), 0)?;
            let done = u64::from(start) + u64::from(count);
            (self.progress)(Step::Combining, done, u64::from(round.slots));
        }
        let body = Opened { receipt, chunks: writer.finish()? };
        write(&folder.join(file_names::OPENED), &body, context, identity)?;
        Ok(digests)
    }

    /// Shows the own chunks, in the place of anything else that lies there.
    fn reveal(&self, own: &Received<Partials>) -> Result<(), TrusteeError> {
        let session = self.session;
        let shown = session.desk.board.partials(session.name());
        for (folder, kind, digests) in [
            (PARTIAL_CHUNKS, Kind::PartialChunk, &own.body.partials),
            (COMMITMENT_CHUNKS, Kind::CommitmentChunk, &own.body.commitments),
        ] {
            let limit = kind.limit().saturating_add(1 << 16);
            for (chunk, digest) in (0u32..).zip(digests) {
                let name = chunk_name(chunk);
                let to = shown.join(folder).join(&name);
                let there = storage::read_own(&to, limit)?;
                if there.is_none_or(|bytes| Digest::of(&bytes) != *digest) {
                    storage::copy(&self.hidden().join(folder).join(&name), &to, limit)?;
                }
            }
        }
        Ok(())
    }

    /// Who has not shown all of its chunks.
    fn missing(&self, listed: &[(PartyName, Digest)]) -> Result<Vec<PartyName>, TrusteeError> {
        let mut missing = Vec::new();
        for (trustee, _) in listed {
            let Some(found) = self.manifest(trustee)? else { continue };
            let folder = self.session.desk.board.partials(trustee);
            let all = |folder: PathBuf, count| chunks_exist(&folder, count);
            if !all(folder.join(PARTIAL_CHUNKS), found.body.partials.len())?
                || !all(folder.join(COMMITMENT_CHUNKS), found.body.commitments.len())?
            {
                missing.push(trustee.clone());
            }
        }
        Ok(missing)
    }
}
