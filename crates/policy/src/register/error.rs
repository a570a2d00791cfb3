//! What is wrong with a register file, where, and what to do about it.

use crate::{DecimalError, Fact};
use std::fmt;

/// A cell of a register, or the rows of a family that start at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// File as the caller named it.
    pub file: String,
    /// Line, counted from 1; the first row of the family where a total is meant.
    pub line: u64,
    /// Agency that holds the indicator.
    pub agency: String,
    /// Indicator.
    pub indicator: String,
    /// Column, or several joined by `+`.
    pub column: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { file, line, agency, indicator, column } = self;
        write!(
            f,
            "{file}, line {line}, column `{column}` (indicator `{indicator}` of agency `{agency}`)"
        )
    }
}

/// Why a text cannot be a value of the indicator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CellProblem {
    /// Not a plain decimal number.
    #[error("{0}; write digits with at most one point, or leave the cell empty")]
    Number(DecimalError),
    /// A total beyond what exact arithmetic holds.
    #[error("the total is too large; check the unit of the column")]
    TooLarge,
    /// No band of the indicator holds the number.
    #[error("no band holds this number; correct it, or widen the first or last band in the policy")]
    NoBand,
    /// No category of the indicator names the text.
    #[error(
        "no category names this text; the policy knows {known}; correct it, or add it to `categories`"
    )]
    NoCategory {
        /// The texts that the policy names.
        known: String,
    },
    /// Neither yes nor no.
    #[error(
        "neither yes (1, true, yes, y) nor no (0, false, no, n); correct it, or name the texts in `matches`"
    )]
    NotYesOrNo,
    /// A fraction where an integer is declared.
    #[error("not a whole number; round it in the register, or declare bands")]
    NotWhole,
    /// An integer out of the declared range.
    #[error(
        "out of the declared range {min} to {max}; correct it, or widen the range in the policy"
    )]
    OutOfRange {
        /// Smallest value.
        min: i64,
        /// Largest value.
        max: i64,
    },
}

/// Why a register cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// The file cannot be opened, or is not CSV in UTF-8.
    #[error("{file}: {reason}")]
    Unreadable {
        /// File or folder.
        file: String,
        /// What the system or the CSV reader says.
        reason: String,
    },
    /// A folder lacks the file of an agency.
    #[error(
        "{file} is missing: the policy has indicators of agency `{agency}`; add the file, if only with its header"
    )]
    MissingFile {
        /// File expected.
        file: String,
        /// Agency whose file it is.
        agency: String,
    },
    /// The header lacks a column.
    #[error(
        "{file}: no column `{column}`, which indicator `{indicator}` of agency `{agency}` reads; add it to the header, or name \
         the right one with `column` in the policy"
    )]
    MissingColumn {
        /// File.
        file: String,
        /// Agency that holds the indicator.
        agency: String,
        /// Indicator that reads the column.
        indicator: String,
        /// Column looked for.
        column: String,
    },
    /// The header names a column twice.
    #[error("{file}: the header names `{column}` twice; rename one of the two")]
    RepeatedColumn {
        /// File.
        file: String,
        /// The column.
        column: String,
    },
    /// A cell, or the total of a family's cells, fits no value of the indicator.
    #[error("{place}: \"{text}\": {problem}")]
    Cell {
        /// Where.
        place: Box<Place>,
        /// The text or the total.
        text: String,
        /// Why.
        problem: CellProblem,
    },
    /// A cell of `persons`, `adults` or `adult` makes no sense.
    #[error("{file}, line {line}, column `{column}`: \"{text}\" is not {right}")]
    Roster {
        /// File.
        file: String,
        /// Line, counted from 1.
        line: u64,
        /// Column.
        column: &'static str,
        /// The text.
        text: String,
        /// What would be right.
        right: &'static str,
    },
    /// An empty cell of `id`, `family` or `person`.
    #[error(
        "{file}, line {line}: the cell of `{column}` is empty; every row says whom it is about"
    )]
    Nameless {
        /// File.
        file: String,
        /// Line, counted from 1.
        line: u64,
        /// Column.
        column: &'static str,
    },
    /// Two rows about the same person, or the same family where a row is a family.
    #[error("{file}, line {line}: {what} \"{id}\" has a row already; keep one")]
    Repeated {
        /// File.
        file: String,
        /// Line of the second row, counted from 1.
        line: u64,
        /// `person` or `family`.
        what: &'static str,
        /// Identifier in the file.
        id: String,
    },
    /// An indicator is per person or adult, but nothing says how many there are.
    #[error(
        "{file}: indicator `{indicator}` is per {fact}; add a column `{fact}`, or write one row a person"
    )]
    MissingFact {
        /// File or folder.
        file: String,
        /// The indicator.
        indicator: String,
        /// `persons` or `adults`.
        fact: &'static str,
    },
    /// Two files state different numbers of persons or adults of one family.
    #[error(
        "{file}, line {line}: family \"{family}\" has {found} {fact} here but {expected} in another file; make them agree"
    )]
    Disagreement {
        /// File.
        file: String,
        /// Line, counted from 1.
        line: u64,
        /// Family.
        family: String,
        /// `persons` or `adults`.
        fact: &'static str,
        /// Stated elsewhere.
        expected: u32,
        /// Stated here.
        found: u32,
    },
}

/// Name of the column that carries a fact.
pub(super) fn fact_name(fact: Fact) -> &'static str {
    match fact {
        Fact::Persons => "persons",
        Fact::Adults => "adults",
    }
}
