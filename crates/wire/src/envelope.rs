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
pub(crate) const SIGNATURE: usize = 64;
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

impl Context {
    /// What the ciphertexts of a submitter for `count` slots from `start` on are bound to: a proof of encryption that was
    /// made for another round, policy, plan, sender or slots does not hold. The round's name covers the plan.
    pub fn binding(&self, sender: &PartyName, start: u32, count: u32) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key("blindtier submission chunk v1");
        hasher.update(&self.round.0);
        hasher.update(&self.policy.0);
        hasher.update(&start.to_le_bytes());
        hasher.update(&count.to_le_bytes());
        hasher.update(sender.as_str().as_bytes());
        hasher.finalize().into()
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Header {
    pub context: Context,
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

/// The largest file of a kind, in bytes.
pub(crate) fn file_limit(kind: Kind) -> u64 {
    Head::MOST + kind.limit() + SIGNATURE as u64
}

pub(crate) fn read_as<T: DeserializeOwned>(
    kind: Kind,
    path: &Path,
    expect: &Expect<'_>,
    trust: &TrustFile,
) -> Result<Received<T>, WireError> {
    let limit = file_limit(kind);
    if kind.is_secret() {
        storage::on_this_machine(path)?;
    }
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
    let form = |reason| Fault::Form { part: "body", reason };
    let body_size = codec::size(body, kind.limit()).map_err(form)?;
    let mut bytes = beginning(kind, body_size, context, identity)?;
    // Reserved at once: growing would leave copies of a secret body behind.
    let total = body_size + SIGNATURE as u64;
    bytes.reserve_exact(usize::try_from(total).unwrap_or(0));
    codec::append(&mut bytes, body, kind.limit()).map_err(form)?;
    let signature = identity.sign(&signed_text(kind, blake3::hash(&bytes)));
    bytes.extend_from_slice(&signature);
    Ok(bytes)
}

/// The bytes of a signed file before its body.
pub(crate) fn beginning(
    kind: Kind,
    body_size: u64,
    context: &Context,
    identity: &SigningIdentity,
) -> Result<Vec<u8>, Fault> {
    let form = |reason| Fault::Form { part: "header", reason };
    let header = Header { context: context.clone(), sender: identity.name().clone() };
    let header_size = codec::size(&header, MAX_HEADER).map_err(form)?;
    let mut bytes = Vec::new();
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&kind.number().to_le_bytes());
    bytes.extend_from_slice(&u32::try_from(header_size).unwrap_or(u32::MAX).to_le_bytes());
    codec::append(&mut bytes, &header, MAX_HEADER).map_err(form)?;
    bytes.extend_from_slice(&body_size.to_le_bytes());
    Ok(bytes)
}

/// The beginning of a file up to its body, before anything in it is believed.
pub(crate) struct Head<'a> {
    pub kind: Kind,
    header: &'a [u8],
    /// Bytes of the body.
    pub body: u64,
}

impl<'a> Head<'a> {
    /// The most bytes that stand before a body.
    pub const MOST: u64 = FIXED + MAX_HEADER;

    /// Takes the beginning of a file that has to be of a kind, or may be of any.
    pub fn take(rest: &mut &'a [u8], expected: Option<Kind>) -> Result<Self, Fault> {
        if take(rest, MAGIC.len() as u64)? != MAGIC {
            return Err(Fault::Magic);
        }
        let found = u16::from_le_bytes(take_array(rest)?);
        if found != VERSION {
            return Err(Fault::Version { expected: VERSION, found });
        }
        let found = Kind::from_number(u16::from_le_bytes(take_array(rest)?));
        let kind = match (expected, found) {
            (Some(expected), found) if found != Some(expected) => {
                return Err(Fault::Kind { expected, found });
            }
            (_, Some(found)) => found,
            (_, None) => return Err(Fault::Magic),
        };
        let size = u64::from(u32::from_le_bytes(take_array(rest)?));
        if size > MAX_HEADER {
            return Err(Fault::TooLarge { size, limit: MAX_HEADER });
        }
        let header = take(rest, size)?;
        let body = u64::from_le_bytes(take_array(rest)?);
        if body > kind.limit() {
            return Err(Fault::TooLarge { size: body, limit: kind.limit() });
        }
        Ok(Self { kind, header, body })
    }

    pub fn header(&self) -> Result<Header, Fault> {
        codec::decode(self.header, MAX_HEADER)
            .map_err(|reason| Fault::Form { part: "header", reason })
    }

