//! A program by itself, under parameters of the caller's choice: for measurements and comparisons.

use crate::encrypt::Encryptor;
use crate::kernel::{Ciphertext, Kernel};
use crate::keys::generate;
use crate::lower::expression::{Expression, settle};
use crate::lower::polynomial::{Powers, interpolate};
use crate::open::BfvOpen;
use crate::parameters::Parameters;
use crate::plan::basis;
use crate::program::{Linear, Program};
use blindtier_engine::EngineError;

/// A program with keys of its own. Nothing checks that the parameters are secure or leave room for the noise.
pub struct Trial {
    program: Program,
    encryptor: Encryptor,
    kernel: Kernel,
    open: BfvOpen,
}

/// Encrypted columns or an encrypted result.
#[derive(Clone)]
pub struct Encrypted(Vec<Ciphertext>);

impl Trial {
    /// Makes keys and prepares everything that is done once.
    pub fn new(program: &Program, parameters: &Parameters) -> Result<Self, EngineError> {
        let keys = generate(parameters, [0; 32])?;
        let basis = basis(parameters.degree, &parameters.moduli().0)?;
        Ok(Self {
            program: program.clone(),
            encryptor: Encryptor::new(parameters, &keys.public)?,
            kernel: Kernel::new(parameters, &keys.evaluation)?,
            open: BfvOpen::over(basis, parameters.shares, &keys.secret)?,
        })
    }

    /// Encrypts clear columns; slots beyond their values hold 0.
    pub fn encrypt(&self, columns: &[Vec<i64>]) -> Result<Encrypted, EngineError> {
        let encrypted = columns.iter().map(|column| self.encryptor.column(column, 0));
        Ok(Encrypted(encrypted.collect::<Result<_, _>>()?))
    }

    /// Runs the program, which has no checks, on one thread.
    pub fn evaluate(&self, columns: Encrypted) -> Encrypted {
        let no_factor = |_| Vec::new();
        Encrypted(vec![self.kernel.run(&self.program, columns.0, &no_factor).0])
    }

    /// All slots of a result, each in 0..t.
    pub fn open(&self, result: &Encrypted) -> Vec<u64> {
        match result.0.as_slice() {
            [[c0, c1]] => self.open.slots(c0, c1).to_vec(),
            _ => Vec::new(),
        }
    }
}

/// Adds a function of one number, as the polynomial that has `values[x]` at x.
pub fn polynomial(program: &mut Program, number: Linear, values: &[i64]) -> Linear {
    let points: Vec<(i64, i64)> = (0..).zip(values.iter().copied()).collect();
    let whole = Powers::new(number).evaluate_all(program, &[interpolate(&points)]);
    settle(program, whole.into_iter().next().unwrap_or_default())
}

/// Adds a table over several numbers x in 0..domain, as the polynomial in all of them; `values` are in the order of the
/// combinations, the last number fastest. One number after the other is interpolated.
pub fn table(
    program: &mut Program,
    numbers: &[Linear],
    domains: &[usize],
    values: &[i64],
) -> Linear {
    let mut powers: Vec<Powers> = numbers.iter().cloned().map(Powers::new).collect();
    let whole = interpolated(program, &mut powers, domains, &[values.to_vec()]);
    let whole = whole.into_iter().next().unwrap_or_default();
    settle(program, whole)
}

/// The polynomials of several tables over the same numbers.
fn interpolated(
    program: &mut Program,
    numbers: &mut [Powers],
    domains: &[usize],
    tables: &[Vec<i64>],
) -> Vec<Expression> {
    let (Some((first, others)), Some((domain, rest))) =
        (numbers.split_first_mut(), domains.split_first())
    else {
        let constant = |t: &Vec<i64>| Linear::constant(t.first().copied().unwrap_or_default());
        return tables.iter().map(|t| Expression::of(constant(t))).collect();
    };
    // Along the first number: one table of coefficients for each of its powers.
    let width: usize = rest.iter().product();
    let mut coefficients: Vec<Vec<i64>> = Vec::new();
    for table in tables {
        let mut by_power = vec![vec![0; width]; *domain];
        for column in 0..width {
            let line = table.iter().skip(column).step_by(width.max(1)).copied();
            let points: Vec<(i64, i64)> = (0..).zip(line).collect();
            for (to, coefficient) in by_power.iter_mut().zip(interpolate(&points)) {
                if let Some(cell) = to.get_mut(column) {
                    *cell = coefficient;
                }
            }
        }
        coefficients.extend(by_power);
    }
    let mut inner = interpolated(program, others, rest, &coefficients).into_iter();
    tables
        .iter()
        .map(|_| {
            let mut whole = Expression::default();
            for (power, factor) in inner.by_ref().take(*domain).enumerate() {
                if power == 0 {
                    whole.add(factor);
                } else if factor != Expression::default() {
                    let factor = settle(program, factor);
                    let power = first.power(program, power);
                    whole.add_product(factor, power);
                }
            }
            whole
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Value;

    #[test]
    fn tables_take_their_values() {
        let domains = [3, 4, 2];
        let values: Vec<i64> = (0..24).map(|i| (i * i + 3) % 7).collect();
        let mut program = Program::default();
        let numbers = [0, 1, 2].map(|i| Linear::of(Value::Input(i)));
        program.output = table(&mut program, &numbers, &domains, &values).into();
        let combinations =
            (0..3).flat_map(|x| (0..4).flat_map(move |y| (0..2).map(move |z| [x, y, z])));
        for (point, value) in combinations.zip(&values) {
            assert_eq!(program.simulate(&point, &[]), *value, "{point:?}");
        }
        let mut one = Program::default();
        one.output = polynomial(&mut one, Linear::of(Value::Input(0)), &[4, 0, 1, 1]).into();
        assert_eq!((0..4).map(|x| one.simulate(&[x], &[])).collect::<Vec<_>>(), [4, 0, 1, 1]);
    }

    #[test]
    fn a_program_runs_by_itself() {
        let mut program = Program::default();
        program.output =
            polynomial(&mut program, Linear::of(Value::Input(0)), &[4, 0, 1, 1]).into();
        let parameters = Parameters::fixed(&program, 8192, 180, 4, 1);
        let trial = Trial::new(&program, &parameters).unwrap();
        let result = trial.evaluate(trial.encrypt(&[vec![0, 1, 2, 3]]).unwrap());
        let slots = trial.open(&result);
        assert_eq!((slots[..5].to_vec(), slots.len()), (vec![4, 0, 1, 1, 4], 8192));
    }
}
