//! What the documents quote exists.

use serde_json::Value;
use std::path::{Path, PathBuf};

/// README, everything under docs, and the notes beside kept runs.
fn documents() -> Vec<PathBuf> {
    let mut found = vec![PathBuf::from("README.md")];
    // The peers' environments bring documents of their own.
    let own = |path: &PathBuf| path.components().all(|part| part.as_os_str() != ".venv");
    let all = ["docs", "benches"].map(Path::new).into_iter().flat_map(files).filter(own);
    found.extend(all.filter(|path| path.extension().is_some_and(|end| end == "md")));
    found
}

/// All files of a folder and the folders in it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The targets of a document's links to files of this repository.
fn links(document: &Path) -> Vec<PathBuf> {
    let text = std::fs::read_to_string(document).unwrap();
    let folder = document.parent().unwrap();
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    let local = targets.filter(|target| !target.is_empty() && !target.contains("://"));
    local.map(|target| folder.join(target)).collect()
}

#[test]
fn every_linked_file_exists_and_every_quoted_run_parses() {
    let mut runs = 0;
    for document in documents() {
        for target in links(&document) {
            assert!(target.exists(), "{} links to {}", document.display(), target.display());
            if target.extension().is_some_and(|end| end == "json") {
                let text = std::fs::read_to_string(&target).unwrap();
                let parsed: Result<Value, _> = serde_json::from_str(&text);
                assert!(parsed.is_ok(), "{}: {parsed:?}", target.display());
                runs += 1;
            }
        }
    }
    assert!(runs > 0, "no document quotes a run");
}

#[test]
fn every_kept_run_says_how_it_was_made_and_agrees() {
    let mut compared = 0;
    for entry in Path::new("benches/runs").read_dir().unwrap() {
        let folder = entry.unwrap().path();
        let readme = std::fs::read_to_string(folder.join("README.md")).unwrap();
        assert!(readme.contains("cargo ") || readme.contains("blindtier "), "{}", folder.display());
        for file in files(&folder) {
            if file.extension().is_none_or(|end| end != "json") {
                continue;
            }
            let text = std::fs::read_to_string(&file).unwrap();
            let object: Value = serde_json::from_str(&text).unwrap();
            if let Some(disagree) = object.get("disagree") {
                assert_eq!(disagree, 0, "{}", file.display());
            }
            if object.get("comparison").is_some() {
                let report: blindtier::report::Report = serde_json::from_value(object).unwrap();
                assert!(report.all_agree() && !report.command.is_empty(), "{}", file.display());
                compared += 1;
            }
        }
    }
    assert!(compared > 0, "no comparison is kept");
}

/// The rows of the one table of a document with this head.
fn table(document: &str, head: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(document).unwrap();
    let (before, rest) = text.split_once(&format!("\n{head}\n")).unwrap_or_else(|| {
        panic!("{document} has no table with the head {head}");
    });
    assert!(!before.contains(head), "{document}: two such tables");
    let rows = rest.lines().skip(1).take_while(|line| line.starts_with('|'));
    let cells = |row: &str| {
        row.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect::<Vec<_>>()
    };
    rows.map(cells).collect()
}

/// The items of the lists between two texts, each on one line, without link targets and the mark at its end.
fn items(document: &str, from: &str, to: &str) -> Vec<String> {
    let text = std::fs::read_to_string(document).unwrap();
    let part = text.split_once(from).unwrap().1.split_once(to).unwrap().0;
    let mut items: Vec<String> = Vec::new();
    for line in part.lines() {
        match (line.strip_prefix("- "), line.strip_prefix("  "), items.last_mut()) {
            (Some(first), _, _) => items.push(first.to_owned()),
            (None, Some(more), Some(item)) => *item = format!("{item} {}", more.trim()),
            _ => {}
        }
    }
    items.iter().map(|item| without_links(item).trim_end_matches([';', '.']).to_owned()).collect()
}

fn without_links(text: &str) -> String {
    let (mut plain, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("](") {
        let (lead, label) = before.rsplit_once('[').unwrap();
        plain.extend([lead, label]);
        rest = after.split_once(')').unwrap().1;
    }
    plain + rest
}

#[test]
fn the_trust_table_says_what_the_documents_say() {
    let trust = blindtier::assessment::TrustTable::shipped().unwrap();
    let parties: Vec<Vec<String>> = trust
        .parties
        .iter()
        .map(|party| vec![party.party.clone(), party.holds.clone(), party.learns.clone()])
        .collect();
    assert_eq!(parties, table("README.md", "| party | holds | learns |"));
    let kept: Vec<Vec<String>> = trust
        .kept
        .iter()
        .map(|kept| vec![kept.what.clone(), kept.place.clone(), kept.keep.clone()])
        .collect();
    assert_eq!(kept, table("docs/operations.md", "| what | where | keep |"));
    let residual = |by_design: bool| -> Vec<&str> {
        let found = trust.residual.iter().filter(|residual| residual.by_design == by_design);
        found.map(|residual| residual.text.as_str()).collect()
    };
    let missing = "\nBecause it is not there yet:\n";
    assert_eq!(residual(true), items("SECURITY.md", "\nBy design:\n", missing));
    assert_eq!(residual(false), items("SECURITY.md", missing, "\n\nWith tfhe, recomputing"));
}
