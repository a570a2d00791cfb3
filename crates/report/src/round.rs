//! A round as a page: what was computed, how long each phase took, what every party sent, and what was published.

use crate::chart::{Axis, Bar, BarChart, Colour, Group, Ink, Stack, StackedChart};
use crate::grid::{Column, Grid};
use crate::page::{facts, page};
use crate::units::{Unit, count, float};
use maud::html;
use serde::Serialize;

/// What is known of a round. Nothing in it is about a single family.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RoundReport {
    /// The policy's title.
    pub title: String,
    /// Whether the families are simulated: only then tiers of all of them are known.
    pub simulated: bool,
    /// Names and values for the head of the page.
    pub facts: Vec<(String, String)>,
    /// Labels of the tiers, lowest first.
    pub tiers: Vec<String>,
    /// Families by tier and answers beside tiers, where they are known: a label and a number.
    pub answers: Vec<(String, u64)>,
    /// Numbers of families that were published.
    pub statistics: Vec<Published>,
    /// Seconds by phase, where they were measured.
    pub phases: Vec<(String, f64)>,
    /// Party, what it sent, and bytes.
    pub sent: Vec<(String, String, u64)>,
    /// What was counted (lookups, multiplications) and how often.
    pub operations: Vec<(String, u64)>,
    /// What a reader has to know.
    pub notes: Vec<String>,
}

/// One published answer: for each group the number of families of every tier, with noise.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Published {
    /// What it is about, and how far numbers may be off.
    pub description: String,
    /// A group's name, and its numbers in the order of the tiers; `None` where it is too small to be shown.
    pub groups: Vec<(String, Vec<Option<i64>>)>,
}

const COLOURS: [Colour; 6] =
    [Colour::Vermillion, Colour::Orange, Colour::Sky, Colour::Blue, Colour::Green, Colour::Purple];

fn ink(number: usize) -> Ink {
    let colour = COLOURS.get(number % COLOURS.len()).copied().unwrap_or(Colour::Grey);
    if number < COLOURS.len() { Ink::solid(colour) } else { Ink::hollow(colour) }
}

impl RoundReport {
    /// As one page without scripts, which loads nothing.
    pub fn page(&self) -> String {
        let named: Vec<(&str, String)> =
            self.facts.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        let body = html! {
            (facts(&named))
            @if !self.answers.is_empty() {
                h2 { "Tiers" }
                div.charts { (self.answers_chart().figure()) }
            }
            @for published in &self.statistics {
                h2 { "Published numbers of families" }
                p { (published.description) }
                div.charts { (self.published_chart(published).figure()) }
                (self.published_table(published).html("Published numbers of families"))
            }
            @if !self.phases.is_empty() {
                h2 { "Time" }
                div.charts { (self.phases_chart().figure()) }
            }
            @if !self.operations.is_empty() {
                h2 { "Cost" }
                (self.operations_table().html("Cost"))
            }
            h2 { "What every party sent" }
            div.charts { (self.sent_chart().figure()) }
            @if !self.notes.is_empty() {
                h2 { "Notes" }
                ul { @for note in &self.notes { li { (note) } } }
            }
        };
        page(&self.title, &body)
    }

    fn answers_chart(&self) -> StackedChart {
        let all: u64 = self.answers.iter().map(|(_, families)| families).sum();
        let share = |families: &u64| Some(float(*families) / float(all.max(1)));
        let whose = if self.simulated { "simulated families" } else { "families" };
        StackedChart {
            title: "All families".into(),
            description: format!("Share of each answer among {} {whose}.", count(all)),
            of: "families".into(),
            note: "families".into(),
            parts: (0..)
                .zip(&self.answers)
                .map(|(n, (label, _))| (ink(n), label.clone()))
                .collect(),
            stacks: vec![Stack {
                label: "all".into(),
                note: count(all),
                shares: self.answers.iter().map(|(_, families)| share(families)).collect(),
            }],
            whole: true,
        }
    }

    fn published_chart(&self, published: &Published) -> StackedChart {
        let stacks = published.groups.iter().map(|(name, cells)| {
            let shown = |cell: &Option<i64>| cell.and_then(|number| u64::try_from(number).ok());
            let whole: u64 = cells.iter().filter_map(shown).sum();
            let share = |cell: &Option<i64>| Some(float(shown(cell)?) / float(whole.max(1)));
            Stack {
                label: name.clone(),
                note: count(whole),
                shares: cells.iter().map(share).collect(),
            }
        });
        StackedChart {
            title: "Tiers by group".into(),
            description:
                "Share of each tier among the numbers that are shown; on the right, their sum."
                    .into(),
            of: "group".into(),
            note: "families".into(),
            parts: (0..).zip(&self.tiers).map(|(n, label)| (ink(n), label.clone())).collect(),
            stacks: stacks.collect(),
            whole: true,
        }
    }

