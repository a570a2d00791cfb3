//! The parties of a demo, one process each, and the couriers between them.

use super::super::engine::LayoutName;
use super::super::error::CliError;
use super::super::output::Output;
use super::super::progress::Progress;
use super::super::round::folder_bytes;
use super::{Families, Stage};
use blindtier_wire::{PartyName, TrustFile, file_names, storage};
use clap::ValueEnum;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// What the round gave.
pub(super) struct Outcome {
    /// The clear twin's tiers, by position, in the order of the data.
    pub expected: Vec<u8>,
    /// Tier identifiers as the families read them, in the order of the data.
    pub tiers: Vec<String>,
    /// Seconds by phase: keygen, encrypt, evaluate, recompute, open.
    pub seconds: [f64; 5],
    /// What the evaluator counted: lookups or multiplications.
    pub counted: &'static str,
    pub operations: u64,
    /// The most memory that the evaluator held, where the system tells.
    pub evaluator_memory: Option<u64>,
    pub chunks: u64,
    pub files_checked: u64,
    /// What each party sent: name, what, bytes.
    pub sent: Vec<(String, &'static str, u64)>,
    pub upload: u64,
    pub evaluation_key: u64,
    pub results: u64,
}

/// Plays a whole round.
pub(super) fn play(
    stage: &Stage,
    families: &Families,
    output: Output,
) -> Result<Outcome, CliError> {
    let work = stage.work.as_path();
    let public = work.join("public");
    let table = Table { work, output };

    let count = families.count();
    let keys = table.run(
        "families",
        &["family", "keygen", "--families", &count.to_string()],
        &[("--out", work.join("families/letter.key"))],
    )?;
    let keys: Vec<String> = strings(&keys, "letter_keys");
    let expected = stage.prepare(families, &keys)?;
    output.say(&format!(
        "{count} families; registers of {} agencies; every party in {}",
        stage.policy.agencies.len(),
        work.display()
    ));

    let mut trust = TrustFile::new();
    let agencies: Vec<&str> = stage.policy.agencies.iter().map(|a| a.id.as_str()).collect();
    let names = ["registrar", "evaluator", "trustee:1"].map(String::from);
    for name in names.into_iter().chain(agencies.iter().map(|id| format!("agency:{id}"))) {
        let made = table.run(
            &name,
            &["identity", "--party", &name],
            &[("--out", folder_of(work, &name).join("signing.key"))],
        )?;
        let key: Option<[u8; 32]> =
            blindtier_wire::Digest::from_hex(text(&made, "public_key")).map(|d| d.0);
        let party = PartyName::new(name).map_err(blindtier_wire::WireError::from)?;
        trust.pin(party, &key.unwrap_or_default());
    }
    trust.write(&public.join("trust.toml"))?;

    let announced = table.run(
        "registrar",
        &[
            "registrar",
            "new-round",
            "--engine",
            stage.engine.name(),
            "--layout",
            &value_name::<LayoutName>(stage.layout),
        ],
        &[
            ("--policy", public.join("policy.toml")),
            ("--population", work.join("registrar/population.csv")),
            ("--identity", work.join("registrar/signing.key")),
            ("--out", work.join("registrar/round")),
        ],
    )?;
    output.say(&format!("registrar: {count} families shuffled into slots, one roster an agency"));
    for file in [file_names::ROUND, file_names::LETTER_KEYS] {
        copy(&work.join("registrar/round").join(file), &public.join(file))?;
    }

    let made = table.round(
        "trustee",
        "trustee:1",
        &["trustee", "keygen"],
        &[("--private", work.join("trustee/private")), ("--out", work.join("trustee/keys"))],
    )?;
    let keygen = number(&made, "seconds");
    output.say(&format!("trustee: keys made in {keygen:.1} s"));
    for file in [file_names::PUBLIC_KEY, file_names::EVALUATION_KEY] {
        copy(&work.join("trustee/keys").join(file), &public.join(file))?;
    }

    let mut sent = Vec::new();
    let mut upload = 0;
    let start = Instant::now();
    let submitting = strings(&announced, "agencies");
    for id in &submitting {
        let party = format!("agency:{id}");
        let folder = folder_of(work, &party);
        copy(
            &work.join("registrar/round/rosters").join(id).join(file_names::ROSTER),
            &folder.join(file_names::ROSTER),
        )?;
        let done = table.round(
            &format!("agencies/{id}"),
            &party,
            &["agency", "submit"],
            &[
                ("--roster", folder.join(file_names::ROSTER)),
                ("--register", folder.join("register.csv")),
                ("--public-key", public.join(file_names::PUBLIC_KEY)),
                ("--out", folder.join("submission")),
            ],
        )?;
        let bytes = folder_bytes(&folder.join("submission"));
        upload += bytes;
        let columns = done.get("columns").and_then(Value::as_u64).unwrap_or_default();
        output.say(&format!("{party}: submission of {bytes} bytes, columns a family: {columns}"));
        copy_folder(&folder.join("submission"), &work.join("evaluator/submissions").join(id))?;
        sent.push((party, "submission", bytes));
    }
    let encrypt = start.elapsed().as_secs_f64();

    copy(
        &public.join(file_names::EVALUATION_KEY),
        &work.join("evaluator").join(file_names::EVALUATION_KEY),
    )?;
    let done = table.round(
        "evaluator",
        "evaluator",
        &["evaluator", "run"],
        &[
            ("--evaluation-key", work.join("evaluator").join(file_names::EVALUATION_KEY)),
            ("--submissions", work.join("evaluator/submissions")),
            ("--state", work.join("evaluator/state")),
            ("--out", work.join("evaluator/results")),
        ],
    )?;
    let evaluate = number(&done, "seconds");
    let (counted, operations) = ["lookups", "multiplications"]
        .into_iter()
        .find_map(|name| Some((name, done.get(name)?.as_u64()?)))
        .unwrap_or_default();
    let evaluator_memory = done.get("peak_memory_bytes").and_then(Value::as_u64);
    output.say(&format!("evaluator: {operations} {counted} on ciphertexts in {evaluate:.1} s"));
    copy_folder(&work.join("evaluator/results"), &work.join("trustee/results"))?;

    let done = table.round(
        "trustee",
        "trustee:1",
        &["trustee", "open"],
        &[
            ("--letter-keys", public.join(file_names::LETTER_KEYS)),
            ("--secret-key", work.join("trustee/private").join(file_names::SECRET_KEY)),
            ("--evaluation-key", work.join("trustee/keys").join(file_names::EVALUATION_KEY)),
            ("--submissions", work.join("evaluator/submissions")),
            ("--results", work.join("trustee/results")),
            ("--state", work.join("trustee/state")),
            ("--out", work.join("trustee/letters")),
        ],
    )?;
    let (open, recompute) = (number(&done, "seconds"), number(&done, "recompute_seconds"));
    output.say(&format!(
        "trustee: all results recomputed in {recompute:.1} s, byte for byte the same"
    ));
    output
        .say(&format!("trustee: {count} tiers opened and sealed to their families in {open:.1} s"));

    let read = table.run(
        "families",
        &["family", "read"],
        &[
            ("--policy", public.join("policy.toml")),
            ("--trust", public.join("trust.toml")),
            ("--round", public.join(file_names::ROUND)),
            ("--key", work.join("families/letter.key")),
            ("--letter-keys", public.join(file_names::LETTER_KEYS)),
            ("--letters", work.join("trustee/letters")),
        ],
    )?;
    let audit = table.run(
        "auditor",
        &["auditor", "verify"],
        &[
            ("--policy", public.join("policy.toml")),
            ("--trust", public.join("trust.toml")),
            ("--round", public.join(file_names::ROUND)),
            ("--letter-keys", public.join(file_names::LETTER_KEYS)),
            ("--keys", public.clone()),
            ("--submissions", work.join("evaluator/submissions")),
            ("--results", work.join("evaluator/results")),
            ("--letters", work.join("trustee/letters")),
        ],
    )?;
    let files_checked = audit.get("files_checked").and_then(Value::as_u64).unwrap_or_default();
    output
        .say(&format!("auditor: {files_checked} signed files and every hash between them checked"));

    let size = |path: PathBuf| std::fs::metadata(path).map_or(0, |m| m.len());
    let evaluation_key = size(public.join(file_names::EVALUATION_KEY));
    let results = folder_bytes(&work.join("evaluator/results"));
    sent.insert(
        0,
        (
            "registrar".into(),
            "round, letter keys",
            size(public.join(file_names::ROUND)) + size(public.join(file_names::LETTER_KEYS)),
        ),
    );
    sent.insert(
        1,
        (
            "trustee:1".into(),
            "public and evaluation key",
            evaluation_key + size(public.join(file_names::PUBLIC_KEY)),
        ),
    );
    sent.push(("evaluator".into(), "encrypted results, receipt", results));
    sent.push(("trustee:1".into(), "sealed letters", folder_bytes(&work.join("trustee/letters"))));
    Ok(Outcome {
        expected,
        tiers: strings(&read, "tiers"),
        seconds: [keygen, encrypt, evaluate, recompute, open],
        counted,
        operations,
        evaluator_memory,
        chunks: count.div_ceil(announced.get("chunk").and_then(Value::as_u64).unwrap_or(1).max(1)),
        files_checked,
        sent,
        upload,
        evaluation_key,
        results,
    })
}

/// Where processes are started from.
struct Table<'a> {
    work: &'a Path,
    output: Output,
}

