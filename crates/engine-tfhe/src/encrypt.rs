//! An agency's side: columns → compact ciphertext lists.

use crate::parameters::{DIMENSION, encryption_noise};
use crate::plan::TfhePlan;
use crate::words::{from_bytes, to_bytes};
use blindtier_engine::{Encrypt, EngineError, check_columns};
use tfhe::core_crypto::commons::generators::NoiseRandomGenerator;
use tfhe::core_crypto::prelude::{
    CiphertextModulus, DefaultRandomGenerator, LweCiphertextCount, LweCompactCiphertextListOwned,
    LweCompactPublicKeyOwned, LweDimension, PlaintextList, new_seeder,
    par_encrypt_lwe_compact_ciphertext_list_with_compact_public_key,
};

/// Encrypts with the compact public key.
pub struct TfheEncrypt {
    plan: TfhePlan,
    key: LweCompactPublicKeyOwned<u64>,
}

impl TfheEncrypt {
    /// Takes the plan (public) and the public key's bytes (public).
    pub fn new(plan: TfhePlan, public_key: &[u8]) -> Result<Self, EngineError> {
        let words = from_bytes("public key", public_key, 2 * DIMENSION)?;
        let key = LweCompactPublicKeyOwned::from_container(words, CiphertextModulus::new_native());
        Ok(Self { plan, key })
    }
}

/// Words of a compact list: one mask of [`DIMENSION`] words for up to as many values, one word a value.
pub(crate) fn list_words(values: usize) -> usize {
    values.div_ceil(DIMENSION) * DIMENSION + values
}

impl Encrypt for TfheEncrypt {
    fn encrypt(&self, agency: usize, columns: &[Vec<i64>]) -> Result<Vec<u8>, EngineError> {
        let families = check_columns(&self.plan.circuit.inputs, agency, columns)?;
        let own = self.plan.circuit.inputs.columns_of(agency);
        let mut plain = Vec::new();
        for input in self.plan.inputs_of(agency) {
            let Some(input) = self.plan.program.inputs.get(input) else { continue };
            let column = own.iter().position(|c| *c == input.column).and_then(|c| columns.get(c));
            plain.extend(
                column
                    .into_iter()
                    .flatten()
                    .map(|value| input.scale.wrapping_mul(value.cast_unsigned())),
            );
        }
        if families == 0 || plain.is_empty() {
            return Ok(Vec::new());
        }
        let mut list = LweCompactCiphertextListOwned::new(
            0u64,
            LweDimension(DIMENSION).to_lwe_size(),
            LweCiphertextCount(plain.len()),
            CiphertextModulus::new_native(),
        );
        let mut seeder = new_seeder();
        let mut generator =
            NoiseRandomGenerator::<DefaultRandomGenerator>::new_from_seed(seeder.as_mut().seed());
        par_encrypt_lwe_compact_ciphertext_list_with_compact_public_key(
            &self.key,
            &mut list,
            &PlaintextList::from_container(plain),
            encryption_noise(),
            encryption_noise(),
            &mut generator,
        );
        let words = list.into_container();
        Ok(to_bytes(&words))
    }
}
