//! What every party sends, file by file.
//!
//! Files are those of `docs/protocol.md`, section 15, in the envelope of section 8 of `docs/design.md`; integers have eight
//! bytes unless said otherwise, and every list and text is preceded by its length. Left out are files of a few hundred
//! bytes (the round file, commitments, confirmations, endorsements) and rosters, whose size depends on the number of persons.

use crate::round::{BfvPlan, Chunked, Plan, Round};

/// Bytes of engine tfhe's public key without the parameters of proofs.
pub const TFHE_PUBLIC_KEY: u64 = 32_768;
/// Bytes of the parameters of proofs.
pub const TFHE_PROOF_PARAMETERS: u64 = 4_225_705;
/// Bytes of its evaluation key.
pub const TFHE_EVALUATION_KEY: u64 = 30_146_816;
/// Bytes of its opening key.
pub const TFHE_OPENING_KEY: u64 = 270_729_376;

/// Everything around a header and a body: magic, version, kind, two lengths, signature.
const ENVELOPE: u64 = 10 + 2 + 2 + 4 + 8 + 64;
/// A hash.
const HASH: u64 = 32;
/// A number in front of a list or a text: its length.
const LENGTH: u64 = 8;
/// What a sealed text has more than a plain one.
const SEAL: u64 = 32 + 16;
/// A chunk's first slot, number of slots, operations and length.
const CHUNK: u64 = 4 + 4 + 8 + LENGTH;

/// What one party sends of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Who.
    pub party: String,
    /// What.
    pub what: What,
    /// How many files.
    pub files: u64,
    /// Bytes of all of them.
    pub bytes: u64,
    /// Of these, bytes of ciphertexts, keys, or sealed texts: what is not envelope, manifest or hash.
    pub payload: u64,
}

/// A kind of message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// The registrar's list of letter keys.
    LetterKeys,
    /// What trustees say to make the key.
    Ceremony,
    /// The key to encrypt with.
    PublicKey,
    /// The key to evaluate with.
    EvaluationKey,
    /// The key to prepare results with.
    OpeningKey,
    /// Ciphertexts, with their proofs.
    Submission,
    /// Values sealed to the families.
    Levels,
    /// Encrypted results.
    Results,
    /// Partial decryptions.
    Partials,
    /// Commitments to the seeds of pads.
    Commitments,
    /// What was opened.
    Opened,
    /// Seeds sealed to the families.
    Letters,
}

impl What {
    /// As JSON and tables have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::LetterKeys => "letter_keys",
            Self::Ceremony => "key_ceremony",
            Self::PublicKey => "public_key",
            Self::EvaluationKey => "evaluation_key",
            Self::OpeningKey => "opening_key",
            Self::Submission => "submission",
            Self::Levels => "sealed_levels",
            Self::Results => "results",
            Self::Partials => "partial_decryptions",
            Self::Commitments => "commitments",
            Self::Opened => "opened_numbers",
            Self::Letters => "sealed_letters",
        }
    }

    /// Whether it is for everybody to see.
    pub fn is_public(self) -> bool {
        !matches!(self, Self::Levels | Self::Letters)
    }
}

/// Bytes of keys and of the messages that make them, without envelopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Keys {
    pub public: u64,
    pub evaluation: u64,
    pub opening: u64,
    pub first: u64,
    pub second: u64,
}

impl Keys {
    pub fn of(round: &Round) -> Self {
        match &round.plan {
            Plan::Tfhe => Self {
                public: TFHE_PUBLIC_KEY + if round.proofs { TFHE_PROOF_PARAMETERS } else { 0 },
                evaluation: TFHE_EVALUATION_KEY,
                opening: TFHE_OPENING_KEY,
                first: 0,
                second: 0,
            },
            Plan::Bfv(plan) => {
                let wide = plan.polynomial(plan.modulus_bits + plan.encryption_bits);
                let second = u64::from(plan.ring.components()) * plan.polynomial(plan.modulus_bits);
                Self {
                    public: 2 * wide,
                    evaluation: 2 * second,
                    opening: 0,
                    first: wide + 2 * second,
                    second,
                }
            }
        }
    }
}

impl BfvPlan {
    /// Bytes of a polynomial with so many bits a coefficient.
    pub(crate) fn polynomial(&self, bits: u64) -> u64 {
        u64::from(self.ring.degree) / 8 * bits
    }
}

