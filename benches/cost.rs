//! Whether estimates hold: `cargo bench --bench cost -- [--engine tfhe|bfv] [--quick] [--json]`.
//!
//! Estimates a round of every shipped policy with `blindtier policy cost`, plays it with `blindtier demo`, and prints the
//! estimate over what was measured, as a Markdown table. Needs a calibration (`blindtier calibrate`), or makes one with
//! `--calibrate`. A ratio above 1 means that the estimate is too high.

#![allow(
    clippy::indexing_slicing,
    reason = "a field that is missing from a JSON value reads as null"
)]

use blindtier::compare::{machine, now};
use clap::Parser;
use miette::{IntoDiagnostic, Result};
use program::Folder;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

mod program;

#[derive(Parser)]
#[command(about = "Estimates next to real rounds")]
struct Arguments {
    /// Only this engine
    #[arg(long)]
    engine: Option<String>,
    /// Only this policy
    #[arg(long)]
    policy: Option<String>,
    /// A calibration [default: the usual one]
    #[arg(long)]
    calibration: Option<PathBuf>,
    /// Calibrate first
    #[arg(long)]
    calibrate: bool,
    /// Smaller rounds
    #[arg(long)]
    quick: bool,
    /// One JSON object instead of Markdown
    #[arg(long)]
    json: bool,
    /// Passed by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
    /// Nothing is run: that it compiles is what `cargo test --benches` wants to know.
    #[arg(long, hide = true)]
    test: bool,
}

/// A round that is estimated and played.
struct Case {
    policy: &'static str,
    engine: &'static str,
    proofs: &'static str,
    families: u64,
}

const POLICIES: [&str; 4] = ["nursery", "digital-family-card", "eight-indicators", "mpi"];
/// The steps that a demo times.
const STEPS: [&str; 5] = ["keygen", "encrypt", "evaluate", "recompute", "open"];

/// tfhe without and with proofs; bfv over full chunks and a part of one.
fn cases(quick: bool) -> Vec<Case> {
    let mut cases = Vec::new();
    for policy in POLICIES {
        for proofs in ["off", "on"] {
            let families = if quick { 16 } else { 32 };
            cases.push(Case { policy, engine: "tfhe", proofs, families });
        }
    }
    for (policy, slots) in POLICIES.into_iter().zip([8_192, 32_768, 16_384, 16_384]) {
        let chunks = if quick { 1 } else { 65_536 / slots };
        let families = chunks * slots + 1_000;
        cases.push(Case { policy, engine: "bfv", proofs: "off", families });
    }
    cases
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if arguments.test || !arguments.bench {
        return Ok(());
    }
    let folder = Folder::new("cost")?;
    let calibration = arguments.calibration.clone();
    if arguments.calibrate {
        let mut call = vec!["calibrate".to_owned()];
        if let Some(file) = &calibration {
            call.extend(["--out".to_owned(), file.display().to_string()]);
        }
        folder.blindtier(&call)?;
    }
    let mut rows = Vec::new();
    for case in cases(arguments.quick) {
        let wanted = |said: &Option<String>, own| said.as_ref().is_none_or(|said| said == own);
        if wanted(&arguments.engine, case.engine) && wanted(&arguments.policy, case.policy) {
            rows.push(run(&case, calibration.as_deref(), &folder)?);
            eprintln!("{}", rows.last().map(|row| row.markdown()).unwrap_or_default());
        }
    }
    let machine = machine();
    if arguments.json {
        let rows: Vec<Value> = rows.iter().map(Row::json).collect();
        let machine = json!({ "processor": machine.processor, "cores": machine.cores });
        println!("{}", json!({ "made": now(), "machine": machine, "rounds": rows }));
        return Ok(());
    }
    println!("{}, {} cores of {}\n", now(), machine.cores, machine.processor);
    println!("| policy | engine | families | {} | round | bytes | memory |", STEPS.join(" | "));
    println!("|---|---|--:|{}--:|--:|--:|", "--:|".repeat(STEPS.len()));
    rows.iter().for_each(|row| println!("{}", row.markdown()));
    Ok(())
}

/// What was estimated and what was measured.
struct Row {
    title: [String; 2],
    families: u64,
    /// Of each step.
    seconds: Vec<[f64; 2]>,
    /// Of all files but the smallest.
    bytes: [u64; 2],
    /// Of the evaluator.
    memory: [u64; 2],
}

