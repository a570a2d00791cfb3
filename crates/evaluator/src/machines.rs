//! What an evaluation asks of other machines.

use blindtier_wire::{Digest, WireError};
use std::error::Error;
use std::path::PathBuf;

/// One chunk to compute, as it goes from machine to machine. All of it is public: it says where ciphertexts are, and holds
/// none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Hash of the round and of the registered submissions, each with all its chunks, that the result is computed from.
    pub inputs: Digest,
    /// The chunk.
    pub chunk: u32,
    /// Where its result belongs: a path or a URL.
    pub result: PathBuf,
}

/// Something that hands out orders to [`Worker`](crate::Worker)s.
pub trait Machines: Sync {
    /// Has these chunks computed, in any order, and returns when it ended or failed. It should also return, with an error,
    /// when nothing new has come for too long, and need not wait for anything once [`Wanted::there`] says that all is there.
    fn compute(&self, wanted: &Wanted<'_>) -> Result<(), Box<dyn Error + Send + Sync>>;
}

/// What is to be computed, and how much of it is on the board.
pub struct Wanted<'a> {
    pub(crate) orders: &'a [Order],
    pub(crate) there: &'a (dyn Fn() -> Result<usize, WireError> + Sync),
}

impl Wanted<'_> {
    /// The chunks.
    pub fn orders(&self) -> &[Order] {
        self.orders
    }

    /// How many of them have a result by now. Lists the board's results, and reads none of them.
    pub fn there(&self) -> Result<usize, WireError> {
        (self.there)()
    }
}
