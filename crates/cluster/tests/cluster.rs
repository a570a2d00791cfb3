//! A scheduler and three executors as processes on this machine, killed at different times: every run completes, with the
//! bytes of the evaluation on one machine.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Families and slots a chunk: twelve chunks of half a second or more each.
const FAMILIES: &str = "24";
const CHUNK: &str = "2";
const CHUNKS: usize = 12;
const EXECUTORS: usize = 3;

/// The program with the command `cluster`: cargo builds examples before it runs a package's tests.
fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.parent().unwrap().parent().unwrap().join("examples/program");
    assert!(
        program.exists(),
        "`cargo test -p blindtier-cluster` without --test builds {program:?}"
    );
    program
}

/// A finished round, made by the demo and computed on this machine alone.
struct Finished {
    folder: TempDir,
}

impl Finished {
    fn make() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = Command::new(program())
            .args(["demo", "--engine", "tfhe", "--proofs", "off", "--families", FAMILIES])
            .args(["--chunk", CHUNK, "--work"])
            .arg(folder.path().join("round"))
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self { folder }
    }

    fn round(&self) -> PathBuf {
        self.folder.path().join("round")
    }

    /// The results and the receipt.
    fn results(&self) -> BTreeMap<String, Vec<u8>> {
        results(&self.round())
    }

    /// Takes the results away, so that they are computed again.
    fn rewind(&self) {
        for done in ["board/results", "evaluator/progress"] {
            let done = self.round().join(done);
            if done.exists() {
                fs::remove_dir_all(done).unwrap();
            }
        }
    }
}

