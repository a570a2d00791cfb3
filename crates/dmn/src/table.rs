//! Decision tables with every expression read and every name resolved.

use crate::fault::{Faults, Place};
use crate::feel::{Literal, Tests, brief};
use crate::model::{Decision, Located, Logic, Model, RawTable, normal};
use std::ops::Range;

/// The most rules of one table.
const MAX_RULES: usize = 1024;

/// A variable of the model: an input, or a part of it, or one output of a decision. Positions in the model.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    Input { input: usize, path: String },
    Output { decision: usize, output: usize },
}

impl Key {
    /// The name as a table would write it.
    pub fn name(&self, model: &Model) -> String {
        match self {
            Self::Input { input, path } => {
                let name = model.inputs.get(*input).map_or("", |data| data.name.text.as_str());
                if path.is_empty() { name.to_owned() } else { format!("{name}.{path}") }
            }
            Self::Output { decision, output } => {
                let Some(found) = model.decisions.get(*decision) else { return String::new() };
                match &found.logic {
                    Logic::Table(table) if table.outputs.len() > 1 => {
                        let part = table.outputs.get(*output).and_then(|o| o.name.as_deref());
                        format!("{}.{}", found.name.text, part.unwrap_or_default())
                    }
                    _ => found.name.text.clone(),
                }
            }
        }
    }
}

/// Which of the matching rules count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hit {
    Unique,
    Any,
    Priority,
    First,
    Sum,
    Count,
    Least,
    Most,
}

/// What a rule gives for one output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    Value(Literal),
    /// The result of another decision, unchanged.
    PassOn(Key),
}

/// One column of tests.
#[derive(Debug)]
pub(crate) struct Column {
    pub key: Key,
    pub type_ref: Option<String>,
    pub values: Option<Located>,
}

#[derive(Debug)]
pub(crate) struct Rule {
    pub span: Range<usize>,
    /// For each column what it asks, and where that stands.
    pub tests: Vec<(Tests, Range<usize>)>,
    /// For each output.
    pub outputs: Vec<(Output, Range<usize>)>,
}

#[derive(Debug)]
pub(crate) struct Table<'m> {
    pub decision: usize,
    pub name: &'m str,
    pub hit: Hit,
    pub raw: &'m RawTable,
    pub columns: Vec<Column>,
    pub rules: Vec<Rule>,
}

impl Table<'_> {
    pub fn place(&self) -> Place<'_> {
        Place::table(self.name)
    }
}

/// Why a name stands for nothing that can be imported.
pub(crate) enum NameProblem {
    Unknown,
    /// A decision with several outputs, of which one must be named.
    ChooseOutput(String),
}

/// Looks a name or a path up.
pub(crate) fn resolve(model: &Model, text: &str) -> Result<Key, NameProblem> {
    let name = normal(text);
    let whole = std::iter::once((name.as_str(), ""));
    let parts = name.match_indices('.').filter_map(|(at, _)| {
        Some((name.get(..at)?.trim_end(), name.get(at.saturating_add(1)..)?.trim_start()))
    });
    for (first, path) in whole.chain(parts) {
        if let Some(input) = model.inputs.iter().position(|data| data.name.text == first) {
            return Ok(Key::Input { input, path: path.to_owned() });
        }
        if let Some(decision) = model.decisions.iter().position(|d| d.name.text == first) {
            return output(model, decision, path);
        }
    }
    Err(NameProblem::Unknown)
}

fn output(model: &Model, decision: usize, path: &str) -> Result<Key, NameProblem> {
    let Some(found) = model.decisions.get(decision) else { return Err(NameProblem::Unknown) };
    let Logic::Table(table) = &found.logic else { return Ok(Key::Output { decision, output: 0 }) };
    let names: Vec<&str> =
        table.outputs.iter().map(|output| output.name.as_deref().unwrap_or_default()).collect();
    let position = match (path, names.len()) {
        ("", 0 | 1) => Some(0),
        ("", _) => None,
        _ => names.iter().position(|name| *name == path),
    };
    let options = || names.iter().map(|name| format!("`{}.{name}`", found.name.text));
    position
        .map(|output| Key::Output { decision, output })
        .ok_or_else(|| NameProblem::ChooseOutput(options().collect::<Vec<_>>().join(" or ")))
}

/// Reads the table of one decision. `None`: a fault was recorded.
pub(crate) fn read<'m>(
    faults: &mut Faults,
    model: &'m Model,
    decision: usize,
) -> Option<Table<'m>> {
    let found = model.decisions.get(decision)?;
    let place = Place::table(&found.name.text);
    let raw = match &found.logic {
        Logic::Table(raw) => raw,
        Logic::Other(kind, span) => {
            let message = format!("the decision is a <{kind}>, not a decision table");
            let help = "only decision tables can be imported: rewrite it as one, or let a register hold its result";
            faults.add(place, span, message, help);
            return None;
        }
        Logic::Nothing => {
            let help = "give it a decision table, or make it input data";
            faults.add(place, &found.name.span, "the decision has no logic", help);
            return None;
        }
    };
    let hit = hit(faults, place, raw);
    let columns: Vec<Option<Column>> = raw
        .inputs
        .iter()
        .map(|input| {
            let key = reference(faults, model, found, place, &input.expression)?;
            Some(Column { key, type_ref: input.type_ref.clone(), values: input.values.clone() })
        })
        .collect();
    if raw.outputs.is_empty() || raw.rules.is_empty() {
        let help = "a table needs an output and at least one rule";
        faults.add(place, &raw.span, "the table decides nothing", help);
        return None;
    }
    if raw.rules.len() > MAX_RULES {
        let help = format!("split the table: a policy allows {MAX_RULES}");
        faults.add(place, &raw.span, format!("{} rules are too many", raw.rules.len()), help);
        return None;
    }
    let rules: Vec<Option<Rule>> = (0..raw.rules.len())
        .map(|position| rule(faults, model, found, raw, position, hit))
        .collect();
    Some(Table {
        decision,
        name: &found.name.text,
        hit: hit?,
        raw,
        columns: columns.into_iter().collect::<Option<_>>()?,
        rules: rules.into_iter().collect::<Option<_>>()?,
    })
}

