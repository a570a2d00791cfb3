//! A family's device: checks that the roster has its key, reads its letters, and proves its tier to whom it wants.
//!
//! A letter of one trustee has seeds of pads; the seeds of all shares together take the pads off what the round opened for
//! the family's slot. Every seed is compared with the commitment that was published before anything was opened, so that
//! no trustee can make a family believe in another tier.
#![forbid(unsafe_code)]

mod error;
mod levels;
mod state;

pub use blindtier_wire::LetterKey;
pub use error::FamilyError;
pub use state::read_for_state;

use blindtier_ledger::{Ledger, OpenedRound, OpenedSlots};
use blindtier_wire::{
    Board, Chunk, ChunkReader, Context, Digest, LetterKeys, LetterText, Letters, PartyName, Proof,
    Purpose, Received, Round, RoundId, Seed, Sharing, TrustFile, WireError, file_names,
    letter_bytes, storage, unpad,
};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The letters of a round, with round, letter keys, ledger and manifests checked.
pub struct Mail<'a> {
    board: &'a Board,
    folder: PathBuf,
    round: Round,
    context: Context,
    letter_keys: LetterKeys,
    ledger: Ledger,
    trust: &'a TrustFile,
    modulus: u32,
    manifests: Vec<(PartyName, PathBuf, Result<Received<Letters>, WireError>)>,
}

/// What a family knows after reading its letters (private to the family; never printed here).
pub struct Letter {
    /// The family's slot.
    pub slot: u32,
    /// The tier code: below the policy's limit a tier's position, above it a reserved code.
    pub code: u32,
    /// The ledger's head that stands in the letters: the latest of them. `auditor verify --head` takes it.
    pub head: Digest,
    /// Why the tier was opened to the state, if it was.
    pub opened_to_state: Option<String>,
    /// Who was excluded from the round: the missing values stand for what they would have submitted.
    pub excluded: Vec<PartyName>,
    /// The round, and the slot there, that decided this slot anew: what it opened counts, and not this letter.
    pub corrected: Option<(RoundId, u32)>,
    /// The values that each submitter says it used, an agency's in the order of its indicators; none of the excluded.
    pub levels: BTreeMap<PartyName, Vec<i64>>,
    /// What was wrong with letters that could be done without.
    pub complaints: Vec<FamilyError>,
    /// The seeds of all shares.
    seeds: Vec<Seed>,
}

/// Checks that the round has exactly these letter keys, and that the trustees signed the list of keys: to be done before
/// anything is opened. A registrar that swaps a key would read the letter instead of the family. Returns the slots. A family
/// has one key; a simulation has many.
pub fn check_roster(
    board: &Board,
    keys: &[[u8; 32]],
    policy: Digest,
    trust: &TrustFile,
) -> Result<Vec<u32>, FamilyError> {
    let received = Round::read(&board.round(), trust, policy)?;
    let (round, context) = (received.body, received.context);
    let file = board.letter_keys();
    // The first entry of the ledger repeats the hash of the letter keys, so that all trustees use this list.
    Ledger::read(&board.ledger(), &round, &context, trust)?.keys()?;
    let slots = LetterKeys::read(&file, &round, &context, trust)?.by_key();
    keys.iter()
        .map(|key| {
            slots.get(key).copied().ok_or_else(|| FamilyError::NotInRound { file: file.clone() })
        })
        .collect()
}

impl<'a> Mail<'a> {
    /// Reads and checks the public files and the manifests of letters in `folder`, which has one folder a trustee and one
    /// an agency. `policy` is the family's own hash of the policy; `modulus` is the engine's pad modulus.
    pub fn open(
        board: &'a Board,
        folder: &Path,
        policy: Digest,
        modulus: u32,
        trust: &'a TrustFile,
    ) -> Result<Self, FamilyError> {
        let received = Round::read(&board.round(), trust, policy)?;
        let (round, context) = (received.body, received.context);
        let letter_keys = LetterKeys::read(&board.letter_keys(), &round, &context, trust)?;
        let ledger = Ledger::read(&board.ledger(), &round, &context, trust)?;
        ledger.opened()?;
        let mut manifests = Vec::new();
        for trustee in round.sharing.names() {
            let path = folder.join(trustee.file_part()).join(file_names::LETTERS);
            if storage::exists(&path)? {
                // Another trustee's letters may do.
                let manifest = Letters::read(&path, &trustee, &round, &context, trust);
                manifests.push((trustee, path, manifest));
            }
        }
        let folder = folder.to_owned();
        Ok(Self { board, folder, round, context, letter_keys, ledger, trust, modulus, manifests })
    }

