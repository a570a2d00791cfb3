//! Every fault names the table, the rule, the offending text and the place.

use blindtier_dmn::{DmnError, ImportError, Map, Options, import};

/// A model of one table with these attributes, columns and rules.
fn one_table(attributes: &str, types: [&str; 2], rules: &[[&str; 3]]) -> String {
    let rules: String = rules
        .iter()
        .map(|[a, b, out]| {
            format!(
                "<rule><inputEntry><text>{a}</text></inputEntry><inputEntry><text>{b}</text></inputEntry><outputEntry><text>{out}</text></outputEntry></rule>\n"
            )
        })
        .collect();
    format!(
        "<definitions xmlns=\"https://www.omg.org/spec/DMN/20230324/MODEL/\" name=\"m\">
<itemDefinition name=\"tHome\"><typeRef>string</typeRef><allowedValues><text>\"own\", \"rent\"</text></allowedValues></itemDefinition>
<itemDefinition name=\"tList\" isCollection=\"true\"><typeRef>number</typeRef></itemDefinition>
<inputData id=\"a\" name=\"A\"><variable name=\"A\" typeRef=\"{}\"/></inputData>
<inputData id=\"b\" name=\"B\"><variable name=\"B\" typeRef=\"{}\"/></inputData>
<decision id=\"d\" name=\"Aid\">
<informationRequirement><requiredInput href=\"#a\"/></informationRequirement>
<informationRequirement><requiredInput href=\"#b\"/></informationRequirement>
<decisionTable {attributes}>
<input><inputExpression><text>A</text></inputExpression></input>
<input><inputExpression><text>B</text></inputExpression></input>
<output/>
{rules}</decisionTable></decision></definitions>",
        types[0], types[1]
    )
}

fn faults(text: &str, map: &str) -> Vec<DmnError> {
    let options = Options { map: Map::parse("map", map).unwrap(), ..Options::default() };
    match import("aid.dmn", text, &options) {
        Err(ImportError::Dmn(errors)) => errors.errors().to_vec(),
        Err(other) => panic!("{other}"),
        Ok(imported) => panic!("{}", imported.toml),
    }
}

/// The only fault of a table, which must name it.
fn fault(
    attributes: &str,
    types: [&str; 2],
    rules: &[[&str; 3]],
) -> (Option<usize>, String, String) {
    let found = faults(&one_table(attributes, types, rules), "");
    assert_eq!(found.len(), 1, "{found:?}");
    let DmnError { table, rule, message, help, .. } = found[0].clone();
    assert_eq!(table.as_deref(), Some("Aid"));
    assert!(message.starts_with("table \"Aid\"") && !help.is_empty(), "{message}");
    (rule, message, help)
}

const NUMBERS: [&str; 2] = ["number", "number"];
const YES: &str = "\"yes\"";
const NO: &str = "\"no\"";

#[test]
fn overlapping_rules_of_a_unique_table_are_named() {
    let rules = [["&lt; 5", "-", YES], ["&gt;= 3", "-", NO]];
    let (rule, message, _) = fault("hitPolicy=\"UNIQUE\"", NUMBERS, &rules);
    assert_eq!(rule, None);
    assert_eq!(
        message,
        "table \"Aid\": rules 1 and 2 both match `A` 3 to below 5, and hit policy UNIQUE allows one"
    );
}

#[test]
fn a_combination_without_a_rule_is_shown() {
    let rules = [["&lt; 5", "-", YES], ["&gt;= 5", "true", NO]];
    let (_, message, help) = fault("", ["number", "boolean"], &rules);
    assert_eq!(message, "table \"Aid\": no rule matches `A` from 5, `B` false");
    assert!(help.contains("[tables.\"Aid\"]"), "{help}");
}

#[test]
fn rules_of_any_and_priority_tables_must_not_contradict_one_another() {
    let rules = [["&lt; 5", "-", YES], ["-", "-", NO]];
    let (_, message, _) = fault("hitPolicy=\"ANY\"", NUMBERS, &rules);
    assert!(
        message.contains("rules 1 and 2 both match `A` below 5, and hit policy ANY"),
        "{message}"
    );
    let (_, message, _) = fault("hitPolicy=\"PRIORITY\"", NUMBERS, &rules);
    assert!(message.contains("PRIORITY without output values"), "{message}");
}

#[test]
fn what_is_outside_the_subset_is_shown_with_its_rule() {
    let last = ["-", "-", NO];
    for (rule, part) in [
        (["A + 1", "-", YES], "`A + 1` is no literal"),
        (["date(\"2020-01-01\")", "-", YES], "dates, times and durations"),
        (["&lt; B", "-", YES], "`B` is no literal"),
        (["-", "-", "upper case(\"x\")"], "output `upper case(\"x\")`"),
        (["\"x\"", "-", YES], "`A` is a number, but it is compared with \"x\""),
        (["-", "-", "7"], "\"no\" is of another kind"),
    ] {
        let found = faults(&one_table("hitPolicy=\"FIRST\"", NUMBERS, &[rule, last]), "");
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].rule.is_some() && found[0].message.contains(part), "{found:?}");
    }
}

