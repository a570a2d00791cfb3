//! Circuit → plan: where on the torus every integer stands.
//!
//! Every sum has a scale. A lookup's output that one sum reads is produced at that sum's scale already multiplied by
//! its weight, so that weights cost no noise; an output that several sums read is produced once, unscaled. What is
//! submitted is encrypted once, and brought to the scales of all its sums by integer factors.

use crate::encoding::bits;
use crate::parameters::{COEFFICIENT, STEP, UNIT, WIDTH};
use crate::plan::{ENGINE, Input, Lookup, Part, Program, Register, Segment, Sum, TfhePlan};
use crate::range_reduction::{READING, Reduction};
use blindtier_engine::{EngineError, Proofs};
use blindtier_policy::Policy;
use blindtier_policy::circuit::{Circuit, Column, Inputs, Linear, Operand, Step};
use blindtier_policy::passes::{Layout, Prices, reduce};

/// Prices of this engine, in lookups.
#[derive(Clone, Copy, Debug, Default)]
pub struct TfhePrices;

impl Prices for TfhePrices {
    fn width(&self) -> usize {
        WIDTH
    }

    fn cut(&self, max: i64, at: &[i64]) -> Option<u32> {
        if mirrored(max, at).is_some() {
            return Some(1);
        }
        Reduction::new(max, at).and_then(|reduction| u32::try_from(reduction.lookups()).ok())
    }
}

impl TfhePlan {
    /// Plans a policy for a key cut into so many shares, with proofs of encryption or without, or says which part is too
    /// wide.
    pub fn new(
        policy: &Policy,
        layout: Layout,
        shares: u32,
        proofs: Proofs,
    ) -> Result<Self, EngineError> {
        let flooding = crate::flooding::bits(shares)?;
        let unsupported = |reason: String| EngineError::Unsupported { engine: ENGINE, reason };
        let circuit =
            reduce(policy, layout, &TfhePrices).map_err(|error| unsupported(error.to_string()))?;
        let program = lower(&circuit, proofs)?;
        Ok(Self { circuit, program, shares, flooding, proofs })
    }
}

/// A sum of at most 32 values can be cut by one lookup when its upper half mirrors its lower half: on the
/// second half of the torus a table is read with the opposite sign, so `class(v) + class(v + 16)` must be the
/// same for all v that have both. Returns that constant (0 when no v has both).
fn mirrored(max: i64, at: &[i64]) -> Option<i64> {
    let width = i64::try_from(WIDTH).ok()?;
    if max >= 2 * width {
        return None;
    }
    let class =
        |value: i64| i64::try_from(at.iter().filter(|t| value >= **t).count()).unwrap_or_default();
    let mut constants = (0..=max - width).map(|v| class(v) + class(v + width));
    let first = constants.next().unwrap_or_default();
    constants.all(|c| c == first).then_some(first)
}

/// How a step is done.
pub(crate) enum Way {
    Narrow,
    Wide(Reduction),
}

impl Way {
    /// The scale of the step's sum.
    fn scale(&self) -> u64 {
        match self {
            Self::Narrow => STEP,
            Self::Wide(reduction) => reduction.scale,
        }
    }
}

fn ways(circuit: &Circuit) -> Result<Vec<Way>, EngineError> {
    let way = |step: &Step| match step {
        Step::Cut { max, at, .. } if mirrored(*max, at).is_none() => {
            Reduction::new(*max, at).map(Way::Wide).ok_or_else(|| EngineError::Unsupported {
                engine: ENGINE,
                reason: format!(
                    "a score with {} different values is too wide",
                    max.saturating_add(1)
                ),
            })
        }
        _ => Ok(Way::Narrow),
    };
    circuit.steps.iter().map(way).collect()
}

