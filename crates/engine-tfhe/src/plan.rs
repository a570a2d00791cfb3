//! The plan: the circuit on the torus. Public, hashed, the same for every party.
//!
//! Integers are carried as multiples of a *scale* on the torus of 2⁶⁴. A lookup adds up its operands,
//! switches to the small key and reads a table of 2048 coefficients that covers half the torus; on the other
//! half the table is read with the opposite sign.

use crate::noise::{LARGEST_LOG2_FAILURE, Noise};
use crate::parameters::{COEFFICIENT, NAME, POLYNOMIAL, SQUASHING_NAME};
use blindtier_engine::{EngineError, EngineId, Operations, PlanSummary};
use blindtier_policy::circuit::{Circuit, Inputs};
use serde::Serialize;

/// Name of the engine.
pub const ENGINE: &str = "tfhe";

/// A circuit lowered to lookups on the torus.
#[derive(Clone, Debug)]
pub struct TfhePlan {
    pub(crate) circuit: Circuit,
    pub(crate) program: Program,
    /// How many shares the key is cut into.
    pub(crate) shares: u32,
    /// Bits of flooding noise that each share adds.
    pub(crate) flooding: u32,
}

/// What is encrypted and what is computed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Program {
    /// Ciphertexts per family, in the order in which agencies send them.
    pub inputs: Vec<Input>,
    /// Lookups, in order.
    pub lookups: Vec<Lookup>,
    /// The tier at [`crate::parameters::STEP`].
    pub output: Sum,
}

/// One ciphertext per family.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Input {
    /// Position of the circuit's column.
    pub column: usize,
    /// Position of the agency.
    pub agency: usize,
    /// What one unit of the column is on the torus.
    pub scale: u64,
}

/// A value the program has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Register {
    /// An input, by position.
    Input(usize),
    /// A lookup's output, by position.
    Lookup(usize),
}

/// `Σ factor · register + constant` on the torus.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sum {
    /// Registers and factors.
    pub terms: Vec<(Register, i64)>,
    /// Torus constant.
    pub constant: u64,
}

/// One lookup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lookup {
    /// What is looked up.
    pub input: Sum,
    /// The table.
    pub table: Vec<Segment>,
    /// How far (on the torus of 2⁶⁴) the input may be off without harm.
    pub tolerance: u64,
}

/// Coefficients `from..` of a table, up to the next segment: `value + slope · (coefficient − from)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Segment {
    /// First coefficient.
    pub from: usize,
    /// Torus value there.
    pub value: u64,
    /// Torus difference from one coefficient to the next.
    pub slope: u64,
}

impl Sum {
    /// Adds `factor · register`.
    pub fn add(&mut self, register: Register, factor: i64) {
        match self.terms.iter_mut().find(|(r, _)| *r == register) {
            Some((_, sum)) => *sum = sum.saturating_add(factor),
            None => self.terms.push((register, factor)),
        }
    }

    /// The same sum times an integer.
    pub fn times(&self, factor: u64) -> Self {
        Self {
            terms: self
                .terms
                .iter()
                .map(|(r, f)| (*r, f.saturating_mul(i64::try_from(factor).unwrap_or(i64::MAX))))
                .collect(),
            constant: self.constant.wrapping_mul(factor),
        }
    }
}

impl Lookup {
    /// The table's coefficients.
    pub fn coefficients(&self) -> Vec<u64> {
        let mut values = Vec::with_capacity(POLYNOMIAL);
        for (position, segment) in self.table.iter().enumerate() {
            let end = self.table.get(position + 1).map_or(POLYNOMIAL, |next| next.from);
            let length = end.saturating_sub(segment.from);
            values.extend(
                (0..length as u64)
                    .map(|k| segment.value.wrapping_add(segment.slope.wrapping_mul(k))),
            );
        }
        values
    }

    /// What an exact input on the torus is mapped to.
    pub fn read(&self, torus: u64) -> u64 {
        let rounded = torus.wrapping_add(COEFFICIENT / 2) / COEFFICIENT;
        let position = usize::try_from(rounded).unwrap_or_default() % (2 * POLYNOMIAL);
        let coefficient = position % POLYNOMIAL;
        let next = self.table.partition_point(|segment| segment.from <= coefficient);
        let value = next.checked_sub(1).and_then(|s| self.table.get(s)).map_or(0, |segment| {
            segment
                .value
                .wrapping_add(segment.slope.wrapping_mul((coefficient - segment.from) as u64))
        });
        if position < POLYNOMIAL { value } else { value.wrapping_neg() }
    }
}

impl Program {
    /// Variance of a sum's noise before it is read.
    fn variance(&self, noise: &Noise, sum: &Sum) -> f64 {
        sum.terms.iter().fold(0.0, |total, (register, factor)| {
            #[allow(clippy::cast_precision_loss, reason = "factors are small")]
            let factor = *factor as f64;
            let one = match register {
                Register::Input(_) => noise.fresh,
                Register::Lookup(_) => noise.lookup,
            };
            total + factor * factor * one
        })
    }

