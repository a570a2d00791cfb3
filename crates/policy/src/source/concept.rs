//! Decision tables.

use super::names::{Names, Resolved};
use super::reader::{Node, Reader};
use super::{Part, classes};
use crate::{Class, Concept, MAX_TABLE, Rule, Table};

/// The most rules of one table.
const MAX_RULES: usize = 1024;

const RULES: &str =
    "write rules = [{ when = { income = \"none\" }, then = \"bad\" }, { then = \"good\" }]";

/// An input of the table with its name.
struct Input<'n> {
    name: &'n str,
    resolved: Resolved<'n>,
}

pub(super) fn concept(
    reader: &mut Reader,
    part: Part<'_>,
    classes: Option<Vec<Class>>,
    names: &Names<'_>,
) -> Option<Concept> {
    let mut fields = part.fields;
    let label = fields.labels(reader, "label", part.id);
    let help = "name what the table looks at: inputs = [\"income\", \"housing\"]";
    let inputs_node = fields.require(reader, "inputs", help);
    let rules = fields.get("rules");
    let grid = fields.get("grid");
    let owner = fields.owner.clone();
    let both = fields.has("rules") && fields.has("grid");
    let grid_span = fields.span_of("grid");
    fields.finish(reader);

    let inputs = inputs_node.as_ref().and_then(|node| inputs(reader, node, names));
    if both {
        reader.fault(&grid_span, "`rules` and `grid` exclude each other", "keep one of the two");
    }
    let (inputs, classes) = (inputs?, classes?);
    let table = match (rules, grid) {
        (Some(node), _) => first_match(reader, &node, &inputs, &classes),
        (None, Some(node)) => cells(reader, &node, &inputs, &classes),
        (None, None) => {
            reader.fault(&part.span, format!("{owner} has no table"), RULES);
            None
        }
    };
    Some(Concept {
        id: part.id.to_owned(),
        label,
        inputs: inputs.iter().map(|input| input.resolved.variable).collect(),
        classes,
        table: table?,
    })
}

fn inputs<'n>(
    reader: &mut Reader,
    node: &Node<'n>,
    names: &'n Names<'_>,
) -> Option<Vec<Input<'n>>> {
    let texts = reader.texts(node, "`inputs`")?;
    let read: Vec<Option<Input<'_>>> = texts
        .into_iter()
        .map(|(name, span)| Some(Input { name, resolved: names.resolve(reader, name, &span)? }))
        .collect();
    let inputs = read.into_iter().collect::<Option<Vec<_>>>()?;
    let mut size = 1usize;
    for input in &inputs {
        size = size.saturating_mul(input.resolved.classes.len());
    }
    if size > MAX_TABLE {
        let help = "split the table into several concepts with fewer inputs each";
        reader.fault(
            &node.span,
            format!("the table has {size} combinations; at most {MAX_TABLE} are allowed"),
            help,
        );
        return None;
    }
    Some(inputs)
}

