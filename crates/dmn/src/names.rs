//! Identifiers for what DMN calls by free text.

use std::collections::BTreeSet;

/// Words that the policy language keeps for itself.
const RESERVED: [&str; 11] = [
    "any", "all", "not", "of", "at_least", "at_most", "exactly", "opt_out", "id", "family",
    "person",
];

/// Results that stand beside the tiers.
const RESERVED_CLASSES: [&str; 4] = ["opted_out", "opted-out", "undecided", "invalid"];

/// Room for a number behind a name, below the 64 characters that a policy allows.
const LENGTH: usize = 56;

/// The one name space of indicators, concepts, scores and cuts.
#[derive(Default)]
pub(crate) struct Names {
    taken: BTreeSet<String>,
}

impl Names {
    /// An unused identifier of small letters, digits and underscores.
    pub fn variable(&mut self, text: &str) -> String {
        unused(&mut self.taken, &identifier(text, '_'), &RESERVED)
    }
}

/// An unused identifier for a class among others.
pub(crate) fn class(taken: &mut BTreeSet<String>, text: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let id = joined(text, allowed, '_');
    unused(taken, if id.is_empty() { "value" } else { &id }, &RESERVED_CLASSES)
}

/// The name of a policy.
pub(crate) fn policy(text: &str) -> String {
    let id = joined(&text.to_ascii_lowercase(), |c| c.is_ascii_alphanumeric(), '-');
    if id.is_empty() { "imported".to_owned() } else { id }
}

/// `Applicant Age` and `applicantAge` → `applicant_age`.
fn identifier(text: &str, gap: char) -> String {
    let mut spaced = String::new();
    let mut before = ' ';
    for character in text.chars() {
        if character.is_ascii_uppercase() && before.is_ascii_lowercase() {
            spaced.push(' ');
        }
        spaced.push(character.to_ascii_lowercase());
        before = character;
    }
    let id = joined(&spaced, |c| c.is_ascii_alphanumeric(), gap);
    match id.chars().next() {
        Some(first) if first.is_ascii_lowercase() => id,
        Some(_) => format!("x{gap}{id}"),
        None => "x".to_owned(),
    }
}

/// The allowed characters, with one gap for every run of others.
fn joined(text: &str, allowed: impl Fn(char) -> bool, gap: char) -> String {
    let parts = text.split(|c| !allowed(c)).filter(|part| !part.is_empty());
    let whole = parts.collect::<Vec<_>>().join(&gap.to_string());
    whole.chars().take(LENGTH).collect::<String>().trim_end_matches(gap).to_owned()
}

fn unused(taken: &mut BTreeSet<String>, wanted: &str, reserved: &[&str]) -> String {
    let mut id = wanted.to_owned();
    let mut number = 1usize;
    while reserved.contains(&id.as_str()) || !taken.insert(id.clone()) {
        number = number.saturating_add(1);
        id = format!("{wanted}_{number}");
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_text_becomes_identifiers_without_clashes() {
        let mut names = Names::default();
        for (text, id) in [
            ("Applicant Age", "applicant_age"),
            ("applicantAge", "applicant_age_2"),
            ("id", "id_2"),
            ("Ересек", "x"),
            ("2nd child", "x_2nd_child"),
        ] {
            assert_eq!(names.variable(text), id);
        }
        let mut taken = BTreeSet::new();
        assert_eq!(class(&mut taken, "not recommended!"), "not_recommended");
        assert_eq!(class(&mut taken, "not_recommended"), "not_recommended_2");
        assert_eq!(class(&mut taken, "-1.5"), "-1_5");
        assert_eq!(class(&mut taken, "undecided"), "undecided_2");
        assert_eq!(class(&mut taken, "ИӘ"), "value");
        assert_eq!(policy("0004-simpletable-U"), "0004-simpletable-u");
    }
}
