//! The bfv engine: thousands of families in one ciphertext, for national rounds.
//!
//! The scheme is that of Brakerski (ePrint 2012/078) and Fan and Vercauteren (ePrint 2012/144) in residues (Halevi,
//! Polyakov, Shoup, ePrint 2018/117), with one slot a family. A policy is lowered to sums of products
//! ([`BfvPlan`]); agencies encrypt whole columns with the public key ([`BfvEncrypt`]), the evaluator runs the program
//! with the evaluation key ([`BfvEvaluate`]), and who holds the secret key opens tiers ([`BfvOpen`]). Evaluation is
//! exact integer arithmetic: the same bits on every machine. See `docs/design.md` for the noise bound.
#![forbid(unsafe_code)]

mod bytes;
mod encrypt;
mod evaluate;
mod kernel;
mod keys;
mod lower;
mod noise;
mod open;
mod parameters;
mod plan;
mod program;
mod random;
mod ring;
mod slots;
#[cfg(test)]
mod tests;
pub mod trial;
mod values;

pub use encrypt::BfvEncrypt;
pub use evaluate::BfvEvaluate;
pub use keys::{KeySet, generate_keys};
pub use lower::{ENGINE, Encoding};
pub use open::BfvOpen;
pub use parameters::{FLOODING_ROOM, PLAINTEXT, Parameters, SECURE};
pub use plan::BfvPlan;
pub use program::{Counts, Linear, Node, Program, Value};
