//! Assessments of the shipped policies, and of policies with everything that the language has.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail"
)]

use blindtier_assessment::{Assessment, Engine, Influence, TrustTable, assess};
use blindtier_policy::Policy;

fn shipped(name: &str) -> Policy {
    let file = format!("{}/../../policies/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    Policy::parse(name, &std::fs::read_to_string(file).unwrap()).unwrap()
}

fn of(policy: &Policy, engine: Option<Engine>) -> Assessment {
    assess(policy, &TrustTable::shipped().unwrap(), engine)
}

const SHIPPED: [&str; 4] = ["nursery", "digital-family-card", "eight-indicators", "mpi"];

#[test]
fn the_assessment_of_the_nursery() {
    insta::assert_snapshot!(of(&shipped("nursery"), None).markdown);
}

#[test]
fn everything_that_a_policy_names_is_in_its_assessment() {
    for name in SHIPPED {
        let policy = shipped(name);
        let text = of(&policy, None).markdown;
        let english = |labels: &blindtier_policy::Labels| labels["en"].replace('_', "\\_");
        for indicator in &policy.indicators {
            let row = format!("| {} (`{}`) | ", english(&indicator.label), indicator.id);
            assert_eq!(text.matches(&row).count(), 1, "{name}: {row}");
            for column in &indicator.columns {
                assert!(text.contains(&format!("`{column}`")), "{name}: {column}");
            }
        }
        for agency in &policy.agencies {
            let heading = format!("\n#### {} (`{}`)\n", english(&agency.label), agency.id);
            assert_eq!(text.matches(&heading).count(), 1, "{name}: {heading}");
        }
        for (number, tier) in (1..).zip(&policy.tiers) {
            let line = format!("\n{number}. {} (`{}`)\n", english(&tier.label), tier.id);
            assert_eq!(text.matches(&line).count(), 1, "{name}: {line}");
        }
        for rule in &policy.overrides {
            let line = format!(". {}. If ", english(&rule.label));
            assert_eq!(text.matches(&line).count(), 1, "{name}: {line}");
        }
        for reason in &policy.reasons {
            assert!(text.contains(&format!("- “{}”, if ", english(&reason.label))), "{name}");
        }
        for concept in &policy.concepts {
            assert!(text.contains(&format!("(`{}`)\n\nLooks at ", concept.id)), "{name}");
        }
        for score in &policy.scores {
            assert!(text.contains(&format!("(`{}`)\n\nA sum of points", score.id)), "{name}");
        }
        assert!(text.contains(&policy.hash().to_string()));
    }
}

#[test]
fn every_open_point_is_marked_in_its_place_and_listed_at_the_top() {
    for name in SHIPPED {
        let Assessment { markdown, open_points } = of(&shipped(name), None);
        let marks: Vec<&str> = markdown
            .split("**[to be filled in by the controller: ")
            .skip(1)
            .map(|rest| rest.split("]**").next().unwrap())
            .collect();
        let listed: Vec<&str> = open_points.iter().map(|point| point.what.as_str()).collect();
        assert_eq!(marks, listed, "{name}: in the order of the document");
        let top = markdown.split("\n## 1. ").next().unwrap();
        for (number, point) in (1..).zip(&open_points) {
            assert!(top.contains(&format!(
                "{number}. {} (section {})\n",
                point.what,
                &point.section[..1]
            )));
            assert!(markdown.contains(&format!("\n## {}\n", point.section)));
        }
    }
}

#[test]
fn an_engine_leaves_out_what_concerns_the_other() {
    let policy = shipped("mpi");
    let [both, tfhe, bfv] =
        [None, Some(Engine::Tfhe), Some(Engine::Bfv)].map(|engine| of(&policy, engine).markdown);
    for (text, dealer, malformed) in [(both, true, true), (tfhe, true, false), (bfv, false, true)] {
        assert_eq!(text.contains("| dealer, with tfhe only |"), dealer);
        assert_eq!(text.contains("**The dealer of tfhe.**"), dealer);
        assert_eq!(text.contains("**Malformed bfv ciphertexts.**"), malformed);
    }
}

#[test]
fn tables_have_as_many_cells_in_every_row_as_in_their_head() {
    for name in SHIPPED {
        let text = of(&shipped(name), None).markdown;
        let mut width = None;
        for line in text.lines() {
            let cells = line.starts_with('|').then(|| line.replace("\\|", "").matches('|').count());
            assert!(cells.is_none() || width.is_none() || cells == width, "{name}: {line}");
            width = cells;
        }
    }
}

/// Conditions of every kind, a number, a grid of three inputs, rules without a name, indicators that only reasons
/// read, and words that try to be markup.
const EVERYTHING: &str = r#"
    blindtier = "1"
    name = "everything"
    title = "All | of *it*"
    tiers = ["low", "middle", "high"]
    [agencies]
    tax = { label = "Tax [office](x)" }
    [indicators.income]
    agency = "tax"
    aggregate = "sum"
    integer = { min = -5, max = 900, unit = "tenge", missing = "undecided" }
    [indicators.loan]
    agency = "tax"
    aggregate = "any"
    missing = "no"
    [indicators.car]
    agency = "tax"
    aggregate = "all"
    missing = "no"
    [indicators.shown]
    agency = "tax"
    aggregate = "any"
    missing = "no"
    [indicators.idle]
    agency = "tax"
    aggregate = "count"
    per = "adults"
    bands = [{ level = "none", below = 0.5 }, { level = "some", from = 0.5 }]
    missing = "none"
    [scores.means]
    decimals = 1
    constant = -2.5
    weights.income = 0.3
    points.loan = { no = 0, yes = -50 }
    [cuts.coarse]
    score = "means"
    classes = ["poor", "rich"]
    at = [20]
    [concepts.sorted]
    inputs = ["loan", "car", "coarse"]
    classes = ["low", "middle", "high"]
    grid = [[["low", "high"], ["low", "middle"]], [["middle", "high"], ["low", "low"]]]
    [tier]
    from = "sorted"
    [[overrides]]
    at_least = "middle"
    when = { not = { any = [{ loan = "yes" }, { all = [{ car = "yes" }, { coarse = "rich" }] }] } }
    [[overrides]]
    exactly = "low"
    when = { of = [{ loan = "yes" }, { car = "yes" }, { coarse = "poor" }], at_least = 1, at_most = 2 }
    [[reasons]]
    id = "shown"
    when = { shown = "yes" }
    [[reasons]]
    id = "idle"
    when = { idle = "some" }
"#;

#[test]
fn everything_that_the_language_has_is_put_into_words() {
    let policy = Policy::parse("everything.toml", EVERYTHING)
        .unwrap_or_else(|errors| panic!("{:#?}", errors.errors()));
    let text = of(&policy, None).markdown;
    for part in [
        "assessment: All | of \\*it\\*\n",
        "#### Tax \\[office\\](x) (`tax`)",
        "a pseudonym and a slot, number of adults",
        "| an integer, −5 tenge to 900 tenge | no tier can be decided",
        "| number of persons for whom it says yes, divided by the number of adults | one of 2 levels: none (below 0.5); some (from 0.5) |",
        "A sum of points, starting from −2.5:",
        "| “income” | 0.3 for each tenge |",
        "- “poor”: below 20\n- “rich”: from 20\n",
        "| “loan” | “car” | “coarse”: “poor” | “coarse”: “rich” |",
        "| “no” | “yes” | “low” | “middle” |",
        "| “yes” | “no” | “middle” | “high” |",
        "If it is not so that (“loan” is “yes” or (“car” is “yes” and “coarse” is “rich”)): the tier is at least “middle”",
        "If between 1 and 2 of these hold: “loan” is “yes”; “car” is “yes”; “coarse” is “poor”: the tier is exactly “low”",
        "The tier reads 3 of the 5 indicators",
        "Only reasons read “shown”, “idle”: the tier does not depend on them.",
        "Without a record of “income” no tier is decided.",
        "The policy offers no way to say no.",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let influence = Influence::of(&policy);
    assert_eq!(influence.tier, [0, 1, 2].into());
    assert_eq!(influence.reasons_only, [3, 4].into());
}

#[test]
fn a_tier_depends_on_an_indicator_exactly_if_some_family_shows_it() {
    // Held against the interpreter: an indicator outside the set never changes a tier.
    let policy = shipped("eight-indicators");
    let influence = Influence::of(&policy);
    assert_eq!(influence.tier.len(), policy.indicators.len());
    let everything = Policy::parse("everything.toml", EVERYTHING).unwrap();
    let influence = Influence::of(&everything);
    let mut seen = std::collections::BTreeSet::new();
    for income in (-5..=900).step_by(5) {
        for rest in 0..16i64 {
            let values: Vec<i64> =
                std::iter::once(income).chain((0..4).map(|bit| (rest >> bit) & 1)).collect();
            let tier = everything.decide(&values).unwrap().tier;
            for position in 1..5usize {
                let mut other = values.clone();
                other[position] = 1 - other[position];
                if everything.decide(&other).unwrap().tier != tier {
                    seen.insert(position);
                }
            }
            let mut other = values.clone();
            other[0] = 900;
            if everything.decide(&other).unwrap().tier != tier {
                seen.insert(0);
            }
        }
    }
    assert_eq!(seen, influence.tier);
}

#[test]
fn a_damaged_trust_table_is_named() {
    let error = TrustTable::parse("[[parties]]\nparty = 3").unwrap_err().to_string();
    assert!(error.contains("docs/parties.toml") && error.contains("party = 3"), "{error}");
}
