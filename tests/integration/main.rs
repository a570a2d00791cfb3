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
mod decoders;
mod demo;
mod dependencies;
mod documents;
mod kills;
mod letters;
mod library;
mod linkage;
mod membership;
mod objects;
mod pages;
mod population;
mod refusals;
mod rig;
mod secrecy;
mod simulate;
mod soak;
mod statistics;
mod transcripts;
mod vectors;
