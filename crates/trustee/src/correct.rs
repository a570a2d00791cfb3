//! Recording that another round decided some slots anew.

use crate::desk::{Desk, Session};
use crate::error::TrusteeError;
use blindtier_ledger::{CorrectingRound, Event, correcting_boards};
use blindtier_wire::Board;

/// The board of the round to be recorded as a correction: the only one on the board that is not recorded yet, or the one
/// whose name begins like `name`.
pub fn correction(desk: &Desk<'_>, name: Option<&str>) -> Result<Board, TrusteeError> {
    let session = Session::new(desk)?;
    let recorded: Vec<Board> =
        session.ledger.corrections().map(|c| desk.board.correction(c.round)).collect();
    let id = |board: &Board| -> String {
        board.folder().file_name().unwrap_or_default().to_string_lossy().into_owned()
    };
    let mut boards = correcting_boards(desk.board)?;
    match name {
        None => boards.retain(|board| !recorded.contains(board)),
        // A whole name of a round is longer than that of its folder.
        Some(name) => boards.retain(|board| {
            let id = id(board);
            !name.is_empty() && (id.starts_with(name) || name.starts_with(&id))
        }),
    }
    match <[Board; 1]>::try_from(boards) {
        Ok([board]) => Ok(board),
        Err(boards) => {
            let found = match boards.as_slice() {
                [] => "there is none".to_owned(),
                boards => boards.iter().map(id).collect::<Vec<_>>().join(" or "),
            };
            Err(TrusteeError::WhichCorrection { folder: desk.board.corrections(), found })
        }
    }
}

/// Signs the entry that records the round on `board` as a correction of this one, once it is opened. Returns the entry's
/// event.
pub fn correct(desk: &Desk<'_>, board: Board) -> Result<Event, TrusteeError> {
    let session = Session::new(desk)?;
    let correcting =
        CorrectingRound::read(desk.board, board, &session.round, &session.context, desk.trust)?;
    let event = correcting.event()?;
    session.endorse(event.clone())?;
    Ok(event)
}
