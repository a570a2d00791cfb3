//! Random valid policies and families, for property tests here and in the crates that build on this one.
//!
//! A policy is built from a list of random numbers, each of which settles one choice. Shrinking the numbers towards zero
//! shrinks the policy.

use crate::{
    Agency, Aggregate, Class, Concept, Condition, Cut, Decision, Domain, Effect, Indicator, Labels,
    LevelRule, OptOut, Override, Policy, Reason, Rule, Score, Table, Term, Variable,
};
use proptest::prelude::*;

/// Small valid policies: 2–4 agencies, 2–6 indicators of 2–4 levels, perhaps one integer, up to 3 concepts, 2 scores with a
/// cut each, 3 overrides, and reasons. Every indicator has some influence, as the parser demands.
pub fn policies() -> impl Strategy<Value = Policy> {
    prop::collection::vec(any::<u16>(), 400)
        .prop_map(|numbers| build(Choices { numbers: numbers.into_iter() }))
}

/// The values of one family, each within the range of its indicator.
pub fn families(policy: &Policy) -> impl Strategy<Value = Vec<i64>> + use<> {
    policy
        .indicators
        .iter()
        .map(|indicator| {
            let (min, max) = indicator.range();
            min..=max
        })
        .collect::<Vec<_>>()
}

/// The rest of the random numbers; zeros once they are used up.
struct Choices {
    numbers: std::vec::IntoIter<u16>,
}

impl Choices {
    /// From 0 to `count − 1`; 0 if `count` is 0.
    fn below(&mut self, count: usize) -> usize {
        usize::from(self.numbers.next().unwrap_or(0)).checked_rem(count).unwrap_or(0)
    }

    /// From `low` to `high`, both included.
    fn between(&mut self, low: i64, high: i64) -> i64 {
        let count = usize::try_from(high.saturating_sub(low).saturating_add(1)).unwrap_or(0);
        low.saturating_add(i64::try_from(self.below(count)).unwrap_or(0))
    }

    fn coin(&mut self) -> bool {
        self.below(2) == 1
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        let position = self.below(from.len());
        from.get(position).copied()
    }

    /// Some of the positions below `count`, at least one, ascending.
    fn some_of(&mut self, count: usize) -> Vec<usize> {
        let chosen: Vec<usize> = (0..count).filter(|_| self.coin()).collect();
        if chosen.is_empty() { vec![self.below(count)] } else { chosen }
    }

    /// One to `most` different variables of the pool.
    fn distinct(&mut self, pool: &[Variable], most: usize) -> Vec<Variable> {
        let mut chosen = Vec::new();
        for _ in 0..=self.below(most) {
            chosen.extend(self.pick(pool).filter(|variable| !chosen.contains(variable)));
        }
        chosen
    }
}

