//! From tables to a draft: which table becomes a concept, a score or overrides.

mod concept;
mod indicator;
mod overrides;
mod score;

use crate::draft::{Condition, Cut, Draft, Named};
use crate::fault::Faults;
use crate::graph::Graph;
use crate::map::Map;
use crate::model::Model;
use crate::names::{self, Names};
use crate::table::{Hit, Key, Output, Table};
use crate::variable::Variable;
use crate::{Note, Part, Role};
use blindtier_policy::{MAX_TABLE, MAX_TIERS, MIN_TIERS};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that the steps of an import share.
pub(crate) struct Compiler<'a, 'm> {
    pub faults: &'a mut Faults,
    pub names: &'a mut Names,
    pub model: &'m Model,
    pub map: &'a Map,
    pub graph: &'a Graph<'m>,
    pub variables: &'a BTreeMap<Key, Variable>,
    /// Tiers, lowest first, as the caller wants them.
    pub tiers: Option<&'a [String]>,
    pub draft: Draft,
    pub parts: Vec<Part>,
    pub notes: Vec<Note>,
    /// What is wrong with the map: message and remedy.
    pub map_faults: Vec<(String, String)>,
}

/// What every rule of a table accepts of every variable that it reads.
pub(super) struct Acceptance {
    pub keys: Vec<Key>,
    /// For each rule, for each key, for each class; `None` for a rule that never matches.
    pub rules: Vec<Option<Vec<Vec<bool>>>>,
}

impl Compiler<'_, '_> {
    /// Compiles the tier and all that it needs. `None`: a fault was recorded.
    pub fn run(&mut self) -> Option<()> {
        let graph = self.graph;
        let tier = graph.tier.clone();
        let table = graph.tables.get(decision(&tier)?)?;
        let passes_on = |(output, _): &(Output, _)| matches!(output, Output::PassOn(_));
        let mut open: Vec<Key> = if table.rules.iter().flat_map(|rule| &rule.outputs).any(passes_on)
        {
            self.overrides(table)?
        } else if matches!(table.hit, Hit::Sum | Hit::Count) {
            self.cut_tier(table)?
        } else {
            let (needed, concept) = self.concept(table, &tier, self.tiers)?;
            self.draft.tiers.clone_from(&concept.classes);
            self.draft.tier_from.clone_from(&concept.id);
            self.part(table.name, &concept.id, Role::Concept);
            self.draft.concepts.push(concept);
            needed
        };
        self.check_tiers(table)?;
        let mut done = BTreeSet::from([tier]);
        let mut inputs = BTreeSet::new();
        let mut sound = true;
        while let Some(key) = open.pop() {
            if !done.insert(key.clone()) {
                continue;
            }
            let Some(decision) = decision(&key) else {
                inputs.insert(key);
                continue;
            };
            let table = graph.tables.get(decision)?;
            match self.intermediate(table, &key) {
                Some(needed) => open.extend(needed),
                None => sound = false,
            }
        }
        for key in inputs {
            self.indicator(&key)?;
        }
        sound.then_some(())
    }

    /// A table below the tier: a concept, or a score with its cut.
    fn intermediate(&mut self, table: &Table<'_>, key: &Key) -> Option<Vec<Key>> {
        let name = key.name(self.model);
        if matches!(table.hit, Hit::Sum | Hit::Count) {
            let (needed, score) = self.score(table)?;
            let variable = self.variables.get(key)?;
            let at = variable.cells.iter().filter_map(|cell| match cell {
                crate::domain::Cell::Range { from, .. } => *from,
                _ => None,
            });
            let cut = Cut {
                id: variable.id.clone(),
                label: name,
                score: score.clone(),
                classes: self.classes(variable),
                at: at.collect(),
            };
            self.part(table.name, &cut.id, Role::Cut);
            self.draft.cuts.push(cut);
            return Some(needed);
        }
        let (needed, concept) = self.concept(table, key, None)?;
        self.part(&name, &concept.id, Role::Concept);
        self.draft.concepts.push(concept);
        Some(needed)
    }

    /// A sum as the tier: the map says where it is cut.
    fn cut_tier(&mut self, table: &Table<'_>) -> Option<Vec<Key>> {
        let Some(tier) = &self.map.tier else {
            let help = "say in the map where it is cut: [tier] with names = [\"low\", \"high\"] and at = [10]";
            let message =
                "the tier is a sum of points, and nothing says which points are which tier";
            self.faults.add(table.place(), &table.raw.span, message, help);
            return None;
        };
        let mut taken = BTreeSet::new();
        let classes: Vec<Named> =
            tier.names.iter().map(|name| (names::class(&mut taken, name), name.clone())).collect();
        let (needed, score) = self.score(table)?;
        // A cut between two possible sums can stand at the upper one.
        let decimals = self.draft.scores.last().map_or(0, |score| score.decimals);
        let at = tier.at.iter().filter_map(|at| {
            crate::domain::start(crate::domain::Edge { at: *at, after: false }, decimals)
        });
        let id = self.names.variable(&format!("{} tier", table.name));
        let cut = Cut {
            id: id.clone(),
            label: table.name.to_owned(),
            score,
            classes: classes.clone(),
            at: at.collect(),
        };
        self.part(table.name, &id, Role::Cut);
        self.draft.cuts.push(cut);
        self.draft.tiers = classes;
        self.draft.tier_from = id;
        Some(needed)
    }

