//! Indicators tied to the columns of one file.

use super::Facts;
use super::error::{CellProblem, Place, RegisterError};
use super::number::Total;
use crate::{Aggregate, Decimal, Domain, Indicator, LevelRule, Policy};

/// The indicators of a policy, all or those of one agency, tied to the columns of one file.
#[derive(Clone, Debug)]
pub struct Binding<'p> {
    policy: &'p Policy,
    file: String,
    bound: Vec<Bound<'p>>,
}

#[derive(Clone, Debug)]
struct Bound<'p> {
    position: usize,
    indicator: &'p Indicator,
    columns: Vec<usize>,
}

/// What the rows of one family have said so far.
#[derive(Clone, Debug)]
pub struct Accumulator {
    /// Line of the first row; 0 before any.
    line: u64,
    states: Box<[State]>,
}

impl Accumulator {
    /// Forgets all rows, so that the next family needs no accumulator of its own.
    pub fn clear(&mut self) {
        self.line = 0;
        self.states.fill(State::Silent);
    }
}

/// What the rows have said about one indicator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// No row had a value.
    Silent,
    /// Sum, smallest, largest or first number.
    Number(Total),
    /// Lowest, highest or first level.
    Level(usize),
    /// Rows with a value, and how many of them match.
    Votes { seen: u32, matching: u32 },
}

impl<'p> Binding<'p> {
    /// Ties the indicators of one agency, or of all, to a header. `file` only appears in messages.
    ///
    /// # Errors
    /// A column that an indicator reads is missing, or stands twice.
    pub fn new<S: AsRef<str>>(
        policy: &'p Policy,
        agency: Option<usize>,
        file: &str,
        header: &[S],
    ) -> Result<Self, RegisterError> {
        let mut bound = Vec::new();
        for (position, indicator) in policy.indicators.iter().enumerate() {
            if agency.is_some_and(|agency| agency != indicator.agency) {
                continue;
            }
            let mut columns = Vec::with_capacity(indicator.columns.len());
            for column in &indicator.columns {
                match find_column(file, header, column)? {
                    Some(found) => columns.push(found),
                    None => {
                        return Err(RegisterError::MissingColumn {
                            file: file.to_owned(),
                            agency: agency_id(policy, indicator),
                            indicator: indicator.id.clone(),
                            column: column.clone(),
                        });
                    }
                }
            }
            bound.push(Bound { position, indicator, columns });
        }
        Ok(Self { policy, file: file.to_owned(), bound })
    }

    /// Positions of the bound indicators in the policy, ascending; the order of [`Binding::finish`].
    pub fn indicators(&self) -> impl Iterator<Item = usize> + '_ {
        self.bound.iter().map(|bound| bound.position)
    }

    /// Positions in the header of the columns that the bound indicators read, ascending, each once.
    pub fn columns(&self) -> Vec<usize> {
        let mut columns: Vec<usize> =
            self.bound.iter().flat_map(|bound| &bound.columns).copied().collect();
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// An accumulator for one family.
    pub fn accumulator(&self) -> Accumulator {
        Accumulator { line: 0, states: vec![State::Silent; self.bound.len()].into() }
    }

    /// Takes in one row. `cell` gives the text of a column by position; an empty or absent cell says nothing.
    ///
    /// # Errors
    /// A cell fits no value of its indicator. The accumulator is then of no further use.
    pub fn add<'r>(
        &self,
        accumulator: &mut Accumulator,
        line: u64,
        cell: impl Fn(usize) -> Option<&'r str>,
    ) -> Result<(), RegisterError> {
        if accumulator.line == 0 {
            accumulator.line = line;
        }
        for (bound, state) in self.bound.iter().zip(&mut accumulator.states) {
            let mut row = State::Silent;
            for &column in &bound.columns {
                let text = cell(column).unwrap_or_default().trim();
                if text.is_empty() {
                    continue;
                }
                row = read(bound.indicator, text)
                    .and_then(|value| add_columns(row, value))
                    .map_err(|problem| self.wrong(bound, line, text.to_owned(), problem))?;
            }
            *state = fold(bound.indicator.aggregate, *state, row).map_err(|problem| {
                self.wrong(bound, line, "the family's rows".to_owned(), problem)
            })?;
        }
        Ok(())
    }

    /// The values of the bound indicators, in their order: a level's position, or the integer. Where no row had a
    /// value, and where a fact to divide by is zero, it is the missing value.
    ///
    /// # Errors
    /// A total fits no band, or is out of range.
    pub fn finish(
        &self,
        accumulator: &Accumulator,
        facts: Facts,
    ) -> Result<Vec<i64>, RegisterError> {
        let mut values = Vec::with_capacity(self.bound.len());
        for (bound, state) in self.bound.iter().zip(&accumulator.states) {
            let value = value(bound.indicator, *state, facts).map_err(|(problem, total)| {
                self.wrong(
                    bound,
                    accumulator.line,
                    total.map_or_else(String::new, Total::text),
                    problem,
                )
            })?;
            values.push(value);
        }
        Ok(values)
    }

    fn wrong(
        &self,
        bound: &Bound<'_>,
        line: u64,
        text: String,
        problem: CellProblem,
    ) -> RegisterError {
        let place = Place {
            file: self.file.clone(),
            line,
            agency: agency_id(self.policy, bound.indicator),
            indicator: bound.indicator.id.clone(),
            column: bound.indicator.columns.join("+"),
        };
        RegisterError::Cell { place: Box::new(place), text, problem }
    }
}

