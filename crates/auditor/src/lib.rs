//! The auditor: checks a finished round from its public board, recomputes chosen chunks, and checks what families show.
//!
//! It holds no secret. What it cannot know stands in [`UNKNOWN`] and belongs into every report.
#![forbid(unsafe_code)]

mod error;
mod evidence;
mod proof;
mod statistics;
mod submitters;

pub use blindtier_ledger::Exclusion;
pub use blindtier_transcript::Engine;
pub use error::AuditError;
pub use evidence::{Contradiction, contradiction};
pub use proof::{ProvenTier, check_proof};
pub use statistics::Questions;
pub use submitters::Excluded;

use blindtier_ledger::{CorrectingRound, Event, Keys, Ledger, correcting_boards};
use blindtier_transcript::Inputs;
use blindtier_wire::{
    Board, COMMITMENT_CHUNKS, CeremonyMessages, ChunkReader, Chunking, Context, Digest,
    EvaluationKey, Expect, Fault, FirstsChecked, LetterKeys, Message, Opened, OpeningKey,
    PARTIAL_CHUNKS, Partials, PartyName, PublicKey, Receipt, Received, Round, RoundId,
    ShareCommitments, Statement, TrustFile, TrusteeKey, WireError, chunks_exist, file_names,
    opened_digest, opened_numbers, read, same, storage,
};

/// What no check of public files can show.
pub const UNKNOWN: &[&str] = &[
    "whether an agency's values are true: a signature shows who sent them, not that they are right",
    "whether the roster puts the right persons into the right family",
    "whether chunks that were not recomputed were computed as published, from submissions whose proofs hold",
    "whether an excluded submitter was late, or withheld its chunks, as a quorum of the trustees says",
    "whether a majority of the trustees signed two ledgers: compare --head with the heads in families' letters",
    "whether trustees together, as many as the threshold, opened something outside these files",
    "whether the word of a trustee that alone spoke about a share is right: a holder that did not open can still compare it",
    "whether destroyed shares have copies",
    "whether parties exchanged anything outside these files",
];

/// What the auditor knows by itself.
pub struct Reference<'a> {
    /// Its own hash of the policy.
    pub policy: Digest,
    /// Its own hash of the plan.
    pub plan: Digest,
    /// Everybody's public keys.
    pub trust: &'a TrustFile,
    /// A ledger entry that somebody has seen, such as the head in a letter: it has to be there.
    pub head: Option<Digest>,
}

/// Which chunks are recomputed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Execute {
    /// None: signatures and hashes only.
    Nothing,
    /// So many, drawn at random.
    Sample(u32),
    /// These.
    Chunks(Vec<u32>),
    /// All of them.
    All,
}

impl Execute {
    fn chunks(&self, chunking: Chunking) -> Result<Vec<u32>, AuditError> {
        let count = chunking.count();
        let mut chosen = match self {
            Self::Nothing => Vec::new(),
            Self::All => (0..count).collect(),
            Self::Sample(wanted) => sample(*wanted, count)?,
            Self::Chunks(chunks) => chunks.clone(),
        };
        if let Some(&chunk) = chosen.iter().find(|&&chunk| chunk >= count) {
            return Err(AuditError::NoSuchChunk { chunk, chunks: count });
        }
        chosen.sort_unstable();
        chosen.dedup();
        Ok(chosen)
    }
}

/// Distinct chunks drawn with the operating system's randomness, so that nobody knows beforehand which.
fn sample(wanted: u32, count: u32) -> Result<Vec<u32>, AuditError> {
    let mut all: Vec<u32> = (0..count).collect();
    let mut chosen = Vec::new();
    while !all.is_empty() && (chosen.len() as u64) < u64::from(wanted) {
        let drawn = getrandom::u64().map_err(WireError::Random)?;
        // Among at most 2³² chunks the bias is below 2⁻³².
        let place = usize::try_from(drawn % all.len() as u64).unwrap_or_default();
        chosen.push(all.swap_remove(place));
    }
    Ok(chosen)
}