#[test]
fn an_open_boundary_of_a_number_without_decimals_asks_for_them() {
    let rules = [["&lt;= 5", "-", YES], ["-", "-", NO]];
    let text = one_table("hitPolicy=\"FIRST\"", NUMBERS, &rules);
    let found = faults(&text, "");
    assert_eq!(found[0].rule, Some(1));
    assert!(found[0].message.contains("just after 5"), "{}", found[0].message);
    assert!(found[0].help.contains("`decimals = 0` under [inputs.\"A\"]"), "{}", found[0].help);
    let map = Map::parse("map", "[inputs.A]\ndecimals = 1").unwrap();
    let imported = import("aid.dmn", &text, &Options { map, ..Options::default() }).unwrap();
    assert!(imported.toml.contains("below = 5.1"), "{}", imported.toml);
}

#[test]
fn hit_policies_that_give_lists_and_foreign_types_are_refused() {
    let rules = [["-", "-", YES]];
    for attributes in
        ["hitPolicy=\"RULE ORDER\"", "hitPolicy=\"OUTPUT ORDER\"", "hitPolicy=\"COLLECT\""]
    {
        let (_, message, _) = fault(attributes, NUMBERS, &rules);
        assert!(message.ends_with("gives a list"), "{message}");
    }
    for (type_ref, part) in [("date", "values of type `date`"), ("tList", "the list type `tList`")]
    {
        let rules = [["1", "-", YES], ["-", "-", NO]];
        let (_, message, _) = fault("hitPolicy=\"FIRST\"", [type_ref, "number"], &rules);
        assert!(message.contains(part), "{message}");
    }
    let rules = [["\"cave\"", "-", YES], ["-", "-", NO]];
    let (rule, message, help) = fault("hitPolicy=\"FIRST\"", ["tHome", "number"], &rules);
    assert_eq!(rule, Some(1));
    assert!(message.contains("\"cave\" is not among the values of `A`"), "{message}");
    assert!(help.contains("\"own\", \"rent\""), "{help}");
}

#[test]
fn sums_need_numbers_and_a_rule_for_every_family() {
    let sum = "hitPolicy=\"COLLECT\" aggregation=\"SUM\"";
    let text = one_table(sum, NUMBERS, &[["&lt; 5", "-", "2"], ["-", "&gt;= 1", "3"]]);
    let tier = "[tier]\nnames = [\"no\", \"yes\"]\nat = [2]";
    let found = faults(&text, tier);
    assert_eq!(
        found[0].message,
        "table \"Aid\": no rule matches `A` from 5, `B` below 1, and in DMN the sum of nothing is null"
    );
    let found = faults(&one_table(sum, NUMBERS, &[["&lt; 5", "-", YES]]), tier);
    assert!(found[0].message.contains("rule 1: a sum needs numbers"), "{found:?}");
    let found = faults(&text, "");
    assert!(found[0].message.contains("nothing says which points are which tier"), "{found:?}");
    let map = Map::parse("map", &format!("[tables.Aid]\notherwise = 0\n{tier}")).unwrap();
    let imported = import("aid.dmn", &text, &Options { map, ..Options::default() }).unwrap();
    assert_eq!(imported.policy.decide(&[1, 0]).unwrap().tier, 0);
    assert_eq!(imported.policy.decide(&[0, 0]).unwrap().tier, 1);
}

#[test]
fn all_faults_are_reported_at_once_in_the_order_of_the_file() {
    let rules = [["f(1)", "-", YES], ["-", "g(2)", YES], ["-", "-", "h(3)"]];
    let found = faults(&one_table("hitPolicy=\"FIRST\"", NUMBERS, &rules), "");
    let places: Vec<_> = found.iter().map(|f| (f.line, f.column, f.rule)).collect();
    assert_eq!(places, [(13, 25, Some(1)), (14, 64, Some(2)), (15, 104, Some(3))]);
}

#[test]
fn a_decision_that_depends_on_itself_is_refused() {
    let text = "<definitions xmlns=\"https://www.omg.org/spec/DMN/20230324/MODEL/\" name=\"m\">
<decision id=\"d\" name=\"Round\"><informationRequirement><requiredDecision href=\"#d\"/></informationRequirement>
<decisionTable><input><inputExpression><text>Round</text></inputExpression></input><output/>
<rule><inputEntry><text>\"x\"</text></inputEntry><outputEntry><text>\"x\"</text></outputEntry></rule></decisionTable></decision></definitions>";
    let options = Options { tier: Some("Round".to_owned()), ..Options::default() };
    let error = import("m.dmn", text, &options).unwrap_err().to_string();
    assert!(error.contains("table \"Round\": the decision depends on itself"), "{error}");
}

