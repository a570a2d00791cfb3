//! Tables over several arguments: sums of products of smaller tables.
//!
//! The arguments are cut into two groups. Positions of a group that no function tells apart are one class. With
//! the indicators e_c of the classes of one group and e'_d of the other (all but the first of each), every function is
//!
//! f = f(0,0) + Σ_c (f(c,0) − f(0,0))·e_c + Σ_d (f(0,d) − f(0,0))·e'_d + Σ_c e_c · Σ_d w(c,d)·e'_d,
//!
//! where w is what remains. So a function costs one node; the indicators of a group of several arguments are
//! functions of smaller tables again. Where the sums Σ_d w(c,d)·e'_d are fewer than the classes, they are the second
//! group's functions instead of the indicators.

use super::Arguments;
use super::expression::{Expression, settle};
use crate::program::{Linear, Program};
use blindtier_engine::EngineError;
use blindtier_policy::circuit::dense::{Dense, advance};
use std::collections::HashMap;

/// Functions over the same arguments, each with its values by combination, the last argument fastest.
#[derive(Clone, Debug)]
pub struct Functions {
    /// Positions among all arguments, and how many classes each has.
    pub arguments: Vec<(usize, usize)>,
    /// One list of values a function.
    pub values: Vec<Vec<i64>>,
    /// How many of them, from the first on, are factors of products; the others are only added.
    pub factors: usize,
}

/// The most functions that one group may need.
const MOST_FUNCTIONS: usize = 64;
/// The most entries of tables that are looked at to choose a cut.
const CUT_BUDGET: usize = 20_000_000;

impl Functions {
    fn domains(&self) -> Vec<usize> {
        self.arguments.iter().map(|(_, count)| *count).collect()
    }

    /// Numbers the combinations so that two share a number when no function tells them apart.
    fn joint(&self) -> Dense {
        let mut seen: HashMap<Vec<i64>, i64> = HashMap::new();
        let mut position = 0;
        Dense::tabulate(self.domains(), |_| {
            let tuple: Vec<i64> =
                self.values.iter().filter_map(|f| f.get(position)).copied().collect();
            position += 1;
            let next = i64::try_from(seen.len()).unwrap_or(i64::MAX);
            *seen.entry(tuple).or_insert(next)
        })
    }

    /// The same functions without the arguments that decide nothing.
    fn without_idle(self) -> Self {
        let joint = self.joint();
        let kept: Vec<usize> =
            (0..self.arguments.len()).filter(|a| joint.classes(&[*a]).1 > 1).collect();
        if kept.len() == self.arguments.len() {
            return self;
        }
        let arguments: Vec<_> =
            kept.iter().filter_map(|a| self.arguments.get(*a)).copied().collect();
        let domains = self.domains();
        let values = self
            .values
            .into_iter()
            .map(|values| {
                let whole = Dense::from_values(domains.clone(), values);
                let kept_domains = arguments.iter().map(|(_, count)| *count).collect();
                let smaller = Dense::tabulate(kept_domains, |point| {
                    let mut full = vec![0; domains.len()];
                    for (argument, class) in kept.iter().zip(point) {
                        if let Some(cell) = full.get_mut(*argument) {
                            *cell = *class;
                        }
                    }
                    whole.at(&full)
                });
                smaller.values().to_vec()
            })
            .collect();
        Self { arguments, values, factors: self.factors }
    }
}

/// One side of a cut.
struct Side {
    arguments: Vec<(usize, usize)>,
    /// Class of every combination of the side's arguments.
    classes: Vec<usize>,
    count: usize,
}

/// A cut and every function's value by the classes of both sides.
struct Cut {
    left: Side,
    right: Side,
    /// `values[function][left class][right class]`.
    values: Vec<Vec<Vec<i64>>>,
}

/// Computes functions of several arguments.
pub fn functions(
    program: &mut Program,
    arguments: &mut dyn Arguments,
    functions: Functions,
    depth: u32,
) -> Result<Vec<Expression>, EngineError> {
    let functions = functions.without_idle();
    match functions.arguments.as_slice() {
        [] => Ok(functions
            .values
            .iter()
            .map(|f| Expression::of(Linear::constant(f.first().copied().unwrap_or_default())))
            .collect()),
        [(argument, _)] => arguments.functions(program, *argument, &functions),
        _ => {
            let cut = Cut::best(&functions, depth, arguments.cuts());
            cut.compute(program, arguments, depth)
        }
    }
}

/// Cuts that were found before: attempts differ in encodings and meet the same tables.
#[derive(Debug, Default)]
pub struct Cuts {
    known: HashMap<(Dense, u32), u32>,
}

impl Cut {
    /// The cut that needs the fewest nodes, among those whose sides fit the depth.
    fn best(functions: &Functions, depth: u32, cuts: &mut Cuts) -> Self {
        let joint = functions.joint();
        let count = functions.arguments.len();
        let split = |set: u32| -> (Vec<usize>, Vec<usize>) {
            (0..count).partition(|a| {
                set.checked_shr(u32::try_from(*a).unwrap_or(u32::MAX)).unwrap_or(0) & 1 == 1
            })
        };
        let key = (joint, depth);
        let set = match cuts.known.get(&key) {
            Some(set) => *set,
            None => {
                let set = Self::search(functions, &key.0, depth, &split);
                cuts.known.insert(key.clone(), set);
                set
            }
        };
        let (left, right) = split(set);
        Self::new(functions, &key.0, &left, &right)
    }

