//! The logic of a policy in plain words.

use crate::document::Document;
use crate::words::{amount, class, condition, identified, is, quoted, rule, tier, variable};
use blindtier_policy::{
    Class, Concept, Cut, Domain, Effect, OptOut, Policy, Rule, Score, Table, Term, Variable,
};

/// A table with more rows than this is left to the policy's own text.
const MAX_ROWS: usize = 256;

pub(crate) fn write(document: &mut Document, policy: &Policy) {
    document.part("Tiers");
    document.paragraph("Lowest first:");
    document.numbered(policy.tiers.iter().map(|tier| identified(&tier.label, &tier.id)));
    for found in &policy.concepts {
        concept(document, policy, found);
    }
    for found in &policy.scores {
        score(document, policy, found);
    }
    for found in &policy.cuts {
        cut(document, policy, found);
    }
    decision(document, policy);
    overrides(document, policy);
    document.part("Families that said no");
    document.paragraph(match policy.opt_out {
        OptOut::Neutral => {
            "A family may say no before the round. Nothing is decided about it; its letter says so, and no other party but \
             the registrar sees it."
        }
        OptOut::NotOffered => "The policy offers no way to say no.",
    });
    document.part("Reasons");
    if policy.reasons.is_empty() {
        document.paragraph("The policy states none; letters show the values that decided.");
    } else {
        document.paragraph("A letter shows a reason when its condition holds:");
        document.list(policy.reasons.iter().map(|reason| {
            let name = quoted(&reason.label, &reason.id);
            format!("{name}, if {}", condition(policy, &reason.when))
        }));
    }
}

fn concept(document: &mut Document, policy: &Policy, concept: &Concept) {
    document.part(&identified(&concept.label, &concept.id));
    let inputs: Vec<String> = concept.inputs.iter().map(|v| variable(policy, *v)).collect();
    document.paragraph(&format!("Looks at {}.", inputs.join(", ")));
    let gives = |position: usize| concept.classes.get(position).map(class).unwrap_or_default();
    match &concept.table {
        Table::FirstMatch(rules) => {
            document.paragraph("The first line that holds decides:");
            document.numbered(rules.iter().map(|found| {
                let then = gives(found.then);
                match when(policy, concept, found) {
                    Some(when) => format!("If {when}: {then}"),
                    None => format!("Otherwise: {then}"),
                }
            }));
        }
        Table::Grid(cells) => grid(document, policy, concept, cells, &gives),
    }
}

/// What a rule asks for; nothing if it takes everything.
fn when(policy: &Policy, concept: &Concept, rule: &Rule) -> Option<String> {
    let parts = concept.inputs.iter().zip(&rule.when);
    let parts: Vec<String> =
        parts.filter_map(|(input, accepts)| Some(is(policy, *input, accepts.as_ref()?))).collect();
    (!parts.is_empty()).then(|| parts.join(" and "))
}

/// A grid as a table: a row for each combination of all inputs but the last, a column for each class of the last.
fn grid(
    document: &mut Document,
    policy: &Policy,
    concept: &Concept,
    cells: &[usize],
    gives: &impl Fn(usize) -> String,
) {
    let Some((last, others)) = concept.inputs.split_last() else { return };
    let columns = policy.classes(*last);
    let width = columns.len().max(1);
    if cells.len().div_ceil(width) > MAX_ROWS {
        document.paragraph(&format!(
            "A table of {} combinations, which the policy's own text has.",
            cells.len()
        ));
        return;
    }
    let mut head: Vec<String> = others.iter().map(|input| variable(policy, *input)).collect();
    head.extend(
        columns.iter().map(|found| format!("{}: {}", variable(policy, *last), class(found))),
    );
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    let sizes: Vec<usize> = others.iter().map(|input| policy.classes(*input).len()).collect();
    let rows = cells.chunks(width).enumerate().map(|(number, row)| {
        let mut left = number;
        let mut names: Vec<String> = Vec::with_capacity(others.len());
        // The last input varies fastest, so positions are read off from the back.
        for (input, size) in others.iter().zip(&sizes).rev() {
            let position = left.checked_rem(*size).unwrap_or_default();
            left = left.checked_div(*size).unwrap_or_default();
            names.push(policy.classes(*input).get(position).map(class).unwrap_or_default());
        }
        names.reverse();
        names.extend(row.iter().map(|cell| gives(*cell)));
        names
    });
    document.table(&head, rows);
}

fn score(document: &mut Document, policy: &Policy, score: &Score) {
    document.part(&identified(&score.label, &score.id));
    let points = |units: i64| amount(units, score.decimals);
    document.paragraph(&match score.constant {
        0 => "A sum of points:".to_owned(),
        constant => format!("A sum of points, starting from {}:", points(constant)),
    });
    let rows = score.terms.iter().map(|term| match term {
        Term::Points { variable: of, points: amounts } => {
            let names = policy.classes(*of).iter().map(class);
            let each: Vec<String> = names
                .zip(amounts)
                .map(|(name, units)| format!("{name}: {}", points(*units)))
                .collect();
            vec![variable(policy, *of), each.join("; ")]
        }
        Term::Weight { indicator, weight } => {
            let unit = policy.indicators.get(*indicator).map(|i| &i.domain);
            let unit = match unit {
                Some(Domain::Integer { unit, .. }) if !unit.is_empty() => unit.as_str(),
                _ => "unit",
            };
            let name = variable(policy, Variable::Indicator(*indicator));
            vec![name, format!("{} for each {unit}", points(*weight))]
        }
    });
    document.table(&["what", "points"], rows);
}

fn cut(document: &mut Document, policy: &Policy, cut: &Cut) {
    let Some(score) = policy.scores.get(cut.score) else { return };
    document.part(&identified(&cut.label, &cut.id));
    document.paragraph(&format!("By {}:", quoted(&score.label, &score.id)));
    let at = |position: usize| cut.at.get(position).map(|units| amount(*units, score.decimals));
    document.list(cut.classes.iter().enumerate().map(|(position, found): (usize, &Class)| {
        let from = position.checked_sub(1).and_then(at).map(|from| format!("from {from}"));
        let below = at(position).map(|below| format!("below {below}"));
        let bounds: Vec<String> = [from, below].into_iter().flatten().collect();
        format!("{}: {}", class(found), bounds.join(", "))
    }));
}

fn decision(document: &mut Document, policy: &Policy) {
    document.part("The tier");
    let from = policy.decision.from;
    document.paragraph(&format!("Follows from {}:", variable(policy, from)));
    let classes = policy.classes(from).iter().zip(&policy.decision.tiers);
    document
        .list(classes.map(|(found, to)| format!("{}: tier {}", class(found), tier(policy, *to))));
}

fn overrides(document: &mut Document, policy: &Policy) {
    document.part("Rules that set the tier afterwards");
    if policy.overrides.is_empty() {
        document.paragraph("There are none.");
        return;
    }
    document.paragraph("Applied in this order:");
    document.numbered(policy.overrides.iter().map(|found| {
        let effect = match found.effect {
            Effect::AtLeast => "at least",
            Effect::AtMost => "at most",
            Effect::Exactly => "exactly",
        };
        let (name, when) = (rule(policy, found), condition(policy, &found.when));
        format!("{name}. If {when}: the tier is {effect} {}", tier(policy, found.tier))
    }));
}
