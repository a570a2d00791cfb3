//! `blindtier compare`: the same policy on the same families with every approach that is installed.

use super::error::CliError;
use super::output::Output;
use super::policy_file;
use blindtier_compare::{Extent, Own, Quantity, Task, Wanted};
use blindtier_policy::{Policy, read_families};
use blindtier_report::Report;
use std::path::{Path, PathBuf};

/// Compare approaches: run one policy on the same families with every one that is installed.
///
/// Every approach is a process of its own, ours and others' alike. Their runs take turns, so that a busy machine slows all
/// of them, and every tier is held against the clear twin; a wrong one is shown as wrong. Slow approaches run a sample of
/// the families. Peers (Concrete, OpenFHE, SPU) are installed by `benches/peers/setup`; without them blindtier is compared
/// with the clear twin and with tfhe as its tutorial shows it.
///
/// Exit code 1 if any tier of any approach differs from the clear twin's.
#[derive(clap::Args)]
pub struct CompareArgs {
    /// Policy file, or the name of a shipped policy
    #[arg(long, value_name = "FILE", default_value = "nursery")]
    policy: PathBuf,
    /// CSV or folder with the families, as for `policy run`; synthetic families without it
    #[arg(long, value_name = "CSV", conflicts_with = "seed")]
    data: Option<PathBuf>,
    /// How many families: of the data the first ones
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    families: u32,
    /// Shapes synthetic families; never a key
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// Which peers: installed, all, none, or names separated by commas (concrete, openfhe, spu)
    #[arg(long, value_name = "NAMES", default_value = "installed")]
    peers: Wanted,
    /// Folder with the peers' scripts and environments
    #[arg(long, value_name = "DIR", default_value = "benches/peers")]
    peers_dir: PathBuf,
    /// Only approaches of these names, separated by commas, for example tfhe-folded,bfv-folded
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    only: Vec<String>,
    /// How often each approach runs
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    repetitions: u32,
    /// Threads that each approach may use
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=256))]
    threads: u32,
    /// How long one run of a slow approach may take; it runs on as many families as fit, and on one at least
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0)]
    seconds_per_run: f64,
    /// Also measure how cost grows with these quantities, separated by commas, or all
    #[arg(long, value_name = "QUANTITIES", value_delimiter = ',')]
    scaling: Vec<QuantityName>,
    /// The largest round of the scaling measurements with bfv; with tfhe at most 1000 families are run
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(100..=10_000_000))]
    largest_round: u64,
    /// Write report.json, runs.csv, scaling.csv, table.txt and report.html into this new folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// A quantity on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum QuantityName {
    /// All of them
    All,
    /// Families of a round
    Families,
    /// Indicators of the policy
    Indicators,
    /// Levels of each indicator
    Levels,
    /// Values that the score can take
    ScoreWidth,
    /// Tiers
    Tiers,
    /// Cores
    Cores,
}

impl QuantityName {
    fn quantities(self) -> Vec<Quantity> {
        vec![match self {
            Self::All => return Quantity::ALL.to_vec(),
            Self::Families => Quantity::Families,
            Self::Indicators => Quantity::Indicators,
            Self::Levels => Quantity::Levels,
            Self::ScoreWidth => Quantity::ScoreWidth,
            Self::Tiers => Quantity::Tiers,
            Self::Cores => Quantity::Cores,
        }]
    }
}

/// One approach as a process: reads orders from standard input and answers with a line of JSON each.
#[derive(clap::Args)]
pub struct ApproachArgs {
    /// Which
    #[arg(long, value_name = "ID")]
    approach: String,
    /// The request file that `blindtier compare` wrote
    #[arg(long, value_name = "FILE")]
    request: PathBuf,
}

/// The process of one of our own approaches.
pub fn approach(args: &ApproachArgs) -> Result<(), CliError> {
    let known = || Own::ALL.map(Own::id).join(", ");
    let own = Own::from_id(&args.approach)
        .ok_or_else(|| CliError::NoSuchApproach { name: args.approach.clone(), known: known() })?;
    // Locked: whatever a library might print must not come between the answers.
    let answers = &mut std::io::stdout().lock();
    Ok(blindtier_compare::serve(own, &args.request, std::io::stdin().lock(), answers)?)
}