#[test]
fn a_map_that_does_not_fit_the_model_is_refused() {
    let rules = [["&lt; 5", "-", YES], ["-", "-", NO]];
    let text = one_table("hitPolicy=\"FIRST\"", ["number", "boolean"], &rules);
    for (map, part) in [
        ("[inputs.C]\nagency = \"tax\"", "the model has no input \"C\""),
        ("[tables.C]\notherwise = \"x\"", "the model has no decision \"C\""),
        ("[inputs.A]\nmissing = \"x\"", "`missing` of input \"A\" is \"x\", which it cannot be"),
    ] {
        let map = Map::parse("map.toml", map).unwrap();
        let options = Options { map, map_name: "map.toml".to_owned(), ..Options::default() };
        let error = import("aid.dmn", &text, &options).unwrap_err().to_string();
        assert!(error.starts_with("map.toml: ") && error.contains(part), "{error}");
    }
}

#[test]
fn the_order_of_the_tiers_can_be_chosen() {
    let rules = [["&lt; 5", "-", YES], ["-", "-", NO]];
    let text = one_table("hitPolicy=\"FIRST\"", NUMBERS, &rules);
    let order = |tiers: &[&str]| {
        let tiers = Some(tiers.iter().map(|tier| (*tier).to_owned()).collect());
        import("aid.dmn", &text, &Options { tiers, ..Options::default() })
    };
    let ids = |tiers: &[&str]| -> Vec<String> {
        order(tiers).unwrap().policy.tiers.into_iter().map(|tier| tier.id).collect()
    };
    assert_eq!(ids(&["no", "yes"]), ["no", "yes"]);
    assert_eq!(ids(&["yes", "no"]), ["yes", "no"]);
    let low_first = order(&["no", "yes"]).unwrap().policy;
    assert_eq!(low_first.decide(&[0]).unwrap().tier, 1);
    let error = order(&["no", "maybe"]).unwrap_err().to_string();
    assert!(error.contains("table \"Aid\": its values are yes, no"), "{error}");
}

#[test]
fn a_rule_that_can_never_match_decides_nothing() {
    let rules = [["[9..2]", "-", YES], ["-", "true", YES], ["-", "-", NO]];
    let text = one_table("hitPolicy=\"FIRST\"", ["number", "boolean"], &rules);
    let map = Map::parse("map", "decimals = 0").unwrap();
    let imported = import("aid.dmn", &text, &Options { map, ..Options::default() }).unwrap();
    assert_eq!(imported.notes[0].text, "rule 1 never matches and is left out");
    let indicators: Vec<&str> = imported.policy.indicators.iter().map(|i| i.id.as_str()).collect();
    assert_eq!(indicators, ["b"]);
    let tiers = [0, 1].map(|b| imported.policy.decide(&[b]).unwrap().tier);
    assert_eq!(tiers.map(|tier| imported.policy.tiers[tier].id.clone()), ["no", "yes"]);

    let all_dead = [["[9..2]", "-", YES], ["[8..3]", "-", NO]];
    let found = faults(&one_table("hitPolicy=\"FIRST\"", NUMBERS, &all_dead), "decimals = 0");
    assert_eq!(found[0].message, "table \"Aid\": no rule ever matches");
}

#[test]
fn a_text_that_no_test_names_is_another_value() {
    let rules = [["\"coal\"", "-", YES], ["-", "-", NO]];
    let text = one_table("hitPolicy=\"FIRST\"", ["string", "number"], &rules);
    let map = Map::parse("map", "[inputs.A]\nmissing = \"wood\"").unwrap();
    let imported = import("aid.dmn", &text, &Options { map, ..Options::default() }).unwrap();
    assert!(imported.toml.contains("levels = [\"coal\", \"other\"]"), "{}", imported.toml);
    assert!(imported.toml.contains("missing = \"other\""), "{}", imported.toml);
    let map = Map::parse("map", "[inputs.A]\nvalues = [\"gas\", \"coal\"]\nagency = \"housing\"")
        .unwrap();
    let imported = import("aid.dmn", &text, &Options { map, ..Options::default() }).unwrap();
    assert!(imported.toml.contains("levels = [\"gas\", \"coal\"]"), "{}", imported.toml);
    assert_eq!(imported.policy.agencies[0].id, "housing");
}

#[test]
fn a_name_that_the_decision_does_not_require_is_refused() {
    let rules = [["\"coal\"", "-", YES], ["-", "-", NO]];
    let text = one_table("hitPolicy=\"FIRST\"", ["string", "number"], &rules).replace(
        "<informationRequirement><requiredInput href=\"#a\"/></informationRequirement>",
        "",
    );
    let found = faults(&text, "");
    assert_eq!(found[0].message, "table \"Aid\": the decision reads `A` without requiring it");
}
