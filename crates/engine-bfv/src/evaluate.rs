//! The evaluator's side.

use crate::bytes::{append, read};
use crate::kernel::{Ciphertext, Kernel};
use crate::parameters::Parameters;
use crate::plaintext::{add_plaintext, slots};
use crate::plan::{BfvPlan, check_families};
use crate::program::{Linear, Node, Program, Value};
use crate::random::Stream;
use crate::slots::Slots;
use blindtier_engine::{Chunk, EngineError, Evaluate, Evaluated, check_inputs};

/// Computes tiers with the evaluation key.
pub struct BfvEvaluate {
    pub(crate) plan: BfvPlan,
    pub(crate) kernel: Kernel,
    slots: Slots,
    pub(crate) submitters: Vec<usize>,
}

impl BfvEvaluate {
    /// Takes a plan (public) and an evaluation key's bytes (public), and prepares the key.
    pub fn new(plan: &BfvPlan, key: &[u8]) -> Result<Self, EngineError> {
        Self::with(plan, &plan.parameters, key)
    }

    /// With the modulus of other results.
    pub(crate) fn with(
        plan: &BfvPlan,
        parameters: &Parameters,
        key: &[u8],
    ) -> Result<Self, EngineError> {
        let kernel = Kernel::new(parameters, key)?;
        let submitters = plan.inputs.submitters();
        let slots = slots(plan.parameters.degree)?;
        Ok(Self { plan: plan.clone(), kernel, slots, submitters })
    }

    /// Multiplies two ciphertexts and relinearises the product: one bare multiplication, for measurements.
    pub fn bare_multiplication(&self) {
        let factors = (Linear::of(Value::Input(0)), Linear::of(Value::Input(1)));
        let output = Node { products: vec![factors], linear: Linear::default() };
        let program = Program { output, ..Program::default() };
        let inputs = vec![self.kernel.constant(1), self.kernel.constant(2)];
        std::hint::black_box(self.kernel.run(&program, inputs, &|_| Vec::new()));
    }

    /// What the program computes with, in its order. A submitter that was left out has the values of a family that its
    /// register does not know, as messages without encryption. If they have to be known, nobody's values count: then the
    /// tier is the same for every family and withheld.
    pub(crate) fn inputs(&self, chunk: &Chunk<'_>) -> Result<Vec<Ciphertext>, EngineError> {
        let BfvPlan { inputs, gates, .. } = &self.plan;
        let basis = self.kernel.basis();
        let mut sent: Vec<Option<Ciphertext>> = vec![None; gates.covers().end];
        for (submitter, bytes) in self.submitters.iter().zip(&chunk.inputs) {
            let Some(bytes) = bytes else { continue };
            let own = self.plan.sent_by(*submitter);
            let mut parts = read("chunk", basis, 2 * own.len(), bytes)?.into_iter();
            for position in own {
                if let (Some(cell), Some(c0), Some(c1)) =
                    (sent.get_mut(position), parts.next(), parts.next())
                {
                    *cell = Some([c0, c1]);
                }
            }
        }
        let left_out = |column: &usize| sent.get(*column).is_none_or(Option::is_none);
        let undecided = inputs.unknown_columns().iter().any(left_out);
        let message = |value: i64| self.kernel.constant(value);
        let complete = sent.into_iter().enumerate().map(|(position, sent)| {
            if gates.covers().contains(&position) {
                let [mut c0, c1] = sent.unwrap_or_else(|| message(0));
                let offsets = gates.offsets(&chunk.seed, position, self.slots.degree());
                add_plaintext(basis, &mut c0, &self.slots.encode(&offsets, 0));
                return [c0, c1];
            }
            let missing = inputs.missing_value(position);
            if gates.contains(position) {
                return sent.unwrap_or_else(|| message(missing * gates.closed()));
            }
            sent.filter(|_| !undecided).unwrap_or_else(|| message(missing))
        });
        Ok(complete.collect())
    }

    /// The factors (public) of a check's slots, as a polynomial below the plaintext modulus.
    fn factor(&self, seed: &[u8; 32], check: usize) -> Vec<u64> {
        let position = u64::try_from(check).unwrap_or(u64::MAX).to_le_bytes();
        let mut stream = Stream::derive("blindtier bfv check factors v1", &[seed, &position]);
        self.slots.encode(&stream.nonzero(self.slots.degree()), 0)
    }
}

impl Evaluate for BfvEvaluate {
    fn evaluate(
        &self,
        chunk: &Chunk<'_>,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<Evaluated, EngineError> {
        check_inputs(&self.submitters, &chunk.inputs)?;
        check_families(chunk.families, self.slots.degree())?;
        let inputs = self.inputs(chunk)?;
        let factor = |check| self.factor(&chunk.seed, check);
        let (result, operations) = self.kernel.run(&self.plan.program, inputs, &factor);
        let mut results = Vec::new();
        for part in &self.kernel.shrink(result) {
            append(&mut results, self.kernel.result_basis(), part);
        }
        progress(chunk.families);
        Ok(Evaluated { results, operations })
    }

    fn chunks_at_once(&self) -> usize {
        // Several for each core, so that no core waits long for the last one; each holds one at a time.
        4 * rayon::current_num_threads()
    }
}
