//! One family from its draws.

use super::belongings::{address, belongings};
use super::dice::Dice;
use super::family::Family;
use super::health::{health, insurance};
use super::lattice::Point;
use super::model::Model;
use super::people::people;
use super::school::school;
use super::work::{recorded_income, work};

/// The family of this number. What is calibrated comes from the point; everything else leans on its standing.
pub(crate) fn family(model: &Model, point: Point, number: u64, dice: &mut Dice) -> Option<Family> {
    let core = model.family(point)?;
    let mut family = Family::new(number, &core);
    people(&mut family, core.size, dice);
    address(&mut family, core.size, dice);
    health(&mut family, dice);
    work(&mut family, dice);
    insurance(&mut family, dice);
    recorded_income(&mut family, dice);
    belongings(&mut family, dice);
    school(&mut family, dice);
    Some(family)
}
