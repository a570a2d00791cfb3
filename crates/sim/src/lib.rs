//! Simulated registers and populations.
//!
//! [`synthesize`] writes registers that probe a policy: families on either side of every threshold, every level of every
//! indicator, families that some agency does not know. [`distribute`] splits any data set into what each party of a
//! round holds by itself: the population for the registrar and a register for each agency. [`populate`] does both at once,
//! family by family.
//!
//! [`population`] writes a likeness of a country instead: families whose public figures are those of Kazakhstan.
//!
//! Nothing here is real data, and nothing here is secret from the machine it runs on: a simulation sees every party's
//! files at once, which no party of a real round may.
#![forbid(unsafe_code)]

mod dataset;
mod desk;
mod distribute;
mod encode;
mod error;
mod gaps;
mod groups;
pub mod population;
mod sheet;
mod sums;
mod synthesize;
#[cfg(test)]
mod tests;

pub use distribute::{Distributed, distribute};
pub use error::SimError;
pub use gaps::{Gaps, some_of};
pub use groups::add_regions;
pub use synthesize::{populate, synthesize};
