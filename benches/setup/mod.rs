//! What both benches start from: a policy on the tfhe engine with all capabilities, and families to run.

pub mod policies;

use self::policies::POLICIES;
use blindtier::engine::{Chunk as EngineChunk, Encrypt, EngineError, Evaluate, Plan, Proofs};
use blindtier::engine_tfhe::{
    Ciphertext, KeySet, TfheEncrypt, TfheEvaluate, TfheOpen, TfhePlan, bare_lookup_input,
};
use blindtier::policy::Policy;
use blindtier::policy::passes::Layout;
use miette::{IntoDiagnostic, Result, miette};
use rayon::prelude::*;

/// Shares of a key that two of three trustees open with.
const SHARES: u32 = 3;
/// What chunks are bound to in a round; nothing here.
pub const BINDING: [u8; 32] = [0; 32];

/// A policy on the engine, with all capabilities.
pub struct Session {
    pub policy: Policy,
    pub plan: TfhePlan,
    pub encrypt: TfheEncrypt,
    #[allow(dead_code, reason = "one of the two benches opens")]
    pub open: TfheOpen,
    evaluate: TfheEvaluate,
    #[allow(dead_code, reason = "only one of the benches compares with bare lookups")]
    bare: Ciphertext,
}

/// One encrypted chunk.
pub struct Chunk {
    #[allow(dead_code, reason = "one of the two benches prints it")]
    pub families: usize,
    pub lookups: u64,
    inputs: Vec<Vec<u8>>,
}

impl Session {
    pub fn new(name: &str, layout: Layout, keys: &KeySet) -> Result<Self> {
        let (name, text) = POLICIES
            .into_iter()
            .find(|(shipped, _)| *shipped == name)
            .ok_or_else(|| miette!("no policy `{name}` is shipped"))?;
        let policy = Policy::parse(name, text)?;
        let plan = TfhePlan::new(&policy, layout, SHARES, Proofs::Off).into_diagnostic()?;
        Ok(Self {
            encrypt: TfheEncrypt::new(plan.clone(), &keys.public).into_diagnostic()?,
            evaluate: TfheEvaluate::new(&plan, &keys.public, &keys.evaluation).into_diagnostic()?,
            open: TfheOpen::new(&keys.secret).into_diagnostic()?,
            bare: bare_lookup_input(),
            policy,
            plan,
        })
    }

    /// Families that go through the levels of every indicator.
    pub fn families(&self, count: usize) -> Vec<Vec<i64>> {
        policies::families(&self.policy, count)
    }

    /// A submitter's columns.
    pub fn columns(&self, submitter: usize, families: &[Vec<i64>]) -> Vec<Vec<i64>> {
        policies::columns(self.plan.inputs(), submitter, families)
    }

    /// The chunks of all submitters.
    pub fn encrypted(&self, families: &[Vec<i64>]) -> Result<Vec<Vec<u8>>, EngineError> {
        let submitters = self.plan.inputs().submitters().into_iter();
        submitters.map(|s| self.encrypt.encrypt(s, &self.columns(s, families), &BINDING)).collect()
    }

    /// Encrypts a chunk and checks once that it opens to the clear twin's tiers.
    pub fn chunk(&self, families: usize) -> Result<Chunk> {
        let values = self.families(families);
        let inputs = self.encrypted(&values).into_diagnostic()?;
        let lookups = self.plan.summary().operations.count(families);
        let chunk = Chunk { families, lookups, inputs };
        let codes = blindtier::engine::Open::open(&self.open, families, &self.evaluate(&chunk));
        for (family, code) in values.iter().zip(codes.into_diagnostic()?) {
            let tier = self.policy.decide(family).into_diagnostic()?.tier;
            if self.policy.code(code) != blindtier::policy::Code::Tier(tier) {
                return Err(miette!("a tier differs from the clear twin's"));
            }
        }
        Ok(chunk)
    }

    /// Evaluates a chunk.
    pub fn evaluate(&self, chunk: &Chunk) -> Vec<u8> {
        let inputs = chunk.inputs.iter().map(|bytes| Some(bytes.as_slice())).collect();
        let chunk_of_all = EngineChunk { families: chunk.families, inputs, seed: [0; 32] };
        let evaluated = self.evaluate.evaluate(&chunk_of_all, &|_| {});
        let results = evaluated.map(|e| {
            assert_eq!(e.operations, chunk.lookups, "work was left out");
            e.results
        });
        assert!(results.is_ok(), "an honest chunk was refused");
        results.unwrap_or_default()
    }

    /// So many bare lookups, on as many threads as the pool has.
    #[allow(dead_code, reason = "only one of the benches compares with bare lookups")]
    pub fn bare_lookups(&self, count: u64) {
        (0..count).into_par_iter().for_each_init(
            || self.bare.clone(),
            |ciphertext, _| {
                self.evaluate.bare_lookup(ciphertext);
            },
        );
    }
}
