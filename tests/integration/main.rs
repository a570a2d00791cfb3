//! Integration tests: the program as its users call it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail"
)]

mod batched;
mod compare;
mod corrections;
mod cost;
mod demo;
mod dependencies;
mod documents;
mod letters;
mod library;
mod linkage;
mod membership;
mod pages;
mod population;
mod refusals;
mod rig;
mod secrecy;
mod simulate;
mod statistics;
mod transcripts;
mod vectors;
