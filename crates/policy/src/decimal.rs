//! Exact decimal numbers: parsing, printing, ordering. No floating point anywhere.

use crate::Decimal;
use std::cmp::Ordering;
use std::fmt;

/// The most digits a number may have, and the most after the point: powers of ten up to here fit an `i64`.
pub const MAX_DIGITS: usize = 18;

/// Why a text is not a plain decimal number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// Something else than an optional sign, digits and at most one point.
    #[error("not a plain decimal number")]
    NotANumber,
    /// More than [`MAX_DIGITS`] digits.
    #[error("a number of more than {MAX_DIGITS} digits")]
    TooLong,
}

impl Decimal {
    /// Zero.
    pub const ZERO: Decimal = Decimal { units: 0, scale: 0 };

    /// Reads `-12.50`: an optional sign, digits, at most one point with digits on both sides. No exponent, no
    /// separators, no infinity.
    pub fn parse(text: &str) -> Result<Decimal, DecimalError> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = match unsigned.split_once('.') {
            Some((_, "")) => return Err(DecimalError::NotANumber),
            Some(parts) => parts,
            None => (unsigned, ""),
        };
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) {
            return Err(DecimalError::NotANumber);
        }
        let whole = whole.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');
        if whole.len() + fraction.len() > MAX_DIGITS {
            return Err(DecimalError::TooLong);
        }
        let mut units: i64 = 0;
        for digit in whole.bytes().chain(fraction.bytes()) {
            units = units * 10 + i64::from(digit - b'0');
        }
        let scale = u32::try_from(fraction.len()).unwrap_or(u32::MAX);
        Ok(Decimal { units: if negative { -units } else { units }, scale })
    }

    /// The number in units of 10^−`decimals`; `None` when it has more decimals than that or does not fit.
    pub fn in_units(&self, decimals: u32) -> Option<i64> {
        let shift = decimals.checked_sub(self.scale)?;
        self.units.checked_mul(10i64.checked_pow(shift)?)
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        // At most 18 digits times 10^18 on either side: far inside an i128.
        let scaled =
            |a: &Decimal, by: u32| i128::from(a.units).saturating_mul(10i128.saturating_pow(by));
        scaled(self, other.scale).cmp(&scaled(other, self.scale))
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&scaled_text(i128::from(self.units), self.scale))
    }
}

/// `units · 10^−scale` as people write it, without needless zeros.
pub(crate) fn scaled_text(units: i128, scale: u32) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let width = usize::try_from(scale).unwrap_or(0);
    let digits = format!("{:0>1$}", units.unsigned_abs(), width + 1);
    let (whole, fraction) = digits.split_at(digits.len().saturating_sub(width));
    match fraction.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        fraction => format!("{sign}{whole}.{fraction}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_exactly_and_in_lowest_terms() {
        assert_eq!(Decimal::parse("0.250").unwrap(), Decimal { units: 25, scale: 2 });
        assert_eq!(Decimal::parse("-1.5").unwrap(), Decimal { units: -15, scale: 1 });
        assert_eq!(Decimal::parse("007.00").unwrap(), Decimal { units: 7, scale: 0 });
        assert_eq!(Decimal::parse("-0.0").unwrap(), Decimal::ZERO);
        assert_eq!(Decimal::parse("999999999999999999").unwrap().units, 999_999_999_999_999_999);
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "", "-", ".", "1.", ".5", "1e3", "1,000", "1 000", "nan", "inf", "0x1", "1.2.3", "--1",
            "١",
        ] {
            assert_eq!(Decimal::parse(text), Err(DecimalError::NotANumber), "{text:?}");
        }
        assert_eq!(Decimal::parse("1234567890123456789"), Err(DecimalError::TooLong));
        assert_eq!(Decimal::parse("0.1234567890123456789"), Err(DecimalError::TooLong));
    }

    #[test]
    fn orders_across_scales_and_prints() {
        let d = |text| Decimal::parse(text).unwrap();
        assert!(
            d("0.25") < d("1")
                && d("-2") < d("-1.99")
                && d("0.000000000000000001") < d("999999999999999999")
        );
        for text in ["-0.05", "0", "12.5", "-3"] {
            assert_eq!(d(text).to_string(), text);
        }
        assert_eq!(d("1.5").in_units(2), Some(150));
        assert_eq!(d("0.25").in_units(1), None);
    }
}
