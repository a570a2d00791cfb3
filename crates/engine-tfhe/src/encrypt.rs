//! A submitter's side: columns → compact ciphertext lists, each with a proof where the plan has proofs.

use crate::chunk::{List, empty_list, encode};
use crate::parameters::{DIMENSION, UNIT, encryption_noise};
use crate::plan::TfhePlan;
use crate::proof;
use crate::public_key::PublicKey;
use blindtier_engine::{Encrypt, EngineError, check_columns};
use rayon::prelude::*;
use tfhe::core_crypto::commons::generators::NoiseRandomGenerator;
use tfhe::core_crypto::prelude::{
    DefaultRandomGenerator, PlaintextList, new_seeder,
    par_encrypt_lwe_compact_ciphertext_list_with_compact_public_key,
};

/// Encrypts with the compact public key.
pub struct TfheEncrypt {
    plan: TfhePlan,
    public: PublicKey,
}

impl TfheEncrypt {
    /// Takes the plan (public) and the public key's bytes (public). In a plan with proofs that takes seconds the first time,
    /// because every point of the proof parameters is checked.
    pub fn new(plan: TfhePlan, public_key: &[u8]) -> Result<Self, EngineError> {
        let public = PublicKey::for_encrypting(public_key, plan.proofs)?;
        Ok(Self { plan, public })
    }

    /// One list of values (private), in units.
    fn list(&self, units: &[u64], context: &[u8; 32]) -> Result<List, EngineError> {
        let mut ciphertexts = empty_list(units.len());
        let key = &self.public.key;
        if let Some(crs) = &self.public.crs {
            let proof = proof::encrypt(key, crs, units, context, &mut ciphertexts)?;
            return Ok(List { ciphertexts, proof });
        }
        let plain: Vec<u64> = units.iter().map(|units| UNIT.wrapping_mul(*units)).collect();
        let seed = new_seeder().as_mut().seed();
        par_encrypt_lwe_compact_ciphertext_list_with_compact_public_key(
            key,
            &mut ciphertexts,
            &PlaintextList::from_container(plain),
            encryption_noise(),
            encryption_noise(),
            &mut NoiseRandomGenerator::<DefaultRandomGenerator>::new_from_seed(seed),
        );
        Ok(List { ciphertexts, proof: Vec::new() })
    }
}

impl Encrypt for TfheEncrypt {
    fn encrypt(
        &self,
        submitter: usize,
        columns: &[Vec<i64>],
        binding: &[u8; 32],
    ) -> Result<Vec<u8>, EngineError> {
        let families = check_columns(&self.plan.circuit.inputs, submitter, columns)?;
        let own = self.plan.circuit.inputs.columns_of(submitter);
        let mut units = Vec::new();
        for input in self.plan.inputs_of(submitter) {
            let column = own.iter().position(|c| *c == input.column).and_then(|c| columns.get(c));
            let values = column.into_iter().flatten();
            units.extend(values.map(|value| input.units(*value).cast_unsigned()));
        }
        let lists: Vec<List> = units
            .par_chunks(DIMENSION)
            .enumerate()
            .map(|(list, units)| {
                self.list(units, &proof::context(binding, submitter, families, list))
            })
            .collect::<Result<_, _>>()?;
        Ok(encode(&lists))
    }
}
