//! Cuts of sums that are too wide for one lookup, by successive range reduction.
//!
//! A lookup of a wide sum reads it only to within `u = 2⁵⁸` of the torus (a 64th). That is too coarse to cut
//! at single units, but fine enough to bring the sum closer to the threshold without changing its side:
//! subtract, far from the threshold, what was read, and nothing near it. What is left lies within `2u` of the
//! threshold and is exact, because it is the sum itself minus an output whose value depends only on what was
//! read. Multiplied by an integer `m` it fills the torus again, and the next lookup sees it `m` times as
//! large. The last lookup reads the sign.
//!
//! For several thresholds the first lookup is done against the nearest one, and one more lookup of the same
//! ciphertext says which that was; both read the same coefficient, so they agree. The class is that number
//! plus the sign. Thresholds nearer to each other than the reading is exact go to separate chains, whose
//! results add up.
//!
//! An output's own noise limits how fine a unit may be when it is subtracted. A sum wider than that is first
//! told apart into below, near and above the threshold; multiplied so that the near part fills the torus and
//! the rest wraps around, it goes through the stages as before, and one more lookup takes the sign only if the
//! sum was near.
//!
//! In units of the sum, with `T` units on the torus: a stage reads to within `T/64`, so the remainder is at
//! most `2·T/64 + ½` from its threshold, and the next stage may have 7 times fewer units, the last 15 times
//! fewer. A chain of two lookups cuts about 220 values, of three about 1,370, of
//! four about 3,270; with wrapping, five cut about 9,400 and six about 22,300.

use crate::noise::{LARGEST_LOG2_FAILURE, Noise};
use crate::parameters::{COEFFICIENT, POLYNOMIAL, STEP, UNIT};
use crate::plan::{Lookup, Program, Register, Segment, Sum};

/// How exactly a lookup reads: a 64th of the torus.
pub const READING: u64 = 1 << 58;
/// A quarter of the torus: where the middle of a range is put, so that the range stays in the padded half.
const QUARTER: u64 = 1 << 62;
/// The most stages that are tried; the noise of early outputs grows with every multiplication.
const MOST_STAGES: usize = 5;

/// How a sum in `0..=max` is cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reduction {
    max: i64,
    /// Torus distance of one unit of the sum; a multiple of [`UNIT`].
    pub scale: u64,
    /// By what the sum is multiplied, to wrap around, once it is known to be near or not.
    wrap: Option<u64>,
    /// By what the remainder is multiplied after each stage but the last.
    multipliers: Vec<u64>,
    /// Thresholds by chain, ascending in each.
    chains: Vec<Vec<i64>>,
}

impl Reduction {
    /// The cheapest way, or `None` when the sum is too wide for the noise.
    pub fn new(max: i64, at: &[i64]) -> Option<Self> {
        if max < 1 || at.is_empty() {
            return None;
        }
        let width = u64::try_from(max).ok()?;
        // The whole range, with the reading error on both sides, fills half the torus.
        let scale = 2 * (QUARTER - READING) / width / UNIT * UNIT;
        if scale == 0 {
            return None;
        }
        let direct = (2..=MOST_STAGES).find_map(|stages| {
            let multipliers = multipliers(scale, stages)?;
            Some(Self { max, scale, wrap: None, multipliers, chains: chains(at, scale) })
        });
        direct.or_else(|| {
            // What is near lies within two reading errors and a unit of the threshold.
            let wrap = (QUARTER - READING) / (2 * READING + 2 * scale);
            let wrapped = scale.checked_mul(wrap).filter(|_| wrap > 1)?;
            (2..=MOST_STAGES).find_map(|stages| {
                let multipliers = multipliers(wrapped, stages)?;
                let chains = at.iter().map(|t| vec![*t]).collect();
                Some(Self { max, scale, wrap: Some(wrap), multipliers, chains })
            })
        })
    }

    /// How many lookups it takes.
    pub fn lookups(&self) -> usize {
        let stages = self.multipliers.len() + 1 + if self.wrap.is_some() { 2 } else { 0 };
        self.chains.iter().map(|chain| stages + usize::from(chain.len() > 1)).sum()
    }

    /// Adds the lookups to a program. `sum` carries the sum at [`Reduction::scale`]; the result is the number
    /// of thresholds reached, one unit of it being `unit` on the torus (even).
    pub fn emit(&self, program: &mut Program, sum: &Sum, unit: u64) -> Sum {
        let mut result = Sum::default();
        for chain in &self.chains {
            match (self.wrap, chain.as_slice()) {
                (Some(wrap), [threshold]) => {
                    self.wrapped(program, sum, *threshold, wrap, unit, &mut result);
                }
                _ => self.chain(program, sum, chain, unit, &mut result),
            }
        }
        result
    }

