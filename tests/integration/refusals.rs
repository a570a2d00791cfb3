//! Bad input: exit code 2, one message that names file, party and remedy, and nothing half-written.

use crate::demo::agencies;
use crate::rig::{
    Call, OTHER_ROUND, Party, ROUND, after_opening, before_evaluation, before_opening, blindtier,
    copy_tree, files_below,
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
    let results = work.join("board/results");
    assert!(!results.exists() || std::fs::read_dir(results).unwrap().next().is_none());
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
        "board/round.bt".to_owned(),
        "board/evaluation-key.bt".to_owned(),
        format!("board/submissions/{agency}/submission.bt"),
        format!("board/submissions/{agency}/chunk-00000.bt"),
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
    let chunk = work.path().join(format!("board/submissions/{agency}/chunk-00000.bt"));
    change(&chunk, |bytes| bytes.truncate(bytes.len() / 2));
    evaluator_refuses(work.path(), &["chunk-00000.bt", &format!("agency:{agency}")]);
    let work = before_evaluation();
    let chunk = work.path().join(format!("board/submissions/{agency}/chunk-00000.bt"));
    change(&chunk, |bytes| bytes.push(0));
    evaluator_refuses(work.path(), &["chunk-00000.bt", &format!("agency:{agency}")]);
}

#[test]
fn a_missing_chunk_and_a_missing_agency() {
    let work = before_evaluation();
    let agency = agencies(work.path()).remove(0);
    let folder = work.path().join(format!("board/submissions/{agency}"));
    std::fs::remove_file(folder.join("chunk-00000.bt")).unwrap();
    evaluator_refuses(work.path(), &["chunk-00000.bt", &format!("agency:{agency}")]);
    std::fs::remove_dir_all(&folder).unwrap();
    evaluator_refuses(work.path(), &[&format!("agency:{agency}")]);
}

#[test]
fn a_submission_of_another_round() {
    let work = before_evaluation();
    let agency = agencies(work.path()).remove(0);
    let folder = work.path().join(format!("board/submissions/{agency}"));
    std::fs::remove_dir_all(&folder).unwrap();
    copy_tree(&OTHER_ROUND.path().join(format!("work/board/submissions/{agency}")), &folder);
    evaluator_refuses(work.path(), &["submission.bt", "round", &format!("agency:{agency}")]);
}

#[test]
fn a_submission_of_another_agency() {
    let work = before_evaluation();
    let all = agencies(work.path());
    let folder = work.path().join("board/submissions");
    std::fs::remove_dir_all(folder.join(&all[0])).unwrap();
    copy_tree(&folder.join(&all[1]), &folder.join(&all[0]));
    evaluator_refuses(work.path(), &["submission.bt", &format!("agency:{}", all[0])]);
}

#[test]
fn a_second_submission_after_the_first_was_registered() {
    let work = before_evaluation();
    let agency = agencies(work.path()).remove(0);
    let again = Party::agency(work.path(), &agency).call();
    assert_eq!(again.code, 0, "{}", again.stderr);
    // The agency itself does not hand over what the ledger does not have.
    refused(
        &Party::hand_over(work.path(), &agency).call(),
        &["submission.bt", "ledger", &format!("agency:{agency}")],
    );
    let folder = work.path().join(format!("board/submissions/{agency}"));
    std::fs::remove_dir_all(&folder).unwrap();
    copy_tree(&work.path().join(format!("agencies/{agency}/again")), &folder);
    evaluator_refuses(work.path(), &["submission.bt", "ledger", &format!("agency:{agency}")]);
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
    let agency = agencies(work.path()).remove(0);
    let roster = other.join(format!("agencies/{agency}/roster.bt"));
    refused(
        &Party::agency(work.path(), &agency).with("--roster", roster.to_str().unwrap()).call(),
        &["roster.bt", "registrar", "round"],
    );
    for name in ["evaluation-key.bt", "public-key.bt"] {
        let [from, to] = [&*other, work.path()].map(|work| work.join("board").join(name));
        std::fs::copy(from, to).unwrap();
        evaluator_refuses(work.path(), &[name, "trustee:1", "round"]);
    }
    refused(&Party::agency(work.path(), &agency).call(), &["public-key.bt", "trustee:1", "round"]);
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
    // A finished opening stands; nothing is opened again.
    let work = after_opening();
    let files = files_below(work.path());
    let call = Party::open(work.path(), 1).and("--json").call();
    assert_eq!((call.code, &call.object()["stage"]), (0, &serde_json::json!("done")));
    assert_eq!(files, files_below(work.path()));

    let work = before_opening();
    change(&work.path().join("board/results/chunk-00000.bt"), |bytes| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    });
    refused(&Party::open(work.path(), 1).call(), &["chunk-00000.bt", "evaluator"]);
    assert!(!work.path().join("board/partials").exists());
}

