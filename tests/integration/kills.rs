//! Parties that die, and disks that fail: a round that was interrupted everywhere ends like one that was not.

use crate::rig::{
    Call, Party, ROUND, after_opening, assert_same, copy_tree, hand_in, rewound, succeeded,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::Duration;
use tempfile::TempDir;

/// Lets calls that change files go wrong, see faults.c.
static SHIM: LazyLock<PathBuf> = LazyLock::new(|| {
    let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join("blindtier-faults.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/integration/faults.c");
    let built = Command::new("cc")
        .args(["-O1", "-shared", "-fPIC", "-o"])
        .arg(&library)
        .args([source, "-ldl"])
        .status()
        .unwrap();
    assert!(built.success(), "the C compiler that links Rust programs compiles faults.c");
    library
});

/// Disturbs commands, and counts.
pub struct Disturbance {
    random: ChaCha8Rng,
    /// Processes that were killed: at a call that changes files, and at any moment.
    killed: [u32; 2],
    /// Commands that failed because their storage did.
    failed: u32,
}

/// The most calls after which a fault comes: some commands make a few calls that change files, some many.
const CALLS: [u32; 4] = [3, 6, 12, 24];

impl Disturbance {
    pub fn new(seed: u64) -> Self {
        Self { random: ChaCha8Rng::seed_from_u64(seed), killed: [0; 2], failed: 0 }
    }

    pub fn kills(&self) -> u32 {
        self.killed.iter().sum()
    }

    fn assert_at_least(&self, kills: u32, failures: u32) {
        println!("{self}");
        assert!(self.kills() >= kills && self.failed >= failures, "{self}");
    }

    /// Disturbs a command so many times and then lets it do its work.
    fn call(&mut self, party: &Party<'_>, times: u32) -> Call {
        for _ in 0..times {
            match self.random.random_range(0..6) {
                0 => self.kill_at_any_moment(party),
                1 => self.fault(party, "fail"),
                2 => self.fault(party, "torn"),
                _ => self.fault(party, "kill"),
            }
        }
        let call = party.call();
        succeeded(&call);
        call
    }

    fn kill_at_any_moment(&mut self, party: &Party<'_>) {
        let mut child =
            party.command().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(self.random.random_range(0..150)));
        child.kill().unwrap();
        if child.wait().unwrap().signal() == Some(9) {
            self.killed[1] += 1;
        }
    }

    pub fn fault(&mut self, party: &Party<'_>, mode: &str) {
        let most = CALLS[self.random.random_range(0..CALLS.len())];
        let at = self.random.random_range(1..=most);
        let output = party
            .command()
            .env("LD_PRELOAD", &*SHIM)
            .env("BLINDTIER_FAULT", format!("{mode}:{at}"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains("panicked"), "{mode}:{at}: {said}");
        match (output.status.signal(), output.status.code()) {
            (Some(9), _) if mode == "kill" => self.killed[0] += 1,
            (None, Some(0)) => {}
            (None, Some(1)) if mode != "kill" => {
                let named = said.contains("check the path, the permissions and the free space")
                    || said.contains("check the permissions and the free space");
                assert!(named, "{mode}:{at}: {said}");
                self.failed += 1;
            }
            ended => panic!("{mode}:{at}: {ended:?}: {said}"),
        }
    }
}

impl fmt::Display for Disturbance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { killed: [at_calls, any], failed, .. } = self;
        write!(
            f,
            "{} processes killed ({at_calls} at calls that change files, {any} at any moment), {failed} failed with their disk",
            self.kills()
        )
    }
}

/// The tiers that all families read, and what their letters' head is.
fn tiers(work: &Path) -> Value {
    let call = Party::family(work, "read").and("--json").call();
    succeeded(&call);
    call.object()["tiers"].clone()
}

/// Opens a round with two of three trustees, as the demo does, and disturbs every step.
fn open(work: &Path, disturbance: &mut Disturbance, times: u32) {
    for pass in 0.. {
        assert!(pass < 12, "the opening ends");
        let stages = [1, 2].map(|number| {
            let party = Party::open(work, number).and("--without").and("trustee:3").and("--json");
            disturbance.call(&party, times).object()["stage"].clone()
        });
        if stages == [json!("done"), json!("done")] {
            return;
        }
    }
}

fn audit(work: &Path) {
    let call = Party::auditor(work, "verify").and("--re-execute").and("all").and("--json").call();
    succeeded(&call);
    assert_eq!(call.object()["chunks_recomputed"], json!([0]));
}

/// Evaluates and opens a copy of a finished round again and disturbs every step: the results, the receipt, the partial
/// decryptions and the ledger have to be the same, to the byte.
pub fn again_and_disturbed(undisturbed: &Path, disturbance: &mut Disturbance, times: u32) {
    let folder = rewound(undisturbed);
    let work = folder.path();
    disturbance.call(&Party::evaluator(work).and("--json"), 2 * times);
    open(work, disturbance, times);
    for part in ["results", "partials", "opened", "ledger"] {
        assert_same(&work.join("board").join(part), &undisturbed.join("board").join(part));
    }
    assert_eq!(tiers(work), tiers(undisturbed));
    audit(work);
}

