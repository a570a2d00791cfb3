//! Statistics of a round: what may be asked, encrypted counts, and trustees' partial decryptions of them.
//!
//! What is published of a group and a tier is a count with noise. Each share of the key adds noise of its own: two-sided
//! geometric (the discrete Laplace distribution) with P(k) proportional to e^(−ε·|k|). A family is in one group at most
//! and has one tier, so with or without it one count differs by 1: one share's noise alone makes a question
//! ε-differentially private (Dwork, McSherry, Nissim, Smith, TCC 2006; Ghosh, Roughgarden, Sundararajan, STOC 2009).

use crate::chunk::{ChunkReader, Chunking};
use crate::envelope::{Context, Expect, Message, Received, read};
use crate::error::{Fault, WireError};
use crate::identity::TrustFile;
use crate::kind::Kind;
use crate::names::{Digest, PartyName};
use crate::receipt::SubmissionEntry;
use crate::round::Round;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;
use zeroize::ZeroizeOnDrop;

/// The most groups of a round.
pub const MAX_GROUPS: usize = 64;
/// Thousandths of ε that one question may spend, and the largest budget.
pub const EPSILON: std::ops::RangeInclusive<u32> = 50..=10_000;
/// Counts are opened modulo the plaintext modulus of the engine that packs: all that are possible lie below it.
const COUNTS_BELOW: u64 = 65_537;
/// Noise beyond this many times 1/ε is cut off, which happens less than once in 2⁶⁴ times: e⁻⁴⁵ < 2⁻⁶⁴.
const TAIL: u64 = 45;
/// Stands for a family that is in no group.
pub const NO_GROUP: u8 = u8::MAX;

/// What may be published of a round. Public; part of the round file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statistics {
    /// The groups' names. They are fixed for the round, and a family is in one of them at most.
    pub groups: Vec<String>,
    /// The privacy budget of the round, in thousandths of ε.
    pub budget: u32,
    /// Counts below it, with their noise, are not shown.
    pub minimum_cell: u32,
    /// Whether counts have noise. Without it, exact counts are opened: for simulated families only.
    pub noise: bool,
}

/// What is asked. Public.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Positions of the groups asked about, ascending.
    pub groups: Vec<u32>,
    /// What it spends of the budget, in thousandths of ε.
    pub epsilon: u32,
}

/// To which group the family of each slot belongs. Secret; never leaves the registrar. Wiped when dropped.
#[derive(Serialize, Deserialize, ZeroizeOnDrop)]
pub struct GroupList {
    /// One byte a slot: the group's position, or [`NO_GROUP`].
    #[serde(with = "serde_bytes")]
    pub slots: Vec<u8>,
}

/// Manifest of encrypted counts and of everything they were computed from. Public; sent by the evaluator to trustees and
/// auditors. Its chunks are *parts*: counts over so many chunks of slots that no count leaves the plaintext modulus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Hash of the plan that was run.
    pub plan: Digest,
    /// Hash of the evaluation-key file.
    pub evaluation_key: Digest,
    /// One entry a submitter, in the order of the round.
    pub submissions: Vec<SubmissionEntry>,
    /// What is counted.
    pub question: Question,
    /// Hash of each part's file.
    pub parts: Vec<Digest>,
    /// Multiplications that were done, over all parts.
    pub operations: u64,
}

/// A trustee's partial decryptions of counts. Public; shown after the ledger has the question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountPartials {
    /// Hash of the manifest of the counts.
    pub counts: Digest,
    /// The shares, ascending: all that the trustee holds.
    pub shares: Vec<u32>,
    /// For every share, for every part.
    pub partials: Vec<Vec<serde_bytes::ByteBuf>>,
}

impl Statistics {
    pub(crate) fn check(&self) -> Result<(), Fault> {
        let wrong = |detail| Err(Fault::Content { detail });
        let named = |name: &String| {
            let length = name.chars().count();
            (1..=64).contains(&length) && !name.chars().any(char::is_control)
        };
        if !(1..=MAX_GROUPS).contains(&self.groups.len()) || !self.groups.iter().all(named) {
            return wrong("statistics need 1 to 64 groups with names of 1 to 64 characters");
        }
        if self.groups.iter().collect::<BTreeSet<_>>().len() != self.groups.len() {
            return wrong("two groups have the same name");
        }
        if !EPSILON.contains(&self.budget) {
            return wrong("the privacy budget is not between 0.05 and 10");
        }
        Ok(())
    }

