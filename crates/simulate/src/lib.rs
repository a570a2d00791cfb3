//! What a policy does to a population, in the clear: tiers by group, moves between two policies, sensitivity, errors
//! against a known need, and what missing registers and opt-outs do.
//!
//! [`read`] turns registers into a [`Population`], in which families with the same values share them; [`simulate`] decides
//! once for each combination of values, with the policy's interpreter.
#![forbid(unsafe_code)]

mod bias;
mod cells;
mod decide;
mod error;
mod flow;
mod names;
mod population;
mod read;
mod sensitivity;
mod simulate;
mod support;
#[cfg(test)]
mod tests;
mod variation;
mod wilson;

pub use error::SimulateError;
pub use population::Population;
pub use read::{Inputs, read};
pub use simulate::{Found, Task, simulate};
