//! The registrar's column: who said no.

use blindtier_submission::ColumnSource;
use blindtier_wire::OptOuts;
use std::convert::Infallible;
use std::ops::Range;

/// Turns the list of those who said no into the columns of a plan.
pub struct OptOutColumns<'l, F> {
    /// Who said no, by slot.
    pub opt_outs: &'l OptOuts,
    /// How many columns the plan wants of the registrar.
    pub columns: usize,
    /// 1 for a family that said no, else 0, to its column values.
    pub fold: F,
}

impl<F: FnMut(i64) -> Vec<i64>> ColumnSource for OptOutColumns<'_, F> {
    type Error = Infallible;

    fn columns(&self) -> usize {
        self.columns
    }

    fn values(&mut self, slots: Range<u32>) -> Result<Vec<Vec<i64>>, Infallible> {
        let mut columns = vec![Vec::with_capacity(slots.len()); self.columns];
        for slot in slots {
            for (column, value) in columns.iter_mut().zip((self.fold)(self.opt_outs.value(slot))) {
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
        let opt_outs = OptOuts { slots: vec![0, 1, 0, 1] };
        let fold = |said_no| vec![said_no, 10 * said_no];
        let mut source = OptOutColumns { opt_outs: &opt_outs, columns: 2, fold };
        assert_eq!(source.columns(), 2);
        assert_eq!(source.values(1..4), Ok(vec![vec![1, 0, 1], vec![10, 0, 10]]));
    }
}