    /// The letter for one key.
    pub fn read(&self, key: &LetterKey) -> Result<Letter, FamilyError> {
        let mut letters = self.read_all(std::slice::from_ref(key))?;
        letters.pop().ok_or_else(|| self.not_in_round())
    }

    /// The letters for many keys, in the order of the keys, for simulations that hold every family's device. Each chunk
    /// is read once.
    pub fn read_all(&self, keys: &[LetterKey]) -> Result<Vec<Letter>, FamilyError> {
        let slots = self.letter_keys.by_key();
        let mut order = Vec::with_capacity(keys.len());
        for (position, key) in keys.iter().enumerate() {
            let slot = *slots.get(key.public()).ok_or_else(|| self.not_in_round())?;
            order.push((slot, position, key));
        }
        order.sort_unstable_by_key(|(slot, position, _)| (*slot, *position));
        let mut found = Vec::with_capacity(keys.len());
        for group in order.chunk_by(|a, b| self.chunk_of(a.0) == self.chunk_of(b.0)) {
            let Some(number) = group.first().map(|(slot, _, _)| self.chunk_of(*slot)) else {
                continue;
            };
            let page = self.page(number)?;
            let letters = group
                .par_iter()
                .map(|(slot, position, key)| Ok((*position, self.open_letter(&page, *slot, key)?)))
                .collect::<Result<Vec<_>, FamilyError>>()?;
            found.extend(letters);
        }
        found.sort_unstable_by_key(|(position, _)| *position);
        Ok(found.into_iter().map(|(_, letter)| letter).collect())
    }

    /// The proof of a letter's tier.
    pub fn prove(&self, letter: &Letter) -> Proof {
        let (round, slot) = (self.context.round, letter.slot);
        Proof { round, slot, seeds: letter.seeds.clone() }
    }

    /// Everything of one chunk.
    fn page(&self, number: u32) -> Result<Page, FamilyError> {
        let opened = OpenedRound {
            board: self.board,
            ledger: &self.ledger,
            round: &self.round,
            context: &self.context,
            trust: self.trust,
        };
        let mut letters = Vec::new();
        let mut damaged = Vec::new();
        for (trustee, path, manifest) in &self.manifests {
            let refuse = |file: PathBuf, error: &WireError| Damaged {
                file,
                culprit: trustee.clone(),
                why: error.to_string(),
            };
            let manifest = match manifest {
                Ok(manifest) => manifest,
                Err(error) => {
                    damaged.push(refuse(path.clone(), error));
                    continue;
                }
            };
            let reader: Result<ChunkReader<'_>, WireError> =
                manifest.body.chunks(path, trustee, &self.round, &self.context, self.trust);
            let file = reader.as_ref().map_or(path.clone(), |reader| reader.path(number));
            match reader.and_then(|reader| reader.read(number)) {
                Ok(chunk) => letters.push((trustee.clone(), file, chunk)),
                Err(error) => damaged.push(refuse(file, &error)),
            }
        }
        let levels = self.levels(number, &mut damaged);
        Ok(Page { opened: opened.chunk(number)?, letters, levels, damaged })
    }