fn build(mut choices: Choices) -> Policy {
    let tier_count = 2 + choices.below(4);
    let mut policy = Policy {
        name: "random".to_owned(),
        title: label("random"),
        tiers: classes("tier", tier_count),
        agencies: Vec::new(),
        indicators: Vec::new(),
        concepts: Vec::new(),
        scores: Vec::new(),
        cuts: Vec::new(),
        decision: Decision { from: Variable::Indicator(0), tiers: Vec::new() },
        overrides: Vec::new(),
        opt_out: if choices.coin() { OptOut::Neutral } else { OptOut::NotOffered },
        reasons: Vec::new(),
    };
    let integer = add_indicators(&mut policy, &mut choices);
    let mut pool: Vec<Variable> = (0..policy.indicators.len())
        .filter(|&i| Some(i) != integer)
        .map(Variable::Indicator)
        .collect();

    let mut concepts = choices.below(4);
    // An integer matters only through a score.
    let mut scores = choices.below(3).max(usize::from(integer.is_some()));
    while concepts + scores > 0 {
        if scores == 0 || (concepts > 0 && choices.coin()) {
            concepts -= 1;
            let concept = concept(&policy, &pool, &mut choices);
            pool.push(Variable::Concept(policy.concepts.len()));
            policy.concepts.push(concept);
        } else {
            scores -= 1;
            let weighed = integer.filter(|_| policy.scores.is_empty());
            add_score(&mut policy, &pool, weighed, &mut choices);
            pool.push(Variable::Cut(policy.cuts.len() - 1));
        }
    }

    // The later variables depend on the earlier ones, so they make the more interesting decisions.
    let from = pool
        .get(pool.len() - 1 - choices.below(pool.len().min(2)))
        .copied()
        .unwrap_or(Variable::Indicator(0));
    let tiers = policy.classes(from).iter().map(|_| choices.below(tier_count)).collect();
    policy.decision = Decision { from, tiers };
    for _ in 0..choices.below(4) {
        let effect = choices
            .pick(&[Effect::AtLeast, Effect::AtMost, Effect::Exactly])
            .unwrap_or(Effect::Exactly);
        let tier = choices.below(tier_count);
        let when = condition(&policy, &pool, 3, &mut choices);
        policy.overrides.push(Override { effect, tier, when, label: label("override") });
    }
    for _ in 0..choices.below(3) {
        let when = condition(&policy, &pool, 2, &mut choices);
        add_reason(&mut policy, when);
    }
    for (position, influential) in policy.influential().into_iter().enumerate() {
        if !influential {
            let variable = if Some(position) == integer {
                Variable::Cut(0)
            } else {
                Variable::Indicator(position)
            };
            add_reason(&mut policy, Condition::Is { variable, classes: vec![0] });
        }
    }
    policy
}

/// Adds agencies and indicators; gives the position of the integer, if there is one.
fn add_indicators(policy: &mut Policy, choices: &mut Choices) -> Option<usize> {
    let agencies = 2 + choices.below(3);
    policy.agencies = (0..agencies)
        .map(|i| named("agency", i))
        .map(|id| Agency { label: label(&id), id })
        .collect();
    let leveled = (2 + choices.below(5)).max(agencies);
    for position in 0..leveled {
        // The first ones give every agency something to hold.
        let agency = if position < agencies { position } else { choices.below(agencies) };
        let levels = classes("level", 2 + choices.below(3));
        let rule =
            LevelRule::Categories(levels.iter().map(|level| vec![level.id.clone()]).collect());
        let missing = choices.below(levels.len());
        policy.indicators.push(indicator(
            position,
            agency,
            Domain::Levels { levels, rule, missing: Some(missing) },
        ));
    }
    choices.coin().then(|| {
        let min = choices.between(-4, 4);
        let max = min + choices.between(1, 8);
        let domain = Domain::Integer {
            min,
            max,
            unit: "units".to_owned(),
            missing: Some(choices.between(min, max)),
        };
        policy.indicators.push(indicator(leveled, choices.below(agencies), domain));
        leveled
    })
}

fn indicator(position: usize, agency: usize, domain: Domain) -> Indicator {
    let id = named("indicator", position);
    Indicator {
        label: label(&id),
        agency,
        columns: vec![id.clone()],
        aggregate: Aggregate::First,
        matches: Vec::new(),
        per: None,
        domain,
        id,
    }
}

fn concept(policy: &Policy, pool: &[Variable], choices: &mut Choices) -> Concept {
    let id = named("concept", policy.concepts.len());
    let inputs = choices.distinct(pool, 3);
    let classes = classes("class", 2 + choices.below(3));
    let sizes: Vec<usize> = inputs.iter().map(|&input| policy.classes(input).len()).collect();
    let table = if choices.coin() {
        Table::Grid((0..sizes.iter().product()).map(|_| choices.below(classes.len())).collect())
    } else {
        Table::FirstMatch(rules(&sizes, classes.len(), choices))
    };
    Concept { label: label(&id), id, inputs, classes, table }
}

