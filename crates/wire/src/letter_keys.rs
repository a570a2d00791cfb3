//! The families' letter keys.

use crate::body_file::BodyFile;
use crate::body_writer::BodyWriter;
use crate::envelope::{Context, Expect, Message, read};
use crate::error::{Fault, WireError};
use crate::identity::{SigningIdentity, TrustFile};
use crate::kind::Kind;
use crate::names::{Digest, PartyName};
use crate::round::Round;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;

/// Bytes of a key.
const KEY: usize = 32;

/// X25519 public key of each slot's family, by slot. Public; sent by the registrar to trustees and families.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetterKeys {
    /// One key a slot.
    pub keys: Vec<[u8; 32]>,
}

impl Message for LetterKeys {
    const KIND: Kind = Kind::LetterKeys;

    fn check(&self) -> Result<(), Fault> {
        check_count(self.keys.len() as u64)?;
        check_usable(&self.keys)
    }
}

fn check_count(keys: u64) -> Result<(), Fault> {
    if (1..=u64::from(u32::MAX)).contains(&keys) {
        return Ok(());
    }
    Err(Fault::Content { detail: COUNT })
}

fn check_usable(keys: &[[u8; KEY]]) -> Result<(), Fault> {
    if keys.iter().all(LetterKeys::usable) {
        return Ok(());
    }
    Err(Fault::Content { detail: UNUSABLE })
}

/// Refuses the number of keys and the hash of them that are not the round's.
fn check_round(keys: u64, digest: Digest, round: &Round) -> Result<(), Fault> {
    if digest != round.letter_keys {
        let (expected, found) = (digest, round.letter_keys);
        return Err(Fault::Reference { what: "list of letter keys", expected, found });
    }
    if keys != u64::from(round.slots) {
        return Err(Fault::Content { detail: "there is not one letter key a slot" });
    }
    Ok(())
}

const COUNT: &str = "there is no letter key, or more than slots can be";
const UNUSABLE: &str = "a letter key is of low order: nothing can be sealed to it";

/// The points of low order of Curve25519 and of its twist, as their u coordinates modulo 2^255.
const LOW_ORDER: [[u8; 32]; 7] = [
    small(0),
    small(1),
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4,
        0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49,
        0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef,
        0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f,
        0x11, 0x57,
    ],
    near_prime(0xec),
    near_prime(0xed),
    near_prime(0xee),
];

const fn small(low: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = low;
    bytes
}

const fn near_prime(low: u8) -> [u8; 32] {
    let mut bytes = [0xff; 32];
    bytes[0] = low;
    bytes[31] = 0x7f;
    bytes
}

impl LetterKeys {
    /// Whether a letter can be sealed to this key. A single unusable key would stop the opening of a whole
    /// round, so that the registrar refuses it at the door.
    pub fn usable(key: &[u8; 32]) -> bool {
        let [low @ .., high] = *key;
        !LOW_ORDER
            .iter()
            .any(|[known_low @ .., known_high]| low == *known_low && high & 0x7f == *known_high)
    }

    /// The hash that the round file commits to.
    pub fn digest(&self) -> Digest {
        let mut digest = LetterKeysDigest::new();
        digest.0.update(self.keys.as_flattened());
        digest.finish()
    }

    /// Reads the letter keys that the round commits to.
    pub fn read(
        path: &Path,
        round: &Round,
        context: &Context,
        trust: &TrustFile,
    ) -> Result<Self, WireError> {
        let registrar = PartyName::registrar();
        let keys = read::<Self>(path, &Expect::of(&registrar, context), trust)?.body;
        check_round(keys.keys.len() as u64, keys.digest(), round)
            .map_err(|fault| WireError::refused(path, &registrar, fault))?;
        Ok(keys)
    }

    /// The slot of a letter key.
    pub fn slot_of(&self, key: &[u8; 32]) -> Option<u32> {
        self.keys.iter().position(|k| k == key).and_then(|slot| u32::try_from(slot).ok())
    }

    /// The slot of every key, to look up many.
    pub fn by_key(&self) -> HashMap<[u8; 32], u32> {
        self.keys.iter().copied().zip(0..).collect()
    }
}

/// [`LetterKeys::digest`] of keys that are not in memory together.
pub struct LetterKeysDigest(blake3::Hasher);

