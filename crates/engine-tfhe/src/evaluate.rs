//! The evaluator's side: the plan on ciphertexts, a few families at a time, over all cores.

use crate::batch::{batch, look_up};
use crate::chunk::{CompactChunk, Shape};
use crate::keys::server_key;
use crate::parameters::{COMPUTE, DIMENSION};
use crate::plan::{Lookup, Program, Register, Sum, TfhePlan};
use crate::public_key::encryption_key;
use crate::rerandomise::rerandomise;
use crate::words::to_bytes;
use blindtier_engine::{Chunk, EngineError, Evaluate, Evaluated, check_inputs};
use rayon::prelude::*;
use std::ops::Range;
use tfhe::core_crypto::prelude::{
    CiphertextModulus, Cleartext, LweCiphertextOwned, LweCompactPublicKeyOwned, LweDimension,
    Plaintext, lwe_ciphertext_add_assign, lwe_ciphertext_cleartext_mul_assign,
    lwe_ciphertext_plaintext_add_assign,
};
use tfhe::shortint::ciphertext::{Degree, NoiseLevel};
use tfhe::shortint::server_key::LookupTableOwned;
use tfhe::shortint::{AtomicPatternKind, Ciphertext, PBSOrder, ServerKey};

/// Runs the plan with the evaluation key.
pub struct TfheEvaluate {
    plan: TfhePlan,
    /// Positions of those that submit, ascending.
    submitters: Vec<usize>,
    places: Vec<Place>,
    public: LweCompactPublicKeyOwned<u64>,
    key: ServerKey,
    tables: Vec<LookupTableOwned>,
}

/// Where a program's input comes from.
struct Place {
    /// Place of the submitter among those that submit.
    submitter: usize,
    /// Position among its inputs.
    input: usize,
    /// What the input is on the torus if the submitter was excluded.
    missing: u64,
}

impl TfheEvaluate {
    /// Takes the plan (public), the public key's bytes (public), with which inputs are re-randomised, and the evaluation
    /// key's (public); refuses keys of other parameters.
    pub fn new(
        plan: &TfhePlan,
        public_key: &[u8],
        evaluation_key: &[u8],
    ) -> Result<Self, EngineError> {
        crate::check_processor()?;
        crate::fft::fix_plan();
        let public = encryption_key(public_key, plan.proofs)?;
        let key = server_key(evaluation_key)?;
        let tables = plan.program.lookups.iter().map(|lookup| table(&key, lookup)).collect();
        let submitters = plan.circuit.inputs.submitters();
        let places = places(plan, &submitters);
        Ok(Self { plan: plan.clone(), submitters, places, public, key, tables })
    }

    fn program(&self) -> &Program {
        &self.plan.program
    }

    /// The chunks of all who submit, re-randomised; nothing for those that were excluded.
    fn chunks(&self, chunk: &Chunk<'_>) -> Result<Vec<Option<CompactChunk>>, EngineError> {
        check_inputs(&self.submitters, &chunk.inputs)?;
        let decode = |(submitter, bytes): (&usize, &Option<&[u8]>)| {
            let shape: Shape = self.plan.shape(*submitter, chunk.families);
            let Some(bytes) = bytes else { return Ok(None) };
            let mut decoded = CompactChunk::new(bytes, shape)?;
            rerandomise(&mut decoded, &self.public, &chunk.seed, *submitter);
            Ok(Some(decoded))
        };
        self.submitters.iter().zip(&chunk.inputs).map(decode).collect()
    }

    /// Families that are computed together, from the first one on.
    fn group(
        &self,
        chunks: &[Option<CompactChunk>],
        families: Range<usize>,
    ) -> Vec<LweCiphertextOwned<u64>> {
        let mut known: Vec<Vec<LweCiphertextOwned<u64>>> = vec![Vec::new(); families.len()];
        for (lookup, table) in self.program().lookups.iter().zip(&self.tables) {
            let sums = families
                .clone()
                .zip(&known)
                .map(|(family, known)| self.sum(&lookup.input, chunks, family, known));
            let found = look_up(&self.key, table, sums.collect());
            for (known, found) in known.iter_mut().zip(found) {
                known.push(found);
            }
        }
        let results = families
            .zip(&known)
            .map(|(family, known)| self.sum(&self.program().output, chunks, family, known));
        results.collect()
    }

