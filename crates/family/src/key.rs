//! The letter key.

use blindtier_wire::{Context, LETTER_BYTES, WireError, letter_info, storage};
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, Serializable, single_shot_open};
use std::path::Path;
use zeroize::Zeroizing;

type Suite = X25519HkdfSha256;

const WHAT: &str = "blindtier letter key";
const MAX_FILE: u64 = 1 << 30;

/// An X25519 key pair (private). Wiped when dropped; never printed.
pub struct LetterKey {
    secret: <Suite as Kem>::PrivateKey,
    public: [u8; 32],
}

impl LetterKey {
    /// Makes a new key from the operating system's randomness.
    pub fn generate() -> Result<Self, WireError> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(bytes.as_mut_slice()).map_err(WireError::Random)?;
        // Any 32 bytes are an X25519 private key, so that this cannot fail.
        Self::from_bytes(&bytes).ok_or(WireError::Random(getrandom::Error::UNEXPECTED))
    }

    fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        let secret = <Suite as Kem>::PrivateKey::from_bytes(bytes).ok()?;
        let public = <Suite as Kem>::sk_to_pk(&secret).to_bytes().into();
        Some(Self { secret, public })
    }

    /// What the family gives the registrar, who lists it for the family's slot.
    pub fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// The public key as the 64 hexadecimal digits of the registrar's `letter_key` column.
    pub fn public_hex(&self) -> String {
        hex::encode(self.public)
    }

    /// Writes keys to one file that only its owner can read. A family has one key; a simulation has many.
    pub fn write(path: &Path, keys: &[Self]) -> Result<(), WireError> {
        let size = WHAT.len() + 1 + keys.len() * 65;
        let mut text = Zeroizing::new(String::with_capacity(size));
        text.push_str(WHAT);
        text.push('\n');
        for key in keys {
            let bytes: Zeroizing<[u8; 32]> = Zeroizing::new(key.secret.to_bytes().into());
            text.push_str(&Zeroizing::new(hex::encode(bytes.as_slice())));
            text.push('\n');
        }
        storage::write_secret(path, text.as_bytes())
    }

    /// Reads the keys of a file that [`LetterKey::write`] wrote; refuses it if other users can read it.
    pub fn read(path: &Path) -> Result<Vec<Self>, WireError> {
        let bytes = storage::read_secret(path, MAX_FILE, "read the letter key")?;
        Self::parse(&bytes)
            .ok_or_else(|| WireError::SecretForm { file: path.to_owned(), what: WHAT })
    }

    fn parse(bytes: &[u8]) -> Option<Vec<Self>> {
        let mut lines = std::str::from_utf8(bytes).ok()?.lines();
        if lines.next()? != WHAT {
            return None;
        }
        let keys = lines
            .map(|line| {
                let mut bytes = Zeroizing::new([0; 32]);
                hex::decode_to_slice(line, bytes.as_mut_slice()).ok()?;
                Self::from_bytes(&bytes)
            })
            .collect::<Option<Vec<Self>>>()?;
        (!keys.is_empty()).then_some(keys)
    }

    /// Opens a sealed letter to the tier code (private).
    pub(crate) fn open(
        &self,
        context: &Context,
        slot: u32,
        letter: &[u8; LETTER_BYTES],
    ) -> Option<u8> {
        let (encapsulated, ciphertext) = letter.split_at_checked(32)?;
        let encapsulated = <Suite as Kem>::EncappedKey::from_bytes(encapsulated).ok()?;
        let plain = single_shot_open::<ChaCha20Poly1305, HkdfSha256, Suite>(
            &OpModeR::Base,
            &self.secret,
            &encapsulated,
            &letter_info(context, slot),
            ciphertext,
            &[],
        );
        match Zeroizing::new(plain.ok()?).as_slice() {
            [code] => Some(*code),
            _ => None,
        }
    }
}
