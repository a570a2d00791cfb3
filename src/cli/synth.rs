//! `blindtier synth`: a synthetic population, or rows that probe a policy.

use super::error::CliError;
use super::output::Output;
use super::policy_file;
use blindtier_sim::population::{self, Dirt, Faults, Figure, Plan, Summary, TOLERANCE};
use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Families of a population unless the user says otherwise; of rows that probe a policy.
const POPULATION: u64 = 1_000_000;
const PROBE: u64 = 100;

/// Write a synthetic population calibrated to public figures, or rows that probe a policy.
///
/// A population has persons in families in the regions of Kazakhstan, whose published figures (persons a family, poverty
/// by region and size, owned dwellings, social assistance) come out within 5 percent at a million families; the command
/// prints how far they are. Everything else about it is an assumption: docs/population.md says what. The registers are
/// those of the policy `digital-family-card`, one file an agency, ready for `blindtier policy run digital-family-card
/// --data DIR`. Beside them lie `families`, the truth about every family before any fault, and `margins.json`.
///
/// With --probe the rows reach every level of any policy and both sides of every cut. They are for tests, and no likeness
/// of any population. The same options give the same bytes, on any number of threads.
#[derive(clap::Args)]
pub struct SynthArgs {
    /// How many families, from 10 to 10000000 [default: 1000000, with --probe 100]
    #[arg(long, value_name = "N")]
    families: Option<u64>,
    /// Shapes the rows; never a key
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// Folder to write
    #[arg(long, value_name = "DIR", default_value = "population")]
    out: PathBuf,
    /// Format of the files; the cells are the same
    #[arg(long, value_enum, default_value_t, conflicts_with = "probe")]
    format: FormatName,
    /// How often a register lacks a person that it should know, from 0 to 1. The civil registry lacks nobody
    #[arg(long, value_name = "RATE", default_value_t = 0.01, conflicts_with = "probe")]
    missing_rows: f64,
    /// How often a register has a person a second time, in the family that the person left, from 0 to 1
    #[arg(long, value_name = "RATE", default_value_t = 0.002, conflicts_with = "probe")]
    duplicate_persons: f64,
    /// How often the land registry states the address before the last move, from 0 to 1
    #[arg(long, value_name = "RATE", default_value_t = 0.03, conflicts_with = "probe")]
    stale_addresses: f64,
    /// Write rows that reach every level and both sides of every cut of a policy
    #[arg(long)]
    probe: bool,
    /// Policy to probe: a file, or the name of a shipped policy [default: nursery]
    #[arg(long, value_name = "FILE", requires = "probe")]
    policy: Option<PathBuf>,
}

/// Format of the files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum FormatName {
    /// Comma-separated text
    #[default]
    Csv,
    /// Columns of text, compressed
    Parquet,
}

impl From<FormatName> for population::Format {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Csv => Self::Csv,
            FormatName::Parquet => Self::Parquet,
        }
    }
}

pub fn run(args: &SynthArgs, output: Output) -> Result<(), CliError> {
    if args.probe { probe(args, output) } else { populate(args, output) }
}

fn probe(args: &SynthArgs, output: Output) -> Result<(), CliError> {
    let policy = policy_file::load(args.policy.as_deref().unwrap_or(Path::new("nursery")))?;
    let families = args.families.unwrap_or(PROBE);
    blindtier_sim::synthesize(&policy, families, args.seed, &args.out)?;
    let object = json!({ "policy": policy.name, "families": families, "seed": args.seed });
    output.report(&object, || {
        format!("{families} families of policy {} in {}", policy.name, args.out.display())
    })
}

fn populate(args: &SynthArgs, output: Output) -> Result<(), CliError> {
    let plan = Plan {
        families: args.families.unwrap_or(POPULATION),
        seed: args.seed,
        dirt: Dirt {
            missing_rows: args.missing_rows,
            duplicate_persons: args.duplicate_persons,
            stale_addresses: args.stale_addresses,
        },
    };
    let progress = output.progress("synthesising");
    let done = |families| progress.set(families, plan.families);
    let summary = population::write(&plan, args.format.into(), &args.out, done)?;
    progress.finish();
    output.report(&json!(summary), || text(&summary, &args.out))
}

fn text(summary: &Summary, folder: &Path) -> String {
    let mut figures = table(&["figure", "target", "reached", "difference", "within 5 %"]);
    for Figure { name, target, reached, relative_difference, within, .. } in &summary.figures {
        figures.add_row([
            (*name).to_owned(),
            quantity(*target),
            quantity(*reached),
            format!("{:+.2} %", 100.0 * relative_difference),
            if *within { "yes" } else { "NO" }.to_owned(),
        ]);
    }
    let mut faults = table(&["register", "rows without faults", "missing", "twice", "old address"]);
    for Faults { agency, rows, missing, duplicated, stale } in &summary.faults {
        let numbers = [rows, missing, duplicated, stale].map(u64::to_string);
        faults.add_row([(*agency).to_owned()].into_iter().chain(numbers));
    }
    let needing = 100.0 * summary.needing as f64 / summary.families as f64;
    let verdict = match summary.figures.iter().filter(|figure| !figure.within).count() {
        0 => format!("all figures within {:.0} % of their targets", 100.0 * TOLERANCE),
        missed => format!(
            "{missed} figures miss their targets by more than {:.0} %: fewer families, coarser figures",
            100.0 * TOLERANCE
        ),
    };
    format!(
        "{} persons in {} families in {}; {needing:.1} % of the families need support\n{figures}\n{verdict}\n{faults}",
        summary.persons,
        summary.families,
        folder.display(),
    )
}

/// A share as percent; persons a family as they are.
fn quantity(value: f64) -> String {
    if value > 1.0 { format!("{value:.3}") } else { format!("{:.3} %", 100.0 * value) }
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(header.to_vec());
    table
}
