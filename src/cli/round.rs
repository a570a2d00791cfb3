//! What every command of a round starts from: the policy, the trust file and the round file.

use super::engine::{AnyPlan, EngineName};
use super::error::CliError;
use super::policy_file;
use blindtier_engine::Proofs;
use blindtier_policy::Policy;
use blindtier_policy::passes::Layout;
use blindtier_wire::{Board, Context, Digest, Round, SigningIdentity, TrustFile, storage};
use std::path::{Path, PathBuf};

/// Arguments that every command of a round takes.
#[derive(clap::Args)]
pub struct RoundArgs {
    /// Policy file, or the name of a shipped policy
    #[arg(long, value_name = "FILE")]
    pub policy: PathBuf,
    /// The public folder of the round, with round.bt, or a URL of one: s3://, gs://, az://, file:// (see docs/operations.md)
    #[arg(long, value_name = "DIR")]
    pub board: PathBuf,
    /// Trust file that pins every party's public key
    #[arg(long, value_name = "FILE")]
    pub trust: PathBuf,
}

/// A party's own signing key.
#[derive(clap::Args)]
pub struct IdentityArg {
    /// This party's signing key, as `blindtier identity` wrote it
    #[arg(long, value_name = "FILE")]
    pub identity: PathBuf,
}

impl IdentityArg {
    /// Reads the key.
    pub fn load(&self) -> Result<SigningIdentity, CliError> {
        Ok(SigningIdentity::read(&self.identity)?)
    }
}

/// A round, checked against the caller's own policy and plan.
pub struct LoadedRound {
    pub policy: Policy,
    pub policy_hash: Digest,
    pub plan: AnyPlan,
    pub plan_hash: Digest,
    pub round: Round,
    pub context: Context,
    pub trust: TrustFile,
    pub board: Board,
}

impl RoundArgs {
    /// Reads policy, trust file and round, plans the policy for the round's engine and layout, and checks that the
    /// registrar meant the same plan.
    pub fn load(&self) -> Result<LoadedRound, CliError> {
        let policy = policy_file::load(&self.policy)?;
        let policy_hash = Digest(policy.hash().0);
        let trust = TrustFile::read(&self.trust)?;
        let board = Board::new(&self.board);
        let announced = Round::read(&board.round(), &trust, policy_hash)?.body;
        let layout = layout(announced.layout);
        let other = |own: String| CliError::OtherEngine {
            file: board.round(),
            engine: announced.engine.name.clone(),
            parameters: announced.engine.parameters.clone(),
            own,
        };
        let engine = EngineName::from_name(&announced.engine.name)
            .ok_or_else(|| other("no such engine".into()))?;
        let proofs = if announced.proofs { Proofs::On } else { Proofs::Off };
        let groups = announced.statistics.as_ref().map_or(0, |statistics| statistics.groups.len());
        let groups = u32::try_from(groups).unwrap_or(u32::MAX);
        let plan =
            AnyPlan::with_groups(&policy, engine, layout, announced.sharing, proofs, groups)?;
        if plan.engine() != announced.engine {
            return Err(other(plan.engine().parameters));
        }
        if let Some(slots) = plan.plan().chunk_slots().filter(|slots| *slots != announced.chunk) {
            let (file, found) = (board.round(), announced.chunk);
            return Err(CliError::ChunkSlots { file, engine: announced.engine.name, slots, found });
        }
        let plan_hash = plan.hash();
        let received = Round::read_with_plan(&board.round(), &trust, policy_hash, plan_hash)?;
        let (round, context) = (received.body, received.context);
        Ok(LoadedRound { policy, policy_hash, plan, plan_hash, round, context, trust, board })
    }
}

/// The layout of a round file.
pub fn layout(named: blindtier_wire::Layout) -> Layout {
    match named {
        blindtier_wire::Layout::Folded => Layout::Folded,
        blindtier_wire::Layout::PerIndicator => Layout::PerIndicator,
    }
}

/// Size of all files in a folder and below, for reports; 0 where it cannot be told.
pub fn folder_bytes(folder: &Path) -> u64 {
    storage::folder_bytes(folder).unwrap_or(0)
}
