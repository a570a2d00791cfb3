//! The library through its facade.

use blindtier::engine::clear::ClearEngine;
use blindtier::engine::conformance::{Session, agrees, refuses_malformed};
use blindtier::policy::Policy;
use blindtier::policy::arbitrary::{families, policies};
use blindtier::policy::passes::Layout;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

#[test]
fn the_clear_engine_passes_the_conformance_suite() {
    let mut runner = TestRunner::deterministic();
    for _ in 0..40 {
        let policy = policies().new_tree(&mut runner).unwrap().current();
        check(&policy, &mut runner);
    }
    for name in ["nursery", "digital-family-card", "eight-indicators", "mpi"] {
        let text = std::fs::read_to_string(format!("policies/{name}.toml")).unwrap();
        check(&Policy::parse(name, &text).unwrap(), &mut runner);
    }
}

fn check(policy: &Policy, runner: &mut TestRunner) {
    let strategy = families(policy);
    let sample: Vec<Vec<i64>> =
        (0..20).map(|_| strategy.new_tree(runner).unwrap().current()).collect();
    for layout in [Layout::Folded, Layout::PerIndicator] {
        let engine = ClearEngine::new(policy, layout).unwrap();
        let session = Session {
            plan: &engine,
            encrypt: &engine,
            evaluate: &engine,
            open: &engine,
            verify: &engine,
        };
        agrees(policy, &sample, &session).unwrap();
        refuses_malformed(&sample, &session).unwrap();
    }
}
