//! Nothing that an agency sends or prints depends on which families its register knows.

use crate::demo::agencies;
use crate::rig::{Call, Party, blindtier, files_below, succeeded};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// The names and sizes of all files below a folder.
fn sizes(folder: &Path) -> BTreeMap<String, u64> {
    files_below(folder)
        .into_iter()
        .map(|file| {
            let name = file.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            (name, std::fs::metadata(&file).unwrap().len())
        })
        .collect()
}

/// What a call printed, without hashes and times, which differ from run to run with the same register too.
fn printed(call: &Call) -> (Value, Vec<String>) {
    succeeded(call);
    let mut object = call.object();
    for (field, value) in object.as_object_mut().unwrap() {
        if field == "seconds" {
            *value = Value::Null;
        }
        if value.as_str().is_some_and(|text| text.len() == 64) {
            *value = "a hash".into();
        }
    }
    (object, call.stderr.lines().map(str::to_owned).collect())
}

/// The register as it is, with every second person, and with nobody.
fn registers(register: &str) -> [String; 3] {
    let mut lines = register.lines();
    let header = lines.next().unwrap();
    let half: Vec<&str> = lines.step_by(2).collect();
    [register.to_owned(), format!("{header}\n{}\n", half.join("\n")), format!("{header}\n")]
}

/// Submits each register of an agency in a round, into folders of the same length of name, and compares.
fn submissions_look_alike(work: &Path, agency: &str) {
    let register = work.join(format!("agencies/{agency}/register.csv"));
    let mut seen = Vec::new();
    for (number, text) in registers(&std::fs::read_to_string(&register).unwrap()).iter().enumerate()
    {
        let folder = work.join(format!("membership/{agency}"));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("register.csv");
        std::fs::write(&file, text).unwrap();
        let call = Party::agency(work, agency)
            .with("--register", file.to_str().unwrap())
            .with("--out", folder.join("out").to_str().unwrap())
            .with("--levels", folder.join("levels").to_str().unwrap())
            .with("--report", folder.join("report").to_str().unwrap())
            .and("--json")
            .call();
        let printed = printed(&call);
        seen.push((printed, sizes(&folder.join("out")), sizes(&folder.join("levels"))));
        let report = std::fs::read_to_string(folder.join("report")).unwrap();
        assert!(!report.is_empty(), "{agency} {number}");
        std::fs::remove_dir_all(&folder).unwrap();
    }
    assert!(!seen[0].1.is_empty() && !seen[0].2.is_empty());
    assert_eq!(seen[0], seen[1], "{agency}: half of the persons");
    assert_eq!(seen[0], seen[2], "{agency}: nobody");
}

fn round(arguments: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path().to_str().unwrap();
    succeeded(&blindtier(["demo", "--json"].iter().chain(arguments).chain(&["--work", work])));
    folder
}

#[test]
fn nobody_sees_in_a_batched_submission_whom_an_agency_knows() {
    for policy in ["nursery", "digital-family-card", "eight-indicators", "mpi"] {
        let arguments =
            ["--policy", policy, "--engine", "bfv", "--families", "20", "--linkage", "keyed-hash"];
        let work = round(&arguments);
        for agency in agencies(work.path()) {
            submissions_look_alike(work.path(), &agency);
        }
    }
}

#[test]
fn nobody_sees_in_a_proven_submission_or_in_a_request_whom_an_agency_knows() {
    let work = round(&["--families", "5", "--proofs", "on", "--linkage", "oblivious"]);
    let work = work.path();
    let agency = &agencies(work)[0];
    let own = work.join(format!("agencies/{agency}"));
    let mut seen = Vec::new();
    for text in registers(&std::fs::read_to_string(own.join("register.csv")).unwrap()) {
        let folder = work.join("membership");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("register.csv"), text).unwrap();
        let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        let call = Party::link(work, agency)
            .with("--register", &path("register.csv"))
            .with("--out", &path("request.bt"))
            .with("--private", &path("private"))
            .and("--json")
            .call();
        let request = std::fs::metadata(path("request.bt")).unwrap().len();
        seen.push((printed(&call), request));
        // The registrar of this test has answered nobody yet.
        let answered = work.join(format!("registrar/private/{agency}"));
        for record in files_below(&answered) {
            if record.to_str().unwrap().contains("answered") {
                std::fs::remove_file(record).unwrap();
            }
        }
        let answer = Party::answer(work, agency).with("--request", &path("request.bt"));
        succeeded(&answer.with("--out", &path("answer.bt")).call());
        let call = Party::agency(work, agency)
            .with("--register", &path("register.csv"))
            .with("--private", &path("private"))
            .with("--answer", &path("answer.bt"))
            .with("--out", &path("out"))
            .with("--levels", &path("levels"))
            .and("--json")
            .call();
        seen.push((printed(&call), sizes(&folder.join("out")).values().sum()));
        std::fs::remove_dir_all(&folder).unwrap();
    }
    for (pair, what) in [(0, "request"), (1, "submission")] {
        assert_eq!(seen[pair], seen[pair + 2], "{what}: half of the persons");
        assert_eq!(seen[pair], seen[pair + 4], "{what}: nobody");
    }
}
