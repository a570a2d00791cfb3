//! `blindtier registrar`.

use super::engine::{AnyPlan, EngineChoice, LayoutName};
use super::error::CliError;
use super::output::Output;
use super::policy_file;
use super::round::IdentityArg;
use blindtier_registrar::{NewRound, Population};
use blindtier_wire::{Board, Sharing};
use serde_json::json;
use std::path::PathBuf;

/// What the registrar does.
#[derive(clap::Subcommand)]
pub enum RegistrarCommand {
    /// Announce a round: shuffle families into slots, choose engine and layout, write one roster an agency
    NewRound(NewRoundArgs),
}

/// Announce a round.
///
/// Writes round.bt and letter-keys.bt to the board (public) and ROSTERS/AGENCY/roster.bt (secret, for that
/// agency alone). The population file has the columns person, family and letter_key (64 hexadecimal digits,
/// on at least one line of each family), and adult (yes or no) if the policy needs to know adults.
#[derive(clap::Args)]
pub struct NewRoundArgs {
    /// Policy file, or the name of a shipped policy
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// Who belongs to which family (CSV)
    #[arg(long, value_name = "CSV")]
    population: PathBuf,
    #[command(flatten)]
    identity: IdentityArg,
    /// The public folder of the round, which is begun with it
    #[arg(long, value_name = "DIR")]
    board: PathBuf,
    /// Folder for the rosters, one folder an agency
    #[arg(long, value_name = "DIR")]
    rosters: PathBuf,
    /// How many of how many trustees open together. With at least one more than twice the threshold less one (2-of-3,
    /// 3-of-5) an honest trustee holds every share, and lies are found; 2-of-4 also names the liar
    #[arg(long, value_name = "T-of-N", default_value = "2-of-3")]
    trustees: Sharing,
    /// Engine of the whole round
    #[arg(long, value_enum, default_value_t)]
    engine: EngineChoice,
    /// What agencies send
    #[arg(long, value_enum, default_value_t)]
    layout: LayoutName,
    /// Slots a chunk, with engine tfhe: files are written, checked and resumed chunk by chunk [default: 512; with
    /// engine bfv the plan says it]
    #[arg(long, value_name = "SLOTS", value_parser = clap::value_parser!(u32).range(1..=4096))]
    chunk: Option<u32>,
}

pub fn run(command: &RegistrarCommand, output: Output) -> Result<(), CliError> {
    match command {
        RegistrarCommand::NewRound(args) => new_round(args, output),
    }
}

fn new_round(args: &NewRoundArgs, output: Output) -> Result<(), CliError> {
    let policy = policy_file::load(&args.policy)?;
    let population = Population::read(&args.population)?;
    let families = u64::try_from(population.families.len()).unwrap_or(u64::MAX);
    let (plan, why) =
        AnyPlan::choose(&policy, args.engine, args.layout.into(), args.trustees, families)?;
    let summary = plan.summary();
    let chunk = plan.chunk(args.chunk)?;
    let announced = blindtier_registrar::new_round(&NewRound {
        policy: &policy,
        engine: plan.engine(),
        layout: match args.layout {
            LayoutName::Folded => blindtier_wire::Layout::Folded,
            LayoutName::PerIndicator => blindtier_wire::Layout::PerIndicator,
        },
        plan: plan.hash(),
        chunk,
        agencies: &summary.agencies,
        population: &population,
        population_file: &args.population,
        board: &Board::new(&args.board),
        rosters: &args.rosters,
        sharing: args.trustees,
        dealer: plan.needs_dealer(),
        identity: &args.identity.load()?,
    })?;
    let agencies: Vec<&str> =
        announced.round.agencies.iter().filter_map(|a| a.agency_id()).collect();
    let object = json!({
        "round": announced.context.round.to_string(),
        "policy_hash": policy.hash().to_string(),
        "engine": summary.engine.name,
        "why": why,
        "trustees": args.trustees.to_string(),
        "dealer": plan.needs_dealer(),
        "chunk": chunk,
        "layout": summary.layout.to_string(),
        "slots": announced.round.slots,
        "persons": announced.persons,
        "agencies": agencies,
    });
    output.report(&object, || {
        format!(
            "round {}: {} families, {} persons, engine {}, layout {}, chunks of {chunk} slots\nengine {why}\nkey: {} trustees{}\nagencies that must submit: {}\nhand {} to everybody, and each roster to its agency alone:\n{}",
            announced.context.round,
            announced.round.slots,
            announced.persons,
            summary.engine.name,
            summary.layout,
            args.trustees,
            if plan.needs_dealer() { ", dealt once by a dealer" } else { ", made by them without a dealer" },
            agencies.join(", "),
            args.board.display(),
            announced
                .rosters
                .iter()
                .map(|(agency, file)| format!("  {agency}: {}", file.display()))
                .collect::<Vec<_>>()
                .join("\n"),
        )
    })
}
