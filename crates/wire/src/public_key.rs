//! The key agencies encrypt with.

use crate::envelope::Message;
use crate::kind::Kind;
use serde::{Deserialize, Serialize};

/// The engine's public key. Public; sent by the trustee to the agencies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicKey {
    /// The engine's bytes.
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}

impl Message for PublicKey {
    const KIND: Kind = Kind::PublicKey;
}
