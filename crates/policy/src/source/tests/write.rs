//! What is written reads back as the same policy.

use super::{BASE, faults, parse, with};
use crate::arbitrary::policies;
use crate::*;
use proptest::prelude::*;

/// The policy of a text, once it has been written and read again without a change.
fn round_trip(text: &str) -> Policy {
    let policy = parse(text).unwrap_or_else(|_| panic!("{}", faults(text)));
    let written = policy.to_toml();
    let again = parse(&written).unwrap_or_else(|_| panic!("{}\n{written}", faults(&written)));
    assert_eq!(again, policy, "{written}");
    assert_eq!(again.hash(), policy.hash());
    policy
}

#[test]
fn the_shipped_policies_round_trip() {
    for name in ["digital-family-card", "eight-indicators", "mpi", "nursery"] {
        let file = format!("{}/../../policies/{name}.toml", env!("CARGO_MANIFEST_DIR"));
        round_trip(&std::fs::read_to_string(file).unwrap());
    }
}

#[test]
fn the_example_is_written_as_people_write_it() {
    insta::assert_snapshot!(round_trip(BASE).to_toml(), @r#"
blindtier = "1"
name = "example"
title = { en = "Example", ru = "Пример" }
tiers = ["low", "middle", "high"]

[agencies]
tax = { label = "Tax office" }
land = {}

[indicators.income]
agency = "tax"
aggregate = "sum"
per = "persons"
bands = [
  { level = "none", below = 0.25 },
  { level = "some", from = 0.25, below = 1 },
  { level = "much", from = 1 },
]
missing = "none"

[indicators.loan]
agency = "tax"
aggregate = "any"
matches = ["1", "open"]
levels = ["no", "yes"]
missing = "no"

[indicators.home]
agency = "land"
levels = ["owned", "rented", "none"]
categories = { owned = ["owned", "own"] }
missing = "none"

[indicators.rent]
agency = "land"
aggregate = "sum"
integer = { min = 0, max = 100, unit = "tenge", missing = 0 }

[concepts.means]
inputs = ["income", "home"]
classes = ["good", "bad"]
rules = [
  { when = { income = ["some", "much"], home = "owned" }, then = "good" },
  { then = "bad" },
]

[concepts.burden]
inputs = ["means", "loan"]
classes = ["light", "heavy"]
grid = [
  ["light", "heavy"],
  ["heavy", "heavy"],
]

[scores.points]
decimals = 2
constant = 1
points.income = { none = 0, some = 0.25, much = 2 }
points.burden = { light = 1, heavy = 0 }
weights.rent = -0.01

[cuts.support]
score = "points"
classes = ["low", "middle", "high"]
at = [1, 2.5]

[tier]
from = "support"

[[overrides]]
at_most = "middle"
when = { loan = "yes", home = "none" }

[[overrides]]
exactly = "low"
when = { of = [{ loan = "yes" }, { not = { home = "owned" } }, { any = [{ means = "bad" }, { burden = "heavy" }] }], at_least = 2 }

[opt_out]
result = "neutral"

[[reasons]]
id = "home"
when = { home = ["rented", "none"] }
"#);
}

/// What to replace in the example, and by what.
const TURNS: &[(&str, &str)] = &[
    ("tax = { label = \"Tax office\" }", "tax = { label = { ru = \"Налоги\" } }"),
    (
        "[\"low\", \"middle\", \"high\"]\n[agencies]",
        "[\"low\", { id = \"middle\", label = \"Between\" }, \"high\"]\n[agencies]",
    ),
    ("per = \"persons\"", "per = \"adults\"\ncolumns = [\"wage\", \"pension\"]"),
    (
        "missing = \"none\"\n[indicators.loan]",
        "levels = { much = { en = \"Much\", \"sr-Latn\" = \"Mnogo\" } }\nmissing = \"undecided\"\n[indicators.loan]",
    ),
    ("\"none\", below = 0.25", "\"none\", from = -0.000000000000000001, below = 0.25"),
    // The first level has two bands.
    (
        "from = 1 }]",
        "from = 1, below = 999999999999999999 }, { level = \"none\", from = 999999999999999999 }]",
    ),
    ("\"any\"\nmatches = [\"1\", \"open\"]", "\"all\""),
    (
        "matches = [\"1\", \"open\"]\nmissing = \"no\"",
        "levels = { no = \"No loan\", yes = \"yes\" }\nmissing = \"undecided\"",
    ),
    (
        "\"any\"\nmatches = [\"1\", \"open\"]",
        "\"count\"\nmatches = \"open\"\nbands = [{ level = \"no\", below = 2 }, { level = \"yes\", from = 2 }]",
    ),
    (
        "categories = { owned = [\"owned\", \"own\"] }",
        "aggregate = \"min\"\ncategories = { owned = \"none\", rented = \"rent\", none = \"owned\" }",
    ),
    (
        "\"sum\"\ninteger = { min = 0, max = 100, unit = \"tenge\", missing = 0 }",
        "\"max\"\ninteger = { min = -1099511627, max = 5, missing = \"undecided\" }\ncolumn = \"paid\"",
    ),
    (
        "rules = [{ when = { income = [\"some\", \"much\"], home = \"owned\" }, then = \"good\" }, { then = \"bad\" }]",
        "grid = [[\"good\", \"bad\", \"bad\"], [\"bad\", \"good\", \"bad\"], [\"good\", \"good\", \"bad\"]]",
    ),
    (
        "[\"means\", \"loan\"]\nclasses = [\"light\", \"heavy\"]\ngrid = [[\"light\", \"heavy\"], [\"heavy\", \"heavy\"]]",
        "[\"loan\"]\nclasses = [\"light\", \"heavy\"]\ngrid = [\"heavy\", \"light\"]",
    ),
    (
        "[\"means\", \"loan\"]\nclasses = [\"light\", \"heavy\"]\ngrid = [[\"light\", \"heavy\"], [\"heavy\", \"heavy\"]]",
        "[\"loan\", \"home\", \"means\"]\nclasses = [\"light\", \"heavy\"]\ngrid = [[[\"light\", \"heavy\"], [\"light\", \"light\"], [\"light\", \"light\"]], [[\"heavy\", \"heavy\"], [\"light\", \"heavy\"], [\"light\", \"light\"]]]",
    ),
    ("decimals = 2\nconstant = 1\n", "decimals = 9\nconstant = -0.000000001\n"),
    (
        "from = \"support\"",
        "from = \"support\"\nmap = { low = \"high\", middle = \"high\", high = \"low\" }",
    ),
    (
        "at_most = \"middle\"",
        "at_least = \"middle\"\nlabel = { en = \"Not lower\", kk = \"Төмен емес\" }",
    ),
    ("{ loan = \"yes\", home = \"none\" }", "{ all = [{ loan = \"yes\" }] }"),
    (
        "{ loan = \"yes\", home = \"none\" }",
        "{ all = [{ home = [\"owned\", \"none\"] }, { home = [\"none\", \"rented\"] }] }",
    ),
    (
        "{ loan = \"yes\", home = \"none\" }",
        "{ all = [{ loan = \"yes\" }, { any = [{ home = \"none\" }] }] }",
    ),
    (
        "{ loan = \"yes\", home = \"none\" }",
        "{ not = { support = \"low\", home = [\"owned\", \"rented\", \"none\"] } }",
    ),
    ("at_least = 2", "exactly = 0"),
    ("at_least = 2", "at_least = 0"),
    ("at_least = 2", "at_most = 2"),
    ("at_least = 2", "at_least = 1, at_most = 2"),
    ("at_least = 2", "at_least = 3, at_most = 3"),
    ("result = \"neutral\"", "result = \"not-offered\""),
    ("id = \"home\"", "id = \"HOME-1\"\nlabel = { ru = \"Дом\", en = \"Home\" }"),
];

#[test]
fn every_turn_of_the_language_round_trips() {
    for (from, to) in TURNS {
        round_trip(&with(from, to));
    }
}

#[test]
fn a_score_of_nothing_but_a_constant_round_trips() {
    let points = "points.income = { none = 0, some = 0.25, much = 2 }\npoints.burden = { light = 1, heavy = 0 }\nweights.rent = -0.01\n";
    let text = with(points, "points = {}\n")
        .replace("integer = { min = 0, max = 100, unit = \"tenge\", missing = 0 }", RENT)
        .replace("{ home = [\"rented\", \"none\"] }", "{ rent = \"low\" }");
    assert_eq!(round_trip(&text).scores[0].terms, []);
}

/// Rent in bands, for without a weight an integer would have no influence.
const RENT: &str =
    "bands = [{ level = \"low\", below = 1 }, { level = \"high\", from = 1 }]\nmissing = \"low\"";

#[test]
fn conditions_nested_to_the_limit_round_trip() {
    for (open, close) in [("{ not = ", " }"), ("{ any = [", "] }"), ("{ all = [", "] }")] {
        let plain = "{ loan = [\"no\", \"yes\"], home = [\"owned\", \"none\"] }";
        let nested = format!("{}{plain}{}", open.repeat(31), close.repeat(31));
        round_trip(&with("{ loan = \"yes\", home = \"none\" }", &nested));
    }
}

#[test]
fn a_broken_policy_built_by_hand_is_written_and_refused() {
    let mut policy = parse(BASE).unwrap();
    policy.cuts[0].score = 7;
    policy.concepts[1].table = Table::Grid(Vec::new());
    policy.decision.from = Variable::Concept(7);
    let found = faults(&policy.to_toml());
    assert!(
        found.contains("no score is called ``") && found.contains("nothing is called ``"),
        "{found}"
    );
}

proptest! {
    #[test]
    fn random_policies_round_trip(policy in policies()) {
        let text = policy.to_toml();
        match parse(&text) {
            Ok(again) => prop_assert_eq!(again, policy, "{}", text),
            Err(_) => prop_assert!(false, "{}\n{text}", faults(&text)),
        }
    }

    #[test]
    fn any_text_round_trips(text in prop::collection::vec(any::<char>(), 0..12)) {
        let text: String = text.into_iter().collect();
        let labels = Labels::from([("en".to_owned(), text.clone()), ("kk".to_owned(), text.clone())]);
        // The cells and headers of a register come without spaces around them.
        let cell = format!("<{text}>");
        let mut policy = parse(BASE).unwrap();
        policy.title = labels.clone();
        policy.tiers[1].label = labels.clone();
        policy.agencies[0].label.insert("en".to_owned(), text.clone());
        policy.indicators[0].columns = vec![cell.clone(), "second".to_owned()];
        policy.indicators[1].matches = vec![cell.clone()];
        if let Domain::Levels { levels, rule: LevelRule::Categories(texts), .. } = &mut policy.indicators[2].domain {
            levels[0].label = labels.clone();
            texts[1].push(cell);
        }
        if let Domain::Integer { unit, .. } = &mut policy.indicators[3].domain {
            unit.clone_from(&text);
        }
        policy.overrides[0].label = labels;
        policy.reasons[0].label = Labels::from([("ru".to_owned(), text)]);
        prop_assert_eq!(parse(&policy.to_toml()).unwrap(), policy);
    }
}
