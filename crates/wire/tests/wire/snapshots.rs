//! The bytes of every kind of message are frozen. `BLINDTIER_BLESS=1` rewrites them: do that only together with
//! a new format version.

use crate::support::{read_any, write_all};
use blindtier_wire::Kind;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

#[test]
fn there_is_a_file_of_every_kind() {
    let folder = tempfile::tempdir().unwrap();
    let kind = |name| {
        let bytes = std::fs::read(folder.path().join(name)).unwrap();
        u16::from_le_bytes([bytes[12], bytes[13]])
    };
    let mut written: BTreeSet<u16> = write_all(folder.path()).into_iter().map(kind).collect();
    // The ledger's crate has tests of its own for its entries.
    written.insert(Kind::Endorsement.number());
    let all: BTreeSet<u16> =
        (0..1000).filter(|number| Kind::from_number(*number).is_some()).collect();
    assert_eq!(written, all);
    assert!(all.iter().copied().eq(1..=all.len() as u16), "numbers are given once and never again");
}

#[test]
fn the_bytes_of_every_kind_are_frozen() {
    let folder = tempfile::tempdir().unwrap();
    let frozen = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    for name in write_all(folder.path()) {
        read_any(folder.path(), name).unwrap();
        let bytes = std::fs::read(folder.path().join(name)).unwrap();
        let mut text = String::new();
        for line in bytes.chunks(32) {
            writeln!(text, "{}", hex::encode(line)).unwrap();
        }
        let file = frozen.join(format!("{}.hex", name.replace('/', "-")));
        if std::env::var_os("BLINDTIER_BLESS").is_some() {
            std::fs::write(&file, &text).unwrap();
        }
        let expected = std::fs::read_to_string(&file).unwrap();
        assert_eq!(text, expected, "{name} has other bytes than {}", file.display());
    }
}
