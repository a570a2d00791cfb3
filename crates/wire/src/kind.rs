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
    /// The trustee's secret key. Secret.
    SecretKey = 12,
}

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

impl Kind {
    const ALL: [Self; 12] = [
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
        Self::SecretKey,
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
            Self::Round => MIB,
            Self::Submission | Self::Receipt | Self::Letters => 64 * MIB,
            Self::LetterChunk => 256 * MIB,
            Self::Roster
            | Self::LetterKeys
            | Self::PublicKey
            | Self::EvaluationKey
            | Self::SubmissionChunk
            | Self::ResultChunk
            | Self::SecretKey => GIB,
        }
    }

    /// Whether only its holder may read it: such files are created with mode 0600 and their buffers wiped.
    pub fn is_secret(self) -> bool {
        matches!(self, Self::Roster | Self::SecretKey)
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
            Self::SecretKey => "secret-key",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
