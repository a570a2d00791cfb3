//! `blindtier simulate`: the figures are those of `policy run`, in every form, on CSV and on Parquet.

use crate::rig::blindtier;
use serde_json::Value;
use std::path::Path;

/// A small synthetic population.
fn population(folder: &Path, format: &str) -> String {
    let out = folder.join(format);
    let out = out.to_str().unwrap().to_owned();
    let call =
        blindtier(["synth", "--families", "3000", "--format", format, "--out", &out, "--json"]);
    assert_eq!(call.code, 0, "{}", call.stderr);
    out
}

/// The card with lower cuts.
fn generous(folder: &Path) -> String {
    let card = std::fs::read_to_string("policies/digital-family-card.toml").unwrap();
    let changed = card.replace("at = [-458, -30, 730, 1800]", "at = [-300, 200, 730, 1800]");
    assert_ne!(card, changed);
    let path = folder.join("generous.toml");
    std::fs::write(&path, changed).unwrap();
    path.to_str().unwrap().to_owned()
}

/// What does not depend on the clock or on paths.
fn figures(mut simulation: Value) -> Value {
    for field in ["started", "command", "data", "seconds"] {
        simulation.as_object_mut().unwrap().remove(field).unwrap();
    }
    simulation
}

fn sum(values: &Value) -> u64 {
    values.as_array().unwrap().iter().map(|value| value.as_u64().unwrap()).sum()
}

#[test]
fn the_figures_are_those_of_policy_run_on_csv_and_parquet() {
    let folder = tempfile::tempdir().unwrap();
    let csv = population(folder.path(), "csv");
    let parquet = population(folder.path(), "parquet");
    let generous = generous(folder.path());
    let simulate = |data: &str| {
        let arguments = ["simulate", "digital-family-card", "--data", data, "--against", &generous];
        let call = blindtier(arguments.iter().chain(&["--minimum-cell", "0", "--json"]));
        assert_eq!(call.code, 0, "{}", call.stderr);
        call.object()
    };
    let found = simulate(&csv);
    let run =
        blindtier(["policy", "run", "digital-family-card", "--data", &csv, "--json"]).object();
    let tiers: Vec<u64> = found["policy"]["answers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|answer| run["tiers"][answer["id"].as_str().unwrap()].as_u64().unwrap())
        .collect();
    assert_eq!(found["counts"], Value::from(tiers));
    assert_eq!((sum(&found["counts"]), found["families"].as_u64()), (3000, Some(3000)));

    // Lines of the matrix add up to the tiers, and so do the groups of every column.
    let flow = &found["flow"];
    for (line, count) in
        flow["matrix"].as_array().unwrap().iter().zip(found["counts"].as_array().unwrap())
    {
        assert_eq!(Some(sum(line)), count.as_u64());
    }
    assert_eq!(sum(&flow["to_counts"]), 3000);
    assert_eq!(flow["moves"]["lost"], 0, "only lower cuts");
    assert!(flow["moves"]["gained"].as_u64() > Some(0));
    let columns: Vec<&Value> =
        found["groupings"].as_array().unwrap().iter().map(|grouping| &grouping["column"]).collect();
    assert_eq!(columns, ["region", "persons", "head_sex", "disability"]);
    for grouping in found["groupings"].as_array().unwrap() {
        let groups = grouping["groups"].as_array().unwrap();
        assert_eq!(groups.iter().map(|group| sum(&group["counts"])).sum::<u64>(), 3000);
    }

    // The exclusion error, counted again from the file of families and the tiers of `policy run`.
    let supported: std::collections::HashSet<&str> = run["families"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|family| ["emergency", "crisis"].contains(&family["tier"].as_str().unwrap()))
        .map(|family| family["id"].as_str().unwrap())
        .collect();
    let mut rows = csv::Reader::from_path(Path::new(&csv).join("families.csv")).unwrap();
    let need = rows.headers().unwrap().iter().position(|column| column == "need").unwrap();
    let rows: Vec<csv::StringRecord> = rows.records().map(|row| row.unwrap()).collect();
    let needy: Vec<&str> =
        rows.iter().filter(|row| &row[need] == "yes").map(|row| &row[0]).collect();
    let excluded = needy.iter().filter(|family| !supported.contains(**family)).count();
    let exclusion = &found["bias"]["overall"]["exclusion"];
    assert_eq!(exclusion["of"], needy.len());
    assert_eq!(exclusion["families"], excluded);

    assert_eq!(figures(simulate(&parquet)), figures(found));
}

#[test]
fn every_form_is_written_and_small_cells_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let data = population(folder.path(), "csv");
    let out = folder.path().join("out");
    let generous = generous(folder.path());
    let arguments = ["simulate", "digital-family-card", "--data", &data, "--against", &generous];
    let written = ["--without", "tax,labour", "--out", out.to_str().unwrap()];
    let call = blindtier(arguments.iter().chain(&written));
    assert_eq!(call.code, 0, "{}", call.stderr);
    assert!(call.stdout.contains("tax, labour") && call.stdout.contains("exclusion error"));
    let mut names: Vec<String> = std::fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "bias.csv",
            "flows.csv",
            "moves.csv",
            "registers.csv",
            "report.html",
            "sensitivity.csv",
            "simulation.json",
            "tiers.csv"
        ]
    );
    let read = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    let simulation: Value = serde_json::from_str(&read("simulation.json")).unwrap();
    assert_eq!(simulation["minimum_cell"], 10);
    let mut hidden = 0;
    for line in read("tiers.csv").lines().skip(1).filter(|line| !line.starts_with("all,")) {
        match line.rsplit(',').next().unwrap() {
            "" => hidden += 1,
            count => assert!(!(1..10).contains(&count.parse::<u64>().unwrap()), "{line}"),
        }
    }
    assert!(hidden > 0, "3000 families in 20 regions have small cells");
    assert!(read("report.html").contains("default-src 'none'"));
    // A second time the folder is not empty.
    let call = blindtier(arguments.iter().chain(&written));
    assert_eq!(call.code, 2);
    assert!(call.stderr.contains("the folder is not empty"), "{}", call.stderr);
}

