//! Going on without a submitter after its submission was registered.

use crate::desk::{Desk, Session};
use crate::error::TrusteeError;
use crate::manifests::{look, publish};
use crate::opened::Opening;
use blindtier_ledger::{Event, Exclusion};
use blindtier_transcript::{Engine, Submitted, Trouble};
use blindtier_wire::PartyName;

/// Signs the entry that excludes a submitter, whose columns then have the missing values. The trustee sees for itself that the
/// reason holds, in the files on its own board, and excludes nobody once it has begun to open. `now` is the time in seconds
/// since 1970.
pub fn exclude(
    desk: &Desk<'_>,
    submitter: &PartyName,
    reason: Exclusion,
    engine: &dyn Engine,
    now: u64,
) -> Result<(), TrusteeError> {
    let session = Session::new(desk)?;
    if !session.round.submitters.contains(submitter) {
        return Err(TrusteeError::NoSubmitter { party: submitter.clone() });
    }
    Opening::refuse_begun(desk.private, session.context.round)?;
    let seen = look(&session, submitter, None, now)?;
    if seen.noted.is_some() {
        // So that nobody is excluded whose manifest was only lost on the board.
        publish(&session, submitter)?;
    }
    let refused = |detail: &str| {
        let (submitter, detail) = (submitter.clone(), detail.to_owned());
        TrusteeError::NotExcluded { submitter, reason, detail }
    };
    match reason {
        Exclusion::Late => {
            return Err(refused("its submission is registered, so that it was not late"));
        }
        Exclusion::TwoSubmissions => {
            if seen.two.is_none() {
                return Err(refused("there are not two on the board (evidence)"));
            }
        }
        Exclusion::Withheld => {
            if let Some(detail) = session.not_withheld(submitter, engine)? {
                return Err(refused(&detail));
            }
        }
        Exclusion::Invalid { chunk } => {
            if let Some(detail) = session.not_invalid(submitter, chunk, engine)? {
                return Err(refused(&detail));
            }
        }
    }
    session.endorse(Event::Excluded { submitter: submitter.clone(), reason })?;
    Ok(())
}

impl Session<'_> {
    /// A submitter's registered manifest, if it lies on the board.
    fn submitted(
        &self,
        submitter: &PartyName,
        engine: &dyn Engine,
    ) -> Result<Option<Submitted<'_>>, TrusteeError> {
        let registrations = self.ledger.registrations()?.iter().zip(engine.submitters());
        let mut registered = registrations
            .filter(|(entry, _)| entry.submitter == *submitter)
            .filter_map(|(entry, position)| Some((entry.manifest.ok()?, position)));
        let Some((manifest, position)) = registered.next() else { return Ok(None) };
        let key = self.ledger.keys()?.public_key;
        match Submitted::read(&self.public(), submitter, position, manifest, key) {
            Ok(submitted) => Ok(Some(submitted)),
            Err(error) if error.fault().is_some() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Why a submitter's chunks are not withheld, if they are not.
    fn not_withheld(
        &self,
        submitter: &PartyName,
        engine: &dyn Engine,
    ) -> Result<Option<String>, TrusteeError> {
        let Some(submitted) = self.submitted(submitter, engine)? else { return Ok(None) };
        let mut unreadable = None;
        for chunk in 0..submitted.chunks() {
            match submitted.check(chunk, None) {
                Err(Trouble::NotThere(_)) => return Ok(None),
                Err(Trouble::Local(error)) => return Err(error.into()),
                Err(Trouble::Unreadable(_) | Trouble::Invalid { .. }) => {
                    unreadable.get_or_insert(chunk);
                }
                Ok(()) => {}
            }
        }
        Ok(Some(match unreadable {
            None => "all of its chunks are on the board".to_owned(),
            Some(chunk) => {
                format!("all of its chunks are on the board, and chunk {chunk} is invalid")
            }
        }))
    }

    /// Why a submitter's chunk is not invalid, if it is not.
    fn not_invalid(
        &self,
        submitter: &PartyName,
        chunk: u32,
        engine: &dyn Engine,
    ) -> Result<Option<String>, TrusteeError> {
        let not_there =
            || Ok(Some("what it registered is not on the board: it is withheld".to_owned()));
        let Some(submitted) = self.submitted(submitter, engine)? else { return not_there() };
        if chunk >= submitted.chunks() {
            return Ok(Some("the round has no such chunk".to_owned()));
        }
        let verifier = engine
            .verify(&self.public_key()?)
            .map_err(|source| TrusteeError::Key { file: self.desk.board.public_key(), source })?;
        match submitted.check(chunk, Some(verifier.as_ref())) {
            Ok(()) => Ok(Some("this trustee finds the chunk valid".to_owned())),
            Err(Trouble::NotThere(_)) => not_there(),
            Err(Trouble::Local(error)) => Err(error.into()),
            Err(Trouble::Unreadable(_) | Trouble::Invalid { .. }) => Ok(None),
        }
    }
}
