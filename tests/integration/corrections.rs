//! A family disputes a value: one slot of a batched round is decided anew, and both versions stay.

use crate::demo::agencies;
use crate::kills::Disturbance;
use crate::rig::{Call, Party, blindtier, copy_tree, files_below, hand_in, succeeded};
use serde_json::{Value, json};
use std::path::Path;

/// Runs a step of every trustee until all say that they are done.
fn together(step: impl Fn(u16) -> Call, done: impl Fn(&Value) -> bool) {
    for _ in 0..8 {
        let said = [1, 2, 3].map(|number| {
            let call = step(number);
            succeeded(&call);
            call.object()
        });
        if said.iter().all(&done) {
            return;
        }
    }
    panic!("the trustees do not get on");
}

/// The folder of another round of the same parties: their signing keys and registers, and its board by another name.
fn office(work: &Path, board: &Path, at: &Path) {
    for folder in ["public", "families"] {
        copy_tree(&work.join(folder), &at.join(folder));
    }
    for file in files_below(work) {
        let name = file.file_name().unwrap().to_str().unwrap();
        if ["signing.key", "register.csv", "population.csv"].contains(&name) {
            let target = at.join(file.strip_prefix(work).unwrap());
            std::fs::create_dir_all(target.parent().unwrap()).unwrap();
            std::fs::copy(file, target).unwrap();
        }
    }
    std::os::unix::fs::symlink(board, at.join("board")).unwrap();
}

/// Gives the health service another opinion of the first family of the population.
fn correct_register(work: &Path) {
    let population = std::fs::read_to_string(work.join("registrar/population.csv")).unwrap();
    let person = population.lines().nth(1).unwrap().split(',').next().unwrap().to_owned();
    let file = work.join("agencies/health_service/register.csv");
    let register = std::fs::read_to_string(&file).unwrap();
    let column = register.lines().next().unwrap().split(',').position(|c| c == "health").unwrap();
    let corrected = register.lines().map(|line| {
        let mut cells: Vec<&str> = line.split(',').collect();
        if cells[0] == person {
            cells[column] = if cells[column] == "not_recom" { "priority" } else { "not_recom" };
        }
        cells.join(",") + "\n"
    });
    std::fs::write(file, corrected.collect::<String>()).unwrap();
}

fn read(work: &Path) -> Value {
    let call = Party::family(work, "read").and("--family").and("0").and("--json").call();
    succeeded(&call);
    call.object()
}

