//! What an agency hands in.

use crate::chunk::ChunkReader;
use crate::envelope::Context;
use crate::envelope::{Expect, Message, Received, read};
use crate::error::{Fault, WireError};
use crate::identity::TrustFile;
use crate::kind::Kind;
use crate::names::{Digest, PartyName};
use crate::round::Round;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Manifest of one agency's encrypted columns. Public; sent by the agency to the evaluator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    /// Hash of the plan the agency followed.
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
    /// Reads an agency's manifest and checks it against the round.
    pub fn read(
        path: &Path,
        agency: &PartyName,
        round: &Round,
        context: &Context,
        trust: &TrustFile,
    ) -> Result<Received<Self>, WireError> {
        let received = read::<Self>(path, &Expect::of(agency, context), trust)?;
        let refused = |fault| Err(WireError::refused(path, agency, fault));
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
        Ok(received)
    }

    /// The chunks that the manifest at `path` lists.
    pub fn chunks<'a>(
        &self,
        path: &Path,
        agency: &PartyName,
        round: &Round,
        context: &'a Context,
        trust: &'a TrustFile,
    ) -> Result<ChunkReader<'a>, WireError> {
        round.chunks(path, Kind::SubmissionChunk, agency, &self.chunks, context, trust)
    }
}
