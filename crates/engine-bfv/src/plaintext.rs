//! Messages modulo the plaintext modulus t in and out of residues modulo Q.

use crate::parameters::PLAINTEXT;
use crate::program::balanced;
use crate::ring::Basis;
use crate::ring::conversion::{Conversion, Factors};
use crate::ring::prime::Prime;
use crate::slots::Slots;
use blindtier_engine::EngineError;
use zeroize::Zeroizing;

/// Q modulo a prime.
pub fn product(primes: &[Prime], modulus: Prime) -> u64 {
    primes.iter().fold(1, |product, p| modulus.multiply(product, p.value() % modulus.value()))
}

/// round(Q·m/t) modulo a prime, for m in −t/2..t/2: (Q·m − r)/t with the centred r = Q·m mod t.
pub fn scaled_plaintext(primes: &[Prime], prime: Prime, message: i64) -> u64 {
    let field = Prime::new(PLAINTEXT);
    let rest = field.multiply(product(primes, field), field.residue(message));
    let rest = balanced(i64::try_from(rest).unwrap_or_default());
    let whole = prime.multiply(product(primes, prime), prime.residue(message));
    let difference = (whole + prime.residue(-rest)) % prime.value();
    prime.multiply(difference, prime.invert(PLAINTEXT % prime.value()))
}

/// Adds round(Q·m/t) for a polynomial m (private) below t: modulo a prime of Q that is −r/t with the centred
/// r = Q·m mod t.
pub fn add_plaintext(basis: &Basis, to: &mut [u64], message: &[u64]) {
    let field = Prime::new(PLAINTEXT);
    let modulus = product(basis.primes(), field);
    let rest = |m: &u64| balanced(field.multiply(modulus, *m).cast_signed());
    let rests: Zeroizing<Vec<i64>> = Zeroizing::new(message.iter().map(rest).collect());
    let residues = Zeroizing::new(basis.small(&rests));
    for ((prime, run), (_, residues)) in basis.runs_mut(to).zip(basis.runs(&residues)) {
        let minus = prime.negate(prime.invert(PLAINTEXT % prime.value()));
        prime.add_scaled(run, residues, prime.constant(minus));
    }
}

/// The slots of a degree, which every plan has.
pub fn slots(degree: usize) -> Result<Slots, EngineError> {
    Slots::new(degree)
        .ok_or_else(|| crate::lower::unsupported(format!("degree {degree} has no slots")))
}

/// Reads a message off round(Q·m/t) plus noise below Q/(2t).
pub struct Decoder {
    slots: Slots,
    round: Conversion,
}

impl Decoder {
    /// For polynomials over this basis.
    pub fn new(basis: &Basis) -> Result<Self, EngineError> {
        // m = (t·x − centred(t·x mod Q)) / Q, of which the first term is 0 modulo t.
        let factor = |p: Prime| PLAINTEXT % p.value();
        let scale = |p: Prime| p.negate(p.invert(product(basis.primes(), p)));
        let factors = Factors { factor: &factor, scale: &scale, own: None };
        let target = [Prime::new(PLAINTEXT)];
        let round = Conversion::new(basis.primes(), &target, basis.degree(), &factors);
        Ok(Self { slots: slots(basis.degree())?, round })
    }

    /// All slots (private) of a phase (private).
    pub fn slots(&self, phase: &[u64]) -> Zeroizing<Vec<u64>> {
        self.slots.decode(self.coefficients(phase))
    }

    /// All coefficients (private) of the message of a phase (private).
    pub fn coefficients(&self, phase: &[u64]) -> Zeroizing<Vec<u64>> {
        let mut message = Zeroizing::new(vec![0; self.slots.degree()]);
        self.round.convert(phase, &mut message);
        message
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::primes_below;

    #[test]
    fn the_two_ways_to_scale_a_message_agree() {
        let basis = Basis::new(16, &primes_below(44, 32, 3, &[])).unwrap();
        for m in [0, 1, 2, 32_768, -32_768, -1] {
            for prime in basis.primes() {
                let scaled = scaled_plaintext(basis.primes(), *prime, m);
                // t·round(Q·m/t) = Q·m − r, and Q is 0 modulo its primes.
                let field = Prime::new(PLAINTEXT);
                let modulus = product(basis.primes(), field);
                let r = field.multiply(modulus, field.residue(m));
                let r = if r > PLAINTEXT / 2 { r.cast_signed() - 65_537 } else { r.cast_signed() };
                assert_eq!(prime.multiply(scaled, PLAINTEXT), prime.residue(-r));
            }
        }
    }
}