    fn search(
        functions: &Functions,
        joint: &Dense,
        depth: u32,
        split: &dyn Fn(u32) -> (Vec<usize>, Vec<usize>),
    ) -> u32 {
        let count = functions.arguments.len();
        let most = 1usize << depth.saturating_sub(1).min(16);
        let all = if count < 24 { (1u32 << (count - 1)) - 1 } else { 0 };
        let affordable = CUT_BUDGET / joint.values().len().max(1);
        let sets: Vec<u32> = if usize::try_from(all).is_ok_and(|n| n > 0 && n <= affordable) {
            (1..=all).collect()
        } else {
            // Neighbouring arguments only: the policy's author puts together what belongs together.
            (1..count).map(|n| (1u32 << n.min(31)) - 1).collect()
        };
        let fits = |set: &u32| {
            let (left, right) = split(*set);
            left.len().max(right.len()) <= most.max(count.div_ceil(2))
        };
        let price = |set: &u32| {
            let (left, right) = split(*set);
            let (l, r) = (joint.classes(&left).1, joint.classes(&right).1);
            let nodes = |own: &[usize], functions: usize| match own.len() {
                1 => 0,
                several => functions * (several - 1),
            };
            let by_left =
                nodes(&left, l - 1) + nodes(&right, (r - 1).min((l - 1) * functions.values.len()));
            let by_right =
                nodes(&right, r - 1) + nodes(&left, (l - 1).min((r - 1) * functions.values.len()));
            (by_left.min(by_right), l + r)
        };
        sets.iter().copied().filter(fits).min_by_key(price).unwrap_or(1)
    }

    fn new(functions: &Functions, joint: &Dense, left: &[usize], right: &[usize]) -> Self {
        let side = |own: &[usize]| {
            let (classes, count) = joint.classes(own);
            let arguments =
                own.iter().filter_map(|a| functions.arguments.get(*a)).copied().collect();
            Side { arguments, classes, count }
        };
        let (l, r) = (side(left), side(right));
        let mut values = vec![vec![vec![0; r.count]; l.count]; functions.values.len()];
        let mut point = vec![0usize; functions.arguments.len()];
        let domains = functions.domains();
        let class = |own: &[usize], side: &Side, point: &[usize]| {
            let row = own.iter().zip(&side.arguments).fold(0, |row, (a, (_, count))| {
                row * count + point.get(*a).copied().unwrap_or_default()
            });
            side.classes.get(row).copied().unwrap_or_default()
        };
        for position in 0..joint.values().len() {
            let (c, d) = (class(left, &l, &point), class(right, &r, &point));
            for (grid, function) in values.iter_mut().zip(&functions.values) {
                if let (Some(cell), Some(value)) =
                    (grid.get_mut(c).and_then(|row| row.get_mut(d)), function.get(position))
                {
                    *cell = *value;
                }
            }
            advance(&mut point, &domains);
        }
        let mut cut = Self { left: l, right: r, values };
        cut.choose_first();
        cut
    }

    /// Puts those classes first that make the weights w(c,d) smallest: noise grows with them.
    fn choose_first(&mut self) {
        let weight = |(c0, d0): (usize, usize)| -> u64 {
            let total = |grid: &Vec<Vec<i64>>| -> u64 {
                let Some(base) = grid.get(c0) else { return 0 };
                let rest = |row: &Vec<i64>| -> u64 {
                    let shift = row.get(d0).copied().unwrap_or_default()
                        - base.get(d0).copied().unwrap_or_default();
                    row.iter().zip(base).map(|(v, b)| (v - b - shift).unsigned_abs()).sum()
                };
                grid.iter().map(rest).sum()
            };
            self.values.iter().map(total).sum()
        };
        let pairs = (0..self.left.count).flat_map(|c| (0..self.right.count).map(move |d| (c, d)));
        let (c0, d0) = pairs.min_by_key(|pair| weight(*pair)).unwrap_or_default();
        self.left.exchange(c0);
        self.right.exchange(d0);
        for grid in &mut self.values {
            grid.swap(0, c0);
            for row in grid {
                row.swap(0, d0);
            }
        }
    }

    /// The same cut with its sides exchanged.
    fn turned(self) -> Self {
        let values = self
            .values
            .into_iter()
            .map(|grid| {
                let width = grid.first().map_or(0, Vec::len);
                (0..width)
                    .map(|d| grid.iter().filter_map(|row| row.get(d)).copied().collect())
                    .collect()
            })
            .collect();
        Self { left: self.right, right: self.left, values }
    }

