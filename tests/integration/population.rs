//! `blindtier synth`: the population as its users make and read it.

use crate::rig::{blindtier, succeeded};
use std::path::Path;

/// Calls `synth` with a folder to write.
fn synth(folder: &Path, arguments: &[&str]) -> crate::rig::Call {
    let out = ["synth", "--out", folder.to_str().unwrap()];
    blindtier(out.iter().chain(arguments))
}

#[test]
fn a_population_says_how_far_it_is_from_its_targets_and_the_card_decides_every_family_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let call = synth(folder.path(), &["--families", "3000", "--seed", "4", "--json"]);
    succeeded(&call);
    let object = call.object();
    let kept = std::fs::read_to_string(folder.path().join("margins.json")).unwrap();
    assert_eq!(object, serde_json::from_str::<serde_json::Value>(&kept).unwrap());
    let figures = object["figures"].as_array().unwrap();
    assert_eq!((object["families"].as_u64(), figures.len()), (Some(3000), 9));
    for figure in figures {
        let [target, reached, difference] = ["target", "reached", "relative_difference"]
            .map(|field| figure[field].as_f64().unwrap());
        assert!((reached / target - 1.0 - difference).abs() < 1e-12, "{figure}");
        assert_eq!(figure["within"], difference.abs() <= 0.05, "{figure}");
    }

    let data = folder.path().to_str().unwrap();
    let run = blindtier(["policy", "run", "digital-family-card", "--data", data, "--json"]);
    succeeded(&run);
    let run = run.object();
    assert_eq!(run["families"].as_array().unwrap().len(), 3000);
    let tiers = run["tiers"].as_object().unwrap();
    // The two tiers at the ends are rare.
    for tier in ["crisis", "unsatisfactory", "satisfactory"] {
        assert!(tiers[tier].as_u64().unwrap() > 60, "{tiers:?}");
    }
}

#[test]
fn the_text_names_every_figure_and_counts_the_faults() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--families", "500", "--missing-rows", "0", "--stale-addresses", "1"];
    let call = synth(folder.path(), &arguments);
    succeeded(&call);
    for text in ["persons a family", "3.100", "poverty in the poorest region", "86.800 %"] {
        assert!(call.stdout.contains(text), "{text}: {}", call.stdout);
    }
    let land = call.stdout.lines().find(|line| line.contains("land_registry")).unwrap();
    let numbers: Vec<u64> =
        land.split(['│', '┆']).filter_map(|cell| cell.trim().parse().ok()).collect();
    let [rows, missing, _, stale] = numbers[..] else { panic!("{land}") };
    assert!(rows > 400 && missing == 0 && stale == rows, "{land}");
}

#[test]
fn rows_that_probe_a_policy_are_still_written_on_request() {
    let folder = tempfile::tempdir().unwrap();
    succeeded(&synth(folder.path(), &["--probe", "--policy", "mpi", "--families", "50"]));
    let data = folder.path().to_str().unwrap();
    let run = blindtier(["policy", "run", "mpi", "--data", data, "--json"]);
    succeeded(&run);
    assert_eq!(run.object()["families"].as_array().unwrap().len(), 50);
}

#[test]
fn what_cannot_be_made_is_the_callers_mistake() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    for (out, arguments, message) in [
        (folder.path(), vec!["--families", "9"], "from 10 to 10000000"),
        (folder.path(), vec!["--families", "10000001"], "from 10 to 10000000"),
        (folder.path(), vec!["--families", "10", "--missing-rows", "1.5"], "from 0 to 1"),
        (folder.path(), vec!["--families", "10", "--policy", "mpi"], "--probe"),
        (folder.path(), vec!["--probe", "--format", "parquet"], "--probe"),
        (&file, vec!["--families", "10"], "file"),
    ] {
        let call = synth(out, &arguments);
        assert_eq!(call.code, 2, "{arguments:?}: {}", call.stderr);
        assert!(call.stderr.contains(message), "{arguments:?}: {}", call.stderr);
    }
}
