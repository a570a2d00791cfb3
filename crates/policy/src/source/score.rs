//! Scores and their cuts.

use super::fields::Fields;
use super::names::{Meaning, Names};
use super::reader::{Node, Reader};
use super::{Part, classes};
use crate::{Class, Cut, Domain, Indicator, MAX_SCORE, Score, Term};

/// The most decimals a score may declare.
const MAX_DECIMALS: i64 = 9;

pub(super) fn score(
    reader: &mut Reader,
    part: Part<'_>,
    names: &Names<'_>,
    indicators: &[Option<Indicator>],
) -> Option<Score> {
    let mut fields = part.fields;
    let label = fields.labels(reader, "label", part.id);
    let decimals = decimals(reader, &mut fields);
    let constant = match fields.get("constant") {
        Some(node) => amount(reader, &node, "`constant`", decimals),
        None => Some(0),
    };
    let points = fields.get("points").and_then(|node| reader.table(&node, "`points`"));
    let weights = fields.get("weights").and_then(|node| reader.table(&node, "`weights`"));
    if !fields.has("points") && !fields.has("weights") {
        let help = "write points.income = { none = 0, some = 100 } or weights.rent = -1";
        reader.fault(&fields.span, format!("{} adds nothing up", fields.owner), help);
    }
    fields.finish(reader);

    let mut terms = Vec::new();
    for entry in points.into_iter().flat_map(Fields::into_entries) {
        terms.push(points_term(reader, entry.key, &entry.key_span, &entry.node, names, decimals));
    }
    for entry in weights.into_iter().flat_map(Fields::into_entries) {
        terms.push(weight_term(reader, entry.key, &entry.key_span, &entry.node, names, decimals));
    }
    let score = Score {
        id: part.id.to_owned(),
        label,
        decimals,
        constant: constant?,
        terms: terms.into_iter().collect::<Option<_>>()?,
    };
    let (lowest, highest) = range(&score, indicators)?;
    let most = i128::from(MAX_SCORE);
    if lowest < -most || highest > most {
        let message = format!(
            "score `{}` runs from {lowest} to {highest} in units of its last decimal",
            score.id
        );
        reader.fault(&part.span, message, format!("keep it within -{most} to {most}"));
        return None;
    }
    Some(score)
}

pub(super) fn cut(
    reader: &mut Reader,
    part: Part<'_>,
    classes: Option<Vec<Class>>,
    names: &Names<'_>,
    scores: &[Option<Score>],
) -> Option<Cut> {
    let mut fields = part.fields;
    let label = fields.labels(reader, "label", part.id);
    let score = fields
        .require(reader, "score", "name the score to cut: score = \"points\"")
        .and_then(|node| names.score(reader, &node));
    let at =
        fields.require(reader, "at", "say where each class but the first starts: at = [100, 200]");
    fields.finish(reader);

    let decimals = scores.get(score?)?.as_ref()?.decimals;
    let at_node = at?;
    let items = reader.array(&at_node, "`at`")?;
    let read: Vec<Option<i64>> =
        items.iter().map(|item| amount(reader, item, "`at`", decimals)).collect();
    for ((before, after), item) in read.iter().zip(read.iter().skip(1)).zip(items.iter().skip(1)) {
        if let (Some(before), Some(after)) = (before, after)
            && after <= before
        {
            reader.fault(
                &item.span,
                "this start is not above the one before",
                "starts ascend, each larger than the one before",
            );
        }
    }
    let classes = classes?;
    if classes.len() != items.len().saturating_add(1) {
        let message = format!(
            "{} classes need {} starts, not {}",
            classes.len(),
            classes.len().saturating_sub(1),
            items.len()
        );
        reader.fault(&at_node.span, message, "every class but the first starts at one of them");
    }
    let at = read.into_iter().collect::<Option<Vec<_>>>()?;
    Some(Cut { id: part.id.to_owned(), label, score: score?, classes, at })
}

fn decimals(reader: &mut Reader, fields: &mut Fields<'_>) -> u32 {
    let Some(node) = fields.get("decimals") else { return 0 };
    let Some(number) = reader.integer(&node, "`decimals`") else { return 0 };
    if !(0..=MAX_DECIMALS).contains(&number) {
        reader.fault(
            &node.span,
            format!("{number} decimals are not possible"),
            format!("0 to {MAX_DECIMALS}"),
        );
    }
    u32::try_from(number).unwrap_or(0)
}

