//! The ledger of a round: hash-chained entries, each signed by a majority of all trustees.
//!
//! A ledger is a folder with one folder an entry and, in it, one signed file a trustee. Two copies are brought together
//! by copying both into one folder. An entry counts once a majority of the n trustees have signed the same one, or more, see
//! [`Event::signatures`]; two different entries for one place need trustees that sign twice, and an honest one refuses to.
#![forbid(unsafe_code)]

mod board;
mod corrections;
mod error;
mod event;
mod order;

pub use blindtier_wire::MAX_REASON;
pub use board::{OpenedRound, OpenedSlots};
pub use corrections::{CorrectingRound, correcting_boards};
pub use error::LedgerError;
pub use event::{Entry, Event, Exclusion, Registration, thousandths};
pub use order::Checked;

use bincode::Options;
use blindtier_wire::{
    Context, Digest, Expect, Message, PartyName, Question, Round, RoundId, SigningIdentity,
    SubmissionEntry, TrustFile, WireError, read, storage, write,
};
use std::path::{Path, PathBuf};

/// The most entries that are read.
const MAX_ENTRIES: u32 = 100_000;

/// An entry with a majority of signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The entry.
    pub entry: Entry,
    /// Its hash.
    pub digest: Digest,
    /// Who signed.
    pub signers: Vec<PartyName>,
}

/// A ledger that was read and checked.
#[derive(Clone, Debug)]
pub struct Ledger {
    folder: PathBuf,
    entries: Vec<Recorded>,
    first: Digest,
    /// Signatures under a last entry that is not recorded yet.
    pending: Option<Recorded>,
    files: u64,
}

impl Ledger {
    /// Reads a ledger and checks every signature, the chain and the order of events. A folder that is missing is an empty
    /// ledger.
    pub fn read(
        folder: &Path,
        round: &Round,
        context: &Context,
        trust: &TrustFile,
    ) -> Result<Self, LedgerError> {
        let mut ledger = Self {
            folder: folder.to_owned(),
            entries: Vec::new(),
            first: Digest(context.round.0),
            pending: None,
            files: 0,
        };
        for index in 0..MAX_ENTRIES {
            let Some(found) = ledger.signatures(index, round, context, trust)? else { break };
            ledger.files += found.signers.len() as u64;
            if let Some(pending) = &ledger.pending {
                return Err(LedgerError::Unsigned {
                    folder: ledger.folder.clone(),
                    index: pending.entry.index,
                    found: pending.signers.len(),
                    needed: pending.entry.event.signatures(round.sharing),
                });
            }
            if found.entry.index != index || found.entry.previous != ledger.head() {
                return Err(LedgerError::Broken { folder: ledger.folder.clone(), index });
            }
            ledger.check_order(&found.entry.event, round)?;
            if found.signers.len() >= found.entry.event.signatures(round.sharing) {
                ledger.entries.push(found);
            } else {
                ledger.pending = Some(found);
            }
        }
        Ok(ledger)
    }

    /// The signatures under one place; `None` if there is none.
    fn signatures(
        &self,
        index: u32,
        round: &Round,
        context: &Context,
        trust: &TrustFile,
    ) -> Result<Option<Recorded>, LedgerError> {
        let mut found: Option<Recorded> = None;
        for trustee in round.sharing.names() {
            let path = endorsement_path(&self.folder, index, &trustee);
            if !storage::exists(&path)? {
                continue;
            }
            let entry = read::<Entry>(&path, &Expect::of(&trustee, context), trust)?.body;
            match &mut found {
                None => {
                    let digest = digest(&entry, context);
                    found = Some(Recorded { entry, digest, signers: vec![trustee] });
                }
                Some(first) if first.entry == entry => first.signers.push(trustee),
                Some(first) => {
                    return Err(LedgerError::Forked {
                        folder: self.folder.clone(),
                        index,
                        one: first.signers.first().cloned().unwrap_or_else(|| trustee.clone()),
                        other: trustee,
                    });
                }
            }
        }
        Ok(found)
    }

    /// Hash of the last entry; of the round if there is none.
    pub fn head(&self) -> Digest {
        self.entries.last().map_or(self.first, |entry| entry.digest)
    }

    /// The recorded entries.
    pub fn entries(&self) -> &[Recorded] {
        &self.entries
    }

    /// A last entry that has signatures, but no majority yet.
    pub fn pending(&self) -> Option<&Recorded> {
        self.pending.as_ref()
    }

