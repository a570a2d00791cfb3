//! Splitting: a table too wide for one lookup becomes a tree of lookups.
//!
//! A group of arguments can be replaced by the class that the rest of the table tells apart. The search
//! looks for the tree with the fewest lookups such that every node is narrow enough, growing the allowed
//! number step by step. It works on sets of arguments: the classes of a set depend on the table alone,
//! never on the tree around it.

use super::narrow::{Freedom, Narrow, narrow};
use crate::circuit::dense::Dense;
use std::collections::HashMap;

/// A tree of lookups. The classes of a node are those of its set of arguments in the whole table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tree {
    /// An argument of the table, by position.
    Argument(usize),
    /// One lookup of the sum of its children's offsets, which gives the class of the set.
    Lookup {
        /// Children in the order of `narrow.offsets`.
        children: Vec<Tree>,
        /// Offsets, and class by sum.
        narrow: Narrow,
    },
}

impl Tree {
    /// How many lookups the tree has.
    pub fn lookups(&self) -> usize {
        match self {
            Self::Argument(_) => 0,
            Self::Lookup { children, .. } => 1 + children.iter().map(Self::lookups).sum::<usize>(),
        }
    }
}

/// Tables of more arguments than this are not split by search.
const MOST_ARGUMENTS: usize = 12;

/// Finds a tree of at most `most` lookups whose root gives, for every combination, the class of
/// [`root_values`]; `None` when there is none within the budget.
pub fn split(
    table: &Dense,
    freedom: &[Freedom],
    width: usize,
    most: usize,
    budget: &mut u64,
) -> Option<Tree> {
    let arguments = table.domains().len();
    if arguments == 0 || arguments > MOST_ARGUMENTS {
        return None;
    }
    let everything = (1u32 << arguments) - 1;
    let mut splitter = Splitter {
        table,
        freedom,
        width,
        budget,
        sets: HashMap::new(),
        nodes: HashMap::new(),
        failed: HashMap::new(),
    };
    (1..=most).find_map(|lookups| splitter.tree(everything, lookups))
}

/// The class of every combination as the root of a tree numbers them, and the value of each class.
pub fn root_values(table: &Dense) -> Vec<i64> {
    let mut values = Vec::new();
    for value in table.values() {
        if !values.contains(value) {
            values.push(*value);
        }
    }
    values
}

struct Splitter<'a> {
    table: &'a Dense,
    freedom: &'a [Freedom],
    width: usize,
    budget: &'a mut u64,
    /// Set of arguments → class of every combination, and the number of classes.
    sets: HashMap<u32, (Vec<usize>, usize)>,
    /// Children of a node → its narrow form, if it has one.
    nodes: HashMap<Vec<u32>, Option<Narrow>>,
    /// Set → most lookups with which no tree was found.
    failed: HashMap<u32, usize>,
}

fn members(set: u32) -> Vec<usize> {
    (0..32).filter(|i| set >> i & 1 == 1).collect()
}

