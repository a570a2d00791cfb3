//! The policy as data: what a parsed and checked policy file says, with every name resolved.
//!
//! Everything here is public. Positions (`usize`) index the vectors of [`Policy`]; the parser is the only
//! place that turns names into positions, so the rest of the system cannot meet an unknown name.

use serde::Serialize;
use std::collections::BTreeMap;

/// The fewest tiers a policy may have.
pub const MIN_TIERS: usize = 2;
/// The most tiers a policy may have: sixteen values fit one lookup and three codes are reserved.
pub const MAX_TIERS: usize = 13;
/// The most combinations of input classes that one decision table may range over.
pub const MAX_TABLE: usize = 1 << 16;
/// The largest magnitude a score may reach, in units of its last decimal.
pub const MAX_SCORE: i64 = 1 << 40;

/// Text in several languages: language tag → text.
pub type Labels = BTreeMap<String, String>;

/// A checked policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Policy {
    /// Short identifier, `[a-z0-9-]+`.
    pub name: String,
    /// Human title.
    pub title: Labels,
    /// Tiers, lowest first; a tier is known by its position.
    pub tiers: Vec<Class>,
    /// Agencies in the order of the file.
    pub agencies: Vec<Agency>,
    /// Indicators in the order of the file.
    pub indicators: Vec<Indicator>,
    /// Decision tables; each refers only to indicators, cuts and concepts that do not depend on it.
    pub concepts: Vec<Concept>,
    /// Scores.
    pub scores: Vec<Score>,
    /// Cuts of scores into classes.
    pub cuts: Vec<Cut>,
    /// The variable whose classes are the tiers before overrides.
    pub decision: Decision,
    /// Overrides, applied to the decided tier in order.
    pub overrides: Vec<Override>,
    /// What becomes of a family that said no.
    pub opt_out: OptOut,
    /// Directions the letter may show.
    pub reasons: Vec<Reason>,
}

/// A named, labelled value of an ordered set: a tier, a level or a class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Class {
    /// Identifier, unique within its set.
    pub id: String,
    /// Human label.
    pub label: Labels,
}

/// One of the bodies that hold a register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Agency {
    /// Identifier.
    pub id: String,
    /// Human label.
    pub label: Labels,
}

/// What an agency knows of a family, as a level or an integer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Indicator {
    /// Identifier.
    pub id: String,
    /// Human label.
    pub label: Labels,
    /// Position of the agency that holds it.
    pub agency: usize,
    /// Columns of the agency's register; numbers of several columns are added within a row.
    pub columns: Vec<String>,
    /// How the rows of a family's persons become one value.
    pub aggregate: Aggregate,
    /// For `any`, `all` and `count`: the cell texts that count; empty means the usual words for yes.
    pub matches: Vec<String>,
    /// Divide the aggregate by this fact of the roster.
    pub per: Option<Fact>,
    /// What values it takes.
    pub domain: Domain,
}

/// Person-to-family aggregation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregate {
    /// 1 when a person matches, else 0.
    Any,
    /// 1 when every person matches, else 0.
    All,
    /// How many persons match.
    Count,
    /// Sum of the numbers.
    Sum,
    /// Smallest number, or lowest level of categories.
    Min,
    /// Largest number, or highest level of categories.
    Max,
    /// The first row that has a value.
    First,
}

/// Something no single agency holds; the roster carries it to the agencies whose indicators declare it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// Persons in the family.
    Persons,
    /// Adults in the family.
    Adults,
}

/// The values an indicator takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Domain {
    /// Ordered levels; the value is a level's position.
    Levels {
        /// Levels in order.
        levels: Vec<Class>,
        /// How a register value becomes a level.
        rule: LevelRule,
        /// Position of the level used when the register knows nothing of the family; without it the tier then cannot be
        /// decided.
        missing: Option<usize>,
    },
    /// An integer in a declared range.
    Integer {
        /// Smallest value.
        min: i64,
        /// Largest value.
        max: i64,
        /// Unit, for people.
        unit: String,
        /// Value used when the register knows nothing of the family; without it the tier then cannot be decided.
        missing: Option<i64>,
    },
}

/// How a register value becomes a level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LevelRule {
    /// Numeric bands, ascending, without gap or overlap where both neighbours are stated.
    Bands(Vec<Band>),
    /// Texts per level; position = level.
    Categories(Vec<Vec<String>>),
}

/// `from ≤ value < below` has this level. An absent bound is unbounded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Band {
    /// Position of the level.
    pub level: usize,
    /// Inclusive lower bound.
    pub from: Option<Decimal>,
    /// Exclusive upper bound.
    pub below: Option<Decimal>,
}

/// An exact decimal number, `units · 10^−scale`, in lowest terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Decimal {
    /// The digits.
    pub units: i64,
    /// How many of them stand after the point.
    pub scale: u32,
}

/// Something with classes that tables and conditions can refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Variable {
    /// An indicator with levels (never an integer one).
    Indicator(usize),
    /// A concept.
    Concept(usize),
    /// A cut of a score.
    Cut(usize),
}

/// A decision table over a few variables.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Concept {
    /// Identifier.
    pub id: String,
    /// Human label.
    pub label: Labels,
    /// What it looks at.
    pub inputs: Vec<Variable>,
    /// Its classes, in order.
    pub classes: Vec<Class>,
    /// The table.
    pub table: Table,
}

