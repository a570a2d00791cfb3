//! Class merging: two values that nothing downstream tells apart are one value.

use super::fold::Argument;
use crate::circuit::dense::{Dense, advance};

/// Classes of the joint positions of some arguments, and how many there are.
pub fn merge(table: &Dense, positions: &[usize]) -> (Vec<usize>, usize) {
    table.classes(positions)
}

/// For every class of an argument, one combination of original positions that has it.
pub fn representatives(table: &Dense, argument: &Argument) -> Vec<Vec<usize>> {
    let domains: Vec<usize> =
        argument.positions.iter().map(|p| table.domains().get(*p).copied().unwrap_or(1)).collect();
    let mut found: Vec<Option<Vec<usize>>> = vec![None; argument.count];
    let mut row = vec![0usize; domains.len()];
    for class in &argument.classes {
        if let Some(slot) = found.get_mut(*class) {
            slot.get_or_insert_with(|| row.clone());
        }
        advance(&mut row, &domains);
    }
    found.into_iter().map(Option::unwrap_or_default).collect()
}
