//! What a family reads: its tier, what decided it, how far the next tier is, whom to ask about which value, and how to
//! object. In English, Russian and Kazakh, as text, HTML and JSON.
//!
//! A [`Reading`] brings together what was opened and what the agencies sealed; a [`Letter`] is all that is said about
//! it in one language, as data. Sentences have the form *name: value*, so that a policy's names stand in them as they
//! are and no language has to bend them.
#![forbid(unsafe_code)]

mod html;
mod language;
mod letter;
mod names;
mod reading;
mod text;
mod words;

pub use language::{Language, UnknownLanguage};
pub use letter::{
    Alternative, Change, Correction, Decided, Distance, Fact, Gap, Letter, Missing, Notice,
    NoticeKind, Objection, Points, Quote, RoundFacts, Rule, ScoreDistance,
};
pub use names::Name;
pub use reading::{Levels, Reading, Standing};
