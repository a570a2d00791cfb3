//! Every approach on the same families, in turns, each tier held against the clear twin.

use crate::CompareError;
use crate::approach::{columns, compared};
use crate::driver::Running;
use crate::error::file;
use crate::peers::Entry;
use crate::protocol::{Done, FORMAT, Range, Ready, Request, steps};
use crate::sums_of_products::sums_of_products;
use blindtier_engine::{Plan, Proofs};
use blindtier_engine_bfv::BfvPlan;
use blindtier_engine_tfhe::TfhePlan;
use blindtier_policy::passes::Layout;
use blindtier_policy::{Answer, Interpreter, Policy};
use blindtier_report::units::float;
use blindtier_report::{About, Comparison, Failed, Goal, Ratio, Row, Run, Spread};
use std::fs::File;
use std::path::{Path, PathBuf};

/// What to compare.
#[derive(Clone, Debug)]
pub struct Task<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// Its text, for processes that read it themselves.
    pub text: &'a str,
    /// The families' indicators, in the order of the policy.
    pub families: &'a [Vec<i64>],
    /// Where the families come from, for people.
    pub data: String,
    /// How often each approach runs.
    pub repetitions: u32,
    /// How many threads each may use.
    pub threads: u32,
    /// How long one run of a slow approach may take; it then runs on a sample.
    pub seconds_per_run: f64,
}

/// Compares. `say` hears what is being done.
///
/// # Errors
/// The policy does not fit the tfhe engine, whose circuit all approaches are given, or files cannot be written. An approach
/// that fails is listed in the outcome.
pub fn compare(
    task: &Task<'_>,
    entries: &[Entry],
    say: &mut dyn FnMut(&str),
) -> Result<Comparison, CompareError> {
    let policy = compared(task.policy.clone());
    let (families, tiers) = decided(&policy, task.families)?;
    let folder = tempfile::tempdir().map_err(file(Path::new("temporary folder"), "make"))?;
    let requests = [Layout::Folded, Layout::PerIndicator]
        .map(|layout| write_request(task, &policy, layout, &families, folder.path()));
    let [folded, per_indicator] = requests;
    let (folded, per_indicator) = (folded?, per_indicator?);

    let mut turns = Vec::new();
    let mut failed = Vec::new();
    for entry in entries {
        say(&format!("{}: compiling and making keys", entry.id));
        let request = match entry.layout {
            Layout::Folded => &folded,
            Layout::PerIndicator => &per_indicator,
        };
        let log = folder.path().join(format!("{}.log", entry.id));
        match Turn::start(entry, request, &log, task, &tiers) {
            Ok(turn) => turns.push(turn),
            Err(error) => failed.push(Failed { id: entry.id.clone(), reason: told(&error, &log) }),
        }
    }
    for repetition in 0..task.repetitions {
        let count = turns.len();
        let mut order: Vec<&mut Turn> = turns.iter_mut().collect();
        // Another one begins each time, so that nobody always runs after the same one.
        order.rotate_left(usize::try_from(repetition).unwrap_or_default() % count.max(1));
        for turn in order.into_iter().filter(|turn| turn.failure.is_none()) {
            say(&format!("run {} of {}: {}", repetition + 1, task.repetitions, turn.entry.id));
            turn.run(&tiers);
        }
    }
    let mut rows = Vec::new();
    for turn in turns {
        match turn.failure {
            Some(reason) => failed.push(Failed { id: turn.entry.id, reason }),
            None => rows.push(turn.row()),
        }
    }
    Ok(Comparison {
        policy: policy.name.clone(),
        policy_hash: policy.hash().to_string(),
        data: task.data.clone(),
        families: u64::try_from(families.len()).unwrap_or(u64::MAX),
        repetitions: task.repetitions,
        ratios: ratios(&rows),
        rows,
        failed,
    })
}

