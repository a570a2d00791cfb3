//! `blindtier demo`: a whole round between simulated parties.
//!
//! Every party is a process of its own with a folder of its own, running the same subcommands that real parties
//! run; this command plays only the couriers between them and, at the end, the comparison with the clear twin.

mod parties;
mod report;
mod statistics;

use super::engine::{AnyPlan, EngineName, LayoutName, ProofsName};
use super::error::CliError;
use super::output::Output;
use super::policy_file;
use super::registrar::{LinkageName, Switch, epsilon};
use blindtier_engine::{Operations, Proofs};
use blindtier_policy::{Answer, Interpreter, OPTED_OUT_NUMBER, Policy, UNDECIDED_NUMBER};
use blindtier_sim::{Distributed, Gaps};
use blindtier_wire::Sharing;
use std::path::{Path, PathBuf};

/// The nursery data set, so that the demo has real data wherever the program runs.
const NURSERY_DATA: &str = include_str!("../../../data/nursery.csv");

/// Run a whole round between simulated parties, each its own process with its own folder.
///
/// Without --policy and --data it takes the Nursery policy and a sample of the real Nursery data set (12,960
/// rows, a ranking of applications to nursery schools). With --policy alone it makes seeded register rows that reach every
/// level and both sides of every cut. One trustee's process is killed while it opens, if one can be spared. Ends with one
/// family's letter and a comparison of every opened tier with the clear twin; exit code 1 if one differs.
#[derive(clap::Args)]
pub struct DemoArgs {
    /// Policy file, or the name of a shipped policy [default: nursery]
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Engine
    #[arg(long, value_enum, default_value_t)]
    engine: EngineName,
    /// What agencies send
    #[arg(long, value_enum, default_value_t)]
    layout: LayoutName,
    /// How the key is shared: how many of how many trustees open together
    #[arg(long, value_name = "T-of-N", default_value = "2-of-3")]
    trustees: Sharing,
    /// CSV with a header: one row a family, one row a person (columns family and person), or a folder with one
    /// such file an agency
    #[arg(long, value_name = "CSV")]
    data: Option<PathBuf>,
    /// How many families; a seeded sample of the data [default: 24, or all of --data]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    families: Option<u64>,
    /// How many of a hundred families say no; the policy has to offer it
    #[arg(long, value_name = "PERCENT", value_parser = percent, default_value = "0%")]
    opt_out: u32,
    /// How many of a hundred families each agency's register lacks, beyond those that the data lacks
    #[arg(long, value_name = "PERCENT", value_parser = percent, default_value = "0%")]
    missing: u32,
    /// Whether ciphertexts are proven (tfhe) or checked (bfv) to hold allowed values [default: on with tfhe, off with
    /// bfv]
    #[arg(long, value_enum)]
    proofs: Option<ProofsName>,
    /// How agencies find out which slot a person of their register has. For many families keyed-hash is faster
    #[arg(long, value_enum, default_value_t)]
    linkage: LinkageName,
    /// Slots a chunk, with engine tfhe [default: 512; with engine bfv the plan says it]
    #[arg(long, value_name = "SLOTS", value_parser = clap::value_parser!(u32).range(1..=4096))]
    chunk: Option<u32>,
    /// Split the families into so many seeded regions, and open the numbers of families of each region and tier as well. Needs
    /// engine bfv
    #[arg(long, value_name = "REGIONS", value_parser = clap::value_parser!(u32).range(1..=64))]
    statistics: Option<u32>,
    /// How much of the privacy budget of 1 the numbers spend; less is more noise
    #[arg(long, value_name = "EPSILON", value_parser = epsilon, default_value = "0.5")]
    epsilon: u32,
    /// Whether the numbers have noise. Without it they have to be exactly the clear twin's
    #[arg(long, value_enum, default_value_t = Switch::On)]
    statistics_noise: Switch,
    /// Shapes the data; never a key
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// Keep every party's folder here; must be new or empty [default: a temporary folder, removed at the end]
    #[arg(long, value_name = "DIR")]
    work: Option<PathBuf>,
    /// Write a page about the round: tiers, time by phase, bytes by party, what was published; it loads nothing and has no
    /// scripts
    #[arg(long, value_name = "HTML")]
    report: Option<PathBuf>,
}