fn hit(faults: &mut Faults, place: Place<'_>, raw: &RawTable) -> Option<Hit> {
    let aggregation = raw.aggregation.as_deref().unwrap_or_default();
    let hit = match (raw.hit_policy.text.as_str(), aggregation) {
        ("UNIQUE", _) => Hit::Unique,
        ("ANY", _) => Hit::Any,
        ("PRIORITY", _) => Hit::Priority,
        ("FIRST", _) => Hit::First,
        ("COLLECT", "SUM") => Hit::Sum,
        ("COLLECT", "COUNT") => Hit::Count,
        ("COLLECT", "MIN") => Hit::Least,
        ("COLLECT", "MAX") => Hit::Most,
        (policy, aggregation) => {
            let kind = format!("{policy} {aggregation}");
            let message = format!("hit policy {} gives a list", kind.trim_end());
            let help = "a policy needs one value: use UNIQUE, ANY, PRIORITY, FIRST, or COLLECT with SUM, COUNT, MIN or MAX";
            faults.add(place, &raw.hit_policy.span, message, help);
            return None;
        }
    };
    let collects = matches!(hit, Hit::Sum | Hit::Count | Hit::Least | Hit::Most);
    if collects && raw.outputs.len() > 1 {
        let help = "make one table for each output";
        faults.add(place, &raw.span, "COLLECT goes with one output only", help);
        return None;
    }
    Some(hit)
}

/// The variable that an expression names; anything but a name is a fault.
fn reference(
    faults: &mut Faults,
    model: &Model,
    decision: &Decision,
    place: Place<'_>,
    expression: &Located,
) -> Option<Key> {
    let shown = brief(&expression.text);
    let key = match resolve(model, &expression.text) {
        Ok(key) => key,
        Err(NameProblem::ChooseOutput(options)) => {
            let message = format!("`{shown}` has several outputs");
            faults.add(place, &expression.span, message, format!("name one of them: {options}"));
            return None;
        }
        Err(NameProblem::Unknown) => {
            let message = format!("`{shown}` is no name of an input or decision");
            let help = "an input column holds the name of an input or a decision; let a register or a table of its own hold what is computed";
            faults.add(place, &expression.span, message, help);
            return None;
        }
    };
    let id = match &key {
        Key::Input { input, .. } => model.inputs.get(*input).map(|data| &data.id),
        Key::Output { decision, .. } => model.decisions.get(*decision).map(|found| &found.id),
    };
    let required = id.is_some_and(|id| {
        decision.requires.iter().any(|href| href.rsplit('#').next() == Some(id.as_str()))
    });
    if !required {
        let message = format!("the decision reads `{shown}` without requiring it");
        let help = "draw the information requirement from it to this decision";
        faults.add(place, &expression.span, message, help);
        return None;
    }
    Some(key)
}

fn rule(
    faults: &mut Faults,
    model: &Model,
    decision: &Decision,
    raw: &RawTable,
    position: usize,
    hit: Option<Hit>,
) -> Option<Rule> {
    let place = Place::table(&decision.name.text).rule(position);
    let rule = raw.rules.get(position)?;
    if rule.tests.len() != raw.inputs.len() || rule.outputs.len() != raw.outputs.len() {
        let message = format!(
            "it has {} tests and {} outputs; the table has {} and {}",
            rule.tests.len(),
            rule.outputs.len(),
            raw.inputs.len(),
            raw.outputs.len()
        );
        faults.add(place, &rule.span, message, "write an entry for every column, `-` for no test");
        return None;
    }
    let tests: Vec<_> = rule
        .tests
        .iter()
        .map(|entry| match Tests::parse(&entry.text) {
            Ok(tests) => Some((tests, entry.span.clone())),
            Err(outside) => {
                faults.add(place, &entry.span, outside.message, outside.help);
                None
            }
        })
        .collect();
    let outputs: Vec<_> = rule
        .outputs
        .iter()
        .map(|entry| match Literal::parse(&entry.text) {
            Ok(literal) => Some((Output::Value(literal), entry.span.clone())),
            // What is counted does not matter.
            Err(_) if hit == Some(Hit::Count) => {
                Some((Output::Value(Literal::Flag(true)), entry.span.clone()))
            }
            Err(outside) => {
                if let Ok(Key::Output { .. }) = resolve(model, &entry.text) {
                    let key = reference(faults, model, decision, place, entry)?;
                    return Some((Output::PassOn(key), entry.span.clone()));
                }
                faults.add(place, &entry.span, format!("output {}", outside.message), outside.help);
                None
            }
        })
        .collect();
    Some(Rule {
        span: rule.span.clone(),
        tests: tests.into_iter().collect::<Option<_>>()?,
        outputs: outputs.into_iter().collect::<Option<_>>()?,
    })
}
