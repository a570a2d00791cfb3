//! Signing keys, the trust file and files with secrets.

use crate::support::*;
use blindtier_wire::*;
use std::fs;

#[test]
fn identities_and_trust_survive_a_round_trip() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let made = SigningIdentity::generate(PartyName::agency("tax").unwrap()).unwrap();
    made.write(&path).unwrap();
    let read = SigningIdentity::read(&path).unwrap();
    assert_eq!(read.name(), made.name());
    assert_eq!(read.public_key(), made.public_key());

    let trust = parties().trust;
    let path = folder.path().join("trust.toml");
    trust.write(&path).unwrap();
    assert_eq!(TrustFile::read(&path).unwrap(), trust);
    assert!(fs::read_to_string(&path).unwrap().starts_with("[parties]\n\"agency:tax\" = \""));
}

#[test]
fn a_trust_file_with_an_unusable_key_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trust.toml");
    for text in [
        "",
        "parties = 1",
        "[parties]\n\"agency:tax\" = \"00\"",
        "[parties]\n\"agency:tax\" = \"0000000000000000000000000000000000000000000000000000000000000000\"",
        "[parties]\n\"Agency Tax\" = \"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a\"",
        "[parties]\n[others]\n",
    ] {
        fs::write(&path, text).unwrap();
        assert!(matches!(TrustFile::read(&path), Err(WireError::Trust { .. })), "{text}");
    }
    assert!(TrustFile::read(&folder.path().join("none")).is_err());
}

#[test]
fn a_damaged_identity_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    identity("evaluator", 1).write(&path).unwrap();
    let whole = fs::read(&path).unwrap();
    for length in 0..whole.len() - 1 {
        storage::write_secret(&path, &whole[..length]).unwrap();
        assert!(SigningIdentity::read(&path).is_err(), "{length}");
    }
    assert!(SigningIdentity::read(&folder.path().join("none")).is_err());
}

#[cfg(unix)]
#[test]
fn secrets_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    write_all(folder.path());
    identity("evaluator", 1).write(&folder.path().join("key")).unwrap();
    let secrets = [
        "roster.bt",
        "shares.bt",
        "linkage-key.bt",
        "linkage-state.bt",
        "opt-outs.bt",
        "groups.bt",
        "key",
    ];
    for name in secrets {
        let path = folder.path().join(name);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let read = if name == "key" {
            SigningIdentity::read(&path).map(|_| ())
        } else {
            read_any(folder.path(), name)
        };
        assert!(matches!(read, Err(WireError::Exposed { mode: 0o640, .. })), "{name}");
    }
}

#[test]
fn a_file_is_created_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("record");
    assert!(storage::create_once(&path, b"one").unwrap());
    assert!(!storage::create_once(&path, b"two").unwrap());
    assert_eq!(fs::read(&path).unwrap(), b"one");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
}

#[test]
fn pseudonyms_differ_by_key() {
    let (a, b) = (PseudonymKey::from_bytes([1; 32]), PseudonymKey::from_bytes([2; 32]));
    assert!(a.pseudonym("ann") == a.pseudonym("ann"));
    assert!(a.pseudonym("ann") != a.pseudonym("bob"));
    assert!(a.pseudonym("ann") != b.pseudonym("ann"));
}
