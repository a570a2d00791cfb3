//! The evaluator's side: the plan on ciphertexts, family by family, over all cores.

use crate::encrypt::list_words;
use crate::keys::server_key;
use crate::parameters::{COMPUTE, DIMENSION};
use crate::plan::{Lookup, Program, Register, Sum, TfhePlan};
use crate::words::{from_bytes, to_bytes};
use blindtier_engine::{EngineError, Evaluate, Evaluated, check_inputs};
use rayon::prelude::*;
use tfhe::core_crypto::algorithms::polynomial_algorithms::polynomial_wrapping_monic_monomial_mul;
use tfhe::core_crypto::commons::parameters::MonomialDegree;
use tfhe::core_crypto::prelude::{
    CiphertextModulus, Cleartext, LweCiphertextOwned, LweDimension, Plaintext, Polynomial,
    lwe_ciphertext_add_assign, lwe_ciphertext_cleartext_mul_assign,
    lwe_ciphertext_plaintext_add_assign,
};
use tfhe::shortint::ciphertext::{Degree, NoiseLevel};
use tfhe::shortint::server_key::LookupTableOwned;
use tfhe::shortint::{AtomicPatternKind, Ciphertext, PBSOrder, ServerKey};

/// Runs the plan with the evaluation key.
pub struct TfheEvaluate {
    program: Program,
    agencies: Vec<usize>,
    places: Vec<(usize, usize)>,
    key: ServerKey,
    tables: Vec<LookupTableOwned>,
}

impl TfheEvaluate {
    /// Takes the plan (public) and the evaluation key's bytes (public); refuses a key of other parameters.
    pub fn new(plan: &TfhePlan, evaluation_key: &[u8]) -> Result<Self, EngineError> {
        crate::check_processor()?;
        crate::fft::fix_plan();
        let key = server_key(evaluation_key)?;
        let tables = plan.program.lookups.iter().map(|lookup| table(&key, lookup)).collect();
        let agencies = blindtier_engine::Plan::summary(plan).agencies;
        let places = places(&plan.program, &agencies);
        Ok(Self { program: plan.program.clone(), agencies, places, key, tables })
    }

    fn family(&self, chunks: &[CompactChunk], family: usize) -> LweCiphertextOwned<u64> {
        let mut lookups: Vec<LweCiphertextOwned<u64>> = Vec::with_capacity(self.tables.len());
        for (lookup, table) in self.program.lookups.iter().zip(&self.tables) {
            let mut ciphertext = wrap(self.sum(&lookup.input, chunks, family, &lookups));
            self.key.apply_lookup_table_assign(&mut ciphertext, table);
            lookups.push(ciphertext.ct);
        }
        self.sum(&self.program.output, chunks, family, &lookups)
    }

    fn sum(
        &self,
        sum: &Sum,
        chunks: &[CompactChunk],
        family: usize,
        lookups: &[LweCiphertextOwned<u64>],
    ) -> LweCiphertextOwned<u64> {
        let mut total = empty();
        let mut operand = empty();
        for (register, factor) in &sum.terms {
            match register {
                Register::Input(input) => {
                    let place = self.places.get(*input);
                    if let Some((chunk, position)) = place
                        && let Some(chunk) = chunks.get(*chunk)
                    {
                        chunk.expand(*position, family, &mut operand);
                    }
                }
                Register::Lookup(lookup) => {
                    if let Some(found) = lookups.get(*lookup) {
                        operand.clone_from(found);
                    }
                }
            }
            if *factor != 1 {
                lwe_ciphertext_cleartext_mul_assign(
                    &mut operand,
                    Cleartext(factor.cast_unsigned()),
                );
            }
            lwe_ciphertext_add_assign(&mut total, &operand);
        }
        lwe_ciphertext_plaintext_add_assign(&mut total, Plaintext(sum.constant));
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

/// One agency's chunk: compact lists, expanded one ciphertext at a time, so that memory stays that of the file.
pub(crate) struct CompactChunk {
    masks: Vec<u64>,
    bodies: Vec<u64>,
    families: usize,
}

impl CompactChunk {
    /// Decodes the chunk of an agency with so many inputs.
    pub(crate) fn new(bytes: &[u8], inputs: usize, families: usize) -> Result<Self, EngineError> {
        let values = inputs.checked_mul(families).ok_or(EngineError::Shape {
            what: "families",
            expected: 0,
            found: families,
        })?;
        let mut masks = from_bytes("ciphertext chunk", bytes, list_words(values))?;
        let bodies = masks.split_off(masks.len() - values);
        Ok(Self { masks, bodies, families })
    }

    /// Writes the ciphertext of an input and a family into `out`: the k-th value of a list has the list's mask
    /// times X^k (Joye, ePrint 2023/603).
    pub(crate) fn expand(&self, input: usize, family: usize, out: &mut LweCiphertextOwned<u64>) {
        let value = input * self.families + family;
        let mask = self.masks.chunks(DIMENSION).nth(value / DIMENSION);
        let (Some(mask), Some(body)) = (mask, self.bodies.get(value)) else { return };
        let (mut out_mask, out_body) = out.get_mut_mask_and_body();
        polynomial_wrapping_monic_monomial_mul(
            &mut Polynomial::from_container(out_mask.as_mut()),
            &Polynomial::from_container(mask),
            MonomialDegree(value % DIMENSION),
        );
        *out_body.data = *body;
    }
}

/// Where a program's input lies: chunk of an agency, and position among that agency's inputs.
fn places(program: &Program, agencies: &[usize]) -> Vec<(usize, usize)> {
    let mut sent = vec![0usize; agencies.len()];
    let place = |input: &crate::plan::Input| {
        let chunk = agencies.iter().position(|a| *a == input.agency).unwrap_or_default();
        let next = sent.get_mut(chunk).map_or(0, |n| {
            *n += 1;
            *n - 1
        });
        (chunk, next)
    };
    program.inputs.iter().map(place).collect()
}

impl Evaluate for TfheEvaluate {
    fn platform(&self) -> String {
        crate::platform_features()
    }

    fn evaluate(
        &self,
        families: usize,
        inputs: &[&[u8]],
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<Evaluated, EngineError> {
        check_inputs(&self.agencies, inputs)?;
        let mut chunks = Vec::with_capacity(inputs.len());
        for (agency, bytes) in self.agencies.iter().zip(inputs) {
            let own = self.program.inputs.iter().filter(|i| i.agency == *agency).count();
            chunks.push(CompactChunk::new(bytes, own, families)?);
        }
        let results: Vec<Vec<u8>> = (0..families)
            .into_par_iter()
            .map(|family| {
                let result = self.family(&chunks, family);
                progress(1);
                to_bytes(result.as_ref())
            })
            .collect();
        let lookups = self.tables.len().saturating_mul(families);
        Ok(Evaluated {
            results: results.concat(),
            operations: u64::try_from(lookups).unwrap_or(u64::MAX),
        })
    }
}