    fn open_letter(&self, page: &Page, slot: u32, key: &LetterKey) -> Result<Letter, FamilyError> {
        let no_slot = || FamilyError::NoSuchSlot { folder: self.board.folder().to_owned(), slot };
        let (opened, commitments) = page.opened.slot(slot).ok_or_else(no_slot)?;
        let mut complaints: Vec<FamilyError> = Vec::new();
        let mut seeds: BTreeMap<u32, Seed> = BTreeMap::new();
        let mut head = None;
        for (trustee, file, chunk) in &page.letters {
            let held = self.round.sharing.held_by(trustee.trustee_number().unwrap_or_default());
            let Some(text) = self.text(trustee, chunk, held.len(), slot, key) else {
                let (file, culprit) = (file.clone(), trustee.clone());
                complaints.push(FamilyError::Unreadable { file, culprit, slot });
                continue;
            };
            if let Err(error) = self.ledger.contains(text.head) {
                complaints.push(error.into());
            } else {
                head = Some(text.head);
            }
            for (share, seed) in held.iter().zip(text.seeds) {
                let right = commitments.get(*share as usize)
                    == Some(&seed.commitment(&self.context, *share, slot));
                if right {
                    seeds.insert(*share, seed);
                } else {
                    let (file, culprit, share) = (file.clone(), trustee.clone(), *share);
                    complaints.push(FamilyError::WrongSeed { file, culprit, slot, share });
                }
            }
        }
        let sharing = self.round.sharing;
        if let Some(share) = (0..sharing.shares()).find(|share| !seeds.contains_key(share)) {
            let said = page.damaged.iter().map(|damaged| damaged.why.clone());
            let said = said.chain(complaints.iter().map(ToString::to_string));
            return Err(FamilyError::TooFewLetters {
                folder: self.folder.clone(),
                share,
                trustees: holders(sharing, share),
                complaints: said.map(|text| format!("; {text}")).collect(),
            });
        }
        complaints.extend(page.damaged.iter().map(|Damaged { file, culprit, .. }| {
            FamilyError::Unreadable { file: file.clone(), culprit: culprit.clone(), slot }
        }));
        let seeds: Vec<Seed> = seeds.into_values().collect();
        let code = unpad(opened, seeds.iter().map(|seed| seed.pad(self.modulus)), self.modulus);
        let mut levels = BTreeMap::new();
        for sealed in &page.levels {
            match sealed.open(&self.context, slot, key) {
                Some(values) => {
                    levels.insert(sealed.submitter.clone(), values);
                }
                None => complaints.push(sealed.complaint(slot)),
            }
        }
        Ok(Letter {
            slot,
            code,
            head: head.unwrap_or_else(|| self.ledger.head()),
            opened_to_state: self.ledger.state_opening(slot).map(|(reason, _)| reason.to_owned()),
            excluded: self.ledger.exclusions().map(|(submitter, _)| submitter.clone()).collect(),
            corrected: self.ledger.correction_of(slot).map(|(round, there)| (*round, there)),
            levels,
            complaints,
            seeds,
        })
    }

    /// A trustee's letter (private) of a slot.
    fn text(
        &self,
        trustee: &PartyName,
        chunk: &Chunk,
        seeds: usize,
        slot: u32,
        key: &LetterKey,
    ) -> Option<LetterText> {
        let size = letter_bytes(seeds);
        if chunk.bytes.len() as u64 != u64::from(chunk.count) * size as u64 {
            return None;
        }
        let place = slot.checked_sub(chunk.start)? as usize;
        let sealed = chunk.bytes.chunks(size).nth(place)?;
        let purpose = Purpose::Letter { slot, from: trustee };
        LetterText::from_bytes(&key.open(purpose, &self.context, sealed)?, seeds)
    }

    fn chunk_of(&self, slot: u32) -> u32 {
        slot / self.round.chunk.max(1)
    }

    fn not_in_round(&self) -> FamilyError {
        FamilyError::NotInRound { file: self.board.letter_keys() }
    }
}

struct Page {
    opened: OpenedSlots,
    letters: Vec<(PartyName, PathBuf, Chunk)>,
    levels: Vec<levels::Sealed>,
    damaged: Vec<Damaged>,
}

/// Letters or levels that cannot be read at all.
pub(crate) struct Damaged {
    file: PathBuf,
    culprit: PartyName,
    why: String,
}

/// The trustees that hold a share.
fn holders(sharing: Sharing, share: u32) -> Vec<PartyName> {
    sharing.holders(share).into_iter().map(PartyName::trustee).collect()
}

fn list<T: ToString>(items: impl Iterator<Item = T>) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}
