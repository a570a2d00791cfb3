//! The fixed phrases, one table a language. The compiler sees to it that every table has every phrase.

mod en;
mod kk;
mod ru;

pub(crate) use en::EN;
pub(crate) use kk::KK;
pub(crate) use ru::RU;

use serde::Serialize;

/// Everything a letter says that is not in the policy. A phrase never has a gap to fill: names and values follow it
/// after a colon, in their basic form.
#[derive(Serialize)]
pub(crate) struct Words {
    /// Stands before the tier.
    pub your_tier: &'static str,
    /// Stands before what there is instead of a tier.
    pub your_result: &'static str,
    /// In place of a tier: the family said no.
    pub opted_out: &'static str,
    /// In place of a tier: something is missing.
    pub undecided: &'static str,
    /// In place of a tier: there is none, and there should be one.
    pub no_tier: &'static str,
    /// What having opted out means.
    pub opted_out_means: &'static str,
    /// The result says that the family opted out; the registrar did not.
    pub opted_out_not_sealed: &'static str,
    /// Why there is no decision.
    pub undecided_means: &'static str,
    /// Why there is no tier.
    pub no_tier_means: &'static str,
    /// The sealed values give something else than was opened.
    pub does_not_hold: &'static str,
    /// The sealed values are no values of this policy.
    pub not_of_policy: &'static str,
    /// Before what the sealed values would give.
    pub sealed_values_give: &'static str,
    /// Before the office to ask.
    pub ask: &'static str,
    /// Heading of the values that are missing.
    pub missing: &'static str,
    /// Before the names of offices that were left out of the round.
    pub left_out: &'static str,
    /// Before the names of offices whose letters are not there.
    pub silent: &'static str,
    /// The slot was decided anew; round and slot follow.
    pub corrected: &'static str,
    /// Before the reason for which the tier was opened to the state.
    pub opened_to_state: &'static str,
    /// Before a remark on a letter that could be done without.
    pub note: &'static str,
    /// Heading of the list of tiers.
    pub tiers: &'static str,
    /// Heading of what decided.
    pub what_decided: &'static str,
    /// Before one reason.
    pub reason: &'static str,
    /// Heading of the reasons.
    pub reasons: &'static str,
    /// Before the rule that set the tier.
    pub rule: &'static str,
    /// Before the tier that it would have been.
    pub before_rules: &'static str,
    /// Heading of the values that decide.
    pub deciding_values: &'static str,
    /// No value decides alone.
    pub none_decides: &'static str,
    /// Before another value and the tier that it would give.
    pub other_value: &'static str,
    /// Heading of the distances.
    pub distance: &'static str,
    /// What distances are not.
    pub distance_is_no_advice: &'static str,
    /// Points are counted before the rules apply.
    pub points_before_rules: &'static str,
    /// Before the closest higher tier.
    pub nearest_above: &'static str,
    /// Before the closest lower tier.
    pub nearest_below: &'static str,
    /// Heading of the values that do not decide alone.
    pub other_values: &'static str,
    /// Heading of the values where nothing was explained with them.
    pub sealed_values: &'static str,
    /// A family without a record would have this value too.
    pub as_without_record: &'static str,
    /// The office was left out: its register was not looked at.
    pub value_left_out: &'static str,
    /// The office's letter is not there: what it used is not known.
    pub value_silent: &'static str,
    /// Heading of how to object.
    pub if_wrong: &'static str,
    /// What to do, in order.
    pub steps: [&'static str; 3],
    /// Before the place and the last day for objections.
    pub where_and_when: &'static str,
    /// What is said where the caller gave neither.
    pub as_announced: &'static str,
    /// Heading of what to quote.
    pub quote: &'static str,
    /// Before the policy's title.
    pub policy: &'static str,
    /// Before the policy's hash.
    pub policy_hash: &'static str,
    /// Before the round's name.
    pub round: &'static str,
    /// Before the number of the slot.
    pub slot: &'static str,
    /// Before the ledger's head.
    pub head: &'static str,
    /// Whom to show the letter.
    pub keep_private: &'static str,
    /// Opening quotation mark.
    pub open_quote: &'static str,
    /// Closing quotation mark.
    pub close_quote: &'static str,
    /// The level `yes` of an indicator that names none.
    pub yes: &'static str,
    /// The level `no` of an indicator that names none.
    pub no: &'static str,
    /// A level `none` without a label.
    pub none: &'static str,
    /// A value that is not known.
    pub unknown: &'static str,
}

#[cfg(test)]
mod tests {
    use crate::Language;
    use serde_json::Value;
    use std::collections::BTreeMap;

    fn phrases(language: Language) -> BTreeMap<String, String> {
        let Value::Object(fields) = serde_json::to_value(language.words()).unwrap() else {
            panic!("a table")
        };
        let mut found = BTreeMap::new();
        for (key, value) in fields {
            let texts = match value {
                Value::Array(items) => items,
                one => vec![one],
            };
            for (place, text) in texts.iter().enumerate() {
                found.insert(format!("{key} {place}"), text.as_str().unwrap().to_owned());
            }
        }
        found
    }

    #[test]
    fn every_phrase_is_there_in_every_language_and_translated() {
        let english = phrases(Language::English);
        for language in [Language::Russian, Language::Kazakh] {
            let own = phrases(language);
            assert_eq!(own.len(), english.len());
            for (key, text) in &own {
                assert!(!text.trim().is_empty() && text.trim() == text, "{language}: {key}");
                assert_ne!(Some(text), english.get(key), "{language}: {key}");
                assert!(
                    !text.chars().any(|c| c.is_ascii_alphabetic()),
                    "{language}: {key} has Latin letters: {text}"
                );
            }
        }
    }

    #[test]
    fn kazakh_is_no_copy_of_russian_and_has_its_own_letters() {
        let (russian, kazakh) = (phrases(Language::Russian), phrases(Language::Kazakh));
        let same: Vec<&String> = kazakh
            .iter()
            .filter(|(key, text)| russian.get(*key) == Some(text))
            .map(|p| p.0)
            .collect();
        // A loan word and the quotation marks.
        assert_eq!(same, ["close_quote 0", "open_quote 0", "round 0"]);
        let own = |text: &str| text.to_lowercase().chars().any(|c| "әғқңөұүһі".contains(c));
        let with = kazakh.values().filter(|text| own(text)).count();
        assert!(with * 10 > kazakh.len() * 8, "{with} of {}", kazakh.len());
        assert!(!russian.values().any(|text| own(text)));
    }

    #[test]
    fn headings_and_names_carry_no_colon_of_their_own_and_no_gap() {
        for language in Language::ALL {
            for (key, text) in phrases(language) {
                assert!(!text.ends_with(':') && !text.contains(['{', '}']), "{language}: {key}");
            }
        }
    }
}
