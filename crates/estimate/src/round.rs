//! A round as far as its cost depends on it. Everything here is public.

use crate::calibration::{Ring, Work};

/// A round that is to be estimated.
#[derive(Clone, Debug, PartialEq)]
pub struct Round {
    /// How many families; at least 1.
    pub families: u64,
    /// Slots a chunk; at least 1.
    pub chunk: u64,
    /// Cores of every party's machine; at least 1.
    pub cores: u32,
    /// Name and parameters of the engine, as headers of files carry them.
    pub engine: [String; 2],
    /// What else receipts say of the evaluator's machine.
    pub platform: String,
    /// Who submits.
    pub submitters: Vec<Submitter>,
    /// All trustees.
    pub trustees: Vec<Trustee>,
    /// Shares of the key.
    pub shares: u64,
    /// How many trustees open together.
    pub openers: u64,
    /// Costly operations.
    pub operations: Operations,
    /// Bytes of a full chunk's results, and of the last one's.
    pub results: Chunked,
    /// Whether ciphertexts are proven or checked.
    pub proofs: bool,
    /// Seconds that planning the policy takes; every command of every party plans anew.
    pub planning: f64,
    /// What depends on the engine.
    pub plan: Plan,
}

/// Who submits columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submitter {
    /// Its name, such as `agency:tax`.
    pub name: String,
    /// Ciphertexts a family (tfhe) or a chunk (bfv).
    pub ciphertexts: u64,
    /// Values that are sealed to every family.
    pub values: u64,
    /// Bytes of its ciphertexts, proofs included.
    pub upload: Chunked,
}

/// Bytes of what is sent in chunks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chunked {
    /// Of a full chunk.
    pub full: u64,
    /// Of the last chunk, which may have fewer slots.
    pub last: u64,
}

/// A trustee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trustee {
    /// Its name, such as `trustee:1`.
    pub name: String,
    /// Shares that it makes, without a dealer.
    pub made: u64,
    /// Shares that it holds.
    pub held: u64,
}

/// Costly operations of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operations {
    /// `lookups` or `multiplications`.
    pub name: &'static str,
    /// For a family, or for a chunk.
    pub each: u64,
    /// In all.
    pub all: u64,
}

/// What depends on the engine.
#[derive(Clone, Debug, PartialEq)]
pub enum Plan {
    /// One family at a time.
    Tfhe,
    /// A chunk at a time.
    Bfv(BfvPlan),
}

/// A bfv plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BfvPlan {
    /// Ring and moduli.
    pub ring: Ring,
    /// What the program does.
    pub work: Work,
    /// Bits of the modulus.
    pub modulus_bits: u64,
    /// Bits of the prime that is there while encrypting.
    pub encryption_bits: u64,
    /// Bits of a result's modulus.
    pub result_bits: u64,
    /// Polynomials over the modulus that the evaluator holds for one chunk at its widest point.
    pub held: u64,
    /// Polynomials over the extension that it holds then.
    pub held_extension: u64,
}

impl Round {
    /// Number of chunks.
    pub fn chunks(&self) -> u64 {
        self.families.div_ceil(self.chunk.max(1))
    }

    /// Slots of the last chunk.
    pub fn last_chunk(&self) -> u64 {
        self.families - (self.chunks().saturating_sub(1)) * self.chunk
    }

    /// Slots of each chunk: so many chunks of so many, and the last one.
    pub(crate) fn chunk_sizes(&self) -> [(u64, u64); 2] {
        [(self.chunks().saturating_sub(1), self.chunk), (1, self.last_chunk())]
    }
}

impl Chunked {
    /// Bytes of so many chunks.
    pub fn total(self, chunks: u64) -> u64 {
        self.full.saturating_mul(chunks.saturating_sub(1)).saturating_add(self.last)
    }

    /// As many bytes for each slot.
    pub(crate) fn of(round: &Round, bytes: impl Fn(u64) -> u64) -> Self {
        Self { full: bytes(round.chunk), last: bytes(round.last_chunk()) }
    }
}
