//! Why a simulation cannot be made.

use blindtier_policy::{DecideError, RegisterError};

/// What is wrong, where, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// A register cannot be read.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// A policy cannot decide.
    #[error(transparent)]
    Decide(#[from] DecideError),
    /// A Parquet file cannot be read.
    #[error("{file}: {reason}; write it anew, or give CSV")]
    Parquet {
        /// File.
        file: String,
        /// What the reader says.
        reason: String,
    },
    /// The data have no families.
    #[error("{file}: no families; every register is empty")]
    NoFamilies {
        /// File or folder.
        file: String,
    },
    /// The file of families has no column that names them.
    #[error("{file}: no column `family` or `id`; name the families as the registers do")]
    NoFamilyColumn {
        /// File.
        file: String,
    },
    /// A column that was asked for is not there.
    #[error("{file}: no column `{column}`; it has {known}")]
    NoColumn {
        /// File.
        file: String,
        /// Column asked for.
        column: String,
        /// Columns of the file.
        known: String,
    },
    /// A group column or a need was asked for, but there is no file of families.
    #[error(
        "{file} is missing: `{column}` is a column of the file of families; add the file, or name it with --families"
    )]
    NoFamiliesFile {
        /// File looked for.
        file: String,
        /// The first column asked for.
        column: String,
    },
    /// A column has too many different values to group by.
    #[error(
        "{file}: column `{column}` has more than {limit} different values; group by another one"
    )]
    TooManyGroups {
        /// File.
        file: String,
        /// Column.
        column: String,
        /// The most groups of a column.
        limit: usize,
    },
    /// A cell of the ground truth says neither yes nor no.
    #[error(
        "{file}, line {line}, column `{column}`: \"{text}\" is neither yes (1, true, yes, y) nor no (0, false, no, n); correct it, or leave the cell empty"
    )]
    Need {
        /// File.
        file: String,
        /// Line, counted from 1.
        line: u64,
        /// Column.
        column: String,
        /// The text.
        text: String,
    },
    /// A tier that the policy does not have.
    #[error("policy `{policy}` has no tier `{tier}`; it has {known}")]
    NoTier {
        /// Policy.
        policy: String,
        /// Tier asked for.
        tier: String,
        /// Tiers of the policy.
        known: String,
    },
    /// An agency that the policy does not have.
    #[error("policy `{policy}` has no agency `{agency}`; it has {known}")]
    NoAgency {
        /// Policy.
        policy: String,
        /// Agency asked for.
        agency: String,
        /// Agencies of the policy.
        known: String,
    },
    /// The share of families that say no is none.
    #[error("{rate} is no share of families; give a number from 0 to 1")]
    NoShare {
        /// The number.
        rate: f64,
    },
    /// The threads cannot be started.
    #[error("the threads cannot be started: {0}; ask for fewer")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}
