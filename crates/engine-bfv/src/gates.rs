//! Gates: columns that withhold a tier. A gate is 1 for a family that said no, or of which a value is not known that the
//! policy needs, else 0.
//!
//! What is opened for such a family is its tier and a random number, and that is never a tier
//! ([`Code::Withheld`](blindtier_policy::Code::Withheld)). Only the family sees it. It does not say which gate was 1: the
//! letters say so to the family, and who set the gate sealed its bit to it. And it hides the tier from the family: from
//! one tier to another a uniform number moves by at most 12, so their distributions differ by at most 12 over the size of
//! its range, 12/65,505 for a single gate without checks.
//!
//! *Without checks* a submitter is believed. It puts the random number into the column itself, and the evaluator adds all
//! gates up: no multiplication.
//!
//! *With checks* it is not, and in a column that is just added it could send 1 or −1 and so move tiers. So it sends the
//! bit b, and apart from it for every slot a private number r, the gate's *cover*; the evaluator adds b·(r + w) with a
//! public number w that was drawn when b and r were fixed. Whatever they are, unless b = 0 each number is opened for at
//! most one w: some tier or other in at most 13 of 32,737 cases with a single gate, and none that anybody chose. That takes
//! one multiplication a gate, and no domain: every b that is not 0 withholds.

use crate::lower::unsupported;
use crate::parameters::PLAINTEXT;
use crate::program::{Linear, Node, Value};
use crate::random::Stream;
use blindtier_engine::{EngineError, Proofs};
use blindtier_policy::circuit::Inputs;
use std::ops::RangeInclusive;
use zeroize::Zeroizing;

/// The smallest number that withholds: above all tiers and reserved codes.
const SMALLEST: u64 = 16;
/// With more gates, numbers from their share of the plaintext modulus would hide too little.
const MOST_GATES: usize = 64;

/// The gates of a plan.
#[derive(Clone, Debug)]
pub(crate) struct Gates {
    /// Position of each gate's column, and its submitter.
    gates: Vec<(usize, usize)>,
    /// How many columns there are; covers come behind them, in the order of the gates.
    columns: usize,
    proofs: Proofs,
}

impl Gates {
    /// The gates among a plan's columns.
    pub fn new(inputs: &Inputs, proofs: Proofs) -> Result<Self, EngineError> {
        let columns = inputs.columns.iter().enumerate();
        let gates: Vec<(usize, usize)> = columns
            .filter(|(_, column)| column.is_gate())
            .map(|(position, column)| (position, column.agency))
            .collect();
        if gates.len() > MOST_GATES {
            return Err(unsupported(format!(
                "{} agencies hold values that have to be known (at most {MOST_GATES} here); name a level for families that a register does not know, or use engine tfhe",
                gates.len()
            )));
        }
        Ok(Self { gates, columns: inputs.columns.len(), proofs })
    }

    /// Whether what is submitted is checked.
    pub fn proofs(&self) -> Proofs {
        self.proofs
    }

    /// Whether a column is a gate.
    pub fn contains(&self, column: usize) -> bool {
        self.gates.iter().any(|(gate, _)| *gate == column)
    }

    /// Positions of the covers that a submitter sends, behind its columns.
    pub fn covers_of(&self, submitter: usize) -> Vec<usize> {
        let covers = self.covers().zip(&self.gates);
        covers.filter(|(_, (_, own))| *own == submitter).map(|(cover, _)| cover).collect()
    }

    /// Positions of all covers.
    pub fn covers(&self) -> std::ops::Range<usize> {
        let covers = if self.proofs == Proofs::On { self.gates.len() } else { 0 };
        self.columns..self.columns + covers
    }

    /// Adds what withholds the tier to the result.
    pub fn withhold(&self, output: &mut Node) {
        let gates = self.gates.iter().map(|(gate, _)| Linear::of(Value::Input(*gate)));
        if self.proofs == Proofs::Off {
            gates.for_each(|gate| output.linear.add(&gate, 1));
            return;
        }
        let covers = self.covers().map(|cover| Linear::of(Value::Input(cover)));
        output.products.extend(gates.zip(covers));
    }

