//! The two ratios that the tfhe engine is held to: `cargo bench --bench ratio -- [--policy P] [--json]`.
//!
//! - *overhead*: evaluating a chunk on one thread over as many bare lookups; the goal is 1.15 or less.
//! - *speed-up*: the same chunk on one thread over two threads; the goal is 1.8 or more.
//!
//! Machines are noisy, so both sides of a ratio are measured right after one another, in alternating order, many
//! times, and the median counts. It reports and never fails. Without `--bench`, which `cargo bench` passes, or
//! with `--test`, it runs a single quick pair, as criterion does.

mod setup;

use blindtier::engine::Proofs;
use blindtier::engine_tfhe::generate_keys;
use blindtier::engine_tfhe::platform_features;
use blindtier::policy::PolicyHash;
use blindtier::policy::passes::Layout;
use clap::Parser;
use miette::{IntoDiagnostic, Result};
use rayon::{ThreadPool, ThreadPoolBuilder};
use serde::Serialize;
use setup::{Chunk, Session};
use std::hint::black_box;
use std::time::Instant;

#[derive(Parser)]
#[command(
    about = "Measures the evaluator's overhead over bare lookups and its speed-up on two threads"
)]
struct Arguments {
    /// A shipped policy.
    #[arg(long, default_value = "nursery")]
    policy: String,
    /// How indicators are grouped.
    #[arg(long, default_value_t)]
    layout: Layout,
    /// Families of the chunk that is timed for the overhead.
    #[arg(long, default_value_t = 6)]
    families: usize,
    /// Families of the chunk that is timed for the speed-up; large, so that no thread waits long for the last one.
    #[arg(long, default_value_t = 24)]
    parallel_families: usize,
    /// Pairs of measurements for each ratio.
    #[arg(long, default_value_t = 15)]
    pairs: usize,
    /// One JSON object instead of text.
    #[arg(long)]
    json: bool,
    /// A single quick pair.
    #[arg(long)]
    test: bool,
    /// Passed by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

/// One ratio over all its pairs.
#[derive(Serialize)]
struct Ratio {
    families: usize,
    lookups: u64,
    pairs: usize,
    median: f64,
    min: f64,
    max: f64,
    goal: f64,
    /// Median time of the denominator.
    base_seconds: f64,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    policy: String,
    policy_hash: PolicyHash,
    layout: Layout,
    platform: String,
    cores: usize,
    bare_lookup_seconds: f64,
    overhead: Ratio,
    speed_up: Ratio,
}

fn main() -> Result<()> {
    let mut arguments = Arguments::parse();
    if arguments.test || !arguments.bench {
        (arguments.families, arguments.parallel_families, arguments.pairs) = (1, 2, 1);
    }
    let keys = generate_keys(Proofs::Off).into_diagnostic()?;
    let session = Session::new(&arguments.policy, arguments.layout, &keys)?;
    let (one, two) = (threads(1)?, threads(2)?);

    let chunk = session.chunk(arguments.families)?;
    let overhead = Ratio::measure(
        &chunk,
        arguments.pairs,
        1.15,
        || one.install(|| session.evaluate(&chunk)),
        || one.install(|| session.bare_lookups(chunk.lookups)),
    );
    let chunk = session.chunk(arguments.parallel_families)?;
    let speed_up = Ratio::measure(
        &chunk,
        arguments.pairs,
        1.8,
        || one.install(|| session.evaluate(&chunk)),
        || two.install(|| session.evaluate(&chunk)),
    );

    #[expect(clippy::cast_precision_loss, reason = "a few hundred lookups")]
    let bare_lookup_seconds = overhead.base_seconds / overhead.lookups as f64;
    let report = Report {
        policy_hash: session.policy.hash(),
        policy: arguments.policy,
        layout: arguments.layout,
        platform: platform_features(),
        cores: std::thread::available_parallelism().into_diagnostic()?.get(),
        bare_lookup_seconds,
        overhead,
        speed_up,
    };
    if arguments.json {
        println!("{}", serde_json::to_string(&report).into_diagnostic()?);
    } else {
        report.print();
    }
    Ok(())
}

fn threads(count: usize) -> Result<ThreadPool> {
    ThreadPoolBuilder::new().num_threads(count).build().into_diagnostic()
}

fn seconds<T>(work: impl Fn() -> T) -> f64 {
    let start = Instant::now();
    black_box(work());
    start.elapsed().as_secs_f64()
}

impl Ratio {
    /// Times `work` and `base` next to one another, `pairs` times, each going first in turn.
    fn measure<T, U>(
        chunk: &Chunk,
        pairs: usize,
        goal: f64,
        work: impl Fn() -> T,
        base: impl Fn() -> U,
    ) -> Self {
        let (ratios, bases): (Vec<f64>, Vec<f64>) = (0..pairs.max(1))
            .map(|pair| {
                let (work, base) = if pair % 2 == 0 {
                    let first = seconds(&work);
                    (first, seconds(&base))
                } else {
                    let first = seconds(&base);
                    (seconds(&work), first)
                };
                (work / base, base)
            })
            .unzip();
        Self {
            families: chunk.families,
            lookups: chunk.lookups,
            pairs: ratios.len(),
            min: ratios.iter().copied().fold(f64::INFINITY, f64::min),
            max: ratios.iter().copied().fold(0.0, f64::max),
            median: median(ratios),
            goal,
            base_seconds: median(bases),
        }
    }

    fn line(&self) -> String {
        let Self { families, lookups, pairs, median, min, max, .. } = self;
        format!(
            "median {median:.3}, {min:.3} to {max:.3}; {pairs} pairs of {families} families, {lookups} lookups"
        )
    }
}

/// The middle value, the upper of two.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

impl Report {
    fn print(&self) {
        let Self { policy, layout, platform, cores, overhead, speed_up, .. } = self;
        println!("{policy}, {layout}; {cores} cores, {platform}");
        println!("bare lookup  {:.2} ms", self.bare_lookup_seconds * 1e3);
        println!("overhead     {} (goal: at most {})", overhead.line(), overhead.goal);
        println!("speed-up     {} (goal: at least {})", speed_up.line(), speed_up.goal);
    }
}
