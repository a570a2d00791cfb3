//! The whole engine: the torus program against the clear twin on many policies, and the ciphertexts on some.

use crate::plan::{Program, Register};
use crate::{KeySet, TfheEncrypt, TfheEvaluate, TfheOpen, TfhePlan, generate_keys, parameters};
use blindtier_engine::conformance::{Session, Violation, agrees, refuses_malformed};
use blindtier_engine::{EngineError, Evaluate, Plan};
use blindtier_policy::Policy;
use blindtier_policy::arbitrary::{families, policies};
use blindtier_policy::passes::Layout;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::sync::LazyLock;

mod bits;
mod threshold;

/// Of a key two of three trustees can use.
const SHARES: u32 = 3;

static KEYS: LazyLock<KeySet> = LazyLock::new(|| generate_keys().unwrap());

fn shipped(name: &str) -> Policy {
    let file = format!("{}/../../policies/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    Policy::parse(name, &std::fs::read_to_string(file).unwrap()).unwrap()
}

fn sample(policy: &Policy, count: usize) -> Vec<Vec<i64>> {
    let mut runner = TestRunner::deterministic();
    let strategy = families(policy);
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

fn on_ciphertexts(policy: &Policy, layout: Layout, families: &[Vec<i64>]) -> Result<(), Violation> {
    let plan = TfhePlan::new(policy, layout, SHARES).unwrap();
    let encrypt = TfheEncrypt::new(plan.clone(), &KEYS.public).unwrap();
    let evaluate = TfheEvaluate::new(&plan, &KEYS.evaluation).unwrap();
    let open = TfheOpen::new(&KEYS.secret, policy.tiers.len()).unwrap();
    let session = Session { plan: &plan, encrypt: &encrypt, evaluate: &evaluate, open: &open };
    agrees(policy, families, &session)?;
    refuses_malformed(&families[..3.min(families.len())], &session)
}

/// The torus program without ciphertexts, each lookup's input off by up to its tolerance.
fn in_the_clear(plan: &TfhePlan, values: &[i64], errors: &[i64]) -> u64 {
    let inputs: Vec<u64> = plan
        .program
        .inputs
        .iter()
        .map(|input| {
            let value = plan.circuit.inputs.column_value(input.column, &mut |i| values[i]);
            input.scale.wrapping_mul(value.cast_unsigned())
        })
        .collect();
    let torus = plan.program.simulate_with(&inputs, errors);
    torus.wrapping_add(parameters::STEP / 2) / parameters::STEP
}

/// Errors of a given sign pattern; lookups of one ciphertext share theirs.
fn errors(program: &Program, pattern: &[i64]) -> Vec<i64> {
    let mut errors: Vec<i64> = Vec::new();
    for (position, lookup) in program.lookups.iter().enumerate() {
        let same = program.lookups[..position].iter().position(|l| l.input == lookup.input);
        let sign = pattern[position % pattern.len()];
        let own = sign * (lookup.tolerance - parameters::COEFFICIENT).cast_signed();
        errors.push(same.map_or(own, |s| errors[s]));
    }
    errors
}

#[test]
fn lookups_a_family_are_exactly() {
    for (name, folded, per_indicator) in [
        ("nursery", 2, 5),
        ("digital-family-card", 4, 4),
        ("eight-indicators", 2, 2),
        ("mpi", 1, 1),
    ] {
        let policy = shipped(name);
        for (layout, expected) in [(Layout::Folded, folded), (Layout::PerIndicator, per_indicator)]
        {
            let plan = TfhePlan::new(&policy, layout, SHARES).unwrap();
            assert_eq!(plan.summary().operations.lookups_per_family(), expected, "{name} {layout}");
            assert!(plan.program.log2_failures().iter().all(|log2| *log2 <= -128.0));
        }
    }
}

#[test]
fn nursery_is_right_on_the_torus_for_every_family() {
    let policy = shipped("nursery");
    for layout in [Layout::Folded, Layout::PerIndicator] {
        let plan = TfhePlan::new(&policy, layout, SHARES).unwrap();
        let mut values = vec![0i64; policy.indicators.len()];
        for number in 0..12_960i64 {
            let mut rest = number;
            for (value, indicator) in values.iter_mut().zip(&policy.indicators) {
                let (_, max) = indicator.range();
                *value = rest % (max + 1);
                rest /= max + 1;
            }
            let tier = policy.decide(&values).unwrap().tier as u64;
            for pattern in [[0, 0, 0], [1, -1, 1], [-1, -1, 1]] {
                let errors = errors(&plan.program, &pattern);
                assert_eq!(in_the_clear(&plan, &values, &errors), tier, "{layout} {values:?}");
            }
        }
    }
}

#[test]
fn shipped_policies_pass_the_conformance_suite() {
    for name in ["nursery", "digital-family-card", "eight-indicators", "mpi"] {
        let policy = shipped(name);
        for layout in [Layout::Folded, Layout::PerIndicator] {
            on_ciphertexts(&policy, layout, &sample(&policy, 24)).unwrap();
        }
    }
}

#[test]
fn random_policies_pass_the_conformance_suite() {
    let mut runner = TestRunner::deterministic();
    for _ in 0..12 {
        let policy = policies().new_tree(&mut runner).unwrap().current();
        if let Err(violation) = on_ciphertexts(&policy, Layout::Folded, &sample(&policy, 6)) {
            panic!("{violation}\n{policy:#?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn random_policies_are_right_on_the_torus(
        (policy, families) in policies().prop_flat_map(|policy| {
            let values = proptest::collection::vec(families(&policy), 8);
            (Just(policy), values)
        }),
        pattern in proptest::collection::vec(-1i64..=1, 7),
    ) {
        for layout in [Layout::Folded, Layout::PerIndicator] {
            let plan = TfhePlan::new(&policy, layout, SHARES).unwrap();
            let errors = errors(&plan.program, &pattern);
            for family in &families {
                let tier = policy.decide(family).unwrap().tier as u64;
                prop_assert_eq!(in_the_clear(&plan, family, &errors), tier, "{}", layout);
            }
        }
    }
}

#[test]
fn keys_and_results_of_other_shapes_are_refused() {
    let policy = shipped("mpi");
    let plan = TfhePlan::new(&policy, Layout::Folded, SHARES).unwrap();
    assert!(TfheEncrypt::new(plan.clone(), &KEYS.public[1..]).is_err());
    assert!(TfheOpen::new(&KEYS.secret[1..], 5).is_err());
    assert!(TfheEvaluate::new(&plan, &KEYS.evaluation[..1000]).is_err());
    let longer: Vec<u8> = KEYS.evaluation.iter().copied().chain([0]).collect();
    assert!(TfheEvaluate::new(&plan, &longer).is_err());
}

#[test]
fn an_evaluation_key_of_other_parameters_is_refused_by_name() {
    use tfhe::shortint::parameters::v1_8::V1_8_PARAM_MESSAGE_1_CARRY_1_KS_PBS_TUNIFORM_2M128;
    let plan = TfhePlan::new(&shipped("mpi"), Layout::Folded, SHARES).unwrap();
    let client = tfhe::shortint::ClientKey::new(V1_8_PARAM_MESSAGE_1_CARRY_1_KS_PBS_TUNIFORM_2M128);
    let key = tfhe::shortint::CompressedServerKey::new(&client);
    let bytes = crate::keys::evaluation_bytes(&key).unwrap();
    let refused = TfheEvaluate::new(&plan, &bytes).err().unwrap();
    assert!(matches!(refused, EngineError::Parameters { what: "evaluation key", .. }), "{refused}");
}

#[test]
fn a_ciphertext_that_opens_to_no_tier_is_refused() {
    let policy = shipped("mpi");
    let open = TfheOpen::new(&KEYS.secret, policy.tiers.len()).unwrap();
    let mut trivial = vec![0u64; parameters::DIMENSION + 1];
    trivial[parameters::DIMENSION] = 15 * parameters::STEP;
    let refused = blindtier_engine::Open::open(&open, 1, &crate::words::to_bytes(&trivial));
    assert_eq!(refused, Err(EngineError::NotATier { slot: 0 }));
}

/// The noise of results, measured: not more than the formulas say it is.
#[test]
fn measured_noise_is_within_the_formulas() {
    let policy = shipped("digital-family-card");
    let plan = TfhePlan::new(&policy, Layout::Folded, SHARES).unwrap();
    let encrypt = TfheEncrypt::new(plan.clone(), &KEYS.public).unwrap();
    let evaluate = TfheEvaluate::new(&plan, &KEYS.evaluation).unwrap();
    let open = TfheOpen::new(&KEYS.secret, policy.tiers.len()).unwrap();
    let families = sample(&policy, 64);
    let chunks: Vec<Vec<u8>> = plan
        .circuit
        .inputs
        .agencies()
        .into_iter()
        .map(|agency| {
            let columns: Vec<Vec<i64>> = plan
                .circuit
                .inputs
                .columns_of(agency)
                .into_iter()
                .map(|c| {
                    families
                        .iter()
                        .map(|f| plan.circuit.inputs.column_value(c, &mut |i| f[i]))
                        .collect()
                })
                .collect();
            blindtier_engine::Encrypt::encrypt(&encrypt, agency, &columns).unwrap()
        })
        .collect();
    let inputs: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
    let results = evaluate.evaluate(families.len(), &inputs, &|_| {}).unwrap().results;
    let words = parameters::DIMENSION + 1;
    let results = crate::words::from_bytes("results", &results, families.len() * words).unwrap();
    let square: f64 = results
        .chunks(words)
        .map(|ciphertext| {
            let off = open.phase(ciphertext).wrapping_add(parameters::STEP / 2) % parameters::STEP;
            ((off as f64 - (parameters::STEP / 2) as f64) / 2f64.powi(64)).powi(2)
        })
        .sum();
    let lookups =
        plan.program.output.terms.iter().filter(|(r, _)| matches!(r, Register::Lookup(_))).count();
    let expected = lookups as f64 * crate::noise::Noise::new().lookup;
    let measured = square / families.len() as f64;
    // 64 samples: the mean square of normal noise exceeds twice its variance about once in 100,000.
    assert!(measured < 2.0 * expected, "measured {measured:e}, expected {expected:e}");
    assert!(
        measured > 0.05 * expected,
        "noise far below the formula means something else is measured"
    );
}

/// The first bytes of an evaluation key say what it is and how long its first part is. A change there is
/// refused, never a panic or a large allocation.
#[test]
fn evaluation_keys_with_a_changed_head_are_refused() {
    let plan = TfhePlan::new(&shipped("mpi"), Layout::Folded, SHARES).unwrap();
    let mut key = KEYS.evaluation.clone();
    for position in 0..12 {
        key[position] ^= 0x81;
        assert!(TfheEvaluate::new(&plan, &key).is_err(), "byte {position}");
        key[position] ^= 0x81;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let policy = shipped("mpi");
        let plan = TfhePlan::new(&policy, Layout::Folded, SHARES).unwrap();
        prop_assert!(TfheEvaluate::new(&plan, &bytes).is_err());
        prop_assert!(TfheEncrypt::new(plan.clone(), &bytes).is_err());
        if let Ok(open) = TfheOpen::new(&bytes, policy.tiers.len()) {
            let _ = blindtier_engine::Open::open(&open, 1, &bytes);
        }
    }
}

#[test]
fn arbitrary_ciphertexts_of_the_right_length_evaluate_without_panic() {
    let plan = TfhePlan::new(&shipped("nursery"), Layout::Folded, SHARES).unwrap();
    let evaluate = TfheEvaluate::new(&plan, &KEYS.evaluation).unwrap();
    let chunks: Vec<Vec<u8>> = plan
        .circuit
        .inputs
        .agencies()
        .into_iter()
        .map(|agency| {
            let mut bytes = vec![0u8; usize::try_from(plan.upload_bytes(agency, 2)).unwrap()];
            blake3::Hasher::new().update(&[agency as u8]).finalize_xof().fill(&mut bytes);
            bytes
        })
        .collect();
    let inputs: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
    assert!(evaluate.evaluate(2, &inputs, &|_| {}).is_ok());
    let zeros: Vec<Vec<u8>> = chunks.iter().map(|chunk| vec![0; chunk.len()]).collect();
    let inputs: Vec<&[u8]> = zeros.iter().map(Vec::as_slice).collect();
    assert!(evaluate.evaluate(2, &inputs, &|_| {}).is_ok());
}
