//! The tfhe engine: one family at a time, any depth.
//!
//! A policy's circuit is lowered to a [plan](TfhePlan) of lookups on the torus; agencies and the registrar encrypt with a
//! compact public key and prove that they encrypt allowed values ([`TfheEncrypt`]), everybody can [verify](TfheVerify)
//! that, and the evaluator runs the plan with the evaluation key ([`TfheEvaluate`]). See `docs/design.md` for the failure
//! probability of every lookup.
//!
//! Nobody holds the key: it is [dealt](deal) as additive shares. Results are [prepared](TfhePrepare) with public keys,
//! every holder of a share [answers](TfheOpenShare) them, and whoever has all answers [adds them up](TfheCombine).
//! [`TfheOpen`] opens with a whole key, for tests and measurements.
#![forbid(unsafe_code)]

mod batch;
mod chunk;
mod combine;
mod encoding;
mod encrypt;
mod evaluate;
mod fft;
mod flooding;
mod gates;
mod keys;
mod lower;
mod noise;
mod open;
pub mod parameters;
mod plan;
mod prepare;
mod processor;
mod proof;
mod public_key;
mod range_reduction;
mod rerandomise;
mod share;
#[cfg(test)]
mod tests;
mod verify;
mod words;

pub use combine::TfheCombine;
pub use encoding::Slack;
pub use encrypt::TfheEncrypt;
pub use evaluate::{TfheEvaluate, bare_lookup_input};
pub use keys::{Dealt, KeySet, deal, generate_keys};
pub use lower::TfhePrices;
pub use open::TfheOpen;
pub use plan::{ENGINE, Input, Lookup, Part, Program, Register, Segment, Sum, TfhePlan};
pub use prepare::TfhePrepare;
pub use processor::{check_processor, platform_features};
pub use share::TfheOpenShare;
pub use tfhe::shortint::Ciphertext;
pub use verify::TfheVerify;
