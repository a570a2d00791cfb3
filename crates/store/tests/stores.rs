//! The same conduct over every store that needs no server.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use blindtier_store::Store;
use blindtier_wire::storage::objects::{Found, Objects};

fn conduct(store: &Store, folder: &str) {
    let at = |name: &str| format!("{folder}/{name}");
    assert_eq!(store.read(&at("a"), 9).unwrap(), Found::Missing);
    assert_eq!(store.size(&at("a")).unwrap(), None);
    assert_eq!(store.list(folder).unwrap(), []);
    store.write(&at("a"), b"first").unwrap();
    store.write(&at("a"), b"second").unwrap();
    store.write(&at("b/c"), b"").unwrap();
    assert_eq!(store.read(&at("a"), 6).unwrap(), Found::Bytes(b"second".to_vec()));
    assert_eq!(store.read(&at("a"), 5).unwrap(), Found::TooLarge(6));
    assert_eq!(store.size(&at("a")).unwrap(), Some(6));
    assert_eq!(store.size(&at("b")).unwrap(), None, "a folder is no object");
    let mut found = store.list(folder).unwrap();
    found.sort();
    assert_eq!(found, [("a".to_owned(), 6), ("b/c".to_owned(), 0)]);
    store.remove(&at("a")).unwrap();
    store.remove(&at("a")).unwrap();
    assert_eq!(store.list(folder).unwrap(), [("b/c".to_owned(), 0)]);
    assert!(store.write(&at("../x"), b"").is_err(), "no name leads out of its folder");
}

#[test]
fn memory_and_files_behave_alike() {
    conduct(&Store::open("memory://").unwrap(), "round");
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("round").to_str().unwrap().trim_start_matches('/').to_owned();
    conduct(&Store::open("file://").unwrap(), &name);
    assert_eq!(std::fs::read(folder.path().join("round/b/c")).unwrap(), b"");
}

#[test]
fn what_is_no_store_is_refused() {
    for url in ["ftp://host", "no-scheme", "s3://"] {
        assert!(Store::open(url).is_err(), "{url}");
    }
}

#[test]
fn several_threads_write_at_once() {
    let store = Store::open("memory://").unwrap();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let store = &store;
            scope.spawn(move || store.write(&format!("x/{number}"), &[number]).unwrap());
        }
    });
    assert_eq!(store.list("x").unwrap().len(), 8);
}