/// The program with the fewest lookups of those that read rightly: with gates behind the tier as it comes, or behind one
/// more lookup of it, which makes its noise small again.
pub(crate) fn lower(circuit: &Circuit, proofs: Proofs) -> Result<Program, EngineError> {
    let ways = ways(circuit)?;
    let program = |refresh| Lowering::new(circuit, proofs).program(&ways, refresh);
    let direct = program(false);
    if !circuit.inputs.columns.iter().any(Column::is_gate) {
        direct.check()?;
        return Ok(direct);
    }
    let refreshed = program(true);
    match (direct.check(), refreshed.check()) {
        (Ok(()), Ok(())) if refreshed.lookups.len() < direct.lookups.len() => Ok(refreshed),
        (Ok(()), _) => Ok(direct),
        (Err(_), Ok(())) => Ok(refreshed),
        (Err(error), Err(_)) => Err(error),
    }
}

fn step_input(step: &Step) -> &Linear {
    match step {
        Step::Lookup { input, .. } | Step::Cut { input, .. } => input,
    }
}

/// A step's result for the sums of one scale.
struct Produced {
    scale: u64,
    /// The weight that is already in the result.
    alone: u64,
    result: Sum,
}

/// A circuit being lowered, and the program so far.
pub(crate) struct Lowering<'a> {
    circuit: &'a Circuit,
    pub(crate) program: Program,
    results: Vec<Vec<Produced>>,
    /// Results of the steps, in the clear, for a family that no register knows.
    missing: Vec<i64>,
}

impl<'a> Lowering<'a> {
    /// A program that has its inputs, in the order in which they are sent.
    fn new(circuit: &'a Circuit, proofs: Proofs) -> Self {
        let mut inputs = Vec::new();
        for submitter in circuit.inputs.submitters() {
            for column in circuit.inputs.columns_of(submitter) {
                let Some(found) = circuit.inputs.columns.get(column) else { continue };
                let parts = match proofs {
                    Proofs::Off => vec![(Part::Whole, 1)],
                    Proofs::On => bits(&circuit.inputs, found),
                };
                let input = |(part, weight)| Input { column, submitter, part, weight };
                inputs.extend(parts.into_iter().map(input));
            }
        }
        let program = Program { inputs, ..Program::default() };
        Self { circuit, program, results: Vec::new(), missing: Vec::new() }
    }

    fn program(mut self, ways: &[Way], refresh: bool) -> Program {
        self.program.output = self.gated(ways, refresh);
        self.program
    }

    /// All steps; the tier at `scale`.
    pub(crate) fn tier(&mut self, ways: &[Way], scale: u64) -> Sum {
        let circuit = self.circuit;
        // Who reads each step: scale and weight of every reading.
        let mut readings: Vec<Vec<(u64, i64)>> = vec![Vec::new(); circuit.steps.len()];
        let mut note = |linear: &Linear, scale: u64| {
            for (operand, weight) in &linear.terms {
                if let Operand::Step(step) = operand
                    && let Some(list) = readings.get_mut(*step)
                {
                    list.push((scale, *weight));
                }
            }
        };
        for (step, way) in circuit.steps.iter().zip(ways) {
            note(step_input(step), way.scale());
        }
        note(&circuit.output, scale);
        let absent: Vec<i64> =
            (0..circuit.inputs.columns.len()).map(|c| circuit.inputs.missing_value(c)).collect();
        for ((step, way), readings) in circuit.steps.iter().zip(ways).zip(&readings) {
            let missing = result(step, step_input(step).value(&absent, &self.missing));
            self.missing.push(missing);
            let input = self.sum(step_input(step), way.scale());
            let mut produced = Vec::new();
            let mut scales: Vec<u64> = readings.iter().map(|(scale, _)| *scale).collect();
            scales.sort_unstable();
            scales.dedup();
            for scale in scales {
                let alone = match readings.as_slice() {
                    [(_, weight)] => weight.unsigned_abs().max(1),
                    _ => 1,
                };
                let result = self.step(step, way, &input, scale.wrapping_mul(alone), missing);
                produced.push(Produced { scale, alone, result });
            }
            self.results.push(produced);
        }
        self.sum(&circuit.output, scale)
    }

