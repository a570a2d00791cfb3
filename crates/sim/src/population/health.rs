//! Health. All chances here are assumptions; families share part of their luck.

use super::dice::Dice;
use super::family::{Disability, Family, Health, Work};

/// Fills in what is known without work: disability, illness, clinic.
pub(crate) fn health(family: &mut Family, dice: &mut Dice) {
    let (standing, city) = (family.standing, family.region.city);
    let frail = dice.normal();
    for person in &mut family.persons {
        let past_forty = f64::from(person.age) - 40.0;
        let (disabled, ill) = if person.is_adult() {
            (
                -4.0 + 0.045 * past_forty - 0.45 * standing + 0.6 * frail,
                -2.6 + 0.05 * past_forty - 0.15 * standing + 0.5 * frail,
            )
        } else {
            (-4.2 - 0.3 * standing + 0.6 * frail, -4.0 + 0.5 * frail)
        };
        let disability = match dice.odds(disabled) {
            false => Disability::None,
            true if !person.is_adult() || dice.chance(0.45) => Disability::Severe,
            true => Disability::Lighter,
        };
        let chronic = dice.odds(ill + if disability == Disability::None { 0.0 } else { 1.5 });
        person.health = Health {
            disability,
            chronic,
            dispensary: dice.chance(if chronic { 0.5 } else { 0.015 }),
            no_clinic: dice.odds(-3.6 - 0.2 * standing + if city { 0.5 } else { 0.0 }),
            not_insured: false,
        };
    }
}

/// Insurance comes with a job; the state insures children, pensioners and disabled people.
pub(crate) fn insurance(family: &mut Family, dice: &mut Dice) {
    let standing = family.standing;
    for person in &mut family.persons {
        let insured_by_state = !person.is_able_bodied();
        person.health.not_insured = !insured_by_state
            && match person.work {
                Work::Formal => dice.chance(0.01),
                Work::Informal | Work::None => dice.odds(-0.4 - 0.6 * standing),
            };
    }
}
