//! The classes of a decision's output: the values that its rules give, or where its sum is cut.

use super::Maker;
use crate::domain::{Cell, edges, ranges, start};
use crate::fault::Faults;
use crate::feel::{Literal, Simple, Tests};
use crate::map::Map;
use crate::model::Model;
use crate::table::{Hit, Key, Output, Table};
use crate::types::{self, Kind};
use blindtier_policy::Decimal;

impl Maker<'_> {
    pub(super) fn output(
        &self,
        faults: &mut Faults,
        table: &Table<'_>,
        output: usize,
    ) -> Option<(Vec<Cell>, Option<u32>)> {
        if matches!(table.hit, Hit::Sum | Hit::Count) {
            return self.sum(faults, table).map(|(cells, decimals)| (cells, Some(decimals)));
        }
        let values = values(faults, self.model, self.map, table, output)?;
        let kind = values.first().map(Kind::of)?;
        self.check_kind(faults, kind);
        for used in &self.uses.tests {
            for simple in used.tests.alternatives() {
                if let Simple::Equals(value @ Literal::Text(_)) = simple
                    && !values.contains(value)
                {
                    let message = format!("{value} is no output of `{}`", self.name);
                    let texts: Vec<String> = values.iter().map(Literal::to_string).collect();
                    faults.add(
                        used.place,
                        used.span,
                        message,
                        format!("it gives {}", texts.join(", ")),
                    );
                }
            }
        }
        Some((values.into_iter().map(Cell::Point).collect(), None))
    }

    fn sum(&self, faults: &mut Faults, table: &Table<'_>) -> Option<(Vec<Cell>, u32)> {
        self.check_kind(faults, Kind::Number);
        let mut decimals = 0;
        for (position, rule) in table.rules.iter().enumerate() {
            for (output, span) in &rule.outputs {
                match output {
                    Output::Value(Literal::Number(number)) => decimals = decimals.max(number.scale),
                    _ if table.hit == Hit::Count => {}
                    _ => {
                        let place = table.place().rule(position);
                        faults.add(place, span, "a sum needs numbers", "write a number of points");
                    }
                }
            }
        }
        if table.hit == Hit::Count {
            decimals = 0;
        }
        let edges = self.uses.tests.iter().flat_map(|used| edges(used.tests));
        let starts = edges.filter_map(|edge| start(edge, decimals)).collect();
        Some((ranges(starts), decimals))
    }
}

/// The values that an output is declared to take, in their order. Empty: none are listed.
pub(crate) fn declared_values(model: &Model, table: &Table<'_>, output: usize) -> Vec<Literal> {
    let Some(raw) = table.raw.outputs.get(output) else { return Vec::new() };
    let of_type = || {
        let decision = model.decisions.get(table.decision)?;
        let (type_ref, path) = match (&raw.type_ref, &raw.name, table.raw.outputs.len()) {
            (Some(own), _, _) => (Some(own.as_str()), ""),
            (None, Some(name), 2..) => (decision.type_ref.as_deref(), name.as_str()),
            _ => (decision.type_ref.as_deref(), ""),
        };
        types::declared(model, type_ref, path).ok()?.allowed
    };
    let Some(stated) = raw.values.clone().or_else(of_type) else { return Vec::new() };
    let Ok(Tests::OneOf(list)) = Tests::parse_allowed(&stated.text) else { return Vec::new() };
    let literals = list.into_iter().map(|simple| match simple {
        Simple::Equals(literal) => Some(literal),
        Simple::Range { .. } => None,
    });
    literals.collect::<Option<Vec<_>>>().unwrap_or_default()
}

/// What an output gives when no rule matches: what the map says, or else the model.
pub(crate) fn otherwise(
    faults: &mut Faults,
    model: &Model,
    map: &Map,
    table: &Table<'_>,
    output: usize,
) -> Option<Literal> {
    let key = Key::Output { decision: table.decision, output };
    let mapped = map.tables.get(&key.name(model)).or_else(|| map.tables.get(table.name));
    if let Some(value) = mapped {
        return Some(value.clone());
    }
    let stated = table.raw.outputs.get(output)?.default.as_ref()?;
    match Literal::parse(&stated.text) {
        Ok(value) => Some(value),
        Err(outside) => {
            let message = format!("the default output {}", outside.message);
            faults.add(table.place(), &stated.span, message, outside.help);
            None
        }
    }
}

/// All values of an output: as declared, or else numbers ascending, false before true, texts as they appear. A value
/// for when no rule matches that is nowhere else comes first.
fn values(
    faults: &mut Faults,
    model: &Model,
    map: &Map,
    table: &Table<'_>,
    output: usize,
) -> Option<Vec<Literal>> {
    let declared = declared_values(model, table, output);
    let mut found: Vec<Literal> = declared.clone();
    let mut kind = found.first().map(Kind::of);
    let mut sound = true;
    for (position, rule) in table.rules.iter().enumerate() {
        let Some((Output::Value(value), span)) = rule.outputs.get(output) else { continue };
        let place = table.place().rule(position);
        if *kind.get_or_insert(Kind::of(value)) != Kind::of(value) {
            let help = "let every rule give the same kind of value";
            faults.add(
                place,
                span,
                format!("{value} is of another kind than the other outputs"),
                help,
            );
            sound = false;
        } else if !declared.is_empty() && !declared.contains(value) {
            let texts: Vec<String> = declared.iter().map(Literal::to_string).collect();
            let message = format!("{value} is not among the output values");
            faults.add(place, span, message, format!("they are {}", texts.join(", ")));
            sound = false;
        } else if !found.contains(value) {
            found.push(value.clone());
        }
    }
    if let Some(value) = otherwise(faults, model, map, table, output) {
        if *kind.get_or_insert(Kind::of(&value)) != Kind::of(&value) {
            let message = format!(
                "what it gives when no rule matches, {value}, is of another kind than its outputs"
            );
            faults.add(table.place(), &table.raw.span, message, "give the same kind of value");
            sound = false;
        }
        if !found.contains(&value) {
            found.insert(0, value);
        }
    }
    if found.is_empty() && sound {
        let help =
            "let its rules give literals, or take the decision that it passes on instead of it";
        faults.add(table.place(), &table.raw.span, "no output is a literal", help);
        return None;
    }
    match kind {
        Some(Kind::Flag) => found = [false, true].map(Literal::Flag).into(),
        Some(Kind::Number) if declared.is_empty() => found.sort_by_key(number),
        _ => {}
    }
    sound.then_some(found)
}

pub(crate) fn number(value: &Literal) -> Option<Decimal> {
    match value {
        Literal::Number(number) => Some(*number),
        _ => None,
    }
}
