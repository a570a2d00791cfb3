//! Making the key of a round: with a dealer, or by the trustees alone.
//!
//! Without a dealer the first holder of a share draws its key and seals it to the other holders. All messages of a share
//! follow from its key, so that the other holders recompute and compare them; and they are committed to before anybody
//! shows one, see [`blindtier_wire::ShareCommitments`]. The protocol is that of Mouchet, Troncoso-Pastoriza, Bossuat and
//! Hubaux (ePrint 2020/304), run over the shares.

use crate::desk::{Desk, Session};
use crate::error::TrusteeError;
use blindtier_engine::{Ceremony, EngineError};
use blindtier_ledger::{Event, endorsement_path};
use blindtier_wire::{
    CeremonyMessages, Digest, EvaluationKey, Expect, Fault, FirstsChecked, LetterKey, Message,
    OpeningKey, PartyName, PublicKey, Purpose, SealedShares, Share, ShareCommitment,
    ShareCommitments, Shares, TrusteeKey, WireError, check_randomness, file_names, read, storage,
    write,
};
use std::collections::BTreeMap;
use std::path::Path;
use zeroize::Zeroizing;

/// How far a key ceremony is for this trustee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyProgress {
    /// It needs something from others; call again when it is there.
    Waiting {
        /// What.
        what: &'static str,
        /// From whom.
        from: Vec<PartyName>,
    },
    /// The trustee has its shares, has checked the public keys and signed the ledger's first entry.
    Done,
}

/// Takes the next steps of a key ceremony, as far as the files on the board allow, and says what is missing.
///
/// `sealed` is the folder in which sealed shares travel, one folder a receiver; it is not part of the board. `ceremony` is
/// the engine's part, or `None` if the engine needs a dealer.
pub fn make_keys(
    desk: &Desk<'_>,
    sealed: &Path,
    ceremony: Option<&dyn Ceremony>,
) -> Result<KeyProgress, TrusteeError> {
    let session = Session::new(desk)?;
    if storage::exists(&endorsement_path(&desk.board.ledger(), 0, session.name()))? {
        if session.ledger.keys().is_ok() {
            session.shares()?;
        }
        return Ok(KeyProgress::Done);
    }
    let key = join(&session)?;
    let state = State { session: &session, sealed, key };
    let done = match ceremony {
        Some(ceremony) => state.together(ceremony),
        None => state.dealt(),
    };
    match done {
        Ok(()) => Ok(KeyProgress::Done),
        Err(Stop::Wait { what, from }) => Ok(KeyProgress::Waiting { what, from }),
        Err(Stop::Fail(error)) => Err(error),
    }
}

/// Makes the key that shares are sealed to, and publishes its public half.
fn join(session: &Session<'_>) -> Result<LetterKey, TrusteeError> {
    let file = session.desk.private.join(file_names::RECEIVING_KEY);
    if !file.exists() {
        LetterKey::write(&file, &[LetterKey::generate()?])?;
    }
    let key = LetterKey::read(&file)?
        .pop()
        .ok_or(WireError::SecretForm { file, what: "receiving key" })?;
    let public = session.desk.board.ceremony(session.name()).join(file_names::TRUSTEE_KEY);
    if !storage::exists(&public)? {
        let body = TrusteeKey { receiving: *key.public() };
        write(&public, &body, &session.context, session.desk.identity)?;
    }
    Ok(key)
}

/// Why a ceremony does not go on.
enum Stop {
    Wait { what: &'static str, from: Vec<PartyName> },
    Fail(TrusteeError),
}

impl<E: Into<TrusteeError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Fail(error.into())
    }
}

struct State<'s, 'a> {
    session: &'s Session<'a>,
    sealed: &'s Path,
    key: LetterKey,
}

/// Commitments of all makers, by share, with who made them.
type Commitments = BTreeMap<u32, (PartyName, ShareCommitment)>;

impl State<'_, '_> {
    /// With a dealer: open the sealed shares, compare them with the commitments, check that the keys belong together.
    fn dealt(&self) -> Result<(), Stop> {
        let round = &self.session.round;
        let commitments = self.commitments(&round.share_makers())?;
        let received = self.receive(&commitments)?;
        self.store(received)?;
        let keys = self.public_files(&round.key_maker)?;
        self.sign(&commitments, keys)
    }

