//! The order of families: by the numbers in their names, so that `f2` comes before `f10`.

use std::cmp::Ordering;

/// Compares names piece by piece, digits as numbers. Names that only differ in leading zeros are ordered as texts.
pub(crate) fn by_number(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.as_bytes(), b.as_bytes());
    loop {
        match (left.split_first(), right.split_first()) {
            (Some((x, _)), Some((y, _))) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let (x, after_x) = digits(left);
                let (y, after_y) = digits(right);
                match x.len().cmp(&y.len()).then_with(|| x.cmp(y)) {
                    Ordering::Equal => (left, right) = (after_x, after_y),
                    other => return other,
                }
            }
            (Some((x, after_x)), Some((y, after_y))) => match x.cmp(y) {
                Ordering::Equal => (left, right) = (after_x, after_y),
                other => return other,
            },
            (None, None) => return a.cmp(b),
            (left, right) => return left.is_some().cmp(&right.is_some()),
        }
    }
}

/// The leading digits without zeros before them, and the rest.
fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at_checked(end).unwrap_or((text, &[]));
    let zeros = number.iter().take_while(|digit| **digit == b'0').count();
    (number.get(zeros..).unwrap_or_default(), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_as_numbers_and_every_two_names_have_an_order() {
        let ascending =
            ["", "1", "01", "2", "10", "010", "f1", "f1a", "f2", "f10", "f10b2", "f10b10", "g1"];
        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                // Among names that differ in zeros alone the text decides: 01 before 1.
                let same_number =
                    matches!((*a, *b), ("1", "01") | ("01", "1") | ("10", "010") | ("010", "10"));
                let expected = if same_number { a.cmp(b) } else { i.cmp(&j) };
                assert_eq!(by_number(a, b), expected, "{a} {b}");
                assert_eq!(by_number(b, a), expected.reverse(), "{b} {a}");
            }
        }
    }
}
