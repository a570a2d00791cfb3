//! Sensitivity against deciding everything again.

use crate::decide::{answer, decide};
use crate::population::{Builder, Need};
use crate::read::Layout;
use crate::sensitivity::sensitivity;
use crate::support::Support;
use crate::variation::variations;
use blindtier_policy::arbitrary::{families, policies};
use blindtier_policy::{Interpreter, Policy};
use proptest::prelude::*;

fn policies_with_families() -> impl Strategy<Value = (Policy, Vec<Vec<i64>>)> {
    policies().prop_flat_map(|policy| {
        let list = prop::collection::vec(families(&policy), 1..40);
        (Just(policy), list)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn every_change_moves_the_families_that_the_changed_policy_moves((policy, list) in policies_with_families()) {
        let mut builder = Builder::new(Layout::new(&[&policy]), 0);
        for values in &list {
            builder.push(values, None, Need::Unknown);
        }
        let population = builder.finish(Vec::new(), None, Vec::new());
        prop_assert_eq!(population.families(), list.len());
        let lowest = vec![policy.tiers[0].id.clone()];
        let support = Support::new(&policy, Some(&lowest)).unwrap();
        let answers = decide(&population, 0, &policy).unwrap();
        let found = sensitivity(&population, &policy, &answers, &support).unwrap();
        let variations = variations(&policy);
        prop_assert_eq!(found.changes.len(), variations.len());
        let before = Interpreter::new(&policy).unwrap();
        for (change, variation) in found.changes.iter().zip(&variations) {
            prop_assert!(variation.policy != policy);
            let after = Interpreter::new(&variation.policy).unwrap();
            let (mut up, mut down, mut gained, mut lost) = (0, 0, 0, 0);
            for values in &list {
                let a = answer(&before, &policy, values).unwrap();
                let b = answer(&after, &variation.policy, values).unwrap();
                up += u64::from(b > a);
                down += u64::from(b < a);
                gained += u64::from(b == 0 && a > 0);
                lost += u64::from(a == 0 && b > 0);
            }
            prop_assert_eq!((change.up, change.down), (up, down), "{}", change.place);
            prop_assert_eq!(change.changed, up + down);
            prop_assert_eq!((change.gained, change.lost), (Some(gained), Some(lost)));
        }
    }
}
