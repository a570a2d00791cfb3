//! Signing keys and the file that pins every party's public key.

use crate::error::WireError;
use crate::names::PartyName;
use crate::storage;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use zeroize::Zeroizing;

const WHAT: &str = "blindtier signing key";
const MAX_IDENTITY: u64 = 1024;
const MAX_TRUST: u64 = 1 << 20;

/// A party's name and its Ed25519 signing key. Wiped when dropped; never printed.
pub struct SigningIdentity {
    name: PartyName,
    key: SigningKey,
}

impl SigningIdentity {
    /// Makes a new key from the operating system's randomness.
    pub fn generate(name: PartyName) -> Result<Self, WireError> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut_slice()).map_err(WireError::Random)?;
        Ok(Self::from_seed(name, &seed))
    }

    /// The identity with this 32-byte seed (private).
    pub fn from_seed(name: PartyName, seed: &[u8; 32]) -> Self {
        Self { name, key: SigningKey::from_bytes(seed) }
    }

    /// Writes the key to a file that only its owner can read.
    pub fn write(&self, path: &Path) -> Result<(), WireError> {
        let seed = Zeroizing::new(hex::encode(self.key.as_bytes()));
        let text = Zeroizing::new(format!("{WHAT}\n{}\n{}\n", self.name, seed.as_str()));
        storage::write_secret(path, text.as_bytes())
    }

    /// Reads a key that [`SigningIdentity::write`] wrote; refuses it if other users can read it.
    pub fn read(path: &Path) -> Result<Self, WireError> {
        let bytes = storage::read_secret(path, MAX_IDENTITY, "read the signing key")?;
        Self::parse(&bytes)
            .ok_or_else(|| WireError::SecretForm { file: path.to_owned(), what: WHAT })
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut lines = std::str::from_utf8(bytes).ok()?.lines();
        if lines.next()? != WHAT {
            return None;
        }
        let name = PartyName::new(lines.next()?).ok()?;
        let mut seed = Zeroizing::new([0; 32]);
        hex::decode_to_slice(lines.next()?, seed.as_mut_slice()).ok()?;
        lines.next().is_none().then(|| Self::from_seed(name, &seed))
    }

    /// Who signs.
    pub fn name(&self) -> &PartyName {
        &self.name
    }

    /// The public key that the others pin.
    pub fn public_key(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }

    pub(crate) fn sign(&self, text: &[u8]) -> [u8; 64] {
        self.key.sign(text).to_bytes()
    }
}

/// Pins every party's public key. Every reader takes one; a folder alone proves nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustFile {
    parties: BTreeMap<PartyName, VerifyingKey>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrustText {
    parties: BTreeMap<PartyName, String>,
}

impl TrustFile {
    /// Pins no key.
    pub fn new() -> Self {
        Self::default()
    }

    /// Pins a party's public key, replacing an older one; `false` if the bytes are no usable key.
    pub fn pin(&mut self, party: PartyName, public_key: &[u8; 32]) -> bool {
        match VerifyingKey::from_bytes(public_key) {
            Ok(key) if !key.is_weak() => {
                self.parties.insert(party, key);
                true
            }
            _ => false,
        }
    }

    /// The pinned key of a party.
    pub fn key(&self, party: &PartyName) -> Option<[u8; 32]> {
        self.parties.get(party).map(VerifyingKey::to_bytes)
    }

    /// The parties with a pinned key, in the order of their names.
    pub fn parties(&self) -> impl Iterator<Item = &PartyName> {
        self.parties.keys()
    }

    /// Reads a trust file (TOML, table `[parties]`, party name → 64 hexadecimal digits).
    pub fn read(path: &Path) -> Result<Self, WireError> {
        let wrong = |detail: String| WireError::Trust { file: path.to_owned(), detail };
        let bytes = storage::read_own(path, MAX_TRUST)?
            .ok_or_else(|| wrong("the file is missing".to_owned()))?;
        let text = std::str::from_utf8(&bytes).map_err(|e| wrong(e.to_string()))?;
        let text: TrustText = toml::from_str(text).map_err(|e| wrong(e.to_string()))?;
        let mut trust = Self::new();
        for (party, key) in text.parties {
            let mut bytes = [0; 32];
            if hex::decode_to_slice(&key, &mut bytes).is_err() || !trust.pin(party.clone(), &bytes)
            {
                return Err(wrong(format!("the key of {party} is no Ed25519 public key")));
            }
        }
        Ok(trust)
    }

    /// Writes the trust file.
    pub fn write(&self, path: &Path) -> Result<(), WireError> {
        let parties =
            self.parties.iter().map(|(p, k)| (p.clone(), hex::encode(k.as_bytes()))).collect();
        let text = toml::to_string(&TrustText { parties })
            .map_err(|e| WireError::Trust { file: path.to_owned(), detail: e.to_string() })?;
        storage::write_public(path, text.as_bytes())
    }

    pub(crate) fn verify(&self, party: &PartyName, text: &[u8], signature: &[u8; 64]) -> bool {
        self.parties
            .get(party)
            .is_some_and(|key| key.verify_strict(text, &Signature::from_bytes(signature)).is_ok())
    }
}