    /// Below, near or above; the sign of what is near; and one lookup of both.
    fn wrapped(
        &self,
        program: &mut Program,
        sum: &Sum,
        threshold: i64,
        wrap: u64,
        unit: u64,
        result: &mut Sum,
    ) {
        let half = self.scale / 2;
        let half_threshold = 2 * threshold - 1 - self.max;
        let near = i128::from(READING + self.scale);
        let places = [
            (0, 0),
            (coefficient(half, half_threshold, -near), 1),
            (coefficient(half, half_threshold, near + 1), 2),
        ];
        let table = places
            .map(|(from, place)| Segment { from, value: STEP.wrapping_mul(2 * place), slope: 0 })
            .to_vec();
        let mut whole = sum.clone();
        whole.constant = whole.constant.wrapping_sub(torus(half, self.max)).wrapping_add(QUARTER);
        let place = push(program, whole, tidy(table), READING);
        let mut rest = sum.clone();
        rest.constant = rest.constant.wrapping_sub(torus(half, 2 * threshold - 1));
        let mut both = Sum::default();
        self.stages(program, rest.times(wrap), self.scale.wrapping_mul(wrap), STEP, &mut both);
        both.add(place, 1);
        both.constant = both.constant.wrapping_add(STEP / 2);
        // Twice the place plus the sign: 0 and 1 below, 2 or 3 near, 4 and 5 above.
        let boxes = usize::try_from(STEP / COEFFICIENT).unwrap_or_default();
        let table = vec![
            Segment { from: 0, value: 0, slope: 0 },
            Segment { from: 3 * boxes, value: unit, slope: 0 },
        ];
        let taken = push(program, both, table, READING);
        result.add(taken, 1);
    }

    fn chain(&self, program: &mut Program, sum: &Sum, chain: &[i64], unit: u64, result: &mut Sum) {
        let half = self.scale / 2;
        // Positions in half units, so that a threshold lies between two values.
        let centre = self.max;
        let thresholds: Vec<i64> = chain.iter().map(|t| 2 * t - 1 - centre).collect();
        let mut rest = sum.clone();
        rest.constant = rest.constant.wrapping_sub(torus(half, centre));
        let mut first = rest.clone();
        first.constant = first.constant.wrapping_add(QUARTER);
        let boundaries: Vec<i64> = thresholds
            .windows(2)
            .map(|pair| match pair {
                [a, b] => i64::midpoint(*a, *b),
                _ => 0,
            })
            .collect();
        if chain.len() > 1 {
            let table = regions(&boundaries, half, unit);
            let which = push(program, first.clone(), table, READING);
            result.add(which, 1);
        }
        let Some((multiplier, later)) = self.multipliers.split_first() else { return };
        let table = remainders(&thresholds, &boundaries, self.scale, *multiplier);
        let read = push(program, first, table, READING);
        let mut rest = rest.times(*multiplier);
        rest.add(read, -1);
        self.remainder(program, rest, self.scale.wrapping_mul(*multiplier), later, unit, result);
    }

    /// All stages, for a sum whose threshold is at zero.
    fn stages(&self, program: &mut Program, rest: Sum, scale: u64, unit: u64, result: &mut Sum) {
        self.remainder(program, rest, scale, &self.multipliers, unit, result);
    }

    /// The stages after the first: `rest` is a number of units of `scale`, an odd number of half units from
    /// zero.
    fn remainder(
        &self,
        program: &mut Program,
        mut rest: Sum,
        mut scale: u64,
        multipliers: &[u64],
        unit: u64,
        result: &mut Sum,
    ) {
        for multiplier in multipliers {
            let mut input = rest.clone();
            input.constant = input.constant.wrapping_add(QUARTER);
            let read = push(program, input, remainders(&[0], &[], scale, *multiplier), READING);
            scale = scale.wrapping_mul(*multiplier);
            rest = rest.times(*multiplier);
            rest.add(read, -1);
        }
        let sign = vec![Segment { from: 0, value: unit / 2, slope: 0 }];
        let start = self.scale.wrapping_mul(self.wrap.unwrap_or(1));
        let read = push(program, rest, sign, last_tolerance(&self.multipliers, start));
        result.add(read, 1);
        result.constant = result.constant.wrapping_add(unit / 2);
    }
}

/// How far the last remainder may be off: to zero on one side, to half the torus on the other.
fn last_tolerance(multipliers: &[u64], scale: u64) -> u64 {
    let last = multipliers.last().copied().unwrap_or(1);
    let before = multipliers.iter().rev().skip(1).fold(scale, |s, m| s.wrapping_mul(*m));
    let farthest = (2 * READING + before / 2).saturating_mul(last);
    (before.wrapping_mul(last) / 2).min((1u64 << 63).saturating_sub(farthest))
}

