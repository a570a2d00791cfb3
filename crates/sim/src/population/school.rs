//! Schooling. All chances here are assumptions.

use super::dice::Dice;
use super::family::{Family, Person};

/// Where a child of this age should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum School {
    Preschool,
    School,
}

impl School {
    pub fn of(person: &Person) -> Option<School> {
        match person.age {
            3..=5 => Some(School::Preschool),
            6..=17 => Some(School::School),
            _ => None,
        }
    }
}

/// Fills in which children are enrolled.
pub(crate) fn school(family: &mut Family, dice: &mut Dice) {
    let (standing, rural) = (family.standing, family.address.is_rural());
    for person in &mut family.persons {
        let out = match School::of(person) {
            Some(School::Preschool) => -1.4 - 0.5 * standing + if rural { 0.5 } else { 0.0 },
            Some(School::School) => -4.8 - 0.7 * standing,
            None => continue,
        };
        person.enrolled = !dice.odds(out);
    }
}