/// The families that the policy decides, and their tiers.
fn decided(
    policy: &Policy,
    families: &[Vec<i64>],
) -> Result<(Vec<Vec<i64>>, Vec<i64>), CompareError> {
    let twin = Interpreter::new(policy)?;
    let (mut kept, mut tiers) = (Vec::new(), Vec::new());
    for family in families {
        // A value that is not known is the one that stands for it here.
        let values = policy.indicators.iter().zip(family).map(|(indicator, value)| {
            let (min, max) = indicator.range();
            if (min..=max).contains(value) { *value } else { indicator.missing() }
        });
        let values: Vec<i64> = values.collect();
        if let Answer::Tier(outcome) = twin.answer(&values, false)? {
            kept.push(values);
            tiers.push(i64::try_from(outcome.tier).unwrap_or(i64::MAX));
        }
    }
    if kept.is_empty() { Err(CompareError::NoFamilies) } else { Ok((kept, tiers)) }
}

fn write_request(
    task: &Task<'_>,
    policy: &Policy,
    layout: Layout,
    families: &[Vec<i64>],
    folder: &Path,
) -> Result<PathBuf, CompareError> {
    let plan = TfhePlan::new(policy, layout, crate::SHARES, Proofs::Off)?;
    let inputs = plan.inputs();
    let (steps, output) = steps(plan.circuit());
    let request = Request {
        format: FORMAT,
        policy: policy.name.clone(),
        layout: layout.to_string(),
        threads: task.threads,
        columns: inputs.columns.iter().map(|c| Range { min: c.range.0, max: c.range.1 }).collect(),
        steps,
        output,
        values: columns(inputs, 0..inputs.columns.len(), families),
        // A policy that is too deep for this engine has no such circuit.
        bfv: BfvPlan::new(policy, layout, crate::SHARES, Proofs::Off).ok().map(|plan| {
            let inputs = plan.inputs();
            let columns = columns(inputs, 0..inputs.columns.len(), families);
            let title = format!("{} {layout}", policy.name);
            sums_of_products(&policy.name, &title, plan.program(), plan.parameters(), &columns)
        }),
        policy_text: task.text.to_owned(),
        indicators: families.to_vec(),
    };
    let path = folder.join(format!("{layout}.json"));
    let written = File::create_new(&path).map_err(file(&path, "write the request"))?;
    serde_json::to_writer(std::io::BufWriter::new(written), &request)
        .map_err(|error| CompareError::Approach(error.to_string()))?;
    Ok(path)
}

/// An error, and the end of what the process printed.
fn told(error: &CompareError, log: &Path) -> String {
    let printed = std::fs::read_to_string(log).unwrap_or_default();
    let last = printed.lines().rev().find(|line| !line.trim().is_empty());
    last.map_or_else(|| error.to_string(), |last| format!("{error}; it printed: {last}"))
}

/// An approach that takes turns with the others.
struct Turn {
    entry: Entry,
    ready: Ready,
    running: Running,
    log: PathBuf,
    /// Families a run.
    families: u64,
    next: u64,
    runs: Vec<Run>,
    lookups: Option<u64>,
    failure_log2: Option<f64>,
    memory: Option<u64>,
    failure: Option<String>,
}

impl Turn {
    /// Starts an approach, warms it up and finds out how many families it can run in the time.
    fn start(
        entry: &Entry,
        request: &Path,
        log: &Path,
        task: &Task<'_>,
        tiers: &[i64],
    ) -> Result<Self, CompareError> {
        let output = File::create_new(log).map_err(file(log, "write the log"))?;
        let (mut running, ready) = Running::start(entry, request, task.threads, output)?;
        let all = u64::try_from(tiers.len()).unwrap_or(u64::MAX);
        let mut families = ready.chunk.clamp(1, all);
        // Twice: the first run also pays for what is done once.
        for _ in 0..2 {
            let done = checked(running.run(0, families)?, 0, tiers)?.0;
            let seconds = done.seconds + done.floor_seconds.unwrap_or_default();
            let each = (seconds / float(families)).max(1e-9);
            families = whole(task.seconds_per_run / each).clamp(1, all);
            if ready.chunk > 1 {
                // A chunk costs the same however few of its slots are taken.
                let chunks = (families / ready.chunk).max(1);
                families = ready.chunk.saturating_mul(chunks).min(all);
            }
        }
        Ok(Self {
            entry: entry.clone(),
            lookups: ready.lookups,
            failure_log2: ready.failure_log2,
            ready,
            running,
            log: log.to_owned(),
            families,
            next: 0,
            runs: Vec::new(),
            memory: None,
            failure: None,
        })
    }

