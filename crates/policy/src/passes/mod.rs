//! From decision graph to circuit: the passes, and the driver that runs them.
//!
//! 1. [`scale`](mod@scale): range analysis of scores.
//! 2. [`cluster`](mod@cluster): connected tables become one table where that stays small.
//! 3. [`fold`](mod@fold): what belongs to one owner is computed in the clear.
//! 4. [`merge`](mod@merge): values that nothing tells apart become one.
//! 5. [`narrow`](mod@narrow): a table over several arguments becomes a lookup of one sum.
//! 6. [`split`](mod@split), and where that finds nothing [`select`](mod@select): a table too wide for one
//!    lookup becomes several.
//!
//! An engine then lowers the circuit to its own plan.

pub mod cluster;
pub mod fold;
pub mod merge;
pub mod narrow;
pub mod reduce;
pub mod scale;
pub mod select;
pub mod split;
#[cfg(test)]
mod tests;

pub use reduce::{ReduceError, reduce};

use serde::{Deserialize, Serialize};

/// How indicators are grouped into columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// Every agency computes what it can alone and sends the outcome.
    #[default]
    Folded,
    /// Every indicator is sent by itself, to compare.
    PerIndicator,
}

impl std::fmt::Display for Layout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Folded => "folded",
            Self::PerIndicator => "per-indicator",
        })
    }
}

impl std::str::FromStr for Layout {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "folded" => Ok(Self::Folded),
            "per-indicator" => Ok(Self::PerIndicator),
            other => Err(format!("unknown layout `{other}`: use `folded` or `per-indicator`")),
        }
    }
}

/// What steps cost in an engine.
pub trait Prices {
    /// How many values one lookup tells apart.
    fn width(&self) -> usize;

    /// Lookups for a cut of a sum in `0..=max` at ascending thresholds, or `None` when the engine cannot.
    fn cut(&self, max: i64, at: &[i64]) -> Option<u32>;
}
