//! Every file of a finished round's board, damaged in every way: the auditor notices and names it.

use crate::support::*;
use blindtier_auditor::{AuditError, Execute, Report};
use blindtier_ledger::LedgerError;
use blindtier_transcript::{TranscriptError, Trouble};
use blindtier_trustee::{correct, destroy, refuse, witness};
use blindtier_wire::{Digest, PartyName, WireError};
use std::fs;
use std::path::{Path, PathBuf};

/// A finished round with every kind of file on its board: a refusal, destroyed shares, and two submissions of one agency as
/// well.
fn full_round(world: &World, name: &str) -> Files {
    let files = world.finished(name);
    let path = files.own_submission(1).join("submission.bt");
    world.sign_manifest(&files, 1, &path, |body| body.columns += 1);
    world.register(&files, 1).unwrap();
    world.at_desk(&files, 3, |desk| refuse(desk, None, "an example")).unwrap();
    world.at_desk(&files, 3, destroy).unwrap();
    for _ in 0..2 {
        [1, 2].iter().for_each(|k| drop(world.at_desk(&files, *k, witness).unwrap().unwrap()));
    }
    files
}

/// Whose file this is, by its place.
fn owner(world: &World, files: &Files, path: &Path) -> PartyName {
    let place = path.strip_prefix(files.board.folder()).unwrap();
    let parts: Vec<String> = place.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let part = |at: usize| {
        let name = parts[at].strip_suffix(".bt").unwrap_or(&parts[at]);
        let known = world.trust.parties().find(|party| party.file_part() == name);
        known.unwrap_or_else(|| panic!("{}", path.display())).clone()
    };
    match parts[0].as_str() {
        "round.bt" | "letter-keys.bt" => PartyName::registrar(),
        "public-key.bt" | "evaluation-key.bt" | "opening-key.bt" => files.round().key_maker.clone(),
        "submissions" | "evidence" => PartyName::agency(&parts[1]).unwrap(),
        "results" => PartyName::evaluator(),
        "ledger" => part(2),
        _ => part(1),
    }
}

struct Board<'a> {
    world: &'a World,
    files: &'a Files,
    head: Digest,
}

impl Board<'_> {
    fn audit(&self) -> Result<Report, AuditError> {
        self.world.audit_with(&self.files.board, Some(self.head), &Execute::Nothing)
    }

    /// Whether this is a signature that an entry has beyond those that it needs. The entry is the same without it: what is not there
    /// may not have been signed yet.
    fn is_spare(&self, path: &Path) -> bool {
        let ledger = self.world.ledger(self.files).unwrap();
        let of = |index: usize| self.files.board.ledger().join(format!("{index:05}"));
        (0..).zip(ledger.entries()).any(|(index, entry)| {
            let needed = entry.entry.event.signatures(self.world.shape.sharing);
            path.starts_with(of(index)) && entry.signers.len() > needed
        })
    }

    /// The auditor names the file and its owner; a missing signature under a ledger entry by the entry.
    fn refuses(&self, path: &Path, how: &str) {
        let what = format!("{} {how}", path.display());
        let Err(error) = self.audit() else { panic!("{what}: accepted") };
        let text = error.to_string();
        match &error {
            AuditError::Ledger(LedgerError::Unsigned { index, .. }) => {
                assert!(path.starts_with(self.files.board.ledger().join(format!("{index:05}"))));
            }
            // The last entry has no majority any more; the head that the auditor knows is gone.
            AuditError::Ledger(LedgerError::Cut { .. }) => {
                let last = self.files.board.ledger().join("00005");
                assert!(path.starts_with(last) && how == "deleted", "{what}: {text}");
            }
            error => {
                let wire = match error {
                    AuditError::Wire(wire) | AuditError::Ledger(LedgerError::Wire(wire)) => wire,
                    AuditError::Transcript(TranscriptError::Wire(wire)) => wire,
                    AuditError::Transcript(TranscriptError::Submissions(bad)) => {
                        assert_eq!(bad.len(), 1, "{what}: {text}");
                        match &bad[0].trouble {
                            Trouble::NotThere(wire) => wire,
                            _ => panic!("{what}: {text}"),
                        }
                    }
                    _ => panic!("{what}: {text}"),
                };
                self.names(wire, path, &what, how);
            }
        }
    }

    fn names(&self, wire: &WireError, path: &Path, what: &str, how: &str) {
        let text = wire.to_string();
        if how == "of another round" && *path == self.files.board.round() {
            // Then it is all other files that belong to another round.
            assert!(text.contains("belongs to round"), "{what}: {text}");
            return;
        }
        assert_eq!(wire.file(), Some(path), "{what}: {text}");
        let owner = owner(self.world, self.files, path);
        assert_eq!(wire.culprit(), Some(&owner), "{what}: {text}");
        assert!(wire.fault().is_some() && text.contains(owner.as_str()), "{what}: {text}");
    }
}

