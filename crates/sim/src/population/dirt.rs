//! Faults of registers, made after the truth is known.

use super::cell::Cell;
use super::dice::Dice;
use super::family::Family;
use super::registers::{COUNT, REGISTERS, Row, Tables, housing, settlement};
use crate::SimError;
use serde::Serialize;

/// How often each fault occurs, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Dirt {
    /// A register lacks a person whom it should know. The civil registry lacks nobody: it says who belongs to which family.
    pub missing_rows: f64,
    /// A register has a person also in the family that the person left, with the same values.
    pub duplicate_persons: f64,
    /// The land registry has not heard of a move: the head's row states dwelling and settlement of another family's address; any
    /// other person is listed with the family that it left.
    pub stale_addresses: f64,
}

impl Dirt {
    /// No faults.
    pub const NONE: Dirt = Dirt { missing_rows: 0.0, duplicate_persons: 0.0, stale_addresses: 0.0 };

    pub(crate) fn check(&self) -> Result<(), SimError> {
        for (what, found) in [
            ("missing rows", self.missing_rows),
            ("duplicate persons", self.duplicate_persons),
            ("stale addresses", self.stale_addresses),
        ] {
            if !(0.0..=1.0).contains(&found) {
                return Err(SimError::Rate { what, found });
            }
        }
        Ok(())
    }
}

/// Faults made in one register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Faults {
    /// The agency.
    pub agency: &'static str,
    /// Rows that a register without faults has.
    pub rows: u64,
    /// Rows that are missing.
    pub missing: u64,
    /// Persons that have a second row.
    pub duplicated: u64,
    /// Rows with an old address.
    pub stale: u64,
}

impl Faults {
    pub(crate) fn none() -> [Faults; COUNT] {
        REGISTERS.each_ref().map(|register| Faults { agency: register.agency, ..Faults::default() })
    }

    pub(crate) fn add(&mut self, other: &Faults) {
        self.rows += other.rows;
        self.missing += other.missing;
        self.duplicated += other.duplicated;
        self.stale += other.stale;
    }
}

/// Spoils the rows of a chunk of families, and keeps them in the order of the families. Whoever moved came from another
/// family of the chunk.
pub(crate) fn spoil(
    families: &[Family],
    tables: &mut Tables,
    rates: &Dirt,
    dice: &mut Dice,
) -> [Faults; COUNT] {
    let mut all = Faults::none();
    for ((register, rows), faults) in REGISTERS.iter().zip(tables).zip(&mut all) {
        faults.rows = rows.len() as u64;
        if *rates == Dirt::NONE {
            continue;
        }
        let clean = std::mem::take(rows);
        rows.reserve(clean.len());
        for mut row in clean {
            if !register.lists_everybody && dice.chance(rates.missing_rows) {
                faults.missing += 1;
                continue;
            }
            if register.states_addresses && dice.chance(rates.stale_addresses) {
                faults.stale += u64::from(grow_stale(&mut row, families, dice));
            }
            if dice.chance(rates.duplicate_persons)
                && let Some(second) = second_row(&row, families, dice)
            {
                faults.duplicated += 1;
                rows.push(second);
            }
            rows.push(row);
        }
        // The family's own members first: of several addresses the first counts.
        rows.sort_by_key(|row| (row.family, row.family != row.home, row.home, row.person));
    }
    all
}

/// Another family than these two; none in a chunk that has no third.
fn other<'f>(families: &'f [Family], not: [u64; 2], dice: &mut Dice) -> Option<&'f Family> {
    let start = dice.position(families.len());
    let mut turned = families.iter().skip(start).chain(families.iter().take(start));
    turned.find(|family| !not.contains(&family.number))
}

fn grow_stale(row: &mut Row, families: &[Family], dice: &mut Dice) -> bool {
    let Some(former) = other(families, [row.home, row.home], dice) else { return false };
    if row.person == 1 {
        let [home, _, place, ..] = &mut row.cells;
        *home = Cell::Word(housing(&former.address));
        *place = Cell::Word(settlement(&former.address));
    } else {
        row.family = former.number;
    }
    true
}

/// The same person once more, in a family where it is not listed yet.
fn second_row(row: &Row, families: &[Family], dice: &mut Dice) -> Option<Row> {
    let former = other(families, [row.home, row.family], dice)?;
    Some(Row { family: former.number, ..row.clone() })
}