    fn sum(
        &self,
        sum: &Sum,
        chunks: &[Option<CompactChunk>],
        family: usize,
        lookups: &[LweCiphertextOwned<u64>],
    ) -> LweCiphertextOwned<u64> {
        let mut total = empty();
        let mut operand = empty();
        let mut constant = sum.constant;
        for (register, factor) in &sum.terms {
            let factor = factor.cast_unsigned();
            match register {
                Register::Input(input) => {
                    let Some(place) = self.places.get(*input) else { continue };
                    let Some(Some(chunk)) = chunks.get(place.submitter) else {
                        constant = constant.wrapping_add(place.missing.wrapping_mul(factor));
                        continue;
                    };
                    chunk.expand(place.input, family, &mut operand);
                }
                Register::Lookup(lookup) => {
                    let Some(found) = lookups.get(*lookup) else { continue };
                    operand.clone_from(found);
                }
            }
            if factor != 1 {
                lwe_ciphertext_cleartext_mul_assign(&mut operand, Cleartext(factor));
            }
            lwe_ciphertext_add_assign(&mut total, &operand);
        }
        lwe_ciphertext_plaintext_add_assign(&mut total, Plaintext(constant));
        total
    }

    /// Applies the first lookup's table to a ciphertext: one bare lookup, for benches.
    pub fn bare_lookup(&self, ciphertext: &mut Ciphertext) {
        if let Some(table) = self.tables.first() {
            self.key.apply_lookup_table_assign(ciphertext, table);
        }
    }
}

/// A ciphertext to measure a bare lookup on. It holds nothing, but its words are as irregular as those of a
/// real one: zeros would be skipped and look faster than any real lookup.
pub fn bare_lookup_input() -> Ciphertext {
    let mut ciphertext = empty();
    let mut words = blake3::Hasher::new_derive_key("blindtier bare lookup v1").finalize_xof();
    for word in ciphertext.as_mut() {
        let mut bytes = [0u8; 8];
        words.fill(&mut bytes);
        *word = u64::from_le_bytes(bytes);
    }
    wrap(ciphertext)
}

fn table(key: &ServerKey, lookup: &Lookup) -> LookupTableOwned {
    let mut table = key.generate_lookup_table(|_| 0);
    let mut body = table.acc.get_mut_body();
    for (cell, value) in body.as_mut().iter_mut().zip(lookup.coefficients()) {
        *cell = value;
    }
    table
}

pub(crate) fn empty() -> LweCiphertextOwned<u64> {
    LweCiphertextOwned::new(
        0,
        LweDimension(DIMENSION).to_lwe_size(),
        CiphertextModulus::new_native(),
    )
}

/// A result or a sum, as tfhe wants it for a bootstrap.
pub(crate) fn wrap(ciphertext: LweCiphertextOwned<u64>) -> Ciphertext {
    Ciphertext::new(
        ciphertext,
        Degree::new(COMPUTE.message_modulus.0 * COMPUTE.carry_modulus.0 - 1),
        NoiseLevel::NOMINAL,
        COMPUTE.message_modulus,
        COMPUTE.carry_modulus,
        AtomicPatternKind::Standard(PBSOrder::KeyswitchBootstrap),
    )
}

fn places(plan: &TfhePlan, submitters: &[usize]) -> Vec<Place> {
    let mut sent = vec![0usize; submitters.len()];
    let place = |input: &crate::plan::Input| {
        let submitter = submitters.iter().position(|s| *s == input.submitter).unwrap_or_default();
        let next = sent.get_mut(submitter).map_or(0, |n| {
            *n += 1;
            *n - 1
        });
        let missing = input.torus(plan.circuit.inputs.missing_value(input.column));
        Place { submitter, input: next, missing }
    };
    plan.program.inputs.iter().map(place).collect()
}

impl Evaluate for TfheEvaluate {
    fn platform(&self) -> String {
        crate::platform_features()
    }

    fn evaluate(
        &self,
        chunk: &Chunk<'_>,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<Evaluated, EngineError> {
        let chunks = self.chunks(chunk)?;
        let batch = batch(chunk.families);
        let results: Vec<Vec<u8>> = (0..chunk.families.div_ceil(batch))
            .into_par_iter()
            .flat_map_iter(|group| {
                let first = group.saturating_mul(batch);
                let families = first..first.saturating_add(batch).min(chunk.families);
                let count = families.len();
                let results = self.group(&chunks, families);
                progress(count);
                results.into_iter().map(|result| to_bytes(result.as_ref()))
            })
            .collect();
        let lookups = self.tables.len().saturating_mul(chunk.families);
        Ok(Evaluated {
            results: results.concat(),
            operations: u64::try_from(lookups).unwrap_or(u64::MAX),
        })
    }
}
