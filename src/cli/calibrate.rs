//! `blindtier calibrate`: measures what the steps of a round take on this machine.
//!
//! Steps are measured through the same functions that the parties call, on keys that are thrown away.

mod bfv;
mod common;
mod tfhe;
mod timer;

use super::error::CliError;
use super::output::Output;
use super::policy_file::{self, SHIPPED};
use blindtier_estimate::{Bfv, Calibration, FORMAT, Machine, store};
use blindtier_policy::Policy;
use serde_json::json;
use std::path::PathBuf;
use std::time::Instant;
use timer::Timer;

/// Measure this machine once, so that `policy cost --families` can say how long a round takes.
///
/// Takes a few minutes and up to 3 GB of memory with engine tfhe. Measure while nothing else runs: what is measured on a busy
/// machine makes every estimate too long. `policy cost` uses the measurements until they are made anew, and says if they are
/// of another release or machine.
#[derive(clap::Args)]
pub struct CalibrateArgs {
    /// Which engine
    #[arg(long, value_enum, default_value_t)]
    engine: Engines,
    /// A policy of which the plans are measured with bfv; may be repeated. What was measured of others stays [default: all
    /// shipped ones]
    #[arg(long, value_name = "POLICY")]
    policy: Vec<PathBuf>,
    /// File to write [default: blindtier/calibration.json in the user's cache folder]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Which engines are measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Engines {
    /// Both
    #[default]
    Both,
    /// One family at a time; what was measured of bfv before stays
    Tfhe,
    /// A chunk at a time; what was measured of tfhe before stays
    Bfv,
}

pub fn run(args: &CalibrateArgs, output: Output) -> Result<(), CliError> {
    let file = match &args.out {
        Some(file) => file.clone(),
        None => store::default_file("out")?,
    };
    let release = env!("CARGO_PKG_VERSION");
    let here = machine();
    // Of the other engine, unless it was measured elsewhere. A file that cannot be read is replaced.
    let before = store::read(&file)
        .ok()
        .flatten()
        .filter(|before| before.differences(release, &here).is_empty());
    let start = Instant::now();
    let timer = Timer::new(here.cores)?;
    output.step("measuring: files, sealing, registers");
    let common = common::measure(&timer)?;
    let tfhe = match args.engine {
        Engines::Bfv => before.as_ref().and_then(|before| before.tfhe),
        Engines::Both | Engines::Tfhe => Some(tfhe::measure(&timer, output)?),
    };
    let bfv = match args.engine {
        Engines::Tfhe => before.map(|before| before.bfv).unwrap_or_default(),
        Engines::Both | Engines::Bfv => {
            let measured = bfv::measure(&timer, &policies(&args.policy)?, output)?;
            let others = before.map(|before| before.bfv).unwrap_or_default().into_iter();
            let again = |old: &Bfv| measured.iter().any(|new| new.plan == old.plan);
            let others: Vec<Bfv> = others.filter(|old| !again(old)).collect();
            [measured, others].concat()
        }
    };
    let calibration = Calibration {
        format: FORMAT,
        blindtier: release.to_owned(),
        made: blindtier_compare::now(),
        machine: here,
        common,
        tfhe,
        bfv,
    };
    store::write(&file, &calibration)?;
    let seconds = start.elapsed().as_secs_f64();
    let object = json!({
        "file": file,
        "seconds": seconds,
        "calibration": calibration,
    });
    output.report(&object, || {
        format!(
            "measured in {seconds:.0} s: {}\nblindtier policy cost POLICY --families N uses it",
            file.display()
        )
    })
}

/// The policies that are named, or all shipped ones.
fn policies(named: &[PathBuf]) -> Result<Vec<Policy>, CliError> {
    if named.is_empty() {
        return SHIPPED.iter().map(|(name, text)| Ok(Policy::parse(name, text)?)).collect();
    }
    named.iter().map(|file| policy_file::load(file)).collect()
}

/// This machine, as far as times depend on it.
pub fn machine() -> Machine {
    let here = blindtier_compare::machine();
    Machine {
        processor: here.processor,
        cores: here.cores,
        system: here.system,
        features: here.features,
    }
}
