//! The engines of this project, with all capabilities in one place: measured, not used.

use super::{Approach, columns};
use crate::CompareError;
use crate::protocol::{Done, Ready};
use blindtier_engine::{Chunk, Encrypt, EngineError, Evaluate, Open, Operation, Plan, Proofs};
use blindtier_engine_bfv::{BfvEncrypt, BfvEvaluate, BfvOpen, BfvPlan, ROUND_FAMILIES};
use blindtier_engine_tfhe::{
    Ciphertext, TfheEncrypt, TfheEvaluate, TfheOpen, TfhePlan, bare_lookup_input,
};
use blindtier_policy::passes::Layout;
use blindtier_policy::{Code, Interpreter, Policy};
use blindtier_report::Spread;
use rayon::prelude::*;
use std::time::Instant;

/// Slots of a chunk with tfhe, as rounds have by default.
const TFHE_CHUNK: usize = 512;

/// An engine with whole keys.
pub(crate) struct Measured {
    policy: Policy,
    ready: Ready,
    plan: Box<dyn Plan>,
    encrypt: Box<dyn Encrypt>,
    evaluate: Evaluator,
    open: Box<dyn Open>,
}

/// An evaluator, and what its costly operation takes by itself.
enum Evaluator {
    Tfhe(Box<TfheEvaluate>, Ciphertext),
    Bfv(Box<BfvEvaluate>),
}

impl Evaluator {
    fn evaluate(&self) -> &dyn Evaluate {
        match self {
            Self::Tfhe(evaluate, _) => evaluate.as_ref(),
            Self::Bfv(evaluate) => evaluate.as_ref(),
        }
    }

    /// Seconds of so many bare operations.
    fn floor(&self, count: u64) -> f64 {
        let start = Instant::now();
        match self {
            Self::Tfhe(evaluate, input) => (0..count)
                .into_par_iter()
                .for_each_init(|| input.clone(), |ciphertext, _| evaluate.bare_lookup(ciphertext)),
            Self::Bfv(evaluate) => (0..count).for_each(|_| evaluate.bare_multiplication()),
        }
        start.elapsed().as_secs_f64()
    }
}

impl Measured {
    /// The tfhe engine.
    pub(crate) fn tfhe(policy: Policy, layout: Layout) -> Result<Self, CompareError> {
        let start = Instant::now();
        let plan = TfhePlan::new(&policy, layout, crate::SHARES, Proofs::Off)?;
        let keys = blindtier_engine_tfhe::generate_keys(Proofs::Off)?;
        let evaluate = TfheEvaluate::new(&plan, &keys.public, &keys.evaluation)?;
        let failure: f64 = plan.program().log2_failures().iter().map(|log2| log2.exp2()).sum();
        let mut ready = ready(&plan, start, TFHE_CHUNK, keys.evaluation.len());
        ready.failure_log2 = Some(failure.log2());
        ready.security_bits = Some(132);
        ready.chunk = 1;
        ready
            .notes
            .push(format!("upload in chunks of {TFHE_CHUNK} slots, without proofs of encryption"));
        Ok(Self {
            ready,
            encrypt: Box::new(TfheEncrypt::new(plan.clone(), &keys.public)?),
            open: Box::new(TfheOpen::new(&keys.secret)?),
            evaluate: Evaluator::Tfhe(Box::new(evaluate), bare_lookup_input()),
            plan: Box::new(plan),
            policy,
        })
    }

    /// The bfv engine.
    pub(crate) fn bfv(policy: Policy, layout: Layout) -> Result<Self, CompareError> {
        let start = Instant::now();
        let plan = BfvPlan::new(&policy, layout, crate::SHARES, Proofs::Off)?;
        let keys = blindtier_engine_bfv::generate_keys(&plan)?;
        let evaluate = BfvEvaluate::new(&plan, &keys.evaluation)?;
        let slots = plan.parameters().degree;
        let mut ready = ready(&plan, start, slots, keys.evaluation.len());
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let families = (ROUND_FAMILIES as f64).log2();
        // docs/design.md: the noise bound holds for a whole round but for a chance below 2⁻⁴⁰.
        ready.failure_log2 = Some(-40.0 - families);
        ready.security_bits = Some(128);
        ready.notes.push(format!(
            "a chunk has {slots} slots and costs the same however few are taken; the failure probability is the bound of the noise analysis, spread over {ROUND_FAMILIES} families"
        ));
        Ok(Self {
            ready,
            encrypt: Box::new(BfvEncrypt::new(plan.clone(), &keys.public)?),
            open: Box::new(BfvOpen::new(&plan, &keys.secret)?),
            evaluate: Evaluator::Bfv(Box::new(evaluate)),
            plan: Box::new(plan),
            policy,
        })
    }

    /// What the submitters of a chunk send.
    fn encrypted(&self, families: &[&[i64]]) -> Result<Vec<Vec<u8>>, EngineError> {
        let inputs = self.plan.inputs();
        let submitted = inputs.submitters().into_iter().map(|submitter| {
            let columns = columns(inputs, inputs.columns_of(submitter), families);
            self.encrypt.encrypt(submitter, &columns, &[0; 32])
        });
        submitted.collect()
    }

