//! Conditions: on one variable, joined by all, any and not, or counted.

use super::classes;
use super::fields::Fields;
use super::names::Names;
use super::reader::{Node, Reader};
use crate::Condition;

/// How deep conditions may nest.
const MAX_DEPTH: usize = 32;

const HELP: &str = "write { income = \"none\" }, { any = [ … ] }, { all = [ … ] }, { not = { … } } or { of = [ … ], at_least = 2 }";

/// The required condition under `when`.
pub(super) fn field(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    names: &Names<'_>,
) -> Option<Condition> {
    let node = fields.require(reader, "when", HELP)?;
    condition(reader, &node, names, 1)
}

fn condition(
    reader: &mut Reader,
    node: &Node<'_>,
    names: &Names<'_>,
    depth: usize,
) -> Option<Condition> {
    if depth > MAX_DEPTH {
        reader.fault(
            &node.span,
            format!("conditions nest more than {MAX_DEPTH} deep"),
            "name an intermediate result as a concept",
        );
        return None;
    }
    let fields = reader.table(node, "a condition")?;
    let joined: Vec<&str> = fields
        .entries()
        .iter()
        .map(|entry| entry.key)
        .filter(|key| ["any", "all", "not", "of"].contains(key))
        .collect();
    match joined.as_slice() {
        [] => plain(reader, node, fields, names),
        ["of"] => count(reader, fields, names, depth),
        [_] if fields.entries().len() == 1 => joint(reader, fields, names, depth),
        _ => {
            let help = "one of any, all, not and of stands alone; put the rest into a condition of its own";
            reader.fault(&node.span, "this condition mixes several kinds", help);
            None
        }
    }
}

/// `variable = "class"` entries, all of which must hold.
fn plain(
    reader: &mut Reader,
    node: &Node<'_>,
    fields: Fields<'_>,
    names: &Names<'_>,
) -> Option<Condition> {
    if fields.entries().is_empty() {
        reader.fault(&node.span, "an empty condition says nothing", HELP);
        return None;
    }
    let mut sound = true;
    let mut all = Vec::new();
    for entry in fields.into_entries() {
        let condition = names.resolve(reader, entry.key, &entry.key_span).and_then(|found| {
            let classes = classes::positions(
                reader,
                found.classes,
                &entry.node,
                &format!("`{}`", entry.key),
            )?;
            Some(Condition::Is { variable: found.variable, classes })
        });
        sound &= condition.is_some();
        all.extend(condition);
    }
    if !sound {
        return None;
    }
    match (all.pop(), all.is_empty()) {
        (Some(only), true) => Some(only),
        (Some(last), false) => {
            all.push(last);
            Some(Condition::All(all))
        }
        (None, _) => None,
    }
}

fn joint(
    reader: &mut Reader,
    fields: Fields<'_>,
    names: &Names<'_>,
    depth: usize,
) -> Option<Condition> {
    let entry = fields.into_entries().pop()?;
    match entry.key {
        "not" => condition(reader, &entry.node, names, depth.saturating_add(1))
            .map(|inner| Condition::Not(Box::new(inner))),
        "any" => list(reader, &entry.node, names, depth).map(Condition::Any),
        _ => list(reader, &entry.node, names, depth).map(Condition::All),
    }
}

fn list(
    reader: &mut Reader,
    node: &Node<'_>,
    names: &Names<'_>,
    depth: usize,
) -> Option<Vec<Condition>> {
    let items = reader.array(node, "conditions")?;
    if items.is_empty() {
        reader.fault(&node.span, "an empty list of conditions says nothing", HELP);
        return None;
    }
    let read: Vec<_> =
        items.iter().map(|item| condition(reader, item, names, depth.saturating_add(1))).collect();
    read.into_iter().collect()
}

fn count(
    reader: &mut Reader,
    mut fields: Fields<'_>,
    names: &Names<'_>,
    depth: usize,
) -> Option<Condition> {
    let of = fields.get("of").and_then(|node| list(reader, &node, names, depth));
    let mut bound = |reader: &mut Reader, key: &'static str| {
        let node = fields.get(key)?;
        let number = reader.integer(&node, &format!("`{key}`"))?;
        let most = of.as_ref().map_or(usize::MAX, Vec::len);
        let fits = usize::try_from(number).ok().filter(|&number| number <= most);
        if fits.is_none() {
            reader.fault(
                &node.span,
                format!("{number} of {most} conditions cannot hold"),
                format!("a number from 0 to {most}"),
            );
        }
        fits
    };
    let exactly = bound(reader, "exactly");
    let at_least = bound(reader, "at_least");
    let at_most = bound(reader, "at_most");
    let (has_exactly, has_range) =
        (fields.has("exactly"), fields.has("at_least") || fields.has("at_most"));
    if has_exactly == has_range {
        let help = "write at_least = 2, at_most = 3, both, or exactly = 1";
        reader.fault(
            &fields.span_of("of"),
            "a count says how many of the conditions must hold",
            help,
        );
    }
    if let (Some(least), Some(most)) = (at_least, at_most)
        && least > most
    {
        let help = "`at_least` is not above `at_most`";
        reader.fault(
            &fields.span_of("at_least"),
            format!("nothing is at least {least} and at most {most}"),
            help,
        );
    }
    fields.finish(reader);
    let of = of?;
    let (min, max) = match exactly {
        Some(number) => (number, number),
        None => (at_least.unwrap_or(0), at_most.unwrap_or(of.len())),
    };
    Some(Condition::Count { min, max, of })
}
