//! Bad input: exit code 2, one message that names file, party and remedy, and nothing half-written.

use crate::demo::agencies;
use crate::rig::{
    Call, OTHER_ROUND, Party, after_opening, before_evaluation, blindtier, copy_tree,
};
use std::path::Path;

/// Asserts that a call was refused as wrong input with a message that has all these parts.
fn refused(call: &Call, parts: &[&str]) {
    assert_eq!(call.code, 2, "{}{}", call.stdout, call.stderr);
    assert!(call.stdout.is_empty(), "{}", call.stdout);
    assert!(!call.stderr.contains("panicked"), "{}", call.stderr);
    for part in parts {
        assert!(call.stderr.contains(part), "`{part}` is missing in: {}", call.stderr);
    }
}

/// Asserts that the evaluator refused and left nothing.
fn evaluator_refuses(work: &Path, parts: &[&str]) {
    refused(&Party::evaluator(work).call(), parts);
    let results = work.join("evaluator/results");
    assert!(!results.exists() || std::fs::read_dir(results).unwrap().next().is_none());
    assert!(!work.join("evaluator/state/accepted").exists());
}

fn change(file: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(file).unwrap();
    change(&mut bytes);
    std::fs::write(file, bytes).unwrap();
}

#[test]
fn a_flipped_byte_anywhere_in_what_the_evaluator_reads() {
    let work = before_evaluation();
    let agency = agencies(work.path()).remove(0);
    for file in [
        "public/round.bt".to_owned(),
        "evaluator/evaluation-key.bt".to_owned(),
        format!("evaluator/submissions/{agency}/submission.bt"),
        format!("evaluator/submissions/{agency}/chunk-00000.bt"),
    ] {
        let path = work.path().join(&file);
        let length = std::fs::metadata(&path).unwrap().len() as usize;
        for at in [0, 9, 40, length / 3, length / 2, length - 1] {
            change(&path, |bytes| bytes[at] ^= 4);
            evaluator_refuses(
                work.path(),
                &[Path::new(&file).file_name().unwrap().to_str().unwrap()],
            );
            change(&path, |bytes| bytes[at] ^= 4);
        }
    }
}

#[test]
fn a_truncated_chunk_and_a_longer_one() {
    let work = before_evaluation();
    let agency = agencies(work.path()).remove(0);
    let chunk = work.path().join(format!("evaluator/submissions/{agency}/chunk-00000.bt"));
    change(&chunk, |bytes| bytes.truncate(bytes.len() / 2));
    evaluator_refuses(work.path(), &["chunk-00000.bt", &format!("agency:{agency}")]);
    let work = before_evaluation();
    let chunk = work.path().join(format!("evaluator/submissions/{agency}/chunk-00000.bt"));
    change(&chunk, |bytes| bytes.push(0));
    evaluator_refuses(work.path(), &["chunk-00000.bt", &format!("agency:{agency}")]);
}

#[test]
fn a_missing_chunk_and_a_missing_agency() {
    let work = before_evaluation();
    let agency = agencies(work.path()).remove(0);
    let folder = work.path().join(format!("evaluator/submissions/{agency}"));
    std::fs::remove_file(folder.join("chunk-00000.bt")).unwrap();
    evaluator_refuses(work.path(), &["chunk-00000.bt", &format!("agency:{agency}")]);
    std::fs::remove_dir_all(&folder).unwrap();
    evaluator_refuses(work.path(), &[&format!("agency:{agency}")]);
}

#[test]
fn a_submission_of_another_round() {
    let work = before_evaluation();
    let agency = agencies(work.path()).remove(0);
    let folder = work.path().join(format!("evaluator/submissions/{agency}"));
    std::fs::remove_dir_all(&folder).unwrap();
    copy_tree(&OTHER_ROUND.path().join(format!("work/evaluator/submissions/{agency}")), &folder);
    evaluator_refuses(work.path(), &["submission.bt", "round", &format!("agency:{agency}")]);
}

