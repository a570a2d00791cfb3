//! Local folding: what one owner can compute alone, it computes in the clear.
//!
//! In the folded layout an owner is an agency; in the per-indicator layout every indicator is an owner of
//! its own, so that the two can be compared. All arguments of a table that belong to one owner become one
//! column, whose classes are the positions that the table tells apart.

use super::Layout;
use crate::circuit::dense::Dense;
use crate::circuit::graph::{Graph, NodeId};

/// Who can compute a value alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// An agency, or one indicator of an agency, by position.
    Local(usize),
    /// Nobody: it depends on several owners and stays encrypted.
    Shared(NodeId),
}

/// The owner of a node.
pub fn owner(graph: &Graph, node: NodeId, layout: Layout) -> Owner {
    let indicators = graph.indicators(node);
    let mut owners: Vec<usize> = indicators
        .iter()
        .map(|i| match layout {
            Layout::Folded => graph.agencies.get(*i).copied().unwrap_or_default(),
            Layout::PerIndicator => *i,
        })
        .collect();
    owners.dedup();
    owners.sort_unstable();
    owners.dedup();
    match owners.as_slice() {
        [one] => Owner::Local(*one),
        _ => Owner::Shared(node),
    }
}

/// One argument of a folded table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// Who holds it.
    pub owner: Owner,
    /// The original arguments it stands for, by position.
    pub positions: Vec<usize>,
    /// For every combination of those (last fastest) its class.
    pub classes: Vec<usize>,
    /// How many classes there are.
    pub count: usize,
}

/// Groups the arguments of `table` by owner and merges what the table does not tell apart. Arguments that
/// decide nothing are dropped. An owner for which `keep` holds (given the classes it would have)
/// keeps all its positions apart, because its value has other readers or a fixed encoding.
pub fn fold(
    table: &Dense,
    owners: &[Owner],
    keep: &dyn Fn(Owner, &[usize]) -> bool,
) -> (Vec<Argument>, Dense) {
    let mut distinct: Vec<Owner> = owners.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    let arguments: Vec<Argument> = distinct
        .into_iter()
        .map(|owner| {
            let positions: Vec<usize> =
                owners.iter().enumerate().filter(|(_, o)| **o == owner).map(|(p, _)| p).collect();
            let (classes, count) = super::merge::merge(table, &positions);
            Argument { owner, positions, classes, count }
        })
        .filter(|argument| argument.count > 1)
        .map(|argument| match keep(argument.owner, &argument.classes) {
            true => Argument {
                classes: (0..argument.classes.len()).collect(),
                count: argument.classes.len(),
                ..argument
            },
            false => argument,
        })
        .collect();
    let representatives: Vec<Vec<Vec<usize>>> =
        arguments.iter().map(|a| super::merge::representatives(table, a)).collect();
    let folded = Dense::tabulate(arguments.iter().map(|a| a.count).collect(), |classes| {
        let mut point = vec![0usize; table.domains().len()];
        for ((argument, rows), class) in arguments.iter().zip(&representatives).zip(classes) {
            let Some(row) = rows.get(*class) else { continue };
            for (position, value) in argument.positions.iter().zip(row) {
                if let Some(cell) = point.get_mut(*position) {
                    *cell = *value;
                }
            }
        }
        table.at(&point)
    });
    (arguments, folded)
}
