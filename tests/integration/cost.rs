//! Estimates of rounds: operations and bytes are those of real rounds, and seconds come from a calibration only.

use crate::rig::{Call, Party, ROUND, blindtier, files_below, succeeded};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// Calls `policy cost` with an own folder for what is kept, so that no calibration of this machine is found.
fn cost(cache: &Path, arguments: &[&str]) -> Call {
    let output = Command::new(env!("CARGO_BIN_EXE_blindtier"))
        .args(["policy", "cost"])
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("XDG_CACHE_HOME", cache)
        .output()
        .unwrap();
    Call {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The estimate of a round in the folded layout.
fn estimate(arguments: &[&str]) -> Value {
    let cache = tempfile::tempdir().unwrap();
    let all = [arguments, &["--layout", "folded", "--json"]].concat();
    let call = cost(cache.path(), &all);
    succeeded(&call);
    call.object()["layouts"][0]["estimate"].clone()
}

/// Number and bytes of all files below some paths.
fn size(paths: &[&Path]) -> [u64; 2] {
    let mut all = Vec::new();
    for path in paths {
        match path.is_dir() {
            true => all.extend(files_below(path)),
            false => all.push((*path).to_owned()),
        }
    }
    let bytes = all.iter().map(|file| std::fs::metadata(file).unwrap().len()).sum();
    [all.len() as u64, bytes]
}

/// Compares every estimated message of a finished demo with its files.
fn compare_files(estimate: &Value, work: &Path) {
    let board = work.join("board");
    let mut seen = 0;
    for (party, messages) in estimate["bytes"]["by_party"].as_object().unwrap() {
        let name = party.replace(':', "-");
        let submitter = party.strip_prefix("agency:").unwrap_or(party);
        for (message, said) in messages.as_object().unwrap() {
            let own = |folder: &str| board.join(folder).join(&name);
            let files = match message.as_str() {
                "letter_keys" => size(&[&board.join("letter-keys.bt")]),
                "public_key" => size(&[&board.join("public-key.bt")]),
                "evaluation_key" => size(&[&board.join("evaluation-key.bt")]),
                "opening_key" => size(&[&board.join("opening-key.bt")]),
                "key_ceremony" => {
                    size(&[&own("ceremony").join("step-1.bt"), &own("ceremony").join("step-2.bt")])
                }
                "submission" => size(&[&board.join("submissions").join(submitter)]),
                "sealed_levels" | "sealed_letters" => size(&[&work.join("letters").join(&name)]),
                "results" => size(&[&board.join("results")]),
                "partial_decryptions" => {
                    size(&[&own("partials").join("partials"), &own("partials").join("partials.bt")])
                }
                "commitments" => size(&[&own("partials").join("commitments")]),
                "opened_numbers" => size(&[&own("opened")]),
                other => panic!("{other} is compared with nothing"),
            };
            let expected = [&said["files"], &said["bytes"]].map(|n| n.as_u64().unwrap());
            assert_eq!(expected, files, "{party} {message}");
            assert!(said["payload"].as_u64().unwrap() < expected[1], "{party} {message}");
            seen += 1;
        }
    }
    assert!(seen > 20, "{estimate}");
}

#[test]
fn estimated_bytes_and_multiplications_are_those_of_a_real_bfv_round() {
    let work = ROUND.path().join("work");
    let estimate = estimate(&["mpi", "--engine", "bfv", "--families", "6"]);
    compare_files(&estimate, &work);
    let receipt = Party::evaluator(&work).and("--json").call().object();
    assert_eq!(receipt["multiplications"], estimate["multiplications"]);
    assert_eq!(estimate["chunks"], 1);
}

#[test]
fn estimated_bytes_and_lookups_are_those_of_a_real_tfhe_round_with_proofs() {
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path().join("work");
    let round =
        ["--policy", "mpi", "--families", "3", "--linkage", "keyed-hash", "--json", "--work"];
    succeeded(&blindtier(["demo"].iter().chain(&round).chain(&[work.to_str().unwrap()])));
    let estimate = estimate(&["mpi", "--families", "3"]);
    compare_files(&estimate, &work);
    let receipt = Party::evaluator(&work).and("--json").call().object();
    assert_eq!(receipt["lookups"], estimate["lookups"]);
}

#[test]
fn operations_are_those_of_the_plan_times_families_or_chunks() {
    for policy in ["nursery", "digital-family-card", "eight-indicators", "mpi"] {
        let cache = tempfile::tempdir().unwrap();
        let call = cost(cache.path(), &[policy, "--families", "1000", "--json"]);
        let object = call.object();
        assert_eq!(object["layouts"].as_array().unwrap().len(), 2);
        for layout in object["layouts"].as_array().unwrap() {
            let lookups = ["lookups_per_family", "opt_out_lookups_per_family"];
            let each: u64 = lookups.iter().map(|name| layout[*name].as_u64().unwrap()).sum();
            assert_eq!(layout["estimate"]["lookups"], 1000 * each, "{policy}");
            assert_eq!(layout["estimate"]["chunks"], 2);
        }
    }
    let arguments = ["nursery", "--engine", "bfv", "--proofs", "on", "--families", "8193"];
    let cache = tempfile::tempdir().unwrap();
    let all = [&arguments[..], &["--layout", "folded", "--json"]].concat();
    let layout = &cost(cache.path(), &all).object()["layouts"][0];
    let [tier, checks] = ["multiplications_per_chunk", "checks_per_chunk"]
        .map(|name| layout[name].as_u64().unwrap());
    assert!(checks > 0);
    assert_eq!(layout["estimate"]["multiplications"], 2 * (tier + checks));
}

#[test]
fn without_a_calibration_there_are_counts_and_no_seconds() {
    let cache = tempfile::tempdir().unwrap();
    let call = cost(cache.path(), &["mpi", "--families", "100", "--json"]);
    succeeded(&call);
    let object = call.object();
    assert_eq!(object["calibration"], Value::Null);
    let estimate = &object["layouts"][0]["estimate"];
    assert_eq!((&estimate["seconds"], &estimate["lookups"]), (&Value::Null, &json!(200)));
    assert!(estimate["peak_memory_bytes"]["evaluator"].as_u64().unwrap() > 100_000_000);
    let text = cost(cache.path(), &["mpi", "--families", "100"]).stdout;
    assert!(text.contains("run `blindtier calibrate` once"), "{text}");
    assert!(text.contains("200 lookups") && !text.contains("key ceremony │"), "{text}");

    let absent = cache.path().join("absent.json");
    let call =
        cost(cache.path(), &["mpi", "--families", "9", "--calibration", absent.to_str().unwrap()]);
    assert_eq!(call.code, 2);
    assert!(call.stderr.contains("absent.json: there is no calibration"), "{}", call.stderr);
}

#[test]
fn a_damaged_calibration_is_refused_with_its_remedy() {
    let cache = tempfile::tempdir().unwrap();
    let folder = cache.path().join("blindtier");
    std::fs::create_dir_all(&folder).unwrap();
    for text in ["", "{\"format\": 1}", "{\"format\": 99}", "not json"] {
        std::fs::write(folder.join("calibration.json"), text).unwrap();
        let call = cost(cache.path(), &["mpi", "--families", "9"]);
        assert_eq!(call.code, 2, "{text}");
        for part in ["calibration.json", "`blindtier calibrate`"] {
            assert!(call.stderr.contains(part), "{text}: {}", call.stderr);
        }
        // Whoever does not ask for a round needs no calibration.
        assert_eq!(cost(cache.path(), &["mpi"]).code, 0);
    }
}

/// A calibration of one small bfv plan, measured now.
fn calibrated() -> TempDir {
    let cache = tempfile::tempdir().unwrap();
    let file = cache.path().join("blindtier/calibration.json");
    let call = blindtier([
        "calibrate",
        "--engine",
        "bfv",
        "--policy",
        "nursery",
        "--out",
        file.to_str().unwrap(),
        "--json",
    ]);
    succeeded(&call);
    assert_eq!(call.object()["calibration"]["bfv"].as_array().unwrap().len(), 3);
    cache
}

#[test]
fn a_measured_machine_has_seconds_and_a_calibration_from_elsewhere_is_noticed() {
    let cache = calibrated();
    let arguments = ["nursery", "--engine", "bfv", "--families", "40000", "--json"];
    let object = cost(cache.path(), &arguments).object();
    assert_eq!(object["calibration"]["warnings"], json!([]));
    let evaluate = |object: &Value| {
        object["layouts"][0]["estimate"]["seconds"]["in_all"]["evaluate"].as_f64().unwrap()
    };
    let seconds = evaluate(&object);
    assert!(seconds > 0.01 && seconds < 60.0, "{object}");
    let [all, more] = ["40000", "80000"].map(|families| {
        let with = ["nursery", "--engine", "bfv", "--cores", "1", "--families", families, "--json"];
        evaluate(&cost(cache.path(), &with).object())
    });
    assert!(seconds <= all && all < more, "{seconds} {all} {more}");

    // Nothing was measured of the other engine.
    let call = cost(cache.path(), &["nursery", "--families", "10"]);
    assert_eq!(call.code, 2);
    assert!(call.stderr.contains("no measurements of engine tfhe"), "{}", call.stderr);

    let file = cache.path().join("blindtier/calibration.json");
    let mut calibration: Value =
        serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    calibration["blindtier"] = json!("0.0.1");
    calibration["machine"]["processor"] = json!("another processor");
    std::fs::write(&file, calibration.to_string()).unwrap();
    let warnings = cost(cache.path(), &arguments).object()["calibration"]["warnings"].clone();
    assert_eq!(warnings.as_array().unwrap().len(), 2, "{warnings}");
    assert!(warnings[0].as_str().unwrap().contains("another release (0.0.1"), "{warnings}");
    let text = cost(cache.path(), &["nursery", "--engine", "bfv", "--families", "40000"]).stdout;
    assert!(text.contains("warning: the calibration is of another processor"), "{text}");
}