fn every_file(dealer: bool) -> usize {
    let world = World::with(Shape::of("2-of-3", dealer));
    let (files, other) = (full_round(&world, "round"), full_round(&world, "other"));
    let head = world.ledger(&files).unwrap().head();
    let board = Board { world: &world, files: &files, head };
    let all = files_below(files.board.folder());
    assert_eq!(board.audit().unwrap().files_checked, all.len() as u64);
    for path in &all {
        let whole = fs::read(path).unwrap();
        for at in [0, 12, 20, whole.len() / 2, whole.len() - 64, whole.len() - 1] {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            fs::write(path, &bytes).unwrap();
            board.refuses(path, &format!("byte {at} flipped"));
        }
        for length in [0, whole.len() / 2, whole.len() - 1] {
            fs::write(path, &whole[..length]).unwrap();
            board.refuses(path, "cut short");
        }
        fs::write(path, [&whole[..], b"!"].concat()).unwrap();
        board.refuses(path, "extended");
        fs::write(path, &whole).unwrap();
        let spare = board.is_spare(path);
        fs::remove_file(path).unwrap();
        if spare {
            let report = board.audit().unwrap();
            assert_eq!((report.head, report.files_checked), (head, all.len() as u64 - 1));
        } else {
            board.refuses(path, "deleted");
        }
        fs::copy(same_place(path, &files, &other), path).unwrap();
        board.refuses(path, "of another round");
        fs::write(path, whole).unwrap();
    }
    board.audit().unwrap();
    all.len() * 12
}

fn same_place(path: &Path, files: &Files, other: &Files) -> PathBuf {
    other.board.folder().join(path.strip_prefix(files.board.folder()).unwrap())
}

#[test]
fn every_tampered_copy_of_a_dealerless_round_is_noticed() {
    assert!(every_file(false) > 700);
}

#[test]
fn every_tampered_copy_of_a_dealt_round_is_noticed() {
    assert!(every_file(true) > 600);
}

#[test]
fn every_tampered_copy_of_a_correction_is_noticed() {
    let world = World::new();
    let (parent, other) = (world.finished("round"), world.finished("other"));
    let [files, elsewhere] = [&parent, &other].map(|on| {
        let name = format!("correction-{}", on.context().round);
        let files = world.announce_correction(&name, on, &[4, 1]);
        world.make_all_keys(&files);
        (0..AGENCIES.len()).for_each(|agency| drop(world.submit(&files, agency)));
        world.register_and_hand_over(&files);
        world.evaluate(&files).unwrap();
        world.open_by_all(&files);
        for number in [1, 2] {
            world.at_desk(on, number, |desk| correct(desk, files.board.clone())).unwrap();
        }
        files
    });
    let audit = || -> Result<u64, AuditError> {
        let report = world.audit(&parent, &[])?;
        let [correction] = report.corrections.as_slice() else { panic!("{report:?}") };
        let board = parent.board.correction(&correction.round);
        let corrected = world.audit_with(&board, correction.head, &Execute::Nothing)?;
        Ok(report.files_checked + corrected.files_checked)
    };
    assert_eq!(audit().unwrap(), files_below(parent.board.folder()).len() as u64);
    let head = world.ledger(&files).unwrap().head();
    let correction = Board { world: &world, files: &files, head };
    for path in files_below(files.board.folder()) {
        let whole = fs::read(&path).unwrap();
        let spare = correction.is_spare(&path);
        let moved = path.strip_prefix(files.board.folder()).unwrap();
        let other = fs::read(elsewhere.board.folder().join(moved)).unwrap();
        spoil_file(&path);
        assert!(audit().is_err(), "{}: spoiled", path.display());
        for (bytes, how) in [(&whole[..whole.len() - 1], "cut"), (&other[..], "of another")] {
            fs::write(&path, bytes).unwrap();
            assert!(audit().is_err(), "{}: {how}", path.display());
        }
        fs::remove_file(&path).unwrap();
        assert_eq!(audit().is_ok(), spare, "{}: deleted", path.display());
        fs::write(&path, whole).unwrap();
    }
    audit().unwrap();
}

#[test]
fn files_of_a_board_that_were_exchanged() {
    let world = World::new();
    let files = world.finished("round");
    let all = files_below(files.board.folder());
    // Every file in the place of the next one; neighbours are often of one kind and one party.
    for (path, next) in all.iter().zip(all.iter().skip(1)) {
        let whole = fs::read(path).unwrap();
        fs::copy(next, path).unwrap();
        let head = world.ledger(&files).map(|ledger| ledger.head()).ok();
        assert!(
            world.audit_with(&files.board, head, &Execute::Nothing).is_err(),
            "{} as {}",
            next.display(),
            path.display()
        );
        fs::write(path, whole).unwrap();
    }
    world.audit(&files, &[]).unwrap();
}
