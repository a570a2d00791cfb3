//! Numbers of families by region and tier, opened with noise.

use crate::rig::{Call, Party, blindtier, copy_tree};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::LazyLock;
use tempfile::TempDir;

fn demo(arguments: &[&str]) -> Call {
    let engine = ["demo", "--engine", "bfv", "--linkage", "keyed-hash", "--json"];
    blindtier(engine.iter().chain(arguments))
}

/// A round with answered questions about four regions.
static ROUND: LazyLock<(TempDir, Value)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path().join("work");
    let data = ["--data", "data/nursery.csv", "--policy", "nursery", "--statistics", "4"];
    let call = demo(&[&data[..], &["--work", work.to_str().unwrap()]].concat());
    assert_eq!(call.code, 0, "{}", call.stderr);
    let object = call.object();
    (folder, object)
});

fn round() -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    copy_tree(&ROUND.0.path().join("work"), copy.path());
    copy
}

fn cells(groups: &Value) -> Vec<(String, String, Option<i64>)> {
    let mut cells = Vec::new();
    for (group, tiers) in groups.as_object().unwrap() {
        for (tier, number) in tiers.as_object().unwrap() {
            cells.push((group.clone(), tier.clone(), number.as_i64()));
        }
    }
    cells
}

#[test]
fn without_noise_numbers_are_exactly_those_of_the_clear_twin() {
    for arguments in [
        &["--policy", "nursery", "--data", "data/nursery.csv", "--statistics", "7"][..],
        &[
            "--policy",
            "digital-family-card",
            "--families",
            "900",
            "--statistics",
            "2",
            "--opt-out",
            "20%",
        ],
        &["--policy", "mpi", "--families", "500", "--statistics", "3", "--proofs", "on"],
    ] {
        let call = demo(&[arguments, &["--statistics-noise", "off"]].concat());
        assert_eq!(call.code, 0, "{}", call.stderr);
        let object = call.object();
        let statistics = &object["statistics"];
        assert_eq!((&object["disagree"], &statistics["agree"]), (&json!(0), &json!(true)));
        assert_eq!(statistics["largest_distance"], 0);
        let (shown, exact) = (cells(&statistics["answer"]["groups"]), cells(&statistics["exact"]));
        assert_eq!(shown.len(), exact.len());
        let minimum = statistics["answer"]["minimum_cell"].as_i64().unwrap();
        for (shown, exact) in shown.iter().zip(&exact) {
            let expected = exact.2.filter(|number| *number >= minimum);
            assert_eq!((&shown.0, &shown.1, shown.2), (&exact.0, &exact.1, expected));
        }
        // Whoever said no is in no region, and everybody else in one.
        let counted: i64 = exact.iter().filter_map(|cell| cell.2).sum();
        let families = object["families"].as_i64().unwrap() - object["opted_out"].as_i64().unwrap();
        assert_eq!(counted, families);
    }
}

#[test]
fn with_noise_the_ledger_shows_the_budget_and_numbers_are_near() {
    let statistics = &ROUND.1["statistics"];
    assert_eq!(
        statistics["privacy"],
        json!({ "budget": "1", "spent": "0.5", "questions": 1 }),
        "{statistics}"
    );
    let deviation = statistics["answer"]["standard_deviation"].as_f64().unwrap();
    // Three shares, epsilon 0.5, one part of two chunks.
    let rate = (-0.5f64).exp();
    assert!((deviation - (3.0 * 2.0 * rate).sqrt() / (1.0 - rate)).abs() < 0.06, "{deviation}");
    let distance = statistics["largest_distance"].as_i64().unwrap();
    // Twenty numbers; twelve standard deviations are never seen.
    assert!(distance > 0 && (distance as f64) < 12.0 * deviation, "{distance}");
    let differing = cells(&statistics["answer"]["groups"])
        .iter()
        .zip(cells(&statistics["exact"]))
        .filter(|(shown, exact)| shown.2.is_some_and(|number| Some(number) != exact.2))
        .count();
    assert!(differing >= 8, "{differing} numbers have visible noise");
}

fn count(work: &Path, more: &[&str]) -> Call {
    more.iter().fold(Party::count(work), |party, word| party.and(word)).call()
}

