//! Agencies and indicators.

use super::names::Meaning;
use super::reader::Reader;
use super::{Part, domain};
use crate::{Agency, Aggregate, Domain, Fact, Indicator, Variable};

pub(super) const AGGREGATES: &[(&str, Aggregate)] = &[
    ("any", Aggregate::Any),
    ("all", Aggregate::All),
    ("count", Aggregate::Count),
    ("sum", Aggregate::Sum),
    ("min", Aggregate::Min),
    ("max", Aggregate::Max),
    ("first", Aggregate::First),
];

/// A party that submits beside the agencies.
const REGISTRAR: &str = "registrar";

pub(super) const FACTS: &[(&str, Fact)] = &[("persons", Fact::Persons), ("adults", Fact::Adults)];

pub(super) fn agency(reader: &mut Reader, part: Part<'_>) -> Agency {
    let mut fields = part.fields;
    let label = fields.labels(reader, "label", part.id);
    fields.finish(reader);
    if part.id == REGISTRAR {
        let help = "the registrar of a round is a party of its own";
        reader.fault(&part.span, format!("no agency may be called `{REGISTRAR}`"), help);
    }
    Agency { id: part.id.to_owned(), label }
}

pub(super) fn indicator(
    reader: &mut Reader,
    part: Part<'_>,
    agencies: &[Agency],
) -> Option<Indicator> {
    let mut fields = part.fields;
    let label = fields.labels(reader, "label", part.id);

    let help = "say which agency holds the register: agency = \"tax\"";
    let agency = fields.require(reader, "agency", help).and_then(|node| {
        let name = reader.text(&node, "`agency`")?;
        let found = agencies.iter().position(|agency| agency.id == name);
        // Without any agency the missing section has been reported.
        if found.is_none() && !agencies.is_empty() {
            let known = agencies.iter().map(|agency| agency.id.as_str());
            reader.unknown(&node.span, format!("no agency is called `{name}`"), name, known);
        }
        found
    });

    let columns = columns(reader, &mut fields, part.id);
    let aggregate = fields.choice(reader, "aggregate", AGGREGATES).unwrap_or(Aggregate::First);
    let per = fields.choice(reader, "per", FACTS);
    let matches = matches(reader, &mut fields, aggregate);
    let domain = domain::domain(reader, &mut fields, aggregate);
    if let Some(domain) = &domain {
        check_arithmetic(reader, &fields, domain, aggregate, per, columns.len());
    }
    fields.finish(reader);
    Some(Indicator {
        id: part.id.to_owned(),
        label,
        agency: agency?,
        columns,
        aggregate,
        matches,
        per,
        domain: domain?,
    })
}

/// What the name of an indicator stands for in the rest of the file.
pub(super) fn meaning(position: usize, indicator: Option<&Indicator>) -> Meaning {
    match indicator.map(|indicator| &indicator.domain) {
        Some(Domain::Levels { levels, .. }) => {
            Meaning::Classes(Variable::Indicator(position), Some(levels.clone()))
        }
        Some(Domain::Integer { .. }) => Meaning::Integer(position),
        None => Meaning::Unclear,
    }
}

fn columns(reader: &mut Reader, fields: &mut super::Fields<'_>, id: &str) -> Vec<String> {
    let one =
        fields.get("column").and_then(|node| Some((reader.text(&node, "`column`")?, node.span)));
    let several = fields.get("columns").and_then(|node| reader.texts(&node, "`columns`"));
    if fields.has("column") && fields.has("columns") {
        reader.fault(
            &fields.span_of("columns"),
            "`column` and `columns` exclude each other",
            "keep one of the two",
        );
    }
    let named: Vec<_> = one.into_iter().chain(several.into_iter().flatten()).collect();
    for (name, span) in &named {
        if name.trim().is_empty() {
            reader.fault(
                span,
                "a column of the register needs a name",
                "write the name in the header of the register",
            );
        }
    }
    if named.is_empty() {
        vec![id.to_owned()]
    } else {
        named.into_iter().map(|(name, _)| name.trim().to_owned()).collect()
    }
}

fn matches(
    reader: &mut Reader,
    fields: &mut super::Fields<'_>,
    aggregate: Aggregate,
) -> Vec<String> {
    let Some(node) = fields.get("matches") else { return Vec::new() };
    let texts = reader.texts(&node, "`matches`").unwrap_or_default();
    if !matches!(aggregate, Aggregate::Any | Aggregate::All | Aggregate::Count) {
        let help = "say aggregate = \"any\", \"all\" or \"count\", or drop `matches`";
        reader.fault(
            &fields.span_of("matches"),
            "`matches` only goes with any, all and count",
            help,
        );
    }
    for (text, span) in &texts {
        if text.trim().is_empty() {
            reader.fault(
                span,
                "an empty cell says nothing and cannot match",
                "name a text that stands in the register",
            );
        }
    }
    texts.into_iter().map(|(text, _)| text.trim().to_owned()).collect()
}

/// Only numbers can be divided, and only numbers of several columns can be added.
fn check_arithmetic(
    reader: &mut Reader,
    fields: &super::Fields<'_>,
    domain: &Domain,
    aggregate: Aggregate,
    per: Option<Fact>,
    columns: usize,
) {
    let yes_no = matches!(aggregate, Aggregate::Any | Aggregate::All);
    if per.is_some() && (yes_no || !domain::is_banded(domain)) {
        let help = "give `bands` of the quotient, or drop `per`";
        reader.fault(
            &fields.span_of("per"),
            "`per` divides a number, and the quotient falls into bands",
            help,
        );
    }
    let numbers = !domain::is_categories(domain) && !yes_no && aggregate != Aggregate::Count;
    if columns > 1 && !numbers {
        let help = "name one column, or take bands or an integer of sum, min, max or first";
        reader.fault(
            &fields.span_of("columns"),
            "only numbers of several columns can be added",
            help,
        );
    }
}
