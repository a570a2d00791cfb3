//! The register rule backwards: a wanted value → cells that read as it.
//!
//! What comes out is a proposal. Two indicators may read one column, or a level may be out of reach for a family of that
//! size; whoever asks reads the rows back through the policy before believing them.

use blindtier_policy::{Aggregate, Band, Decimal, Domain, Facts, Indicator, LevelRule};
use rand::RngExt;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha20Rng;
use std::ops::RangeInclusive;

/// The most digits after the point that a cell may have.
const MAX_SCALE: u32 = 18;

/// Cells for every person of the family, one for each column of the indicator; an empty cell says nothing. `None` where
/// this family cannot have the value.
pub(crate) fn encode(
    indicator: &Indicator,
    value: i64,
    facts: Facts,
    rng: &mut ChaCha20Rng,
) -> Option<Vec<Vec<String>>> {
    let persons = usize::try_from(facts.persons).ok()?;
    let width = indicator.columns.len();
    // Now and then an agency knows the persons but nothing about this.
    if value == indicator.missing() && rng.random_ratio(1, 8) {
        return Some(vec![vec![String::new(); width]; persons]);
    }
    if is_vote(indicator) {
        return Some(alone(votes(indicator, value, facts, rng)?));
    }
    match &indicator.domain {
        Domain::Levels { rule: LevelRule::Categories(texts), .. } => {
            let level = usize::try_from(value).ok()?;
            Some(alone(categories(indicator.aggregate, texts, level, persons, rng)?))
        }
        domain => {
            let (total, scale) = total(domain, value, divisor(indicator, facts), rng)?;
            let rows = numbers(indicator.aggregate, total, scale, persons, rng)?;
            rows.into_iter().map(|row| row_cells(row, scale, width, rng)).collect()
        }
    }
}

/// Whether persons are counted, so that the value is bounded by their number.
pub(crate) fn is_vote(indicator: &Indicator) -> bool {
    matches!(indicator.aggregate, Aggregate::Any | Aggregate::All | Aggregate::Count)
}

/// One cell a row.
fn alone(cells: Vec<String>) -> Vec<Vec<String>> {
    cells.into_iter().map(|cell| vec![cell]).collect()
}

fn divisor(indicator: &Indicator, facts: Facts) -> u32 {
    indicator.per.map_or(1, |fact| facts.get(fact)).max(1)
}

/// Words for yes and no such that as many persons match as the value needs.
fn votes(
    indicator: &Indicator,
    value: i64,
    facts: Facts,
    rng: &mut ChaCha20Rng,
) -> Option<Vec<String>> {
    let divisor = divisor(indicator, facts);
    let mut fitting = Vec::new();
    for seen in 1..=facts.persons {
        for matching in 0..=seen {
            let total = match indicator.aggregate {
                Aggregate::Any => u32::from(matching > 0),
                Aggregate::All => u32::from(matching == seen),
                _ => matching,
            };
            let fits = match &indicator.domain {
                Domain::Integer { .. } => i64::from(total) == value,
                Domain::Levels { rule: LevelRule::Bands(bands), .. } => bands_of(bands, value)
                    .any(|band| interval(band, divisor, 0).contains(&i128::from(total))),
                Domain::Levels { .. } => false,
            };
            if fits {
                fitting.push((seen, matching));
            }
        }
    }
    // Mostly the agency knows everyone.
    let complete: Vec<_> =
        fitting.iter().copied().filter(|(seen, _)| *seen == facts.persons).collect();
    let from = if complete.is_empty() || rng.random_ratio(1, 4) { &fitting } else { &complete };
    let &(seen, matching) = from.choose(rng)?;

    let (yes, no) = words(indicator);
    let mut cells: Vec<String> = (0..facts.persons)
        .map(|person| match person {
            _ if person < matching => yes.to_owned(),
            _ if person < seen => no.clone(),
            _ => String::new(),
        })
        .collect();
    cells.shuffle(rng);
    Some(cells)
}

/// A text that counts, and one that does not.
fn words(indicator: &Indicator) -> (&str, String) {
    match indicator.matches.as_slice() {
        [] => ("yes", "no".to_owned()),
        [yes, ..] => {
            let mut no = "no".to_owned();
            while indicator.matches.contains(&no) {
                no.push('-');
            }
            (yes, no)
        }
    }
}

/// Texts whose aggregate is the level: one person has it, the others have something that does not change it.
fn categories(
    aggregate: Aggregate,
    texts: &[Vec<String>],
    level: usize,
    persons: usize,
    rng: &mut ChaCha20Rng,
) -> Option<Vec<String>> {
    let decisive = rng.random_range(0..persons.max(1));
    let own = texts.get(level)?.choose(rng)?;
    let last = texts.len().checked_sub(1)?;
    Some(
        (0..persons)
            .map(|person| {
                let harmless = match aggregate {
                    _ if person == decisive => return own.clone(),
                    Aggregate::Max => 0..=level,
                    Aggregate::Min => level..=last,
                    // The first row with a value counts, so those before it say nothing.
                    _ if person < decisive => return String::new(),
                    _ => 0..=last,
                };
                if rng.random_ratio(1, 3) {
                    return String::new();
                }
                let level = rng.random_range(harmless);
                texts.get(level).and_then(|texts| texts.choose(rng)).cloned().unwrap_or_default()
            })
            .collect(),
    )
}

