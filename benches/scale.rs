//! How whole rounds grow: `cargo bench --bench scale -- [--policy P] [--engine E] [--families N,N,…] [--targets N,N] [--json]`.
//!
//! Plays a round of each size with `blindtier demo`, all parties on this machine one after the other, and prints seconds and
//! peak memory by party, a straight line through each, how far it is off at worst, and what it says for larger rounds. Bytes of
//! these are not extrapolated: `blindtier policy cost` computes them.

#![allow(
    clippy::indexing_slicing,
    reason = "a field that is missing from a JSON value reads as null"
)]

use blindtier::compare::{machine, now};
use clap::Parser;
use miette::Result;
use program::Folder;
use serde_json::{Value, json};

mod program;

#[derive(Parser)]
#[command(about = "How whole rounds grow with the number of families")]
struct Arguments {
    /// Shipped policy
    #[arg(long, default_value = "nursery")]
    policy: String,
    /// Engine: bfv or tfhe
    #[arg(long, default_value = "bfv")]
    engine: String,
    /// Families of the rounds that are played
    #[arg(long, value_delimiter = ',', default_value = "10000,100000,300000,1000000")]
    families: Vec<u64>,
    /// Families of the rounds that are extrapolated to
    #[arg(long, value_delimiter = ',', default_value = "6200000,50000000")]
    targets: Vec<u64>,
    /// Price of a core for an hour
    #[arg(long, default_value_t = 0.05)]
    price: f64,
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

/// Steps that a demo times, who does them, and how many of these one after the other.
const STEPS: [(&str, &str); 5] = [
    ("keygen", "trustees: key ceremony"),
    ("encrypt", "agencies: encrypt, seal levels, hand over"),
    ("evaluate", "evaluator: evaluate"),
    ("recompute", "two trustees: recompute"),
    ("open", "two trustees: open, seal letters"),
];
/// Whose memory is shown.
const PARTIES: [&str; 6] = ["registrar", "agency", "evaluator", "trustee", "auditor", "families"];

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if arguments.test || !arguments.bench {
        return Ok(());
    }
    let folder = Folder::new("scale")?;
    let mut rounds = Vec::new();
    for families in &arguments.families {
        let round = play(&folder, &arguments, *families)?;
        eprintln!("{families}: {} {}", round["seconds"], round["peak_memory_bytes"]);
        rounds.push(round);
    }
    let seconds: Vec<Line> = STEPS.iter().map(|(step, _)| fit(&rounds, "seconds", step)).collect();
    let memory: Vec<Line> =
        PARTIES.iter().map(|party| fit(&rounds, "peak_memory_bytes", party)).collect();
    let machine = machine();
    #[allow(clippy::cast_precision_loss, reason = "for people")]
    let targets: Vec<Target> = arguments
        .targets
        .iter()
        .map(|families| {
            let steps: Vec<f64> = seconds.iter().map(|line| line.at(*families as f64)).collect();
            let core_hours = steps.iter().sum::<f64>() * machine.cores as f64 / 3600.0;
            let bytes = bytes(&folder, &arguments, *families)?;
            let price = core_hours * arguments.price;
            Ok(Target { families: *families, steps, core_hours, price, bytes })
        })
        .collect::<Result<_>>()?;
    if arguments.json {
        let machine = json!({ "processor": machine.processor, "cores": machine.cores });
        println!(
            "{}",
            json!({ "made": now(), "machine": machine, "policy": arguments.policy, "engine": arguments.engine, "rounds": rounds })
        );
        return Ok(());
    }
    println!(
        "{}, {} cores of {}, `{}`, engine {}\n",
        now(),
        machine.cores,
        machine.processor,
        arguments.policy,
        arguments.engine
    );
    measured(&rounds, &seconds, "seconds", &STEPS, 1.0, "s");
    println!();
    let parties = PARTIES.map(|party| (party, party));
    measured(&rounds, &memory, "peak_memory_bytes", &parties, 1e6, "MB");
    println!(
        "\n| families | {} | core-hours | price | bytes |",
        STEPS.map(|(_, what)| what).join(" | ")
    );
    println!("|--:|{}--:|--:|--:|", "--:|".repeat(STEPS.len()));
    for Target { families, steps, core_hours, price, bytes } in targets {
        let steps: Vec<String> = steps.iter().map(|s| format!("{:.1} min", s / 60.0)).collect();
        println!(
            "| {families} | {} | {core_hours:.1} | {price:.2} | {:.1} GB |",
            steps.join(" | "),
            bytes / 1e9
        );
    }
    Ok(())
}

