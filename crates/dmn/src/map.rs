//! The map file: what a DMN model does not say and a policy needs, above all which agency holds which input.

use crate::ImportError;
use crate::feel::Literal;
use crate::model::normal;
use blindtier_policy::{Decimal, UNDECIDED};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The agency of inputs that the map does not name.
pub(crate) const DEFAULT_AGENCY: &str = "applicant";

/// What the map file says. The default says nothing.
#[derive(Clone, Debug, Default)]
pub struct Map {
    pub(crate) decimals: Option<u32>,
    pub(crate) agencies: BTreeMap<String, String>,
    pub(crate) inputs: BTreeMap<String, InputMap>,
    pub(crate) tables: BTreeMap<String, Literal>,
    pub(crate) tier: Option<TierMap>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct InputMap {
    pub agency: Option<String>,
    pub column: Option<String>,
    pub aggregate: Option<String>,
    pub decimals: Option<u32>,
    pub missing: Option<Literal>,
    pub values: Option<Vec<String>>,
}

/// How a numeric decision becomes a tier.
#[derive(Clone, Debug)]
pub(crate) struct TierMap {
    pub names: Vec<String>,
    pub at: Vec<Decimal>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MapFile {
    decimals: Option<u32>,
    #[serde(default)]
    agencies: BTreeMap<String, String>,
    #[serde(default)]
    inputs: BTreeMap<String, InputEntry>,
    #[serde(default)]
    tables: BTreeMap<String, TableEntry>,
    tier: Option<TierEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InputEntry {
    agency: Option<String>,
    column: Option<String>,
    aggregate: Option<String>,
    decimals: Option<u32>,
    missing: Option<Value>,
    values: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TableEntry {
    otherwise: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TierEntry {
    names: Vec<String>,
    at: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Value {
    Flag(bool),
    Whole(i64),
    Real(f64),
    Text(String),
}

impl Map {
    /// Reads a map file. `file_name` only appears in messages.
    ///
    /// # Errors
    /// Not TOML, unknown keys, values of a wrong kind.
    pub fn parse(file_name: &str, text: &str) -> Result<Self, ImportError> {
        let wrong = |message: String, help: &str| ImportError::Map {
            file: file_name.to_owned(),
            message,
            help: help.to_owned(),
        };
        let file: MapFile = toml::from_str(text).map_err(|error| {
            let help = "see docs/dmn.md for the keys of the map";
            wrong(error.to_string().trim_end().replace('\n', "\n  "), help)
        })?;
        let too_long = || {
            wrong("a number has more than 18 digits".to_owned(), "write it in at most 18 digits")
        };
        if file
            .decimals
            .into_iter()
            .chain(file.inputs.values().filter_map(|i| i.decimals))
            .any(|d| d > 9)
        {
            return Err(wrong("`decimals` is above 9".to_owned(), "write 0 to 9"));
        }
        let mut map = Self { decimals: file.decimals, ..Self::default() };
        map.agencies = file.agencies;
        for (name, entry) in file.inputs {
            let missing = entry.missing.map(literal).transpose().map_err(|()| too_long())?;
            let InputEntry { agency, column, aggregate, decimals, values, .. } = entry;
            let input = InputMap { agency, column, aggregate, decimals, missing, values };
            map.inputs.insert(normal(&name), input);
        }
        for (name, entry) in file.tables {
            let otherwise = literal(entry.otherwise).map_err(|()| too_long())?;
            map.tables.insert(normal(&name), otherwise);
        }
        if let Some(tier) = file.tier {
            let mut at = Vec::new();
            for start in tier.at {
                match literal(start).map_err(|()| too_long())? {
                    Literal::Number(number) => at.push(number),
                    other => {
                        let message = format!("`at` of the tier holds {other}, which is no number");
                        return Err(wrong(
                            message,
                            "write the score from which each tier but the lowest starts",
                        ));
                    }
                }
            }
            if tier.names.len() != at.len().saturating_add(1) || !at.is_sorted_by(|a, b| a < b) {
                let message = format!("{} tiers with {} starts", tier.names.len(), at.len());
                let help = "name the tiers, lowest first, and give the ascending scores from which each but the lowest starts";
                return Err(wrong(message, help));
            }
            map.tier = Some(TierMap { names: tier.names, at });
        }
        Ok(map)
    }
}

impl InputMap {
    /// Whether the tier cannot be decided without this input.
    pub fn is_required(&self) -> bool {
        match &self.missing {
            None => true,
            Some(Literal::Text(text)) => text == UNDECIDED,
            Some(_) => false,
        }
    }
}

fn literal(value: Value) -> Result<Literal, ()> {
    Ok(match value {
        Value::Flag(flag) => Literal::Flag(flag),
        Value::Whole(number) => Literal::Number(decimal(&number.to_string())?),
        // The shortest text that reads back as the same number is what stands in the file, up to 15 digits.
        Value::Real(number) => Literal::Number(decimal(&number.to_string())?),
        Value::Text(text) => Literal::Text(text),
    })
}

fn decimal(text: &str) -> Result<Decimal, ()> {
    Decimal::parse(text).map_err(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_says_agencies_missing_values_and_cuts() {
        let text = r#"
            decimals = 2
            [agencies]
            tax = "Tax office"
            [inputs."Yearly  Income"]
            agency = "tax"
            missing = 0
            decimals = 0
            [tables.Need]
            otherwise = 0
            [tier]
            names = ["none", "some"]
            at = [0.5]
        "#;
        let map = Map::parse("map.toml", text).unwrap();
        assert_eq!(map.inputs["Yearly Income"].decimals, Some(0));
        assert_eq!(map.tables["Need"], Literal::Number(Decimal::ZERO));
        assert_eq!(map.tier.unwrap().at, [Decimal { units: 5, scale: 1 }]);
    }

    #[test]
    fn a_wrong_map_is_refused_by_name() {
        for (text, part) in [
            ("[inputs.a]\nagent = \"x\"", "unknown field `agent`"),
            ("decimals = 10", "above 9"),
            ("[tier]\nnames = [\"a\"]\nat = [1]", "1 tiers with 1 starts"),
            ("[tier]\nnames = [\"a\", \"b\"]\nat = [\"x\"]", "no number"),
            ("[tables.a]\notherwise = 1e30", "18 digits"),
        ] {
            let error = Map::parse("map.toml", text).unwrap_err().to_string();
            assert!(error.starts_with("map.toml: ") && error.contains(part), "{error}");
        }
    }
}
