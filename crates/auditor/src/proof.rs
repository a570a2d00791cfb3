//! What a family shows to prove its tier.

use crate::AuditError;
use blindtier_ledger::{Ledger, OpenedRound};
use blindtier_wire::{Board, Digest, Proof, Round, TrustFile, unpad};
use std::path::Path;

/// A tier that was proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProvenTier {
    /// Whose.
    pub slot: u32,
    /// The tier code: below the policy's limit a tier's position, above it a reserved code.
    pub code: u32,
}

/// Checks a proof against the board: its seeds are those that were committed to before the round was opened, and take the
/// pads off what the ledger says was opened. A tier that another round decided anew is not accepted. `modulus` is the engine's
/// pad modulus.
pub fn check_proof(
    board: &Board,
    file: &Path,
    policy: Digest,
    modulus: u32,
    trust: &TrustFile,
) -> Result<ProvenTier, AuditError> {
    let received = Round::read(&board.round(), trust, policy)?;
    let (round, context) = (received.body, received.context);
    let proof = Proof::read(file)?;
    let file = || file.to_owned();
    if proof.round != context.round {
        return Err(AuditError::ProofRound {
            file: file(),
            found: proof.round,
            expected: context.round,
        });
    }
    let ledger = Ledger::read(&board.ledger(), &round, &context, trust)?;
    let opened = OpenedRound { board, ledger: &ledger, round: &round, context: &context, trust };
    if proof.slot >= round.slots {
        return Err(AuditError::ProofSlot { file: file(), slot: proof.slot, slots: round.slots });
    }
    let slots = opened.chunk(proof.slot / round.chunk.max(1))?;
    let Some((number, commitments)) = slots.slot(proof.slot) else {
        return Err(AuditError::ProofSlot { file: file(), slot: proof.slot, slots: round.slots });
    };
    if let Some(share) = proof.first_wrong(&context, &commitments) {
        return Err(AuditError::Proof { file: file(), slot: proof.slot, share });
    }
    if let Some((by, there)) = ledger.correction_of(proof.slot) {
        return Err(AuditError::Corrected { file: file(), slot: proof.slot, by: *by, there });
    }
    let pads = proof.seeds.iter().map(|seed| seed.pad(modulus));
    Ok(ProvenTier { slot: proof.slot, code: unpad(number, pads, modulus) })
}
