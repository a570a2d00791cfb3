//! The values of an indicator: bands of a number, categories of a text, yes or no, or an integer.

use super::classes;
use super::fields::{Fields, default_labels};
use super::reader::{Node, Reader};
use crate::{Aggregate, Band, Class, Decimal, Domain, LevelRule, MAX_SCORE, UNDECIDED};
use std::collections::BTreeMap;
use std::ops::Range;

const MISSING: &str = "name the level of a family that the register does not know, missing = \"none\", or write missing = \"undecided\" if its tier cannot be decided then";

pub(super) fn is_banded(domain: &Domain) -> bool {
    matches!(domain, Domain::Levels { rule: LevelRule::Bands(_), .. })
}

pub(super) fn is_categories(domain: &Domain) -> bool {
    matches!(domain, Domain::Levels { rule: LevelRule::Categories(_), .. })
}

pub(super) fn domain(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    aggregate: Aggregate,
) -> Option<Domain> {
    let integer = fields.get("integer");
    let bands = fields.get("bands");
    let levels = fields.get("levels");
    let categories = fields.get("categories");
    let missing = fields.get("missing");
    let yes_no = matches!(aggregate, Aggregate::Any | Aggregate::All);

    let mut exclude = |kind: &str, keys: &[&str]| {
        for key in keys.iter().filter(|key| fields.has(key)) {
            let help = format!("drop `{key}`, or describe the values another way");
            reader.fault(&fields.span_of(key), format!("`{key}` does not go with {kind}"), help);
        }
    };
    if let Some(node) = integer {
        exclude("`integer`", &["bands", "levels", "categories", "missing"]);
        if yes_no {
            exclude("any and all, which give yes or no", &["integer"]);
        }
        return integer_domain(reader, &node);
    }
    let (levels, rule) = if yes_no {
        exclude("any and all, which give yes or no", &["bands", "categories"]);
        yes_no_levels(reader, levels.as_ref())?
    } else if let Some(node) = bands {
        exclude("`bands`", &["categories"]);
        banded_levels(reader, &node, levels.as_ref())?
    } else if let Some(node) = levels {
        if matches!(aggregate, Aggregate::Count | Aggregate::Sum) {
            let help = "give `bands` or `integer`, or aggregate by first, min or max";
            reader.fault(
                &fields.span_of("aggregate"),
                "count and sum give a number, which is no category",
                help,
            );
        }
        category_levels(reader, &node, categories.as_ref())?
    } else {
        let help = "give `bands`, `levels` or `integer`";
        reader.fault(
            &fields.span,
            format!("{} does not say what values it takes", fields.owner),
            help,
        );
        return None;
    };
    let Some(node) = missing else {
        reader.fault(&fields.span, format!("{} lacks `missing`", fields.owner), MISSING);
        return None;
    };
    let name = reader.text(&node, "`missing`")?;
    if name == UNDECIDED {
        if levels.iter().any(|level| level.id == UNDECIDED) {
            let help = "give the level another name";
            let message = "`missing = \"undecided\"` says that the tier is not decided, but a level has this name";
            reader.fault(&node.span, message, help);
        }
        return Some(Domain::Levels { levels, rule, missing: None });
    }
    let missing = classes::position(reader, &levels, name, &node.span, &fields.owner)?;
    Some(Domain::Levels { levels, rule, missing: Some(missing) })
}

