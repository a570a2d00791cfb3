//! The suite that every engine must pass, the clear one included.

use crate::{Encrypt, EngineError, Evaluate, Open, Plan};
use blindtier_policy::Policy;

/// One engine, ready to run a policy, with all capabilities.
pub struct Session<'a> {
    /// The plan.
    pub plan: &'a dyn Plan,
    /// An agency's side.
    pub encrypt: &'a dyn Encrypt,
    /// The evaluator's side.
    pub evaluate: &'a dyn Evaluate,
    /// The key holder's side.
    pub open: &'a dyn Open,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// The engine refused an honest run.
    #[error("refused an honest run: {0}")]
    Refused(#[from] EngineError),
    /// A tier differs from the clear twin's.
    #[error(
        "family {family} with values {values:?}: the clear twin says {expected}, the engine {found}"
    )]
    Tier {
        /// Position of the family.
        family: usize,
        /// Its indicator values.
        values: Vec<i64>,
        /// The clear twin's tier.
        expected: usize,
        /// The engine's code.
        found: u8,
    },
    /// The number of costly operations differs from the plan's.
    #[error("{found} operations were done, the plan says {expected}")]
    Operations {
        /// By the plan.
        expected: u64,
        /// Counted.
        found: u64,
    },
    /// The size of a submission depends on what is in it.
    #[error("chunks of the same shape have {one} and {other} bytes")]
    Size {
        /// One chunk.
        one: usize,
        /// Another.
        other: usize,
    },
    /// Bad bytes were accepted.
    #[error("accepted {0}")]
    Accepted(&'static str),
    /// The clear twin refused the values: the caller's test data is wrong.
    #[error("the clear twin refuses the values of family {0}")]
    Values(usize),
}

/// Encrypts, evaluates and opens these families (values in the order of the policy) and compares every tier
/// with the clear twin.
pub fn agrees(
    policy: &Policy,
    families: &[Vec<i64>],
    session: &Session<'_>,
) -> Result<(), Violation> {
    let chunks = encrypt(families, session)?;
    let inputs: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
    let evaluated = session.evaluate.evaluate(families.len(), &inputs, &|_| {})?;
    let expected = session.plan.summary().operations.count(families.len());
    if evaluated.operations != expected {
        return Err(Violation::Operations { expected, found: evaluated.operations });
    }
    let codes = session.open.open(families.len(), &evaluated.results)?;
    for (family, (values, code)) in families.iter().zip(codes).enumerate() {
        let expected = policy.decide(values).map_err(|_| Violation::Values(family))?.tier;
        if usize::from(code) != expected {
            return Err(Violation::Tier { family, values: values.clone(), expected, found: code });
        }
    }
    Ok(())
}

/// Checks that malformed chunks and results are refused and that sizes tell nothing.
pub fn refuses_malformed(families: &[Vec<i64>], session: &Session<'_>) -> Result<(), Violation> {
    let count = families.len();
    let chunks = encrypt(families, session)?;
    let same: Vec<Vec<i64>> = families.first().map(|f| vec![f.clone(); count]).unwrap_or_default();
    for (one, other) in chunks.iter().zip(encrypt(&same, session)?) {
        if one.len() != other.len() {
            return Err(Violation::Size { one: one.len(), other: other.len() });
        }
    }
    let evaluate =
        |inputs: &[&[u8]], families| session.evaluate.evaluate(families, inputs, &|_| {});
    let whole: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
    let Some((first, rest)) = chunks.split_first() else { return Ok(()) };
    let others = || rest.iter().map(Vec::as_slice);
    let shorter = first.get(..first.len().saturating_sub(1)).unwrap_or_default();
    let longer: Vec<u8> = first.iter().copied().chain([0]).collect();
    // The bytes of a batched chunk do not depend on how many of its slots are families.
    let slots = session.plan.chunk_slots().and_then(|slots| usize::try_from(slots).ok());
    let too_many = slots.unwrap_or(count) + 1;
    let cases: [(&'static str, Vec<&[u8]>, usize); 5] = [
        ("a truncated chunk", std::iter::once(shorter).chain(others()).collect(), count),
        ("trailing bytes", std::iter::once(longer.as_slice()).chain(others()).collect(), count),
        ("an empty chunk", std::iter::once(&[][..]).chain(others()).collect(), count),
        ("a missing agency", others().collect(), count),
        ("another number of families", whole.clone(), too_many),
    ];
    for (what, inputs, families) in cases {
        if evaluate(&inputs, families).is_ok() {
            return Err(Violation::Accepted(what));
        }
    }
    let results = evaluate(&whole, count)?.results;
    if session.open.open(too_many, &results).is_ok() {
        return Err(Violation::Accepted("results of another number of families"));
    }
    if session.open.open(count, results.get(1..).unwrap_or_default()).is_ok() {
        return Err(Violation::Accepted("truncated results"));
    }
    let inputs = session.plan.inputs();
    for agency in inputs.agencies() {
        let mut columns = columns(families, session, agency);
        let (_, max) = inputs
            .columns_of(agency)
            .first()
            .and_then(|c| inputs.columns.get(*c))
            .map_or((0, 0), |c| c.range);
        if let Some(cell) = columns.first_mut().and_then(|c| c.first_mut()) {
            *cell = max + 1;
        }
        if session.encrypt.encrypt(agency, &columns).is_ok() {
            return Err(Violation::Accepted("a value outside its column's range"));
        }
    }
    Ok(())
}

fn columns(families: &[Vec<i64>], session: &Session<'_>, agency: usize) -> Vec<Vec<i64>> {
    let inputs = session.plan.inputs();
    inputs
        .columns_of(agency)
        .into_iter()
        .map(|column| {
            families
                .iter()
                .map(|values| {
                    inputs.column_value(column, &mut |i| values.get(i).copied().unwrap_or_default())
                })
                .collect()
        })
        .collect()
}

fn encrypt(families: &[Vec<i64>], session: &Session<'_>) -> Result<Vec<Vec<u8>>, EngineError> {
    session
        .plan
        .inputs()
        .agencies()
        .into_iter()
        .map(|agency| session.encrypt.encrypt(agency, &columns(families, session, agency)))
        .collect()
}
