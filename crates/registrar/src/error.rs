//! Why the registrar could not do its part.

use blindtier_linkage::LinkageError;
use blindtier_submission::SubmissionError;
use blindtier_wire::{
    Digest, Fault, MAX_GROUPS, MAX_LINKAGE_PERSONS, PartyName, RoundId, WireError,
};
use std::path::PathBuf;

/// Why no round could be made, no request answered or no column submitted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistrarError {
    /// A file was refused or could not be written.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The opt-out column could not be submitted.
    #[error(transparent)]
    Submission(#[from] SubmissionError),
    /// No pseudonym could be made. Persons are named by their position in the population.
    #[error(transparent)]
    Linkage(#[from] LinkageError),
    /// Somebody else's identity.
    #[error("the identity is {party}; use the registrar's")]
    NotRegistrar {
        /// Whose it is.
        party: PartyName,
    },
    /// The private folder has files of another round.
    #[error(
        "{} exists and belongs to another round, which could not be finished without it; choose another private folder", file.display()
    )]
    PrivateExists {
        /// One of the files.
        file: PathBuf,
    },
    /// A size of requests for a round without any.
    #[error(
        "agencies of a round with keyed hashes send no requests; leave --linkage-persons out, or choose oblivious linkage"
    )]
    NoRequests,
    /// So many persons do not fit a request.
    #[error(
        "a request about {persons} persons is larger than a file may be; {MAX_LINKAGE_PERSONS} is the most: state a smaller number, or let agencies make their pseudonyms by keyed hash"
    )]
    TooManyPersons {
        /// Persons of a request.
        persons: u64,
    },
    /// Families said no to a policy that does not ask them.
    #[error(
        "{}: the policy offers no opt-out; add `[opt_out]` with `result = \"neutral\"` to it, or announce the round without this list", file.display()
    )]
    NoOptOut {
        /// The opt-out list.
        file: PathBuf,
    },
    /// A line of the opt-out list is wrong. Families are not named.
    #[error("{}, line {line}: {fault}", file.display())]
    OptOutList {
        /// The opt-out list.
        file: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// What is wrong.
        fault: OptOutFault,
    },
    /// Agencies of this round ask for nothing.
    #[error(
        "{}: agencies of this round make their pseudonyms with the key in their rosters; no request is answered", file.display()
    )]
    KeyedHash {
        /// The round file.
        file: PathBuf,
    },
    /// A request cannot be answered.
    #[error("{} from {agency}: {source}; ask this party to make its request again", file.display())]
    Request {
        /// The request.
        file: PathBuf,
        /// Who sent it.
        agency: PartyName,
        /// What is wrong.
        source: LinkageError,
    },
    /// Another request of this agency was answered.
    #[error(
        "{} from {agency}: this is its request {found}, but its request {answered} was answered; every agency gets one answer a round, because with several it could try out persons: ask it for the answered one, or announce a new round", file.display()
    )]
    AnotherRequest {
        /// The request.
        file: PathBuf,
        /// Who sent it.
        agency: PartyName,
        /// Hash of the answered one.
        answered: Box<Digest>,
        /// Hash of this one.
        found: Box<Digest>,
    },
    /// The record of an answer cannot be read.
    #[error(
        "{}: this is no hash of a request; restore the file from its backup, because without it {agency} could get a second answer", file.display()
    )]
    Record {
        /// The record.
        file: PathBuf,
        /// Whose answer.
        agency: PartyName,
    },
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
    /// The round that is corrected has no such slot.
    #[error("round {round} has no slot {slot}; take the slot from the family's letter")]
    NoSuchSlot {
        /// The slot.
        slot: u32,
        /// The round.
        round: RoundId,
    },
    /// The population has no family with the letter key of a slot that is to be corrected.
    #[error(
        "{}: no family has the letter key of slot {slot}; give the population of that round, with the letter key that the family had then", file.display()
    )]
    SlotWithoutFamily {
        /// The population file.
        file: PathBuf,
        /// The slot.
        slot: u32,
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
    /// The column of the groups is missing.
    #[error(
        "the column \"{column}\" with the groups is missing; add it to the header, or name another column"
    )]
    NoGroupColumn {
        /// Which one.
        column: String,
    },
    /// The groups are none or too many.
    #[error(
        "the column of the groups has {found} different groups; 1 to {MAX_GROUPS} can be counted"
    )]
    Groups {
        /// How many.
        found: usize,
    },
    /// Two persons of a family are in different groups.
    #[error("an earlier person of this family is in another group; a family is in one group")]
    TwoGroups,
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

/// What is wrong with an opt-out list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OptOutFault {
    /// There is no such file.
    #[error("the file is missing; give a text file with one family identifier a line")]
    Missing,
    /// It is no text.
    #[error("the file is not in UTF-8; write one family identifier a line")]
    Text,
    /// The family is unknown.
    #[error("the population has no family with this identifier; correct it or take the line out")]
    NoSuchFamily,
}

impl RegistrarError {
    /// The other parties to turn to; none when the fault is the registrar's own.
    pub fn culprits(&self) -> Vec<PartyName> {
        match self {
            Self::Wire(e) => e.culprit().into_iter().cloned().collect(),
            Self::Submission(e) => e.culprits(),
            Self::Request { agency, .. } | Self::AnotherRequest { agency, .. } => {
                vec![agency.clone()]
            }
            _ => Vec::new(),
        }
    }
}
