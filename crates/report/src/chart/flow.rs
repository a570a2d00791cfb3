//! Who goes where: bands between two columns of blocks.

use super::{Ink, WIDTH, clip, figure, n};
use crate::grid::{Column, Grid};
use crate::units::{count, float, percent};
use maud::{Markup, html};

/// Height of all blocks of a column together.
const BLOCKS: f64 = 320.0;
/// Between blocks, so that their labels have room.
const GAP: f64 = 22.0;
/// Width of a block.
const BLOCK: f64 = 14.0;

/// Bands from blocks on the left to blocks on the right.
#[derive(Clone, Debug, PartialEq)]
pub struct FlowChart {
    /// What it shows.
    pub title: String,
    /// How it is read.
    pub description: String,
    /// Headings of the two columns.
    pub sides: [String; 2],
    /// The blocks on the left, from top to bottom.
    pub from: Vec<Node>,
    /// The blocks on the right.
    pub to: Vec<Node>,
    /// From each block on the left (row) to each on the right; what is not told has no band.
    pub bands: Vec<Vec<Option<u64>>>,
}

/// A block.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it is.
    pub label: String,
    /// Its size.
    pub size: u64,
    /// Its colour.
    pub ink: Ink,
    /// What is the same on the other side has the same name.
    pub name: String,
    /// Whether it is support, if that is known.
    pub supported: Option<bool>,
}

/// Where a block lies, and how much of it has bands already.
struct Place {
    top: f64,
    height: f64,
    used: f64,
}

impl FlowChart {
    /// As a figure with the table of its numbers.
    pub fn figure(&self) -> Markup {
        let kinds = [Band::Stays, Band::Moves, Band::Gains, Band::Loses];
        let drawn: Vec<Band> = self.cells().map(|(from, to, _)| Band::of(from, to)).collect();
        let legend = html! {
            @for kind in kinds.into_iter().filter(|kind| drawn.contains(kind)) {
                li {
                    svg viewBox="0 0 32 16" aria-hidden="true" {
                        rect class=(kind.class()) x="2" y="2" width="28" height="12" {}
                    }
                    (kind.meaning())
                }
            }
        };
        figure(&self.title, &self.description, &legend, &self.svg(), &self.numbers())
    }

    fn svg(&self) -> Markup {
        let total = self.from.iter().chain(&self.to).map(|node| node.size);
        let all = float(total.sum::<u64>().max(2)) / 2.0;
        let top = 34.0;
        let (mut left, mut right) = (places(&self.from, all, top), places(&self.to, all, top));
        let last = left.iter().chain(&right).map(|place| place.top + place.height);
        let bottom = last.fold(top, f64::max) + 16.0;
        let (start, end) = (BLOCK, WIDTH - BLOCK);
        let middle = WIDTH / 2.0;
        let mut bands = Vec::new();
        for ((line, node), from) in self.bands.iter().zip(&self.from).zip(&mut left) {
            for ((cell, target), to) in line.iter().zip(&self.to).zip(&mut right) {
                let Some(families) = cell.filter(|families| *families > 0) else { continue };
                let height = float(families) / all * BLOCKS;
                let (a, b) = (from.top + from.used, to.top + to.used);
                from.used += height;
                to.used += height;
                let path = format!(
                    "M{} {}C{} {} {} {} {} {}V{}C{} {} {} {} {} {}Z",
                    n(start),
                    n(a),
                    n(middle),
                    n(a),
                    n(middle),
                    n(b),
                    n(end),
                    n(b),
                    n(b + height),
                    n(middle),
                    n(b + height),
                    n(middle),
                    n(a + height),
                    n(start),
                    n(a + height),
                );
                bands.push(html! {
                    path class=(Band::of(node, target).class()) d=(path) {
                        title { (node.label) " → " (target.label) ": " (count(families)) }
                    }
                });
            }
        }
        html! {
            svg.chart viewBox=(format!("0 0 {} {}", n(WIDTH), n(bottom))) role="img"
                aria-label=(self.title) {
                title { (self.title) }
                desc { (self.description) }
                text.small.strong x="0" y="18" { (clip(&self.sides[0], 26)) }
                text.small.strong text-anchor="end" x=(n(WIDTH)) y="18" { (clip(&self.sides[1], 26)) }
                @for band in &bands { (band) }
                (blocks(&self.from, &left, all, false))
                (blocks(&self.to, &right, all, true))
            }
        }
    }

    /// Blocks with a band between them.
    fn cells(&self) -> impl Iterator<Item = (&Node, &Node, u64)> {
        let lines = self.bands.iter().zip(&self.from);
        lines.flat_map(|(line, from)| {
            let cells = line.iter().zip(&self.to);
            cells.filter_map(move |(cell, to)| Some((from, to, cell.filter(|c| *c > 0)?)))
        })
    }

    fn numbers(&self) -> Grid {
        let mut columns = vec![Column::text("from, below; to, right")];
        columns.extend(self.to.iter().map(|node| Column::number(&node.label)));
        columns.push(Column::number("together"));
        let mut grid = Grid::new(columns);
        for (node, line) in self.from.iter().zip(&self.bands) {
            let mut cells = vec![node.label.clone()];
            cells.extend(line.iter().map(|cell| cell.map_or("—".into(), count)));
            cells.push(count(node.size));
            grid.push(cells);
        }
        let mut together = vec!["together".to_owned()];
        together.extend(self.to.iter().map(|node| count(node.size)));
        together.push(count(self.to.iter().map(|node| node.size).sum()));
        grid.push(together);
        grid
    }
}

/// What a band means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Band {
    Stays,
    Moves,
    Gains,
    Loses,
}

impl Band {
    fn of(from: &Node, to: &Node) -> Self {
        match (from.supported, to.supported) {
            (Some(false), Some(true)) => Self::Gains,
            (Some(true), Some(false)) => Self::Loses,
            _ if from.name == to.name => Self::Stays,
            _ => Self::Moves,
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Stays => "band grey faint",
            Self::Moves => "band blue",
            Self::Gains => "band green",
            Self::Loses => "band vermillion",
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::Stays => "the same tier",
            Self::Moves => "another tier",
            Self::Gains => "gains support",
            Self::Loses => "loses support",
        }
    }
}

fn places(nodes: &[Node], all: f64, top: f64) -> Vec<Place> {
    let mut y = top;
    let mut places = Vec::with_capacity(nodes.len());
    for node in nodes {
        let height = float(node.size) / all * BLOCKS;
        places.push(Place { top: y, height, used: 0.0 });
        y += height + GAP;
    }
    places
}

fn blocks(nodes: &[Node], places: &[Place], all: f64, right: bool) -> Markup {
    let (x, label) = if right { (WIDTH - BLOCK, WIDTH - BLOCK - 7.0) } else { (0.0, BLOCK + 7.0) };
    html! {
        @for (node, place) in nodes.iter().zip(places) {
            rect class=(node.ink.class()) x=(n(x)) y=(n(place.top)) width=(n(BLOCK))
                height=(n(place.height.max(1.0))) {}
            text.small.halo text-anchor=[right.then_some("end")] x=(n(label))
                y=(n(place.top + place.height / 2.0 + 5.5)) {
                (clip(&node.label, 20)) " " (percent(float(node.size) / all))
            }
        }
    }
}