    fn check_tiers(&mut self, table: &Table<'_>) -> Option<()> {
        let count = self.draft.tiers.len();
        if (MIN_TIERS..=MAX_TIERS).contains(&count) {
            return Some(());
        }
        let message = format!("the tier takes {count} values");
        let help = format!("a policy has {MIN_TIERS} to {MAX_TIERS} tiers: group the outputs");
        self.faults.add(table.place(), &table.raw.span, message, help);
        None
    }

    /// What the rules of a table accept.
    pub(super) fn acceptance(&self, table: &Table<'_>) -> Option<Acceptance> {
        let mut keys: Vec<Key> = Vec::new();
        for column in &table.columns {
            if !keys.contains(&column.key) {
                keys.push(column.key.clone());
            }
        }
        let mut rules = Vec::with_capacity(table.rules.len());
        for rule in &table.rules {
            let mut accepted = Vec::with_capacity(keys.len());
            for key in &keys {
                let variable = self.variables.get(key)?;
                let tests =
                    table.columns.iter().zip(&rule.tests).filter(|(column, _)| column.key == *key);
                let mut classes = vec![true; variable.cells.len()];
                for (_, (tests, _)) in tests {
                    for (class, cell) in classes.iter_mut().zip(&variable.cells) {
                        *class &= cell.is_accepted(tests);
                    }
                }
                accepted.push(classes);
            }
            let matches = accepted.iter().all(|classes: &Vec<bool>| classes.contains(&true));
            rules.push(matches.then_some(accepted));
        }
        // Variables that every rule accepts whole are not looked at.
        let looked_at: Vec<bool> = (0..keys.len())
            .map(|position| {
                let of_key = rules.iter().flatten().filter_map(|rule: &Vec<_>| rule.get(position));
                of_key.into_iter().any(|classes: &Vec<bool>| classes.contains(&false))
            })
            .collect();
        fn kept<T>(all: Vec<T>, looked_at: &[bool]) -> Vec<T> {
            all.into_iter().zip(looked_at).filter(|(_, kept)| **kept).map(|(one, _)| one).collect()
        }
        let rules = rules.into_iter().map(|rule| Some(kept(rule?, &looked_at))).collect();
        Some(Acceptance { keys: kept(keys, &looked_at), rules })
    }

    /// The number of classes of every variable, if a table over them is small enough.
    pub(super) fn sizes(&mut self, table: &Table<'_>, keys: &[Key]) -> Option<Vec<usize>> {
        let variables: Vec<_> =
            keys.iter().map(|key| self.variables.get(key)).collect::<Option<_>>()?;
        let sizes: Vec<usize> = variables.iter().map(|variable| variable.cells.len()).collect();
        let count = crate::rows::total(&sizes);
        if count <= MAX_TABLE {
            return Some(sizes);
        }
        let message = format!("the table distinguishes {count} combinations");
        let help = format!("split it into tables of at most {MAX_TABLE} combinations");
        self.faults.add(table.place(), &table.raw.span, message, help);
        None
    }

    /// A combination in words.
    pub(super) fn example(&self, keys: &[Key], combination: &[usize]) -> String {
        let words = keys.iter().zip(combination).filter_map(|(key, class)| {
            let variable = self.variables.get(key)?;
            Some(format!("`{}` {}", variable.name, variable.cells.get(*class)?.label()))
        });
        words.collect::<Vec<_>>().join(", ")
    }

    pub(super) fn classes(&self, variable: &Variable) -> Vec<Named> {
        variable.classes.iter().cloned().zip(variable.labels()).collect()
    }

    /// What a row asks, without the variables that it accepts whole.
    pub(super) fn condition(&self, keys: &[Key], accepts: &[Vec<bool>]) -> Condition {
        let asked = keys.iter().zip(accepts).filter(|(_, accepted)| accepted.contains(&false));
        asked
            .filter_map(|(key, accepted)| {
                let variable = self.variables.get(key)?;
                let wanted = variable.classes.iter().zip(accepted).filter(|(_, wanted)| **wanted);
                Some((variable.id.clone(), wanted.map(|(class, _)| class.clone()).collect()))
            })
            .collect()
    }

    pub(super) fn part(&mut self, dmn: &str, id: &str, role: Role) {
        self.parts.push(Part { dmn: dmn.to_owned(), id: id.to_owned(), role });
    }

    pub(super) fn note(&mut self, table: &str, text: String) {
        self.notes.push(Note { table: table.to_owned(), text });
    }
}

pub(super) fn decision(key: &Key) -> Option<&usize> {
    match key {
        Key::Output { decision, .. } => Some(decision),
        Key::Input { .. } => None,
    }
}
