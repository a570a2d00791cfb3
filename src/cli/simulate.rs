//! `blindtier simulate`: what a policy does to a population, in the clear.

use super::error::CliError;
use super::output::Output;
use super::{compare, policy_file};
use blindtier_policy::{OptOut, Policy};
use blindtier_report::{SIMULATION_FORMAT, Simulation};
use blindtier_simulate::{Inputs, Population, Task};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Families after which a line of progress is printed.
const LINE: u64 = 1 << 18;

/// The share of families that say no, unless the user names one.
const OPT_OUT_RATE: f64 = 0.05;

/// Tiers of shipped policies that are support.
const SUPPORTED: [(&str, &[&str]); 4] = [
    ("digital-family-card", &["emergency", "crisis"]),
    ("eight-indicators", &["emergency", "crisis"]),
    ("mpi", &["severe", "poor"]),
    ("nursery", &["recommend", "very_recom", "priority", "spec_prior"]),
];

/// Simulate a policy on registers in the clear: who gets which tier, who moves to another policy, which numbers of the
/// policy matter, and whom it misses.
///
/// This is for designing a policy, on synthetic registers (`blindtier synth`) or a sample that may be seen; it encrypts
/// nothing. It reads what `blindtier policy run` reads, and decides with the same interpreter. Registers that are in one
/// ascending order of families, as `blindtier synth` writes them, are read as streams: a million families take seconds.
///
/// Beside the registers may lie `families.csv`: one row a family with `family`, columns to group by, and `need` (yes or
/// no), which says who truly needs support. From it come the exclusion error (of those in need, the share without support)
/// and the inclusion error (of those with support, the share not in need), with 95 % intervals. Which tiers are support is
/// known for the shipped policies only: emergency and crisis, severe and poor, for nursery all but not_recom. For other
/// policies name them with --supported; without that nothing is said of support and errors.
///
/// In every run each register once knows nobody, and --opt-out-rate of the families say no, so that one sees what that
/// does. Counts of families in groups below --minimum-cell are not told, and more counts if those would follow from them:
/// tables of a real sample must not show single families. Totals over all families are always told.
#[derive(clap::Args)]
pub struct SimulateArgs {
    /// Policy file, or the name of a shipped policy
    #[arg(value_name = "POLICY")]
    policy: PathBuf,
    /// Registers: a folder with one CSV or Parquet file an agency, or one file with a row a family or a person
    #[arg(long, value_name = "PATH")]
    data: PathBuf,
    /// Another policy, or another version of it, to compare on the same registers
    #[arg(long, value_name = "POLICY")]
    against: Option<PathBuf>,
    /// Columns of the file of families to group by, separated by commas [default: those there are of
    /// region,persons,head_sex,disability]; persons from 5 on are one group
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    by: Option<Vec<String>>,
    /// The tiers that are support, separated by commas [default: see above]
    #[arg(long, value_name = "TIERS", value_delimiter = ',')]
    supported: Option<Vec<String>>,
    /// The same for --against [default: the tiers of the same names]
    #[arg(long, value_name = "TIERS", value_delimiter = ',', requires = "against")]
    supported_against: Option<Vec<String>>,
    /// Column of the file of families that says who needs support, yes or no [default: need, if it is there]
    #[arg(long, value_name = "COLUMN")]
    need: Option<String>,
    /// The file of families, with a column `family` or `id` [default: families.csv or families.parquet among the registers]
    #[arg(long, value_name = "FILE")]
    families: Option<PathBuf>,
    /// The share of families that say no, each with the same chance; 0 leaves this out [default: 0.05 where the policy
    /// offers opt-out]
    #[arg(long, value_name = "RATE")]
    opt_out_rate: Option<f64>,
    /// Shapes who says no; never a key
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// Agencies, separated by commas, whose registers know nobody all at once, beside each one alone
    #[arg(long, value_name = "AGENCIES", value_delimiter = ',')]
    without: Vec<String>,
    /// The least number of families in a cell of a group; 0 tells all
    #[arg(long, value_name = "N", default_value_t = 10)]
    minimum_cell: u64,
    /// Whether to change every cut, point value and weight, each by itself
    #[arg(long, value_enum, default_value_t)]
    sensitivity: Switch,
    /// Write simulation.json, report.html and the tables as CSV into this new folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Threads that decide [default: all cores]; each register is read by one of its own
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

/// On or off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Switch {
    /// Yes
    #[default]
    On,
    /// No
    Off,
}

