//! The signed envelope around every file.
//!
//! ```text
//! magic 10 bytes | version u16 | kind u16 | header length u32 | header | body length u64 | body | signature 64
//! ```
//!
//! Integers are little-endian. The signature covers the domain separator `blindtier/v1/<kind>`, a zero byte
//! and the BLAKE3 hash of everything before the signature, so that a large file is hashed once.

use crate::codec;
use crate::error::{Fault, WireError};
use crate::identity::{SigningIdentity, TrustFile};
use crate::kind::Kind;
use crate::names::{Digest, PartyName, RoundId};
use crate::storage;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::Path;
use zeroize::Zeroize;

const MAGIC: &[u8; 10] = b"blindtier\0";
const VERSION: u16 = 1;
const MAX_HEADER: u64 = 4096;
const SIGNATURE: usize = 64;
/// Magic, version, kind and the two lengths.
const FIXED: u64 = 10 + 2 + 2 + 4 + 8;

/// The engine of a round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Engine {
    /// `clear`, `tfhe`, `bfv`.
    pub name: String,
    /// Parameter set and library version.
    pub parameters: String,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} ({:?})", self.name, self.parameters)
    }
}

/// What all files of one round have in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// The round.
    pub round: RoundId,
    /// Hash of its policy.
    pub policy: Digest,
    /// Its engine.
    pub engine: Engine,
}

#[derive(Serialize, Deserialize)]
struct Header {
    context: Context,
    sender: PartyName,
}

/// What a receiver expects of a file besides its kind.
#[derive(Clone, Debug)]
pub struct Expect<'a> {
    /// Who has to have sent it.
    pub sender: &'a PartyName,
    /// The round it has to belong to; `None` only for the round file itself, which says so.
    pub context: Option<&'a Context>,
}

impl<'a> Expect<'a> {
    /// A file of `sender` that belongs to the round of `context`.
    pub fn of(sender: &'a PartyName, context: &'a Context) -> Self {
        Self { sender, context: Some(context) }
    }
}

/// A body with a kind of its own.
pub trait Message: Serialize + DeserializeOwned {
    /// The kind of file.
    const KIND: Kind;

    /// Checks that the body does not contradict itself.
    fn check(&self) -> Result<(), Fault> {
        Ok(())
    }
}

/// A file that was accepted.
pub struct Received<M> {
    /// The round it belongs to.
    pub context: Context,
    /// Its body.
    pub body: M,
    /// Hash of the whole file.
    pub digest: Digest,
}

/// Signs a message and writes it; the hash of the file comes back. Secret kinds get mode 0600.
pub fn write<M: Message>(
    path: &Path,
    body: &M,
    context: &Context,
    identity: &SigningIdentity,
) -> Result<Digest, WireError> {
    body.check().map_err(|fault| WireError::unwritable(path, M::KIND, fault))?;
    write_as(M::KIND, path, body, context, identity)
}

/// Reads a message and accepts it only if it is what the receiver expects, signed by the pinned key.
pub fn read<M: Message>(
    path: &Path,
    expect: &Expect<'_>,
    trust: &TrustFile,
) -> Result<Received<M>, WireError> {
    let received = read_as::<M>(M::KIND, path, expect, trust)?;
    received.body.check().map_err(|fault| WireError::refused(path, expect.sender, fault))?;
    Ok(received)
}

pub(crate) fn write_as<T: Serialize>(
    kind: Kind,
    path: &Path,
    body: &T,
    context: &Context,
    identity: &SigningIdentity,
) -> Result<Digest, WireError> {
    let mut bytes = seal(kind, body, context, identity)
        .map_err(|fault| WireError::unwritable(path, kind, fault))?;
    let digest = Digest::of(&bytes);
    let written = if kind.is_secret() {
        storage::write_secret(path, &bytes)
    } else {
        storage::write_public(path, &bytes)
    };
    if kind.is_secret() {
        bytes.zeroize();
    }
    written.map(|()| digest)
}

pub(crate) fn read_as<T: DeserializeOwned>(
    kind: Kind,
    path: &Path,
    expect: &Expect<'_>,
    trust: &TrustFile,
) -> Result<Received<T>, WireError> {
    let limit = kind.limit() + MAX_HEADER + FIXED + SIGNATURE as u64;
    let mut bytes = storage::read_from(path, expect.sender, limit)?;
    let opened = if trust.key(expect.sender).is_none() {
        Err(WireError::NotPinned { party: expect.sender.clone() })
    } else {
        open(kind, &bytes, expect, trust)
            .map_err(|fault| WireError::refused(path, expect.sender, fault))
    };
    let digest = Digest::of(&bytes);
    if kind.is_secret() {
        bytes.zeroize();
        if opened.is_ok() {
            storage::check_private(path)?;
        }
    }
    let (context, body) = opened?;
    Ok(Received { context, body, digest })
}