/// What was checked. All of it held; anything else is an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The round.
    pub round: RoundId,
    /// Its slots.
    pub slots: u32,
    /// Who was to submit.
    pub submitters: Vec<PartyName>,
    /// Who was excluded.
    pub excluded: Vec<Excluded>,
    /// Who signed two different submissions; both lie on the board.
    pub signed_two: Vec<PartyName>,
    /// Signed files whose signature, round, policy, engine and hash were checked.
    pub files_checked: u64,
    /// Chunks of the round.
    pub chunks: u32,
    /// Chunks that were recomputed, with the same bytes as published.
    pub chunks_recomputed: Vec<u32>,
    /// Costly operations that the receipt claims; equal to the sum over its chunks.
    pub operations: u64,
    /// The trustees whose partial decryptions opened the round; empty before the opening.
    pub opened_by: Vec<PartyName>,
    /// Shares about which only one trustee spoke, so that its word could not be compared.
    pub uncompared: Vec<u32>,
    /// Rounds that decided slots of this one anew, in order. Each is a round of its own, with files of its own to verify.
    pub corrections: Vec<Correction>,
    /// What was asked about groups of families, and answered.
    pub questions: Questions,
    /// Entries of the ledger.
    pub entries: usize,
    /// Hash of the last one.
    pub head: Digest,
    /// What the evaluator computed on, in its own words.
    pub platform: String,
}

/// A round that decided slots of another anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// The correcting round.
    pub round: RoundId,
    /// For each of its slots, the slot that it decided anew.
    pub slots: Vec<u32>,
    /// Its ledger's entry with which it was opened, if the corrected round's ledger has it.
    pub head: Option<Digest>,
}

/// Checks every signature, hash and reference on a board, opens the round again from the partial decryptions, and
/// recomputes the chosen chunks. Stages that a round has not reached yet, by its ledger, are left out.
pub fn verify(
    board: &Board,
    reference: &Reference<'_>,
    execute: &Execute,
    engine: &dyn Engine,
) -> Result<Report, AuditError> {
    let trust = reference.trust;
    let received = Round::read_with_plan(&board.round(), trust, reference.policy, reference.plan)?;
    let (round, context) = (received.body, received.context);
    let chunking = round
        .chunking()
        .map_err(|fault| WireError::refused(&board.round(), &PartyName::registrar(), fault))?;
    let execute = execute.chunks(chunking)?;
    let ledger = Ledger::read(&board.ledger(), &round, &context, trust)?;
    if let Some(head) = reference.head {
        ledger.contains(head)?;
    }
    LetterKeys::read(&board.letter_keys(), &round, &context, trust)?;
    let mut audit =
        Audit { board, round: &round, context: &context, trust, ledger: &ledger, files: 2 };
    audit.files += ledger.files();
    let keys = audit.keys()?;
    audit.ceremony(&keys)?;
    audit.statements()?;
    let signed_two = audit.signed_two()?;
    let corrections = audit.corrections()?;
    let verifier = audit.verifier(&execute, engine)?;
    let excluded = audit.excluded(&signed_two, &execute, verifier.as_deref(), engine)?;
    let receipt = audit.receipt()?;
    let mut operations = 0;
    let mut questions = Questions::default();
    if let Some(receipt) = &receipt {
        let chosen =
            |chunk: u32| verifier.as_deref().filter(|_| execute.binary_search(&chunk).is_ok());
        let inputs = Inputs::read(
            &audit.public(),
            ledger.submissions()?,
            &engine.submitters(),
            keys.public_key,
            &chosen,
            &(),
            &|_| {},
        )?;
        let results = receipt.body.chunks(&board.receipt(), &round, &context, trust)?;
        operations = audit.results(receipt, &inputs, &results)?;
        audit.recompute(&execute, receipt, &inputs, &results, engine)?;
        audit.opening(receipt, chunking, engine)?;
        questions = audit.questions(&execute, &inputs, engine)?;
    } else if !execute.is_empty() {
        // There is nothing to recompute: reading the receipt says that it is missing.
        Receipt::read(&board.receipt(), &round, &context, trust)?;
    } else {
        audit.manifests()?;
    }
    let committed = ledger.committed().map(|(_, listed)| listed).unwrap_or_default();
    let opening: Vec<u16> =
        committed.iter().filter_map(|(name, _)| name.trustee_number()).collect();
    let spoke = |share: &u32| {
        let holders = round.sharing.holders(*share);
        holders.iter().filter(|holder| opening.contains(holder)).count()
    };
    Ok(Report {
        round: context.round,
        slots: round.slots,
        submitters: round.submitters.clone(),
        excluded,
        signed_two,
        files_checked: audit.files,
        chunks: chunking.count(),
        chunks_recomputed: execute,
        operations,
        opened_by: committed.iter().map(|(trustee, _)| trustee.clone()).collect(),
        uncompared: (0..round.sharing.shares()).filter(|share| spoke(share) == 1).collect(),
        corrections,
        questions,
        entries: ledger.entries().len(),
        head: ledger.head(),
        platform: receipt.map(|receipt| receipt.body.platform).unwrap_or_default(),
    })
}

