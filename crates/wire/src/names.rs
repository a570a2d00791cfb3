//! Names of parties, rounds and contents.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The longest party name, in bytes.
const MAX_NAME: usize = 64;

/// Who sends a file: `registrar`, `agency:tax`, `evaluator`, `trustee:1`.
///
/// One to 64 characters of `a-z 0-9 : _ -`, so that a name is safe in a file name and in an error message.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PartyName(String);

/// The text is no party name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is no party name: use 1 to 64 of the characters a-z 0-9 : _ -")]
pub struct NameError {
    /// The text, shortened.
    pub name: String,
}

impl PartyName {
    /// Checks a name.
    pub fn new(name: impl Into<String>) -> Result<Self, NameError> {
        let name = name.into();
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b":_-".contains(&b);
        if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(allowed) {
            return Err(NameError { name: name.chars().take(MAX_NAME).collect() });
        }
        Ok(Self(name))
    }

    /// The registrar.
    pub fn registrar() -> Self {
        Self("registrar".to_owned())
    }

    /// The evaluator.
    pub fn evaluator() -> Self {
        Self("evaluator".to_owned())
    }

    /// The trustee with this number, counted from 1.
    pub fn trustee(number: u16) -> Self {
        Self(format!("trustee:{number}"))
    }

    /// The number, from 1, of the trustee, if this is one.
    pub fn trustee_number(&self) -> Option<u16> {
        let number = self.0.strip_prefix("trustee:")?.parse().ok()?;
        (Self::trustee(number) == *self).then_some(number)
    }

    /// Who makes the keys of a round whose engine needs a dealer.
    pub fn dealer() -> Self {
        Self("dealer".to_owned())
    }

    /// The name as part of a file or folder name: `trustee-1`.
    pub fn file_part(&self) -> String {
        self.0.replace(':', "-")
    }

    /// The agency with this identifier of the policy.
    pub fn agency(id: &str) -> Result<Self, NameError> {
        Self::new(format!("agency:{id}"))
    }

    /// The identifier of the agency, if this is one.
    pub fn agency_id(&self) -> Option<&str> {
        self.0.strip_prefix("agency:")
    }

    /// The name of a submitter's folder among submissions: an agency's identifier, or `registrar`, which no agency of a
    /// policy may have.
    pub fn submitter_folder(&self) -> &str {
        self.agency_id().unwrap_or(&self.0)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PartyName {
    type Error = NameError;

    fn try_from(name: String) -> Result<Self, NameError> {
        Self::new(name)
    }
}

impl From<PartyName> for String {
    fn from(name: PartyName) -> Self {
        name.0
    }
}

impl fmt::Display for PartyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A BLAKE3 hash of something public. Serialized as 32 bytes, shown in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Digest(pub [u8; 32]);

/// Names a round by the hash of everything its round file says, so that two different round files cannot
/// share a name. Shown in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RoundId(pub [u8; 32]);

impl Digest {
    /// Hashes bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// Reads 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for RoundId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for RoundId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