/// Position of a column; an error if the header has it twice.
pub(super) fn find_column<S: AsRef<str>>(
    file: &str,
    header: &[S],
    column: &str,
) -> Result<Option<usize>, RegisterError> {
    let mut found = header
        .iter()
        .enumerate()
        .filter(|(_, name)| name.as_ref().trim() == column)
        .map(|(i, _)| i);
    let first = found.next();
    if found.next().is_some() {
        return Err(RegisterError::RepeatedColumn {
            file: file.to_owned(),
            column: column.to_owned(),
        });
    }
    Ok(first)
}

/// Whether a text is one of the usual words for yes or no.
pub(super) fn yes_or_no(text: &str) -> Option<bool> {
    let is = |words: [&str; 4]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(["1", "true", "yes", "y"]) {
        Some(true)
    } else if is(["0", "false", "no", "n"]) {
        Some(false)
    } else {
        None
    }
}

fn agency_id(policy: &Policy, indicator: &Indicator) -> String {
    policy.agencies.get(indicator.agency).map(|agency| agency.id.clone()).unwrap_or_default()
}

/// What one cell says, before any aggregation.
fn read(indicator: &Indicator, text: &str) -> Result<State, CellProblem> {
    if matches!(indicator.aggregate, Aggregate::Any | Aggregate::All | Aggregate::Count) {
        let matching = match indicator.matches.as_slice() {
            [] => yes_or_no(text).ok_or(CellProblem::NotYesOrNo)?,
            named => named.iter().any(|name| name == text),
        };
        return Ok(State::Votes { seen: 1, matching: u32::from(matching) });
    }
    if let Domain::Levels { rule: LevelRule::Categories(categories), .. } = &indicator.domain {
        let level = categories.iter().position(|texts| texts.iter().any(|known| known == text));
        let known = || categories.iter().flatten().take(20).cloned().collect::<Vec<_>>().join(", ");
        return level.map(State::Level).ok_or_else(|| CellProblem::NoCategory { known: known() });
    }
    let number = Decimal::parse(text).map_err(CellProblem::Number)?;
    Total::of(number).map(State::Number).ok_or(CellProblem::TooLarge)
}

/// Numbers of several columns of one row are added. The parser lets nothing else have several columns.
fn add_columns(row: State, cell: State) -> Result<State, CellProblem> {
    match (row, cell) {
        (State::Number(a), State::Number(b)) => {
            a.checked_add(b).map(State::Number).ok_or(CellProblem::TooLarge)
        }
        (_, cell) => Ok(cell),
    }
}

fn fold(aggregate: Aggregate, before: State, row: State) -> Result<State, CellProblem> {
    Ok(match (before, row) {
        (before, State::Silent) => before,
        (State::Silent, row) => row,
        (State::Votes { seen, matching }, State::Votes { seen: one, matching: more }) => {
            State::Votes {
                seen: seen.saturating_add(one),
                matching: matching.checked_add(more).ok_or(CellProblem::TooLarge)?,
            }
        }
        (State::Number(a), State::Number(b)) => match aggregate {
            Aggregate::Sum => State::Number(a.checked_add(b).ok_or(CellProblem::TooLarge)?),
            Aggregate::Min => State::Number(a.min(b)),
            Aggregate::Max => State::Number(a.max(b)),
            _ => State::Number(a),
        },
        (State::Level(a), State::Level(b)) => match aggregate {
            Aggregate::Min => State::Level(a.min(b)),
            Aggregate::Max => State::Level(a.max(b)),
            _ => State::Level(a),
        },
        (before, _) => before,
    })
}

fn value(
    indicator: &Indicator,
    state: State,
    facts: Facts,
) -> Result<i64, (CellProblem, Option<Total>)> {
    let total = match state {
        State::Silent => return Ok(indicator.missing()),
        State::Level(level) => return Ok(i64::try_from(level).unwrap_or(i64::MAX)),
        State::Number(total) => total,
        State::Votes { seen, matching } => Total::whole(match indicator.aggregate {
            Aggregate::Any => u32::from(matching > 0),
            Aggregate::All => u32::from(matching == seen),
            _ => matching,
        }),
    };
    let divisor = match indicator.per.map(|fact| facts.get(fact)) {
        Some(0) => return Ok(indicator.missing()),
        Some(number) => number,
        None => 1,
    };
    match &indicator.domain {
        Domain::Levels { rule: LevelRule::Bands(bands), .. } => bands
            .iter()
            .find(|band| total.in_band(divisor, band))
            .map(|band| i64::try_from(band.level).unwrap_or(i64::MAX))
            .ok_or((CellProblem::NoBand, Some(total))),
        Domain::Levels { .. } => Ok(indicator.missing()),
        Domain::Integer { min, max, .. } => {
            let integer = total.as_integer().ok_or((CellProblem::NotWhole, Some(total)))?;
            if integer < *min || integer > *max {
                return Err((CellProblem::OutOfRange { min: *min, max: *max }, Some(total)));
            }
            Ok(integer)
        }
    }
}