    /// For every function and left class but the first: w(c, ·), starting with 0.
    fn rests(&self) -> Vec<Vec<Vec<i64>>> {
        self.values
            .iter()
            .map(|grid| {
                let base = grid.first().cloned().unwrap_or_default();
                grid.iter()
                    .skip(1)
                    .map(|row| {
                        let shift = row.first().copied().unwrap_or_default()
                            - base.first().copied().unwrap_or_default();
                        row.iter().zip(&base).map(|(v, b)| v - b - shift).collect()
                    })
                    .collect()
            })
            .collect()
    }

    /// How many different functions of the right side multiply the left indicators.
    fn multipliers(&self) -> Vec<Vec<i64>> {
        let mut found: Vec<Vec<i64>> = Vec::new();
        for rest in self.rests().into_iter().flatten() {
            let opposite: Vec<i64> = rest.iter().map(|v| -v).collect();
            if rest.iter().any(|v| *v != 0) && !found.contains(&rest) && !found.contains(&opposite)
            {
                found.push(rest);
            }
        }
        found
    }

    fn compute(
        self,
        program: &mut Program,
        arguments: &mut dyn Arguments,
        depth: u32,
    ) -> Result<Vec<Expression>, EngineError> {
        // Nodes that each way needs: indicators on the left, and on the right whichever is fewer.
        let price = |cut: &Self| {
            let settled = |side: &Side, functions: usize| {
                if side.arguments.len() > 1 { 4 * functions } else { functions }
            };
            settled(&cut.left, cut.left.count - 1)
                + settled(&cut.right, (cut.right.count - 1).min(cut.multipliers().len()))
        };
        let here = price(&self);
        let turned = self.turned();
        let cut = if price(&turned) < here { turned } else { turned.turned() };

        let indicators = |side: &Side| -> Vec<Vec<i64>> {
            (1..side.count).map(|c| (0..side.count).map(|k| i64::from(k == c)).collect()).collect()
        };
        let multipliers = cut.multipliers();
        let by_class = multipliers.len() >= cut.right.count - 1;
        let right = if by_class { indicators(&cut.right) } else { multipliers };
        let left = indicators(&cut.left);
        let first_column = |grid: &Vec<Vec<i64>>| -> Vec<i64> {
            let corner = grid.first().and_then(|r| r.first()).copied().unwrap_or_default();
            grid.iter().map(|r| r.first().copied().unwrap_or_default() - corner).collect()
        };
        let columns: Vec<Vec<i64>> = cut.values.iter().map(first_column).collect();
        let rows: Vec<Vec<i64>> =
            cut.values.iter().map(|grid| grid.first().cloned().unwrap_or_default()).collect();
        let (left_operands, left_sums) =
            cut.left.functions(program, arguments, left, columns, depth)?;
        let (right_operands, right_sums) =
            cut.right.functions(program, arguments, right.clone(), rows, depth)?;

        let mut results = Vec::with_capacity(cut.values.len());
        for ((rests, left_sum), right_sum) in cut.rests().iter().zip(left_sums).zip(right_sums) {
            let mut whole = left_sum;
            whole.add(right_sum);
            for (rest, indicator) in rests.iter().zip(&left_operands) {
                let mut factor = Linear::default();
                if by_class {
                    for (weight, operand) in rest.iter().skip(1).zip(&right_operands) {
                        factor.add(operand, *weight);
                    }
                } else {
                    let opposite: Vec<i64> = rest.iter().map(|v| -v).collect();
                    for (multiplier, operand) in right.iter().zip(&right_operands) {
                        let sign =
                            i64::from(multiplier == rest) - i64::from(*multiplier == opposite);
                        factor.add(operand, sign);
                    }
                }
                if factor != Linear::default() {
                    whole.add_product(indicator.clone(), factor);
                }
            }
            results.push(whole);
        }
        Ok(results)
    }
}

impl Side {
    /// Exchanges class 0 with another one.
    fn exchange(&mut self, class: usize) {
        for own in &mut self.classes {
            if *own == 0 {
                *own = class;
            } else if *own == class {
                *own = 0;
            }
        }
    }

    /// Functions of the side's classes: the first lot as operands of products, the second to be added.
    fn functions(
        &self,
        program: &mut Program,
        arguments: &mut dyn Arguments,
        operands: Vec<Vec<i64>>,
        sums: Vec<Vec<i64>>,
        depth: u32,
    ) -> Result<(Vec<Linear>, Vec<Expression>), EngineError> {
        let settled = operands.len();
        if settled > MOST_FUNCTIONS {
            return Err(super::unsupported(format!(
                "a table over {} arguments of several agencies tells {} cases apart, and one ciphertext a case is too much; let one agency decide part of it",
                self.arguments.len(),
                settled + 1
            )));
        }
        let values = operands
            .into_iter()
            .chain(sums)
            .map(|by_class| {
                self.classes.iter().map(|c| by_class.get(*c).copied().unwrap_or_default()).collect()
            })
            .collect();
        let wanted = Functions { arguments: self.arguments.clone(), values, factors: settled };
        let mut found = functions(program, arguments, wanted, depth.saturating_sub(1))?;
        let sums = found.split_off(settled.min(found.len()));
        let operands = found.into_iter().map(|e| settle(program, e)).collect();
        Ok((operands, sums))
    }
}