    /// Without a dealer.
    fn together(&self, ceremony: &dyn Ceremony) -> Result<(), Stop> {
        let session = self.session;
        let common = session.context.round.0;
        let receivers = self.receivers()?;
        let own = self.own_shares()?;
        // Messages are computed anew where they are needed: they are large, and the shares must not lie next to them.
        let own_firsts = || -> Result<Vec<(u32, Vec<u8>)>, TrusteeError> {
            let first = |share: &Share| Ok((share.share, ceremony.first(&common, &share.key)?));
            own.shares.iter().map(first).collect::<Result<_, _>>().map_err(TrusteeError::Ceremony)
        };
        if !self.published(file_names::SHARE_COMMITMENTS)? && !own.shares.is_empty() {
            self.commit(&own, &own_firsts()?, &receivers)?;
        }
        let makers = session.round.share_makers();
        let commitments = self.commitments(&makers)?;
        self.remember(&commitments)?;
        if !self.published(step_file(1))? {
            self.publish(1, &own_firsts()?)?;
        }
        let mut held = self.receive(&commitments)?;
        held.extend(own.shares.into_iter().map(|share| (share.share, share)));

        let firsts = self.messages(1, &makers)?;
        let compared = self.published(file_names::FIRSTS_CHECKED)?;
        for (share, (maker, bytes)) in &firsts {
            let committed = commitments.get(share).and_then(|(_, c)| c.first);
            if committed != Some(Digest::of(bytes)) {
                return Err(self.lied(maker, 1, *share).into());
            }
            if let Some(own) = held.get(share).filter(|_| !compared)
                && ceremony.first(&common, &own.key).map_err(TrusteeError::Ceremony)? != **bytes
            {
                return Err(self.lied(maker, 1, *share).into());
            }
        }
        let all: Vec<&[u8]> = firsts.values().map(|(_, bytes)| bytes.as_slice()).collect();
        self.check_firsts(&all)?;
        let second = |share: &Share| ceremony.second(&common, &share.key, &all);
        if !self.published(step_file(2))? {
            let mine: Vec<(u32, Vec<u8>)> = session
                .round
                .shares_made_by(session.name())
                .iter()
                .filter_map(|share| held.get(share))
                .map(|share| Ok((share.share, second(share)?)))
                .collect::<Result<_, EngineError>>()
                .map_err(TrusteeError::Ceremony)?;
            self.publish(2, &mine)?;
        }

        let seconds = self.messages(2, &makers)?;
        for (share, (maker, bytes)) in &seconds {
            if let Some(own) = held.get(share)
                && second(own).map_err(TrusteeError::Ceremony)? != **bytes
            {
                return Err(self.lied(maker, 2, *share).into());
            }
        }
        self.store(held)?;
        let seconds: Vec<&[u8]> = seconds.values().map(|(_, bytes)| bytes.as_slice()).collect();
        let public = ceremony.public_key(&common, &all).map_err(TrusteeError::Ceremony)?;
        let evaluation =
            ceremony.evaluation_key(&common, &all, &seconds).map_err(TrusteeError::Ceremony)?;
        let maker = &session.round.key_maker;
        if maker == session.name() && !storage::exists(&session.desk.board.evaluation_key())? {
            let (context, identity) = (&session.context, session.desk.identity);
            let body = PublicKey { bytes: public.clone() };
            let public_key = write(&session.desk.board.public_key(), &body, context, identity)?;
            let body = EvaluationKey { public_key, bytes: evaluation.clone() };
            write(&session.desk.board.evaluation_key(), &body, context, identity)?;
        }
        let keys = self.public_files(maker)?;
        if keys.public_bytes != public || keys.evaluation_bytes != evaluation {
            let fault = Fault::Content {
                detail: "this is not the key that the ceremony's messages come to",
            };
            return Err(WireError::refused(&session.desk.board.public_key(), maker, fault).into());
        }
        self.sign(&commitments, keys)
    }

    /// The receiving keys of all trustees, by number.
    fn receivers(&self) -> Result<BTreeMap<u16, [u8; 32]>, Stop> {
        let session = self.session;
        let names: Vec<PartyName> = session.round.sharing.names().collect();
        let found = self.said_by_all("receiving keys", &names, |name| {
            self.said::<TrusteeKey>(name, file_names::TRUSTEE_KEY)
        })?;
        Ok(names
            .iter()
            .filter_map(PartyName::trustee_number)
            .zip(found.into_iter().map(|key| key.receiving))
            .collect())
    }

