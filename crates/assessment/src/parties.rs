//! The trust table: who holds and learns what, what is kept, what can go wrong.

use serde::Deserialize;
use std::fmt;

/// The table that comes with the program.
const SHIPPED: &str = include_str!("../../../docs/parties.toml");

/// An engine, where something is so with one engine only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// One family at a time; a dealer makes the key.
    Tfhe,
    /// Thousands of families at once; the trustees make the key.
    Bfv,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tfhe => "tfhe",
            Self::Bfv => "bfv",
        })
    }
}

/// The trust table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustTable {
    /// Who holds and learns what.
    pub parties: Vec<Party>,
    /// What is kept where and how long.
    pub kept: Vec<Kept>,
    /// Risks for families, and what is done about them.
    pub risks: Vec<Risk>,
    /// What stays.
    pub residual: Vec<Residual>,
}

/// One party.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Its name.
    pub party: String,
    /// What it holds.
    pub holds: String,
    /// What it learns in a round.
    pub learns: String,
    /// What it must never learn.
    pub never: String,
    /// The engine with which there is such a party, if only with one.
    pub engine: Option<Engine>,
}

/// One kind of files.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// Which.
    pub what: String,
    /// Where they lie.
    #[serde(rename = "where")]
    pub place: String,
    /// How long.
    pub keep: String,
}

/// One risk for families.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Risk {
    /// What could happen.
    pub risk: String,
    /// What is done about it.
    pub measures: String,
    /// What is left of it.
    pub left: String,
    /// The engine with which there is the risk, if only with one.
    pub engine: Option<Engine>,
}

/// Something that the system does not defend against.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Residual {
    /// What.
    pub text: String,
    /// Whether it follows from the design; otherwise the defence is not there yet.
    pub by_design: bool,
    /// The engine that it concerns, if only one.
    pub engine: Option<Engine>,
}

/// Why a text is no trust table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("docs/parties.toml: {0}; correct the file and build the program anew")]
pub struct TrustError(#[from] toml::de::Error);

impl TrustTable {
    /// The table that comes with the program.
    pub fn shipped() -> Result<Self, TrustError> {
        Self::parse(SHIPPED)
    }

    /// Reads a table from TOML.
    pub fn parse(text: &str) -> Result<Self, TrustError> {
        Ok(toml::from_str(text)?)
    }
}

/// Whether something concerns a round with this engine; without one, whether it concerns any.
pub(crate) fn concerns(of: Option<Engine>, asked: Option<Engine>) -> bool {
    match (of, asked) {
        (Some(of), Some(asked)) => of == asked,
        _ => true,
    }
}
