//! `blindtier policy`: what an analyst does with a policy file. Nothing here is encrypted.

use super::engine::{AnyPlan, EngineName, LayoutName};
use super::error::CliError;
use super::output::Output;
use super::policy_file;
use blindtier_policy::{Domain, Interpreter, Labels, Policy, Table, Term, read_families};
use serde_json::json;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

/// What can be done with a policy file.
#[derive(clap::Subcommand)]
pub enum PolicyCommand {
    /// Check a policy file and report every mistake with its place
    Check(PolicyArg),
    /// Show what a policy says; with --json its canonical form, which is what is hashed
    Show(PolicyArg),
    /// Show what a policy costs: lookups, ciphertexts and bytes a family, failure probability
    Cost(CostArgs),
    /// Decide every family of a data set in the clear and print `id,tier` rows
    Run(RunArgs),
    /// Print the policy's hash, which does not change with comments and spacing
    Hash(PolicyArg),
}

/// A policy file.
#[derive(clap::Args)]
pub struct PolicyArg {
    /// Policy file, or the name of a shipped policy (nursery, digital-family-card, eight-indicators, mpi)
    #[arg(value_name = "POLICY")]
    policy: PathBuf,
}

/// Show what a policy costs.
#[derive(clap::Args)]
pub struct CostArgs {
    #[command(flatten)]
    policy: PolicyArg,
    /// Engine
    #[arg(long, value_enum, default_value_t)]
    engine: EngineName,
    /// Slots a chunk
    #[arg(long, value_name = "SLOTS", default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..=4096))]
    chunk: u32,
}

/// Decide every family of a data set in the clear.
#[derive(clap::Args)]
pub struct RunArgs {
    #[command(flatten)]
    policy: PolicyArg,
    /// CSV with a header: one row a family (column id, or the row number), one row a person (columns family and
    /// person), or a folder with one such file an agency
    #[arg(long, value_name = "CSV")]
    data: PathBuf,
    /// Add a column with the directions that the letter would show
    #[arg(long)]
    reasons: bool,
}

pub fn run(command: &PolicyCommand, output: Output) -> Result<(), CliError> {
    match command {
        PolicyCommand::Check(args) => check(args, output),
        PolicyCommand::Show(args) => show(args, output),
        PolicyCommand::Cost(args) => cost(args, output),
        PolicyCommand::Run(args) => decide(args, output),
        PolicyCommand::Hash(args) => {
            let policy = policy_file::load(&args.policy)?;
            let hash = policy.hash().to_string();
            output.report(&json!({ "policy": policy.name, "policy_hash": hash }), || hash.clone())
        }
    }
}

fn check(args: &PolicyArg, output: Output) -> Result<(), CliError> {
    let policy = policy_file::load(&args.policy)?;
    let hash = policy.hash().to_string();
    let object = json!({
        "policy": policy.name,
        "policy_hash": hash,
        "tiers": policy.tiers.len(),
        "agencies": policy.agencies.len(),
        "indicators": policy.indicators.len(),
        "errors": [],
    });
    output.report(&object, || {
        format!(
            "{}: no mistakes found ({} tiers, {} agencies, {} indicators, hash {hash})",
            policy.name,
            policy.tiers.len(),
            policy.agencies.len(),
            policy.indicators.len(),
        )
    })
}

fn english(labels: &Labels) -> &str {
    labels.get("en").or_else(|| labels.values().next()).map_or("", String::as_str)
}

fn show(args: &PolicyArg, output: Output) -> Result<(), CliError> {
    let policy = policy_file::load(&args.policy)?;
    if output.json {
        return output.line(&policy.canonical());
    }
    output.line(&summary(&policy))
}

fn summary(policy: &Policy) -> String {
    let mut lines = vec![format!("{}: {}", policy.name, english(&policy.title))];
    let tiers: Vec<&str> = policy.tiers.iter().map(|t| t.id.as_str()).collect();
    lines.push(format!("tiers, lowest first: {}", tiers.join(", ")));
    for (position, agency) in policy.agencies.iter().enumerate() {
        lines.push(format!("agency {} ({})", agency.id, english(&agency.label)));
        for indicator in policy.indicators.iter().filter(|i| i.agency == position) {
            let domain = match &indicator.domain {
                Domain::Levels { levels, missing, .. } => {
                    let ids: Vec<&str> = levels.iter().map(|l| l.id.as_str()).collect();
                    let missing = ids.get(*missing).copied().unwrap_or_default();
                    format!("{} (missing: {missing})", ids.join(", "))
                }
                Domain::Integer { min, max, unit, missing } => {
                    format!("{min}..={max} {unit} (missing: {missing})")
                }
            };
            lines.push(format!("  {}: {domain}", indicator.id));
        }
    }
    for concept in &policy.concepts {
        let classes: Vec<&str> = concept.classes.iter().map(|c| c.id.as_str()).collect();
        let size = match &concept.table {
            Table::FirstMatch(rules) => format!("{} rules, first match", rules.len()),
            Table::Grid(cells) => format!("grid of {} cells", cells.len()),
        };
        lines.push(format!("concept {}: {} ({size})", concept.id, classes.join(", ")));
    }
    for score in &policy.scores {
        let weights = score.terms.iter().filter(|t| matches!(t, Term::Weight { .. })).count();
        lines.push(format!(
            "score {}: {} point tables, {weights} weights, {} decimals",
            score.id,
            score.terms.len() - weights,
            score.decimals
        ));
    }
    for cut in &policy.cuts {
        let classes: Vec<&str> = cut.classes.iter().map(|c| c.id.as_str()).collect();
        let at: Vec<String> = cut.at.iter().map(i64::to_string).collect();
        lines.push(format!("cut {}: {} at {}", cut.id, classes.join(", "), at.join(", ")));
    }
    for rule in &policy.overrides {
        lines.push(format!("override: {}", english(&rule.label)));
    }
    for reason in &policy.reasons {
        lines.push(format!("reason {}: {}", reason.id, english(&reason.label)));
    }
    lines.join("\n")
}

