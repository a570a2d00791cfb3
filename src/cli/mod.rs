//! The command line: one subcommand a party, plus the tools. A thin layer over the parties' crates.
//!
//! Exit codes: 0 done; 1 the run failed; 2 the input or the call is wrong.

mod agency;
mod auditor;
mod calibrate;
#[cfg(feature = "cluster")]
mod cluster;
#[cfg(not(feature = "cluster"))]
#[path = "cluster_left_out.rs"]
mod cluster;
mod compare;
mod cost;
mod dealer;
mod demo;
mod dmn;
mod dpia;
mod engine;
mod error;
mod evaluator;
mod family;
mod identity;
mod output;
mod policy;
mod policy_file;
mod progress;
mod registrar;
mod round;
mod round_report;
mod simulate;
mod statistics;
mod synth;
mod trustee;

use clap::{Parser, Subcommand};
use output::Output;
use progress::ProgressMode;
use std::ffi::OsString;
use std::process::ExitCode;

/// Privacy-preserving eligibility: agencies encrypt their own indicators, an evaluator computes every family's
/// support tier without seeing a record, and only the family learns it.
///
/// Start with `blindtier demo`. A real round: every party makes an identity (`blindtier identity`), all public
/// keys go into one trust file; then registrar new-round, trustee keygen, agency link, registrar link, agency and
/// registrar submit, trustee register, agency and registrar hand-over, evaluator run, trustee open, family read, auditor verify. docs/protocol.md says what each step is for.
#[derive(Parser)]
#[command(name = "blindtier", version, propagate_version = true, max_term_width = 110)]
struct Cli {
    /// Print one JSON object on standard output instead of text
    #[arg(long, global = true)]
    json: bool,
    /// How to show the progress of long work (on standard error)
    #[arg(long, global = true, value_enum, default_value_t)]
    progress: ProgressMode,
    /// Add the most memory that the process took to the object
    #[arg(long, global = true, hide = true)]
    memory: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a whole round between simulated parties, each its own process with its own folder
    Demo(demo::DemoArgs),
    /// Check, show, price, run or hash a policy file
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Make a party's signing key
    Identity(identity::IdentityArgs),
    /// The registrar: who belongs to which family
    #[command(subcommand)]
    Registrar(registrar::RegistrarCommand),
    /// An agency: encrypts its own indicators
    #[command(subcommand)]
    Agency(agency::AgencyCommand),
    /// The evaluator: computes tiers on ciphertexts
    #[command(subcommand)]
    Evaluator(evaluator::EvaluatorCommand),
    /// The evaluator's work on many machines (in builds with the feature `cluster`)
    #[command(subcommand)]
    Cluster(cluster::ClusterCommand),
    /// The dealer: makes the keys of a round with engine tfhe, once
    #[command(subcommand)]
    Dealer(dealer::DealerCommand),
    /// A trustee: holds shares of a round's key and opens the round once, together with others
    #[command(subcommand)]
    Trustee(trustee::TrusteeCommand),
    /// A family: reads its own letters and proves its tier
    #[command(subcommand)]
    Family(family::FamilyCommand),
    /// The auditor: checks a round from its public files
    #[command(subcommand)]
    Auditor(auditor::AuditorCommand),
    /// Compare approaches on one policy: the clear twin, naive tfhe, our engines, and peers that are installed
    Compare(Box<compare::CompareArgs>),
    /// One approach of a comparison, as `compare` starts it
    #[command(hide = true)]
    CompareApproach(compare::ApproachArgs),
    /// Measure this machine once, so that `policy cost --families` can say how long a round takes
    Calibrate(calibrate::CalibrateArgs),
    /// Write a synthetic population calibrated to public figures, or rows that probe a policy
    Synth(synth::SynthArgs),
    Simulate(Box<simulate::SimulateArgs>),
}

/// Parses the arguments, runs the command and turns its outcome into an exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(usage) => {
            // clap prints help and version to standard output and everything else to standard error.
            let code = u8::try_from(usage.exit_code()).unwrap_or(2);
            return if usage.print().is_ok() { ExitCode::from(code) } else { ExitCode::FAILURE };
        }
    };
    blindtier_store::install();
    let output = Output { json: cli.json, progress: cli.progress, memory: cli.memory };
    let outcome = match cli.command {
        Command::Demo(args) => demo::run(&args, output),
        Command::Policy(command) => policy::run(&command, output),
        Command::Identity(args) => identity::run(&args, output),
        Command::Registrar(command) => registrar::run(&command, output),
        Command::Agency(command) => agency::run(&command, output),
        Command::Evaluator(command) => evaluator::run(&command, output),
        Command::Cluster(command) => cluster::run(&command, output),
        Command::Dealer(command) => dealer::run(&command, output),
        Command::Trustee(command) => trustee::run(&command, output),
        Command::Family(command) => family::run(&command, output),
        Command::Auditor(command) => auditor::run(&command, output),
        Command::Compare(args) => compare::run(&args, output),
        Command::CompareApproach(args) => compare::approach(&args),
        Command::Calibrate(args) => calibrate::run(&args, output),
        Command::Synth(args) => synth::run(&args, output),
        Command::Simulate(args) => simulate::run(&args, output),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is_closed_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            output.error(&error);
            ExitCode::from(error.exit_code())
        }
    }
}
