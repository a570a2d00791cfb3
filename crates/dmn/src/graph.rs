//! Which decision is the tier, and which tables it needs.

use crate::fault::{Faults, Place};
use crate::model::{Logic, Model};
use crate::table::{self, Key, NameProblem, Table};
use std::collections::BTreeMap;

/// The tables that the tier needs, by decision.
pub(crate) struct Graph<'m> {
    pub tier: Key,
    pub tables: BTreeMap<usize, Table<'m>>,
}

/// Reads the tier's table and all that it depends on. `None`: a fault was recorded.
pub(crate) fn read<'m>(
    faults: &mut Faults,
    model: &'m Model,
    wanted: Option<&str>,
) -> Option<Graph<'m>> {
    let tier = match wanted {
        Some(name) => named_tier(faults, model, name)?,
        None => top(faults, model)?,
    };
    let Key::Output { decision: root, .. } = tier else { return None };
    let mut tables = BTreeMap::new();
    // A decision is open while what it needs is read, so that a circle is met as an open one.
    let mut open: Vec<usize> = Vec::new();
    let mut sound = true;
    let mut stack = vec![(root, false)];
    while let Some((decision, done)) = stack.pop() {
        if done {
            open.retain(|other| *other != decision);
            continue;
        }
        if open.contains(&decision) {
            circle(faults, model, decision);
            return None;
        }
        if tables.contains_key(&decision) {
            continue;
        }
        let Some(found) = table::read(faults, model, decision) else {
            sound = false;
            continue;
        };
        open.push(decision);
        stack.push((decision, true));
        for needed in needs(&found) {
            stack.push((needed, false));
        }
        tables.insert(decision, found);
    }
    sound.then_some(Graph { tier, tables })
}

fn needs(table: &Table<'_>) -> Vec<usize> {
    let read = table.columns.iter().map(|column| &column.key);
    let passed =
        table.rules.iter().flat_map(|rule| &rule.outputs).filter_map(|(output, _)| match output {
            table::Output::PassOn(key) => Some(key),
            table::Output::Value(_) => None,
        });
    let decision = |key: &Key| match key {
        Key::Output { decision, .. } => Some(*decision),
        Key::Input { .. } => None,
    };
    read.chain(passed).filter_map(decision).collect()
}

fn circle(faults: &mut Faults, model: &Model, decision: usize) {
    if let Some(found) = model.decisions.get(decision) {
        let place = Place::table(&found.name.text);
        let help = "let one of the decisions do without the other";
        faults.add(place, &found.name.span, "the decision depends on itself", help);
    }
}

fn named_tier(faults: &mut Faults, model: &Model, name: &str) -> Option<Key> {
    let problem = match table::resolve(model, name) {
        Ok(key @ Key::Output { .. }) => return Some(key),
        Err(NameProblem::ChooseOutput(options)) => {
            let message = format!("decision \"{name}\" has several outputs");
            faults.add(Place::default(), &(0..0), message, format!("say --tier with {options}"));
            return None;
        }
        Ok(Key::Input { .. }) => "is input data",
        Err(NameProblem::Unknown) => "does not exist",
    };
    let message = format!("decision \"{name}\" {problem}");
    let help = format!("the file has {}", listed(model, 0..model.decisions.len()));
    faults.add(Place::default(), &(0..0), message, help);
    None
}

/// The one decision that no other requires.
fn top(faults: &mut Faults, model: &Model) -> Option<Key> {
    let required = |id: &str| {
        model
            .decisions
            .iter()
            .any(|other| other.requires.iter().any(|href| href.rsplit('#').next() == Some(id)))
    };
    let tops: Vec<usize> = model
        .decisions
        .iter()
        .enumerate()
        .filter(|(_, decision)| !required(&decision.id))
        .map(|(position, _)| position)
        .collect();
    let (Some(&only), 1) = (tops.first(), tops.len()) else {
        let message = match tops.len() {
            0 => "no decision stands at the top".to_owned(),
            _ => format!("several decisions stand at the top: {}", listed(model, tops)),
        };
        let help = "say which one is the tier: --tier DECISION";
        faults.add(Place::default(), &(0..0), message, help);
        return None;
    };
    let decision = model.decisions.get(only)?;
    match &decision.logic {
        Logic::Table(table) if table.outputs.len() > 1 => {
            named_tier(faults, model, &decision.name.text)
        }
        _ => Some(Key::Output { decision: only, output: 0 }),
    }
}

fn listed(model: &Model, positions: impl IntoIterator<Item = usize>) -> String {
    let names = positions.into_iter().filter_map(|position| model.decisions.get(position));
    names.map(|decision| format!("\"{}\"", decision.name.text)).collect::<Vec<_>>().join(", ")
}
