//! Narrowing: a table over several arguments becomes a lookup of one sum.
//!
//! Each argument contributes an offset that depends on its class; the sum must tell apart exactly what the
//! table tells apart. The search fixes one argument after the other. After each, the partial sums that occur
//! are known for every *residual* (the table that remains once the arguments so far are fixed); two prefixes
//! with the same sum must have the same residual, because every continuation adds the same to both. That
//! condition is necessary and sufficient, so the search can prune on it.

use crate::circuit::dense::Dense;
use std::collections::HashMap;

/// The most search steps for one table; more have not been seen to find anything.
const NODE_BUDGET: u64 = 20_000;

/// Freedom of an argument's offsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freedom {
    /// Every class may have any offset: the sender of the value chooses its encoding.
    Free,
    /// The value has other readers: the offset is a multiple of the class.
    Multiple,
}

/// A table as offsets and one narrow table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Narrow {
    /// `offsets[argument][class]`, each argument's smallest being 0.
    pub offsets: Vec<Vec<usize>>,
    /// Value by sum; `None` where no combination falls.
    pub table: Vec<Option<i64>>,
}

/// Finds offsets whose largest sum is below `width`, or `None` when there are none or when `budget` (search
/// steps, counted down) is used up.
pub fn narrow(
    table: &Dense,
    freedom: &[Freedom],
    width: usize,
    budget: &mut u64,
) -> Option<Narrow> {
    let domains = table.domains();
    let mut order: Vec<usize> = (0..domains.len()).collect();
    // Small arguments first: the large ones then meet many occupied sums and are pruned early.
    order.sort_by_key(|i| domains.get(*i).copied().unwrap_or_default());
    let levels = residuals(table, &order);
    let mut left = (*budget).min(NODE_BUDGET);
    let found = find(table, freedom, width, &order, &levels, &mut left);
    *budget = budget.saturating_sub((*budget).min(NODE_BUDGET) - left);
    found
}

fn find(
    table: &Dense,
    freedom: &[Freedom],
    width: usize,
    order: &[usize],
    levels: &[Vec<Vec<usize>>],
    budget: &mut u64,
) -> Option<Narrow> {
    let max = width.checked_sub(1).filter(|max| *max >= least_sum(levels))?;
    let mut search = Search { levels, freedom, order, offsets: Vec::new(), budget };
    let mut start = vec![None; max + 1];
    if let Some(first) = start.first_mut() {
        *first = Some(0);
    }
    if !search.argument(0, &start, 0, max) {
        return None;
    }
    let mut offsets = vec![Vec::new(); order.len()];
    for (chosen, argument) in search.offsets.into_iter().zip(order) {
        if let Some(slot) = offsets.get_mut(*argument) {
            *slot = chosen;
        }
    }
    Some(tabulate(table, offsets))
}

/// A lower bound on the largest sum. Distinct classes need distinct offsets, so an argument of d classes
/// widens the sum by at least d − 1; and after some arguments there are at least as many sums as residuals.
fn least_sum(levels: &[Vec<Vec<usize>>]) -> usize {
    let classes = |level: &Vec<Vec<usize>>| level.first().map_or(0, Vec::len).saturating_sub(1);
    let mut later: usize = levels.iter().map(classes).sum();
    let mut least = later;
    for level in levels {
        later -= classes(level);
        let residuals = level.iter().flatten().copied().max().unwrap_or_default();
        least = least.max(residuals + later);
    }
    least
}

fn tabulate(table: &Dense, offsets: Vec<Vec<usize>>) -> Narrow {
    let largest: usize = offsets.iter().filter_map(|o| o.iter().copied().max()).sum();
    let mut narrow = vec![None; largest + 1];
    Dense::tabulate(table.domains().to_vec(), |classes| {
        let sum: usize = classes
            .iter()
            .zip(&offsets)
            .map(|(class, offsets)| offsets.get(*class).copied().unwrap_or_default())
            .sum();
        if let Some(cell) = narrow.get_mut(sum) {
            *cell = Some(table.at(classes));
        }
        0
    });
    Narrow { offsets, table: narrow }
}

/// `levels[i][residual][class]` is the residual after the `i`-th argument (in search order) takes `class`.
fn residuals(table: &Dense, order: &[usize]) -> Vec<Vec<Vec<usize>>> {
    let domains: Vec<usize> =
        order.iter().map(|i| table.domains().get(*i).copied().unwrap_or(1)).collect();
    let reordered = Dense::tabulate(domains.clone(), |classes| {
        let mut point = vec![0usize; order.len()];
        for (class, argument) in classes.iter().zip(order) {
            if let Some(cell) = point.get_mut(*argument) {
                *cell = *class;
            }
        }
        table.at(&point)
    });
    let mut levels = Vec::with_capacity(domains.len());
    let mut current: Vec<Vec<i64>> = vec![reordered.values().to_vec()];
    for domain in domains {
        let mut seen: HashMap<Vec<i64>, usize> = HashMap::new();
        let mut next: Vec<Vec<i64>> = Vec::new();
        let level = current
            .iter()
            .map(|values| {
                values
                    .chunks((values.len() / domain.max(1)).max(1))
                    .map(|part| {
                        *seen.entry(part.to_vec()).or_insert_with(|| {
                            next.push(part.to_vec());
                            next.len() - 1
                        })
                    })
                    .collect()
            })
            .collect();
        levels.push(level);
        current = next;
    }
    levels
}

