//! Rounds of random policies under faults, for as long as one likes: `tests/soak`.

use crate::kills::{Disturbance, again_and_disturbed};
use crate::rig::blindtier;
use blindtier::policy::Policy;
use blindtier_policy::arbitrary::policies;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use std::time::{Duration, Instant};

/// Every round has to agree with the clear twin, family by family, and to come out the same after it was disturbed
/// everywhere.
#[test]
#[ignore = "takes as long as BLINDTIER_SOAK_SECONDS says: run tests/soak"]
fn soak() {
    let setting = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seconds = Duration::from_secs(setting("BLINDTIER_SOAK_SECONDS").unwrap_or(60));
    let now = || std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let seed = setting("BLINDTIER_SOAK_SEED").unwrap_or_else(now);
    println!("seed {seed}");
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut disturbance = Disturbance::new(seed);
    let source: Vec<u8> = (0..4).flat_map(|i| (seed + i).to_le_bytes()).collect();
    let source = TestRng::from_seed(RngAlgorithm::ChaCha, &source);
    let mut runner = TestRunner::new_with_rng(Config::default(), source);
    let (begun, mut rounds, mut families, mut unplanned) = (Instant::now(), 0, 0, 0);
    while begun.elapsed() < seconds {
        let policy: Policy = policies().new_tree(&mut runner).unwrap().current();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("policy.toml");
        std::fs::write(&file, policy.to_toml()).unwrap();
        let work = folder.path().join("work");
        let count = random.random_range(3..400_u32);
        let mut pick = |from: [&'static str; 2]| from[random.random_range(0..2)];
        let (layout, proofs) = (pick(["folded", "per-indicator"]), pick(["off", "on"]));
        let (linkage, missing) = (pick(["oblivious", "keyed-hash"]), pick(["0%", "20%"]));
        let [count, seed] = [count, random.random()].map(|number: u32| number.to_string());
        let call = blindtier([
            "demo",
            "--engine",
            "bfv",
            "--policy",
            file.to_str().unwrap(),
            "--families",
            &count,
            "--seed",
            &seed,
            "--layout",
            layout,
            "--proofs",
            proofs,
            "--linkage",
            linkage,
            "--missing",
            missing,
            "--work",
            work.to_str().unwrap(),
            "--json",
        ]);
        if call.code == 2 && !work.join("board/round.bt").exists() {
            // The engine says that it cannot plan this policy, or no agency has anything to submit.
            unplanned += 1;
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(call.code, 0, "{}{}\n{text}", call.stdout, call.stderr);
        assert_eq!(call.object()["disagree"], json!(0), "{text}");
        again_and_disturbed(&work, &mut disturbance, 3);
        rounds += 1;
        families += call.object()["families"].as_u64().unwrap();
        println!(
            "{:.0} s: {rounds} rounds, {families} families, {unplanned} policies not planned, {disturbance}",
            begun.elapsed().as_secs_f64()
        );
    }
    assert!(rounds > 0, "no round was played");
}
