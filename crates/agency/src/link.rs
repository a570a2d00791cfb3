//! Where an agency's pseudonyms come from: the roster's key, or the registrar's answer to the agency's one request.

use crate::rows::{Rows, persons};
use crate::{AgencyError, Invitation, SubmissionError};
use blindtier_linkage::{Answer, Blinding, Progress};
use blindtier_wire::{
    Board, Digest, Expect, Kind, LinkageAnswer, LinkageRequest, LinkageState, PartyName, Pseudonym,
    RosterFile, RosterLinkage, Round, SigningIdentity, TrustFile, file_names, read, same, storage,
    write,
};
use std::path::Path;

/// What a request is made from, and where it goes.
pub struct Link<'a> {
    /// The public folder of the round.
    pub board: &'a Board,
    /// The agency's own hash of the policy.
    pub policy: Digest,
    /// The agency's own roster (secret).
    pub roster: &'a Path,
    /// The agency's register (private).
    pub register: &'a Path,
    /// The agency's own folder (private): what makes the request readable is kept there until the agency submits.
    pub private: &'a Path,
    /// The file for the request, for the registrar.
    pub output: &'a Path,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Requested {
    /// Hash of its file.
    pub request: Digest,
    /// Persons and fillers in it: as many as the round says, whatever the register has.
    pub elements: usize,
    /// False if the request was made before and stands as it is.
    pub fresh: bool,
}

/// Makes the agency's request of the round: the persons of its register, blinded, and fillers.
///
/// There is one request a round, because the registrar answers one. A request that was made before is given out again, never
/// made anew; then the register may lack persons that it asks about but have no others. Two rows about one person count once.
///
/// # Errors
/// The register has more persons than the round's requests, the round needs no request, or a file is refused.
pub fn link(
    job: &Link<'_>,
    identity: &SigningIdentity,
    trust: &TrustFile,
    progress: Progress<'_>,
) -> Result<Requested, AgencyError> {
    let (agency, file) = (identity.name(), job.board.round());
    let received = Round::read(&file, trust, job.policy)?;
    let (round, context) = (received.body, received.context);
    if !round.submitters.contains(agency) {
        return Err(SubmissionError::NotInvited { file, party: agency.clone() }.into());
    }
    let Some(size) = round.linkage.persons() else {
        return Err(AgencyError::NeedsNoAnswer { file });
    };
    // Refused now rather than when the answer is there.
    RosterFile::open(job.roster, agency, &round, &context, trust)?;

    let kept = job.private.join(file_names::LINKAGE_REQUEST);
    let state_file = job.private.join(file_names::LINKAGE_STATE);
    let fresh = !state_file.exists();
    let request = if fresh {
        let mut persons = persons(job.register)?;
        if persons.len() > size {
            let enough = persons.len().next_power_of_two();
            return Err(AgencyError::TooManyPersons {
                file: job.register.to_owned(),
                size,
                enough,
            });
        }
        let blinding = Blinding::generate()?;
        let elements = blinding.request(&persons, size, progress)?.concat();
        // The state is written last and says which request it belongs to: without it, nobody has seen the request.
        let request = write(&kept, &LinkageRequest { elements }, &context, identity)?;
        let persons = std::mem::take(&mut *persons);
        let state = LinkageState { request, seed: *blinding.seed(), persons };
        write(&state_file, &state, &context, identity)?;
        request
    } else {
        let state = LinkageState::read(&state_file, agency, &context, trust)?;
        let mut rows = Rows::open(job.register)?;
        while let Some(line) = rows.advance()? {
            if state.position(rows.person()).is_none() {
                return Err(AgencyError::NotAsked { file: job.register.to_owned(), line });
            }
        }
        state.request
    };
    storage::copy(&kept, job.output, Kind::LinkageRequest.limit() + (1 << 16))?;
    Ok(Requested { request, elements: size, fresh })
}

