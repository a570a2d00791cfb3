//! Answering agencies' requests for the pseudonyms of their persons.

use crate::RegistrarError;
use blindtier_linkage::{LinkageKey, Progress};
use blindtier_wire::{
    Board, Digest, LinkageAnswer, LinkageRequest, PartyName, Round, SigningIdentity, TrustFile,
    file_names, storage, write,
};
use std::path::{Path, PathBuf};

/// A request and where its answer goes.
pub struct Link<'a> {
    /// The public folder of the round.
    pub board: &'a Board,
    /// The registrar's own hash of the policy.
    pub policy: Digest,
    /// The agency's request.
    pub request: &'a Path,
    /// The registrar's private folder, which [`crate::new_round`] wrote the linkage keys to.
    pub private: &'a Path,
    /// The file for the answer, for that agency alone.
    pub output: &'a Path,
    /// The registrar's signing key.
    pub identity: &'a SigningIdentity,
    /// Everybody's public keys.
    pub trust: &'a TrustFile,
}

/// An answered request.
#[derive(Clone, Debug)]
pub struct Answered {
    /// Whose request.
    pub agency: PartyName,
    /// Hash of its file.
    pub request: Digest,
    /// Hash of the answer's file.
    pub answer: Digest,
    /// Elements in both: persons and fillers, which nobody but the agency can tell apart.
    pub elements: usize,
    /// False if the same request was answered before.
    pub first: bool,
}

/// The registrar's folder of an agency.
pub(crate) fn folder(private: &Path, agency: &PartyName) -> PathBuf {
    private.join(agency.submitter_folder())
}

/// Answers an agency's request: evaluates every element with the agency's linkage key and proves it.
///
/// An agency gets one answer a round, because every further one would let it try out as many persons again. The hash of the
/// request is recorded in the private folder before the answer is written; the same request is answered as often as it comes,
/// another one is refused. A request that cannot be answered is not recorded.
pub fn link(job: &Link<'_>, progress: Progress<'_>) -> Result<Answered, RegistrarError> {
    let party = job.identity.name();
    if *party != PartyName::registrar() {
        return Err(RegistrarError::NotRegistrar { party: party.clone() });
    }
    let round_file = job.board.round();
    let received = Round::read(&round_file, job.trust, job.policy)?;
    let (round, context) = (received.body, received.context);
    if round.linkage.persons().is_none() {
        return Err(RegistrarError::KeyedHash { file: round_file });
    }
    let (agency, request) = LinkageRequest::read(job.request, &round, &context, job.trust)?;
    let folder = folder(job.private, &agency);
    let key_file = folder.join(file_names::LINKAGE_KEY);
    let key = blindtier_wire::LinkageKey::read(&key_file, &agency, &context, job.trust)?;
    let record = folder.join(file_names::LINKAGE_ANSWERED);
    let answered_before = || check_record(&record, &agency, job.request, request.digest);
    let before = answered_before()?;

    let failed = |source| RegistrarError::Request {
        file: job.request.to_owned(),
        agency: agency.clone(),
        source,
    };
    let answer = LinkageKey::from_seed(&key.seed)?
        .answer(request.body.elements(), progress)
        .map_err(failed)?;
    let body = LinkageAnswer {
        agency: agency.clone(),
        request: request.digest,
        elements: answer.elements.concat(),
        proofs: answer.proofs.concat(),
    };
    let elements = answer.elements.len();
    drop(answer);
    if !before {
        let text = format!("{}\n", request.digest);
        if !storage::create_once(&record, text.as_bytes())? {
            // Another process answered at this moment; only if it was the same request, this one is answered too.
            answered_before()?;
        }
    }
    let answer = write(job.output, &body, &context, job.identity)?;
    Ok(Answered { agency, request: request.digest, answer, elements, first: !before })
}

/// Whether this request was answered before; refused if another one was.
fn check_record(
    record: &Path,
    agency: &PartyName,
    file: &Path,
    found: Digest,
) -> Result<bool, RegistrarError> {
    let Some(bytes) = storage::read_own(record, 1024)? else { return Ok(false) };
    let answered = std::str::from_utf8(&bytes).ok().and_then(|t| Digest::from_hex(t.trim()));
    match answered {
        Some(answered) if answered == found => Ok(true),
        Some(answered) => Err(RegistrarError::AnotherRequest {
            file: file.to_owned(),
            agency: agency.clone(),
            answered: Box::new(answered),
            found: Box::new(found),
        }),
        None => Err(RegistrarError::Record { file: record.to_owned(), agency: agency.clone() }),
    }
}
