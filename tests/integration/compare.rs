//! `blindtier compare`: rows are checked against the clear twin, and what others answer is not believed.

use crate::rig::blindtier;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// A short comparison.
const SHORT: [&str; 5] = ["compare", "--repetitions", "2", "--seconds-per-run", "0.1"];

fn row<'v>(report: &'v Value, id: &str) -> &'v Value {
    let rows = report["comparison"]["rows"].as_array().unwrap();
    rows.iter().find(|row| row["id"] == id).unwrap_or_else(|| panic!("no row {id}: {report}"))
}

/// Installs a peer that answers whatever a shell script says.
fn install(folder: &Path, peer: &str, script: &str) {
    let bin = folder.join(".venv").join(peer).join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    let python = bin.join("python");
    std::fs::write(&python, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&python, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Says that it is ready and gives every family the lowest tier.
const LOWEST_TIER: &str = r#"
echo '{"ready":true,"name":"Fake","version":"1","parameters":"none","security_bits":128,"failure_log2":-40.0,"lookups":1,"multiplications":null,"rounds":0,"setup_seconds":0.5,"key_bytes":10,"upload_bytes_per_family":1.0,"result_bytes_per_family":1.0,"chunk":1,"notes":["a note of the peer"]}'
while read -r line; do
    case "$line" in *quit*) exit 0 ;; esac
    n=$(echo "$line" | sed 's/.*"families":\([0-9]*\).*/\1/')
    tiers=$(yes 0 | head -n "$n" | paste -sd, -)
    echo "{\"seconds\":0.01,\"encrypt_seconds\":0.01,\"open_seconds\":0.01,\"families\":$n,\"slots\":$n,\"tiers\":[$tiers],\"peak_memory_bytes\":1000}"
done"#;

#[test]
fn all_our_approaches_agree_with_the_clear_twin_and_every_form_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let arguments = ["--families", "40", "--peers", "none", "--json", "--out"];
    let call = blindtier(SHORT.iter().chain(&arguments).chain(&[out.to_str().unwrap()]));
    assert_eq!(call.code, 0, "{}", call.stderr);
    let report = call.object();
    let rows = report["comparison"]["rows"].as_array().unwrap();
    let ids: Vec<&str> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
    let all = [
        "clear",
        "tfhe-naive",
        "tfhe-per-indicator",
        "tfhe-folded",
        "bfv-per-indicator",
        "bfv-folded",
    ];
    assert_eq!(ids, all);
    for row in rows {
        assert_eq!((&row["disagree"], &row["agree"]), (&0.into(), &row["families_run"]), "{row}");
        assert_eq!(row["runs"].as_array().unwrap().len(), 2);
    }
    assert_eq!(report["comparison"]["failed"], Value::Array(Vec::new()));
    // Opt-out is left out of a comparison; what else a lookup would be is known.
    assert_eq!(row(&report, "tfhe-folded")["lookups"], 2);
    assert_eq!(row(&report, "tfhe-per-indicator")["lookups"], 5);
    assert_eq!(row(&report, "bfv-folded")["multiplications"], 16);
    assert!(row(&report, "tfhe-naive")["lookups"].as_u64().unwrap() > 50);
    assert!(row(&report, "bfv-folded")["over_floor"]["median"].as_f64().unwrap() > 0.0);

    let mut files: Vec<String> = out
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, ["report.html", "report.json", "runs.csv", "scaling.csv", "table.txt"]);
    let read = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&read("report.json")).unwrap(), report);
    assert_eq!(read("runs.csv").lines().count(), 1 + 2 * all.len());
    assert!(all.iter().all(|id| read("report.html").contains(id)));

    let again = blindtier(SHORT.iter().chain(&["--out", out.to_str().unwrap()]));
    assert_eq!(again.code, 2, "a folder with a run in it is not written to");
}

