//! The file of families: groups to compare, and who truly needs support.

use super::source::{Source, yes_or_no};
use crate::SimulateError;
use crate::population::{GroupColumn, Need};
use blindtier_policy::RegisterError;
use std::collections::HashMap;
use std::path::Path;

/// The most groups of one column.
const MAX_GROUPS: usize = 1000;

/// Families of this many persons and more are one group.
const LARGE: u32 = 5;

/// Group columns that are used if the file has them.
const USUAL: [&str; 4] = ["region", "persons", "head_sex", "disability"];

/// The usual column of the ground truth.
const USUAL_NEED: &str = "need";

/// The file of families, read in step with the registers.
pub(crate) struct Roster {
    source: Source,
    id: usize,
    by: Vec<By>,
    need: Option<(usize, String)>,
}

/// A group column while it is read.
struct By {
    position: usize,
    name: String,
    labels: Vec<String>,
    numbers: HashMap<String, u16>,
}

/// One family of the file.
pub(crate) struct Entry {
    /// The family.
    pub id: String,
    /// Its groups, by column.
    pub groups: Vec<u16>,
    /// Whether it needs support.
    pub need: Need,
}

impl Roster {
    /// Opens the file. Without names of columns the usual ones are taken, as far as they are there.
    pub fn open(
        path: &Path,
        by: Option<&[String]>,
        need: Option<&str>,
    ) -> Result<Self, SimulateError> {
        let source = Source::open(path)?;
        let id = match source.column("family")? {
            Some(id) => Some(id),
            None => source.column("id")?,
        };
        let id = id.ok_or_else(|| SimulateError::NoFamilyColumn { file: source.name.clone() })?;
        let asked = |column: &str| {
            source.column(column)?.ok_or_else(|| SimulateError::NoColumn {
                file: source.name.clone(),
                column: column.to_owned(),
                known: source.header.join(", "),
            })
        };
        let mut columns: Vec<(usize, String)> = Vec::new();
        match by {
            Some(names) => {
                for name in names {
                    columns.push((asked(name)?, name.clone()));
                }
            }
            None => {
                for name in USUAL {
                    columns.extend(source.column(name)?.map(|at| (at, name.to_owned())));
                }
            }
        }
        let need = match need {
            Some(name) => Some((asked(name)?, name.to_owned())),
            None => source.column(USUAL_NEED)?.map(|at| (at, USUAL_NEED.to_owned())),
        };
        let by = columns
            .into_iter()
            .map(|(position, name)| By {
                position,
                name,
                labels: Vec::new(),
                numbers: HashMap::new(),
            })
            .collect();
        Ok(Self { source, id, by, need })
    }

    /// The file's name.
    pub fn name(&self) -> &str {
        &self.source.name
    }

    /// Line of the last entry.
    pub fn line(&self) -> u64 {
        self.source.line()
    }

    /// The column of the ground truth.
    pub fn need(&self) -> Option<&str> {
        self.need.as_ref().map(|(_, name)| name.as_str())
    }

    /// The next family.
    pub fn next(&mut self) -> Result<Option<Entry>, SimulateError> {
        if !self.source.advance()? {
            return Ok(None);
        }
        let id = self.source.name_cell(self.id, "family")?.to_owned();
        let mut groups = Vec::with_capacity(self.by.len());
        for by in &mut self.by {
            groups.push(by.number(&self.source)?);
        }
        let need = match &self.need {
            None => Need::Unknown,
            Some((position, column)) => match self.source.cell(*position) {
                "" => Need::Unknown,
                text => match yes_or_no(text) {
                    Some(true) => Need::Yes,
                    Some(false) => Need::No,
                    None => {
                        return Err(SimulateError::Need {
                            file: self.source.name.clone(),
                            line: self.source.line(),
                            column: column.clone(),
                            text: text.to_owned(),
                        });
                    }
                },
            },
        };
        Ok(Some(Entry { id, groups, need }))
    }

    /// An error about a family that has two rows.
    pub fn repeated(&self, id: &str) -> SimulateError {
        let (file, line) = (self.source.name.clone(), self.source.line());
        RegisterError::Repeated { file, line, what: "family", id: id.to_owned() }.into()
    }

    /// The groups that were met, without the families' numbers in them.
    pub fn into_columns(self) -> Vec<GroupColumn> {
        let column = |by: By| GroupColumn { name: by.name, labels: by.labels, of: Vec::new() };
        self.by.into_iter().map(column).collect()
    }

    /// How many group columns there are.
    pub fn columns(&self) -> usize {
        self.by.len()
    }
}

impl By {
    fn number(&mut self, source: &Source) -> Result<u16, SimulateError> {
        let cell = source.cell(self.position);
        let large = self.name == "persons" && cell.parse().is_ok_and(|number: u32| number >= LARGE);
        let text = match cell {
            _ if large => "5+",
            "" => "not stated",
            text => text,
        };
        if let Some(number) = self.numbers.get(text) {
            return Ok(*number);
        }
        let number = u16::try_from(self.labels.len()).ok().filter(|n| usize::from(*n) < MAX_GROUPS);
        let number = number.ok_or_else(|| SimulateError::TooManyGroups {
            file: source.name.clone(),
            column: self.name.clone(),
            limit: MAX_GROUPS,
        })?;
        self.numbers.insert(text.to_owned(), number);
        self.labels.push(text.to_owned());
        Ok(number)
    }
}
