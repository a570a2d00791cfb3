//! The agencies' desks: which columns each keeps, and what rows come to when the policy reads them.

use crate::SimError;
use blindtier_policy::{Binding, Facts, Policy, RegisterError};

/// What one agency keeps.
pub(crate) struct Desk<'p> {
    /// Position of the agency in the policy.
    pub agency: usize,
    /// Its identifier.
    pub id: &'p str,
    /// The columns that its indicators read, without repetition.
    pub columns: Vec<&'p str>,
    binding: Binding<'p>,
}

/// The rows of one family at one agency; cells in the order of [`Desk::columns`].
pub(crate) type Rows = Vec<Vec<String>>;

impl<'p> Desk<'p> {
    /// The desks of all agencies in the order of the policy. No column may bear a reserved name.
    pub fn all(policy: &'p Policy, reserved: &[&str]) -> Result<Vec<Self>, SimError> {
        let mut desks = Vec::with_capacity(policy.agencies.len());
        for (agency, known) in policy.agencies.iter().enumerate() {
            let mut columns: Vec<&str> = Vec::new();
            let own = policy.indicators.iter().filter(|indicator| indicator.agency == agency);
            for column in own.flat_map(|indicator| &indicator.columns) {
                if reserved.contains(&column.as_str()) {
                    let (agency, column) = (known.id.clone(), column.clone());
                    return Err(SimError::ReservedColumn { agency, column });
                }
                if !columns.contains(&column.as_str()) {
                    columns.push(column);
                }
            }
            let binding = Binding::new(policy, Some(agency), &known.id, &columns)?;
            desks.push(Self { agency, id: &known.id, columns, binding });
        }
        Ok(desks)
    }

    /// Reads the rows of one family as the agency does in a round, and puts the values at their positions.
    pub fn read<'r>(
        &self,
        rows: impl IntoIterator<Item = &'r Vec<String>>,
        facts: Facts,
        values: &mut [i64],
    ) -> Result<(), RegisterError> {
        let mut family = self.binding.accumulator();
        for (line, row) in (1..).zip(rows) {
            self.binding.add(&mut family, line, |column| row.get(column).map(String::as_str))?;
        }
        for (position, value) in self.binding.indicators().zip(self.binding.finish(&family, facts)?)
        {
            if let Some(place) = values.get_mut(position) {
                *place = value;
            }
        }
        Ok(())
    }
}
