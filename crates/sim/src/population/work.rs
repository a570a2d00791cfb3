//! Work, business, and how the family's income reaches the tax office. All chances here are assumptions.

use super::dice::Dice;
use super::family::{Disability, Family, Person, Work};
use libm::exp;

/// Fills in who works, and how.
pub(crate) fn work(family: &mut Family, dice: &mut Dice) {
    let (standing, rural) = (family.standing, family.address.is_rural());
    let infant = family.persons.iter().any(|person| person.age < 3);
    for person in family.persons.iter_mut().filter(|person| person.is_adult()) {
        let mut odds = 1.5 + 0.7 * standing;
        if person.is_pensioner() {
            odds = -2.0 + 0.2 * standing;
        }
        if infant && person.female {
            odds -= 1.2;
        }
        odds -= match person.health.disability {
            Disability::None => 0.0,
            Disability::Lighter => 1.5,
            Disability::Severe => 3.0,
        };
        if !dice.odds(odds) {
            continue;
        }
        let informal = -1.1 - 0.7 * standing + if rural { 0.4 } else { 0.0 };
        person.work = if dice.odds(informal) { Work::Informal } else { Work::Formal };
        if person.work == Work::Formal {
            person.sole_trader = dice.odds(-2.6 + 0.5 * standing);
            person.founder = dice.odds(-4.3 + 0.9 * standing);
        }
    }
}

/// Splits the true income among the persons and lets the tax office see part of it: all of a wage and a pension, little of
/// informal work, and everything as it was some months ago.
pub(crate) fn recorded_income(family: &mut Family, dice: &mut Dice) {
    let income = f64::from(family.welfare) * family.persons.len() as f64;
    let mut weights = Vec::with_capacity(family.persons.len());
    for person in &family.persons {
        weights.push(weight(person) * (0.5 + dice.uniform()));
    }
    let all: f64 = weights.iter().sum();
    for (person, weight) in family.persons.iter_mut().zip(weights) {
        let own = if all > 0.0 { income * weight / all } else { 0.0 };
        let seen = match person.work {
            Work::Formal => 1.0,
            Work::Informal if dice.chance(0.7) => 0.0,
            Work::Informal => 0.3,
            Work::None if person.is_pensioner() || family.assisted => 1.0,
            Work::None if dice.chance(0.5) => 1.0,
            Work::None => 0.0,
        };
        let ago = exp(0.12 * dice.normal());
        person.recorded_income = (own * seen * ago) as u32;
    }
}

/// How much of the family's income a person earns.
fn weight(person: &Person) -> f64 {
    match person.work {
        Work::Formal => 1.0,
        Work::Informal => 0.8,
        Work::None if person.is_pensioner() => 0.45,
        Work::None if person.health.disability == Disability::Severe => 0.3,
        Work::None if person.is_adult() => 0.05,
        Work::None => 0.0,
    }
}
