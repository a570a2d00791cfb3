//! Scales from zero, and shares in per cent.

/// From shares to places, beginning at zero.
#[derive(Clone, Copy, Debug)]
pub(super) struct Linear {
    /// The largest share that has a place.
    pub high: f64,
    /// The place of zero.
    pub from: f64,
    /// The place of the largest share.
    pub to: f64,
}

impl Linear {
    /// Up to the next round number over all shares.
    pub fn of(shares: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let largest = shares.filter(|share| share.is_finite()).fold(0.0, f64::max);
        let step = step(largest);
        let high = ((largest / step - 1e-9).ceil().max(1.0) * step).min(1.0_f64.max(step));
        Self { high, from, to }
    }

    /// From nothing to all.
    pub fn whole(from: f64, to: f64) -> Self {
        Self { high: 1.0, from, to }
    }

    pub fn at(&self, share: f64) -> f64 {
        self.from + (share / self.high).clamp(0.0, 1.0) * (self.to - self.from)
    }

    /// Round numbers from zero on.
    pub fn marks(&self) -> Vec<f64> {
        let step = step(self.high);
        let marks = (0..20).map(|i| f64::from(i) * step);
        marks.take_while(|mark| *mark <= self.high * (1.0 + 1e-9)).collect()
    }
}

/// Between marks: 1, 2 or 5 times a power of ten, so that there are from two to five marks beside zero.
fn step(largest: f64) -> f64 {
    if largest <= 0.0 {
        return 0.01;
    }
    let power = 10f64.powf((largest / 5.0).log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
    steps.into_iter().find(|step| largest / step <= 5.0 + 1e-9).unwrap_or(largest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_reach_over_every_share() {
        for (largest, marks) in [
            (0.0, vec![0.0, 0.002, 0.004, 0.006, 0.008, 0.01]),
            (1.0, vec![0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
            (0.37, vec![0.0, 0.1, 0.2, 0.3, 0.4]),
            (0.043, vec![0.0, 0.01, 0.02, 0.03, 0.04, 0.05]),
        ] {
            let scale = Linear::of([largest].into_iter(), 10.0, 110.0);
            assert!(scale.high >= largest);
            let found = scale.marks();
            assert_eq!(found.len(), marks.len(), "{found:?}");
            assert!(found.iter().zip(&marks).all(|(a, b)| (a - b).abs() < 1e-9), "{found:?}");
        }
        let scale = Linear::whole(10.0, 110.0);
        assert_eq!((scale.at(0.0), scale.at(0.5), scale.at(2.0)), (10.0, 60.0, 110.0));
    }
}