#[test]
fn a_wrong_row_is_shown_as_wrong_and_a_broken_one_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    install(folder.path(), "concrete", LOWEST_TIER);
    install(folder.path(), "openfhe", "echo 'cannot load the library' >&2; exit 3");
    let peers = folder.path().to_str().unwrap();
    let only = "clear,concrete-default-folded,openfhe-folded";
    let arguments = ["--families", "60", "--peers-dir", peers, "--only", only];
    let call = blindtier(SHORT.iter().chain(&arguments).chain(&["--json"]));
    assert_eq!(call.code, 1, "{}", call.stderr);
    let report: Value = serde_json::from_str(call.stdout.lines().next().unwrap()).unwrap();
    let wrong = row(&report, "concrete-default-folded");
    assert!(wrong["disagree"].as_u64().unwrap() > 0, "{wrong}");
    let run = wrong["families_run"].as_u64().unwrap();
    assert_eq!(run, wrong["agree"].as_u64().unwrap() + wrong["disagree"].as_u64().unwrap());
    assert_eq!(wrong["notes"][0], "a note of the peer");
    let failed = &report["comparison"]["failed"][0];
    assert_eq!(failed["id"], "openfhe-folded");
    assert!(failed["reason"].as_str().unwrap().contains("cannot load the library"), "{failed}");

    let text = blindtier(SHORT.iter().chain(&arguments));
    assert_eq!(text.code, 1);
    assert!(text.stdout.contains("WRONG"), "{}", text.stdout);
    assert!(text.stdout.contains("cannot load the library"), "{}", text.stdout);
}

#[test]
fn answers_that_do_not_fit_make_an_approach_fail() {
    let one =
        r#"{"seconds":0.1,"encrypt_seconds":0,"open_seconds":0,"families":1,"slots":1,"tiers":[0]"#;
    let ready = LOWEST_TIER.lines().nth(1).unwrap();
    for (answer, complaint) in [
        (r#"{"seconds":-1,"encrypt_seconds":0,"open_seconds":0,"families":1,"slots":1,"tiers":[0]}"#.to_owned(), "no number of seconds"),
        (r#"{"seconds":1,"encrypt_seconds":0,"open_seconds":0,"families":2,"slots":2,"tiers":[0]}"#.to_owned(), "not one tier a family"),
        (r#"{"seconds":1,"encrypt_seconds":0,"open_seconds":0,"families":1,"slots":0,"tiers":[0]}"#.to_owned(), "fewer slots"),
        (one.to_owned(), "not understood"),
        (r#"{"error":"out of memory"}"#.to_owned(), "out of memory"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        install(folder.path(), "concrete", &format!("{ready}\nread -r line\necho '{answer}'"));
        let peers = folder.path().to_str().unwrap();
        let only = ["--only", "concrete-default-folded", "--families", "5", "--json"];
        let call = blindtier(SHORT.iter().chain(&["--peers-dir", peers]).chain(&only));
        let reason = call.object()["comparison"]["failed"][0]["reason"].clone();
        assert!(reason.as_str().unwrap().contains(complaint), "{answer}: {reason}");
    }
}

#[test]
fn a_peer_that_is_asked_for_and_missing_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let peers = folder.path().to_str().unwrap();
    for (wanted, told) in
        [("all", "benches/peers/setup concrete"), ("spu", "benches/peers/setup spu")]
    {
        let call = blindtier(["compare", "--peers", wanted, "--peers-dir", peers]);
        assert_eq!(call.code, 2);
        assert!(call.stderr.contains(told), "{}", call.stderr);
    }
    let call = blindtier(["compare", "--peers", "nobody"]);
    assert_eq!(call.code, 2);
    assert!(call.stderr.contains("concrete, openfhe, spu"), "{}", call.stderr);
    let call = blindtier(["compare", "--only", "nothing", "--peers", "none"]);
    assert_eq!(call.code, 2);
    assert!(call.stderr.contains("tfhe-folded"), "{}", call.stderr);
}

#[test]
fn cost_is_measured_as_it_grows() {
    let scaling =
        ["--scaling", "tiers,cores", "--largest-round", "100", "--only", "clear", "--json"];
    let call =
        blindtier(SHORT.iter().chain(&["--families", "5", "--peers", "none"]).chain(&scaling));
    assert_eq!(call.code, 0, "{}", call.stderr);
    let report = call.object();
    let sweeps = report["scaling"].as_array().unwrap();
    let names: Vec<&str> = sweeps.iter().map(|s| s["quantity"].as_str().unwrap()).collect();
    assert_eq!(names, ["tiers", "cores"]);
    for sweep in sweeps {
        let series = sweep["series"].as_array().unwrap();
        assert_eq!(series.len(), 4);
        for point in series.iter().flat_map(|series| series["points"].as_array().unwrap()) {
            assert_eq!(point["refused"], Value::Null, "{point}");
            assert_eq!(point["disagree"], 0);
            assert!(point["operations"].as_u64().unwrap() > 0);
            assert!(point["seconds"].as_f64().unwrap() > 0.0);
        }
    }
    let tiers = &sweeps[0]["series"][0];
    assert_eq!(tiers["points"].as_array().unwrap().len(), 4);
    assert!(tiers["fit"]["exponent"].is_f64());
}
