//! What a machine was measured to need for the steps of a round.

use crate::error::EstimateError;
use crate::timing::Timing;
use serde::{Deserialize, Serialize};

/// Number of the file format.
pub const FORMAT: u32 = 1;

/// A machine's measurements. Every number is in seconds, unless its name says otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// [`FORMAT`].
    pub format: u32,
    /// Release of the program that measured.
    pub blindtier: String,
    /// When, in UTC.
    pub made: String,
    /// Where.
    pub machine: Machine,
    /// Steps that do not depend on the engine.
    pub common: Common,
    /// Steps of engine tfhe, if it was measured.
    #[serde(default)]
    pub tfhe: Option<Tfhe>,
    /// Steps of engine bfv, one entry a plan that was measured.
    #[serde(default)]
    pub bfv: Vec<Bfv>,
}

/// A machine, as far as times depend on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// The processor's name; empty if the system does not tell.
    pub processor: String,
    /// How many cores the program may use.
    pub cores: u32,
    /// System and architecture.
    pub system: String,
    /// Vector instructions that the engines use.
    pub features: String,
}

/// Steps that do not depend on the engine.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Common {
    /// Starting the program.
    pub start: f64,
    /// Signing, writing and syncing a small file.
    pub file: f64,
    /// Each byte of a large file more: hashing, writing and syncing.
    pub byte_written: f64,
    /// Reading, hashing and decoding a byte of a large file.
    pub byte_read: f64,
    /// Reading a row of a register and finding its person in the roster.
    pub row: f64,
    /// Sealing a letter, or a family's levels.
    pub seal: Timing,
    /// The pad of a share for one slot, and the commitment to its seed.
    pub pad: f64,
}

/// Steps of engine tfhe. All policies use the same parameters.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tfhe {
    /// Making all keys but the parameters of proofs.
    pub deal: f64,
    /// Making the parameters of proofs.
    pub deal_proofs: f64,
    /// Preparing the public key of a plan with proofs to encrypt with: every point is checked.
    pub load_prover: f64,
    /// Preparing it to check proofs with.
    pub load_verifier: f64,
    /// Preparing the evaluation key.
    pub load_evaluation: f64,
    /// Preparing both keys that results are opened with.
    pub load_opening: f64,
    /// Encrypting a list of ciphertexts without a proof, or re-randomising one.
    pub list: f64,
    /// Making a list with a proof, all cores working on it: with hardly any bit.
    pub prove_empty: Timing,
    /// The same with 2,048 bits.
    pub prove_full: Timing,
    /// Checking a list's proof: with hardly any bit.
    pub verify_empty: Timing,
    /// The same with 2,048 bits.
    pub verify_full: Timing,
    /// A lookup, one family at a time.
    pub lookup_alone: Timing,
    /// A lookup, eight families at a time.
    pub lookup_of_eight: Timing,
    /// Squashing a result's noise, so that it can be opened.
    pub squash: Timing,
    /// A share's partial decryption of a result.
    pub partial: f64,
}

/// Steps of engine bfv, measured on one plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bfv {
    /// The plan's policy, layout and checks, for people.
    pub plan: String,
    /// What the steps depend on.
    pub ring: Ring,
    /// Work of a chunk, see [`Work::units`].
    pub work: f64,
    /// Evaluating a chunk.
    pub chunk: Timing,
    /// Encrypting a column of a chunk.
    pub encrypt: f64,
    /// Checking the form of a ciphertext.
    pub check: f64,
    /// A share's partial decryption of a chunk.
    pub partial: f64,
    /// Adding the partial decryptions of a chunk up.
    pub combine: f64,
    /// A share's first message of the key ceremony.
    pub first: f64,
    /// A share's second message; the first one is made again for it.
    pub second: f64,
    /// Public key and evaluation key from the messages.
    pub keys: f64,
    /// Preparing the public key.
    pub load_encryption: f64,
    /// Preparing the evaluation key.
    pub load_evaluation: f64,
}

/// Ring and moduli of a bfv plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ring {
    /// N: slots of a ciphertext.
    pub degree: u32,
    /// Primes of the modulus.
    pub primes: u32,
    /// Primes that are added while products are computed.
    pub extension: u32,
    /// Pieces that a residue is cut into for relinearisation.
    pub pieces: u32,
    /// Primes that a result keeps.
    pub result_primes: u32,
    /// Shares of the key.
    pub shares: u32,
}

/// What a bfv program does to a chunk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Products of two ciphertexts, checks among them.
    pub products: u32,
    /// Checks, whose products take a random factor each.
    pub checks: u32,
    /// Sums of products that are relinearised.
    pub relinearisations: u32,
    /// Operands that are brought to the larger modulus.
    pub extensions: u32,
    /// Ciphertexts that are read.
    pub inputs: u32,
    /// Ciphertexts that are added, times a constant, over the modulus.
    pub terms: u32,
    /// The same over the larger modulus.
    pub wide_terms: u32,
}

impl Ring {
    /// Components of the relinearisation key.
    pub fn components(&self) -> u32 {
        self.primes.saturating_mul(self.pieces)
    }