/// Families of the default demo.
const DEFAULT_FAMILIES: u64 = 24;

/// What the demo plays with, before any party starts.
pub(super) struct Stage {
    pub policy: Policy,
    pub engine: EngineName,
    pub layout: LayoutName,
    pub sharing: Sharing,
    pub proofs: Proofs,
    pub linkage: LinkageName,
    /// Slots a chunk, if that was said.
    pub chunk: Option<u32>,
    /// How many of a hundred families say no.
    pub opt_out: u32,
    /// How many of a hundred families each register lacks.
    pub missing: u32,
    /// Regions whose families are counted, the privacy budget that this spends, and whether there is noise.
    pub statistics: Option<(u32, u32, Switch)>,
    pub seed: u64,
    pub work: PathBuf,
}

/// The clear twin's answers.
pub(super) struct Expected {
    /// One number a family, see [`Policy::code`], in the order of the data.
    pub numbers: Vec<u32>,
    /// Each family's region, if families are counted.
    pub regions: Vec<u32>,
}

/// Where the families come from.
pub(super) enum Families {
    /// From a data set, already split into the agencies' registers.
    Split(Box<Distributed>),
    /// So many seeded ones, to be written once their letter keys exist.
    Made(u64),
}

impl Families {
    /// How many there are.
    pub fn count(&self) -> u64 {
        match self {
            Self::Split(parts) => u64::try_from(parts.families.len()).unwrap_or(u64::MAX),
            Self::Made(count) => *count,
        }
    }
}

impl Stage {
    /// Whether a dealer makes the key.
    pub fn needs_dealer(&self) -> bool {
        self.engine == EngineName::Tfhe
    }

    /// What the round's plan counts.
    pub fn operations(&self) -> Result<Operations, CliError> {
        let (engine, layout) = (self.engine, self.layout.into());
        let groups = self.statistics.map_or(0, |(regions, ..)| regions);
        let (sharing, proofs) = (self.sharing, self.proofs);
        let plan = AnyPlan::with_groups(&self.policy, engine, layout, sharing, proofs, groups)?;
        Ok(plan.summary().operations)
    }

    /// Splits a data set into registers; of so many families, or of all.
    fn split(&self, data: &Path, sample: Option<u64>) -> Result<Families, CliError> {
        let sample = sample.map(|families| (families, self.seed));
        let agencies = self.work.join("agencies");
        let parts = blindtier_sim::distribute(&self.policy, data, sample, self.gaps(), &agencies)?;
        Ok(Families::Split(Box::new(parts)))
    }

    fn gaps(&self) -> Gaps {
        Gaps::new(self.missing, self.seed)
    }

    /// The registrar's list of those who said no, if there is one.
    pub fn opt_out_file(&self) -> Option<PathBuf> {
        (self.opt_out > 0).then(|| self.work.join("registrar/opt-out.txt"))
    }

    /// Writes what is still to be written before the round starts, and decides every family in the clear: one number a
    /// family, see [`Policy::code`].
    pub fn prepare(&self, families: &Families, keys: &[String]) -> Result<Expected, CliError> {
        let interpreter = Interpreter::new(&self.policy)?;
        let saying_no = blindtier_sim::some_of(keys.len(), self.opt_out, self.seed);
        let answer = |family: usize, values: &[i64]| -> Result<u32, CliError> {
            let said_no = saying_no.binary_search(&family).is_ok();
            Ok(match interpreter.answer(values, said_no)? {
                Answer::Tier(outcome) => u32::try_from(outcome.tier).unwrap_or(u32::MAX),
                Answer::OptedOut => OPTED_OUT_NUMBER,
                Answer::Undecided(_) => UNDECIDED_NUMBER,
            })
        };
        let registrar = self.work.join("registrar");
        let mut names = Vec::with_capacity(keys.len());
        let mut expected = Vec::with_capacity(keys.len());
        match families {
            Families::Split(parts) => {
                parts.write_population(&registrar, keys)?;
                for (number, family) in parts.families.iter().enumerate() {
                    names.push(family.id.clone());
                    expected.push(answer(number, &family.values)?);
                }
            }
            Families::Made(_) => {
                blindtier_sim::populate(
                    &self.policy,
                    keys,
                    self.seed,
                    self.gaps(),
                    &self.work.join("agencies"),
                    &registrar.join("population.csv"),
                    |name, values| {
                        expected.push(answer(expected.len(), values)?);
                        names.push(name.to_owned());
                        Ok::<_, CliError>(())
                    },
                )?;
            }
        }
        if let Some(file) = self.opt_out_file() {
            let listed = saying_no.iter().filter_map(|family| names.get(*family));
            write(&file, &listed.map(|name| format!("{name}\n")).collect::<String>())?;
        }
        let regions = match self.statistics {
            Some((regions, ..)) => {
                let population = registrar.join("population.csv");
                blindtier_sim::add_regions(&population, regions, self.seed)?
            }
            None => Vec::new(),
        };
        Ok(Expected { numbers: expected, regions })
    }
}

