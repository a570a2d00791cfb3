//! What a round will cost: operations and bytes exactly, memory from the sizes of what each party holds, and seconds from a
//! [`Calibration`] of the machine.
//!
//! Nothing here computes on ciphertexts or knows an engine: whoever asks says with a [`Round`] what its plan is. Without a
//! calibration there are no seconds.
#![forbid(unsafe_code)]

mod bytes;
mod calibration;
mod error;
mod memory;
mod round;
mod seconds;
pub mod store;
#[cfg(test)]
mod tests;
mod timing;

pub use bytes::{
    Sent, TFHE_EVALUATION_KEY, TFHE_OPENING_KEY, TFHE_PROOF_PARAMETERS, TFHE_PUBLIC_KEY, What, sent,
};
pub use calibration::{Bfv, Calibration, Common, Difference, FORMAT, Machine, Ring, Tfhe, Work};
pub use error::EstimateError;
pub use memory::{Memory, memory};
pub use round::{BfvPlan, Chunked, Operations, Plan, Round, Submitter, Trustee};
pub use seconds::{InAll, Seconds, Submitting, seconds};
pub use timing::{Cores, Timing};
