//! What a simulation found, as it is written to JSON and shown on a page.

mod csv;
mod page;
mod text;
mod view;

pub use self::csv::{bias_csv, flows_csv, gaps_csv, moves_csv, sensitivity_csv, tiers_csv};
pub use self::page::page;
pub use self::text::text;

use serde::{Deserialize, Serialize};

/// Version of the JSON's shape.
pub const SIMULATION_FORMAT: u32 = 1;

/// A whole simulation. Counts of families in groups that are smaller than [`minimum_cell`](Self::minimum_cell) are left out,
/// and so are some others from which they would follow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Simulation {
    /// Version of this shape, [`SIMULATION_FORMAT`].
    pub format: u32,
    /// When it was made, in UTC, as RFC 3339 has it.
    pub started: String,
    /// The command as it was called.
    pub command: String,
    /// Version of blindtier.
    pub version: String,
    /// Where the families came from.
    pub data: String,
    /// The policy.
    pub policy: Decider,
    /// How many families.
    pub families: u64,
    /// How many different combinations of values they have.
    pub combinations: u64,
    /// Counts of families in groups are only given from here on; 0 and 1 give all.
    pub minimum_cell: u64,
    /// Families by answer, as [`Decider::answers`].
    pub counts: Vec<u64>,
    /// Answers by group, a grouping a column.
    pub groupings: Vec<Grouping>,
    /// Against another policy.
    pub flow: Option<Flow>,
    /// What small changes of the policy do.
    pub sensitivity: Option<Sensitivity>,
    /// Errors against a known need.
    pub bias: Option<Bias>,
    /// What happens without some registers.
    pub gaps: Vec<Gap>,
    /// What happens when families say no.
    pub opt_outs: Option<OptOuts>,
    /// What a reader has to know.
    pub notes: Vec<String>,
    /// Seconds for reading and for everything after it.
    pub seconds: [f64; 2],
}

/// A policy and its answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decider {
    /// Short name.
    pub name: String,
    /// Title for people.
    pub title: String,
    /// Hash, hexadecimal.
    pub hash: String,
    /// The tiers, lowest first, and behind them `undecided` if that can be.
    pub answers: Vec<AnswerName>,
    /// Whether it is known which answers are support.
    pub support_known: bool,
}

/// A tier, or another answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerName {
    /// Identifier.
    pub id: String,
    /// Label for people.
    pub label: String,
    /// Whether a family with this answer is supported.
    pub supported: bool,
}

/// Answers by the groups of one column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grouping {
    /// The column.
    pub column: String,
    /// Its groups.
    pub groups: Vec<GroupCounts>,
}

/// Answers in one group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupCounts {
    /// The group.
    pub group: String,
    /// Families in it; none if that is too few to tell.
    pub families: Option<u64>,
    /// Families by answer; none where it is not told.
    pub counts: Vec<Option<u64>>,
}

/// Who moves between two policies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flow {
    /// The other policy.
    pub to: Decider,
    /// Families by its answers.
    pub to_counts: Vec<u64>,
    /// From each answer of the first policy (row) to each of the other.
    pub matrix: Vec<Vec<Option<u64>>>,
    /// Who gains and who loses.
    pub moves: Moves,
    /// The same by group.
    pub groups: Vec<GroupMoves>,
}

/// Families that move. Those that concern support are none if it is not known which tiers are support, or not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moves {
    /// With another answer, by its identifier.
    pub changed: Option<u64>,
    /// Supported by the other policy alone.
    pub gained: Option<u64>,
    /// Supported by the first policy alone.
    pub lost: Option<u64>,
}

/// Moves in one group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupMoves {
    /// The column.
    pub column: String,
    /// The group.
    pub group: String,
    /// Families in it; none if that is too few to tell.
    pub families: Option<u64>,
    /// Its moves.
    #[serde(flatten)]
    pub moves: Moves,
}

/// What small changes do, each by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sensitivity {
    /// The changes, in the order of the policy.
    pub changes: Vec<Change>,
}

/// One change of the policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What is changed.
    pub kind: ChangeKind,
    /// Where, for people: `Sum of points, cut where Crisis begins`.
    pub place: String,
    /// The amount as the policy has it.
    pub from: String,
    /// The amount instead.
    pub to: String,
    /// Families with another tier.
    pub changed: u64,
    /// Of these with a higher one, in the order of the policy's list.
    pub up: u64,
    /// Of these with a lower one.
    pub down: u64,
    /// Families that gain support, if it is known which tiers are support.
    pub gained: Option<u64>,
    /// Families that lose support.
    pub lost: Option<u64>,
}

/// What a change changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// Where a class of a cut begins.
    Cut,
    /// The points of a level.
    Points,
    /// The weight of a number.
    Weight,
}

/// Errors against a known need.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bias {
    /// The column that tells who needs support.
    pub need: String,
    /// Families of which that is not known; they count in no error.
    pub unknown: u64,
    /// Over all families.
    pub overall: Errors,
    /// By group, with the same column's groups one after another.
    pub groups: Vec<GroupErrors>,
}

/// Both errors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Errors {
    /// Of the families that need support, those that do not get it; none if that is not told.
    pub exclusion: Option<Rate>,
    /// Of the families that get support, those that do not need it.
    pub inclusion: Option<Rate>,
}

/// A share of families with a 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// Families with the error.
    pub families: u64,
    /// Families that could have it; never 0.
    pub of: u64,
    /// Share, from 0 to 1.
    pub share: f64,
    /// Lower end of the interval (Wilson).
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// Errors in one group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupErrors {
    /// The column.
    pub column: String,
    /// The group.
    pub group: String,
    /// Its errors.
    #[serde(flatten)]
    pub errors: Errors,
    /// How many times the exclusion error of the column's best group; none if that one is 0.
    pub exclusion_ratio: Option<f64>,
    /// How many times the inclusion error of the column's best group.
    pub inclusion_ratio: Option<f64>,
}

/// What happens when registers know nobody.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gap {
    /// The agencies.
    pub agencies: Vec<String>,
    /// Families by answer.
    pub counts: Vec<u64>,
    /// Families with another answer than with all registers, and those that gain or lose support.
    pub moves: Moves,
    /// Errors then, if a need is known.
    pub errors: Errors,
}

/// What happens when families say no, each with the same chance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OptOuts {
    /// The chance, from 0 to 1.
    pub rate: f64,
    /// Shapes who says no.
    pub seed: u64,
    /// Families that said no.
    pub opted_out: u64,
    /// Those of them that would have been supported, if it is known which tiers are support.
    pub forgone: Option<u64>,
    /// Families by answer, without those that said no.
    pub counts: Vec<u64>,
    /// Errors then, if a need is known; who said no is not supported.
    pub errors: Errors,
}