pub fn run(args: &DemoArgs, output: Output) -> Result<(), CliError> {
    let temporary = match &args.work {
        Some(_) => None,
        None => Some(tempfile::Builder::new().prefix("blindtier-demo-").tempdir().map_err(
            |source| CliError::File {
                file: std::env::temp_dir(),
                action: "make a temporary folder",
                remedy: "give --work DIR",
                source,
            },
        )?),
    };
    let work = match (&args.work, &temporary) {
        (Some(folder), _) => new_folder(folder)?,
        (None, Some(folder)) => folder.path().to_owned(),
        (None, None) => PathBuf::new(),
    };
    if args.statistics.is_some() && args.engine == EngineName::Tfhe {
        return Err(CliError::StatisticsEngine);
    }
    let name = args.policy.clone().unwrap_or_else(|| PathBuf::from("nursery"));
    let text = policy_file::text(&name)?;
    let policy = Policy::parse(&name.display().to_string(), &text)?;
    write(&work.join("public/policy.toml"), &text)?;

    let stage = Stage {
        policy,
        engine: args.engine,
        layout: args.layout,
        sharing: args.trustees,
        proofs: ProofsName::chosen(args.proofs, args.engine),
        linkage: args.linkage,
        chunk: args.chunk,
        opt_out: args.opt_out,
        missing: args.missing,
        statistics: args.statistics.map(|regions| (regions, args.epsilon, args.statistics_noise)),
        seed: args.seed,
        work,
    };
    let families = match (&args.data, &args.policy) {
        (None, Some(_)) => Families::Made(args.families.unwrap_or(DEFAULT_FAMILIES)),
        (Some(data), _) => stage.split(data, args.families)?,
        (None, None) => {
            let file = stage.work.join("data/nursery.csv");
            write(&file, NURSERY_DATA)?;
            stage.split(&file, Some(args.families.unwrap_or(DEFAULT_FAMILIES)))?
        }
    };
    let outcome = parties::play(&stage, &families, output)?;
    if let Some(file) = &args.report {
        super::round_report::write(file, &report::page(&stage, &outcome)?)?;
        output.say(&format!("a page about the round: {}", file.display()));
    }
    let result = report::report(&stage, &outcome, output);
    if let Some(folder) = &args.work {
        output.say(&format!("every party's folder is kept in {}", folder.display()));
    }
    result
}

/// Reads `10%` or `10`.
fn percent(text: &str) -> Result<u32, String> {
    let number: Option<u32> = text.strip_suffix('%').unwrap_or(text).parse().ok();
    number
        .filter(|number| *number <= 100)
        .ok_or_else(|| "write a whole number from 0% to 100%".into())
}

fn new_folder(folder: &Path) -> Result<PathBuf, CliError> {
    if folder.exists() {
        let mut entries = std::fs::read_dir(folder).map_err(|source| CliError::File {
            file: folder.to_owned(),
            action: "look into the folder",
            remedy: "give a folder of your own with --work",
            source,
        })?;
        if entries.next().is_some() {
            return Err(CliError::NotEmpty { folder: folder.to_owned() });
        }
    }
    blindtier_wire::storage::create_folder(folder)?;
    Ok(folder.to_owned())
}

/// Writes a public file, making its folder.
pub(super) fn write(file: &Path, text: &str) -> Result<(), CliError> {
    if let Some(folder) = file.parent() {
        blindtier_wire::storage::create_folder(folder)?;
    }
    Ok(blindtier_wire::storage::write_public(file, text.as_bytes())?)
}