struct Audit<'a> {
    board: &'a Board,
    round: &'a Round,
    context: &'a Context,
    trust: &'a TrustFile,
    ledger: &'a Ledger,
    files: u64,
}

impl<'a> Audit<'a> {
    /// The key files are those of the ledger and name each other.
    fn keys(&mut self) -> Result<Keys<'a>, AuditError> {
        let keys = self.ledger.keys()?;
        let maker = &self.round.key_maker;
        let expect = Expect::of(maker, self.context);
        let path = self.board.public_key();
        let public = read::<PublicKey>(&path, &expect, self.trust)?.digest;
        same("public key in the ledger", public, keys.public_key, &path, maker)?;
        let path = self.board.evaluation_key();
        let key = read::<EvaluationKey>(&path, &expect, self.trust)?;
        same("evaluation key in the ledger", key.digest, keys.evaluation_key, &path, maker)?;
        same("public-key file", public, key.body.public_key, &path, maker)?;
        self.files += 2;
        if let Some(recorded) = keys.opening_key {
            let path = self.board.opening_key();
            let key = read::<OpeningKey>(&path, &expect, self.trust)?;
            same("opening key in the ledger", key.digest, recorded, &path, maker)?;
            same("public-key file", public, key.body.public_key, &path, maker)?;
            self.files += 1;
        }
        Ok(keys)
    }

    /// What was said in the key ceremony, and that the ledger has its commitments.
    fn ceremony(&mut self, keys: &Keys<'_>) -> Result<(), AuditError> {
        let sharing = self.round.sharing;
        for trustee in sharing.names() {
            self.message::<TrusteeKey>(&trustee, file_names::TRUSTEE_KEY)?;
        }
        let dealt = self.round.key_maker == PartyName::dealer();
        let mut checked: Option<FirstsChecked> = None;
        for trustee in sharing.names().filter(|_| !dealt) {
            let said = self.message::<FirstsChecked>(&trustee, file_names::FIRSTS_CHECKED)?;
            let first = checked.get_or_insert_with(|| said.clone()).firsts;
            let path = self.board.ceremony(&trustee).join(file_names::FIRSTS_CHECKED);
            same("set of first messages", first, said.firsts, &path, &trustee)?;
        }
        for maker in self.round.share_makers() {
            let path = self.board.ceremony(&maker).join(file_names::SHARE_COMMITMENTS);
            let said = self.message::<ShareCommitments>(&maker, file_names::SHARE_COMMITMENTS)?;
            let makes = self.round.shares_made_by(&maker);
            if !said.shares.iter().map(|share| share.share).eq(makes) {
                let fault =
                    Fault::Content { detail: "these are not the shares that this party makes" };
                return Err(WireError::refused(&path, &maker, fault).into());
            }
            for share in &said.shares {
                let recorded = keys.shares.get(share.share as usize).copied();
                let recorded = recorded.unwrap_or(Digest([0; 32]));
                same("commitment in the ledger", share.commitment, recorded, &path, &maker)?;
            }
            if dealt {
                continue;
            }
            let [first, second] = file_names::CEREMONY_STEPS;
            let firsts = self.message::<CeremonyMessages>(&maker, first)?;
            let seconds = self.message::<CeremonyMessages>(&maker, second)?;
            for (step, messages) in [(first, &firsts), (second, &seconds)] {
                let of = messages.messages.iter().map(|(share, _)| share);
                if !of.eq(said.shares.iter().map(|share| &share.share)) {
                    let file = self.board.ceremony(&maker).join(step);
                    let fault = Fault::Content { detail: "there is not one message a share" };
                    return Err(WireError::refused(&file, &maker, fault).into());
                }
            }
            for (share, (_, bytes)) in said.shares.iter().zip(&firsts.messages) {
                let file = self.board.ceremony(&maker).join(first);
                let committed = share.first.unwrap_or(Digest([0; 32]));
                same("first message", Digest::of(bytes), committed, &file, &maker)?;
            }
        }
        Ok(())
    }

    fn message<M: Message>(&mut self, party: &PartyName, file: &str) -> Result<M, WireError> {
        let path = self.board.ceremony(party).join(file);
        let found = read::<M>(&path, &Expect::of(party, self.context), self.trust)?;
        self.files += 1;
        Ok(found.body)
    }

    fn statements(&mut self) -> Result<(), AuditError> {
        let [refusal, destroyed] = file_names::STATEMENTS;
        for trustee in self.round.sharing.names() {
            for file in file_names::STATEMENTS {
                let path = self.board.statements(&trustee).join(file);
                // What the ledger records was stated.
                let recorded = self.ledger.events().any(|event| match event {
                    Event::Refused { trustee: name, .. } => file == refusal && *name == trustee,
                    Event::Destroyed(name) => file == destroyed && *name == trustee,
                    _ => false,
                });
                if recorded || storage::exists(&path)? {
                    read::<Statement>(&path, &Expect::of(&trustee, self.context), self.trust)?;
                    self.files += 1;
                }
            }
        }
        Ok(())
    }

    /// The receipt, once the ledger has it or the evaluator has published it.
    fn receipt(&mut self) -> Result<Option<Received<Receipt>>, AuditError> {
        let path = self.board.receipt();
        let committed = self.ledger.committed().ok().map(|(receipt, _)| receipt);
        if committed.is_none() && !storage::exists(&path)? {
            return Ok(None);
        }
        let receipt = Receipt::read(&path, self.round, self.context, self.trust)?;
        let evaluator = PartyName::evaluator();
        if let Some(recorded) = committed {
            same("receipt in the ledger", receipt.digest, recorded, &path, &evaluator)?;
        }
        let (key, named) = (self.ledger.keys()?.evaluation_key, receipt.body.evaluation_key);
        same("evaluation-key file", key, named, &path, &evaluator)?;
        if receipt.body.submissions != self.ledger.submissions()? {
            let detail = "these results are not of the submissions that the ledger has, without the excluded";
            return Err(WireError::refused(&path, &evaluator, Fault::Content { detail }).into());
        }
        self.files += 1;
        Ok(Some(receipt))
    }

    /// Rounds that correct this one. Those that are recorded lie on the board as they were recorded, and whatever else lies
    /// there is a correction to be recorded.
    fn corrections(&self) -> Result<Vec<Correction>, AuditError> {
        let read = |board: Board| {
            CorrectingRound::read(self.board, board, self.round, self.context, self.trust)
        };
        let mut found = Vec::new();
        for entry in self.ledger.corrections() {
            let correcting = read(self.board.correction(entry.round))?;
            let (round, head) = (correcting.context.round, correcting.ledger.opening()?);
            if (round, head) != (*entry.round, entry.head) || correcting.slots != entry.slots {
                let folder = correcting.board.folder().to_owned();
                return Err(AuditError::OtherCorrection { folder });
            }
            found.push(Correction { round, slots: correcting.slots, head: Some(head) });
        }
        let recorded: Vec<Board> = found.iter().map(|c| self.board.correction(&c.round)).collect();
        for board in correcting_boards(self.board)?.into_iter().filter(|b| !recorded.contains(b)) {
            let CorrectingRound { context, slots, .. } = read(board)?;
            found.push(Correction { round: context.round, slots, head: None });
        }
        Ok(found)
    }

    /// Every chunk of results; those of the inputs were read already.
    fn results(
        &mut self,
        receipt: &Received<Receipt>,
        inputs: &Inputs<'_>,
        results: &ChunkReader<'_>,
    ) -> Result<u64, AuditError> {
        let mut operations = 0_u64;
        for chunk in 0..inputs.chunking().count() {
            operations = operations.saturating_add(results.read(chunk)?.operations);
        }
        let (chunks, submissions) = (inputs.chunking().count(), inputs.submissions() as u64);
        self.files += submissions + u64::from(chunks) * (submissions + 1);
        if operations != receipt.body.operations {
            let detail = "the receipt's operations are not the sum over its chunks";
            let fault = Fault::Content { detail };
            let evaluator = PartyName::evaluator();
            return Err(WireError::refused(&self.board.receipt(), &evaluator, fault).into());
        }
        Ok(operations)
    }

    /// The manifests of trustees that committed and did not open.
    fn not_listed(&mut self, listed: &[(PartyName, Digest)]) -> Result<(), WireError> {
        for trustee in self.round.sharing.names() {
            let folder = self.board.partials(&trustee);
            if storage::folder_exists(&folder)? && !listed.iter().any(|(name, _)| *name == trustee)
            {
                let path = folder.join(file_names::PARTIALS);
                Partials::read(&path, &trustee, self.round, self.context, self.trust)?;
                self.files += 1;
            }
        }
        Ok(())
    }

    /// Whether all who open have shown everything. If they have and nothing was opened, somebody lied.
    fn shown(&self, listed: &[(PartyName, Digest)], chunking: Chunking) -> Result<bool, WireError> {
        for (trustee, _) in listed {
            for part in [PARTIAL_CHUNKS, COMMITMENT_CHUNKS] {
                let folder = self.board.partials(trustee).join(part);
                if !chunks_exist(&folder, chunking.count() as usize)? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Computes and prepares chunks again, and compares every byte with what evaluator and trustees published.
    fn recompute(
        &self,
        chunks: &[u32],
        receipt: &Received<Receipt>,
        inputs: &Inputs<'_>,
        results: &ChunkReader<'_>,
        engine: &dyn Engine,
    ) -> Result<(), AuditError> {
        if chunks.is_empty() {
            return Ok(());
        }
        let (round, context, trust) = (self.round, self.context, self.trust);
        let (path, maker) = (self.board.evaluation_key(), &round.key_maker);
        let expect = Expect::of(maker, context);
        let key = read::<EvaluationKey>(&path, &expect, trust)?.body.bytes;
        let refused =
            |source| AuditError::Key { file: path.clone(), culprit: maker.clone(), source };
        {
            let public = read::<PublicKey>(&self.board.public_key(), &expect, trust)?.body.bytes;
            let evaluate = engine.evaluate(&public, &key).map_err(refused)?;
            let platform = &receipt.body.platform;
            let evaluate = evaluate.as_ref();
            blindtier_transcript::recompute(chunks, inputs, results, evaluate, platform, &|_| {})?;
        }
        let listed = self.ledger.committed().map(|(_, listed)| listed).unwrap_or_default();
        if listed.is_empty() || self.ledger.opened().is_err() {
            return Ok(());
        }
        let (board, digest) = (self.board, receipt.digest);
        let contributions =
            blindtier_transcript::contributions(board, listed, digest, round, context, trust)?;
        let opening = match self.ledger.keys()?.opening_key {
            Some(_) => Some(read::<OpeningKey>(&board.opening_key(), &expect, trust)?.body.bytes),
            None => None,
        };
        let prepare = engine.prepare(&key, opening.as_deref()).map_err(refused)?;
        for chunk in chunks {
            let read = results.read(*chunk)?;
            let prepared = prepare
                .prepare(read.count as usize, &read.bytes, &|_| {})
                .map_err(AuditError::Engine)?;
            for contribution in &contributions {
                contribution.check_bodies(*chunk, &prepared.bodies)?;
            }
        }
        Ok(())
    }

    /// Adds the partial decryptions up again, and compares what comes out with the ledger and with what every trustee
    /// published.
    fn opening(
        &mut self,
        receipt: &Received<Receipt>,
        chunking: Chunking,
        engine: &dyn Engine,
    ) -> Result<(), AuditError> {
        let (round, context, trust) = (self.round, self.context, self.trust);
        let listed = self.ledger.committed().map(|(_, listed)| listed).unwrap_or_default();
        self.not_listed(listed)?;
        if listed.is_empty() {
            return Ok(());
        }
        let (board, digest) = (self.board, receipt.digest);
        let contributions =
            blindtier_transcript::contributions(board, listed, digest, round, context, trust)?;
        self.files += contributions.len() as u64;
        let recorded = self.ledger.opened().ok();
        if recorded.is_none() && !self.shown(listed, chunking)? {
            return Ok(());
        }
        let engine = engine.combine().map_err(AuditError::Engine)?;
        let mut published = Vec::new();
        for trustee in round.sharing.names() {
            let path = board.opened(&trustee).join(file_names::OPENED);
            // Once a round is opened, chunks without their manifest are no reason to look away.
            let begun = recorded.is_some() && storage::folder_exists(&board.opened(&trustee))?;
            if begun || storage::exists(&path)? {
                let manifest = Opened::read(&path, &trustee, context, trust)?.body;
                same("receipt", digest, manifest.receipt, &path, &trustee)?;
                let chunks = manifest.chunks(&path, &trustee, round, context, trust)?;
                published.push((trustee, chunks));
                self.files += 1;
            }
        }
        for chunk in 0..chunking.count() {
            let (start, count) = chunking.range(chunk);
            let families = count as usize;
            let engine = engine.as_ref();
            let opened = blindtier_transcript::open_chunk(
                chunk,
                families,
                &contributions,
                round.sharing,
                engine,
                None,
            )?;
            let found = opened_digest(context, start, &opened.numbers);
            if recorded.is_some_and(|recorded| recorded.get(chunk as usize) != Some(&found)) {
                return Err(AuditError::OtherOpening { chunk });
            }
            for (trustee, chunks) in &published {
                let refused = |fault| WireError::refused(&chunks.path(chunk), trustee, fault);
                let found = opened_numbers(&chunks.read(chunk)?).map_err(refused)?;
                if found != opened.numbers {
                    let detail = "these are not the numbers that the partial decryptions open";
                    return Err(refused(Fault::Content { detail }).into());
                }
            }
            self.files += 2 * contributions.len() as u64 + published.len() as u64;
        }
        Ok(())
    }
}

/// A ledger for people.
pub struct Shown {
    /// The round.
    pub round: Round,
    /// Its ledger.
    pub ledger: Ledger,
    /// Who signed two different submissions.
    pub signed_two: Vec<PartyName>,
}

/// Reads a ledger for people.
pub fn show(board: &Board, policy: Digest, trust: &TrustFile) -> Result<Shown, AuditError> {
    let received = Round::read(&board.round(), trust, policy)?;
    let (round, context) = (received.body, received.context);
    let ledger = Ledger::read(&board.ledger(), &round, &context, trust)?;
    let mut audit =
        Audit { board, round: &round, context: &context, trust, ledger: &ledger, files: 0 };
    let signed_two = audit.signed_two()?;
    Ok(Shown { round, ledger, signed_two })
}
