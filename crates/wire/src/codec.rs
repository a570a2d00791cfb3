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