/// Every message of a round but the smallest, party by party.
pub fn sent(round: &Round) -> Vec<Sent> {
    let list = List { round };
    let keys = Keys::of(round);
    let (chunks, families) = (round.chunks(), round.families);
    let mut all = Vec::new();

    let letter_keys = LENGTH + HASH * families;
    all.push(list.one("registrar", What::LetterKeys, letter_keys, HASH * families));
    let maker = match round.plan {
        Plan::Tfhe => "dealer".to_owned(),
        // The trustee that makes the first share publishes.
        Plan::Bfv(_) => round.trustees.first().map(|t| t.name.clone()).unwrap_or_default(),
    };
    for (what, linked, bytes) in [
        (What::PublicKey, 0, keys.public),
        (What::EvaluationKey, HASH, keys.evaluation),
        (What::OpeningKey, HASH, keys.opening),
    ] {
        if bytes > 0 {
            all.push(list.one(&maker, what, linked + LENGTH + bytes, bytes));
        }
    }
    for trustee in round.trustees.iter().filter(|trustee| trustee.made > 0 && keys.first > 0) {
        let message = |bytes: u64| 1 + LENGTH + trustee.made * (4 + LENGTH + bytes);
        let payload = trustee.made * (keys.first + keys.second);
        let bytes = list.file(&trustee.name, message(keys.first))
            + list.file(&trustee.name, message(keys.second));
        let party = trustee.name.clone();
        all.push(Sent { party, what: What::Ceremony, files: 2, bytes, payload });
    }
    for submitter in &round.submitters {
        let manifest = HASH + HASH + 4 + 4 + LENGTH + HASH * chunks;
        all.push(list.chunks(&submitter.name, What::Submission, submitter.upload, manifest));
        let sealed = Chunked::of(round, |slots| slots * levels(submitter.values));
        let manifest = HASH + 4 + LENGTH + HASH * chunks;
        all.push(list.chunks(&submitter.name, What::Levels, sealed, manifest));
    }
    let entries: u64 = round.submitters.iter().map(|s| LENGTH + length(&s.name) + 1 + HASH).sum();
    let receipt = 2 * HASH
        + (LENGTH + entries)
        + (LENGTH + HASH * chunks)
        + 8
        + (LENGTH + length(&round.platform));
    all.push(list.chunks("evaluator", What::Results, round.results, receipt));
    for (trustee, number) in round.trustees.iter().zip(0..) {
        if number >= round.openers {
            break;
        }
        let held = trustee.held;
        let share = |slots: u64| match &round.plan {
            Plan::Tfhe => 16 * slots,
            Plan::Bfv(plan) => plan.polynomial(plan.result_bits),
        };
        let partials = Chunked::of(round, |slots| {
            (LENGTH + share(slots)) + LENGTH + held * (LENGTH + share(slots))
        });
        let manifest = HASH + (LENGTH + 4 * held) + 2 * (LENGTH + HASH * chunks);
        let mut sent = list.chunks(&trustee.name, What::Partials, partials, manifest);
        let payload = Chunked::of(round, |slots| (held + 1) * share(slots));
        sent.payload = payload.total(chunks);
        all.push(sent);
        let commitments = Chunked::of(round, |slots| HASH * held * slots);
        all.push(list.only_chunks(&trustee.name, What::Commitments, commitments));
        let opened = Chunked::of(round, |slots| 4 * slots);
        let manifest = HASH + LENGTH + HASH * chunks;
        all.push(list.chunks(&trustee.name, What::Opened, opened, manifest));
        let letters = Chunked::of(round, |slots| slots * letter(held));
        let manifest = 2 * HASH + LENGTH + HASH * chunks;
        all.push(list.chunks(&trustee.name, What::Letters, letters, manifest));
    }
    all
}

/// Bytes of a family's sealed levels.
pub(crate) fn levels(values: u64) -> u64 {
    SEAL + 8 * values
}

/// Bytes of a trustee's letter to a family.
pub(crate) fn letter(held: u64) -> u64 {
    SEAL + HASH * (1 + held)
}

struct List<'r> {
    round: &'r Round,
}

impl List<'_> {
    /// A file of a party with a body of so many bytes.
    fn file(&self, party: &str, body: u64) -> u64 {
        let [engine, parameters] = &self.round.engine;
        let texts = [engine.as_str(), parameters, party];
        let header = 2 * HASH + texts.iter().map(|text| LENGTH + length(text)).sum::<u64>();
        ENVELOPE + header + body
    }

    fn one(&self, party: &str, what: What, body: u64, payload: u64) -> Sent {
        Sent { party: party.to_owned(), what, files: 1, bytes: self.file(party, body), payload }
    }

    fn only_chunks(&self, party: &str, what: What, bytes: Chunked) -> Sent {
        let chunks = self.round.chunks();
        let payload = bytes.total(chunks);
        let around = self.file(party, CHUNK).saturating_mul(chunks);
        let party = party.to_owned();
        Sent { party, what, files: chunks, bytes: payload.saturating_add(around), payload }
    }

    fn chunks(&self, party: &str, what: What, bytes: Chunked, manifest: u64) -> Sent {
        let mut sent = self.only_chunks(party, what, bytes);
        sent.files += 1;
        sent.bytes = sent.bytes.saturating_add(self.file(party, manifest));
        sent
    }
}

fn length(text: &str) -> u64 {
    text.len() as u64
}
