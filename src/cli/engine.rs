//! The one place that knows which engines there are.

use super::error::CliError;
use blindtier_engine::{Encrypt, EngineError, Evaluate, Open, Plan, PlanSummary};
use blindtier_engine_bfv::{BfvEncrypt, BfvEvaluate, BfvOpen, BfvPlan};
use blindtier_engine_tfhe::{TfheEncrypt, TfheEvaluate, TfheOpen, TfhePlan};
use blindtier_policy::Policy;
use blindtier_policy::passes::Layout;
use blindtier_wire::{Digest, Engine};

/// Engine names on the command line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum EngineName {
    /// One family at a time, any depth
    #[default]
    Tfhe,
    /// Thousands of families in one ciphertext, for large rounds
    Bfv,
}

impl EngineName {
    /// The engine of a round file.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Tfhe, Self::Bfv].into_iter().find(|engine| engine.name() == name)
    }

    /// As round files and `--engine` have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tfhe => blindtier_engine_tfhe::ENGINE,
            Self::Bfv => blindtier_engine_bfv::ENGINE,
        }
    }
}

/// What the registrar says about the engine of a round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum EngineChoice {
    /// Whichever moves fewer bytes for so many families
    #[default]
    Auto,
    /// One family at a time, any depth
    Tfhe,
    /// Thousands of families in one ciphertext, for large rounds
    Bfv,
}

/// Slots a chunk where the engine leaves it open.
const DEFAULT_CHUNK: u32 = 512;

/// Layout names on the command line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LayoutName {
    /// Every agency computes what it can alone and sends the outcome
    #[default]
    Folded,
    /// Every indicator is sent by itself, to compare
    PerIndicator,
}

impl From<LayoutName> for Layout {
    fn from(name: LayoutName) -> Self {
        match name {
            LayoutName::Folded => Self::Folded,
            LayoutName::PerIndicator => Self::PerIndicator,
        }
    }
}

/// A policy planned for one engine.
pub enum AnyPlan {
    /// For tfhe.
    Tfhe(Box<TfhePlan>),
    /// For bfv.
    Bfv(Box<BfvPlan>),
}

impl AnyPlan {
    /// Plans a policy.
    pub fn new(policy: &Policy, engine: EngineName, layout: Layout) -> Result<Self, CliError> {
        match engine {
            EngineName::Tfhe => Ok(Self::Tfhe(Box::new(TfhePlan::new(policy, layout)?))),
            EngineName::Bfv => Ok(Self::Bfv(Box::new(BfvPlan::new(policy, layout)?))),
        }
    }

    /// Plans a policy for the engine that the registrar names, or for the one that moves fewer bytes for so many
    /// families. Says why.
    pub fn choose(
        policy: &Policy,
        choice: EngineChoice,
        layout: Layout,
        families: u64,
    ) -> Result<(Self, String), CliError> {
        let engine = match choice {
            EngineChoice::Tfhe => EngineName::Tfhe,
            EngineChoice::Bfv => EngineName::Bfv,
            EngineChoice::Auto => {
                let plans = (
                    Self::new(policy, EngineName::Tfhe, layout),
                    Self::new(policy, EngineName::Bfv, layout),
                );
                return match plans {
                    (Ok(tfhe), Ok(bfv)) => {
                        let (own, other) = (bfv.round_bytes(families), tfhe.round_bytes(families));
                        let said = |chosen: &str, less: u64, other: &str, more: u64| {
                            format!(
                                "{chosen}: for {families} families its ciphertexts have {less} bytes in all, those of {other} {more}"
                            )
                        };
                        Ok(if own <= other {
                            (bfv, said("bfv", own, "tfhe", other))
                        } else {
                            (tfhe, said("tfhe", other, "bfv", own))
                        })
                    }
                    (Ok(tfhe), Err(error)) => Ok((tfhe, format!("tfhe: {error}"))),
                    (Err(error), Ok(bfv)) => Ok((bfv, format!("bfv: {error}"))),
                    (Err(error), Err(_)) => Err(error),
                };
            }
        };
        Ok((
            Self::new(policy, engine, layout)?,
            format!("{}: as the registrar said", engine.name()),
        ))
    }

