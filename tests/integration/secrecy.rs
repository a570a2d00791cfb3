//! What must not be found where.

use crate::demo::agencies;
use crate::rig::{Party, ROUND, after_opening, blindtier, files_below};
use blindtier::policy::Policy;
use blindtier::wire::{Board, Digest, Expect, PartyName, Round, Shares, TrustFile, read};
use std::os::unix::fs::PermissionsExt;

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn a_canary_of_a_register_is_nowhere_in_the_evaluators_folder() {
    const CANARY: &str = "canary-7f3a91c2";
    // A register with the canary as a person, as a family and as a value that a category knows.
    let folder = tempfile::tempdir().unwrap();
    let policy = std::fs::read_to_string("policies/nursery.toml").unwrap();
    let data = std::fs::read_to_string("data/nursery.csv").unwrap();
    let mut lines = data.lines();
    let mut text = format!("id,{}\n", lines.next().unwrap());
    for (number, line) in lines.step_by(1296).enumerate() {
        text.push_str(&format!("{CANARY}-{number},{line}\n"));
    }
    let (policy_file, data_file) =
        (folder.path().join("policy.toml"), folder.path().join("data.csv"));
    std::fs::write(&policy_file, policy).unwrap();
    std::fs::write(&data_file, text).unwrap();
    let work = folder.path().join("work");
    let call = blindtier([
        "demo",
        "--engine",
        "bfv",
        "--json",
        "--policy",
        policy_file.to_str().unwrap(),
        "--data",
        data_file.to_str().unwrap(),
        "--work",
        work.to_str().unwrap(),
    ]);
    assert_eq!(call.code, 0, "{}{}", call.stdout, call.stderr);

    let planted = files_below(&work.join("agencies/health_service"));
    assert!(planted.iter().any(|f| contains(&std::fs::read(f).unwrap(), CANARY.as_bytes())));
    for folder in ["board", "evaluator", "public", "trustee-1", "trustee-2", "letters", "manifests"]
    {
        for file in files_below(&work.join(folder)) {
            let bytes = std::fs::read(&file).unwrap();
            assert!(!contains(&bytes, CANARY.as_bytes()), "{}", file.display());
        }
    }
    assert!(!call.stdout.contains(CANARY) && !call.stderr.contains(CANARY));
}

#[test]
fn shares_are_in_the_trustees_own_folders_only() {
    let work = ROUND.path().join("work");
    let trust = TrustFile::read(&work.join("public/trust.toml")).unwrap();
    let policy =
        Policy::parse("mpi", &std::fs::read_to_string("policies/mpi.toml").unwrap()).unwrap();
    let board = Board::new(work.join("board"));
    let round = Round::read(&board.round(), &trust, Digest(policy.hash().0)).unwrap();
    let mut parts: Vec<Vec<u8>> = Vec::new();
    for number in 1..=3 {
        let name = PartyName::trustee(number);
        let file = work.join(format!("trustee-{number}/private/shares.bt"));
        let shares =
            read::<Shares>(&file, &Expect::of(&name, &round.context), &trust).unwrap().body;
        assert_eq!(shares.shares.len(), 2);
        for share in &shares.shares {
            parts.push(share.key.to_vec());
            parts.extend(share.material.chunks(32).take(8).map(<[u8]>::to_vec));
        }
    }
    parts.sort();
    parts.dedup();
    assert_eq!(parts.len(), 3, "three shares, each with two holders");
    let own = |file: &std::path::Path| {
        (1..=3).any(|n| file.starts_with(work.join(format!("trustee-{n}/private"))))
    };
    let mut found = 0;
    for file in files_below(&work) {
        let bytes = std::fs::read(&file).unwrap();
        let holds = parts.iter().filter(|part| contains(&bytes, part)).count();
        if own(&file) {
            found += holds;
        } else {
            assert_eq!(holds, 0, "{}", file.display());
        }
    }
    assert!(found >= 6, "they are where they belong");
}

#[test]
fn secret_files_are_their_owners_only() {
    let work = ROUND.path().join("work");
    let mut secrets = vec![
        work.join("families/letter.key"),
        work.join("families/proof.toml"),
        work.join("registrar/signing.key"),
        work.join("registrar/private/opt-outs.bt"),
        work.join("evaluator/signing.key"),
    ];
    for number in 1..=3 {
        secrets.push(work.join(format!("trustee-{number}/signing.key")));
        for name in ["shares.bt", "made-shares.bt", "receiving.key"] {
            secrets.push(work.join(format!("trustee-{number}/private/{name}")));
        }
    }
    for agency in agencies(&work) {
        secrets.push(work.join(format!("agencies/{agency}/signing.key")));
        secrets.push(work.join(format!("registrar/rosters/{agency}/roster.bt")));
        secrets.push(work.join(format!("registrar/private/{agency}/linkage-key.bt")));
        secrets.push(work.join(format!("agencies/{agency}/private/linkage-state.bt")));
        secrets.push(work.join(format!("agencies/{agency}/report.csv")));
    }
    for file in secrets {
        let mode = std::fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", file.display());
    }
}

#[test]
fn submissions_of_an_agency_that_knows_nobody_look_the_same() {
    let work = after_opening();
    let agency = agencies(work.path()).remove(0);
    let register = work.path().join(format!("agencies/{agency}/register.csv"));
    let header = std::fs::read_to_string(&register).unwrap().lines().next().unwrap().to_owned();
    std::fs::write(&register, format!("{header}\n")).unwrap();
    let call = Party::agency(work.path(), &agency).call();
    assert_eq!(call.code, 0, "{}", call.stderr);
    let sizes = |folder: &str| -> Vec<(String, u64)> {
        files_below(&work.path().join(folder))
            .iter()
            .map(|f| {
                let name = f.file_name().unwrap().to_str().unwrap().to_owned();
                (name, std::fs::metadata(f).unwrap().len())
            })
            .collect()
    };
    for (again, first) in [("again", "submission"), ("levels-again", "levels")] {
        assert_eq!(
            sizes(&format!("agencies/{agency}/{again}")),
            sizes(&format!("agencies/{agency}/{first}"))
        );
    }
}
