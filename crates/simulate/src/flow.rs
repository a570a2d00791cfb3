//! Who moves between two policies.

use crate::cells::{Totals, told};
use crate::population::{Population, position};
use crate::support::Support;
use blindtier_report::{Decider, Flow, GroupMoves, Grouping, Moves};

/// A policy's answers with what is known of them.
pub(crate) struct Side<'a> {
    pub decider: &'a Decider,
    pub answers: &'a [u8],
    pub counts: &'a [u64],
    pub support: &'a Support,
    /// For each answer its position among the answers of the first policy, or a number of its own.
    pub same: Vec<usize>,
}

impl<'a> Side<'a> {
    /// The answers of a policy, matched by name with those of the first one.
    pub fn new(
        first: &Decider,
        decider: &'a Decider,
        answers: &'a [u8],
        counts: &'a [u64],
        support: &'a Support,
    ) -> Self {
        let behind = first.answers.len();
        let same = (0..).zip(&decider.answers).map(|(own, answer): (usize, _)| {
            let known = first.answers.iter().position(|other| other.id == answer.id);
            known.unwrap_or(behind.saturating_add(own))
        });
        Self { decider, answers, counts, support, same: same.collect() }
    }

    fn name_of(&self, answer: u8) -> usize {
        self.same.get(usize::from(answer)).copied().unwrap_or(usize::MAX)
    }
}

/// How one family moves.
#[derive(Clone, Copy, Debug, Default)]
struct Move {
    changed: bool,
    gained: bool,
    lost: bool,
}

/// How many families move.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    families: u64,
    changed: u64,
    gained: u64,
    lost: u64,
}

impl Count {
    fn add(&mut self, moves: Move, weight: u64) {
        let add =
            |count: &mut u64, yes: bool| *count = count.saturating_add(u64::from(yes) * weight);
        add(&mut self.families, true);
        add(&mut self.changed, moves.changed);
        add(&mut self.gained, moves.gained);
        add(&mut self.lost, moves.lost);
    }
}

fn movement(from: &Side<'_>, to: &Side<'_>, position: usize) -> Move {
    let (a, b) = (answer(from.answers, position), answer(to.answers, position));
    let (before, after) = (from.support.has(a), to.support.has(b));
    Move {
        changed: from.name_of(a) != to.name_of(b),
        gained: after && !before,
        lost: before && !after,
    }
}

fn answer(answers: &[u8], position: usize) -> u8 {
    answers.get(position).copied().unwrap_or(u8::MAX)
}

/// Moves over all families, each told in full.
pub(crate) fn moves(population: &Population, from: &Side<'_>, to: &Side<'_>) -> Moves {
    let mut count = Count::default();
    for (position, weight) in population.weight.iter().enumerate() {
        count.add(movement(from, to, position), u64::from(*weight));
    }
    let known = from.support.known() && to.support.known();
    Moves {
        changed: Some(count.changed),
        gained: known.then_some(count.gained),
        lost: known.then_some(count.lost),
    }
}

/// The transition matrix, and who gains and loses, by group too.
pub(crate) fn flow(
    population: &Population,
    from: &Side<'_>,
    to: &Side<'_>,
    groupings: &[Grouping],
    minimum: u64,
) -> Flow {
    let mut matrix = vec![vec![0u64; to.counts.len()]; from.counts.len()];
    for (position, weight) in population.weight.iter().enumerate() {
        let (a, b) = (answer(from.answers, position), answer(to.answers, position));
        let line = matrix.get_mut(usize::from(a));
        if let Some(cell) = line.and_then(|line| line.get_mut(usize::from(b))) {
            *cell = cell.saturating_add(u64::from(*weight));
        }
    }
    let mut groups = Vec::new();
    for (column, grouping) in population.columns.iter().zip(groupings) {
        let mut counts = vec![Count::default(); column.labels.len()];
        for (group, values) in column.of.iter().zip(&population.of) {
            if let Some(count) = counts.get_mut(usize::from(*group)) {
                count.add(movement(from, to, position(*values)), 1);
            }
        }
        let [changed, gained, lost] =
            [|c: &Count| c.changed, |c: &Count| c.gained, |c: &Count| c.lost]
                .map(|part| part_told(&counts, part, minimum));
        let known = from.support.known() && to.support.known();
        for (((group, changed), gained), lost) in
            grouping.groups.iter().zip(changed).zip(gained).zip(lost)
        {
            groups.push(GroupMoves {
                column: column.name.clone(),
                group: group.group.clone(),
                families: group.families,
                moves: Moves {
                    changed,
                    gained: gained.filter(|_| known),
                    lost: lost.filter(|_| known),
                },
            });
        }
    }
    Flow {
        to: to.decider.clone(),
        to_counts: to.counts.to_vec(),
        matrix: told(&matrix, Totals::Told, minimum).0,
        moves: moves(population, from, to),
        groups,
    }
}

/// One part of the groups' families, where it can be told beside the rest.
fn part_told(counts: &[Count], part: fn(&Count) -> u64, minimum: u64) -> Vec<Option<u64>> {
    let table: Vec<Vec<u64>> = counts
        .iter()
        .map(|count| vec![part(count), count.families.saturating_sub(part(count))])
        .collect();
    told(&table, Totals::Told, minimum)
        .0
        .iter()
        .map(|line| line.first().copied().flatten())
        .collect()
}
