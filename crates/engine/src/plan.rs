//! What every engine's plan tells about itself. Plans are public and hashed.

use crate::EngineId;
use blindtier_policy::circuit::Circuit;
use blindtier_policy::passes::Layout;

/// The public summary of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanSummary {
    /// Engine and parameters.
    pub engine: EngineId,
    /// How indicators are grouped.
    pub layout: Layout,
    /// Lookups for one family's tier.
    pub lookups_per_family: u32,
    /// Positions of the agencies that send columns, ascending.
    pub agencies: Vec<usize>,
    /// BLAKE3 hash of the plan.
    pub hash: [u8; 32],
}

/// An engine's plan for one circuit.
pub trait Plan: Send + Sync {
    /// The circuit it runs. An agency computes its columns with it.
    fn circuit(&self) -> &Circuit;

    /// The public summary.
    fn summary(&self) -> PlanSummary;

    /// Bytes of one chunk of an agency's submission, without its envelope.
    fn upload_bytes(&self, agency: usize, families: usize) -> u64;

    /// Bytes of one chunk of results, without its envelope.
    fn result_bytes(&self, families: usize) -> u64;

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

/// Checks a chunk's columns against the plan's circuit: how many, equally long, inside their ranges.
/// Returns the number of families.
pub fn check_columns(
    circuit: &Circuit,
    agency: usize,
    columns: &[Vec<i64>],
) -> Result<usize, crate::EngineError> {
    let expected = circuit.columns_of(agency);
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
        let (min, max) = circuit.columns.get(*position).map_or((0, 0), |c| c.range);
        if let Some(value) = column.iter().find(|v| **v < min || **v > max) {
            return Err(crate::EngineError::OutOfRange { column: index, value: *value, min, max });
        }
    }
    Ok(families)
}
