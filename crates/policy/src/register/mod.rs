//! Rows of registers → values of indicators.
//!
//! A [`Binding`] ties indicators to the columns of one file; an [`Accumulator`] takes in the rows of one family, one by
//! one; [`Binding::finish`] turns it into values. [`read_families`] does all of it for the three shapes of `--data`.

mod binding;
mod error;
mod families;
mod join;
mod number;
#[cfg(test)]
mod tests;

pub use binding::{Accumulator, Binding};
pub use error::{CellProblem, Place, RegisterError};
pub use families::{Families, Family, read_families};

/// What the roster says of a family. Zero means not known; what is divided by it then counts as missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Persons in the family.
    pub persons: u32,
    /// Adults in the family.
    pub adults: u32,
}

impl Facts {
    /// One of the facts.
    pub fn get(&self, fact: crate::Fact) -> u32 {
        match fact {
            crate::Fact::Persons => self.persons,
            crate::Fact::Adults => self.adults,
        }
    }
}