fn results(round: &Path) -> BTreeMap<String, Vec<u8>> {
    let Ok(found) = fs::read_dir(round.join("board/results")) else { return BTreeMap::new() };
    found
        .map(|entry| {
            let entry = entry.unwrap();
            (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
        })
        .collect()
}

/// How many chunks have a result.
fn there(round: &Path) -> usize {
    let Ok(found) = fs::read_dir(round.join("board/results")) else { return 0 };
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
    found.map(name).filter(|name| name.to_str().unwrap().starts_with("chunk-")).count()
}

/// A process that is killed when the test is done with it.
struct Process(Child);

impl Process {
    fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap())
    }

    /// SIGKILL.
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// The threads' time on cores so far, in hundredths of a second.
    fn worked(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended by itself then.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A scheduler and its executors, for one round.
struct Cluster {
    round: PathBuf,
    address: String,
    scheduler: Process,
    executors: Vec<Process>,
}

impl Cluster {
    fn start(round: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let scheduler = scheduler(&address);
        let mut cluster =
            Self { round: round.to_owned(), address, scheduler, executors: Vec::new() };
        cluster.executors = (0..EXECUTORS).map(|_| cluster.executor()).collect();
        cluster
    }

    fn executor(&self) -> Process {
        Process::start(
            self.command("executor").stdout(Stdio::null()).stderr(self.log("executor.log")),
        )
    }

    fn log(&self, name: &str) -> fs::File {
        let path = self.round.join(name);
        fs::OpenOptions::new().create(true).append(true).open(path).unwrap()
    }

    fn command(&self, part: &str) -> Command {
        let at = |file: &str| self.round.join(file);
        let mut command = Command::new(program());
        command
            .args(["cluster", part, "--progress", "off", "--scheduler", &self.address])
            .arg("--policy")
            .arg(at("public/policy.toml"))
            .arg("--board")
            .arg(at("board"))
            .arg("--trust")
            .arg(at("public/trust.toml"))
            .arg("--identity")
            .arg(at("evaluator/signing.key"));
        command
    }

    fn run(&self) -> Running {
        let mut command = self.command("run");
        command.args(["--json", "--stall", "15"]);
        Running(Process::start(command.stdout(Stdio::piped()).stderr(self.log("run.log"))))
    }

    /// Waits until so many results are there, or the run has ended.
    fn wait_for(&self, results: usize, running: &mut Running) {
        while there(&self.round) < results && running.0.0.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The executor that has used the cores most, or least, in the last moment.
    fn executor_by_work(&self, most: bool) -> usize {
        let before: Vec<u64> = self.executors.iter().map(Process::worked).collect();
        std::thread::sleep(Duration::from_millis(200));
        let worked = |index: &usize| self.executors[*index].worked() - before[*index];
        let all = 0..self.executors.len();
        if most { all.max_by_key(worked) } else { all.min_by_key(worked) }.unwrap()
    }
}

/// Starts a scheduler, which says when it listens.
fn scheduler(address: &str) -> Process {
    let mut process = Process::start(
        Command::new(program())
            .args(["cluster", "scheduler", "--json", "--silence", "6", "--listen", address])
            .stdout(Stdio::piped())
            .stderr(Stdio::null()),
    );
    let mut line = String::new();
    BufReader::new(process.0.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let said: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(said["listening"], json!(address));
    process
}

/// A `cluster run`.
struct Running(Process);

impl Running {
    /// What it printed, once it has ended well.
    fn end(mut self, round: &Path) -> Value {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.0.0.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < Duration::from_secs(180), "the run ends");
            std::thread::sleep(Duration::from_millis(50));
        };
        let log = |name: &str| fs::read_to_string(round.join(name)).unwrap_or_default();
        assert!(status.success(), "{}\n{}", log("run.log"), log("executor.log"));
        serde_json::from_reader(self.0.0.stdout.take().unwrap()).unwrap()
    }
}

/// When something is killed.
#[derive(Clone, Copy, Debug)]
enum Kill {
    /// The executor that works most.
    Busy,
    /// The executor that works least, which holds rows of finished chunks.
    Idle,
    /// Every executor, one after the other; others are started.
    All,
    /// The scheduler, which is started again at its address.
    Scheduler,
    /// The run, which is started again.
    Run,
}

/// What is killed when so many results are there.
const KILLS: [(Kill, usize); 20] = [
    (Kill::Busy, 0),
    (Kill::Scheduler, 0),
    (Kill::Busy, 1),
    (Kill::Idle, 2),
    (Kill::Scheduler, 3),
    (Kill::Run, 2),
    (Kill::Busy, 5),
    (Kill::Idle, 6),
    (Kill::All, 3),
    (Kill::Scheduler, 7),
    (Kill::Busy, 8),
    (Kill::Run, 8),
    (Kill::Idle, 9),
    (Kill::Scheduler, 10),
    (Kill::Busy, 11),
    (Kill::Idle, 11),
    (Kill::Run, 11),
    (Kill::Busy, CHUNKS),
    (Kill::Idle, CHUNKS),
    (Kill::Scheduler, CHUNKS),
];

#[test]
fn twenty_runs_with_a_kill_each_complete_with_the_bytes_of_one_machine() {
    let finished = Finished::make();
    let (round, alone) = (finished.round(), finished.results());
    assert_eq!(there(&round), CHUNKS);
    let mut cluster = Cluster::start(&round);
    for (number, (kill, at)) in KILLS.into_iter().enumerate() {
        finished.rewind();
        let begun = Instant::now();
        let mut running = cluster.run();
        cluster.wait_for(at, &mut running);
        let found = there(&round);
        match kill {
            Kill::Busy | Kill::Idle => {
                let index = cluster.executor_by_work(matches!(kill, Kill::Busy));
                cluster.executors[index].kill();
            }
            Kill::All => cluster.executors.iter_mut().for_each(Process::kill),
            Kill::Scheduler => {
                cluster.scheduler.kill();
                cluster.scheduler = scheduler(&cluster.address);
            }
            Kill::Run => {
                running.0.kill();
                running = cluster.run();
            }
        }
        if matches!(kill, Kill::All) {
            cluster.executors = (0..EXECUTORS).map(|_| cluster.executor()).collect();
        }
        let said = running.end(&round);
        assert_eq!(said["slots"], json!(24));
        assert_eq!(finished.results(), alone, "{kill:?} at {at}");
        eprintln!(
            "run {}: {kill:?} killed at {found} of {CHUNKS} results; complete after {:.1} s",
            number + 1,
            begun.elapsed().as_secs_f64()
        );
        if matches!(kill, Kill::Busy | Kill::Idle) {
            cluster.executors.retain_mut(|process| process.0.try_wait().unwrap().is_none());
            assert_eq!(cluster.executors.len(), EXECUTORS - 1, "one was killed, and no other died");
            cluster.executors.push(cluster.executor());
        }
    }
    others_are_refused(&finished, &cluster);
}

/// Executors compute what the ledger has and nothing else; a run that gets nothing gives up and keeps what is there.
fn others_are_refused(finished: &Finished, cluster: &Cluster) {
    // A board at another place: the executors' own is at the same round's old one.
    let (folder, round) = (tempfile::tempdir().unwrap(), finished.round());
    finished.rewind();
    let copied = Command::new("cp").arg("-a").arg(&round).arg(folder.path()).status().unwrap();
    assert!(copied.success());
    let moved = folder.path().join("round");
    let other = Cluster {
        round: moved.clone(),
        address: cluster.address.clone(),
        scheduler: Process::start(Command::new("true").stdout(Stdio::null())),
        executors: Vec::new(),
    };
    let mut command = other.command("run");
    let refused = command.arg("--json").output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let said: Value = serde_json::from_slice(&refused.stdout).unwrap();
    let error = said["error"].as_str().unwrap();
    assert!(error.contains("12 chunks have no result") && error.contains("same policy"), "{error}");
    assert_eq!((there(&moved), there(&round)), (0, 0));
}
