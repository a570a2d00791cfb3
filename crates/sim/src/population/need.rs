//! The declared truth: which families need support.

use super::family::{Disability, Family, Work};
use super::school::School;

/// True income per head, in thousandths of the subsistence minimum, under which hardships count double.
const NEAR_POOR: u32 = 1500;

/// A family needs support if its true income per head is below the subsistence minimum; if it is below one and a half and at
/// least two hardships come together; or with three hardships at any income.
///
/// This is no policy's formula: it knows informal income, which no register has, counts no points, and looks at nothing that a
/// family owns but the dwelling.
pub(crate) fn needs_support(family: &Family) -> bool {
    let hardships = hardships(family);
    family.is_poor() || (family.welfare < NEAR_POOR && hardships >= 2) || hardships >= 3
}

/// How many of five hardships a family has: a severe disability, no dwelling of its own or one that is cramped, nobody who works
/// although somebody could, all adults in long arrears, a child of school age out of school.
fn hardships(family: &Family) -> usize {
    let adults = || family.adults();
    let disability = family.persons.iter().any(|p| p.health.disability == Disability::Severe);
    let dwelling = !family.address.owned || family.address.cramped;
    let able = adults().any(|p| p.is_able_bodied());
    let idle = able && adults().all(|p| p.work == Work::None);
    let debts = adults().all(|p| p.credit.arrears);
    let school =
        family.persons.iter().any(|p| School::of(p) == Some(School::School) && !p.enrolled);
    [disability, dwelling, idle, debts, school].into_iter().filter(|hardship| *hardship).count()
}
