//! Files of which nothing is expected but a signature, as evidence is read.

use crate::support::*;
use blindtier_wire::*;
use std::fs;

#[test]
fn a_file_of_any_public_kind_says_who_signed_it() {
    let folder = tempfile::tempdir().unwrap();
    let (p, round) = (parties(), round());
    for name in write_all(folder.path()) {
        let bytes = fs::read(folder.path().join(name)).unwrap();
        let kind = Kind::from_number(u16::from_le_bytes([bytes[12], bytes[13]])).unwrap();
        match Signed::open(&bytes, &p.trust) {
            Ok(signed) => {
                assert!(!kind.is_secret() && signed.kind == kind, "{name}");
                assert_eq!(signed.context, round.context().unwrap(), "{name}");
                assert_eq!(signed.digest, Digest::of(&bytes), "{name}");
                assert!(p.trust.key(&signed.sender).is_some(), "{name}");
            }
            Err(fault) => assert!(kind.is_secret(), "{name}: {fault}"),
        }
    }
}

#[test]
fn a_body_is_read_as_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    write_all(folder.path());
    let bytes = fs::read(folder.path().join("submission/submission.bt")).unwrap();
    let signed = Signed::open(&bytes, &parties().trust).unwrap();
    assert_eq!(signed.body::<Submission>().unwrap().columns, 2);
    assert!(matches!(signed.body::<Receipt>(), Err(Fault::Kind { .. })));
}

#[test]
fn nobody_is_believed_who_did_not_sign() {
    let folder = tempfile::tempdir().unwrap();
    write_all(folder.path());
    let (p, path) = (parties(), folder.path().join("submission/submission.bt"));
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        assert!(Signed::open(&bytes, &p.trust).is_err(), "{at}");
        assert!(Signed::open(&whole[..at], &p.trust).is_err(), "{at}");
    }
    // A key that is not pinned, and another one than the pinned.
    let other = identity("agency:tax", 9);
    for trust in [TrustFile::new(), {
        let mut trust = TrustFile::new();
        assert!(trust.pin(other.name().clone(), &other.public_key()));
        trust
    }] {
        assert!(matches!(Signed::open(&whole, &trust), Err(Fault::Signature { .. })));
    }
}

#[test]
fn two_submissions_are_two_that_one_party_signed_for_one_round() {
    let folder = tempfile::tempdir().unwrap();
    let (p, round) = (parties(), round());
    let context = round.context().unwrap();
    let files = ["1.bt", "2.bt"].map(|name| folder.path().join(name));
    let body =
        |columns| Submission { columns, ..submission(vec![Digest([1; 32]), Digest([2; 32])]) };
    let two = |files| Submission::signed_two(files, p.agency.name(), &round, &context, &p.trust);
    let first = write(&files[0], &body(1), &context, &p.agency).unwrap();
    assert!(matches!(two(&files).unwrap_err().fault(), Some(Fault::Missing)));
    write(&files[1], &body(1), &context, &p.agency).unwrap();
    assert!(matches!(two(&files).unwrap_err().fault(), Some(Fault::Content { .. })), "the same");
    let second = write(&files[1], &body(3), &context, &p.agency).unwrap();
    assert_eq!(two(&files).unwrap(), [first, second]);
    // Of another party, or of another round.
    write(&files[1], &body(3), &context, &p.registrar).unwrap();
    assert!(matches!(two(&files).unwrap_err().fault(), Some(Fault::Sender { .. })));
    let other = Context { round: RoundId([1; 32]), ..context.clone() };
    write(&files[1], &body(3), &other, &p.agency).unwrap();
    assert!(matches!(two(&files).unwrap_err().fault(), Some(Fault::Round { .. })));
}

#[test]
fn a_manifest_lists_a_hash_for_every_chunk() {
    let folder = tempfile::tempdir().unwrap();
    let (p, round) = (parties(), round());
    let context = round.context().unwrap();
    let path = folder.path().join("submission.bt");
    for count in [0, 1, 3] {
        let body = submission(vec![Digest([1; 32]); count]);
        write(&path, &body, &context, &p.agency).unwrap();
        let read = Submission::read(&path, p.agency.name(), &round, &context, &p.trust);
        let Err(error) = read else { panic!("accepted") };
        assert!(matches!(error.fault(), Some(Fault::ChunkCount { .. })), "{error}");
    }
}