#[test]
fn one_trustee_alone_opens_nothing() {
    let work = before_opening();
    for _ in 0..3 {
        let call = Party::open(work.path(), 2).and("--json").call();
        assert_eq!((call.code, &call.object()["stage"]), (0, &serde_json::json!("committed")));
    }
    let shown = files_below(&work.path().join("board/partials"));
    assert_eq!(shown.len(), 1, "the manifest only: {shown:?}");
    assert!(!work.path().join("letters/trustee-2").exists());
}

#[test]
fn a_refusal_and_destroyed_shares_stand_in_the_ledger() {
    let work = after_opening();
    let refusal =
        Party::desk(work.path(), "refuse", 3).and("--reason").and("the register was late");
    assert_eq!(refusal.and("--culprit").and("agency:x").call().code, 0);
    let witness = |number| Party::desk(work.path(), "witness", number).call();
    assert_eq!((witness(1).code, witness(2).code), (0, 0));
    assert_eq!(Party::desk(work.path(), "destroy", 3).call().code, 0);
    assert!(!work.path().join("trustee-3/private/shares.bt").exists());
    assert_eq!((witness(1).code, witness(2).code), (0, 0));
    let shown = Party::auditor(work.path(), "show").call();
    for part in
        ["trustee:3 refused a file of agency:x: the register was late", "trustee:3 destroyed"]
    {
        assert!(shown.stdout.contains(part), "{}", shown.stdout);
    }
    refused(&Party::open(work.path(), 3).call(), &["shares.bt"]);
}

#[test]
fn a_tier_is_opened_to_the_state_once_and_with_a_reason() {
    let work = after_opening();
    let key = work.path().join("state.key");
    let made = blindtier(["family", "keygen", "--json", "--out", key.to_str().unwrap()]);
    let public = made.object()["letter_keys"][0].as_str().unwrap().to_owned();
    let call = |number, reason: &str| {
        Party::desk(work.path(), "open", number)
            .with("--out", "state")
            .and("--open-to")
            .and("state")
            .and("--slot")
            .and("2")
            .and("--state-key")
            .and(&public)
            .and("--reason")
            .and(reason)
            .and("--json")
            .call()
    };
    let no_reason = Party::desk(work.path(), "open", 1).and("--open-to").and("state").call();
    refused(&no_reason, &["--reason", "--slot"]);
    assert_eq!(call(1, "court order 17").object()["sealed"], false);
    assert_eq!(call(2, "court order 17").object()["sealed"], false);
    for number in 1..=2 {
        assert_eq!(call(number, "court order 17").object()["sealed"], true);
    }
    let other = call(1, "another reason");
    assert_eq!(other.code, 2);
    assert!(other.stderr.contains("at most once"), "{}", other.stderr);

    let read = Party::family(work.path(), "read-for-state")
        .without("--letters")
        .with("--key", "state.key")
        .with("--seeds", "state")
        .and("--slot")
        .and("2")
        .and("--json")
        .call();
    assert_eq!(read.code, 0, "{}", read.stderr);
    // The family's own letter says the same tier, and that the state has seen it.
    let letters: Vec<serde_json::Value> = (0..6)
        .map(|family| {
            let read = Party::family(work.path(), "read").and("--family").and(&family.to_string());
            read.and("--json").call().object()
        })
        .collect();
    let own = letters.iter().find(|letter| letter["slot"] == 2).unwrap();
    assert_eq!(own["tiers"][0], read.object()["tier"]);
    assert!(own["letter"].to_string().contains("court order 17"), "{own}");
    let others = letters.iter().filter(|letter| letter["slot"] != 2);
    assert!(others.into_iter().all(|letter| !letter["letter"].to_string().contains("court order")));
}