    /// The most noise that one share adds to a count of a question, up or down.
    pub fn largest_noise(&self, question: &Question) -> i64 {
        if !self.noise {
            return 0;
        }
        let largest = (TAIL * 1000).div_ceil(u64::from(question.epsilon.max(1)));
        i64::try_from(largest).unwrap_or(i64::MAX)
    }

    /// The smallest number that a count with the noise of all shares can be.
    pub fn lowest(&self, question: &Question, shares: u32) -> i64 {
        -self.largest_noise(question).saturating_mul(i64::from(shares))
    }
}

impl Question {
    /// Refuses a question that a round does not allow, whatever was asked before.
    pub fn check(&self, statistics: &Statistics) -> Result<(), &'static str> {
        let groups = self.groups.iter();
        let known = groups.clone().all(|group| (*group as usize) < statistics.groups.len());
        let ascending = self.groups.is_sorted_by(|a, b| a < b);
        if self.groups.is_empty() || !known || !ascending {
            return Err("a question is about some of the round's groups, none twice");
        }
        if !EPSILON.contains(&self.epsilon) {
            return Err("a question spends between 0.05 and 10 of the privacy budget");
        }
        Ok(())
    }
}

impl Round {
    /// The statistics that may be published; an error for a round without any.
    pub fn statistics(&self) -> Result<&Statistics, Fault> {
        self.statistics.as_ref().ok_or(Fault::Content {
            detail: "the round was announced without statistics: it has no groups to count",
        })
    }

    /// How the chunks of the round's slots are put together to the parts of a question's counts: a part has so few
    /// families that their count and the noise of all shares stay apart modulo the plaintext modulus.
    pub fn parts(&self, question: &Question) -> Result<Chunking, Fault> {
        let noise = self.statistics()?.lowest(question, self.sharing.shares()).unsigned_abs();
        let families = (COUNTS_BELOW - 1).saturating_sub(noise.saturating_mul(2));
        let together = u32::try_from(families / u64::from(self.chunk)).unwrap_or(u32::MAX);
        Chunking::new(self.chunking()?.count(), together).ok_or(Fault::Content {
            detail: "a chunk of this round has more families than can be counted with so much noise",
        })
    }
}

impl Message for GroupList {
    const KIND: Kind = Kind::GroupList;
}

impl GroupList {
    /// Reads the registrar's own list and checks it against the round.
    pub fn read(
        path: &Path,
        round: &Round,
        context: &Context,
        trust: &TrustFile,
    ) -> Result<Self, WireError> {
        let registrar = PartyName::registrar();
        let list = read::<Self>(path, &Expect::of(&registrar, context), trust)?.body;
        let groups = round.statistics.as_ref().map_or(0, |statistics| statistics.groups.len());
        let known = |group: &u8| *group == NO_GROUP || usize::from(*group) < groups;
        if list.slots.len() as u64 != u64::from(round.slots) || !list.slots.iter().all(known) {
            let detail = "the list does not have a group of the round for every slot";
            return Err(WireError::refused(path, &registrar, Fault::Content { detail }));
        }
        Ok(list)
    }

    /// Whether the family of a slot belongs to the group at this position (private); 1 or 0.
    pub fn value(&self, slot: u32, group: usize) -> i64 {
        let own = self.slots.get(slot as usize).copied().unwrap_or(NO_GROUP);
        i64::from(own != NO_GROUP && usize::from(own) == group)
    }
}

impl Message for Counts {
    const KIND: Kind = Kind::Counts;
}

impl Counts {
    /// Reads the evaluator's manifest and checks it against the round.
    pub fn read(
        path: &Path,
        round: &Round,
        context: &Context,
        trust: &TrustFile,
    ) -> Result<Received<Self>, WireError> {
        let evaluator = PartyName::evaluator();
        let received = read::<Self>(path, &Expect::of(&evaluator, context), trust)?;
        let body = &received.body;
        let check = || {
            if body.plan != round.plan {
                return Err(Fault::Plan { expected: round.plan, found: body.plan });
            }
            let wrong = |detail| Fault::Content { detail };
            body.question.check(round.statistics()?).map_err(wrong)?;
            if !body.submissions.iter().map(|s| &s.submitter).eq(&round.submitters) {
                return Err(wrong(
                    "the counts do not have one entry for each submitter of the round",
                ));
            }
            Ok(())
        };
        check().map_err(|fault| WireError::refused(path, &evaluator, fault))?;
        Ok(received)
    }

