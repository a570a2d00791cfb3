//! The one place that knows which engines there are.

use super::error::CliError;
use blindtier_dealer::Dealt;
use blindtier_engine::{
    Ceremony, Combine, CombineCounts, Count, Encrypt, EngineError, Evaluate, OpenCounts, OpenShare,
    Plan, PlanSummary, Prepare, Proofs, Verify,
};
use blindtier_engine_bfv::{
    BfvCombine, BfvCombineCounts, BfvCount, BfvEncrypt, BfvEvaluate, BfvOpenCounts, BfvOpenShare,
    BfvPlan, BfvPrepare, BfvVerify,
};
use blindtier_engine_tfhe::{
    TfheCombine, TfheEncrypt, TfheEvaluate, TfheOpenShare, TfhePlan, TfhePrepare, TfheVerify,
};
use blindtier_policy::Policy;
use blindtier_policy::passes::Layout;
use blindtier_wire::{Digest, Engine, Sharing};
#[cfg(feature = "cluster")]
use std::num::NonZeroUsize;

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

/// Proofs on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ProofsName {
    /// Whoever submits is believed
    Off,
    /// With tfhe every ciphertext comes with a proof; with bfv the evaluator checks values while it computes
    On,
}

impl ProofsName {
    /// What was said, or what the engine has by default: with tfhe proofs, with bfv none.
    pub fn chosen(said: Option<Self>, engine: EngineName) -> Proofs {
        match (said, engine) {
            (Some(Self::On), _) | (None, EngineName::Tfhe) => Proofs::On,
            (Some(Self::Off), _) | (None, EngineName::Bfv) => Proofs::Off,
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

/// The base-2 logarithm of the largest distance that a round's flooding may leave.
const FLOODING_DISTANCE: f64 = -40.0;

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
    /// Plans a policy for keys that are shared this way.
    pub fn new(
        policy: &Policy,
        engine: EngineName,
        layout: Layout,
        sharing: Sharing,
        proofs: Proofs,
    ) -> Result<Self, CliError> {
        Self::with_groups(policy, engine, layout, sharing, proofs, 0)
    }

    /// Plans a policy for a round with statistics about so many groups; without groups it is [`AnyPlan::new`].
    pub fn with_groups(
        policy: &Policy,
        engine: EngineName,
        layout: Layout,
        sharing: Sharing,
        proofs: Proofs,
        groups: u32,
    ) -> Result<Self, CliError> {
        let shares = sharing.shares();
        Ok(match engine {
            EngineName::Tfhe if groups > 0 => return Err(CliError::StatisticsEngine),
            EngineName::Tfhe => Self::Tfhe(TfhePlan::new(policy, layout, shares, proofs)?.into()),
            EngineName::Bfv => {
                Self::Bfv(BfvPlan::counting(policy, layout, shares, proofs, groups)?.into())
            }
        })
    }

    /// Plans a policy for the engine that the registrar names, or for the one that moves fewer bytes for so many
    /// families. Says why. Refuses an engine whose flooding does not hide the noise of so many openings.
    pub fn choose(
        policy: &Policy,
        choice: EngineChoice,
        layout: Layout,
        sharing: Sharing,
        proofs: Option<ProofsName>,
        families: u64,
        groups: u32,
    ) -> Result<(Self, String), CliError> {
        let plan = |engine| {
            let proofs = ProofsName::chosen(proofs, engine);
            let plan = Self::with_groups(policy, engine, layout, sharing, proofs, groups)?;
            let distance = plan.plan().flooding_distance(families);
            if distance <= FLOODING_DISTANCE {
                return Ok(plan);
            }
            let engine = engine.name();
            Err(CliError::TooManyOpenings { engine, families, distance })
        };
        let engine = match choice {
            EngineChoice::Tfhe => EngineName::Tfhe,
            EngineChoice::Bfv => EngineName::Bfv,
            EngineChoice::Auto if groups > 0 => {
                return Ok((plan(EngineName::Bfv)?, "bfv: it has statistics".into()));
            }
            EngineChoice::Auto => {
                return match (plan(EngineName::Tfhe), plan(EngineName::Bfv)) {
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
        Ok((plan(engine)?, format!("{}: as the registrar said", engine.name())))
    }

    /// How many chunks are best computed together: one where one chunk takes all cores.
    #[cfg(feature = "cluster")]
    pub fn chunks_at_once(&self) -> NonZeroUsize {
        let cores = match self {
            Self::Tfhe(_) => 1,
            Self::Bfv(_) => rayon::current_num_threads(),
        };
        NonZeroUsize::new(cores).unwrap_or(NonZeroUsize::MIN)
    }

    /// Whether a dealer makes the key.
    pub fn needs_dealer(&self) -> bool {
        matches!(self, Self::Tfhe(_))
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
        let submitters = self.summary().submitters;
        let upload: u64 = submitters.iter().map(|s| self.plan().upload_bytes(*s, count)).sum();
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

    /// A submitter's capability, from the public key.
    pub fn encrypt(&self, public_key: &[u8]) -> Result<Box<dyn Encrypt>, EngineError> {
        match self {
            Self::Tfhe(plan) => Ok(Box::new(TfheEncrypt::new(plan.as_ref().clone(), public_key)?)),
            Self::Bfv(plan) => Ok(Box::new(BfvEncrypt::new(plan.as_ref().clone(), public_key)?)),
        }
    }

    /// A dealer's work: all keys of a round.
    pub fn deal(&self) -> Result<Dealt, EngineError> {
        match self {
            Self::Tfhe(plan) => {
                let dealt = blindtier_engine_tfhe::deal(plan.shares(), plan.summary().proofs)?;
                Ok(Dealt {
                    public: dealt.public,
                    evaluation: dealt.evaluation,
                    opening: dealt.squashing,
                    shares: dealt.shares,
                })
            }
            Self::Bfv(_) => Err(EngineError::Unsupported {
                engine: blindtier_engine_bfv::ENGINE,
                reason: "its keys are made by the trustees without a dealer".into(),
            }),
        }
    }

    /// The engine's part of a key ceremony, if it needs no dealer.
    pub fn ceremony(&self) -> Option<&dyn Ceremony> {
        match self {
            Self::Tfhe(_) => None,
            Self::Bfv(_) => Some(self),
        }
    }

    /// Adds partial decryptions up.
    pub fn combine(&self) -> Result<Box<dyn Combine>, EngineError> {
        match self {
            Self::Tfhe(plan) => Ok(Box::new(TfheCombine::new(plan))),
            Self::Bfv(plan) => Ok(Box::new(BfvCombine::new(plan)?)),
        }
    }
}

impl blindtier_transcript::Engine for AnyPlan {
    fn submitters(&self) -> Vec<usize> {
        self.summary().submitters
    }

    fn verify(&self, public: &[u8]) -> Result<Box<dyn Verify>, EngineError> {
        match self {
            Self::Tfhe(plan) => Ok(Box::new(TfheVerify::new(plan, public)?)),
            Self::Bfv(plan) => Ok(Box::new(BfvVerify::new(plan)?)),
        }
    }

    fn evaluate(&self, public: &[u8], evaluation: &[u8]) -> Result<Box<dyn Evaluate>, EngineError> {
        match self {
            Self::Tfhe(plan) => Ok(Box::new(TfheEvaluate::new(plan, public, evaluation)?)),
            Self::Bfv(plan) => Ok(Box::new(BfvEvaluate::new(plan, evaluation)?)),
        }
    }

    fn prepare(
        &self,
        evaluation: &[u8],
        opening: Option<&[u8]>,
    ) -> Result<Box<dyn Prepare>, EngineError> {
        match self {
            Self::Tfhe(_) => {
                Ok(Box::new(TfhePrepare::new(evaluation, opening.unwrap_or_default())?))
            }
            Self::Bfv(plan) => Ok(Box::new(BfvPrepare::new(plan)?)),
        }
    }

    fn combine(&self) -> Result<Box<dyn Combine>, EngineError> {
        Self::combine(self)
    }

    fn count(&self, evaluation: &[u8]) -> Result<Box<dyn Count>, EngineError> {
        match self {
            Self::Tfhe(_) => Err(blindtier_transcript::no_statistics()),
            Self::Bfv(plan) => Ok(Box::new(BfvCount::new(plan, evaluation)?)),
        }
    }

    fn combine_counts(&self) -> Result<Box<dyn CombineCounts>, EngineError> {
        match self {
            Self::Tfhe(_) => Err(blindtier_transcript::no_statistics()),
            Self::Bfv(plan) => Ok(Box::new(BfvCombineCounts::new(plan)?)),
        }
    }
}

impl blindtier_trustee::Engine for AnyPlan {
    fn share(&self, key: &[u8; 32], material: &[u8]) -> Result<Box<dyn OpenShare>, EngineError> {
        match self {
            Self::Tfhe(plan) => Ok(Box::new(TfheOpenShare::new(plan, key, material)?)),
            Self::Bfv(plan) => Ok(Box::new(BfvOpenShare::new(plan, key)?)),
        }
    }

    fn share_counts(&self, key: &[u8; 32]) -> Result<Box<dyn OpenCounts>, EngineError> {
        match self {
            Self::Tfhe(_) => Err(blindtier_transcript::no_statistics()),
            Self::Bfv(plan) => Ok(Box::new(BfvOpenCounts::new(plan, key)?)),
        }
    }
}

impl AnyPlan {
    /// The plan of an engine whose keys the trustees make without a dealer.
    fn dealerless(&self) -> Result<&BfvPlan, EngineError> {
        match self {
            Self::Bfv(plan) => Ok(plan),
            Self::Tfhe(_) => Err(EngineError::Unsupported {
                engine: blindtier_engine_tfhe::ENGINE,
                reason: "its keys are made by a dealer".into(),
            }),
        }
    }
}

impl Ceremony for AnyPlan {
    fn first(&self, common: &[u8; 32], key: &[u8; 32]) -> Result<Vec<u8>, EngineError> {
        blindtier_engine_bfv::first_message(self.dealerless()?, common, key)
    }

    fn second(
        &self,
        common: &[u8; 32],
        key: &[u8; 32],
        firsts: &[&[u8]],
    ) -> Result<Vec<u8>, EngineError> {
        blindtier_engine_bfv::second_message(self.dealerless()?, common, key, firsts)
    }

    fn public_key(&self, common: &[u8; 32], firsts: &[&[u8]]) -> Result<Vec<u8>, EngineError> {
        blindtier_engine_bfv::public_key(self.dealerless()?, common, firsts)
    }

    fn evaluation_key(
        &self,
        common: &[u8; 32],
        firsts: &[&[u8]],
        seconds: &[&[u8]],
    ) -> Result<Vec<u8>, EngineError> {
        blindtier_engine_bfv::evaluation_key(self.dealerless()?, common, firsts, seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_with_more_openings_than_flooding_hides_is_refused() {
        let text = include_str!("../../policies/mpi.toml");
        let policy = Policy::parse("mpi", text).unwrap();
        for (sharing, most) in [((3, 2), 84_916), ((5, 3), 21_229)] {
            let sharing = Sharing::new(sharing.0, sharing.1).unwrap();
            let choose = |choice, families| {
                AnyPlan::choose(&policy, choice, Layout::Folded, sharing, None, families, 0)
            };
            assert!(choose(EngineChoice::Tfhe, most).is_ok());
            let refused = choose(EngineChoice::Tfhe, most + 1).err().unwrap();
            assert_eq!(refused.exit_code(), 2);
            assert!(refused.to_string().contains("use engine bfv"), "{refused}");
            let (plan, _) = choose(EngineChoice::Auto, most + 1).unwrap();
            assert!(matches!(plan, AnyPlan::Bfv(_)));
            assert!(choose(EngineChoice::Bfv, 6_200_000).is_ok());
        }
    }
}
