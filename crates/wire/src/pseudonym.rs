//! Names of persons that differ for every agency and round.

use serde::{Deserialize, Serialize};
use zeroize::ZeroizeOnDrop;

/// What a roster calls a person. Serialized as 16 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Pseudonym(pub [u8; 16]);

/// The key (private) of one agency's pseudonyms in one round. Wiped when dropped; never printed.
#[derive(Serialize, Deserialize, ZeroizeOnDrop)]
pub struct PseudonymKey([u8; 32]);

impl PseudonymKey {
    /// Draws a key from the operating system's randomness.
    pub fn generate() -> Result<Self, crate::error::WireError> {
        let mut key = Self([0; 32]);
        getrandom::fill(&mut key.0).map_err(crate::error::WireError::Random)?;
        Ok(key)
    }

    /// The key with these bytes (private).
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The pseudonym of a person identifier (private): keyed BLAKE3 with a domain prefix, 16 bytes.
    pub fn pseudonym(&self, person: &str) -> Pseudonym {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(b"blindtier/v1/pseudonym\0");
        hasher.update(person.as_bytes());
        let mut short = [0; 16];
        hasher.finalize_xof().fill(&mut short);
        Pseudonym(short)
    }
}
