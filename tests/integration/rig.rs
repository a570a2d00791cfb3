//! Running the program, and finished rounds to play with.

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use tempfile::TempDir;

/// What a call left behind.
pub struct Call {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Call {
    /// The object that `--json` printed.
    pub fn object(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|e| panic!("{e}: {}{}", self.stdout, self.stderr))
    }
}

/// Calls the program in the repository's root.
pub fn blindtier<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Call {
    called(Command::new(env!("CARGO_BIN_EXE_blindtier")).args(arguments))
}

fn called(command: &mut Command) -> Call {
    let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    Call {
        code: output.status.code().expect("ended by itself"),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A finished demo round of the poverty index, kept for all tests; never changed.
pub static ROUND: LazyLock<TempDir> = LazyLock::new(finished_round);
/// Another round of the same policy, families and parties, with the same signing keys, up to the submissions.
pub static OTHER_ROUND: LazyLock<TempDir> = LazyLock::new(other_round);

fn finished_round() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path().join("work");
    let work = work.to_str().unwrap();
    let arguments = ["--policy", "mpi", "--families", "6", "--engine", "bfv", "--json", "--work"];
    succeeded(&blindtier(["demo"].iter().chain(&arguments).chain(&[work])));
    folder
}

fn other_round() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path().join("work");
    copy_tree(&ROUND.path().join("work"), &work);
    let agencies = crate::demo::agencies(&work);
    let mut old = ["board", "registrar/rosters", "registrar/private", "registrar/submission"]
        .map(String::from)
        .to_vec();
    old.extend(["sealed-shares", "manifests", "letters", "evaluator/progress"].map(String::from));
    old.extend(agencies.iter().map(|agency| format!("agencies/{agency}/private")));
    for folder in old {
        std::fs::remove_dir_all(work.join(folder)).unwrap();
    }
    for trustee in 1..=3 {
        std::fs::remove_dir_all(work.join(format!("trustee-{trustee}/private"))).unwrap();
    }
    succeeded(&Party::registrar(&work).call());
    let step = |number| {
        let call = Party::keygen(&work, number).and("--json").call();
        succeeded(&call);
        call.object()["done"] == true
    };
    let made = (0..8).any(|_| [1, 2, 3].map(step) == [true; 3]);
    assert!(made, "the key ceremony ends");
    for agency in &agencies {
        let roster = format!("registrar/rosters/{agency}/roster.bt");
        let own = format!("agencies/{agency}/roster.bt");
        std::fs::copy(work.join(roster), work.join(own)).unwrap();
        succeeded(&Party::link(&work, agency).call());
        succeeded(&Party::answer(&work, agency).call());
        succeeded(&Party::agency(&work, agency).call());
        hand_in(&work, &format!("agencies/{agency}/again"), agency);
    }
    succeeded(&Party::registrar_submit(&work).call());
    hand_in(&work, "registrar/again", "registrar");
    (1..=3).for_each(|number| succeeded(&Party::register(&work, number).call()));
    agencies.iter().for_each(|agency| succeeded(&Party::hand_over(&work, agency).call()));
    succeeded(&Party::registrar_hand_over(&work).call());
    folder
}

/// Gives the manifest of a submission to the trustees.
pub fn hand_in(work: &Path, submission: &str, submitter: &str) {
    let manifest = work.join(format!("manifests/{submitter}"));
    std::fs::create_dir_all(&manifest).unwrap();
    let from = work.join(submission).join("submission.bt");
    std::fs::copy(from, manifest.join("submission.bt")).unwrap();
}

/// Asserts that a call did its work.
pub fn succeeded(call: &Call) {
    assert_eq!(call.code, 0, "{}{}", call.stdout, call.stderr);
}

/// A private copy of the finished round, with what came after the submissions removed.
pub fn before_evaluation() -> TempDir {
    rewound(&ROUND.path().join("work"))
}

/// A private copy of a finished round of three trustees, with what came after the submissions removed.
pub fn rewound(work: &Path) -> TempDir {
    let folder = copy_of(work);
    for done in ["board/results", "evaluator/progress"] {
        std::fs::remove_dir_all(folder.path().join(done)).unwrap();
    }
    undo_opening(folder.path());
    folder
}

/// A private copy of the finished round, with what came after the evaluation removed.
pub fn before_opening() -> TempDir {
    let folder = after_opening();
    undo_opening(folder.path());
    folder
}

