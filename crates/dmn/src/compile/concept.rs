//! Tables of which one rule counts become concepts.

use super::{Acceptance, Compiler};
use crate::draft::{Concept, Named};
use crate::feel::Literal;
use crate::rows::{self, Row};
use crate::table::{Hit, Key, Output, Table};
use crate::variable::{declared_values, otherwise};
use std::collections::BTreeSet;

impl Compiler<'_, '_> {
    /// One output of a table as a concept, and the variables it reads. `order` names the classes as the caller wants
    /// them ordered.
    pub(super) fn concept(
        &mut self,
        table: &Table<'_>,
        key: &Key,
        order: Option<&[String]>,
    ) -> Option<(Vec<Key>, Concept)> {
        let variable = self.variables.get(key)?;
        let Key::Output { output, .. } = key else { return None };
        let ranked = self.by_rank(table)?;
        let Acceptance { mut keys, rules } = self.acceptance(table)?;
        let mut sizes = self.sizes(table, &keys)?;
        let mut candidates = Vec::with_capacity(rules.len());
        for position in ranked {
            let (value, span) = table.rules.get(position)?.outputs.get(*output)?;
            let Output::Value(value) = value else {
                let help = "only the last rule of the tier's FIRST table may pass another decision's result on";
                let message = "the output is the name of a decision";
                self.faults.add(table.place().rule(position), span, message, help);
                return None;
            };
            let then = variable.position(value)?;
            match rules.get(position)?.clone() {
                Some(accepts) => candidates.push(Row { accepts, then, rule: Some(position) }),
                None => self.note_dead(table, position),
            }
        }
        self.check_overlaps(table, &keys, &sizes, &candidates);
        let first = rows::first_matches(&sizes, &candidates);
        self.note_unreached(table, &candidates, &first);
        self.complete(table, *output, &keys, &sizes, &mut candidates, &first)?;
        if !self.faults.is_clean() {
            return None;
        }

        let left = rows::simplify(&mut sizes, &mut candidates);
        for (position, key) in keys.iter().enumerate() {
            if !left.contains(&position)
                && let Some(found) = self.variables.get(key)
            {
                let text = format!("`{}` makes no difference and is left out", found.name);
                self.note(&key_name(self, table, *output), text);
            }
        }
        keys = left.into_iter().filter_map(|position| keys.get(position).cloned()).collect();
        if keys.is_empty() {
            let message = format!("`{}` has the same value whatever the inputs", variable.name);
            let help = "a table that decides nothing cannot be imported; drop it";
            self.faults.add(table.place(), &table.raw.span, message, help);
            return None;
        }
        let rules = candidates.iter().map(|row| {
            let then = variable.classes.get(row.then).cloned().unwrap_or_default();
            (self.condition(&keys, &row.accepts), then)
        });
        let rules = rules.collect();
        let concept = Concept {
            id: variable.id.clone(),
            label: variable.name.clone(),
            inputs: keys
                .iter()
                .filter_map(|key| self.variables.get(key))
                .map(|v| v.id.clone())
                .collect(),
            classes: self.ordered(table, self.classes(variable), order)?,
            rules,
        };
        Some((keys, concept))
    }

    /// The classes in the order that the caller wants.
    pub(super) fn ordered(
        &mut self,
        table: &Table<'_>,
        classes: Vec<Named>,
        order: Option<&[String]>,
    ) -> Option<Vec<Named>> {
        let Some(order) = order else { return Some(classes) };
        let found: Option<Vec<Named>> = order
            .iter()
            .map(|name| classes.iter().find(|(_, label)| label == name).cloned())
            .collect();
        let distinct: BTreeSet<&String> = order.iter().collect();
        match found {
            Some(found) if found.len() == classes.len() && distinct.len() == order.len() => {
                Some(found)
            }
            _ => {
                let labels: Vec<&str> = classes.iter().map(|(_, label)| label.as_str()).collect();
                let message = format!(
                    "its values are {}, but the order wanted is {}",
                    labels.join(", "),
                    order.join(", ")
                );
                let help = "name every value once after --tiers, lowest first";
                self.faults.add(table.place(), &table.raw.span, message, help);
                None
            }
        }
    }

    /// The rules, those first that win over the others.
    fn by_rank(&mut self, table: &Table<'_>) -> Option<Vec<usize>> {
        let mut positions: Vec<usize> = (0..table.rules.len()).collect();
        match table.hit {
            Hit::Least | Hit::Most => {
                let mut numbers = Vec::new();
                for (position, rule) in table.rules.iter().enumerate() {
                    let (output, span) = rule.outputs.first()?;
                    let Output::Value(Literal::Number(number)) = output else {
                        let place = table.place().rule(position);
                        self.faults.add(place, span, "MIN and MAX need numbers", "write a number");
                        return None;
                    };
                    numbers.push(*number);
                }
                positions.sort_by_key(|position| numbers.get(*position));
                if table.hit == Hit::Most {
                    positions.reverse();
                }
            }
            Hit::Priority => {
                let ranks = self.ranks(table)?;
                positions.sort_by_key(|position| ranks.get(*position));
            }
            _ => {}
        }
        Some(positions)
    }

