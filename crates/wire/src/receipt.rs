//! What the evaluator hands on.

use crate::chunk::ChunkReader;
use crate::envelope::{Context, Expect, Message, Received, read};
use crate::error::{Fault, WireError};
use crate::identity::TrustFile;
use crate::kind::Kind;
use crate::names::{Digest, PartyName};
use crate::round::Round;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What results are computed from, of one submitter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmissionEntry {
    /// Who.
    pub submitter: PartyName,
    /// Hash of its manifest file; `None` if it was excluded and its columns have the missing values.
    pub manifest: Option<Digest>,
}

/// Manifest of the encrypted results and of everything they were computed from. Public; sent by the evaluator
/// to trustees and auditors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Hash of the plan that was run.
    pub plan: Digest,
    /// Hash of the evaluation-key file.
    pub evaluation_key: Digest,
    /// One entry a submitter, in the order of the round.
    pub submissions: Vec<SubmissionEntry>,
    /// Hash of each result chunk file.
    pub chunks: Vec<Digest>,
    /// Lookups that were done, over all chunks.
    pub operations: u64,
    /// Processor architecture, system and release of the evaluator, which matter when recomputing bits.
    pub platform: String,
}

impl Message for Receipt {
    const KIND: Kind = Kind::Receipt;
}

impl Receipt {
    /// Reads the evaluator's receipt and checks it against the round.
    pub fn read(
        path: &Path,
        round: &Round,
        context: &Context,
        trust: &TrustFile,
    ) -> Result<Received<Self>, WireError> {
        let evaluator = PartyName::evaluator();
        let received = read::<Self>(path, &Expect::of(&evaluator, context), trust)?;
        let body = &received.body;
        let refused = |fault| Err(WireError::refused(path, &evaluator, fault));
        if body.plan != round.plan {
            return refused(Fault::Plan { expected: round.plan, found: body.plan });
        }
        if !body.submissions.iter().map(|s| &s.submitter).eq(&round.submitters) {
            return refused(Fault::Content {
                detail: "the receipt does not have one entry for each submitter of the round",
            });
        }
        Ok(received)
    }

    /// The result chunks that the receipt at `path` lists.
    pub fn chunks<'a>(
        &self,
        path: &Path,
        round: &Round,
        context: &'a Context,
        trust: &'a TrustFile,
    ) -> Result<ChunkReader<'a>, WireError> {
        round.chunks(path, Kind::ResultChunk, &PartyName::evaluator(), &self.chunks, context, trust)
    }
}
