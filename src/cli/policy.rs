//! `blindtier policy`: what an analyst does with a policy file. Nothing here is encrypted.

use super::error::CliError;
use super::output::Output;
use super::policy_file;
use blindtier_policy::{
    Answer, Domain, Interpreter, Labels, OPTED_OUT, OptOut, Policy, Table, Term, UNDECIDED,
    read_families,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What can be done with a policy file.
#[derive(clap::Subcommand)]
pub enum PolicyCommand {
    /// Check a policy file and report every mistake with its place
    Check(PolicyArg),
    /// Show what a policy says; with --json its canonical form, which is what is hashed
    Show(PolicyArg),
    /// Show what a policy costs: lookups or multiplications, bytes a family, failure probability or noise
    Cost(super::cost::CostArgs),
    /// Decide every family of a data set in the clear and print `id,tier` rows
    Run(RunArgs),
    /// Write a data-protection impact assessment of a policy, as Markdown
    Dpia(super::dpia::DpiaArgs),
    /// Import decision tables of OMG DMN 1.3 to 1.5 as a policy
    ImportDmn(super::dmn::ImportDmnArgs),
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
    /// File with one family identifier a line: the families that said no. They get `opted_out`, if the policy
    /// has the rule
    #[arg(long, value_name = "FILE")]
    opt_out: Option<PathBuf>,
}

pub fn run(command: &PolicyCommand, output: Output) -> Result<(), CliError> {
    match command {
        PolicyCommand::Check(args) => check(args, output),
        PolicyCommand::Show(args) => show(args, output),
        PolicyCommand::Cost(args) => super::cost::run(args, output),
        PolicyCommand::Run(args) => decide(args, output),
        PolicyCommand::Dpia(args) => super::dpia::run(args, output),
        PolicyCommand::ImportDmn(args) => super::dmn::run(args, output),
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

/// A label in English, or in any language.
pub fn english(labels: &Labels) -> &str {
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
                    let missing = missing.and_then(|m| ids.get(m).copied());
                    format!("{} (missing: {})", ids.join(", "), missing.unwrap_or(UNDECIDED))
                }
                Domain::Integer { min, max, unit, missing } => {
                    let missing = missing.map_or(UNDECIDED.to_owned(), |m| m.to_string());
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
    lines.push(match policy.opt_out {
        OptOut::Neutral => "opt-out: a family may say no".to_owned(),
        OptOut::NotOffered => "opt-out: not offered".to_owned(),
    });
    for reason in &policy.reasons {
        lines.push(format!("reason {}: {}", reason.id, english(&reason.label)));
    }
    lines.join("\n")
}

fn decide(args: &RunArgs, output: Output) -> Result<(), CliError> {
    let policy = policy_file::load(&args.policy.policy)?;
    let interpreter = Interpreter::new(&policy)?;
    let mut said_no = opt_outs(args.opt_out.as_deref())?;
    let mut rows = Vec::new();
    let mut counts = vec![0u64; policy.tiers.len()];
    let (mut opted_out, mut undecided) = (0u64, 0u64);
    for family in read_families(&policy, &args.data)? {
        let family = family?;
        let no = said_no.remove(&family.id).is_some();
        let (tier, reasons) = match interpreter.answer(&family.values, no)? {
            Answer::Undecided(_) => {
                undecided += 1;
                (UNDECIDED, Vec::new())
            }
            Answer::OptedOut => {
                opted_out += 1;
                (OPTED_OUT, Vec::new())
            }
            Answer::Tier(outcome) => {
                if let Some(count) = counts.get_mut(outcome.tier) {
                    *count += 1;
                }
                (policy.tiers.get(outcome.tier).map_or("", |t| t.id.as_str()), outcome.reasons)
            }
        };
        let reasons =
            reasons.iter().filter_map(|r| policy.reasons.get(*r)).map(|r| r.id.as_str()).collect();
        rows.push(Row { id: family.id, tier, reasons });
    }
    if let (Some((family, line)), Some(file)) = (said_no.into_iter().next(), &args.opt_out) {
        return Err(CliError::UnknownFamily { file: file.clone(), line, family });
    }
    if !output.json {
        return print_csv(&rows, args.reasons).map_err(CliError::Output);
    }
    let tiers: serde_json::Map<String, Value> =
        policy.tiers.iter().zip(&counts).map(|(t, c)| (t.id.clone(), json!(c))).collect();
    let families: Vec<Value> = rows
        .iter()
        .map(|row| match args.reasons {
            true => json!({ "id": row.id, "tier": row.tier, "reasons": row.reasons }),
            false => json!({ "id": row.id, "tier": row.tier }),
        })
        .collect();
    let object = json!({
        "policy": policy.name,
        "policy_hash": policy.hash().to_string(),
        "tiers": tiers,
        "opted_out": opted_out,
        "undecided": undecided,
        "families": families,
    });
    output.line(&object.to_string())
}

/// One family's answer. All are printed once every family is decided, so that a mistake in the last row leaves no
/// half list.
struct Row<'p> {
    id: String,
    tier: &'p str,
    reasons: Vec<&'p str>,
}

fn print_csv(rows: &[Row<'_>], reasons: bool) -> std::io::Result<()> {
    let mut writer = csv::Writer::from_writer(std::io::stdout().lock());
    let columns = if reasons { 3 } else { 2 };
    writer.write_record(["id", "tier", "reasons"].iter().take(columns))?;
    for row in rows {
        let joined = row.reasons.join(" ");
        writer.write_record([row.id.as_str(), row.tier, &joined].iter().take(columns))?;
    }
    writer.flush()
}

/// The families of an opt-out list, each with its line.
fn opt_outs(file: Option<&Path>) -> Result<BTreeMap<String, usize>, CliError> {
    let Some(file) = file else { return Ok(BTreeMap::new()) };
    let text = std::fs::read_to_string(file).map_err(|source| CliError::File {
        file: file.to_owned(),
        action: "read the opt-out list",
        remedy: "give a text file with one family identifier a line",
        source,
    })?;
    let lines = text.lines().map(str::trim).zip(1..).filter(|(family, _)| !family.is_empty());
    Ok(lines.map(|(family, line)| (family.to_owned(), line)).collect())
}
