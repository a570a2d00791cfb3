//! What things are called in a language. A position that the policy does not have is shown as its number.

use crate::Language;
use blindtier_policy::{Band, Class, Decimal, Domain, Indicator, LevelRule, Policy, Score};
use blindtier_policy::{Labels, Override};
use serde::Serialize;

/// What something is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Name {
    /// Its identifier in the policy, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The words.
    pub text: String,
    /// Their language, where it is not the letter's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

impl Name {
    /// Words in the letter's own language, of something without an identifier.
    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Self { id: None, text: text.into(), language: None }
    }

    /// Words in English, whatever the letter's language.
    pub(crate) fn english(text: &str, language: Language) -> Self {
        let other = (language != Language::English).then(|| Language::English.tag().to_owned());
        Self { language: other, ..Self::plain(text) }
    }
}

/// A policy's names in a language.
pub(crate) struct Names<'p> {
    pub policy: &'p Policy,
    pub language: Language,
}

impl Names<'_> {
    pub fn title(&self) -> Name {
        self.named(&self.policy.title, &self.policy.name)
    }

    pub fn tier(&self, tier: usize) -> Name {
        match self.policy.tiers.get(tier) {
            Some(class) => self.class(class),
            None => Name::plain(tier.to_string()),
        }
    }

    pub fn agency(&self, agency: usize) -> Name {
        match self.policy.agencies.get(agency) {
            Some(found) => self.named(&found.label, &found.id),
            None => Name::plain(agency.to_string()),
        }
    }

    pub fn indicator(&self, indicator: usize) -> Name {
        match self.policy.indicators.get(indicator) {
            Some(found) => self.named(&found.label, &found.id),
            None => Name::plain(indicator.to_string()),
        }
    }

    pub fn score(&self, score: usize) -> Name {
        match self.policy.scores.get(score) {
            Some(found) => self.named(&found.label, &found.id),
            None => Name::plain(score.to_string()),
        }
    }

    pub fn reason(&self, reason: usize) -> Option<Name> {
        let found = self.policy.reasons.get(reason)?;
        Some(self.named(&found.label, &found.id))
    }

    /// A rule has no identifier; without a label its tier says what it does.
    pub fn rule(&self, rule: &Override) -> Name {
        match self.label(&rule.label) {
            Some((text, language)) => Name { id: None, text, language },
            None => Name { id: None, ..self.tier(rule.tier) },
        }
    }

    pub fn value(&self, position: usize, value: i64) -> Name {
        let Some(indicator) = self.policy.indicators.get(position) else {
            return Name::plain(value.to_string());
        };
        if indicator.is_required() && value == indicator.unknown() {
            return Name::plain(self.language.words().unknown);
        }
        match &indicator.domain {
            Domain::Levels { levels, rule, .. } => {
                let level = usize::try_from(value).ok();
                match level.and_then(|level| Some((level, levels.get(level)?))) {
                    Some((level, class)) => self.level(level, class, rule),
                    None => Name::plain(value.to_string()),
                }
            }
            Domain::Integer { unit, .. } if !unit.is_empty() => {
                Name::plain(format!("{value} {unit}"))
            }
            Domain::Integer { .. } => Name::plain(value.to_string()),
        }
    }

    /// A level that nobody gave a label is known by its identifier, which is English if anything: other languages
    /// have the usual ones among the fixed phrases, and the numbers of a band.
    fn level(&self, position: usize, class: &Class, rule: &LevelRule) -> Name {
        if self.label(&class.label).is_some_and(|(text, _)| text != class.id) {
            return self.class(class);
        }
        let words = self.language.words();
        let usual = match class.id.as_str() {
            "yes" => Some(words.yes),
            "no" => Some(words.no),
            "none" => Some(words.none),
            _ => None,
        };
        let text = usual.map(str::to_owned).or_else(|| match (self.language, rule) {
            (Language::English, _) | (_, LevelRule::Categories(_)) => None,
            (_, LevelRule::Bands(bands)) => {
                let band = bands.iter().find(|band| band.level == position);
                band.map(|band| self.language.number(&band_text(band)))
            }
        });
        match text {
            Some(text) => Name { id: Some(class.id.clone()), text, language: None },
            None => self.class(class),
        }
    }

    fn class(&self, class: &Class) -> Name {
        self.named(&class.label, &class.id)
    }

    fn named(&self, labels: &Labels, id: &str) -> Name {
        let (text, language) = self.label(labels).unwrap_or_else(|| (id.to_owned(), None));
        // What stands for a label that nobody wrote reads better without the joints of an identifier.
        let text = if text == id { id.replace('_', " ") } else { text };
        Name { id: Some(id.to_owned()), text, language }
    }

    /// The label in this language, else in the next best, else in any; with its language if that is another.
    fn label(&self, labels: &Labels) -> Option<(String, Option<String>)> {
        let best = self.language.fallbacks().iter().find_map(|tag| labels.get_key_value(*tag));
        let (tag, text) = best.or_else(|| labels.iter().next())?;
        Some((text.clone(), (tag != self.language.tag()).then(|| tag.clone())))
    }
}

/// A band by its numbers, the same in every language.
fn band_text(band: &Band) -> String {
    match (&band.from, &band.below) {
        (Some(from), Some(below)) => format!("≥ {from}, < {below}"),
        (Some(from), None) => format!("≥ {from}"),
        (None, Some(below)) => format!("< {below}"),
        (None, None) => "…".to_owned(),
    }
}

/// An amount of points, written with the score's decimals.
pub(crate) fn amount(score: &Score, units: i64) -> String {
    Decimal { units, scale: score.decimals }.to_string()
}

/// The same with its sign.
pub(crate) fn signed(score: &Score, units: i64) -> String {
    let sign = if units > 0 { "+" } else { "" };
    format!("{sign}{}", amount(score, units))
}

/// Whether a family that the register does not know would have this value too.
pub(crate) fn as_without_record(indicator: &Indicator, value: i64) -> bool {
    !indicator.is_required() && value == indicator.missing()
}
