//! What each agency's register has of a family, before any dirt. Columns and words are those of the policy
//! `digital-family-card`.

use super::cell::Cell;
use super::family::{Address, Disability, Family, Person, Work};
use super::school::School;

/// An agency's register.
#[derive(Debug)]
pub(crate) struct Register {
    pub agency: &'static str,
    /// Columns beside `family` and `person`.
    pub columns: &'static [&'static str],
    /// Whether it lists every person: it says who belongs to which family.
    pub lists_everybody: bool,
    /// Whether its rows state where a family lives.
    pub states_addresses: bool,
}

const fn register(agency: &'static str, columns: &'static [&'static str]) -> Register {
    Register { agency, columns, lists_everybody: false, states_addresses: false }
}

/// Number of registers.
pub(crate) const COUNT: usize = 8;

/// All registers, in the order of [`Tables`].
pub(crate) static REGISTERS: [Register; COUNT] = [
    register("tax", &["income_ratio", "business"]),
    register("credit_bureau", &["loan", "arrears_over_90_days"]),
    register("transport", &["cars", "commercial_vehicle", "farm_machinery"]),
    register("labour", &["employed", "no_able_bodied", "assistance"]),
    Register { lists_everybody: true, ..register("civil_registry", &["adult", "child"]) },
    register(
        "health_service",
        &[
            "adult_disability",
            "disabled_child",
            "no_clinic",
            "not_insured",
            "chronic_illness",
            "dispensary",
        ],
    ),
    register("education_office", &["not_in_preschool", "not_in_school"]),
    Register {
        states_addresses: true,
        ..register(
            "land_registry",
            &["housing", "commercial_property", "settlement", "smallholding", "land_plot"],
        )
    },
];

/// The most columns of a register.
const WIDEST: usize = 6;

/// Rows of the registers, in the order of [`REGISTERS`].
pub(crate) type Tables = [Vec<Row>; COUNT];

/// A row about one person.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Family that the register has the person in.
    pub family: u64,
    /// Family that the person truly belongs to.
    pub home: u64,
    /// Number of the person there, counted from 1.
    pub person: u8,
    pub cells: [Cell; WIDEST],
}

impl Row {
    /// All cells of the row in a register with so many columns of its own.
    pub fn line(&self, columns: usize) -> impl Iterator<Item = Cell> + '_ {
        [Cell::Family(self.family), Cell::Person(self.home, self.person)]
            .into_iter()
            .chain(self.cells.iter().copied().take(columns))
    }
}

/// Cells of a row, filled up.
fn cells<const N: usize>(some: [Cell; N]) -> [Cell; WIDEST] {
    let mut all = [Cell::Empty; WIDEST];
    for (place, cell) in all.iter_mut().zip(some) {
        *place = cell;
    }
    all
}

/// Adds a family's rows. Every register lists only whom it knows: no row says what a missing row says, too.
pub(crate) fn list(family: &Family, tables: &mut Tables) {
    let [tax, credit, transport, labour, civil, health, education, land] = tables;
    for (number, person) in (1u8..).zip(&family.persons) {
        let row = |cells| Row { family: family.number, home: family.number, person: number, cells };
        tax.extend(tax_cells(person).map(row));
        credit.extend(credit_cells(person).map(row));
        transport.extend(transport_cells(person).map(row));
        labour.extend(labour_cells(family, person).map(row));
        civil.push(row(cells([
            Cell::yes_or_no(person.is_adult()),
            Cell::Count(u8::from(!person.is_adult())),
        ])));
        health.extend(health_cells(person).map(row));
        education.extend(education_cells(person).map(row));
        land.extend(land_cells(&family.address, number == 1, person).map(row));
    }
}

type Cells = Option<[Cell; WIDEST]>;

fn tax_cells(person: &Person) -> Cells {
    let business = match (person.sole_trader, person.founder) {
        (false, false) => "none",
        (true, false) => "sole_trader",
        (false, true) => "founder",
        (true, true) => "both",
    };
    (person.recorded_income > 0 || business != "none")
        .then(|| cells([Cell::Thousandths(person.recorded_income), Cell::Word(business)]))
}

fn credit_cells(person: &Person) -> Cells {
    let credit = person.credit;
    credit.history.then(|| cells([Cell::yes_or_no(credit.loan), Cell::yes_or_no(credit.arrears)]))
}

fn transport_cells(person: &Person) -> Cells {
    let vehicles = person.vehicles;
    (vehicles.cars > 0 || vehicles.commercial || vehicles.machinery > 0).then(|| {
        cells([
            Cell::Count(vehicles.cars),
            Cell::yes_or_no(vehicles.commercial),
            Cell::Count(vehicles.machinery),
        ])
    })
}

/// Who works informally is known to the labour office only as a recipient of assistance, and then as without work.
fn labour_cells(family: &Family, person: &Person) -> Cells {
    let known = person.is_adult() && (person.work != Work::Informal || family.assisted);
    known.then(|| {
        cells([
            Cell::Count(u8::from(person.work == Work::Formal)),
            Cell::yes_or_no(!person.is_able_bodied()),
            Cell::yes_or_no(family.assisted),
        ])
    })
}

fn health_cells(person: &Person) -> Cells {
    let health = person.health;
    let (adult, child) = match (health.disability, person.is_adult()) {
        (Disability::None, _) => ("none", false),
        (Disability::Lighter, true) => ("group_3", false),
        (Disability::Severe, true) => ("group_1_2", false),
        (_, false) => ("none", true),
    };
    let flags = [child, health.no_clinic, health.not_insured, health.chronic, health.dispensary];
    (adult != "none" || flags.contains(&true)).then(|| {
        let [child, clinic, insured, chronic, dispensary] = flags.map(Cell::yes_or_no);
        cells([Cell::Word(adult), child, clinic, insured, chronic, dispensary])
    })
}

fn education_cells(person: &Person) -> Cells {
    let out = Cell::yes_or_no(!person.enrolled);
    School::of(person).map(|school| match school {
        School::Preschool => cells([out, Cell::Empty]),
        School::School => cells([Cell::Empty, out]),
    })
}

/// The head's row states the address; a co-owner's row says nothing more than that it is one.
fn land_cells(address: &Address, head: bool, person: &Person) -> Cells {
    if !head {
        return person.co_owner.then(|| {
            cells([Cell::Empty, Cell::Word("no"), Cell::Empty, Cell::Empty, Cell::Word("no")])
        });
    }
    let known = address.owned
        || address.registered
        || address.smallholding > 0
        || address.land_plot
        || address.commercial_property;
    known.then(|| {
        cells([
            Cell::Word(housing(address)),
            Cell::yes_or_no(address.commercial_property),
            Cell::Word(settlement(address)),
            Cell::Count(address.smallholding),
            Cell::yes_or_no(address.land_plot),
        ])
    })
}

/// Level of the dwelling.
pub(crate) fn housing(address: &Address) -> &'static str {
    match (address.owned, address.units) {
        (false, _) => "none",
        (true, 0) if address.cramped => "cramped",
        (true, 0) => "adequate",
        (true, 1) => "units_2_3",
        (true, 2) => "units_3_6",
        (true, 3) => "units_6_11",
        (true, _) => "units_over_11",
    }
}

/// Class of the settlement.
pub(crate) fn settlement(address: &Address) -> &'static str {
    match (address.registered, address.settlement) {
        (false, _) => "unregistered",
        (true, 1) => "1",
        (true, 2) => "2",
        (true, 3) => "3",
        (true, 4) => "4",
        (true, _) => "5",
    }
}
