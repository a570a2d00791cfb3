//! The noise of a share: discrete Laplace, exactly.
//!
//! The sampler is that of Canonne, Kamath and Steinke (The Discrete Gaussian for Differential Privacy, NeurIPS 2020,
//! algorithms 1 and 2): whole numbers only, so that no rounding of floating point shifts a probability (Mironov, CCS 2012).
//! It is our own because it has to be a function of the share's key: every holder of a share adds the same noise, so that
//! they can be compared, and asking again gives nothing to average. Libraries with this sampler draw from the operating
//! system.

use blindtier_wire::{Digest, Share};
use zeroize::Zeroize;

/// A share's noise for one part of a question's counts (private). Wiped when dropped.
pub(crate) struct Noise {
    reader: blake3::OutputReader,
}

impl Drop for Noise {
    fn drop(&mut self) {
        self.reader.zeroize();
    }
}

impl Noise {
    /// Of a share (private) for a part of the counts with this manifest.
    pub fn new(share: &Share, counts: &Digest, part: u32) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("blindtier count noise v1");
        hasher.update(&share.key);
        hasher.update(&counts.0);
        hasher.update(&part.to_le_bytes());
        let reader = hasher.finalize_xof();
        hasher.zeroize();
        Self { reader }
    }

    /// The next number: P(x) is proportional to e^(−ε·|x|), with ε in thousandths, at least 1.
    pub fn laplace(&mut self, epsilon: u32) -> i64 {
        const THOUSAND: u64 = 1000;
        loop {
            let below = self.below(THOUSAND);
            if !self.exponential(below, THOUSAND) {
                continue;
            }
            let mut wholes = 0u64;
            while self.exponential(1, 1) {
                wholes = wholes.saturating_add(1);
            }
            let thousandths = wholes.saturating_mul(THOUSAND).saturating_add(below);
            let size = (thousandths / u64::from(epsilon.max(1))).cast_signed();
            let negative = self.below(2) == 1;
            // Zero has one sign, not two.
            if negative && size == 0 {
                continue;
            }
            return if negative { -size } else { size };
        }
    }

    /// True with probability e^(−numerator/denominator), for a fraction of at most 1.
    fn exponential(&mut self, numerator: u64, denominator: u64) -> bool {
        let mut factor = 1u64;
        while self.below(denominator.saturating_mul(factor)) < numerator {
            factor = factor.saturating_add(1);
        }
        factor % 2 == 1
    }

    /// Uniform below a number.
    fn below(&mut self, number: u64) -> u64 {
        let mask = number.next_power_of_two().wrapping_sub(1);
        loop {
            let mut word = [0; 8];
            self.reader.fill(&mut word);
            let word = u64::from_le_bytes(word) & mask;
            if word < number {
                return word;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(key: u8, part: u32) -> Noise {
        let share = Share { share: 0, key: [key; 32], material: Vec::new() };
        Noise::new(&share, &Digest([3; 32]), part)
    }

    #[test]
    fn noise_is_the_same_for_every_holder_and_another_for_every_part() {
        let draw = |key, part| {
            let mut noise = noise(key, part);
            (0..50).map(|_| noise.laplace(100)).collect::<Vec<_>>()
        };
        assert_eq!(draw(1, 0), draw(1, 0));
        assert_ne!(draw(1, 0), draw(1, 1));
        assert_ne!(draw(1, 0), draw(2, 0));
    }

    #[test]
    fn every_number_comes_as_often_as_it_should() {
        const DRAWS: usize = 200_000;
        for epsilon in [50, 500, 1000, 2500] {
            let mut noise = noise(7, epsilon);
            let rate = (-f64::from(epsilon) / 1000.0).exp();
            // P(x) = (1 − α)/(1 + α)·α^|x| with α = e^(−ε).
            let mut left = DRAWS;
            let mut counts = std::collections::HashMap::new();
            for _ in 0..DRAWS {
                *counts.entry(noise.laplace(epsilon)).or_insert(0u32) += 1;
            }
            let mut chi_square = 0.0;
            let mut cells = 0;
            for x in -400i64..=400 {
                let size = i32::try_from(x.unsigned_abs()).unwrap();
                let expected = (1.0 - rate) / (1.0 + rate) * rate.powi(size) * DRAWS as f64;
                if expected < 20.0 {
                    continue;
                }
                let found = counts.get(&x).copied().unwrap_or_default();
                left -= found as usize;
                chi_square += (f64::from(found) - expected).powi(2) / expected;
                cells += 1;
            }
            // Five standard deviations of a chi-square distribution.
            let most = f64::from(cells) + 5.0 * (2.0 * f64::from(cells)).sqrt();
            assert!(cells >= 5 && chi_square < most, "{epsilon}: {chi_square} over {cells} cells");
            assert!(left < DRAWS / 20, "{epsilon}: {left} beyond the cells");
        }
    }
}
