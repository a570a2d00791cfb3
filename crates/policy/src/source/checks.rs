//! What can only be checked once every name is resolved: circles, and parts that nothing uses.

use super::Located;
use super::reader::Reader;
use crate::{Policy, Step};

pub(super) fn check_use(reader: &mut Reader, policy: &Located) {
    if let Err(cycle) = policy.model.steps() {
        let names: Vec<String> =
            cycle.0.iter().map(|&step| format!("`{}`", name(&policy.model, step))).collect();
        let span = cycle.0.first().map(|&step| policy.span(step)).unwrap_or_default();
        let message = match names.as_slice() {
            [only] => format!("{only} depends on itself"),
            _ => format!("{} depend on one another in a circle", names.join(", ")),
        };
        reader.fault(&span, message, "let one of them do without the next");
        return;
    }
    for ((indicator, span), used) in
        policy.model.indicators.iter().zip(&policy.indicators).zip(policy.model.influential())
    {
        if !used {
            let message = format!("no tier or reason depends on indicator `{}`", indicator.id);
            reader.fault(span, message, "use it or drop it: an agency would send data for nothing");
        }
    }
    for (position, (agency, span)) in policy.model.agencies.iter().zip(&policy.agencies).enumerate()
    {
        if !policy.model.indicators.iter().any(|indicator| indicator.agency == position) {
            reader.fault(
                span,
                format!("agency `{}` holds no indicator", agency.id),
                "give it an indicator or drop it",
            );
        }
    }
}

fn name(policy: &Policy, step: Step) -> &str {
    let found = match step {
        Step::Concept(i) => policy.concepts.get(i).map(|concept| &concept.id),
        Step::Score(i) => policy.scores.get(i).map(|score| &score.id),
        Step::Cut(i) => policy.cuts.get(i).map(|cut| &cut.id),
    };
    found.map_or("", String::as_str)
}
