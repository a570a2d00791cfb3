//! The evaluator's side: the plan on ciphertexts, family by family, over all cores.

use crate::encrypt::list_words;
use crate::keys::key_options;
use crate::parameters::{COMPUTE, DIMENSION, NAME};
use crate::plan::{Lookup, Program, Register, Sum, TfhePlan};
use crate::words::{from_bytes, to_bytes};
use bincode::Options;
use blindtier_engine::{EngineError, Evaluate, Evaluated};
use rayon::prelude::*;
use tfhe::conformance::ParameterSetConformant;
use tfhe::core_crypto::prelude::{
    CiphertextModulus, Cleartext, ContiguousEntityContainer, LweCiphertextCount, LweCiphertextList,
    LweCiphertextListOwned, LweCiphertextOwned, LweCompactCiphertextList, LweDimension, Plaintext,
    expand_lwe_compact_ciphertext_list, lwe_ciphertext_add_assign,
    lwe_ciphertext_cleartext_mul_assign, lwe_ciphertext_plaintext_add_assign,
};
use tfhe::shortint::ciphertext::{Degree, MaxDegree, NoiseLevel};
use tfhe::shortint::server_key::LookupTableOwned;
use tfhe::shortint::{AtomicPatternKind, Ciphertext, CompressedServerKey, PBSOrder, ServerKey};

/// Runs the plan with the evaluation key.
pub struct TfheEvaluate {
    program: Program,
    agencies: Vec<usize>,
    key: ServerKey,
    tables: Vec<LookupTableOwned>,
}

impl TfheEvaluate {
    /// Takes the plan (public) and the evaluation key's bytes (public); refuses a key of other parameters.
    pub fn new(plan: &TfhePlan, evaluation_key: &[u8]) -> Result<Self, EngineError> {
        crate::fft::fix_plan();
        let max_degree =
            MaxDegree::from_msg_carry_modulus(COMPUTE.message_modulus, COMPUTE.carry_modulus);
        let key: CompressedServerKey = key_options().deserialize(evaluation_key).map_err(|e| {
            EngineError::Malformed { what: "evaluation key", detail: e.to_string() }
        })?;
        if !key.is_conformant(&(COMPUTE.into(), max_degree)) {
            return Err(EngineError::Parameters {
                what: "evaluation key",
                expected: NAME.into(),
                found: "another parameter set".into(),
            });
        }
        let key = key.decompress();
        let tables = plan.program.lookups.iter().map(|lookup| table(&key, lookup)).collect();
        let agencies = blindtier_engine::Plan::summary(plan).agencies;
        Ok(Self { program: plan.program.clone(), agencies, key, tables })
    }

    fn family(
        &self,
        inputs: &[LweCiphertextListOwned<u64>],
        family: usize,
    ) -> LweCiphertextOwned<u64> {
        let mut lookups: Vec<LweCiphertextOwned<u64>> = Vec::with_capacity(self.tables.len());
        for (lookup, table) in self.program.lookups.iter().zip(&self.tables) {
            let input = sum(&lookup.input, inputs, family, &lookups);
            let mut ciphertext = wrap(input);
            self.key.apply_lookup_table_assign(&mut ciphertext, table);
            lookups.push(ciphertext.ct);
        }
        sum(&self.program.output, inputs, family, &lookups)
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

fn empty() -> LweCiphertextOwned<u64> {
    LweCiphertextOwned::new(
        0,
        LweDimension(DIMENSION).to_lwe_size(),
        CiphertextModulus::new_native(),
    )
}

fn wrap(ciphertext: LweCiphertextOwned<u64>) -> Ciphertext {
    Ciphertext::new(
        ciphertext,
        Degree::new(COMPUTE.message_modulus.0 * COMPUTE.carry_modulus.0 - 1),
        NoiseLevel::NOMINAL,
        COMPUTE.message_modulus,
        COMPUTE.carry_modulus,
        AtomicPatternKind::Standard(PBSOrder::KeyswitchBootstrap),
    )
}

fn sum(
    sum: &Sum,
    inputs: &[LweCiphertextListOwned<u64>],
    family: usize,
    lookups: &[LweCiphertextOwned<u64>],
) -> LweCiphertextOwned<u64> {
    let mut total = empty();
    for (register, factor) in &sum.terms {
        let mut operand = empty();
        match register {
            Register::Input(input) => {
                if let Some(list) = inputs.get(*input) {
                    operand.as_mut().copy_from_slice(list.get(family).as_ref());
                }
            }
            Register::Lookup(lookup) => {
                if let Some(found) = lookups.get(*lookup) {
                    operand.clone_from(found);
                }
            }
        }
        if *factor != 1 {
            lwe_ciphertext_cleartext_mul_assign(&mut operand, Cleartext(factor.cast_unsigned()));
        }
        lwe_ciphertext_add_assign(&mut total, &operand);
    }
    lwe_ciphertext_plaintext_add_assign(&mut total, Plaintext(sum.constant));
    total
}

/// One agency's chunk → one list of ciphertexts for each of its inputs.
fn expand(
    bytes: &[u8],
    inputs: usize,
    families: usize,
) -> Result<Vec<LweCiphertextListOwned<u64>>, EngineError> {
    let values = inputs.checked_mul(families).ok_or(EngineError::Shape {
        what: "families",
        expected: 0,
        found: families,
    })?;
    let words = from_bytes("ciphertext chunk", bytes, list_words(values))?;
    if values == 0 {
        return Ok(Vec::new());
    }
    let size = LweDimension(DIMENSION).to_lwe_size();
    let list = LweCompactCiphertextList::from_container(
        words,
        size,
        LweCiphertextCount(values),
        CiphertextModulus::new_native(),
    );
    let mut expanded = LweCiphertextList::new(
        0u64,
        size,
        LweCiphertextCount(values),
        CiphertextModulus::new_native(),
    );
    expand_lwe_compact_ciphertext_list(&mut expanded, &list);
    let words = expanded.into_container();
    Ok(words
        .chunks(size.0 * families)
        .map(|column| {
            LweCiphertextList::from_container(
                column.to_vec(),
                size,
                CiphertextModulus::new_native(),
            )
        })
        .collect())
}

impl Evaluate for TfheEvaluate {
    fn evaluate(
        &self,
        families: usize,
        inputs: &[&[u8]],
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<Evaluated, EngineError> {
        if inputs.len() != self.agencies.len() {
            return Err(EngineError::Shape {
                what: "agencies",
                expected: self.agencies.len(),
                found: inputs.len(),
            });
        }
        let mut columns = Vec::with_capacity(self.program.inputs.len());
        for (agency, bytes) in self.agencies.iter().zip(inputs) {
            let own = self.program.inputs.iter().filter(|i| i.agency == *agency).count();
            columns.extend(expand(bytes, own, families)?);
        }
        let results: Vec<Vec<u8>> = (0..families)
            .into_par_iter()
            .map(|family| {
                let result = self.family(&columns, family);
                progress(1);
                to_bytes(result.as_ref())
            })
            .collect();
        let lookups = self.tables.len().saturating_mul(families);
        Ok(Evaluated {
            results: results.concat(),
            lookups: u64::try_from(lookups).unwrap_or(u64::MAX),
        })
    }
}
