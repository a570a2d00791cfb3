//! A trustee: holds shares of a round's key, opens the round once together with others, and seals to every family what
//! only the family may know.
//!
//! The steps, each of which reads and writes files and may be repeated:
//!
//! 1. [`make_keys`]: the key ceremony; no party ever has the whole key.
//! 2. [`register`]: every submission's hash goes into the ledger before a ciphertext leaves its owner. The round goes on
//!    without whoever is late; [`exclude`] later without whose chunks are missing or invalid.
//! 3. [`open`]: recompute all results, commit to partial decryptions, show them, add them up, seal the letters. A trustee
//!    contributes only to what it has recomputed itself, byte for byte: whoever could have ciphertexts of its own choice
//!    opened would read the key with them.
//! 4. [`answer`]: recount what is asked about groups of families, and open the counts with noise.
//! 5. [`open_to_state`], [`refuse`], [`destroy`], [`witness`], [`correct`]: what else the ledger records.
#![forbid(unsafe_code)]

mod answer;
mod ceremony;
mod correct;
mod desk;
mod error;
mod exclude;
mod letters;
mod manifests;
mod noise;
mod open;
mod opened;
mod records;
mod register;

pub use answer::{AnswerProgress, answer};
pub use ceremony::{KeyProgress, make_keys};
pub use correct::{correct, correction};
pub use desk::Desk;
pub use error::TrusteeError;
pub use exclude::exclude;
pub use open::{Engine, OpenProgress, Step, open};
pub use records::{StateRequest, destroy, open_to_state, refuse, witness};
pub use register::{Agreed, RegisterProgress, register};