/// The pseudonyms that the agency can make or has been given.
pub struct Pseudonyms<'r> {
    /// The agency's roster (secret).
    pub(crate) roster: &'r RosterFile,
    answered: Option<Answered>,
}

/// What the registrar's answer gave (private).
struct Answered {
    state: LinkageState,
    /// Of the persons of the state, in their order.
    pseudonyms: Vec<Pseudonym>,
}

impl<'r> Pseudonyms<'r> {
    /// Takes them from the roster's key, or from the registrar's answer: whichever the round has.
    ///
    /// `answer` is the private folder of [`link`] and the file that the registrar answered with. An answer to another request,
    /// or not made with the key of the roster, is refused.
    pub fn obtain(
        invitation: &Invitation,
        board: &Board,
        roster: &'r RosterFile,
        answer: Option<(&Path, &Path)>,
        identity: &SigningIdentity,
        trust: &TrustFile,
        progress: Progress<'_>,
    ) -> Result<Self, AgencyError> {
        let answered = match (roster.linkage(), answer) {
            (RosterLinkage::Key(_), None) => None,
            (RosterLinkage::Key(_), Some(_)) => {
                return Err(AgencyError::NeedsNoAnswer { file: board.round() });
            }
            (RosterLinkage::Oblivious { .. }, None) => {
                return Err(AgencyError::NeedsAnswer { file: board.round() });
            }
            (RosterLinkage::Oblivious { public }, Some((private, file))) => {
                Some(finish(invitation, private, file, public, identity, trust, progress)?)
            }
        };
        Ok(Self { roster, answered })
    }

    /// With the roster's own key.
    #[cfg(test)]
    pub(crate) fn keyed(roster: &'r RosterFile) -> Self {
        Self { roster, answered: None }
    }

    /// As if the registrar had answered so.
    #[cfg(test)]
    pub(crate) fn given(
        roster: &'r RosterFile,
        persons: Vec<String>,
        pseudonyms: Vec<Pseudonym>,
    ) -> Self {
        let state = LinkageState { request: Digest([0; 32]), seed: [0; 32], persons };
        Self { roster, answered: Some(Answered { state, pseudonyms }) }
    }

    /// The pseudonym of a person (private); `None` if the request did not ask about this person.
    pub(crate) fn of(&self, person: &str) -> Option<Pseudonym> {
        match (&self.answered, self.roster.linkage()) {
            (Some(answered), _) => {
                answered.pseudonyms.get(answered.state.position(person)?).copied()
            }
            (None, RosterLinkage::Key(key)) => Some(key.pseudonym(person)),
            (None, RosterLinkage::Oblivious { .. }) => None,
        }
    }
}

/// Reads the state and the answer and takes the blinding off.
fn finish(
    invitation: &Invitation,
    private: &Path,
    file: &Path,
    public: &[u8; 32],
    identity: &SigningIdentity,
    trust: &TrustFile,
    progress: Progress<'_>,
) -> Result<Answered, AgencyError> {
    let (round, context, agency) = (&invitation.round, &invitation.context, identity.name());
    let state_file = private.join(file_names::LINKAGE_STATE);
    let state = LinkageState::read(&state_file, agency, context, trust)?;
    let kept = private.join(file_names::LINKAGE_REQUEST);
    let request = read::<LinkageRequest>(&kept, &Expect::of(agency, context), trust)?;
    same("request", request.digest, state.request, &state_file, agency)?;
    let body = LinkageAnswer::read(file, agency, state.request, round, context, trust)?;
    let answer = Answer { elements: body.elements().to_vec(), proofs: body.proofs().to_vec() };
    drop(body);
    let pseudonyms = Blinding::from_seed(&state.seed)
        .finish(&state.persons, request.body.elements(), &answer, public, progress)
        .map_err(|source| AgencyError::Answer {
            file: file.to_owned(),
            culprit: PartyName::registrar(),
            source,
        })?;
    let pseudonyms = pseudonyms.into_iter().map(Pseudonym).collect();
    Ok(Answered { state, pseudonyms })
}