fn integer_domain(reader: &mut Reader, node: &Node<'_>) -> Option<Domain> {
    let help = "write integer = { min = 0, max = 4095, unit = \"tenge\", missing = 0 }";
    let mut fields = reader.table(node, "`integer`")?;
    let mut whole = |reader: &mut Reader, key: &'static str| {
        let node = fields.require(reader, key, help)?;
        Some((reader.integer(&node, &format!("`{key}`"))?, node.span))
    };
    let min = whole(reader, "min");
    let max = whole(reader, "max");
    let missing = match fields.require(reader, "missing", help) {
        Some(node) if node.value.as_str() == Some(UNDECIDED) => Some(None),
        Some(node) => {
            reader.integer(&node, "`missing`").map(|missing| Some((missing, node.span.clone())))
        }
        None => None,
    };
    let unit = fields
        .get("unit")
        .and_then(|node| reader.text(&node, "`unit`"))
        .unwrap_or_default()
        .to_owned();
    fields.finish(reader);

    for (bound, span) in [&min, &max].into_iter().flatten() {
        if bound.unsigned_abs() > MAX_SCORE.unsigned_abs() {
            reader.fault(
                span,
                format!("{bound} is too large"),
                format!("bounds reach from -{MAX_SCORE} to {MAX_SCORE}"),
            );
        }
    }
    let ((min, _), (max, max_span), missing) = (min?, max?, missing?);
    if min >= max {
        reader.fault(
            &max_span,
            format!("`max` {max} is not above `min` {min}"),
            "the largest value comes second",
        );
    } else if let Some((missing, missing_span)) = &missing
        && (*missing < min || *missing > max)
    {
        let help =
            format!("a family that the register does not know has some value from {min} to {max}");
        reader.fault(missing_span, format!("`missing` {missing} is out of range"), help);
    }
    let missing = missing.map(|(missing, _)| missing);
    Some(Domain::Integer { min, max, unit, missing })
}

/// The first level is no, the second yes.
fn yes_no_levels(
    reader: &mut Reader,
    levels: Option<&Node<'_>>,
) -> Option<(Vec<Class>, LevelRule)> {
    let levels = match levels {
        Some(node) => classes::list(reader, node, "levels", 2, 2)?,
        None => {
            ["no", "yes"].map(|id| Class { id: id.to_owned(), label: default_labels(id) }).into()
        }
    };
    let one = Some(Decimal { units: 1, scale: 0 });
    let bands =
        vec![Band { level: 0, from: None, below: one }, Band { level: 1, from: one, below: None }];
    Some((levels, LevelRule::Bands(bands)))
}

fn category_levels(
    reader: &mut Reader,
    levels: &Node<'_>,
    categories: Option<&Node<'_>>,
) -> Option<(Vec<Class>, LevelRule)> {
    let levels = classes::list(reader, levels, "levels", 2, classes::MAX_CLASSES)?;
    // A level without a mapping stands for itself; only stated texts have a place in the file.
    let mut texts: Vec<Vec<(String, Option<Range<usize>>)>> =
        levels.iter().map(|level| vec![(level.id.clone(), None)]).collect();
    if let Some(node) = categories {
        for entry in reader.table(node, "`categories`")?.into_entries() {
            let level = classes::position(reader, &levels, entry.key, &entry.key_span, "`levels`");
            let named = reader.texts(&entry.node, "a category");
            if let (Some(place), Some(named)) =
                (level.and_then(|level| texts.get_mut(level)), named)
            {
                *place = named
                    .into_iter()
                    .map(|(text, span)| (text.trim().to_owned(), Some(span)))
                    .collect();
            }
        }
    }
    let mut owners: BTreeMap<&str, (&Class, Option<&Range<usize>>)> = BTreeMap::new();
    for (level, texts) in levels.iter().zip(&texts) {
        for (text, span) in texts {
            let place =
                |other: Option<&Range<usize>>| span.as_ref().or(other).cloned().unwrap_or_default();
            if text.is_empty() {
                reader.fault(
                    &place(None),
                    "an empty cell says nothing and is no category",
                    "that is what `missing` is for",
                );
            } else if let Some((other, other_span)) = owners.insert(text, (level, span.as_ref())) {
                let message = format!(
                    "the text \"{text}\" belongs to both `{}` and `{}`",
                    other.id, level.id
                );
                reader.fault(
                    &place(other_span),
                    message,
                    "every text of the register has one level",
                );
            }
        }
    }
    let texts =
        texts.into_iter().map(|texts| texts.into_iter().map(|(text, _)| text).collect()).collect();
    Some((levels, LevelRule::Categories(texts)))
}

