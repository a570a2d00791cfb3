//! tfhe as its tutorial shows it: every value a `FheUint8`, every rule comparisons and selects, every score a sum.
//!
//! The policy is followed as it is written: rules of a table from the last to the first, points by comparing with every
//! class that has some. Comparisons are kept, so that no class of a variable is compared twice.

use super::Approach;
use crate::CompareError;
use crate::protocol::{Done, Ready};
use blindtier_policy::{
    Concept, Condition, Domain, Effect, Policy, Score, Step, Table, Term, Variable,
};
use blindtier_report::units::float;
use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Instant;
use tfhe::prelude::*;
use tfhe::{
    ClientKey, CompressedServerKey, ConfigBuilder, FheBool, FheInt16, FheInt32, FheUint8,
    ServerKey, get_pbs_count, reset_pbs_count, set_server_key,
};

/// Base-2 logarithm of the failure probability of a lookup with the library's default parameters.
const LOOKUP_FAILURE_LOG2: f64 = -128.0;

pub(super) struct Naive {
    policy: Policy,
    client: ClientKey,
    server: ServerKey,
    ready: Ready,
}

impl Naive {
    pub(super) fn new(policy: Policy) -> Self {
        let start = Instant::now();
        let client = ClientKey::generate(ConfigBuilder::default().build());
        let compressed = CompressedServerKey::new(&client);
        let key = bincode::serialized_size(&compressed).ok();
        let server = compressed.decompress();
        let setup_seconds = start.elapsed().as_secs_f64();
        let value = bincode::serialized_size(&FheUint8::encrypt(0u8, &client)).ok();
        #[expect(clippy::cast_precision_loss, reason = "sizes for people")]
        let bytes = |count: usize| value.map(|bytes| bytes as f64 * count as f64);
        let ready = Ready {
            ready: true,
            name: "tfhe, FheUint8".into(),
            version: "1.8.2".into(),
            parameters: "the library's defaults".into(),
            security_bits: Some(128),
            failure_log2: None,
            lookups: None,
            multiplications: None,
            rounds: Some(0),
            setup_seconds,
            key_bytes: key,
            upload_bytes_per_family: bytes(policy.indicators.len()),
            result_bytes_per_family: bytes(1),
            chunk: 1,
            notes: vec![
                "weights, comparisons and selects as the library's tutorial has them; 2^-128 is the failure probability of one bootstrap, of which there are as many as the column of lookups says".into(),
            ],
        };
        Self { policy, client, server, ready }
    }
}

impl Approach for Naive {
    fn ready(&self) -> Ready {
        self.ready.clone()
    }

    fn run(&self, families: &[&[i64]]) -> Result<Done, CompareError> {
        set_server_key(self.server.clone());
        let start = Instant::now();
        let encrypted: Vec<Vec<Value>> = families
            .iter()
            .map(|family| {
                let values = self.policy.indicators.iter().zip(*family);
                values.map(|(indicator, value)| self.encrypt(&indicator.domain, *value)).collect()
            })
            .collect();
        let encrypt_seconds = start.elapsed().as_secs_f64();
        reset_pbs_count();
        let start = Instant::now();
        let steps = self.policy.steps().map_err(|_| broken())?;
        let tiers = encrypted
            .iter()
            .map(|values| Family::new(&self.policy, values).tier(&steps).ok_or_else(broken))
            .collect::<Result<Vec<_>, _>>()?;
        let seconds = start.elapsed().as_secs_f64();
        let lookups = get_pbs_count() / u64::try_from(families.len().max(1)).unwrap_or(1);
        let start = Instant::now();
        let opened = tiers.iter().map(|tier| {
            let tier: u8 = tier.decrypt(&self.client);
            i64::from(tier)
        });
        let opened = opened.collect();
        let open_seconds = start.elapsed().as_secs_f64();
        let mut done = Done::of(opened, families.len(), seconds, encrypt_seconds, open_seconds);
        done.lookups = Some(lookups);
        // Each lookup is a chance to fail.
        done.failure_log2 = Some(LOOKUP_FAILURE_LOG2 + float(lookups).log2());
        Ok(done)
    }
}

fn broken() -> CompareError {
    CompareError::Approach("the policy is broken".into())
}

impl Naive {
    fn encrypt(&self, domain: &Domain, value: i64) -> Value {
        match domain {
            Domain::Levels { .. } => Value::Level(FheUint8::encrypt(
                u8::try_from(value).unwrap_or(u8::MAX),
                &self.client,
            )),
            Domain::Integer { .. } => {
                let value = i32::try_from(value).unwrap_or(i32::MAX);
                Value::Number(FheInt32::encrypt(value, &self.client))
            }
        }
    }
}

