//! The values of a variable, cut into cells that no test tells apart.

use crate::feel::{End, Literal, Simple, Tests};
use blindtier_policy::{Decimal, MAX_DIGITS};

/// Values that all tests treat alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    /// One value.
    Point(Literal),
    /// Any text that no test names.
    OtherText,
    /// `from ≤ number < below`; an absent end is unbounded.
    Range { from: Option<Decimal>, below: Option<Decimal> },
}

impl Cell {
    /// Whether a test accepts the values of this cell.
    pub fn is_accepted(&self, tests: &Tests) -> bool {
        match tests {
            Tests::Any => true,
            Tests::OneOf(list) => list.iter().any(|simple| self.meets(simple)),
            Tests::NoneOf(list) => !list.iter().any(|simple| self.meets(simple)),
        }
    }

    fn meets(&self, simple: &Simple) -> bool {
        match (self, simple) {
            (Self::Point(value), Simple::Equals(wanted)) => value == wanted,
            (Self::Point(Literal::Number(number)), Simple::Range { low, high }) => {
                lies_in(*number, low.as_ref(), high.as_ref())
            }
            // Cells start where a test changes, so their first number stands for all.
            (Self::Range { from: Some(first), .. }, Simple::Range { low, high }) => {
                lies_in(*first, low.as_ref(), high.as_ref())
            }
            (Self::Range { from: Some(first), .. }, Simple::Equals(Literal::Number(number))) => {
                first == number
            }
            (Self::Range { from: None, .. }, Simple::Range { low, .. }) => low.is_none(),
            _ => false,
        }
    }

    /// Short words for people.
    pub fn label(&self) -> String {
        match self {
            Self::Point(Literal::Text(text)) => text.clone(),
            Self::Point(other) => other.to_string(),
            Self::OtherText => "other".to_owned(),
            Self::Range { from: None, below: None } => "any".to_owned(),
            Self::Range { from: Some(from), below: None } => format!("from {from}"),
            Self::Range { from: None, below: Some(below) } => format!("below {below}"),
            Self::Range { from: Some(from), below: Some(below) } => {
                format!("{from} to below {below}")
            }
        }
    }
}

fn lies_in(number: Decimal, low: Option<&End>, high: Option<&End>) -> bool {
    let above = low.is_none_or(|end| if end.closed { number >= end.at } else { number > end.at });
    let under = high.is_none_or(|end| if end.closed { number <= end.at } else { number < end.at });
    above && under
}

/// Where a test changes its answer: at a number, or just after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Edge {
    pub at: Decimal,
    pub after: bool,
}

/// The edges of a test.
pub(crate) fn edges(tests: &Tests) -> Vec<Edge> {
    let mut found = Vec::new();
    for simple in tests.alternatives() {
        match simple {
            Simple::Equals(Literal::Number(at)) => {
                found.extend([false, true].map(|after| Edge { at: *at, after }));
            }
            Simple::Equals(_) => {}
            Simple::Range { low, high } => {
                found.extend(low.map(|end| Edge { at: end.at, after: !end.closed }));
                found.extend(high.map(|end| Edge { at: end.at, after: end.closed }));
            }
        }
    }
    found
}

/// The smallest number with so many decimals that lies behind the edge. `None` if it has too many digits.
pub(crate) fn start(edge: Edge, decimals: u32) -> Option<Decimal> {
    let up = 10i128.checked_pow(decimals)?;
    let down = 10i128.checked_pow(edge.at.scale)?;
    let scaled = i128::from(edge.at.units).checked_mul(up)?;
    let floor = scaled.checked_div_euclid(down)?;
    let exact = scaled.checked_rem_euclid(down)? == 0;
    let units = if exact && !edge.after { floor } else { floor.checked_add(1)? };
    lowest_terms(units, decimals)
}

fn lowest_terms(mut units: i128, mut scale: u32) -> Option<Decimal> {
    while scale > 0 && units.checked_rem(10)? == 0 {
        units = units.checked_div(10)?;
        scale = scale.checked_sub(1)?;
    }
    let most = 10i128.checked_pow(u32::try_from(MAX_DIGITS).ok()?)?;
    if units.abs() >= most {
        return None;
    }
    Some(Decimal { units: i64::try_from(units).ok()?, scale })
}

/// All numbers, cut at these starts.
pub(crate) fn ranges(mut starts: Vec<Decimal>) -> Vec<Cell> {
    starts.sort_unstable();
    starts.dedup();
    let lows = std::iter::once(None).chain(starts.iter().copied().map(Some));
    let highs = starts.iter().copied().map(Some).chain(std::iter::once(None));
    lows.zip(highs).map(|(from, below)| Cell::Range { from, below }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn a_start_is_the_next_number_on_the_grid() {
        let next = |at: &str, after, decimals| start(Edge { at: d(at), after }, decimals).unwrap();
        assert_eq!(next("18", false, 0), d("18"));
        assert_eq!(next("18", true, 0), d("19"));
        assert_eq!(next("18", true, 2), d("18.01"));
        assert_eq!(next("18.5", false, 0), d("19"));
        assert_eq!(next("-18.5", true, 0), d("-18"));
        assert_eq!(next("-1", true, 1), d("-0.9"));
        assert_eq!(start(Edge { at: d("999999999999999999"), after: true }, 0), None);
    }

    #[test]
    fn one_number_of_a_cell_stands_for_all_on_the_grid() {
        for text in ["[1..5)", "]1..5]", "<= 3", "> 3", "3", "not(2, [4..5])", "<2,>=4"] {
            let tests = Tests::parse(text).unwrap();
            let starts = edges(&tests).into_iter().filter_map(|edge| start(edge, 1));
            let cells = ranges(starts.collect());
            for tenth in -10i64..=70 {
                let number = lowest_terms(i128::from(tenth), 1).unwrap();
                let direct = Cell::Point(Literal::Number(number)).is_accepted(&tests);
                let cell = cells
                    .iter()
                    .find(|cell| match cell {
                        Cell::Range { from, below } => {
                            from.is_none_or(|from| from <= number)
                                && below.is_none_or(|below| number < below)
                        }
                        _ => false,
                    })
                    .unwrap();
                assert_eq!(cell.is_accepted(&tests), direct, "{text} at {number}");
            }
        }
    }
}
