//! What a party can do with an engine: one trait per capability, so that code that holds only
//! [`Evaluate`] cannot open anything.
//!
//! Ciphertexts cross these traits as opaque bytes, one chunk of consecutive slots at a time. Each engine
//! decodes its own bytes against what its plan expects and refuses everything else.

use serde::{Deserialize, Serialize};

/// What a submitter can do: it holds the public key only.
pub trait Encrypt: Send + Sync {
    /// Encrypts one chunk of a submitter's columns.
    ///
    /// `submitter` is the agency's position in the policy, or the number of agencies for the registrar; `columns[c][f]` is
    /// the clear value (private) of the submitter's column `c`, in the order of the plan, for the `f`-th slot of the chunk.
    /// All columns have the same length. `binding` (public) is what proofs are bound to: sender, round and slots. The
    /// length of the returned bytes depends on the plan and the number of slots only.
    fn encrypt(
        &self,
        submitter: usize,
        columns: &[Vec<i64>],
        binding: &[u8; 32],
    ) -> Result<Vec<u8>, EngineError>;
}

/// What anybody can do who holds the public key: see whether a chunk may be used.
pub trait Verify: Send + Sync {
    /// Checks one chunk of `families` slots of a submitter: that it has the form that the plan expects, and, in a plan with
    /// proofs of encryption, that its proof holds for this `binding`.
    fn verify(
        &self,
        submitter: usize,
        families: usize,
        chunk: &[u8],
        binding: &[u8; 32],
    ) -> Result<(), EngineError>;
}

/// What is evaluated together.
#[derive(Clone, Debug)]
pub struct Chunk<'a> {
    /// How many slots.
    pub families: usize,
    /// What each submitter sent, in the order of the plan; nothing from one that was excluded: its columns then have the
    /// missing values.
    pub inputs: Vec<Option<&'a [u8]>>,
    /// A hash (public) of all that was submitted and of the chunk's number: what engines derive randomness from that no
    /// submitter may foresee.
    pub seed: [u8; 32],
}

/// What the evaluator can do: it holds the evaluation key only.
pub trait Evaluate: Send + Sync {
    /// Runs the plan on one chunk. The result is a function of the arguments.
    ///
    /// Proofs are not looked at, see [`Verify`]. `progress` is called with the number of families finished since the last
    /// call, from any thread.
    fn evaluate(
        &self,
        chunk: &Chunk<'_>,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<Evaluated, EngineError>;

    /// How many chunks are best handed to the cores together: 1 for an engine that spreads one chunk over all cores.
    fn chunks_at_once(&self) -> usize {
        1
    }

    /// What else than the plan decides about the bits of results on this machine, for receipts; empty if nothing does.
    fn platform(&self) -> String {
        String::new()
    }
}

/// What a single holder of the whole key could do. No party of a round can: it is for tests, measurements and
/// comparisons; the parties have [`OpenShare`](crate::OpenShare).
#[cfg(feature = "open")]
pub trait Open: Send + Sync {
    /// Opens one chunk of `families` results to numbers, see [`blindtier_policy::Policy::code`].
    fn open(&self, families: usize, results: &[u8]) -> Result<Vec<u32>, EngineError>;
}

/// The outcome of evaluating one chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluated {
    /// Encrypted tiers.
    pub results: Vec<u8>,
    /// Costly operations that were done, as the plan's [`Operations`](crate::Operations) counts them.
    pub operations: u64,
}

/// Names an engine and everything two parties must agree on to exchange ciphertexts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineId {
    /// `clear`, `tfhe`, `bfv`.
    pub name: String,
    /// Parameter set and library version.
    pub parameters: String,
}

impl std::fmt::Display for EngineId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.name, self.parameters)
    }
}

/// Why an engine refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The bytes are not what the plan expects at this place.
    #[error("{what} is malformed: {detail}")]
    Malformed {
        /// Which object.
        what: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// A key or ciphertext was made with other parameters.
    #[error("{what} was made with other parameters: expected {expected}, found {found}")]
    Parameters {
        /// Which object.
        what: &'static str,
        /// The parameters of this round.
        expected: String,
        /// What the object has.
        found: String,
    },
    /// A proof of encryption does not hold.
    #[error("a proof of encryption does not hold: {detail}")]
    Proof {
        /// Which, and what it would have shown.
        detail: String,
    },
    /// A clear value lies outside its column's declared range.
    #[error("column {column}: value {value} is outside {min}..={max}")]
    OutOfRange {
        /// Position of the column among the agency's columns.
        column: usize,
        /// The value.
        value: i64,
        /// Smallest allowed.
        min: i64,
        /// Largest allowed.
        max: i64,
    },
    /// The caller's arguments do not fit the plan.
    #[error("{what}: expected {expected}, found {found}")]
    Shape {
        /// What was counted.
        what: &'static str,
        /// The plan's count.
        expected: usize,
        /// The caller's count.
        found: usize,
    },
    /// The engine cannot run this circuit.
    #[error("the policy does not fit engine {engine}: {reason}")]
    Unsupported {
        /// Engine name.
        engine: &'static str,
        /// Which part is too wide or too deep, and what would fit.
        reason: String,
    },
    /// Results computed on this processor would differ in some bits from everybody else's.
    #[error(
        "engine {engine} needs {needs}; run it on another machine, or plan the round for another engine"
    )]
    Processor {
        /// Engine name.
        engine: &'static str,
        /// What the processor lacks, and which ones have it.
        needs: &'static str,
    },
}