    fn run(&mut self, tiers: &[i64]) {
        let first = self.next;
        let outcome = self.running.run(first, self.families);
        match outcome.and_then(|done| checked(done, first, tiers)) {
            Ok((done, disagree)) => {
                // From the start again where a whole run no longer fits.
                let all = u64::try_from(tiers.len()).unwrap_or(u64::MAX);
                let next = first + done.families;
                self.next = if next + self.families > all { 0 } else { next };
                self.memory = self.memory.max(done.peak_memory_bytes);
                self.lookups = self.lookups.or(done.lookups);
                self.failure_log2 = self.failure_log2.or(done.failure_log2);
                self.runs.push(Run {
                    first,
                    families: done.families,
                    slots: done.slots,
                    seconds: done.seconds,
                    encrypt_seconds: done.encrypt_seconds,
                    open_seconds: done.open_seconds,
                    disagree,
                    floor_seconds: done.floor_seconds,
                });
            }
            Err(error) => self.failure = Some(told(&error, &self.log)),
        }
    }

    fn row(self) -> Row {
        let Self { entry, ready, runs, lookups, failure_log2, memory, .. } = self;
        let each = |seconds: fn(&Run) -> f64| {
            Spread::of(runs.iter().map(|run| seconds(run) / float(run.families)).collect())
        };
        let over_floor = runs.iter().map(|run| Some(run.seconds / run.floor_seconds?));
        let over_floor = over_floor.collect::<Option<Vec<f64>>>().map(Spread::of);
        let families_run: u64 = runs.iter().map(|run| run.families).sum();
        let disagree: u64 = runs.iter().map(|run| run.disagree).sum();
        Row {
            id: entry.id,
            about: About {
                kind: entry.kind,
                name: ready.name,
                version: ready.version,
                circuit: entry.circuit,
                parameters: ready.parameters,
                trust_model: entry.trust_model.into(),
                rounds: ready.rounds,
                failure_log2,
                security_bits: ready.security_bits,
                lookups,
                multiplications: ready.multiplications,
                chunk: ready.chunk,
                key_bytes: ready.key_bytes,
                upload_bytes_per_family: ready.upload_bytes_per_family,
                result_bytes_per_family: ready.result_bytes_per_family,
                setup_seconds: ready.setup_seconds,
                notes: ready.notes,
            },
            families_run,
            agree: families_run - disagree,
            disagree,
            seconds_per_family: each(|run| run.seconds),
            encrypt_seconds_per_family: each(|run| run.encrypt_seconds),
            open_seconds_per_family: each(|run| run.open_seconds),
            seconds_per_slot: Spread::of(
                runs.iter().map(|run| run.seconds / float(run.slots)).collect(),
            ),
            over_floor,
            peak_memory_bytes: memory,
            runs,
        }
    }
}

