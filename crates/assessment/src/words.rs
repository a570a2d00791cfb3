//! A policy's names, values and conditions in plain English.

use blindtier_policy::{
    Class, Condition, Decimal, Domain, Fact, Indicator, Labels, Override, Policy, Variable,
};

/// A label in English, else in any language, else the identifier.
pub(crate) fn label(labels: &Labels, id: &str) -> String {
    let found = labels.get("en").or_else(|| labels.values().next());
    plain(found.map_or(id, String::as_str))
}

/// A policy's own words as text: nothing of them is markup.
fn plain(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#') {
            escaped.push('\\');
        }
        escaped.push(if c.is_control() { ' ' } else { c });
    }
    escaped
}

/// A label in quotation marks.
pub(crate) fn quoted(labels: &Labels, id: &str) -> String {
    format!("“{}”", label(labels, id))
}

/// A label with the identifier by which the policy's text calls it.
pub(crate) fn identified(labels: &Labels, id: &str) -> String {
    format!("{} (`{id}`)", label(labels, id))
}

pub(crate) fn class(class: &Class) -> String {
    quoted(&class.label, &class.id)
}

pub(crate) fn tier(policy: &Policy, tier: usize) -> String {
    policy.tiers.get(tier).map_or_else(|| tier.to_string(), class)
}

pub(crate) fn variable(policy: &Policy, variable: Variable) -> String {
    let named = match variable {
        Variable::Indicator(i) => policy.indicators.get(i).map(|x| (&x.label, &x.id)),
        Variable::Concept(i) => policy.concepts.get(i).map(|x| (&x.label, &x.id)),
        Variable::Cut(i) => policy.cuts.get(i).map(|x| (&x.label, &x.id)),
    };
    named.map_or_else(|| format!("{variable:?}"), |(labels, id)| quoted(labels, id))
}

/// Whether a variable has one of these classes, as a sentence.
pub(crate) fn is(policy: &Policy, of: Variable, positions: &[usize]) -> String {
    let classes = policy.classes(of);
    let names: Vec<String> =
        positions.iter().filter_map(|&position| classes.get(position)).map(class).collect();
    format!("{} is {}", variable(policy, of), names.join(" or "))
}

pub(crate) fn condition(policy: &Policy, found: &Condition) -> String {
    let each = |parts: &[Condition], between: &str| {
        let parts: Vec<String> = parts.iter().map(|part| bracketed(policy, part)).collect();
        parts.join(between)
    };
    match found {
        Condition::Is { variable, classes } => is(policy, *variable, classes),
        Condition::All(parts) if parts.is_empty() => "always".to_owned(),
        Condition::Any(parts) if parts.is_empty() => "never".to_owned(),
        Condition::All(parts) => each(parts, " and "),
        Condition::Any(parts) => each(parts, " or "),
        Condition::Not(part) => format!("it is not so that {}", bracketed(policy, part)),
        Condition::Count { min, max, of } => {
            let all = each(of, "; ");
            if *max >= of.len() {
                format!("at least {min} of these hold: {all}")
            } else {
                format!("between {min} and {max} of these hold: {all}")
            }
        }
    }
}

/// Parts that have parts are put in brackets, so that `and` and `or` cannot be misread.
fn bracketed(policy: &Policy, part: &Condition) -> String {
    let text = condition(policy, part);
    match part {
        Condition::Is { .. } => text,
        Condition::All(parts) | Condition::Any(parts) if parts.len() == 1 => text,
        _ => format!("({text})"),
    }
}

/// A rule's label; without one, what it says.
pub(crate) fn rule(policy: &Policy, rule: &Override) -> String {
    if rule.label.is_empty() { condition(policy, &rule.when) } else { label(&rule.label, "") }
}

/// A value of an indicator.
pub(crate) fn value(indicator: &Indicator, value: i64) -> String {
    match &indicator.domain {
        Domain::Levels { levels, .. } => {
            let level = usize::try_from(value).ok().and_then(|value| levels.get(value));
            level.map_or_else(|| value.to_string(), class)
        }
        Domain::Integer { unit, .. } if unit.is_empty() => number(value),
        Domain::Integer { unit, .. } => format!("{} {}", number(value), plain(unit)),
    }
}

/// A number with a minus sign and not a hyphen.
pub(crate) fn number(number: impl ToString) -> String {
    number.to_string().replace('-', "−")
}

/// An amount of points with its decimals.
pub(crate) fn amount(units: i64, decimals: u32) -> String {
    number(Decimal { units, scale: decimals })
}

pub(crate) fn fact(fact: Fact) -> &'static str {
    match fact {
        Fact::Persons => "number of persons",
        Fact::Adults => "number of adults",
    }
}
