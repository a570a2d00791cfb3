//! A family as it truly is.

use super::model::Core;
use super::region::Region;

/// Age from which a child is an adult.
pub(crate) const ADULT: u8 = 18;
/// Age from which an adult draws a pension.
pub(crate) const PENSION: u8 = 63;

/// A family and its truth.
#[derive(Clone, Debug)]
pub(crate) struct Family {
    /// Counted from 1.
    pub number: u64,
    pub region: &'static Region,
    /// True income per head over the subsistence minimum, in thousandths.
    pub welfare: u32,
    /// Standardised logarithm of welfare: what everything else leans on.
    pub standing: f64,
    pub assisted: bool,
    pub address: Address,
    /// The head first.
    pub persons: Vec<Person>,
}

impl Family {
    /// A family before anything but its core is known.
    pub fn new(number: u64, core: &Core) -> Self {
        let address = Address { owned: core.owns, ..Address::default() };
        Self {
            number,
            region: core.region,
            welfare: core.welfare,
            standing: core.standing,
            assisted: core.assisted,
            address,
            persons: Vec::with_capacity(usize::from(core.size)),
        }
    }

    pub fn adults(&self) -> impl Iterator<Item = &Person> {
        self.persons.iter().filter(|person| person.is_adult())
    }

    pub fn is_poor(&self) -> bool {
        self.welfare < 1000
    }

    pub fn has_disability(&self) -> bool {
        self.persons.iter().any(|person| person.health.disability != Disability::None)
    }
}

/// Where a family lives and what belongs to it there.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Address {
    /// Whether the dwelling is its own.
    pub owned: bool,
    /// Under 18 m² a head.
    pub cramped: bool,
    /// 0: one dwelling; then 2-3, 3-6, 6-11, over 11 units.
    pub units: u8,
    /// 1 (large city) to 5 (remote village).
    pub settlement: u8,
    pub registered: bool,
    /// 0 to 4.
    pub smallholding: u8,
    pub land_plot: bool,
    pub commercial_property: bool,
}

impl Address {
    pub fn is_rural(&self) -> bool {
        self.settlement >= 3
    }
}

/// A person.
#[derive(Clone, Debug, Default)]
pub(crate) struct Person {
    pub female: bool,
    pub age: u8,
    pub work: Work,
    /// Income that the tax office knows, over the subsistence minimum, in thousandths.
    pub recorded_income: u32,
    pub sole_trader: bool,
    pub founder: bool,
    pub credit: Credit,
    pub vehicles: Vehicles,
    pub health: Health,
    /// Enrolled, of an age at which a child should be.
    pub enrolled: bool,
    /// Has a title of its own beside the head's.
    pub co_owner: bool,
}

impl Person {
    pub fn is_adult(&self) -> bool {
        self.age >= ADULT
    }

    pub fn is_pensioner(&self) -> bool {
        self.age >= PENSION
    }

    pub fn is_able_bodied(&self) -> bool {
        self.is_adult() && !self.is_pensioner() && self.health.disability != Disability::Severe
    }
}

/// How a person works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Work {
    #[default]
    None,
    /// Works; no register knows.
    Informal,
    Formal,
}

/// What the credit bureau knows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Credit {
    pub history: bool,
    pub loan: bool,
    pub arrears: bool,
}

/// What the transport registry knows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Vehicles {
    pub cars: u8,
    pub commercial: bool,
    pub machinery: u8,
}

/// A person's health, and what the health service has of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Health {
    pub disability: Disability,
    pub no_clinic: bool,
    pub not_insured: bool,
    pub chronic: bool,
    pub dispensary: bool,
}

/// Disability of an adult, or of a child.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Disability {
    #[default]
    None,
    /// Group 3.
    Lighter,
    /// Group 1 or 2; every disability of a child.
    Severe,
}
