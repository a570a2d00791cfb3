//! What may follow what.

use crate::{Event, Exclusion, Ledger, LedgerError, Registration};
use blindtier_wire::{Chunking, PartyName, Question, Round, RoundId};

/// Whether something may be recorded, or why not.
pub type Checked = Result<(), &'static str>;

/// The first rule that does not hold, if any.
fn hold(rules: &[(bool, &'static str)]) -> Checked {
    rules.iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, reason)| Err(reason))
}

impl Ledger {
    /// Refuses an event that cannot be the next one.
    pub(crate) fn check_order(&self, event: &Event, round: &Round) -> Result<(), LedgerError> {
        self.may_follow(event, round).map_err(|reason| LedgerError::Order {
            folder: self.folder.clone(),
            index: u32::try_from(self.entries.len()).unwrap_or(u32::MAX),
            reason,
        })
    }

    fn may_follow(&self, event: &Event, round: &Round) -> Checked {
        let has = |wanted: fn(&Event) -> bool| self.events().any(wanted);
        let keys = has(|e| matches!(e, Event::Keys { .. }));
        let submissions = has(|e| matches!(e, Event::Submissions(_)));
        let committed = has(|e| matches!(e, Event::Committed { .. }));
        let opened = has(|e| matches!(e, Event::Opened(_)));
        let trustee = |name: &PartyName| round.sharing.names().any(|known| known == *name);
        let first = matches!(event, Event::Keys { .. });
        hold(&[(keys || first, "the first entry records the keys")])?;
        match event {
            Event::Keys { shares, letter_keys, .. } => hold(&[
                (!keys, "keys are made once a round"),
                (
                    shares.len() as u64 == u64::from(round.sharing.shares()),
                    "there is not one commitment a share",
                ),
                (*letter_keys == round.letter_keys, "the letter keys are not those of the round"),
            ]),
            Event::Submissions(all) => {
                hold(&[(!submissions, "submissions are registered once a round")])?;
                registered(all, round)
            }
            Event::Excluded { submitter, reason } => {
                hold(&[
                    (submissions, "nobody is excluded before the submissions are registered"),
                    (!committed, "nobody is excluded after partial decryptions are committed to"),
                ])?;
                self.excludes(submitter, *reason, round)
            }
            Event::Committed { partials, .. } => {
                let numbers: Vec<u16> =
                    partials.iter().filter_map(|(name, _)| name.trustee_number()).collect();
                hold(&[
                    (submissions, "nothing is opened before the submissions are registered"),
                    (!committed, "a round is opened once"),
                    (
                        partials.iter().all(|(name, _)| trustee(name)),
                        "somebody opens who is no trustee of the round",
                    ),
                    (
                        round.sharing.missing(&numbers).is_none(),
                        "fewer trustees open than the threshold",
                    ),
                ])
            }
            Event::Opened(chunks) => hold(&[
                (committed, "nothing is opened before partial decryptions are committed to"),
                (!opened, "a round is opened once"),
                (
                    chunks.len() as u64 == u64::from(chunks_of(round)),
                    "there is not one hash a chunk",
                ),
            ]),
            Event::Asked { question, .. } => {
                hold(&[(
                    committed,
                    "nothing is counted before partial decryptions are committed to: a submitter could still be excluded",
                )])?;
                self.allows(question, round)
            }
            Event::Answered { counts, cells } => {
                let Some((asked, question)) = self.unanswered() else {
                    return Err("there is no question without an answer");
                };
                let width = cells.first().map_or(0, Vec::len);
                hold(&[
                    (asked == *counts, "an answer is to the latest question"),
                    (
                        cells.len() == question.groups.len()
                            && width > 0
                            && cells.iter().all(|tiers| tiers.len() == width),
                        "an answer has the counts of all tiers of each group that was asked about",
                    ),
                ])
            }
            Event::StateOpening { slot, .. } => hold(&[
                (opened, "a tier is opened to the state after the round is opened"),
                (*slot < round.slots, "the round has no such slot"),
                (self.state_opening(*slot).is_none(), "a slot is opened to the state at most once"),
            ]),
            Event::Refused { trustee: name, .. } => {
                hold(&[(trustee(name), "somebody refuses who is no trustee of the round")])
            }
            Event::Destroyed(name) => hold(&[
                (trustee(name), "somebody destroys shares who is no trustee of the round"),
                (
                    self.events().all(|e| !matches!(e, Event::Destroyed(n) if n == name)),
                    "this trustee's shares are destroyed already",
                ),
            ]),
            Event::Corrected { round: correcting, slots, .. } => {
                hold(&[(opened, "a round is corrected after it is opened")])?;
                self.corrects(correcting, slots, round)
            }
        }
    }

