//! The most memory that each party's process holds.
//!
//! Sums of what lies in memory at a process's widest point: keys, buffers, one or several chunks, and what is kept of every
//! family. Constants of engine tfhe were measured once; they depend on its one parameter set and not on the machine.

use crate::bytes::{Keys, letter, levels};
use crate::round::{BfvPlan, Plan, Round};

/// Bytes that each party's process holds at the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// The evaluator.
    pub evaluator: u64,
    /// The agency that sends most.
    pub agency: u64,
    /// A trustee that opens.
    pub trustee: u64,
}

/// The program itself, its policy and its plan.
const PROGRAM: u64 = 13 << 20;
/// An evaluation key of engine tfhe while it is decoded and prepared.
const TFHE_EVALUATION: u64 = 236 << 20;
/// What preparing results needs while its keys are decoded.
const TFHE_OPENING: u64 = 2_240 << 20;
/// What a core needs to look up a batch of families.
const TFHE_LOOKUP: u64 = 2 << 20;
/// Proof parameters, decoded, and what making a proof needs.
const TFHE_PROVING: u64 = 55 << 20;
/// Proof parameters to check proofs with.
const TFHE_VERIFYING: u64 = 27 << 20;
/// What an agency keeps of a family: its letter key twice, its slot and pseudonym, and the values of its register.
const FAMILY: u64 = 300;
/// Bytes of a residue.
const WORD: u64 = 8;
/// Tables of the transform modulo a prime, in polynomials.
const TABLES: u64 = 4;
/// Results of so many chunks a core wait until they are written.
const WAITING: u64 = 4;

/// Estimates the memory of a round's parties.
pub fn memory(round: &Round) -> Memory {
    let keys = Keys::of(round);
    let cores = u64::from(round.cores.max(1));
    let families = round.families;
    let largest =
        |bytes: fn(&Chunks) -> u64| Chunks::of(round).iter().map(bytes).max().unwrap_or_default();
    let agencies = largest(|chunk| 3 * chunk.upload) + 3 * largest(|chunk| chunk.levels);
    let upload: u64 = Chunks::of(round).iter().map(|chunk| chunk.upload).sum();
    let slots = families.min(round.chunk);
    let letters = 3 * slots * round.trustees.iter().map(|t| letter(t.held)).max().unwrap_or(0);
    let results = round.results.full.min(round.results.total(round.chunks()));
    let (evaluator, agency, trustee) = match &round.plan {
        Plan::Tfhe => {
            let (proving, verifying) =
                if round.proofs { (TFHE_PROVING, TFHE_VERIFYING) } else { (0, 0) };
            let computing = TFHE_EVALUATION + cores * TFHE_LOOKUP + 2 * upload + 4 * results;
            let evaluator = verifying + computing;
            (evaluator, proving, evaluator.max(TFHE_OPENING + 4 * results))
        }
        Plan::Bfv(plan) => {
            let chunk = plan.running() + upload;
            let computing = cores * (chunk + WAITING * results);
            // The key's bytes, as a file and as a body, go once it is prepared.
            let evaluator = plan.kernel() + computing.max(2 * keys.evaluation);
            (evaluator, 2 * keys.public + plan.tables(1), evaluator + 4 * results)
        }
    };
    Memory {
        evaluator: PROGRAM + evaluator,
        agency: PROGRAM + agency + agencies + FAMILY * families,
        trustee: PROGRAM + trustee.max(letters) + 64 * families,
    }
}

/// What a submitter has of one chunk.
struct Chunks {
    upload: u64,
    levels: u64,
}

impl Chunks {
    fn of(round: &Round) -> Vec<Self> {
        let slots = round.families.min(round.chunk);
        let submitters = round.submitters.iter();
        submitters
            .map(|submitter| Self {
                upload: if round.chunks() > 1 {
                    submitter.upload.full
                } else {
                    submitter.upload.last
                },
                levels: slots * levels(submitter.values),
            })
            .collect()
    }
}

impl BfvPlan {
    /// A polynomial with so many primes, unpacked.
    fn words(&self, primes: u32) -> u64 {
        WORD * u64::from(self.ring.degree) * u64::from(primes)
    }

    /// Tables of the modulus, with so many primes beside it.
    fn tables(&self, more: u32) -> u64 {
        TABLES * self.words(self.ring.primes + more)
    }

    /// The evaluation key, prepared, and the tables.
    fn kernel(&self) -> u64 {
        let key = 2 * u64::from(self.ring.components()) * self.words(self.ring.primes);
        key + self.tables(self.ring.extension)
    }

    /// What a chunk holds while it is computed.
    fn running(&self) -> u64 {
        self.held * self.words(self.ring.primes)
            + self.held_extension * self.words(self.ring.extension)
    }
}
