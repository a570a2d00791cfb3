//! What a population has of the figures that it is calibrated to.

use super::family::Family;
use super::model::LARGE;
use super::region::Welfare;
use super::targets::{Target, Targets};
use serde::Serialize;

/// How far a figure may be from its target, relative to the target.
pub const TOLERANCE: f64 = 0.05;

/// Counts of the true families, before any dirt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Margins {
    /// Families.
    pub families: u64,
    /// Persons.
    pub persons: u64,
    /// Families that need support, as declared in docs/population.md.
    pub needing: u64,
    owned: u64,
    assisted_families: u64,
    assisted_persons: u64,
    poor: u64,
    large: Group,
    capital: Group,
    poorest: Group,
}

/// Persons of a group, and the poor among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Group {
    persons: u64,
    poor: u64,
}

impl Group {
    fn add(&mut self, other: Group) {
        self.persons += other.persons;
        self.poor += other.poor;
    }

    fn poverty(self) -> f64 {
        share(self.poor, self.persons)
    }
}

impl Margins {
    /// Counts one family.
    pub(crate) fn count(&mut self, family: &Family, needs_support: bool) {
        let persons = family.persons.len() as u64;
        let group = Group { persons, poor: if family.is_poor() { persons } else { 0 } };
        self.families += 1;
        self.persons += persons;
        self.needing += u64::from(needs_support);
        self.owned += u64::from(family.address.owned);
        if family.assisted {
            self.assisted_families += 1;
            self.assisted_persons += persons;
        }
        self.poor += group.poor;
        if persons >= u64::from(LARGE) {
            self.large.add(group);
        }
        match family.region.welfare {
            Welfare::Capital => self.capital.add(group),
            Welfare::Poorest => self.poorest.add(group),
            Welfare::Rank(_) => {}
        }
    }

    /// Adds another part of the population.
    pub(crate) fn add(&mut self, other: &Margins) {
        self.families += other.families;
        self.persons += other.persons;
        self.needing += other.needing;
        self.owned += other.owned;
        self.assisted_families += other.assisted_families;
        self.assisted_persons += other.assisted_persons;
        self.poor += other.poor;
        self.large.add(other.large);
        self.capital.add(other.capital);
        self.poorest.add(other.poorest);
    }

    /// Every figure beside its target.
    pub fn compare(&self, targets: &Targets) -> Vec<Figure> {
        [
            (targets.persons_per_family, share(self.persons, self.families)),
            (targets.large_households, share(self.large.persons, self.persons)),
            (targets.owned, share(self.owned, self.families)),
            (targets.poverty, share(self.poor, self.persons)),
            (targets.poverty_large, self.large.poverty()),
            (targets.poverty_capital, self.capital.poverty()),
            (targets.poverty_poorest, self.poorest.poverty()),
            (targets.assisted_families, share(self.assisted_families, self.families)),
            (targets.assisted_people, share(self.assisted_persons, self.persons)),
        ]
        .map(|(target, reached)| Figure::new(target, reached))
        .into()
    }
}

fn share(part: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { part as f64 / all as f64 }
}

/// A figure beside its target.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// Short name.
    pub name: &'static str,
    /// What is counted, and out of what.
    pub definition: &'static str,
    /// The words of the source.
    pub published: &'static str,
    /// The published figure.
    pub target: f64,
    /// That of the population.
    pub reached: f64,
    /// Difference over the target.
    pub relative_difference: f64,
    /// Whether it is within [`TOLERANCE`].
    pub within: bool,
}

impl Figure {
    fn new(target: Target, reached: f64) -> Self {
        let relative_difference = reached / target.value - 1.0;
        Self {
            name: target.name,
            definition: target.definition,
            published: target.published,
            target: target.value,
            reached,
            relative_difference,
            within: relative_difference.abs() <= TOLERANCE,
        }
    }
}
