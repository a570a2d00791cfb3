//! The key that results are prepared with before they are opened.

use crate::envelope::Message;
use crate::kind::Kind;
use crate::names::Digest;
use serde::{Deserialize, Serialize};

/// The engine's key for preparing results (tfhe: noise squashing). Public; made with the other keys, for trustees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpeningKey {
    /// Hash of the public-key file it belongs to.
    pub public_key: Digest,
    /// The engine's bytes.
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}

impl Message for OpeningKey {
    const KIND: Kind = Kind::OpeningKey;
}