#[test]
fn a_submission_of_another_agency() {
    let work = before_evaluation();
    let all = agencies(work.path());
    let folder = work.path().join("evaluator/submissions");
    std::fs::remove_dir_all(folder.join(&all[0])).unwrap();
    copy_tree(&folder.join(&all[1]), &folder.join(&all[0]));
    evaluator_refuses(work.path(), &["submission.bt", &format!("agency:{}", all[0])]);
}

#[test]
fn a_second_submission_after_the_first_was_accepted() {
    let work = before_evaluation();
    let done = Party::evaluator(work.path()).call();
    assert_eq!(done.code, 0, "{}", done.stderr);
    let agency = agencies(work.path()).remove(0);
    let again = Party::agency(work.path(), &agency).call();
    assert_eq!(again.code, 0, "{}", again.stderr);
    let folder = work.path().join(format!("evaluator/submissions/{agency}"));
    std::fs::remove_dir_all(&folder).unwrap();
    copy_tree(&work.path().join(format!("agencies/{agency}/again")), &folder);
    let results = std::fs::read(work.path().join("evaluator/results/receipt.bt")).unwrap();
    refused(&Party::evaluator(work.path()).call(), &[&format!("agency:{agency}")]);
    let after = std::fs::read(work.path().join("evaluator/results/receipt.bt")).unwrap();
    assert_eq!(results, after, "what was accepted stands");
}

#[test]
fn another_policy() {
    let work = before_evaluation();
    let text = std::fs::read_to_string(work.path().join("public/policy.toml")).unwrap();
    let changed = text.replace("at = [4, 6, 9]", "at = [4, 6, 10]");
    assert_ne!(text, changed);
    std::fs::write(work.path().join("public/policy.toml"), changed).unwrap();
    evaluator_refuses(work.path(), &["round.bt", "policy"]);
    let agency = agencies(work.path()).remove(0);
    refused(&Party::agency(work.path(), &agency).call(), &["round.bt", "policy"]);
    assert!(!work.path().join(format!("agencies/{agency}/again")).exists());
}

#[test]
fn keys_of_another_round() {
    let other = OTHER_ROUND.path().join("work");
    let work = before_evaluation();
    let key = other.join("evaluator/evaluation-key.bt");
    refused(
        &Party::evaluator(work.path()).with("--evaluation-key", key.to_str().unwrap()).call(),
        &["evaluation-key.bt", "trustee:1", "round"],
    );
    let agency = agencies(work.path()).remove(0);
    let key = other.join("public/public-key.bt");
    refused(
        &Party::agency(work.path(), &agency).with("--public-key", key.to_str().unwrap()).call(),
        &["public-key.bt", "trustee:1", "round"],
    );
    let roster = other.join(format!("agencies/{agency}/roster.bt"));
    refused(
        &Party::agency(work.path(), &agency).with("--roster", roster.to_str().unwrap()).call(),
        &["roster.bt", "registrar", "round"],
    );
    assert!(!work.path().join(format!("agencies/{agency}/again")).exists());
}

#[test]
fn a_roster_of_another_agency() {
    let work = after_opening();
    let all = agencies(work.path());
    let roster = format!("agencies/{}/roster.bt", all[1]);
    refused(
        &Party::agency(work.path(), &all[0]).with("--roster", &roster).call(),
        &["roster.bt", &format!("agency:{}", all[0])],
    );
}

#[test]
fn a_party_whose_key_is_not_the_pinned_one() {
    let work = before_evaluation();
    let key = work.path().join("new.key");
    let made =
        blindtier(["identity", "--party", "registrar", "--out", key.to_str().unwrap(), "--json"]);
    let new = made.object()["public_key"].as_str().unwrap().to_owned();
    let trust = work.path().join("public/trust.toml");
    let text = std::fs::read_to_string(&trust).unwrap();
    let changed: String = text
        .lines()
        .map(|line| match line.contains("registrar") {
            true => format!("registrar = \"{new}\"\n"),
            false => format!("{line}\n"),
        })
        .collect();
    std::fs::write(&trust, changed).unwrap();
    evaluator_refuses(work.path(), &["round.bt", "registrar", "signature"]);
    std::fs::write(&trust, text.replace("registrar", "somebody")).unwrap();
    evaluator_refuses(work.path(), &["registrar", "trust"]);
}

