//! The bytes of a ledger's entries are frozen, and no damaged one is read.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop at the first surprise; clippy.toml exempts only the test functions themselves"
)]

mod support;

use blindtier_ledger::{Event, Exclusion, Ledger, LedgerError, endorsement_path};
use blindtier_wire::*;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use support::{agency, digest, keys, registered, round, trust, trustee};

/// One event of every kind, in an order that a round allows.
fn events() -> Vec<Event> {
    let mut submissions = registered();
    submissions[2].manifest = Err(Exclusion::Late);
    vec![
        keys(),
        Event::Submissions(submissions),
        Event::Excluded { submitter: agency("health"), reason: Exclusion::Invalid { chunk: 1 } },
        Event::Committed {
            receipt: digest(10),
            partials: vec![
                (PartyName::trustee(1), digest(11)),
                (PartyName::trustee(3), digest(12)),
            ],
        },
        Event::Opened(vec![digest(13), digest(14)]),
        Event::Refused {
            trustee: PartyName::trustee(2),
            culprit: Some(PartyName::evaluator()),
            reason: "another result".into(),
        },
        Event::StateOpening { slot: 2, reason: "the family appeals".into(), key: [15; 32] },
        Event::Destroyed(PartyName::trustee(2)),
        Event::Corrected { round: RoundId([16; 32]), slots: vec![2, 0], head: digest(17) },
        Event::Asked {
            counts: digest(18),
            question: Question { groups: vec![0, 2], epsilon: 250 },
        },
        Event::Answered { counts: digest(18), cells: vec![vec![120, -3], vec![45, 0]] },
    ]
}

/// A ledger with one entry of every kind, signed by as many of three trustees as each needs.
fn write_all(folder: &Path) -> Ledger {
    let (round, trust) = (round(), trust());
    let context = round.context().unwrap();
    let read = || Ledger::read(&folder.join("ledger"), &round, &context, &trust).unwrap();
    for event in events() {
        let signers: &[u16] =
            if event.signatures(round.sharing) == 3 { &[1, 2, 3] } else { &[1, 3] };
        for &number in signers {
            let state = folder.join(format!("trustee-{number}"));
            read().endorse(event.clone(), &round, &context, &state, &trustee(number)).unwrap();
        }
    }
    read()
}

fn read(folder: &Path) -> Result<Ledger, LedgerError> {
    let round = round();
    Ledger::read(&folder.join("ledger"), &round, &round.context().unwrap(), &trust())
}

#[test]
fn the_bytes_of_every_entry_are_frozen() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = write_all(folder.path());
    assert!(ledger.events().cloned().eq(events()));
    let mut text = String::new();
    for (index, recorded) in (0..).zip(ledger.entries()) {
        let path = endorsement_path(ledger.folder(), index, &PartyName::trustee(1));
        writeln!(text, "{} {}", recorded.digest, recorded.entry.event).unwrap();
        for line in fs::read(path).unwrap().chunks(32) {
            line.iter().for_each(|byte| write!(text, "{byte:02x}").unwrap());
            text.push('\n');
        }
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots/entries.txt");
    if std::env::var_os("BLINDTIER_BLESS").is_some() {
        fs::write(&file, &text).unwrap();
    }
    assert_eq!(text, fs::read_to_string(&file).unwrap(), "other bytes than {}", file.display());
}

#[test]
fn every_flipped_bit_and_every_truncation_of_an_entry_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = write_all(folder.path());
    for index in 0..events().len() as u32 {
        let path = endorsement_path(ledger.folder(), index, &PartyName::trustee(3));
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            for damaged in [&bytes, &bytes[..at]] {
                fs::write(&path, damaged).unwrap();
                let Err(LedgerError::Wire(error)) = read(folder.path()) else { panic!("{index}") };
                assert_eq!(error.file(), Some(path.as_path()), "{error}");
                assert_eq!(error.culprit(), Some(&PartyName::trustee(3)), "{error}");
            }
        }
        fs::write(&path, &whole).unwrap();
    }
    read(folder.path()).unwrap();
}

#[test]
fn two_sets_of_signers_have_a_trustee_in_common_and_of_what_must_not_exist_twice_an_honest_one() {
    for (trustees, threshold) in [(3, 2), (4, 2), (5, 3), (5, 2), (4, 4), (1, 1)] {
        let sharing = Sharing::new(trustees, threshold).unwrap();
        for event in events() {
            let common = (2 * event.signatures(sharing)).saturating_sub(usize::from(trustees));
            let once = matches!(
                event,
                Event::Keys { .. } | Event::Submissions(_) | Event::Excluded { .. }
            );
            let needed = if once { usize::from(threshold) } else { 1 };
            assert!(common >= needed, "{threshold} of {trustees}: {event}");
        }
    }
}

#[test]
fn heads_are_of_this_round_and_what_came_before() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = write_all(folder.path());
    let heads: std::collections::BTreeSet<Digest> =
        ledger.entries().iter().map(|recorded| recorded.digest).collect();
    assert_eq!(heads.len(), events().len());
    heads.iter().for_each(|head| ledger.contains(*head).unwrap());
    ledger.contains(Digest(round().id().unwrap().0)).unwrap();
    assert!(matches!(ledger.contains(Digest([1; 32])), Err(LedgerError::Cut { .. })));
    // The same events in another round have other heads.
    let mut other = round();
    other.nonce = [9; 32];
    let context = other.context().unwrap();
    let elsewhere = folder.path().join("other");
    let empty = Ledger::read(&elsewhere, &other, &context, &trust()).unwrap();
    for number in [1, 2] {
        empty.endorse(events().remove(0), &other, &context, &elsewhere, &trustee(number)).unwrap();
    }
    let ledger = Ledger::read(&elsewhere, &other, &context, &trust()).unwrap();
    assert!(!heads.contains(&ledger.head()));
}
