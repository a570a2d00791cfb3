//! Replicated sharing: who holds which share of the key.
//!
//! Of n trustees any t can open and t−1 cannot. There is one additive share for every set of t−1 trustees, held by all
//! trustees outside it (Ito, Saito, Nishizeki 1987): whoever is t−1 misses one share, and any t hold all. Few trustees,
//! few shares; and where several trustees hold a share, they check each other.

use crate::error::Fault;
use crate::names::PartyName;
use serde::{Deserialize, Serialize};

/// The most shares, so that flooding noise of all of them still leaves room to decode.
pub const MAX_SHARES: usize = 15;

/// How the key of a round is shared. Public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "(u8, u8)", into = "(u8, u8)")]
pub struct Sharing {
    trustees: u8,
    threshold: u8,
}

/// A number of trustees and a threshold that cannot be used together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{threshold} of {trustees} trustees is no sharing: the threshold goes from 1 to the number of trustees, and the \
     number of sets of {} trustees may be at most {MAX_SHARES}; 2 of 3 and 3 of 5 are good choices",
    threshold.saturating_sub(1)
)]
pub struct SharingError {
    /// Number of trustees.
    pub trustees: u8,
    /// How many have to work together.
    pub threshold: u8,
}

impl Sharing {
    /// `threshold` of `trustees` trustees.
    pub fn new(trustees: u8, threshold: u8) -> Result<Self, SharingError> {
        let error = SharingError { trustees, threshold };
        if threshold == 0 || threshold > trustees || trustees > 16 {
            return Err(error);
        }
        let sharing = Self { trustees, threshold };
        if sharing.sets().len() > MAX_SHARES { Err(error) } else { Ok(sharing) }
    }

    /// Number of trustees.
    pub fn trustees(self) -> u8 {
        self.trustees
    }

    /// How many of them have to work together to open.
    pub fn threshold(self) -> u8 {
        self.threshold
    }

    /// How many signatures a ledger entry needs: a majority of all trustees, and no fewer than the threshold: otherwise
    /// trustees that cannot open could sign an entry with a key of their own.
    pub fn majority(self) -> usize {
        (usize::from(self.trustees) / 2 + 1).max(usize::from(self.threshold))
    }

    /// How many signatures make two different entries for one place impossible while fewer trustees than the threshold are
    /// dishonest: any two sets of so many have an honest trustee in common, who signs once. At least a majority.
    pub fn quorum(self) -> usize {
        let both = usize::from(self.trustees) + usize::from(self.threshold) - 1;
        (both / 2 + 1).max(self.majority())
    }

    /// The names of the trustees, `trustee:1` and so on.
    pub fn names(self) -> impl Iterator<Item = PartyName> {
        (1..=u16::from(self.trustees)).map(PartyName::trustee)
    }

    /// Number of shares.
    pub fn shares(self) -> u32 {
        u32::try_from(self.sets().len()).unwrap_or(u32::MAX)
    }

    /// The numbers, from 1, of the trustees that hold a share, ascending.
    pub fn holders(self, share: u32) -> Vec<u16> {
        let absent = self.sets().into_iter().nth(share as usize).unwrap_or(u32::MAX);
        self.numbers().filter(|number| absent >> (number - 1) & 1 == 0).collect()
    }

    /// The shares that a trustee (counted from 1) holds, ascending. All trustees hold equally many.
    pub fn held_by(self, trustee: u16) -> Vec<u32> {
        (0..self.shares()).filter(|share| self.holders(*share).contains(&trustee)).collect()
    }

    /// The trustee that makes a share in a key ceremony without a dealer: its first holder.
    pub fn maker(self, share: u32) -> u16 {
        self.holders(share).first().copied().unwrap_or(1)
    }

    /// A share that none of these trustees holds; `None` if together they hold all.
    pub fn missing(self, trustees: &[u16]) -> Option<u32> {
        (0..self.shares())
            .find(|share| !self.holders(*share).iter().any(|holder| trustees.contains(holder)))
    }

    fn numbers(self) -> impl Iterator<Item = u16> {
        1..=u16::from(self.trustees)
    }