    fn sum(&self, linear: &Linear, scale: u64) -> Sum {
        let constant = scale.wrapping_mul(linear.constant.cast_unsigned());
        let mut sum = Sum { terms: Vec::new(), constant };
        for (operand, weight) in &linear.terms {
            match operand {
                Operand::Column(column) => sum.add_sum(&self.column(*column, scale), *weight),
                Operand::Step(step) => {
                    let found = self
                        .results
                        .get(*step)
                        .and_then(|list| list.iter().find(|p| p.scale == scale));
                    let Some(produced) = found else { continue };
                    let factor = if produced.alone == 1 { *weight } else { weight.signum() };
                    sum.add_sum(&produced.result, factor);
                }
            }
        }
        sum
    }

    /// A column at a scale that is a multiple of [`UNIT`].
    pub(crate) fn column(&self, column: usize, scale: u64) -> Sum {
        let factor = (scale / UNIT).cast_signed();
        let mut sum = Sum::default();
        for (position, input) in self.program.inputs.iter().enumerate() {
            if input.column != column {
                continue;
            }
            if input.part != Part::Whole {
                // Bits add up to what the value is above the smallest.
                let smallest = self.inputs().columns.get(column).map_or(0, |c| c.range.0);
                sum.constant = scale.wrapping_mul(smallest.cast_unsigned());
            }
            if input.weight != 0 {
                sum.add(Register::Input(position), factor.saturating_mul(input.weight));
            }
        }
        sum
    }

    /// One step; `missing` is its result for a family that no register knows, and so for sums that no family has.
    fn step(&mut self, step: &Step, way: &Way, input: &Sum, unit: u64, missing: i64) -> Sum {
        match (step, way) {
            (Step::Lookup { table, .. }, _) => {
                let values = table
                    .iter()
                    .map(|value| unit.wrapping_mul(value.unwrap_or(missing).cast_unsigned()))
                    .collect();
                self.narrow(input, values)
            }
            (Step::Cut { at, first, .. }, Way::Wide(reduction)) => {
                let mut result = reduction.emit(&mut self.program, input, unit);
                result.constant =
                    result.constant.wrapping_add(unit.wrapping_mul(first.cast_unsigned()));
                debug_assert!(!at.is_empty(), "a cut has thresholds");
                result
            }
            (Step::Cut { max, at, first, .. }, Way::Narrow) => {
                // Centred, so that the second half of the torus mirrors the first.
                let mirror = mirrored(*max, at).unwrap_or_default();
                let class = |value: i64| {
                    i64::try_from(at.iter().filter(|t| value >= **t).count()).unwrap_or_default()
                };
                let half = unit / 2;
                let width = i64::try_from(WIDTH).unwrap_or_default();
                let values = (0..width.min(max + 1))
                    .map(|v| half.wrapping_mul((2 * class(v) - mirror).cast_unsigned()))
                    .collect();
                let mut result = self.narrow(input, values);
                let constant = half.wrapping_mul((mirror + 2 * first).cast_unsigned());
                result.constant = result.constant.wrapping_add(constant);
                result
            }
        }
    }

    /// One lookup of up to 16 values; the input is moved half a step up, to the middle of its box.
    pub(crate) fn narrow(&mut self, input: &Sum, values: Vec<u64>) -> Sum {
        let coefficients = usize::try_from(STEP / COEFFICIENT).unwrap_or_default();
        let mut table: Vec<Segment> = Vec::new();
        for (position, value) in values.into_iter().enumerate() {
            if table.last().is_none_or(|last| last.value != value) {
                table.push(Segment { from: position * coefficients, value, slope: 0 });
            }
        }
        let mut input = input.clone();
        input.constant = input.constant.wrapping_add(STEP / 2);
        self.program.lookups.push(Lookup { input, table, tolerance: READING });
        let mut result = Sum::default();
        result.add(Register::Lookup(self.program.lookups.len() - 1), 1);
        result
    }

    /// What is submitted.
    pub(crate) fn inputs(&self) -> &'a Inputs {
        &self.circuit.inputs
    }
}

/// A step's result in the clear.
fn result(step: &Step, sum: i64) -> i64 {
    match step {
        Step::Lookup { table, .. } => usize::try_from(sum)
            .ok()
            .and_then(|s| table.get(s).copied().flatten())
            .unwrap_or_default(),
        Step::Cut { at, first, .. } => {
            at.iter().filter(|t| sum >= **t).fold(*first, |class, _| class + 1)
        }
    }
}
