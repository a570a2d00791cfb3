//! What the parser reads, reports, and survives.

mod faults;
mod write;

use crate::*;
use proptest::prelude::*;

/// A small policy that uses most of the language.
const BASE: &str = r#"blindtier = "1"
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
bands = [{ level = "none", below = 0.25 }, { level = "some", from = 0.25, below = 1 }, { level = "much", from = 1 }]
missing = "none"
[indicators.loan]
agency = "tax"
aggregate = "any"
matches = ["1", "open"]
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
rules = [{ when = { income = ["some", "much"], home = "owned" }, then = "good" }, { then = "bad" }]
[concepts.burden]
inputs = ["means", "loan"]
classes = ["light", "heavy"]
grid = [["light", "heavy"], ["heavy", "heavy"]]
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
"#;

fn parse(text: &str) -> Result<Policy, PolicyErrors> {
    Policy::parse("example.toml", text)
}

/// `line:column message / help` for each fault, one per line.
fn faults(text: &str) -> String {
    let errors = match parse(text) {
        Ok(_) => return "no fault".to_owned(),
        Err(errors) => errors,
    };
    let line = |error: &PolicyError| {
        format!("{}:{} {} / {}", error.line, error.column, error.message, error.help)
    };
    errors.errors().iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The base with the one place `from` replaced by `to`.
fn with(from: &str, to: &str) -> String {
    assert_eq!(BASE.matches(from).count(), 1, "{from:?} should stand once");
    BASE.replace(from, to)
}

#[test]
fn the_example_parses_with_every_name_resolved() {
    let policy = parse(BASE).unwrap_or_else(|_| panic!("{}", faults(BASE)));
    assert_eq!(policy.indicators[1].matches, ["1", "open"]);
    assert_eq!(policy.indicators[0].columns, ["income"]);
    assert_eq!(policy.concepts[1].inputs, [Variable::Concept(0), Variable::Indicator(1)]);
    assert_eq!(policy.concepts[1].table, Table::Grid(vec![0, 1, 1, 1]));
    assert_eq!(policy.scores[0].constant, 100);
    assert_eq!(policy.scores[0].terms[2], Term::Weight { indicator: 3, weight: -1 });
    assert_eq!(policy.cuts[0].at, [100, 250]);
    assert_eq!(policy.overrides[0].label["en"], "at most middle");
    assert_eq!(policy.agencies[1].label["en"], "land");
    assert_eq!(policy.opt_out, OptOut::Neutral);
    let Condition::Count { min: 2, max: 3, of } = &policy.overrides[1].when else { panic!() };
    assert_eq!(of.len(), 3);
}

#[test]
fn opt_out_is_not_offered_unless_stated() {
    let cut = BASE.replace("[opt_out]\nresult = \"neutral\"\n", "");
    assert_eq!(parse(&cut).unwrap().opt_out, OptOut::NotOffered);
    let stated = with("\"neutral\"", "\"not-offered\"");
    assert_eq!(parse(&stated).unwrap().opt_out, OptOut::NotOffered);
    assert_eq!(parse(&stated).unwrap().hash(), parse(&cut).unwrap().hash());
}

#[test]
fn one_run_reports_all_faults_in_the_order_of_the_text() {
    let text = with("agency = \"land\"\nlevels", "agency = \"lnd\"\nlevels")
        .replace("\"neutral\"", "\"natural\"");
    let errors = parse(&text.replace("aggregate = \"any\"", "agregate = \"any\"")).unwrap_err();
    let lines: Vec<usize> = errors.errors().iter().map(|error| error.line).collect();
    assert!(lines.len() >= 4 && lines.is_sorted(), "{lines:?}");
    assert_eq!(errors.file_name(), "example.toml");
}

#[test]
fn faults_are_shown_with_the_offending_text_and_as_json() {
    let errors = parse(&with("score = \"points\"", "score = \"point\"")).unwrap_err();
    insta::assert_snapshot!(errors, @"example.toml: 1 fault in the policy, first at line 43, column 9: no score is called `point`");
    insta::assert_snapshot!(serde_json::to_string(errors.errors()).unwrap(), @r#"[{"line":43,"column":9,"message":"no score is called `point`","help":"did you mean `points`?"}]"#);
    let mut shown = String::new();
    let theme = miette::GraphicalTheme::unicode_nocolor();
    miette::GraphicalReportHandler::new_themed(theme).render_report(&mut shown, &errors).unwrap();
    assert!(
        shown.contains("example.toml:43:9")
            && shown.contains("score = \"point\"")
            && shown.contains("did you mean `points`?"),
        "{shown}"
    );
}

#[test]
fn comments_spacing_and_stated_defaults_leave_the_hash_alone() {
    let hash = parse(BASE).unwrap().hash();
    assert_eq!(
        parse(&BASE.replace(" = ", "   =  ").replace('\n', " # note\n")).unwrap().hash(),
        hash
    );
    assert_eq!(
        parse(&with(
            "missing = \"none\"\n[indicators.rent",
            "aggregate = \"first\"\nmissing = \"none\"\n[indicators.rent"
        ))
        .unwrap()
        .hash(),
        hash
    );
    assert_eq!(
        parse(&with(
            "agency = \"land\"\nlevels",
            "column = \"home\"\nlabel = \"home\"\nagency = \"land\"\nlevels"
        ))
        .unwrap()
        .hash(),
        hash
    );
    assert_eq!(parse(&with("some = 0.25", "some = 0.250")).unwrap().hash(), hash);
    assert_eq!(parse(&with("missing = 0 ", "missing = 0, ")).unwrap().hash(), hash);
    assert_ne!(parse(&with("some = 0.25", "some = 0.26")).unwrap().hash(), hash);
    assert_ne!(parse(&with("en = \"Example\"", "en = \"Exemple\"")).unwrap().hash(), hash);

    assert_eq!(hash.to_string().parse::<PolicyHash>(), Ok(hash));
    assert_eq!("00".parse::<PolicyHash>(), Err(PolicyHashError));
    let json = serde_json::to_string(&hash).unwrap();
    assert_eq!(json, format!("\"{hash}\""));
    assert_eq!(serde_json::from_str::<PolicyHash>(&json).unwrap(), hash);
}

/// Changing this is changing every published policy hash: raise the version in the context instead.
#[test]
fn the_hash_of_the_example_is_frozen() {
    insta::assert_snapshot!(parse(BASE).unwrap().hash(), @"f0c993c072bda5ce5f948307fa81a1cc482ab94cf5ce547b1e17b0cea0e0d472");
}

#[test]
fn limits_hold() {
    let errors = parse(&" ".repeat(MAX_SOURCE + 1)).unwrap_err();
    assert!(errors.errors()[0].message.contains("larger than 1 MiB"));

    let mut nested = "{ loan = \"yes\" }".to_owned();
    for _ in 0..31 {
        nested = format!("{{ not = {nested} }}");
    }
    let place = "{ loan = \"yes\", home = \"none\" }";
    assert_eq!(faults(&with(place, &nested)), "no fault");
    let found = faults(&with(place, &format!("{{ not = {nested} }}")));
    assert!(found.contains("nest more than 32 deep"), "{found}");
    let deep = with(place, &format!("{}{}", "{ not = ".repeat(5000), "}".repeat(5000)));
    assert!(parse(&deep).is_err());

    let many: String = (0..17)
        .map(|i| {
            format!("[indicators.x{i}]\nagency = \"tax\"\naggregate = \"any\"\nmissing = \"no\"\n")
        })
        .collect();
    let inputs: Vec<String> = (0..17).map(|i| format!("\"x{i}\"")).collect();
    let table = format!(
        "{many}[concepts.wide]\ninputs = [{}]\nclasses = [\"a\", \"b\"]\nrules = [{{ then = \"a\" }}]\n[tier]",
        inputs.join(", ")
    );
    let found = faults(&with("[tier]", &table));
    assert!(found.contains("131072 combinations; at most 65536 are allowed"), "{found}");

    let unknown: String = (0..5000).map(|i| format!("key_{i} = 1\n")).collect();
    assert_eq!(parse(&(unknown + BASE)).unwrap_err().errors().len(), 100);
}

#[test]
fn classes_change_exactly_at_the_cut() {
    let policy = parse(BASE).unwrap();
    // income much 200, burden heavy 0, constant 100: 300 minus the rent, the highest class starting at 250.
    for (rent, class) in [(49, 2), (50, 2), (51, 1)] {
        let outcome = policy.decide(&[2, 0, 2, rent]).unwrap();
        assert_eq!((outcome.scores[0], outcome.cuts[0]), (300 - rent, class));
    }
}

#[test]
fn overrides_apply_in_order_and_say_who_decided() {
    let policy = parse(BASE).unwrap();
    let tier = |values: &[i64]| {
        let outcome = policy.decide(values).unwrap();
        (outcome.decided, outcome.tier, outcome.decided_by)
    };
    // Much income, no loan, a home owned: nothing interferes.
    assert_eq!(tier(&[2, 0, 0, 0]), (2, 2, None));
    // A loan and no home: first at most the middle tier, then the count makes it the lowest.
    assert_eq!(tier(&[2, 1, 2, 0]), (2, 0, Some(1)));
    assert_eq!(policy.decide(&[2, 1, 2, 0]).unwrap().reasons, [0]);
    assert!(policy.decide(&[2, 0, 0, 0]).unwrap().reasons.is_empty());
}

#[test]
fn values_out_of_range_name_the_indicator() {
    let policy = parse(BASE).unwrap();
    assert_eq!(policy.missing_values(), [0, 0, 2, 0]);
    let error = policy.decide(&[0, 0, 0, 101]).unwrap_err();
    assert_eq!(error.to_string(), "indicator `rent` cannot be 101; it goes from 0 to 100");
    assert_eq!(
        policy.decide(&[0, -1, 0, 0]).unwrap_err().to_string(),
        "indicator `loan` cannot be -1; it goes from 0 to 1"
    );
    assert!(matches!(policy.decide(&[0]), Err(DecideError::WrongCount { expected: 4, found: 1 })));
}

#[test]
fn a_broken_policy_built_by_hand_is_an_error_and_no_panic() {
    let mut policy = parse(BASE).unwrap();
    policy.cuts[0].score = 7;
    assert!(matches!(policy.decide(&[0, 0, 0, 0]), Err(DecideError::Broken { .. })));
    let mut policy = parse(BASE).unwrap();
    policy.concepts[0].inputs = vec![Variable::Concept(0)];
    assert!(matches!(policy.decide(&[0, 0, 0, 0]), Err(DecideError::Broken { .. })));
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>()) {
        let _ = parse(&text);
    }

    #[test]
    fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn no_mutation_makes_the_parser_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0usize..12, "[ -~]{0,8}"), 1..6),
    ) {
        let mut text: Vec<char> = BASE.chars().collect();
        for (place, cut, insert) in changes {
            let start = place.index(text.len() + 1);
            let end = (start + cut).min(text.len());
            text.splice(start..end, insert.chars());
        }
        if let Err(errors) = parse(&text.into_iter().collect::<String>()) {
            prop_assert!(!errors.errors().is_empty());
        }
    }

    /// Words of the language in odd places get further into the parser than random letters do.
    #[test]
    fn no_shuffling_of_words_makes_the_parser_panic(swaps in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..8)) {
        let mut words: Vec<&str> = BASE.split_inclusive([' ', '\n']).collect();
        for (a, b) in swaps {
            let (a, b) = (a.index(words.len()), b.index(words.len()));
            words.swap(a, b);
        }
        let _ = parse(&words.concat());
    }
}