    /// Base-2 logarithm of the failure probability of every lookup, and last of squashing the noise of the tier, which
    /// reads it like a lookup.
    pub fn log2_failures(&self) -> Vec<f64> {
        let noise = Noise::new();
        #[allow(
            clippy::cast_precision_loss,
            reason = "a bound on noise needs no more than 53 bits"
        )]
        let distance = |torus: u64| torus as f64 / 2f64.powi(64);
        self.lookups
            .iter()
            .map(|lookup| {
                let variance = self.variance(&noise, &lookup.input) + noise.reading;
                Noise::log2_failure(variance, distance(lookup.tolerance))
            })
            .chain([Noise::log2_failure(
                self.variance(&noise, &self.output) + noise.reading,
                distance(crate::parameters::STEP / 2),
            )])
            .collect()
    }

    /// Refuses a program in which some lookup fails more often than 2⁻¹²⁸.
    pub fn check(&self) -> Result<(), EngineError> {
        match self.log2_failures().iter().position(|log2| *log2 > LARGEST_LOG2_FAILURE) {
            None => Ok(()),
            Some(lookup) => Err(EngineError::Unsupported {
                engine: ENGINE,
                reason: format!(
                    "lookup {lookup} would read a wrong value more often than once in 2^128: too many encrypted values meet in one sum; split the score or decide parts of it within one agency"
                ),
            }),
        }
    }

    /// Runs the program on torus values without ciphertexts, each lookup's input being off by its entry of
    /// `errors` (0 where there is none): what the noise does.
    pub fn simulate_with(&self, inputs: &[u64], errors: &[i64]) -> u64 {
        let mut lookups: Vec<u64> = Vec::with_capacity(self.lookups.len());
        let value = |sum: &Sum, lookups: &[u64]| {
            sum.terms.iter().fold(sum.constant, |total, (register, factor)| {
                let operand = match register {
                    Register::Input(i) => inputs.get(*i),
                    Register::Lookup(l) => lookups.get(*l),
                };
                let product =
                    operand.copied().unwrap_or_default().wrapping_mul(factor.cast_unsigned());
                total.wrapping_add(product)
            })
        };
        for (position, lookup) in self.lookups.iter().enumerate() {
            let error = errors.get(position).copied().unwrap_or_default();
            let input = value(&lookup.input, &lookups).wrapping_add_signed(error);
            lookups.push(lookup.read(input));
        }
        value(&self.output, &lookups)
    }
}

impl TfhePlan {
    /// The circuit, which can be run in the clear.
    pub fn circuit(&self) -> &Circuit {
        &self.circuit
    }

    /// The program on the torus.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Positions of the inputs that an agency sends.
    pub(crate) fn inputs_of(&self, agency: usize) -> Vec<usize> {
        self.program
            .inputs
            .iter()
            .enumerate()
            .filter(|(_, input)| input.agency == agency)
            .map(|(position, _)| position)
            .collect()
    }
}

impl blindtier_engine::Plan for TfhePlan {
    fn inputs(&self) -> &Inputs {
        &self.circuit.inputs
    }

    fn summary(&self) -> PlanSummary {
        let circuit = bincode::serialize(&self.circuit).unwrap_or_default();
        let program = bincode::serialize(&self.program).unwrap_or_default();
        let mut hasher = blake3::Hasher::new_derive_key("blindtier tfhe plan v2");
        let shares = self.shares.to_le_bytes();
        let flooding = self.flooding.to_le_bytes();
        let names = [NAME.as_bytes(), SQUASHING_NAME.as_bytes()];
        for part in names.into_iter().chain([circuit.as_slice(), &program, &shares, &flooding]) {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        PlanSummary {
            engine: EngineId { name: ENGINE.into(), parameters: NAME.into() },
            layout: self.circuit.inputs.layout,
            operations: Operations::Lookups {
                a_family: u32::try_from(self.program.lookups.len()).unwrap_or(u32::MAX),
            },
            agencies: self.circuit.inputs.agencies(),
            hash: hasher.finalize().into(),
        }
    }

    fn upload_bytes(&self, agency: usize, families: usize) -> u64 {
        let words = crate::encrypt::list_words(self.inputs_of(agency).len() * families);
        u64::try_from(8 * words).unwrap_or(u64::MAX)
    }

    fn result_bytes(&self, families: usize) -> u64 {
        u64::try_from(8 * families * (crate::parameters::DIMENSION + 1)).unwrap_or(u64::MAX)
    }

    fn shares(&self) -> u32 {
        self.shares
    }

    fn flooding_distance(&self, families: u64) -> f64 {
        crate::flooding::log2_distance(self.flooding, families)
    }

    fn describe(&self) -> Vec<String> {
        let failures = self.program.log2_failures();
        let mut lines = vec![format!("ciphertexts a family: {}", self.program.inputs.len())];
        for (position, (lookup, log2)) in self.program.lookups.iter().zip(&failures).enumerate() {
            lines.push(format!(
                "lookup {position}: operands {}, failure probability 2^{log2:.1}",
                lookup.input.terms.len()
            ));
        }
        if let Some(log2) = failures.last() {
            lines.push(format!("opening: failure probability 2^{log2:.1}"));
        }
        lines.push(format!("shares of the key: {}", self.shares));
        lines.push(format!(
            "flooding noise of a share: {} bits, statistical distance 2^{:.1} a family",
            self.flooding,
            self.flooding_distance(1)
        ));
        lines
    }
}
