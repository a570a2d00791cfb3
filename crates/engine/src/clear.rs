//! The clear engine: the same circuit on plain numbers. It hides nothing; it is the simulator and the
//! engine that the others are compared with.

use crate::plan::{Operation, Operations, Plan, PlanSummary, Proofs, check_columns, check_inputs};
use crate::{Chunk, Encrypt, EngineError, EngineId, Evaluate, Evaluated, Verify};
use bincode::Options;
use blindtier_policy::Policy;
use blindtier_policy::circuit::{Circuit, Inputs, Step};
use blindtier_policy::passes::{Layout, Prices, ReduceError, reduce};

/// The most bytes a clear chunk may have.
const CHUNK_LIMIT: u64 = 1 << 30;

/// A circuit to be run in the clear.
#[derive(Clone, Debug)]
pub struct ClearEngine {
    circuit: Circuit,
}

/// Prices of the clear engine: lookups as wide as tfhe's, cuts of any width for one.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClearPrices;

impl Prices for ClearPrices {
    fn width(&self) -> usize {
        16
    }

    fn cut(&self, _max: i64, _at: &[i64]) -> Option<u32> {
        Some(1)
    }
}

impl ClearEngine {
    /// Plans a policy.
    pub fn new(policy: &Policy, layout: Layout) -> Result<Self, ReduceError> {
        Ok(Self { circuit: reduce(policy, layout, &ClearPrices)? })
    }
}

impl Plan for ClearEngine {
    fn inputs(&self) -> &Inputs {
        &self.circuit.inputs
    }

    fn summary(&self) -> PlanSummary {
        let engine = EngineId { name: "clear".into(), parameters: "none".into() };
        let bytes = bincode::options().serialize(&self.circuit).unwrap_or_default();
        PlanSummary {
            engine,
            layout: self.circuit.inputs.layout,
            operations: Operations {
                operation: Operation::Lookup,
                tier: u32::try_from(self.circuit.steps.len()).unwrap_or(u32::MAX),
                opt_out: 0,
                checks: 0,
            },
            proofs: Proofs::Off,
            submitters: self.circuit.inputs.submitters(),
            hash: blake3::derive_key("blindtier clear plan v1", &bytes),
        }
    }

    fn upload_bytes(&self, submitter: usize, families: usize) -> u64 {
        let columns = self.circuit.inputs.columns_of(submitter).len();
        u64::try_from(8 + columns * (8 + 8 * families)).unwrap_or(u64::MAX)
    }

    fn result_bytes(&self, families: usize) -> u64 {
        u64::try_from(families).unwrap_or(u64::MAX)
    }

    fn shares(&self) -> u32 {
        1
    }

    fn flooding_distance(&self, _families: u64) -> f64 {
        // There is no noise to see.
        f64::NEG_INFINITY
    }

    fn describe(&self) -> Vec<String> {
        self.circuit
            .steps
            .iter()
            .map(|step| match step {
                Step::Lookup { table, .. } => format!("lookup of {} values", table.len()),
                Step::Cut { max, at, .. } => {
                    format!("cut of {} values at {} places", max + 1, at.len())
                }
            })
            .collect()
    }
}

impl Encrypt for ClearEngine {
    fn encrypt(
        &self,
        submitter: usize,
        columns: &[Vec<i64>],
        _binding: &[u8; 32],
    ) -> Result<Vec<u8>, EngineError> {
        check_columns(&self.circuit.inputs, submitter, columns)?;
        bincode::options()
            .with_fixint_encoding()
            .serialize(columns)
            .map_err(|e| EngineError::Malformed { what: "columns", detail: e.to_string() })
    }
}

impl ClearEngine {
    /// The columns of a submitter's chunk.
    fn decode(
        &self,
        submitter: usize,
        families: usize,
        chunk: &[u8],
    ) -> Result<Vec<Vec<i64>>, EngineError> {
        let sent: Vec<Vec<i64>> = bincode::options()
            .with_fixint_encoding()
            .with_limit(CHUNK_LIMIT)
            .deserialize(chunk)
            .map_err(|e| EngineError::Malformed { what: "columns", detail: e.to_string() })?;
        let found = check_columns(&self.circuit.inputs, submitter, &sent)?;
        if found != families {
            return Err(EngineError::Shape { what: "families", expected: families, found });
        }
        Ok(sent)
    }
}

impl Verify for ClearEngine {
    fn verify(
        &self,
        submitter: usize,
        families: usize,
        chunk: &[u8],
        _binding: &[u8; 32],
    ) -> Result<(), EngineError> {
        self.decode(submitter, families, chunk).map(|_| ())
    }
}

impl Evaluate for ClearEngine {
    fn evaluate(
        &self,
        chunk: &Chunk<'_>,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<Evaluated, EngineError> {
        let (inputs, families) = (&self.circuit.inputs, chunk.families);
        let submitters = inputs.submitters();
        check_inputs(&submitters, &chunk.inputs)?;
        let mut columns: Vec<Vec<i64>> =
            (0..inputs.columns.len()).map(|c| vec![inputs.missing_value(c); families]).collect();
        for (submitter, bytes) in submitters.iter().zip(&chunk.inputs) {
            let Some(bytes) = bytes else { continue };
            let sent = self.decode(*submitter, families, bytes)?;
            for (position, column) in inputs.columns_of(*submitter).into_iter().zip(sent) {
                if let Some(slot) = columns.get_mut(position) {
                    *slot = column;
                }
            }
        }
        let mut results = Vec::with_capacity(families);
        for family in 0..families {
            let values: Vec<i64> =
                columns.iter().map(|c| c.get(family).copied().unwrap_or_default()).collect();
            let tier = self.circuit.evaluate_columns(&values);
            results.push(u8::try_from(tier).unwrap_or(u8::MAX));
            progress(1);
        }
        let operations = self.summary().operations.count(families);
        Ok(Evaluated { results, operations })
    }
}

#[cfg(feature = "open")]
impl crate::Open for ClearEngine {
    fn open(&self, families: usize, results: &[u8]) -> Result<Vec<u32>, EngineError> {
        if results.len() != families {
            return Err(EngineError::Shape {
                what: "results",
                expected: families,
                found: results.len(),
            });
        }
        Ok(results.iter().copied().map(u32::from).collect())
    }
}