fn undo_opening(work: &Path) {
    for later in ["board/partials", "board/opened", "board/ledger/00002", "board/ledger/00003"] {
        std::fs::remove_dir_all(work.join(later)).unwrap();
    }
    for trustee in 1..=3 {
        let letters = work.join(format!("letters/trustee-{trustee}"));
        if letters.exists() {
            std::fs::remove_dir_all(letters).unwrap();
        }
        for file in files_below(&work.join(format!("trustee-{trustee}/private"))) {
            let name = file.to_str().unwrap();
            let later = ["opened-", "opening-", "00002.txt", "00003.txt"];
            if later.iter().any(|part| name.contains(part)) {
                std::fs::remove_file(file).unwrap();
            }
        }
    }
}

/// A private copy of the finished round.
pub fn after_opening() -> TempDir {
    copy_of(&ROUND.path().join("work"))
}

/// A private copy of a folder.
pub fn copy_of(from: &Path) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy_tree(from, folder.path());
    folder
}

/// Copies a folder with everything below it.
pub fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).unwrap();
        }
    }
}

/// Every file below a folder.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// What is compared: the files below a folder, without those that a process that died had not finished.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let finished =
        |file: &PathBuf| !file.file_name().unwrap().to_string_lossy().starts_with(".unfinished-");
    files_below(folder)
        .into_iter()
        .filter(finished)
        .map(|file| (file.strip_prefix(folder).unwrap().to_owned(), std::fs::read(&file).unwrap()))
        .collect()
}

/// Asserts that two folders hold the same files with the same bytes.
pub fn assert_same(one: &Path, other: &Path) {
    let (one, other) = (contents(one), contents(other));
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    for (name, bytes) in &one {
        assert!(*bytes == other[name], "{} differs", name.display());
    }
}

/// The command of a party on the files of a work folder, as the demo lays them out.
pub struct Party<'a> {
    work: &'a Path,
    arguments: Vec<String>,
}

impl<'a> Party<'a> {
    fn new(work: &'a Path, command: [&str; 2], folder: &str) -> Self {
        let party = Self { work, arguments: command.map(String::from).to_vec() };
        party
            .with("--policy", "public/policy.toml")
            .with("--trust", "public/trust.toml")
            .with("--board", "board")
            .with("--identity", &format!("{folder}/signing.key"))
    }

    pub fn registrar(work: &'a Path) -> Self {
        Self::new(work, ["registrar", "new-round"], "registrar")
            .without("--trust")
            .with("--population", "registrar/population.csv")
            .with("--rosters", "registrar/rosters")
            .with("--private", "registrar/private")
            .and("--engine")
            .and("bfv")
    }

    /// The registrar's announcement of a correction; what only it and the agencies get goes to another folder.
    pub fn correct_slots(work: &'a Path, other: &Path) -> Self {
        let at = |name: &str| other.join(name).to_str().unwrap().to_owned();
        Self::new(work, ["registrar", "correct"], "registrar")
            .with("--population", "registrar/population.csv")
            .with("--rosters", &at("rosters"))
            .with("--private", &at("registrar/private"))
    }

    pub fn dealer(work: &'a Path) -> Self {
        Self::new(work, ["dealer", "deal"], "dealer").with("--sealed", "sealed-shares")
    }

    /// The registrar's answer to an agency's request.
    pub fn answer(work: &'a Path, agency: &str) -> Self {
        Self::new(work, ["registrar", "link"], "registrar")
            .with("--request", &format!("agencies/{agency}/request.bt"))
            .with("--private", "registrar/private")
            .with("--out", &format!("agencies/{agency}/answer.bt"))
    }

    pub fn registrar_submit(work: &'a Path) -> Self {
        Self::new(work, ["registrar", "submit"], "registrar")
            .with("--private", "registrar/private")
            .with("--out", "registrar/again")
            .with("--levels", "registrar/levels-again")
    }

    pub fn registrar_hand_over(work: &'a Path) -> Self {
        Self::new(work, ["registrar", "hand-over"], "registrar")
            .with("--submission", "registrar/again")
    }

    fn trustee(work: &'a Path, command: &str, number: u16) -> Self {
        let folder = format!("trustee-{number}");
        Self::new(work, ["trustee", command], &folder)
            .with("--private", &format!("{folder}/private"))
    }