/// A run whose shape is right, and how many of its tiers are not the clear twin's.
fn checked(done: Done, first: u64, tiers: &[i64]) -> Result<(Done, u64), CompareError> {
    let shape = |what| Err(CompareError::Approach(format!("its answer is wrong in shape: {what}")));
    if done.families == 0 || u64::try_from(done.tiers.len()) != Ok(done.families) {
        return shape("not one tier a family");
    }
    if done.slots < done.families {
        return shape("fewer slots than families");
    }
    let times = [done.seconds, done.encrypt_seconds, done.open_seconds];
    if times.iter().any(|time| !time.is_finite() || *time < 0.0) {
        return shape("a time is no number of seconds");
    }
    let expected = tiers.iter().skip(usize::try_from(first).unwrap_or(usize::MAX));
    let wrong = done.tiers.iter().zip(expected).filter(|(found, expected)| found != expected);
    let wrong = u64::try_from(wrong.count()).unwrap_or(u64::MAX);
    Ok((done, wrong))
}

/// The ratios that this project is held to, as far as both sides ran.
fn ratios(rows: &[Row]) -> Vec<Ratio> {
    let mut wanted: Vec<(String, String, String, Option<Goal>)> = Vec::new();
    let mut want = |what: &str, slower: &str, faster: &str, goal: Option<Goal>| {
        wanted.push((what.into(), slower.into(), faster.into(), goal));
    };
    let least = |ratio| Some(Goal::AtLeast(ratio));
    let folded = "blindtier, folded, against";
    want(
        &format!("{folded} Concrete, per-indicator, at 2^-128"),
        "concrete-2^-128-per-indicator",
        "tfhe-folded",
        least(15.0),
    );
    want(
        &format!("{folded} Concrete, per-indicator, at its default"),
        "concrete-default-per-indicator",
        "tfhe-folded",
        least(1.0),
    );
    want(&format!("{folded} naive tfhe"), "tfhe-naive", "tfhe-folded", least(50.0));
    want(
        &format!("{folded} OpenFHE, per-indicator"),
        "openfhe-per-indicator",
        "bfv-folded",
        least(3.0),
    );
    for (spu, goal) in [("spu-aby3", least(3.0)), ("spu-semi2k", None)] {
        for layout in [Layout::PerIndicator, Layout::Folded] {
            want(
                &format!("{folded} {spu}, {layout}"),
                &format!("{spu}-{layout}"),
                "bfv-folded",
                goal,
            );
        }
    }
    for layout in [Layout::PerIndicator, Layout::Folded] {
        let same = format!("the same circuit, {layout}:");
        for (peer, own, goal) in [
            ("concrete-2^-128", "tfhe", least(5.0)),
            ("concrete-default", "tfhe", None),
            ("openfhe", "bfv", least(1.0)),
        ] {
            want(
                &format!("{same} {own} against {peer}"),
                &format!("{peer}-{layout}"),
                &format!("{own}-{layout}"),
                goal,
            );
        }
    }
    want("what the compiler gains, tfhe", "tfhe-per-indicator", "tfhe-folded", None);
    want("what the compiler gains, bfv", "bfv-per-indicator", "bfv-folded", None);
    want("what hiding costs, tfhe", "tfhe-folded", "clear", None);
    want("what hiding costs, bfv", "bfv-folded", "clear", None);

    let row = |id: &str| rows.iter().find(|row| row.id == id);
    let between = wanted.into_iter().filter_map(|(what, slower, faster, goal)| {
        let (above, below) = (row(&slower)?, row(&faster)?);
        let each = |run: &Run| run.seconds / float(run.families);
        let times = above.runs.iter().zip(&below.runs).map(|(a, b)| each(a) / each(b));
        Some(Ratio { what, slower, faster, times: Spread::of(times.collect()), goal })
    });
    let floors = rows.iter().filter_map(|row| {
        let goal = row.id.starts_with("tfhe").then_some(Goal::AtMost(1.05));
        Some(Ratio {
            what: format!("{}: evaluation against as many bare operations", row.id),
            slower: row.id.clone(),
            faster: "bare operations".into(),
            times: row.over_floor?,
            goal,
        })
    });
    between.chain(floors).collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
fn whole(number: f64) -> u64 {
    number.clamp(0.0, 1e12) as u64
}
