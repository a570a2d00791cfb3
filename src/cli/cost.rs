//! `blindtier policy cost`: what a policy costs, and with `--families` what a round of it will cost.

pub mod figures;
pub mod program;
mod show;

use super::calibrate;
use super::engine::{AnyPlan, EngineName, LayoutName, ProofsName};
use super::error::CliError;
use super::output::Output;
use super::policy_file;
use blindtier_engine::{Operation, Operations, Proofs};
use blindtier_estimate::{Calibration, Difference, store};
use blindtier_policy::Policy;
use figures::Setting;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Instant;

/// Show what a policy costs: lookups or multiplications, bytes a family, failure probability or noise.
///
/// With --families also what a round of so many families will cost: operations, bytes and memory of every party, and, if
/// this machine was measured (`blindtier calibrate`), the seconds of every step.
#[derive(clap::Args)]
pub struct CostArgs {
    /// Policy file, or the name of a shipped policy (nursery, digital-family-card, eight-indicators, mpi)
    #[arg(value_name = "POLICY")]
    policy: PathBuf,
    /// Engine
    #[arg(long, value_enum, default_value_t)]
    engine: EngineName,
    /// What agencies send [default: both are shown]
    #[arg(long, value_enum)]
    layout: Option<LayoutName>,
    /// Slots a chunk, with engine tfhe [default: 512]
    #[arg(long, value_name = "SLOTS", value_parser = clap::value_parser!(u32).range(1..=4096))]
    chunk: Option<u32>,
    /// How the key is shared: how many of how many trustees
    #[arg(long, value_name = "T-of-N", default_value = "2-of-3")]
    trustees: blindtier_wire::Sharing,
    /// Whether ciphertexts are proven (tfhe) or checked (bfv) to hold allowed values [default: on with tfhe, off with
    /// bfv]
    #[arg(long, value_enum)]
    proofs: Option<ProofsName>,
    /// Estimate a round of so many families
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=4_294_967_295))]
    families: Option<u64>,
    /// Cores of every party's machine [default: this machine's]
    #[arg(long, value_name = "C", value_parser = clap::value_parser!(u32).range(1..=1024), requires = "families")]
    cores: Option<u32>,
    /// Measurements of this machine, as `blindtier calibrate` wrote them [default: blindtier/calibration.json in the
    /// user's cache folder]
    #[arg(long, value_name = "FILE", requires = "families")]
    calibration: Option<PathBuf>,
}

pub fn run(args: &CostArgs, output: Output) -> Result<(), CliError> {
    let policy = policy_file::load(&args.policy)?;
    let known = args.families.map(|_| Known::find(args.calibration.as_ref())).transpose()?;
    let mut layouts = Vec::new();
    let mut text = vec![format!("policy {}, engine {}", policy.name, args.engine.name())];
    let mut refused = None;
    let chosen = match args.layout {
        Some(layout) => vec![layout],
        None => vec![LayoutName::Folded, LayoutName::PerIndicator],
    };
    for layout in chosen {
        match one_layout(args, &policy, layout, known.as_ref()) {
            Ok((lines, object)) => {
                text.extend(lines);
                layouts.push(object);
            }
            // What is planned apart can be refused apart: one layout may be too deep where the other is not.
            Err(error @ CliError::Engine(_)) => {
                let name = blindtier_policy::passes::Layout::from(layout).to_string();
                text.push(format!("{name} layout: {error}"));
                layouts.push(json!({ "layout": name, "refused": error.to_string() }));
                refused = Some(error);
            }
            Err(error) => return Err(error),
        }
    }
    if let Some(error) = refused
        && layouts.iter().all(|layout| layout.get("refused").is_some())
    {
        return Err(error);
    }
    let mut object = json!({ "policy": policy.name, "layouts": layouts });
    if let (Some(known), Some(fields)) = (&known, object.as_object_mut()) {
        fields.insert("calibration".into(), known.json());
        text.extend(known.lines());
    }
    output.report(&object, || text.join("\n"))
}

/// The calibration that is used.
struct Known {
    file: PathBuf,
    calibration: Option<Calibration>,
    differences: Vec<Difference>,
}

impl Known {
    /// Reads the calibration that is named, which has to be there, or the usual one.
    fn find(named: Option<&PathBuf>) -> Result<Self, CliError> {
        let file = match named {
            Some(file) => file.clone(),
            None => store::default_file("calibration")?,
        };
        let calibration = store::read(&file)?;
        if let (Some(file), None) = (named, &calibration) {
            return Err(CliError::NoCalibration { file: file.clone() });
        }
        let here = calibrate::machine();
        let differences = calibration
            .as_ref()
            .map(|calibration| calibration.differences(env!("CARGO_PKG_VERSION"), &here))
            .unwrap_or_default();
        Ok(Self { file, calibration, differences })
    }

