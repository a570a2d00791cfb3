//! Lists of classes: tiers, levels, the classes of concepts and cuts.

use super::fields::{Fields, default_labels, labels};
use super::names::MAX_NAME;
use super::reader::{Node, Reader};
use crate::Class;
use std::collections::BTreeSet;
use std::ops::Range;
use toml::de::DeValue;

/// The most classes of one concept or cut, and the most levels of one indicator.
pub(super) const MAX_CLASSES: usize = 256;

/// Results that stand beside the tiers, so no tier may be called so.
const RESERVED_TIERS: &[&str] = &["opted_out", "opted-out", "undecided", "invalid"];

const SHAPES: &str = "write [\"low\", \"high\"] or [{ id = \"low\", label = { en = \"Low\" } }, …]";

/// A required list of classes under `key`.
pub(super) fn field(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    key: &'static str,
    fewest: usize,
    most: usize,
) -> Option<Vec<Class>> {
    let node = fields.require(reader, key, SHAPES)?;
    list(reader, &node, key, fewest, most)
}

/// Classes as a list of texts, a list of tables, or a table from identifier to label.
pub(super) fn list(
    reader: &mut Reader,
    node: &Node<'_>,
    key: &str,
    fewest: usize,
    most: usize,
) -> Option<Vec<Class>> {
    let mut classes: Vec<Class> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut sound = true;
    let mut add = |reader: &mut Reader, found: Option<(Class, Range<usize>)>| match found {
        Some((class, span)) => {
            check_id(reader, &class.id, &span, key);
            if !seen.insert(class.id.clone()) {
                reader.fault(
                    &span,
                    format!("`{}` stands twice in `{key}`", class.id),
                    "every class needs an identifier of its own",
                );
            }
            classes.push(class);
        }
        None => sound = false,
    };
    match node.value {
        DeValue::Table(_) => {
            for entry in reader.table(node, format!("`{key}`"))?.into_entries() {
                let label = labels(reader, &entry.node, "label");
                let class =
                    label.map(|label| (Class { id: entry.key.to_owned(), label }, entry.key_span));
                add(reader, class);
            }
        }
        DeValue::Array(array) => {
            for item in array.iter().map(Node::new) {
                let class = class(reader, &item, key);
                add(reader, class);
            }
        }
        _ => {
            reader.fault(&node.span, format!("`{key}` should be a list of classes"), SHAPES);
            return None;
        }
    }
    if sound && (classes.len() < fewest || classes.len() > most) {
        let right = if fewest == most { fewest.to_string() } else { format!("{fewest} to {most}") };
        let message = format!("`{key}` names {}; there must be {right}", classes.len());
        reader.fault(&node.span, message, SHAPES);
        return None;
    }
    sound.then_some(classes)
}

fn class(reader: &mut Reader, node: &Node<'_>, key: &str) -> Option<(Class, Range<usize>)> {
    if let DeValue::String(id) = node.value {
        return Some((Class { id: id.to_string(), label: default_labels(id) }, node.span.clone()));
    }
    let mut fields = reader.table(node, format!("a class of `{key}`"))?;
    let id_node = fields.require(reader, "id", SHAPES);
    let id = id_node.as_ref().and_then(|node| reader.text(node, "`id`"));
    let label = fields.labels(reader, "label", id.unwrap_or_default());
    fields.finish(reader);
    Some((Class { id: id?.to_owned(), label }, id_node?.span))
}

/// A class may be called whatever TOML takes as a bare key, so that tables of points need no quotes.
pub(super) fn check_id(reader: &mut Reader, id: &str, span: &Range<usize>, key: &str) {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    if id.is_empty() || id.len() > MAX_NAME || !id.bytes().all(allowed) {
        let help = "use letters a to z, digits, hyphens and underscores, at most 64; other words go into the label";
        reader.fault(span, format!("\"{id}\" cannot be an identifier in `{key}`"), help);
    }
    if key == "tiers" && RESERVED_TIERS.contains(&id) {
        let help = "opted out, undecided and invalid are results of their own";
        reader.fault(span, format!("no tier may be called `{id}`"), help);
    }
}

/// Position of the class called `id`.
pub(super) fn position(
    reader: &mut Reader,
    classes: &[Class],
    id: &str,
    span: &Range<usize>,
    of: &str,
) -> Option<usize> {
    let found = classes.iter().position(|class| class.id == id);
    if found.is_none() {
        let known = classes.iter().map(|class| class.id.as_str());
        reader.unknown(span, format!("{of} has no class `{id}`"), id, known);
    }
    found
}

/// Positions of a text or list of texts among the classes, ascending.
pub(super) fn positions(
    reader: &mut Reader,
    classes: &[Class],
    node: &Node<'_>,
    of: &str,
) -> Option<Vec<usize>> {
    let texts = reader.texts(node, of)?;
    let found: Vec<Option<usize>> =
        texts.iter().map(|(id, span)| position(reader, classes, id, span, of)).collect();
    let mut found = found.into_iter().collect::<Option<Vec<usize>>>()?;
    found.sort_unstable();
    Some(found)
}
