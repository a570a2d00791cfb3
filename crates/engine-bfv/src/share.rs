//! What a share's seed becomes: its part of the secret, and all randomness of its holders.

use crate::random::Stream;
use zeroize::Zeroizing;

/// A share of one plan's key. Everything follows from the seed, the plan and the named public parts, so that all its
/// holders compute the same bytes. Every use has a stream of its own, and an error's stream has all that its equation
/// depends on among its parts: two equations never share an error.
pub(crate) struct Share {
    root: Zeroizing<[u8; 32]>,
}

impl Share {
    /// Takes a plan's hash (public) and a seed (private).
    pub fn new(plan: &[u8; 32], seed: &[u8; 32]) -> Self {
        Self { root: Stream::derive("blindtier bfv share v1", &[plan, seed]).key() }
    }

    /// The share's stream for a use, with its public parts.
    pub fn stream(&self, context: &str, parts: &[&[u8]]) -> Stream {
        let root: &[u8] = self.root.as_ref();
        let parts: Vec<&[u8]> = std::iter::once(root).chain(parts.iter().copied()).collect();
        Stream::derive(context, &parts)
    }

    /// The coefficients of sⱼ.
    pub fn secret(&self, degree: usize) -> Zeroizing<Vec<i64>> {
        self.stream("blindtier bfv share secret v1", &[]).ternary(degree)
    }

    /// The flooding noise of a result, from the bytes of its c₁ and nothing else.
    pub fn flooding(&self, masks: &[u8]) -> Stream {
        Stream::keyed(&self.stream("blindtier bfv flooding key v1", &[]).key(), masks)
    }

    /// The pads of slots that are no family's.
    pub fn spare_pads(&self, masks: &[u8]) -> Stream {
        Stream::keyed(&self.stream("blindtier bfv spare pads key v1", &[]).key(), masks)
    }
}
