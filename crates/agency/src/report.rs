//! What an agency's own staff is told about a register: how well it fits the roster, and what needs attention.
//!
//! | what | outcome |
//! |---|---|
//! | a person of the register that no family has | [`Outcome::NoFamily`]: the row is not looked at |
//! | a person with two rows, who has a family | [`Outcome::Repeated`]: refused, see [`crate::Register::check`] |
//! | a person with two rows, who has no family | twice [`Outcome::NoFamily`] |
//! | a person of a family about whom there is no row | the family's other rows count |
//! | a family about whose persons there is no row | the policy's missing values; counted only, because nobody can be named |
//! | a family without a value that the policy needs | [`Outcome::Undecided`]: the family gets no tier, but that answer |
//! | a family whose persons' rows are of two regions | nothing particular: families are known by the roster alone, and the rows of all its persons are aggregated, wherever they stand in the register. An indicator that reads the region treats it as its `aggregate` says |
//! | a row without a person | refused |
//! | a person who came into the register after the request | refused, see [`crate::AgencyError::NotAsked`] |
//!
//! A person in two families, or twice in one, does not get this far: the registrar's population is refused with both lines.

use crate::AgencyError;
use blindtier_wire::storage;
use std::fmt;
use std::path::Path;
use zeroize::{Zeroize, Zeroizing};

/// How well register and roster fit (private). Never said outside the agency, nor printed where logs are kept: it tells how
/// many families the register knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkageReport {
    /// Rows of the register.
    pub rows: usize,
    /// Rows about a person of a family.
    pub persons_matched: usize,
    /// Rows about a person that no family has; they are not looked at.
    pub persons_unmatched: usize,
    /// Further rows about a person of a family who has a row already.
    pub persons_repeated: usize,
    /// Families with at least one row.
    pub families_known: usize,
    /// Families without a row; they get the policy's missing values.
    pub families_unknown: usize,
    /// Families, known or not, without a value that the policy needs.
    pub families_undecided: usize,
}

/// What needs attention about a row or a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// No family of the round has this person; the row was not looked at.
    NoFamily,
    /// The person has a row already; the register is refused.
    Repeated,
    /// A value that the policy needs is missing for the family of this row, its first.
    Undecided,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoFamily => "no_family",
            Self::Repeated => "repeated",
            Self::Undecided => "undecided",
        })
    }
}

/// One thing that needs attention (private). Wiped when dropped.
#[derive(Debug, PartialEq, Eq)]
pub struct Case {
    /// What it is.
    pub outcome: Outcome,
    /// Line of the register, counted from 1.
    pub line: u64,
    /// Whom the row is about; empty where a family is meant.
    pub person: String,
    /// The indicator without a value; empty where a person is meant.
    pub indicator: String,
}

impl Drop for Case {
    fn drop(&mut self) {
        self.person.zeroize();
    }
}

/// Writes a report (private; mode 0600): CSV with the columns `outcome`, `count`, `line`, `person` and `indicator`. First come
/// the counts, then one line a case.
pub(crate) fn write(
    file: &Path,
    report: &LinkageReport,
    cases: &[Case],
) -> Result<(), AgencyError> {
    let counts = [
        ("rows", report.rows),
        ("persons_matched", report.persons_matched),
        ("persons_unmatched", report.persons_unmatched),
        ("persons_repeated", report.persons_repeated),
        ("families_known", report.families_known),
        ("families_unknown", report.families_unknown),
        ("families_undecided", report.families_undecided),
    ];
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut lines = || {
        writer.write_record(["outcome", "count", "line", "person", "indicator"])?;
        for (what, count) in counts {
            writer.write_record([what, &count.to_string(), "", "", ""])?;
        }
        for case in cases {
            let (outcome, line) = (case.outcome.to_string(), case.line.to_string());
            writer.write_record([&outcome, "1", &line, &case.person, &case.indicator])?;
        }
        writer.flush().map_err(csv::Error::from)
    };
    let unwritable = |e: csv::Error| AgencyError::Report { file: file.to_owned(), source: e };
    lines().map_err(unwritable)?;
    let bytes = writer.into_inner().map_err(|e| unwritable(e.into_error().into()))?;
    Ok(storage::write_secret(file, &Zeroizing::new(bytes))?)
}
