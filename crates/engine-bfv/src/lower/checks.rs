//! Checks of what was submitted: that every value is one that some family can have.
//!
//! For a column with the allowed values D, Z(x) = Π_{d∈D} (x − d) is 0 exactly on D, because the plaintext modulus t is a
//! prime. The evaluator adds ρ·Z(x) to the result, with an independent factor ρ for each column and slot, uniform on the
//! t − 1 residues that are not 0, which nobody knew when x was encrypted. So an allowed value changes nothing, and any other
//! moves the slot's number by a uniform residue that is not 0: it then says one given other number with probability
//! 1/(t − 1), some other tier with at most (tiers − 1)/(t − 1), and most often none. With several wrong values in a slot
//! their contributions also cancel with probability at most 1/(t − 1).
//!
//! Z is split into two factors of half its degree, Z = l·r, so that a check is one product of the last sum; a column with
//! two allowed values needs no more. Indicators of one argument's classes, of which at most one is 1, are also checked
//! together: their sum is 0 or 1.
//!
//! What this does not do:
//!
//! - *Malformed ciphertexts*: noise that is larger than that of an encryption is not seen.
//! - *Combinations*: several columns of one agency can each hold an allowed value that never come together. In a subtotal
//!   every term may have any of its values; of a term with more than 64, anything between its ends.
//! - *Secrecy against a wrong value*: ρ is public. A family that knows which wrong value an agency sent, because they work
//!   together, can take ρ·Z(x) off its own number, and has what the program says at that value: more than a tier.
//! - *Gates*: see [`Gates`](crate::gates::Gates), which need no check.

use super::polynomial::Powers;
use super::reach::Reach;
use super::{MOST_VALUES, expression, unsupported};
use crate::parameters::PLAINTEXT;
use crate::program::{Linear, Program, Value, balanced};
use blindtier_engine::EngineError;
use blindtier_policy::circuit::graph::Graph;
use blindtier_policy::circuit::{Inputs, Source};

/// Adds the checks of all columns, and of `groups` of columns of which at most one may be 1.
pub fn add(
    program: &mut Program,
    inputs: &Inputs,
    groups: &[Vec<usize>],
) -> Result<(), EngineError> {
    let of = |column: &usize| Linear::of(Value::Input(*column));
    for (position, column) in inputs.columns.iter().enumerate() {
        if let Some(values) = allowed(&inputs.graph, &column.source) {
            vanish(program, of(&position), &values)?;
        }
    }
    for group in groups {
        let mut sum = Linear::default();
        group.iter().for_each(|column| sum.add(&of(column), 1));
        vanish(program, sum, &[0, 1])?;
    }
    Ok(())
}

/// The values that a column can take, ascending; `None` for a gate.
fn allowed(graph: &Graph, source: &Source) -> Option<Vec<i64>> {
    match source {
        Source::Table { outputs, .. } => {
            let mut values = outputs.clone();
            values.sort_unstable();
            values.dedup();
            Some(values)
        }
        Source::Sum { terms, constant } => {
            let mut reach = Reach::at(*constant);
            for (node, weight) in terms {
                let domain = graph.domain(*node);
                reach.add(domain.iter().map(|value| value.saturating_mul(*weight)));
            }
            Some(reach.values())
        }
        Source::Known { .. } | Source::Group { .. } => Some(vec![0, 1]),
        Source::Unknown { .. } | Source::OptOut { .. } => None,
    }
}

/// Adds the check that a form has one of these values.
fn vanish(program: &mut Program, form: Linear, values: &[i64]) -> Result<(), EngineError> {
    if values.len() > MOST_VALUES {
        return Err(unsupported(format!(
            "a column has {} different values, and checking more than {MOST_VALUES} is too much; use fewer distinct amounts, or plan it without checks",
            values.len()
        )));
    }
    let (left, right) = values.split_at(values.len().div_ceil(2));
    // A single value is checked by a square.
    let right = if right.is_empty() { left } else { right };
    let factors = [vanishing(left), vanishing(right)];
    let mut factors = Powers::new(form).evaluate_all(program, &factors).into_iter();
    let mut factor = || expression::settle(program, factors.next().unwrap_or_default());
    let check = (factor(), factor());
    program.checks.push(check);
    Ok(())
}

/// Coefficients of Π (x − value), lowest first.
fn vanishing(values: &[i64]) -> Vec<i64> {
    let modulus = PLAINTEXT.cast_signed();
    let mut coefficients = vec![1i64];
    for value in values {
        let minus = (-value).rem_euclid(modulus);
        let mut carry = 0;
        for coefficient in &mut coefficients {
            let shifted = *coefficient;
            *coefficient = (carry + shifted * minus) % modulus;
            carry = shifted;
        }
        coefficients.push(carry);
    }
    coefficients.into_iter().map(balanced).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Value;

    #[test]
    fn checks_are_zero_on_the_allowed_values_and_nowhere_else() {
        let interval: Vec<i64> = (0..100).collect();
        for values in [&[7][..], &[0, 1], &[-3, 5], &[-1, 0, 1], &[0, 10, 11, 300], &interval] {
            let mut program = Program::default();
            vanish(&mut program, Linear::of(Value::Input(0)), values).unwrap();
            for x in (-500..500).chain([32_768, -32_768]) {
                let number = program.simulate(&[x], &[1]);
                assert_eq!(number == 0, values.contains(&x), "{values:?} at {x}");
                assert_eq!(program.simulate(&[x], &[0]), 0);
            }
            assert_eq!(program.nodes.is_empty(), values.len() < 3);
        }
        let mut program = Program::default();
        assert!(vanish(&mut program, Linear::default(), &[0; MOST_VALUES + 1]).is_err());
    }
}
