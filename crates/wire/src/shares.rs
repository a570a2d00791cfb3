//! Shares of the key: at rest with their holder, and sealed on their way there.

use crate::codec;
use crate::envelope::{Context, Message};
use crate::error::Fault;
use crate::kind::Kind;
use crate::names::{Digest, PartyName};
use crate::pads::Seed;
use crate::sealing::{Purpose, seal};
use crate::sharing::Sharing;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use zeroize::{ZeroizeOnDrop, Zeroizing};

/// One share (private). Wiped when dropped; never printed.
#[derive(Serialize, Deserialize, ZeroizeOnDrop)]
pub struct Share {
    /// Which one.
    #[zeroize(skip)]
    pub share: u32,
    /// From which everything that the share's holders draw follows: flooding noise, pads and, with an engine that
    /// needs no dealer, the share itself.
    pub key: [u8; 32],
    /// The engine's share where it does not follow from the key.
    #[serde(with = "serde_bytes")]
    pub material: Vec<u8>,
}

impl Share {
    /// A public commitment, the same for all holders of the share. The key makes it hiding.
    pub fn commitment(&self, context: &Context) -> Digest {
        let mut hasher = blake3::Hasher::new_derive_key("blindtier share commitment v1");
        hasher.update(&context.round.0);
        hasher.update(&self.share.to_le_bytes());
        hasher.update(&self.key);
        hasher.update(&self.material);
        Digest(*hasher.finalize().as_bytes())
    }

    /// The seed (private) of this share's pad for a slot of the results with this hash: another result has other pads.
    pub fn seed(&self, results: &Digest, slot: u32) -> Seed {
        let mut hasher = blake3::Hasher::new_derive_key("blindtier seed v1");
        hasher.update(&self.key);
        hasher.update(&results.0);
        hasher.update(&slot.to_le_bytes());
        Seed(*hasher.finalize().as_bytes())
    }

    /// The share (private) as bytes, to be sealed.
    pub fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let form = |reason| Fault::Form { part: "body", reason };
        let size = codec::size(self, Kind::Shares.limit()).map_err(form)?;
        // Reserved at once: growing would leave copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(size).unwrap_or(0)));
        codec::append(&mut bytes, self, Kind::Shares.limit()).map_err(form)?;
        Ok(bytes)
    }

    /// Reads what [`Share::to_bytes`] gave.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Fault> {
        codec::decode(bytes, Kind::Shares.limit())
            .map_err(|reason| Fault::Form { part: "sealed share", reason })
    }
}

/// The shares that a trustee holds. Secret: stays with the trustee, who signs it to notice damage.
#[derive(Serialize, Deserialize)]
pub struct Shares {
    /// Ascending by number.
    pub shares: Vec<Share>,
}

impl Message for Shares {
    const KIND: Kind = Kind::Shares;
}

/// Shares sealed to one trustee, by the dealer or by another holder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedShares {
    /// The only party that can open them.
    pub to: PartyName,
    /// Number of the share, and [`Share::to_bytes`] sealed to the trustee's receiving key.
    pub shares: Vec<(u32, serde_bytes::ByteBuf)>,
}

impl Message for SealedShares {
    const KIND: Kind = Kind::SealedShares;
}

impl SealedShares {
    /// Seals to `to`, whose receiving key is `key`, those of `shares` (private) that it holds.
    pub fn seal(
        shares: &[Share],
        from: &PartyName,
        to: &PartyName,
        key: &[u8; 32],
        sharing: Sharing,
        context: &Context,
    ) -> Result<Self, Fault> {
        let held = to.trustee_number().map(|number| sharing.held_by(number)).unwrap_or_default();
        let purpose = Purpose::Shares { from, to };
        let mut sealed = Vec::new();
        for share in shares.iter().filter(|share| held.contains(&share.share)) {
            let bytes = seal(key, purpose, context, &share.to_bytes()?)
                .ok_or(Fault::Content { detail: "nothing can be sealed to this receiving key" })?;
            sealed.push((share.share, serde_bytes::ByteBuf::from(bytes)));
        }
        Ok(Self { to: to.clone(), shares: sealed })
    }

    /// Where the shares from one party to another lie in the folder in which sealed shares travel.
    pub fn path(folder: &Path, from: &PartyName, to: &PartyName) -> PathBuf {
        folder.join(to.file_part()).join(format!("{}.bt", from.file_part()))
    }
}

/// The key that a trustee's shares are sealed to. Public; sent by the trustee to whoever makes shares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrusteeKey {
    /// X25519.
    pub receiving: [u8; 32],
}

impl Message for TrusteeKey {
    const KIND: Kind = Kind::TrusteeKey;

    fn check(&self) -> Result<(), Fault> {
        if crate::LetterKeys::usable(&self.receiving) {
            return Ok(());
        }
        Err(Fault::Content {
            detail: "the receiving key is of low order: nothing can be sealed to it",
        })
    }
}
