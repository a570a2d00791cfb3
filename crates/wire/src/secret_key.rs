//! The trustee's secret key at rest.

use crate::envelope::Message;
use crate::kind::Kind;
use crate::names::Digest;
use serde::{Deserialize, Serialize};
use zeroize::ZeroizeOnDrop;

/// The engine's secret key. Secret: stays with the trustee, who signs it to notice damage. Wiped when dropped.
#[derive(Serialize, Deserialize, ZeroizeOnDrop)]
pub struct SecretKey {
    /// Hash of the public-key file it belongs to.
    #[zeroize(skip)]
    pub public_key: Digest,
    /// The engine's bytes (private).
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}

impl Message for SecretKey {
    const KIND: Kind = Kind::SecretKey;
}
