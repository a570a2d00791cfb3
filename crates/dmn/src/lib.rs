//! Decision tables of OMG DMN 1.3, 1.4 and 1.5 as blindtier policies.
//!
//! [`import`] reads a model, takes one decision as the tier, and turns the tables that it needs into concepts, scores,
//! cuts and overrides, and the inputs that they read into indicators. Whatever is outside the subset is refused with
//! the table's name, the rule and the place in the file; docs/dmn.md says what the subset is.
#![forbid(unsafe_code)]

mod compile;
mod domain;
mod draft;
mod fault;
mod feel;
mod graph;
mod map;
mod model;
mod names;
mod rows;
mod table;
mod types;
mod variable;

pub use fault::{DmnError, DmnErrors, ImportError};
pub use map::Map;

use blindtier_policy::Policy;
use compile::Compiler;
use draft::Draft;
use fault::{Faults, Place};
use serde::Serialize;
use std::fmt;

/// The largest DMN file, in bytes.
pub const MAX_DMN: usize = 4 << 20;

/// How to import.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Which agency holds which input, and what else the model does not say.
    pub map: Map,
    /// Name of the map file, for messages.
    pub map_name: String,
    /// The decision that is the tier, or one output of it as `Decision.Output`; by default the one that no other
    /// decision requires.
    pub tier: Option<String>,
    /// The tiers, lowest first, as the model writes them; by default in the order in which the model lists them.
    pub tiers: Option<Vec<String>>,
}

/// An imported policy.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The policy, checked.
    pub policy: Policy,
    /// The policy file.
    pub toml: String,
    /// What became of inputs and tables.
    pub parts: Vec<Part>,
    /// What was left out because it makes no difference.
    pub notes: Vec<Note>,
}

/// An input or table of the model and what it became.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// Name in the model.
    pub dmn: String,
    /// Identifier in the policy.
    pub id: String,
    /// What it became.
    pub role: Role,
}

/// What a part of a model became.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// An indicator of an agency.
    Indicator,
    /// A decision table.
    Concept,
    /// A sum of points.
    Score,
    /// Classes of a sum.
    Cut,
    /// Overrides of the tier that another decision gives.
    Overrides,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Indicator => "indicator",
            Self::Concept => "concept",
            Self::Score => "score",
            Self::Cut => "cut",
            Self::Overrides => "overrides",
        })
    }
}

/// Something that was left out because it makes no difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    /// Name of the table.
    pub table: String,
    /// What was left out, and why.
    pub text: String,
}

/// Reads a DMN file as a policy. `file_name` only appears in messages.
///
/// # Errors
/// All that is outside the subset or contradicts itself, with its place; a map that does not fit the model; or what
/// the policy checker finds in the result.
pub fn import(file_name: &str, text: &str, options: &Options) -> Result<Imported, ImportError> {
    let mut faults = Faults::default();
    let found = read(&mut faults, file_name, text, options)?;
    let Some((draft, parts, notes)) = found.filter(|_| faults.is_clean()) else {
        if faults.is_clean() {
            let help = "this is a fault of the importer; please report it with the file";
            faults.add(Place::default(), &(0..0), "the model cannot be imported", help);
        }
        return Err(faults.into_errors(file_name, text).into());
    };
    let toml = draft.toml();
    let policy = Policy::parse("imported policy", &toml)
        .map_err(|errors| ImportError::Policy { file: file_name.to_owned(), errors })?;
    Ok(Imported { policy, toml, parts, notes })
}

type Found = (Draft, Vec<Part>, Vec<Note>);

fn read(
    faults: &mut Faults,
    file_name: &str,
    text: &str,
    options: &Options,
) -> Result<Option<Found>, ImportError> {
    let Some(model) = model::read(faults, text) else { return Ok(None) };
    let wrong_map = |message: String, help: String| ImportError::Map {
        file: options.map_name.clone(),
        message,
        help,
    };
    if let Some((kind, name)) = unknown_name(&model, &options.map) {
        let message = format!("the model has no {kind} \"{name}\"");
        return Err(wrong_map(message, "write the name as the model writes it".to_owned()));
    }
    let Some(graph) = graph::read(faults, &model, options.tier.as_deref()) else { return Ok(None) };
    let mut names = names::Names::default();
    let Some(variables) = variable::variables(faults, &mut names, &model, &options.map, &graph)
    else {
        return Ok(None);
    };
    let title = if model.name.is_empty() { "Imported policy" } else { model.name.as_str() };
    let draft = Draft {
        source: file_name.rsplit(['/', '\\']).next().unwrap_or_default().to_owned(),
        name: names::policy(title),
        title: title.to_owned(),
        ..Draft::default()
    };
    let mut compiler = Compiler {
        faults,
        names: &mut names,
        model: &model,
        map: &options.map,
        graph: &graph,
        variables: &variables,
        tiers: options.tiers.as_deref(),
        draft,
        parts: Vec::new(),
        notes: Vec::new(),
        map_faults: Vec::new(),
    };
    let sound = compiler.run();
    let Compiler { draft, parts, notes, map_faults, .. } = compiler;
    if let Some((message, help)) = map_faults.into_iter().next() {
        return Err(wrong_map(message, help));
    }
    Ok(sound.map(|()| (draft, parts, notes)))
}

/// The first name in the map that the model does not have.
fn unknown_name<'a>(model: &model::Model, map: &'a Map) -> Option<(&'static str, &'a str)> {
    let is_input = |name: &str| matches!(table::resolve(model, name), Ok(table::Key::Input { .. }));
    let is_table = |name: &str| {
        matches!(table::resolve(model, name), Ok(table::Key::Output { .. }))
            || model.decisions.iter().any(|decision| decision.name.text == name)
    };
    let input = map.inputs.keys().find(|name| !is_input(name)).map(|name| ("input", name.as_str()));
    input.or_else(|| {
        map.tables.keys().find(|name| !is_table(name)).map(|name| ("decision", name.as_str()))
    })
}
