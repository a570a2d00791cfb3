//! The batched engine in whole rounds: the same parties, files and commands.

use crate::rig::{Call, Party, blindtier, copy_tree};
use serde_json::json;
use std::path::Path;
use std::sync::LazyLock;
use tempfile::TempDir;

fn demo(arguments: &[&str]) -> Call {
    let engine = ["demo", "--engine", "bfv", "--linkage", "keyed-hash", "--json"];
    blindtier(engine.iter().chain(arguments))
}

/// A round over more families than one chunk holds.
static ROUND: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path().join("work");
    let call = demo(&[
        "--data",
        "data/nursery.csv",
        "--policy",
        "nursery",
        "--work",
        work.to_str().unwrap(),
    ]);
    assert_eq!(call.code, 0, "{}", call.stderr);
    let object = call.object();
    assert_eq!((&object["families"], &object["agree"]), (&json!(12_960), &json!(12_960)));
    assert_eq!((&object["disagree"], &object["engine"]), (&json!(0), &json!("bfv")));
    assert_eq!((&object["chunks"], &object["multiplications_per_chunk"]), (&json!(2), &json!(16)));
    folder
});

fn round() -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    copy_tree(&ROUND.path().join("work"), copy.path());
    copy
}

#[test]
fn every_nursery_row_agrees_and_the_auditor_recomputes_it() {
    let work = round();
    let call = Party::auditor(work.path(), "verify")
        .and("--re-execute")
        .and("chunk")
        .and("1")
        .and("--json")
        .call();
    assert_eq!(call.code, 0, "{}", call.stderr);
    assert_eq!(call.object()["chunks_recomputed"], json!([1]));
}

#[test]
fn the_other_policies_agree_in_both_layouts_on_both_sides_of_every_cut() {
    for policy in ["digital-family-card", "eight-indicators", "mpi"] {
        for layout in ["folded", "per-indicator"] {
            let arguments = ["--policy", policy, "--families", "400", "--layout", layout];
            let call = demo(&arguments);
            assert_eq!(call.code, 0, "{}", call.stderr);
            let object = call.object();
            assert_eq!(object["agree"], 400, "{object}");
            let tiers = object["tiers"].as_object().unwrap();
            assert!(tiers.values().all(|n| n != &json!(0)), "every tier occurs: {object}");
        }
    }
}

#[test]
fn other_sharings_open_as_well() {
    for (trustees, killed) in
        [("3-of-5", json!("trustee:5")), ("2-of-4", json!("trustee:4")), ("2-of-2", json!(null))]
    {
        let call = demo(&["--policy", "mpi", "--families", "10", "--trustees", trustees]);
        assert_eq!(call.code, 0, "{}", call.stderr);
        let object = call.object();
        assert_eq!((&object["agree"], &object["killed"]), (&json!(10), &killed), "{trustees}");
    }
    let call = demo(&["--trustees", "3-of-7"]);
    assert_eq!(call.code, 2);
    assert!(call.stderr.contains("2-of-3"), "{}", call.stderr);
}

#[test]
fn an_interrupted_evaluation_goes_on_and_gives_the_same_bytes() {
    let work = round();
    let results = work.path().join("board/results");
    let chunk = |n: u32| results.join(format!("chunk-{n:05}.bt"));
    let before: Vec<Vec<u8>> = (0..2).map(|n| std::fs::read(chunk(n)).unwrap()).collect();
    std::fs::remove_file(results.join("receipt.bt")).unwrap();
    std::fs::remove_file(chunk(1)).unwrap();
    let call = Party::evaluator(work.path()).and("--json").call();
    assert_eq!(call.code, 0, "{}", call.stderr);
    assert_eq!(call.object()["resumed_chunks"], 1);
    assert_eq!(call.object()["multiplications"], 32);
    let after: Vec<Vec<u8>> = (0..2).map(|n| std::fs::read(chunk(n)).unwrap()).collect();
    assert_eq!(before, after);
}

