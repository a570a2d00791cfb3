//! COLLECT tables that add up become scores.

use super::{Acceptance, Compiler};
use crate::Role;
use crate::draft::{Concept, Named, Score};
use crate::feel::Literal;
use crate::rows::{self, Row};
use crate::table::{Hit, Key, Output, Table};
use crate::variable::otherwise;
use blindtier_policy::{Decimal, MAX_TABLE};
use std::collections::BTreeMap;

/// The most decimals that a policy allows a score.
const MAX_DECIMALS: u32 = 9;

/// A rule on several variables: what it accepts of them, and what it adds.
struct Joint {
    keys: Vec<Key>,
    accepts: Vec<Vec<bool>>,
    amount: i64,
    rule: usize,
}

impl Compiler<'_, '_> {
    /// A table as a score: the identifier, and the variables it reads. A rule that tests one variable gives points to
    /// its classes; one that tests several becomes a concept of its own, whether it matches.
    pub(super) fn score(&mut self, table: &Table<'_>) -> Option<(Vec<Key>, String)> {
        let key = Key::Output { decision: table.decision, output: 0 };
        let decimals = self.variables.get(&key)?.sum?;
        if decimals > MAX_DECIMALS {
            let help = format!("write points with at most {MAX_DECIMALS} decimals");
            self.faults.add(
                table.place(),
                &table.raw.span,
                format!("points with {decimals} decimals"),
                help,
            );
            return None;
        }
        let acceptance = self.acceptance(table)?;
        self.check_covered(table, &acceptance)?;
        let Acceptance { keys, rules } = acceptance;
        let id = self.names.variable(table.name);
        let mut constant = 0i64;
        let mut points: BTreeMap<Key, Vec<i64>> = BTreeMap::new();
        let mut joint: Vec<Joint> = Vec::new();
        for (position, accepts) in rules.iter().enumerate() {
            let amount = self.amount(table, position, decimals)?;
            let Some(accepts) = accepts else {
                self.note_dead(table, position);
                continue;
            };
            if amount == 0 {
                continue;
            }
            let asked = keys.iter().zip(accepts).filter(|(_, classes)| classes.contains(&false));
            let asked: Vec<(&Key, &Vec<bool>)> = asked.collect();
            match asked.as_slice() {
                [] => constant = constant.checked_add(amount)?,
                [(key, classes)] => {
                    let sums =
                        points.entry((*key).clone()).or_insert_with(|| vec![0; classes.len()]);
                    for (sum, _) in
                        sums.iter_mut().zip(classes.iter()).filter(|(_, accepted)| **accepted)
                    {
                        *sum = sum.checked_add(amount)?;
                    }
                }
                several => joint.push(Joint {
                    keys: several.iter().map(|(key, _)| (*key).clone()).collect(),
                    accepts: several.iter().map(|(_, classes)| (*classes).clone()).collect(),
                    amount,
                    rule: position,
                }),
            }
        }
        // Points that all classes get are nobody's difference.
        for sums in points.values_mut() {
            if sums.windows(2).all(|pair| pair.first() == pair.last()) {
                constant = constant.checked_add(sums.first().copied().unwrap_or(0))?;
                sums.clear();
            }
        }
        points.retain(|_, sums| !sums.is_empty());
        let mut needed: Vec<Key> = points.keys().cloned().collect();
        let mut terms = Vec::new();
        for (key, sums) in &points {
            let variable = self.variables.get(key)?;
            let amounts = sums.iter().map(|sum| decimal(*sum, decimals));
            terms.push((
                variable.id.clone(),
                variable.classes.iter().cloned().zip(amounts).collect(),
            ));
        }
        for Joint { keys, accepts, amount, rule } in joint {
            let concept = self.joint_rule(table, &keys, &accepts, rule)?;
            let amounts = vec![
                ("no".to_owned(), Decimal::ZERO),
                ("yes".to_owned(), decimal(amount, decimals)),
            ];
            terms.push((concept, amounts));
            needed.extend(keys);
        }
        if terms.is_empty() {
            let help = "a sum that is always the same cannot be imported; drop the table";
            self.faults.add(
                table.place(),
                &table.raw.span,
                "the sum is the same whatever the inputs",
                help,
            );
            return None;
        }
        self.part(table.name, &id, Role::Score);
        self.draft.scores.push(Score {
            id: id.clone(),
            label: table.name.to_owned(),
            decimals,
            constant: decimal(constant, decimals),
            points: terms,
        });
        Some((needed, id))
    }

