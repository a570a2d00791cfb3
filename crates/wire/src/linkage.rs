//! How an agency learns the pseudonyms of its own persons and of no others: key, request, state and answer.
//!
//! The bytes of elements, proofs and keys are those of `blindtier-linkage`; here they are opaque.

use crate::envelope::{Context, Expect, Message, Received, read};
use crate::error::{Fault, WireError, same};
use crate::identity::TrustFile;
use crate::kind::Kind;
use crate::names::{Digest, PartyName};
use crate::round::{Linkage, Round};
use serde::{Deserialize, Serialize};
use std::path::Path;
use zeroize::ZeroizeOnDrop;

/// The most persons a request may have, so that its file and the answer's stay below their limits.
pub const MAX_LINKAGE_PERSONS: u32 = 33_000_000;

/// Bytes of an element of a request or an answer.
const ELEMENT: usize = 32;
/// Bytes of a proof.
const PROOF: usize = 64;

/// The registrar's linkage key for one agency in one round. Secret; never leaves the registrar. Wiped when dropped.
#[derive(Serialize, Deserialize, ZeroizeOnDrop)]
pub struct LinkageKey {
    /// For whom.
    #[zeroize(skip)]
    pub agency: PartyName,
    /// What the key follows from.
    pub seed: [u8; 32],
}

/// An agency's blinded persons, always as many as the round says. Sent by the agency to the registrar; it says nothing
/// about the agency's register, not even how many persons it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkageRequest {
    /// One element of 32 bytes a person or filler.
    #[serde(with = "serde_bytes")]
    pub elements: Vec<u8>,
}

/// What makes an agency's request readable to it. Secret; never leaves the agency. Wiped when dropped.
#[derive(Serialize, Deserialize, ZeroizeOnDrop)]
pub struct LinkageState {
    /// Hash of the request's file.
    #[zeroize(skip)]
    pub request: Digest,
    /// What the blinding follows from.
    pub seed: [u8; 32],
    /// The persons that the request asks about, in its order: ascending, without repetition.
    pub persons: Vec<String>,
}

/// The registrar's answer to a request. Sent by the registrar to that agency; useless to anybody else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkageAnswer {
    /// For whom.
    pub agency: PartyName,
    /// Hash of the answered request's file.
    pub request: Digest,
    /// One element of 32 bytes a person or filler, in the order of the request.
    #[serde(with = "serde_bytes")]
    pub elements: Vec<u8>,
    /// The proofs that they were made with the key whose public half is in the roster, 64 bytes each.
    #[serde(with = "serde_bytes")]
    pub proofs: Vec<u8>,
}

/// Cuts bytes into pieces, or says that they are no whole number of them.
fn pieces<const N: usize>(bytes: &[u8], detail: &'static str) -> Result<(), Fault> {
    if bytes.as_chunks::<N>().1.is_empty() { Ok(()) } else { Err(Fault::Content { detail }) }
}

const TORN: &str = "the elements have no whole number of 32 bytes";

impl Message for LinkageKey {
    const KIND: Kind = Kind::LinkageKey;
}

impl Message for LinkageRequest {
    const KIND: Kind = Kind::LinkageRequest;

    fn check(&self) -> Result<(), Fault> {
        pieces::<ELEMENT>(&self.elements, TORN)
    }
}

impl Message for LinkageState {
    const KIND: Kind = Kind::LinkageState;

    fn check(&self) -> Result<(), Fault> {
        if self.persons.is_sorted_by(|a, b| a < b) {
            return Ok(());
        }
        Err(Fault::Content { detail: "the persons are not ascending" })
    }
}

impl Message for LinkageAnswer {
    const KIND: Kind = Kind::LinkageAnswer;

    fn check(&self) -> Result<(), Fault> {
        pieces::<ELEMENT>(&self.elements, TORN)?;
        pieces::<PROOF>(&self.proofs, "the proofs have no whole number of 64 bytes")
    }
}