fn cost(args: &CostArgs, output: Output) -> Result<(), CliError> {
    let policy = policy_file::load(&args.policy.policy)?;
    let families = usize::try_from(args.chunk).unwrap_or(usize::MAX);
    let mut layouts = Vec::new();
    let mut text = vec![format!("policy {}, chunks of {families} slots", policy.name)];
    for layout in [LayoutName::Folded, LayoutName::PerIndicator] {
        let any = AnyPlan::new(&policy, args.engine, layout.into())?;
        let (plan, summary) = (any.plan(), any.summary());
        let upload: u64 = summary.agencies.iter().map(|a| plan.upload_bytes(*a, families)).sum();
        let result = plan.result_bytes(families);
        let per_family = |bytes: u64| bytes.div_ceil(u64::from(args.chunk));
        let describe = plan.describe();
        text.push(format!(
            "{} layout: lookups a family {}, agencies that send {}, bytes a family: upload {}, result {}",
            summary.layout,
            summary.lookups_per_family,
            summary.agencies.len(),
            per_family(upload),
            per_family(result),
        ));
        text.extend(describe.iter().map(|line| format!("  {line}")));
        layouts.push(json!({
            "layout": summary.layout.to_string(),
            "engine": summary.engine.name,
            "parameters": summary.engine.parameters,
            "lookups_per_family": summary.lookups_per_family,
            "agencies": summary.agencies.len(),
            "bytes": { "upload_per_family": per_family(upload), "result_per_family": per_family(result) },
            "plan": describe,
        }));
    }
    let object = json!({ "policy": policy.name, "chunk": args.chunk, "layouts": layouts });
    output.report(&object, || text.join("\n"))
}

fn decide(args: &RunArgs, output: Output) -> Result<(), CliError> {
    let policy = policy_file::load(&args.policy.policy)?;
    let interpreter = Interpreter::new(&policy)?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut rows = Vec::new();
    let mut counts = vec![0u64; policy.tiers.len()];
    if !output.json {
        let header = if args.reasons { "id,tier,reasons" } else { "id,tier" };
        writeln!(out, "{header}").map_err(CliError::Output)?;
    }
    for family in read_families(&policy, &args.data)? {
        let family = family?;
        let outcome = interpreter.decide(&family.values)?;
        let tier = policy.tiers.get(outcome.tier).map_or("", |t| t.id.as_str());
        if let Some(count) = counts.get_mut(outcome.tier) {
            *count += 1;
        }
        let reasons: Vec<&str> = outcome
            .reasons
            .iter()
            .filter_map(|r| policy.reasons.get(*r))
            .map(|r| r.id.as_str())
            .collect();
        if output.json {
            let mut row = json!({ "id": family.id, "tier": tier });
            if let (true, Some(fields)) = (args.reasons, row.as_object_mut()) {
                fields.insert("reasons".into(), json!(reasons));
            }
            rows.push(row);
        } else {
            let id = csv_cell(&family.id);
            match args.reasons {
                true => writeln!(out, "{id},{tier},{}", reasons.join(" ")),
                false => writeln!(out, "{id},{tier}"),
            }
            .map_err(CliError::Output)?;
        }
    }
    if output.json {
        let tiers: serde_json::Map<String, serde_json::Value> =
            policy.tiers.iter().zip(&counts).map(|(t, c)| (t.id.clone(), json!(c))).collect();
        let object = json!({ "policy": policy.name, "policy_hash": policy.hash().to_string(), "tiers": tiers, "families": rows });
        writeln!(out, "{object}").map_err(CliError::Output)?;
    }
    out.flush().map_err(CliError::Output)
}

/// A cell as CSV wants it: quoted when it holds a separator, a quote or a line end.
fn csv_cell(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
