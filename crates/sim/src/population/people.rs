//! Who lives in a family: sexes and ages. All chances here are assumptions.

use super::dice::Dice;
use super::family::{ADULT, Family, PENSION, Person};

const OLDEST: u8 = 95;

/// Fills in the persons.
pub(crate) fn people(family: &mut Family, size: u8, dice: &mut Dice) {
    let old = dice.chance(match size {
        1 => 0.42,
        2 => 0.33,
        3 => 0.12,
        _ => 0.06,
    });
    let head_age = if old { old_age(dice) } else { working_age(size, dice) };
    // The less well off, the likelier to be alone.
    let lone = size == 1 || dice.odds(if size == 2 { -0.4 } else { -1.6 } - 0.5 * family.standing);
    let female = dice.chance(match (lone, old) {
        (true, true) => 0.75,
        (true, false) => 0.65,
        (false, _) => 0.22,
    });
    family.persons.push(person(female, head_age));
    if !lone {
        let age =
            if old { head_age.saturating_sub(dice.whole(0, 5)) } else { near(head_age, dice) };
        family.persons.push(person(!female, age.clamp(ADULT, OLDEST)));
    }
    while family.persons.len() < usize::from(size) {
        let age = if dice.chance(if old { 0.3 } else { 0.8 }) {
            // Nobody has a child before eighteen.
            dice.whole(0, ADULT.saturating_sub(1).min(head_age.saturating_sub(ADULT)))
        } else {
            relative_age(head_age, old, dice)
        };
        let female = dice.chance(0.5);
        family.persons.push(person(female, age));
    }
}

fn person(female: bool, age: u8) -> Person {
    Person { female, age, ..Person::default() }
}

fn old_age(dice: &mut Dice) -> u8 {
    let u = dice.uniform();
    PENSION.saturating_add((u * u * 30.0) as u8)
}

/// The mean of two draws; large families have younger heads.
fn working_age(size: u8, dice: &mut Dice) -> u8 {
    let (from, years) = if size >= 4 { (24.0, 32.0) } else { (20.0, 42.0) };
    (from + years * f64::midpoint(dice.uniform(), dice.uniform())) as u8
}

fn near(age: u8, dice: &mut Dice) -> u8 {
    age.saturating_sub(dice.whole(0, 4))
        .saturating_add(dice.whole(0, 3))
        .min(PENSION.saturating_sub(1))
}

/// A parent, a grown child, or a brother or sister.
fn relative_age(head: u8, old: bool, dice: &mut Dice) -> u8 {
    if !old && dice.chance(0.4) {
        return head.saturating_add(dice.whole(20, 32)).clamp(45, OLDEST);
    }
    let oldest_child = head.saturating_sub(20);
    if oldest_child >= ADULT {
        dice.whole(ADULT, oldest_child.min(45))
    } else {
        dice.whole(ADULT, 30)
    }
}
