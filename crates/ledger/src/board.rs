//! What a finished round's board says of its slots, checked against the ledger.

use crate::{Ledger, LedgerError};
use blindtier_wire::{
    Board, Context, Digest, Fault, Opened, Partials, Round, TrustFile, WireError, commitments_in,
    file_names, opened_digest, opened_numbers, same, storage,
};

/// An opened round: the opened numbers and the commitments to the seeds of the pads in them.
pub struct OpenedRound<'a> {
    /// The public folder.
    pub board: &'a Board,
    /// The ledger, in which the round is opened.
    pub ledger: &'a Ledger,
    /// The round.
    pub round: &'a Round,
    /// What all files of the round carry.
    pub context: &'a Context,
    /// Everybody's public keys.
    pub trust: &'a TrustFile,
}

/// What is public about the slots of one chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedSlots {
    /// The first slot.
    pub start: u32,
    /// For every slot, its tier code plus the pads of all shares.
    pub numbers: Vec<u32>,
    /// For every share, the commitments to the seeds of the slots.
    pub commitments: Vec<Vec<Digest>>,
}

impl OpenedSlots {
    /// The opened number of a slot, and the commitments to its seeds, share by share.
    pub fn slot(&self, slot: u32) -> Option<(u32, Vec<Digest>)> {
        let place = slot.checked_sub(self.start)? as usize;
        let number = *self.numbers.get(place)?;
        let commitments = self
            .commitments
            .iter()
            .map(|share| share.get(place).copied())
            .collect::<Option<_>>()?;
        Some((number, commitments))
    }
}

impl OpenedRound<'_> {
    /// Reads one chunk.
    pub fn chunk(&self, chunk: u32) -> Result<OpenedSlots, LedgerError> {
        let (start, numbers) = self.numbers(chunk)?;
        Ok(OpenedSlots { start, numbers, commitments: self.commitments(chunk)? })
    }

    /// The opened numbers, from whichever trustee published them; their hash stands in the ledger.
    fn numbers(&self, chunk: u32) -> Result<(u32, Vec<u32>), LedgerError> {
        let Self { board, ledger, round, context, trust } = *self;
        let recorded = ledger.opened()?.get(chunk as usize).copied();
        let (receipt, _) = ledger.committed()?;
        let mut last = None;
        for trustee in &round.sharing.names().collect::<Vec<_>>() {
            let path = board.opened(trustee).join(file_names::OPENED);
            if !storage::exists(&path)? {
                continue;
            }
            let read = || -> Result<(u32, Vec<u32>), WireError> {
                let refused = |fault| WireError::refused(&path, trustee, fault);
                let manifest = Opened::read(&path, trustee, context, trust)?.body;
                same("receipt", receipt, manifest.receipt, &path, trustee)?;
                let read = manifest.chunks(&path, trustee, round, context, trust)?.read(chunk)?;
                let numbers = opened_numbers(&read).map_err(refused)?;
                let found = opened_digest(context, read.start, &numbers);
                if recorded != Some(found) {
                    let expected = recorded.unwrap_or(Digest([0; 32]));
                    return Err(refused(Fault::ChunkHash { expected, found }));
                }
                Ok((read.start, numbers))
            };
            match read() {
                Ok(found) => return Ok(found),
                Err(error) => last = Some(error),
            }
        }
        Err(last.map_or_else(
            || {
                let what = "the opened numbers are on no board folder of a trustee and";
                LedgerError::Missing { folder: board.folder().to_owned(), what }
            },
            LedgerError::from,
        ))
    }

    /// The commitments to all seeds. Trustees compared theirs before they signed the opening; they are compared again.
    fn commitments(&self, chunk: u32) -> Result<Vec<Vec<Digest>>, LedgerError> {
        let Self { board, ledger, round, context, trust } = *self;
        let (_, listed) = ledger.committed()?;
        let mut all: Vec<Option<Vec<Digest>>> = (0..round.sharing.shares()).map(|_| None).collect();
        for (trustee, recorded) in listed {
            let path = board.partials(trustee).join(file_names::PARTIALS);
            let manifest = Partials::read(&path, trustee, round, context, trust)?;
            let refused = |fault| WireError::refused(&path, trustee, fault);
            same("manifest in the ledger", manifest.digest, *recorded, &path, trustee)?;
            let shares = &manifest.body.shares;
            let read =
                manifest.body.commitments(&path, trustee, round, context, trust)?.read(chunk)?;
            let commitments = commitments_in(&read, shares.len()).map_err(refused)?;
            for (share, own) in shares.iter().zip(commitments) {
                match all.get_mut(*share as usize) {
                    Some(place @ None) => *place = Some(own),
                    Some(Some(other)) if *other != own => {
                        let detail =
                            "its commitments differ from another holder's of the same share";
                        return Err(refused(Fault::Content { detail }).into());
                    }
                    _ => {}
                }
            }
        }
        all.into_iter().collect::<Option<_>>().ok_or_else(|| LedgerError::Missing {
            folder: board.folder().to_owned(),
            what: "commitments to the seeds of every share are",
        })
    }
}