impl LetterKeysDigest {
    /// Of no keys yet.
    #[allow(
        clippy::new_without_default,
        reason = "a digest of nothing is no value to fall back to"
    )]
    pub fn new() -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"blindtier/v1/letter-keys\0");
        Self(hasher)
    }

    /// Takes the key of the next slot.
    pub fn key(&mut self, key: &[u8; 32]) {
        self.0.update(key);
    }

    /// The hash that the round file commits to.
    pub fn finish(&self) -> Digest {
        Digest(*self.0.finalize().as_bytes())
    }
}

/// Writes [`LetterKeys`] that are not in memory together: the same file as [`crate::write`] makes, which is absent until
/// it is finished. For the registrar.
pub struct LetterKeysWriter<'a>(BodyWriter<'a>);

impl<'a> LetterKeysWriter<'a> {
    /// Begins the file of a round with so many slots.
    ///
    /// # Errors
    /// There is no slot, or the file cannot be written.
    pub fn begin(
        path: &'a Path,
        slots: u32,
        context: &Context,
        identity: &'a SigningIdentity,
    ) -> Result<Self, WireError> {
        let kind = LetterKeys::KIND;
        let count = u64::from(slots);
        check_count(count).map_err(|fault| WireError::unwritable(path, kind, fault))?;
        let mut body = BodyWriter::begin(kind, path, 8 + 32 * count, context, identity)?;
        body.put(&count.to_le_bytes())?;
        Ok(Self(body))
    }

    /// Writes the key of the next slot.
    ///
    /// # Errors
    /// The key is not usable, there was one for every slot, or the file cannot be written.
    pub fn key(&mut self, key: &[u8; 32]) -> Result<(), WireError> {
        if !LetterKeys::usable(key) {
            return Err(self.0.refused(UNUSABLE));
        }
        self.0.put(key)
    }

    /// Signs the file and puts it in its place; its hash comes back.
    ///
    /// # Errors
    /// There was no key for some slot, or the file cannot be written.
    pub fn finish(self) -> Result<Digest, WireError> {
        self.0.finish()
    }
}

/// The letter keys as they lie in their file, for whoever seals to one slot after the other: in memory are only those that
/// are asked for, whatever the size of the round.
pub struct LetterKeyFile {
    body: BodyFile,
    keys: u64,
}

impl LetterKeyFile {
    /// The number of keys stands before them.
    const START: u64 = 8;
    /// Keys that are checked at a time.
    const STEP: usize = 1 << 11;

    /// Opens the letter keys that the round commits to, with all checks of [`LetterKeys::read`].
    pub fn open(
        path: &Path,
        round: &Round,
        context: &Context,
        trust: &TrustFile,
    ) -> Result<Self, WireError> {
        let registrar = PartyName::registrar();
        let expect = Expect::of(&registrar, context);
        let (body, keys) = BodyFile::open(Kind::LetterKeys, path, &expect, trust, |body| {
            let keys = body.part::<u64>(0)?;
            body.ends_at(body.after(Self::START, keys, KEY as u64)?)?;
            Ok(keys)
        })?;
        let file = Self { body, keys };
        file.check(round)?;
        Ok(file)
    }

    fn check(&self, round: &Round) -> Result<(), WireError> {
        let refused = |fault| self.body.refused(fault);
        check_count(self.keys).map_err(refused)?;
        let mut digest = LetterKeysDigest::new();
        for start in (0..self.keys).step_by(Self::STEP) {
            let keys = self.read(start..self.keys.min(start + Self::STEP as u64))?;
            check_usable(&keys).map_err(refused)?;
            digest.0.update(keys.as_flattened());
        }
        check_round(self.keys, digest.finish(), round).map_err(refused)
    }

    /// The keys of slots, in their order.
    pub fn keys(&self, slots: Range<u32>) -> Result<Vec<[u8; KEY]>, WireError> {
        self.read(u64::from(slots.start)..u64::from(slots.end))
    }

    fn read(&self, slots: Range<u64>) -> Result<Vec<[u8; KEY]>, WireError> {
        let count = slots.end.saturating_sub(slots.start);
        // Before anything is allocated.
        let start = self.body.after(Self::START, slots.start, KEY as u64)?;
        self.body.after(start, count, KEY as u64)?;
        let mut keys = vec![[0; KEY]; usize::try_from(count).unwrap_or(0)];
        self.body.read(start, keys.as_flattened_mut())?;
        Ok(keys)
    }
}
