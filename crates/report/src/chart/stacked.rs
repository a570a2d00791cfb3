//! Bars of several parts, one behind the other.

use super::linear::Linear;
use super::{Ink, LABEL, WIDTH, clip, figure, n, small_length};
use crate::grid::{Column, Grid};
use crate::units::percent;
use maud::{Markup, html};

/// Right of the bars, for their notes.
const NOTES: f64 = 92.0;
/// From one bar to the next.
const ROW: f64 = 27.0;

/// Horizontal bars of shares.
#[derive(Clone, Debug, PartialEq)]
pub struct StackedChart {
    /// What it shows.
    pub title: String,
    /// How it is read.
    pub description: String,
    /// What the lines are.
    pub of: String,
    /// What stands right of the bars.
    pub note: String,
    /// The parts, in the order in which they lie.
    pub parts: Vec<(Ink, String)>,
    /// The bars, from top to bottom.
    pub stacks: Vec<Stack>,
    /// Whether the axis reaches to 100 %, whatever the shares.
    pub whole: bool,
}

/// A bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Stack {
    /// What it is of.
    pub label: String,
    /// A short number for people.
    pub note: String,
    /// A share a part, from 0 to 1. What is not told leaves a gap at the end of a whole bar.
    pub shares: Vec<Option<f64>>,
}

impl StackedChart {
    /// As a figure with its legend and the table of its numbers.
    pub fn figure(&self) -> Markup {
        let legend = html! {
            @for (ink, label) in &self.parts {
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
        let longest = self.stacks.iter().map(|stack| stack.label.chars().count()).max();
        let longest = longest.unwrap_or(0);
        // Long labels stand above their bars.
        let above = longest > LABEL;
        let left = if above || longest == 0 { 18.0 } else { small_length(longest) + 10.0 };
        let row = if above { ROW + 21.0 } else { ROW };
        let right = WIDTH - NOTES;
        let sums = self.stacks.iter().map(|stack| stack.shares.iter().flatten().sum());
        let scale = match self.whole {
            true => Linear::whole(left, right),
            false => Linear::of(sums, left, right),
        };
        let tops = (0..).map(|number: u32| f64::from(number) * row + 4.0);
        let rows = f64::from(u32::try_from(self.stacks.len()).unwrap_or(u32::MAX));
        let bottom = rows * row + 4.0;
        html! {
            svg.chart viewBox=(format!("0 0 {} {}", n(WIDTH), n(bottom + 28.0))) role="img"
                aria-label=(self.title) {
                title { (self.title) }
                desc { (self.description) }
                @for mark in scale.marks() {
                    line.rule x1=(n(scale.at(mark))) x2=(n(scale.at(mark))) y1="0" y2=(n(bottom)) {}
                    text.small.muted text-anchor="middle" x=(n(scale.at(mark))) y=(n(bottom + 19.0)) {
                        (percent(mark))
                    }
                }
                @for (stack, top) in self.stacks.iter().zip(tops) {
                    @if above {
                        text.small x="0" y=(n(top + 15.0)) { (clip(&stack.label, 54)) }
                    } @else {
                        text.small x="0" y=(n(top + 15.0)) { (stack.label) }
                    }
                    (self.bar(stack, &scale, if above { top + 21.0 } else { top }))
                }
            }
        }
    }

    fn bar(&self, stack: &Stack, scale: &Linear, top: f64) -> Markup {
        let mut start = 0.0;
        let mut drawn = Vec::new();
        for ((ink, label), share) in self.parts.iter().zip(&stack.shares) {
            let Some(share) = share.filter(|share| *share > 0.0) else { continue };
            let (from, to) = (scale.at(start), scale.at(start + share));
            start += share;
            drawn.push(html! {
                rect class=(ink.class()) x=(n(from)) y=(n(top + 1.0)) width=(n(to - from)) height="18" {
                    title { (stack.label) ", " (label) ": " (percent(share)) }
                }
            });
        }
        html! {
            @for part in &drawn { (part) }
            text.small text-anchor="end" x=(n(WIDTH)) y=(n(top + 16.0)) { (stack.note) }
        }
    }

    fn numbers(&self) -> Grid {
        let mut columns = vec![Column::text(&self.of), Column::number(&self.note)];
        columns.extend(self.parts.iter().map(|(_, label)| Column::number(label)));
        let mut grid = Grid::new(columns);
        for stack in &self.stacks {
            let shares = stack.shares.iter().map(|share| share.map_or("—".into(), percent));
            let mut line = vec![stack.label.clone(), stack.note.clone()];
            line.extend(shares);
            grid.push(line);
        }
        grid
    }
}
