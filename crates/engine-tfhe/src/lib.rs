//! The tfhe engine: one family at a time, any depth.
//!
//! A policy's circuit is lowered to a [plan](TfhePlan) of lookups on the torus; agencies encrypt with a compact
//! public key ([`TfheEncrypt`]), the evaluator runs the plan with the evaluation key ([`TfheEvaluate`]), and
//! who holds the secret key opens tiers ([`TfheOpen`]). See `docs/design.md` for the failure probability of
//! every lookup.
#![forbid(unsafe_code)]

mod encrypt;
mod evaluate;
mod fft;
mod keys;
mod lower;
mod noise;
mod open;
pub mod parameters;
mod plan;
mod range_reduction;
#[cfg(test)]
mod tests;
mod words;

pub use encrypt::TfheEncrypt;
pub use evaluate::{TfheEvaluate, bare_lookup_input};
pub use keys::{KeySet, generate_keys};
pub use lower::TfhePrices;
pub use open::TfheOpen;
pub use plan::{ENGINE, Input, Lookup, Program, Register, Segment, Sum, TfhePlan};
pub use tfhe::shortint::Ciphertext;
