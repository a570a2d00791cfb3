//! What every command of a round starts from: the policy, the trust file and the round file.

use super::engine::{AnyPlan, EngineName};
use super::error::CliError;
use super::policy_file;
use blindtier_policy::Policy;
use blindtier_policy::passes::Layout;
use blindtier_wire::{Context, Digest, Round, SigningIdentity, TrustFile};
use std::path::{Path, PathBuf};

/// Arguments that every command of a round takes.
#[derive(clap::Args)]
pub struct RoundArgs {
    /// Policy file, or the name of a shipped policy
    #[arg(long, value_name = "FILE")]
    pub policy: PathBuf,
    /// The registrar's public round file (round.bt)
    #[arg(long, value_name = "FILE")]
    pub round: PathBuf,
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
}

impl RoundArgs {
    /// Reads the three files, plans the policy for the round's engine and layout, and checks that the
    /// registrar meant the same plan.
    pub fn load(&self) -> Result<LoadedRound, CliError> {
        let policy = policy_file::load(&self.policy)?;
        let policy_hash = Digest(policy.hash().0);
        let trust = TrustFile::read(&self.trust)?;
        let announced = Round::read(&self.round, &trust, policy_hash)?.body;
        let layout = match announced.layout {
            blindtier_wire::Layout::Folded => Layout::Folded,
            blindtier_wire::Layout::PerIndicator => Layout::PerIndicator,
        };
        let other = |own: String| CliError::OtherEngine {
            file: self.round.clone(),
            engine: announced.engine.name.clone(),
            parameters: announced.engine.parameters.clone(),
            own,
        };
        let engine = EngineName::from_name(&announced.engine.name)
            .ok_or_else(|| other("no such engine".into()))?;
        let plan = AnyPlan::new(&policy, engine, layout)?;
        if plan.engine() != announced.engine {
            return Err(other(plan.engine().parameters));
        }
        if let Some(slots) = plan.plan().chunk_slots().filter(|slots| *slots != announced.chunk) {
            let (file, found) = (self.round.clone(), announced.chunk);
            return Err(CliError::ChunkSlots { file, engine: announced.engine.name, slots, found });
        }
        let plan_hash = plan.hash();
        let received = Round::read_with_plan(&self.round, &trust, policy_hash, plan_hash)?;
        let (round, context) = (received.body, received.context);
        Ok(LoadedRound { policy, policy_hash, plan, plan_hash, round, context, trust })
    }
}

/// Size of all files in a folder (not below), for reports.
pub fn folder_bytes(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .filter_map(|e| e.metadata().ok())
        .filter(|m| m.is_file())
        .map(|m| m.len())
        .sum()
}
