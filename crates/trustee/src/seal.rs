//! Sealing a tier code to a family's letter key.

use blindtier_wire::{Context, LETTER_BYTES, WireError, letter_info};
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeS, Serializable, single_shot_seal};

/// The sealed letter of a slot; `None` if nothing can be sealed to the key.
pub(crate) fn seal(
    context: &Context,
    slot: u32,
    key: &[u8; 32],
    code: u8,
) -> Option<[u8; LETTER_BYTES]> {
    let key = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(key).ok()?;
    let (encapsulated, ciphertext) =
        single_shot_seal::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeS::Base,
            &key,
            &letter_info(context, slot),
            &[code],
            &[],
        )
        .ok()?;
    [encapsulated.to_bytes().as_slice(), &ciphertext].concat().try_into().ok()
}

/// The sealing library stops the process if the operating system has no random bytes; ask before the first
/// result is opened, when refusing is still harmless.
pub(crate) fn check_randomness() -> Result<(), WireError> {
    getrandom::fill(&mut [0; 32]).map_err(WireError::Random)
}

#[cfg(test)]
mod tests {
    use super::*;
    use blindtier_wire::{Digest, Engine, LetterKeys, RoundId};

    #[test]
    fn the_registrar_refuses_exactly_the_keys_that_nothing_can_be_sealed_to() {
        let engine = Engine { name: "clear".into(), parameters: String::new() };
        let context = Context { round: RoundId([1; 32]), policy: Digest([2; 32]), engine };
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
        let mut refused = 0;
        for key in keys {
            let sealed = seal(&context, 0, &key, 1).is_some();
            assert_eq!(sealed, LetterKeys::usable(&key), "{key:02x?}");
            refused += usize::from(!sealed);
        }
        assert_eq!(refused, 8, "0, 1, p-1, p, p+1, and three known points");
    }
}
