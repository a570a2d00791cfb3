//! A FIRST table that passes another decision's result on, except where its rules say otherwise, becomes overrides.

use super::{Acceptance, Compiler};
use crate::Role;
use crate::domain::Cell;
use crate::draft::{Named, Override};
use crate::feel::Literal;
use crate::names;
use crate::table::{Hit, Key, Output, Table};
use crate::variable::declared_values;
use std::collections::BTreeSet;

impl Compiler<'_, '_> {
    pub(super) fn overrides(&mut self, table: &Table<'_>) -> Option<Vec<Key>> {
        let base = self.passed_on(table)?;
        let below = self.variables.get(&base)?;
        let Acceptance { keys, rules } = self.acceptance(table)?;
        let passed = table.rules.len().saturating_sub(1);
        let unconditional = |accepts: &Vec<Vec<bool>>| accepts.iter().all(|c| !c.contains(&false));
        if !rules.get(passed)?.as_ref().is_some_and(unconditional) {
            let span = &table.rules.get(passed)?.span;
            let help = "let the last rule test nothing: `-` in every column";
            let message = "the rule that passes the result on has conditions";
            self.faults.add(table.place().rule(passed), span, message, help);
            return None;
        }

        // The tiers, in the declared order, or else the other decision's, lowest first, and then what is new.
        let mut values: Vec<Literal> = declared_values(self.model, table, 0);
        let of_base = below.cells.iter().filter_map(|cell| match cell {
            Cell::Point(value) => Some(value.clone()),
            _ => None,
        });
        let of_rules = table.rules.iter().filter_map(|rule| match rule.outputs.first() {
            Some((Output::Value(value), _)) => Some(value.clone()),
            _ => None,
        });
        for value in of_base.chain(of_rules) {
            if !values.contains(&value) {
                values.push(value);
            }
        }
        let mut taken = BTreeSet::new();
        let tiers: Vec<Named> = values
            .iter()
            .map(|value| {
                let label = Cell::Point(value.clone()).label();
                (names::class(&mut taken, &label), label)
            })
            .collect();
        let tier = |value: &Literal| {
            let position = values.iter().position(|listed| listed == value)?;
            tiers.get(position).map(|(id, _)| id.clone())
        };
        for (cell, class) in below.cells.iter().zip(&below.classes) {
            if let Cell::Point(value) = cell {
                self.draft.tier_map.push((class.clone(), tier(value)?));
            }
        }
        if self.draft.tier_map.iter().all(|(class, tier)| class == tier) {
            self.draft.tier_map.clear();
        }
        // Overrides apply one after another, so the rule that wins comes last.
        for (position, (rule, accepts)) in
            table.rules.iter().zip(&rules).enumerate().take(passed).rev()
        {
            let place = table.place().rule(position);
            let (Output::Value(value), span) = rule.outputs.first()? else { return None };
            let Some(accepts) = accepts else {
                self.note_dead(table, position);
                continue;
            };
            let when = self.condition(&keys, accepts);
            if when.is_empty() {
                let help = "drop the rules after it, or give it a condition";
                self.faults.add(
                    place,
                    span,
                    "the rule always matches, so none after it counts",
                    help,
                );
                return None;
            }
            let label = format!("{}, rule {}", table.name, position.saturating_add(1));
            self.draft.overrides.push(Override { tier: tier(value)?, when, label });
        }
        self.draft.tiers = self.ordered(table, tiers.clone(), self.tiers)?;
        self.draft.tier_from.clone_from(&below.id);
        self.part(table.name, &below.id, Role::Overrides);
        let mut needed = keys;
        needed.push(base);
        Some(needed)
    }

    /// The decision whose result the last rule passes on, if the table has the right form.
    fn passed_on(&mut self, table: &Table<'_>) -> Option<Key> {
        let last = table.rules.len().saturating_sub(1);
        let mut base = None;
        for (position, rule) in table.rules.iter().enumerate() {
            for (output, span) in &rule.outputs {
                let Output::PassOn(key) = output else { continue };
                let place = table.place().rule(position);
                if table.hit != Hit::First || position != last || rule.outputs.len() != 1 {
                    let message = "the output is the name of a decision";
                    let help = "only the last rule of the tier's FIRST table may pass another decision's result on; elsewhere write a literal";
                    self.faults.add(place, span, message, help);
                    return None;
                }
                if self.variables.get(key).is_none_or(|found| found.sum.is_some()) {
                    let help = "classify the points in a table of its own first";
                    self.faults.add(place, span, "the output is a sum of points, not a tier", help);
                    return None;
                }
                base = Some(key.clone());
            }
        }
        base
    }
}
