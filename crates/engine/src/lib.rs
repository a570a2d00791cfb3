//! Engine capabilities, plans, the clear engine and the conformance suite.
//!
//! An engine lowers a [circuit](blindtier_policy::circuit) to its own plan and gives each party the one
//! capability it needs: [`Encrypt`], [`Evaluate`] or [`Open`].
#![forbid(unsafe_code)]

mod capability;
pub mod clear;
#[cfg(feature = "conformance")]
pub mod conformance;
mod plan;

#[cfg(feature = "open")]
pub use capability::Open;
pub use capability::{Encrypt, EngineError, EngineId, Evaluate, Evaluated};
pub use plan::{Operations, Plan, PlanSummary, check_columns, check_inputs};