    /// Whether a question may be asked, after those that were.
    pub fn allows(&self, question: &Question, round: &Round) -> Checked {
        let Ok(statistics) = round.statistics() else {
            return Err("the round was announced without statistics");
        };
        question.check(statistics)?;
        let asked = |group: &u32| self.questions().any(|(_, q)| q.groups.contains(group));
        hold(&[
            (self.unanswered().is_none(), "the question before is not answered yet"),
            (
                !question.groups.iter().any(asked),
                "a group is asked about once: this question overlaps one that was asked before",
            ),
            (
                self.spent().saturating_add(question.epsilon) <= statistics.budget,
                "the privacy budget of the round does not reach for this question",
            ),
        ])
    }

    fn excludes(&self, submitter: &PartyName, reason: Exclusion, round: &Round) -> Checked {
        let left = self.submissions().unwrap_or_default();
        let there = |name: &PartyName| {
            left.iter().any(|entry| entry.submitter == *name && entry.manifest.is_some())
        };
        let mut others = round.submitters.iter().filter(|name| *name != submitter && there(name));
        hold(&[
            (
                *submitter != PartyName::registrar(),
                "the registrar is not excluded: families that opted out would be ignored",
            ),
            (
                there(submitter),
                "somebody is excluded whose submission is not registered, or no longer",
            ),
            (others.any(|name| name.agency_id().is_some()), "all agencies would be excluded"),
            (reason != Exclusion::Late, "a registered submission was not late"),
            (
                !matches!(reason, Exclusion::Invalid { chunk } if chunk >= chunks_of(round)),
                "the round has no such chunk",
            ),
        ])
    }

    fn corrects(&self, correcting: &RoundId, slots: &[u32], round: &Round) -> Checked {
        let mut different = slots.to_vec();
        different.sort_unstable();
        different.dedup();
        hold(&[
            (
                round.corrects.is_none(),
                "a round that corrects another is not corrected itself: correct that one again",
            ),
            (round.id().is_ok_and(|id| id != *correcting), "a round does not correct itself"),
            (
                self.corrections().all(|known| known.round != correcting),
                "this correction is recorded already",
            ),
            (
                !slots.is_empty() && different.len() == slots.len(),
                "a correction is about at least one slot, and about none twice",
            ),
            (slots.iter().all(|slot| *slot < round.slots), "the round has no such slot"),
        ])
    }
}

/// Whether this is an entry for every submitter that may be recorded.
fn registered(all: &[Registration], round: &Round) -> Checked {
    let there = |wanted: fn(&PartyName) -> bool| {
        all.iter().any(|entry| entry.manifest.is_ok() && wanted(&entry.submitter))
    };
    let registrar = PartyName::registrar();
    let reasons: Vec<Exclusion> = all.iter().filter_map(|entry| entry.manifest.err()).collect();
    let before = |reason: &Exclusion| matches!(reason, Exclusion::Late | Exclusion::TwoSubmissions);
    hold(&[
        (
            all.iter().map(|entry| &entry.submitter).eq(&round.submitters),
            "there is not one registration for each submitter of the round",
        ),
        (there(|name| name.agency_id().is_some()), "all agencies are left out"),
        (
            !round.submitters.contains(&registrar) || there(|name| name.agency_id().is_none()),
            "the registrar is not left out: families that opted out would be ignored",
        ),
        (
            reasons.iter().all(before),
            "a submission that is not registered was neither withheld nor invalid",
        ),
        (
            round.deadline.is_some() || !reasons.contains(&Exclusion::Late),
            "the round has no deadline, so that no submission was late",
        ),
    ])
}

fn chunks_of(round: &Round) -> u32 {
    round.chunking().map_or(0, Chunking::count)
}
