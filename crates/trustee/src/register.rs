//! Which submissions a round takes.

use crate::desk::{Desk, Session};
use crate::error::TrusteeError;
use crate::manifests::{Noted, Seen, look, publish};
use blindtier_ledger::{Event, Exclusion, Recorded, Registration};
use blindtier_wire::{Digest, PartyName, file_names, utc};
use std::path::{Path, PathBuf};

/// What the trustees agreed on by word of mouth, because their files cannot tell them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Agreed<'a> {
    /// Whom the round goes on without: submitters that were too late, or that signed two submissions.
    pub leave_out: &'a [PartyName],
    /// Whose submission is taken though this trustee saw it too late: another one had it in time.
    pub take_in: &'a [PartyName],
}

/// How far the registration is for this trustee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegisterProgress {
    /// Manifests are missing; call again when they are there.
    Waiting {
        /// Whose.
        from: Vec<PartyName>,
        /// The deadline has passed: whoever is missing may be left out.
        overdue: bool,
    },
    /// The entry is signed.
    Signed {
        /// Who is left out.
        left_out: Vec<PartyName>,
        /// Who is registered though it signed two different submissions, and may be excluded for it.
        signed_two: Vec<PartyName>,
    },
}

/// Signs the entry with the hash of every submitter's manifest, once all are there.
///
/// `manifests` is a folder with one folder a submitter; their chunks need not be there. The trustee notes every manifest that
/// it sees with the time `now`, in seconds since 1970, and puts it onto the board, where the chunks will come later. One that
/// it saw after the round's deadline is refused. What is wrong with one submission does not hide what is wrong with another.
/// If other trustees have signed an entry already, this one signs the same or none.
pub fn register(
    desk: &Desk<'_>,
    manifests: &Path,
    agreed: &Agreed<'_>,
    now: u64,
) -> Result<RegisterProgress, TrusteeError> {
    let session = Session::new(desk)?;
    session.ledger.keys()?;
    let round = &session.round;
    let mut named = agreed.leave_out.iter().chain(agreed.take_in);
    if let Some(party) = named.find(|name| !round.submitters.contains(name)) {
        return Err(TrusteeError::NoSubmitter { party: party.clone() });
    }
    let others = signed_list(&session);
    let (mut all, mut missing, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    let mut signed_two = Vec::new();
    for (place, submitter) in round.submitters.iter().enumerate() {
        let file = manifests.join(submitter.submitter_folder()).join(file_names::SUBMISSION);
        let mut seen = look(&session, submitter, Some(&file), now)?;
        let fault = seen.fault.take();
        let case = Case { session: &session, submitter, seen, agreed, now, file };
        let theirs = others.and_then(|(entry, list)| Some((entry, list.get(place)?)));
        let decision = match theirs {
            Some((entry, registration)) => case.follow(entry, registration),
            None => case.decide(),
        };
        match (decision, fault) {
            (Err(error), _) => faults.push(error),
            (Ok(None), Some(fault)) => faults.push(fault.into()),
            (Ok(None), None) => missing.push(submitter.clone()),
            (Ok(Some(manifest)), _) => {
                if manifest.is_ok() {
                    publish(&session, submitter)?;
                    signed_two.extend(case.seen.two.map(|_| submitter.clone()));
                }
                all.push(Registration { submitter: submitter.clone(), manifest });
            }
        }
    }
    if !faults.is_empty() {
        return Err(TrusteeError::all(faults));
    }
    if !missing.is_empty() {
        let overdue = round.deadline.is_some_and(|deadline| now > deadline);
        return Ok(RegisterProgress::Waiting { from: missing, overdue });
    }
    let absent = all.iter().filter(|entry| entry.manifest.is_err());
    let left_out = absent.map(|entry| entry.submitter.clone()).collect();
    session.endorse(Event::Submissions(all))?;
    Ok(RegisterProgress::Signed { left_out, signed_two })
}

/// The list that is recorded, or that other trustees have begun to sign.
fn signed_list<'s>(session: &'s Session<'_>) -> Option<(&'s Recorded, &'s [Registration])> {
    let ledger = &session.ledger;
    ledger.entries().iter().chain(ledger.pending()).find_map(|recorded| {
        match &recorded.entry.event {
            Event::Submissions(all) => Some((recorded, all.as_slice())),
            _ => None,
        }
    })
}

