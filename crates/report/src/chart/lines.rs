//! Lines with points, and laws beside them.

use super::scale::Scale;
use super::{Axis, Colour, WIDTH, figure, n};
use crate::grid::{Column, Grid};
use maud::{Markup, html};

/// Height of the plot of a line chart.
const PLOT: f64 = 280.0;
/// Left of the plot of a line chart, for the marks of its axis.
const MARKS: f64 = 78.0;

/// Lines with points.
#[derive(Clone, Debug, PartialEq)]
pub struct LineChart {
    /// What it shows.
    pub title: String,
    /// How it is read.
    pub description: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// The lines.
    pub lines: Vec<Line>,
}

/// A line.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// What it is, and its law if it has one.
    pub label: String,
    /// Its position among all lines of a page; the same number has the same colour, mark and dashes in every chart.
    pub number: usize,
    /// Points by growing x. What is not positive is left out.
    pub points: Vec<(f64, f64)>,
    /// Where a point was asked for and could not be had; marked by a cross at the upper edge.
    pub refused: Vec<f64>,
    /// Factor and exponent of a law y = factor · x^exponent, drawn dotted.
    pub law: Option<(f64, f64)>,
}

impl LineChart {
    /// As a figure with its legend and the table of its numbers.
    pub fn figure(&self) -> Markup {
        let legend = html! {
            @for line in &self.lines {
                li {
                    svg class=(line.colour().class()) viewBox="0 0 32 16" aria-hidden="true" {
                        path.curve stroke-dasharray=[line.dashes()] d="M0 8H32" {}
                        path.solid d=(line.mark(16.0, 8.0)) {}
                    }
                    (line.label)
                }
            }
        };
        figure(&self.title, &self.description, &legend, &self.svg(), &self.numbers())
    }

    fn svg(&self) -> Markup {
        let top = 34.0;
        let bottom = top + PLOT;
        let points = self.lines.iter().flat_map(|line| &line.points);
        let xs = points.clone().map(|point| point.0);
        let xs = xs.chain(self.lines.iter().flat_map(|line| line.refused.iter().copied()));
        let x = Scale::of(xs.clone(), MARKS, WIDTH).padded(0.06, 0.0);
        // A whole decade at least, so that noise does not look like growth.
        let y = Scale::of(points.map(|point| point.1), bottom, top).padded(0.08, 1.0);
        html! {
            svg.chart viewBox=(format!("0 0 {} {}", n(WIDTH), n(bottom + 52.0))) role="img"
                aria-label=(self.title) {
                title { (self.title) }
                desc { (self.description) }
                text.small.muted x="0" y="16" { (self.y.label) " (logarithmic)" }
                @for mark in y.marks() {
                    line.rule x1=(n(MARKS)) x2=(n(WIDTH)) y1=(n(y.at(mark))) y2=(n(y.at(mark))) {}
                    text.small.muted text-anchor="end" x=(n(MARKS - 8.0)) y=(n(y.at(mark) + 5.0)) {
                        (self.y.unit.mark(mark))
                    }
                }
                @for mark in x.marks_at(xs) {
                    line.rule x1=(n(x.at(mark))) x2=(n(x.at(mark))) y1=(n(top)) y2=(n(bottom)) {}
                    text.small.muted text-anchor="middle" x=(n(x.at(mark))) y=(n(bottom + 19.0)) {
                        (self.x.unit.mark(mark))
                    }
                }
                @for line in &self.lines { (line.svg(&x, &y)) }
                text.small.muted text-anchor="middle" x=(n((MARKS + WIDTH) / 2.0))
                    y=(n(bottom + 43.0)) { (self.x.label) " (logarithmic)" }
            }
        }
    }

    fn numbers(&self) -> Grid {
        let mut grid = Grid::new([
            Column::text("line"),
            Column::number(&self.x.label),
            Column::number(&self.y.label),
        ]);
        for line in &self.lines {
            for &(x, y) in &line.points {
                grid.push(vec![line.label.clone(), self.x.unit.mark(x), self.y.unit.show(y)]);
            }
            for &x in &line.refused {
                grid.push(vec![line.label.clone(), self.x.unit.mark(x), "refused".into()]);
            }
        }
        grid
    }
}

impl Line {
    fn svg(&self, x: &Scale, y: &Scale) -> Markup {
        let points: Vec<(f64, f64)> =
            self.points.iter().filter_map(|point| x.place(point.0).zip(y.place(point.1))).collect();
        let joined: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
        html! {
            g class=(self.colour().class()) {
                @if let Some(law) = self.fitted(x, y) { path.fitted d=(law) {} }
                @if joined.len() > 1 {
                    path.curve stroke-dasharray=[self.dashes()] d=(format!("M{}", joined.join("L"))) {}
                }
                @for &(x, y) in &points { path.solid d=(self.mark(x, y)) {} }
                @for x in self.refused.iter().filter_map(|value| x.place(*value)) {
                    path.refused d=(format!("M{:.1} {:.1}l12 12m0 -12l-12 12", x - 6.0, y.to)) {}
                }
            }
        }
    }

    /// The law between the first and the last point.
    fn fitted(&self, x: &Scale, y: &Scale) -> Option<String> {
        let (factor, exponent) = self.law?;
        let end = |value: f64| x.place(value).zip(y.place(factor * value.powf(exponent)));
        let (from, to) = (end(self.points.first()?.0)?, end(self.points.last()?.0)?);
        Some(format!("M{:.1} {:.1}L{:.1} {:.1}", from.0, from.1, to.0, to.1))
    }

    fn colour(&self) -> Colour {
        match self.number % 6 {
            0 => Colour::Blue,
            1 => Colour::Vermillion,
            2 => Colour::Green,
            3 => Colour::Purple,
            4 => Colour::Orange,
            _ => Colour::Grey,
        }
    }

    fn dashes(&self) -> Option<&'static str> {
        match self.number % 6 {
            0 => None,
            1 => Some("9 4"),
            2 => Some("3 3"),
            3 => Some("12 3 3 3"),
            4 => Some("6 6"),
            _ => Some("1 4"),
        }
    }

    /// Outline of the mark at a point: circle, square, triangle or diamond, so that colour is not all there is.
    fn mark(&self, x: f64, y: f64) -> String {
        match self.number % 4 {
            0 => format!("M{:.1} {y:.1}a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z", x - 5.0),
            1 => format!("M{:.1} {:.1}h9v9h-9z", x - 4.5, y - 4.5),
            2 => format!("M{x:.1} {:.1}l6 10h-12z", y - 6.0),
            _ => format!("M{x:.1} {:.1}l6 6l-6 6l-6 -6z", y - 6.0),
        }
    }
}