/// An amount in units of the score's last decimal.
fn amount(reader: &mut Reader, node: &Node<'_>, what: &str, decimals: u32) -> Option<i64> {
    let number = reader.decimal(node, what)?;
    let units =
        number.in_units(decimals).filter(|units| units.unsigned_abs() <= MAX_SCORE.unsigned_abs());
    if units.is_none() {
        if number.scale > decimals {
            let message =
                format!("{number} has more decimals than the score, which has {decimals}");
            reader.fault(
                &node.span,
                message,
                format!("say decimals = {} in the score", number.scale),
            );
        } else {
            reader.fault(
                &node.span,
                format!("{number} is too large"),
                format!("at most {MAX_SCORE} units of the last decimal"),
            );
        }
    }
    units
}

fn points_term(
    reader: &mut Reader,
    name: &str,
    span: &std::ops::Range<usize>,
    node: &Node<'_>,
    names: &Names<'_>,
    decimals: u32,
) -> Option<Term> {
    if let Some(Meaning::Integer(_)) = names.meaning(name) {
        let message = format!("`{name}` is an integer and has no classes to give points to");
        reader.fault(span, message, format!("write weights.{name} = 1"));
        return None;
    }
    let found = names.resolve(reader, name, span)?;
    let mut points: Vec<Option<i64>> = vec![None; found.classes.len()];
    let mut sound = true;
    for entry in reader.table(node, format!("the points of `{name}`"))?.into_entries() {
        let class = classes::position(
            reader,
            found.classes,
            entry.key,
            &entry.key_span,
            &format!("`{name}`"),
        );
        let amount = amount(reader, &entry.node, "points", decimals);
        sound &= class.is_some() && amount.is_some();
        if let Some(place) = class.and_then(|class| points.get_mut(class)) {
            *place = amount;
        }
    }
    let lacking: Vec<String> = found
        .classes
        .iter()
        .zip(&points)
        .filter(|(_, points)| points.is_none())
        .map(|(class, _)| format!("`{}`", class.id))
        .collect();
    if sound && !lacking.is_empty() {
        let message = format!("`{name}` has no points for {}", lacking.join(", "));
        reader.fault(span, message, "name every class, also those that get 0");
    }
    let points = points.into_iter().collect::<Option<Vec<_>>>()?;
    sound.then_some(Term::Points { variable: found.variable, points })
}

fn weight_term(
    reader: &mut Reader,
    name: &str,
    span: &std::ops::Range<usize>,
    node: &Node<'_>,
    names: &Names<'_>,
    decimals: u32,
) -> Option<Term> {
    let weight = amount(reader, node, "the weight", decimals);
    match names.meaning(name) {
        Some(Meaning::Integer(indicator)) => {
            Some(Term::Weight { indicator: *indicator, weight: weight? })
        }
        Some(Meaning::Classes(..)) => {
            let help = format!("give points to its classes: points.{name} = {{ … }}");
            reader.fault(span, format!("`{name}` has classes, so it cannot be weighed"), help);
            None
        }
        Some(_) => names.resolve(reader, name, span).and(None),
        None => {
            reader.unknown(
                span,
                format!("no integer indicator is called `{name}`"),
                name,
                names.integers(),
            );
            None
        }
    }
}

/// Smallest and largest sum, in units of the last decimal. `None` if an indicator is faulty.
fn range(score: &Score, indicators: &[Option<Indicator>]) -> Option<(i128, i128)> {
    let mut lowest = i128::from(score.constant);
    let mut highest = lowest;
    for term in &score.terms {
        let (least, most) = match term {
            Term::Points { points, .. } => {
                (i128::from(*points.iter().min()?), i128::from(*points.iter().max()?))
            }
            Term::Weight { indicator, weight } => {
                let Domain::Integer { min, max, .. } = indicators.get(*indicator)?.as_ref()?.domain
                else {
                    return None;
                };
                let ends =
                    [min, max].map(|end| i128::from(end).saturating_mul(i128::from(*weight)));
                (*ends.iter().min()?, *ends.iter().max()?)
            }
        };
        lowest = lowest.saturating_add(least);
        highest = highest.saturating_add(most);
    }
    Some((lowest, highest))
}
