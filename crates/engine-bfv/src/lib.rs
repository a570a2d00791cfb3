//! The bfv engine: thousands of families in one ciphertext, for national rounds.
//!
//! The scheme is that of Brakerski (ePrint 2012/078) and Fan and Vercauteren (ePrint 2012/144) in residues (Halevi,
//! Polyakov, Shoup, ePrint 2018/117), with one slot a family. A policy is lowered to sums of products
//! ([`BfvPlan`]); agencies encrypt whole columns with the public key ([`BfvEncrypt`]), anybody sees whether they have the
//! right form ([`BfvVerify`]), and the evaluator runs the program with the evaluation key ([`BfvEvaluate`]), which in a
//! plan with checks also shuts out values that no family can have. The secret key is a sum of shares that no single place
//! ever holds: keys come out of a ceremony of two messages a share ([`first_message`], [`second_message`],
//! [`public_key`], [`evaluation_key`]), and results are opened from the partial decryptions of all shares
//! ([`BfvPrepare`], [`BfvOpenShare`], [`BfvCombine`]). Evaluation is exact integer arithmetic: the same bits on every
//! machine. See `docs/design.md` for the noise bound.
#![forbid(unsafe_code)]

mod bytes;
mod ceremony;
mod count;
mod counting;
mod encrypt;
mod evaluate;
mod gates;
mod kernel;
mod keys;
mod lower;
mod noise;
mod open;
mod opening;
mod parameters;
mod plaintext;
mod plan;
mod program;
mod random;
mod ring;
mod run;
mod share;
mod slots;
#[cfg(test)]
mod tests;
pub mod trial;
mod values;
mod verify;

pub use ceremony::{evaluation_key, first_message, public_key, second_message};
pub use count::{BfvCombineCounts, BfvCount, BfvOpenCounts};
pub use encrypt::BfvEncrypt;
pub use evaluate::BfvEvaluate;
pub use keys::{KeySet, generate_keys};
pub use lower::{ENGINE, Encoding};
pub use open::BfvOpen;
pub use opening::{BfvCombine, BfvOpenShare, BfvPrepare};
pub use parameters::{DISTANCE, PLAINTEXT, Parameters, ROUND_FAMILIES, SECURE, SHARES};
pub use plan::BfvPlan;
pub use program::{Counts, Linear, Node, Program, Value};
pub use verify::BfvVerify;
