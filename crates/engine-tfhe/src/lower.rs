//! Circuit → plan: where on the torus every integer stands.
//!
//! Every sum has a scale. A value that one sum reads is produced at that sum's scale already multiplied by
//! its weight, so that weights cost no noise; a value that several sums read is produced once, unscaled.

use crate::parameters::{COEFFICIENT, STEP, WIDTH};
use crate::plan::{ENGINE, Input, Lookup, Program, Register, Segment, Sum, TfhePlan};
use crate::range_reduction::{READING, Reduction};
use blindtier_engine::EngineError;
use blindtier_policy::Policy;
use blindtier_policy::circuit::{Circuit, Linear, Operand, Step};
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
    /// Plans a policy for a key cut into so many shares, or says which part is too wide.
    pub fn new(policy: &Policy, layout: Layout, shares: u32) -> Result<Self, EngineError> {
        let flooding = crate::flooding::bits(shares)?;
        let unsupported = |reason: String| EngineError::Unsupported { engine: ENGINE, reason };
        let circuit =
            reduce(policy, layout, &TfhePrices).map_err(|error| unsupported(error.to_string()))?;
        let program = lower(&circuit)?;
        program.check()?;
        Ok(Self { circuit, program, shares, flooding })
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

/// How a step is done, and the scale of its sum.
enum Way {
    Narrow,
    Wide(Reduction),
}

fn lower(circuit: &Circuit) -> Result<Program, EngineError> {
    let ways: Vec<Way> = circuit
        .steps
        .iter()
        .map(|step| match step {
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
        })
        .collect::<Result<_, _>>()?;
    let scale_of = |way: &Way| match way {
        Way::Narrow => STEP,
        Way::Wide(reduction) => reduction.scale,
    };
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
    for (step, way) in circuit.steps.iter().zip(&ways) {
        note(step_input(step), scale_of(way));
    }
    note(&circuit.output, STEP);

    let mut lowering = Lowering { circuit, program: Program::default(), results: Vec::new() };
    for ((step, way), readings) in circuit.steps.iter().zip(&ways).zip(&readings) {
        let input = lowering.sum(step_input(step), scale_of(way));
        let mut produced = Vec::new();
        let mut scales: Vec<u64> = readings.iter().map(|(scale, _)| *scale).collect();
        scales.sort_unstable();
        scales.dedup();
        for scale in scales {
            let alone = match readings.as_slice() {
                [(_, weight)] => weight.unsigned_abs().max(1),
                _ => 1,
            };
            let result = lowering.step(step, way, &input, scale.wrapping_mul(alone));
            produced.push(Produced { scale, alone, result });
        }
        lowering.results.push(produced);
    }
    let output = lowering.sum(&circuit.output, STEP);
    let mut program = lowering.program;
    program.output = output;
    Ok(sort_inputs(program))
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

struct Lowering<'a> {
    circuit: &'a Circuit,
    program: Program,
    results: Vec<Vec<Produced>>,
}

impl Lowering<'_> {
    fn sum(&mut self, linear: &Linear, scale: u64) -> Sum {
        let mut sum = Sum {
            terms: Vec::new(),
            constant: scale.wrapping_mul(linear.constant.cast_unsigned()),
        };
        for (operand, weight) in &linear.terms {
            match operand {
                Operand::Column(column) => {
                    let scale = scale.wrapping_mul(weight.cast_unsigned());
                    let input = self.input(*column, scale);
                    sum.add(Register::Input(input), 1);
                }
                Operand::Step(step) => {
                    let found = self
                        .results
                        .get(*step)
                        .and_then(|list| list.iter().find(|p| p.scale == scale));
                    let Some(produced) = found else { continue };
                    let factor = if produced.alone == 1 { *weight } else { weight.signum() };
                    for (register, own) in &produced.result.terms {
                        sum.add(*register, own.saturating_mul(factor));
                    }
                    sum.constant = sum.constant.wrapping_add(
                        produced.result.constant.wrapping_mul(factor.cast_unsigned()),
                    );
                }
            }
        }
        sum
    }

    fn input(&mut self, column: usize, scale: u64) -> usize {
        let found = self.program.inputs.iter().position(|i| i.column == column && i.scale == scale);
        found.unwrap_or_else(|| {
            let agency = self.circuit.inputs.columns.get(column).map_or(0, |c| c.agency);
            self.program.inputs.push(Input { column, agency, scale });
            self.program.inputs.len() - 1
        })
    }

    fn step(&mut self, step: &Step, way: &Way, input: &Sum, unit: u64) -> Sum {
        match (step, way) {
            (Step::Lookup { table, .. }, _) => {
                let values = table
                    .iter()
                    .map(|value| unit.wrapping_mul(value.unwrap_or_default().cast_unsigned()))
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
    fn narrow(&mut self, input: &Sum, values: Vec<u64>) -> Sum {
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
}

/// Orders inputs by agency, as they are sent.
fn sort_inputs(mut program: Program) -> Program {
    let mut order: Vec<usize> = (0..program.inputs.len()).collect();
    order.sort_by_key(|i| program.inputs.get(*i).map(|input| input.agency));
    let mut place = vec![0usize; order.len()];
    for (new, old) in order.iter().enumerate() {
        if let Some(cell) = place.get_mut(*old) {
            *cell = new;
        }
    }
    program.inputs = order.iter().filter_map(|i| program.inputs.get(*i)).cloned().collect();
    let sums = program.lookups.iter_mut().map(|l| &mut l.input).chain([&mut program.output]);
    for (register, _) in sums.flat_map(|sum| sum.terms.iter_mut()) {
        if let Register::Input(input) = register {
            *input = place.get(*input).copied().unwrap_or_default();
        }
    }
    program
}
