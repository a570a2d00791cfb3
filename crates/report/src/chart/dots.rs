//! Shares as dots with intervals.

use super::linear::Linear;
use super::{Colour, LABEL, WIDTH, clip, figure, n, small_length};
use crate::grid::{Column, Grid};
use crate::units::{count, percent};
use maud::{Markup, html};

/// Right of the dots, for their numbers.
const NUMBERS: f64 = 72.0;
/// From one dot to the next.
const ROW: f64 = 25.0;

/// Shares with intervals, in sections.
#[derive(Clone, Debug, PartialEq)]
pub struct DotChart {
    /// What it shows.
    pub title: String,
    /// How it is read.
    pub description: String,
    /// The colour of the dots.
    pub colour: Colour,
    /// A share to compare all others with, drawn as a line, and its name.
    pub reference: Option<(String, f64)>,
    /// The sections, from top to bottom.
    pub sections: Vec<Section>,
}

/// Dots under one heading.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// The heading.
    pub label: String,
    /// The dots.
    pub dots: Vec<Dot>,
}

/// A share.
#[derive(Clone, Debug, PartialEq)]
pub struct Dot {
    /// What it is of.
    pub label: String,
    /// The share, and the ends of its interval; none if it is not told.
    pub share: Option<Share>,
}

/// A share with its interval, all from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// The share.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Of how many.
    pub of: u64,
}

impl DotChart {
    /// As a figure with the table of its numbers.
    pub fn figure(&self) -> Markup {
        let legend = html! {
            @if let Some((name, share)) = &self.reference {
                li {
                    svg viewBox="0 0 32 16" aria-hidden="true" { path.reference d="M16 0V16" {} }
                    (name) ": " (percent(*share))
                }
            }
        };
        figure(&self.title, &self.description, &legend, &self.svg(), &self.numbers())
    }

    fn svg(&self) -> Markup {
        let dots = || self.sections.iter().flat_map(|section| &section.dots);
        let longest = dots().map(|dot| dot.label.chars().count()).max().unwrap_or(0).min(LABEL);
        let left = small_length(longest) + 18.0;
        let shares = dots().filter_map(|dot| dot.share).map(|share| share.high);
        let reference = self.reference.iter().map(|(_, share)| *share);
        let scale = Linear::of(shares.chain(reference), left, WIDTH - NUMBERS);
        let mut drawn = Vec::new();
        let mut y = 2.0;
        for section in &self.sections {
            drawn.push(html! { text.strong x="0" y=(n(y + 18.0)) { (section.label) } });
            y += 27.0;
            for dot in &section.dots {
                drawn.push(self.dot(dot, &scale, y));
                y += ROW;
            }
            y += 10.0;
        }
        html! {
            svg.chart viewBox=(format!("0 0 {} {}", n(WIDTH), n(y + 28.0))) role="img"
                aria-label=(self.title) {
                title { (self.title) }
                desc { (self.description) }
                @for mark in scale.marks() {
                    line.rule x1=(n(scale.at(mark))) x2=(n(scale.at(mark))) y1="0" y2=(n(y)) {}
                    text.small.muted text-anchor="middle" x=(n(scale.at(mark))) y=(n(y + 19.0)) {
                        (percent(mark))
                    }
                }
                @if let Some((_, share)) = &self.reference {
                    path.reference d=(format!("M{} 0V{}", n(scale.at(*share)), n(y))) {}
                }
                @for one in &drawn { (one) }
            }
        }
    }

    fn dot(&self, dot: &Dot, scale: &Linear, top: f64) -> Markup {
        let middle = top + 11.0;
        html! {
            text.small x="0" y=(n(top + 16.0)) { (clip(&dot.label, LABEL)) }
            @if let Some(share) = dot.share {
                path.whisker d=(format!(
                    "M{} {middle:.1}H{}M{} {:.1}v8M{} {:.1}v8",
                    n(scale.at(share.low)), n(scale.at(share.high)),
                    n(scale.at(share.low)), middle - 4.0, n(scale.at(share.high)), middle - 4.0,
                )) {}
                g class=(self.colour.class()) {
                    circle.solid cx=(n(scale.at(share.value))) cy=(n(middle)) r="5" {}
                }
            }
            text.small text-anchor="end" x=(n(WIDTH)) y=(n(top + 16.0)) {
                (dot.share.map_or("—".into(), |share| percent(share.value)))
            }
        }
    }

    fn numbers(&self) -> Grid {
        let mut grid = Grid::new([
            Column::text("group"),
            Column::text("of"),
            Column::number("share"),
            Column::number("from"),
            Column::number("to"),
            Column::number("families"),
        ]);
        for section in &self.sections {
            for dot in &section.dots {
                let cells = match dot.share {
                    Some(s) => [percent(s.value), percent(s.low), percent(s.high), count(s.of)],
                    None => ["—"; 4].map(str::to_owned),
                };
                let mut line = vec![dot.label.clone(), section.label.clone()];
                line.extend(cells);
                grid.push(line);
            }
        }
        grid
    }
}