/// A larger round.
struct Target {
    families: u64,
    steps: Vec<f64>,
    core_hours: f64,
    price: f64,
    bytes: f64,
}

fn play(folder: &Folder, arguments: &Arguments, families: u64) -> Result<Value> {
    let work = folder.path().join(families.to_string());
    let (work, families) = (work.display().to_string(), families.to_string());
    let Arguments { policy, engine, .. } = arguments;
    let round = ["--policy", policy, "--engine", engine, "--families", &families];
    let call = ["demo", "--linkage", "keyed-hash", "--json", "--work", &work];
    let call: Vec<String> = call.iter().chain(&round).map(|word| (*word).to_owned()).collect();
    let played = folder.blindtier(&call)?;
    // A round of a million families leaves gigabytes.
    let _ = std::fs::remove_dir_all(&work);
    Ok(played)
}

/// Of all files of a round, as the program computes them.
fn bytes(folder: &Folder, arguments: &Arguments, families: u64) -> Result<f64> {
    let families = families.to_string();
    let Arguments { policy, engine, .. } = arguments;
    let call = ["policy", "cost", policy, "--engine", engine, "--layout", "folded", "--json"];
    let call: Vec<String> =
        call.iter().chain(&["--families", &families]).map(|word| (*word).to_owned()).collect();
    let cost = folder.blindtier(&call)?;
    Ok(cost["layouts"][0]["estimate"]["bytes"]["all"].as_f64().unwrap_or(0.0))
}

/// A straight line `base + each · n`.
#[derive(Clone, Copy)]
struct Line {
    base: f64,
    each: f64,
    /// The largest distance of a measurement from it, as a part of the measurement.
    off: f64,
}

impl Line {
    fn at(self, n: f64) -> f64 {
        self.base + self.each * n
    }
}

/// The line for which the squares of relative distances add up to least.
fn fit(rounds: &[Value], object: &str, field: &str) -> Line {
    let points: Vec<(f64, f64)> = rounds
        .iter()
        .filter_map(|round| Some((round["families"].as_f64()?, round[object][field].as_f64()?)))
        .filter(|(_, y)| *y > 0.0)
        .collect();
    let sum = |of: &dyn Fn(f64, f64) -> f64| {
        points.iter().map(|(x, y)| of(*x, *y) / (y * y)).sum::<f64>()
    };
    let (w, x, xx) = (sum(&|_, _| 1.0), sum(&|x, _| x), sum(&|x, _| x * x));
    let (y, xy) = (sum(&|_, y| y), sum(&|x, y| x * y));
    let determinant = w * xx - x * x;
    let (base, each) = if points.len() > 1 && determinant > 0.0 {
        ((y * xx - x * xy) / determinant, (w * xy - x * y) / determinant)
    } else {
        (points.first().map_or(0.0, |(_, y)| *y), 0.0)
    };
    // What does not grow is the mean, so that nothing is extrapolated below zero.
    let (base, each) = if each < 0.0 { (y / w, 0.0) } else { (base, each) };
    let off = points.iter().map(|(x, y)| ((base + each * x - y) / y).abs()).fold(0.0, f64::max);
    Line { base, each, off }
}

fn measured(
    rounds: &[Value],
    lines: &[Line],
    object: &str,
    fields: &[(&str, &str)],
    unit: f64,
    name: &str,
) {
    let sizes: Vec<String> = rounds.iter().map(|round| round["families"].to_string()).collect();
    println!("| {name} | {} | base | a million more | off by at most |", sizes.join(" | "));
    println!("|---|{}--:|--:|--:|", "--:|".repeat(sizes.len()));
    for ((field, what), line) in fields.iter().zip(lines) {
        let values: Vec<String> = rounds
            .iter()
            .map(|round| format!("{:.1}", round[object][*field].as_f64().unwrap_or(0.0) / unit))
            .collect();
        println!(
            "| {what} | {} | {:.1} | {:.1} | {:.0} % |",
            values.join(" | "),
            line.base / unit,
            line.each * 1e6 / unit,
            100.0 * line.off
        );
    }
}
