//! A plan and a number of families → the round that is estimated.

use super::super::engine::AnyPlan;
use super::program;
use blindtier_engine::{Operation, Plan as _, Proofs};
use blindtier_engine_bfv::BfvPlan;
use blindtier_estimate::{
    BfvPlan as BfvFigures, Chunked, Operations, Plan, Round, Submitter, Trustee,
};
use blindtier_policy::Policy;
use blindtier_wire::Sharing;

/// Bits of the prime that is there while a bfv column is encrypted.
const ENCRYPTION_BITS: u64 = 30;

/// What the round's families and machines are.
pub struct Setting {
    pub families: u64,
    pub cores: u32,
    pub sharing: Sharing,
    /// Slots a chunk.
    pub chunk: u32,
    /// Seconds that planning took here.
    pub planning: f64,
}

/// The round of a plan.
pub fn round(policy: &Policy, any: &AnyPlan, setting: &Setting) -> Round {
    let (plan, summary) = (any.plan(), any.summary());
    let chunk = u64::from(setting.chunk);
    let chunks = setting.families.div_ceil(chunk.max(1));
    let last = setting.families - chunks.saturating_sub(1) * chunk;
    let [slots, last] = [chunk, last].map(|n| usize::try_from(n).unwrap_or(usize::MAX));
    let submitters = summary.submitters.iter().map(|position| {
        let upload = [slots, last].map(|slots| plan.upload_bytes(*position, slots));
        let [full, last] = upload;
        let agency = policy.agencies.get(*position);
        let indicators = policy.indicators.iter().filter(|i| i.agency == *position).count();
        Submitter {
            name: agency.map_or("registrar".into(), |agency| format!("agency:{}", agency.id)),
            ciphertexts: ciphertexts(any, *position, full),
            // The registrar seals whether a family said no.
            values: if agency.is_some() { indicators as u64 } else { 1 },
            upload: Chunked { full, last },
        }
    });
    let submitters: Vec<Submitter> = submitters.collect();
    let sharing = setting.sharing;
    let trustees = sharing.names().zip(1u16..).map(|(name, number)| Trustee {
        name: name.to_string(),
        made: (0..sharing.shares()).filter(|share| sharing.maker(*share) == number).count() as u64,
        held: sharing.held_by(number).len() as u64,
    });
    let operations = summary.operations;
    let each = u64::from(operations.total());
    let all = each
        * match operations.operation {
            Operation::Lookup => setting.families,
            Operation::Multiplication => chunks,
        };
    let inputs: u64 = submitters.iter().map(|submitter| submitter.ciphertexts).sum();
    let (engine, kind) = match any {
        AnyPlan::Tfhe(_) => (blindtier_engine_tfhe::platform_features(), Plan::Tfhe),
        AnyPlan::Bfv(plan) => (String::new(), Plan::Bfv(bfv(plan, inputs))),
    };
    let (arch, os, release) =
        (std::env::consts::ARCH, std::env::consts::OS, env!("CARGO_PKG_VERSION"));
    Round {
        families: setting.families,
        chunk,
        cores: setting.cores,
        engine: [summary.engine.name, summary.engine.parameters],
        platform: format!("{arch} {os} blindtier {release} {engine}").trim_end().to_owned(),
        trustees: trustees.collect(),
        shares: u64::from(sharing.shares()),
        openers: sharing.majority() as u64,
        operations: Operations { name: operations.name(), each, all },
        results: Chunked { full: plan.result_bytes(slots), last: plan.result_bytes(last) },
        proofs: summary.proofs == Proofs::On,
        planning: setting.planning,
        plan: kind,
        submitters,
    }
}

/// Ciphertexts that a submitter sends a family, or a chunk.
fn ciphertexts(any: &AnyPlan, submitter: usize, upload: u64) -> u64 {
    match any {
        AnyPlan::Tfhe(plan) => {
            let inputs = plan.program().inputs.iter();
            inputs.filter(|input| input.submitter == submitter).count() as u64
        }
        AnyPlan::Bfv(plan) => {
            let parameters = plan.parameters();
            upload / parameters.ciphertext_bytes(parameters.modulus_bits).max(1)
        }
    }
}

/// What the cost of a bfv plan depends on, with so many ciphertexts a chunk.
pub fn bfv(plan: &BfvPlan, inputs: u64) -> BfvFigures {
    let parameters = plan.parameters();
    let program = plan.program();
    let [held, held_extension] = program::held(program, inputs);
    BfvFigures {
        ring: program::ring(plan),
        work: program::work(program, u32::try_from(inputs).unwrap_or(u32::MAX)),
        modulus_bits: u64::from(parameters.modulus_bits),
        encryption_bits: ENCRYPTION_BITS,
        result_bits: u64::from(parameters.result_bits()),
        held,
        held_extension,
    }
}

/// Ciphertexts of a bfv plan in all.
pub fn all_ciphertexts(plan: &BfvPlan) -> u64 {
    let parameters = plan.parameters();
    let one = parameters.ciphertext_bytes(parameters.modulus_bits).max(1);
    plan.inputs().submitters().iter().map(|s| plan.upload_bytes(*s, 1) / one).sum()
}