pub fn run(args: &CompareArgs, output: Output) -> Result<(), CliError> {
    if let Some(folder) = &args.out
        && folder.read_dir().is_ok_and(|mut entries| entries.next().is_some())
    {
        return Err(CliError::NotEmpty { folder: folder.clone() });
    }
    let text = policy_file::text(&args.policy)?;
    let policy = Policy::parse(&args.policy.display().to_string(), &text)?;
    let program = std::env::current_exe().map_err(|source| CliError::File {
        file: PathBuf::from("this program"),
        action: "find itself",
        remedy: "start it from a file",
        source,
    })?;
    let mut entries = blindtier_compare::own(&program);
    entries.extend(blindtier_compare::peers(&args.peers_dir, &args.peers)?);
    if let Some(unknown) = args.only.iter().find(|id| entries.iter().all(|e| e.id != **id)) {
        let known: Vec<&str> = entries.iter().map(|entry| entry.id.as_str()).collect();
        return Err(CliError::NoSuchApproach { name: unknown.clone(), known: known.join(", ") });
    }
    if !args.only.is_empty() {
        entries.retain(|entry| args.only.contains(&entry.id));
    }
    let families = families(args, &policy)?;
    let started = blindtier_compare::now();
    let mut say = |message: &str| output.step(message);
    let task = Task {
        policy: &policy,
        text: &text,
        families: &families,
        data: data(args),
        repetitions: args.repetitions,
        threads: args.threads,
        seconds_per_run: args.seconds_per_run.max(0.0),
    };
    let comparison = blindtier_compare::compare(&task, &entries, &mut say)?;
    let mut quantities: Vec<Quantity> = Vec::new();
    for quantity in args.scaling.iter().flat_map(|name| name.quantities()) {
        if !quantities.contains(&quantity) {
            quantities.push(quantity);
        }
    }
    let machine = blindtier_compare::machine();
    let extent = Extent {
        largest_round: args.largest_round,
        largest_tfhe_round: args.largest_round.min(1000),
        tfhe_families: 8,
        repetitions: 3,
        cores: machine.cores,
    };
    let report = Report {
        format: blindtier_report::FORMAT,
        started,
        command: command(),
        version: env!("CARGO_PKG_VERSION").into(),
        machine,
        threads: args.threads,
        comparison: Some(comparison),
        scaling: blindtier_compare::scaling(&quantities, extent, &mut say)?,
    };
    if let Some(folder) = &args.out {
        write(&report, folder)?;
    }
    if output.json {
        output.line(&json(&report)?)?;
    } else {
        output.line(&blindtier_report::table(&report))?;
    }
    if report.all_agree() { Ok(()) } else { Err(CliError::WrongTiers) }
}

/// The families: of the data, or synthetic ones in a folder that is thrown away.
fn families(args: &CompareArgs, policy: &Policy) -> Result<Vec<Vec<i64>>, CliError> {
    let count = usize::try_from(args.families).unwrap_or(usize::MAX);
    let read = |data: &Path| -> Result<Vec<Vec<i64>>, CliError> {
        let families = read_families(policy, data)?.take(count);
        families.map(|family| Ok(family?.values)).collect()
    };
    if let Some(data) = &args.data {
        return read(data);
    }
    let folder = tempfile::tempdir().map_err(|source| CliError::File {
        file: std::env::temp_dir(),
        action: "make a temporary folder",
        remedy: "make room there, or name another one in TMPDIR",
        source,
    })?;
    blindtier_sim::synthesize(policy, u64::from(args.families), args.seed, folder.path())?;
    read(folder.path())
}

fn data(args: &CompareArgs) -> String {
    match &args.data {
        Some(data) => data.display().to_string(),
        None => format!("synthetic, seed {}", args.seed),
    }
}

/// The command as it was called, with the program's name alone.
pub(super) fn command() -> String {
    let arguments = std::env::args_os().skip(1).map(|a| a.to_string_lossy().into_owned());
    ["blindtier".to_owned()].into_iter().chain(arguments).collect::<Vec<_>>().join(" ")
}

fn json(report: &Report) -> Result<String, CliError> {
    serde_json::to_string(report).map_err(|error| CliError::Output(error.into()))
}

/// Writes all forms of a report into a folder.
fn write(report: &Report, folder: &Path) -> Result<(), CliError> {
    let files = [
        ("report.json", json(report)?),
        ("runs.csv", blindtier_report::rows_csv(report)?),
        ("scaling.csv", blindtier_report::scaling_csv(report)?),
        ("table.txt", blindtier_report::table(report)),
        ("report.html", blindtier_report::html(report)),
    ];
    for (name, text) in files {
        blindtier_wire::storage::write_public(&folder.join(name), text.as_bytes())?;
    }
    Ok(())
}
