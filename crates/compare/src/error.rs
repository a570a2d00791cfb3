//! Why a comparison cannot be made.

use std::io;
use std::path::PathBuf;

/// Any failure of a comparison. A failing approach does not end it: it is listed with its reason.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompareError {
    /// An engine refused.
    #[error(transparent)]
    Engine(#[from] blindtier_engine::EngineError),
    /// The clear twin refused.
    #[error(transparent)]
    Decide(#[from] blindtier_policy::DecideError),
    /// The policy does not parse.
    #[error(transparent)]
    Policy(#[from] blindtier_policy::PolicyErrors),
    /// A request file is not what this program writes.
    #[error("{}: not a request of this version ({detail}); it is written by `blindtier compare`", file.display())]
    Request {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// A file cannot be read or written.
    #[error("{}: cannot {action}: {source}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What was tried.
        action: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// An approach failed; it is listed as failed.
    #[error("{0}")]
    Approach(String),
    /// A peer was asked for by a name that there is not.
    #[error("--peers {name:?}: no such peer; there are {known}")]
    NoSuchPeer {
        /// The name.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// A peer was asked for and is not installed.
    #[error("peer {name} is not installed in {}; run `benches/peers/setup {name}` first, or leave it out", folder.display())]
    NotInstalled {
        /// The peer.
        name: &'static str,
        /// Where its environment would be.
        folder: PathBuf,
    },
    /// There is nothing to compare on.
    #[error(
        "no family is left to compare on: in all of them something is missing that the policy needs"
    )]
    NoFamilies,
}

/// A file error with its path.
pub(crate) fn file(
    file: &std::path::Path,
    action: &'static str,
) -> impl FnOnce(io::Error) -> CompareError + use<> {
    let file = file.to_owned();
    move |source| CompareError::File { file, action, source }
}
