//! Statistics: how many families of a group have a tier, added up without seeing any of them.
//!
//! A *cell* is a group and a tier. The evaluator makes encrypted *counts*, one a cell; several chunks of slots are added up
//! before they are opened. Whoever holds a share of the key answers with a partial decryption that has noise of its own
//! in it, so that nobody sees an exact count. `docs/protocol.md` says who does what.

use crate::{Chunk, EngineError};

/// Makes encrypted counts with the evaluation key. An engine that packs families has it.
pub trait Count: Send + Sync {
    /// The counts of one chunk's families: for each of `groups`, positions below the plan's number of groups, all tiers
    /// of the policy. A function of its arguments.
    fn count(&self, chunk: &Chunk<'_>, groups: &[u32]) -> Result<Counted, EngineError>;

    /// Adds counts of the same cells, of another chunk.
    fn add(&self, counts: &mut Vec<u8>, other: &[u8]) -> Result<(), EngineError>;
}

/// Encrypted counts of one chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// One ciphertext a cell.
    pub counts: Vec<u8>,
    /// Costly operations that were done.
    pub operations: u64,
}

/// What the holder of one share can do with counts.
#[cfg(feature = "open")]
pub trait OpenCounts: Send + Sync {
    /// The partial decryptions of counts. `noise` (private) has one number a cell, which is added to what is opened.
    ///
    /// A function of its arguments and the share: every holder of the share gets the same bytes.
    fn partial(&self, counts: &[u8], noise: &[i64]) -> Result<Vec<u8>, EngineError>;
}

/// Adds partial decryptions of counts up. Needs no key.
pub trait CombineCounts: Send + Sync {
    /// For each cell its count plus the noise of all shares, modulo the plaintext modulus: the one number from `lowest`
    /// on that it can be. `partials` has one entry a share, in the order of the shares.
    fn combine(
        &self,
        counts: &[u8],
        partials: &[&[u8]],
        lowest: i64,
    ) -> Result<Vec<i64>, EngineError>;
}
