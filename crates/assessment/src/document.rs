//! A Markdown document with open points.

/// An assessment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment {
    /// The whole document, as Markdown.
    pub markdown: String,
    /// What the controller has to fill in, in the order of the document.
    pub open_points: Vec<OpenPoint>,
}

/// Something that only the controller can know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenPoint {
    /// The heading of its section.
    pub section: String,
    /// What is to be filled in.
    pub what: String,
}

/// A document that is being written.
pub(crate) struct Document {
    section: String,
    body: String,
    open: Vec<OpenPoint>,
}

impl Document {
    pub fn new() -> Self {
        Self { section: String::new(), body: String::new(), open: Vec::new() }
    }

    /// Begins a section.
    pub fn section(&mut self, heading: &str) {
        heading.clone_into(&mut self.section);
        self.block(&format!("## {heading}"));
    }

    /// Begins a part of a section.
    pub fn part(&mut self, heading: &str) {
        self.block(&format!("### {heading}"));
    }

    /// Begins a part of a part.
    pub fn small_part(&mut self, heading: &str) {
        self.block(&format!("#### {heading}"));
    }

    /// A paragraph.
    pub fn paragraph(&mut self, text: &str) {
        self.block(text);
    }

    /// A list.
    pub fn list(&mut self, items: impl IntoIterator<Item = String>) {
        let items: Vec<String> = items.into_iter().map(|item| format!("- {item}")).collect();
        self.lines(&items);
    }

    /// A numbered list.
    pub fn numbered(&mut self, items: impl IntoIterator<Item = String>) {
        let items: Vec<String> =
            (1..).zip(items).map(|(number, item)| format!("{number}. {item}")).collect();
        self.lines(&items);
    }

    /// A table.
    pub fn table(&mut self, head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
        let row = |cells: Vec<String>| {
            let cells: Vec<String> = cells.iter().map(|cell| in_cell(cell)).collect();
            format!("| {} |", cells.join(" | "))
        };
        let mut lines = vec![row(head.iter().map(|cell| (*cell).to_owned()).collect())];
        lines.push(format!("|{}", "---|".repeat(head.len())));
        lines.extend(rows.into_iter().map(row));
        self.lines(&lines);
    }

    /// A mark where the controller has to fill something in; it is listed as an open point of this section.
    pub fn open(&mut self, what: &str) -> String {
        self.open.push(OpenPoint { section: self.section.clone(), what: what.to_owned() });
        format!("**[to be filled in by the controller: {what}]**")
    }

    /// A list of such marks.
    pub fn open_list(&mut self, whats: &[&str]) {
        let marks: Vec<String> = whats.iter().map(|what| self.open(what)).collect();
        self.list(marks);
    }

    /// The document with its head and the open points before everything else.
    pub fn finish(self, head: &str) -> Assessment {
        let mut points = String::new();
        for (number, OpenPoint { section, what }) in (1..).zip(&self.open) {
            let place = section.split('.').next().unwrap_or_default();
            points.push_str(&format!("{number}. {what} (section {place})\n"));
        }
        let markdown = format!("{head}\n\n## Open points\n\n{points}\n{}", self.body.trim_end());
        Assessment { markdown: markdown + "\n", open_points: self.open }
    }

    fn lines(&mut self, lines: &[String]) {
        if !lines.is_empty() {
            self.block(&lines.join("\n"));
        }
    }

    fn block(&mut self, text: &str) {
        self.body.push_str(text);
        self.body.push_str("\n\n");
    }
}

/// A policy's own words must not end a cell.
fn in_cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
