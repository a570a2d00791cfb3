//! Encrypted counts: made, opened share by share, added up.
//!
//! A count is the part of a ciphertext that opens one coefficient of its message: all of c₁ and the constant coefficient
//! of c₀. A share's partial decryption of it is the constant coefficient of c₁·sⱼ, flooding noise, and the share's noise in
//! units of the message. The other coefficients, which would tell slots apart, are opened by nobody.

use crate::bytes::{append, polynomial_bytes, read};
use crate::evaluate::BfvEvaluate;
use crate::parameters::PLAINTEXT;
use crate::plaintext::{Decoder, scaled_plaintext};
use crate::plan::{BfvPlan, check_families};
use crate::program::balanced;
use crate::ring::Basis;
use crate::ring::prime::Prime;
use crate::share::Share;
use blindtier_engine::{
    Chunk, CombineCounts, Count, Counted, EngineError, OpenCounts, Plan, check_inputs,
};
use zeroize::Zeroizing;

/// Makes counts with the evaluation key.
pub struct BfvCount {
    evaluate: BfvEvaluate,
    counts: Counts,
}

/// Answers with one share of the key.
pub struct BfvOpenCounts {
    counts: Counts,
    share: Share,
    /// sⱼ, transformed.
    key: Zeroizing<Vec<u64>>,
    flooding_bits: u32,
}

/// Adds partial decryptions of counts up.
pub struct BfvCombineCounts {
    counts: Counts,
    decoder: Decoder,
    shares: usize,
}

/// The form in which counts travel.
struct Counts {
    basis: Basis,
}

/// One encrypted count: the constant coefficient of c₀, one residue a prime, and c₁.
struct Cell {
    body: Vec<u64>,
    mask: Vec<u64>,
}

impl Counts {
    fn new(plan: &BfvPlan) -> Result<Self, EngineError> {
        let (_, parameters) = plan.counts()?;
        Ok(Self { basis: plan.kept_basis(parameters.result_primes)? })
    }

    fn cell_bytes(&self) -> usize {
        8 * self.basis.primes().len() + polynomial_bytes(&self.basis)
    }

    fn write(&self, bytes: &mut Vec<u8>, cell: &Cell) {
        cell.body.iter().for_each(|residue| bytes.extend(residue.to_le_bytes()));
        append(bytes, &self.basis, &cell.mask);
    }

    /// Reads all cells, one after the other.
    fn read<'a>(
        &'a self,
        bytes: &'a [u8],
    ) -> Result<impl Iterator<Item = Result<(Cell, &'a [u8]), EngineError>>, EngineError> {
        let size = self.cell_bytes();
        if bytes.is_empty() || !bytes.len().is_multiple_of(size) {
            let detail = format!("expected a multiple of {size} bytes, found {}", bytes.len());
            return Err(EngineError::Malformed { what: "counts", detail });
        }
        Ok(bytes.chunks_exact(size).map(|bytes| {
            let (body, mask) =
                bytes.split_at_checked(8 * self.basis.primes().len()).unwrap_or_default();
            let body = self.residues("count", body)?;
            let parts = read("count", &self.basis, 1, mask)?;
            Ok((Cell { body, mask: parts.into_iter().next().unwrap_or_default() }, mask))
        }))
    }

    /// One residue a prime.
    fn residues(&self, what: &'static str, bytes: &[u8]) -> Result<Vec<u64>, EngineError> {
        let (words, rest) = bytes.as_chunks::<8>();
        let residues: Vec<u64> = words.iter().map(|word| u64::from_le_bytes(*word)).collect();
        let primes = self.basis.primes();
        let fits = rest.is_empty() && residues.len() == primes.len();
        if fits && residues.iter().zip(primes).all(|(residue, prime)| *residue < prime.value()) {
            return Ok(residues);
        }
        let detail = format!("expected {} residues below their primes", primes.len());
        Err(EngineError::Malformed { what, detail })
    }

    fn add(&self, to: &mut [u64], from: &[u64]) {
        for ((to, from), prime) in to.iter_mut().zip(from).zip(self.basis.primes()) {
            *to = (*to + from) % prime.value();
        }
    }

    /// The constant coefficient, one residue a prime.
    fn constant(&self, polynomial: &[u64]) -> Vec<u64> {
        self.basis.runs(polynomial).filter_map(|(_, run)| run.first()).copied().collect()
    }

    /// What a count is divided by to be the constant coefficient: 1/N modulo t, and N modulo t.
    fn slots(&self) -> (u64, u64) {
        let field = Prime::new(PLAINTEXT);
        let degree = u64::try_from(self.basis.degree()).unwrap_or_default() % PLAINTEXT;
        (field.invert(degree), degree)
    }
}

impl BfvCount {
    /// Takes a plan with statistics (public) and an evaluation key's bytes (public), and prepares the key.
    pub fn new(plan: &BfvPlan, key: &[u8]) -> Result<Self, EngineError> {
        let (_, parameters) = plan.counts()?;
        let evaluate = BfvEvaluate::with(plan, &parameters, key)?;
        Ok(Self { evaluate, counts: Counts::new(plan)? })
    }
}

