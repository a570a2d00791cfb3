//! The suite that every engine must pass, the clear one included.

use crate::{Chunk, Encrypt, EngineError, Evaluate, Open, Plan, Verify};
use blindtier_policy::{Answer, Code, Interpreter, Policy};

/// One engine, ready to run a policy, with all capabilities.
pub struct Session<'a> {
    /// The plan.
    pub plan: &'a dyn Plan,
    /// A submitter's side.
    pub encrypt: &'a dyn Encrypt,
    /// Anybody's side.
    pub verify: &'a dyn Verify,
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
    /// An answer differs from the clear twin's.
    #[error(
        "family {family} with values {values:?}: the clear twin says {expected:?}, the engine {found:?}"
    )]
    Answer {
        /// Position of the family.
        family: usize,
        /// Its indicator values, and 1 behind them if it said no.
        values: Vec<i64>,
        /// The clear twin's.
        expected: Box<Answer>,
        /// The engine's.
        found: Code,
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

/// What the tests bind chunks to.
const BINDING: [u8; 32] = [11; 32];

/// Encrypts, evaluates and opens these families (values in the order of the policy and, behind them, 1 for a family that
/// said no) and compares every answer with the clear twin's.
pub fn agrees(
    policy: &Policy,
    families: &[Vec<i64>],
    session: &Session<'_>,
) -> Result<(), Violation> {
    let chunks = encrypt(families, session)?;
    let whole: Vec<Option<&[u8]>> = chunks.iter().map(|c| Some(c.as_slice())).collect();
    compare(policy, families, session, whole)
}

/// The same without one submitter after the other: its values are missing then.
pub fn agrees_without_any_one(
    policy: &Policy,
    families: &[Vec<i64>],
    session: &Session<'_>,
) -> Result<(), Violation> {
    let chunks = encrypt(families, session)?;
    let missing = policy.missing_values();
    for (place, absent) in session.plan.inputs().submitters().into_iter().enumerate() {
        let inputs =
            chunks.iter().enumerate().map(|(i, c)| (i != place).then_some(c.as_slice())).collect();
        let without = |values: &Vec<i64>| -> Vec<i64> {
            let known = policy.indicators.iter().zip(values).zip(&missing);
            let own = known
                .map(
                    |((indicator, value), missing)| {
                        if indicator.agency == absent { *missing } else { *value }
                    },
                )
                .collect::<Vec<i64>>();
            let said_no = values.get(policy.indicators.len()).copied().unwrap_or_default();
            let registrar = absent == policy.agencies.len();
            own.into_iter().chain([if registrar { 0 } else { said_no }]).collect()
        };
        let families: Vec<Vec<i64>> = families.iter().map(without).collect();
        compare(policy, &families, session, inputs)?;
    }
    Ok(())
}

fn compare(
    policy: &Policy,
    families: &[Vec<i64>],
    session: &Session<'_>,
    inputs: Vec<Option<&[u8]>>,
) -> Result<(), Violation> {
    let chunk = Chunk { families: families.len(), inputs, seed: [7; 32] };
    let evaluated = session.evaluate.evaluate(&chunk, &|_| {})?;
    let expected = session.plan.summary().operations.count(families.len());
    if evaluated.operations != expected {
        return Err(Violation::Operations { expected, found: evaluated.operations });
    }
    let numbers = session.open.open(families.len(), &evaluated.results)?;
    let twin = Interpreter::new(policy).map_err(|_| Violation::Values(0))?;
    for (family, (values, number)) in families.iter().zip(numbers).enumerate() {
        let known = values.get(..policy.indicators.len()).unwrap_or(values);
        let said_no = values.get(policy.indicators.len()).is_some_and(|said| *said != 0);
        let expected = twin.answer(known, said_no).map_err(|_| Violation::Values(family))?;
        let found = policy.code(number);
        let same = match (&expected, found) {
            (Answer::Tier(outcome), Code::Tier(tier)) => outcome.tier == tier,
            (Answer::OptedOut, Code::OptedOut | Code::Withheld)
            | (Answer::Undecided(_), Code::Undecided | Code::Withheld) => true,
            _ => false,
        };
        if !same {
            let (values, expected) = (values.clone(), expected.into());
            return Err(Violation::Answer { family, values, expected, found });
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
    let evaluate = |inputs: Vec<&[u8]>, families| {
        let inputs = inputs.into_iter().map(Some).collect();
        session.evaluate.evaluate(&Chunk { families, inputs, seed: [7; 32] }, &|_| {})
    };
    let submitters = session.plan.inputs().submitters();
    let verify = |submitter: usize, chunk: &[u8], families| {
        session.verify.verify(submitter, families, chunk, &BINDING)
    };
    let whole: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
    for (submitter, chunk) in submitters.iter().zip(&whole) {
        verify(*submitter, chunk, count)?;
    }
    let (Some((first, rest)), Some(submitter)) = (chunks.split_first(), submitters.first()) else {
        return Ok(());
    };
    let others = || rest.iter().map(Vec::as_slice);
    let shorter = first.get(..first.len().saturating_sub(1)).unwrap_or_default();
    let longer: Vec<u8> = first.iter().copied().chain([0]).collect();
    // The bytes of a batched chunk do not depend on how many of its slots are families.
    let slots = session.plan.chunk_slots().and_then(|slots| usize::try_from(slots).ok());
    let too_many = slots.unwrap_or(count) + 1;
    let damaged: [(&'static str, &[u8], usize); 4] = [
        ("a truncated chunk", shorter, count),
        ("trailing bytes", &longer, count),
        ("an empty chunk", &[], count),
        ("another number of families", first, too_many),
    ];
    for (what, chunk, families) in damaged {
        let inputs = std::iter::once(chunk).chain(others()).collect();
        if evaluate(inputs, families).is_ok() || verify(*submitter, chunk, families).is_ok() {
            return Err(Violation::Accepted(what));
        }
    }
    if evaluate(others().collect(), count).is_ok() {
        return Err(Violation::Accepted("a missing submitter"));
    }
    let results = evaluate(whole, count)?.results;
    if session.open.open(too_many, &results).is_ok() {
        return Err(Violation::Accepted("results of another number of families"));
    }
    if session.open.open(count, results.get(1..).unwrap_or_default()).is_ok() {
        return Err(Violation::Accepted("truncated results"));
    }
    let inputs = session.plan.inputs();
    for submitter in submitters {
        let mut columns = columns(families, session, submitter);
        let (_, max) = inputs
            .columns_of(submitter)
            .first()
            .and_then(|c| inputs.columns.get(*c))
            .map_or((0, 0), |c| c.range);
        if let Some(cell) = columns.first_mut().and_then(|c| c.first_mut()) {
            *cell = max + 1;
        }
        if session.encrypt.encrypt(submitter, &columns, &BINDING).is_ok() {
            return Err(Violation::Accepted("a value outside its column's range"));
        }
    }
    Ok(())
}

fn columns(families: &[Vec<i64>], session: &Session<'_>, submitter: usize) -> Vec<Vec<i64>> {
    let inputs = session.plan.inputs();
    inputs
        .columns_of(submitter)
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
        .submitters()
        .into_iter()
        .map(|submitter| {
            session.encrypt.encrypt(submitter, &columns(families, session, submitter), &BINDING)
        })
        .collect()
}
