//! Oblivious linkage: an agency learns what the roster calls the persons of its register, and of no others; the registrar
//! learns neither whom it asks about nor how many.
//!
//! The pseudonym of a person is the output of a pseudorandom function under a key that the registrar alone has, one key an
//! agency and round. The agency sends blinded persons, the registrar evaluates them and proves that it used the key whose
//! public half is in the roster, the agency takes the blinding off. The function is the verifiable oblivious PRF of RFC 9497
//! (mode VOPRF, suite ristretto255-SHA512, sections 3.3.2 and 4.1), by the crate `voprf`; keys come from section 3.2.1.
//!
//! **A request has a fixed size.** What the register has less is filled with elements that stand for nobody. A blinded element
//! is a group element times a scalar that is uniform and not 0; in a group of prime order that is uniform on all elements but
//! the neutral one, whatever was blinded. So a filler looks like a person, and it does not matter that fillers come last.
//! The scalars are expanded from a seed by BLAKE3: they are as good as uniform as long as BLAKE3's output is.
//!
//! **Batches.** The proof that one key was used (DLEQ, RFC 9497 section 2.2) covers [`BATCH`] elements, so that batches can be
//! spread over the cores and a proof costs 64 bytes for so many persons. The RFC allows up to 65,535. All batches are
//! checked against the same public key; and a batch's proof weighs each element with a hash of its place, so that an answer in
//! another order is refused.
//!
//! **Strength.** Whoever has n elements evaluated under one key may come log2(n)/2 bits closer to it (static Diffie-Hellman, RFC
//! 9497 section 7.2.3): with 33 million, which no request exceeds, 12.5 of 126. A key serves one agency and round.
//!
//! **What it does not do.** An agency may fill its request with identifiers that are not in its register; it can try out as
//! many as the request has elements, once, and no more. The roster's list tells how many persons share a slot, as with a
//! keyed hash.
#![forbid(unsafe_code)]

mod blinding;
mod error;
mod key;
mod stream;
#[cfg(test)]
mod tests;

pub use blinding::Blinding;
pub use error::LinkageError;
pub use key::{Answer, LinkageKey};

use rayon::iter::IndexedParallelIterator;
use std::sync::atomic::{AtomicU64, Ordering};
use voprf::Ristretto255 as Suite;

/// Elements that one proof covers.
pub const BATCH: usize = 1024;

/// Bytes of a blinded or evaluated person: a compressed ristretto255 element.
pub const ELEMENT_BYTES: usize = 32;

/// Bytes of the proof of one batch: two scalars.
pub const PROOF_BYTES: usize = 64;

/// The longest person identifier, in bytes.
pub const MAX_IDENTIFIER: usize = 4096;

/// How many proofs a request with so many elements needs.
pub fn proofs(elements: usize) -> usize {
    elements.div_ceil(BATCH)
}

/// What is evaluated for a person (private). The prefix keeps persons and fillers apart.
fn input(person: &str, position: usize) -> Result<zeroize::Zeroizing<Vec<u8>>, LinkageError> {
    if person.len() > MAX_IDENTIFIER {
        return Err(LinkageError::Identifier { position, bytes: person.len() });
    }
    Ok(zeroize::Zeroizing::new([b"person\0".as_slice(), person.as_bytes()].concat()))
}

/// What fillers evaluate. No person's input begins like it.
const FILLER: &[u8] = b"filler\0";

/// The pseudonym: 16 bytes of a hash of the function's 64-byte output.
fn pseudonym(output: &[u8]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new_derive_key("blindtier linkage pseudonym v1");
    hasher.update(output);
    let mut short = [0; 16];
    hasher.finalize_xof().fill(&mut short);
    short
}

/// Everything, or the first error in the order of the work and not of the clock.
fn all<T: Send>(
    work: impl IndexedParallelIterator<Item = Result<T, LinkageError>>,
) -> Result<Vec<T>, LinkageError> {
    work.collect::<Vec<_>>().into_iter().collect()
}

/// How the caller hears of progress: elements done and all of them; from any thread, and not always in order.
pub type Progress<'a> = &'a (dyn Fn(u64, u64) + Sync);

/// Counts elements for the caller.
struct Counter<'a> {
    done: AtomicU64,
    all: u64,
    tell: Progress<'a>,
}

impl<'a> Counter<'a> {
    fn new(all: usize, tell: Progress<'a>) -> Self {
        Self { done: AtomicU64::new(0), all: all as u64, tell }
    }

    fn add(&self, more: usize) {
        let more = more as u64;
        (self.tell)(self.done.fetch_add(more, Ordering::Relaxed) + more, self.all);
    }
}
