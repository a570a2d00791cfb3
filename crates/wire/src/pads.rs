//! One-time pads: what keeps an opened batch from telling anybody but the family.
//!
//! For every share and slot there is a seed of 256 bits that only the holders of the share and the family know. The
//! pad follows from the seed; a commitment to the seed is public. What a round opens for a slot is the family's tier
//! code plus the pads of all shares. Showing the seeds of one slot therefore proves its tier and nothing else. A
//! commitment is to the seed and not to the pad, because a pad is a small number and its hash could be searched.

use crate::envelope::Context;
use crate::names::Digest;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The seed (private) of one share's pad for one slot. Wiped when dropped; never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct Seed(pub [u8; 32]);

impl Seed {
    /// The pad (private), uniform below `modulus`.
    pub fn pad(&self, modulus: u32) -> u32 {
        let wide = blake3::derive_key("blindtier pad v1", &self.0);
        // 128 bits reduced modulo at most 17 bits: the bias is below 2⁻¹¹¹.
        let (first, _) = wide.split_at(16);
        let number = u128::from_le_bytes(first.try_into().unwrap_or_default());
        u32::try_from(number % u128::from(modulus.max(1))).unwrap_or_default()
    }

    /// The public commitment, bound to round, share and slot.
    pub fn commitment(&self, context: &Context, share: u32, slot: u32) -> Digest {
        let mut hasher = blake3::Hasher::new_derive_key("blindtier seed commitment v1");
        hasher.update(&context.round.0);
        hasher.update(&share.to_le_bytes());
        hasher.update(&slot.to_le_bytes());
        hasher.update(&self.0);
        Digest(*hasher.finalize().as_bytes())
    }
}

/// A slot's tier code from what was opened for it and the pads (private) of all shares.
pub fn unpad(opened: u32, pads: impl IntoIterator<Item = u32>, modulus: u32) -> u32 {
    let modulus = u64::from(modulus.max(1));
    let pads = pads.into_iter().fold(0, |sum, pad| (sum + u64::from(pad)) % modulus);
    let code = (u64::from(opened) % modulus + modulus - pads) % modulus;
    u32::try_from(code).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::Engine;
    use crate::names::RoundId;

    #[test]
    fn pads_are_spread_and_taken_off_again() {
        let mut counts = [0u32; 32];
        for number in 0..32_000u32 {
            let mut seed = [0; 32];
            seed[..4].copy_from_slice(&number.to_le_bytes());
            counts[Seed(seed).pad(32) as usize] += 1;
        }
        assert!(counts.iter().all(|c| (850..1150).contains(c)), "{counts:?}");
        for modulus in [32, 65_537] {
            for code in [0, 1, 12, 15] {
                let pads = [modulus - 1, modulus - 2, 5];
                let opened = (code + pads.iter().sum::<u32>()) % modulus;
                assert_eq!(unpad(opened, pads, modulus), code);
            }
        }
    }

    #[test]
    fn a_commitment_names_its_place() {
        let engine = Engine { name: "clear".into(), parameters: String::new() };
        let context = |round| Context {
            round: RoundId([round; 32]),
            policy: Digest([2; 32]),
            engine: engine.clone(),
        };
        let seed = Seed([7; 32]);
        let all = [
            seed.commitment(&context(1), 0, 0),
            seed.commitment(&context(2), 0, 0),
            seed.commitment(&context(1), 1, 0),
            seed.commitment(&context(1), 0, 1),
            Seed([8; 32]).commitment(&context(1), 0, 0),
        ];
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
    }
}
