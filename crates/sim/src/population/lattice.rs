//! Evenly spread chances.
//!
//! Rare groups (the poor of the capital, families on assistance) would miss their published share by a few percent if every
//! family were drawn by itself. So the draws that the targets depend on come from a lattice: the next point lies a fixed
//! step further in every direction, modulo one, which fills the cube of all chances evenly. The seed moves the whole
//! lattice, so that each family by itself is drawn as before.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The draws that the targets depend on. All are strictly between 0 and 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    /// Region and size.
    pub cell: f64,
    pub welfare: f64,
    pub home: f64,
    pub aid: f64,
}

const DIRECTIONS: usize = 4;

/// A shifted lattice.
#[derive(Clone, Debug)]
pub(crate) struct Lattice {
    /// Step and start in every direction, in units of 2^-64.
    directions: [(u64, u64); DIRECTIONS],
}

impl Lattice {
    pub fn new(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        // The root of x^5 = x + 1 generalises the golden ratio to four directions; its powers are the steps.
        let ratio = super::solve::root(1.0, 2.0, |x| libm::pow(x, 5.0) - x - 1.0);
        let mut step = 1.0;
        let directions = [(); DIRECTIONS].map(|()| {
            step /= ratio;
            ((step * TWO_POW_64) as u64, rng.random())
        });
        Self { directions }
    }

    /// The point of one family.
    pub fn point(&self, family: u64) -> Point {
        let [cell, welfare, home, aid] = self.directions.map(|(step, start)| {
            let place = family.wrapping_mul(step).wrapping_add(start);
            ((place >> 11) as f64 + 0.5) / TWO_POW_53
        });
        Point { cell, welfare, home, aid }
    }
}

const TWO_POW_53: f64 = (1u64 << 53) as f64;
const TWO_POW_64: f64 = 2.0 * (1u64 << 63) as f64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_box_holds_its_share_far_closer_than_chance_would() {
        let (families, seeds) = (1_000_000u32, 10);
        let expected = 0.1 * 0.05 * 0.5 * f64::from(families);
        let mut squares = 0.0;
        for seed in 1..=seeds {
            let lattice = Lattice::new(seed);
            let inside = (0..families)
                .map(|family| lattice.point(family.into()))
                .filter(|p| p.cell < 0.1 && p.welfare < 0.05 && p.aid < 0.5)
                .count();
            squares += (inside as f64 / expected - 1.0).powi(2);
        }
        let error = (squares / seeds as f64).sqrt();
        let by_chance = 1.0 / expected.sqrt();
        assert!(error < by_chance / 2.0, "{error} where chance has {by_chance}");
    }
}
