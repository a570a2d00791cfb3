//! Errors against a known need: who needs support and does not get it, who gets it and does not need it.

use crate::cells::{Totals, told};
use crate::population::{Need, Population};
use crate::wilson::rate;
use blindtier_report::{Bias, Errors, GroupErrors, Rate};

/// What errors are counted from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Need support and get it.
    pub served: u64,
    /// Need it and do not get it.
    pub excluded: u64,
    /// Get it and do not need it.
    pub included: u64,
}

impl Tally {
    /// Takes in a family.
    pub fn add(&mut self, need: Need, supported: bool) {
        let count = match (need, supported) {
            (Need::Yes, true) => &mut self.served,
            (Need::Yes, false) => &mut self.excluded,
            (Need::No, true) => &mut self.included,
            (Need::No, false) | (Need::Unknown, _) => return,
        };
        *count = count.saturating_add(1);
    }

    /// Both errors.
    pub fn errors(self) -> Errors {
        let Self { served, excluded, included } = self;
        Errors {
            exclusion: rate(excluded, served.saturating_add(excluded)),
            inclusion: rate(included, served.saturating_add(included)),
        }
    }
}

/// Errors over all families.
pub(crate) fn overall(population: &Population, supported: impl Fn(usize) -> bool) -> Tally {
    let mut tally = Tally::default();
    for (family, need) in population.need.iter().enumerate() {
        tally.add(*need, supported(family));
    }
    tally
}

/// Errors overall and by group; none where nothing says who needs support.
pub(crate) fn bias(
    population: &Population,
    supported: impl Fn(usize) -> bool,
    minimum: u64,
) -> Option<Bias> {
    let need = population.need_column.clone()?;
    let unknown = population.need.iter().filter(|need| **need == Need::Unknown).count();
    let mut groups = Vec::new();
    for column in &population.columns {
        let mut tallies = vec![Tally::default(); column.labels.len()];
        for (family, (group, need)) in column.of.iter().zip(&population.need).enumerate() {
            if let Some(tally) = tallies.get_mut(usize::from(*group)) {
                tally.add(*need, supported(family));
            }
        }
        let exclusions = rates(tallies.iter().map(|t| [t.excluded, t.served]), minimum);
        let inclusions = rates(tallies.iter().map(|t| [t.included, t.served]), minimum);
        let (best_exclusion, best_inclusion) = (best(&exclusions), best(&inclusions));
        for ((group, exclusion), inclusion) in
            column.labels.iter().zip(&exclusions).zip(&inclusions)
        {
            groups.push(GroupErrors {
                column: column.name.clone(),
                group: group.clone(),
                errors: Errors { exclusion: *exclusion, inclusion: *inclusion },
                exclusion_ratio: ratio(*exclusion, best_exclusion),
                inclusion_ratio: ratio(*inclusion, best_inclusion),
            });
        }
    }
    Some(Bias {
        need,
        unknown: u64::try_from(unknown).unwrap_or(u64::MAX),
        overall: overall(population, supported).errors(),
        groups,
    })
}

/// Shares of the first count in both, by group, where both are told.
fn rates(counts: impl Iterator<Item = [u64; 2]>, minimum: u64) -> Vec<Option<Rate>> {
    let table: Vec<Vec<u64>> = counts.map(Vec::from).collect();
    let (cells, totals) = told(&table, Totals::LikeCells, minimum);
    let line = |(cells, total): (&Vec<Option<u64>>, &Option<u64>)| {
        let families = cells.first().copied().flatten()?;
        rate(families, (*total)?)
    };
    cells.iter().zip(&totals).map(line).collect()
}

fn best(rates: &[Option<Rate>]) -> Option<f64> {
    rates.iter().flatten().map(|rate| rate.share).min_by(f64::total_cmp)
}

fn ratio(rate: Option<Rate>, best: Option<f64>) -> Option<f64> {
    let (rate, best) = (rate?, best.filter(|best| *best > 0.0)?);
    Some(rate.share / best)
}
