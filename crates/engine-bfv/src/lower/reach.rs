//! Which values a sum can take: a polynomial only has to be right there, so gaps make it shorter.

/// With more values than this, a term is taken to reach everything between its ends.
const MOST_LISTED: usize = 64;

/// The values that a sum reaches so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    low: i64,
    reached: Vec<bool>,
}

impl Reach {
    /// A constant.
    pub fn at(constant: i64) -> Self {
        Self { low: constant, reached: vec![true] }
    }

    /// Adds a term that takes any of these values.
    pub fn add(&mut self, values: impl Iterator<Item = i64> + Clone) {
        let (Some(min), Some(max)) = (values.clone().min(), values.clone().max()) else { return };
        let span = usize::try_from(max.saturating_sub(min)).unwrap_or_default();
        let many = values.clone().count() > MOST_LISTED;
        let mut next = vec![false; self.reached.len() + span];
        if many {
            next.fill(true);
        } else {
            for shift in values.filter_map(|v| usize::try_from(v - min).ok()) {
                for (to, from) in next.iter_mut().skip(shift).zip(&self.reached) {
                    *to |= from;
                }
            }
        }
        self.low += min;
        self.reached = next;
    }

    /// The values, ascending.
    pub fn values(&self) -> Vec<i64> {
        (self.low..).zip(&self.reached).filter(|(_, r)| **r).map(|(v, _)| v).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_stay_gaps() {
        let mut reach = Reach::at(3);
        reach.add([0, 10].into_iter());
        reach.add([-1, 1].into_iter());
        assert_eq!(reach.values(), [2, 4, 12, 14]);
        let mut wide = Reach::at(0);
        wide.add(0..100);
        assert_eq!(wide.values().len(), 100);
    }
}