    /// How many signed files were read.
    pub fn files(&self) -> u64 {
        self.files
    }

    /// Where it lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Refuses a ledger that lacks an entry which somebody has seen.
    pub fn contains(&self, head: Digest) -> Result<(), LedgerError> {
        if head == self.first || self.entries.iter().any(|entry| entry.digest == head) {
            return Ok(());
        }
        Err(LedgerError::Cut { folder: self.folder.clone(), head })
    }

    /// The events, in order.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.entries.iter().map(|recorded| &recorded.entry.event)
    }

    fn require<T>(&self, found: Option<T>, what: &'static str) -> Result<T, LedgerError> {
        found.ok_or_else(|| LedgerError::Missing { folder: self.folder.clone(), what })
    }

    /// Hashes of the public-key, evaluation-key and opening-key files, and the commitments to the shares.
    pub fn keys(&self) -> Result<Keys<'_>, LedgerError> {
        let found = self.events().find_map(|event| match event {
            Event::Keys { public_key, evaluation_key, opening_key, shares, .. } => Some(Keys {
                public_key: *public_key,
                evaluation_key: *evaluation_key,
                opening_key: *opening_key,
                shares,
            }),
            _ => None,
        });
        self.require(found, "the keys are")
    }

    /// What was registered, in the order of the round.
    pub fn registrations(&self) -> Result<&[Registration], LedgerError> {
        let found = self.events().find_map(|event| match event {
            Event::Submissions(all) => Some(all.as_slice()),
            _ => None,
        });
        self.require(found, "the submissions are")
    }

    /// What results are computed from: the registered submissions but those of the excluded, in the order of the round.
    pub fn submissions(&self) -> Result<Vec<SubmissionEntry>, LedgerError> {
        let entry = |Registration { submitter, manifest }: &Registration| {
            let manifest = manifest.ok().filter(|_| self.excluded(submitter).is_none());
            SubmissionEntry { submitter: submitter.clone(), manifest }
        };
        Ok(self.registrations()?.iter().map(entry).collect())
    }

    /// The submitters that the round goes on without, and why.
    pub fn exclusions(&self) -> impl Iterator<Item = (&PartyName, Exclusion)> {
        let all = self.registrations().unwrap_or_default();
        all.iter().filter_map(|Registration { submitter, manifest }| {
            let reason = manifest.err().or_else(|| self.excluded(submitter))?;
            Some((submitter, reason))
        })
    }

    /// Why a registered submitter was excluded, if it was.
    fn excluded(&self, of: &PartyName) -> Option<Exclusion> {
        self.events().find_map(|event| match event {
            Event::Excluded { submitter, reason } if submitter == of => Some(*reason),
            _ => None,
        })
    }

    /// The receipt that is opened and the manifests of partial decryptions.
    pub fn committed(&self) -> Result<Committed<'_>, LedgerError> {
        let found = self.events().find_map(|event| match event {
            Event::Committed { receipt, partials } => Some((*receipt, partials.as_slice())),
            _ => None,
        });
        self.require(found, "the commitments to partial decryptions are")
    }

    /// The hashes of the opened numbers.
    pub fn opened(&self) -> Result<&[Digest], LedgerError> {
        let found = self.events().find_map(|event| match event {
            Event::Opened(chunks) => Some(chunks.as_slice()),
            _ => None,
        });
        self.require(found, "the opening is")
    }

    /// Hash of the entry with which the round was opened.
    pub fn opening(&self) -> Result<Digest, LedgerError> {
        let is_opening = |recorded: &&Recorded| matches!(recorded.entry.event, Event::Opened(_));
        let found = self.entries.iter().find(is_opening).map(|recorded| recorded.digest);
        self.require(found, "the opening is")
    }

    /// The rounds that correct this one, in order.
    pub fn corrections(&self) -> impl Iterator<Item = Corrected<'_>> {
        self.events().filter_map(|event| match event {
            Event::Corrected { round, slots, head } => {
                Some(Corrected { round, slots, head: *head })
            }
            _ => None,
        })
    }

    /// The round that decided a slot last, and the slot's number there; `None` if that is this round.
    pub fn correction_of(&self, slot: u32) -> Option<(&RoundId, u32)> {
        let place = |slots: &[u32]| {
            let place = slots.iter().position(|corrected| *corrected == slot)?;
            u32::try_from(place).ok()
        };
        self.corrections().filter_map(|c| Some((c.round, place(c.slots)?))).last()
    }

    /// The questions about groups of families so far, with the hashes of their counts' manifests.
    pub fn questions(&self) -> impl Iterator<Item = (Digest, &Question)> {
        self.events().filter_map(|event| match event {
            Event::Asked { counts, question } => Some((*counts, question)),
            _ => None,
        })
    }

    /// The answers so far, in the order of the questions: for every group of the question the counts of all tiers.
    pub fn answers(&self) -> impl Iterator<Item = &[Vec<i64>]> {
        self.events().filter_map(|event| match event {
            Event::Answered { cells, .. } => Some(cells.as_slice()),
            _ => None,
        })
    }

    /// The question that has no answer yet, if there is one.
    pub fn unanswered(&self) -> Option<(Digest, &Question)> {
        self.questions().nth(self.answers().count())
    }

    /// How much of the privacy budget is spent, in thousandths of ε.
    pub fn spent(&self) -> u32 {
        self.questions().fold(0, |sum, (_, question)| sum.saturating_add(question.epsilon))
    }

    /// Why, and for which key, a slot was opened to the state, if it was.
    pub fn state_opening(&self, of: u32) -> Option<(&str, &[u8; 32])> {
        self.events().find_map(|event| match event {
            Event::StateOpening { slot, reason, key } if *slot == of => {
                Some((reason.as_str(), key))
            }
            _ => None,
        })
    }

    /// Signs `event` as the next entry, for this trustee, and puts the signature into the folder; or adds the signature to the
    /// entry that others have recorded about it. Signing the same again changes nothing. `state` is the trustee's own folder, where it remembers what it signed for every place.
    pub fn endorse(
        &self,
        event: Event,
        round: &Round,
        context: &Context,
        state: &Path,
        identity: &SigningIdentity,
    ) -> Result<Entry, LedgerError> {
        let recorded = self.entries.iter().find(|recorded| recorded.entry.event == event);
        let entry = match recorded {
            Some(recorded) => recorded.entry.clone(),
            None => {
                self.check_order(&event, round)?;
                let index = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
                Entry { index, previous: self.head(), event }
            }
        };
        let index = entry.index;
        let path = endorsement_path(&self.folder, index, identity.name());
        entry.check().map_err(|fault| WireError::refused(&path, identity.name(), fault))?;
        let record = state.join(format!("signed-{}-{index:05}.txt", context.round));
        let digest = digest(&entry, context).to_string();
        if !storage::create_once(&record, digest.as_bytes())? {
            let signed = storage::read_own(&record, 4096)?.unwrap_or_default();
            let signed = String::from_utf8_lossy(&signed).into_owned();
            if signed != digest {
                return Err(LedgerError::AlreadySigned { record, index, signed });
            }
        }
        write(&path, &entry, context, identity)?;
        Ok(entry)
    }
}

