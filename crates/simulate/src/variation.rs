//! A policy with one number changed.

use crate::names::label;
use blindtier_policy::{Class, Decimal, Policy, Score, Term, Variable};
use blindtier_report::ChangeKind;

/// A changed policy and where it differs.
pub(crate) struct Variation {
    pub policy: Policy,
    /// The score whose cuts may fall otherwise.
    pub score: usize,
    pub what: What,
    pub kind: ChangeKind,
    pub place: String,
    pub from: String,
    pub to: String,
}

/// What is changed, as far as families have to be found whom it concerns.
#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    /// A threshold of a cut.
    Cut { cut: usize },
    /// The points of a class of a variable.
    Points { variable: Variable, class: i64, by: i64 },
    /// The weight of an indicator.
    Weight { indicator: usize, by: i64 },
}

/// Every threshold one unit and a twentieth of the score's range lower and higher, every point value and weight a tenth
/// lower and higher, one unit at least. A threshold stays between its neighbours.
pub(crate) fn variations(policy: &Policy) -> Vec<Variation> {
    let mut all = Vec::new();
    for (number, cut) in policy.cuts.iter().enumerate() {
        let Some(score) = policy.scores.get(cut.score) else { continue };
        let wide = (range(policy, score) / 20).max(1);
        let steps: &[i64] = if wide == 1 { &[-1, 1] } else { &[-wide, -1, 1, wide] };
        for (position, at) in cut.at.iter().enumerate() {
            let before = position.checked_sub(1).and_then(|before| cut.at.get(before));
            let after = position.checked_add(1).and_then(|after| cut.at.get(after));
            let low = before.map_or(i64::MIN, |before| before.saturating_add(1));
            let high = after.map_or(i64::MAX, |after| after.saturating_sub(1));
            let mut done = vec![*at];
            for step in steps {
                let to = at.saturating_add(*step).clamp(low, high);
                if done.contains(&to) {
                    continue;
                }
                done.push(to);
                let mut changed = policy.clone();
                let place = changed.cuts.get_mut(number).and_then(|cut| cut.at.get_mut(position));
                if let Some(place) = place {
                    *place = to;
                }
                let class = position.checked_add(1).and_then(|class| cut.classes.get(class));
                all.push(Variation {
                    policy: changed,
                    score: cut.score,
                    what: What::Cut { cut: number },
                    kind: ChangeKind::Cut,
                    place: format!(
                        "{}: {} from",
                        label(&cut.label, &cut.id),
                        class.map_or_else(String::new, |class| class_name(policy, class))
                    ),
                    from: amount(score, *at),
                    to: amount(score, to),
                });
            }
        }
    }
    for (number, score) in policy.scores.iter().enumerate() {
        for (position, term) in score.terms.iter().enumerate() {
            match term {
                Term::Points { variable, points } => {
                    for (class, value) in points.iter().enumerate() {
                        for by in tenth(*value) {
                            all.extend(points_changed(
                                policy,
                                (number, position),
                                *variable,
                                class,
                                by,
                            ));
                        }
                    }
                }
                Term::Weight { indicator, weight } => {
                    for by in tenth(*weight) {
                        all.extend(weight_changed(policy, (number, position), *indicator, by));
                    }
                }
            }
        }
    }
    all
}

fn points_changed(
    policy: &Policy,
    (score, term): (usize, usize),
    variable: Variable,
    class: usize,
    by: i64,
) -> Option<Variation> {
    let mut changed = policy.clone();
    let Term::Points { points, .. } = changed.scores.get_mut(score)?.terms.get_mut(term)? else {
        return None;
    };
    let value = points.get_mut(class)?;
    let from = *value;
    *value = value.checked_add(by)?;
    let to = *value;
    let named = policy.classes(variable).get(class).map(name).unwrap_or_default();
    let old = policy.scores.get(score)?;
    Some(Variation {
        policy: changed,
        score,
        what: What::Points { variable, class: i64::try_from(class).ok()?, by },
        kind: ChangeKind::Points,
        place: format!("{}: {named}", variable_name(policy, variable)),
        from: amount(old, from),
        to: amount(old, to),
    })
}

fn weight_changed(
    policy: &Policy,
    (score, term): (usize, usize),
    indicator: usize,
    by: i64,
) -> Option<Variation> {
    let mut changed = policy.clone();
    let Term::Weight { weight, .. } = changed.scores.get_mut(score)?.terms.get_mut(term)? else {
        return None;
    };
    let from = *weight;
    *weight = weight.checked_add(by)?;
    let to = *weight;
    let old = policy.scores.get(score)?;
    Some(Variation {
        policy: changed,
        score,
        what: What::Weight { indicator, by },
        kind: ChangeKind::Weight,
        place: format!("{}: weight", variable_name(policy, Variable::Indicator(indicator))),
        from: amount(old, from),
        to: amount(old, to),
    })
}

/// A tenth of an amount down and up, one unit at least.
fn tenth(amount: i64) -> [i64; 2] {
    let step = amount.saturating_abs().saturating_add(5).checked_div(10).unwrap_or(0).max(1);
    [step.saturating_neg(), step]
}

/// How far the smallest and the largest sum of a score lie apart.
fn range(policy: &Policy, score: &Score) -> i64 {
    let spread = |term: &Term| match term {
        Term::Points { points, .. } => {
            let (low, high) = (points.iter().min(), points.iter().max());
            high.copied().unwrap_or(0).saturating_sub(low.copied().unwrap_or(0))
        }
        Term::Weight { indicator, weight } => {
            let (low, high) = policy.indicators.get(*indicator).map_or((0, 0), |i| i.range());
            high.saturating_sub(low).saturating_mul(weight.saturating_abs())
        }
    };
    score.terms.iter().map(spread).fold(0, i64::saturating_add)
}

fn variable_name(policy: &Policy, variable: Variable) -> String {
    let found = match variable {
        Variable::Indicator(i) => policy.indicators.get(i).map(|x| (&x.label, &x.id)),
        Variable::Concept(i) => policy.concepts.get(i).map(|x| (&x.label, &x.id)),
        Variable::Cut(i) => policy.cuts.get(i).map(|x| (&x.label, &x.id)),
    };
    found.map_or_else(String::new, |(labels, id)| label(labels, id))
}

/// A class of a cut; one without a label of its own may be named like a tier that has one.
fn class_name(policy: &Policy, class: &Class) -> String {
    let tier = policy.tiers.iter().find(|tier| tier.id == class.id);
    name(tier.filter(|_| name(class) == class.id).unwrap_or(class))
}

fn name(class: &Class) -> String {
    label(&class.label, &class.id)
}

fn amount(score: &Score, units: i64) -> String {
    Decimal { units, scale: score.decimals }.to_string()
}