    /// Every set of t−1 trustees as bits, in ascending order; no more than one above the limit.
    fn sets(self) -> Vec<u32> {
        let size = u32::from(self.threshold.saturating_sub(1));
        let end = 1u32 << self.trustees.min(16);
        let next = |set: &u32| {
            // The next number with as many bits (Gosper).
            let lowest = set & set.wrapping_neg();
            let carried = set.checked_add(lowest)?;
            Some(carried | ((set ^ carried) >> 2).checked_div(lowest)?)
        };
        let first = (1u32 << size) - 1;
        std::iter::successors(Some(first), next)
            .take_while(|set| *set < end)
            .take(MAX_SHARES + 1)
            .collect()
    }
}

impl TryFrom<(u8, u8)> for Sharing {
    type Error = SharingError;

    fn try_from((trustees, threshold): (u8, u8)) -> Result<Self, SharingError> {
        Self::new(trustees, threshold)
    }
}

impl From<Sharing> for (u8, u8) {
    fn from(sharing: Sharing) -> Self {
        (sharing.trustees, sharing.threshold)
    }
}

impl std::fmt::Display for Sharing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-of-{}", self.threshold, self.trustees)
    }
}

impl std::str::FromStr for Sharing {
    type Err = Fault;

    /// Reads `2-of-3`.
    fn from_str(text: &str) -> Result<Self, Fault> {
        let wrong = Fault::Content {
            detail: "write a sharing as 2-of-3: how many of how many trustees, with at most 15 shares",
        };
        let numbers =
            text.split_once("-of-").and_then(|(t, n)| Some((t.parse().ok()?, n.parse().ok()?)));
        numbers.and_then(|(threshold, trustees)| Self::new(trustees, threshold).ok()).ok_or(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_t_hold_all_shares_and_fewer_miss_one() {
        for (t, n) in [(1, 1), (1, 3), (2, 3), (3, 3), (2, 4), (3, 5), (4, 5), (2, 15), (5, 6)] {
            let Ok(sharing) = Sharing::new(n, t) else { panic!("{t}-of-{n}") };
            for set in 0..1u32 << n {
                let trustees: Vec<u16> =
                    (1..=u16::from(n)).filter(|k| set >> (k - 1) & 1 == 1).collect();
                let opens = sharing.missing(&trustees).is_none();
                assert_eq!(opens, trustees.len() >= usize::from(t), "{t}-of-{n} {trustees:?}");
            }
            let held: Vec<usize> = (1..=u16::from(n)).map(|k| sharing.held_by(k).len()).collect();
            assert!(held.iter().all(|count| *count == held[0]), "all hold equally many");
            assert_eq!(sharing.to_string().parse::<Sharing>().unwrap(), sharing);
        }
        assert_eq!(Sharing::new(3, 2).unwrap().shares(), 3);
        assert_eq!(Sharing::new(5, 3).unwrap().shares(), 10);
        assert_eq!(Sharing::new(4, 2).unwrap().holders(0), [2, 3, 4]);
        let majority = |t, n| Sharing::new(n, t).unwrap().majority();
        assert_eq!([majority(2, 3), majority(2, 4), majority(3, 5), majority(1, 3)], [2, 3, 3, 2]);
        assert_eq!([majority(3, 3), majority(4, 5)], [3, 4]);
        for (t, n) in [(1, 1), (1, 3), (2, 3), (3, 3), (2, 4), (3, 5), (4, 5), (2, 15)] {
            let (sharing, n) = (Sharing::new(n, t).unwrap(), usize::from(n));
            let common = (2 * sharing.quorum()).checked_sub(n).unwrap();
            assert!(sharing.quorum() <= n && common >= usize::from(t), "{t}-of-{n}");
        }
        assert_eq!(Sharing::new(3, 2).unwrap().quorum(), 3);
        assert_eq!(Sharing::new(4, 2).unwrap().quorum(), 3);
        assert_eq!(Sharing::new(5, 3).unwrap().quorum(), 4);
        for (t, n) in [(0, 3), (4, 3), (3, 7), (2, 16), (2, 200)] {
            assert!(Sharing::new(n, t).is_err(), "{t}-of-{n}");
        }
    }
}
