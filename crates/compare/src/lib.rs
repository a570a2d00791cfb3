//! blindtier measured: every approach to the same policy side by side, and how cost grows.
//!
//! Each approach, ours or another's, is a process that is driven by the same lines of JSON ([`protocol`]); runs take
//! turns, so that a busy machine slows all of them alike; and every tier is held against the clear twin. What comes out is
//! a [`blindtier_report::Report`].
//!
//! Nothing here is a party of a round: it holds whole keys, which it makes and throws away.
#![forbid(unsafe_code)]

mod approach;
mod compare;
mod driver;
mod error;
mod machine;
mod peers;
pub mod protocol;
mod scaling;
mod server;
mod sums_of_products;

pub use approach::Own;
pub use compare::{Task, compare};
pub use error::CompareError;
pub use machine::{machine, now, peak_memory};
pub use peers::{Entry, Wanted, own, peers};
pub use scaling::{Extent, Quantity, scaling};
pub use server::serve;
pub use sums_of_products::{expected, sums_of_products};

/// Shares of a key that two of three trustees open with: what the demo and the README have.
const SHARES: u32 = 3;