impl Table<'_> {
    /// A command of a round, with the arguments that all of them take.
    fn round(
        &self,
        folder: &str,
        party: &str,
        command: &[&str],
        files: &[(&str, PathBuf)],
    ) -> Result<Value, CliError> {
        let public = self.work.join("public");
        let mut all = vec![
            ("--policy", public.join("policy.toml")),
            ("--trust", public.join("trust.toml")),
            ("--round", public.join(file_names::ROUND)),
            ("--identity", self.work.join(folder).join("signing.key")),
        ];
        all.extend(files.iter().map(|(flag, path)| (*flag, path.clone())));
        self.run(party, command, &all)
    }

    /// Runs one process of a party and returns the object that it printed.
    fn run(
        &self,
        party: &str,
        command: &[&str],
        files: &[(&str, PathBuf)],
    ) -> Result<Value, CliError> {
        let failed =
            |message: String, code| CliError::Party { party: party.to_owned(), message, code };
        let program = std::env::current_exe().map_err(|e| failed(e.to_string(), 1))?;
        let mut process = Command::new(program);
        process.args(command).args(["--json", "--progress", "lines"]);
        for (flag, path) in files {
            process.arg(flag).arg(path);
        }
        let mut child = process
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| failed(e.to_string(), 1))?;
        let mut stdout = child.stdout.take();
        let printed = std::thread::spawn(move || {
            let mut text = String::new();
            if let Some(stream) = &mut stdout {
                // What is not text cannot be the object; the parser below says so.
                let _ = stream.read_to_string(&mut text);
            }
            text
        });
        let mut complaints = Vec::new();
        if let Some(stream) = child.stderr.take() {
            let mut shown: Option<(&'static str, Progress)> = None;
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                let Some((label, done, total)) = counted(&line) else {
                    complaints.push(line);
                    continue;
                };
                match &shown {
                    Some((same, progress)) if *same == label => progress.set(done, total),
                    before => {
                        if let Some((_, progress)) = before {
                            progress.finish();
                        }
                        let progress = self.output.progress(label);
                        progress.set(done, total);
                        shown = Some((label, progress));
                    }
                }
            }
            if let Some((_, progress)) = shown {
                progress.finish();
            }
        }
        let status = child.wait().map_err(|e| failed(e.to_string(), 1))?;
        let text = printed.join().unwrap_or_default();
        let object: Option<Value> = serde_json::from_str(&text).ok();
        match (status.code(), object) {
            (Some(0), Some(object)) => Ok(object),
            (code, object) => {
                let said = object.as_ref().and_then(|o| o.get("error")).and_then(Value::as_str);
                let message = said.map_or_else(|| complaints.join("; "), str::to_owned);
                let code = code.and_then(|c| u8::try_from(c).ok()).filter(|c| *c != 0).unwrap_or(1);
                Err(failed(message, code))
            }
        }
    }
}

