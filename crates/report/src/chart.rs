//! Charts as SVG within a page: bars and lines on logarithmic axes; shares as stacked bars, dots and bands on linear ones.
//!
//! A chart is 500 units wide with text of at least 16 units: still readable on a phone. Its colours come from the page's style,
//! [`crate::page`]. Below each one is a table with the same numbers, for those who cannot see it.

mod bars;
mod dots;
mod flow;
mod linear;
mod lines;
mod scale;
mod stacked;

pub use bars::{Bar, BarChart, Group};
pub use dots::{Dot, DotChart, Section, Share};
pub use flow::{FlowChart, Node};
pub use lines::{Line, LineChart};
pub use stacked::{Stack, StackedChart};

use crate::grid::Grid;
use crate::units::Unit;
use maud::{Markup, html};

const WIDTH: f64 = 500.0;
/// What a character takes at most, about; nothing here can measure text.
const CHARACTER: f64 = 9.5;
/// The longest label, in characters, that stands beside what it names.
const LABEL: usize = 20;

/// A colour that the page's style knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// For what is no part of a comparison.
    Grey,
    /// Blue.
    Blue,
    /// Vermillion.
    Vermillion,
    /// Bluish green.
    Green,
    /// Reddish purple.
    Purple,
    /// Orange.
    Orange,
    /// Sky blue.
    Sky,
}

/// How a bar is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ink {
    /// Its colour.
    pub colour: Colour,
    /// Whether it is only outlined: for what cannot be compared with the others as it stands.
    pub hollow: bool,
}

/// What a logarithmic axis shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis {
    /// What it is, without the unit.
    pub label: String,
    /// The unit, written at every mark.
    pub unit: Unit,
}

impl Ink {
    /// A full bar.
    pub fn solid(colour: Colour) -> Self {
        Self { colour, hollow: false }
    }

    /// An outlined bar.
    pub fn hollow(colour: Colour) -> Self {
        Self { colour, hollow: true }
    }

    fn class(self) -> String {
        let style = if self.hollow { "hollow" } else { "solid" };
        format!("{} {style}", self.colour.class())
    }
}

impl Colour {
    fn class(self) -> &'static str {
        match self {
            Self::Grey => "grey",
            Self::Blue => "blue",
            Self::Vermillion => "vermillion",
            Self::Green => "green",
            Self::Purple => "purple",
            Self::Orange => "orange",
            Self::Sky => "sky",
        }
    }
}

fn figure(title: &str, description: &str, legend: &Markup, svg: &Markup, numbers: &Grid) -> Markup {
    html! {
        figure {
            figcaption { strong { (title) } span { (description) } }
            @if !legend.0.is_empty() { ul.legend { (legend) } }
            (svg)
            details {
                summary { "The same numbers as a table" }
                (numbers.html(title))
            }
        }
    }
}

/// A coordinate.
fn n(value: f64) -> String {
    format!("{value:.1}")
}

/// Length of a small text, about.
fn small_length(characters: usize) -> f64 {
    CHARACTER * 0.95 * characters as f64
}

/// A text without its end where that has no room.
pub(crate) fn clip(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.into();
    }
    text.chars().take(room.saturating_sub(1)).chain(['…']).collect()
}
