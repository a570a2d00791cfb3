//! Selection: the way out for a table that no tree of narrow lookups computes.
//!
//! Fix one argument: `f(x, y) = Σₐ [x = a] · f(a, y)`. Each `f(a, y)` is a smaller table; a lookup of
//! `f(a, y) + k · [x ≠ a]` keeps it when x is a and gives 0 otherwise, so the results can simply be added.
//! With more than width/2 values the table is first written as a sum of tables with fewer.

use crate::circuit::dense::Dense;

/// The argument to fix: the one with the fewest classes.
pub fn argument_to_fix(table: &Dense) -> Option<usize> {
    table
        .domains()
        .iter()
        .enumerate()
        .filter(|(_, d)| **d > 1)
        .min_by_key(|(_, d)| **d)
        .map(|(i, _)| i)
}

/// The table with one argument fixed at `class`; the argument keeps its place with one class.
pub fn restrict(table: &Dense, argument: usize, class: usize) -> Dense {
    let mut domains = table.domains().to_vec();
    if let Some(domain) = domains.get_mut(argument) {
        *domain = 1;
    }
    Dense::tabulate(domains, |point| {
        let mut point = point.to_vec();
        if let Some(cell) = point.get_mut(argument) {
            *cell = class;
        }
        table.at(&point)
    })
}

/// Writes a table as a sum of tables that each have at most `most` different values, 0 among them.
pub fn summands(table: &Dense, most: usize) -> Vec<Dense> {
    let mut values: Vec<i64> = table.values().iter().copied().filter(|v| *v != 0).collect();
    values.sort_unstable();
    values.dedup();
    values
        .chunks(most.saturating_sub(1).max(1))
        .map(|chunk| {
            Dense::tabulate(table.domains().to_vec(), |point| {
                let value = table.at(point);
                if chunk.contains(&value) { value } else { 0 }
            })
        })
        .collect()
}
