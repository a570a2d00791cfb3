//! Gaps in registers: families that an agency does not know.

use blindtier_policy::Policy;
use rand::seq::index;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;

/// So many percent of `count` positions, seeded, ascending: the families of a simulation that said no.
pub fn some_of(count: usize, percent: u32, seed: u64) -> Vec<usize> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    rng.set_stream(2);
    let wanted = count.saturating_mul(usize::try_from(percent.min(100)).unwrap_or(100)) / 100;
    let mut chosen = index::sample(&mut rng, count, wanted).into_vec();
    chosen.sort_unstable();
    chosen
}

/// Takes families out of registers at a given rate, each out of each with the same chance.
#[derive(Clone, Debug)]
pub struct Gaps {
    percent: u32,
    rng: ChaCha20Rng,
}

impl Gaps {
    /// So many of a hundred; seeded apart from everything else that a seed shapes.
    pub fn new(percent: u32, seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        rng.set_stream(1);
        Self { percent: percent.min(100), rng }
    }

    /// No gaps beyond those that the data has.
    pub fn none() -> Self {
        Self::new(0, 0)
    }

    /// For one family whether each agency of the policy forgets it; an agency that does has its missing values in
    /// `values` afterwards.
    pub(crate) fn next(&mut self, policy: &Policy, values: &mut [i64]) -> Vec<bool> {
        let forgotten: Vec<bool> =
            policy.agencies.iter().map(|_| self.rng.random_ratio(self.percent, 100)).collect();
        for (indicator, value) in policy.indicators.iter().zip(values) {
            if forgotten.get(indicator.agency).copied().unwrap_or_default() {
                *value = indicator.missing();
            }
        }
        forgotten
    }
}