/// The two ways to write a decision table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// The first rule that matches decides; every combination is matched by some rule.
    FirstMatch(Vec<Rule>),
    /// One class per combination, the last input varying fastest.
    Grid(Vec<usize>),
}

/// One row of a first-match table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// For each input of the concept, the class positions it accepts; `None` accepts all.
    pub when: Vec<Option<Vec<usize>>>,
    /// The class it gives.
    pub then: usize,
}

/// A sum of points. All amounts are in units of the last declared decimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Score {
    /// Identifier.
    pub id: String,
    /// Human label.
    pub label: Labels,
    /// Decimals of the amounts: an amount of 125 with 2 decimals is 1.25.
    pub decimals: u32,
    /// Added to every family's sum.
    pub constant: i64,
    /// What is summed.
    pub terms: Vec<Term>,
}

/// One summand of a score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Term {
    /// Points for each class of a variable, by position.
    Points {
        /// The variable.
        variable: Variable,
        /// Points by class position.
        points: Vec<i64>,
    },
    /// A weight on an integer indicator.
    Weight {
        /// Position of the indicator.
        indicator: usize,
        /// Amount per unit of the indicator.
        weight: i64,
    },
}

/// A score cut into classes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cut {
    /// Identifier.
    pub id: String,
    /// Human label.
    pub label: Labels,
    /// Position of the score.
    pub score: usize,
    /// Classes, lowest scores first.
    pub classes: Vec<Class>,
    /// Ascending; class `k` starts at `at[k−1]`. In units of the score's last decimal.
    pub at: Vec<i64>,
}

/// Where the tier comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// The deciding variable.
    pub from: Variable,
    /// For each of its classes, the tier.
    pub tiers: Vec<usize>,
}

/// A rule that bounds or replaces the tier when a condition holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Override {
    /// What it does.
    pub effect: Effect,
    /// The tier it names.
    pub tier: usize,
    /// When.
    pub when: Condition,
    /// Human label.
    pub label: Labels,
}

/// What an override does to the tier, in the order of the tier list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Raise to the named tier if lower.
    AtLeast,
    /// Lower to the named tier if higher.
    AtMost,
    /// Replace by the named tier.
    Exactly,
}

/// A condition on variables.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// The variable has one of these classes.
    Is {
        /// The variable.
        variable: Variable,
        /// Accepted class positions, ascending.
        classes: Vec<usize>,
    },
    /// All hold.
    All(Vec<Condition>),
    /// At least one holds.
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// Between `min` and `max` of them hold, both included.
    Count {
        /// Fewest.
        min: usize,
        /// Most.
        max: usize,
        /// Of these.
        of: Vec<Condition>,
    },
}

/// The opt-out rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OptOut {
    /// A family that said no gets the reserved code "opted out" instead of a tier.
    Neutral,
    /// The policy offers no opt-out.
    NotOffered,
}

/// A direction the letter shows when its condition holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// Identifier.
    pub id: String,
    /// Human label.
    pub label: Labels,
    /// When it is shown.
    pub when: Condition,
}

impl Policy {
    /// The classes of a variable, in order; empty for an integer indicator or a position out of range.
    pub fn classes(&self, variable: Variable) -> &[Class] {
        match variable {
            Variable::Indicator(i) => match self.indicators.get(i).map(|x| &x.domain) {
                Some(Domain::Levels { levels, .. }) => levels,
                _ => &[],
            },
            Variable::Concept(i) => self.concepts.get(i).map_or(&[], |c| &c.classes),
            Variable::Cut(i) => self.cuts.get(i).map_or(&[], |c| &c.classes),
        }
    }

    /// The facts of the roster that an agency's indicators declare, ascending, without repetition.
    pub fn facts_of(&self, agency: usize) -> Vec<Fact> {
        let mut facts: Vec<Fact> =
            self.indicators.iter().filter(|i| i.agency == agency).filter_map(|i| i.per).collect();
        facts.sort_unstable();
        facts.dedup();
        facts
    }

    /// Position of the agency with this identifier.
    pub fn agency(&self, id: &str) -> Option<usize> {
        self.agencies.iter().position(|a| a.id == id)
    }
}

impl Indicator {
    /// The value used when the register knows nothing of the family: a level or integer, or
    /// [`unknown`](Self::unknown) if the tier then cannot be decided.
    pub fn missing(&self) -> i64 {
        let stated = match &self.domain {
            Domain::Levels { missing, .. } => missing.map(|m| i64::try_from(m).unwrap_or(i64::MAX)),
            Domain::Integer { missing, .. } => *missing,
        };
        stated.unwrap_or_else(|| self.unknown())
    }

    /// Whether the tier cannot be decided when the register knows nothing of the family.
    pub fn is_required(&self) -> bool {
        matches!(
            self.domain,
            Domain::Levels { missing: None, .. } | Domain::Integer { missing: None, .. }
        )
    }

    /// What stands for a value that is not known, one above the largest; only a [required](Self::is_required) indicator
    /// takes it.
    pub fn unknown(&self) -> i64 {
        self.range().1.saturating_add(1)
    }

    /// Smallest and largest value.
    pub fn range(&self) -> (i64, i64) {
        match &self.domain {
            Domain::Levels { levels, .. } => {
                (0, i64::try_from(levels.len()).unwrap_or(i64::MAX).saturating_sub(1))
            }
            Domain::Integer { min, max, .. } => (*min, *max),
        }
    }
}
