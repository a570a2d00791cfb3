//! The shipped policies, and families to run them on.

use blindtier::policy::Policy;
use blindtier::policy::circuit::Inputs;

/// The shipped policies.
pub const POLICIES: [(&str, &str); 4] = [
    ("nursery", include_str!("../../policies/nursery.toml")),
    ("digital-family-card", include_str!("../../policies/digital-family-card.toml")),
    ("eight-indicators", include_str!("../../policies/eight-indicators.toml")),
    ("mpi", include_str!("../../policies/mpi.toml")),
];

/// Families that go through the levels of every indicator, each at its own pace.
pub fn families(policy: &Policy, count: usize) -> Vec<Vec<i64>> {
    (0..count)
        .map(|family| {
            let pace = |(place, indicator): (usize, &blindtier::policy::Indicator)| {
                let (min, max) = indicator.range();
                min + i64::try_from(family / (place + 1)).unwrap_or_default() % (max - min + 1)
            };
            policy.indicators.iter().enumerate().map(pace).collect()
        })
        .collect()
}

/// An agency's columns.
#[allow(dead_code, reason = "one of the benches has columns of its own")]
pub fn columns(inputs: &Inputs, agency: usize, families: &[Vec<i64>]) -> Vec<Vec<i64>> {
    let value = |column, family: &Vec<i64>| {
        inputs.column_value(column, &mut |i| family.get(i).copied().unwrap_or_default())
    };
    let columns = inputs.columns_of(agency).into_iter();
    columns.map(|c| families.iter().map(|family| value(c, family)).collect()).collect()
}
