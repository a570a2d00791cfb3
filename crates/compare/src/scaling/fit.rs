//! Laws fitted to measurements.

use blindtier_report::Fit;
use blindtier_report::units::float;

/// `y = factor · x^exponent` by least squares on logarithms; none for fewer than three positive points or a single x.
pub(super) fn power_law(basis: &str, points: &[(f64, f64)]) -> Option<Fit> {
    let logarithms: Vec<(f64, f64)> = points
        .iter()
        .filter(|(x, y)| *x > 0.0 && *y > 0.0)
        .map(|(x, y)| (x.ln(), y.ln()))
        .collect();
    if logarithms.len() < 3 {
        return None;
    }
    let count = float(u64::try_from(logarithms.len()).ok()?);
    let mean = |of: fn(&(f64, f64)) -> f64| logarithms.iter().map(of).sum::<f64>() / count;
    let (mean_x, mean_y) = (mean(|p| p.0), mean(|p| p.1));
    let sum = |of: &dyn Fn(f64, f64) -> f64| {
        logarithms.iter().map(|(x, y)| of(x - mean_x, y - mean_y)).sum::<f64>()
    };
    let (xx, xy, yy) = (sum(&|x, _| x * x), sum(&|x, y| x * y), sum(&|_, y| y * y));
    if xx <= 0.0 {
        return None;
    }
    let exponent = xy / xx;
    let factor = (mean_y - exponent * mean_x).exp();
    // Where y does not change at all there is nothing to explain.
    let r_squared = if yy > 0.0 { xy * xy / (xx * yy) } else { 1.0 };
    Some(Fit { basis: basis.to_owned(), factor, exponent, r_squared })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_law_is_found_again() {
        let points: Vec<(f64, f64)> =
            [1.0, 2.0, 4.0, 8.0, 16.0].map(|x: f64| (x, 3.0 * x.powf(0.5))).into();
        let fit = power_law("levels", &points).unwrap();
        assert!((fit.factor - 3.0).abs() < 1e-9 && (fit.exponent - 0.5).abs() < 1e-9);
        assert!((fit.r_squared - 1.0).abs() < 1e-9);
    }

    #[test]
    fn noise_is_seen_in_r_squared() {
        let fit = power_law("x", &[(1.0, 1.0), (2.0, 9.0), (4.0, 2.0), (8.0, 11.0)]).unwrap();
        assert!(fit.r_squared < 0.9, "{fit:?}");
    }

    #[test]
    fn two_points_or_one_place_make_no_law() {
        assert!(power_law("x", &[(1.0, 1.0), (2.0, 2.0)]).is_none());
        assert!(power_law("x", &[(2.0, 1.0), (2.0, 2.0), (2.0, 3.0)]).is_none());
    }
}
