//! The published models and results of the DMN TCK: which decisions are inside the subset, and whether their imports
//! give the published results. The table in docs/dmn.md is the record.

use crate::register::{Inputs, outcome, tier};
use blindtier_dmn::{ImportError, Imported, Map, Options, Role, import};
use dsntk_examples as kit;
use roxmltree::{Document, Node};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// All models of compliance level 2, and those of level 3 whose decisions are tables and need no other file.
const MODELS: [(u8, &str, &str); 37] = [
    (2, "0001-input-data-string", kit::DMN_2_0001),
    (2, "0002-input-data-number", kit::DMN_2_0002),
    (2, "0003-input-data-string-allowed-values", kit::DMN_2_0003),
    (2, "0004-simpletable-U", kit::DMN_2_0004),
    (2, "0005-simpletable-A", kit::DMN_2_0005),
    (2, "0006-simpletable-P1", kit::DMN_2_0006),
    (2, "0007-simpletable-P2", kit::DMN_2_0007),
    (2, "0008-LX-arithmetic", kit::DMN_2_0008),
    (2, "0009-invocation-arithmetic", kit::DMN_2_0009),
    (2, "0010-multi-output-U", kit::DMN_2_0010),
    (2, "0100-feel-constants", kit::DMN_2_0100),
    (2, "0101-feel-constants", kit::DMN_2_0101),
    (2, "0102-feel-constants", kit::DMN_2_0102),
    (2, "0105-feel-math", kit::DMN_2_0105),
    (2, "0106-feel-ternary-logic", kit::DMN_2_0106),
    (2, "0107-feel-ternary-logic-not", kit::DMN_2_0107),
    (2, "0108-first-hitpolicy", kit::DMN_2_0108),
    (2, "0109-ruleOrder-hitpolicy", kit::DMN_2_0109),
    (2, "0110-outputOrder-hitpolicy", kit::DMN_2_0110),
    (2, "0111-first-hitpolicy-singleoutputcol", kit::DMN_2_0111),
    (2, "0112-ruleOrder-hitpolicy-singleinoutcol", kit::DMN_2_0112),
    (2, "0113-outputOrder-hitpolicy-singleinoutcol", kit::DMN_2_0113),
    (2, "0114-min-collect-hitpolicy", kit::DMN_2_0114),
    (2, "0115-sum-collect-hitpolicy", kit::DMN_2_0115),
    (2, "0116-count-collect-hitpolicy", kit::DMN_2_0116),
    (2, "0117-multi-any-hitpolicy", kit::DMN_2_0117),
    (2, "0118-multi-priority-hitpolicy", kit::DMN_2_0118),
    (2, "0119-multi-collect-hitpolicy", kit::DMN_2_0119),
    (3, "0004-lending", kit::DMN_3_0004),
    (3, "0017-tableTests", kit::DMN_3_0017),
    (3, "0020-vacation-days", kit::DMN_3_0020),
    (3, "0036-dt-variable-input", kit::DMN_3_0036),
    (3, "0037-dt-on-bkm-implicit-params", kit::DMN_3_0037),
    (3, "0038-dt-on-bkm-explicit-params", kit::DMN_3_0038),
    (3, "0039-dt-list-semantics", kit::DMN_3_0039),
    (3, "0087-chapter-11-example", kit::DMN_3_0087),
    (3, "0088-no-decision-logic", kit::DMN_3_0088),
];

/// One published model.
pub struct Published {
    level: u8,
    pub name: &'static str,
    pub text: &'static str,
    cases: Vec<Case>,
    pub map: String,
}

/// One published case: results of decisions as `--tier` names them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    inputs: BTreeMap<String, toml::Value>,
    results: BTreeMap<String, toml::Value>,
}

/// All models, each with its cases from cases.toml and its map from maps.toml.
pub fn models() -> Vec<Published> {
    let mut maps: BTreeMap<String, String> = read("maps.toml");
    let mut cases: BTreeMap<String, Vec<Case>> = read("cases.toml");
    let models = MODELS
        .into_iter()
        .map(|(level, name, text)| {
            let cases = cases.remove(name).unwrap_or_default();
            Published { level, name, text, cases, map: maps.remove(name).unwrap_or_default() }
        })
        .collect();
    assert!(maps.is_empty(), "maps without a model: {maps:?}");
    assert!(cases.is_empty(), "cases without a model: {:?}", cases.keys());
    models
}

fn read<T: serde::de::DeserializeOwned>(file: &str) -> T {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tck");
    toml::from_str(&std::fs::read_to_string(folder.join(file)).unwrap()).unwrap()
}

/// A decision as `--tier` names it: (name, output if there are several).
pub fn decisions(text: &str) -> Vec<(String, Option<String>)> {
    let document = Document::parse(text).unwrap();
    let mut found = Vec::new();
    for decision in children(document.root_element(), "decision") {
        let name = decision.attribute("name").unwrap().to_owned();
        let outputs: Vec<String> = children(decision, "decisionTable")
            .flat_map(|table| children(table, "output").collect::<Vec<_>>())
            .filter_map(|output| output.attribute("name").map(str::to_owned))
            .collect();
        match outputs.len() {
            0 | 1 => found.push((name, None)),
            _ => found.extend(outputs.into_iter().map(|output| (name.clone(), Some(output)))),
        }
    }
    found
}

