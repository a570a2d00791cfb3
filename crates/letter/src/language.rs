//! The languages that letters are written in.

use crate::words::{EN, KK, RU, Words};
use serde::Serialize;
use std::fmt;
use std::str::FromStr;

/// A language that letters are written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Language {
    /// English.
    #[default]
    #[serde(rename = "en")]
    English,
    /// Russian.
    #[serde(rename = "ru")]
    Russian,
    /// Kazakh.
    #[serde(rename = "kk")]
    Kazakh,
}

/// No letter is written in this language.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("letters are not written in `{tag}`; choose one of {}", Language::tags())]
pub struct UnknownLanguage {
    /// What was asked for.
    pub tag: String,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::English, Self::Russian, Self::Kazakh];

    /// Its tag, as in BCP 47 and in a policy's labels: `en`.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Russian => "ru",
            Self::Kazakh => "kk",
        }
    }

    pub(crate) fn words(self) -> &'static Words {
        match self {
            Self::English => &EN,
            Self::Russian => &RU,
            Self::Kazakh => &KK,
        }
    }

    /// Whose labels stand in for missing ones, best first. A reader of Kazakh more likely reads Russian than English.
    pub(crate) fn fallbacks(self) -> &'static [&'static str] {
        match self {
            Self::English => &["en"],
            Self::Russian => &["ru", "en"],
            Self::Kazakh => &["kk", "ru", "en"],
        }
    }

    /// A decimal number as people write it: with a minus sign and not a hyphen, and with this language's point.
    pub(crate) fn number(self, text: &str) -> String {
        let text = text.replace('-', "−");
        match self {
            Self::English => text,
            Self::Russian | Self::Kazakh => text.replace('.', ","),
        }
    }

    fn tags() -> String {
        Self::ALL.map(Self::tag).join(", ")
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

impl FromStr for Language {
    type Err = UnknownLanguage;

    fn from_str(tag: &str) -> Result<Self, UnknownLanguage> {
        let found = Self::ALL.into_iter().find(|language| language.tag() == tag);
        found.ok_or_else(|| UnknownLanguage { tag: tag.to_owned() })
    }
}
