//! The clear engine: the same circuit on plain numbers. It hides nothing; it is the simulator and the
//! engine that the others are compared with.

use crate::plan::{Operations, Plan, PlanSummary, check_columns, check_inputs};
use crate::{Encrypt, EngineError, EngineId, Evaluate, Evaluated};
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
            operations: Operations::Lookups {
                a_family: u32::try_from(self.circuit.steps.len()).unwrap_or(u32::MAX),
            },
            agencies: self.circuit.inputs.agencies(),
            hash: blake3::derive_key("blindtier clear plan v1", &bytes),
        }
    }

    fn upload_bytes(&self, agency: usize, families: usize) -> u64 {
        let columns = self.circuit.inputs.columns_of(agency).len();
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
    fn encrypt(&self, agency: usize, columns: &[Vec<i64>]) -> Result<Vec<u8>, EngineError> {
        check_columns(&self.circuit.inputs, agency, columns)?;
        bincode::options()
            .with_fixint_encoding()
            .serialize(columns)
            .map_err(|e| EngineError::Malformed { what: "columns", detail: e.to_string() })
    }
}

impl Evaluate for ClearEngine {
    fn evaluate(
        &self,
        families: usize,
        inputs: &[&[u8]],
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<Evaluated, EngineError> {
        let agencies = self.circuit.inputs.agencies();
        check_inputs(&agencies, inputs)?;
        let mut columns: Vec<Vec<i64>> = vec![Vec::new(); self.circuit.inputs.columns.len()];
        for (agency, bytes) in agencies.iter().zip(inputs) {
            let sent: Vec<Vec<i64>> = bincode::options()
                .with_fixint_encoding()
                .with_limit(CHUNK_LIMIT)
                .deserialize(bytes)
                .map_err(|e| EngineError::Malformed { what: "columns", detail: e.to_string() })?;
            let found = check_columns(&self.circuit.inputs, *agency, &sent)?;
            if found != families {
                return Err(EngineError::Shape { what: "families", expected: families, found });
            }
            for (position, column) in self.circuit.inputs.columns_of(*agency).into_iter().zip(sent)
            {
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
    fn open(&self, families: usize, results: &[u8]) -> Result<Vec<u8>, EngineError> {
        if results.len() != families {
            return Err(EngineError::Shape {
                what: "results",
                expected: families,
                found: results.len(),
            });
        }
        Ok(results.to_vec())
    }
}
