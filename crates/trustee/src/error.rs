//! Why a trustee does not go on.

use blindtier_engine::EngineError;
use blindtier_ledger::{Exclusion, LedgerError};
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
        "{} from {culprit}: the receipt says otherwise of {submitter} than the ledger: another submission, or that it is \
         excluded or not; remove these results and have the registered submissions evaluated", file.display()
    )]
    OtherSubmission {
        /// The receipt.
        file: PathBuf,
        /// Who computed.
        culprit: PartyName,
        /// Whose submission.
        submitter: PartyName,
    },
    /// The round has no such submitter.
    #[error(
        "{party} submits nothing to this round; name one of its submitters, such as agency:tax"
    )]
    NoSubmitter {
        /// The name.
        party: PartyName,
    },
    /// A submission came too late.
    #[error(
        "{} from {culprit}: too late: the deadline was {deadline}, and this trustee first saw it {seen}; if another \
         trustee had it in time, agree to name it with --take-in, otherwise with --leave-out", file.display()
    )]
    Late {
        /// The manifest.
        file: PathBuf,
        /// Who submitted.
        culprit: PartyName,
        /// The round's deadline.
        deadline: String,
        /// When the trustee saw the manifest first.
        seen: String,
    },
    /// Somebody is to be left out who can still come.
    #[error(
        "{submitter} cannot be left out: the round's deadline (UTC) is {deadline}, and it did not sign two submissions; wait for it"
    )]
    NotLate {
        /// Who.
        submitter: PartyName,
        /// The round's deadline.
        deadline: String,
    },
    /// A submitter signed two different submissions.
    #[error(
        "{} and {} from {culprit}: two different submissions to one round; keep these files as evidence, and agree with the \
         other trustees to name this party with --leave-out", files[0].display(), files[1].display()
    )]
    TwoSubmissions {
        /// Who.
        culprit: PartyName,
        /// Both.
        files: [PathBuf; 2],
    },
    /// Other trustees signed something else about a submitter than this one would.
    #[error(
        "{}: {}: {submitter}: {theirs}, which this trustee cannot say; {remedy}",
        folder.display(),
        listed(signers)
    )]
    OtherRegistration {
        /// The ledger.
        folder: PathBuf,
        /// Who signed it.
        signers: Vec<PartyName>,
        /// About whom.
        submitter: PartyName,
        /// What they signed.
        theirs: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A reason to exclude a submitter does not hold.
    #[error("{submitter} is not excluded: \"{reason}\" does not hold, {detail}; nothing is signed")]
    NotExcluded {
        /// Who.
        submitter: PartyName,
        /// The reason that was given.
        reason: Exclusion,
        /// What is the case instead.
        detail: String,
    },
    /// It is not clear which correction is meant.
    #[error("{}: it is not clear which correction is meant: {found}; bring the board of one that is opened here, or name one with --correction", folder.display())]
    WhichCorrection {
        /// The corrections on the board.
        folder: PathBuf,
        /// Those that could be meant, or that there are none.
        found: String,
    },
    /// Exact counts would be opened.
    #[error("{}: this round's counts have no noise: opening them shows exact numbers of families; only for simulated families, with --simulated", file.display())]
    ExactCounts {
        /// The round.
        file: PathBuf,
    },
    /// Nobody has asked anything.
    #[error("{}: there are no counts to open; the evaluator makes them (evaluator count)", file.display())]
    NothingAsked {
        /// The manifest that is missing.
        file: PathBuf,
    },
    /// A question may not be asked.
    #[error("{} from {culprit}: {reason}; nothing is signed", file.display())]
    Question {
        /// The manifest of the counts.
        file: PathBuf,
        /// Who made the counts.
        culprit: PartyName,
        /// Why.
        reason: &'static str,
    },
    /// Several things are wrong.
    #[error("{}", lines(.0))]
    Several(Vec<TrusteeError>),
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
    #[error("{}: {} signed another entry {index} than this trustee would: {entry}; compare the files of both", folder.display(), listed(signers))]
    OtherEntry {
        /// The ledger.
        folder: PathBuf,
        /// The place.
        index: u32,
        /// Who signed it.
        signers: Vec<PartyName>,
        /// What it says.
        entry: String,
    },
}

fn listed(parties: &[PartyName]) -> String {
    parties.iter().map(PartyName::as_str).collect::<Vec<_>>().join(", ")
}

fn lines(errors: &[TrusteeError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

impl TrusteeError {
    /// One error or several.
    pub(crate) fn all(mut errors: Vec<Self>) -> Self {
        match errors.pop() {
            Some(only) if errors.is_empty() => only,
            last => Self::Several(errors.into_iter().chain(last).collect()),
        }
    }

    /// The other parties to turn to; none when the fault is the trustee's own.
    pub fn culprits(&self) -> Vec<PartyName> {
        match self {
            Self::Wire(e) => e.culprit().into_iter().cloned().collect(),
            Self::Ledger(e) => e.culprits(),
            Self::Transcript(e) => e.culprits(),
            Self::Several(all) => all.iter().flat_map(Self::culprits).collect(),
            Self::Message { culprit, .. }
            | Self::OtherSubmission { culprit, .. }
            | Self::Open { culprit, .. }
            | Self::Question { culprit, .. }
            | Self::Late { culprit, .. }
            | Self::TwoSubmissions { culprit, .. } => vec![culprit.clone()],
            Self::OtherRegistration { signers, .. } | Self::OtherEntry { signers, .. } => {
                signers.clone()
            }
            Self::NotATrustee { .. }
            | Self::Ceremony(_)
            | Self::OtherFirsts { .. }
            | Self::OtherShares { .. }
            | Self::Engine(_)
            | Self::Key { .. }
            | Self::AlreadyOpened { .. }
            | Self::Record { .. }
            | Self::Seal { .. }
            | Self::NoSubmitter { .. }
            | Self::NotLate { .. }
            | Self::NotExcluded { .. }
            | Self::WhichCorrection { .. }
            | Self::ExactCounts { .. }
            | Self::NothingAsked { .. } => Vec::new(),
        }
    }
}
