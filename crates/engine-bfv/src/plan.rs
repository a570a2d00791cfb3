//! The plan: columns, program and parameters. Public, hashed, the same for every party.

use crate::counting::Counting;
use crate::gates::Gates;
use crate::lower::{ENGINE, Encoding, Lowered, lower};
use crate::noise::NoiseBound;
use crate::parameters::{
    ENCRYPTION_BITS, MOST_COUNTS, PLAINTEXT, Parameters, ROUND_FAMILIES, SECURE, SHARES,
};
use crate::program::Program;
use crate::ring::Basis;
use blindtier_engine::{EngineError, EngineId, Operation, Operations, PlanSummary, Proofs};
use blindtier_policy::Policy;
use blindtier_policy::circuit::Inputs;
use blindtier_policy::passes::Layout;

/// A policy lowered to sums of products.
#[derive(Clone, Debug)]
pub struct BfvPlan {
    pub(crate) inputs: Inputs,
    pub(crate) gates: Gates,
    pub(crate) program: Program,
    pub(crate) counting: Option<Counting>,
    /// Multiplications for the tier alone.
    tier: u32,
    pub(crate) parameters: Parameters,
}

impl BfvPlan {
    /// Plans a policy for a key in so many shares, with or without checks of what is submitted, or says which part is
    /// too deep or too wide.
    pub fn new(
        policy: &Policy,
        layout: Layout,
        shares: u32,
        proofs: Proofs,
    ) -> Result<Self, EngineError> {
        Self::encoded(policy, layout, Encoding::Cheapest, shares, proofs)
    }

    /// Plans a policy for a round with statistics about so many groups; without groups it is [`BfvPlan::new`].
    pub fn counting(
        policy: &Policy,
        layout: Layout,
        shares: u32,
        proofs: Proofs,
        groups: u32,
    ) -> Result<Self, EngineError> {
        Self::planned(policy, layout, Encoding::Cheapest, shares, proofs, groups)
    }

    /// Plans a policy with a given encoding, to compare.
    pub fn encoded(
        policy: &Policy,
        layout: Layout,
        encoding: Encoding,
        shares: u32,
        proofs: Proofs,
    ) -> Result<Self, EngineError> {
        Self::planned(policy, layout, encoding, shares, proofs, 0)
    }

    fn planned(
        policy: &Policy,
        layout: Layout,
        encoding: Encoding,
        shares: u32,
        proofs: Proofs,
        groups: u32,
    ) -> Result<Self, EngineError> {
        if !SHARES.contains(&shares) {
            let detail = format!("expected {} to {}, found {shares}", SHARES.start(), SHARES.end());
            return Err(EngineError::Malformed { what: "the number of the key's shares", detail });
        }
        let Lowered { inputs, gates, program, counting, tier, parameters } =
            lower(policy, layout, encoding, shares, proofs, groups)?;
        Ok(Self { inputs, gates, program, counting, tier, parameters })
    }

    /// Multiplications beside those for the tier: of the checks, and of gates that nobody believes.
    fn checks(&self) -> u32 {
        self.program.counts().multiplications.saturating_sub(self.tier)
    }

    /// Positions of the ciphertexts that a submitter sends, among what the program computes with: its columns, and
    /// covers of its gates.
    pub(crate) fn sent_by(&self, submitter: usize) -> Vec<usize> {
        let mut sent = self.inputs.columns_of(submitter);
        sent.extend(self.gates.covers_of(submitter));
        sent
    }

    /// What is computed.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Ring, moduli and key shape.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Bits between a result's proven noise and the largest that decodes.
    pub fn room(&self) -> f64 {
        self.bound().room(&self.parameters)
    }

    pub(crate) fn bound(&self) -> NoiseBound {
        NoiseBound::of(&self.program, &self.parameters)
    }

    /// The basis of a result's modulus.
    pub(crate) fn result_basis(&self) -> Result<Basis, EngineError> {
        self.kept_basis(self.parameters.result_primes)
    }

    /// What a plan without statistics has none of.
    pub(crate) fn counts(&self) -> Result<(&Counting, Parameters), EngineError> {
        self.counting.as_ref().zip(self.parameters.for_counts()).ok_or_else(|| {
            EngineError::Unsupported {
                engine: ENGINE,
                reason: "the round was announced without statistics".into(),
            }
        })
    }

    /// The basis of the first primes of Q.
    pub(crate) fn kept_basis(&self, primes: u32) -> Result<Basis, EngineError> {
        let (moduli, _) = self.parameters.moduli();
        let kept = usize::try_from(primes).unwrap_or_default();
        let kept: Vec<u64> = moduli.into_iter().take(kept).collect();
        basis(self.parameters.degree, &kept)
    }
}

