//! Why a trustee does not go on.

use blindtier_engine::EngineError;
use blindtier_ledger::LedgerError;
use blindtier_transcript::TranscriptError;
use blindtier_wire::{PartyName, Sharing, WireError};
use std::path::PathBuf;

/// Why a trustee does not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrusteeError {
    /// A file was refused or could not be written.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The ledger is not believed or not continued.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A result is not what the submissions come to.
    #[error(transparent)]
    Transcript(#[from] TranscriptError),
    /// The party is none of the round's trustees.
    #[error(
        "{party} is none of the trustees of this {sharing} round; use the signing key of one of them"
    )]
    NotATrustee {
        /// The party.
        party: PartyName,
        /// How the round's key is shared.
        sharing: Sharing,
    },
    /// The engine refuses in a key ceremony.
    #[error("the key ceremony cannot go on: {0}; begin a new round if it stays so")]
    Ceremony(EngineError),
    /// A message of the key ceremony is not what its share comes to.
    #[error(
        "{} from {culprit}: the message for share {share} is not the one that was committed to or that the share comes \
         to; do not use these keys, begin a new round without this party", file.display()
    )]
    Message {
        /// The message.
        file: PathBuf,
        /// Who sent it.
        culprit: PartyName,
        /// The share.
        share: u32,
    },
    /// This trustee has gone on with other first messages.
    #[error(
        "{}: this trustee has checked other first messages of this round; a second message for these would give its share \
         away; begin a new round", record.display()
    )]
    OtherFirsts {
        /// The record.
        record: PathBuf,
    },
    /// The shares are not those of this trustee in this round.
    #[error("{}: these are not the shares of this trustee that the ledger has commitments to; take those of this round, from their backup if need be", file.display())]
    OtherShares {
        /// The file.
        file: PathBuf,
    },
    /// The engine refuses.
    #[error("{0}")]
    Engine(EngineError),
    /// The engine refuses a key or a share.
    #[error("{}: {source}; take the file of this round, from its backup if need be", file.display())]
    Key {
        /// The file.
        file: PathBuf,
        /// The engine's reason.
        source: EngineError,
    },
    /// The round was opened, or is being opened from another receipt.
    #[error(
        "this trustee opens this round from receipt {receipt}, recorded in {}; a round is opened once: keep its letters, \
         or begin a new round", file.display()
    )]
    AlreadyOpened {
        /// The record.
        file: PathBuf,
        /// Hash of the receipt that was opened.
        receipt: String,
    },
    /// The record cannot be read.
    #[error("{}: {source}; restore the record from its backup: without it nothing is opened", file.display())]
    Record {
        /// The record.
        file: PathBuf,
        /// The reason.
        source: Box<toml::de::Error>,
    },
    /// The receipt names other submissions than the ledger.
    #[error(
        "{} from {culprit}: the receipt names another submission of {agency} than the ledger; have the registered \
         submissions evaluated", file.display()
    )]
    OtherSubmission {
        /// The receipt.
        file: PathBuf,
        /// Who computed.
        culprit: PartyName,
        /// Whose submission.
        agency: PartyName,
    },
    /// Results cannot be prepared for opening.
    #[error("{} from {culprit}: {source}; have the auditor recompute this chunk", file.display())]
    Open {
        /// The result chunk.
        file: PathBuf,
        /// Who computed it.
        culprit: PartyName,
        /// The engine's reason.
        source: EngineError,
    },
    /// Nothing can be sealed to a letter key.
    #[error("{}: nothing can be sealed to the letter key of slot {slot}; ask the registrar for a new round", file.display())]
    Seal {
        /// The letter keys.
        file: PathBuf,
        /// The slot.
        slot: u32,
    },
    /// Others signed an entry that this trustee cannot sign.
    #[error("{}: {signers} signed another entry {index} than this trustee would: {entry}; compare the files of both", folder.display())]
    OtherEntry {
        /// The ledger.
        folder: PathBuf,
        /// The place.
        index: u32,
        /// Who signed it.
        signers: String,
        /// What it says.
        entry: String,
    },
}

impl TrusteeError {
    /// The other party to turn to; `None` when the fault is the trustee's own.
    pub fn culprit(&self) -> Option<&PartyName> {
        match self {
            Self::Wire(e) => e.culprit(),
            Self::Ledger(e) => e.culprit(),
            Self::Transcript(e) => e.culprit(),
            Self::Message { culprit, .. }
            | Self::OtherSubmission { culprit, .. }
            | Self::Open { culprit, .. } => Some(culprit),
            _ => None,
        }
    }
}
