//! Roots of increasing functions, and the few functions of statistics that the model needs.
//!
//! `libm` and not the system's library: the same bits on every machine.

use libm::{erfc, exp, log, pow, sqrt};
use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// The root of an increasing function between two ends.
pub(crate) fn root(low: f64, high: f64, increasing: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (low, high);
    // Each step halves the interval: sixty reach the precision of a number.
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if increasing(middle) < 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// Distribution function of the standard normal.
pub(crate) fn normal_below(x: f64) -> f64 {
    0.5 * erfc(-x * FRAC_1_SQRT_2)
}

/// Where a share `p` (between 0 and 1, ends excluded) of the standard normal lies below.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    if p > 0.5 {
        return -normal_quantile(1.0 - p);
    }
    // Tukey's lambda is close except far out; Newton's steps on the logarithm, which is nearly a parabola, do the rest.
    let mut x = (pow(p, 0.135) - pow(1.0 - p, 0.135)) / 0.1975;
    for _ in 0..8 {
        let below = normal_below(x);
        let density = exp(-0.5 * x * x) / sqrt(2.0 * PI);
        let step = log(below / p) * below / density;
        x -= step;
        if step.abs() < 1e-7 {
            break;
        }
    }
    x
}

/// The chance whose logarithm of odds is `x`.
pub(crate) fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + exp(-x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables_and_undo_the_distribution() {
        for (p, x) in
            [(0.5, 0.0), (0.975, 1.959_963_985), (0.051, -1.635_234_411), (1e-6, -4.753_424_309)]
        {
            assert!((normal_quantile(p) - x).abs() < 1e-6, "{p}: {}", normal_quantile(p));
        }
        for exponent in 1..15 {
            let p = 10f64.powi(-exponent);
            let back = normal_below(normal_quantile(p));
            assert!((back / p - 1.0).abs() < 1e-6, "{p}: {back}");
        }
    }

    #[test]
    fn a_root_is_found_to_the_last_digits() {
        assert!((root(0.0, 10.0, |x| x * x - 2.0) - 2f64.sqrt()).abs() < 1e-12);
    }
}
