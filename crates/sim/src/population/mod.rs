//! A synthetic population: persons in families in regions, calibrated to a few public figures.
//!
//! [`write()`] streams one register an agency and the truth about every family to a folder; [`measure`] makes the same families
//! and only counts. docs/population.md says how families are drawn, which figures they meet, and what is assumed: almost
//! everything else. The registers are those of the policy `digital-family-card`.

mod belongings;
mod cell;
mod dice;
mod dirt;
mod draw;
mod encode;
mod family;
mod generate;
mod health;
mod lattice;
mod margins;
mod model;
mod need;
mod output;
mod people;
mod region;
mod registers;
mod school;
mod solve;
mod targets;
#[cfg(test)]
mod tests;
mod work;

pub use dirt::{Dirt, Faults};
pub use generate::{MAX_FAMILIES, MIN_FAMILIES, Plan, Summary, measure, write};
pub use margins::{Figure, Margins, TOLERANCE};
pub use model::Model;
pub use output::Format;
pub use targets::{SOURCE, Target, Targets};