    /// For PRIORITY, the rank of every rule: the positions of its outputs in their lists of values.
    fn ranks(&mut self, table: &Table<'_>) -> Option<Vec<Vec<usize>>> {
        let lists: Vec<Vec<Literal>> = (0..table.raw.outputs.len())
            .map(|output| declared_values(self.model, table, output))
            .collect();
        if lists.iter().all(Vec::is_empty) {
            let help = "list the output values, the one with the highest priority first";
            self.faults.add(
                table.place(),
                &table.raw.span,
                "hit policy PRIORITY without output values",
                help,
            );
            return None;
        }
        let rank = |(list, (output, _)): (&Vec<Literal>, &(Output, _))| match output {
            Output::Value(value) if !list.is_empty() => {
                list.iter().position(|listed| listed == value)
            }
            _ => None,
        };
        let ranks = table
            .rules
            .iter()
            .map(|rule| lists.iter().zip(&rule.outputs).filter_map(rank).collect());
        Some(ranks.collect())
    }

    /// Two rules may only match at once where the hit policy says which of them counts.
    fn check_overlaps(
        &mut self,
        table: &Table<'_>,
        keys: &[Key],
        sizes: &[usize],
        candidates: &[Row],
    ) {
        if !matches!(table.hit, Hit::Unique | Hit::Any | Hit::Priority) {
            return;
        }
        let outputs = |row: &Row| {
            let rule = row.rule.and_then(|rule| table.rules.get(rule));
            rule.map(|rule| rule.outputs.iter().map(|(output, _)| output).collect::<Vec<_>>())
        };
        let ranks = match table.hit {
            Hit::Priority => self.ranks(table).unwrap_or_default(),
            _ => Vec::new(),
        };
        let rank = |row: &Row| row.rule.and_then(|rule| ranks.get(rule));
        let mut seen = BTreeSet::new();
        for number in 0..rows::total(sizes) {
            let combination = rows::combination(sizes, number);
            let mut matching = candidates.iter().filter(|row| row.matches(&combination));
            let Some(first) = matching.next() else { continue };
            for other in matching {
                let conflict = match table.hit {
                    Hit::Unique => true,
                    Hit::Any => outputs(first) != outputs(other),
                    _ => rank(first) == rank(other) && outputs(first) != outputs(other),
                };
                let (Some(a), Some(b)) = (first.rule, other.rule) else { continue };
                let pair = (a.min(b), a.max(b));
                if !conflict || !seen.insert(pair) {
                    continue;
                }
                let example = self.example(keys, &combination);
                let (lower, upper) = (pair.0.saturating_add(1), pair.1.saturating_add(1));
                let (why, help) = match table.hit {
                    Hit::Unique => (
                        "hit policy UNIQUE allows one",
                        "make the rules exclude each other, or choose hit policy FIRST",
                    ),
                    Hit::Any => (
                        "hit policy ANY wants the same outputs",
                        "give both the same outputs, or choose hit policy FIRST",
                    ),
                    _ => (
                        "they have the same priority and different outputs",
                        "list the values of all outputs, or choose hit policy FIRST",
                    ),
                };
                let message = format!("rules {lower} and {upper} both match {example}, and {why}");
                let span = table.rules.get(pair.1).map_or(&table.raw.span, |rule| &rule.span);
                self.faults.add(table.place(), span, message, help);
            }
        }
    }

    pub(super) fn note_dead(&mut self, table: &Table<'_>, rule: usize) {
        let text = format!("rule {} never matches and is left out", rule.saturating_add(1));
        self.note(table.name, text);
    }

    fn note_unreached(&mut self, table: &Table<'_>, candidates: &[Row], first: &[Option<usize>]) {
        let reached: BTreeSet<usize> = first.iter().flatten().copied().collect();
        for (position, row) in candidates.iter().enumerate() {
            if let Some(rule) = row.rule
                && !reached.contains(&position)
            {
                let text = format!("rule {} never decides and is left out", rule.saturating_add(1));
                self.note(table.name, text);
            }
        }
    }

    /// Adds a row for what no rule matches, or says that there is none.
    fn complete(
        &mut self,
        table: &Table<'_>,
        output: usize,
        keys: &[Key],
        sizes: &[usize],
        candidates: &mut Vec<Row>,
        first: &[Option<usize>],
    ) -> Option<()> {
        let open: Vec<usize> = first
            .iter()
            .enumerate()
            .filter(|(_, row)| row.is_none())
            .map(|(number, _)| number)
            .collect();
        let Some(example) = open.first() else { return Some(()) };
        let key = Key::Output { decision: table.decision, output };
        let variable = self.variables.get(&key)?;
        if let Some(value) = otherwise(self.faults, self.model, self.map, table, output) {
            let then = variable.position(&value)?;
            let accepts = sizes.iter().map(|size| vec![true; *size]).collect();
            candidates.push(Row { accepts, then, rule: None });
            return Some(());
        }
        let example = self.example(keys, &rows::combination(sizes, *example));
        let more = match open.len() {
            1 => String::new(),
            count => format!(" nor {} more combinations", count.saturating_sub(1)),
        };
        let message = if keys.is_empty() {
            "no rule ever matches".to_owned()
        } else {
            format!("no rule matches {example}{more}")
        };
        let help = format!(
            "add a rule or a default output, or say it in the map: otherwise = … under [tables.\"{}\"]",
            table.name
        );
        self.faults.add(table.place(), &table.raw.span, message, help);
        None
    }
}

fn key_name(compiler: &Compiler<'_, '_>, table: &Table<'_>, output: usize) -> String {
    Key::Output { decision: table.decision, output }.name(compiler.model)
}
