//! A policy from a first draft with a mistake to its hash and plan, without any encryption:
//! `cargo run --example write_a_policy`.

use blindtier::engine::{Plan, Proofs};
use blindtier::engine_tfhe::TfhePlan;
use blindtier::policy::passes::Layout;
use blindtier::policy::{Interpreter, Policy};
use miette::{IntoDiagnostic, Report, Result, bail, ensure};

/// Free school meals: points from three offices, and one rule that points must not outweigh.
const POLICY: &str = r#"
blindtier = "1"
name = "school-meals"
title = { en = "Free school meals" }
tiers = ["none", "half", "full"]

[agencies]
tax = { label = { en = "Tax office" } }
registry = { label = { en = "Civil registry" } }
school = { label = { en = "School" } }

[indicators.income]
agency = "tax"
aggregate = "sum"
per = "persons"
bands = [
  { level = "low", below = 100 },
  { level = "middle", from = 100, below = 250 },
  { level = "high", from = 250 },
]
missing = "high"

[indicators.children]
agency = "registry"
column = "child"
aggregate = "sum"
bands = [
  { level = "one", below = 2 },
  { level = "two", from = 2, below = 3 },
  { level = "more", from = 3 },
]
missing = "one"

[indicators.single_parent]
agency = "registry"
aggregate = "any"
levels = ["no", "yes"]
missing = "no"

[indicators.special_diet]
agency = "school"
aggregate = "any"
levels = ["no", "yes"]
missing = "no"

[scores.need]
points.income = { low = 4, middle = 2, high = 0 }
points.children = { one = 0, two = 1, more = 2 }
points.single_parent = { no = 0, yes = 2 }
points.special_diet = { no = 0, yes = 1 }

[cuts.meals]
score = "need"
classes = ["none", "half", "full"]
at = [3, 6]

[tier]
from = "meals"

[[overrides]]
at_least = "full"
when = { income = "low", special_diet = "yes" }

[opt_out]
result = "neutral"
"#;

/// Values in the order of the indicators, as positions of levels.
const FAMILIES: [(&str, [i64; 4]); 3] = [
    ("low income, one child, special diet", [0, 0, 0, 1]),
    ("middle income, three children, single parent", [1, 2, 1, 0]),
    ("unknown to every register", [2, 0, 0, 0]),
];

fn main() -> Result<()> {
    // A slip of the pen. The report points at the place and says what would be right.
    let draft = POLICY.replace("middle = 2", "midle = 2");
    match Policy::parse("draft.toml", &draft) {
        Ok(_) => bail!("the draft has a mistake and was accepted"),
        Err(errors) => println!("{:?}", Report::new(errors)),
    }

    let policy = Policy::parse("school-meals.toml", POLICY)?;
    println!("policy {}", policy.name);
    println!("hash   {}\n", policy.hash());

    let tier = |position: usize| policy.tiers.get(position).map_or("?", |tier| tier.id.as_str());
    for (who, values) in FAMILIES {
        let outcome = policy.decide(&values).into_diagnostic()?;
        let by = outcome.decided_by.map_or("the points", |_| "the override");
        println!("{who}: {}, by {by}", tier(outcome.tier));
    }

    // Every family that can be, in the clear twin and in the circuit that the engine would run.
    let plan = TfhePlan::new(&policy, Layout::Folded, 3, Proofs::On).into_diagnostic()?;
    let interpreter = Interpreter::new(&policy).into_diagnostic()?;
    let all = combinations(&policy);
    let mut histogram = vec![0usize; policy.tiers.len()];
    for values in &all {
        let decided = interpreter.decide(values).into_diagnostic()?.tier;
        let computed = plan.circuit().evaluate(values);
        ensure!(usize::try_from(computed) == Ok(decided), "{values:?}: {computed}, not {decided}");
        histogram.iter_mut().skip(decided).take(1).for_each(|count| *count += 1);
    }
    println!("\nall {} combinations; the circuit agrees with the clear twin on each", all.len());
    for (position, count) in histogram.iter().enumerate() {
        println!("{:>6} {count:>3} {}", tier(position), "#".repeat(*count));
    }

    println!("\nplan {}", plan.summary().engine);
    plan.describe().iter().for_each(|line| println!("  {line}"));
    Ok(())
}

/// Every combination of values that the indicators can take.
fn combinations(policy: &Policy) -> Vec<Vec<i64>> {
    policy.indicators.iter().fold(vec![Vec::new()], |shorter, indicator| {
        let (min, max) = indicator.range();
        let longer = |values: &Vec<i64>| {
            let values = values.clone();
            (min..=max).map(move |value| [values.as_slice(), &[value]].concat()).collect::<Vec<_>>()
        };
        shorter.iter().flat_map(longer).collect()
    })
}
