//! Polynomials as bytes: residues in coefficient form, each prime's packed at its own width, nothing else. The
//! receiver knows how many to expect.

use crate::ring::Basis;
use blindtier_engine::EngineError;

/// Bits of a residue modulo `prime`.
fn width(prime: u64) -> usize {
    usize::try_from(u64::BITS - prime.leading_zeros()).unwrap_or(64)
}

/// Bytes of a polynomial over a basis.
pub fn polynomial_bytes(basis: &Basis) -> usize {
    basis.primes().iter().map(|p| (basis.degree() * width(p.value())).div_ceil(8)).sum()
}

/// Appends a polynomial.
pub fn append(bytes: &mut Vec<u8>, basis: &Basis, polynomial: &[u64]) {
    for (prime, run) in basis.runs(polynomial) {
        let width = width(prime.value());
        let (mut pending, mut held) = (0u128, 0usize);
        for word in run {
            pending |= u128::from(*word) << held;
            held += width;
            while held >= 32 {
                let [a, b, c, d, ..] = pending.to_le_bytes();
                bytes.extend_from_slice(&[a, b, c, d]);
                pending >>= 32;
                held -= 32;
            }
        }
        bytes.extend(pending.to_le_bytes().into_iter().take(held.div_ceil(8)));
    }
}

/// Reads exactly `count` polynomials and refuses everything else: another length, a residue that is not below its
/// prime, a padding bit that is not 0.
pub fn read(
    what: &'static str,
    basis: &Basis,
    count: usize,
    bytes: &[u8],
) -> Result<Vec<Vec<u64>>, EngineError> {
    let malformed = |detail: String| EngineError::Malformed { what, detail };
    let expected = polynomial_bytes(basis).saturating_mul(count);
    if bytes.len() != expected {
        return Err(malformed(format!(
            "expected {expected} bytes ({count} polynomials of degree {}), found {}",
            basis.degree(),
            bytes.len()
        )));
    }
    let mut rest = bytes;
    (0..count)
        .map(|_| {
            let mut polynomial = basis.zero();
            for (prime, run) in basis.runs_mut(&mut polynomial) {
                let width = width(prime.value());
                let length = (basis.degree() * width).div_ceil(8);
                let (own, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
                rest = after;
                unpack(own, width, run);
                if run.iter().any(|word| *word >= prime.value()) {
                    return Err(malformed(format!(
                        "a residue is not below its prime {}",
                        prime.value()
                    )));
                }
            }
            Ok(polynomial)
        })
        .collect()
}

fn unpack(bytes: &[u8], width: usize, run: &mut [u64]) {
    let mask = (1u128 << width) - 1;
    let (mut pending, mut held) = (0u128, 0usize);
    let (words, tail) = bytes.as_chunks::<4>();
    let mut words = words.iter().map(|w| u128::from(u32::from_le_bytes(*w)));
    let last = tail.iter().rev().fold(0u128, |last, byte| last << 8 | u128::from(*byte));
    for word in run {
        while held < width {
            pending |= words.next().unwrap_or(last) << held;
            held += 32;
        }
        *word = u64::try_from(pending & mask).unwrap_or_default();
        pending >>= width;
        held -= width;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::primes_below;

    #[test]
    fn polynomials_come_back_and_nothing_else_is_read() {
        for bits in [17, 36, 44, 45, 50] {
            let basis = Basis::new(16, &primes_below(bits, 32, 3, &[])).unwrap();
            let polynomial: Vec<u64> = basis
                .primes()
                .iter()
                .flat_map(|p| (0..16).map(|i| p.value() - 1 - i * i * i))
                .collect();
            let mut bytes = Vec::new();
            append(&mut bytes, &basis, &polynomial);
            append(&mut bytes, &basis, &basis.zero());
            assert_eq!(bytes.len(), 2 * polynomial_bytes(&basis));
            let read_back = read("x", &basis, 2, &bytes).unwrap();
            assert_eq!(read_back, [polynomial, basis.zero()]);
            assert!(read("x", &basis, 2, &bytes[1..]).is_err());
            assert!(read("x", &basis, 1, &bytes).is_err());
            bytes[..8].fill(0xff);
            let error = read("x", &basis, 2, &bytes).unwrap_err().to_string();
            assert!(error.contains("not below its prime"), "{error}");
        }
    }
}