/// An encrypted indicator.
enum Value {
    Level(FheUint8),
    Number(FheInt32),
}

/// A score in the narrowest type that the library has for it.
enum Sum {
    Short(FheInt16),
    Long(FheInt32),
}

/// What is known of a family on the way to its tier.
struct Family<'a> {
    policy: &'a Policy,
    values: &'a [Value],
    concepts: Vec<Option<FheUint8>>,
    scores: Vec<Option<Sum>>,
    cuts: Vec<Option<FheUint8>>,
    /// Whether a variable has a class.
    compared: RefCell<HashMap<(Variable, usize), FheBool>>,
}

impl<'a> Family<'a> {
    fn new(policy: &'a Policy, values: &'a [Value]) -> Self {
        Self {
            policy,
            values,
            concepts: policy.concepts.iter().map(|_| None).collect(),
            scores: policy.scores.iter().map(|_| None).collect(),
            cuts: policy.cuts.iter().map(|_| None).collect(),
            compared: RefCell::default(),
        }
    }

    fn tier(mut self, steps: &[Step]) -> Option<FheUint8> {
        for step in steps {
            match *step {
                Step::Concept(i) => {
                    let class = self.concept(self.policy.concepts.get(i)?)?;
                    *self.concepts.get_mut(i)? = Some(class);
                }
                Step::Score(i) => {
                    let sum = self.score(self.policy.scores.get(i)?)?;
                    *self.scores.get_mut(i)? = Some(sum);
                }
                Step::Cut(i) => {
                    let cut = self.policy.cuts.get(i)?;
                    let class = self.scores.get(cut.score)?.as_ref()?.class(&cut.at)?;
                    *self.cuts.get_mut(i)? = Some(class);
                }
            }
        }
        let decision = &self.policy.decision;
        let same = decision.tiers.iter().enumerate().all(|(class, tier)| class == *tier);
        let mut tier = if same {
            self.class(decision.from)?.clone()
        } else {
            let classes = decision.tiers.iter().enumerate();
            let cases = classes.map(|(class, tier)| Some((self.has(decision.from, class)?, *tier)));
            first_match(cases.collect::<Option<Vec<_>>>()?)?
        };
        for rule in &self.policy.overrides {
            let holds = self.holds(&rule.when)?;
            let named = u8::try_from(rule.tier).ok()?;
            let changed = match rule.effect {
                Effect::AtLeast => tier.max(named),
                Effect::AtMost => tier.min(named),
                Effect::Exactly => FheUint8::encrypt_trivial(named),
            };
            tier = holds.if_then_else(&changed, &tier);
        }
        Some(tier)
    }

    fn class(&self, variable: Variable) -> Option<&FheUint8> {
        match variable {
            Variable::Indicator(i) => match self.values.get(i)? {
                Value::Level(level) => Some(level),
                Value::Number(_) => None,
            },
            Variable::Concept(i) => self.concepts.get(i)?.as_ref(),
            Variable::Cut(i) => self.cuts.get(i)?.as_ref(),
        }
    }

    /// Whether a variable has a class.
    fn has(&self, variable: Variable, class: usize) -> Option<FheBool> {
        if let Some(known) = self.compared.borrow().get(&(variable, class)) {
            return Some(known.clone());
        }
        let equal = self.class(variable)?.eq(u8::try_from(class).ok()?);
        self.compared.borrow_mut().insert((variable, class), equal.clone());
        Some(equal)
    }

    /// Whether a variable has one of some classes.
    fn has_any(&self, variable: Variable, classes: &[usize]) -> Option<FheBool> {
        let has = classes.iter().map(|class| self.has(variable, *class));
        has.reduce(|a, b| Some(a? | b?)).unwrap_or_else(|| Some(FheBool::encrypt_trivial(false)))
    }