/// The receipt that is opened, and who opens with the hash of its manifest.
pub type Committed<'a> = (Digest, &'a [(PartyName, Digest)]);

/// A recorded correction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrected<'a> {
    /// The correcting round.
    pub round: &'a RoundId,
    /// The slot of this round that each of its slots corrects.
    pub slots: &'a [u32],
    /// Hash of the entry with which it was opened.
    pub head: Digest,
}

/// What the ledger has of the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keys<'a> {
    /// Hash of the public-key file.
    pub public_key: Digest,
    /// Hash of the evaluation-key file.
    pub evaluation_key: Digest,
    /// Hash of the opening-key file, if there is one.
    pub opening_key: Option<Digest>,
    /// Commitment to each share.
    pub shares: &'a [Digest],
}

/// Where a trustee's signature under an entry lies.
pub fn endorsement_path(folder: &Path, index: u32, trustee: &PartyName) -> PathBuf {
    folder.join(format!("{index:05}")).join(format!("{}.bt", trustee.file_part()))
}

/// The hash that the next entry names: of round, place, previous entry and event, not of the signatures.
fn digest(entry: &Entry, context: &Context) -> Digest {
    let mut hasher = blake3::Hasher::new_derive_key("blindtier ledger entry v1");
    hasher.update(&context.round.0);
    // Encoding plain data into memory cannot fail.
    hasher.update(&bincode::options().with_fixint_encoding().serialize(entry).unwrap_or_default());
    Digest(*hasher.finalize().as_bytes())
}
