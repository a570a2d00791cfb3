//! What can go wrong, where, and what to do about it.

use blindtier_policy::{DecideError, RegisterError};
use std::path::{Path, PathBuf};

/// Why registers could not be made or split.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// A file or folder could not be read or written.
    #[error("{}: {source}; check that the folder exists, is writable and has space", path.display())]
    Io {
        /// File or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file is not CSV in UTF-8, or a row has too many or too few cells.
    #[error("{}: {source}; save it as CSV in UTF-8 with as many cells in every row as in the header", path.display())]
    Csv {
        /// File.
        path: PathBuf,
        /// What the CSV reader says.
        source: csv::Error,
    },
    /// The data does not fit the policy.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// The policy cannot decide.
    #[error(transparent)]
    Decide(#[from] DecideError),
    /// An indicator reads a column that these files need for something else.
    #[error(
        "agency `{agency}` reads a column `{column}`, which says there whom a row is about; name another column in the policy"
    )]
    ReservedColumn {
        /// The agency.
        agency: String,
        /// The column.
        column: String,
    },
    /// The data has no family.
    #[error("{}: no family to distribute; add rows, or sample more than none", path.display())]
    NoFamily {
        /// File or folder.
        path: PathBuf,
    },
    /// Two rows about one family where a row is a family.
    #[error("{}, line {line}: family \"{family}\" has a row already; keep one", path.display())]
    RepeatedFamily {
        /// File.
        path: PathBuf,
        /// Line of the second row, counted from 1.
        line: u64,
        /// Identifier in the file.
        family: String,
    },
    /// Two persons of the population would bear one identifier.
    #[error(
        "{}: two persons would be called \"{person}\" in the population; rename one of them, or a family whose rows are numbered after it",
        path.display()
    )]
    RepeatedPerson {
        /// File or folder.
        path: PathBuf,
        /// Identifier.
        person: String,
    },
    /// A family larger than a population file can hold.
    #[error("{}: family \"{family}\" is said to have {persons} persons; at most {max} are possible, correct the number", path.display())]
    TooManyPersons {
        /// File or folder.
        path: PathBuf,
        /// Family.
        family: String,
        /// Persons stated.
        persons: u32,
        /// The most possible.
        max: u32,
    },
    /// No population gives the numbers of persons and adults by which the data was read.
    #[error(
        "{}: family \"{family}\": in a round, indicator `{indicator}` would be {round} instead of {read}, because no list of persons has the \
         numbers of persons and adults given here; state at least one person, no fewer than have rows, and no more adults than persons",
        path.display()
    )]
    Facts {
        /// File or folder.
        path: PathBuf,
        /// Family.
        family: String,
        /// Indicator that comes out differently.
        indicator: String,
        /// Its value as the data says.
        read: i64,
        /// Its value in a round.
        round: i64,
    },
    /// A population outside the sizes that identifiers and memory are made for.
    #[error(
        "{found} families asked for; a population has from {min} to {max}, choose a number between"
    )]
    Families {
        /// Families asked for.
        found: u64,
        /// The fewest.
        min: u64,
        /// The most.
        max: u64,
    },
    /// A share that is none.
    #[error("the rate of {what} is {found}; give a number from 0 to 1")]
    Rate {
        /// Kind of fault.
        what: &'static str,
        /// Rate asked for.
        found: f64,
    },
    /// No constants of the model meet a target.
    #[error(
        "no population reaches {target:.4} for \"{figure}\" together with the other targets; the nearest has {reached:.4}"
    )]
    Unreachable {
        /// The figure.
        figure: &'static str,
        /// Its target.
        target: f64,
        /// What comes closest.
        reached: f64,
    },
    /// The folder holds a file that would be taken for part of the population.
    #[error("{}: a register in another format is there already; remove it, or write to another folder", path.display())]
    OtherFormat {
        /// The file.
        path: PathBuf,
    },
    /// A Parquet file cannot be written.
    #[error("{}: {source}; check that the folder is writable and has space", path.display())]
    Parquet {
        /// File.
        path: PathBuf,
        /// What the Parquet writer says.
        source: parquet::errors::ParquetError,
    },
    /// Not one letter key a family.
    #[error(
        "{found} letter keys for {expected} families; give one for each, in the order of `families`"
    )]
    LetterKeys {
        /// Keys given.
        found: usize,
        /// Families distributed.
        expected: usize,
    },
}

impl SimError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> SimError {
        let path = path.to_owned();
        |source| SimError::Io { path, source }
    }

    pub(crate) fn parquet(path: &Path) -> impl FnOnce(parquet::errors::ParquetError) -> SimError {
        let path = path.to_owned();
        |source| SimError::Parquet { path, source }
    }

    pub(crate) fn csv(path: &Path) -> impl FnOnce(csv::Error) -> SimError {
        let path = path.to_owned();
        |source| SimError::Csv { path, source }
    }
}
