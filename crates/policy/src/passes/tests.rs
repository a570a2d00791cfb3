//! Every pass keeps the clear result: exhaustively for Nursery, on cut-offs and random points elsewhere.

use super::fold::{Owner, fold};
use super::narrow::{Freedom, narrow};
use super::{Layout, Prices, cluster, reduce, scale, split};
use crate::arbitrary::{families, policies};
use crate::circuit::{Circuit, Step, compile};
use crate::{Answer, Interpreter, Policy};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

/// Sixteen values a lookup; any cut for three.
struct Sixteen;

impl Prices for Sixteen {
    fn width(&self) -> usize {
        16
    }

    fn cut(&self, max: i64, _at: &[i64]) -> Option<u32> {
        Some(if max < 16 { 1 } else { 3 })
    }
}

fn shipped(name: &str) -> Policy {
    let file = format!("{}/../../policies/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    Policy::parse(name, &std::fs::read_to_string(file).unwrap()).unwrap()
}

fn every_family(policy: &Policy) -> Vec<Vec<i64>> {
    policy.indicators.iter().fold(vec![Vec::new()], |families, indicator| {
        let (min, max) = indicator.range();
        families
            .iter()
            .flat_map(|family| {
                (min..=max).map(move |value| family.iter().copied().chain([value]).collect())
            })
            .collect()
    })
}

fn narrow_enough(circuit: &Circuit) -> bool {
    circuit.steps.iter().all(|step| match step {
        Step::Lookup { table, .. } => table.len() <= 16,
        Step::Cut { .. } => true,
    })
}

#[test]
fn nursery_is_unchanged_by_every_pass_on_all_its_families() {
    let policy = shipped("nursery");
    let mut graph = compile(&policy);
    let families = every_family(&policy);
    assert_eq!(families.len(), 12_960);
    let tiers: Vec<i64> =
        families.iter().map(|f| i64::try_from(policy.decide(f).unwrap().tier).unwrap()).collect();
    let compiled: Vec<i64> = families.iter().map(|f| graph.evaluate(f)).collect();
    assert_eq!(compiled, tiers);
    scale::scale(&mut graph);
    let scaled: Vec<i64> = families.iter().map(|f| graph.evaluate(f)).collect();
    assert_eq!(scaled, tiers);

    let leaves = cluster::leaves(&graph, graph.output, &[]);
    assert_eq!(leaves.len(), 8, "the whole tree is one cluster of eight indicators");
    let table = cluster::tabulate(&graph, graph.output, &leaves);
    let order: Vec<usize> = leaves.iter().map(|l| graph.indicators(*l)[0]).collect();
    for (family, tier) in families.iter().zip(&tiers) {
        let point: Vec<usize> =
            order.iter().map(|i| usize::try_from(family[*i]).unwrap()).collect();
        assert_eq!(table.at(&point), *tier);
    }

    let owners: Vec<Owner> = order.iter().map(|i| Owner::Local(graph.agencies[*i])).collect();
    let (arguments, folded) = fold(&table, &owners, &|_, _| false);
    assert_eq!(arguments.iter().map(|a| a.count).collect::<Vec<_>>(), [4, 3, 3, 3]);
    for (family, tier) in families.iter().zip(&tiers) {
        let point: Vec<usize> =
            order.iter().map(|i| usize::try_from(family[*i]).unwrap()).collect();
        let classes: Vec<usize> = arguments
            .iter()
            .map(|argument| {
                let index = argument
                    .positions
                    .iter()
                    .fold(0, |index, p| index * table.domains()[*p] + point[*p]);
                argument.classes[index]
            })
            .collect();
        assert_eq!(folded.at(&classes), *tier);
    }

    assert_eq!(
        narrow(&folded, &[Freedom::Free; 4], 16, &mut 1_000_000),
        None,
        "too wide for one lookup"
    );
    let tree = split::split(&folded, &[Freedom::Free; 4], 16, 6, &mut 1_000_000).unwrap();
    assert_eq!(tree.lookups(), 2);
}

#[test]
fn shipped_circuits_equal_the_clear_twin() {
    for (name, folded, per_indicator) in [
        ("nursery", 2, 5),
        ("digital-family-card", 1, 1),
        ("eight-indicators", 2, 2),
        ("mpi", 2, 2),
    ] {
        let policy = shipped(name);
        for (layout, expected) in [(Layout::Folded, folded), (Layout::PerIndicator, per_indicator)]
        {
            let circuit = reduce(&policy, layout, &Sixteen).unwrap();
            assert_eq!(circuit.steps.len(), expected, "{name} {layout}");
            assert!(narrow_enough(&circuit));
            let checked = match name {
                "digital-family-card" => sample(&policy, 4000),
                _ => every_family(&policy),
            };
            for family in checked {
                let tier = policy.decide(&family).unwrap().tier;
                assert_eq!(circuit.evaluate(&family), tier as i64, "{name} {layout} {family:?}");
            }
        }
    }
}

fn sample(policy: &Policy, count: usize) -> Vec<Vec<i64>> {
    let mut runner = TestRunner::deterministic();
    let strategy = families(policy);
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

#[test]
fn an_agency_reads_only_its_own_indicators() {
    let policy = shipped("eight-indicators");
    let circuit = reduce(&policy, Layout::Folded, &Sixteen).unwrap();
    let inputs = &circuit.inputs;
    for submitter in inputs.submitters() {
        for column in inputs.columns_of(submitter) {
            inputs.column_value(column, &mut |indicator| {
                let owner = policy.indicators.get(indicator).map(|i| i.agency);
                assert_eq!(owner.unwrap_or(policy.agencies.len()), submitter);
                0
            });
        }
    }
}

/// Two agencies whose values are needed, one whose are not, and the right to say no.
const REQUIRED: &str = r#"
    blindtier = "1"
    name = "required"
    title = "Required"
    tiers = ["low", "middle", "high"]
    [agencies]
    tax = { label = "Tax" }
    bank = { label = "Bank" }
    school = { label = "School" }
    [indicators.income]
    agency = "tax"
    bands = [{ level = "low", below = 10 }, { level = "high", from = 10 }]
    missing = "undecided"
    [indicators.wealth]
    agency = "tax"
    integer = { min = 0, max = 3, missing = "undecided" }
    [indicators.debt]
    agency = "bank"
    levels = ["none", "some"]
    missing = "undecided"
    [indicators.pupil]
    agency = "school"
    levels = ["no", "yes"]
    missing = "no"
    [scores.need]
    points.income = { low = 2, high = 0 }
    points.debt = { none = 0, some = 1 }
    points.pupil = { no = 0, yes = 1 }
    weights = { wealth = -1 }
    [cuts.class]
    score = "need"
    classes = ["low", "middle", "high"]
    at = [0, 2]
    [tier]
    from = "class"
    [opt_out]
    result = "neutral"
"#;

#[test]
fn what_is_unknown_leaves_the_tier_undecided_and_a_no_comes_before() {
    let policy = Policy::parse("required.toml", REQUIRED).unwrap();
    let twin = Interpreter::new(&policy).unwrap();
    assert_eq!(policy.missing_values(), [2, 4, 2, 0]);
    for layout in [Layout::Folded, Layout::PerIndicator] {
        let circuit = reduce(&policy, layout, &Sixteen).unwrap();
        let inputs = &circuit.inputs;
        assert_eq!(inputs.unknown_columns().len(), 2, "one an agency");
        assert_eq!(inputs.submitters(), [0, 1, 2, 3]);
        assert_eq!(inputs.columns_of(3), [inputs.opt_out_column().unwrap()]);
        let mut seen = [0; 3];
        for income in 0..=2 {
            for (wealth, debt, pupil) in points(5, 3, 2) {
                let mut values = vec![income, wealth, debt, pupil];
                for said_no in [false, true] {
                    let number = match twin.answer(&values, said_no).unwrap() {
                        Answer::Tier(outcome) => outcome.tier as i64,
                        Answer::Undecided(unknown) => {
                            assert_eq!(unknown.contains(&0), income == 2);
                            assert_eq!(unknown.contains(&1), wealth == 4);
                            assert_eq!(unknown.contains(&2), debt == 2);
                            i64::from(crate::UNDECIDED_NUMBER)
                        }
                        Answer::OptedOut => i64::from(crate::OPTED_OUT_NUMBER),
                    };
                    seen[usize::from(number > 12) + usize::from(number == 13)] += 1;
                    values.push(i64::from(said_no));
                    assert_eq!(circuit.evaluate(&values), number, "{layout} {values:?}");
                    values.pop();
                }
            }
        }
        assert_eq!(seen, [2 * 4 * 2 * 2, 90 - 32, 90]);
    }
}

/// All points of a box.
fn points(a: i64, b: i64, c: i64) -> impl Iterator<Item = (i64, i64, i64)> {
    (0..a * b * c).map(move |i| (i / (b * c), i / c % b, i % c))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn random_policies_keep_their_tiers_through_every_pass(
        (policy, families) in policies().prop_flat_map(|policy| {
            let values = proptest::collection::vec(families(&policy), 24);
            (Just(policy), values)
        })
    ) {
        let compiled = compile(&policy);
        let mut scaled = compiled.clone();
        scale::scale(&mut scaled);
        for layout in [Layout::Folded, Layout::PerIndicator] {
            let circuit = reduce(&policy, layout, &Sixteen).unwrap();
            prop_assert!(narrow_enough(&circuit));
            for family in &families {
                let tier = policy.decide(family).unwrap().tier as i64;
                prop_assert_eq!(compiled.evaluate(family), tier, "compiled");
                prop_assert_eq!(scaled.evaluate(family), tier, "scaled");
                prop_assert_eq!(circuit.evaluate(family), tier, "{} circuit", layout);
            }
        }
    }
}
