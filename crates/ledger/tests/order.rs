//! Who can be left out, excluded and corrected, and when.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop at the first surprise; clippy.toml exempts only the test functions themselves"
)]

mod support;

use blindtier_ledger::{Event, Exclusion, Ledger, LedgerError, Registration};
use blindtier_wire::*;
use support::{agency, digest, keys, registered, round, trust, trustee};
use tempfile::TempDir;

/// A ledger that all trustees sign together.
struct Signed {
    folder: TempDir,
    round: Round,
}

impl Signed {
    /// With keys.
    fn new(round: Round) -> Self {
        let signed = Self { folder: tempfile::tempdir().unwrap(), round };
        signed.sign(&keys());
        signed
    }

    /// With these registrations.
    fn registered(round: Round, all: Vec<Registration>) -> Self {
        let signed = Self::new(round);
        signed.sign(&Event::Submissions(all));
        signed
    }

    /// Opened.
    fn opened(round: Round) -> Self {
        let signed = Self::registered(round, registered());
        signed.sign(&committed());
        signed.sign(&Event::Opened(vec![digest(13), digest(14)]));
        signed
    }

    fn read(&self) -> Ledger {
        let context = self.round.context().unwrap();
        Ledger::read(&self.folder.path().join("ledger"), &self.round, &context, &trust()).unwrap()
    }

    fn sign_as(&self, number: u16, event: &Event) -> Result<(), LedgerError> {
        let context = self.round.context().unwrap();
        let state = self.folder.path().join(format!("trustee-{number}"));
        let identity = trustee(number);
        self.read().endorse(event.clone(), &self.round, &context, &state, &identity).map(drop)
    }

    fn sign(&self, event: &Event) {
        (1..=3).for_each(|number| self.sign_as(number, event).unwrap());
    }

    #[track_caller]
    fn refuses(&self, event: &Event, why: &str) {
        match self.sign_as(1, event) {
            Err(LedgerError::Order { reason, .. }) => assert!(reason.contains(why), "{reason}"),
            Err(other) => panic!("{other}"),
            Ok(()) => panic!("signed: {event}"),
        }
    }
}

fn committed() -> Event {
    let partials = [1, 2].map(|number| (PartyName::trustee(number), digest(number as u8)));
    Event::Committed { receipt: digest(10), partials: partials.to_vec() }
}

fn excluded(submitter: PartyName, reason: Exclusion) -> Event {
    Event::Excluded { submitter, reason }
}

/// Registrations in which some are left out.
fn without(reasons: &[(usize, Exclusion)]) -> Vec<Registration> {
    let mut all = registered();
    reasons.iter().for_each(|(place, reason)| all[*place].manifest = Err(*reason));
    all
}

fn corrected(round: u8, slots: &[u32]) -> Event {
    Event::Corrected { round: RoundId([round; 32]), slots: slots.to_vec(), head: digest(17) }
}

#[test]
fn who_may_be_left_out_of_the_submissions() {
    use Exclusion::{Invalid, Late, TwoSubmissions, Withheld};
    let signed = Signed::new(round());
    let refuses = |reasons: &[(usize, Exclusion)], why| {
        signed.refuses(&Event::Submissions(without(reasons)), why);
    };
    refuses(&[(3, Late)], "the registrar is not left out");
    refuses(&[(0, Late), (1, TwoSubmissions), (2, Late)], "all agencies are left out");
    refuses(&[(0, Withheld)], "neither withheld nor invalid");
    refuses(&[(1, Invalid { chunk: 0 })], "neither withheld nor invalid");
    let mut swapped = registered();
    swapped.swap(0, 1);
    signed.refuses(&Event::Submissions(swapped), "not one registration for each submitter");
    let fewer = registered().split_off(1);
    signed.refuses(&Event::Submissions(fewer), "not one registration for each submitter");
    signed.refuses(&excluded(agency("tax"), Withheld), "before the submissions are registered");

    let timeless = Signed::new(Round { deadline: None, ..round() });
    let late = Event::Submissions(without(&[(0, Late)]));
    timeless.refuses(&late, "no deadline");
    timeless.sign(&Event::Submissions(without(&[(0, TwoSubmissions)])));

    signed.sign(&Event::Submissions(without(&[(0, Late), (2, TwoSubmissions)])));
    let ledger = signed.read();
    let out: Vec<_> = ledger.exclusions().map(|(name, why)| (name.clone(), why)).collect();
    assert_eq!(out, [(agency("tax"), Late), (agency("school"), TwoSubmissions)]);
    let manifests: Vec<_> =
        ledger.submissions().unwrap().into_iter().map(|entry| entry.manifest).collect();
    assert_eq!(manifests, [None, Some(digest(9)), None, Some(digest(9))]);
}

#[test]
fn who_may_be_excluded_from_registered_submissions() {
    use Exclusion::{Invalid, Late, TwoSubmissions, Withheld};
    let all = without(&[(2, Late)]);
    let signed = Signed::registered(round(), all);
    let refuses = |name: PartyName, reason, why| signed.refuses(&excluded(name, reason), why);
    refuses(PartyName::registrar(), Withheld, "the registrar is not excluded");
    refuses(agency("school"), Withheld, "not registered, or no longer");
    refuses(agency("post"), Withheld, "not registered, or no longer");
    refuses(PartyName::evaluator(), Withheld, "not registered, or no longer");
    refuses(agency("tax"), Late, "was not late");
    refuses(agency("tax"), Invalid { chunk: 2 }, "no such chunk");
    signed.sign(&excluded(agency("tax"), Invalid { chunk: 1 }));
    for reason in [Withheld, Invalid { chunk: 0 }, TwoSubmissions] {
        refuses(agency("tax"), reason, "not registered, or no longer");
        refuses(agency("health"), reason, "all agencies would be excluded");
    }
    let names: Vec<String> = signed.read().exclusions().map(|(name, _)| name.to_string()).collect();
    assert_eq!(names, ["agency:tax", "agency:school"], "in the order of the round");

    let late = Signed::registered(round(), registered());
    late.sign(&committed());
    late.refuses(&excluded(agency("tax"), Withheld), "after partial decryptions are committed to");
}