/// Random rules, those that are never reached left out, and a last one for the rest if there is any.
fn rules(sizes: &[usize], classes: usize, choices: &mut Choices) -> Vec<Rule> {
    let mut open: Vec<Vec<usize>> = vec![Vec::new()];
    for &size in sizes {
        open = open
            .iter()
            .flat_map(|start| (0..size).map(move |class| [start.as_slice(), &[class]].concat()))
            .collect();
    }
    let mut rules = Vec::new();
    for round in (0..=choices.below(4)).rev() {
        let when: Vec<Option<Vec<usize>>> = sizes
            .iter()
            .map(|&size| (round > 0 && choices.coin()).then(|| choices.some_of(size)))
            .collect();
        let before = open.len();
        open.retain(|classes| {
            !when
                .iter()
                .zip(classes)
                .all(|(accepted, class)| accepted.as_ref().is_none_or(|list| list.contains(class)))
        });
        if open.len() < before {
            rules.push(Rule { when, then: choices.below(classes) });
        }
    }
    rules
}

/// Adds a score and its cut. The score weighs the given integer.
fn add_score(
    policy: &mut Policy,
    pool: &[Variable],
    weighed: Option<usize>,
    choices: &mut Choices,
) {
    let mut terms = Vec::new();
    for variable in choices.distinct(pool, 4) {
        let points = policy.classes(variable).iter().map(|_| choices.between(-20, 20)).collect();
        terms.push(Term::Points { variable, points });
    }
    terms.extend(
        weighed.map(|indicator| Term::Weight { indicator, weight: choices.between(-5, 5) }),
    );
    let id = named("score", policy.scores.len());
    let decimals = u32::try_from(choices.below(3)).unwrap_or(0);
    policy.scores.push(Score {
        label: label(&id),
        id,
        decimals,
        constant: choices.between(-20, 20),
        terms,
    });

    let id = named("cut", policy.cuts.len());
    let classes = classes("class", 2 + choices.below(3));
    let mut start = choices.between(-40, 20);
    let at = classes
        .iter()
        .skip(1)
        .map(|_| {
            start += choices.between(1, 20);
            start
        })
        .collect();
    policy.cuts.push(Cut { label: label(&id), id, score: policy.scores.len() - 1, classes, at });
}

fn condition(policy: &Policy, pool: &[Variable], depth: usize, choices: &mut Choices) -> Condition {
    let kind = if depth == 0 { 0 } else { choices.below(6) };
    if kind < 2 {
        let variable = choices.pick(pool).unwrap_or(Variable::Indicator(0));
        return Condition::Is {
            variable,
            classes: choices.some_of(policy.classes(variable).len()),
        };
    }
    let mut inner = || condition(policy, pool, depth - 1, choices);
    if kind == 2 {
        return Condition::Not(Box::new(inner()));
    }
    let of = vec![inner(), inner(), inner()];
    match kind {
        3 => Condition::All(of),
        4 => Condition::Any(of),
        _ => {
            let min = choices.below(of.len() + 1);
            let max = min + choices.below(of.len() + 1 - min);
            Condition::Count { min, max, of }
        }
    }
}

fn add_reason(policy: &mut Policy, when: Condition) {
    let id = named("reason", policy.reasons.len());
    policy.reasons.push(Reason { label: label(&id), id, when });
}

fn classes(kind: &str, count: usize) -> Vec<Class> {
    (0..count).map(|i| named(kind, i)).map(|id| Class { label: label(&id), id }).collect()
}

fn named(kind: &str, number: usize) -> String {
    format!("{kind}_{number}")
}

fn label(text: &str) -> Labels {
    Labels::from([("en".to_owned(), text.to_owned())])
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest! {
        #[test]
        fn every_policy_decides_for_every_family((policy, values) in policies().prop_flat_map(|policy| {
            let families = families(&policy);
            (Just(policy), families)
        })) {
            prop_assert!(policy.influential().iter().all(|&influential| influential));
            let outcome = policy.decide(&values).unwrap();
            prop_assert!(outcome.tier < policy.tiers.len());
            prop_assert_eq!(outcome.concepts.len() + outcome.cuts.len(), policy.concepts.len() + policy.cuts.len());
            policy.decide(&policy.missing_values()).unwrap();
        }
    }
}
