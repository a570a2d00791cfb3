//! Credit, vehicles, dwelling and land. All chances here are assumptions, except that owning is calibrated.

use super::dice::Dice;
use super::family::{Address, Credit, Family, Vehicles};
use super::region::Region;
use libm::exp;

/// Square metres of a dwelling of an average family of one person.
const DWELLING: f64 = 62.0;
/// Square metres a head under which a dwelling counts as cramped.
const CRAMPED: f64 = 18.0;

/// Fills in where the family lives. Comes before everything that differs between town and village.
pub(crate) fn address(family: &mut Family, size: u8, dice: &mut Dice) {
    let (standing, owned) = (family.standing, family.address.owned);
    let settlement = settlement(family.region, dice);
    let rural = settlement >= 3;
    let registered = !dice.odds(if owned { -5.0 } else { -2.6 } - 0.5 * standing);
    let persons = f64::from(size);
    let metres = DWELLING * exp(0.25 * standing + 0.35 * dice.normal()) * libm::pow(persons, 0.3);
    let units = match owned && dice.odds(-2.9 + standing) {
        false => 0,
        true => dice.pick(&[0.87, 0.10, 0.025, 0.005]).saturating_add(1),
    };
    let smallholding = match rural && dice.chance(0.45) {
        false => 0,
        true => dice.pick(&[0.55, 0.28, 0.13, 0.04]).saturating_add(1),
    };
    family.address = Address {
        owned,
        cramped: metres / persons < CRAMPED,
        units,
        settlement,
        registered,
        smallholding,
        land_plot: dice.odds(-2.0 + 0.4 * standing + if rural { 0.9 } else { 0.0 }),
        commercial_property: dice.odds(-3.8 + 0.8 * standing),
    };
}

fn settlement(region: &Region, dice: &mut Dice) -> u8 {
    if region.city { 1 } else { dice.pick(&[0.30, 0.20, 0.22, 0.17, 0.11]).saturating_add(1) }
}

/// Fills in what each adult has.
pub(crate) fn belongings(family: &mut Family, dice: &mut Dice) {
    let (standing, rural) = (family.standing, family.address.is_rural());
    // Families share habits with money.
    let strain = dice.normal();
    for (position, person) in family.persons.iter_mut().enumerate() {
        if !person.is_adult() {
            continue;
        }
        let pensioner = person.is_pensioner();
        let history = dice.odds(1.0 + 0.2 * standing - if pensioner { 1.4 } else { 0.0 });
        let loan = history && dice.chance(0.7);
        let arrears = loan && dice.odds(-3.2 - 0.9 * standing + 0.9 * strain);
        person.credit = Credit { history, loan, arrears };

        let mut owns_car = -1.3 + 0.7 * standing;
        owns_car += if person.female { -0.5 } else { 0.5 };
        owns_car += if rural { 0.3 } else { 0.0 };
        owns_car -= if pensioner { 0.8 } else { 0.0 };
        let mut cars = 0;
        while cars < 4 && dice.odds(if cars == 0 { owns_car } else { -2.6 + 0.7 * standing }) {
            cars += 1;
        }
        let commercial = !pensioner && dice.odds(-4.2 + 0.4 * standing);
        let machinery = match rural && !pensioner && dice.odds(-3.6 + 0.4 * standing) {
            false => 0,
            true => dice.pick(&[0.7, 0.2, 0.1]).saturating_add(1),
        };
        person.vehicles = Vehicles { cars, commercial, machinery };
        person.co_owner = position > 0 && family.address.owned && dice.chance(0.3);
    }
}
