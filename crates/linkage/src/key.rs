//! The registrar's side.

use crate::stream::{Seed, Stream, draw};
use crate::{
    BATCH, Counter, ELEMENT_BYTES, LinkageError, PROOF_BYTES, Progress, Suite, all, input,
    pseudonym,
};
use rayon::prelude::*;
use voprf::{BlindedElement, Group, VoprfServer};
use zeroize::Zeroizing;

/// The key (private) of one agency's pseudonyms in one round. Wiped when dropped; never printed.
pub struct LinkageKey {
    seed: Seed,
    server: VoprfServer<Suite>,
}

/// What the registrar answers to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The evaluated elements, in the order of the request.
    pub elements: Vec<[u8; ELEMENT_BYTES]>,
    /// The proof of each batch of [`BATCH`] elements.
    pub proofs: Vec<[u8; PROOF_BYTES]>,
}

impl LinkageKey {
    /// Draws a key from the operating system's randomness.
    pub fn generate() -> Result<Self, LinkageError> {
        Self::derive(draw()?, b"blindtier linkage v1")
    }

    /// The key that [`LinkageKey::seed`] came from.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, LinkageError> {
        Self::derive(Zeroizing::new(*seed), b"blindtier linkage v1")
    }

    /// `DeriveKeyPair`, RFC 9497 section 3.2.1.
    fn derive(seed: Seed, info: &[u8]) -> Result<Self, LinkageError> {
        let server = VoprfServer::new_from_seed(seed.as_slice(), info)
            .map_err(|error| LinkageError::library(&error))?;
        Ok(Self { seed, server })
    }

    /// The 32 bytes (private) that the key follows from.
    pub fn seed(&self) -> &[u8; 32] {
        &self.seed
    }

    /// The public key: with it the agency checks that answers were made with this key.
    pub fn public(&self) -> [u8; ELEMENT_BYTES] {
        <Suite as Group>::serialize_elem(self.server.get_public_key()).into()
    }

    /// The pseudonym of a person (private), for the roster.
    pub fn pseudonym(&self, person: &str) -> Result<[u8; 16], LinkageError> {
        self.evaluate(person, 0)
    }

    /// The pseudonyms of persons (private), in their order, computed on all cores.
    pub fn pseudonyms<P: AsRef<str> + Sync>(
        &self,
        persons: &[P],
    ) -> Result<Vec<[u8; 16]>, LinkageError> {
        let evaluate = |(position, person): (usize, &P)| self.evaluate(person.as_ref(), position);
        all(persons.par_iter().enumerate().map(evaluate))
    }

    fn evaluate(&self, person: &str, position: usize) -> Result<[u8; 16], LinkageError> {
        let output = self.server.evaluate(&input(person, position)?);
        Ok(pseudonym(&output.map_err(|error| LinkageError::library(&error))?))
    }

    /// Evaluates a request and proves it, batch by batch on all cores. Neither the persons nor their number can be told from
    /// the request.
    ///
    /// # Errors
    /// An element of the request is no element of the group.
    pub fn answer(
        &self,
        request: &[[u8; ELEMENT_BYTES]],
        progress: Progress<'_>,
    ) -> Result<Answer, LinkageError> {
        let (nonces, counter) = (draw()?, Counter::new(request.len(), progress));
        let batches = all(request.par_chunks(BATCH).enumerate().map(|(batch, elements)| {
            let answered = self.answer_batch(elements, batch, &nonces)?;
            counter.add(elements.len());
            Ok(answered)
        }))?;
        let mut answer = Answer {
            elements: Vec::with_capacity(request.len()),
            proofs: Vec::with_capacity(batches.len()),
        };
        for (elements, proof) in batches {
            answer.elements.extend(elements);
            answer.proofs.push(proof);
        }
        Ok(answer)
    }

    #[allow(clippy::type_complexity, reason = "elements and proof of one batch")]
    fn answer_batch(
        &self,
        elements: &[[u8; ELEMENT_BYTES]],
        batch: usize,
        nonces: &Seed,
    ) -> Result<(Vec<[u8; ELEMENT_BYTES]>, [u8; PROOF_BYTES]), LinkageError> {
        let blinded = elements
            .iter()
            .enumerate()
            .map(|(place, bytes)| {
                BlindedElement::<Suite>::deserialize(bytes).map_err(|_| LinkageError::Element {
                    what: "element of the request",
                    position: batch * BATCH + place,
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let mut random = Stream::new(nonces, b"proof", batch);
        let evaluated = self
            .server
            .batch_blind_evaluate(&mut random, &blinded)
            .map_err(|error| LinkageError::library(&error))?;
        let elements = evaluated.messages.iter().map(|m| m.serialize().into()).collect();
        Ok((elements, evaluated.proof.serialize().into()))
    }
}

#[cfg(test)]
impl LinkageKey {
    /// The key of the RFC's test vectors.
    pub(crate) fn of_vectors(seed: [u8; 32], info: &[u8]) -> Self {
        Self::derive(Zeroizing::new(seed), info).unwrap()
    }

    pub(crate) fn server(&self) -> &VoprfServer<Suite> {
        &self.server
    }
}
