//! Rounds that correct others.

use crate::{Event, Ledger, LedgerError};
use blindtier_wire::{
    Board, Context, Digest, Fault, LetterKeys, PartyName, Round, TrustFile, WireError, storage,
};

/// A round that decides some slots of another anew. Its board lies on the other's, see [`Board::correction`].
pub struct CorrectingRound {
    /// Its board.
    pub board: Board,
    /// The round.
    pub round: Round,
    /// What all of its files carry.
    pub context: Context,
    /// Its own ledger.
    pub ledger: Ledger,
    /// For each of its slots, the slot of the other round.
    pub slots: Vec<u32>,
}

impl CorrectingRound {
    /// Reads the round on `board`, and its ledger. Refuses it unless the registrar announced it as a correction of the round
    /// on the board `on`, under the same policy, for slots that this round has, and for their families. Whoever takes part in it or
    /// audits it compares its plan besides.
    pub fn read(
        on: &Board,
        board: Board,
        corrected: &Round,
        corrected_context: &Context,
        trust: &TrustFile,
    ) -> Result<Self, LedgerError> {
        let file = board.round();
        let received = Round::read(&file, trust, corrected_context.policy)?;
        let (round, context) = (received.body, received.context);
        let refused = |fault| WireError::refused(&file, &PartyName::registrar(), fault);
        if on.correction(&context.round) != board {
            let detail = "this round lies in the folder of another";
            return Err(refused(Fault::Content { detail }).into());
        }
        let Some(correction) = &round.corrects else {
            let detail = "this round does not correct another";
            return Err(refused(Fault::Content { detail }).into());
        };
        if correction.round != corrected_context.round {
            let (expected, found) = (Digest(corrected_context.round.0), Digest(correction.round.0));
            let fault = Fault::Reference { what: "round to correct", expected, found };
            return Err(refused(fault).into());
        }
        if correction.slots.iter().any(|slot| *slot >= corrected.slots) {
            let detail = "it corrects a slot that the other round does not have";
            return Err(refused(Fault::Content { detail }).into());
        }
        let slots = correction.slots.clone();
        // The corrected tier goes to the family of the slot, and to nobody else.
        let keys = LetterKeys::read(&board.letter_keys(), &round, &context, trust)?.keys;
        let own = LetterKeys::read(&on.letter_keys(), corrected, corrected_context, trust)?.keys;
        if !keys.iter().eq(slots.iter().filter_map(|slot| own.get(*slot as usize))) {
            let detail = "a slot has another letter key than the slot that it corrects";
            let (file, registrar) = (board.letter_keys(), PartyName::registrar());
            return Err(WireError::refused(&file, &registrar, Fault::Content { detail }).into());
        }
        let ledger = Ledger::read(&board.ledger(), &round, &context, trust)?;
        Ok(Self { board, round, context, ledger, slots })
    }

    /// What the corrected round's ledger has to say about it, once it is opened.
    pub fn event(&self) -> Result<Event, LedgerError> {
        let (round, slots) = (self.context.round, self.slots.clone());
        Ok(Event::Corrected { round, slots, head: self.ledger.opening()? })
    }
}

/// The boards of rounds that correct the one on this board, recorded or not.
pub fn correcting_boards(board: &Board) -> Result<Vec<Board>, WireError> {
    let below = storage::list(&board.corrections())?;
    let mut folders: Vec<&str> =
        below.iter().filter_map(|(name, _)| Some(name.split_once('/')?.0)).collect();
    folders.dedup();
    let of = |folder: &str| Board::new(board.corrections().join(folder));
    Ok(folders.into_iter().map(of).collect())
}
