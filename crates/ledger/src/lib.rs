//! The ledger of a round: hash-chained entries, each signed by a majority of all trustees.
//!
//! A ledger is a folder with one folder an entry and, in it, one signed file a trustee. Two copies are brought together
//! by copying both into one folder. An entry counts once a majority of the n trustees have signed the same one, or more, see
//! [`Event::signatures`]; two different entries for one place need trustees that sign twice, and an honest one refuses to.
#![forbid(unsafe_code)]

mod board;
mod error;
mod event;

pub use blindtier_wire::MAX_REASON;
pub use board::{OpenedRound, OpenedSlots};
pub use error::LedgerError;
pub use event::{Entry, Event};

use bincode::Options;
use blindtier_wire::{
    Context, Digest, Expect, Message, PartyName, Round, SigningIdentity, SubmissionEntry,
    TrustFile, WireError, read, storage, write,
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
            if !path.exists() {
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

    /// The registered submissions.
    pub fn submissions(&self) -> Result<&[SubmissionEntry], LedgerError> {
        let found = self.events().find_map(|event| match event {
            Event::Submissions(manifests) => Some(manifests.as_slice()),
            _ => None,
        });
        self.require(found, "the submissions are")
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

    /// What may follow what.
    fn check_order(&self, event: &Event, round: &Round) -> Result<(), LedgerError> {
        let has = |wanted: fn(&Event) -> bool| self.events().any(wanted);
        let keys = has(|e| matches!(e, Event::Keys { .. }));
        let submissions = has(|e| matches!(e, Event::Submissions(_)));
        let committed = has(|e| matches!(e, Event::Committed { .. }));
        let opened = has(|e| matches!(e, Event::Opened(_)));
        let trustee = |name: &PartyName| round.sharing.names().any(|known| known == *name);
        let wrong = match event {
            Event::Keys { shares, letter_keys, .. } => {
                if keys {
                    Some("keys are made once a round")
                } else if shares.len() as u64 != u64::from(round.sharing.shares()) {
                    Some("there is not one commitment a share")
                } else if *letter_keys != round.letter_keys {
                    Some("the letter keys are not those of the round")
                } else {
                    None
                }
            }
            _ if !keys => Some("the first entry records the keys"),
            Event::Submissions(manifests) => {
                if submissions {
                    Some("submissions are registered once a round")
                } else if !manifests.iter().map(|m| &m.agency).eq(&round.agencies) {
                    Some("these are not the submissions of the round's agencies")
                } else {
                    None
                }
            }
            Event::Committed { partials, .. } => {
                let numbers: Vec<u16> =
                    partials.iter().filter_map(|(name, _)| name.trustee_number()).collect();
                if !submissions {
                    Some("nothing is opened before the submissions are registered")
                } else if committed {
                    Some("a round is opened once")
                } else if !partials.iter().all(|(name, _)| trustee(name)) {
                    Some("somebody opens who is no trustee of the round")
                } else if round.sharing.missing(&numbers).is_some() {
                    Some("fewer trustees open than the threshold")
                } else {
                    None
                }
            }
            Event::Opened(chunks) => {
                let count = round.chunking().map_or(0, blindtier_wire::Chunking::count);
                if !committed {
                    Some("nothing is opened before partial decryptions are committed to")
                } else if opened {
                    Some("a round is opened once")
                } else if chunks.len() as u64 != u64::from(count) {
                    Some("there is not one hash a chunk")
                } else {
                    None
                }
            }
            Event::StateOpening { slot, .. } => {
                if !opened {
                    Some("a tier is opened to the state after the round is opened")
                } else if *slot >= round.slots {
                    Some("the round has no such slot")
                } else if self.state_opening(*slot).is_some() {
                    Some("a slot is opened to the state at most once")
                } else {
                    None
                }
            }
            Event::Refused { trustee: name, .. } => {
                (!trustee(name)).then_some("somebody refuses who is no trustee of the round")
            }
            Event::Destroyed(name) => {
                if !trustee(name) {
                    Some("somebody destroys shares who is no trustee of the round")
                } else if self.events().any(|e| matches!(e, Event::Destroyed(n) if n == name)) {
                    Some("this trustee's shares are destroyed already")
                } else {
                    None
                }
            }
        };
        match wrong {
            None => Ok(()),
            Some(reason) => Err(LedgerError::Order {
                folder: self.folder.clone(),
                index: u32::try_from(self.entries.len()).unwrap_or(u32::MAX),
                reason,
            }),
        }
    }
}

/// The receipt that is opened, and who opens with the hash of its manifest.
pub type Committed<'a> = (Digest, &'a [(PartyName, Digest)]);

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
