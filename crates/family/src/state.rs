//! What the state sees of a slot that was opened to it.

use crate::FamilyError;
use blindtier_ledger::{Ledger, OpenedRound};
use blindtier_wire::{
    Board, Digest, Expect, LetterKey, Purpose, Round, Seed, StateSeeds, TrustFile, read, unpad,
};
use std::collections::BTreeMap;
use std::path::Path;

/// The tier code of a slot that the ledger says was opened to the state, from the seeds that trustees sealed to its `key`
/// (private), in `folder`. A tier that another round decided anew is not shown. `modulus` is the engine's pad modulus.
pub fn read_for_state(
    board: &Board,
    folder: &Path,
    slot: u32,
    key: &LetterKey,
    policy: Digest,
    modulus: u32,
    trust: &TrustFile,
) -> Result<u32, FamilyError> {
    let received = Round::read(&board.round(), trust, policy)?;
    let (round, context) = (received.body, received.context);
    let ledger = Ledger::read(&board.ledger(), &round, &context, trust)?;
    if ledger.state_opening(slot).is_none_or(|(_, recorded)| recorded != key.public()) {
        return Err(FamilyError::NotOpenedToState { folder: board.ledger(), slot });
    }
    if let Some((by, there)) = ledger.correction_of(slot) {
        return Err(FamilyError::Corrected { folder: board.ledger(), slot, by: *by, there });
    }
    let opened = OpenedRound { board, ledger: &ledger, round: &round, context: &context, trust };
    let slots = opened.chunk(slot / round.chunk.max(1))?;
    let no_slot = || FamilyError::NoSuchSlot { folder: board.folder().to_owned(), slot };
    let (number, commitments) = slots.slot(slot).ok_or_else(no_slot)?;
    let mut seeds: BTreeMap<u32, Seed> = BTreeMap::new();
    for trustee in round.sharing.names() {
        let file = folder.join(StateSeeds::file_name(slot, &trustee));
        if !file.exists() {
            continue;
        }
        let body = read::<StateSeeds>(&file, &Expect::of(&trustee, &context), trust)?.body;
        let unreadable =
            || FamilyError::Unreadable { file: file.clone(), culprit: trustee.clone(), slot };
        let purpose = Purpose::State { slot, from: &trustee };
        let plain = key.open(purpose, &context, &body.sealed).ok_or_else(unreadable)?;
        let held = round.sharing.held_by(trustee.trustee_number().unwrap_or_default());
        let (parts, rest) = plain.as_chunks::<32>();
        if !rest.is_empty() || parts.len() != held.len() {
            return Err(unreadable());
        }
        for (share, part) in held.into_iter().zip(parts) {
            let seed = Seed(*part);
            if commitments.get(share as usize) != Some(&seed.commitment(&context, share, slot)) {
                return Err(FamilyError::WrongSeed { file, culprit: trustee, slot, share });
            }
            seeds.insert(share, seed);
        }
    }
    if let Some(share) = (0..round.sharing.shares()).find(|share| !seeds.contains_key(share)) {
        return Err(FamilyError::TooFewLetters {
            folder: folder.to_owned(),
            share,
            trustees: crate::holders(round.sharing, share),
            complaints: String::new(),
        });
    }
    Ok(unpad(number, seeds.values().map(|seed| seed.pad(modulus)), modulus))
}