    /// The shares that this trustee makes: drawn once.
    fn own_shares(&self) -> Result<Shares, Stop> {
        let session = self.session;
        let file = session.desk.private.join("made-shares.bt");
        if !file.exists() {
            let mut made = Shares { shares: Vec::new() };
            for share in session.round.shares_made_by(session.name()) {
                let mut key = Zeroizing::new([0; 32]);
                getrandom::fill(key.as_mut_slice()).map_err(WireError::Random)?;
                made.shares.push(Share { share, key: *key, material: Vec::new() });
            }
            write(&file, &made, &session.context, session.desk.identity)?;
        }
        let expect = Expect::of(session.name(), &session.context);
        Ok(read::<Shares>(&file, &expect, session.desk.trust)?.body)
    }

    /// Seals the own shares to their other holders and commits to them.
    fn commit(
        &self,
        own: &Shares,
        firsts: &[(u32, Vec<u8>)],
        receivers: &BTreeMap<u16, [u8; 32]>,
    ) -> Result<(), Stop> {
        let session = self.session;
        let file = session.desk.board.ceremony(session.name()).join(file_names::SHARE_COMMITMENTS);
        check_randomness()?;
        for (number, key) in receivers {
            let (from, to) = (session.name(), PartyName::trustee(*number));
            let (sharing, context) = (session.round.sharing, &session.context);
            if to == *from {
                continue;
            }
            let path = SealedShares::path(self.sealed, from, &to);
            let body = SealedShares::seal(&own.shares, from, &to, key, sharing, context)
                .map_err(|fault| WireError::refused(&path, &to, fault))?;
            if !body.shares.is_empty() {
                write(&path, &body, context, session.desk.identity)?;
            }
        }
        let shares = own
            .shares
            .iter()
            .zip(firsts)
            .map(|(share, (_, first))| ShareCommitment {
                share: share.share,
                commitment: share.commitment(&session.context),
                first: Some(Digest::of(first)),
            })
            .collect();
        write(&file, &ShareCommitments { shares }, &session.context, session.desk.identity)?;
        Ok(())
    }

    /// A message that a party put on the board, if it is there.
    fn said<M: Message>(&self, party: &PartyName, file: &str) -> Result<Option<M>, WireError> {
        let session = self.session;
        let path = session.desk.board.ceremony(party).join(file);
        if !storage::exists(&path)? {
            return Ok(None);
        }
        let expect = Expect::of(party, &session.context);
        Ok(Some(read::<M>(&path, &expect, session.desk.trust)?.body))
    }

    fn said_by_all<T>(
        &self,
        what: &'static str,
        parties: &[PartyName],
        read: impl Fn(&PartyName) -> Result<Option<T>, WireError>,
    ) -> Result<Vec<T>, Stop> {
        let mut found = Vec::with_capacity(parties.len());
        let mut from = Vec::new();
        for party in parties {
            match read(party)? {
                Some(message) => found.push(message),
                None => from.push(party.clone()),
            }
        }
        if from.is_empty() { Ok(found) } else { Err(Stop::Wait { what, from }) }
    }

    /// Commitments to all shares, each from the one party that makes it.
    fn commitments(&self, makers: &[PartyName]) -> Result<Commitments, Stop> {
        let session = self.session;
        let found = self.said_by_all("commitments to shares", makers, |maker| {
            self.said::<ShareCommitments>(maker, file_names::SHARE_COMMITMENTS)
        })?;
        let mut all = Commitments::new();
        for (maker, body) in makers.iter().zip(found) {
            let expected = session.round.shares_made_by(maker);
            if !body.shares.iter().map(|c| &c.share).eq(&expected) {
                let file = session.desk.board.ceremony(maker).join(file_names::SHARE_COMMITMENTS);
                let fault =
                    Fault::Content { detail: "these are not the shares that this party makes" };
                return Err(WireError::refused(&file, maker, fault).into());
            }
            all.extend(body.shares.into_iter().map(|c| (c.share, (maker.clone(), c))));
        }
        Ok(all)
    }

    /// Keeps the commitments as they are before this trustee shows a first message, and refuses others afterwards: a
    /// maker that waits for the first messages could otherwise commit anew, to one that makes the sum a key of its own.
    fn remember(&self, commitments: &Commitments) -> Result<(), Stop> {
        let session = self.session;
        let record =
            session.desk.private.join(format!("commitments-{}.txt", session.context.round));
        let line = |c: &ShareCommitment| {
            let first = c.first.map(|digest| digest.to_string()).unwrap_or_default();
            format!("{} {} {first}\n", c.share, c.commitment)
        };
        let lines: String = commitments.values().map(|(_, c)| line(c)).collect();
        if storage::create_once(&record, lines.as_bytes())? {
            return Ok(());
        }
        let seen = storage::read_own(&record, 1 << 16)?.unwrap_or_default();
        let seen = String::from_utf8_lossy(&seen);
        for (maker, commitment) in commitments.values() {
            if !seen.contains(&line(commitment)) {
                let file = session.desk.board.ceremony(maker).join(file_names::SHARE_COMMITMENTS);
                let detail =
                    "this party commits to something else than before first messages were shown";
                return Err(WireError::refused(&file, maker, Fault::Content { detail }).into());
            }
        }
        Ok(())
    }

