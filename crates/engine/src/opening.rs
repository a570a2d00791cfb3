//! Opening results with shares of a key.
//!
//! The key is a sum of shares. Whoever holds a share answers a result with that share's *partial decryption*, flooded
//! with noise and blinded by a one-time pad a family; the sum of the partial decryptions of all shares opens every
//! family's tier plus the sum of its pads, which tells nobody anything who does not know the pads. `docs/protocol.md`
//! says who does what.

use crate::EngineError;

/// A result in the form in which it is opened. Public: everybody who recomputes it gets the same bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// What shares are multiplied with, and all that flooding noise depends on.
    pub masks: Vec<u8>,
    /// What partial decryptions are added to.
    pub bodies: Vec<u8>,
}

/// Brings results into the form in which they are opened. Needs public keys only.
pub trait Prepare: Send + Sync {
    /// Prepares one chunk of `families` results. `progress` is called with the number of families finished since the
    /// last call, from any thread.
    fn prepare(
        &self,
        families: usize,
        results: &[u8],
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<Prepared, EngineError>;
}

/// What the holder of one share can do.
#[cfg(feature = "open")]
pub trait OpenShare: Send + Sync {
    /// The partial decryption of one chunk of `families` prepared results: `masks` times the share, flooding noise
    /// and pads. `pads` (private) has one number a family below [`Combine::pad_modulus`].
    ///
    /// A function of its arguments and the share: every holder of the share gets the same bytes, and asking again
    /// gives nothing to average.
    fn partial(&self, families: usize, masks: &[u8], pads: &[u32]) -> Result<Vec<u8>, EngineError>;
}

/// Adds partial decryptions up. Needs no key.
pub trait Combine: Send + Sync {
    /// Pads and opened numbers are below it.
    fn pad_modulus(&self) -> u32;

    /// Opens one chunk: for each family its tier code plus its pads of all shares, modulo [`Combine::pad_modulus`].
    /// `partials` has one entry a share, in the order of the shares.
    fn combine(
        &self,
        families: usize,
        bodies: &[u8],
        partials: &[&[u8]],
    ) -> Result<Vec<u32>, EngineError>;
}

/// A key ceremony without a dealer: whoever holds a share computes the share's messages, and everybody computes the
/// public keys from the messages of all shares. Every result is a function of its arguments, so that holders of one share
/// check each other. `common` is public and different in every ceremony; a share follows from its `key` (private).
#[cfg(feature = "open")]
pub trait Ceremony: Send + Sync {
    /// A share's first message.
    fn first(&self, common: &[u8; 32], key: &[u8; 32]) -> Result<Vec<u8>, EngineError>;

    /// A share's second message, from the first ones of all shares, in order.
    fn second(
        &self,
        common: &[u8; 32],
        key: &[u8; 32],
        firsts: &[&[u8]],
    ) -> Result<Vec<u8>, EngineError>;

    /// The public key, for agencies.
    fn public_key(&self, common: &[u8; 32], firsts: &[&[u8]]) -> Result<Vec<u8>, EngineError>;

    /// The evaluation key, for the evaluator and whoever recomputes.
    fn evaluation_key(
        &self,
        common: &[u8; 32],
        firsts: &[&[u8]],
        seconds: &[&[u8]],
    ) -> Result<Vec<u8>, EngineError>;
}
