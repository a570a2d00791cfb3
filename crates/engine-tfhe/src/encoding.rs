//! How a column's value is written in bits, such that whatever bits are sent make a number in the column's range.
//!
//! A proof of encryption shows that a ciphertext holds 0 or 1 (see [`crate::proof`]), so that it shows of a column just
//! what all choices of bits have in common. Two ways of writing are used, the one with fewer bits for each column:
//!
//! - *Reached*: for every value but the smallest that families have, whether it is reached. A bit's weight is the distance
//!   from the value before. A column of two values takes one bit and lets nothing else through.
//! - *Binary*: weights 1, 2, 4, … and a last one that makes them add up to the width of the range: 0 to 5 is 1, 2 and 2.
//!
//! Weights are positive and add up to the width of the range. So no sum leaves the range that it has with honest values.

use crate::plan::{Part, TfhePlan};
use blindtier_policy::circuit::{Column, Inputs, Source};
use std::collections::BTreeSet;

/// Of a column that can have more values than this they are not counted.
const MOST_VALUES: usize = 1024;

/// The bits of a column with their weights, which add up to its value less its smallest; at least one.
pub(crate) fn bits(inputs: &Inputs, column: &Column) -> Vec<(Part, i64)> {
    let range = column.range;
    let binary = weights(range);
    match honest_values(inputs, &column.source) {
        Some(values) if (2..=binary.len() + 1).contains(&values.len()) => {
            let pairs = values.iter().zip(values.iter().skip(1));
            pairs.map(|(below, value)| (Part::Reached(*value), value - below)).collect()
        }
        _ => (0..)
            .zip(binary)
            .map(|(position, weight)| (Part::Binary { position, range }, weight))
            .collect(),
    }
}

/// The weights of a number in `min..=max` in binary; at least one, so that every column is encrypted.
fn weights((min, max): (i64, i64)) -> Vec<i64> {
    let width = max.saturating_sub(min).max(0);
    let bits = (i64::BITS - width.leading_zeros()).max(1);
    let powers = (0..bits - 1).map(|bit| 1i64 << bit);
    powers.clone().chain([width - powers.sum::<i64>()]).collect()
}

/// One bit of a number in the range, in binary.
pub(crate) fn binary(range: (i64, i64), position: usize, value: i64) -> bool {
    let weights = weights(range);
    let Some((last, powers)) = weights.split_last() else { return false };
    let above = value.saturating_sub(range.0);
    let has_last = above > powers.iter().sum();
    if position >= powers.len() {
        return has_last;
    }
    let rest = if has_last { above - last } else { above };
    rest >> position & 1 == 1
}

/// The values that families can have, at most: parts of a sum are taken as independent. `None` if they are many.
fn honest_values(inputs: &Inputs, source: &Source) -> Option<BTreeSet<i64>> {
    match source {
        Source::Table { outputs, .. } => Some(outputs.iter().copied().collect()),
        Source::Sum { terms, constant } => {
            let terms = terms.iter().map(|(node, weight)| {
                let values = inputs.graph.domain(*node).into_iter();
                values.map(|value| value.saturating_mul(*weight)).collect()
            });
            sums(*constant, terms)
        }
        Source::Unknown { .. }
        | Source::OptOut { .. }
        | Source::Known { .. }
        | Source::Group { .. } => Some(BTreeSet::from([0, 1])),
    }
}

/// What a constant and one of each term's values can add up to; `None` if that is many.
fn sums(constant: i64, terms: impl Iterator<Item = Vec<i64>>) -> Option<BTreeSet<i64>> {
    let mut found = BTreeSet::from([constant]);
    for values in terms {
        let mut next = BTreeSet::new();
        for sum in &found {
            for value in &values {
                next.insert(sum.saturating_add(*value));
                if next.len() > MOST_VALUES {
                    return None;
                }
            }
        }
        found = next;
    }
    Some(found)
}

/// A column for which proofs let values through that no family has.
///
/// They lie between values that families have. A sum that no family has is read like that of a family that no register
/// knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slack {
    /// Position of the submitter.
    pub submitter: usize,
    /// Position of the circuit's column.
    pub column: usize,
    /// Smallest and largest value, honest or not.
    pub range: (i64, i64),
    /// How many values families have at most.
    pub honest: usize,
    /// How many values a proof lets through.
    pub proven: usize,
}

impl std::fmt::Display for Slack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { submitter, column, range: (min, max), honest, proven } = self;
        write!(
            f,
            "column {column}, of submitter {submitter}, from {min} to {max}: families have {honest} values, a proof lets {proven} through"
        )
    }
}

impl TfhePlan {
    /// The columns for which a proof lets more values through than families have; without those that have more than a
    /// thousand.
    pub fn slack(&self) -> Vec<Slack> {
        let inputs = &self.circuit.inputs;
        let slack = |(position, column): (usize, &Column)| {
            let honest = honest_values(inputs, &column.source)?.len();
            let bits = bits(inputs, column).into_iter().map(|(_, weight)| vec![0, weight]);
            let proven = sums(column.range.0, bits)?.len();
            (proven > honest).then_some(Slack {
                submitter: column.agency,
                column: position,
                range: column.range,
                honest,
                proven,
            })
        };
        inputs.columns.iter().enumerate().filter_map(slack).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value_of(range: (i64, i64), bits: &[bool]) -> i64 {
        weights(range).iter().zip(bits).fold(range.0, |sum, (w, b)| sum + w * i64::from(*b))
    }

    #[test]
    fn every_value_has_bits_and_all_bits_make_a_value() {
        for width in 0..130 {
            for min in [-70, 0, 3] {
                let range = (min, min + width);
                let count = weights(range).len();
                for value in min..=min + width {
                    let bits: Vec<bool> = (0..count).map(|i| binary(range, i, value)).collect();
                    assert_eq!(value_of(range, &bits), value);
                }
                for choice in 0..1u32 << count {
                    let bits: Vec<bool> = (0..count).map(|i| choice >> i & 1 == 1).collect();
                    assert!((min..=min + width).contains(&value_of(range, &bits)));
                }
            }
        }
    }

    #[test]
    fn as_few_bits_as_there_can_be() {
        assert_eq!(weights((0, 1)), [1]);
        assert_eq!(weights((0, 5)), [1, 2, 2]);
        assert_eq!(weights((-3, 4)), [1, 2, 4]);
        assert_eq!(weights((7, 7)), [0]);
        assert_eq!(weights((0, 1023)).len(), 10);
    }
}
