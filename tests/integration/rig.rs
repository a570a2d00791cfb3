//! Running the program, and finished rounds to play with.

use serde_json::Value;
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
    let output = Command::new(env!("CARGO_BIN_EXE_blindtier"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
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
    let call = blindtier([
        "demo",
        "--policy",
        "mpi",
        "--families",
        "6",
        "--json",
        "--work",
        work.to_str().unwrap(),
    ]);
    succeeded(&call);
    folder
}

fn other_round() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path().join("work");
    copy_tree(&ROUND.path().join("work"), &work);
    let agencies = std::fs::read_dir(work.join("evaluator/submissions")).unwrap();
    let agencies: Vec<String> =
        agencies.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    for old in ["registrar/round", "trustee/private", "trustee/keys", "evaluator/submissions"] {
        std::fs::remove_dir_all(work.join(old)).unwrap();
    }
    let copy = |from: &str, to: &str| {
        std::fs::copy(work.join(from), work.join(to)).unwrap();
    };
    let announced = Party::registrar(&work).call();
    succeeded(&announced);
    copy("registrar/round/round.bt", "public/round.bt");
    copy("registrar/round/letter-keys.bt", "public/letter-keys.bt");
    succeeded(&Party::keygen(&work).call());
    copy("trustee/keys/public-key.bt", "public/public-key.bt");
    copy("trustee/keys/evaluation-key.bt", "evaluator/evaluation-key.bt");
    for agency in agencies {
        let roster = format!("registrar/round/rosters/{agency}/roster.bt");
        copy(&roster, &format!("agencies/{agency}/roster.bt"));
        succeeded(&Party::agency(&work, &agency).call());
        copy_tree(
            &work.join(format!("agencies/{agency}/again")),
            &work.join(format!("evaluator/submissions/{agency}")),
        );
    }
    folder
}

/// Asserts that a call did its work.
pub fn succeeded(call: &Call) {
    assert_eq!(call.code, 0, "{}{}", call.stdout, call.stderr);
}

/// A private copy of the finished round, with what came after the submissions removed.
pub fn before_evaluation() -> TempDir {
    let folder = after_opening();
    for later in [
        "evaluator/results",
        "evaluator/state",
        "trustee/results",
        "trustee/letters",
        "trustee/state",
    ] {
        std::fs::remove_dir_all(folder.path().join(later)).unwrap();
    }
    folder
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
            .with("--round", "public/round.bt")
            .with("--identity", &format!("{folder}/signing.key"))
    }

    pub fn registrar(work: &'a Path) -> Self {
        Self::new(work, ["registrar", "new-round"], "registrar")
            .without("--round")
            .without("--trust")
            .with("--population", "registrar/population.csv")
            .with("--out", "registrar/round")
    }

    pub fn keygen(work: &'a Path) -> Self {
        Self::new(work, ["trustee", "keygen"], "trustee")
            .with("--private", "trustee/private")
            .with("--out", "trustee/keys")
    }

    pub fn evaluator(work: &'a Path) -> Self {
        Self::new(work, ["evaluator", "run"], "evaluator")
            .with("--evaluation-key", "evaluator/evaluation-key.bt")
            .with("--submissions", "evaluator/submissions")
            .with("--state", "evaluator/state")
            .with("--out", "evaluator/results")
    }

    pub fn trustee(work: &'a Path) -> Self {
        Self::new(work, ["trustee", "open"], "trustee")
            .with("--letter-keys", "public/letter-keys.bt")
            .with("--secret-key", "trustee/private/secret-key.bt")
            .with("--evaluation-key", "trustee/keys/evaluation-key.bt")
            .with("--submissions", "evaluator/submissions")
            .with("--results", "trustee/results")
            .with("--state", "trustee/state")
            .with("--out", "trustee/letters")
    }

    pub fn agency(work: &'a Path, agency: &str) -> Self {
        let folder = format!("agencies/{agency}");
        Self::new(work, ["agency", "submit"], &folder)
            .with("--roster", &format!("{folder}/roster.bt"))
            .with("--register", &format!("{folder}/register.csv"))
            .with("--public-key", "public/public-key.bt")
            .with("--out", &format!("{folder}/again"))
    }

    pub fn auditor(work: &'a Path) -> Self {
        // The auditor signs nothing.
        Self::new(work, ["auditor", "verify"], "evaluator")
            .without("--identity")
            .with("--letter-keys", "public/letter-keys.bt")
            .with("--keys", "public")
            .with("--submissions", "evaluator/submissions")
            .with("--results", "evaluator/results")
            .with("--letters", "trustee/letters")
    }

    /// Takes an argument and its value away.
    fn without(mut self, flag: &str) -> Self {
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

    /// Adds a plain argument.
    pub fn and(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    pub fn call(&self) -> Call {
        blindtier(&self.arguments)
    }
}
