//! The submissions' manifests that a trustee has seen, and when.

use crate::desk::Session;
use crate::error::TrusteeError;
use blindtier_wire::{Digest, Kind, PartyName, Submission, WireError, same, storage};
use std::path::{Path, PathBuf};

/// What a trustee knows of one submitter.
pub(crate) struct Seen {
    /// The manifest that it saw first.
    pub noted: Option<Noted>,
    /// The two different manifests on the board that the submitter signed.
    pub two: Option<[Digest; 2]>,
    /// Why a file that is there is none, if there is no other.
    pub fault: Option<WireError>,
}

/// A manifest that the trustee has seen.
#[derive(Clone, Copy)]
pub(crate) struct Noted {
    pub manifest: Digest,
    /// When, in seconds since 1970.
    pub at: u64,
}

/// Looks for the manifests of a submitter: in `handed`, if given, on the board, and among what the trustee noted earlier.
/// Notes the first one that it ever saw with the time `now` and a copy. Two different ones are put onto the board as evidence.
pub(crate) fn look(
    session: &Session<'_>,
    submitter: &PartyName,
    handed: Option<&Path>,
    now: u64,
) -> Result<Seen, TrusteeError> {
    let board = session.desk.board;
    let (copy, time) = (own_file(session, submitter, "bt"), own_file(session, submitter, "txt"));
    let places =
        [Some(copy.clone()), handed.map(Path::to_owned), Some(board.submission(submitter))];
    let mut found: Vec<(PathBuf, Digest)> = Vec::new();
    let mut fault = None;
    for path in places.into_iter().flatten() {
        if !storage::exists(&path)? {
            continue;
        }
        match manifest(session, submitter, &path) {
            Ok(digest) if found.iter().any(|(_, known)| *known == digest) => {}
            Ok(digest) => found.push((path, digest)),
            Err(error) if error.fault().is_none() => return Err(error.into()),
            Err(error) => fault = fault.or(Some(error)),
        }
    }
    let noted = match found.first() {
        None => None,
        Some((path, manifest)) => {
            // The copy first: a time without a copy would be of a manifest that nobody can show.
            if *path != copy {
                storage::copy(path, &copy, limit())?;
            }
            storage::create_once(&time, now.to_string().as_bytes())?;
            Some(Noted { manifest: *manifest, at: read_time(&time)? })
        }
    };
    let evidence = board.evidence(submitter);
    let mut two = signed_two(session, submitter, &evidence);
    if let (None, [one, other, ..]) = (two, found.as_slice()) {
        // In the order of their hashes, so that all trustees who see these two write the same files.
        let mut pair = [one, other];
        pair.sort_by_key(|(_, digest)| *digest);
        for ((from, _), to) in pair.iter().zip(&evidence) {
            storage::copy(from, to, limit())?;
        }
        two = signed_two(session, submitter, &evidence);
    }
    Ok(Seen { noted, two, fault: fault.filter(|_| noted.is_none()) })
}

impl Seen {
    /// Whether the submitter signed this manifest, as far as the trustee knows.
    pub fn knows(&self, manifest: Digest) -> bool {
        self.noted.is_some_and(|noted| noted.manifest == manifest)
            || self.two.is_some_and(|two| two.contains(&manifest))
    }
}

/// Puts the noted manifest of a submitter onto the board, where the chunks will come later, unless a valid one is there.
pub(crate) fn publish(session: &Session<'_>, submitter: &PartyName) -> Result<(), TrusteeError> {
    let to = session.desk.board.submission(submitter);
    if manifest(session, submitter, &to).is_ok() {
        return Ok(());
    }
    Ok(storage::copy(&own_file(session, submitter, "bt"), &to, limit())?)
}

/// Where the trustee keeps the manifest that it saw first (`bt`), and when it saw it (`txt`).
fn own_file(session: &Session<'_>, submitter: &PartyName, extension: &str) -> PathBuf {
    let folder = session.desk.private.join(format!("submissions-{}", session.context.round));
    folder.join(format!("{}.{extension}", submitter.submitter_folder()))
}

/// Reads a manifest that may be registered.
fn manifest(
    session: &Session<'_>,
    submitter: &PartyName,
    path: &Path,
) -> Result<Digest, WireError> {
    let (round, context, trust) = (&session.round, &session.context, session.desk.trust);
    let read = Submission::read(path, submitter, round, context, trust)?;
    if let Ok(keys) = session.ledger.keys() {
        same("public-key file", keys.public_key, read.body.public_key, path, submitter)?;
    }
    Ok(read.digest)
}

fn signed_two(
    session: &Session<'_>,
    submitter: &PartyName,
    evidence: &[PathBuf; 2],
) -> Option<[Digest; 2]> {
    let (round, context, trust) = (&session.round, &session.context, session.desk.trust);
    Submission::signed_two(evidence, submitter, round, context, trust).ok()
}

/// The most bytes of a manifest's file.
fn limit() -> u64 {
    Kind::Submission.limit() + (1 << 16)
}

fn read_time(path: &Path) -> Result<u64, WireError> {
    let text = storage::read_own(path, 64)?.unwrap_or_default();
    std::str::from_utf8(&text).ok().and_then(|text| text.trim().parse().ok()).ok_or_else(|| {
        WireError::SecretForm { file: path.to_owned(), what: "time of a submission" }
    })
}
