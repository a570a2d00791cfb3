//! The families of a data set, each by the number of its values.

use crate::read::Layout;
use std::collections::HashMap;

/// Shown for families that the file of families does not have.
const NOT_LISTED: &str = "not listed";

/// Families whose values are the same share them: there are far fewer values than families.
#[derive(Clone, Debug)]
pub struct Population {
    pub(crate) layout: Layout,
    /// The different values, stored one after another.
    stored: Vec<u8>,
    /// Position of each family's values.
    pub(crate) of: Vec<u32>,
    /// How many families have the values at each position.
    pub(crate) weight: Vec<u32>,
    /// Columns to group by.
    pub(crate) columns: Vec<GroupColumn>,
    /// Whether each family needs support.
    pub(crate) need: Vec<Need>,
    /// The column that says so; none if nothing does.
    pub(crate) need_column: Option<String>,
    /// What a reader has to know.
    pub(crate) notes: Vec<String>,
}

/// A column to group by.
#[derive(Clone, Debug)]
pub(crate) struct GroupColumn {
    /// Its name.
    pub name: String,
    /// Its groups.
    pub labels: Vec<String>,
    /// The group of each family.
    pub of: Vec<u16>,
}

/// Whether a family needs support, as the ground truth has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// Nothing is said of it.
    Unknown,
}

/// A population while it is read.
pub(crate) struct Builder {
    layout: Layout,
    stored: Vec<u8>,
    known: HashMap<Box<[u8]>, u32>,
    of: Vec<u32>,
    weight: Vec<u32>,
    groups: Vec<Vec<u16>>,
    need: Vec<Need>,
    buffer: Vec<u8>,
}

/// Stands for no entry in the file of families.
const UNLISTED: u16 = u16::MAX;

impl Builder {
    pub fn new(layout: Layout, columns: usize) -> Self {
        Self {
            layout,
            stored: Vec::new(),
            known: HashMap::new(),
            of: Vec::new(),
            weight: Vec::new(),
            groups: vec![Vec::new(); columns],
            need: Vec::new(),
            buffer: Vec::new(),
        }
    }

    /// Families so far.
    pub fn families(&self) -> usize {
        self.of.len()
    }

    /// Adds a family; without groups the file of families does not have it.
    pub fn push(&mut self, values: &[i64], groups: Option<&[u16]>, need: Need) {
        self.layout.encode(values, &mut self.buffer);
        let number = match self.known.get(self.buffer.as_slice()) {
            Some(number) => *number,
            None => {
                let number = u32::try_from(self.weight.len()).unwrap_or(u32::MAX);
                self.known.insert(self.buffer.clone().into(), number);
                self.stored.extend(&self.buffer);
                self.weight.push(0);
                number
            }
        };
        if let Some(weight) = self.weight.get_mut(position(number)) {
            *weight = weight.saturating_add(1);
        }
        self.of.push(number);
        for (column, group) in self.groups.iter_mut().enumerate() {
            column_push(group, groups.and_then(|groups| groups.get(column)));
        }
        self.need.push(need);
    }

    /// The population, once the names of the groups are known.
    pub fn finish(
        self,
        mut columns: Vec<GroupColumn>,
        need_column: Option<String>,
        notes: Vec<String>,
    ) -> Population {
        for (column, of) in columns.iter_mut().zip(self.groups) {
            column.of = of;
            column.tidy();
        }
        Population {
            layout: self.layout,
            stored: self.stored,
            of: self.of,
            weight: self.weight,
            columns,
            need: self.need,
            need_column,
            notes,
        }
    }
}

fn column_push(column: &mut Vec<u16>, group: Option<&u16>) {
    column.push(group.copied().unwrap_or(UNLISTED));
}

impl GroupColumn {
    /// Puts the groups in order, and gives families that are in none one of their own.
    fn tidy(&mut self) {
        if self.of.contains(&UNLISTED) {
            let number = u16::try_from(self.labels.len()).unwrap_or(UNLISTED);
            self.labels.push(NOT_LISTED.to_owned());
            for group in self.of.iter_mut().filter(|group| **group == UNLISTED) {
                *group = number;
            }
        }
        let mut order: Vec<u16> = (0..).take(self.labels.len()).collect();
        let label =
            |number: &u16| self.labels.get(usize::from(*number)).cloned().unwrap_or_default();
        order.sort_by(|a, b| crate::read::by_number(&label(a), &label(b)));
        let labels = order.iter().map(label).collect();
        let mut renamed = vec![0u16; order.len()];
        for (new, old) in (0..).zip(&order) {
            if let Some(place) = renamed.get_mut(usize::from(*old)) {
                *place = new;
            }
        }
        for group in &mut self.of {
            *group = renamed.get(usize::from(*group)).copied().unwrap_or(0);
        }
        self.labels = labels;
    }
}

impl Population {
    /// How many families there are.
    pub fn families(&self) -> usize {
        self.of.len()
    }

    /// How many different values they have.
    pub fn distinct(&self) -> usize {
        self.weight.len()
    }

    /// The stored values at a position.
    pub(crate) fn stored(&self, position: usize) -> &[u8] {
        let width = self.layout.width();
        let start = position.saturating_mul(width);
        self.stored.get(start..start.saturating_add(width)).unwrap_or_default()
    }

    /// The values of one policy at a position.
    pub(crate) fn values(&self, policy: usize, position: usize, values: &mut Vec<i64>) {
        self.layout.decode(policy, self.stored(position), values);
    }
}

/// A stored position as an index.
pub(crate) fn position(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
