//! A policy as text, before it is checked.

use blindtier_policy::Decimal;
use std::fmt::Write;

/// Identifier and label.
pub(crate) type Named = (String, String);

/// Variables with the classes that are wanted of each.
pub(crate) type Condition = Vec<(String, Vec<String>)>;

#[derive(Default)]
pub(crate) struct Draft {
    pub source: String,
    pub name: String,
    pub title: String,
    pub tiers: Vec<Named>,
    pub agencies: Vec<Named>,
    pub indicators: Vec<Indicator>,
    pub concepts: Vec<Concept>,
    pub scores: Vec<Score>,
    pub cuts: Vec<Cut>,
    pub tier_from: String,
    /// Class to tier; empty when they have the same identifiers.
    pub tier_map: Vec<(String, String)>,
    pub overrides: Vec<Override>,
}

pub(crate) struct Indicator {
    pub id: String,
    pub label: String,
    pub agency: String,
    pub column: Option<String>,
    pub aggregate: Option<String>,
    pub levels: Vec<Named>,
    pub rule: LevelRule,
    pub missing: String,
}

pub(crate) enum LevelRule {
    /// Lower and upper bound of every level.
    Bands(Vec<(Option<Decimal>, Option<Decimal>)>),
    /// The texts of every level.
    Categories(Vec<Vec<String>>),
}

pub(crate) struct Concept {
    pub id: String,
    pub label: String,
    pub inputs: Vec<String>,
    pub classes: Vec<Named>,
    pub rules: Vec<(Condition, String)>,
}

pub(crate) struct Score {
    pub id: String,
    pub label: String,
    pub decimals: u32,
    pub constant: Decimal,
    pub points: Vec<(String, Vec<(String, Decimal)>)>,
}

pub(crate) struct Cut {
    pub id: String,
    pub label: String,
    pub score: String,
    pub classes: Vec<Named>,
    pub at: Vec<Decimal>,
}

/// Replaces the tier where the condition holds.
pub(crate) struct Override {
    pub tier: String,
    pub when: Condition,
    pub label: String,
}

impl Draft {
    /// The text of the policy file.
    pub fn toml(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "# Imported from {}.", self.source.replace(char::is_control, " "))?;
        writeln!(out, "blindtier = \"1\"\nname = {}\ntitle = {}", q(&self.name), q(&self.title))?;
        writeln!(out, "tiers = {}\n\n[agencies]", classes(&self.tiers))?;
        for (id, label) in &self.agencies {
            writeln!(out, "{} = {{ label = {} }}", key(id), q(label))?;
        }
        for indicator in &self.indicators {
            write_indicator(out, indicator)?;
        }
        for concept in &self.concepts {
            writeln!(out, "\n[concepts.{}]\nlabel = {}", key(&concept.id), q(&concept.label))?;
            writeln!(
                out,
                "inputs = {}\nclasses = {}",
                list(&concept.inputs),
                classes(&concept.classes)
            )?;
            writeln!(out, "rules = [")?;
            for (when, then) in &concept.rules {
                match when.is_empty() {
                    true => writeln!(out, "  {{ then = {} }},", q(then))?,
                    false => {
                        writeln!(out, "  {{ when = {}, then = {} }},", condition(when), q(then))?
                    }
                }
            }
            writeln!(out, "]")?;
        }
        for score in &self.scores {
            writeln!(out, "\n[scores.{}]\nlabel = {}", key(&score.id), q(&score.label))?;
            if score.decimals > 0 {
                writeln!(out, "decimals = {}", score.decimals)?;
            }
            if score.constant != Decimal::ZERO {
                writeln!(out, "constant = {}", score.constant)?;
            }
            for (variable, points) in &score.points {
                let points: Vec<String> = points
                    .iter()
                    .map(|(class, points)| format!("{} = {points}", key(class)))
                    .collect();
                writeln!(out, "points.{} = {{ {} }}", key(variable), points.join(", "))?;
            }
        }
        for cut in &self.cuts {
            let at: Vec<String> = cut.at.iter().map(Decimal::to_string).collect();
            writeln!(out, "\n[cuts.{}]\nlabel = {}", key(&cut.id), q(&cut.label))?;
            writeln!(out, "score = {}\nclasses = {}", q(&cut.score), classes(&cut.classes))?;
            writeln!(out, "at = [{}]", at.join(", "))?;
        }
        writeln!(out, "\n[tier]\nfrom = {}", q(&self.tier_from))?;
        if !self.tier_map.is_empty() {
            let pairs: Vec<String> = self
                .tier_map
                .iter()
                .map(|(class, tier)| format!("{} = {}", key(class), q(tier)))
                .collect();
            writeln!(out, "map = {{ {} }}", pairs.join(", "))?;
        }
        for rule in &self.overrides {
            writeln!(out, "\n[[overrides]]\nlabel = {}", q(&rule.label))?;
            writeln!(out, "exactly = {}\nwhen = {}", q(&rule.tier), condition(&rule.when))?;
        }
        Ok(())
    }
}

