//! Whole rounds of all parties over a fake engine: an honest one, and one for every way to cheat or to fail.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop at the first surprise; clippy.toml exempts only the test functions themselves"
)]

mod cheats;
mod honest;
mod population;
mod support;
