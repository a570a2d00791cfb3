//! Anybody's side: whether a chunk may be used.

use crate::chunk::CompactChunk;
use crate::plan::TfhePlan;
use crate::proof;
use crate::public_key::PublicKey;
use blindtier_engine::{EngineError, Verify};
use rayon::prelude::*;

/// Verifies chunks with the public key.
pub struct TfheVerify {
    plan: TfhePlan,
    public: PublicKey,
}

impl TfheVerify {
    /// Takes the plan (public) and the public key's bytes (public).
    pub fn new(plan: &TfhePlan, public_key: &[u8]) -> Result<Self, EngineError> {
        let public = PublicKey::for_verifying(public_key, plan.proofs)?;
        Ok(Self { plan: plan.clone(), public })
    }
}

impl Verify for TfheVerify {
    fn verify(
        &self,
        submitter: usize,
        families: usize,
        chunk: &[u8],
        binding: &[u8; 32],
    ) -> Result<(), EngineError> {
        let chunk = CompactChunk::new(chunk, self.plan.shape(submitter, families))?;
        let Some(crs) = &self.public.crs else { return Ok(()) };
        chunk.lists().par_iter().enumerate().try_for_each(|(position, list)| {
            let context = proof::context(binding, submitter, families, position);
            let key = &self.public.key;
            if proof::holds(key, crs, &list.ciphertexts, &list.proof, &context)? {
                return Ok(());
            }
            Err(EngineError::Proof {
                detail: format!(
                    "list {position} of the chunk of submitter {submitter} is not shown to hold bits under this key and for this place"
                ),
            })
        })
    }
}
