//! One text and one hash for a policy, whatever comments, spacing and stated defaults its file has.

use crate::Policy;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// Separates policy hashes from every other use of BLAKE3.
const CONTEXT: &str = "blindtier policy v1";

/// Names a policy by its meaning: 32 bytes of BLAKE3 over [`Policy::canonical`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PolicyHash(pub [u8; 32]);

impl Policy {
    /// The policy as compact JSON: fields in the order of the model, labels by language, no spaces.
    #[expect(clippy::expect_used, reason = "a wrong text would give a wrong hash; better to stop")]
    pub fn canonical(&self) -> String {
        serde_json::to_string(self).expect("strings, integers and text keys always serialize")
    }

    /// The hash that files, signatures and the ledger carry.
    pub fn hash(&self) -> PolicyHash {
        PolicyHash(blake3::derive_key(CONTEXT, self.canonical().as_bytes()))
    }
}

/// Not 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a policy hash is 64 hexadecimal digits")]
pub struct PolicyHashError;

impl fmt::Display for PolicyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PolicyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PolicyHash({self})")
    }
}

impl FromStr for PolicyHash {
    type Err = PolicyHashError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hash = blake3::Hash::from_hex(text).map_err(|_| PolicyHashError)?;
        Ok(PolicyHash(*hash.as_bytes()))
    }
}

/// Hexadecimal text in formats for people, 32 bytes in binary ones.
impl Serialize for PolicyHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for PolicyHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
        } else {
            <[u8; 32]>::deserialize(deserializer).map(PolicyHash)
        }
    }
}
