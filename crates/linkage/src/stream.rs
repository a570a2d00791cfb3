//! Randomness for the library: a seed expanded by BLAKE3.
//!
//! The library takes a generator that cannot fail. The operating system's can, so it is asked once for a seed, where failing is
//! still an error and not a panic.

use crate::LinkageError;
use rand_core::{CryptoRng, RngCore};
use zeroize::{Zeroize, Zeroizing};

/// A 256-bit seed (private). Wiped when dropped.
pub(crate) type Seed = Zeroizing<[u8; 32]>;

/// Draws a seed from the operating system.
pub(crate) fn draw() -> Result<Seed, LinkageError> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut_slice()).map_err(LinkageError::Random)?;
    Ok(seed)
}

/// Output of keyed BLAKE3.
pub(crate) struct Stream(blake3::OutputReader);

impl Stream {
    /// The stream of a batch under a seed. Different purposes and batches have independent streams.
    pub(crate) fn new(seed: &Seed, purpose: &[u8], batch: usize) -> Self {
        let mut hasher = blake3::Hasher::new_keyed(seed);
        hasher.update(b"blindtier/v1/linkage/");
        hasher.update(purpose);
        hasher.update(b"\0");
        hasher.update(&(batch as u64).to_le_bytes());
        let stream = Self(hasher.finalize_xof());
        hasher.zeroize();
        stream
    }
}

impl RngCore for Stream {
    fn next_u32(&mut self) -> u32 {
        rand_core::impls::next_u32_via_fill(self)
    }

    fn next_u64(&mut self) -> u64 {
        rand_core::impls::next_u64_via_fill(self)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Stream {}

impl Drop for Stream {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
