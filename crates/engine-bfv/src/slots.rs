//! Slots: values modulo the plaintext modulus ↔ the polynomial that has them at the roots of X^N + 1.

use crate::parameters::PLAINTEXT;
use crate::ring::prime::Prime;
use tfhe_ntt::prime64::Plan;
use zeroize::Zeroizing;

/// The plaintext transform of a degree. Slot k stands for the root ψ^(2·k+1), where ψ = 3^(2^15/N).
pub struct Slots {
    plan: Plan,
    shrink: u64,
    /// Place of every slot in the library's own order.
    places: Vec<usize>,
}

impl Slots {
    /// For a power of two N ≤ 32,768; `None` for other degrees.
    pub fn new(degree: usize) -> Option<Self> {
        let field = Prime::new(PLAINTEXT);
        let plan = Plan::try_new(degree, PLAINTEXT)?;
        let size = u64::try_from(degree).ok()?;
        // 3 generates the multiplicative group modulo 65537. Which root the library puts where is read off the
        // transform of X, so that slots do not depend on the library's choices.
        let psi = field.power(3, (PLAINTEXT - 1).checked_div(2 * size)?);
        let mut roots = vec![0; degree];
        *roots.get_mut(1)? = 1;
        plan.fwd(&mut roots);
        let places_of: std::collections::HashMap<u64, usize> =
            roots.iter().enumerate().map(|(place, root)| (*root, place)).collect();
        let places = (0..size)
            .map(|k| places_of.get(&field.power(psi, 2 * k + 1)).copied())
            .collect::<Option<Vec<_>>>()?;
        Some(Self { plan, shrink: field.invert(size), places })
    }

    /// N.
    pub fn degree(&self) -> usize {
        self.places.len()
    }

    /// The polynomial with these values; slots beyond them get `rest`.
    pub fn encode(&self, values: &[i64], rest: i64) -> Vec<u64> {
        let field = Prime::new(PLAINTEXT);
        let mut polynomial = vec![field.residue(rest); self.places.len()];
        for (place, value) in self.places.iter().zip(values) {
            if let Some(cell) = polynomial.get_mut(*place) {
                *cell = field.residue(*value);
            }
        }
        self.plan.inv(&mut polynomial);
        field.scale(&mut polynomial, field.constant(self.shrink));
        polynomial
    }

    /// The slots (private) of a polynomial (private).
    pub fn decode(&self, mut polynomial: Zeroizing<Vec<u64>>) -> Zeroizing<Vec<u64>> {
        self.plan.fwd(&mut polynomial);
        let value = |place: &usize| polynomial.get(*place).copied().unwrap_or_default();
        Zeroizing::new(self.places.iter().map(value).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_values_at_fixed_roots() {
        let slots = Slots::new(16).unwrap();
        let values = [5, -1, 0, 7];
        let polynomial = slots.encode(&values, 9);
        let field = Prime::new(PLAINTEXT);
        let psi = field.power(3, 65_536 / 32);
        for (k, value) in (0u64..).zip(values.into_iter().chain([9; 12])) {
            let root = field.power(psi, 2 * k + 1);
            let at_root = polynomial
                .iter()
                .rev()
                .fold(0, |sum, c| (field.multiply(sum, root) + c) % PLAINTEXT);
            assert_eq!(at_root, field.residue(value), "slot {k}");
        }
        let decoded = slots.decode(Zeroizing::new(polynomial));
        assert_eq!(decoded[..4], [5, PLAINTEXT - 1, 0, 7]);
        assert!(Slots::new(65_536).is_none());
    }
}