/// The bytes of a signed file.
fn seal<T: Serialize>(
    kind: Kind,
    body: &T,
    context: &Context,
    identity: &SigningIdentity,
) -> Result<Vec<u8>, Fault> {
    let form = |part| move |reason| Fault::Form { part, reason };
    let header = Header { context: context.clone(), sender: identity.name().clone() };
    let header_size = codec::size(&header, MAX_HEADER).map_err(form("header"))?;
    let body_size = codec::size(body, kind.limit()).map_err(form("body"))?;
    let total = FIXED + header_size + body_size + SIGNATURE as u64;
    // Reserved at once: growing would leave copies of a secret body behind.
    let mut bytes = Vec::with_capacity(usize::try_from(total).unwrap_or(0));
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&kind.number().to_le_bytes());
    bytes.extend_from_slice(&u32::try_from(header_size).unwrap_or(u32::MAX).to_le_bytes());
    codec::append(&mut bytes, &header, MAX_HEADER).map_err(form("header"))?;
    bytes.extend_from_slice(&body_size.to_le_bytes());
    codec::append(&mut bytes, body, kind.limit()).map_err(form("body"))?;
    let signature = identity.sign(&signed_text(kind, &bytes));
    bytes.extend_from_slice(&signature);
    Ok(bytes)
}

/// Decodes a file against what is expected. What the signature does not need is checked after it, so that
/// an error such as "another round" is the sender's own statement.
fn open<T: DeserializeOwned>(
    kind: Kind,
    bytes: &[u8],
    expect: &Expect<'_>,
    trust: &TrustFile,
) -> Result<(Context, T), Fault> {
    let mut rest = bytes;
    if take(&mut rest, MAGIC.len() as u64)? != MAGIC {
        return Err(Fault::Magic);
    }
    let found = u16::from_le_bytes(take_array(&mut rest)?);
    if found != VERSION {
        return Err(Fault::Version { expected: VERSION, found });
    }
    let found = Kind::from_number(u16::from_le_bytes(take_array(&mut rest)?));
    if found != Some(kind) {
        return Err(Fault::Kind { expected: kind, found });
    }
    let size = u64::from(u32::from_le_bytes(take_array(&mut rest)?));
    if size > MAX_HEADER {
        return Err(Fault::TooLarge { size, limit: MAX_HEADER });
    }
    let header = take(&mut rest, size)?;
    let size = u64::from_le_bytes(take_array(&mut rest)?);
    if size > kind.limit() {
        return Err(Fault::TooLarge { size, limit: kind.limit() });
    }
    let body = take(&mut rest, size)?;
    let covered = bytes.len() - rest.len();
    let signature: [u8; SIGNATURE] = take_array(&mut rest)?;
    if !rest.is_empty() {
        return Err(Fault::TrailingBytes { extra: rest.len() as u64 });
    }

    let header: Header = codec::decode(header, MAX_HEADER)
        .map_err(|reason| Fault::Form { part: "header", reason })?;
    if header.sender != *expect.sender {
        return Err(Fault::Sender { expected: expect.sender.clone(), found: header.sender });
    }
    let text = signed_text(kind, bytes.get(..covered).unwrap_or_default());
    if !trust.verify(expect.sender, &text, &signature) {
        return Err(Fault::Signature { sender: header.sender });
    }
    if let Some(context) = expect.context {
        check_context(context, &header.context)?;
    }
    let body =
        codec::decode(body, kind.limit()).map_err(|reason| Fault::Form { part: "body", reason })?;
    Ok((header.context, body))
}

pub(crate) fn check_context(expected: &Context, found: &Context) -> Result<(), Fault> {
    if expected.round != found.round {
        return Err(Fault::Round { expected: expected.round, found: found.round });
    }
    if expected.policy != found.policy {
        return Err(Fault::Policy { expected: expected.policy, found: found.policy });
    }
    if expected.engine != found.engine {
        return Err(Fault::Engine {
            expected: Box::new(expected.engine.clone()),
            found: Box::new(found.engine.clone()),
        });
    }
    Ok(())
}

fn signed_text(kind: Kind, covered: &[u8]) -> Vec<u8> {
    let mut text = format!("blindtier/v{VERSION}/{kind}\0").into_bytes();
    text.extend_from_slice(blake3::hash(covered).as_bytes());
    text
}

fn take<'a>(rest: &mut &'a [u8], count: u64) -> Result<&'a [u8], Fault> {
    let count = usize::try_from(count).map_err(|_| Fault::Truncated)?;
    let (head, tail) = rest.split_at_checked(count).ok_or(Fault::Truncated)?;
    *rest = tail;
    Ok(head)
}

fn take_array<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Fault> {
    take(rest, N as u64)?.try_into().map_err(|_| Fault::Truncated)
}
