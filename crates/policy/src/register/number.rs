//! Totals of register cells: exact, in units of 10^−18.

use crate::decimal::scaled_text;
use crate::{Band, Decimal, MAX_DIGITS};
use std::cmp::Ordering;

/// A total in units of 10^−18.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Total(i128);

const SCALE: u32 = 18;
const ONE: i128 = 10i128.pow(SCALE);
const _: () = assert!(MAX_DIGITS == 18);

impl Total {
    pub fn of(number: Decimal) -> Option<Total> {
        let shift = 10i128.checked_pow(SCALE.checked_sub(number.scale)?)?;
        i128::from(number.units).checked_mul(shift).map(Total)
    }

    pub fn whole(number: u32) -> Total {
        Total(i128::from(number).saturating_mul(ONE))
    }

    pub fn checked_add(self, other: Total) -> Option<Total> {
        self.0.checked_add(other.0).map(Total)
    }

    /// The total as an integer, if it is one and fits.
    pub fn as_integer(self) -> Option<i64> {
        (self.0.checked_rem(ONE) == Some(0)).then(|| i64::try_from(self.0 / ONE).ok()).flatten()
    }

    /// Compares `self / divisor` with `bound`, without dividing. The divisor is positive.
    fn cmp_quotient(self, divisor: u32, bound: Decimal) -> Ordering {
        let scaled = Total::of(bound).and_then(|bound| bound.0.checked_mul(i128::from(divisor)));
        match scaled {
            Some(scaled) => self.0.cmp(&scaled),
            // The product exceeds every i128, and so every total, in the direction of the bound's sign.
            None if bound.units > 0 => Ordering::Less,
            None => Ordering::Greater,
        }
    }

    /// Whether `self / divisor` lies in the band.
    pub fn in_band(self, divisor: u32, band: &Band) -> bool {
        band.from.is_none_or(|from| self.cmp_quotient(divisor, from) != Ordering::Less)
            && band.below.is_none_or(|below| self.cmp_quotient(divisor, below) == Ordering::Less)
    }

    pub fn text(self) -> String {
        scaled_text(self.0, SCALE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_third_is_below_0_34_and_not_below_one_third_rounded_down() {
        let total = Total::whole(1);
        let bound = |text| Decimal::parse(text).unwrap();
        assert_eq!(total.cmp_quotient(3, bound("0.34")), Ordering::Less);
        assert_eq!(total.cmp_quotient(3, bound("0.333333333333333333")), Ordering::Greater);
        assert_eq!(total.cmp_quotient(4, bound("0.25")), Ordering::Equal);
        assert_eq!(total.cmp_quotient(u32::MAX, bound("999999999999999999")), Ordering::Less);
        assert_eq!(total.cmp_quotient(u32::MAX, bound("-999999999999999999")), Ordering::Greater);
    }

    proptest! {
        #[test]
        fn agrees_with_small_integer_arithmetic(total in -1000i64..1000, divisor in 1u32..20, bound in -1000i64..1000) {
            let number = Total::of(Decimal::parse(&total.to_string()).unwrap()).unwrap();
            let bound_decimal = Decimal::parse(&bound.to_string()).unwrap();
            prop_assert_eq!(number.cmp_quotient(divisor, bound_decimal), total.cmp(&(bound * i64::from(divisor))));
            prop_assert_eq!(number.as_integer(), Some(total));
        }
    }
}
