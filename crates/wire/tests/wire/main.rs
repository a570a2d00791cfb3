//! Tests of the message formats from outside: frozen bytes, damaged and hostile files.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop at the first surprise; clippy.toml exempts only the test functions themselves"
)]

mod damaged;
mod identities;
mod pieces;
mod signed;
mod snapshots;
mod streamed;
mod support;
