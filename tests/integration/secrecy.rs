//! What must not be found where.

use crate::demo::agencies;
use crate::rig::{Party, ROUND, after_opening, blindtier, files_below};
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
    for folder in ["evaluator", "public", "trustee"] {
        for file in files_below(&work.join(folder)) {
            let bytes = std::fs::read(&file).unwrap();
            assert!(!contains(&bytes, CANARY.as_bytes()), "{}", file.display());
        }
    }
    assert!(!call.stdout.contains(CANARY) && !call.stderr.contains(CANARY));
}

#[test]
fn the_secret_key_is_in_the_trustees_own_folder_only() {
    let work = ROUND.path().join("work");
    let secret = std::fs::read(work.join("trustee/private/secret-key.bt")).unwrap();
    // The key's bits are the body's last bytes, before the signature.
    let bits = &secret[secret.len() - 64 - 256..secret.len() - 64];
    assert!(
        bits.iter().collect::<std::collections::BTreeSet<_>>().len() > 64,
        "these are key bits"
    );
    let parts: Vec<&[u8]> = bits.chunks(32).collect();
    for file in files_below(&work) {
        if file.starts_with(work.join("trustee/private")) {
            continue;
        }
        let bytes = std::fs::read(&file).unwrap();
        if bytes.len() > 4 << 20 {
            // The evaluation key encrypts these bits; one pass for one part is enough here.
            assert!(!contains(&bytes, parts[0]), "{}", file.display());
            continue;
        }
        for part in &parts {
            assert!(!contains(&bytes, part), "{}", file.display());
        }
    }
}

#[test]
fn secret_files_are_their_owners_only() {
    let work = ROUND.path().join("work");
    let mut secrets = vec![
        work.join("trustee/private/secret-key.bt"),
        work.join("families/letter.key"),
        work.join("registrar/signing.key"),
        work.join("evaluator/signing.key"),
        work.join("trustee/signing.key"),
    ];
    for agency in agencies(&work) {
        secrets.push(work.join(format!("agencies/{agency}/signing.key")));
        secrets.push(work.join(format!("registrar/round/rosters/{agency}/roster.bt")));
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
    assert_eq!(
        sizes(&format!("agencies/{agency}/again")),
        sizes(&format!("agencies/{agency}/submission"))
    );
}
