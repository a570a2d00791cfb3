//! Imported policies decide as an independent evaluation of the tables does, at every boundary and beside it.

use crate::oracle::Oracle;
use crate::published;
use crate::register::{Inputs, outcome, tier};
use blindtier_dmn::{Imported, Map, Options, Role, import};
use blindtier_policy::Decimal;
use roxmltree::Document;
use std::path::Path;

/// The most families a decision is tried with.
const MOST: usize = 5_000;

fn model(name: &str) -> (String, Options) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models");
    let read = |file: String| std::fs::read_to_string(folder.join(file)).unwrap();
    let map = Map::parse("map", &read(format!("{name}.map.toml"))).unwrap();
    (read(format!("{name}.dmn")), Options { map, ..Options::default() })
}

/// Compares on all combinations of the samples, or on evenly spread ones. Gives how many there were.
fn compare(
    imported: &Imported,
    text: &str,
    decision: &str,
    output: Option<&str>,
    step: fn(&str) -> f64,
) -> usize {
    let document = Document::parse(text).unwrap();
    let oracle = Oracle::new(&document);
    let samples: Vec<(String, Vec<String>)> = oracle
        .samples(step)
        .into_iter()
        .filter(|(name, _)| {
            imported.parts.iter().any(|p| p.role == Role::Indicator && p.dmn == *name)
        })
        .collect();
    let indicators = imported.parts.iter().filter(|part| part.role == Role::Indicator).count();
    assert_eq!(samples.len(), indicators, "{decision}: {:?}", imported.parts);
    let others: Vec<(String, String)> = oracle
        .samples(step)
        .into_iter()
        .filter(|(name, _)| !samples.iter().any(|(known, _)| known == name))
        .filter_map(|(name, values)| Some((name, values.first()?.clone())))
        .collect();
    let total: usize = samples.iter().map(|(_, values)| values.len()).product();
    // A stride that shares no factor with the sizes reaches every value of every input.
    let stride = if total > MOST { (total / MOST) | 1 } else { 1 };
    let sum = imported.parts.iter().any(|p| p.role == Role::Score && p.dmn == decision);
    let mut compared = 0;
    for number in (0..total).step_by(stride) {
        let mut rest = number;
        let mut inputs: Inputs = others.iter().cloned().collect();
        for (name, values) in &samples {
            inputs.insert(name.clone(), values[rest % values.len()].clone());
            rest /= values.len();
        }
        let given = oracle.decide(decision, &inputs);
        let wanted = match output {
            Some(output) => given[output].clone(),
            None => given.into_values().next().unwrap(),
        };
        let place = format!("{decision} {output:?}: {inputs:?}");
        if sum {
            let found = outcome(imported, &inputs).unwrap_or_else(|e| panic!("{place}: {e}"));
            let score =
                imported.policy.scores.iter().position(|s| s.label["en"] == decision).unwrap();
            let decimals = imported.policy.scores[score].decimals;
            let wanted = Decimal::parse(&wanted.unwrap_or("0".to_owned())).unwrap();
            assert_eq!(wanted.in_units(decimals), Some(found.scores[score]), "{place}");
        } else {
            let found = tier(imported, &inputs).unwrap_or_else(|e| panic!("{place}: {e}"));
            assert_eq!(Some(found), wanted.or(otherwise(decision)), "{place}");
        }
        compared += 1;
    }
    compared
}

/// What the maps of the published models say where DMN says null.
fn otherwise(decision: &str) -> Option<String> {
    Some(if decision == "CarInsurance" { "0" } else { "null" }.to_owned())
}

/// The last decimal of every input of the support model.
fn cents(input: &str) -> f64 {
    if input == "Family.Children" { 1.0 } else { 0.01 }
}

#[test]
fn a_model_with_scores_cuts_and_overrides_decides_as_its_tables_say() {
    let (text, options) = model("support");
    let imported = import("support.dmn", &text, &options).unwrap();
    let roles: Vec<Role> = imported.parts.iter().map(|part| part.role).collect();
    for role in [Role::Score, Role::Cut, Role::Concept, Role::Overrides, Role::Indicator] {
        assert!(roles.contains(&role), "{role}: {:?}", imported.parts);
    }
    assert_eq!(imported.policy.overrides.len(), 3);
    assert_eq!(imported.policy.agencies.len(), 4);
    assert!(compare(&imported, &text, "Support", None, cents) > 500);
    let base = Options { tier: Some("Base tier".to_owned()), ..options.clone() };
    let imported = import("support.dmn", &text, &base).unwrap();
    assert!(compare(&imported, &text, "Base tier", None, cents) > 200);
}

#[test]
fn every_boundary_falls_on_the_side_that_the_brackets_say() {
    let (text, options) = model("boundaries");
    for decision in ["Kind", "Most", "Result"] {
        let options = Options { tier: Some(decision.to_owned()), ..options.clone() };
        let imported = import("boundaries.dmn", &text, &options).unwrap();
        assert!(compare(&imported, &text, decision, None, |_| 0.1) > 20, "{decision}");
    }
    let kind = Options { tier: Some("Kind".to_owned()), ..options };
    let notes = import("boundaries.dmn", &text, &kind).unwrap().notes;
    assert!(notes.iter().any(|note| note.text.starts_with("rule 4 never matches")), "{notes:?}");
}

#[test]
fn every_published_decision_inside_the_subset_decides_as_its_tables_say() {
    let mut compared = 0;
    for model in published::models() {
        let step: fn(&str) -> f64 =
            if model.map.contains("decimals = 2") { |_| 0.01 } else { |_| 1.0 };
        for (decision, output) in published::decisions(model.text) {
            if let Ok(imported) = published::import_decision(&model, &decision, output.as_deref()) {
                compared += compare(&imported, model.text, &decision, output.as_deref(), step);
            }
        }
    }
    assert!(compared > 1000, "{compared}");
}