    /// Whether this trustee has said something already.
    fn published(&self, file: &str) -> Result<bool, WireError> {
        storage::exists(&self.session.desk.board.ceremony(self.session.name()).join(file))
    }

    fn publish(&self, step: u8, messages: &[(u32, Vec<u8>)]) -> Result<(), Stop> {
        let session = self.session;
        let file = session.desk.board.ceremony(session.name()).join(step_file(step));
        if messages.is_empty() {
            return Ok(());
        }
        let messages = messages
            .iter()
            .map(|(s, bytes)| (*s, serde_bytes::ByteBuf::from(bytes.clone())))
            .collect();
        let body = CeremonyMessages { step, messages };
        write(&file, &body, &session.context, session.desk.identity)?;
        Ok(())
    }

    /// Says that the first messages are as they should be, and waits until all trustees have said so about the same ones.
    /// What was said is remembered, so that no second message is ever made for other first messages of this round.
    fn check_firsts(&self, firsts: &[&[u8]]) -> Result<(), Stop> {
        let session = self.session;
        let mut hasher = blake3::Hasher::new_derive_key("blindtier first messages v1");
        for first in firsts {
            hasher.update(&Digest::of(first).0);
        }
        let firsts = Digest(*hasher.finalize().as_bytes());
        let record =
            session.desk.private.join(format!("first-messages-{}.txt", session.context.round));
        if !storage::create_once(&record, firsts.to_string().as_bytes())? {
            let seen = storage::read_own(&record, 4096)?.unwrap_or_default();
            if seen != firsts.to_string().as_bytes() {
                return Err(TrusteeError::OtherFirsts { record }.into());
            }
        }
        let own = session.desk.board.ceremony(session.name()).join(file_names::FIRSTS_CHECKED);
        if !self.published(file_names::FIRSTS_CHECKED)? {
            write(&own, &FirstsChecked { firsts }, &session.context, session.desk.identity)?;
        }
        let names: Vec<PartyName> = session.round.sharing.names().collect();
        let found = self.said_by_all("confirmations of the first messages", &names, |name| {
            self.said::<FirstsChecked>(name, file_names::FIRSTS_CHECKED)
        })?;
        for (name, said) in names.iter().zip(found) {
            let path = session.desk.board.ceremony(name).join(file_names::FIRSTS_CHECKED);
            blindtier_wire::same("set of first messages", firsts, said.firsts, &path, name)?;
        }
        Ok(())
    }

    /// All messages of a step, by share, with who made them.
    fn messages(
        &self,
        step: u8,
        makers: &[PartyName],
    ) -> Result<BTreeMap<u32, (PartyName, Vec<u8>)>, Stop> {
        let session = self.session;
        let found = self.said_by_all("messages of the key ceremony", makers, |maker| {
            self.said::<CeremonyMessages>(maker, step_file(step))
        })?;
        let mut all = BTreeMap::new();
        for (maker, body) in makers.iter().zip(found) {
            let expected = session.round.shares_made_by(maker);
            if body.step != step || !body.messages.iter().map(|(share, _)| *share).eq(expected) {
                return Err(self.lied(maker, step, 0).into());
            }
            all.extend(
                body.messages.into_iter().map(|(s, bytes)| (s, (maker.clone(), bytes.into_vec()))),
            );
        }
        Ok(all)
    }

