//! Randomness: a key from the operating system, stretched by BLAKE3.

use crate::ring::Basis;
use crate::ring::prime::Prime;
use blindtier_engine::EngineError;
use std::ops::RangeInclusive;
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
        Ok(Self::derive("blindtier bfv secret stream v1", &[seed.as_ref()]))
    }

    /// The stream of these parts, which under one context have the same lengths everywhere; public if they are.
    pub fn derive(context: &str, parts: &[&[u8]]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(context);
        for part in parts {
            hasher.update(part);
        }
        Self::of(hasher)
    }

    /// A stream that is a function of a key (private) and any bytes, and random to whoever lacks the key.
    pub fn keyed(key: &[u8; 32], bytes: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new_keyed(key);
        hasher.update(bytes);
        Self::of(hasher)
    }

    fn of(mut hasher: blake3::Hasher) -> Self {
        let reader = hasher.finalize_xof();
        hasher.zeroize();
        Self { reader }
    }

    /// A key out of the stream.
    pub fn key(&mut self) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0u8; 32]);
        self.reader.fill(key.as_mut());
        key
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
            self.below(prime.value(), run);
        }
        polynomial
    }

    /// Numbers uniform below a modulus.
    pub fn below(&mut self, modulus: u64, run: &mut [u64]) {
        let mask = modulus.next_power_of_two() - 1;
        let mut filled = 0;
        while filled < run.len() {
            let words = self.words(run.len() - filled);
            let fitting = words.iter().map(|w| w & mask).filter(|w| *w < modulus);
            for (cell, word) in run.iter_mut().skip(filled).zip(fitting) {
                *cell = word;
                filled += 1;
            }
        }
    }

    /// Numbers uniform in a range.
    pub fn within(&mut self, range: &RangeInclusive<u64>, count: usize) -> Zeroizing<Vec<i64>> {
        let mut numbers = Zeroizing::new(vec![0; count]);
        self.below((range.end() + 1).saturating_sub(*range.start()).max(1), &mut numbers);
        Zeroizing::new(numbers.iter().map(|n| (n + range.start()).cast_signed()).collect())
    }

    /// Numbers uniform modulo the plaintext modulus without 0: one more than 16 bits.
    pub fn nonzero(&mut self, count: usize) -> Vec<i64> {
        let mut bytes = vec![0u8; 2 * count];
        self.reader.fill(&mut bytes);
        let (words, _) = bytes.as_chunks::<2>();
        words.iter().map(|word| i64::from(u16::from_le_bytes(*word)) + 1).collect()
    }

    /// A polynomial with coefficients uniform in −2^bits..2^bits, for at most 127 bits.
    pub fn flooding(&mut self, basis: &Basis, bits: u32) -> Zeroizing<Vec<u64>> {
        let mut bytes = Zeroizing::new(vec![0u8; 16 * basis.degree()]);
        self.reader.fill(&mut bytes);
        let (words, _) = bytes.as_chunks::<16>();
        let bits = bits.min(127);
        let mask = u128::MAX >> (127 - bits);
        let mut polynomial = Zeroizing::new(basis.zero());
        for (prime, run) in basis.runs_mut(&mut polynomial) {
            let modulus = u128::from(prime.value());
            let low = modulus - (1u128 << bits) % modulus;
            for (cell, word) in run.iter_mut().zip(words) {
                let residue = ((u128::from_le_bytes(*word) & mask) % modulus + low) % modulus;
                *cell = u64::try_from(residue).unwrap_or_default();
            }
        }
        polynomial
    }

    /// A number uniform in −2^bits..2^bits modulo each of these primes.
    pub fn wide(&mut self, primes: &[Prime], bits: u32) -> Zeroizing<Vec<u64>> {
        let length = usize::try_from(bits / 64 + 1).unwrap_or_default();
        let mut words = self.words(length);
        if let Some(highest) = words.last_mut() {
            *highest &= u64::MAX >> (63 - bits % 64);
        }
        let residue = |prime: &Prime| {
            let modulus = u128::from(prime.value());
            let append = |rest: u128, word: &u64| (rest << 64 | u128::from(*word)) % modulus;
            let number = words.iter().rev().fold(0, append);
            let low = modulus - u128::from(prime.power(2, u64::from(bits)));
            u64::try_from((number + low) % modulus).unwrap_or_default()
        };
        Zeroizing::new(primes.iter().map(residue).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::primes_below;
    use num_bigint::BigInt;

    #[test]
    fn distributions_have_their_moments() {
        let mut stream = Stream::derive("test", &[&[7; 32]]);
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
        let primes = Basis::new(1024, &primes_below(50, 2048, 3, &[])).unwrap();
        for bits in [0, 3, 62, 63, 64, 80, 127] {
            let flooding = stream.flooding(&primes, bits);
            let half = BigInt::from(1) << bits;
            let values: Vec<BigInt> = (0..1024).map(|c| primes.lift(&flooding, c)).collect();
            assert!(values.iter().all(|v| *v >= -half.clone() && *v < half), "{bits}");
            let upper = values.iter().filter(|v| **v >= BigInt::ZERO).count();
            assert!((400..624).contains(&upper), "{bits}: {upper}");
            let outer = values.iter().filter(|v| v.magnitude() * 2u32 > *half.magnitude()).count();
            assert!(bits < 3 || (350..674).contains(&outer), "{bits}: {outer}");
        }
        for bits in [0, 3, 63, 64, 120, 130] {
            let half = BigInt::from(1) << bits;
            let numbers: Vec<BigInt> = (0..512)
                .map(|_| {
                    let mut polynomial = primes.zero();
                    let residues = stream.wide(primes.primes(), bits);
                    for ((_, run), residue) in primes.runs_mut(&mut polynomial).zip(residues.iter())
                    {
                        run[0] = *residue;
                    }
                    primes.lift(&polynomial, 0)
                })
                .collect();
            assert!(numbers.iter().all(|n| *n >= -half.clone() && *n < half), "{bits}");
            let upper = numbers.iter().filter(|n| **n >= BigInt::ZERO).count();
            assert!((190..322).contains(&upper), "{bits}: {upper}");
            let outer = numbers.iter().filter(|n| n.magnitude() * 2u32 > *half.magnitude()).count();
            assert!(bits < 3 || (170..342).contains(&outer), "{bits}: {outer}");
        }
        let mut pads = vec![0; 1 << 14];
        stream.below(65_537, &mut pads);
        assert!(pads.iter().all(|p| *p < 65_537));
        assert!((7_800..8_600).contains(&pads.iter().filter(|p| **p > 32_768).count()));
        let mut seen = [0; 5];
        stream.within(&(16..=20), 5_000).iter().for_each(|n| seen[*n as usize - 16] += 1);
        assert!(seen.iter().all(|count| (850..1_150).contains(count)), "{seen:?}");
        let nonzero = stream.nonzero(1 << 18);
        assert_eq!((nonzero.iter().min(), nonzero.iter().max()), (Some(&1), Some(&65_536)));
        let upper = nonzero.iter().filter(|n| **n > 32_768).count();
        assert!((130_000..132_200).contains(&upper), "{upper}");
    }
}
