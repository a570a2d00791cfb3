//! An unbiased shuffle on the operating system's randomness.

use blindtier_wire::WireError;
use zeroize::Zeroizing;

/// The order (private) of `count` families over the slots: `result[slot]` is a family. Every order has the
/// same probability.
pub(crate) fn permutation(count: u32) -> Result<Zeroizing<Vec<u32>>, WireError> {
    let mut order = Zeroizing::new((0..count).collect::<Vec<u32>>());
    let mut random = Random { bytes: Zeroizing::new([0; 4096]), used: 4096 };
    for last in (1..count).rev() {
        let other = random.up_to(last)?;
        order.swap(last as usize, other as usize);
    }
    Ok(order)
}

struct Random {
    bytes: Zeroizing<[u8; 4096]>,
    used: usize,
}

impl Random {
    /// Uniform in `0..=last`. Draws that would favour small values are thrown away.
    fn up_to(&mut self, last: u32) -> Result<u32, WireError> {
        let choices = u64::from(last) + 1;
        let limit = (1 << 32) / choices * choices;
        loop {
            let draw = u64::from(self.next()?);
            if draw < limit {
                return Ok(u32::try_from(draw % choices).unwrap_or(last));
            }
        }
    }

    fn next(&mut self) -> Result<u32, WireError> {
        if self.used + 4 > self.bytes.len() {
            getrandom::fill(self.bytes.as_mut_slice()).map_err(WireError::Random)?;
            self.used = 0;
        }
        let mut word = [0; 4];
        for (to, from) in word.iter_mut().zip(self.bytes.iter().skip(self.used)) {
            *to = *from;
        }
        self.used += 4;
        Ok(u32::from_le_bytes(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn every_order_is_as_frequent() {
        let mut counts: HashMap<Vec<u32>, u32> = HashMap::new();
        for _ in 0..6000 {
            *counts.entry(permutation(3).unwrap().to_vec()).or_default() += 1;
        }
        assert_eq!(counts.len(), 6);
        // Expected 1000 each, standard deviation 29.
        assert!(counts.values().all(|&n| (800..1200).contains(&n)), "{counts:?}");
    }

    #[test]
    fn it_is_a_permutation() {
        let mut order = permutation(5000).unwrap().to_vec();
        order.sort_unstable();
        assert!(order.into_iter().eq(0..5000));
        assert!(permutation(0).unwrap().is_empty());
    }
}
