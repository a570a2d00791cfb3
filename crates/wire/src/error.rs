//! Why a file was refused, who is to turn to, and what to do.

use crate::envelope::Engine;
use crate::kind::Kind;
use crate::names::{Digest, PartyName, RoundId};
use std::io;
use std::path::{Path, PathBuf};

/// Why a file could not be written, read or accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The operating system refused.
    #[error("{}: cannot {action}: {source}; check the path, the permissions and the free space", file.display())]
    Io {
        /// The file or folder.
        file: PathBuf,
        /// What was tried.
        action: &'static str,
        /// The reason.
        source: io::Error,
    },
    /// A file of another party is not what this round needs.
    #[error("{} from {culprit}: {fault}; {}", file.display(), fault.remedy())]
    Refused {
        /// The file.
        file: PathBuf,
        /// The party that has to provide it.
        culprit: PartyName,
        /// What is wrong.
        fault: Box<Fault>,
    },
    /// The trust file does not pin this party's key.
    #[error(
        "the trust file pins no key of {party}; obtain it in person and add it under [parties]"
    )]
    NotPinned {
        /// The party.
        party: PartyName,
    },
    /// The trust file cannot be used.
    #[error("{}: {detail}; write one line `\"party\" = \"64 hexadecimal digits\"` for each party under [parties]", file.display())]
    Trust {
        /// The trust file.
        file: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// A file with a secret has another form.
    #[error("{}: not a {what} file; restore it from its backup or make a new one", file.display())]
    SecretForm {
        /// The file.
        file: PathBuf,
        /// Which secret.
        what: &'static str,
    },
    /// Others can read a file with a secret.
    #[error("{}: other users can read this secret (mode {mode:03o}); run chmod 600 on it", file.display())]
    Exposed {
        /// The file.
        file: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Something to be written has no valid form.
    #[error("{}: cannot write this {kind}: {fault}; {}", file.display(), fault.remedy())]
    Unwritable {
        /// The file.
        file: PathBuf,
        /// Its kind.
        kind: Kind,
        /// What is wrong.
        fault: Box<Fault>,
    },
    /// A name made of outside text is no party name.
    #[error(transparent)]
    Name(#[from] crate::names::NameError),
    /// The operating system has no random bytes.
    #[error(
        "the operating system gives no random bytes: {0}; nothing was written, try again later"
    )]
    Random(getrandom::Error),
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// There is no such file.
    #[error("the file is missing")]
    Missing,
    /// It is a folder or a device.
    #[error("not a regular file")]
    NotAFile,
    /// It is larger than its kind may be.
    #[error("{size} bytes are more than the {limit} allowed")]
    TooLarge {
        /// Its size in bytes.
        size: u64,
        /// The largest allowed size.
        limit: u64,
    },
    /// It ends too early.
    #[error("the file is cut short")]
    Truncated,
    /// Something follows the signature.
    #[error("{extra} bytes follow the signature")]
    TrailingBytes {
        /// How many.
        extra: u64,
    },
    /// It does not begin like a file of this system.
    #[error("not a blindtier file")]
    Magic,
    /// It has another format version.
    #[error("format version {found} instead of {expected}")]
    Version {
        /// This program's version.
        expected: u16,
        /// The file's.
        found: u16,
    },
    /// It is a file of another kind.
    #[error("kind {} instead of {expected}", found.map_or("unknown", Kind::name))]
    Kind {
        /// The kind that is needed here.
        expected: Kind,
        /// The file's; `None` if the number is unknown.
        found: Option<Kind>,
    },
    /// Another party sent it.
    #[error("sent by {found} instead of {expected}")]
    Sender {
        /// Who has to send it.
        expected: PartyName,
        /// Who it says it is from.
        found: PartyName,
    },
    /// It is meant for another party.
    #[error("meant for {found} instead of {expected}")]
    Recipient {
        /// Who reads it.
        expected: PartyName,
        /// Whom it is meant for.
        found: PartyName,
    },
    /// The signature is not that of the pinned key.
    #[error("the signature does not belong to the pinned key of {sender}")]
    Signature {
        /// Whose key.
        sender: PartyName,
    },
    /// It belongs to another round.
    #[error("belongs to round {found} instead of {expected}")]
    Round {
        /// This round.
        expected: RoundId,
        /// The file's.
        found: RoundId,
    },
    /// It belongs to another policy.
    #[error("made for policy {found} instead of {expected}")]
    Policy {
        /// Hash of this round's policy.
        expected: Digest,
        /// The file's.
        found: Digest,
    },
    /// It was made for another engine or other parameters.
    #[error("made for engine {found} instead of {expected}")]
    Engine {
        /// This round's.
        expected: Box<Engine>,
        /// The file's.
        found: Box<Engine>,
    },
    /// It follows another plan.
    #[error("follows plan {found} instead of {expected}")]
    Plan {
        /// Hash of this round's plan.
        expected: Digest,
        /// The file's.
        found: Digest,
    },
    /// Header or body cannot be decoded.
    #[error("the {part} cannot be decoded: {reason}")]
    Form {
        /// `header` or `body`.
        part: &'static str,
        /// The decoder's reason.
        reason: bincode::Error,
    },
    /// The body contradicts itself.
    #[error("{detail}")]
    Content {
        /// What is wrong.
        detail: &'static str,
    },
    /// The manifest lists another number of chunks than the round has.
    #[error("{found} chunks instead of {expected}")]
    ChunkCount {
        /// The round's.
        expected: u32,
        /// The manifest's.
        found: u64,
    },
    /// A chunk is not the one its manifest lists.
    #[error("the manifest lists hash {expected}, the file has {found}")]
    ChunkHash {
        /// In the manifest.
        expected: Digest,
        /// Of the file.
        found: Digest,
    },
    /// A chunk covers other slots.
    #[error(
        "covers {found_count} slots from {found_start} on instead of {expected_count} from {expected_start} on"
    )]
    ChunkRange {
        /// First slot it has to cover.
        expected_start: u32,
        /// How many it has to cover.
        expected_count: u32,
        /// First slot it covers.
        found_start: u32,
        /// How many it covers.
        found_count: u32,
    },
    /// It names another file than the one at hand.
    #[error("names a {what} with hash {found}, the one at hand has {expected}")]
    Reference {
        /// Which file.
        what: &'static str,
        /// Hash of the file at hand.
        expected: Digest,
        /// The hash it names.
        found: Digest,
    },
}

