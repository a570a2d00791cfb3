//! Answering a question about groups of families, step by step.

use crate::desk::{Desk, Session};
use crate::error::TrusteeError;
use crate::noise::Noise;
use crate::open::{Engine, Step};
use blindtier_ledger::Event;
use blindtier_transcript::Opening;
use blindtier_wire::{
    CountPartials, Counts, Expect, PartyName, WireError, check_randomness, read, same, storage,
    write,
};
use std::path::PathBuf;
use zeroize::Zeroizing;

/// How far a question is for this trustee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnswerProgress {
    /// It recounted and signed the question, which spends its part of the privacy budget; too few others have yet.
    Asked,
    /// It has shown its partial decryptions, but not all others that are waited for have.
    Shown {
        /// Who is missing.
        missing: Vec<PartyName>,
    },
    /// It combined and signed the answer; a majority has not yet.
    Combined,
    /// The answer stands in the ledger, see [`blindtier_ledger::Ledger::answers`].
    Done,
}

/// Takes the next steps of the question that is not answered yet, or of the one that the evaluator has counted, as far as the
/// board allows. Without either, there is nothing left to do for the latest one.
///
/// Before it signs, the trustee recounts everything with the same bytes, and checks that no group was asked about before and
/// that the privacy budget reaches. Nothing is opened before the ledger has the question. `tiers` is how many the policy has,
/// `absent` the trustees that are not waited for. Exact counts, of a round without noise, are opened only if
/// `simulated`. `progress` gets the families done and those of the round, from any thread.
pub fn answer(
    desk: &Desk<'_>,
    tiers: usize,
    absent: &[PartyName],
    simulated: bool,
    engine: &dyn Engine,
    progress: &(dyn Fn(Step, u64, u64) + Sync),
) -> Result<AnswerProgress, TrusteeError> {
    let session = Session::new(desk)?;
    let (board, round, context) = (desk.board, &session.round, &session.context);
    let refused = |fault| WireError::refused(&board.round(), &PartyName::registrar(), fault);
    let statistics = round.statistics().map_err(refused)?;
    if !statistics.noise && !simulated {
        return Err(TrusteeError::ExactCounts { file: board.round() });
    }
    let asked = u32::try_from(session.ledger.questions().count()).unwrap_or(u32::MAX);
    let open = session.ledger.unanswered().map(|(digest, _)| digest);
    let number = if open.is_some() { asked } else { asked.saturating_add(1) };
    let path = board.counts(number);
    if open.is_none() && !storage::exists(&path)? {
        let answered = asked > 0;
        return if answered {
            Ok(AnswerProgress::Done)
        } else {
            Err(TrusteeError::NothingAsked { file: path })
        };
    }
    let counts = Counts::read(&path, round, context, desk.trust)?;
    let evaluator = PartyName::evaluator();
    if let Some(recorded) = open {
        same("counts in the ledger", counts.digest, recorded, &path, &evaluator)?;
    }
    let opening = Opening { public: session.public(), number, counts: &counts };
    let run = Run { session: &session, opening, tiers, progress };
    let question = &counts.body.question;
    if open.is_none() {
        session.ledger.allows(question, round).map_err(|reason| TrusteeError::Question {
            file: path.clone(),
            culprit: evaluator.clone(),
            reason,
        })?;
    }
    run.recount(engine)?;
    let event = Event::Asked { counts: counts.digest, question: question.clone() };
    session.endorse(event)?;
    if open.is_none() {
        return Ok(AnswerProgress::Asked);
    }
    run.show(engine)?;
    let (mut said, mut missing) = (Vec::new(), Vec::new());
    for trustee in round.sharing.names() {
        match run.opening.partials(&trustee) {
            Ok(Some(partials)) => said.push((trustee, partials)),
            Ok(None) if !absent.contains(&trustee) => missing.push(trustee),
            Ok(None) => {}
            // One that is not waited for keeps nobody from opening, whatever it says.
            Err(_) if absent.contains(&trustee) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let numbers: Vec<u16> = said.iter().filter_map(|(name, _)| name.trustee_number()).collect();
    if !missing.is_empty() || round.sharing.missing(&numbers).is_some() {
        return Ok(AnswerProgress::Shown { missing });
    }
    let cells = run.opening.combine(&said, tiers, engine, Some(session.name()))?;
    session.endorse(Event::Answered { counts: counts.digest, cells })?;
    Ok(AnswerProgress::Combined)
}

struct Run<'s, 'a> {
    session: &'s Session<'a>,
    opening: Opening<'s>,
    tiers: usize,
    progress: &'s (dyn Fn(Step, u64, u64) + Sync),
}

impl Run<'_, '_> {
    /// Where this trustee notes which counts it has made again itself.
    fn note(&self) -> PathBuf {
        let round = self.session.context.round;
        let number = self.opening.number;
        self.session.desk.private.join(format!("counted-{round}-{number:05}.txt"))
    }

    /// Counts everything again, unless this trustee has before, and compares every byte.
    fn recount(&self, engine: &dyn Engine) -> Result<(), TrusteeError> {
        let Self { session, opening, .. } = self;
        let (desk, counts) = (session.desk, opening.counts);
        let text = counts.digest.to_string();
        if storage::read_own(&self.note(), 4096)?.is_some_and(|noted| noted == text.as_bytes()) {
            return Ok(());
        }
        let (path, evaluator) = (desk.board.counts(opening.number), PartyName::evaluator());
        session.same_submissions(&counts.body.submissions, &path)?;
        let key = session.ledger.keys()?.evaluation_key;
        same("evaluation-key file", key, counts.body.evaluation_key, &path, &evaluator)?;
        let total = u64::from(session.round.slots);
        let public_key = session.public_key()?;
        let checking = |done| (self.progress)(Step::Checking, done, total);
        let inputs = session.inputs(engine, &public_key, &checking)?;
        let count = engine
            .count(&session.evaluation_key()?)
            .map_err(|source| TrusteeError::Key { file: desk.board.evaluation_key(), source })?;
        let parts: Vec<u32> = (0..opening.parts()?.count()).collect();
        opening.recompute(&parts, &inputs, count.as_ref(), &|done| {
            (self.progress)(Step::Recomputing, done.min(total), total);
        })?;
        storage::write_secret(&self.note(), text.as_bytes())?;
        Ok(())
    }

    /// Publishes this trustee's partial decryptions, with the noise of its shares. Writing them again gives the same bytes.
    fn show(&self, engine: &dyn Engine) -> Result<(), TrusteeError> {
        let Self { session, opening, .. } = self;
        let (desk, round, context) = (session.desk, &session.round, &session.context);
        let counts = opening.counts;
        let path = desk.board.count_partials(opening.number, session.name());
        let expect = Expect::of(session.name(), context);
        if read::<CountPartials>(&path, &expect, desk.trust)
            .is_ok_and(|known| known.body.counts == counts.digest)
        {
            return Ok(());
        }
        check_randomness()?;
        let published = opening.published()?;
        let question = &counts.body.question;
        let refused =
            |fault| WireError::refused(&desk.board.round(), &PartyName::registrar(), fault);
        let statistics = round.statistics().map_err(refused)?;
        let largest = statistics.largest_noise(question);
        let cells = question.groups.len().saturating_mul(self.tiers);
        let mut shares = Vec::new();
        let mut partials = Vec::new();
        for share in &session.shares()?.shares {
            let file = session.shares_file();
            let opener = engine
                .share_counts(&share.key)
                .map_err(|source| TrusteeError::Key { file, source })?;
            let mut of_share = Vec::new();
            for part in (0u32..).take(counts.body.parts.len()) {
                let mut noise = Noise::new(share, &counts.digest, part);
                let drawn: Zeroizing<Vec<i64>> = Zeroizing::new(
                    (0..cells)
                        .map(|_| noise.laplace(question.epsilon).clamp(-largest, largest))
                        .collect(),
                );
                let bytes =
                    opener.partial(&published.read(part)?.bytes, &drawn).map_err(|source| {
                        TrusteeError::Open {
                            file: published.path(part),
                            culprit: published.sender().clone(),
                            source,
                        }
                    })?;
                of_share.push(serde_bytes::ByteBuf::from(bytes));
            }
            shares.push(share.share);
            partials.push(of_share);
        }
        let body = CountPartials { counts: counts.digest, shares, partials };
        write(&path, &body, context, desk.identity)?;
        Ok(())
    }
}