/// One submitter, as this trustee sees it.
struct Case<'s, 'a> {
    session: &'s Session<'a>,
    submitter: &'s PartyName,
    seen: Seen,
    agreed: &'s Agreed<'s>,
    now: u64,
    /// Where its manifest was looked for.
    file: PathBuf,
}

/// What goes into the entry about a submitter; nothing while its manifest is missing.
type Decision = Result<Option<Result<Digest, Exclusion>>, TrusteeError>;

impl Case<'_, '_> {
    /// What the trustee says by itself.
    fn decide(&self) -> Decision {
        let leave_out = self.agreed.leave_out.contains(self.submitter);
        match (leave_out, self.seen.two, self.seen.noted) {
            (true, Some(_), _) => Ok(Some(Err(Exclusion::TwoSubmissions))),
            (true, None, _) => self.overdue().map(|()| Some(Err(Exclusion::Late))),
            (false, Some(_), _) => Err(TrusteeError::TwoSubmissions {
                culprit: self.submitter.clone(),
                files: self.session.desk.board.evidence(self.submitter),
            }),
            (false, None, Some(noted)) => self.in_time(noted).map(|()| Some(Ok(noted.manifest))),
            (false, None, None) => Ok(None),
        }
    }

    /// Whether the trustee can say the same as others have signed. Of two manifests that a submitter signed it takes theirs:
    /// their place in the ledger is spent, and the submitter can be excluded later.
    fn follow(&self, entry: &Recorded, theirs: &Registration) -> Decision {
        let leave_out = self.agreed.leave_out.contains(self.submitter);
        let differs = |remedy| TrusteeError::OtherRegistration {
            folder: self.session.desk.board.ledger(),
            signers: entry.signers.clone(),
            submitter: self.submitter.clone(),
            theirs: match theirs.manifest {
                Ok(manifest) => format!("registered {manifest}"),
                Err(reason) => format!("left it out: {reason}"),
            },
            remedy,
        };
        match (theirs.manifest, self.seen.noted) {
            (Ok(_), _) if leave_out => Err(differs(
                "it cannot be left out in the same entry any more; see `trustee exclude`",
            )),
            (Ok(_), None) => Ok(None),
            (Ok(manifest), Some(_)) if !self.seen.knows(manifest) => Err(differs(
                "this trustee has another submission; bring both files together and run this again",
            )),
            (Ok(manifest), Some(noted)) => self.in_time(noted).map(|()| Some(Ok(manifest))),
            (Err(_), _) if !leave_out => Err(differs(
                "if the trustees agreed on it, run this again and name it with --leave-out",
            )),
            (Err(Exclusion::TwoSubmissions), _) if self.seen.two.is_none() => {
                Err(differs("fetch the two from their board (evidence) and run this again"))
            }
            (Err(Exclusion::Late), _) => self.overdue().map(|()| Some(Err(Exclusion::Late))),
            (Err(reason), _) => Ok(Some(Err(reason))),
        }
    }

    /// Refuses a manifest that came too late.
    fn in_time(&self, noted: Noted) -> Result<(), TrusteeError> {
        match self.session.round.deadline {
            Some(deadline)
                if noted.at > deadline && !self.agreed.take_in.contains(self.submitter) =>
            {
                Err(TrusteeError::Late {
                    file: self.file.clone(),
                    culprit: self.submitter.clone(),
                    deadline: utc(deadline),
                    seen: utc(noted.at),
                })
            }
            _ => Ok(()),
        }
    }

    /// Refuses to leave a submitter out before the deadline.
    fn overdue(&self) -> Result<(), TrusteeError> {
        let deadline = self.session.round.deadline;
        if deadline.is_some_and(|deadline| self.now > deadline) {
            return Ok(());
        }
        Err(TrusteeError::NotLate {
            submitter: self.submitter.clone(),
            deadline: deadline.map_or_else(|| "none".to_owned(), utc),
        })
    }
}
