//! Message formats between the parties.
//!
//! Every file is one signed envelope: a magic, the format version, the kind, a header that names round,
//! policy, sender and engine, the body, and an Ed25519 signature over all of it. A receiver says what it
//! expects and gets either that or an error that names the file, the party to turn to and the remedy.
//! Large columns travel as numbered chunk files whose BLAKE3 hashes stand in a signed manifest written last.
#![forbid(unsafe_code)]

mod chunk;
mod codec;
mod envelope;
mod error;
mod evaluation_key;
mod identity;
mod kind;
mod letter_keys;
mod letters;
mod names;
mod pseudonym;
mod public_key;
mod receipt;
mod roster;
mod round;
mod secret_key;
pub mod storage;
mod submission;

pub use chunk::{Chunk, ChunkReader, ChunkWriter, Chunking, chunk_name};
pub use envelope::{Context, Engine, Expect, Message, Received, read, write};
pub use error::{Fault, WireError};
pub use evaluation_key::EvaluationKey;
pub use identity::{SigningIdentity, TrustFile};
pub use kind::Kind;
pub use letter_keys::LetterKeys;
pub use letters::{LETTER_BYTES, Letters, letter_info};
pub use names::{Digest, NameError, PartyName, RoundId};
pub use pseudonym::{Pseudonym, PseudonymKey};
pub use public_key::PublicKey;
pub use receipt::{Receipt, SubmissionEntry};
pub use roster::{Entry, Roster};
pub use round::{Layout, Round};
pub use secret_key::SecretKey;
pub use submission::Submission;

/// The usual file names, so that a folder explains itself.
pub mod file_names {
    /// [`crate::Round`].
    pub const ROUND: &str = "round.bt";
    /// [`crate::Roster`]; private to one agency.
    pub const ROSTER: &str = "roster.bt";
    /// [`crate::LetterKeys`].
    pub const LETTER_KEYS: &str = "letter-keys.bt";
    /// [`crate::PublicKey`].
    pub const PUBLIC_KEY: &str = "public-key.bt";
    /// [`crate::EvaluationKey`].
    pub const EVALUATION_KEY: &str = "evaluation-key.bt";
    /// [`crate::SecretKey`]; never leaves the trustee.
    pub const SECRET_KEY: &str = "secret-key.bt";
    /// [`crate::Submission`], beside its chunks.
    pub const SUBMISSION: &str = "submission.bt";
    /// [`crate::Receipt`], beside the result chunks.
    pub const RECEIPT: &str = "receipt.bt";
    /// [`crate::Letters`], beside the letter chunks.
    pub const LETTERS: &str = "letters.bt";
}