#[test]
fn registers_that_do_not_fit() {
    let work = after_opening();
    let agency = agencies(work.path()).remove(0);
    let file = format!("agencies/{agency}/register.csv");
    let path = work.path().join(&file);
    let text = std::fs::read_to_string(&path).unwrap();
    let (header, rows) = text.split_once('\n').unwrap();
    let columns: Vec<&str> = header.split(',').collect();
    let column = *columns.iter().rev().find(|c| **c != "person").unwrap();
    let place = columns.iter().position(|c| *c == column).unwrap();

    let call = |text: String| {
        std::fs::write(&path, text).unwrap();
        Party::agency(work.path(), &agency).call()
    };
    let missing = header.replace(column, "something_else");
    refused(&call(format!("{missing}\n{rows}")), &["register.csv", column, &agency]);

    let mut cells: Vec<&str> = rows.lines().next().unwrap().split(',').collect();
    let first = cells.join(",");
    cells[place] = "perhaps";
    refused(
        &call(format!("{header}\n{}\n", cells.join(","))),
        &["register.csv", "line 2", column, "perhaps"],
    );
    refused(&call(format!("{header}\n{first}\n{first}\n")), &["register.csv", "line 3", "person"]);
    refused(&call(String::new()), &["register.csv"]);
    assert!(!work.path().join(format!("agencies/{agency}/again")).exists());
}

#[test]
fn a_second_opening_and_tampered_results() {
    let work = after_opening();
    refused(&Party::trustee(work.path()).call(), &["opened"]);
    let work = after_opening();
    std::fs::remove_dir_all(work.path().join("trustee/state")).unwrap();
    std::fs::remove_dir_all(work.path().join("trustee/letters")).unwrap();
    change(&work.path().join("trustee/results/chunk-00000.bt"), |bytes| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    });
    refused(&Party::trustee(work.path()).call(), &["chunk-00000.bt", "evaluator"]);
    assert!(!work.path().join("trustee/letters").exists());
}

#[test]
fn secrets_that_others_can_read() {
    use std::os::unix::fs::PermissionsExt;
    let work = after_opening();
    let key = work.path().join("evaluator/signing.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    refused(&Party::evaluator(work.path()).call(), &["signing.key", "chmod 600"]);
}

#[test]
fn calls_that_make_no_sense() {
    refused(&blindtier(["policy", "check", "no-such-file.toml"]), &["no-such-file.toml"]);
    refused(&blindtier(["demo", "--families", "0"]), &["--families"]);
    refused(
        &blindtier(["demo", "--policy", "mpi", "--data", "no-such-data.csv"]),
        &["no-such-data.csv"],
    );
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("something"), "").unwrap();
    refused(&blindtier(["demo", "--work", folder.path().to_str().unwrap()]), &["not empty"]);
    refused(&blindtier(["identity", "--party", "No Good", "--out", "x"]), &["No Good"]);
}

#[test]
fn errors_are_objects_with_json() {
    let call = blindtier(["policy", "check", "no-such-file.toml", "--json"]);
    assert_eq!(call.code, 2);
    assert_eq!(call.object()["exit_code"], 2);
    let work = before_evaluation();
    let agency = agencies(work.path()).remove(0);
    let chunk = work.path().join(format!("evaluator/submissions/{agency}/chunk-00000.bt"));
    change(&chunk, |bytes| bytes[100] ^= 1);
    let call = Party::evaluator(work.path()).and("--json").call();
    assert_eq!(call.code, 2);
    assert_eq!(call.object()["culprit"], format!("agency:{agency}"));
}