    fn json(&self) -> Value {
        let Some(calibration) = &self.calibration else { return Value::Null };
        json!({
            "file": self.file,
            "made": calibration.made,
            "release": calibration.blindtier,
            "processor": calibration.machine.processor,
            "cores": calibration.machine.cores,
            "warnings": self.differences.iter().map(Difference::to_string).collect::<Vec<_>>(),
        })
    }

    fn lines(&self) -> Vec<String> {
        let Some(calibration) = &self.calibration else {
            return vec![format!(
                "no seconds: this machine was not measured; run `blindtier calibrate` once, which writes {}",
                self.file.display()
            )];
        };
        let mut lines = vec![format!(
            "seconds by {}, made {} on {} cores of {}",
            self.file.display(),
            calibration.made,
            calibration.machine.cores,
            calibration.machine.processor,
        )];
        lines.extend(self.differences.iter().map(|difference| {
            format!("warning: {difference}; run `blindtier calibrate` on the machine that is asked about")
        }));
        lines
    }
}

/// The text and the object of one layout.
fn one_layout(
    args: &CostArgs,
    policy: &Policy,
    layout: LayoutName,
    known: Option<&Known>,
) -> Result<(Vec<String>, Value), CliError> {
    let proofs = ProofsName::chosen(args.proofs, args.engine);
    let start = Instant::now();
    let any = AnyPlan::new(policy, args.engine, layout.into(), args.trustees, proofs)?;
    let planning = start.elapsed().as_secs_f64();
    let chunk = any.chunk(args.chunk)?;
    let (mut text, mut object) = plan(policy, &any, chunk);
    if let (Some(families), Some(known)) = (args.families, known) {
        let cores = args.cores.unwrap_or_else(|| calibrate::machine().cores);
        let sharing = args.trustees;
        let setting = Setting { families, cores, sharing, chunk, planning };
        let round = figures::round(policy, &any, &setting);
        let bytes = blindtier_estimate::sent(&round);
        let memory = blindtier_estimate::memory(&round);
        let seconds = match &known.calibration {
            Some(calibration) => Some(blindtier_estimate::seconds(&round, calibration)?),
            None => None,
        };
        let shown = show::Shown { round, bytes, memory, seconds };
        text.extend(shown.text());
        if let Some(fields) = object.as_object_mut() {
            fields.insert("estimate".into(), shown.json());
        }
    }
    Ok((text, object))
}

/// What a plan says of itself.
fn plan(policy: &Policy, any: &AnyPlan, chunk: u32) -> (Vec<String>, Value) {
    let (plan, summary) = (any.plan(), any.summary());
    let families = usize::try_from(chunk).unwrap_or(usize::MAX);
    let registrar = policy.agencies.len();
    let bytes_of = |submitter: &usize| plan.upload_bytes(*submitter, families);
    let (registrars, agencies): (Vec<usize>, Vec<usize>) =
        summary.submitters.iter().partition(|submitter| **submitter == registrar);
    let upload: u64 = agencies.iter().map(bytes_of).sum();
    let opt_out_upload: u64 = registrars.iter().map(bytes_of).sum();
    let result = plan.result_bytes(families);
    let per_family = |bytes: u64| bytes.div_ceil(u64::from(chunk));
    let describe = plan.describe();
    let Operations { operation, tier, opt_out, checks } = summary.operations;
    let mut operations = match operation {
        Operation::Lookup => format!("lookups a family {tier}"),
        Operation::Multiplication => format!("multiplications a chunk {tier}"),
    };
    for (number, what) in [(opt_out, "opt-out"), (checks, "checks")] {
        if number > 0 {
            operations.push_str(&format!(", for {what} {number}"));
        }
    }
    let proofs = summary.proofs == Proofs::On;
    let mut text = vec![format!(
        "{} layout, chunks of {chunk} slots, proofs {}: {operations}, parties that submit {}, bytes a family: upload {} (for opt-out {}), result {}",
        summary.layout,
        if proofs { "on" } else { "off" },
        summary.submitters.len(),
        per_family(upload),
        per_family(opt_out_upload),
        per_family(result),
    )];
    text.extend(describe.iter().map(|line| format!("  {line}")));
    let mut object = json!({
        "layout": summary.layout.to_string(),
        "engine": summary.engine.name,
        "parameters": summary.engine.parameters,
        "chunk": chunk,
        "lookups_per_family": summary.operations.lookups_per_family(),
        "opt_out_lookups_per_family": if operation == Operation::Lookup { opt_out } else { 0 },
        "proofs": proofs,
        "submitters": summary.submitters.len(),
        "bytes": {
            "upload_per_family": per_family(upload),
            "opt_out_upload_per_family": per_family(opt_out_upload),
            "result_per_family": per_family(result),
        },
        "plan": describe,
    });
    if let (Operation::Multiplication, Some(fields)) = (operation, object.as_object_mut()) {
        fields.insert("multiplications_per_chunk".into(), json!(tier));
        fields.insert("checks_per_chunk".into(), json!(checks));
    }
    (text, object)
}
