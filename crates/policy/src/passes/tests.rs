//! Every pass keeps the clear result: exhaustively for Nursery, on cut-offs and random points elsewhere.

use super::fold::{Owner, fold};
use super::narrow::{Freedom, narrow};
use super::{Layout, Prices, cluster, reduce, scale, split};
use crate::Policy;
use crate::arbitrary::{families, policies};
use crate::circuit::{Circuit, Step, compile};
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
    for agency in inputs.agencies() {
        for column in inputs.columns_of(agency) {
            inputs.column_value(column, &mut |indicator| {
                assert_eq!(policy.indicators[indicator].agency, agency);
                0
            });
        }
    }
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
