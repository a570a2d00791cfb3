//! What is measured, as data, as a table, as CSV and as a page with charts.
//!
//! Nothing here computes on ciphertexts or knows an engine. [`Report`] is what `blindtier compare` writes; [`chart`],
//! [`grid`], [`page`] and [`units`] know nothing of it, so that other reports can use them.
#![forbid(unsafe_code)]

pub mod chart;
mod comparison;
mod csv;
pub mod grid;
mod html;
pub mod page;
mod round;
mod simulation;
mod table;
#[cfg(test)]
mod tests;
pub mod units;
mod view;

pub use self::comparison::{
    About, Circuit, Comparison, FORMAT, Failed, Fit, Goal, Kind, Machine, Point, Ratio, Report,
    Row, Run, Series, Spread, Sweep,
};
pub use self::csv::{rows_csv, scaling_csv};
pub use self::html::html;
pub use self::round::{Published, RoundReport};
pub use self::simulation::{
    AnswerName, Bias, Change, ChangeKind, Decider, Errors, Flow, Gap, GroupCounts, GroupErrors,
    GroupMoves, Grouping, Moves, OptOuts, Rate, SIMULATION_FORMAT, Sensitivity, Simulation,
    bias_csv, flows_csv, gaps_csv, moves_csv, page as simulation_page, sensitivity_csv,
    text as simulation_text, tiers_csv,
};
pub use self::table::table;