impl Row {
    fn markdown(&self) -> String {
        let [policy, engine] = &self.title;
        let ratio = |[estimated, measured]: [f64; 2]| {
            if measured > 0.0 { format!("{:.2}", estimated / measured) } else { "—".into() }
        };
        let steps: Vec<String> = self
            .seconds
            .iter()
            .map(|pair| format!("{} ({:.2} s)", ratio(*pair), pair[1]))
            .collect();
        let whole =
            self.seconds.iter().fold([0.0; 2], |sum, pair| [sum[0] + pair[0], sum[1] + pair[1]]);
        let [bytes, memory] = [self.bytes, self.memory].map(|pair| pair.map(|n| n as f64));
        let bytes = bytes[0] / bytes[1];
        format!(
            "| `{policy}` | {engine} | {} | {} | {} ({:.0} s) | {bytes:.4} | {} |",
            self.families,
            steps.join(" | "),
            ratio(whole),
            whole[1],
            ratio(memory)
        )
    }

    fn json(&self) -> Value {
        let [policy, engine] = &self.title;
        let steps = STEPS.iter().zip(&self.seconds).map(|(step, [estimated, measured])| {
            json!({ "step": step, "estimated": estimated, "measured": measured })
        });
        json!({
            "policy": policy,
            "engine": engine,
            "families": self.families,
            "seconds": steps.collect::<Vec<_>>(),
            "bytes": { "estimated": self.bytes[0], "measured": self.bytes[1] },
            "peak_memory_bytes": { "estimated": self.memory[0], "measured": self.memory[1] },
        })
    }
}

/// Estimates and plays one round.
fn run(case: &Case, calibration: Option<&Path>, folder: &Folder) -> Result<Row> {
    let Case { policy, engine, proofs, families } = case;
    let round: Vec<String> =
        ["--engine", engine, "--proofs", proofs, "--layout", "folded", "--json"]
            .map(String::from)
            .into_iter()
            .chain(["--families".to_owned(), families.to_string()])
            .collect();
    let mut call = vec!["policy".to_owned(), "cost".into(), (*policy).to_owned()];
    call.extend(round.iter().cloned());
    if let Some(file) = calibration {
        call.extend(["--calibration".to_owned(), file.display().to_string()]);
    }
    let estimate = folder.blindtier(&call)?["layouts"][0]["estimate"].clone();

    let work = folder.path().join(format!("{policy}-{engine}-{proofs}"));
    let mut call = vec!["demo".to_owned(), "--policy".into(), (*policy).to_owned()];
    call.extend(["--linkage".to_owned(), "keyed-hash".into()]);
    call.extend(["--work".to_owned(), work.display().to_string()]);
    call.extend(round);
    let measured = folder.blindtier(&call)?;

    let seconds = STEPS.map(|step| {
        let estimated = &estimate["seconds"]["in_all"][step];
        [estimated, &measured["seconds"][step]].map(|seconds| seconds.as_f64().unwrap_or(0.0))
    });
    let memory = [&estimate, &measured]
        .map(|object| object["peak_memory_bytes"]["evaluator"].as_u64().unwrap_or(0));
    let bytes = [estimate["bytes"]["all"].as_u64().unwrap_or(0), sent(&work)];
    std::fs::remove_dir_all(&work).into_diagnostic()?;
    Ok(Row {
        title: [(*policy).to_owned(), format!("{engine}, proofs {proofs}")],
        families: *families,
        seconds: seconds.to_vec(),
        bytes,
        memory,
    })
}

/// Bytes of all messages of a round but the smallest: what lies on the board, except ledger and round file, and what is
/// sealed to the families.
fn sent(work: &Path) -> u64 {
    let board = work.join("board");
    let large = ["submissions", "results", "partials", "opened"].map(|name| board.join(name));
    let keys = ["letter-keys.bt", "public-key.bt", "evaluation-key.bt", "opening-key.bt"];
    let steps = (1..=16).flat_map(|trustee| {
        let folder = board.join(format!("ceremony/trustee-{trustee}"));
        ["step-1.bt", "step-2.bt"].map(|name| folder.join(name))
    });
    large
        .into_iter()
        .chain(keys.map(|name| board.join(name)))
        .chain(steps)
        .chain([work.join("letters")])
        .map(|path| size(&path))
        .sum()
}

fn size(path: &Path) -> u64 {
    match std::fs::read_dir(path) {
        Ok(entries) => entries.flatten().map(|entry| size(&entry.path())).sum(),
        Err(_) => std::fs::metadata(path).map_or(0, |file| file.len()),
    }
}
