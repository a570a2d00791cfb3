//! A letter as plain text, for a terminal or a sheet of paper.

use crate::letter::{Change, Fact, Letter, Notice, ScoreDistance};
use crate::names::Name;
use crate::reading::Standing;

impl Letter {
    /// The letter as text, a line for each thing said.
    pub fn lines(&self) -> Vec<String> {
        let words = self.language.words();
        let heading = if self.is_tier() { words.your_tier } else { words.your_result };
        let mut lines = vec![said(heading, &self.result), said(words.policy, &self.policy)];
        lines.extend(self.notices.iter().map(notice));
        lines.extend(self.missing.iter().map(|missing| {
            let (what, whom) = (said(words.missing, &missing.indicator), &missing.agency.text);
            format!("{what} — {}: {whom}", words.ask)
        }));
        if let Some(decided) = &self.decided {
            section(&mut lines, words.what_decided);
            if let Some(rule) = &decided.rule {
                lines.push(item(said(words.rule, &rule.rule)));
                lines.push(item(said(words.before_rules, &rule.before)));
            }
            lines.extend(decided.reasons.iter().map(|reason| item(said(words.reason, reason))));
            if decided.values.is_empty() {
                lines.push(item(words.none_decides.to_owned()));
            }
            lines.extend(decided.values.iter().map(|fact| item(self.fact(fact))));
        }
        if let Some(distance) = &self.distance
            && (distance.score.is_some() || distance.higher.is_some() || distance.lower.is_some())
        {
            section(&mut lines, words.distance);
            lines.extend(distance.score.as_ref().map(|score| item(self.score(score))));
            for (change, heading) in
                [(&distance.higher, words.nearest_above), (&distance.lower, words.nearest_below)]
            {
                lines.extend(change.as_ref().map(|change| item(self.change(heading, change))));
            }
            lines.push(words.distance_is_no_advice.to_owned());
        }
        if !self.other_values.is_empty() {
            section(&mut lines, self.heading_of_other_values());
            lines.extend(self.other_values.iter().map(|fact| item(self.fact(fact))));
        }
        section(&mut lines, words.if_wrong);
        lines.extend((1..).zip(&self.objection.steps).map(|(n, step)| format!("{n}. {step}")));
        lines.push(format!("{}: {}", words.where_and_when, self.objection.where_and_when));
        section(&mut lines, words.quote);
        for (name, value) in self.quoted() {
            lines.push(format!("{name}: {value}"));
        }
        lines.push(String::new());
        lines.push(words.keep_private.to_owned());
        lines
    }

    /// The letter as one text that ends with a line break.
    pub fn text(&self) -> String {
        self.lines().join("\n") + "\n"
    }

    /// Whether the result is a tier.
    pub(crate) fn is_tier(&self) -> bool {
        matches!(self.standing, Standing::Explained | Standing::DoesNotHold)
    }

    pub(crate) fn heading_of_other_values(&self) -> &'static str {
        let words = self.language.words();
        if self.decided.is_some() { words.other_values } else { words.sealed_values }
    }

    /// What to quote, with its names.
    pub(crate) fn quoted(&self) -> [(&'static str, String); 4] {
        let (words, quote) = (self.language.words(), &self.quote);
        [
            (words.round, quote.round.clone()),
            (words.slot, quote.slot.to_string()),
            (words.head, quote.head.clone()),
            (words.policy_hash, quote.policy_hash.clone()),
        ]
    }

    fn score(&self, distance: &ScoreDistance) -> String {
        let gaps = [&distance.more, &distance.fewer].into_iter().flatten();
        let mut parts =
            vec![format!("{}: {}", distance.score.text, self.language.number(&distance.points))];
        parts.extend(
            gaps.map(|gap| format!("{} → {}", self.language.number(&gap.points), gap.tier.text)),
        );
        let line = parts.join("; ");
        if distance.before_rules {
            format!("{line} ({})", self.language.words().points_before_rules)
        } else {
            line
        }
    }

    fn change(&self, heading: &str, change: &Change) -> String {
        let tier = said(heading, &change.tier);
        let (from, to) = (self.quotes(&change.from), self.quotes(&change.to));
        format!("{tier} — {}: {from} → {to}", change.indicator.text)
    }

    fn fact(&self, fact: &Fact) -> String {
        let words = self.language.words();
        let note = fact.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
        let mut parts = vec![
            format!("{}: {}{note}", fact.indicator.text, fact.value.text),
            said(words.ask, &fact.agency),
        ];
        let points = fact.points.iter();
        parts.extend(
            points.map(|p| format!("{}: {}", p.score.text, self.language.number(&p.points))),
        );
        if !fact.otherwise.is_empty() {
            let otherwise = fact.otherwise.iter();
            let otherwise: Vec<String> =
                otherwise.map(|o| format!("{} → {}", self.quotes(&o.value), o.tier.text)).collect();
            parts.push(format!("{}: {}", words.other_value, otherwise.join(", ")));
        }
        parts.join(". ")
    }

    fn quotes(&self, name: &Name) -> String {
        let words = self.language.words();
        format!("{}{}{}", words.open_quote, name.text, words.close_quote)
    }
}

fn said(what: &str, name: &Name) -> String {
    format!("{what}: {}", name.text)
}

fn notice(notice: &Notice) -> String {
    if notice.about.is_empty() {
        return notice.text.clone();
    }
    let about: Vec<&str> = notice.about.iter().map(|name| name.text.as_str()).collect();
    format!("{}: {}", notice.text, about.join(", "))
}

fn item(text: String) -> String {
    format!("- {text}")
}

fn section(lines: &mut Vec<String>, heading: &str) {
    lines.push(String::new());
    lines.push(heading.to_owned());
}