/// Thresholds that one first lookup can tell apart: a boundary between two of them must be a reading error
/// away from both.
fn chains(at: &[i64], scale: u64) -> Vec<Vec<i64>> {
    let mut chains: Vec<Vec<i64>> = Vec::new();
    for threshold in at {
        let free = chains.iter_mut().find(|chain| {
            chain.last().is_none_or(|last| {
                u64::try_from(threshold - last)
                    .ok()
                    .and_then(|gap| gap.checked_mul(scale))
                    .is_none_or(|gap| gap > 2 * READING)
            })
        });
        match free {
            Some(chain) => chain.push(*threshold),
            None => chains.push(vec![*threshold]),
        }
    }
    chains
}

/// The multipliers of a chain of `stages` lookups whose weakest lookup fails least often.
fn multipliers(scale: u64, stages: usize) -> Option<Vec<u64>> {
    let noise = Noise::new();
    let mut best: Option<(f64, Vec<u64>)> = None;
    let mut chosen = Vec::new();
    choose(scale, stages - 1, &mut chosen, &mut |multipliers| {
        #[allow(
            clippy::cast_precision_loss,
            reason = "a bound on noise needs no more than 53 bits"
        )]
        let tolerance = last_tolerance(multipliers, scale) as f64 / 2f64.powi(64);
        // The output of stage i is multiplied by all multipliers after its own.
        let mut amplified = 0.0;
        let mut weakest = f64::NEG_INFINITY;
        for (position, multiplier) in multipliers.iter().enumerate() {
            #[allow(clippy::cast_precision_loss, reason = "multipliers are small")]
            let square = (*multiplier as f64).powi(2);
            amplified =
                if position == 0 { noise.lookup } else { amplified * square + noise.lookup };
            let distance = if position + 1 == multipliers.len() { tolerance } else { 1.0 / 64.0 };
            weakest = weakest.max(Noise::log2_failure(amplified + noise.reading, distance));
        }
        if weakest <= LARGEST_LOG2_FAILURE
            && best.as_ref().is_none_or(|(found, _)| weakest < *found)
        {
            best = Some((weakest, multipliers.to_vec()));
        }
    });
    best.map(|(_, multipliers)| multipliers)
}

/// Calls `visit` with every choice of multipliers for which each remainder fits the next stage.
fn choose(scale: u64, count: usize, chosen: &mut Vec<u64>, visit: &mut dyn FnMut(&[u64])) {
    let remainder = 2 * READING + scale / 2;
    // The remainder, multiplied: inside the padded half with the reading error, or for the sign anywhere.
    let room = if count == 1 { 1u64 << 63 } else { QUARTER - READING };
    for multiplier in 2..=room / remainder {
        let Some(next) = scale.checked_mul(multiplier) else { break };
        chosen.push(multiplier);
        if count == 1 {
            visit(chosen);
        } else {
            choose(next, count - 1, chosen, visit);
        }
        chosen.pop();
    }
}

fn push(program: &mut Program, input: Sum, table: Vec<Segment>, tolerance: u64) -> Register {
    program.lookups.push(Lookup { input, table, tolerance });
    Register::Lookup(program.lookups.len() - 1)
}

fn torus(half: u64, half_units: i64) -> u64 {
    half.wrapping_mul(half_units.cast_unsigned())
}

/// The first coefficient whose position is at least `half_units` from the middle of the table.
fn coefficient(half: u64, half_units: i64, extra: i128) -> usize {
    let position = i128::from(QUARTER) + i128::from(half) * i128::from(half_units) + extra;
    let step = i128::from(COEFFICIENT);
    let first = position.div_euclid(step) + i128::from(position.rem_euclid(step) != 0);
    usize::try_from(first.clamp(0, POLYNOMIAL as i128)).unwrap_or_default()
}

/// Which threshold is nearest, each in turn `unit` more.
fn regions(boundaries: &[i64], half: u64, unit: u64) -> Vec<Segment> {
    let mut table = vec![Segment { from: 0, value: 0, slope: 0 }];
    let mut value = 0u64;
    for boundary in boundaries {
        value = value.wrapping_add(unit);
        table.push(Segment { from: coefficient(half, *boundary, 0), value, slope: 0 });
    }
    tidy(table)
}

