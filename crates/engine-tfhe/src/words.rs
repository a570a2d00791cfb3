//! Torus words as bytes: 64-bit little-endian, nothing else. The receiver knows how many to expect.

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
    let (words, rest) = bytes.as_chunks::<8>();
    if words.len() != expected || !rest.is_empty() {
        return Err(EngineError::Malformed {
            what,
            detail: format!("expected {} bytes, found {}", expected.saturating_mul(8), bytes.len()),
        });
    }
    Ok(words.iter().map(|word| u64::from_le_bytes(*word)).collect())
}