    /// What stands for the gate of a submitter that was left out although its values are needed.
    pub fn closed(&self) -> i64 {
        if self.proofs == Proofs::On { 1 } else { SMALLEST.cast_signed() }
    }

    /// Of which range numbers are: the sum of one of each gate, and a tier, stays below the plaintext modulus.
    fn range(&self, smallest: u64) -> RangeInclusive<u64> {
        let numbers = match self.proofs {
            Proofs::Off => self.gates.len(),
            Proofs::On => 2 * self.gates.len(),
        };
        let numbers = u64::try_from(numbers.max(1)).unwrap_or(u64::MAX);
        smallest..=((PLAINTEXT - 1) / numbers).saturating_sub(SMALLEST)
    }

    /// What a gate's column holds for these bits (private). Every slot gets a number, and nothing branches on the bit.
    pub fn sent(&self, bits: &[i64]) -> Result<Zeroizing<Vec<i64>>, EngineError> {
        if self.proofs == Proofs::On {
            return Ok(Zeroizing::new(bits.to_vec()));
        }
        let mut numbers = Stream::secret()?.within(&self.range(SMALLEST), bits.len());
        for (number, bit) in numbers.iter_mut().zip(bits) {
            *number *= bit;
        }
        Ok(numbers)
    }

    /// A cover's numbers (private).
    pub fn cover(&self, slots: usize) -> Result<Zeroizing<Vec<i64>>, EngineError> {
        Ok(Stream::secret()?.within(&self.range(0), slots))
    }

    /// What the evaluator adds to a cover (public), from the chunk's seed.
    pub fn offsets(&self, seed: &[u8; 32], cover: usize, slots: usize) -> Zeroizing<Vec<i64>> {
        let position = u64::try_from(cover).unwrap_or(u64::MAX).to_le_bytes();
        let mut stream = Stream::derive("blindtier bfv cover offsets v1", &[seed, &position]);
        stream.within(&self.range(SMALLEST), slots)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gates(count: usize, proofs: Proofs) -> Gates {
        Gates { gates: (0..count).map(|g| (g + 3, g)).collect(), columns: count + 3, proofs }
    }

    #[test]
    fn withheld_is_never_a_tier_whichever_gates_are_closed() {
        for count in [1, 2, 3, 7, MOST_GATES] {
            let many = u64::try_from(count).unwrap();
            let (off, on) = (gates(count, Proofs::Off), gates(count, Proofs::On));
            let (off, cover) = (off.range(SMALLEST), on.range(0));
            let offset = on.range(SMALLEST);
            for (least, most) in [
                (*off.start(), *off.end()),
                (cover.start() + offset.start(), cover.end() + offset.end()),
            ] {
                assert!(least >= 16 && many * most + 15 < PLAINTEXT, "{count}: {least}, {most}");
                assert!(most > 900, "{count}: {most}");
            }
        }
    }

    #[test]
    fn numbers_of_a_gate_are_random_where_it_is_closed() {
        let bits = [0, 1, 1, 0, 1];
        let off = gates(2, Proofs::Off);
        let (one, other) = (off.sent(&bits).unwrap(), off.sent(&bits).unwrap());
        for ((one, other), bit) in one.iter().zip(other.iter()).zip(bits) {
            assert_eq!((*one >= 16, *other >= 16), (bit == 1, bit == 1));
        }
        assert_ne!(one, other);
        let on = gates(2, Proofs::On);
        assert_eq!(on.sent(&bits).unwrap().to_vec(), bits);
        assert_eq!((on.covers_of(1), off.covers_of(1)), (vec![6], vec![]));
        let offsets = |seed, cover| on.offsets(&[seed; 32], cover, 100);
        assert_eq!(offsets(1, 5), offsets(1, 5));
        assert_ne!(offsets(1, 5), offsets(1, 6));
        assert_ne!(offsets(1, 5), offsets(2, 5));
        assert!(offsets(1, 5).iter().all(|w| *w >= 16));
    }
}
