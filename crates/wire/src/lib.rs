//! Message formats between the parties.
//!
//! Every file is one signed envelope: a magic, the format version, the kind, a header that names round,
//! policy, sender and engine, the body, and an Ed25519 signature over all of it. A receiver says what it
//! expects and gets either that or an error that names the file, the party to turn to and the remedy.
//! Large columns travel as numbered chunk files whose BLAKE3 hashes stand in a signed manifest written last.
#![forbid(unsafe_code)]

mod board;
mod body_file;
mod body_writer;
mod ceremony;
mod chunk;
mod codec;
mod envelope;
mod error;
mod evaluation_key;
mod identity;
mod kind;
mod letter_keys;
mod letters;
mod levels;
mod linkage;
mod names;
mod opened;
mod opening_key;
mod opt_outs;
mod pads;
mod partials;
mod proof;
mod pseudonym;
mod public_key;
mod receipt;
mod roster;
mod roster_file;
mod round;
mod sealing;
mod shares;
mod sharing;
mod statement;
mod statistics;
pub mod storage;
mod submission;

pub use board::Board;
pub use ceremony::{CeremonyMessages, FirstsChecked, ShareCommitment, ShareCommitments};
pub use chunk::{
    Chunk, ChunkReader, ChunkWriter, Chunking, chunk_name, chunk_number, chunks_exist,
};
pub use envelope::{Context, Engine, Expect, Message, Received, Signed, read, write};
pub use error::{Fault, WireError, same};
pub use evaluation_key::EvaluationKey;
pub use identity::{SigningIdentity, TrustFile};
pub use kind::Kind;
pub use letter_keys::{LetterKeyFile, LetterKeys, LetterKeysDigest, LetterKeysWriter};
pub use letters::{LetterText, Letters, letter_bytes};
pub use levels::Levels;
pub use linkage::{LinkageAnswer, LinkageKey, LinkageRequest, LinkageState, MAX_LINKAGE_PERSONS};
pub use names::{Digest, NameError, PartyName, RoundId};
pub use opened::{Opened, from_chunk as opened_numbers, opened_digest, to_bytes as opened_bytes};
pub use opening_key::OpeningKey;
pub use opt_outs::OptOuts;
pub use pads::{Seed, unpad};
pub use partials::{COMMITMENT_CHUNKS, PARTIAL_CHUNKS, PartialChunk, Partials, commitments_in};
pub use proof::{Proof, StateSeeds};
pub use pseudonym::{Pseudonym, PseudonymKey};
pub use public_key::PublicKey;
pub use receipt::{Receipt, SubmissionEntry};
pub use roster::{Entry, Roster, RosterHead, RosterLinkage, RosterWriter};
pub use roster_file::{Family, RosterFile};
pub use round::{Correction, Layout, Linkage, Round};
pub use sealing::{LetterKey, Purpose, SEAL_BYTES, check_randomness, seal};
pub use shares::{SealedShares, Share, Shares, TrusteeKey};
pub use sharing::{MAX_SHARES, Sharing, SharingError};
pub use statement::{MAX_REASON, Statement, check_reason};
pub use statistics::{
    CountPartials, Counts, EPSILON, GroupList, MAX_GROUPS, NO_GROUP, Question, Statistics,
};
pub use submission::{Submission, utc};

/// The usual file names, so that a folder explains itself.
pub mod file_names {
    /// [`crate::Round`].
    pub const ROUND: &str = "round.bt";
    /// [`crate::Roster`]; private to one agency.
    pub const ROSTER: &str = "roster.bt";
    /// [`crate::LinkageKey`], one folder an agency; never leaves the registrar.
    pub const LINKAGE_KEY: &str = "linkage-key.bt";
    /// The hash of the one request of an agency that the registrar has answered, beside its linkage key.
    pub const LINKAGE_ANSWERED: &str = "answered.txt";
    /// [`crate::LinkageRequest`], as the agency keeps it beside its state.
    pub const LINKAGE_REQUEST: &str = "linkage-request.bt";
    /// [`crate::LinkageState`]; never leaves the agency.
    pub const LINKAGE_STATE: &str = "linkage-state.bt";
    /// [`crate::OptOuts`]; never leaves the registrar.
    pub const OPT_OUTS: &str = "opt-outs.bt";
    /// [`crate::GroupList`]; never leaves the registrar.
    pub const GROUPS: &str = "groups.bt";
    /// [`crate::Counts`], beside its parts.
    pub const COUNTS: &str = "counts.bt";
    /// [`crate::LetterKeys`].
    pub const LETTER_KEYS: &str = "letter-keys.bt";
    /// [`crate::PublicKey`].
    pub const PUBLIC_KEY: &str = "public-key.bt";
    /// [`crate::EvaluationKey`].
    pub const EVALUATION_KEY: &str = "evaluation-key.bt";
    /// [`crate::OpeningKey`].
    pub const OPENING_KEY: &str = "opening-key.bt";
    /// [`crate::Shares`]; never leaves the trustee.
    pub const SHARES: &str = "shares.bt";
    /// The key (private) that a trustee's shares are sealed to.
    pub const RECEIVING_KEY: &str = "receiving.key";
    /// [`crate::TrusteeKey`].
    pub const TRUSTEE_KEY: &str = "trustee-key.bt";
    /// [`crate::ShareCommitments`].
    pub const SHARE_COMMITMENTS: &str = "commitments.bt";
    /// [`crate::FirstsChecked`].
    pub const FIRSTS_CHECKED: &str = "checked.bt";
    /// [`crate::CeremonyMessages`] of both steps.
    pub const CEREMONY_STEPS: [&str; 2] = ["step-1.bt", "step-2.bt"];
    /// [`crate::Statement`]s: a refusal, and that shares are destroyed.
    pub const STATEMENTS: [&str; 2] = ["refusal.bt", "destroyed.bt"];
    /// [`crate::Partials`], beside its chunks.
    pub const PARTIALS: &str = "partials.bt";
    /// [`crate::Opened`], beside its chunks.
    pub const OPENED: &str = "opened.bt";
    /// [`crate::Levels`], beside its chunks.
    pub const LEVELS: &str = "levels.bt";
    /// [`crate::Submission`], beside its chunks.
    pub const SUBMISSION: &str = "submission.bt";
    /// Two different [`crate::Submission`]s of one submitter.
    pub const EVIDENCE: [&str; 2] = ["1.bt", "2.bt"];
    /// [`crate::Receipt`], beside the result chunks.
    pub const RECEIPT: &str = "receipt.bt";
    /// [`crate::Letters`], beside the letter chunks.
    pub const LETTERS: &str = "letters.bt";
}