impl Count for BfvCount {
    fn count(&self, chunk: &Chunk<'_>, groups: &[u32]) -> Result<Counted, EngineError> {
        let BfvEvaluate { plan, kernel, submitters, .. } = &self.evaluate;
        let (counting, _) = plan.counts()?;
        check_inputs(submitters, &chunk.inputs)?;
        check_families(chunk.families, self.counts.basis.degree())?;
        if groups.is_empty() || groups.iter().any(|group| *group >= counting.groups) {
            let detail = format!("expected some of {} groups, found {groups:?}", counting.groups);
            return Err(EngineError::Malformed { what: "what is counted", detail });
        }
        let inputs = self.evaluate.inputs(chunk)?;
        let mut counts = Vec::new();
        let operations = kernel.run_cells(&counting.of_groups(groups), inputs, |cell| {
            let [c0, mask] = kernel.shrink(cell);
            let cell = Cell { body: self.counts.constant(&c0), mask };
            self.counts.write(&mut counts, &cell);
        });
        Ok(Counted { counts, operations })
    }

    fn add(&self, counts: &mut Vec<u8>, other: &[u8]) -> Result<(), EngineError> {
        if counts.len() != other.len() {
            let detail = format!("expected {} bytes, found {}", counts.len(), other.len());
            return Err(EngineError::Malformed { what: "counts", detail });
        }
        let mut sum = Vec::with_capacity(counts.len());
        for (one, other) in self.counts.read(counts)?.zip(self.counts.read(other)?) {
            let ((mut cell, _), (other, _)) = (one?, other?);
            self.counts.add(&mut cell.body, &other.body);
            self.counts.basis.add(&mut cell.mask, &other.mask);
            self.counts.write(&mut sum, &cell);
        }
        *counts = sum;
        Ok(())
    }
}

impl BfvOpenCounts {
    /// Takes a plan with statistics (public) and the share's seed (private).
    pub fn new(plan: &BfvPlan, share: &[u8; 32]) -> Result<Self, EngineError> {
        let (_, parameters) = plan.counts()?;
        let counts = Counts::new(plan)?;
        let share = Share::new(&plan.summary().hash, share);
        let key = counts.basis.transformed(&share.secret(counts.basis.degree()));
        Ok(Self { counts, share, key, flooding_bits: parameters.flooding_bits })
    }
}

impl OpenCounts for BfvOpenCounts {
    fn partial(&self, counts: &[u8], noise: &[i64]) -> Result<Vec<u8>, EngineError> {
        let Counts { basis, .. } = &self.counts;
        let (per_slot, _) = self.counts.slots();
        let cells = self.counts.read(counts)?;
        let field = Prime::new(PLAINTEXT);
        let mut partials = Vec::new();
        let mut left = noise.iter();
        for cell in cells {
            let (cell, bytes) = cell?;
            let noise = left.next().ok_or_else(|| shape(noise.len(), counts.len()))?;
            let product = basis.multiply(cell.mask, &self.key);
            let mut partial = Zeroizing::new(self.counts.constant(&product));
            let flooding = self.share.flooding(bytes).wide(basis.primes(), self.flooding_bits);
            self.counts.add(&mut partial, &flooding);
            let message = balanced(field.multiply(field.residue(*noise), per_slot).cast_signed());
            let scaled: Zeroizing<Vec<u64>> = Zeroizing::new(
                basis
                    .primes()
                    .iter()
                    .map(|prime| scaled_plaintext(basis.primes(), *prime, message))
                    .collect(),
            );
            self.counts.add(&mut partial, &scaled);
            partial.iter().for_each(|residue| partials.extend(residue.to_le_bytes()));
        }
        match left.next() {
            None => Ok(partials),
            Some(_) => Err(shape(noise.len(), counts.len())),
        }
    }
}

fn shape(numbers: usize, bytes: usize) -> EngineError {
    let detail = format!("{bytes} bytes of counts come with noise for {numbers}");
    EngineError::Malformed { what: "counts", detail }
}

impl BfvCombineCounts {
    /// Takes a plan with statistics (public).
    pub fn new(plan: &BfvPlan) -> Result<Self, EngineError> {
        let counts = Counts::new(plan)?;
        let decoder = Decoder::new(&counts.basis)?;
        let shares = usize::try_from(plan.parameters.shares).unwrap_or_default();
        Ok(Self { counts, decoder, shares })
    }
}

impl CombineCounts for BfvCombineCounts {
    fn combine(
        &self,
        counts: &[u8],
        partials: &[&[u8]],
        lowest: i64,
    ) -> Result<Vec<i64>, EngineError> {
        if partials.len() != self.shares {
            return Err(EngineError::Shape {
                what: "partial decryptions of counts, one a share",
                expected: self.shares,
                found: partials.len(),
            });
        }
        let Counts { basis, .. } = &self.counts;
        let size = 8 * basis.primes().len();
        let (_, slots) = self.counts.slots();
        let field = Prime::new(PLAINTEXT);
        let modulus = PLAINTEXT.cast_signed();
        let mut numbers = Vec::new();
        for (position, cell) in self.counts.read(counts)?.enumerate() {
            let mut body = cell?.0.body;
            for partial in partials {
                let own = partial.chunks_exact(size).nth(position).unwrap_or_default();
                let own = self.counts.residues("partial decryption of counts", own)?;
                self.counts.add(&mut body, &own);
            }
            let mut phase = basis.zero();
            for ((_, run), residue) in basis.runs_mut(&mut phase).zip(&body) {
                if let Some(constant) = run.first_mut() {
                    *constant = *residue;
                }
            }
            let constant = self.decoder.coefficients(&phase).first().copied().unwrap_or_default();
            let number = field.multiply(constant, slots).cast_signed();
            numbers.push((number - lowest).rem_euclid(modulus) + lowest);
        }
        let expected = numbers.len() * size;
        match partials.iter().find(|partial| partial.len() != expected) {
            None => Ok(numbers),
            Some(other) => {
                let detail = format!("expected {expected} bytes, found {}", other.len());
                Err(EngineError::Malformed { what: "partial decryption of counts", detail })
            }
        }
    }
}
