//! What a submitter hands in.

use crate::chunk::ChunkReader;
use crate::envelope::Context;
use crate::envelope::{Expect, Message, Received, read};
use crate::error::{Fault, WireError};
use crate::identity::TrustFile;
use crate::kind::Kind;
use crate::names::{Digest, PartyName};
use crate::round::Round;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Manifest of one submitter's encrypted columns. Public; sent to the trustees first, which register its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    /// Hash of the plan the submitter followed.
    pub plan: Digest,
    /// Hash of the public-key file it encrypted with.
    pub public_key: Digest,
    /// Number of slots.
    pub slots: u32,
    /// Number of columns.
    pub columns: u32,
    /// Hash of each chunk file.
    pub chunks: Vec<Digest>,
}

impl Message for Submission {
    const KIND: Kind = Kind::Submission;
}

impl Submission {
    /// Reads a submitter's manifest and checks it against the round.
    pub fn read(
        path: &Path,
        submitter: &PartyName,
        round: &Round,
        context: &Context,
        trust: &TrustFile,
    ) -> Result<Received<Self>, WireError> {
        let received = read::<Self>(path, &Expect::of(submitter, context), trust)?;
        let refused = |fault| Err(WireError::refused(path, submitter, fault));
        let body = &received.body;
        if body.plan != round.plan {
            return refused(Fault::Plan { expected: round.plan, found: body.plan });
        }
        if body.slots != round.slots {
            return refused(Fault::Content {
                detail: "the manifest covers another number of slots than the round",
            });
        }
        if body.columns == 0 {
            return refused(Fault::Content { detail: "the manifest has no column" });
        }
        // Not left to whoever reads the chunks: a manifest that no chunks can fit must not be registered.
        body.chunks(path, submitter, round, context, trust)?;
        Ok(received)
    }

    /// The hashes of two different manifests that a submitter signed for the same round: an honest one signs one.
    pub fn signed_two(
        files: &[PathBuf; 2],
        submitter: &PartyName,
        round: &Round,
        context: &Context,
        trust: &TrustFile,
    ) -> Result<[Digest; 2], WireError> {
        let [one, other] = files;
        let read = |file| Self::read(file, submitter, round, context, trust).map(|r| r.digest);
        let (first, second) = (read(one)?, read(other)?);
        if first == second {
            let detail = "these are not two different submissions";
            return Err(WireError::refused(other, submitter, Fault::Content { detail }));
        }
        Ok([first, second])
    }

    /// The chunks that the manifest at `path` lists.
    pub fn chunks<'a>(
        &self,
        path: &Path,
        submitter: &PartyName,
        round: &Round,
        context: &'a Context,
        trust: &'a TrustFile,
    ) -> Result<ChunkReader<'a>, WireError> {
        round.chunks(path, Kind::SubmissionChunk, submitter, &self.chunks, context, trust)
    }
}

/// Seconds since 1970 as a time for people, in UTC.
pub fn utc(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok().and_then(|s| jiff::Timestamp::from_second(s).ok());
    time.map_or_else(|| format!("{seconds} seconds after 1970"), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    #[test]
    fn times_are_readable() {
        assert_eq!(super::utc(0), "1970-01-01T00:00:00Z");
        assert_eq!(super::utc(1_795_608_000), "2026-11-25T12:00:00Z");
        assert_eq!(super::utc(u64::MAX), format!("{} seconds after 1970", u64::MAX));
    }
}
