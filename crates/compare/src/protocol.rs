//! How the comparison speaks with an approach: a request file, then lines of JSON over its standard input and output.
//!
//! Every approach is a process of its own, ours too, so that each is measured in the same way and has its own memory.

use blindtier_policy::circuit::{Circuit, Linear, Operand, Step};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Version of the request file.
pub const FORMAT: u32 = 1;

/// What an approach is told once, before it makes its keys.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    /// Version of this shape, [`FORMAT`].
    pub format: u32,
    /// Name of the policy.
    pub policy: String,
    /// `folded` or `per-indicator`.
    pub layout: String,
    /// How many threads it may use.
    pub threads: u32,
    /// Ranges of the circuit's columns.
    pub columns: Vec<Range>,
    /// The circuit's costly steps, in order: `{"lookup": …}` or `{"cut": …}`.
    pub steps: Vec<Value>,
    /// The tier.
    pub output: Value,
    /// The families, column by column.
    pub values: Vec<Vec<i64>>,
    /// The circuit as sums of products, for a library of batched encryption.
    pub bfv: Option<Value>,
    /// The policy file's text.
    pub policy_text: String,
    /// The families' indicators, family by family.
    pub indicators: Vec<Vec<i64>>,
}

/// Smallest and largest value of a column.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Range {
    /// Smallest.
    pub min: i64,
    /// Largest.
    pub max: i64,
}

/// What an approach says when its keys are made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ready {
    /// Always true.
    pub ready: bool,
    /// Name of the library.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Parameters, in one line.
    pub parameters: String,
    /// Bits of security.
    pub security_bits: Option<u32>,
    /// Base-2 logarithm of the probability that a family's tier is wrong.
    pub failure_log2: Option<f64>,
    /// Lookups a family.
    pub lookups: Option<u64>,
    /// Multiplications of ciphertexts a chunk.
    pub multiplications: Option<u64>,
    /// Rounds of interaction during evaluation.
    pub rounds: Option<u64>,
    /// Seconds for compiling and keys.
    pub setup_seconds: f64,
    /// Bytes of the evaluation key.
    pub key_bytes: Option<u64>,
    /// Bytes that all agencies send a family.
    pub upload_bytes_per_family: Option<f64>,
    /// Bytes of a result a family.
    pub result_bytes_per_family: Option<f64>,
    /// Families that are computed at once.
    pub chunk: u64,
    /// What a reader has to know.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// What an approach is told to do.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Encrypt, evaluate and open these families.
    Run {
        /// Position of the first.
        first: u64,
        /// How many.
        families: u64,
    },
    /// End.
    Quit(bool),
}

/// What a run came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Done {
    /// Seconds of evaluation.
    pub seconds: f64,
    /// Seconds of encryption.
    pub encrypt_seconds: f64,
    /// Seconds of opening.
    pub open_seconds: f64,
    /// How many families.
    pub families: u64,
    /// How many slots were paid for.
    pub slots: u64,
    /// Opened tiers, by position; a number that is no tier where something went wrong.
    pub tiers: Vec<i64>,
    /// Largest resident memory of the process so far.
    pub peak_memory_bytes: Option<u64>,
    /// Seconds that the same number of bare operations took right afterwards, where that was measured.
    #[serde(default)]
    pub floor_seconds: Option<f64>,
    /// Lookups a family, where only a run tells.
    #[serde(default)]
    pub lookups: Option<u64>,
    /// Base-2 logarithm of the probability that a family's tier is wrong, where only a run tells.
    #[serde(default)]
    pub failure_log2: Option<f64>,
}

/// Anything that an approach says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Answer {
    /// It failed.
    Error {
        /// Why.
        error: String,
    },
    /// Its keys are made.
    Ready(Box<Ready>),
    /// A run is done.
    Done(Done),
}

/// The most bytes that a line of an approach may have.
pub const LINE_LIMIT: u64 = 64 << 20;

/// A circuit's steps and output as the request has them.
pub fn steps(circuit: &Circuit) -> (Vec<Value>, Value) {
    let steps = circuit.steps.iter().map(|step| match step {
        Step::Lookup { input, table } => {
            json!({ "lookup": { "input": linear(input), "table": table } })
        }
        Step::Cut { input, max, at, first } => {
            json!({ "cut": { "input": linear(input), "max": max, "at": at, "first": first } })
        }
    });
    (steps.collect(), linear(&circuit.output))
}

fn linear(sum: &Linear) -> Value {
    let terms = sum.terms.iter().map(|(operand, weight)| match operand {
        Operand::Column(column) => json!(["column", column, weight]),
        Operand::Step(step) => json!(["step", step, weight]),
    });
    json!({ "terms": terms.collect::<Vec<_>>(), "constant": sum.constant })
}

impl Done {
    /// A run that paid for exactly its families.
    pub(crate) fn of(
        tiers: Vec<i64>,
        families: usize,
        seconds: f64,
        encrypt_seconds: f64,
        open_seconds: f64,
    ) -> Self {
        let families = u64::try_from(families).unwrap_or(u64::MAX);
        Self {
            seconds,
            encrypt_seconds,
            open_seconds,
            families,
            slots: families,
            tiers,
            peak_memory_bytes: None,
            floor_seconds: None,
            lookups: None,
            failure_log2: None,
        }
    }
}
