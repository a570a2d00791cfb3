//! What was opened for a family, held against what the agencies sealed to it.

use blindtier_policy::{
    Answer, Code, DecideError, INVALID, Interpreter, OPTED_OUT, OptOut, Policy, UNDECIDED,
};
use serde::Serialize;

/// What a family has from one agency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Levels {
    /// The values that the agency says it used, in the order of its indicators.
    Sealed(Vec<i64>),
    /// No letter that could be read.
    Silent,
    /// The agency was left out of the round: missing values stand for it.
    LeftOut,
}

/// How a result stands to the values that the agencies sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// A tier, and the values give it.
    Explained,
    /// A tier that the values do not give.
    DoesNotHold,
    /// The family opted out, and the registrar says so too.
    OptedOut,
    /// The result says that the family opted out, the registrar does not.
    OptedOutNotSealed,
    /// Something is missing that the policy needs, and the values say what.
    Undecided,
    /// No tier, and the values do not say why.
    NoTier,
}

/// What was opened for a family, with the values that were sealed to it (all of it private to the family).
pub struct Reading<'p> {
    pub(crate) policy: &'p Policy,
    pub(crate) code: Code,
    /// One for every indicator; missing ones where an agency is silent or left out.
    pub(crate) values: Vec<i64>,
    /// What the policy says of the values; nothing if they are no values of it.
    pub(crate) answer: Option<Answer>,
    /// One for every agency.
    pub(crate) from: Vec<Source>,
}

/// Whether an agency's values are its own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Sealed,
    Silent,
    LeftOut,
}

impl<'p> Reading<'p> {
    /// `number` is what was opened. `levels` has one entry for every agency of the policy, in its order; agencies beyond
    /// the list, or with another number of values than they have indicators, count as silent. `said_no` is whether the
    /// registrar sealed to the family that it opted out.
    ///
    /// Fails only for a policy built by hand that contradicts itself.
    pub fn new(
        policy: &'p Policy,
        number: u32,
        levels: &[Levels],
        said_no: bool,
    ) -> Result<Self, DecideError> {
        let mut values = policy.missing_values();
        let mut from = Vec::with_capacity(policy.agencies.len());
        for agency in 0..policy.agencies.len() {
            let own = || {
                let own = policy.indicators.iter().enumerate();
                own.filter(|(_, indicator)| indicator.agency == agency)
                    .map(|(position, _)| position)
            };
            from.push(match levels.get(agency) {
                Some(Levels::LeftOut) => Source::LeftOut,
                Some(Levels::Sealed(sealed)) if sealed.len() == own().count() => {
                    for (position, value) in own().zip(sealed) {
                        if let Some(place) = values.get_mut(position) {
                            *place = *value;
                        }
                    }
                    Source::Sealed
                }
                Some(Levels::Sealed(_) | Levels::Silent) | None => Source::Silent,
            });
        }
        let said_no = said_no && policy.opt_out == OptOut::Neutral;
        let answer = Interpreter::new(policy)?.answer(&values, said_no).ok();
        Ok(Self { policy, code: policy.code(number), values, answer, from })
    }

    /// How the result stands to the values.
    pub fn standing(&self) -> Standing {
        match (self.code, &self.answer) {
            (Code::Tier(tier), Some(Answer::Tier(outcome))) if outcome.tier == tier => {
                Standing::Explained
            }
            (Code::Tier(_), _) => Standing::DoesNotHold,
            (Code::OptedOut | Code::Withheld, Some(Answer::OptedOut)) => Standing::OptedOut,
            (Code::OptedOut, _) => Standing::OptedOutNotSealed,
            (Code::Undecided | Code::Withheld, Some(Answer::Undecided(_))) => Standing::Undecided,
            (Code::Undecided | Code::Withheld, _) => Standing::NoTier,
        }
    }

    /// The identifier of the tier, or of the reserved code. A number that is no tier says by itself that there is none;
    /// why, the sealed values say.
    pub fn id(&self) -> &'p str {
        self.code.id(self.policy).unwrap_or(match self.answer {
            Some(Answer::OptedOut) => OPTED_OUT,
            Some(Answer::Undecided(_)) => UNDECIDED,
            Some(Answer::Tier(_)) | None => INVALID,
        })
    }

    /// The agencies with this state, ascending.
    pub(crate) fn agencies(&self, state: Source) -> impl Iterator<Item = usize> + '_ {
        self.from
            .iter()
            .enumerate()
            .filter(move |(_, from)| **from == state)
            .map(|(agency, _)| agency)
    }
}