/// What the parties' commands call their work.
const WORK: [&str; 4] = ["encrypting", "evaluating", "recomputing", "opening"];

/// Reads `evaluating: 12 of 64 families`.
fn counted(line: &str) -> Option<(&'static str, u64, u64)> {
    let (label, rest) = line.strip_suffix(" families")?.split_once(": ")?;
    let label = WORK.into_iter().find(|known| *known == label)?;
    let (done, total) = rest.split_once(" of ")?;
    Some((label, done.parse().ok()?, total.parse().ok()?))
}

/// The folder of a party.
fn folder_of(work: &Path, party: &str) -> PathBuf {
    match party.split_once(':') {
        Some(("agency", id)) => work.join("agencies").join(id),
        Some((role, _)) => work.join(role),
        None => work.join(party),
    }
}

fn value_name<T: ValueEnum>(value: T) -> String {
    value.to_possible_value().map(|v| v.get_name().to_owned()).unwrap_or_default()
}

fn text<'v>(object: &'v Value, field: &str) -> &'v str {
    object.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn number(object: &Value, field: &str) -> f64 {
    object.get(field).and_then(Value::as_f64).unwrap_or_default()
}

fn strings(object: &Value, field: &str) -> Vec<String> {
    let list = object.get(field).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn copy(from: &Path, to: &Path) -> Result<(), CliError> {
    if let Some(folder) = to.parent() {
        storage::create_folder(folder)?;
    }
    std::fs::copy(from, to).map(|_| ()).map_err(|source| CliError::File {
        file: from.to_owned(),
        action: "hand the file on",
        remedy: "check the space left under --work",
        source,
    })
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), CliError> {
    let entries = std::fs::read_dir(from).map_err(|source| CliError::File {
        file: from.to_owned(),
        action: "hand the folder on",
        remedy: "check that nothing else writes under --work",
        source,
    })?;
    for entry in entries.flatten() {
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}
