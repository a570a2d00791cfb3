//! How long an operation takes with one core, and with all cores busy.

use serde::{Deserialize, Serialize};

/// Seconds that pass for each operation while a long row of them is done: on one core alone, and on all cores of the
/// machine at once. With all cores it is less, but on most machines not as many times less as there are cores.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timing {
    /// On one core.
    pub one_core: f64,
    /// On all cores.
    pub all_cores: f64,
}

/// How many cores do the work, and how many the timings were taken with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cores {
    /// Of the round's machine; at least 1.
    pub used: u32,
    /// Of the calibrated machine; at least 1.
    pub measured: u32,
}

impl Timing {
    /// The same with both times multiplied.
    pub fn times(self, factor: f64) -> Self {
        Self { one_core: self.one_core * factor, all_cores: self.all_cores * factor }
    }

    /// Whether both are positive numbers.
    pub(crate) fn is_sound(self) -> bool {
        [self.one_core, self.all_cores].iter().all(|s| s.is_finite() && *s > 0.0)
    }

    /// Operations a second with so many cores busy: a straight line between what was measured, and beyond it as much for
    /// each core as with all that were measured.
    fn speed(self, busy: u32, measured: u32) -> f64 {
        let one = 1.0 / self.one_core;
        let measured = measured.max(1);
        // Noise must not make two cores slower than one, nor more than twice as fast.
        let all = (1.0 / self.all_cores).clamp(one, one * f64::from(measured));
        if busy >= measured {
            return all * f64::from(busy.max(1)) / f64::from(measured);
        }
        let slope = (all - one) / f64::from(measured - 1).max(1.0);
        one + slope * f64::from(busy.max(1) - 1)
    }

    /// Seconds of one operation on one core while so many cores are busy.
    pub fn latency(self, busy: u32, measured: u32) -> f64 {
        f64::from(busy.max(1)) / self.speed(busy, measured)
    }

    /// Seconds of so many operations that are small enough to be spread evenly.
    pub fn spread(self, operations: f64, cores: Cores) -> f64 {
        operations / self.speed(cores.used, cores.measured)
    }

    /// Seconds of so many operations of which each keeps one core from its start to its end.
    pub fn whole(self, operations: u64, cores: Cores) -> f64 {
        rounds(operations, cores, |busy| self.latency(busy, cores.measured))
    }
}

/// Seconds of so many operations, each on one core, that take `latency(busy)` seconds while so many cores are busy: full
/// rounds, and one with what is left.
pub(crate) fn rounds(operations: u64, cores: Cores, latency: impl Fn(u32) -> f64) -> f64 {
    let used = cores.used.max(1);
    let (full, rest) = (operations / u64::from(used), operations % u64::from(used));
    let full = if full > 0 { float(full) * latency(used) } else { 0.0 };
    match u32::try_from(rest) {
        Ok(rest) if rest > 0 => full + latency(rest),
        _ => full,
    }
}

/// A whole number as a floating-point one.
#[allow(clippy::cast_precision_loss, reason = "an estimate needs no more than 53 bits")]
pub(crate) fn float(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMING: Timing = Timing { one_core: 1.0, all_cores: 0.6 };

    fn cores(used: u32) -> Cores {
        Cores { used, measured: 2 }
    }

    #[test]
    fn what_was_measured_comes_back() {
        assert_eq!(TIMING.spread(10.0, cores(1)), 10.0);
        assert!((TIMING.spread(10.0, cores(2)) - 6.0).abs() < 1e-9);
        assert!((TIMING.whole(10, cores(2)) - 6.0).abs() < 1e-9);
    }

    #[test]
    fn an_odd_operation_waits_for_nobody_and_has_the_machine_for_itself() {
        assert!((TIMING.whole(11, cores(2)) - 7.0).abs() < 1e-9);
        assert_eq!(TIMING.whole(1, cores(8)), 1.0);
        assert_eq!(TIMING.whole(0, cores(8)), 0.0);
    }

    #[test]
    fn more_work_takes_longer_and_more_cores_never_do() {
        for (one_core, all_cores) in [(1.0, 0.5), (1.0, 0.6), (1.0, 0.99), (1.0, 0.4), (1.0, 1.2)] {
            let timing = Timing { one_core, all_cores };
            for used in 1..=9 {
                let mut before = 0.0;
                for operations in 1..=40 {
                    let now = timing.whole(operations, cores(used));
                    assert!(now >= before - 1e-9, "{timing:?} {used} {operations}");
                    before = now;
                    let more = timing.whole(operations, cores(2 * used));
                    assert!(more <= now + 1e-9, "{timing:?} {used} {operations}: {more} > {now}");
                }
            }
        }
    }
}
