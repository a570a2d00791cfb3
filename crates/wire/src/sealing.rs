//! Sealing to one receiver: HPKE (RFC 9180), base mode, X25519-HKDF-SHA256 and ChaCha20-Poly1305.

use crate::envelope::Context;
use crate::error::WireError;
use crate::names::PartyName;
use crate::storage;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{
    Deserializable, Kem, OpModeR, OpModeS, Serializable, single_shot_open, single_shot_seal,
};
use std::path::Path;
use zeroize::Zeroizing;

type Suite = X25519HkdfSha256;

/// What sealing adds to a plain text: HPKE's encapsulated key (32 bytes) and the tag (16).
pub const SEAL_BYTES: usize = 32 + 16;

const WHAT: &str = "blindtier letter key";
const MAX_FILE: u64 = 1 << 30;

/// What a sealed text is for; sealed for one purpose, it opens for no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose<'a> {
    /// A trustee's letter to the family of a slot.
    Letter {
        /// The slot.
        slot: u32,
        /// Who seals.
        from: &'a PartyName,
    },
    /// The levels that an agency used for a slot.
    Levels {
        /// The slot.
        slot: u32,
        /// Who seals.
        from: &'a PartyName,
    },
    /// Shares of the key for a trustee.
    Shares {
        /// Who seals.
        from: &'a PartyName,
        /// For whom.
        to: &'a PartyName,
    },
    /// The seeds of a slot for the state.
    State {
        /// The slot.
        slot: u32,
        /// Who seals.
        from: &'a PartyName,
    },
}

impl Purpose<'_> {
    /// What HPKE binds the sealed text to: purpose, round, policy, sender and slot or receiver.
    fn info(self, context: &Context) -> Vec<u8> {
        let (name, from, rest) = match self {
            Self::Letter { slot, from } => ("letter", from, slot.to_le_bytes().to_vec()),
            Self::Levels { slot, from } => ("levels", from, slot.to_le_bytes().to_vec()),
            Self::Shares { from, to } => ("shares", from, to.as_str().as_bytes().to_vec()),
            Self::State { slot, from } => ("state", from, slot.to_le_bytes().to_vec()),
        };
        let mut info = format!("blindtier/v1/{name}\0").into_bytes();
        info.extend_from_slice(&context.round.0);
        info.extend_from_slice(&context.policy.0);
        info.extend_from_slice(from.as_str().as_bytes());
        info.push(0);
        info.extend_from_slice(&rest);
        info
    }
}

/// Seals `plain` (private) to a receiver's public key; [`SEAL_BYTES`] longer. `None` if nothing can be sealed to the key.
pub fn seal(
    key: &[u8; 32],
    purpose: Purpose<'_>,
    context: &Context,
    plain: &[u8],
) -> Option<Vec<u8>> {
    let key = <Suite as Kem>::PublicKey::from_bytes(key).ok()?;
    let info = purpose.info(context);
    let (encapsulated, ciphertext) = single_shot_seal::<ChaCha20Poly1305, HkdfSha256, Suite>(
        &OpModeS::Base,
        &key,
        &info,
        plain,
        &[],
    )
    .ok()?;
    Some([encapsulated.to_bytes().as_slice(), &ciphertext].concat())
}

/// The sealing library stops the process if the operating system has no random bytes; ask before anything is opened,
/// when refusing is still harmless.
pub fn check_randomness() -> Result<(), WireError> {
    getrandom::fill(&mut [0; 32]).map_err(WireError::Random)
}

/// An X25519 key pair (private) that things are sealed to. Wiped when dropped; never printed.
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

    /// What others seal to.
    pub fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// The public key as 64 hexadecimal digits, as in the registrar's `letter_key` column.
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

    /// Opens what was sealed to this key for this purpose (private); `None` for anything else.
    pub fn open(
        &self,
        purpose: Purpose<'_>,
        context: &Context,
        sealed: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let (encapsulated, ciphertext) = sealed.split_at_checked(32)?;
        let encapsulated = <Suite as Kem>::EncappedKey::from_bytes(encapsulated).ok()?;
        single_shot_open::<ChaCha20Poly1305, HkdfSha256, Suite>(
            &OpModeR::Base,
            &self.secret,
            &encapsulated,
            &purpose.info(context),
            ciphertext,
            &[],
        )
        .ok()
        .map(Zeroizing::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Digest, Engine, LetterKeys, RoundId};

    fn context() -> Context {
        let engine = Engine { name: "clear".into(), parameters: String::new() };
        Context { round: RoundId([1; 32]), policy: Digest([2; 32]), engine }
    }

    #[test]
    fn sealed_texts_open_for_their_purpose_only() {
        let (key, other) = (LetterKey::generate().unwrap(), LetterKey::generate().unwrap());
        let (one, two) = (PartyName::trustee(1), PartyName::trustee(2));
        let purpose = Purpose::Letter { slot: 3, from: &one };
        let sealed = seal(key.public(), purpose, &context(), b"seed").unwrap();
        assert_eq!(sealed.len(), SEAL_BYTES + 4);
        assert_eq!(key.open(purpose, &context(), &sealed).unwrap().as_slice(), b"seed");
        assert!(other.open(purpose, &context(), &sealed).is_none());
        for wrong in [
            Purpose::Letter { slot: 4, from: &one },
            Purpose::Letter { slot: 3, from: &two },
            Purpose::Levels { slot: 3, from: &one },
            Purpose::State { slot: 3, from: &one },
            Purpose::Shares { from: &one, to: &two },
        ] {
            assert!(key.open(wrong, &context(), &sealed).is_none(), "{wrong:?}");
        }
        let mut elsewhere = context();
        elsewhere.round = RoundId([9; 32]);
        assert!(key.open(purpose, &elsewhere, &sealed).is_none());
        for position in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[position] ^= 1;
            assert!(key.open(purpose, &context(), &damaged).is_none(), "{position}");
        }
    }

    #[test]
    fn the_registrar_refuses_exactly_the_keys_that_nothing_can_be_sealed_to() {
        let mut keys: Vec<[u8; 32]> = (0..=255)
            .map(|low| {
                let mut key = [0; 32];
                key[0] = low;
                key
            })
            .collect();
        keys.extend((0..=255).map(|low| {
            let mut key = [0xff; 32];
            key[0] = low;
            key
        }));
        for known in [
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880",
            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        ] {
            keys.push(Digest::from_hex(known).unwrap().0);
        }
        let from = PartyName::trustee(1);
        let mut refused = 0;
        for key in keys {
            let purpose = Purpose::Letter { slot: 0, from: &from };
            let sealed = seal(&key, purpose, &context(), &[1]).is_some();
            assert_eq!(sealed, LetterKeys::usable(&key), "{key:02x?}");
            refused += usize::from(!sealed);
        }
        assert_eq!(refused, 8, "0, 1, p-1, p, p+1, and three known points");
    }
}