impl Fault {
    /// What the reader of the message can do.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Missing => "ask this party for it",
            Self::NotAFile | Self::Magic | Self::Kind { .. } => "point to the right file",
            Self::TooLarge { .. } => {
                "ask this party for a correct file, or make smaller chunks in the next round"
            }
            Self::Truncated
            | Self::TrailingBytes { .. }
            | Self::Form { .. }
            | Self::Content { .. } => {
                "copy it again, and if it stays so ask this party for a correct file"
            }
            Self::Version { .. } => "use the same release of blindtier on both sides",
            Self::Sender { .. } | Self::Recipient { .. } => {
                "put every party's file in its own place"
            }
            Self::Signature { .. } => {
                "copy it again; if it stays so, somebody altered it or the trust file pins another key"
            }
            Self::Round { .. } => {
                "take the files of this round; nothing can be reused from another"
            }
            Self::Policy { .. } => "both sides have to use the same policy file, byte for byte",
            Self::Engine { .. } | Self::Plan { .. } => {
                "use the same release and the engine that the round file names, and make this file again"
            }
            Self::ChunkCount { .. } | Self::ChunkRange { .. } => {
                "ask this party to send all of it again"
            }
            Self::ChunkHash { .. } => {
                "copy the chunk again, and if it stays so ask this party for it"
            }
            Self::Reference { .. } => "take all files from the same finished run",
        }
    }
}

/// Refuses a file that names another one than there is; `culprit` wrote it.
pub fn same(
    what: &'static str,
    expected: Digest,
    found: Digest,
    file: &Path,
    culprit: &PartyName,
) -> Result<(), WireError> {
    if expected == found {
        return Ok(());
    }
    Err(WireError::refused(file, culprit, Fault::Reference { what, expected, found }))
}

impl WireError {
    /// The party to turn to; `None` when the fault is local.
    pub fn culprit(&self) -> Option<&PartyName> {
        match self {
            Self::Refused { culprit, .. } => Some(culprit),
            Self::NotPinned { party } => Some(party),
            _ => None,
        }
    }

    /// The file concerned, if there is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Io { file, .. }
            | Self::Refused { file, .. }
            | Self::Trust { file, .. }
            | Self::SecretForm { file, .. }
            | Self::Exposed { file, .. }
            | Self::Unwritable { file, .. } => Some(file),
            _ => None,
        }
    }

    /// What is wrong with another party's file, if that is the trouble.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Refused { fault, .. } => Some(fault),
            _ => None,
        }
    }

    /// A file of `culprit` refused because of `fault`.
    pub fn refused(file: &Path, culprit: &PartyName, fault: Fault) -> Self {
        Self::Refused { file: file.to_owned(), culprit: culprit.clone(), fault: Box::new(fault) }
    }

    pub(crate) fn unwritable(file: &Path, kind: Kind, fault: Fault) -> Self {
        Self::Unwritable { file: file.to_owned(), kind, fault: Box::new(fault) }
    }

    pub(crate) fn io(file: &Path, action: &'static str, source: io::Error) -> Self {
        Self::Io { file: file.to_owned(), action, source }
    }
}
