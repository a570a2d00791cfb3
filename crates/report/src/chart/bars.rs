//! Horizontal bars.

use super::scale::{MARK, Scale};
use super::{Axis, CHARACTER, Ink, WIDTH, clip, figure, n, small_length};
use crate::grid::{Column, Grid};
use crate::units::Unit;
use maud::{Markup, html};

/// Right of the bars, for their numbers.
const NUMBERS: f64 = 84.0;

/// Horizontal bars in groups.
#[derive(Clone, Debug, PartialEq)]
pub struct BarChart {
    /// What it shows.
    pub title: String,
    /// How it is read.
    pub description: String,
    /// The axis of the values.
    pub axis: Axis,
    /// What the colours mean.
    pub legend: Vec<(Ink, String)>,
    /// The bars, from top to bottom.
    pub groups: Vec<Group>,
}

/// Bars under one label.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// What the bars are of.
    pub label: String,
    /// What a reader has to know of it, in a few words.
    pub note: String,
    /// Whether the note is a warning.
    pub warning: bool,
    /// The bars, from top to bottom.
    pub bars: Vec<Bar>,
}

/// A bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// What it is within its group; empty if it is alone.
    pub label: String,
    /// How it is filled.
    pub ink: Ink,
    /// Its length; what is not positive has no place on the axis and is only written.
    pub value: f64,
    /// Smallest and largest, for a whisker.
    pub range: Option<(f64, f64)>,
}

impl BarChart {
    /// As a figure with its legend and the table of its numbers.
    pub fn figure(&self) -> Markup {
        let legend = html! {
            @for (ink, label) in &self.legend {
                li {
                    svg viewBox="0 0 32 16" aria-hidden="true" {
                        rect class=(ink.class()) x="2" y="2" width="28" height="12" {}
                    }
                    (label)
                }
            }
        };
        figure(&self.title, &self.description, &legend, &self.svg(), &self.numbers())
    }

    fn svg(&self) -> Markup {
        let all = self.groups.iter().flat_map(|group| &group.bars);
        let longest = all.clone().map(|bar| bar.label.chars().count()).max().unwrap_or(0);
        let left = if longest == 0 { 28.0 } else { small_length(longest) + 10.0 };
        let right = WIDTH - NUMBERS;
        let values = all.flat_map(|bar| {
            let (low, high) = bar.range.unwrap_or((bar.value, bar.value));
            [bar.value, low, high]
        });
        let scale = Scale::of(values, left, right).decades();

        let mut drawn = Vec::new();
        let mut y = 4.0;
        for group in &self.groups {
            let room = ((WIDTH / CHARACTER) as usize).saturating_sub(group.label.chars().count());
            drawn.push(html! {
                text x="0" y=(n(y + 18.0)) {
                    tspan.strong { (group.label) }
                    tspan.small.warning[group.warning].muted[!group.warning] dx="9" { (clip(&group.note, room)) }
                }
            });
            y += 27.0;
            for bar in &group.bars {
                drawn.push(bar.svg(&scale, self.axis.unit, y));
                y += 25.0;
            }
            y += 12.0;
        }
        let height = y + 52.0;
        let marks = scale.decade_marks(MARK);
        html! {
            svg.chart viewBox=(format!("0 0 {} {}", n(WIDTH), n(height))) role="img"
                aria-label=(self.title) {
                title { (self.title) }
                desc { (self.description) }
                @for &mark in &marks {
                    line.rule x1=(n(scale.at(mark))) x2=(n(scale.at(mark))) y1="0" y2=(n(y)) {}
                    text.small.muted text-anchor="middle" x=(n(scale.at(mark)))
                        y=(n(y + 18.0)) { (self.axis.unit.mark(mark)) }
                }
                @for one in &drawn { (one) }
                text.small.muted text-anchor="middle" x=(n(WIDTH / 2.0)) y=(n(y + 42.0)) {
                    (self.axis.label) " (logarithmic)"
                }
            }
        }
    }

    fn numbers(&self) -> Grid {
        let mut grid = Grid::new([
            Column::text("what"),
            Column::text("part or note"),
            Column::number(&self.axis.label),
            Column::number("smallest"),
            Column::number("largest"),
        ]);
        let show = |value: f64| self.axis.unit.show(value);
        for group in &self.groups {
            for bar in &group.bars {
                let what = if bar.label.is_empty() { &group.note } else { &bar.label };
                let [low, high] =
                    bar.range.map_or_else(Default::default, |(low, high)| [show(low), show(high)]);
                grid.push(vec![group.label.clone(), what.clone(), show(bar.value), low, high]);
            }
        }
        grid
    }
}

impl Bar {
    fn svg(&self, scale: &Scale, unit: Unit, top: f64) -> Markup {
        let middle = top + 10.0;
        let end = scale.place(self.value);
        let whisker = self.range.and_then(|(low, high)| scale.place(low).zip(scale.place(high)));
        html! {
            text.small x="0" y=(n(top + 16.0)) { (self.label) }
            @if let Some(end) = end {
                rect class=(self.ink.class()) x=(n(scale.from)) y=(n(top + 1.0))
                    width=(n((end - scale.from).max(1.0))) height="18" {}
            }
            @if let Some((low, high)) = whisker {
                path.whisker d=(format!(
                    "M{low:.1} {middle:.1}H{high:.1}M{low:.1} {:.1}v8M{high:.1} {:.1}v8",
                    middle - 4.0, middle - 4.0,
                )) {}
            }
            text.small text-anchor="end" x=(n(WIDTH)) y=(n(top + 16.0)) { (unit.show(self.value)) }
        }
    }
}
