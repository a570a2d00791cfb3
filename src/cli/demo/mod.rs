//! `blindtier demo`: a whole round between simulated parties.
//!
//! Every party is a process of its own with a folder of its own, running the same subcommands that real parties
//! run; this command plays only the couriers between them and, at the end, the comparison with the clear twin.

mod parties;
mod report;

use super::engine::{EngineName, LayoutName};
use super::error::CliError;
use super::output::Output;
use super::policy_file;
use blindtier_policy::{Interpreter, Policy};
use blindtier_sim::Distributed;
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
    /// Shapes the data; never a key
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// Keep every party's folder here; must be new or empty [default: a temporary folder, removed at the end]
    #[arg(long, value_name = "DIR")]
    work: Option<PathBuf>,
}

/// Families of the default demo.
const DEFAULT_FAMILIES: u64 = 24;

/// What the demo plays with, before any party starts.
pub(super) struct Stage {
    pub policy: Policy,
    pub engine: EngineName,
    pub layout: LayoutName,
    pub sharing: Sharing,
    pub work: PathBuf,
}

/// Where the families come from.
pub(super) enum Families {
    /// From a data set, already split into the agencies' registers.
    Split(Box<Distributed>),
    /// So many seeded ones, to be written once their letter keys exist.
    Made(u64, u64),
}

impl Families {
    /// How many there are.
    pub fn count(&self) -> u64 {
        match self {
            Self::Split(parts) => u64::try_from(parts.families.len()).unwrap_or(u64::MAX),
            Self::Made(count, _) => *count,
        }
    }
}

impl Stage {
    /// Whether a dealer makes the key.
    pub fn needs_dealer(&self) -> bool {
        self.engine == EngineName::Tfhe
    }

    fn split(&self, data: &Path, sample: Option<(u64, u64)>) -> Result<Families, CliError> {
        let agencies = self.work.join("agencies");
        let parts = blindtier_sim::distribute(&self.policy, data, sample, &agencies)?;
        Ok(Families::Split(Box::new(parts)))
    }

    /// Writes what is still to be written before the round starts, and decides every family in the clear: one tier
    /// a family.
    pub fn prepare(&self, families: &Families, keys: &[String]) -> Result<Vec<u8>, CliError> {
        let interpreter = Interpreter::new(&self.policy)?;
        let tier = |values: &[i64]| -> Result<u8, CliError> {
            Ok(u8::try_from(interpreter.decide(values)?.tier).unwrap_or(u8::MAX))
        };
        let registrar = self.work.join("registrar");
        match families {
            Families::Split(parts) => {
                parts.write_population(&registrar, keys)?;
                parts.families.iter().map(|family| tier(&family.values)).collect()
            }
            Families::Made(_, seed) => {
                let mut expected = Vec::with_capacity(keys.len());
                blindtier_sim::populate(
                    &self.policy,
                    keys,
                    *seed,
                    &self.work.join("agencies"),
                    &registrar.join("population.csv"),
                    |values| {
                        expected.push(tier(values)?);
                        Ok::<_, CliError>(())
                    },
                )?;
                Ok(expected)
            }
        }
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
    let name = args.policy.clone().unwrap_or_else(|| PathBuf::from("nursery"));
    let text = policy_file::text(&name)?;
    let policy = Policy::parse(&name.display().to_string(), &text)?;
    write(&work.join("public/policy.toml"), &text)?;

    let (engine, layout, sharing) = (args.engine, args.layout, args.trustees);
    let stage = Stage { policy, engine, layout, sharing, work };
    let families = match (&args.data, &args.policy) {
        (None, Some(_)) => Families::Made(args.families.unwrap_or(DEFAULT_FAMILIES), args.seed),
        (Some(data), _) => stage.split(data, args.families.map(|n| (n, args.seed)))?,
        (None, None) => {
            let file = stage.work.join("data/nursery.csv");
            write(&file, NURSERY_DATA)?;
            stage.split(&file, Some((args.families.unwrap_or(DEFAULT_FAMILIES), args.seed)))?
        }
    };
    let outcome = parties::play(&stage, &families, output)?;
    let result = report::report(&stage, &outcome, output);
    if let Some(folder) = &args.work {
        output.say(&format!("every party's folder is kept in {}", folder.display()));
    }
    result
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
