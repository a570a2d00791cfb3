//! The agency's side.

use crate::stream::{Seed, Stream, draw};
use crate::{
    Answer, BATCH, Counter, ELEMENT_BYTES, FILLER, LinkageError, Progress, Suite, all, input,
    proofs, pseudonym,
};
use rayon::prelude::*;
use voprf::{EvaluationElement, Group, Proof, VoprfClient};
use zeroize::Zeroizing;

/// What hides one request (private): all its blinding scalars follow from it. Wiped when dropped; never printed.
///
/// For one request only: two requests with one blinding would show which persons they have in common.
pub struct Blinding {
    seed: Seed,
}

impl Blinding {
    /// Draws a blinding from the operating system's randomness.
    pub fn generate() -> Result<Self, LinkageError> {
        Ok(Self { seed: draw()? })
    }

    /// The blinding that [`Blinding::seed`] came from.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self { seed: Zeroizing::new(*seed) }
    }

    /// The 32 bytes (private) that the blinding follows from.
    pub fn seed(&self) -> &[u8; 32] {
        &self.seed
    }

    /// Blinds persons (private), and fillers after them, to a request (public) of exactly `size` elements, on all cores.
    ///
    /// # Errors
    /// There are more persons than `size`, or a person identifier is longer than [`crate::MAX_IDENTIFIER`] bytes.
    pub fn request<P: AsRef<str> + Sync>(
        &self,
        persons: &[P],
        size: usize,
        progress: Progress<'_>,
    ) -> Result<Vec<[u8; ELEMENT_BYTES]>, LinkageError> {
        if persons.len() > size {
            return Err(LinkageError::TooManyPersons { persons: persons.len(), size });
        }
        let counter = Counter::new(size, progress);
        let mut request = vec![[0; ELEMENT_BYTES]; size];
        let blind = |(batch, elements): (usize, &mut [[u8; ELEMENT_BYTES]])| {
            let mut random = Stream::new(&self.seed, b"blind", batch);
            for (position, element) in (batch * BATCH..).zip(elements.iter_mut()) {
                let own = persons.get(position).map(|p| input(p.as_ref(), position)).transpose()?;
                let blinded = VoprfClient::<Suite>::blind(
                    own.as_ref().map_or(FILLER, |bytes| bytes.as_slice()),
                    &mut random,
                )
                .map_err(|error| LinkageError::library(&error))?;
                *element = blinded.message.serialize().into();
            }
            counter.add(elements.len());
            Ok(())
        };
        all(request.par_chunks_mut(BATCH).enumerate().map(blind))?;
        Ok(request)
    }

    /// Checks an answer and takes the blinding off: the pseudonyms (private) of `persons`, in their order.
    ///
    /// `persons` and `request` are those of [`Blinding::request`]; `public` is the key from the roster. All proofs are
    /// checked, those about fillers too.
    ///
    /// # Errors
    /// The answer is not one to this request under this key: [`LinkageError::Count`], [`LinkageError::Element`],
    /// [`LinkageError::PublicKey`] or [`LinkageError::Proof`].
    pub fn finish<P: AsRef<str> + Sync>(
        &self,
        persons: &[P],
        request: &[[u8; ELEMENT_BYTES]],
        answer: &Answer,
        public: &[u8; ELEMENT_BYTES],
        progress: Progress<'_>,
    ) -> Result<Vec<[u8; 16]>, LinkageError> {
        count("persons", request.len(), persons.len().max(request.len()))?;
        count("answers", request.len(), answer.elements.len())?;
        count("proofs", proofs(request.len()), answer.proofs.len())?;
        let public =
            <Suite as Group>::deserialize_elem(public).map_err(|_| LinkageError::PublicKey)?;
        let counter = Counter::new(request.len(), progress);
        let batches = request
            .par_chunks(BATCH)
            .zip(answer.elements.par_chunks(BATCH))
            .zip(&answer.proofs)
            .enumerate()
            .map(|(batch, ((asked, evaluated), proof))| {
                let clients = self.clients(asked, batch)?;
                let evaluated = evaluated
                    .iter()
                    .enumerate()
                    .map(|(place, bytes)| {
                        EvaluationElement::<Suite>::deserialize(bytes)
                            .map_err(|_| element("answer", batch, place))
                    })
                    .collect::<Result<Vec<_>, _>>()?;
                let wrong = |_| LinkageError::Proof { batch };
                let proof = Proof::deserialize(proof).map_err(wrong)?;
                let own = persons.iter().enumerate().skip(batch * BATCH).take(asked.len());
                let inputs = own
                    .map(|(position, person)| input(person.as_ref(), position))
                    .collect::<Result<Vec<_>, _>>()?;
                // Only the inputs that there are come out: of a filler nothing is used but its part in the proof.
                let inputs: Vec<&[u8]> = inputs.iter().map(|input| input.as_slice()).collect();
                let outputs =
                    VoprfClient::batch_finalize(&inputs, &clients, &evaluated, &proof, public)
                        .map_err(wrong)?
                        .map(|output| output.map(|output| pseudonym(&output)))
                        .collect::<Result<Vec<_>, _>>()
                        .map_err(|error| LinkageError::library(&error))?;
                counter.add(asked.len());
                Ok(outputs)
            });
        Ok(all(batches)?.concat())
    }

    /// The library's states of a batch: every element with its blinding scalar, drawn again.
    fn clients(
        &self,
        request: &[[u8; ELEMENT_BYTES]],
        batch: usize,
    ) -> Result<Vec<VoprfClient<Suite>>, LinkageError> {
        let mut random = Stream::new(&self.seed, b"blind", batch);
        request
            .iter()
            .enumerate()
            .map(|(place, bytes)| {
                let scalar = <Suite as Group>::random_scalar(&mut random);
                let mut state = Zeroizing::new([0; 32 + ELEMENT_BYTES]);
                let (blind, blinded) = state.split_at_mut(32);
                blind.copy_from_slice(&<Suite as Group>::serialize_scalar(scalar));
                blinded.copy_from_slice(bytes);
                VoprfClient::deserialize(state.as_slice())
                    .map_err(|_| element("element of the request", batch, place))
            })
            .collect()
    }
}

fn count(what: &'static str, expected: usize, found: usize) -> Result<(), LinkageError> {
    if found == expected { Ok(()) } else { Err(LinkageError::Count { what, expected, found }) }
}

fn element(what: &'static str, batch: usize, place: usize) -> LinkageError {
    LinkageError::Element { what, position: batch * BATCH + place }
}
