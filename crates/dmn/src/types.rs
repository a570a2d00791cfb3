//! What kind of values a variable takes, and which of them are allowed.

use crate::feel::Literal;
use crate::model::{ItemType, Located, Model};

/// How deep types may refer to types.
const MAX_DEPTH: usize = 16;

/// The kinds of values that can be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    Flag,
}

impl Kind {
    pub fn of(literal: &Literal) -> Self {
        match literal {
            Literal::Text(_) => Self::Text,
            Literal::Number(_) => Self::Number,
            Literal::Flag(_) => Self::Flag,
        }
    }

    pub fn words(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Number => "a number",
            Self::Flag => "true or false",
        }
    }
}

/// What a type says of its values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Declared {
    /// `None`: anything.
    pub kind: Option<Kind>,
    pub allowed: Option<Located>,
}

/// Looks a type up, and below it the components of a path. The error says what cannot be imported.
pub(crate) fn declared(
    model: &Model,
    type_ref: Option<&str>,
    path: &str,
) -> Result<Declared, String> {
    let Some(name) = type_ref else { return Ok(Declared::default()) };
    if path.is_empty() {
        return named(model, name, 0);
    }
    let Some(structure) = find(model, name) else { return Ok(Declared::default()) };
    component(model, structure, path, 0)
}

fn find<'m>(model: &'m Model, name: &str) -> Option<&'m ItemType> {
    model.types.iter().find(|item| item.name == name)
}

fn named(model: &Model, name: &str, depth: usize) -> Result<Declared, String> {
    let of_kind = |kind| Ok(Declared { kind: Some(kind), allowed: None });
    match name {
        "string" => return of_kind(Kind::Text),
        "number" => return of_kind(Kind::Number),
        "boolean" => return of_kind(Kind::Flag),
        _ => {}
    }
    match find(model, name) {
        Some(item) => item_type(model, item, depth),
        None => Err(format!("values of type `{name}`")),
    }
}

fn item_type(model: &Model, item: &ItemType, depth: usize) -> Result<Declared, String> {
    if depth > MAX_DEPTH {
        return Err(format!("the type `{}`, which nests too deep", item.name));
    }
    if item.is_list {
        return Err(format!("the list type `{}`", item.name));
    }
    if !item.components.is_empty() {
        return Err(format!("the structure `{}` as a whole", item.name));
    }
    let base = match &item.type_ref {
        Some(name) => named(model, name, depth.saturating_add(1))?,
        None => Declared::default(),
    };
    Ok(Declared { kind: base.kind, allowed: item.allowed.clone().or(base.allowed) })
}

fn component(model: &Model, item: &ItemType, path: &str, depth: usize) -> Result<Declared, String> {
    if depth > MAX_DEPTH {
        return Err(format!("the type `{}`, which nests too deep", item.name));
    }
    let deeper = depth.saturating_add(1);
    if item.components.is_empty()
        && let Some(structure) = item.type_ref.as_deref().and_then(|name| find(model, name))
    {
        return component(model, structure, path, deeper);
    }
    if let Some(found) = item.components.iter().find(|part| part.name == path) {
        return item_type(model, found, deeper);
    }
    for part in &item.components {
        let rest = path.strip_prefix(part.name.as_str()).and_then(|rest| rest.strip_prefix('.'));
        if let Some(rest) = rest {
            return component(model, part, rest.trim(), deeper);
        }
    }
    Err(format!("`{path}`, which the type `{}` does not have,", item.name))
}
