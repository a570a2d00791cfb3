//! The key the evaluator computes with.

use crate::envelope::Message;
use crate::kind::Kind;
use crate::names::Digest;
use serde::{Deserialize, Serialize};

/// The engine's evaluation key. Public; sent by the trustee to the evaluator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvaluationKey {
    /// Hash of the public-key file it belongs to.
    pub public_key: Digest,
    /// The engine's bytes.
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}

impl Message for EvaluationKey {
    const KIND: Kind = Kind::EvaluationKey;
}