    /// N · log₂ N, which transforms grow with.
    fn transform(&self) -> f64 {
        let degree = f64::from(self.degree.max(2));
        degree * degree.log2()
    }

    /// How a step with one transform for each of so many primes grows.
    pub(crate) fn transforms(&self, primes: u32) -> f64 {
        self.transform() * f64::from(primes)
    }
}

impl Work {
    /// Roughly how many nanoseconds of a core the program takes. The weights of transforms, changes of basis and products
    /// are those that plans are chosen by; only ratios between plans are used, so that the unit does not matter.
    pub fn units(&self, ring: &Ring) -> f64 {
        let own = f64::from(ring.primes);
        let extension = f64::from(ring.extension);
        let all = own + extension;
        let pieces = f64::from(ring.components());
        let [products, checks, nodes, extensions, inputs, terms, wide_terms] = [
            self.products,
            self.checks,
            self.relinearisations,
            self.extensions,
            self.inputs,
            self.terms,
            self.wide_terms,
        ]
        .map(f64::from);
        let transforms = extensions * 2.0 * all
            + nodes * (3.0 * all + pieces * own + 2.0 * own)
            + checks * (all + 1.0);
        let conversions = (extensions * 2.0 + nodes * 6.0) * own * extension;
        let point_products = products * 4.0 * all + nodes * 2.0 * pieces * own + checks * 2.0 * all;
        let words = 2.0 * (inputs + terms) * own + 2.0 * wide_terms * all;
        let degree = f64::from(ring.degree.max(2));
        degree
            * (0.16 * degree.log2() * transforms
                + 0.35 * conversions
                + 0.7 * point_products
                + 0.7 * words)
    }
}

/// How a calibration was made elsewhere than it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What differs.
    pub what: &'static str,
    /// In the calibration.
    pub calibrated: String,
    /// Here.
    pub here: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { what, calibrated, here } = self;
        write!(f, "the calibration is of another {what} ({calibrated}, here {here})")
    }
}

impl Calibration {
    /// Checks what a file cannot be trusted with: that every time is a positive number.
    pub fn check(&self) -> Result<(), EstimateError> {
        let Common { start, file, byte_written, byte_read, row, seal, pad } = self.common;
        let mut sound = self.machine.cores > 0 && seal.is_sound();
        sound &= positive(&[start, file, byte_written, byte_read, row, pad]);
        if let Some(tfhe) = &self.tfhe {
            sound &= positive(&[
                tfhe.deal,
                tfhe.deal_proofs,
                tfhe.load_prover,
                tfhe.load_verifier,
                tfhe.load_evaluation,
                tfhe.load_opening,
                tfhe.list,
                tfhe.partial,
            ]);
            let timings = [
                tfhe.prove_empty,
                tfhe.prove_full,
                tfhe.verify_empty,
                tfhe.verify_full,
                tfhe.lookup_alone,
                tfhe.lookup_of_eight,
                tfhe.squash,
            ];
            sound &= timings.into_iter().all(Timing::is_sound);
        }
        for bfv in &self.bfv {
            let Ring { degree, primes, extension, pieces, result_primes, shares } = bfv.ring;
            sound &= [degree, primes, extension, pieces, result_primes, shares]
                .into_iter()
                .all(|number| number > 0);
            sound &= bfv.chunk.is_sound();
            sound &= positive(&[
                bfv.work,
                bfv.encrypt,
                bfv.check,
                bfv.partial,
                bfv.combine,
                bfv.first,
                bfv.second,
                bfv.keys,
                bfv.load_encryption,
                bfv.load_evaluation,
            ]);
        }
        if sound { Ok(()) } else { Err(EstimateError::NotATime) }
    }

    /// What is otherwise where it is used.
    pub fn differences(&self, release: &str, here: &Machine) -> Vec<Difference> {
        let own = &self.machine;
        [
            ("release", self.blindtier.clone(), release.to_owned()),
            ("processor", own.processor.clone(), here.processor.clone()),
            ("number of cores", own.cores.to_string(), here.cores.to_string()),
            ("system", own.system.clone(), here.system.clone()),
            ("set of vector instructions", own.features.clone(), here.features.clone()),
        ]
        .into_iter()
        .filter(|(_, calibrated, here)| calibrated != here)
        .map(|(what, calibrated, here)| Difference { what, calibrated, here })
        .collect()
    }

    /// The measured bfv plan that is most like this one: of the same ring degree if there is one, then of the most similar
    /// amount of work.
    pub fn nearest(&self, ring: &Ring, work: f64) -> Option<&Bfv> {
        let far = |bfv: &&Bfv| {
            let degree = (f64::from(bfv.ring.degree) / f64::from(ring.degree)).log2().abs();
            let key = (f64::from(bfv.ring.components()) / f64::from(ring.components())).ln().abs();
            let work = (bfv.work / work).ln().abs();
            100.0 * degree + 10.0 * key + work
        };
        self.bfv.iter().min_by(|a, b| far(a).total_cmp(&far(b)))
    }
}

fn positive(numbers: &[f64]) -> bool {
    numbers.iter().all(|number| number.is_finite() && *number > 0.0)
}