#[test]
fn a_correction_decides_one_slot_anew_and_both_versions_stay() {
    let folder = tempfile::tempdir().unwrap();
    let (work, other) = (folder.path().join("work"), folder.path().join("other"));
    let demo = ["demo", "--policy", "nursery", "--engine", "bfv", "--families", "10000", "--json"];
    let rest = ["--linkage", "keyed-hash", "--work", work.to_str().unwrap()];
    succeeded(&blindtier(demo.iter().chain(&rest)));
    let before = read(&work);
    let slot = before["slot"].as_u64().unwrap();

    let key = work.join("dealer-signing.key");
    let dealer = blindtier(["identity", "--party", "dealer", "--out", key.to_str().unwrap()]);
    succeeded(&dealer);
    let trust = work.join("public/trust.toml");
    let pinned = std::fs::read_to_string(&trust).unwrap() + dealer.stdout.lines().last().unwrap();
    std::fs::write(&trust, pinned + "\n").unwrap();

    let announce = |proofs: &str| {
        Party::correct_slots(&work, &other)
            .and("--slots")
            .and(&slot.to_string())
            .and("--linkage")
            .and("keyed-hash")
            .and("--proofs")
            .and(proofs)
            .and("--json")
            .call()
    };
    let refused = announce("off");
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(refused.stderr.contains("needs proofs of encryption"), "{}", refused.stderr);
    let announced = announce("on");
    succeeded(&announced);
    let announced = announced.object();
    assert_eq!((&announced["slots"], &announced["engine"]), (&json!(1), &json!("tfhe")));
    let board = Path::new(announced["board"].as_str().unwrap()).to_owned();
    assert!(board.starts_with(work.join("board/corrections")));
    office(&work, &board, &other);
    correct_register(&other);

    let keygen = |number| Party::keygen(&other, number).and("--json").call();
    (1..=3).for_each(|number| succeeded(&keygen(number)));
    // A dealing that was interrupted is made anew: nobody uses what it left.
    let dealer = Party::dealer(&other).with("--identity", key.to_str().unwrap());
    let mut disturbance = Disturbance::new(12);
    for _ in 0..3 {
        disturbance.fault(&dealer, "kill");
    }
    assert!(disturbance.kills() > 0, "{disturbance}");
    let commitments = board.join("ceremony/dealer/commitments.bt");
    if !commitments.exists() {
        succeeded(&dealer.call());
    }
    together(keygen, |said| said["done"] == true);
    for agency in agencies(&work) {
        let to = other.join(format!("agencies/{agency}/roster.bt"));
        std::fs::copy(other.join(format!("rosters/{agency}/roster.bt")), to).unwrap();
        let submit = Party::agency(&other, &agency);
        succeeded(&submit.call());
        hand_in(&other, &format!("agencies/{agency}/again"), &agency);
        let levels = other.join(format!("agencies/{agency}/levels-again"));
        copy_tree(&levels, &other.join(format!("letters/agency-{agency}")));
    }
    succeeded(&Party::registrar_submit(&other).call());
    hand_in(&other, "registrar/again", "registrar");
    copy_tree(&other.join("registrar/levels-again"), &other.join("letters/registrar"));
    (1..=3).for_each(|number| succeeded(&Party::register(&other, number).call()));
    agencies(&work).iter().for_each(|agency| succeeded(&Party::hand_over(&other, agency).call()));
    succeeded(&Party::registrar_hand_over(&other).call());

    // One slot: two lookups for the tier, one for opt-out.
    let evaluated = Party::evaluator(&other).and("--json").call();
    succeeded(&evaluated);
    assert_eq!(evaluated.object()["lookups"], 3, "{}", evaluated.stdout);

    let early = Party::desk(&work, "correct", 1).call();
    assert_eq!(early.code, 2, "not opened yet: {}", early.stderr);
    let open = |number| Party::open(&other, number).and("--json").call();
    together(open, |said| said["stage"] == "done");
    for number in 1..=2 {
        succeeded(&Party::desk(&work, "correct", number).call());
    }

    let keys = work.join("families/letter.key");
    let only = Party::family(&other, "read").with("--key", keys.to_str().unwrap());
    let after = only.and("--family").and("0").and("--json").call();
    succeeded(&after);
    let after = after.object();
    assert_ne!(before["tiers"], after["tiers"], "{before} {after}");
    let old = read(&work);
    assert_eq!(before["tiers"], old["tiers"]);
    assert!(old["letter"].to_string().contains("This was corrected"), "{old}");

    let audit = Party::auditor(&work, "verify").and("--re-execute").and("all").and("--json").call();
    succeeded(&audit);
    let audit = audit.object();
    assert_eq!(audit["corrections"].as_array().map(Vec::len), Some(1), "{audit}");
    let chunk = board.join("results/chunk-00000.bt");
    let mut bytes = std::fs::read(&chunk).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&chunk, bytes).unwrap();
    let audit = Party::auditor(&work, "verify").call();
    assert_eq!(audit.code, 2, "{}", audit.stdout);
    assert!(audit.stderr.contains("chunk-00000.bt"), "{}", audit.stderr);
}

#[test]
fn a_finished_round_stays_verifiable_under_its_own_policy_and_not_under_a_changed_one() {
    let work = crate::rig::ROUND.path().join("work");
    succeeded(&Party::auditor(&work, "verify").call());
    let text = std::fs::read_to_string(work.join("public/policy.toml")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let changed = folder.path().join("policy.toml");
    assert!(text.contains("at = [4, 6, 9]"));
    std::fs::write(&changed, text.replace("at = [4, 6, 9]", "at = [4, 6, 8]")).unwrap();
    let audit = Party::auditor(&work, "verify").with("--policy", changed.to_str().unwrap()).call();
    assert_eq!(audit.code, 2, "{}", audit.stdout);
    assert!(audit.stderr.contains("policy"), "{}", audit.stderr);
}