    /// Seconds of evaluating these families, the median of some repetitions, chunks being handed to the cores as an
    /// evaluator does; and how many tiers are not the clear twin's.
    pub(crate) fn time(
        &self,
        families: impl Iterator<Item = Vec<i64>>,
        repetitions: u32,
    ) -> Result<(f64, u64), CompareError> {
        let twin = Interpreter::new(&self.policy)?;
        let evaluate = self.evaluate.evaluate();
        let (mut seconds, mut disagree) = (0.0, 0);
        let mut families = families.peekable();
        while families.peek().is_some() {
            let mut group = Vec::new();
            while group.len() < evaluate.chunks_at_once() && families.peek().is_some() {
                let chunk: Vec<Vec<i64>> = families.by_ref().take(self.slots()).collect();
                let rows: Vec<&[i64]> = chunk.iter().map(Vec::as_slice).collect();
                let encrypted = self.encrypted(&rows)?;
                group.push((chunk, encrypted));
            }
            let mut times = Vec::new();
            let mut results = Vec::new();
            for _ in 0..repetitions.max(1) {
                let start = Instant::now();
                let evaluated = group.par_iter().map(|(chunk, encrypted)| {
                    let inputs = encrypted.iter().map(|bytes| Some(bytes.as_slice())).collect();
                    let chunk = Chunk { families: chunk.len(), inputs, seed: [0; 32] };
                    evaluate.evaluate(&chunk, &|_| {})
                });
                results = evaluated.collect::<Result<Vec<_>, _>>()?;
                times.push(start.elapsed().as_secs_f64());
            }
            seconds += Spread::of(times).median;
            for ((chunk, _), evaluated) in group.iter().zip(&results) {
                let opened = self.open.open(chunk.len(), &evaluated.results)?;
                for (family, number) in chunk.iter().zip(opened) {
                    let tier = i64::try_from(twin.decide(family)?.tier).unwrap_or(i64::MAX);
                    disagree += u64::from(self.tier(number) != tier);
                }
            }
        }
        Ok((seconds, disagree))
    }

    /// Slots of a chunk.
    fn slots(&self) -> usize {
        self.plan.chunk_slots().map_or(TFHE_CHUNK, |slots| slots as usize)
    }

    fn tier(&self, number: u32) -> i64 {
        match self.policy.code(number) {
            Code::Tier(tier) => i64::try_from(tier).unwrap_or(i64::MAX),
            _ => -1,
        }
    }
}

/// What both engines say alike.
fn ready(plan: &dyn Plan, start: Instant, slots: usize, key: usize) -> Ready {
    let summary = plan.summary();
    let upload: u64 =
        summary.submitters.iter().map(|submitter| plan.upload_bytes(*submitter, slots)).sum();
    #[expect(clippy::cast_precision_loss, reason = "sizes for people")]
    let each = |bytes: u64| Some(bytes as f64 / slots.max(1) as f64);
    let count = |operation| {
        (summary.operations.operation == operation).then(|| u64::from(summary.operations.tier))
    };
    Ready {
        ready: true,
        name: format!("blindtier {}", summary.engine.name),
        version: env!("CARGO_PKG_VERSION").into(),
        parameters: summary.engine.parameters.clone(),
        security_bits: None,
        failure_log2: None,
        lookups: count(Operation::Lookup),
        multiplications: count(Operation::Multiplication),
        rounds: Some(0),
        setup_seconds: start.elapsed().as_secs_f64(),
        key_bytes: u64::try_from(key).ok(),
        upload_bytes_per_family: each(upload),
        result_bytes_per_family: each(plan.result_bytes(slots)),
        chunk: u64::try_from(slots).unwrap_or(u64::MAX),
        notes: Vec::new(),
    }
}

impl Approach for Measured {
    fn ready(&self) -> Ready {
        self.ready.clone()
    }

    fn run(&self, families: &[&[i64]]) -> Result<Done, CompareError> {
        let mut done = Done::of(Vec::with_capacity(families.len()), families.len(), 0.0, 0.0, 0.0);
        let mut floor = 0.0;
        done.slots = 0;
        for families in families.chunks(self.slots()) {
            let start = Instant::now();
            let chunks = self.encrypted(families)?;
            done.encrypt_seconds += start.elapsed().as_secs_f64();
            let inputs = chunks.iter().map(|bytes| Some(bytes.as_slice())).collect();
            let chunk = Chunk { families: families.len(), inputs, seed: [0; 32] };
            let start = Instant::now();
            let evaluated = self.evaluate.evaluate().evaluate(&chunk, &|_| {})?;
            done.seconds += start.elapsed().as_secs_f64();
            floor += self.evaluate.floor(evaluated.operations);
            let start = Instant::now();
            let opened = self.open.open(families.len(), &evaluated.results)?;
            done.open_seconds += start.elapsed().as_secs_f64();
            done.tiers.extend(opened.into_iter().map(|number| self.tier(number)));
            let paid = self.plan.chunk_slots().map_or(families.len(), |slots| slots as usize);
            done.slots += u64::try_from(paid).unwrap_or_default();
        }
        done.floor_seconds = Some(floor);
        Ok(done)
    }
}
