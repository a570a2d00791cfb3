//! Opening results with the shares of the key.
//!
//! A share's partial decryption of (c₀, c₁) is c₁·sⱼ + fⱼ + round(Q'·pⱼ/t): its part of the phase, flooding noise with
//! coefficients uniform in −B..B, and a polynomial with a pad in every slot. The sum of all and c₀ decodes to tier plus
//! pads. The noise is a function of the share and c₁, so that asking again, with other pads or another c₀, shows nothing
//! that averages out.

use crate::bytes::{append, polynomial_bytes, read};
use crate::parameters::PLAINTEXT;
use crate::plaintext::{Decoder, add_plaintext, slots};
use crate::plan::{BfvPlan, check_families};
use crate::ring::Basis;
use crate::share::Share;
use crate::slots::Slots;
use blindtier_engine::{Combine, EngineError, OpenShare, Plan, Prepare, Prepared};
use zeroize::Zeroizing;

/// Splits results into c₁ and c₀. The evaluator switched them already.
pub struct BfvPrepare {
    basis: Basis,
}

impl BfvPrepare {
    /// Takes a plan (public).
    pub fn new(plan: &BfvPlan) -> Result<Self, EngineError> {
        Ok(Self { basis: plan.result_basis()? })
    }
}

impl Prepare for BfvPrepare {
    fn prepare(
        &self,
        families: usize,
        results: &[u8],
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<Prepared, EngineError> {
        check_families(families, self.basis.degree())?;
        read("results", &self.basis, 2, results)?;
        let half = polynomial_bytes(&self.basis);
        let (bodies, masks) = results.split_at_checked(half).unwrap_or((results, &[]));
        progress(families);
        Ok(Prepared { masks: masks.to_vec(), bodies: bodies.to_vec() })
    }
}

/// Answers with one share of the key.
pub struct BfvOpenShare {
    basis: Basis,
    slots: Slots,
    share: Share,
    /// sⱼ, transformed.
    key: Zeroizing<Vec<u64>>,
    flooding_bits: u32,
}

impl BfvOpenShare {
    /// Takes a plan (public) and the share's seed (private).
    pub fn new(plan: &BfvPlan, share: &[u8; 32]) -> Result<Self, EngineError> {
        let basis = plan.result_basis()?;
        let share = Share::new(&plan.summary().hash, share);
        let key = basis.transformed(&share.secret(basis.degree()));
        let slots = slots(basis.degree())?;
        Ok(Self { basis, slots, share, key, flooding_bits: plan.parameters.flooding_bits })
    }

    /// The polynomial of all slots' pads (private): the families' and then the share's own, so that nothing is opened
    /// in slots that are no family's.
    fn pads(&self, masks: &[u8], pads: &[u32]) -> Zeroizing<Vec<u64>> {
        let mut all = Zeroizing::new(vec![0u64; self.basis.degree()]);
        self.share.spare_pads(masks).below(PLAINTEXT, &mut all);
        for (slot, pad) in all.iter_mut().zip(pads) {
            *slot = u64::from(*pad);
        }
        let values = Zeroizing::new(all.iter().map(|p| p.cast_signed()).collect::<Vec<i64>>());
        Zeroizing::new(self.slots.encode(&values, 0))
    }
}

impl OpenShare for BfvOpenShare {
    fn partial(&self, families: usize, masks: &[u8], pads: &[u32]) -> Result<Vec<u8>, EngineError> {
        check_families(families, self.basis.degree())?;
        if pads.len() != families {
            return Err(EngineError::Shape {
                what: "pads of a chunk",
                expected: families,
                found: pads.len(),
            });
        }
        if pads.iter().any(|pad| u64::from(*pad) >= PLAINTEXT) {
            let detail = format!("a pad is not below {PLAINTEXT}");
            return Err(EngineError::Malformed { what: "pads", detail });
        }
        let mask = read("masks", &self.basis, 1, masks)?.into_iter().next().unwrap_or_default();
        let mut partial = self.basis.multiply(mask, &self.key);
        let flooding = self.share.flooding(masks).flooding(&self.basis, self.flooding_bits);
        self.basis.add(&mut partial, &flooding);
        add_plaintext(&self.basis, &mut partial, &self.pads(masks, pads));
        let mut bytes = Vec::with_capacity(polynomial_bytes(&self.basis));
        append(&mut bytes, &self.basis, &partial);
        Ok(bytes)
    }
}

/// Adds partial decryptions up and decodes.
pub struct BfvCombine {
    basis: Basis,
    decoder: Decoder,
    shares: usize,
}

impl BfvCombine {
    /// Takes a plan (public).
    pub fn new(plan: &BfvPlan) -> Result<Self, EngineError> {
        let basis = plan.result_basis()?;
        let decoder = Decoder::new(&basis)?;
        let shares = usize::try_from(plan.parameters.shares).unwrap_or_default();
        Ok(Self { basis, decoder, shares })
    }
}

impl Combine for BfvCombine {
    fn pad_modulus(&self) -> u32 {
        u32::try_from(PLAINTEXT).unwrap_or(u32::MAX)
    }

    fn combine(
        &self,
        families: usize,
        bodies: &[u8],
        partials: &[&[u8]],
    ) -> Result<Vec<u32>, EngineError> {
        check_families(families, self.basis.degree())?;
        if partials.len() != self.shares {
            return Err(EngineError::Shape {
                what: "partial decryptions, one a share",
                expected: self.shares,
                found: partials.len(),
            });
        }
        let named = partials.iter().map(|bytes| ("partial decryption", *bytes));
        let mut phase = self.basis.zero();
        for (what, bytes) in std::iter::once(("bodies", bodies)).chain(named) {
            for part in read(what, &self.basis, 1, bytes)? {
                self.basis.add(&mut phase, &part);
            }
        }
        let slots = self.decoder.slots(&phase);
        let opened = slots.iter().take(families);
        Ok(opened.map(|value| u32::try_from(*value).unwrap_or_default()).collect())
    }
}
