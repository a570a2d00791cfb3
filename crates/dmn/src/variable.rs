//! The variables of a policy: what they are called, and the classes that tests tell apart.

mod input;
mod output;

pub(crate) use output::{declared_values, otherwise};

use crate::domain::Cell;
use crate::fault::{Faults, Place};
use crate::feel::{Literal, Simple, Tests, brief};
use crate::graph::Graph;
use crate::map::Map;
use crate::model::{Located, Model};
use crate::names::{Names, class};
use crate::table::{Key, Output};
use crate::types::Kind;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// The most classes that a policy allows one variable.
const MAX_CLASSES: usize = 256;

/// A variable and its classes.
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    /// As the model calls it.
    pub name: String,
    /// Identifier in the policy.
    pub id: String,
    pub cells: Vec<Cell>,
    /// Identifiers of the classes, one for each cell.
    pub classes: Vec<String>,
    /// Whether it is the sum of a COLLECT table, with so many decimals.
    pub sum: Option<u32>,
}

impl Variable {
    fn new(names: &mut Names, name: String, cells: Vec<Cell>, sum: Option<u32>) -> Self {
        let mut taken = BTreeSet::new();
        let classes = cells.iter().map(|cell| class(&mut taken, &cell.label())).collect();
        // Of a sum, conditions see the cut; the score has an identifier of its own.
        let id = names.variable(&if sum.is_some() { format!("{name} band") } else { name.clone() });
        Self { id, name, cells, classes, sum }
    }

    /// The position of a value.
    pub fn position(&self, value: &Literal) -> Option<usize> {
        let stated = self.cells.iter().position(|cell| match (cell, value) {
            (Cell::Range { from, below }, Literal::Number(number)) => {
                from.is_none_or(|from| from <= *number) && below.is_none_or(|below| *number < below)
            }
            (cell, value) => *cell == Cell::Point(value.clone()),
        });
        let is_text = matches!(value, Literal::Text(_));
        let other = || self.cells.iter().position(|cell| is_text && *cell == Cell::OtherText);
        stated.or_else(other)
    }

    pub fn labels(&self) -> impl Iterator<Item = String> {
        self.cells.iter().map(Cell::label)
    }
}

/// One test and where it stands.
struct Use<'g> {
    place: Place<'g>,
    tests: &'g Tests,
    span: &'g Range<usize>,
}

/// What is known of a variable from the tables that read it.
#[derive(Default)]
struct Uses<'g> {
    tests: Vec<Use<'g>>,
    type_ref: Option<&'g str>,
    /// `inputValues` with the table that states them.
    values: Vec<(&'g Located, Place<'g>)>,
}

/// Gives every variable of the tables its classes; `None` if a fault was recorded.
pub(crate) fn variables(
    faults: &mut Faults,
    names: &mut Names,
    model: &Model,
    map: &Map,
    graph: &Graph<'_>,
) -> Option<BTreeMap<Key, Variable>> {
    let mut uses: BTreeMap<Key, Uses<'_>> = BTreeMap::new();
    uses.entry(graph.tier.clone()).or_default();
    for table in graph.tables.values() {
        for (position, column) in table.columns.iter().enumerate() {
            let found = uses.entry(column.key.clone()).or_default();
            found.type_ref = found.type_ref.or(column.type_ref.as_deref());
            found.values.extend(column.values.as_ref().map(|values| (values, table.place())));
            for (number, rule) in table.rules.iter().enumerate() {
                if let Some((tests, span)) = rule.tests.get(position) {
                    found.tests.push(Use { place: table.place().rule(number), tests, span });
                }
            }
        }
        for (output, _) in table.rules.iter().flat_map(|rule| &rule.outputs) {
            if let Output::PassOn(key) = output {
                uses.entry(key.clone()).or_default();
            }
        }
    }
    let mut variables = BTreeMap::new();
    for (key, uses) in uses {
        let name = key.name(model);
        let maker = Maker { model, map, name: &name, uses: &uses };
        let found = match &key {
            Key::Input { input, path } => {
                maker.input(faults, *input, path).map(|cells| (cells, None))
            }
            Key::Output { decision, output } => match graph.tables.get(decision) {
                Some(table) => maker.output(faults, table, *output),
                None => None,
            },
        };
        let Some((cells, sum)) = found else { continue };
        if cells.len() > MAX_CLASSES {
            let (place, span) = maker.anywhere();
            let message = format!("`{name}` falls into {} classes", cells.len());
            faults.add(
                place,
                &span,
                message,
                format!("test it at fewer values: at most {MAX_CLASSES} classes"),
            );
        }
        variables.insert(key, Variable::new(names, name, cells, sum));
    }
    faults.is_clean().then_some(variables)
}

struct Maker<'g> {
    model: &'g Model,
    map: &'g Map,
    name: &'g str,
    uses: &'g Uses<'g>,
}

impl Maker<'_> {
    /// A place to name when the fault is the variable's.
    fn anywhere(&self) -> (Place<'_>, Range<usize>) {
        match self.uses.tests.first() {
            Some(first) => (Place { rule: None, ..first.place }, first.span.clone()),
            None => (Place::default(), 0..0),
        }
    }

    fn check_kind(&self, faults: &mut Faults, kind: Kind) {
        for used in &self.uses.tests {
            for simple in used.tests.alternatives() {
                let (found, shown) = match simple {
                    Simple::Equals(literal) => (Kind::of(literal), brief(&literal.to_string())),
                    Simple::Range { .. } => (Kind::Number, "a range of numbers".to_owned()),
                };
                if found != kind {
                    let message = format!(
                        "`{}` is {}, but it is compared with {shown}",
                        self.name,
                        kind.words()
                    );
                    faults.add(
                        used.place,
                        used.span,
                        message,
                        format!("compare it with {}", kind.words()),
                    );
                }
            }
        }
    }
}

fn kind(tests: &Tests) -> Option<Kind> {
    tests.alternatives().first().map(|simple| match simple {
        Simple::Equals(literal) => Kind::of(literal),
        Simple::Range { .. } => Kind::Number,
    })
}
