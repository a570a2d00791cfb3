//! Gates: an encrypted bit that puts a reserved number in the tier's place. One lookup each.
//!
//! Let h be the tier t at half a scale S, and o the bit at half the torus: o = 1 is 2⁶³. Look up h at [`STEP`], which is an
//! integer times h, plus o. Where o = 0 that reads the table F at t; where o = 1 it reads the other half of the torus at t,
//! which gives −F(t). With F(t) = (t − C)·S/2 and the code C,
//!
//! ```text
//! h + F(t) + C·S/2 = (t + t − C + C)·S/2 = t·S,
//! h − F(t) + C·S/2 = (t − t + C + C)·S/2 = C·S.
//! ```
//!
//! So the result is at twice the scale of what came in. With two gates the tier starts at a quarter of a step, and what
//! the first gate gives is what the second one needs. That the code "opted out" stands before "undecided" is the order of
//! the gates.
//!
//! The first of two gates reads 4h, so that each output in the tier weighs 16 times its variance. If that is too much, the
//! tier is refreshed by a lookup that changes nothing.

use crate::lower::{Lowering, Way};
use crate::parameters::{STEP, WIDTH};
use crate::plan::Sum;
use blindtier_policy::{OPTED_OUT_NUMBER, UNDECIDED_NUMBER};

/// Half of the torus: a bit at this scale turns the sign of whatever is looked up.
const HALF: u64 = 1 << 63;

impl Lowering<'_> {
    /// The tier behind all gates, at [`STEP`]; refreshed before them if so told.
    pub(crate) fn gated(&mut self, ways: &[Way], refresh: bool) -> Sum {
        let unknown = self.inputs().unknown_columns();
        let opt_out = self.inputs().opt_out_column();
        let gates = u32::from(!unknown.is_empty()) + u32::from(opt_out.is_some());
        let scale = STEP >> gates;
        let mut tier = if refresh {
            let tier = self.tier(ways, STEP);
            self.narrow(&tier, (0..WIDTH as u64).map(|t| scale.wrapping_mul(t)).collect())
        } else {
            self.tier(ways, scale)
        };
        let mut half = scale;
        if let Some(bit) = self.any(&unknown) {
            tier = self.gate(&tier, &bit, UNDECIDED_NUMBER, half);
            half *= 2;
        }
        if let Some(column) = opt_out {
            let bit = self.column(column, HALF);
            tier = self.gate(&tier, &bit, OPTED_OUT_NUMBER, half);
        }
        tier
    }

    /// The tier at twice the scale `half` at which it comes, or `code` where the bit is 1.
    fn gate(&mut self, tier: &Sum, bit: &Sum, code: u32, half: u64) -> Sum {
        let mut read = tier.times(STEP / half);
        read.add_sum(bit, 1);
        let code = u64::from(code);
        let table = (0..WIDTH as u64).map(|t| half.wrapping_mul(t.wrapping_sub(code))).collect();
        let mut result = self.narrow(&read, table);
        result.add_sum(tier, 1);
        result.constant = result.constant.wrapping_add(half.wrapping_mul(code));
        result
    }

    /// Whether any of these bits is 1, at half the torus; nothing if there are none. A single one costs no lookup.
    fn any(&mut self, columns: &[usize]) -> Option<Sum> {
        if let [column] = columns {
            return Some(self.column(*column, HALF));
        }
        let mut bits: Vec<Sum> = columns.iter().map(|c| self.column(*c, STEP)).collect();
        while bits.len() > 1 {
            // A lookup tells up to 15 bits from none.
            let one = if bits.len() < WIDTH { HALF } else { STEP };
            let table: Vec<u64> = (0..WIDTH).map(|sum| if sum == 0 { 0 } else { one }).collect();
            bits = bits
                .chunks(WIDTH - 1)
                .map(|group| {
                    let mut sum = Sum::default();
                    group.iter().for_each(|bit| sum.add_sum(bit, 1));
                    self.narrow(&sum, table.clone())
                })
                .collect();
        }
        bits.pop()
    }
}
