//! The importer against published test cases, against an evaluator of its own, and against broken files.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop at the first surprise; clippy.toml exempts only the test functions themselves"
)]

mod broken;
mod faults;
mod oracle;
mod published;
mod register;
mod semantics;
