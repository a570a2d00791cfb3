//! Whatever a hostile party can sign: bodies that no honest one writes, and envelopes made by hand.

use super::case::Envelope;
use blindtier_wire::{Chunk, Digest, Kind, Message, SigningIdentity};
use ed25519_dalek::{Signer, SigningKey};
use serde::{Deserialize, Serialize};
use std::fs;

/// A message that is written and read whatever it says: the library writes none that contradicts itself.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub struct Unchecked<M>(pub M);

impl<M: Message> Message for Unchecked<M> {
    const KIND: Kind = M::KIND;
}

/// A chunk of a submission or of levels, which the library writes only with the slots of its place.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub struct AnyChunk<const LEVELS: bool>(pub Chunk);

impl<const LEVELS: bool> Message for AnyChunk<LEVELS> {
    const KIND: Kind = if LEVELS { Kind::LevelChunk } else { Kind::SubmissionChunk };
}

/// The secret key of a party, as it stands in its own file.
fn key_of(identity: &SigningIdentity) -> SigningKey {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    identity.write(&file).unwrap();
    let seed = fs::read_to_string(&file).unwrap();
    SigningKey::from_bytes(&Digest::from_hex(seed.lines().nth(2).unwrap()).unwrap().0)
}

fn kind_named(name: &str) -> Kind {
    (0..1000).filter_map(Kind::from_number).find(|kind| kind.name() == name).unwrap()
}

/// Cuts a piece off the front.
fn take<'a>(rest: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (piece, tail) = rest.split_at(count);
    *rest = tail;
    piece
}

/// Cuts a text or a list of bytes off the front, whose length stands before it.
fn take_text<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let length = u64::from_le_bytes(take(rest, 8).try_into().unwrap());
    take(rest, length.try_into().unwrap())
}

/// The name of the sender that a file states.
pub fn sender(file: &[u8]) -> String {
    // Behind magic, version, kind, length, round and policy.
    let mut rest = &file[18 + 64..];
    let [_engine, _parameters, sender] = [(); 3].map(|()| take_text(&mut rest));
    String::from_utf8(sender.to_vec()).unwrap()
}

/// Takes a file apart, changes it, and puts it together and signs it again. `round` is the name of the last round.
pub fn forge(
    file: &[u8],
    change: &Envelope,
    round: &[u8; 32],
    identity: &SigningIdentity,
) -> Vec<u8> {
    let mut rest = file;
    let magic = take(&mut rest, 10);
    let version = u16::from_le_bytes(take(&mut rest, 2).try_into().unwrap());
    let kind = u16::from_le_bytes(take(&mut rest, 2).try_into().unwrap());
    take(&mut rest, 4);
    let (own_round, policy) = (take(&mut rest, 32), take(&mut rest, 32));
    let [engine, parameters, sender] = [(); 3].map(|()| take_text(&mut rest));
    let mut body = take_text(&mut rest).to_vec();

    let mut header = if change.last_round { round.to_vec() } else { own_round.to_vec() };
    header.extend(change.policy.map_or(policy.to_vec(), |byte| vec![byte; 32]));
    for text in [
        change.engine.as_ref().map_or(engine, |engine| engine.as_bytes()),
        change.parameters.as_ref().map_or(parameters, |parameters| parameters.as_bytes()),
        change.sender.as_ref().map_or(sender, |sender| sender.bytes()),
    ] {
        header.extend((text.len() as u64).to_le_bytes());
        header.extend(text);
    }
    if let Some(count) = &change.body_count {
        body[count.at..count.at + 8].copy_from_slice(&count.is.to_le_bytes());
    }
    body.truncate(body.len() - change.body_cut);
    body.resize(body.len() + change.body_extra, 0);

    let kind = change.kind.as_ref().map_or(kind, |name| kind_named(name).number());
    let header_length = change.header_length.unwrap_or(header.len() as u32);
    let mut bytes = change.magic.as_ref().map_or(magic, |magic| magic.as_bytes()).to_vec();
    bytes.extend(change.version.unwrap_or(version).to_le_bytes());
    bytes.extend(kind.to_le_bytes());
    bytes.extend(header_length.to_le_bytes());
    bytes.extend(header);
    bytes.extend(change.body_length.unwrap_or(body.len() as u64).to_le_bytes());
    bytes.extend(body);

    let signed_as =
        change.signed_as.as_ref().map_or(Kind::from_number(kind).unwrap(), |name| kind_named(name));
    let mut text = format!("blindtier/v1/{signed_as}\0").into_bytes();
    text.extend(Digest::of(&bytes).0);
    bytes.extend(key_of(identity).sign(&text).to_bytes());
    bytes.truncate(bytes.len() - change.cut);
    bytes.resize(bytes.len() + change.extra, 0);
    bytes
}