    /// Slots a chunk: what the plan fixes, or what was chosen, or the default.
    pub fn chunk(&self, chosen: Option<u32>) -> Result<u32, CliError> {
        match (self.plan().chunk_slots(), chosen) {
            (Some(slots), Some(_)) => {
                Err(CliError::ChunkChosen { engine: self.engine().name, slots })
            }
            (Some(slots), None) => Ok(slots),
            (None, chosen) => Ok(chosen.unwrap_or(DEFAULT_CHUNK)),
        }
    }

    /// Bytes of all submissions and results of a round, without envelopes.
    fn round_bytes(&self, families: u64) -> u64 {
        let slots = self.plan().chunk_slots().unwrap_or(DEFAULT_CHUNK);
        let count = families.min(u64::from(slots));
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let agencies = self.summary().agencies;
        let upload: u64 = agencies.iter().map(|a| self.plan().upload_bytes(*a, count)).sum();
        let chunk = upload.saturating_add(self.plan().result_bytes(count));
        chunk.saturating_mul(families.div_ceil(u64::from(slots)))
    }

    /// The plan.
    pub fn plan(&self) -> &dyn Plan {
        match self {
            Self::Tfhe(plan) => plan.as_ref(),
            Self::Bfv(plan) => plan.as_ref(),
        }
    }

    /// Its public summary.
    pub fn summary(&self) -> PlanSummary {
        self.plan().summary()
    }

    /// Its hash, as files carry it.
    pub fn hash(&self) -> Digest {
        Digest(self.summary().hash)
    }

    /// Its engine, as files carry it.
    pub fn engine(&self) -> Engine {
        let engine = self.summary().engine;
        Engine { name: engine.name, parameters: engine.parameters }
    }

    /// An agency's capability, from the public key.
    pub fn encrypt(&self, public_key: &[u8]) -> Result<Box<dyn Encrypt>, EngineError> {
        match self {
            Self::Tfhe(plan) => Ok(Box::new(TfheEncrypt::new(plan.as_ref().clone(), public_key)?)),
            Self::Bfv(plan) => Ok(Box::new(BfvEncrypt::new(plan.as_ref().clone(), public_key)?)),
        }
    }

    /// The evaluator's capability, from the evaluation key.
    pub fn evaluate(&self, evaluation_key: &[u8]) -> Result<Box<dyn Evaluate>, EngineError> {
        match self {
            Self::Tfhe(plan) => Ok(Box::new(TfheEvaluate::new(plan, evaluation_key)?)),
            Self::Bfv(plan) => Ok(Box::new(BfvEvaluate::new(plan, evaluation_key)?)),
        }
    }

    /// The key holder's capability, from the secret key.
    pub fn open(&self, secret_key: &[u8], tiers: usize) -> Result<Box<dyn Open>, EngineError> {
        match self {
            Self::Tfhe(_) => Ok(Box::new(TfheOpen::new(secret_key, tiers)?)),
            Self::Bfv(plan) => Ok(Box::new(BfvOpen::new(plan, secret_key, tiers)?)),
        }
    }

    /// Fresh keys.
    pub fn generate_keys(&self) -> Result<blindtier_trustee::Keys, EngineError> {
        let (secret, public, evaluation) = match self {
            Self::Tfhe(_) => {
                let keys = blindtier_engine_tfhe::generate_keys()?;
                (keys.secret, keys.public, keys.evaluation)
            }
            Self::Bfv(plan) => {
                let keys = blindtier_engine_bfv::generate_keys(plan)?;
                (keys.secret, keys.public, keys.evaluation)
            }
        };
        Ok(blindtier_trustee::Keys { secret, public, evaluation })
    }
}
