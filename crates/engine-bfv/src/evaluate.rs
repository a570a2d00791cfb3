//! The evaluator's side.

use crate::bytes::{append, read};
use crate::kernel::{Ciphertext, Kernel};
use crate::plan::{BfvPlan, check_families};
use blindtier_engine::{EngineError, Evaluate, Evaluated, check_inputs};

/// Computes tiers with the evaluation key.
pub struct BfvEvaluate {
    plan: BfvPlan,
    kernel: Kernel,
    agencies: Vec<usize>,
}

impl BfvEvaluate {
    /// Takes a plan (public) and an evaluation key's bytes (public), and prepares the key.
    pub fn new(plan: &BfvPlan, key: &[u8]) -> Result<Self, EngineError> {
        let kernel = Kernel::new(&plan.parameters, key)?;
        let agencies = plan.inputs.agencies();
        Ok(Self { plan: plan.clone(), kernel, agencies })
    }
}

impl Evaluate for BfvEvaluate {
    fn evaluate(
        &self,
        families: usize,
        inputs: &[&[u8]],
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<Evaluated, EngineError> {
        check_inputs(&self.agencies, inputs)?;
        check_families(families, self.kernel.basis().degree())?;
        let mut columns: Vec<Ciphertext> =
            vec![Ciphertext::default(); self.plan.inputs.columns.len()];
        for (agency, bytes) in self.agencies.iter().zip(inputs) {
            let own = self.plan.inputs.columns_of(*agency);
            let mut read = read("column", self.kernel.basis(), 2 * own.len(), bytes)?.into_iter();
            for position in own {
                if let (Some(cell), Some(c0), Some(c1)) =
                    (columns.get_mut(position), read.next(), read.next())
                {
                    *cell = [c0, c1];
                }
            }
        }
        let (result, multiplications) = self.kernel.run(&self.plan.program, columns);
        let result = self.kernel.shrink(result);
        let mut results = Vec::new();
        for part in &result {
            append(&mut results, self.kernel.result_basis(), part);
        }
        progress(families);
        Ok(Evaluated { results, operations: multiplications })
    }

    fn chunks_at_once(&self) -> usize {
        // Several for each core, so that no core waits long for the last one; each holds one at a time.
        4 * rayon::current_num_threads()
    }
}
