//! What a command reports when it cannot do its work.

use blindtier_wire::PartyName;
use std::io;
use std::path::PathBuf;

/// Any failure of a command. The parties' own errors name file, party and remedy.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    #[error(transparent)]
    Policy(#[from] blindtier_policy::PolicyErrors),
    #[error(transparent)]
    Register(#[from] blindtier_policy::RegisterError),
    #[error(transparent)]
    Wire(#[from] blindtier_wire::WireError),
    #[error(transparent)]
    Registrar(#[from] blindtier_registrar::RegistrarError),
    #[error(transparent)]
    Agency(#[from] blindtier_agency::AgencyError),
    #[error(transparent)]
    Evaluator(#[from] blindtier_evaluator::EvaluatorError),
    #[error(transparent)]
    Trustee(#[from] blindtier_trustee::TrusteeError),
    #[error(transparent)]
    Family(#[from] blindtier_family::FamilyError),
    #[error(transparent)]
    Audit(#[from] blindtier_auditor::AuditError),
    #[error(transparent)]
    Ledger(#[from] blindtier_ledger::LedgerError),
    #[error(transparent)]
    Dealer(#[from] blindtier_dealer::DealerError),
    #[error(transparent)]
    Sim(#[from] blindtier_sim::SimError),
    #[error(transparent)]
    Simulate(#[from] blindtier_simulate::SimulateError),
    #[error(transparent)]
    Engine(#[from] blindtier_engine::EngineError),
    #[error(transparent)]
    Decide(#[from] blindtier_policy::DecideError),
    #[error(transparent)]
    TrustTable(#[from] blindtier_assessment::TrustError),
    #[error(transparent)]
    Dmn(#[from] blindtier_dmn::ImportError),
    #[error(transparent)]
    Compare(#[from] blindtier_compare::CompareError),
    #[error(transparent)]
    Estimate(#[from] blindtier_estimate::EstimateError),
    #[cfg(feature = "cluster")]
    #[error(transparent)]
    Cluster(#[from] blindtier_cluster::ClusterError),
    /// The program is built without it.
    #[cfg(not(feature = "cluster"))]
    #[error(
        "this program was built without the command cluster; build it with `cargo build --release --features cluster`, or share the work with `evaluator run --shard`"
    )]
    NoCluster,
    /// A calibration was named that is not there.
    #[error("{}: there is no calibration; make one with `blindtier calibrate --out FILE`", file.display())]
    NoCalibration { file: PathBuf },
    /// The system gives no threads.
    #[error("threads to measure with cannot be started: {0}")]
    Threads(rayon::ThreadPoolBuildError),
    #[error("the measurements cannot be written as CSV: {0}")]
    Csv(#[from] csv::Error),
    /// No approach of this name can be compared.
    #[error("no approach `{name}`; there are {known}")]
    NoSuchApproach { name: String, known: String },
    /// A tier of some approach is not the clear twin's.
    #[error(
        "an approach opened tiers that are not those of the clear twin; see the column of agreement"
    )]
    WrongTiers,
    /// A file cannot be read or written.
    #[error("{}: cannot {action}: {source}; {remedy}", file.display())]
    File { file: PathBuf, action: &'static str, remedy: &'static str, source: io::Error },
    /// Standard output is closed or full.
    #[error("cannot write to standard output: {0}")]
    Output(io::Error),
    /// The round uses an engine that this program does not have.
    #[error("{}: the round uses engine `{engine}` with parameters `{parameters}`, this program has `{own}`; use the release that the registrar used", file.display())]
    OtherEngine { file: PathBuf, engine: String, parameters: String, own: String },
    /// A batched engine's chunk is a ciphertext, whose size the plan fixes.
    #[error("{}: engine `{engine}` needs chunks of {slots} slots for this policy, not {found}; ask the registrar to announce the round without --chunk", file.display())]
    ChunkSlots { file: PathBuf, engine: String, slots: u32, found: u32 },
    /// The registrar asked for another chunk than the engine has.
    #[error(
        "engine `{engine}` packs {slots} slots into a chunk for this policy; leave --chunk out"
    )]
    ChunkChosen { engine: String, slots: u32 },
    /// The agency's identity names no agency of the policy.
    #[error(
        "the identity is {party}, which is no agency of this policy (it has {known}); use the identity file of an agency"
    )]
    NoSuchAgency { party: PartyName, known: String },
    /// A correction's ciphertexts have to be proven.
    #[error(
        "a correction is made by one agency at a time that wants another tier for one family: it needs proofs of encryption; leave --proofs off away"
    )]
    CorrectionWithoutProofs,
    /// Only a batched engine counts families.
    #[error(
        "engine tfhe cannot count families of groups; use --engine bfv, or announce the round without statistics"
    )]
    StatisticsEngine,
    /// A group that the round does not have.
    #[error("the round has no group `{name}`; it has {}", groups.join(", "))]
    NoSuchGroup { name: String, groups: Vec<String> },
    /// The folder for a demo has something in it.
    #[error("{}: the folder is not empty; give a new one, so that no round is mixed with another", folder.display())]
    NotEmpty { folder: PathBuf },
    /// An opt-out list names a family that the data does not have.
    #[error("{}: line {line}: the data has no family `{family}`; correct the identifier or take the line out", file.display())]
    UnknownFamily { file: PathBuf, line: usize, family: String },
    /// So many openings would show noise under the flooding.
    #[error(
        "engine `{engine}` cannot open {families} families in one round: the flooding would leave a distance of 2^{distance:.1}, more than 2^-40; use engine bfv or split the round"
    )]
    TooManyOpenings { engine: &'static str, families: u64, distance: f64 },
    /// What to recompute was not understood.
    #[error("--re-execute {text:?} is not understood; write `all`, `sample N` or `chunk N`")]
    ReExecute { text: String },
    /// A ledger head is 64 hexadecimal digits.
    #[error("--head {text:?} is no ledger head; copy the 64 hexadecimal digits from the letter")]
    NotAHead { text: String },
    /// A public key is 64 hexadecimal digits.
    #[error(
        "--state-key {text:?} is no public key; write the 64 hexadecimal digits that `family keygen` printed"
    )]
    NotAKey { text: String },
    /// A file of keys has no key at this position.
    #[error("{}: there is no key {position} in this file of {count}; count from 0", file.display())]
    NoSuchKey { file: PathBuf, position: usize, count: usize },
    /// A file of keys has more than the one that is needed.
    #[error("{}: {count} keys in this file; choose one with --family N", file.display())]
    ManyKeys { file: PathBuf, count: usize },
    /// A proof shows something else than was claimed.
    #[error("{}: this proof shows {what} {shown}, not {claimed}; the claim is not proven", file.display())]
    OtherClaim { file: PathBuf, what: &'static str, shown: String, claimed: String },
    /// A party of a demo failed.
    #[error("{party} failed: {message}")]
    Party { party: String, message: String, code: u8 },
    /// The opened tiers are not those of the clear twin.
    #[error(
        "{disagree} of {families} families got another tier than the clear twin gives: this is a bug of blindtier, please report it with the seed"
    )]
    Disagree { disagree: usize, families: usize },
    /// The opened numbers of families are not those of the clear twin.
    #[error(
        "numbers of families that were opened without noise are not those of the clear twin: this is a bug of blindtier, please report it with the seed"
    )]
    DisagreeingCounts,
}

impl CliError {
    /// 2 when the input or the call is wrong, 1 when the machine failed or the outcome is wrong.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Party { code, .. } => *code,
            Self::Disagree { .. }
            | Self::DisagreeingCounts
            | Self::Output(_)
            | Self::WrongTiers
            | Self::Threads(_) => 1,
            Self::Evaluator(blindtier_evaluator::EvaluatorError::Unfinished { .. }) => 1,
            Self::Compare(blindtier_compare::CompareError::Approach(_)) => 1,
            _ if self.machine_failed() => 1,
            _ => 2,
        }
    }

    /// Whether the reader of standard output has gone, as `head` does.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(source) if source.kind() == io::ErrorKind::BrokenPipe)
    }

    fn machine_failed(&self) -> bool {
        let mut next: Option<&(dyn std::error::Error + 'static)> = Some(self);
        while let Some(error) = next {
            if let Some(source) = error.downcast_ref::<io::Error>() {
                // A wrong path is the caller's; a full disk or a broken device is the machine's.
                return !matches!(
                    source.kind(),
                    io::ErrorKind::NotFound
                        | io::ErrorKind::PermissionDenied
                        | io::ErrorKind::AlreadyExists
                        | io::ErrorKind::NotADirectory
                        | io::ErrorKind::IsADirectory
                        | io::ErrorKind::InvalidInput
                        | io::ErrorKind::Unsupported
                        | io::ErrorKind::InvalidData
                        | io::ErrorKind::UnexpectedEof
                );
            }
            next = error.source();
        }
        false
    }

    /// The parties to turn to.
    pub fn culprits(&self) -> Vec<PartyName> {
        let one = |party: Option<&PartyName>| party.into_iter().cloned().collect();
        match self {
            Self::Wire(error) => one(error.culprit()),
            Self::Registrar(error) => error.culprits(),
            Self::Agency(error) => error.culprits(),
            Self::Dealer(error) => one(error.culprit()),
            Self::Ledger(error) => error.culprits(),
            Self::Evaluator(error) => error.culprits(),
            Self::Trustee(error) => error.culprits(),
            Self::Family(error) => error.culprits(),
            Self::Audit(error) => error.culprits(),
            _ => Vec::new(),
        }
    }
}