fn write_indicator(out: &mut String, indicator: &Indicator) -> std::fmt::Result {
    writeln!(out, "\n[indicators.{}]\nlabel = {}", key(&indicator.id), q(&indicator.label))?;
    writeln!(out, "agency = {}", q(&indicator.agency))?;
    if let Some(column) = &indicator.column {
        writeln!(out, "column = {}", q(column))?;
    }
    if let Some(aggregate) = &indicator.aggregate {
        writeln!(out, "aggregate = {}", q(aggregate))?;
    }
    match &indicator.rule {
        LevelRule::Bands(bands) => {
            writeln!(out, "bands = [")?;
            for ((id, _), (from, below)) in indicator.levels.iter().zip(bands) {
                let from = from.map(|from| format!(", from = {from}")).unwrap_or_default();
                let below = below.map(|below| format!(", below = {below}")).unwrap_or_default();
                writeln!(out, "  {{ level = {}{from}{below} }},", q(id))?;
            }
            writeln!(out, "]")?;
            let labels = indicator.levels.iter().filter(|(id, label)| id != label);
            let labels: Vec<String> =
                labels.map(|(id, label)| format!("{} = {}", key(id), q(label))).collect();
            if !labels.is_empty() {
                writeln!(out, "levels = {{ {} }}", labels.join(", "))?;
            }
        }
        LevelRule::Categories(texts) => {
            writeln!(out, "levels = {}", classes(&indicator.levels))?;
            let stated: Vec<String> = indicator
                .levels
                .iter()
                .zip(texts)
                .filter(|((id, _), texts)| texts.as_slice() != std::slice::from_ref(id))
                .map(|((id, _), texts)| format!("{} = {}", key(id), list(texts)))
                .collect();
            if !stated.is_empty() {
                writeln!(out, "categories = {{ {} }}", stated.join(", "))?;
            }
        }
    }
    writeln!(out, "missing = {}", q(&indicator.missing))
}

/// A text in quotes.
fn q(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A key, bare if it can be.
fn key(text: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !text.is_empty() && text.chars().all(bare) { text.to_owned() } else { q(text) }
}

fn list(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| q(text)).collect();
    format!("[{}]", quoted.join(", "))
}

fn classes(named: &[Named]) -> String {
    if named.iter().all(|(id, label)| id == label) {
        return list(&named.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>());
    }
    let tables: Vec<String> = named
        .iter()
        .map(|(id, label)| format!("\n  {{ id = {}, label = {} }},", q(id), q(label)))
        .collect();
    format!("[{}\n]", tables.concat())
}

fn condition(when: &Condition) -> String {
    let tests: Vec<String> = when
        .iter()
        .map(|(variable, wanted)| match wanted.as_slice() {
            [only] => format!("{} = {}", key(variable), q(only)),
            several => format!("{} = {}", key(variable), list(several)),
        })
        .collect();
    format!("{{ {} }}", tests.join(", "))
}
