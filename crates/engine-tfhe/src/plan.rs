//! The plan: the circuit on the torus. Public, hashed, the same for every party.
//!
//! Integers are carried as multiples of a *scale* on the torus of 2⁶⁴. A lookup adds up its operands,
//! switches to the small key and reads a table of 2048 coefficients that covers half the torus; on the other
//! half the table is read with the opposite sign.

use crate::chunk::Shape;
use crate::noise::{LARGEST_LOG2_FAILURE, Noise};
use crate::parameters::{COEFFICIENT, NAME, POLYNOMIAL, SQUASHING_NAME, UNIT};
use blindtier_engine::{EngineError, EngineId, Operation, Operations, PlanSummary, Proofs};
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
    /// Whether every list of ciphertexts comes with a proof.
    pub(crate) proofs: Proofs,
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
    /// Position of the submitter: an agency, or behind them the registrar.
    pub submitter: usize,
    /// What of the column's value is in it.
    pub part: Part,
    /// What one of it adds to the column's value.
    pub weight: i64,
}

/// What a ciphertext holds of its column's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Part {
    /// All of it: nothing is proven.
    Whole,
    /// 1 if it is at least this.
    Reached(i64),
    /// A binary digit.
    Binary {
        /// Which.
        position: usize,
        /// Smallest and largest value of the column.
        range: (i64, i64),
    },
}

impl Input {
    /// What is encrypted for a value of the column, in [units](UNIT) of the torus.
    pub fn units(&self, value: i64) -> i64 {
        match self.part {
            Part::Whole => value,
            Part::Reached(least) => i64::from(value >= least),
            Part::Binary { position, range } => {
                i64::from(crate::encoding::binary(range, position, value))
            }
        }
    }

    /// The same on the torus.
    pub fn torus(&self, value: i64) -> u64 {
        UNIT.wrapping_mul(self.units(value).cast_unsigned())
    }
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

    /// Adds `factor` times another sum.
    pub fn add_sum(&mut self, other: &Self, factor: i64) {
        for (register, own) in &other.terms {
            self.add(*register, own.saturating_mul(factor));
        }
        let constant = other.constant.wrapping_mul(factor.cast_unsigned());
        self.constant = self.constant.wrapping_add(constant);
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
    /// Variance of a sum's noise before it is read, and how far inputs can move it if each is off by 1.
    fn noise_of(&self, noise: &Noise, sum: &Sum) -> (f64, f64) {
        sum.terms.iter().fold((0.0, 0.0), |(variance, moved), (register, factor)| {
            #[allow(clippy::cast_precision_loss, reason = "a bound needs no more than 53 bits")]
            let factor = *factor as f64;
            match register {
                Register::Input(_) => {
                    (variance + factor * factor * noise.input, moved + factor.abs())
                }
                Register::Lookup(_) => (variance + factor * factor * noise.lookup, moved),
            }
        })
    }

    /// Variance of the result's noise.
    pub fn output_variance(&self) -> f64 {
        self.noise_of(&Noise::new(), &self.output).0
    }

    /// Base-2 logarithm of the failure probability of every lookup, and last of squashing the noise of the tier, which
    /// reads it like a lookup.
    pub fn log2_failures(&self) -> Vec<f64> {
        self.log2_failures_if_inputs_are_off_by(0.0)
    }

    /// The same if all who submit choose the largest noise that a proof lets through.
    pub fn log2_failures_of_proven(&self) -> Vec<f64> {
        self.log2_failures_if_inputs_are_off_by(Noise::proven())
    }

    fn log2_failures_if_inputs_are_off_by(&self, error: f64) -> Vec<f64> {
        let noise = Noise::new();
        let read = |sum: &Sum, tolerance: u64| {
            #[allow(clippy::cast_precision_loss, reason = "a bound needs no more than 53 bits")]
            let tolerance = tolerance as f64 / 2f64.powi(64);
            let (variance, moved) = self.noise_of(&noise, sum);
            Noise::log2_failure(variance + noise.reading, tolerance - moved * error)
        };
        self.lookups
            .iter()
            .map(|lookup| read(&lookup.input, lookup.tolerance))
            .chain([read(&self.output, crate::parameters::STEP / 2)])
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

    /// What a submitter sends, in order.
    pub(crate) fn inputs_of(&self, submitter: usize) -> impl Iterator<Item = &Input> {
        self.program.inputs.iter().filter(move |input| input.submitter == submitter)
    }

    /// The form of one chunk of a submitter.
    pub(crate) fn shape(&self, submitter: usize, families: usize) -> Shape {
        Shape { inputs: self.inputs_of(submitter).count(), families, proofs: self.proofs }
    }
}

impl blindtier_engine::Plan for TfhePlan {
    fn inputs(&self) -> &Inputs {
        &self.circuit.inputs
    }

    fn summary(&self) -> PlanSummary {
        let circuit = bincode::serialize(&self.circuit).unwrap_or_default();
        let program = bincode::serialize(&self.program).unwrap_or_default();
        let mut hasher = blake3::Hasher::new_derive_key("blindtier tfhe plan v3");
        let shares = self.shares.to_le_bytes();
        let flooding = self.flooding.to_le_bytes();
        let proofs = [u8::from(self.proofs == Proofs::On)];
        let names = [NAME.as_bytes(), SQUASHING_NAME.as_bytes()];
        let parts = [circuit.as_slice(), &program, &shares, &flooding, &proofs];
        for part in names.into_iter().chain(parts) {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        let lookups = u32::try_from(self.program.lookups.len()).unwrap_or(u32::MAX);
        let opt_out = u32::from(self.circuit.inputs.opt_out_column().is_some());
        PlanSummary {
            engine: EngineId { name: ENGINE.into(), parameters: NAME.into() },
            layout: self.circuit.inputs.layout,
            operations: Operations {
                operation: Operation::Lookup,
                tier: lookups.saturating_sub(opt_out),
                opt_out,
                checks: 0,
            },
            proofs: self.proofs,
            submitters: self.circuit.inputs.submitters(),
            hash: hasher.finalize().into(),
        }
    }

    fn upload_bytes(&self, submitter: usize, families: usize) -> u64 {
        u64::try_from(self.shape(submitter, families).bytes()).unwrap_or(u64::MAX)
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
        if self.proofs == Proofs::On {
            let worst = self.program.log2_failures_of_proven().into_iter().fold(f64::MIN, f64::max);
            lines.push(format!(
                "with the largest noise that proofs let through: failure probability 2^{worst:.1} at most"
            ));
            lines.extend(self.slack().iter().map(ToString::to_string));
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
