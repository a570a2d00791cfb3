//! Why no round could be made.

use blindtier_wire::{Fault, PartyName, WireError};
use std::path::PathBuf;

/// Why no round could be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistrarError {
    /// A file could not be written.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The round is not valid as a message.
    #[error("{}: cannot name this round: {fault}", file.display())]
    Round {
        /// The round file that was to be written.
        file: PathBuf,
        /// What is wrong.
        fault: Fault,
    },
    /// There is a round already.
    #[error("{} exists: a round is announced once; choose another folder for a new one", file.display())]
    RoundExists {
        /// Its file.
        file: PathBuf,
    },
    /// The caller names an agency that the policy lacks.
    #[error(
        "the policy has {agencies} agencies, none at position {position}; take positions from its plan"
    )]
    NoSuchAgency {
        /// The position.
        position: usize,
        /// Agencies in the policy.
        agencies: usize,
    },
    /// More families than slots can be.
    #[error("{families} families do not fit one round; split the population")]
    TooManyFamilies {
        /// How many.
        families: usize,
    },
    /// The population file cannot be read as CSV.
    #[error("{}: {source}; write it as CSV in UTF-8 with a header line", file.display())]
    Csv {
        /// The population file.
        file: PathBuf,
        /// The reason.
        source: csv::Error,
    },
    /// A line of the population file is wrong. Lines are named and persons are not.
    #[error("{}, line {line}: {fault}", file.display())]
    Population {
        /// The population file.
        file: PathBuf,
        /// The line, counted from 1; the header is line 1.
        line: u64,
        /// What is wrong.
        fault: PopulationFault,
    },
}

/// What is wrong with a line of the population.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PopulationFault {
    /// A column is missing.
    #[error("the column \"{column}\" is missing; add it to the header and to every line")]
    MissingColumn {
        /// Which one.
        column: &'static str,
    },
    /// A cell is empty.
    #[error("the cell in column \"{column}\" is empty; fill it in or remove the line")]
    Empty {
        /// Which column.
        column: &'static str,
    },
    /// The same person twice in the same family.
    #[error("this person already stands on line {first}; remove one of the two lines")]
    DuplicatePerson {
        /// The earlier line.
        first: u64,
    },
    /// The same person in two families.
    #[error(
        "this person already stands on line {first} in another family; a person belongs to one family"
    )]
    TwoFamilies {
        /// The earlier line.
        first: u64,
    },
    /// The cell does not say whether the person is an adult.
    #[error("the column \"adult\" takes yes, no, true, false, 1 or 0")]
    Adult,
    /// The cell is no letter key.
    #[error(
        "the letter key is no usable X25519 public key of 64 hexadecimal digits; ask the family for a new one"
    )]
    LetterKey,
    /// Two letter keys in one family.
    #[error("this family has another letter key on an earlier line; keep one")]
    TwoLetterKeys,
    /// Two families with one letter key.
    #[error(
        "another family has the same letter key; each family needs its own, so ask one of them for a new one"
    )]
    SharedLetterKey,
    /// A family without letter key.
    #[error("no line of this family has a letter key, so it could not be told its tier; add one")]
    NoLetterKey,
    /// More persons than a family can have.
    #[error("this family has more than 65535 persons; check the family identifiers")]
    TooManyPersons,
    /// Nobody at all.
    #[error("there is no family; add at least one line below the header")]
    NoFamily,
}

impl RegistrarError {
    /// The other party to turn to; `None` when the fault is the registrar's own.
    pub fn culprit(&self) -> Option<&PartyName> {
        match self {
            Self::Wire(e) => e.culprit(),
            _ => None,
        }
    }
}