#[test]
fn a_single_file_and_a_policy_of_unknown_support_are_simulated_too() {
    let folder = tempfile::tempdir().unwrap();
    let nursery = std::fs::read_to_string("policies/nursery.toml").unwrap();
    let path = folder.path().join("own.toml");
    std::fs::write(&path, nursery.replace("name = \"nursery\"", "name = \"own\"")).unwrap();
    let simulate = |policy: &str, more: &[&str]| {
        let arguments = ["simulate", policy, "--data", "data/nursery.csv", "--json"];
        blindtier(arguments.iter().chain(more))
    };
    let known = simulate("nursery", &[]).object();
    assert_eq!(known["counts"], Value::from(vec![4320, 2, 328, 4266, 4044]));
    assert_eq!(known["policy"]["support_known"], true);
    let own = simulate(path.to_str().unwrap(), &[]).object();
    assert_eq!(
        (&own["counts"], &own["policy"]["support_known"]),
        (&known["counts"], &false.into())
    );
    assert!(own["notes"][0].as_str().unwrap().contains("--supported"));
    let named = simulate(path.to_str().unwrap(), &["--supported", "priority,spec_prior"]).object();
    assert_eq!(named["policy"]["answers"][3]["supported"], true);
}

#[test]
fn what_cannot_be_simulated_is_the_callers_mistake() {
    for (arguments, says) in [
        (vec!["--supported", "gold"], "no tier `gold`; it has not_recom, recommend"),
        (vec!["--without", "police"], "no agency `police`; it has employment"),
        (vec!["--opt-out-rate", "2"], "2 is no share of families"),
        (vec!["--need", "need"], "families.csv is missing: `need` is a column"),
        (vec!["--supported-against", "priority"], "--against"),
        (vec!["--families", "data/nursery.csv"], "no column `family` or `id`"),
    ] {
        let call = ["simulate", "nursery", "--data", "data/nursery.csv"];
        let call = blindtier(call.iter().chain(&arguments));
        assert_eq!(call.code, 2, "{arguments:?}");
        assert!(call.stderr.contains(says), "{arguments:?}: {}", call.stderr);
    }
}
