//! The one way bodies become bytes: bincode, fixed-width little-endian integers, a limit, no trailing bytes.

use bincode::Options;
use serde::Serialize;
use serde::de::DeserializeOwned;

fn options(limit: u64) -> impl Options {
    bincode::DefaultOptions::new()
        .with_fixint_encoding()
        .with_little_endian()
        .with_limit(limit)
        .reject_trailing_bytes()
}

/// Bytes that `value` takes.
pub(crate) fn size<T: Serialize>(value: &T, limit: u64) -> Result<u64, bincode::Error> {
    options(limit).serialized_size(value)
}

/// Appends `value` to `out`.
pub(crate) fn append<T: Serialize>(
    out: &mut Vec<u8>,
    value: &T,
    limit: u64,
) -> Result<(), bincode::Error> {
    options(limit).serialize_into(out, value)
}

/// Decodes exactly `bytes`.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8], limit: u64) -> Result<T, bincode::Error> {
    options(limit).deserialize(bytes)
}

/// Decodes what stands at the beginning of `bytes`; what follows is not looked at.
pub(crate) fn decode_start<T: DeserializeOwned>(
    bytes: &[u8],
    limit: u64,
) -> Result<T, bincode::Error> {
    options(limit).allow_trailing_bytes().deserialize(bytes)
}

/// The error of a body that ends before what it announces.
pub(crate) fn cut_short() -> bincode::Error {
    Box::new(bincode::ErrorKind::Io(std::io::ErrorKind::UnexpectedEof.into()))
}

/// The error of a body that goes on after its end, in the decoder's words.
pub(crate) fn goes_on() -> bincode::Error {
    let words = "Slice had bytes remaining after deserialization";
    Box::new(bincode::ErrorKind::Custom(words.to_owned()))
}
