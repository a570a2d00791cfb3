//! A submitter's chunk: compact lists of ciphertexts, and behind them a proof for each list where the plan has proofs.
//!
//! A list has one mask of 2048 words for up to 2048 values and one word a value (Joye, ePrint 2023/603). All masks come
//! first, then all bodies, then all proofs. Values are in the order of the inputs, for each input in that of the families.

use crate::parameters::DIMENSION;
use crate::proof::PROOF_BYTES;
use crate::words::{check_length, from_bytes, to_bytes};
use blindtier_engine::{EngineError, Proofs};
use tfhe::core_crypto::algorithms::polynomial_algorithms::polynomial_wrapping_monic_monomial_mul;
use tfhe::core_crypto::commons::parameters::MonomialDegree;
use tfhe::core_crypto::prelude::{
    CiphertextModulus, LweCiphertextCount, LweCiphertextOwned, LweCompactCiphertextListOwned,
    LweDimension, Polynomial,
};

/// What decides about the form of a chunk, and so about its length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Ciphertexts a family.
    pub(crate) inputs: usize,
    pub(crate) families: usize,
    pub(crate) proofs: Proofs,
}

impl Shape {
    fn values(self) -> usize {
        self.inputs.saturating_mul(self.families)
    }

    fn lists(self) -> usize {
        self.values().div_ceil(DIMENSION)
    }

    /// Bytes of all masks and bodies.
    fn list_bytes(self) -> usize {
        self.lists().saturating_mul(DIMENSION).saturating_add(self.values()).saturating_mul(8)
    }

    /// Bytes of the chunk.
    pub(crate) fn bytes(self) -> usize {
        let proof = match self.proofs {
            Proofs::Off => 0,
            Proofs::On => PROOF_BYTES,
        };
        self.list_bytes().saturating_add(self.lists().saturating_mul(proof))
    }
}

/// One list and its proof, which is empty where there are none.
pub(crate) struct List {
    pub(crate) ciphertexts: LweCompactCiphertextListOwned<u64>,
    pub(crate) proof: Vec<u8>,
}

/// An empty list for so many values.
pub(crate) fn empty_list(values: usize) -> LweCompactCiphertextListOwned<u64> {
    LweCompactCiphertextListOwned::new(
        0,
        LweDimension(DIMENSION).to_lwe_size(),
        LweCiphertextCount(values),
        CiphertextModulus::new_native(),
    )
}

/// The chunk's bytes.
pub(crate) fn encode(lists: &[List]) -> Vec<u8> {
    let mut masks = Vec::new();
    let mut bodies = Vec::new();
    let mut proofs = Vec::new();
    for list in lists {
        let (mask, body) = list.ciphertexts.get_mask_and_body_list();
        masks.extend(to_bytes(mask.as_ref()));
        bodies.extend(to_bytes(body.as_ref()));
        proofs.extend_from_slice(&list.proof);
    }
    [masks, bodies, proofs].concat()
}

/// A decoded chunk, expanded one ciphertext at a time, so that memory stays that of the file.
pub(crate) struct CompactChunk {
    masks: Vec<u64>,
    bodies: Vec<u64>,
    proofs: Vec<u8>,
    families: usize,
}

impl CompactChunk {
    /// Decodes a chunk of the shape that the plan says.
    pub(crate) fn new(bytes: &[u8], shape: Shape) -> Result<Self, EngineError> {
        let what = "ciphertext chunk";
        check_length(what, bytes, shape.bytes())?;
        let (words, proofs) = bytes.split_at(shape.list_bytes().min(bytes.len()));
        let mut masks = from_bytes(what, words, shape.list_bytes() / 8)?;
        let bodies = masks.split_off(shape.lists() * DIMENSION);
        Ok(Self { masks, bodies, proofs: proofs.to_vec(), families: shape.families })
    }

    /// Its lists, in order.
    pub(crate) fn lists(&self) -> Vec<List> {
        let proofs = self.proofs.chunks(PROOF_BYTES).chain(std::iter::repeat(&[][..]));
        let lists = self.masks.chunks(DIMENSION).zip(self.bodies.chunks(DIMENSION));
        lists
            .zip(proofs)
            .map(|((mask, bodies), proof)| {
                let mut ciphertexts = empty_list(bodies.len());
                for (cell, word) in ciphertexts.as_mut().iter_mut().zip(mask.iter().chain(bodies)) {
                    *cell = *word;
                }
                List { ciphertexts, proof: proof.to_vec() }
            })
            .collect()
    }

    /// Masks and bodies of its lists, in order, to be changed.
    pub(crate) fn lists_mut(&mut self) -> impl Iterator<Item = (&mut [u64], &mut [u64])> {
        self.masks.chunks_mut(DIMENSION).zip(self.bodies.chunks_mut(DIMENSION))
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
