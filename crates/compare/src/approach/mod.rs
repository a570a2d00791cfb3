//! Our own approaches, each behind the same interface as a peer's process.

mod clear;
mod engine;
mod naive;

pub(crate) use engine::Measured;

use crate::CompareError;
use crate::protocol::{Done, Ready, Request};
use blindtier_policy::Policy;
use blindtier_policy::circuit::Inputs;
use blindtier_policy::passes::Layout;

/// An approach of this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// The clear twin.
    Clear,
    /// tfhe as its tutorial shows it.
    Naive,
    /// The tfhe engine.
    Tfhe(Layout),
    /// The bfv engine.
    Bfv(Layout),
}

impl Own {
    /// All of them, in the order in which they take turns.
    pub const ALL: [Self; 6] = [
        Self::Clear,
        Self::Naive,
        Self::Tfhe(Layout::PerIndicator),
        Self::Tfhe(Layout::Folded),
        Self::Bfv(Layout::PerIndicator),
        Self::Bfv(Layout::Folded),
    ];

    /// The name on the command line and in reports.
    pub fn id(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Naive => "tfhe-naive",
            Self::Tfhe(Layout::PerIndicator) => "tfhe-per-indicator",
            Self::Tfhe(Layout::Folded) => "tfhe-folded",
            Self::Bfv(Layout::PerIndicator) => "bfv-per-indicator",
            Self::Bfv(Layout::Folded) => "bfv-folded",
        }
    }

    /// The approach of this name.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.id() == id)
    }
}

/// An approach with keys, ready to run.
pub(crate) trait Approach: Send + Sync {
    /// What it says before its first run.
    fn ready(&self) -> Ready;

    /// Encrypts, evaluates and opens these families.
    fn run(&self, families: &[&[i64]]) -> Result<Done, CompareError>;
}

/// Makes the keys of an approach.
pub(crate) fn prepare(own: Own, request: &Request) -> Result<Box<dyn Approach>, CompareError> {
    let policy = compared(Policy::parse(&request.policy, &request.policy_text)?);
    Ok(match own {
        Own::Clear => Box::new(clear::Clear::new(policy)),
        Own::Naive => Box::new(naive::Naive::new(policy)),
        Own::Tfhe(layout) => Box::new(Measured::tfhe(policy, layout)?),
        Own::Bfv(layout) => Box::new(Measured::bfv(policy, layout)?),
    })
}

/// The clear values of some columns, column by column.
pub(crate) fn columns(
    inputs: &Inputs,
    chosen: impl IntoIterator<Item = usize>,
    families: &[impl AsRef<[i64]>],
) -> Vec<Vec<i64>> {
    let value = |column, family: &[i64]| {
        inputs.column_value(column, &mut |i| family.get(i).copied().unwrap_or_default())
    };
    let column = |column| families.iter().map(|family| value(column, family.as_ref())).collect();
    chosen.into_iter().map(column).collect()
}

/// The policy as it is compared: without what other systems do not have, the opt-out and tiers that cannot be decided.
pub fn compared(mut policy: Policy) -> Policy {
    use blindtier_policy::{Domain, OptOut};
    policy.opt_out = OptOut::NotOffered;
    for indicator in &mut policy.indicators {
        match &mut indicator.domain {
            Domain::Levels { missing, .. } => *missing = missing.or(Some(0)),
            Domain::Integer { missing, min, .. } => *missing = missing.or(Some(*min)),
        }
    }
    policy
}