#[test]
fn as_many_sign_an_exclusion_as_the_submissions() {
    let signed = Signed::registered(round(), registered());
    let event = excluded(agency("tax"), Exclusion::Withheld);
    for number in [1, 2] {
        signed.sign_as(number, &event).unwrap();
        let ledger = signed.read();
        assert_eq!(ledger.exclusions().count(), 0);
        assert!(ledger.submissions().unwrap().iter().all(|entry| entry.manifest.is_some()));
    }
    signed.sign_as(3, &event).unwrap();
    assert_eq!(signed.read().exclusions().count(), 1);
}

#[test]
fn the_last_correction_of_a_slot_counts_and_all_stay() {
    let early = Signed::registered(round(), registered());
    early.refuses(&corrected(20, &[0]), "after it is opened");

    let signed = Signed::opened(round());
    let own = round().id().unwrap();
    let itself = Event::Corrected { round: own, slots: vec![0], head: digest(17) };
    signed.refuses(&itself, "does not correct itself");
    signed.refuses(&corrected(20, &[3]), "no such slot");
    signed.refuses(&corrected(20, &[]), "at least one slot");
    signed.refuses(&corrected(20, &[1, 2, 1]), "about none twice");
    signed.sign(&corrected(20, &[2, 0]));
    signed.refuses(&corrected(20, &[1]), "recorded already");
    signed.sign(&corrected(21, &[0]));
    let ledger = signed.read();
    assert_eq!(ledger.correction_of(0), Some((&RoundId([21; 32]), 0)));
    assert_eq!(ledger.correction_of(1), None);
    assert_eq!(ledger.correction_of(2), Some((&RoundId([20; 32]), 0)));
    let rounds: Vec<u8> = ledger.corrections().map(|c| c.round.0[0]).collect();
    assert_eq!(rounds, [20, 21]);

    let correction = Correction { round: RoundId([1; 32]), slots: vec![4, 7, 9] };
    let nested = Signed::opened(Round { proofs: true, corrects: Some(correction), ..round() });
    nested.refuses(&corrected(20, &[0]), "not corrected itself");
}

#[test]
fn a_majority_signs_a_correction() {
    let signed = Signed::opened(round());
    signed.sign_as(1, &corrected(20, &[1])).unwrap();
    assert_eq!(signed.read().correction_of(1), None);
    signed.sign_as(3, &corrected(20, &[1])).unwrap();
    assert_eq!(signed.read().correction_of(1), Some((&RoundId([20; 32]), 0)));
}

fn asked(counts: u8, groups: &[u32], epsilon: u32) -> Event {
    let question = Question { groups: groups.to_vec(), epsilon };
    Event::Asked { counts: digest(counts), question }
}

fn answered(counts: u8, groups: usize) -> Event {
    Event::Answered { counts: digest(counts), cells: vec![vec![7, -1]; groups] }
}

#[test]
fn a_group_is_asked_about_once_and_within_the_budget() {
    let early = Signed::registered(round(), registered());
    early.refuses(&asked(20, &[0], 100), "before partial decryptions are committed to");
    let signed = Signed::opened(round());
    signed.refuses(&answered(20, 1), "no question without an answer");
    signed.refuses(&asked(20, &[3], 100), "some of the round's groups");
    signed.refuses(&asked(20, &[0], 10), "between 0.05 and 10");
    signed.refuses(&asked(20, &[0], 1001), "does not reach");
    signed.sign(&asked(20, &[0, 1], 600));
    assert_eq!((signed.read().spent(), signed.read().unanswered().is_some()), (600, true));
    signed.refuses(&asked(21, &[2], 100), "not answered yet");
    signed.refuses(&answered(21, 2), "to the latest question");
    signed.refuses(&answered(20, 1), "all tiers of each group");
    signed.sign(&answered(20, 2));
    // Any overlap could be subtracted.
    for groups in [&[0][..], &[1, 2], &[0, 1, 2]] {
        signed.refuses(&asked(21, groups, 100), "overlaps");
    }
    signed.refuses(&asked(21, &[2], 401), "does not reach");
    signed.sign(&asked(21, &[2], 400));
    signed.sign(&answered(21, 1));
    signed.refuses(&asked(22, &[0], 50), "overlaps");
    let ledger = signed.read();
    assert_eq!((ledger.spent(), ledger.answers().count()), (1000, 2));
    assert_eq!(ledger.questions().count(), 2);
}

#[test]
fn a_round_without_statistics_answers_nothing() {
    let signed = Signed::opened(Round { statistics: None, ..round() });
    signed.refuses(&asked(20, &[0], 100), "announced without statistics");
}

#[test]
fn a_question_needs_as_many_signatures_as_a_list_of_submissions() {
    let signed = Signed::opened(round());
    signed.sign_as(1, &asked(20, &[0], 100)).unwrap();
    signed.sign_as(3, &asked(20, &[0], 100)).unwrap();
    assert_eq!(signed.read().questions().count(), 0);
    // Who has signed one question for a place signs no other.
    assert!(signed.sign_as(1, &asked(21, &[1], 100)).is_err());
    signed.sign_as(2, &asked(20, &[0], 100)).unwrap();
    assert_eq!(signed.read().questions().count(), 1);
}
