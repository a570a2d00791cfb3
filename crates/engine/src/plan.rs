//! What every engine's plan tells about itself. Plans are public and hashed.

use crate::EngineId;
use blindtier_policy::circuit::Inputs;
use blindtier_policy::passes::Layout;

/// The public summary of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanSummary {
    /// Engine and parameters.
    pub engine: EngineId,
    /// How indicators are grouped.
    pub layout: Layout,
    /// What a tier costs.
    pub operations: Operations,
    /// Whether ciphertexts are proven, or checked, to hold allowed values.
    pub proofs: Proofs,
    /// Positions of those that send columns, ascending: agencies, and behind them the registrar.
    pub submitters: Vec<usize>,
    /// BLAKE3 hash of the plan.
    pub hash: [u8; 32],
}

/// Whether a submitter shows that its ciphertexts hold allowed values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Proofs {
    /// It does not: whoever submits is believed.
    #[default]
    Off,
    /// A proof comes with every chunk, or the engine checks values while it computes.
    On,
}

/// The costly operation of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A lookup (bootstrap), for one family.
    Lookup,
    /// A multiplication of two ciphertexts, for all slots of a chunk at once.
    Multiplication,
}

/// How many of an engine's costly operations a plan does: for one family, or for one chunk however many families are
/// in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operations {
    /// What is counted.
    pub operation: Operation,
    /// For the tier alone.
    pub tier: u32,
    /// To put "opted out" in the tier's place.
    pub opt_out: u32,
    /// To check that submitted values are allowed.
    pub checks: u32,
}

impl Operations {
    /// All of them.
    pub fn total(self) -> u32 {
        self.tier.saturating_add(self.opt_out).saturating_add(self.checks)
    }

    /// How many a chunk of so many families costs.
    pub fn count(self, families: usize) -> u64 {
        let total = u64::from(self.total());
        match self.operation {
            Operation::Lookup => total.saturating_mul(u64::try_from(families).unwrap_or(u64::MAX)),
            Operation::Multiplication => total,
        }
    }

    /// Lookups for one family's tier; 0 where there are none.
    pub fn lookups_per_family(self) -> u32 {
        match self.operation {
            Operation::Lookup => self.tier,
            Operation::Multiplication => 0,
        }
    }

    /// What is counted.
    pub fn name(self) -> &'static str {
        match self.operation {
            Operation::Lookup => "lookups",
            Operation::Multiplication => "multiplications",
        }
    }
}

/// An engine's plan for one policy.
pub trait Plan: Send + Sync {
    /// What agencies encrypt, and how they compute it.
    fn inputs(&self) -> &Inputs;

    /// The public summary.
    fn summary(&self) -> PlanSummary;

    /// Bytes of one chunk of a submitter's submission, without its envelope.
    fn upload_bytes(&self, submitter: usize, families: usize) -> u64;

    /// Bytes of one chunk of results, without its envelope.
    fn result_bytes(&self, families: usize) -> u64;

    /// How many slots a chunk has, where the engine fixes it: a batched engine packs a chunk into one ciphertext
    /// a column.
    fn chunk_slots(&self) -> Option<u32> {
        None
    }

    /// Into how many additive shares the key is cut.
    fn shares(&self) -> u32;

    /// Base-2 logarithm of a bound on the statistical distance between what `families` partial decryptions show and
    /// what can be computed without the key: how much noise all of them together leave visible under the flooding.
    fn flooding_distance(&self, families: u64) -> f64;

    /// A few lines for people: what is sent, what is computed, what it costs.
    fn describe(&self) -> Vec<String>;
}

/// Checks that there is one input for each submitter.
pub fn check_inputs(
    submitters: &[usize],
    inputs: &[Option<&[u8]>],
) -> Result<(), crate::EngineError> {
    if inputs.len() == submitters.len() {
        return Ok(());
    }
    Err(crate::EngineError::Shape {
        what: "submitters",
        expected: submitters.len(),
        found: inputs.len(),
    })
}

/// Checks a chunk's columns against the plan's inputs: how many, equally long, inside their ranges.
/// Returns the number of families.
pub fn check_columns(
    inputs: &Inputs,
    submitter: usize,
    columns: &[Vec<i64>],
) -> Result<usize, crate::EngineError> {
    let expected = inputs.columns_of(submitter);
    if columns.len() != expected.len() {
        return Err(crate::EngineError::Shape {
            what: "columns of the submitter",
            expected: expected.len(),
            found: columns.len(),
        });
    }
    let families = columns.first().map_or(0, Vec::len);
    for (index, (column, position)) in columns.iter().zip(&expected).enumerate() {
        if column.len() != families {
            return Err(crate::EngineError::Shape {
                what: "families in a column",
                expected: families,
                found: column.len(),
            });
        }
        let (min, max) = inputs.columns.get(*position).map_or((0, 0), |c| c.range);
        if let Some(value) = column.iter().find(|v| **v < min || **v > max) {
            return Err(crate::EngineError::OutOfRange { column: index, value: *value, min, max });
        }
    }
    Ok(families)
}
