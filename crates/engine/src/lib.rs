//! Engine capabilities, plans, the clear engine and the conformance suite.
//!
//! An engine lowers a [circuit](blindtier_policy::circuit) to its own plan and gives each party the one
//! capability it needs: [`Encrypt`], [`Evaluate`], or a share of the ability to open (`OpenShare`, feature `open`).
#![forbid(unsafe_code)]

mod capability;
pub mod clear;
#[cfg(feature = "conformance")]
pub mod conformance;
mod counting;
mod opening;
mod plan;

#[cfg(feature = "open")]
pub use capability::Open;
pub use capability::{Chunk, Encrypt, EngineError, EngineId, Evaluate, Evaluated, Verify};
#[cfg(feature = "open")]
pub use counting::OpenCounts;
pub use counting::{CombineCounts, Count, Counted};
#[cfg(feature = "open")]
pub use opening::{Ceremony, OpenShare};
pub use opening::{Combine, Prepare, Prepared};
pub use plan::{Operation, Operations, Plan, PlanSummary, Proofs, check_columns, check_inputs};
