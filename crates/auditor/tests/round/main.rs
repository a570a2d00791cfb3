//! Whole rounds of all parties over a fake engine: honest ones, and one for every way to cheat or to fail.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop at the first surprise; clippy.toml exempts only the test functions themselves"
)]

mod cheats;
mod corrections;
mod exclusions;
mod honest;
mod hostile;
mod keys;
mod ledgers;
mod letters;
mod machines;
mod openings;
mod population;
mod registrations;
mod secrets;
mod subsets;
mod support;
mod tampered;