    /// Opens the sealed shares of this trustee (private) and compares them with the commitments.
    fn receive(&self, commitments: &Commitments) -> Result<BTreeMap<u32, Share>, Stop> {
        let session = self.session;
        let expected = session.round.sharing.held_by(session.number);
        let mut makers: Vec<&PartyName> = expected
            .iter()
            .filter_map(|share| commitments.get(share))
            .map(|(maker, _)| maker)
            .filter(|maker| *maker != session.name())
            .collect();
        makers.sort();
        makers.dedup();
        let mut from = Vec::new();
        let mut held = BTreeMap::new();
        for maker in makers {
            let file = SealedShares::path(self.sealed, maker, session.name());
            if !storage::exists(&file)? {
                from.push(maker.clone());
                continue;
            }
            let refused = |fault| WireError::refused(&file, maker, fault);
            let expect = Expect::of(maker, &session.context);
            let body = read::<SealedShares>(&file, &expect, session.desk.trust)?.body;
            if body.to != *session.name() {
                let (expected, found) = (session.name().clone(), body.to);
                return Err(refused(Fault::Recipient { expected, found }).into());
            }
            let purpose = Purpose::Shares { from: maker, to: session.name() };
            for (number, sealed) in &body.shares {
                let wrong = || {
                    refused(Fault::Content {
                        detail: "a sealed share cannot be opened or is not the one that was committed to",
                    })
                };
                let plain = self.key.open(purpose, &session.context, sealed).ok_or_else(wrong)?;
                let share = Share::from_bytes(&plain).map_err(refused)?;
                let (committed_by, committed) = commitments.get(number).ok_or_else(wrong)?;
                let right = share.share == *number
                    && committed_by == maker
                    && committed.commitment == share.commitment(&session.context);
                if !right {
                    return Err(wrong().into());
                }
                held.insert(*number, share);
            }
        }
        if !from.is_empty() {
            return Err(Stop::Wait { what: "sealed shares", from });
        }
        let missing: Vec<PartyName> = expected
            .iter()
            .filter(|share| !held.contains_key(*share))
            .filter_map(|share| commitments.get(share))
            .map(|(maker, _)| maker.clone())
            .filter(|maker| maker != session.name())
            .collect();
        if let Some(maker) = missing.first() {
            let file = SealedShares::path(self.sealed, maker, session.name());
            let fault = Fault::Content { detail: "a share of this trustee is not in the file" };
            return Err(WireError::refused(&file, maker, fault).into());
        }
        held.retain(|share, _| expected.contains(share));
        Ok(held)
    }

    /// Keeps the shares. They are never replaced: what was encrypted for them could not be opened any more.
    fn store(&self, held: BTreeMap<u32, Share>) -> Result<(), Stop> {
        let session = self.session;
        if !session.shares_file().exists() {
            let shares = Shares { shares: held.into_values().collect() };
            write(&session.shares_file(), &shares, &session.context, session.desk.identity)?;
        }
        Ok(())
    }

    /// The public key files, which have to name each other.
    fn public_files(&self, maker: &PartyName) -> Result<PublicFiles, Stop> {
        let session = self.session;
        let board = session.desk.board;
        if !storage::exists(&board.public_key())? || !storage::exists(&board.evaluation_key())? {
            return Err(Stop::Wait { what: "public keys", from: vec![maker.clone()] });
        }
        let expect = Expect::of(maker, &session.context);
        let public = read::<PublicKey>(&board.public_key(), &expect, session.desk.trust)?;
        let same = |found, file: &Path| {
            blindtier_wire::same("public-key file", public.digest, found, file, maker)
        };
        let evaluation =
            read::<EvaluationKey>(&board.evaluation_key(), &expect, session.desk.trust)?;
        same(evaluation.body.public_key, &board.evaluation_key())?;
        let opening = if storage::exists(&board.opening_key())? {
            let key = read::<OpeningKey>(&board.opening_key(), &expect, session.desk.trust)?;
            same(key.body.public_key, &board.opening_key())?;
            Some(key.digest)
        } else {
            None
        };
        Ok(PublicFiles {
            public: public.digest,
            evaluation: evaluation.digest,
            opening,
            public_bytes: public.body.bytes,
            evaluation_bytes: evaluation.body.bytes,
        })
    }

    /// Signs the first entry of the ledger.
    fn sign(&self, commitments: &Commitments, keys: PublicFiles) -> Result<(), Stop> {
        let session = self.session;
        let event = Event::Keys {
            public_key: keys.public,
            evaluation_key: keys.evaluation,
            opening_key: keys.opening,
            shares: commitments.values().map(|(_, c)| c.commitment).collect(),
            letter_keys: session.round.letter_keys,
        };
        session.endorse(event)?;
        Ok(())
    }

    fn lied(&self, maker: &PartyName, step: u8, share: u32) -> TrusteeError {
        TrusteeError::Message {
            file: self.session.desk.board.ceremony(maker).join(step_file(step)),
            culprit: maker.clone(),
            share,
        }
    }
}

struct PublicFiles {
    public: Digest,
    evaluation: Digest,
    opening: Option<Digest>,
    public_bytes: Vec<u8>,
    evaluation_bytes: Vec<u8>,
}

fn step_file(step: u8) -> &'static str {
    let [first, second] = file_names::CEREMONY_STEPS;
    if step == 1 { first } else { second }
}