    /// What a rule adds, in units of the last decimal.
    fn amount(&mut self, table: &Table<'_>, position: usize, decimals: u32) -> Option<i64> {
        if table.hit == Hit::Count {
            return Some(1);
        }
        let (output, span) = table.rules.get(position)?.outputs.first()?;
        let amount = match output {
            Output::Value(Literal::Number(number)) => number.in_units(decimals),
            _ => None,
        };
        if amount.is_none() {
            let help = "write points of at most 18 digits in all";
            self.faults.add(table.place().rule(position), span, "the points are too large", help);
        }
        amount
    }

    /// Whether a rule over several variables matches, as a concept.
    fn joint_rule(
        &mut self,
        table: &Table<'_>,
        keys: &[Key],
        accepts: &[Vec<bool>],
        position: usize,
    ) -> Option<String> {
        self.sizes(table, keys)?;
        let label = format!("{}, rule {}", table.name, position.saturating_add(1));
        let id = self.names.variable(&label);
        let inputs = keys.iter().map(|key| self.variables.get(key).map(|v| v.id.clone()));
        let inputs: Vec<String> = inputs.collect::<Option<_>>()?;
        let named = |id: &str| -> Named { (id.to_owned(), id.to_owned()) };
        let rules =
            vec![(self.condition(keys, accepts), "yes".to_owned()), (Vec::new(), "no".to_owned())];
        self.part(&label, &id, Role::Concept);
        self.draft.concepts.push(Concept {
            id: id.clone(),
            label,
            inputs,
            classes: vec![named("no"), named("yes")],
            rules,
        });
        Some(id)
    }

    /// A collection of nothing is null in DMN and zero in a score: some rule must match, or zero be what is meant.
    fn check_covered(&mut self, table: &Table<'_>, acceptance: &Acceptance) -> Option<()> {
        if let Some(value) = otherwise(self.faults, self.model, self.map, table, 0) {
            if value == Literal::Number(Decimal::ZERO) {
                return Some(());
            }
            let message = format!("{value} when no rule matches cannot be expressed");
            let help = "a score without points is 0: give 0, or add a rule that always matches";
            self.faults.add(table.place(), &table.raw.span, message, help);
            return None;
        }
        let keys = &acceptance.keys;
        let rules: Vec<&Vec<Vec<bool>>> = acceptance.rules.iter().flatten().collect();
        let alone = |rule: &[Vec<bool>]| {
            rule.iter().filter(|classes| classes.contains(&false)).count() <= 1
        };
        // Classes that no rule on one variable covers: only among these can a combination be open.
        let mut open: Vec<Vec<usize>> = Vec::new();
        for (position, key) in keys.iter().enumerate() {
            let classes = 0..self.variables.get(key)?.cells.len();
            let covers = |rule: &Vec<Vec<bool>>, class: usize| {
                let others = rule.iter().enumerate().filter(|(other, _)| *other != position);
                others.into_iter().all(|(_, classes)| !classes.contains(&false))
                    && rule.get(position).and_then(|classes| classes.get(class)) == Some(&true)
            };
            open.push(
                classes.filter(|class| !rules.iter().any(|rule| covers(rule, *class))).collect(),
            );
        }
        let always = rules.iter().any(|rule| rule.iter().all(|classes| !classes.contains(&false)));
        if always {
            return Some(());
        }
        let sizes: Vec<usize> = open.iter().map(Vec::len).collect();
        let count = rows::total(&sizes);
        let joint: Vec<Row> = rules
            .iter()
            .filter(|rule| !alone(rule))
            .map(|rule| Row { accepts: (*rule).clone(), then: 0, rule: None })
            .collect();
        let help = format!(
            "say in the map that it is zero then: otherwise = 0 under [tables.\"{}\"]; or add a rule that always matches and gives 0",
            table.name
        );
        if !joint.is_empty() && count > MAX_TABLE {
            let message = "whether some rule always matches cannot be told";
            self.faults.add(table.place(), &table.raw.span, message, help);
            return None;
        }
        let numbers = if joint.is_empty() { count.min(1) } else { count };
        for number in 0..numbers {
            let chosen = rows::combination(&sizes, number);
            let classes = open.iter().zip(chosen).map(|(open, choice)| open.get(choice).copied());
            let combination: Vec<usize> = classes.collect::<Option<_>>()?;
            if !joint.iter().any(|row| row.matches(&combination)) {
                let example = self.example(keys, &combination);
                let message =
                    format!("no rule matches {example}, and in DMN the sum of nothing is null");
                self.faults.add(table.place(), &table.raw.span, message, help);
                return None;
            }
        }
        Some(())
    }
}

/// Units of the last decimal as a number in lowest terms.
fn decimal(mut units: i64, mut scale: u32) -> Decimal {
    while scale > 0 && units.checked_rem(10) == Some(0) {
        units = units.checked_div(10).unwrap_or(0);
        scale = scale.saturating_sub(1);
    }
    Decimal { units, scale }
}
