//! The main job, on every shipped policy.

use crate::rig::{Party, after_opening, before_evaluation, blindtier};
use serde_json::json;

#[test]
fn nursery_agrees_with_at_most_three_lookups_folded_and_six_not() {
    let cases = [("folded", 3, 64, "2-of-3", "on"), ("per-indicator", 6, 16, "2-of-4", "off")];
    for (layout, most, families, trustees, proofs) in cases {
        let call = blindtier([
            "demo",
            "--policy",
            "policies/nursery.toml",
            "--families",
            &families.to_string(),
            "--seed",
            "7",
            "--layout",
            layout,
            "--trustees",
            trustees,
            "--proofs",
            proofs,
            "--json",
        ]);
        assert_eq!(call.code, 0, "{}", call.stderr);
        let object = call.object();
        assert_eq!(object["agree"], families);
        assert_eq!(object["killed"], format!("trustee:{}", &trustees[5..]));
        assert_eq!(
            (&object["proofs"], &object["linkage"]),
            (&json!(proofs == "on"), &json!("oblivious"))
        );
        assert_eq!(object["opt_out_lookups_per_family"], 1);
        assert_eq!(object["disagree"], 0);
        assert_eq!(object["layout"], layout);
        assert!(object["lookups_per_family"].as_u64().unwrap() <= most, "{object}");
    }
}

#[test]
fn the_other_policies_agree_on_both_sides_of_every_cut() {
    for (policy, lookups) in [("digital-family-card", 4), ("eight-indicators", 2), ("mpi", 1)] {
        let file = format!("policies/{policy}.toml");
        let arguments = ["--policy", &file, "--families", "40", "--seed", "7", "--json"];
        let cheap = ["--proofs", "off", "--linkage", "keyed-hash"];
        let call = blindtier(["demo"].iter().chain(&arguments).chain(&cheap));
        assert_eq!(call.code, 0, "{}", call.stderr);
        let object = call.object();
        assert_eq!(object["policy"], policy);
        assert_eq!(object["agree"], 40, "{object}");
        assert_eq!(object["lookups_per_family"], lookups);
        let tiers = object["tiers"].as_object().unwrap();
        assert_eq!(tiers.values().map(|n| n.as_u64().unwrap()).sum::<u64>(), 40);
        assert!(tiers.values().all(|n| n != &json!(0)), "every tier occurs: {object}");
    }
}

#[test]
fn real_data_is_sampled_and_the_object_has_every_field() {
    let call = blindtier([
        "demo",
        "--policy",
        "policies/nursery.toml",
        "--data",
        "data/nursery.csv",
        "--families",
        "20",
        "--seed",
        "3",
        "--engine",
        "bfv",
        "--json",
    ]);
    assert_eq!(call.code, 0, "{}", call.stderr);
    let object = call.object();
    assert_eq!((&object["families"], &object["agree"]), (&json!(20), &json!(20)));
    for field in ["policy", "policy_hash", "engine", "layout", "lookups_per_family", "tiers"] {
        assert!(!object[field].is_null(), "{field}");
    }
    for field in ["keygen", "encrypt", "evaluate", "open"] {
        assert!(object["seconds"][field].as_f64().unwrap() > 0.0, "{field}");
    }
    for field in ["upload_per_family", "evaluation_key", "result_per_family"] {
        assert!(object["bytes"][field].as_u64().unwrap() > 0, "{field}");
    }
}

#[test]
fn the_auditor_recomputes_a_chunk_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path().join("work");
    let arguments = [
        "demo",
        "--policy",
        "mpi",
        "--families",
        "6",
        "--trustees",
        "3-of-5",
        "--proofs",
        "off",
        "--json",
    ];
    let call = blindtier(arguments.iter().chain(&["--work", work.to_str().unwrap()]));
    assert_eq!(call.code, 0, "{}", call.stderr);
    // Several processes, because each could choose its own way of computing.
    for what in [["chunk", "0"], ["sample", "1"], ["sample", "7"]] {
        let auditor = Party::auditor(&work, "verify").and("--re-execute");
        let call = auditor.and(what[0]).and(what[1]).and("--json").call();
        assert_eq!(call.code, 0, "{}", call.stderr);
        assert_eq!(call.object()["chunks_recomputed"], json!([0]));
        let opened_by = json!(["trustee:1", "trustee:2", "trustee:3", "trustee:4"]);
        assert_eq!(call.object()["opened_by"], opened_by);
        assert_eq!(call.object()["uncompared_shares"], json!([]));
    }
}

#[test]
fn a_finished_evaluation_is_not_done_again() {
    let work = before_evaluation();
    let first = Party::evaluator(work.path()).and("--json").call();
    assert_eq!(first.code, 0, "{}", first.stderr);
    let second = Party::evaluator(work.path()).and("--json").call();
    assert_eq!(second.code, 0, "{}", second.stderr);
    assert_eq!(first.object()["receipt"], second.object()["receipt"]);
    assert_eq!(second.object()["resumed_chunks"], 1);
}

#[test]
fn a_finished_submission_is_not_made_again() {
    let work = after_opening();
    let agency = agencies(work.path()).remove(0);
    let first = Party::agency(work.path(), &agency).and("--json").call();
    assert_eq!(first.code, 0, "{}", first.stderr);
    let second = Party::agency(work.path(), &agency).and("--json").call();
    assert_eq!(first.object()["submission"], second.object()["submission"]);
    assert_eq!(second.object()["fresh"], false);
}

/// The agencies of a work folder.
pub fn agencies(work: &std::path::Path) -> Vec<String> {
    let mut found: Vec<String> = std::fs::read_dir(work.join("board/submissions"))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .filter(|submitter| submitter != "registrar")
        .collect();
    found.sort();
    found
}
