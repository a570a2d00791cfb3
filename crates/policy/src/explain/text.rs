//! An explanation in words.

use super::{Change, Explanation, Finding, Gap};
use crate::decimal::scaled_text;
use crate::{Class, Domain, Labels, Policy, Score};

impl Explanation {
    /// The explanation in plain English, a line for each thing said, decisive facts first. `policy` is the one
    /// explained. Names are its labels in the given language, else in English, else in any, else the identifiers.
    pub fn lines(&self, policy: &Policy, language: &str) -> Vec<String> {
        let words = Words { policy, language };
        let mut lines = vec![format!("Your tier: {}", words.tier(self.outcome.tier))];
        lines.extend(self.outcome.decided_by.and_then(|rule| policy.overrides.get(rule)).map(
            |rule| {
                let label = words.label(&rule.label, "without a name");
                let before = words.tier(self.outcome.decided);
                format!("A rule set it: “{label}”; before the rules it was {before}")
            },
        ));
        lines.extend(self.margin_line(&words));
        for (change, side) in [(self.higher, "above"), (self.lower, "below")] {
            lines.extend(change.map(|change| {
                let tier = words.tier(change.tier);
                format!("Nearest tier {side}: {tier}, with {}", words.change(&change))
            }));
        }
        let (decisive, others): (Vec<&Finding>, _) =
            self.facts.iter().partition(|fact| fact.decisive());
        if decisive.is_empty() {
            lines.push("No fact decides alone: the tier rests on several together".to_owned());
        }
        lines.extend(decisive.into_iter().chain(others).map(|fact| words.fact(fact)));
        lines.extend(
            self.outcome
                .reasons
                .iter()
                .filter_map(|&reason| policy.reasons.get(reason))
                .map(|reason| format!("Reason: {}", words.label(&reason.label, &reason.id))),
        );
        lines.push("If something here is wrong, please ask the office named beside it".to_owned());
        lines
    }

    fn margin_line(&self, words: &Words<'_>) -> Option<String> {
        let margin = self.margin?;
        let score = words.policy.scores.get(margin.score)?;
        let gap = |gap: Option<Gap>, side: &str| {
            let gap = gap?;
            let points = amount(score, gap.points);
            Some(format!("{points} {side} would give {}", words.tier(gap.tier)))
        };
        let mut gaps: Vec<String> =
            [gap(margin.above, "more"), gap(margin.below, "fewer")].into_iter().flatten().collect();
        if !gaps.is_empty() && !words.policy.overrides.is_empty() {
            gaps.push("before the rules".to_owned());
        }
        let value = format!("{}: {}", words.score(margin.score), amount(score, margin.value));
        Some(if gaps.is_empty() { value } else { format!("{value}; {}", gaps.join(", ")) })
    }
}

/// A policy's names in a language. A position that the policy does not have is shown as its number.
struct Words<'p> {
    policy: &'p Policy,
    language: &'p str,
}

impl Words<'_> {
    fn label(&self, labels: &Labels, id: &str) -> String {
        let found = labels
            .get(self.language)
            .or_else(|| labels.get("en"))
            .or_else(|| labels.values().next());
        found.map_or(id, String::as_str).to_owned()
    }

    fn class(&self, class: Option<&Class>, position: impl ToString) -> String {
        class.map_or_else(|| position.to_string(), |class| self.label(&class.label, &class.id))
    }

    fn tier(&self, tier: usize) -> String {
        self.class(self.policy.tiers.get(tier), tier)
    }

    fn score(&self, score: usize) -> String {
        let found = self.policy.scores.get(score);
        found.map_or_else(|| score.to_string(), |score| self.label(&score.label, &score.id))
    }

    fn indicator(&self, indicator: usize) -> String {
        let found = self.policy.indicators.get(indicator);
        found.map_or_else(|| indicator.to_string(), |found| self.label(&found.label, &found.id))
    }

    fn value(&self, indicator: usize, value: i64) -> String {
        match self.policy.indicators.get(indicator).map(|indicator| &indicator.domain) {
            Some(Domain::Levels { levels, .. }) => {
                let level = usize::try_from(value).ok().and_then(|value| levels.get(value));
                self.class(level, value)
            }
            Some(Domain::Integer { unit, .. }) if !unit.is_empty() => format!("{value} {unit}"),
            _ => value.to_string(),
        }
    }

    fn change(&self, change: &Change) -> String {
        let value = |value| self.value(change.indicator, value);
        let (to, from) = (value(change.to), value(change.from));
        format!("“{}” at “{to}” instead of “{from}”", self.indicator(change.indicator))
    }

    fn fact(&self, fact: &Finding) -> String {
        let agency = self.policy.agencies.get(fact.agency);
        let agency = agency.map_or_else(
            || fact.agency.to_string(),
            |agency| self.label(&agency.label, &agency.id),
        );
        let missing = if fact.missing { ", or no record" } else { "" };
        let mut notes = vec![format!("{agency}{missing}")];
        let points = fact.points.iter().filter(|points| points.amount != 0);
        notes.extend(points.filter_map(|points| {
            let text = amount(self.policy.scores.get(points.score)?, points.amount);
            let sign = if points.amount > 0 { "+" } else { "" };
            Some(format!("{} {sign}{text}", self.score(points.score)))
        }));
        let (name, value) =
            (self.indicator(fact.indicator), self.value(fact.indicator, fact.value));
        let line = format!("{name}: {value} ({})", notes.join("; "));
        let changes: Vec<String> = [fact.higher, fact.lower]
            .into_iter()
            .flatten()
            .map(|change| {
                let to = self.value(change.indicator, change.to);
                format!("with “{to}” the tier would be {}", self.tier(change.tier))
            })
            .collect();
        if changes.is_empty() {
            line
        } else {
            format!("{line} — decides: {}", changes.join(", "))
        }
    }
}

/// An amount of points, written with the score's decimals.
fn amount(score: &Score, units: i64) -> String {
    scaled_text(i128::from(units), score.decimals)
}
