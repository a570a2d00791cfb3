//! The one place that knows which engines there are.

use super::error::CliError;
use blindtier_engine::{Encrypt, EngineError, Evaluate, Open, Plan, PlanSummary};
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
}

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
}

impl AnyPlan {
    /// Plans a policy.
    pub fn new(policy: &Policy, engine: EngineName, layout: Layout) -> Result<Self, CliError> {
        match engine {
            EngineName::Tfhe => Ok(Self::Tfhe(Box::new(TfhePlan::new(policy, layout)?))),
        }
    }

    /// The plan.
    pub fn plan(&self) -> &dyn Plan {
        match self {
            Self::Tfhe(plan) => plan.as_ref(),
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
        }
    }

    /// The evaluator's capability, from the evaluation key.
    pub fn evaluate(&self, evaluation_key: &[u8]) -> Result<Box<dyn Evaluate>, EngineError> {
        match self {
            Self::Tfhe(plan) => Ok(Box::new(TfheEvaluate::new(plan, evaluation_key)?)),
        }
    }

    /// The key holder's capability, from the secret key.
    pub fn open(&self, secret_key: &[u8], tiers: usize) -> Result<Box<dyn Open>, EngineError> {
        match self {
            Self::Tfhe(_) => Ok(Box::new(TfheOpen::new(secret_key, tiers)?)),
        }
    }

    /// Fresh keys.
    pub fn generate_keys(&self) -> Result<blindtier_trustee::Keys, EngineError> {
        match self {
            Self::Tfhe(_) => {
                let keys = blindtier_engine_tfhe::generate_keys()?;
                Ok(blindtier_trustee::Keys {
                    secret: keys.secret,
                    public: keys.public,
                    evaluation: keys.evaluation,
                })
            }
        }
    }
}
