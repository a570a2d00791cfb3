//! The data fields, agency by agency.

use crate::document::Document;
use crate::words::{fact, identified, label, number, value};
use blindtier_policy::{Aggregate, Band, Domain, Indicator, LevelRule, Policy};

pub(crate) fn write(document: &mut Document, policy: &Policy) {
    for (position, agency) in policy.agencies.iter().enumerate() {
        document.small_part(&identified(&agency.label, &agency.id));
        let facts: Vec<&str> = policy.facts_of(position).into_iter().map(fact).collect();
        let from_registrar =
            if facts.is_empty() { String::new() } else { format!(", {}", facts.join(", ")) };
        document.paragraph(&format!(
            "Gets from the registrar, for each person of the round: a pseudonym and a slot{from_registrar}."
        ));
        let own = policy.indicators.iter().filter(|indicator| indicator.agency == position);
        let rows = own.map(|indicator| {
            vec![
                identified(&indicator.label, &indicator.id),
                columns(indicator),
                derived(indicator),
                leaves(indicator),
                without_record(indicator),
            ]
        });
        let head = [
            "indicator",
            "columns of the register",
            "made of them",
            "leaves the agency, encrypted",
            "without a record",
        ];
        document.table(&head, rows);
    }
}

fn columns(indicator: &Indicator) -> String {
    let columns: Vec<String> = indicator.columns.iter().map(|c| format!("`{c}`")).collect();
    columns.join(" + ")
}

/// How the rows of a family's persons become one value.
fn derived(indicator: &Indicator) -> String {
    let matching = if indicator.matches.is_empty() {
        "says yes".to_owned()
    } else {
        let texts: Vec<String> = indicator.matches.iter().map(|m| format!("`{m}`")).collect();
        format!("is {}", texts.join(" or "))
    };
    let text = match indicator.aggregate {
        Aggregate::Any => format!("whether it {matching} for any person"),
        Aggregate::All => format!("whether it {matching} for every person"),
        Aggregate::Count => format!("number of persons for whom it {matching}"),
        Aggregate::Sum => "sum over the family's persons".to_owned(),
        Aggregate::Min => "smallest or lowest of the family's persons".to_owned(),
        Aggregate::Max => "largest or highest of the family's persons".to_owned(),
        Aggregate::First => "first row that has a value".to_owned(),
    };
    let per = indicator.per.map(|per| format!(", divided by the {}", fact(per)));
    format!("{text}{}", per.unwrap_or_default())
}

/// The values that are sent.
fn leaves(indicator: &Indicator) -> String {
    match &indicator.domain {
        Domain::Integer { min, max, .. } => {
            format!("an integer, {} to {}", value(indicator, *min), value(indicator, *max))
        }
        Domain::Levels { levels, rule, .. } => {
            let level = |(position, class): (usize, &blindtier_policy::Class)| {
                let name = label(&class.label, &class.id);
                match rule {
                    LevelRule::Categories(_) => name,
                    LevelRule::Bands(bands) => {
                        let band = bands.iter().find(|band| band.level == position).map(band_text);
                        band.map_or_else(|| name.clone(), |band| format!("{name} ({band})"))
                    }
                }
            };
            let names: Vec<String> = levels.iter().enumerate().map(level).collect();
            format!("one of {} levels: {}", names.len(), names.join("; "))
        }
    }
}

fn band_text(band: &Band) -> String {
    match (band.from.map(number), band.below.map(number)) {
        (Some(from), Some(below)) => format!("from {from}, below {below}"),
        (Some(from), None) => format!("from {from}"),
        (None, Some(below)) => format!("below {below}"),
        (None, None) => "any number".to_owned(),
    }
}

fn without_record(indicator: &Indicator) -> String {
    if indicator.is_required() {
        "no tier can be decided; the family's letter says what is missing".to_owned()
    } else {
        value(indicator, indicator.missing())
    }
}
