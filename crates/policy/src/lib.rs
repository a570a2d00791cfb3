//! Eligibility policies: language, model, circuit and clear interpreter. No cryptography lives here.
#![forbid(unsafe_code)]

#[cfg(any(test, feature = "arbitrary"))]
pub mod arbitrary;
mod canonical;
pub mod circuit;
mod code;
mod decimal;
mod explain;
mod interpret;
pub mod model;
mod order;
pub mod passes;
mod register;
#[cfg(test)]
mod shipped;
mod source;

pub use canonical::{PolicyHash, PolicyHashError};
pub use code::{Code, INVALID, OPTED_OUT, OPTED_OUT_NUMBER, UNDECIDED, UNDECIDED_NUMBER};
pub use decimal::{DecimalError, MAX_DIGITS};
pub use explain::{Change, Explanation, Finding, Gap, Margin, Points};
pub use interpret::{Answer, DecideError, Interpreter, Outcome};
pub use model::*;
pub use order::{Cycle, Step};
pub use register::{
    Accumulator, Binding, CellProblem, Facts, Families, Family, Place, RegisterError, read_families,
};
pub use source::{MAX_SOURCE, PolicyError, PolicyErrors};
