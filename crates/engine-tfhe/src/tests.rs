//! The whole engine on the shipped policies.

use crate::{TfheEncrypt, TfheEvaluate, TfheOpen, TfhePlan, generate_keys};
use blindtier_engine::conformance::{Session, agrees, refuses_malformed};
use blindtier_policy::Policy;
use blindtier_policy::passes::Layout;

fn shipped(name: &str) -> Policy {
    let file = format!("{}/../../policies/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    Policy::parse(name, &std::fs::read_to_string(file).unwrap()).unwrap()
}

#[test]
fn lookups_a_family_are_exactly() {
    for (name, folded, per_indicator) in
        [("nursery", 2, 5), ("digital-family-card", 4, 4), ("eight-indicators", 1, 1), ("mpi", 1, 1)]
    {
        let policy = shipped(name);
        for (layout, expected) in [(Layout::Folded, folded), (Layout::PerIndicator, per_indicator)] {
            let start = std::time::Instant::now();
            let plan = TfhePlan::new(&policy, layout).unwrap();
            println!("{name} {layout}: {} lookups {:?} {:?}", plan.program.lookups.len(), start.elapsed(), blindtier_engine::Plan::describe(&plan));
            assert_eq!(plan.program.lookups.len(), expected, "{name} {layout}");
        }
    }
}
