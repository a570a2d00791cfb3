//! What else a trustee puts into the ledger.

use crate::desk::{Desk, Session};
use crate::error::TrusteeError;
use blindtier_ledger::{Entry, Event};
use blindtier_wire::{
    Digest, Expect, PartyName, Purpose, Receipt, Seed, StateSeeds, Statement, WireError,
    check_randomness, file_names, read, seal, storage, write,
};

/// States that this trustee does not open, and why, for the others to sign an entry about it.
pub fn refuse(
    desk: &Desk<'_>,
    culprit: Option<PartyName>,
    reason: &str,
) -> Result<(), TrusteeError> {
    let session = Session::new(desk)?;
    state(&session, &Statement::Refusal { culprit, reason: reason.to_owned() })
}

/// Destroys this trustee's shares and everything else of the round that opens something, and states it.
pub fn destroy(desk: &Desk<'_>) -> Result<(), TrusteeError> {
    let session = Session::new(desk)?;
    let hidden = desk.private.join(format!("opening-{}", session.context.round));
    for name in [file_names::SHARES, "made-shares.bt", file_names::RECEIVING_KEY] {
        storage::destroy(&desk.private.join(name))?;
    }
    storage::remove_folder(&hidden)?;
    state(&session, &Statement::Destroyed)
}

fn state(session: &Session<'_>, statement: &Statement) -> Result<(), TrusteeError> {
    let (board, identity) = (session.desk.board, session.desk.identity);
    let path = board.statements(session.name()).join(statement_file(statement));
    write(&path, statement, &session.context, identity)?;
    Ok(())
}

fn statement_file(statement: &Statement) -> &'static str {
    let [refusal, destroyed] = file_names::STATEMENTS;
    match statement {
        Statement::Refusal { .. } => refusal,
        Statement::Destroyed => destroyed,
    }
}

/// Signs an entry about a statement on the board that the ledger has no entry about: the one that others have begun to sign,
/// or the first. `None` if there is none. A statement that cannot be read stands in nobody's way: it is reported only when
/// there is nothing else to sign.
pub fn witness(desk: &Desk<'_>) -> Result<Option<Entry>, TrusteeError> {
    let session = Session::new(desk)?;
    let (mut events, mut unreadable) = (Vec::new(), None);
    for trustee in session.round.sharing.names() {
        for file in file_names::STATEMENTS {
            let path = desk.board.statements(&trustee).join(file);
            if !storage::exists(&path)? {
                continue;
            }
            let expect = Expect::of(&trustee, &session.context);
            match read::<Statement>(&path, &expect, desk.trust).map(|read| read.body) {
                Ok(Statement::Destroyed) => events.push(Event::Destroyed(trustee.clone())),
                Ok(Statement::Refusal { culprit, reason }) => {
                    events.push(Event::Refused { trustee: trustee.clone(), culprit, reason });
                }
                Err(error) => unreadable = Some(error),
            }
        }
    }
    events.retain(|event| session.ledger.events().all(|recorded| recorded != event));
    let begun = session.ledger.pending().map(|pending| &pending.entry.event);
    let place = events.iter().position(|event| Some(event) == begun).unwrap_or_default();
    match (events.into_iter().nth(place), unreadable) {
        (Some(event), _) => Ok(Some(session.endorse(event)?)),
        (None, Some(error)) => Err(error.into()),
        (None, None) => Ok(None),
    }
}

/// A request of the state to see one tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateRequest {
    /// Whose.
    pub slot: u32,
    /// Why; it stands in the ledger and in the family's letter.
    pub reason: String,
    /// The state's X25519 key.
    pub key: [u8; 32],
}

/// Opens one slot's tier to the state: first signs the ledger's entry about it, and once a majority has signed, seals this
/// trustee's seeds for the slot to the state's key, into `output`. Returns whether the seeds were sealed.
pub fn open_to_state(
    desk: &Desk<'_>,
    request: &StateRequest,
    output: &std::path::Path,
) -> Result<bool, TrusteeError> {
    let session = Session::new(desk)?;
    let StateRequest { slot, reason, key } = request.clone();
    if session.ledger.state_opening(slot) != Some((reason.as_str(), &key)) {
        session.endorse(Event::StateOpening { slot, reason, key })?;
        return Ok(false);
    }
    let shares = session.shares()?;
    let (path, round, context) = (desk.board.receipt(), &session.round, &session.context);
    let receipt = Receipt::read(&path, round, context, desk.trust)?;
    let (opened, _) = session.ledger.committed()?;
    let evaluator = PartyName::evaluator();
    blindtier_wire::same("receipt", receipt.digest, opened, &path, &evaluator)?;
    let results = receipt.body.chunks(&path, round, context, desk.trust)?;
    let digest = Digest::of(&results.read(slot / round.chunk.max(1))?.bytes);
    let seeds: Vec<Seed> = shares.shares.iter().map(|share| share.seed(&digest, slot)).collect();
    let mut plain = zeroize::Zeroizing::new(Vec::with_capacity(32 * seeds.len()));
    seeds.iter().for_each(|seed| plain.extend_from_slice(&seed.0));
    check_randomness()?;
    let file = output.join(StateSeeds::file_name(slot, session.name()));
    let purpose = Purpose::State { slot, from: session.name() };
    let sealed = seal(&key, purpose, context, &plain).ok_or_else(|| {
        let fault =
            blindtier_wire::Fault::Content { detail: "nothing can be sealed to the state's key" };
        WireError::refused(&file, session.name(), fault)
    })?;
    write(&file, &StateSeeds { slot, sealed }, context, desk.identity)?;
    Ok(true)
}
