//! A data-protection impact assessment of a policy, as Markdown, after Article 35 of the General Data Protection
//! Regulation.
//!
//! Everything about the data and the logic comes from the policy, everything about the parties, retention and risks from
//! the trust table (`docs/parties.toml`), so that it says what the program does. What only the controller can know is
//! marked and listed as an open point. It is the start of an assessment and no legal advice.
#![forbid(unsafe_code)]

mod document;
mod fields;
mod influence;
mod logic;
mod parties;
mod rights;
mod sections;
mod words;

pub use document::{Assessment, OpenPoint};
pub use influence::Influence;
pub use parties::{Engine, Kept, Party, Residual, Risk, TrustError, TrustTable};

use blindtier_policy::Policy;

/// Assesses a policy. With an engine, only what concerns it; without one, both engines.
pub fn assess(policy: &Policy, table: &TrustTable, engine: Option<Engine>) -> Assessment {
    sections::all(policy, table, engine)
}