impl Splitter<'_> {
    fn classes(&mut self, set: u32) -> &(Vec<usize>, usize) {
        let table = self.table;
        let budget = &mut *self.budget;
        self.sets.entry(set).or_insert_with(|| {
            // Reading the whole table costs about as much as so many search steps.
            *budget = budget.saturating_sub(table.values().len() as u64 / 16);
            let chosen = members(set);
            if let [one] = chosen.as_slice() {
                // An argument is its own class: merging was done before, and a value with several readers
                // keeps the classes that this table alone would merge.
                let count = table.domains().get(*one).copied().unwrap_or(1);
                return ((0..count).collect(), count);
            }
            table.classes(&chosen)
        })
    }

    /// A tree for `set` with exactly at most `lookups` lookups.
    fn tree(&mut self, set: u32, lookups: usize) -> Option<Tree> {
        if set.count_ones() == 1 && lookups == 0 {
            return members(set).first().map(|a| Tree::Argument(*a));
        }
        if lookups == 0 || self.failed.get(&set).is_some_and(|n| *n >= lookups) {
            return None;
        }
        let mut found = None;
        let mut parts = Vec::new();
        self.partitions(set, lookups - 1, &mut parts, set, &mut found);
        if found.is_none() {
            self.failed.insert(set, lookups);
        }
        found
    }

    /// Extends `parts` to partitions of `whole` by sets out of `rest`, spending at most `spare` lookups on
    /// parts with more than one member, and tries each complete one.
    fn partitions(
        &mut self,
        rest: u32,
        spare: usize,
        parts: &mut Vec<(u32, usize)>,
        whole: u32,
        found: &mut Option<Tree>,
    ) {
        if found.is_some() || *self.budget == 0 {
            return;
        }
        *self.budget -= 1;
        let mut widened = 0;
        for (part, _) in parts.iter() {
            widened += self.classes(*part).1.saturating_sub(1);
        }
        if widened >= self.width {
            return;
        }
        if rest == 0 {
            *found = self.node(parts);
            return;
        }
        // The part that holds the lowest remaining member: alone, or with a choice of the others.
        let lowest = rest & rest.wrapping_neg();
        let others = rest & !lowest;
        let mut extra = 0u32;
        loop {
            let part = lowest | extra;
            if part != whole {
                let costs = if extra == 0 { 0..=0 } else { 1..=spare };
                for cost in costs {
                    parts.push((part, cost));
                    self.partitions(rest & !part, spare - cost, parts, whole, found);
                    parts.pop();
                    if found.is_some() {
                        return;
                    }
                }
            }
            // Next subset of `others`.
            extra = extra.wrapping_sub(others) & others;
            if extra == 0 || (spare == 0 && others != 0) {
                break;
            }
        }
    }

    fn node(&mut self, parts: &[(u32, usize)]) -> Option<Tree> {
        let sets: Vec<u32> = parts.iter().map(|(set, _)| *set).collect();
        let narrow = match self.nodes.get(&sets) {
            Some(known) => known.clone(),
            None => {
                let found = self.narrow_node(&sets);
                self.nodes.insert(sets, found.clone());
                found
            }
        }?;
        let children =
            parts.iter().map(|(set, cost)| self.tree(*set, *cost)).collect::<Option<Vec<_>>>()?;
        Some(Tree::Lookup { children, narrow })
    }

    fn narrow_node(&mut self, sets: &[u32]) -> Option<Narrow> {
        let whole = sets.iter().fold(0, |a, b| a | b);
        // One combination of original arguments for every class of every part.
        let mut samples: Vec<Vec<Vec<usize>>> = Vec::new();
        let mut freedom = Vec::new();
        for set in sets {
            let chosen = members(*set);
            let domains: Vec<usize> =
                chosen.iter().map(|c| self.table.domains().get(*c).copied().unwrap_or(1)).collect();
            let (classes, count) = self.classes(*set).clone();
            let mut of_class: Vec<Option<Vec<usize>>> = vec![None; count];
            let mut row = vec![0usize; chosen.len()];
            for class in classes {
                if let Some(slot) = of_class.get_mut(class) {
                    slot.get_or_insert_with(|| row.clone());
                }
                crate::circuit::dense::advance(&mut row, &domains);
            }
            samples.push(of_class.into_iter().map(Option::unwrap_or_default).collect());
            freedom.push(match chosen.as_slice() {
                [one] => self.freedom.get(*one).copied().unwrap_or(Freedom::Free),
                _ => Freedom::Free,
            });
        }
        let all = members(whole);
        let domains: Vec<usize> =
            all.iter().map(|c| self.table.domains().get(*c).copied().unwrap_or(1)).collect();
        let (classes, _) = self.whole_classes(whole);
        let joint = Dense::tabulate(samples.iter().map(Vec::len).collect(), |chosen| {
            let mut point = vec![0usize; self.table.domains().len()];
            for ((set, of_class), class) in sets.iter().zip(&samples).zip(chosen) {
                for (argument, value) in
                    members(*set).iter().zip(of_class.get(*class).into_iter().flatten())
                {
                    if let Some(cell) = point.get_mut(*argument) {
                        *cell = *value;
                    }
                }
            }
            let index = all.iter().zip(&domains).fold(0, |index, (argument, domain)| {
                index * domain + point.get(*argument).copied().unwrap_or_default()
            });
            classes.get(index).and_then(|c| i64::try_from(*c).ok()).unwrap_or_default()
        });
        narrow(&joint, &freedom, self.width, self.budget)
    }

    /// Classes of a set as a function result (also when the set has one member).
    fn whole_classes(&self, set: u32) -> (Vec<usize>, usize) {
        self.table.classes(&members(set))
    }
}
