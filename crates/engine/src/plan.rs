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
    /// Positions of the agencies that send columns, ascending.
    pub agencies: Vec<usize>,
    /// BLAKE3 hash of the plan.
    pub hash: [u8; 32],
}

/// How many of an engine's costly operations a plan does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operations {
    /// Lookups (bootstraps), one family after the other.
    Lookups {
        /// For one family.
        a_family: u32,
    },
    /// Multiplications of ciphertexts, for all slots of a chunk at once.
    Multiplications {
        /// For one chunk, however many families are in it.
        a_chunk: u32,
    },
}

impl Operations {
    /// How many a chunk of so many families costs.
    pub fn count(self, families: usize) -> u64 {
        match self {
            Self::Lookups { a_family } => {
                u64::from(a_family).saturating_mul(u64::try_from(families).unwrap_or(u64::MAX))
            }
            Self::Multiplications { a_chunk } => u64::from(a_chunk),
        }
    }

    /// Lookups for one family; 0 where there are none.
    pub fn lookups_per_family(self) -> u32 {
        match self {
            Self::Lookups { a_family } => a_family,
            Self::Multiplications { .. } => 0,
        }
    }

    /// What is counted.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lookups { .. } => "lookups",
            Self::Multiplications { .. } => "multiplications",
        }
    }
}

/// An engine's plan for one policy.
pub trait Plan: Send + Sync {
    /// What agencies encrypt, and how they compute it.
    fn inputs(&self) -> &Inputs;

    /// The public summary.
    fn summary(&self) -> PlanSummary;

    /// Bytes of one chunk of an agency's submission, without its envelope.
    fn upload_bytes(&self, agency: usize, families: usize) -> u64;

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

/// Checks that there is one chunk for each agency that has columns.
pub fn check_inputs(agencies: &[usize], inputs: &[&[u8]]) -> Result<(), crate::EngineError> {
    if inputs.len() == agencies.len() {
        return Ok(());
    }
    Err(crate::EngineError::Shape {
        what: "agencies",
        expected: agencies.len(),
        found: inputs.len(),
    })
}

/// Checks a chunk's columns against the plan's inputs: how many, equally long, inside their ranges.
/// Returns the number of families.
pub fn check_columns(
    inputs: &Inputs,
    agency: usize,
    columns: &[Vec<i64>],
) -> Result<usize, crate::EngineError> {
    let expected = inputs.columns_of(agency);
    if columns.len() != expected.len() {
        return Err(crate::EngineError::Shape {
            what: "columns of the agency",
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