struct Search<'a> {
    levels: &'a [Vec<Vec<usize>>],
    freedom: &'a [Freedom],
    order: &'a [usize],
    offsets: Vec<Vec<usize>>,
    budget: &'a mut u64,
}

impl Search<'_> {
    /// Chooses the offsets of the `depth`-th argument. `sums[s]` is the residual reached with sum `s`, `used`
    /// the largest offset sum so far, `max` the largest allowed.
    fn argument(&mut self, depth: usize, sums: &[Option<usize>], used: usize, max: usize) -> bool {
        let Some(level) = self.levels.get(depth) else { return true };
        let classes = level.first().map_or(0, Vec::len);
        let later: usize = self
            .levels
            .iter()
            .skip(depth + 1)
            .map(|l| l.first().map_or(0, Vec::len).saturating_sub(1))
            .sum();
        let Some(room) = max.checked_sub(used + later) else { return false };
        let freedom = self
            .order
            .get(depth)
            .and_then(|a| self.freedom.get(*a))
            .copied()
            .unwrap_or(Freedom::Free);
        match freedom {
            Freedom::Free => {
                let mut chosen = Vec::with_capacity(classes);
                self.class(depth, sums, used, max, room, &mut chosen, &vec![None; max + 1])
            }
            Freedom::Multiple => {
                let Some(span) = classes.checked_sub(1).filter(|s| *s > 0) else { return false };
                for factor in 1..=room / span {
                    for descending in [false, true] {
                        let offsets: Vec<usize> = (0..classes)
                            .map(|c| factor * if descending { span - c } else { c })
                            .collect();
                        let mut next = vec![None; max + 1];
                        let fits = offsets.iter().enumerate().all(|(class, offset)| {
                            self.place(depth, sums, class, *offset, &mut next)
                        });
                        if fits {
                            self.offsets.push(offsets);
                            if self.argument(depth + 1, &next, used + factor * span, max) {
                                return true;
                            }
                            self.offsets.pop();
                        }
                    }
                }
                false
            }
        }
    }

    /// Chooses the offset of the next class of a free argument.
    #[allow(clippy::too_many_arguments, reason = "the state of one recursion, kept on the stack")]
    fn class(
        &mut self,
        depth: usize,
        sums: &[Option<usize>],
        used: usize,
        max: usize,
        room: usize,
        chosen: &mut Vec<usize>,
        reached: &[Option<usize>],
    ) -> bool {
        let classes = self.levels.get(depth).and_then(|l| l.first()).map_or(0, Vec::len);
        if chosen.len() == classes {
            if !chosen.contains(&0) {
                return false;
            }
            let widest = chosen.iter().copied().max().unwrap_or_default();
            self.offsets.push(chosen.clone());
            if self.argument(depth + 1, reached, used + widest, max) {
                return true;
            }
            self.offsets.pop();
            return false;
        }
        for offset in 0..=room {
            if *self.budget == 0 {
                return false;
            }
            *self.budget -= 1;
            if chosen.contains(&offset) {
                continue;
            }
            let mut next = reached.to_vec();
            if self.place(depth, sums, chosen.len(), offset, &mut next) {
                chosen.push(offset);
                if self.class(depth, sums, used, max, room, chosen, &next) {
                    return true;
                }
                chosen.pop();
            }
        }
        false
    }

    /// Adds to `next` the sums reached when the argument takes `class` at `offset`; `false` on a conflict.
    fn place(
        &self,
        depth: usize,
        sums: &[Option<usize>],
        class: usize,
        offset: usize,
        next: &mut [Option<usize>],
    ) -> bool {
        let Some(level) = self.levels.get(depth) else { return false };
        for (sum, residual) in sums.iter().enumerate() {
            let Some(residual) = residual else { continue };
            let Some(after) = level.get(*residual).and_then(|row| row.get(class)) else {
                return false;
            };
            match next.get_mut(sum + offset) {
                Some(slot @ None) => *slot = Some(*after),
                Some(Some(there)) if there == after => {}
                _ => return false,
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_bits_and_a_majority() {
        let full = Dense::tabulate(vec![2, 2], |a| (a[0] * 2 + a[1]) as i64);
        let found = narrow(&full, &[Freedom::Free; 2], 4, &mut 1000).unwrap();
        assert_eq!(found.table.len(), 4);
        let majority = Dense::tabulate(vec![2, 2, 2], |a| i64::from(a.iter().sum::<usize>() > 1));
        let found = narrow(&majority, &[Freedom::Free; 3], 4, &mut 1000).unwrap();
        assert_eq!(found.offsets, vec![vec![0, 1]; 3]);
        assert_eq!(found.table, vec![Some(0), Some(0), Some(1), Some(1)]);
    }
}