    /// The header, if it names the sender that is expected.
    pub fn header_from(&self, expected: &PartyName) -> Result<Header, Fault> {
        let header = self.header()?;
        if header.sender != *expected {
            return Err(Fault::Sender { expected: expected.clone(), found: header.sender });
        }
        Ok(header)
    }
}

/// A file taken apart, before anything in it is believed.
struct Parts<'a> {
    head: Head<'a>,
    body: &'a [u8],
    covered: &'a [u8],
    signature: [u8; SIGNATURE],
}

impl<'a> Parts<'a> {
    /// Takes a file apart that has to be of a kind, or may be of any.
    fn of(bytes: &'a [u8], expected: Option<Kind>) -> Result<Self, Fault> {
        let mut rest = bytes;
        let head = Head::take(&mut rest, expected)?;
        let body = take(&mut rest, head.body)?;
        let covered = bytes.get(..bytes.len() - rest.len()).unwrap_or_default();
        let signature = take_array(&mut rest)?;
        if !rest.is_empty() {
            return Err(Fault::TrailingBytes { extra: rest.len() as u64 });
        }
        Ok(Self { head, body, covered, signature })
    }

    fn body<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        codec::decode(self.body, self.head.kind.limit())
            .map_err(|reason| Fault::Form { part: "body", reason })
    }

    fn check_signature(&self, sender: &PartyName, trust: &TrustFile) -> Result<(), Fault> {
        let covered = blake3::hash(self.covered);
        check_signature(self.head.kind, &covered, &self.signature, sender, trust)
    }
}

/// Believes a file whose bytes before the signature have the hash `covered` to be signed by `sender`, or not.
pub(crate) fn check_signature(
    kind: Kind,
    covered: &blake3::Hash,
    signature: &[u8; SIGNATURE],
    sender: &PartyName,
    trust: &TrustFile,
) -> Result<(), Fault> {
    if trust.verify(sender, &signed_text(kind, *covered), signature) {
        return Ok(());
    }
    Err(Fault::Signature { sender: sender.clone() })
}

/// Decodes a file against what is expected. What the signature does not need is checked after it, so that
/// an error such as "another round" is the sender's own statement.
fn open<T: DeserializeOwned>(
    kind: Kind,
    bytes: &[u8],
    expect: &Expect<'_>,
    trust: &TrustFile,
) -> Result<(Context, T), Fault> {
    let parts = Parts::of(bytes, Some(kind))?;
    let header = parts.head.header_from(expect.sender)?;
    parts.check_signature(expect.sender, trust)?;
    if let Some(context) = expect.context {
        check_context(context, &header.context)?;
    }
    Ok((header.context, parts.body()?))
}

/// A file of which nothing was expected but that its sender signed it.
pub struct Signed {
    /// What it is.
    pub kind: Kind,
    /// The round it says it belongs to.
    pub context: Context,
    /// Who signed it.
    pub sender: PartyName,
    /// Hash of the whole file.
    pub digest: Digest,
    body: Vec<u8>,
}

impl Signed {
    /// Reads a file of any public kind, of any party whose key is pinned.
    pub fn open(bytes: &[u8], trust: &TrustFile) -> Result<Self, Fault> {
        let parts = Parts::of(bytes, None)?;
        let kind = parts.head.kind;
        if kind.is_secret() {
            return Err(Fault::Content { detail: "a file of this kind is its owner's secret" });
        }
        let Header { context, sender } = parts.head.header()?;
        parts.check_signature(&sender, trust)?;
        Ok(Self { kind, context, sender, digest: Digest::of(bytes), body: parts.body.to_vec() })
    }

    /// Its body, if it is of this kind.
    pub fn body<M: Message>(&self) -> Result<M, Fault> {
        if self.kind != M::KIND {
            return Err(Fault::Kind { expected: M::KIND, found: Some(self.kind) });
        }
        let body: M = codec::decode(&self.body, M::KIND.limit())
            .map_err(|reason| Fault::Form { part: "body", reason })?;
        body.check()?;
        Ok(body)
    }
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

/// What is signed of a file, from the hash of everything before the signature.
pub(crate) fn signed_text(kind: Kind, covered: blake3::Hash) -> Vec<u8> {
    let mut text = format!("blindtier/v{VERSION}/{kind}\0").into_bytes();
    text.extend_from_slice(covered.as_bytes());
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