/// A total that has the value, in units of 10^−scale.
fn total(domain: &Domain, value: i64, divisor: u32, rng: &mut ChaCha20Rng) -> Option<(i128, u32)> {
    let bands = match domain {
        Domain::Integer { .. } => return Some((i128::from(value), 0)),
        Domain::Levels { rule: LevelRule::Bands(bands), .. } => bands,
        Domain::Levels { .. } => return None,
    };
    let bounds = bands.iter().flat_map(|band| [band.from, band.below]).flatten();
    // Bounds without decimals mostly count things, such as cars; others leave room between them.
    let scale = match bounds.map(|bound| bound.scale).max() {
        None | Some(0) => 0,
        Some(scale) => scale.saturating_add(1).min(MAX_SCALE),
    };
    let band = *bands_of(bands, value).collect::<Vec<_>>().choose(rng)?;
    let range = interval(band, divisor, scale);
    if range.is_empty() {
        return None;
    }
    let (low, high) = range.into_inner();
    // The edges of a band are where mistakes hide.
    let total = match rng.random_range(0..4u8) {
        0 => low,
        1 => high,
        _ => rng.random_range(low..=high),
    };
    Some((total, scale))
}

fn bands_of(bands: &[Band], level: i64) -> impl Iterator<Item = &Band> {
    bands.iter().filter(move |band| i64::try_from(band.level) == Ok(level))
}

/// The totals, in units of 10^−scale, whose quotient lies in the band. Where a bound is absent, as far as is natural: not
/// below zero if that is possible, and not far above the other bound.
fn interval(band: &Band, divisor: u32, scale: u32) -> RangeInclusive<i128> {
    let divisor = i128::from(divisor);
    let one = 10i128.saturating_pow(scale).saturating_mul(divisor);
    let start = |bound: Decimal| ceiling(bound, scale, divisor);
    let high = band.below.map(|bound| start(bound).saturating_sub(1));
    let low = band.from.map(start);
    match (low, high) {
        (Some(low), Some(high)) => low..=high,
        (Some(low), None) => low..=low.saturating_add(low.saturating_abs().max(one)),
        (None, Some(high)) => 0.min(high)..=high,
        (None, None) => 0..=one,
    }
}

/// The smallest whole number of units of 10^−scale that is not below `bound · divisor`.
fn ceiling(bound: Decimal, scale: u32, divisor: i128) -> i128 {
    let units = i128::from(bound.units).saturating_mul(divisor);
    if bound.scale <= scale {
        return units.saturating_mul(10i128.saturating_pow(scale.saturating_sub(bound.scale)));
    }
    let coarser = 10i128.saturating_pow(bound.scale.saturating_sub(scale));
    let whole = units.div_euclid(coarser);
    whole.saturating_add(i128::from(units.rem_euclid(coarser) > 0))
}

/// One number a person, or none, so that their aggregate is the total.
fn numbers(
    aggregate: Aggregate,
    total: i128,
    scale: u32,
    persons: usize,
    rng: &mut ChaCha20Rng,
) -> Option<Vec<Option<i128>>> {
    if aggregate == Aggregate::Sum {
        let earners = rng.random_range(1..=persons.max(1));
        let mut rows: Vec<_> = split(total, earners, rng).into_iter().map(Some).collect();
        rows.resize(persons, None);
        rows.shuffle(rng);
        return Some(rows);
    }
    let span = total.saturating_abs();
    let one = 10i128.checked_pow(scale)?;
    let decisive = rng.random_range(0..persons.max(1));
    Some(
        (0..persons)
            .map(|person| {
                let harmless = match aggregate {
                    _ if person == decisive => return Some(total),
                    Aggregate::Max => total.saturating_sub(span)..=total,
                    Aggregate::Min => total..=total.saturating_add(span.max(one)),
                    // The first row with a value counts, so those before it say nothing.
                    _ if person < decisive => return None,
                    _ => total.min(0)..=total.max(one),
                };
                (!rng.random_ratio(1, 3)).then(|| rng.random_range(harmless))
            })
            .collect(),
    )
}

/// Parts of one sign that add up to the total. Few things are spread one by one, more are cut at random places.
fn split(total: i128, parts: usize, rng: &mut ChaCha20Rng) -> Vec<i128> {
    let sign = total.signum();
    let mut rest = total.saturating_abs();
    let mut shares = Vec::with_capacity(parts);
    let by_one = usize::try_from(rest).is_ok_and(|rest| rest <= parts);
    for left in (0..parts).rev() {
        let share = match left {
            0 => rest,
            _ if by_one => rest.min(1),
            _ => rng.random_range(0..=rest),
        };
        rest = rest.saturating_sub(share);
        shares.push(share.saturating_mul(sign));
    }
    shares.shuffle(rng);
    shares
}

/// The cells of one row, which the register rule adds up.
fn row_cells(
    row: Option<i128>,
    scale: u32,
    width: usize,
    rng: &mut ChaCha20Rng,
) -> Option<Vec<String>> {
    let Some(row) = row else { return Some(vec![String::new(); width]) };
    split(row, width, rng)
        .into_iter()
        .map(|units| Some(Decimal { units: i64::try_from(units).ok()?, scale }.to_string()))
        .collect()
}