fn first_match(
    reader: &mut Reader,
    node: &Node<'_>,
    inputs: &[Input<'_>],
    classes: &[Class],
) -> Option<Table> {
    let items = reader.array(node, "`rules`")?;
    if items.len() > MAX_RULES {
        reader.fault(
            &node.span,
            format!("{} rules are too many", items.len()),
            format!("at most {MAX_RULES}; a `grid` may be shorter"),
        );
        return None;
    }
    let read: Vec<Option<Rule>> =
        items.iter().map(|item| rule(reader, item, inputs, classes)).collect();
    let rules = read.into_iter().collect::<Option<Vec<_>>>()?;
    check_coverage(reader, node, &items, inputs, &rules);
    Some(Table::FirstMatch(rules))
}

fn rule(
    reader: &mut Reader,
    node: &Node<'_>,
    inputs: &[Input<'_>],
    classes: &[Class],
) -> Option<Rule> {
    let mut fields = reader.table(node, "a rule")?;
    let when = fields.get("when");
    let then = fields.require(reader, "then", RULES).and_then(|node| {
        let id = reader.text(&node, "`then`")?;
        classes::position(reader, classes, id, &node.span, "this concept")
    });
    fields.finish(reader);
    let mut accepted: Vec<Option<Vec<usize>>> = vec![None; inputs.len()];
    let mut sound = true;
    if let Some(node) = when {
        for entry in reader.table(&node, "`when`")?.into_entries() {
            let Some(position) = inputs.iter().position(|input| input.name == entry.key) else {
                let known = inputs.iter().map(|input| input.name);
                reader.unknown(
                    &entry.key_span,
                    format!("`{}` is not among the inputs of this table", entry.key),
                    entry.key,
                    known,
                );
                sound = false;
                continue;
            };
            let found = inputs.get(position).and_then(|input| {
                classes::positions(
                    reader,
                    input.resolved.classes,
                    &entry.node,
                    &format!("`{}`", entry.key),
                )
            });
            sound &= found.is_some();
            if let Some(place) = accepted.get_mut(position) {
                *place = found;
            }
        }
    }
    let then = then?;
    sound.then_some(Rule { when: accepted, then })
}

/// Every combination must be matched by some rule, and every rule must be the first for some combination.
fn check_coverage(
    reader: &mut Reader,
    node: &Node<'_>,
    items: &[Node<'_>],
    inputs: &[Input<'_>],
    rules: &[Rule],
) {
    let sizes: Vec<usize> = inputs.iter().map(|input| input.resolved.classes.len()).collect();
    let total = sizes.iter().fold(1usize, |product, size| product.saturating_mul(*size));
    let mut open: Vec<usize> = (0..total).collect();
    for (position, (rule, item)) in rules.iter().zip(items).enumerate() {
        let before = open.len();
        open.retain(|&combination| !accepts(rule, &sizes, combination));
        if open.len() == before {
            let message = format!("rule {} is never reached", position.saturating_add(1));
            reader.fault(
                &item.span,
                message,
                "the rules before it match all that it matches; move it up or drop it",
            );
        }
    }
    if let Some(&combination) = open.first() {
        let mut example: Vec<String> = inputs
            .iter()
            .rev()
            .zip(classes_backwards(&sizes, combination))
            .map(|(input, class)| {
                let id = input.resolved.classes.get(class).map_or("", |class| class.id.as_str());
                format!("{} = \"{id}\"", input.name)
            })
            .collect();
        example.reverse();
        let more = match open.len() {
            1 => String::new(),
            count => format!(" and {} more combinations", count.saturating_sub(1)),
        };
        let message = format!("no rule matches {{ {} }}{more}", example.join(", "));
        reader.fault(&node.span, message, "end with a rule for all the rest: { then = \"…\" }");
    }
}

fn accepts(rule: &Rule, sizes: &[usize], combination: usize) -> bool {
    let mut pairs = rule.when.iter().rev().zip(classes_backwards(sizes, combination));
    pairs
        .all(|(accepted, class)| accepted.as_ref().is_none_or(|accepted| accepted.contains(&class)))
}

/// The class of each input in the combination with this number, last input first; it varies fastest.
fn classes_backwards(sizes: &[usize], combination: usize) -> impl Iterator<Item = usize> {
    let mut rest = combination;
    sizes.iter().rev().map(move |&size| {
        let class = rest.checked_rem(size).unwrap_or(0);
        rest = rest.checked_div(size).unwrap_or(0);
        class
    })
}

fn cells(
    reader: &mut Reader,
    node: &Node<'_>,
    inputs: &[Input<'_>],
    classes: &[Class],
) -> Option<Table> {
    let mut cells = Vec::new();
    let sound = fill(reader, node, inputs, classes, &mut cells);
    sound.then_some(Table::Grid(cells))
}

/// Reads one nesting of the grid: an entry for each class of the first input, which is a class of the concept once no
/// input is left.
fn fill(
    reader: &mut Reader,
    node: &Node<'_>,
    inputs: &[Input<'_>],
    classes: &[Class],
    cells: &mut Vec<usize>,
) -> bool {
    let Some((first, rest)) = inputs.split_first() else {
        let found = reader
            .text(node, "a cell of `grid`")
            .and_then(|id| classes::position(reader, classes, id, &node.span, "this concept"));
        cells.extend(found);
        return found.is_some();
    };
    let Some(items) = reader.array(node, &format!("the part of `grid` for `{}`", first.name))
    else {
        return false;
    };
    let expected = first.resolved.classes.len();
    if items.len() != expected {
        let order = first
            .resolved
            .classes
            .iter()
            .map(|class| format!("`{}`", class.id))
            .collect::<Vec<_>>()
            .join(", ");
        let message =
            format!("`{}` has {expected} classes, but this list has {}", first.name, items.len());
        reader.fault(&node.span, message, format!("one entry for each of {order}"));
        return false;
    }
    let mut sound = true;
    for item in &items {
        sound &= fill(reader, item, rest, classes, cells);
    }
    sound
}