impl LinkageKey {
    /// Reads the registrar's own key for `agency`.
    pub fn read(
        path: &Path,
        agency: &PartyName,
        context: &Context,
        trust: &TrustFile,
    ) -> Result<Self, WireError> {
        let registrar = PartyName::registrar();
        let key = read::<Self>(path, &Expect::of(&registrar, context), trust)?.body;
        meant_for(agency, &key.agency)
            .map_err(|fault| WireError::refused(path, &registrar, fault))?;
        Ok(key)
    }
}

impl LinkageRequest {
    /// Reads a request of any agency that submits to the round, of exactly the round's size. Returns who sent it.
    pub fn read(
        path: &Path,
        round: &Round,
        context: &Context,
        trust: &TrustFile,
    ) -> Result<(PartyName, Received<Self>), WireError> {
        let mut agencies = round.submitters.iter().filter(|name| name.agency_id().is_some());
        let refused = |agency: &PartyName, fault| Err(WireError::refused(path, agency, fault));
        let Some(first) = agencies.next() else {
            let detail = "the round has no agency";
            return refused(&PartyName::registrar(), Fault::Content { detail });
        };
        // Whose it is, the file says itself: read as the first agency's, it is refused with its sender's name.
        let read_from = |agency| read::<Self>(path, &Expect::of(agency, context), trust);
        let (agency, received) = match read_from(first) {
            Ok(received) => (first, received),
            Err(error) => match error.fault() {
                Some(Fault::Sender { found, .. }) => {
                    match agencies.find(|agency| *agency == found) {
                        Some(agency) => (agency, read_from(agency)?),
                        None => return Err(error),
                    }
                }
                _ => return Err(error),
            },
        };
        if round.linkage.persons() != Some(received.body.elements().len()) {
            let detail = "the request does not have as many elements as the round says";
            return refused(agency, Fault::Content { detail });
        }
        Ok((agency.clone(), received))
    }

    /// The elements.
    pub fn elements(&self) -> &[[u8; ELEMENT]] {
        self.elements.as_chunks().0
    }
}

impl LinkageState {
    /// Reads the agency's own state.
    pub fn read(
        path: &Path,
        agency: &PartyName,
        context: &Context,
        trust: &TrustFile,
    ) -> Result<Self, WireError> {
        Ok(read::<Self>(path, &Expect::of(agency, context), trust)?.body)
    }

    /// Position of a person (private) in the request, if it asks about this person.
    pub fn position(&self, person: &str) -> Option<usize> {
        self.persons.binary_search_by(|known| known.as_str().cmp(person)).ok()
    }
}

impl LinkageAnswer {
    /// Reads the registrar's answer to the request with this hash, of exactly the round's size.
    pub fn read(
        path: &Path,
        agency: &PartyName,
        request: Digest,
        round: &Round,
        context: &Context,
        trust: &TrustFile,
    ) -> Result<Self, WireError> {
        let registrar = PartyName::registrar();
        let answer = read::<Self>(path, &Expect::of(&registrar, context), trust)?.body;
        let refused = |fault| WireError::refused(path, &registrar, fault);
        meant_for(agency, &answer.agency).map_err(refused)?;
        same("request", request, answer.request, path, &registrar)?;
        if round.linkage.persons() != Some(answer.elements().len()) {
            let detail = "the answer does not have as many elements as the round says";
            return Err(refused(Fault::Content { detail }));
        }
        Ok(answer)
    }

    /// The elements.
    pub fn elements(&self) -> &[[u8; ELEMENT]] {
        self.elements.as_chunks().0
    }

    /// The proofs.
    pub fn proofs(&self) -> &[[u8; PROOF]] {
        self.proofs.as_chunks().0
    }
}

impl Linkage {
    /// Elements of every request, if agencies ask for pseudonyms.
    pub fn persons(self) -> Option<usize> {
        match self {
            Self::KeyedHash => None,
            Self::Oblivious { persons } => usize::try_from(persons).ok(),
        }
    }
}

fn meant_for(expected: &PartyName, found: &PartyName) -> Result<(), Fault> {
    if expected == found {
        return Ok(());
    }
    Err(Fault::Recipient { expected: expected.clone(), found: found.clone() })
}
