//! A table that is shown in a terminal and on a page alike.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table};
use maud::{Markup, html};
use std::fmt;

/// Characters that a table in a terminal takes at most; long cells are wrapped.
const WIDTH: u16 = 160;

/// Characters from which a cell of a page gets more room, rather than many short lines.
const LONG: usize = 40;

/// How a column is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// Words, to the left.
    Text(String),
    /// Numbers, to the right and never wrapped; a line break in the title holds in a terminal.
    Number(String),
}

/// A table; its first column names what a line is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grid {
    columns: Vec<Column>,
    lines: Vec<(&'static str, Vec<String>)>,
}

impl Column {
    /// A column of words.
    pub fn text(title: impl Into<String>) -> Self {
        Self::Text(title.into())
    }

    /// A column of numbers.
    pub fn number(title: impl Into<String>) -> Self {
        Self::Number(title.into())
    }

    fn title(&self) -> &str {
        match self {
            Self::Text(title) | Self::Number(title) => title,
        }
    }
}

impl Grid {
    /// A table without lines.
    pub fn new(columns: impl Into<Vec<Column>>) -> Self {
        Self { columns: columns.into(), lines: Vec::new() }
    }

    /// Adds a line with one cell a column.
    pub fn push(&mut self, cells: Vec<String>) {
        self.push_as("", cells);
    }

    /// Adds a line that the page's style knows by a class.
    pub fn push_as(&mut self, class: &'static str, cells: Vec<String>) {
        self.lines.push((class, cells));
    }

    /// Whether it has no lines.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// For a page, in a frame that scrolls sideways where the screen is too narrow. The name is read to those who
    /// cannot see it.
    pub fn html(&self, name: &str) -> Markup {
        html! {
            div.scroll role="region" tabindex="0" aria-label=(name) {
                table {
                    thead { tr {
                        @for column in &self.columns {
                            th.number[matches!(column, Column::Number(_))] scope="col" {
                                (column.title())
                            }
                        }
                    } }
                    tbody {
                        @for (class, cells) in &self.lines {
                            tr class=[Some(class).filter(|class| !class.is_empty())] {
                                @for (i, (column, cell)) in self.columns.iter().zip(cells).enumerate() {
                                    @if i == 0 {
                                        th scope="row" { (cell) }
                                    } @else {
                                        td.number[matches!(column, Column::Number(_))]
                                            .long[cell.chars().count() > LONG] { (cell) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// For a terminal.
impl fmt::Display for Grid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table
            .load_style(UTF8_FULL_CONDENSED)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(WIDTH)
            .set_header(self.columns.iter().map(|column| column.title()));
        for (_, cells) in &self.lines {
            table.add_row(cells);
        }
        if let Some(name) = table.column_mut(0) {
            name.set_constraint(ColumnConstraint::ContentWidth);
        }
        for (column, kind) in table.column_iter_mut().zip(&self.columns) {
            if matches!(kind, Column::Number(_)) {
                column.set_cell_alignment(CellAlignment::Right);
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        table.fmt(f)
    }
}
