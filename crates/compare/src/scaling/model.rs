//! Policies that are made to measure: so many indicators with so many levels, a score of a given width, so many tiers.

use blindtier_policy::{Policy, PolicyErrors};
use std::fmt::Write;

/// Agencies that the indicators are spread over, as far as there are as many.
const AGENCIES: usize = 4;

/// The size of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub indicators: usize,
    pub levels: usize,
    /// How many values the score can take.
    pub width: usize,
    pub tiers: usize,
}

impl Size {
    /// What a sweep starts from.
    pub(super) const BASE: Self = Self { indicators: 8, levels: 4, width: 256, tiers: 5 };

    /// A score of all indicators, cut into tiers of about the same width.
    pub(super) fn policy(self) -> Result<Policy, PolicyErrors> {
        Policy::parse("scaling", &self.text())
    }

    fn text(self) -> String {
        let Self { indicators, levels, width, tiers } = self;
        let names = |letter: char, count: usize| {
            let names: Vec<String> = (0..count).map(|i| format!("\"{letter}{i}\"")).collect();
            names.join(", ")
        };
        let mut text = format!(
            "blindtier = \"1\"\nname = \"scaling\"\ntitle = \"{indicators} indicators of {levels} levels, {width} values, {tiers} tiers\"\ntiers = [{}]\n\n[agencies]\n",
            names('t', tiers)
        );
        let agencies = AGENCIES.min(indicators);
        // Writing to a String cannot fail.
        for agency in 0..agencies {
            let _ = writeln!(text, "a{agency} = {{ label = \"Agency {agency}\" }}");
        }
        let most = width.saturating_sub(1);
        let mut points = String::new();
        for indicator in 0..indicators {
            let agency = indicator * agencies / indicators.max(1);
            let _ = writeln!(
                text,
                "\n[indicators.i{indicator}]\nagency = \"a{agency}\"\nlevels = [{}]\nmissing = \"l0\"",
                names('l', levels)
            );
            // What is left over of an even split goes to the first ones.
            let share =
                most / indicators.max(1) + usize::from(indicator < most % indicators.max(1));
            let of = |level: usize| share * level / levels.saturating_sub(1).max(1);
            let all: Vec<String> = (0..levels).map(|l| format!("l{l} = {}", of(l))).collect();
            let _ = writeln!(points, "points.i{indicator} = {{ {} }}", all.join(", "));
        }
        let cuts: Vec<String> = (1..tiers).map(|tier| (tier * width / tiers).to_string()).collect();
        let _ = write!(
            text,
            "\n[scores.sum]\n{points}\n[cuts.tier_of_sum]\nscore = \"sum\"\nclasses = [{}]\nat = [{}]\n\n[tier]\nfrom = \"tier_of_sum\"\n",
            names('t', tiers),
            cuts.join(", ")
        );
        text
    }
}

/// Families that go through the levels of every indicator, each at its own pace, and so through the whole score.
pub(super) fn families(policy: &Policy, count: usize) -> impl Iterator<Item = Vec<i64>> {
    let levels: Vec<i64> = policy.indicators.iter().map(|i| i.range().1 + 1).collect();
    (0..count).map(move |family| {
        let mut rest = i64::try_from(family).unwrap_or_default();
        let level = |(place, levels): (usize, &i64)| {
            rest = rest
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let drawn = (rest >> 33).rem_euclid(*levels);
            // Low and high sums as well, which independent levels hardly reach.
            match family % 3 {
                0 => 0.max(drawn - i64::try_from(place % 2).unwrap_or_default()),
                1 => (levels - 1).min(drawn + i64::try_from(family % 5).unwrap_or_default()),
                _ => drawn,
            }
        };
        levels.iter().enumerate().map(level).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_have_the_size_that_is_asked_for() {
        let sizes = [
            Size::BASE,
            Size { indicators: 64, ..Size::BASE },
            Size { levels: 16, ..Size::BASE },
            Size { levels: 2, ..Size::BASE },
            Size { width: 16, ..Size::BASE },
            Size { width: 4096, ..Size::BASE },
            Size { tiers: 13, ..Size::BASE },
        ];
        for size in sizes {
            let policy = size.policy().unwrap();
            assert_eq!(policy.indicators.len(), size.indicators);
            assert!(policy.indicators.iter().all(|i| i.range() == (0, size.levels as i64 - 1)));
            let highest: Vec<i64> = policy.indicators.iter().map(|i| i.range().1).collect();
            let outcome = policy.decide(&highest).unwrap();
            assert_eq!(outcome.scores, [size.width as i64 - 1]);
            assert_eq!(outcome.tier, size.tiers - 1);
            let mut seen: Vec<usize> =
                families(&policy, 400).map(|f| policy.decide(&f).unwrap().tier).collect();
            seen.sort_unstable();
            seen.dedup();
            assert!(seen.len() > 1, "{size:?}: {seen:?}");
        }
    }
}
