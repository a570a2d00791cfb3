//! The chunks of one round, computed by many machines: the distributed engine Apache DataFusion Ballista hands them out.
//!
//! The board, in an object store that all machines reach, is the truth, and the engine only hands out work. What goes
//! through it is an [`Order`] for each chunk: hashes, a number and a place, never a ciphertext. An executor reads the chunk
//! from the board, computes it and writes the signed result to the board; the row that it returns is a hash that nobody
//! relies on. A run ends when the board has every result, whatever the engine says (see [`run_on`]).
//!
//! - [`schedule`] is the process that executors and runs connect to. It holds no key and sees no record.
//! - [`execute`] is one of the machines that compute. It has the evaluator's signing key, as the evaluator has.
//! - [`Cluster`] is what the evaluator hands to [`run_on`].
//!
//! Connections are neither encrypted nor authenticated: they belong in a network of the evaluator's own.
#![forbid(unsafe_code)]

mod address;
mod error;
mod executor;
mod function;
mod run;
mod scheduler;

pub use address::Address;
pub use error::ClusterError;
pub use executor::{Executor, execute};
pub use run::Cluster;
pub use scheduler::{Scheduler, schedule};

use tokio::runtime::{Builder, Runtime};

/// What the distributed engine runs on.
fn runtime() -> Result<Runtime, ClusterError> {
    Builder::new_multi_thread().enable_all().build().map_err(ClusterError::Machine)
}

#[cfg(doc)]
use blindtier_evaluator::{Order, run_on};
