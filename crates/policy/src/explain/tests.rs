//! Explanations are held against brute force: every value of every indicator is decided.

use super::*;
use crate::arbitrary::{families, policies};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::BTreeSet;

fn shipped(name: &str) -> Policy {
    let file = format!("{}/../../policies/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    Policy::parse(name, &std::fs::read_to_string(file).unwrap()).unwrap()
}

fn random_families(policy: &Policy, count: usize) -> Vec<Vec<i64>> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| families(policy).new_tree(&mut runner).unwrap().current()).collect()
}

/// Every other value of every indicator, and its tier.
fn every_change(interpreter: &Interpreter<'_>, values: &[i64]) -> Vec<Change> {
    let mut changes = Vec::new();
    for (indicator, found) in interpreter.policy.indicators.iter().enumerate() {
        let (min, max) = found.range();
        let mut changed = values.to_vec();
        for to in (min..=max).filter(|&to| to != values[indicator]) {
            changed[indicator] = to;
            let tier = interpreter.decide(&changed).unwrap().tier;
            changes.push(Change { indicator, from: values[indicator], to, tier });
        }
    }
    changes
}

/// The first of the changes that are smallest in share of the range, and of these closest in tier.
fn smallest<'c>(
    policy: &Policy,
    tier: usize,
    changes: impl Iterator<Item = &'c Change>,
) -> Option<Change> {
    let size = |change: &Change| {
        let (min, max) = policy.indicators[change.indicator].range();
        let share = change.to.abs_diff(change.from) as f64 / max.abs_diff(min) as f64;
        (share, change.tier.abs_diff(tier))
    };
    changes.copied().min_by(|a, b| size(a).partial_cmp(&size(b)).unwrap())
}

/// Explains and checks everything that brute force can tell.
fn checked(interpreter: &Interpreter<'_>, values: &[i64]) -> Explanation {
    let policy = interpreter.policy;
    let explanation = interpreter.explain(values).unwrap();
    assert_eq!(explanation.outcome, interpreter.decide(values).unwrap());
    let tier = explanation.outcome.tier;
    let changes = every_change(interpreter, values);
    let (higher, lower) = (|c: &&Change| c.tier > tier, |c: &&Change| c.tier < tier);
    assert_eq!(explanation.higher, smallest(policy, tier, changes.iter().filter(higher)));
    assert_eq!(explanation.lower, smallest(policy, tier, changes.iter().filter(lower)));
    assert_eq!(explanation.facts.len(), policy.indicators.len());
    for (position, fact) in explanation.facts.iter().enumerate() {
        let indicator = &policy.indicators[position];
        let own = || changes.iter().filter(|change| change.indicator == position);
        assert_eq!(fact.decisive(), own().any(|change| change.tier != tier), "{values:?}");
        assert_eq!(fact.higher, smallest(policy, tier, own().filter(higher)), "{values:?}");
        assert_eq!(fact.lower, smallest(policy, tier, own().filter(lower)), "{values:?}");
        assert_eq!(
            (fact.indicator, fact.agency, fact.value, fact.missing),
            (position, indicator.agency, values[position], values[position] == indicator.missing())
        );
    }
    explanation
}

fn position(policy: &Policy, id: &str) -> usize {
    policy.indicators.iter().position(|indicator| indicator.id == id).unwrap()
}

#[test]
fn nursery_is_explained_as_brute_force_explains_it() {
    let policy = shipped("nursery");
    let interpreter = Interpreter::new(&policy).unwrap();
    let mut all = vec![Vec::new()];
    for indicator in &policy.indicators {
        let (min, max) = indicator.range();
        all = all
            .iter()
            .flat_map(|start| (min..=max).map(move |value| [start.as_slice(), &[value]].concat()))
            .collect();
    }
    assert_eq!(all.len(), 12_960);
    for values in all {
        let explanation = checked(&interpreter, &values);
        assert_eq!(explanation.margin, None, "no score decides");
        assert!(explanation.facts.iter().all(|fact| fact.points.is_empty()));
    }
}

#[test]
fn the_card_says_how_many_points_are_missing() {
    let policy = shipped("digital-family-card");
    let interpreter = Interpreter::new(&policy).unwrap();
    let at = &policy.cuts[0].at;
    let mut families = random_families(&policy, 300);
    families.extend(ends(&policy, at));
    let mut met = BTreeSet::new();
    for values in families {
        let explanation = checked(&interpreter, &values);
        let (outcome, margin) = (&explanation.outcome, explanation.margin.unwrap());
        assert_eq!(margin.value, outcome.scores[0]);
        met.insert(margin.value);
        let sum: i64 = explanation.facts.iter().flat_map(|f| &f.points).map(|p| p.amount).sum();
        assert_eq!(sum, margin.value, "the facts' points make up the score");
        let class = |score: i64| at.iter().filter(|&&start| score >= start).count();
        assert_eq!(class(margin.value), outcome.tier);
        for (gap, side) in [(margin.above, 1), (margin.below, -1)] {
            let Some(gap) = gap else {
                assert_eq!(outcome.tier, if side > 0 { at.len() } else { 0 });
                continue;
            };
            assert_eq!(class(margin.value + side * gap.points), gap.tier);
            assert_eq!(class(margin.value + side * (gap.points - 1)), outcome.tier);
            assert_eq!(gap.tier.abs_diff(outcome.tier), 1);
        }
    }
    // All points are tens, so these are the scores next to the cuts.
    for score in
        at.iter().flat_map(|cut| [(cut - 1).div_euclid(10) * 10, -(-cut).div_euclid(10) * 10])
    {
        assert!(met.contains(&score), "no family has {score} points");
    }
}