/// Levels in the order of the bands that name them first; a table `levels` may give them labels.
fn banded_levels(
    reader: &mut Reader,
    bands: &Node<'_>,
    labels: Option<&Node<'_>>,
) -> Option<(Vec<Class>, LevelRule)> {
    let help = "write bands = [{ level = \"none\", below = 1 }, { level = \"some\", from = 1 }]";
    let items = reader.array(bands, "`bands`")?;
    let mut levels: Vec<Class> = Vec::new();
    let mut found: Vec<(Band, Range<usize>)> = Vec::new();
    if items.len() > classes::MAX_CLASSES {
        reader.fault(
            &bands.span,
            format!("{} bands are too many", items.len()),
            format!("at most {}", classes::MAX_CLASSES),
        );
        return None;
    }
    let count = items.len();
    let mut sound = true;
    for item in items {
        let mut fields = reader.table(&item, "a band")?;
        let id_node = fields.require(reader, "level", help);
        let id =
            id_node.as_ref().and_then(|node| Some((reader.text(node, "`level`")?, &node.span)));
        let mut bound = |reader: &mut Reader, key| {
            let node = fields.get(key)?;
            let number = reader.decimal(&node, &format!("`{key}`"));
            sound &= number.is_some();
            number
        };
        let from = bound(reader, "from");
        let below = bound(reader, "below");
        fields.finish(reader);
        let (id, id_span) = id?;
        classes::check_id(reader, id, id_span, "bands");
        let level = levels.iter().position(|level| level.id == id).unwrap_or(levels.len());
        if level == levels.len() {
            levels.push(Class { id: id.to_owned(), label: default_labels(id) });
        }
        found.push((Band { level, from, below }, item.span));
    }
    if sound {
        check_bands(reader, &found);
    }
    if levels.len() < 2 {
        let message = format!("{count} bands with {} levels tell nothing apart", levels.len());
        reader.fault(&bands.span, message, help);
    }
    if let Some(node) = labels {
        if !node.value.is_table() {
            let help = "the bands declare the levels; here only labels: levels = { none = { en = \"No income\" } }";
            reader.fault(&node.span, "with `bands`, `levels` is a table of labels", help);
            return None;
        }
        for labelled in classes::list(reader, node, "levels", 0, classes::MAX_CLASSES)? {
            let position = classes::position(reader, &levels, &labelled.id, &node.span, "`bands`");
            if let Some(level) = position.and_then(|position| levels.get_mut(position)) {
                level.label = labelled.label;
            }
        }
    }
    Some((levels, LevelRule::Bands(found.into_iter().map(|(band, _)| band).collect())))
}

/// Bands ascend, and each starts where the one before ends.
fn check_bands(reader: &mut Reader, bands: &[(Band, Range<usize>)]) {
    for (band, span) in bands {
        if let (Some(from), Some(below)) = (band.from, band.below)
            && from >= below
        {
            reader.fault(
                span,
                format!("the band from {from} to below {below} is empty"),
                "`from` is smaller than `below`",
            );
        }
    }
    for ((before, before_span), (after, after_span)) in bands.iter().zip(bands.iter().skip(1)) {
        match (before.below, after.from) {
            (None, _) => {
                let help =
                    "only the last band may go up without end; say where it stops: below = …";
                reader.fault(before_span, "this band lacks `below`, but another follows", help);
            }
            (_, None) => {
                let help =
                    "only the first band may go down without end; say where it starts: from = …";
                reader.fault(after_span, "this band lacks `from`, but another precedes", help);
            }
            (Some(end), Some(start)) if start > end => {
                let message = format!("numbers from {end} to below {start} fall between two bands");
                reader.fault(
                    after_span,
                    message,
                    format!("start this band where the one before ends: from = {end}"),
                );
            }
            (Some(end), Some(start)) if start < end => {
                let message = format!(
                    "this band starts at {start}, inside the one before, which ends below {end}"
                );
                reader.fault(
                    after_span,
                    message,
                    format!("start this band where the one before ends: from = {end}"),
                );
            }
            _ => {}
        }
    }
}
