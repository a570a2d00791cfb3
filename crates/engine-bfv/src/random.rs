//! Randomness: a key from the operating system, stretched by BLAKE3.

use crate::ring::Basis;
use blindtier_engine::EngineError;
use zeroize::{Zeroize, Zeroizing};

/// A stream of random bytes; wiped on drop.
pub struct Stream {
    reader: blake3::OutputReader,
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.reader.zeroize();
    }
}

impl Stream {
    /// Private: a fresh key from the operating system.
    pub fn secret() -> Result<Self, EngineError> {
        let mut seed = Zeroizing::new([0u8; 32]);
        getrandom::fill(seed.as_mut()).map_err(|e| EngineError::Malformed {
            what: "the operating system's randomness",
            detail: e.to_string(),
        })?;
        Ok(Self::from_seed("blindtier bfv secret stream v1", &seed))
    }

    /// The stream of a seed; public if the seed is.
    pub fn from_seed(context: &str, seed: &[u8; 32]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(context);
        hasher.update(seed);
        let reader = hasher.finalize_xof();
        hasher.zeroize();
        Self { reader }
    }

    /// A fresh seed out of the stream.
    pub fn seed(&mut self) -> [u8; 32] {
        let mut seed = [0u8; 32];
        self.reader.fill(&mut seed);
        seed
    }

    fn words(&mut self, count: usize) -> Zeroizing<Vec<u64>> {
        let mut bytes = Zeroizing::new(vec![0u8; 8 * count]);
        self.reader.fill(&mut bytes);
        let (words, _) = bytes.as_chunks::<8>();
        Zeroizing::new(words.iter().map(|w| u64::from_le_bytes(*w)).collect())
    }

    /// Coefficients uniform in −1, 0, 1.
    pub fn ternary(&mut self, degree: usize) -> Zeroizing<Vec<i64>> {
        let mut coefficients = Zeroizing::new(Vec::with_capacity(degree));
        while coefficients.len() < degree {
            for word in self.words(degree.div_ceil(24)).iter() {
                let pairs = (0..32).map(|k| word >> (2 * k) & 3);
                coefficients.extend(pairs.filter(|p| *p < 3).map(|p| p.cast_signed() - 1));
            }
        }
        coefficients.truncate(degree);
        coefficients
    }

    /// Centred binomial coefficients of 42 coins: variance 10.5.
    pub fn error(&mut self, degree: usize) -> Zeroizing<Vec<i64>> {
        const COINS: u64 = (1 << 21) - 1;
        let coin = |word: &u64| {
            let (heads, tails) = (word & COINS, word >> 21 & COINS);
            i64::from(heads.count_ones()) - i64::from(tails.count_ones())
        };
        Zeroizing::new(self.words(degree).iter().map(coin).collect())
    }

    /// A polynomial uniform modulo Q, in coefficient form.
    pub fn uniform(&mut self, basis: &Basis) -> Vec<u64> {
        let mut polynomial = basis.zero();
        for (prime, run) in basis.runs_mut(&mut polynomial) {
            let mask = prime.value().next_power_of_two() - 1;
            let mut filled = 0;
            while filled < run.len() {
                let words = self.words(run.len() - filled);
                let fitting = words.iter().map(|w| w & mask).filter(|w| *w < prime.value());
                for (cell, word) in run.iter_mut().skip(filled).zip(fitting) {
                    *cell = word;
                    filled += 1;
                }
            }
        }
        polynomial
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::primes_below;

    #[test]
    fn distributions_have_their_moments() {
        let mut stream = Stream::from_seed("test", &[7; 32]);
        let count = 1 << 16;
        #[allow(clippy::cast_precision_loss)]
        let moments = |values: &[i64]| {
            let mean = values.iter().sum::<i64>() as f64 / values.len() as f64;
            let square = values.iter().map(|v| v * v).sum::<i64>() as f64 / values.len() as f64;
            (mean, square)
        };
        let (mean, square) = moments(&stream.ternary(count));
        assert!(mean.abs() < 0.02 && (square - 2.0 / 3.0).abs() < 0.02);
        let (mean, square) = moments(&stream.error(count));
        assert!(mean.abs() < 0.1 && (square - crate::noise::ERROR_VARIANCE).abs() < 0.4);
        let basis = Basis::new(1024, &primes_below(44, 2048, 2, &[])).unwrap();
        let uniform = stream.uniform(&basis);
        for (prime, run) in basis.runs(&uniform) {
            let upper = run.iter().filter(|w| **w > prime.value() / 2).count();
            assert!((400..624).contains(&upper));
        }
    }
}