#[test]
fn upload_of_nursery_is_below_400_bytes_a_family() {
    let call = blindtier(["policy", "cost", "nursery", "--engine", "bfv", "--json"]);
    let object = call.object();
    let folded = &object["layouts"][0];
    assert!(folded["bytes"]["upload_per_family"].as_u64().unwrap() <= 400, "{folded}");
    assert_eq!(folded["multiplications_per_chunk"], 16);
}

/// A population of so many families of one person.
fn population(folder: &Path, families: usize) {
    let key = folder.join("letter.key");
    let made = blindtier([
        "family",
        "keygen",
        "--json",
        "--families",
        &families.to_string(),
        "--out",
        key.to_str().unwrap(),
    ]);
    let mut text = String::from("person,family,letter_key\n");
    for (number, key) in made.object()["letter_keys"].as_array().unwrap().iter().enumerate() {
        text.push_str(&format!("p{number},f{number},{}\n", key.as_str().unwrap()));
    }
    std::fs::write(folder.join("population.csv"), text).unwrap();
}

fn announce(folder: &Path, families: usize, more: &[&str]) -> Call {
    population(folder, families);
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let identity = file("signing.key");
    blindtier(["identity", "--party", "registrar", "--out", &identity]);
    let (population, board, rosters) = (file("population.csv"), file("board"), file("rosters"));
    let private = file("private");
    let arguments = [
        "registrar",
        "new-round",
        "--json",
        "--policy",
        "nursery",
        "--identity",
        &identity,
        "--population",
        &population,
        "--board",
        &board,
        "--rosters",
        &rosters,
        "--private",
        &private,
    ];
    blindtier(arguments.iter().chain(more))
}

#[test]
fn the_registrar_chooses_the_engine_by_the_number_of_families_and_says_why() {
    for (families, engine, chunk) in [(20, "tfhe", 512), (400, "bfv", 8_192)] {
        let folder = tempfile::tempdir().unwrap();
        let call = announce(folder.path(), families, &[]);
        assert_eq!(call.code, 0, "{}", call.stderr);
        let object = call.object();
        assert_eq!((&object["engine"], &object["chunk"]), (&json!(engine), &json!(chunk)));
        let why = object["why"].as_str().unwrap();
        assert!(
            why.starts_with(engine) && why.contains(&format!("for {families} families")),
            "{why}"
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let call = announce(folder.path(), 20, &["--engine", "bfv"]);
    assert_eq!(call.object()["engine"], "bfv");
    assert_eq!(call.object()["why"], "bfv: as the registrar said");
}

#[test]
fn a_chunk_size_of_ones_own_is_refused_with_bfv() {
    let folder = tempfile::tempdir().unwrap();
    let call = announce(folder.path(), 20, &["--engine", "bfv", "--chunk", "512"]);
    assert_eq!(call.code, 2);
    assert!(
        call.stderr.contains("8192 slots") && call.stderr.contains("--chunk"),
        "{}",
        call.stderr
    );
    assert!(!folder.path().join("board").exists());
}

#[test]
fn a_damaged_chunk_is_named_and_the_rest_untouched() {
    let work = round();
    std::fs::remove_dir_all(work.path().join("board/results")).unwrap();
    let chunk = work.path().join("board/submissions/health_service/chunk-00001.bt");
    let whole = std::fs::read(&chunk).unwrap();
    for damage in [whole[..whole.len() / 2].to_vec(), [whole.as_slice(), &[0]].concat()] {
        std::fs::write(&chunk, damage).unwrap();
        let call = Party::evaluator(work.path()).call();
        assert_eq!(call.code, 2, "{}", call.stderr);
        for part in ["chunk-00001.bt", "agency:health_service"] {
            assert!(call.stderr.contains(part), "{}", call.stderr);
        }
        assert!(!work.path().join("board/results").exists());
    }
    std::fs::write(&chunk, whole).unwrap();
    assert_eq!(Party::evaluator(work.path()).call().code, 0);
}