/// A chunk has at least one family and at most as many as slots.
pub(crate) fn check_families(families: usize, slots: usize) -> Result<(), EngineError> {
    if (1..=slots).contains(&families) {
        return Ok(());
    }
    let what = "families in a chunk (at most)";
    Err(EngineError::Shape { what, expected: slots, found: families })
}

/// The basis of Q and the encryption prime, which comes last.
pub(crate) fn encryption_basis(parameters: &Parameters) -> Result<Basis, EngineError> {
    let (mut moduli, _) = parameters.moduli();
    moduli.extend(parameters.encryption_prime());
    basis(parameters.degree, &moduli)
}

/// A basis, which exists for all primes that [`Parameters::moduli`] gives.
pub(crate) fn basis(degree: usize, primes: &[u64]) -> Result<Basis, EngineError> {
    Basis::new(degree, primes).ok_or_else(|| {
        crate::lower::unsupported(format!("degree {degree} has no transform modulo {primes:?}"))
    })
}

impl blindtier_engine::Plan for BfvPlan {
    fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    fn summary(&self) -> PlanSummary {
        let inputs = bincode::serialize(&self.inputs).unwrap_or_default();
        let program = bincode::serialize(&self.program).unwrap_or_default();
        let parameters = self.parameters.name();
        let mut hasher = blake3::Hasher::new_derive_key("blindtier bfv plan v3");
        let cells = self.counting.as_ref().map(|counting| {
            let Program { nodes, cells, .. } = &counting.program;
            bincode::serialize(&(nodes, cells)).unwrap_or_default()
        });
        let parts = [parameters.as_bytes(), &inputs, &program];
        for part in parts.into_iter().chain(cells.as_deref()) {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        PlanSummary {
            engine: EngineId { name: ENGINE.into(), parameters },
            layout: self.inputs.layout,
            operations: Operations {
                operation: Operation::Multiplication,
                tier: self.tier,
                opt_out: 0,
                checks: self.checks(),
            },
            proofs: self.gates.proofs(),
            submitters: self.inputs.submitters(),
            hash: hasher.finalize().into(),
        }
    }

    fn upload_bytes(&self, submitter: usize, _families: usize) -> u64 {
        let sent = u64::try_from(self.sent_by(submitter).len()).unwrap_or(u64::MAX);
        sent.saturating_mul(self.parameters.ciphertext_bytes(self.parameters.modulus_bits))
    }

    fn result_bytes(&self, _families: usize) -> u64 {
        self.parameters.ciphertext_bytes(self.parameters.result_bits())
    }

    fn chunk_slots(&self) -> Option<u32> {
        u32::try_from(self.parameters.degree).ok()
    }

    fn shares(&self) -> u32 {
        self.parameters.shares
    }

    fn flooding_distance(&self, families: u64) -> f64 {
        self.bound().distance(&self.parameters, families)
    }

    fn describe(&self) -> Vec<String> {
        let counts = self.program.counts();
        let parameters = &self.parameters;
        let limit = SECURE.iter().find(|(d, _)| *d == parameters.degree).map_or(0, |(_, l)| *l);
        let mut lines = vec![
            format!(
                "columns {}, slots a ciphertext {}, plaintext modulus {PLAINTEXT}",
                self.inputs.columns.len(),
                parameters.degree
            ),
            format!(
                "multiplications {}, relinearisations {}, depth {}",
                counts.multiplications, counts.relinearisations, counts.depth
            ),
            format!(
                "modulus {} bits in {} primes, {} bits while encrypting (128-bit security: at most {limit}), result {} bits, noise room {:.1} bits",
                parameters.modulus_bits,
                parameters.primes,
                parameters.modulus_bits + ENCRYPTION_BITS,
                parameters.result_bits(),
                self.room()
            ),
            format!(
                "key shares {}, each flooding its partial decryptions up to 2^{}: statistical distance at most 2^{:.1} over {ROUND_FAMILIES} families",
                parameters.shares,
                parameters.flooding_bits,
                self.flooding_distance(ROUND_FAMILIES)
            ),
        ];
        if let (Some(counting), Some(counts)) = (&self.counting, parameters.for_counts()) {
            let bound = NoiseBound::of_cells(&counting.program, &counts);
            lines.push(format!(
                "statistics: {} groups of {} tiers, {} multiplications a chunk, depth {}; a count has {} bits, flooding up to 2^{}: statistical distance at most 2^{:.1} over all counts",
                counting.groups,
                counting.tiers,
                counting.program.counts().multiplications,
                counting.program.counts().depth,
                counts.result_bits(),
                counts.flooding_bits,
                bound.distance_of(&counts, MOST_COUNTS),
            ));
        }
        if self.gates.proofs() == Proofs::On {
            lines.push(format!(
                "checks of what is submitted: {} of the multiplications, {} ciphertexts beside the columns",
                self.checks(),
                self.gates.covers().len()
            ));
        }
        lines
    }
}