pub fn run(args: &SimulateArgs, output: Output) -> Result<(), CliError> {
    if let Some(folder) = &args.out
        && folder.read_dir().is_ok_and(|mut entries| entries.next().is_some())
    {
        return Err(CliError::NotEmpty { folder: folder.clone() });
    }
    let policy = policy_file::load(&args.policy)?;
    let against = args.against.as_deref().map(policy_file::load).transpose()?;
    let supported = args.supported.clone().or_else(|| supported_by_default(&policy));
    let supported_against = args.supported_against.clone().or_else(|| {
        let other = against.as_ref()?;
        same_tiers(other, supported.as_ref()?).or_else(|| supported_by_default(other))
    });
    let started = blindtier_compare::now();
    let clock = Instant::now();
    let population = read(args, &policy, against.as_ref(), output)?;
    let reading = clock.elapsed().as_secs_f64();
    let clock = Instant::now();
    let offered = policy.opt_out == OptOut::Neutral;
    let found = blindtier_simulate::simulate(
        &population,
        &Task {
            policy: &policy,
            against: against.as_ref(),
            supported: supported.as_deref(),
            supported_against: supported_against.as_deref(),
            without: &args.without,
            opt_out_rate: args.opt_out_rate.unwrap_or(if offered { OPT_OUT_RATE } else { 0.0 }),
            seed: args.seed,
            minimum_cell: args.minimum_cell,
            sensitivity: args.sensitivity == Switch::On,
            threads: args.threads.map_or_else(cores, usize::from),
        },
    )?;
    let simulation = Simulation {
        format: SIMULATION_FORMAT,
        started,
        command: compare::command(),
        version: env!("CARGO_PKG_VERSION").into(),
        data: args.data.display().to_string(),
        policy: found.policy,
        families: found.families,
        combinations: found.combinations,
        minimum_cell: args.minimum_cell,
        counts: found.counts,
        groupings: found.groupings,
        flow: found.flow,
        sensitivity: found.sensitivity,
        bias: found.bias,
        gaps: found.gaps,
        opt_outs: found.opt_outs,
        notes: found.notes,
        seconds: [reading, clock.elapsed().as_secs_f64()],
    };
    if let Some(folder) = &args.out {
        write(&simulation, folder)?;
    }
    match output.json {
        true => output.line(&json(&simulation)?),
        false => output.line(&blindtier_report::simulation_text(&simulation)),
    }
}

fn read(
    args: &SimulateArgs,
    policy: &Policy,
    against: Option<&Policy>,
    output: Output,
) -> Result<Population, CliError> {
    let inputs = Inputs {
        policies: std::iter::once(policy).chain(against).collect(),
        data: &args.data,
        families: args.families.as_deref(),
        by: args.by.as_deref(),
        need: args.need.as_deref(),
    };
    output.step(&format!("reading {}", args.data.display()));
    let mut progress = |families: u64| {
        if families.is_multiple_of(LINE) {
            output.step(&format!("{families} families read"));
        }
    };
    let population = blindtier_simulate::read(&inputs, &mut progress)?;
    output.step(&format!("{} families read, simulating", population.families()));
    Ok(population)
}

/// Support of a shipped policy, or of a version of it that still has these tiers.
fn supported_by_default(policy: &Policy) -> Option<Vec<String>> {
    let (_, tiers) = SUPPORTED.iter().find(|(name, _)| policy.name == *name)?;
    let all = tiers.iter().all(|tier| policy.tiers.iter().any(|known| known.id == *tier));
    all.then(|| tiers.iter().map(|tier| (*tier).to_owned()).collect())
}

/// Those of these tiers that a policy has too, if it has any.
fn same_tiers(policy: &Policy, tiers: &[String]) -> Option<Vec<String>> {
    let known = |tier: &&String| policy.tiers.iter().any(|known| known.id == **tier);
    let same: Vec<String> = tiers.iter().filter(known).cloned().collect();
    (!same.is_empty()).then_some(same)
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn json(simulation: &Simulation) -> Result<String, CliError> {
    serde_json::to_string(simulation).map_err(|error| CliError::Output(error.into()))
}

/// Writes all forms of a simulation into a folder.
fn write(simulation: &Simulation, folder: &Path) -> Result<(), CliError> {
    let mut files = vec![
        ("simulation.json", json(simulation)?),
        ("tiers.csv", blindtier_report::tiers_csv(simulation)?),
        ("registers.csv", blindtier_report::gaps_csv(simulation)?),
        ("report.html", blindtier_report::simulation_page(simulation)),
    ];
    if simulation.flow.is_some() {
        files.push(("flows.csv", blindtier_report::flows_csv(simulation)?));
        files.push(("moves.csv", blindtier_report::moves_csv(simulation)?));
    }
    if simulation.bias.is_some() {
        files.push(("bias.csv", blindtier_report::bias_csv(simulation)?));
    }
    if simulation.sensitivity.is_some() {
        files.push(("sensitivity.csv", blindtier_report::sensitivity_csv(simulation)?));
    }
    for (name, text) in files {
        blindtier_wire::storage::write_public(&folder.join(name), text.as_bytes())?;
    }
    Ok(())
}
