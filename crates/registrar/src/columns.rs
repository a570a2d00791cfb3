//! The registrar's columns: who said no, and to which group a family belongs.

use blindtier_submission::ColumnSource;
use std::convert::Infallible;
use std::ops::Range;

/// Turns the registrar's lists into the columns of a plan.
pub struct RegistrarColumns<F> {
    /// How many columns the plan wants of the registrar.
    pub columns: usize,
    /// A slot to its column values (private).
    pub fold: F,
}

impl<F: FnMut(u32) -> Vec<i64>> ColumnSource for RegistrarColumns<F> {
    type Error = Infallible;

    fn columns(&self) -> usize {
        self.columns
    }

    fn values(&mut self, slots: Range<u32>) -> Result<Vec<Vec<i64>>, Infallible> {
        let mut columns = vec![Vec::with_capacity(slots.len()); self.columns];
        for slot in slots {
            for (column, value) in columns.iter_mut().zip((self.fold)(slot)) {
                column.push(value);
            }
        }
        Ok(columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slot_has_a_value() {
        let list = [0, 1, 0, 1];
        let fold = |slot: u32| vec![list[slot as usize], 10 * list[slot as usize]];
        let mut source = RegistrarColumns { columns: 2, fold };
        assert_eq!(source.columns(), 2);
        assert_eq!(source.values(1..4), Ok(vec![vec![1, 0, 1], vec![10, 0, 10]]));
    }
}
