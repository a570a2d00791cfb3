//! The kinds of file and what each may weigh.

use std::fmt;

/// What a file is. The number stands in the file and never changes meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Kind {
    /// The round: what is computed, on how many slots, by whom.
    Round = 1,
    /// One agency's part of the roster. Secret.
    Roster = 2,
    /// The families' letter keys by slot.
    LetterKeys = 3,
    /// The key agencies encrypt with.
    PublicKey = 4,
    /// The key the evaluator computes with.
    EvaluationKey = 5,
    /// Ciphertexts of one agency for consecutive slots.
    SubmissionChunk = 6,
    /// Manifest of an agency's chunks.
    Submission = 7,
    /// Encrypted results for consecutive slots.
    ResultChunk = 8,
    /// Manifest of the results and of what they were computed from.
    Receipt = 9,
    /// Sealed letters for consecutive slots.
    LetterChunk = 10,
    /// Manifest of the letters.
    Letters = 11,
    /// The shares of the key that a trustee holds. Secret.
    Shares = 12,
    /// The key that a trustee's shares are sealed to.
    TrusteeKey = 13,
    /// Shares sealed to one trustee.
    SealedShares = 14,
    /// Commitments to shares, before anybody shows anything.
    ShareCommitments = 15,
    /// Messages of one step of a key ceremony.
    CeremonyMessages = 16,
    /// The key that results are prepared with for opening.
    OpeningKey = 17,
    /// A trustee's partial decryptions for consecutive slots.
    PartialChunk = 18,
    /// A trustee's commitments to seeds for consecutive slots.
    CommitmentChunk = 19,
    /// Manifest of a trustee's partial decryptions and commitments.
    Partials = 20,
    /// Opened numbers for consecutive slots.
    OpenedChunk = 21,
    /// Manifest of the opened numbers.
    Opened = 22,
    /// An agency's sealed levels for consecutive slots.
    LevelChunk = 23,
    /// Manifest of an agency's sealed levels.
    Levels = 24,
    /// A trustee's signature under a ledger entry.
    Endorsement = 25,
    /// What a trustee states for the ledger: a refusal, or that its shares are destroyed.
    Statement = 26,
    /// A tier's seeds for the state.
    StateSeeds = 27,
    /// That a trustee has recomputed first messages of a key ceremony.
    FirstsChecked = 28,
    /// The registrar's linkage key for one agency. Secret.
    LinkageKey = 29,
    /// An agency's blinded persons.
    LinkageRequest = 30,
    /// What makes an agency's request readable to it. Secret.
    LinkageState = 31,
    /// The registrar's answer to a request.
    LinkageAnswer = 32,
    /// Which slots' families said no. Secret; the registrar's own.
    OptOuts = 33,
    /// To which group the family of each slot belongs. Secret; the registrar's own.
    GroupList = 34,
    /// Encrypted counts over consecutive chunks of slots.
    CountPart = 35,
    /// Manifest of encrypted counts.
    Counts = 36,
    /// A trustee's partial decryptions of counts.
    CountPartials = 37,
}

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

impl Kind {
    const ALL: [Self; 37] = [
        Self::Round,
        Self::Roster,
        Self::LetterKeys,
        Self::PublicKey,
        Self::EvaluationKey,
        Self::SubmissionChunk,
        Self::Submission,
        Self::ResultChunk,
        Self::Receipt,
        Self::LetterChunk,
        Self::Letters,
        Self::Shares,
        Self::TrusteeKey,
        Self::SealedShares,
        Self::ShareCommitments,
        Self::CeremonyMessages,
        Self::OpeningKey,
        Self::PartialChunk,
        Self::CommitmentChunk,
        Self::Partials,
        Self::OpenedChunk,
        Self::Opened,
        Self::LevelChunk,
        Self::Levels,
        Self::Endorsement,
        Self::Statement,
        Self::StateSeeds,
        Self::FirstsChecked,
        Self::LinkageKey,
        Self::LinkageRequest,
        Self::LinkageState,
        Self::LinkageAnswer,
        Self::OptOuts,
        Self::GroupList,
        Self::CountPart,
        Self::Counts,
        Self::CountPartials,
    ];

    /// The kind with this number.
    pub fn from_number(number: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u16 == number)
    }

    /// The number that stands in the file.
    pub fn number(self) -> u16 {
        self as u16
    }

    /// The largest body, in bytes.
    pub fn limit(self) -> u64 {
        match self {
            Self::Round
            | Self::TrusteeKey
            | Self::ShareCommitments
            | Self::Statement
            | Self::StateSeeds
            | Self::FirstsChecked
            | Self::LinkageKey => MIB,
            Self::Submission
            | Self::Receipt
            | Self::Letters
            | Self::Partials
            | Self::Opened
            | Self::Levels
            | Self::Endorsement
            | Self::Counts
            | Self::CountPartials
            | Self::Shares
            | Self::SealedShares => 64 * MIB,
            Self::LetterChunk | Self::LevelChunk => 256 * MIB,
            Self::Roster
            | Self::LetterKeys
            | Self::PublicKey
            | Self::EvaluationKey
            | Self::OpeningKey
            | Self::CeremonyMessages
            | Self::SubmissionChunk
            | Self::GroupList
            | Self::CountPart
            | Self::ResultChunk
            | Self::PartialChunk
            | Self::CommitmentChunk
            | Self::OpenedChunk
            | Self::LinkageRequest
            | Self::LinkageState
            | Self::LinkageAnswer
            | Self::OptOuts => GIB,
        }
    }

    /// Whether only its holder may read it: such files are created with mode 0600 and their buffers wiped.
    pub fn is_secret(self) -> bool {
        matches!(
            self,
            Self::Roster
                | Self::Shares
                | Self::LinkageKey
                | Self::LinkageState
                | Self::OptOuts
                | Self::GroupList
        )
    }

    /// The name in error messages and in the signature's domain separator.
    pub fn name(self) -> &'static str {
        match self {
            Self::Round => "round",
            Self::Roster => "roster",
            Self::LetterKeys => "letter-keys",
            Self::PublicKey => "public-key",
            Self::EvaluationKey => "evaluation-key",
            Self::SubmissionChunk => "submission-chunk",
            Self::Submission => "submission",
            Self::ResultChunk => "result-chunk",
            Self::Receipt => "receipt",
            Self::LetterChunk => "letter-chunk",
            Self::Letters => "letters",
            Self::Shares => "shares",
            Self::TrusteeKey => "trustee-key",
            Self::SealedShares => "sealed-shares",
            Self::ShareCommitments => "share-commitments",
            Self::CeremonyMessages => "ceremony-messages",
            Self::OpeningKey => "opening-key",
            Self::PartialChunk => "partial-chunk",
            Self::CommitmentChunk => "commitment-chunk",
            Self::Partials => "partials",
            Self::OpenedChunk => "opened-chunk",
            Self::Opened => "opened",
            Self::LevelChunk => "level-chunk",
            Self::Levels => "levels",
            Self::Endorsement => "endorsement",
            Self::Statement => "statement",
            Self::StateSeeds => "state-seeds",
            Self::FirstsChecked => "firsts-checked",
            Self::LinkageKey => "linkage-key",
            Self::LinkageRequest => "linkage-request",
            Self::LinkageState => "linkage-state",
            Self::LinkageAnswer => "linkage-answer",
            Self::OptOuts => "opt-outs",
            Self::GroupList => "group-list",
            Self::CountPart => "count-part",
            Self::Counts => "counts",
            Self::CountPartials => "count-partials",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
