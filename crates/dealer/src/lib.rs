//! The dealer: makes a round's key where an engine cannot do without one, hands out its shares, and ends.
//!
//! For as long as it runs it has the whole key. It runs once, offline, and writes nothing but shares sealed to the
//! trustees, commitments to them and the public keys: what has to be believed is that it ran this program and that nobody
//! looked into its memory meanwhile. SECURITY.md says what would remove it.
#![forbid(unsafe_code)]

use blindtier_wire::{
    Board, Context, EvaluationKey, Expect, OpeningKey, PartyName, PublicKey, Round, SealedShares,
    Share, ShareCommitment, ShareCommitments, SigningIdentity, TrustFile, TrusteeKey, WireError,
    check_randomness, file_names, read, storage, write,
};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// What an engine's dealing gives, as opaque bytes.
pub struct Dealt {
    /// For the agencies.
    pub public: Vec<u8>,
    /// For the evaluator and whoever recomputes.
    pub evaluation: Vec<u8>,
    /// For preparing results.
    pub opening: Vec<u8>,
    /// The engine's shares (private), in order.
    pub shares: Vec<Zeroizing<Vec<u8>>>,
}

/// Why no key was dealt.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DealerError {
    /// A file was refused or could not be written.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The keys of the round were made.
    #[error("{} exists: the keys of a round are made once; begin a new round", file.display())]
    KeysExist {
        /// Their file.
        file: PathBuf,
    },
    /// The round needs no dealer.
    #[error("{}: the keys of this round are made by {maker}; a dealer would have to be trusted for nothing", file.display())]
    NotNeeded {
        /// The round file.
        file: PathBuf,
        /// Who makes them.
        maker: PartyName,
    },
    /// The engine gave another number of shares.
    #[error(
        "the engine dealt {found} shares for a round of {expected}; use the release of the round file"
    )]
    Shares {
        /// By the round.
        expected: u32,
        /// By the engine.
        found: usize,
    },
}

impl DealerError {
    /// The party to turn to; `None` when the fault is the dealer's own.
    pub fn culprit(&self) -> Option<&PartyName> {
        match self {
            Self::Wire(e) => e.culprit(),
            _ => None,
        }
    }
}

/// Reads every trustee's receiving key, and refuses a round that was dealt or needs no dealer. To be called before a key
/// is made.
pub fn receivers(
    board: &Board,
    round: &Round,
    context: &Context,
    trust: &TrustFile,
) -> Result<Vec<(PartyName, [u8; 32])>, DealerError> {
    let maker = &round.key_maker;
    if *maker != PartyName::dealer() {
        return Err(DealerError::NotNeeded { file: board.round(), maker: maker.clone() });
    }
    // Written last: what an interrupted dealing left before is of no use to anybody, and is dealt anew.
    let file = board.ceremony(maker).join(file_names::SHARE_COMMITMENTS);
    if storage::exists(&file)? {
        return Err(DealerError::KeysExist { file });
    }
    check_randomness()?;
    round
        .sharing
        .names()
        .map(|trustee| {
            let path = board.ceremony(&trustee).join(file_names::TRUSTEE_KEY);
            let key = read::<TrusteeKey>(&path, &Expect::of(&trustee, context), trust)?.body;
            Ok((trustee, key.receiving))
        })
        .collect()
}

/// Seals the shares, into `sealed`, and publishes the public keys and commitments on the board.
///
/// The commitments are written last: without them nobody uses the rest.
pub fn deal(
    mut dealt: Dealt,
    receivers: &[(PartyName, [u8; 32])],
    board: &Board,
    sealed: &Path,
    round: &Round,
    context: &Context,
    identity: &SigningIdentity,
) -> Result<(), DealerError> {
    let expected = round.sharing.shares();
    if dealt.shares.len() as u64 != u64::from(expected) {
        return Err(DealerError::Shares { expected, found: dealt.shares.len() });
    }
    let mut shares = Vec::with_capacity(dealt.shares.len());
    for (share, material) in (0..).zip(&mut dealt.shares) {
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(key.as_mut_slice()).map_err(WireError::Random)?;
        shares.push(Share { share, key: *key, material: std::mem::take(&mut **material) });
    }
    for (trustee, key) in receivers {
        let path = SealedShares::path(sealed, identity.name(), trustee);
        let body =
            SealedShares::seal(&shares, identity.name(), trustee, key, round.sharing, context)
                .map_err(|fault| WireError::refused(&path, trustee, fault))?;
        write(&path, &body, context, identity)?;
    }
    let public = PublicKey { bytes: dealt.public };
    let public_key = write(&board.public_key(), &public, context, identity)?;
    let evaluation = EvaluationKey { public_key, bytes: dealt.evaluation };
    write(&board.evaluation_key(), &evaluation, context, identity)?;
    let opening = OpeningKey { public_key, bytes: dealt.opening };
    write(&board.opening_key(), &opening, context, identity)?;
    let shares = shares
        .iter()
        .map(|share| ShareCommitment {
            share: share.share,
            commitment: share.commitment(context),
            first: None,
        })
        .collect();
    let path = board.ceremony(identity.name()).join(file_names::SHARE_COMMITMENTS);
    write(&path, &ShareCommitments { shares }, context, identity)?;
    Ok(())
}
