//! Torus words as bytes: 64-bit or, where noise is squashed, 128-bit little-endian, nothing else. The receiver knows how
//! many to expect.

use blindtier_engine::EngineError;

/// Words → bytes.
pub fn to_bytes(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Bytes → exactly `expected` words.
pub fn from_bytes(
    what: &'static str,
    bytes: &[u8],
    expected: usize,
) -> Result<Vec<u64>, EngineError> {
    check_length(what, bytes, expected.saturating_mul(8))?;
    Ok(bytes.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word)).collect())
}

/// Wide words → bytes, without leaving copies behind: the words may be a share of the key.
pub fn wide_bytes(words: &[u128]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(words.len().saturating_mul(16));
    for word in words {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    bytes
}

/// Bytes → wide words. Bytes after the last whole word are ignored: lengths are checked before.
pub fn wide_words(bytes: &[u8]) -> impl Iterator<Item = u128> {
    bytes.as_chunks::<16>().0.iter().map(|word| u128::from_le_bytes(*word))
}

/// Refuses any other length than the expected one.
pub fn check_length(what: &'static str, bytes: &[u8], expected: usize) -> Result<(), EngineError> {
    if bytes.len() == expected {
        return Ok(());
    }
    Err(EngineError::Malformed {
        what,
        detail: format!("expected {expected} bytes, found {}", bytes.len()),
    })
}