/// From the same keys and submissions the same results, receipt, partial decryptions and ledger come, to the byte: so no
/// ciphertext was opened that the undisturbed round does not open, and none twice with different bytes.
#[test]
fn killed_everywhere_an_evaluation_and_an_opening_end_bit_for_bit_as_undisturbed() {
    let mut disturbance = Disturbance::new(9);
    for _ in 0..2 {
        again_and_disturbed(&ROUND.path().join("work"), &mut disturbance, 26);
    }
    disturbance.assert_at_least(100, 20);
}

/// Announcement, key ceremony, linkage, submission and registration draw random numbers: a disturbed round is another round. It
/// has to end, with the same tiers.
#[test]
fn killed_everywhere_a_round_reaches_its_submissions_and_the_same_tiers() {
    let folder = after_opening();
    let work = folder.path();
    let mut disturbance = Disturbance::new(10);
    let agencies = crate::demo::agencies(work);
    let mut old = ["board", "registrar/rosters", "registrar/private", "registrar/submission"]
        .map(String::from)
        .to_vec();
    old.extend(["sealed-shares", "manifests", "letters", "evaluator/progress"].map(String::from));
    old.extend(agencies.iter().map(|agency| format!("agencies/{agency}/private")));
    old.extend((1..=3).map(|trustee| format!("trustee-{trustee}/private")));
    for folder in old {
        std::fs::remove_dir_all(work.join(folder)).unwrap();
    }
    // Once it is announced, a round is not announced again: the last call is the undisturbed one, or refused.
    let announce = Party::registrar(work);
    for _ in 0..16 {
        if !work.join("board/round.bt").exists() {
            disturbance.fault(&announce, "kill");
        }
    }
    if !work.join("board/round.bt").exists() {
        succeeded(&announce.call());
    }
    let again = announce.call();
    assert_eq!(again.code, 2, "{}", again.stderr);
    let made = (0..8).any(|_| {
        [1, 2, 3].map(|number| {
            let party = Party::keygen(work, number).and("--json");
            disturbance.call(&party, 6).object()["done"] == true
        }) == [true; 3]
    });
    assert!(made, "the key ceremony ends");
    for agency in &agencies {
        let roster = format!("registrar/rosters/{agency}/roster.bt");
        std::fs::copy(work.join(roster), work.join(format!("agencies/{agency}/roster.bt")))
            .unwrap();
        disturbance.call(&Party::link(work, agency), 8);
        disturbance.call(&Party::answer(work, agency), 8);
        disturbance.call(&Party::agency(work, agency), 10);
        hand_in(work, &format!("agencies/{agency}/again"), agency);
    }
    disturbance.call(&Party::registrar_submit(work), 10);
    hand_in(work, "registrar/again", "registrar");
    for number in 1..=3 {
        disturbance.call(&Party::register(work, number), 10);
    }
    for agency in &agencies {
        disturbance.call(&Party::hand_over(work, agency), 8);
    }
    disturbance.call(&Party::registrar_hand_over(work), 8);
    disturbance.call(&Party::evaluator(work), 8);
    open(work, &mut disturbance, 3);
    for agency in &agencies {
        let levels = format!("agencies/{agency}/levels-again");
        copy_tree(&work.join(levels), &work.join(format!("letters/agency-{agency}")));
    }
    copy_tree(&work.join("registrar/levels-again"), &work.join("letters/registrar"));
    assert_eq!(tiers(work), tiers(&ROUND.path().join("work")));
    audit(work);
    disturbance.assert_at_least(100, 20);
}

/// An evaluation in the middle of which a result vanishes, or is damaged, computes it again and nothing else.
#[test]
fn a_result_that_vanished_is_computed_again_and_no_other() {
    let folder: TempDir = after_opening();
    let work = folder.path();
    let results = work.join("board/results");
    let chunk = results.join("chunk-00000.bt");
    let before = std::fs::read(&chunk).unwrap();
    let run = || Party::evaluator(work).and("--json").call();
    let as_it_is = run().object();
    assert_eq!((&as_it_is["resumed_chunks"], &as_it_is["lost_chunks"]), (&json!(1), &json!(0)));
    for damage in [None, Some(&b"torn"[..])] {
        std::fs::remove_file(results.join("receipt.bt")).unwrap();
        match damage {
            None => std::fs::remove_file(&chunk).unwrap(),
            Some(bytes) => std::fs::write(&chunk, bytes).unwrap(),
        }
        let again = run();
        succeeded(&again);
        assert_eq!(again.object()["resumed_chunks"], json!(0));
        assert_eq!(std::fs::read(&chunk).unwrap(), before);
    }
}
