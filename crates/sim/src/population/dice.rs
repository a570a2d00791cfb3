//! Independent draws of one chunk of families.

use super::solve::logistic;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What a stream of draws is for. Each has its own, so that dirt does not change the families.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    Families,
    Dirt,
}

/// A source of draws.
pub(crate) struct Dice {
    rng: ChaCha8Rng,
    /// Normal draws come in pairs.
    spare: Option<f64>,
}

impl Dice {
    /// The draws for one chunk: the same whichever thread makes it.
    pub fn new(seed: u64, chunk: u64, purpose: Purpose) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let purpose = match purpose {
            Purpose::Families => 1,
            Purpose::Dirt => 2,
        };
        rng.set_stream(chunk.wrapping_mul(4).wrapping_add(purpose));
        Self { rng, spare: None }
    }

    /// Between 0 and 1, ends excluded.
    pub fn uniform(&mut self) -> f64 {
        (self.rng.random_range(0..1u64 << 52) as f64 + 0.5) / (1u64 << 52) as f64
    }

    /// Standard normal, by Marsaglia's polar method.
    pub fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        loop {
            let (x, y) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                let factor = libm::sqrt(-2.0 * libm::log(square) / square);
                self.spare = Some(y * factor);
                return x * factor;
            }
        }
    }

    /// True with this chance.
    pub fn chance(&mut self, chance: f64) -> bool {
        self.uniform() < chance
    }

    /// True with the chance whose logarithm of odds is `odds`.
    pub fn odds(&mut self, odds: f64) -> bool {
        self.chance(logistic(odds))
    }

    /// A whole number from `from` to `to`, both included; `from` if the range is empty.
    pub fn whole(&mut self, from: u8, to: u8) -> u8 {
        if from >= to { from } else { self.rng.random_range(from..=to) }
    }

    /// A position below `count`, which is at least one.
    pub fn position(&mut self, count: usize) -> usize {
        self.rng.random_range(0..count.max(1))
    }

    /// The position of one of some shares, which add up to one; the last takes what is left.
    pub fn pick(&mut self, shares: &[f64]) -> u8 {
        let mut left = self.uniform();
        let found = shares.iter().position(|share| {
            left -= share;
            left < 0.0
        });
        u8::try_from(found.unwrap_or(shares.len().saturating_sub(1))).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_draws_have_the_moments_and_the_tails_of_a_normal() {
        let mut dice = Dice::new(1, 0, Purpose::Families);
        let draws: Vec<f64> = (0..200_000).map(|_| dice.normal()).collect();
        let mean =
            |of: fn(f64) -> f64| draws.iter().map(|x| of(*x)).sum::<f64>() / draws.len() as f64;
        assert!(mean(|x| x).abs() < 0.01);
        assert!((mean(|x| x * x) - 1.0).abs() < 0.02);
        assert!((mean(|x| x.powi(4)) - 3.0).abs() < 0.15);
        let beyond = mean(|x| f64::from(u8::from(x.abs() > 1.959_964)));
        assert!((beyond - 0.05).abs() < 0.002, "{beyond}");
    }

    #[test]
    fn picks_follow_their_shares_and_whole_numbers_their_ends() {
        let mut dice = Dice::new(1, 0, Purpose::Families);
        let mut counts = [0u32; 3];
        for _ in 0..100_000 {
            counts[usize::from(dice.pick(&[0.7, 0.2, 0.1]))] += 1;
            assert!((3..=5).contains(&dice.whole(3, 5)));
            assert_eq!(dice.whole(9, 2), 9);
        }
        for (count, share) in counts.into_iter().zip([0.7, 0.2, 0.1]) {
            assert!((f64::from(count) / 100_000.0 - share).abs() < 0.01, "{counts:?}");
        }
    }
}
