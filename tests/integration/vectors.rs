//! Test vectors for other implementations: `vectors/<version>/<policy>.json`, described in `docs/artifact.md`.
//!
//! `BLINDTIER_BLESS=1` writes them anew. A change of what they say needs a new version beside the old one.

use blindtier::engine::{Plan, Proofs};
use blindtier::engine_bfv::BfvPlan;
use blindtier::engine_tfhe::TfhePlan;
use blindtier::policy::passes::Layout;
use blindtier::policy::{Answer, Interpreter, OPTED_OUT, Policy, UNDECIDED, read_families};
use serde_json::{Map, Value, json};
use std::path::Path;

const VERSION: u32 = 1;
const FAMILIES: u64 = 60;
const SHARES: u32 = 3;

fn vector(name: &str) -> Value {
    let text = std::fs::read_to_string(format!("policies/{name}.toml")).unwrap();
    let policy = Policy::parse(name, &text).unwrap();
    let folder = tempfile::tempdir().unwrap();
    blindtier::sim::synthesize(&policy, FAMILIES, 1, folder.path()).unwrap();
    let twin = Interpreter::new(&policy).unwrap();
    let families: Vec<Value> = read_families(&policy, folder.path())
        .unwrap()
        .map(|family| {
            let values = family.unwrap().values;
            let tier = match twin.answer(&values, false).unwrap() {
                Answer::Tier(outcome) => policy.tiers[outcome.tier].id.clone(),
                Answer::OptedOut => OPTED_OUT.to_owned(),
                Answer::Undecided(_) => UNDECIDED.to_owned(),
            };
            json!({ "values": values, "tier": tier })
        })
        .collect();
    let mut plans = Map::new();
    for layout in [Layout::Folded, Layout::PerIndicator] {
        for proofs in [Proofs::Off, Proofs::On] {
            let described: [Box<dyn Plan>; 2] = [
                Box::new(TfhePlan::new(&policy, layout, SHARES, proofs).unwrap()),
                Box::new(BfvPlan::new(&policy, layout, SHARES, proofs).unwrap()),
            ];
            for plan in described {
                let summary = plan.summary();
                let operations = summary.operations;
                let said = if proofs == Proofs::On { "on" } else { "off" };
                plans.insert(
                    format!("{} {layout} proofs {said}", summary.engine.name),
                    json!({
                        "hash": summary.hash.iter().map(|b| format!("{b:02x}")).collect::<String>(),
                        "counted": operations.name(),
                        "tier": operations.tier,
                        "opt_out": operations.opt_out,
                        "checks": operations.checks,
                    }),
                );
            }
        }
    }
    json!({
        "version": VERSION,
        "policy": name,
        "policy_hash": policy.hash().to_string(),
        "indicators": policy.indicators.iter().map(|i| i.id.as_str()).collect::<Vec<_>>(),
        "shares": SHARES,
        "plans": plans,
        "families": families,
    })
}

#[test]
fn vectors_are_as_they_were_published() {
    for name in ["nursery", "digital-family-card", "eight-indicators", "mpi"] {
        let file = format!("vectors/{VERSION}/{name}.json");
        let found = vector(name);
        if std::env::var_os("BLINDTIER_BLESS").is_some() {
            std::fs::create_dir_all(Path::new(&file).parent().unwrap()).unwrap();
            let text = serde_json::to_string_pretty(&found).unwrap();
            std::fs::write(&file, text + "\n").unwrap();
        }
        let published: Value =
            serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        assert_eq!(found, published, "{file}");
        // Every tier of the policy is there, and the circuits say the same.
        let policy = std::fs::read_to_string(format!("policies/{name}.toml")).unwrap();
        let policy = Policy::parse(name, &policy).unwrap();
        for layout in [Layout::Folded, Layout::PerIndicator] {
            let plan = TfhePlan::new(&policy, layout, SHARES, Proofs::Off).unwrap();
            for family in published["families"].as_array().unwrap() {
                let values: Vec<i64> = serde_json::from_value(family["values"].clone()).unwrap();
                let number = u32::try_from(plan.circuit().evaluate(&values)).unwrap();
                let id = policy.code(number).id(&policy).unwrap_or_default().to_owned();
                assert_eq!(id, family["tier"], "{name} {layout} {values:?}");
            }
        }
        for tier in &policy.tiers {
            let seen =
                published["families"].as_array().unwrap().iter().any(|f| f["tier"] == tier.id);
            assert!(seen, "{name}: no family in tier {}", tier.id);
        }
    }
}
