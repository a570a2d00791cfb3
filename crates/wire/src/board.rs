//! The public folder of a round: where every public file lies.
//!
//! A board proves nothing by itself: everything in it is signed, and readers take the keys from their trust file. Copies
//! are brought together by copying both into one folder.

use crate::file_names;
use crate::names::{PartyName, RoundId};
use std::path::{Path, PathBuf};

/// The public folder of a round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Board {
    folder: PathBuf,
}

impl Board {
    /// The board in this folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// [`crate::Round`].
    pub fn round(&self) -> PathBuf {
        self.folder.join(file_names::ROUND)
    }

    /// [`crate::LetterKeys`].
    pub fn letter_keys(&self) -> PathBuf {
        self.folder.join(file_names::LETTER_KEYS)
    }

    /// [`crate::PublicKey`].
    pub fn public_key(&self) -> PathBuf {
        self.folder.join(file_names::PUBLIC_KEY)
    }

    /// [`crate::EvaluationKey`].
    pub fn evaluation_key(&self) -> PathBuf {
        self.folder.join(file_names::EVALUATION_KEY)
    }

    /// [`crate::OpeningKey`].
    pub fn opening_key(&self) -> PathBuf {
        self.folder.join(file_names::OPENING_KEY)
    }

    /// What a trustee or dealer says in the key ceremony.
    pub fn ceremony(&self, party: &PartyName) -> PathBuf {
        self.folder.join("ceremony").join(party.file_part())
    }

    /// One folder a submitter, see [`PartyName::submitter_folder`].
    pub fn submissions(&self) -> PathBuf {
        self.folder.join("submissions")
    }

    /// [`crate::Submission`] of a submitter, beside its chunks.
    pub fn submission(&self, submitter: &PartyName) -> PathBuf {
        self.submissions().join(submitter.submitter_folder()).join(file_names::SUBMISSION)
    }

    /// Two different [`crate::Submission`]s that a submitter signed for this round.
    pub fn evidence(&self, submitter: &PartyName) -> [PathBuf; 2] {
        let folder = self.folder.join("evidence").join(submitter.submitter_folder());
        file_names::EVIDENCE.map(|name| folder.join(name))
    }

    /// The boards of rounds that correct this one, see [`Board::correction`].
    pub fn corrections(&self) -> PathBuf {
        self.folder.join("corrections")
    }

    /// The board of a round that corrects this one.
    pub fn correction(&self, round: &RoundId) -> Self {
        let name: String = round.to_string().chars().take(16).collect();
        Self::new(self.corrections().join(name))
    }

    /// The evaluator's results; [`crate::Receipt`] beside its chunks.
    pub fn results(&self) -> PathBuf {
        self.folder.join("results")
    }

    /// [`crate::Receipt`].
    pub fn receipt(&self) -> PathBuf {
        self.results().join(file_names::RECEIPT)
    }

    /// A trustee's partial decryptions; [`crate::Partials`] beside its chunks.
    pub fn partials(&self, trustee: &PartyName) -> PathBuf {
        self.folder.join("partials").join(trustee.file_part())
    }

    /// What a trustee combined; [`crate::Opened`] beside its chunks.
    pub fn opened(&self, trustee: &PartyName) -> PathBuf {
        self.folder.join("opened").join(trustee.file_part())
    }

    /// What a trustee states for the ledger.
    pub fn statements(&self, trustee: &PartyName) -> PathBuf {
        self.folder.join("statements").join(trustee.file_part())
    }

    /// The questions of the round's statistics, one folder each.
    pub fn statistics(&self) -> PathBuf {
        self.folder.join("statistics")
    }

    /// [`crate::Counts`] for the question with this number, counted from 1, beside its parts.
    pub fn counts(&self, question: u32) -> PathBuf {
        self.statistics().join(format!("{question:05}")).join(file_names::COUNTS)
    }

    /// [`crate::CountPartials`] of a trustee.
    pub fn count_partials(&self, question: u32, trustee: &PartyName) -> PathBuf {
        self.counts(question).with_file_name(format!("{}.bt", trustee.file_part()))
    }

    /// The ledger.
    pub fn ledger(&self) -> PathBuf {
        self.folder.join("ledger")
    }
}