    fn concept(&self, concept: &Concept) -> Option<FheUint8> {
        let all = |conditions: Vec<Option<FheBool>>| {
            let all = conditions.into_iter().reduce(|a, b| Some(a? & b?));
            all.unwrap_or_else(|| Some(FheBool::encrypt_trivial(true)))
        };
        let cases = match &concept.table {
            Table::FirstMatch(rules) => rules
                .iter()
                .map(|rule| {
                    let conditions = concept.inputs.iter().zip(&rule.when);
                    let conditions = conditions.filter_map(|(variable, classes)| {
                        Some(self.has_any(*variable, classes.as_ref()?))
                    });
                    Some((all(conditions.collect())?, rule.then))
                })
                .collect::<Option<Vec<_>>>()?,
            Table::Grid(cells) => {
                let sizes: Vec<usize> =
                    concept.inputs.iter().map(|v| self.policy.classes(*v).len()).collect();
                let cell = |(position, class): (usize, &usize)| {
                    let mut rest = position;
                    let conditions = concept.inputs.iter().zip(&sizes).rev().map(|(v, size)| {
                        let found = self.has(*v, rest % size.max(&1));
                        rest /= size.max(&1);
                        found
                    });
                    Some((all(conditions.collect())?, *class))
                };
                cells.iter().enumerate().map(cell).collect::<Option<Vec<_>>>()?
            }
        };
        first_match(cases)
    }

    fn holds(&self, condition: &Condition) -> Option<FheBool> {
        match condition {
            Condition::Is { variable, classes } => self.has_any(*variable, classes),
            Condition::All(parts) => {
                let parts = parts.iter().map(|part| self.holds(part));
                parts
                    .reduce(|a, b| Some(a? & b?))
                    .unwrap_or_else(|| Some(FheBool::encrypt_trivial(true)))
            }
            Condition::Any(parts) => {
                let parts = parts.iter().map(|part| self.holds(part));
                parts
                    .reduce(|a, b| Some(a? | b?))
                    .unwrap_or_else(|| Some(FheBool::encrypt_trivial(false)))
            }
            Condition::Not(part) => Some(!self.holds(part)?),
            Condition::Count { min, max, of } => {
                let mut count = FheUint8::encrypt_trivial(0u8);
                for part in of {
                    let holds: FheUint8 = self.holds(part)?.cast_into();
                    count += holds;
                }
                Some(count.ge(u8::try_from(*min).ok()?) & count.le(u8::try_from(*max).ok()?))
            }
        }
    }

    fn score(&self, score: &Score) -> Option<Sum> {
        let reach = score.terms.iter().fold(score.constant.abs(), |reach, term| {
            let most = match term {
                Term::Points { points, .. } => points.iter().map(|p| p.abs()).max().unwrap_or(0),
                Term::Weight { indicator, weight } => {
                    let (min, max) =
                        self.policy.indicators.get(*indicator).map_or((0, 0), |i| i.range());
                    weight.saturating_mul(min.abs().max(max.abs()))
                }
            };
            reach.saturating_add(most.abs())
        });
        let has = |variable, class| self.has(variable, class);
        let number = |indicator: usize| match self.values.get(indicator)? {
            Value::Number(number) => Some(number),
            Value::Level(_) => None,
        };
        macro_rules! sum {
            ($encrypted:ty, $clear:ty) => {{
                let clear = |value: i64| <$clear>::try_from(value).ok();
                let mut sum = <$encrypted>::encrypt_trivial(clear(score.constant)?);
                for term in &score.terms {
                    match term {
                        Term::Points { variable, points } => {
                            for (class, points) in points.iter().enumerate() {
                                if *points != 0 {
                                    let has: $encrypted = has(*variable, class)?.cast_into();
                                    sum += has * clear(*points)?;
                                }
                            }
                        }
                        Term::Weight { indicator, weight } => {
                            let number = <$encrypted>::cast_from(number(*indicator)?.clone());
                            sum += number * clear(*weight)?;
                        }
                    }
                }
                sum
            }};
        }
        Some(if reach <= i64::from(i16::MAX) {
            Sum::Short(sum!(FheInt16, i16))
        } else {
            Sum::Long(sum!(FheInt32, i32))
        })
    }
}

impl Sum {
    /// How many thresholds the sum reaches.
    fn class(&self, at: &[i64]) -> Option<FheUint8> {
        let mut class = FheUint8::encrypt_trivial(0u8);
        for threshold in at {
            let reached = match self {
                Self::Short(sum) => sum.ge(i16::try_from(*threshold).ok()?),
                Self::Long(sum) => sum.ge(i32::try_from(*threshold).ok()?),
            };
            let reached: FheUint8 = reached.cast_into();
            class += reached;
        }
        Some(class)
    }
}

/// The class of the first case that holds; the last one holds if no other does.
fn first_match(mut cases: Vec<(FheBool, usize)>) -> Option<FheUint8> {
    let class = |class: usize| Some(FheUint8::encrypt_trivial(u8::try_from(class).ok()?));
    let (_, last) = cases.pop()?;
    let mut found = class(last)?;
    for (holds, then) in cases.into_iter().rev() {
        found = holds.if_then_else(&class(then)?, &found);
    }
    Some(found)
}