/// Families with points as close to the cuts as the card's steps of ten allow, from random ones changed greedily.
fn ends(policy: &Policy, at: &[i64]) -> Vec<Vec<i64>> {
    let interpreter = Interpreter::new(policy).unwrap();
    let mut found = Vec::new();
    for (start, values) in at.iter().flat_map(|&cut| {
        random_families(policy, 20)
            .into_iter()
            .flat_map(move |family| [-1, 0, 1].map(|offset| (cut + offset, family.clone())))
    }) {
        let off = |values: &[i64]| interpreter.decide(values).unwrap().scores[0].abs_diff(start);
        let mut values = values;
        while let Some(better) = every_change(&interpreter, &values)
            .iter()
            .map(|change| {
                let mut changed = values.clone();
                changed[change.indicator] = change.to;
                changed
            })
            .min_by_key(|changed| off(changed))
            .filter(|changed| off(changed) < off(&values))
        {
            values = better;
        }
        found.push(values);
    }
    found
}

#[test]
fn an_override_is_named() {
    let policy = shipped("eight-indicators");
    let interpreter = Interpreter::new(&policy).unwrap();
    let mut values = policy.missing_values();
    values[position(&policy, "homeless")] = 1;
    let explanation = checked(&interpreter, &values);
    assert_eq!(explanation.outcome.decided_by, Some(0));
    let (tiers, before) = (&policy.tiers, &explanation.outcome);
    assert_eq!((&*tiers[before.tier].id, &*tiers[before.decided].id), ("crisis", "satisfactory"));
    for values in random_families(&policy, 300) {
        checked(&interpreter, &values);
    }
}

/// An integer of a wide range, in two scores of which one reads a cut of the other, so that the tier goes up and down.
fn sawtooth(range: &str) -> Policy {
    let text = format!(
        r#"
        blindtier = "1"
        name = "sawtooth"
        title = "Sawtooth"
        tiers = ["low", "middle", "high"]
        [agencies]
        tax = {{ label = "Tax" }}
        [indicators.income]
        agency = "tax"
        aggregate = "sum"
        integer = {{ {range}, unit = "tenge", missing = 0 }}
        [indicators.loan]
        agency = "tax"
        aggregate = "any"
        missing = "no"
        [scores.means]
        decimals = 1
        weights.income = 0.3
        points.loan = {{ no = 0, yes = -50 }}
        [cuts.coarse]
        score = "means"
        classes = ["a", "b", "c"]
        at = [200, 900.5]
        [scores.rest]
        weights.income = -2
        points.coarse = {{ a = 0, b = 3000, c = 8000 }}
        [cuts.fine]
        score = "rest"
        classes = ["low", "middle", "high"]
        at = [-500, 1500]
        [tier]
        from = "fine"
        "#
    );
    Policy::parse("sawtooth.toml", &text).unwrap_or_else(|errors| panic!("{:#?}", errors.errors()))
}

#[test]
fn a_tier_that_rises_and_falls_with_an_integer_is_walked_exactly() {
    let policy = sawtooth("min = -100, max = 6000");
    let interpreter = Interpreter::new(&policy).unwrap();
    for income in (-100..=6000).step_by(97) {
        for loan in [0, 1] {
            checked(&interpreter, &[income, loan]);
        }
    }
}

#[test]
fn a_wide_range_is_walked_in_a_few_steps() {
    let policy = sawtooth("min = 0, max = 300000000000");
    let explanation = policy.explain(&[300_000_000_000, 0]).unwrap();
    let change = explanation.higher.unwrap();
    assert_eq!((change.indicator, change.to, change.tier), (0, 4250, 1));
    assert!(explanation.lower.is_none());
}

proptest! {
    #[test]
    fn every_policy_is_explained_as_brute_force_explains_it((policy, values) in policies().prop_flat_map(|mut policy| {
        // A range in which the cuts lie, and beyond them.
        for indicator in &mut policy.indicators {
            if let Domain::Integer { min, max, .. } = &mut indicator.domain {
                (*min, *max) = (*min - 60, *max + 60);
            }
        }
        let families = families(&policy);
        (Just(policy), families)
    })) {
        let interpreter = Interpreter::new(&policy).unwrap();
        let explanation = checked(&interpreter, &values);
        if let Some(margin) = explanation.margin {
            let cut = &policy.cuts[margin.cut];
            let decided = |score: i64| {
                policy.decision.tiers[cut.at.iter().filter(|&&start| score >= start).count()]
            };
            prop_assert_eq!(decided(margin.value), explanation.outcome.decided);
            for (gap, side) in [(margin.above, 1), (margin.below, -1)] {
                let reach = gap.map_or(1000, |gap| gap.points);
                for points in 0..reach {
                    prop_assert_eq!(decided(margin.value + side * points), explanation.outcome.decided);
                }
                if let Some(gap) = gap {
                    prop_assert_eq!(decided(margin.value + side * gap.points), gap.tier);
                }
            }
        }
    }
}