#[test]
fn reasons_that_do_not_give_the_tier_are_shown_as_such() {
    let work = after_opening();
    let read = |family: usize| {
        let read = Party::family(work.path(), "read").and("--family").and(&family.to_string());
        read.and("--json").call().object()
    };
    let honest: Vec<String> = (0..6).map(|family| read(family)["letter"].to_string()).collect();
    assert!(honest.iter().all(|letter| !letter.contains("do not hold")), "{honest:?}");
    // Every agency seals what another register says, in which nobody is known.
    for agency in agencies(work.path()) {
        let register = work.path().join(format!("agencies/{agency}/register.csv"));
        let text = std::fs::read_to_string(&register).unwrap();
        std::fs::write(&register, format!("{}\n", text.lines().next().unwrap())).unwrap();
        let call = Party::agency(work.path(), &agency).call();
        assert_eq!(call.code, 0, "{}", call.stderr);
        let letters = work.path().join(format!("letters/agency-{agency}"));
        std::fs::remove_dir_all(&letters).unwrap();
        copy_tree(&work.path().join(format!("agencies/{agency}/levels-again")), &letters);
    }
    let tiers: Vec<serde_json::Value> =
        (0..6).map(|family| read(family)["tiers"][0].clone()).collect();
    let wrong = (0..6).filter(|f| read(*f)["letter"].to_string().contains("do not hold")).count();
    let missing = tiers.iter().filter(|tier| **tier != tiers[0]).count();
    assert!(wrong > 0 && missing > 0, "{wrong} letters, tiers {tiers:?}");
}

#[test]
fn a_proof_shows_one_tier_and_no_other_claim() {
    let work = after_opening();
    let prove = Party::family(work.path(), "prove").with("--out", "proof.toml");
    refused(&prove.call(), &["6 keys", "--family"]);
    let prove = Party::family(work.path(), "prove").with("--out", "proof.toml").and("--family");
    assert_eq!(prove.and("3").call().code, 0);
    let check = || Party::auditor(work.path(), "check-proof").with("--proof", "proof.toml");
    let proven = check().and("--json").call().object();
    let (slot, tier) = (proven["slot"].to_string(), proven["tier"].as_str().unwrap().to_owned());
    assert_eq!(check().and("--tier").and(&tier).and("--slot").and(&slot).call().code, 0);
    let other = if tier == "poor" { "not_poor" } else { "poor" };
    refused(&check().and("--tier").and(other).call(), &["proof.toml", &tier, other]);
    refused(&check().and("--slot").and("77").call(), &["proof.toml", "slot", "77"]);
    let file = work.path().join("proof.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let moved = text.replace(
        &format!("slot = {slot}"),
        &format!("slot = {}", (proven["slot"].as_u64().unwrap() + 1) % 6),
    );
    std::fs::write(&file, moved).unwrap();
    refused(&check().call(), &["proof.toml", "seed of share"]);
    std::fs::write(&file, "round = 1").unwrap();
    refused(&check().call(), &["proof.toml"]);
}

#[test]
fn a_wholly_forged_board() {
    // Somebody plays a whole round alone, in everybody's name.
    let folder = tempfile::tempdir().unwrap();
    let forged = folder.path().join("work");
    let arguments = ["--policy", "mpi", "--families", "3", "--engine", "bfv", "--json", "--work"];
    let call = blindtier(["demo"].iter().chain(&arguments).chain(&[forged.to_str().unwrap()]));
    assert_eq!(call.code, 0, "{}", call.stderr);
    assert_eq!(Party::auditor(&forged, "verify").call().code, 0);
    let trust = ROUND.path().join("work/public/trust.toml");
    let verify = Party::auditor(&forged, "verify").with("--trust", trust.to_str().unwrap());
    refused(&verify.call(), &["round.bt", "registrar", "signature"]);
}

#[test]
fn a_ledger_whose_end_was_cut_off_is_found_by_a_letters_head() {
    let work = after_opening();
    let read = Party::family(work.path(), "read").and("--family").and("0").and("--json").call();
    let head = read.object()["head"].as_str().unwrap().to_owned();
    let verify = || Party::auditor(work.path(), "verify").and("--head").and(&head).call();
    assert_eq!(verify().code, 0);
    std::fs::remove_dir_all(work.path().join("board/ledger/00003")).unwrap();
    refused(&verify(), &["ledger", &head]);
    refused(
        &Party::auditor(work.path(), "verify").and("--re-execute").and("some").call(),
        &["--re-execute", "sample N"],
    );
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
    let chunk = work.path().join(format!("board/submissions/{agency}/chunk-00000.bt"));
    change(&chunk, |bytes| bytes[100] ^= 1);
    let call = Party::evaluator(work.path()).and("--json").call();
    assert_eq!(call.code, 2);
    assert_eq!(call.object()["culprit"], format!("agency:{agency}"));
}