pub fn import_decision(
    model: &Published,
    decision: &str,
    output: Option<&str>,
) -> Result<Imported, ImportError> {
    let tier = output.map_or_else(|| decision.to_owned(), |output| format!("{decision}.{output}"));
    let options = Options {
        map: Map::parse("maps.toml", &model.map).unwrap(),
        map_name: "maps.toml".to_owned(),
        tier: Some(tier),
        tiers: None,
    };
    import(&format!("{}.dmn", model.name), model.text, &options)
}

#[test]
fn imports_give_the_published_results_and_the_docs_list_what_is_inside() {
    let mut table = String::from(
        "| level | model | decision | imported as, or why not | published results |\n|--:|---|---|---|--:|\n",
    );
    let mut inside = 0;
    let mut checked = 0;
    let mut published = 0;
    for model in models() {
        published += model.cases.iter().map(|case| case.results.len()).sum::<usize>();
        // A model of literal expressions only is one row.
        let mut outside: Vec<(String, String)> = Vec::new();
        let mut rows = Vec::new();
        for (decision, output) in decisions(model.text) {
            let shown = match &output {
                Some(output) => format!("{decision}.{output}"),
                None => decision.clone(),
            };
            match import_decision(&model, &decision, output.as_deref()) {
                Ok(imported) => {
                    let results = check(&model, &imported, &decision, &shown);
                    let mut roles: Vec<String> = imported
                        .parts
                        .iter()
                        .filter(|part| part.role != Role::Indicator)
                        .map(|part| part.role.to_string())
                        .collect();
                    roles.dedup();
                    inside += 1;
                    checked += results;
                    rows.push((shown, roles.join(", "), results.to_string()));
                }
                Err(ImportError::Dmn(errors)) => {
                    let first = &errors.errors()[0];
                    assert!(first.table.is_some(), "{}: {first:?}", model.name);
                    outside.push((shown.clone(), first.message.clone()));
                    rows.push((shown, format!("outside: {}", first.message), String::new()));
                }
                Err(other) => panic!("{}: {decision}: {other}", model.name),
            }
        }
        let level = model.level;
        let all_literal = rows.len() == outside.len()
            && rows.len() > 1
            && outside.iter().all(|(_, message)| message.contains("is a <"));
        if all_literal {
            let count = rows.len();
            writeln!(
                table,
                "| {level} | {} | all {count} | outside: no decision tables | |",
                model.name
            )
            .unwrap();
            continue;
        }
        for (decision, what, results) in rows {
            let what = what.replace('|', "\\|").replace('<', "&lt;");
            writeln!(table, "| {level} | {} | {decision} | {what} | {results} |", model.name)
                .unwrap();
        }
    }
    assert_eq!(
        checked, published,
        "cases.toml has results of decisions that are not inside the subset"
    );
    writeln!(
        table,
        "\n{inside} decisions are inside, and {checked} published results were checked."
    )
    .unwrap();
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/dmn.md");
    let text = std::fs::read_to_string(&docs).unwrap();
    let (before, rest) = text.split_once("<!-- published:begin -->\n").unwrap();
    let (recorded, after) = rest.split_once("<!-- published:end -->").unwrap();
    if std::env::var_os("BLINDTIER_WRITE_DOCS").is_some() {
        let whole =
            format!("{before}<!-- published:begin -->\n{table}<!-- published:end -->{after}");
        std::fs::write(docs, whole).unwrap();
        return;
    }
    assert_eq!(
        recorded, table,
        "run the test with BLINDTIER_WRITE_DOCS=1 and look at the difference"
    );
}

/// Compares with every published result of a decision. Gives their number.
fn check(model: &Published, imported: &Imported, decision: &str, shown: &str) -> usize {
    let mut checked = 0;
    for case in &model.cases {
        let Some(wanted) = case.results.get(shown).map(written) else { continue };
        let inputs: Inputs =
            case.inputs.iter().map(|(name, value)| (name.clone(), written(value))).collect();
        let place = format!("{}, {shown}: {inputs:?}", model.name);
        // A sum is compared itself; as the tier it has been cut.
        if imported.parts.iter().any(|part| part.role == Role::Score && part.dmn == decision) {
            let found =
                outcome(imported, &inputs).unwrap_or_else(|error| panic!("{place}: {error}"));
            let score =
                imported.policy.scores.iter().position(|s| s.label["en"] == decision).unwrap();
            let decimals = imported.policy.scores[score].decimals;
            let wanted = blindtier_policy::Decimal::parse(&wanted).unwrap();
            assert_eq!(wanted.in_units(decimals), Some(found.scores[score]), "{place}");
        } else {
            let found = tier(imported, &inputs).unwrap_or_else(|error| panic!("{place}: {error}"));
            assert_eq!(found, wanted, "{place}");
        }
        checked += 1;
    }
    checked
}

/// A value as a register writes it.
fn written(value: &toml::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn children<'d>(node: Node<'d, 'd>, name: &'static str) -> impl Iterator<Item = Node<'d, 'd>> {
    node.children().filter(move |child| child.is_element() && child.tag_name().name() == name)
}
