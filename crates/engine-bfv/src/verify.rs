//! Anybody's side: whether a chunk may be evaluated.

use crate::bytes::read;
use crate::plan::{BfvPlan, basis, check_families};
use crate::ring::Basis;
use blindtier_engine::{EngineError, Verify};

/// Sees whether chunks have the form that the plan expects: so many ciphertexts, of residues below their primes. What
/// the ciphertexts hold is not seen here; a plan with checks looks at that while it is computed.
pub struct BfvVerify {
    plan: BfvPlan,
    basis: Basis,
}

impl BfvVerify {
    /// Takes a plan (public).
    pub fn new(plan: &BfvPlan) -> Result<Self, EngineError> {
        let basis = basis(plan.parameters.degree, &plan.parameters.moduli().0)?;
        Ok(Self { plan: plan.clone(), basis })
    }
}

impl Verify for BfvVerify {
    fn verify(
        &self,
        submitter: usize,
        families: usize,
        chunk: &[u8],
        _binding: &[u8; 32],
    ) -> Result<(), EngineError> {
        check_families(families, self.basis.degree())?;
        let ciphertexts = self.plan.sent_by(submitter).len();
        if ciphertexts == 0 {
            let detail = format!("submitter {submitter} sends nothing under this plan");
            return Err(EngineError::Malformed { what: "chunk", detail });
        }
        read("chunk", &self.basis, 2 * ciphertexts, chunk).map(|_| ())
    }
}