/// What to subtract from `multiplier` times the sum: the nearest threshold, and beyond a reading error and
/// half a unit from it also the distance read.
fn remainders(thresholds: &[i64], boundaries: &[i64], scale: u64, multiplier: u64) -> Vec<Segment> {
    let half = scale / 2;
    let still = i128::from(READING + half);
    let slope = COEFFICIENT.wrapping_mul(multiplier);
    let mut table = Vec::new();
    for (position, threshold) in thresholds.iter().enumerate() {
        let start = position.checked_sub(1).and_then(|p| boundaries.get(p));
        let start = start.map_or(0, |b| coefficient(half, *b, 0));
        let end = boundaries.get(position).map_or(POLYNOMIAL, |b| coefficient(half, *b, 0));
        let still_from = coefficient(half, *threshold, -still).clamp(start, end);
        let still_to = coefficient(half, *threshold, still + 1).clamp(start, end);
        let base = torus(half, *threshold).wrapping_mul(multiplier);
        // At a coefficient: multiplier · (what was read ± still), with the middle of the table at zero.
        let moved = |from: usize, by: u64| {
            let read = (from as u64).wrapping_mul(COEFFICIENT).wrapping_sub(QUARTER);
            read.wrapping_add(by).wrapping_mul(multiplier)
        };
        let still_torus = READING + half;
        table.push(Segment { from: start, value: moved(start, still_torus), slope });
        table.push(Segment { from: still_from, value: base, slope: 0 });
        table.push(Segment {
            from: still_to,
            value: moved(still_to, still_torus.wrapping_neg()),
            slope,
        });
    }
    tidy(table)
}

/// Drops segments that the next one starts on or before, and those beyond the table.
fn tidy(table: Vec<Segment>) -> Vec<Segment> {
    let mut tidied: Vec<Segment> = Vec::with_capacity(table.len());
    for segment in table {
        if segment.from >= POLYNOMIAL {
            continue;
        }
        while tidied.last().is_some_and(|last| last.from >= segment.from) {
            tidied.pop();
        }
        tidied.push(segment);
    }
    tidied
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Input, Part};

    /// Cuts every value of `0..=max` with every lookup's input off by up to its tolerance, in a pattern that
    /// changes with the value, and checks the class.
    fn check(max: i64, at: &[i64]) -> usize {
        check_some(max, at, 1)
    }

    fn check_some(max: i64, at: &[i64], every: usize) -> usize {
        let reduction = Reduction::new(max, at).unwrap();
        let mut program = Program {
            inputs: vec![Input { column: 0, submitter: 0, part: Part::Whole, weight: 1 }],
            ..Program::default()
        };
        let mut sum = Sum::default();
        sum.add(Register::Input(0), (reduction.scale / UNIT).cast_signed());
        program.output = reduction.emit(&mut program, &sum, STEP);
        program.check().unwrap();
        assert_eq!(program.lookups.len(), reduction.lookups());
        let lookups = program.lookups.len() as u32;
        let near = at.iter().flat_map(|t| t - 3..=t + 2).filter(|v| (0..=max).contains(v));
        for value in (0..=max).step_by(every).chain(near) {
            let expected = at.iter().filter(|t| value >= **t).count() as u64;
            let input = UNIT.wrapping_mul(value.cast_unsigned());
            for pattern in (0..3u32.pow(lookups)).step_by(every) {
                let errors: Vec<i64> = (0..lookups)
                    .map(|l| i64::from(pattern / 3u32.pow(l) % 3) - 1)
                    .zip(&program.lookups)
                    // A coefficient's width less, because reading rounds to coefficients.
                    .map(|(sign, lookup)| sign * (lookup.tolerance - COEFFICIENT).cast_signed())
                    .collect();
                let errors = same_input_same_error(&program, errors);
                let found = program.simulate_with(&[input], &errors);
                assert_eq!(
                    found.wrapping_add(STEP / 2) / STEP,
                    expected,
                    "value {value}, errors {errors:?}"
                );
            }
        }
        program.lookups.len()
    }

    /// Two lookups of one ciphertext read the same coefficient.
    fn same_input_same_error(program: &Program, mut errors: Vec<i64>) -> Vec<i64> {
        for l in 1..errors.len() {
            if program.lookups[l].input == program.lookups[l - 1].input {
                errors[l] = errors[l - 1];
            }
        }
        errors
    }

    #[test]
    fn the_family_card_takes_four_lookups() {
        assert_eq!(check(627, &[122, 164, 240, 347]), 4);
    }

    #[test]
    fn one_threshold_takes_no_region() {
        assert_eq!(check(40, &[20]), 2);
        assert_eq!(check(100, &[1]), 2);
        assert_eq!(check(1000, &[1000]), 3);
    }

    #[test]
    fn close_thresholds_go_to_separate_chains() {
        assert_eq!(check(300, &[100, 101, 102]), 9);
        check(60, &[10, 20, 30, 31, 50]);
    }

    #[test]
    fn what_is_too_wide_is_refused() {
        assert_eq!(Reduction::new(1 << 40, &[5]), None);
        assert_eq!(Reduction::new(10, &[]), None);
    }

    #[test]
    fn thousands_of_values_still_fit() {
        assert_eq!(check_some(3000, &[2000], 1), 4);
        assert_eq!(check_some(3500, &[3499], 1), 5);
        assert_eq!(check_some(20_000, &[12_345], 7), 6);
    }
}
