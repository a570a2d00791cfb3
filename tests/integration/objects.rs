//! Boards in object stores: the same commands, with a URL for the board.

use crate::rig::{Party, ROUND, assert_same, before_evaluation, copy_tree, succeeded};
use serde_json::{Value, json};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// An S3 server: keeps objects as files, and checks signatures of requests.
const SERVER: [&str; 2] = ["s3s-fs", "0.14.1"];
const KEYS: [&str; 2] = ["blindtier-test", "a secret of this test only"];

/// Compiles the server once, beside what the tests are compiled into.
fn server() -> PathBuf {
    let tools = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tools");
    let [name, version] = SERVER;
    let program = tools.join("bin").join(name);
    if !program.exists() {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo)
            .args(["install", name, "--version", version, "--features", "binary"])
            .args(["--locked", "--debug", "--no-track", "--root"])
            .arg(&tools)
            .arg("--target-dir")
            .arg(tools.join("build"))
            .status()
            .unwrap();
        assert!(built.success(), "cargo install {name} {version}");
        std::fs::remove_dir_all(tools.join("build")).unwrap();
    }
    program
}

/// A running server with one bucket.
struct S3 {
    process: Child,
    port: u16,
    folder: TempDir,
}

impl S3 {
    fn start() -> Self {
        let program = server();
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("boards")).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut process = Command::new(program)
            .args(["--host", "127.0.0.1", "--port", &port.to_string()])
            .args(["--access-key", KEYS[0], "--secret-key", KEYS[1]])
            .arg(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(process.try_wait().unwrap().is_none(), "the server runs");
            assert!(begun.elapsed() < Duration::from_secs(20), "the server answers");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { process, port, folder }
    }

    /// The bucket's files.
    fn bucket(&self) -> PathBuf {
        self.folder.path().join("boards")
    }

    /// A command with the board in the bucket and the keys in the environment.
    fn command(&self, party: Party<'_>, secret: &str) -> Command {
        let mut command = party.on("s3://boards/round").command();
        command
            .env("AWS_ENDPOINT", format!("http://127.0.0.1:{}", self.port))
            .env("AWS_ALLOW_HTTP", "true")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", KEYS[0])
            .env("AWS_SECRET_ACCESS_KEY", secret);
        command
    }

    fn call(&self, party: Party<'_>) -> Value {
        let output = self.command(party.and("--json"), KEYS[1]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        // It has ended by itself then.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Submitters upload, shards on two machines and the evaluator compute, trustees open, the auditor recomputes and families read:
/// all over S3, and the bucket has the bytes of the round in a folder.
#[test]
fn a_round_over_an_s3_server_is_the_round_in_a_folder() {
    let s3 = S3::start();
    let undisturbed = ROUND.path().join("work");
    let folder = before_evaluation();
    let work = folder.path();
    let agencies = crate::demo::agencies(work);
    let round = s3.bucket().join("round");
    copy_tree(&work.join("board"), &round);
    std::fs::remove_dir_all(work.join("board")).unwrap();
    std::fs::remove_dir_all(round.join("submissions")).unwrap();

    for agency in &agencies {
        let from = format!("agencies/{agency}/submission");
        s3.call(Party::hand_over(work, agency).with("--submission", &from));
        let again = s3.call(Party::hand_over(work, agency).with("--submission", &from));
        assert!(again["bytes"].as_u64().unwrap() > 0);
    }
    s3.call(Party::registrar_hand_over(work).with("--submission", "registrar/submission"));

    let shard = |shard: &str| s3.call(Party::evaluator(work).and("--shard").and(shard));
    assert_eq!((&shard("1/2")["chunks"], &shard("2/2")["chunks"]), (&json!(1), &json!(0)));
    let done = s3.call(Party::evaluator(work));
    assert_eq!((&done["resumed_chunks"], &done["lost_chunks"]), (&json!(1), &json!(0)));
    assert_same(&round.join("results"), &undisturbed.join("board/results"));

    for pass in 0.. {
        assert!(pass < 12, "the opening ends");
        let stages = [1, 2].map(|number| {
            let party = Party::open(work, number).and("--without").and("trustee:3");
            s3.call(party)["stage"].clone()
        });
        if stages == [json!("done"), json!("done")] {
            break;
        }
    }
    for part in ["submissions", "partials", "opened", "ledger"] {
        assert_same(&round.join(part), &undisturbed.join("board").join(part));
    }
    let read = s3.call(Party::family(work, "read"));
    let expected = Party::family(&undisturbed, "read").and("--json").call();
    succeeded(&expected);
    assert_eq!(read["tiers"], expected.object()["tiers"]);
    let audit = Party::auditor(work, "verify").and("--re-execute").and("all");
    assert_eq!(s3.call(audit)["chunks_recomputed"], json!([0]));

    // A wrong key is the caller's fault, and is not shown.
    let refused = s3.command(Party::evaluator(work), "another secret").output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("s3://boards/round") && !said.contains("another secret"), "{said}");
}

/// The same code reaches folders: a board under `file://`.
#[test]
fn a_board_under_a_file_url_is_the_board_in_its_folder() {
    let undisturbed = ROUND.path().join("work");
    let folder = before_evaluation();
    let work = folder.path();
    let url = format!("file://{}", work.join("board").display());
    let call = Party::evaluator(work).on(&url).call();
    succeeded(&call);
    assert_same(&work.join("board/results"), &undisturbed.join("board/results"));
    // Secrets and records stay on the party's own machine.
    let private = format!("file://{}", work.join("elsewhere").display());
    let call = Party::open(work, 1).at("--private", &private).call();
    assert_eq!(call.code, 2);
    assert!(call.stderr.contains("own machine"), "{}", call.stderr);
    assert!(!work.join("elsewhere").exists());
}

#[test]
fn a_store_that_cannot_be_reached_is_named() {
    let work = before_evaluation();
    for url in ["ftp://host/round", "s3:///round"] {
        let call = Party::evaluator(work.path()).on(url).call();
        assert_eq!(call.code, 2, "{}", call.stderr);
        assert!(call.stderr.contains(url), "{}", call.stderr);
    }
}
