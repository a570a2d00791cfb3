//! Integration tests: the program as its users call it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail"
)]

mod batched;
mod demo;
mod dependencies;
mod library;
mod refusals;
mod rig;
mod secrecy;
mod transcripts;