    fn published_table(&self, published: &Published) -> Grid {
        let tiers = self.tiers.iter().map(Column::number);
        let columns: Vec<Column> = std::iter::once(Column::text("group")).chain(tiers).collect();
        let mut grid = Grid::new(columns);
        for (name, cells) in &published.groups {
            let cells = cells.iter().map(|cell| {
                cell.map_or_else(|| "not shown".to_owned(), |number| number.to_string())
            });
            grid.push(std::iter::once(name.clone()).chain(cells).collect());
        }
        grid
    }

    fn phases_chart(&self) -> BarChart {
        let bar = |(label, seconds): &(String, f64)| Group {
            label: label.clone(),
            note: String::new(),
            warning: false,
            bars: vec![Bar {
                label: String::new(),
                ink: Ink::solid(Colour::Blue),
                value: *seconds,
                range: None,
            }],
        };
        BarChart {
            title: "Time by phase".into(),
            description: "Seconds of all parties that do the phase, one after the other.".into(),
            axis: Axis { label: "time".into(), unit: Unit::Seconds },
            legend: Vec::new(),
            groups: self.phases.iter().map(bar).collect(),
        }
    }

    fn operations_table(&self) -> Grid {
        let mut grid = Grid::new([Column::text("operation"), Column::number("number")]);
        for (name, number) in &self.operations {
            grid.push(vec![name.clone(), count(*number)]);
        }
        grid
    }

    /// A bar for everything that a party sent.
    fn sent_chart(&self) -> BarChart {
        let mut groups: Vec<Group> = Vec::new();
        for (party, what, bytes) in &self.sent {
            let bar = Bar {
                label: what.clone(),
                ink: Ink::solid(Colour::Green),
                value: float(*bytes),
                range: None,
            };
            match groups.iter_mut().find(|group| group.label == *party) {
                Some(group) => group.bars.push(bar),
                None => groups.push(Group {
                    label: party.clone(),
                    note: String::new(),
                    warning: false,
                    bars: vec![bar],
                }),
            }
        }
        BarChart {
            title: "Bytes by party".into(),
            description: "Everything that a party gave to others in this round.".into(),
            axis: Axis { label: "bytes".into(), unit: Unit::Bytes },
            legend: Vec::new(),
            groups,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> RoundReport {
        RoundReport {
            title: "A round <of> & tests".into(),
            simulated: true,
            facts: vec![("engine".into(), "bfv".into())],
            tiers: vec!["low".into(), "high".into()],
            answers: vec![("low".into(), 30), ("high".into(), 10)],
            statistics: vec![Published {
                description: "By region.".into(),
                groups: vec![
                    ("north".into(), vec![Some(21), None]),
                    ("south".into(), vec![Some(-2), Some(12)]),
                ],
            }],
            phases: vec![("evaluation".into(), 1.25)],
            sent: vec![
                ("evaluator".into(), "results".into(), 4096),
                ("evaluator".into(), "receipt".into(), 300),
            ],
            operations: vec![("multiplications".into(), 16)],
            notes: vec!["A note.".into()],
        }
    }

    #[test]
    fn a_page_has_every_number_and_neither_scripts_nor_anything_to_load() {
        let page = report().page();
        for text in ["A round &lt;of&gt; &amp; tests", "not shown", "-2", "4.1", "A note."] {
            assert!(page.contains(text), "{text} is missing");
        }
        for never in ["<script", "http://", "https://", "<img", "<link", "@import"] {
            assert!(!page.contains(never), "{never}");
        }
        assert_eq!(
            page.matches("<figure").count(),
            page.matches("The same numbers as a table").count()
        );
        assert_eq!(page.matches("<svg class=\"chart\"").count(), 4);
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let bare = RoundReport {
            answers: Vec::new(),
            statistics: Vec::new(),
            phases: Vec::new(),
            operations: Vec::new(),
            notes: Vec::new(),
            ..report()
        };
        let page = bare.page();
        for heading in ["Tiers", "Published", "Time by phase", "Cost", "Notes"] {
            assert!(!page.contains(heading), "{heading}");
        }
        assert!(page.contains("Bytes by party"));
    }
}
