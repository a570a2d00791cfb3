//! The public files of an opening: partial decryptions, compared and added up.

use crate::TranscriptError;
use blindtier_engine::Combine;
use blindtier_wire::{
    Board, ChunkReader, Context, Digest, Fault, PartialChunk, Partials, PartyName, Round, Sharing,
    TrustFile, WireError, commitments_in, file_names, same,
};
use std::path::PathBuf;

/// Who says something about shares.
pub struct Speaker {
    /// Who.
    pub trustee: PartyName,
    /// Where its files lie.
    pub folder: PathBuf,
}

/// What one trustee contributes to an opening.
pub struct Contribution<'a> {
    /// Who.
    pub speaker: Speaker,
    /// Its shares, ascending.
    pub shares: Vec<u32>,
    partials: ChunkReader<'a>,
    commitments: ChunkReader<'a>,
}

/// Reads the manifests that the ledger lists and checks that they are those, about this receipt.
pub fn contributions<'a>(
    board: &Board,
    listed: &[(PartyName, Digest)],
    receipt: Digest,
    round: &Round,
    context: &'a Context,
    trust: &'a TrustFile,
) -> Result<Vec<Contribution<'a>>, WireError> {
    listed
        .iter()
        .map(|(trustee, recorded)| {
            let folder = board.partials(trustee);
            let path = folder.join(file_names::PARTIALS);
            let manifest = Partials::read(&path, trustee, round, context, trust)?;
            same("manifest in the ledger", manifest.digest, *recorded, &path, trustee)?;
            same("receipt", receipt, manifest.body.receipt, &path, trustee)?;
            Contribution::new(folder, trustee, &manifest.body, round, context, trust)
        })
        .collect()
}

impl<'a> Contribution<'a> {
    /// What a manifest lists, with its chunks below `folder`.
    pub fn new(
        folder: PathBuf,
        trustee: &PartyName,
        manifest: &Partials,
        round: &Round,
        context: &'a Context,
        trust: &'a TrustFile,
    ) -> Result<Self, WireError> {
        let path = folder.join(file_names::PARTIALS);
        Ok(Self {
            shares: manifest.shares.clone(),
            partials: manifest.partials(&path, trustee, round, context, trust)?,
            commitments: manifest.commitments(&path, trustee, round, context, trust)?,
            speaker: Speaker { trustee: trustee.clone(), folder },
        })
    }
}

impl Contribution<'_> {
    /// The commitments to the seeds of a chunk's slots: for each share, 32 bytes a slot.
    pub fn commitments(&self, chunk: u32) -> Result<Vec<Vec<Digest>>, WireError> {
        commitments_in(&self.commitments.read(chunk)?, self.shares.len()).map_err(|fault| {
            WireError::refused(&self.commitments.path(chunk), &self.speaker.trustee, fault)
        })
    }

    /// Refuses a contribution whose prepared results are not those that the reader has computed.
    pub fn check_bodies(&self, chunk: u32, computed: &[u8]) -> Result<(), TranscriptError> {
        if self.partials(chunk)?.bodies == computed {
            return Ok(());
        }
        Err(TranscriptError::Lied {
            file: self.speaker.folder.clone(),
            culprit: self.speaker.trustee.clone(),
            chunk,
            share: self.shares.first().copied().unwrap_or_default(),
            what: "prepared result",
            witnesses: "the published results".to_owned(),
        })
    }

    fn partials(&self, chunk: u32) -> Result<PartialChunk, WireError> {
        let refused =
            |fault| WireError::refused(&self.partials.path(chunk), &self.speaker.trustee, fault);
        let body = PartialChunk::from_bytes(&self.partials.read(chunk)?.bytes).map_err(refused)?;
        if body.partials.len() != self.shares.len() {
            let detail = "there is not one partial decryption a share";
            return Err(refused(Fault::Content { detail }));
        }
        Ok(body)
    }
}

/// One opened chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedChunk {
    /// For every slot its tier code plus the pads of all shares.
    pub numbers: Vec<u32>,
    /// For every share, the commitments to the seeds of the slots.
    pub commitments: Vec<Vec<Digest>>,
}

