//! Every file of a finished round's board, damaged in every way: the auditor notices and names it.

use crate::support::*;
use blindtier_auditor::{AuditError, Execute, Report};
use blindtier_ledger::LedgerError;
use blindtier_trustee::{destroy, refuse, witness};
use blindtier_wire::{Digest, PartyName, WireError};
use std::fs;
use std::path::{Path, PathBuf};

/// A finished round with every kind of file on its board: a refusal and destroyed shares as well.
fn full_round(world: &World, name: &str) -> Files {
    let files = world.finished(name);
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
        "submissions" => PartyName::agency(&parts[1]).unwrap(),
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
                    AuditError::Transcript(blindtier_transcript::TranscriptError::Wire(wire)) => {
                        wire
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