    /// The parts that the manifest at `path` lists. A part's slots are chunks of the round.
    pub fn parts<'a>(
        &self,
        path: &Path,
        round: &Round,
        context: &'a Context,
        trust: &'a TrustFile,
    ) -> Result<ChunkReader<'a>, WireError> {
        let evaluator = PartyName::evaluator();
        let chunking = round
            .parts(&self.question)
            .map_err(|fault| WireError::refused(path, &evaluator, fault))?;
        let parts = self.parts.clone();
        ChunkReader::new(path, Kind::CountPart, &evaluator, context, chunking, parts, trust)
    }
}

impl Message for CountPartials {
    const KIND: Kind = Kind::CountPartials;
}

impl CountPartials {
    /// Reads a trustee's partial decryptions of the counts with this hash, in so many parts.
    pub fn read(
        path: &Path,
        trustee: &PartyName,
        (counts, parts): (Digest, usize),
        round: &Round,
        context: &Context,
        trust: &TrustFile,
    ) -> Result<Self, WireError> {
        let body = read::<Self>(path, &Expect::of(trustee, context), trust)?.body;
        let number = trustee.trustee_number().unwrap_or_default();
        let fault = if body.counts != counts {
            Fault::Reference { what: "manifest of counts", expected: counts, found: body.counts }
        } else if body.shares != round.sharing.held_by(number) {
            Fault::Content { detail: "these are not the shares that this trustee holds" }
        } else if body.partials.len() != body.shares.len()
            || body.partials.iter().any(|partials| partials.len() != parts)
        {
            Fault::Content { detail: "there is not one partial decryption a share and part" }
        } else {
            return Ok(body);
        };
        Err(WireError::refused(path, trustee, fault))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_cut_off_where_it_hardly_ever_is() {
        let statistics =
            Statistics { groups: vec!["a".into()], budget: 1000, minimum_cell: 10, noise: true };
        for epsilon in [*EPSILON.start(), 100, 1000, *EPSILON.end()] {
            let question = Question { groups: vec![0], epsilon };
            let largest = statistics.largest_noise(&question);
            // P(|X| > k) = 2·α^(k+1)/(1+α) with α = e^(−ε).
            let (epsilon, k) = (f64::from(epsilon) / 1000.0, largest as f64);
            let beyond = 2.0 * (-epsilon * (k + 1.0)).exp() / (1.0 + (-epsilon).exp());
            assert!(beyond.log2() < -64.0, "{epsilon}: {}", beyond.log2());
            assert_eq!(statistics.lowest(&question, 3), -3 * largest);
            // Fifteen shares leave room for a chunk of the largest ring.
            assert!(65_536 + 2 * statistics.lowest(&question, 15) >= 32_768);
        }
    }

    #[test]
    fn questions_are_about_groups_of_the_round() {
        let groups = ["a", "b", "c"].map(str::to_owned).to_vec();
        let statistics = Statistics { groups, budget: 1000, minimum_cell: 10, noise: true };
        let asked = |groups: &[u32], epsilon| Question { groups: groups.to_vec(), epsilon };
        assert_eq!(asked(&[0, 2], 50).check(&statistics), Ok(()));
        for (groups, epsilon) in [
            (&[][..], 100),
            (&[3], 100),
            (&[1, 1], 100),
            (&[1, 0], 100),
            (&[0], 49),
            (&[0], 10_001),
        ] {
            assert!(asked(groups, epsilon).check(&statistics).is_err(), "{groups:?} {epsilon}");
        }
    }

    #[test]
    fn group_lists_are_wiped_and_say_where_a_family_belongs() {
        let list = GroupList { slots: vec![0, 1, NO_GROUP] };
        let of = |slot| [0, 1, 255].map(|group| list.value(slot, group));
        assert_eq!([of(0), of(1), of(2), of(3)], [[1, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 0]]);
    }
}