#[test]
fn a_second_question_about_a_region_is_refused() {
    let work = round();
    for more in [&[][..], &["--groups", "region-01"], &["--groups", "region-03,region-04"]] {
        let call = count(work.path(), more);
        assert_eq!(call.code, 2, "{}", call.stderr);
        assert!(
            call.stderr.contains("overlaps") && call.stderr.contains("ledger"),
            "{}",
            call.stderr
        );
        assert!(!work.path().join("board/statistics/00002").exists());
    }
    let call = count(work.path(), &["--groups", "region-09"]);
    assert_eq!(call.code, 2);
    assert!(
        call.stderr.contains("region-09") && call.stderr.contains("region-04"),
        "{}",
        call.stderr
    );
    let call = count(work.path(), &["--epsilon", "0.01"]);
    assert_eq!(call.code, 2);
    assert!(call.stderr.contains("0.05 to 10"), "{}", call.stderr);
}

#[test]
fn the_auditor_counts_again_and_combines_the_answer() {
    let work = round();
    let audit = || {
        Party::auditor(work.path(), "verify").and("--re-execute").and("all").and("--json").call()
    };
    let call = audit();
    assert_eq!(call.code, 0, "{}", call.stderr);
    let questions = json!({ "asked": 1, "answered": 1, "parts_recomputed": 1 });
    assert_eq!(call.object()["questions"], questions);
    let shown = Party::auditor(work.path(), "show").and("--json").call();
    assert_eq!(shown.object()["answers"][0], ROUND.1["statistics"]["answer"]);
    // Any other byte in what was counted or shown is noticed, with the file and who wrote it.
    let folder = work.path().join("board/statistics/00001");
    for (file, culprit) in
        [("counts.bt", "evaluator"), ("chunk-00000.bt", "evaluator"), ("trustee-2.bt", "trustee:2")]
    {
        let path = folder.join(file);
        let whole = std::fs::read(&path).unwrap();
        let mut other = whole.clone();
        let middle = other.len() / 2;
        other[middle] ^= 1;
        for damaged in [other, whole[..whole.len() - 1].to_vec()] {
            std::fs::write(&path, damaged).unwrap();
            let call = audit();
            assert_eq!(call.code, 2, "{file}: {}", call.stderr);
            let error = call.object()["error"].as_str().unwrap().to_owned();
            assert!(error.contains(file) && error.contains(culprit), "{error}");
        }
        std::fs::write(&path, whole).unwrap();
    }
    assert_eq!(audit().code, 0);
}

#[test]
fn an_interrupted_count_goes_on_and_gives_the_same_bytes() {
    let work = round();
    let folder = work.path().join("board/statistics/00001");
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let (manifest, part) = (read("counts.bt"), read("chunk-00000.bt"));
    // As if nobody had asked yet.
    std::fs::remove_dir_all(&folder).unwrap();
    for entry in ["00004", "00005"] {
        std::fs::remove_dir_all(work.path().join("board/ledger").join(entry)).unwrap();
    }
    let call = count(work.path(), &["--json"]);
    assert_eq!(call.code, 0, "{}", call.stderr);
    assert_eq!((read("counts.bt"), read("chunk-00000.bt")), (manifest, part));
}

#[test]
fn trustees_open_exact_numbers_only_when_told_that_families_are_simulated() {
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path().join("work");
    let call = demo(&[
        "--policy",
        "mpi",
        "--families",
        "60",
        "--statistics",
        "2",
        "--statistics-noise",
        "off",
        "--work",
        work.to_str().unwrap(),
    ]);
    assert_eq!(call.code, 0, "{}", call.stderr);
    let trustee = Party::desk(&work, "answer", 1);
    let call = trustee.call();
    assert_eq!(call.code, 2, "{}", call.stderr);
    assert!(call.stderr.contains("--simulated"), "{}", call.stderr);
}

#[test]
fn what_cannot_be_counted_is_said_before_anything_starts() {
    let call = blindtier(["demo", "--statistics", "3"]);
    assert_eq!(call.code, 2);
    assert!(call.stderr.contains("--engine bfv"), "{}", call.stderr);
    for regions in ["0", "65"] {
        assert_eq!(demo(&["--statistics", regions]).code, 2);
    }
}

#[test]
fn a_round_has_a_page_with_what_was_published_and_no_tier_of_all_families() {
    let work = round();
    let file = work.path().join("round.html");
    let file = file.to_str().unwrap();
    let call = Party::auditor(work.path(), "show").and("--report").and(file).call();
    assert_eq!(call.code, 0, "{}", call.stderr);
    let page = std::fs::read_to_string(file).unwrap();
    for text in ["Published numbers of families", "region-04", "0.5 of 1", "Bytes by party"] {
        assert!(page.contains(text), "{text}");
    }
    assert!(!page.contains("All families") && !page.contains("<script"));
}
