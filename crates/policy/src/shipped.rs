//! The shipped policies say what their sources say.

use crate::{Decimal, Domain, LevelRule, Policy, Term};
use std::path::Path;

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn policy(name: &str) -> Policy {
    let file = format!("policies/{name}.toml");
    let text = read(&file);
    Policy::parse(&file, &text).unwrap_or_else(|errors| panic!("{errors}\n{:#?}", errors.errors()))
}

#[test]
fn every_policy_file_parses_and_is_labelled_in_two_languages() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let policy = policy(&name);
        assert_eq!(policy.name, name);
        let labels = std::iter::once(&policy.title)
            .chain(policy.tiers.iter().map(|x| &x.label))
            .chain(policy.agencies.iter().map(|x| &x.label))
            .chain(policy.indicators.iter().map(|x| &x.label))
            .chain(policy.overrides.iter().map(|x| &x.label))
            .chain(policy.reasons.iter().map(|x| &x.label));
        for label in labels {
            assert!(label.contains_key("en") && label.len() >= 2, "{name}: {label:?}");
        }
        policy.decide(&policy.missing_values()).unwrap();
        seen += 1;
    }
    assert!(seen >= 4);
}

#[test]
fn nursery_gives_every_row_its_class() {
    let policy = policy("nursery");
    let interpreter = crate::Interpreter::new(&policy).unwrap();
    let data = read("data/nursery.csv");
    let mut lines = data.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let mut rows = 0;
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        let values: Vec<i64> = policy
            .indicators
            .iter()
            .map(|indicator| {
                let cell = cells[header.iter().position(|name| *name == indicator.id).unwrap()];
                let Domain::Levels { levels, .. } = &indicator.domain else { panic!() };
                levels.iter().position(|level| level.id == cell).unwrap() as i64
            })
            .collect();
        let outcome = interpreter.decide(&values).unwrap();
        assert_eq!(policy.tiers[outcome.tier].id, cells[8], "{line}");
        rows += 1;
    }
    assert_eq!(rows, 12_960);
}

/// For every indicator the values with the fewest and the most points.
fn extremes(policy: &Policy) -> (Vec<i64>, Vec<i64>) {
    let mut low = policy.missing_values();
    let mut high = low.clone();
    for term in &policy.scores[0].terms {
        let Term::Points { variable: crate::Variable::Indicator(i), points } = term else {
            panic!()
        };
        low[*i] = (0..points.len()).min_by_key(|&k| points[k]).unwrap() as i64;
        high[*i] = (0..points.len()).max_by_key(|&k| points[k]).unwrap() as i64;
    }
    (low, high)
}

#[test]
fn the_card_has_23_inputs_of_eight_agencies_and_runs_from_minus_1670_to_4600() {
    let policy = policy("digital-family-card");
    assert_eq!((policy.indicators.len(), policy.agencies.len()), (23, 8));
    let (low, high) = extremes(&policy);
    let (low, high) = (policy.decide(&low).unwrap(), policy.decide(&high).unwrap());
    assert_eq!((low.scores[0], high.scores[0]), (-1670, 4600));
    assert_eq!(
        (policy.tiers[low.tier].id.as_str(), policy.tiers[high.tier].id.as_str()),
        ("emergency", "prosperous")
    );
    assert_eq!(policy.cuts[0].at, [-458, -30, 730, 1800]);
}

#[test]
fn eight_indicators_sum_to_at_most_15_and_housing_overrides() {
    let policy = policy("eight-indicators");
    assert_eq!(policy.indicators.len(), 8);
    let (low, high) = extremes(&policy);
    assert_eq!(
        (policy.decide(&low).unwrap().scores[0], policy.decide(&high).unwrap().scores[0]),
        (0, 15)
    );
    assert_eq!(policy.tiers[policy.decide(&low).unwrap().tier].id, "prosperous");
    let mut homeless = low;
    homeless[policy.indicators.iter().position(|i| i.id == "homeless").unwrap()] = 1;
    let outcome = policy.decide(&homeless).unwrap();
    assert_eq!(policy.tiers[outcome.tier].id, "crisis");
    assert_eq!(outcome.decided_by, Some(0));
}

#[test]
fn the_poverty_index_counts_in_eighteenths() {
    let policy = policy("mpi");
    let (low, high) = extremes(&policy);
    assert_eq!(policy.decide(&low).unwrap().scores, [0]);
    assert_eq!(policy.decide(&high).unwrap().scores, [18]);
    // Deprivations in the order of the file: four that weigh 3, then six that weigh 1.
    for (weight_3, weight_1, tier) in [
        (1, 0, "not_poor"),
        (1, 1, "vulnerable"),
        (1, 2, "vulnerable"),
        (2, 0, "poor"),
        (2, 2, "poor"),
        (3, 0, "severe"),
    ] {
        let values: Vec<i64> =
            (0..10).map(|i| i64::from(i < weight_3 || (i >= 4 && i < 4 + weight_1))).collect();
        assert_eq!(
            policy.tiers[policy.decide(&values).unwrap().tier].id,
            tier,
            "{weight_3} {weight_1}"
        );
    }
}

#[test]
fn bands_of_income_are_exact() {
    let policy = policy("digital-family-card");
    let Domain::Levels { rule: LevelRule::Bands(bands), .. } = &policy.indicators[0].domain else {
        panic!()
    };
    assert_eq!(bands[1].below, Some(Decimal { units: 25, scale: 2 }));
}
