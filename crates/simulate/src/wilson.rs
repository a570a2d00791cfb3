//! Intervals of shares.

use blindtier_report::Rate;

/// The quantile of the normal distribution that leaves 2.5 % above it.
const Z: f64 = 1.959_963_984_540_054;

/// A share with its 95 % interval after E. B. Wilson (1927), which also holds for few families and shares near 0 and 1.
/// None of nothing.
pub(crate) fn rate(families: u64, of: u64) -> Option<Rate> {
    if of == 0 {
        return None;
    }
    let (count, n) = (float(families), float(of));
    let share = count / n;
    let scale = 1.0 + Z * Z / n;
    let middle = (share + Z * Z / (2.0 * n)) / scale;
    let half = Z / scale * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    // Rounding must not push the interval off its own share.
    let low = (middle - half).clamp(0.0, share);
    let high = (middle + half).clamp(share, 1.0);
    Some(Rate { families, of, share, low, high })
}

#[allow(clippy::cast_precision_loss, reason = "counts of families are far below 2^53")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R. G. Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998),
    /// Table I, method 3 (score without continuity correction).
    #[test]
    fn the_interval_is_the_published_one() {
        for (families, of, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let rate = rate(families, of).unwrap();
            assert!((rate.low - low).abs() < 5e-5 && (rate.high - high).abs() < 5e-5, "{rate:?}");
        }
        assert_eq!(rate(0, 0), None);
        assert_eq!(rate(7, 7).unwrap().high, 1.0);
    }
}