/// Compares what the holders of each share say about a chunk, and adds partial decryptions up.
///
/// `own` is the trustee that reads, if it contributes: what it computed itself is right, so that whoever contradicts it
/// lies. Otherwise only what as many trustees say as the threshold is known to be right: fewer may all be liars.
pub fn open_chunk(
    chunk: u32,
    families: usize,
    contributions: &[Contribution<'_>],
    sharing: Sharing,
    engine: &dyn Combine,
    own: Option<&PartyName>,
) -> Result<OpenedChunk, TranscriptError> {
    let mut bodies = Vec::with_capacity(contributions.len());
    let mut by_share: Vec<Said<'_, (Vec<u8>, Vec<Digest>)>> =
        (0..sharing.shares()).map(|_| Vec::new()).collect();
    for contribution in contributions {
        let body = contribution.partials(chunk)?;
        let commitments = contribution.commitments(chunk)?;
        bodies.push((&contribution.speaker, body.bodies));
        for ((share, partial), commitments) in
            contribution.shares.iter().zip(body.partials).zip(commitments)
        {
            if let Some(said) = by_share.get_mut(*share as usize) {
                said.push((&contribution.speaker, (partial.into_vec(), commitments)));
            }
        }
    }
    let threshold = usize::from(sharing.threshold());
    let place = |share, what| Place { chunk, share, what, threshold };
    let body = agreed(bodies, own, place(0, "prepared result"))?;
    let mut partials = Vec::with_capacity(by_share.len());
    let mut commitments = Vec::with_capacity(by_share.len());
    for (share, said) in (0u32..).zip(by_share) {
        let (partial, committed) =
            agreed(said, own, place(share, "partial decryption or commitment"))?;
        partials.push(partial);
        commitments.push(committed);
    }
    let partials: Vec<&[u8]> = partials.iter().map(Vec::as_slice).collect();
    let numbers = engine
        .combine(families, &body, &partials)
        .map_err(|source| TranscriptError::Combine { chunk, source })?;
    Ok(OpenedChunk { numbers, commitments })
}

/// What each holder says.
type Said<'c, T> = Vec<(&'c Speaker, T)>;

#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub chunk: u32,
    pub share: u32,
    pub what: &'static str,
    pub threshold: usize,
}

/// What all say, or who lies.
pub(crate) fn agreed<T: PartialEq>(
    said: Said<'_, T>,
    own: Option<&PartyName>,
    place: Place,
) -> Result<T, TranscriptError> {
    let Place { chunk, share, what, threshold } = place;
    let supporters = |value: &T| said.iter().filter(|(_, other)| other == value).count();
    let is_own = |speaker: &Speaker| own == Some(&speaker.trustee);
    // What the reader computed itself counts most, then what most holders say.
    let best = said
        .iter()
        .enumerate()
        .max_by_key(|(_, (who, value))| (is_own(who), supporters(value)))
        .map(|(position, _)| position);
    let Some((trusted, right)) = best.and_then(|position| said.get(position)) else {
        return Err(TranscriptError::Lacking { chunk, share });
    };
    if let Some((liar, _)) = said.iter().find(|(_, value)| value != right) {
        let others: Vec<&str> = said
            .iter()
            .filter(|(_, value)| value == right)
            .map(|(who, _)| who.trustee.as_str())
            .collect();
        if is_own(trusted) || supporters(right) >= threshold {
            return Err(TranscriptError::Lied {
                file: liar.folder.clone(),
                culprit: liar.trustee.clone(),
                chunk,
                share,
                what,
                witnesses: others.join(" and "),
            });
        }
        return Err(TranscriptError::Disagree {
            file: liar.folder.clone(),
            chunk,
            share,
            what,
            one: trusted.trustee.clone(),
            other: liar.trustee.clone(),
        });
    }
    let position = best.unwrap_or_default();
    said.into_iter()
        .nth(position)
        .map(|(_, value)| value)
        .ok_or(TranscriptError::Lacking { chunk, share })
}