    pub fn keygen(work: &'a Path, number: u16) -> Self {
        Self::trustee(work, "keygen", number).with("--sealed", "sealed-shares")
    }

    pub fn register(work: &'a Path, number: u16) -> Self {
        Self::trustee(work, "register", number).with("--manifests", "manifests")
    }

    pub fn open(work: &'a Path, number: u16) -> Self {
        Self::trustee(work, "open", number).with("--letters", &format!("letters/trustee-{number}"))
    }

    /// Any other command of a trustee.
    pub fn desk(work: &'a Path, command: &str, number: u16) -> Self {
        Self::trustee(work, command, number)
    }

    pub fn evaluator(work: &'a Path) -> Self {
        Self::new(work, ["evaluator", "run"], "evaluator")
    }

    /// The evaluator's counting of families.
    pub fn count(work: &'a Path) -> Self {
        Self::new(work, ["evaluator", "count"], "evaluator")
    }

    pub fn agency(work: &'a Path, agency: &str) -> Self {
        let folder = format!("agencies/{agency}");
        let party = Self::new(work, ["agency", "submit"], &folder)
            .with("--roster", &format!("{folder}/roster.bt"))
            .with("--register", &format!("{folder}/register.csv"))
            .with("--out", &format!("{folder}/again"))
            .with("--levels", &format!("{folder}/levels-again"));
        // Only where the round is linked obliviously.
        match work.join(format!("{folder}/answer.bt")).exists() {
            true => party
                .with("--private", &format!("{folder}/private"))
                .with("--answer", &format!("{folder}/answer.bt")),
            false => party,
        }
    }

    /// An agency's request to the registrar.
    pub fn link(work: &'a Path, agency: &str) -> Self {
        let folder = format!("agencies/{agency}");
        Self::new(work, ["agency", "link"], &folder)
            .with("--roster", &format!("{folder}/roster.bt"))
            .with("--register", &format!("{folder}/register.csv"))
            .with("--private", &format!("{folder}/private"))
            .with("--out", &format!("{folder}/request.bt"))
    }

    pub fn hand_over(work: &'a Path, agency: &str) -> Self {
        let folder = format!("agencies/{agency}");
        Self::new(work, ["agency", "hand-over"], &folder)
            .with("--submission", &format!("{folder}/again"))
    }

    /// A command of a family, or of the simulation that holds all their keys.
    pub fn family(work: &'a Path, command: &str) -> Self {
        Self::new(work, ["family", command], "families")
            .without("--identity")
            .with("--key", "families/letter.key")
            .with("--letters", "letters")
    }

    /// A command of the auditor, who signs nothing.
    pub fn auditor(work: &'a Path, command: &str) -> Self {
        let board = work.join("board").to_str().unwrap().to_owned();
        Self::new(work, ["auditor", command], "")
            .without("--identity")
            .without("--board")
            .and(&board)
    }

    /// Takes an argument and its value away.
    pub fn without(mut self, flag: &str) -> Self {
        let at = self.arguments.iter().position(|a| a == flag).unwrap();
        self.arguments.drain(at..at + 2);
        self
    }

    /// Sets an argument to a path below the work folder (or an absolute one), replacing an earlier value.
    pub fn with(mut self, flag: &str, path: &str) -> Self {
        let value = self.work.join(path).to_str().unwrap().to_owned();
        match self.arguments.iter().position(|a| a == flag) {
            Some(at) => self.arguments[at + 1] = value,
            None => self.arguments.extend([flag.to_owned(), value]),
        }
        self
    }

    /// Sets an argument to a text, replacing an earlier value.
    pub fn at(self, flag: &str, value: &str) -> Self {
        self.without(flag).and(flag).and(value)
    }

    /// Puts another board in the place of the work folder's.
    pub fn on(mut self, board: &str) -> Self {
        let own = self.work.join("board").to_str().unwrap().to_owned();
        let at = self.arguments.iter().position(|a| *a == own).unwrap();
        self.arguments[at] = board.to_owned();
        self
    }

    /// Adds a plain argument.
    pub fn and(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    pub fn call(&self) -> Call {
        called(&mut self.command())
    }

    /// The call, to be made otherwise.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_blindtier"));
        command.args(&self.arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
        command
    }
}
