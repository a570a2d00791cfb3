//! The whole engine: the torus program against the clear twin on many policies, and the ciphertexts on some.

use crate::plan::Program;
use crate::{
    KeySet, TfheEncrypt, TfheEvaluate, TfheOpen, TfhePlan, TfheVerify, generate_keys, parameters,
};
use blindtier_engine::conformance::{
    Session, Violation, agrees, agrees_without_any_one, refuses_malformed,
};
use blindtier_engine::{Chunk, Encrypt, EngineError, Evaluate, Plan, Proofs};
use blindtier_policy::arbitrary::{families, policies};
use blindtier_policy::passes::Layout;
use blindtier_policy::{
    Answer, Domain, Interpreter, OPTED_OUT_NUMBER, OptOut, Policy, UNDECIDED_NUMBER,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::sync::LazyLock;

mod batch;
mod bits;
mod gates;
mod inputs;
mod proofs;
mod threshold;

/// Of a key two of three trustees can use.
const SHARES: u32 = 3;
/// What chunks are bound to.
const BINDING: [u8; 32] = [5; 32];

static KEYS: LazyLock<KeySet> = LazyLock::new(|| generate_keys(Proofs::Off).unwrap());

fn shipped(name: &str) -> Policy {
    let file = format!("{}/../../policies/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    Policy::parse(name, &std::fs::read_to_string(file).unwrap()).unwrap()
}

fn plan(policy: &Policy, layout: Layout) -> TfhePlan {
    TfhePlan::new(policy, layout, SHARES, Proofs::Off).unwrap()
}

/// Families, and behind their values 1 for every fourth if it may say no. Every third lacks a value that is required.
fn sample(policy: &Policy, count: usize) -> Vec<Vec<i64>> {
    let mut runner = TestRunner::deterministic();
    let strategy = families(policy);
    (0..count)
        .map(|family| gaps(policy, family, strategy.new_tree(&mut runner).unwrap().current()))
        .collect()
}

fn gaps(policy: &Policy, family: usize, mut values: Vec<i64>) -> Vec<i64> {
    let required: Vec<usize> =
        (0..policy.indicators.len()).filter(|i| policy.indicators[*i].is_required()).collect();
    if family % 3 == 1 && !required.is_empty() {
        let unknown = required[family / 3 % required.len()];
        values[unknown] = policy.indicators[unknown].unknown();
    }
    let may_say_no = policy.opt_out == OptOut::Neutral;
    values.push(i64::from(may_say_no && family % 4 == 3));
    values
}

/// The number that the clear twin gives.
fn number(policy: &Policy, values: &[i64]) -> u64 {
    let (said_no, values) = values.split_last().unwrap();
    let twin = Interpreter::new(policy).unwrap();
    match twin.answer(values, *said_no == 1).unwrap() {
        Answer::Tier(outcome) => outcome.tier as u64,
        Answer::OptedOut => u64::from(OPTED_OUT_NUMBER),
        Answer::Undecided(_) => u64::from(UNDECIDED_NUMBER),
    }
}

/// Makes every second indicator of a policy required.
fn with_required(mut policy: Policy) -> Policy {
    for indicator in policy.indicators.iter_mut().step_by(2) {
        match &mut indicator.domain {
            Domain::Levels { missing, .. } => *missing = None,
            Domain::Integer { missing, .. } => *missing = None,
        }
    }
    policy
}

fn on_ciphertexts(policy: &Policy, layout: Layout, families: &[Vec<i64>]) -> Result<(), Violation> {
    let plan = plan(policy, layout);
    let encrypt = TfheEncrypt::new(plan.clone(), &KEYS.public).unwrap();
    let verify = TfheVerify::new(&plan, &KEYS.public).unwrap();
    let evaluate = TfheEvaluate::new(&plan, &KEYS.public, &KEYS.evaluation).unwrap();
    let open = TfheOpen::new(&KEYS.secret).unwrap();
    let session = Session {
        plan: &plan,
        encrypt: &encrypt,
        verify: &verify,
        evaluate: &evaluate,
        open: &open,
    };
    agrees(policy, families, &session)?;
    let few = &families[..2.min(families.len())];
    agrees_without_any_one(policy, few, &session)?;
    refuses_malformed(few, &session)
}

/// What all who submit encrypt, in the order of the plan.
fn encrypt(plan: &TfhePlan, public: &[u8], families: &[Vec<i64>]) -> Vec<Vec<u8>> {
    let encrypt = TfheEncrypt::new(plan.clone(), public).unwrap();
    let submitters = plan.summary().submitters.into_iter();
    submitters
        .map(|submitter| {
            encrypt.encrypt(submitter, &columns(plan, submitter, families), &BINDING).unwrap()
        })
        .collect()
}

fn columns(plan: &TfhePlan, submitter: usize, families: &[Vec<i64>]) -> Vec<Vec<i64>> {
    let inputs = &plan.circuit.inputs;
    let value = |column, family: &Vec<i64>| inputs.column_value(column, &mut |i| family[i]);
    let columns = inputs.columns_of(submitter).into_iter();
    columns.map(|column| families.iter().map(|f| value(column, f)).collect()).collect()
}

fn whole(families: usize, chunks: &[Vec<u8>]) -> Chunk<'_> {
    let inputs = chunks.iter().map(|chunk| Some(chunk.as_slice())).collect();
    Chunk { families, inputs, seed: [3; 32] }
}

/// The torus program without ciphertexts, each lookup's input off by up to its tolerance.
fn in_the_clear(plan: &TfhePlan, values: &[i64], errors: &[i64]) -> u64 {
    let inputs: Vec<u64> = plan
        .program
        .inputs
        .iter()
        .map(|input| {
            input.torus(plan.circuit.inputs.column_value(input.column, &mut |i| values[i]))
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
            for proofs in [Proofs::Off, Proofs::On] {
                let plan = TfhePlan::new(&policy, layout, SHARES, proofs).unwrap();
                let operations = plan.summary().operations;
                assert_eq!(operations.tier, expected, "{name} {layout}");
                assert_eq!((operations.opt_out, operations.checks), (1, 0), "{name}");
                assert_eq!(operations.total() as usize, plan.program.lookups.len());
                assert!(plan.program.log2_failures().iter().all(|log2| *log2 <= -128.0));
            }
        }
    }
}

#[test]
fn nursery_is_right_on_the_torus_for_every_family() {
    let policy = shipped("nursery");
    for (layout, proofs) in [
        (Layout::Folded, Proofs::Off),
        (Layout::Folded, Proofs::On),
        (Layout::PerIndicator, Proofs::Off),
    ] {
        let plan = TfhePlan::new(&policy, layout, SHARES, proofs).unwrap();
        let mut values = vec![0i64; policy.indicators.len()];
        for number in 0..12_960i64 {
            let mut rest = number;
            for (value, indicator) in values.iter_mut().zip(&policy.indicators) {
                let (_, max) = indicator.range();
                *value = rest % (max + 1);
                rest /= max + 1;
            }
            let tier = policy.decide(&values).unwrap().tier as u64;
            for (pattern, said_no) in
                [([0, 0, 0], 0), ([1, -1, 1], 0), ([-1, -1, 1], 0), ([1, 1, -1], 1)]
            {
                let errors = errors(&plan.program, &pattern);
                let expected = if said_no == 1 { u64::from(OPTED_OUT_NUMBER) } else { tier };
                values.push(said_no);
                assert_eq!(in_the_clear(&plan, &values, &errors), expected, "{layout} {values:?}");
                values.pop();
            }
        }
    }
}

#[test]
fn shipped_policies_pass_the_conformance_suite() {
    for name in ["nursery", "digital-family-card", "eight-indicators", "mpi"] {
        let policy = shipped(name);
        for layout in [Layout::Folded, Layout::PerIndicator] {
            on_ciphertexts(&policy, layout, &sample(&policy, 12)).unwrap();
        }
    }
}

#[test]
fn random_policies_pass_the_conformance_suite() {
    let mut runner = TestRunner::deterministic();
    for _ in 0..8 {
        let policy = with_required(policies().new_tree(&mut runner).unwrap().current());
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
        let required = with_required(policy.clone());
        for (policy, layout) in [
            (&policy, Layout::Folded),
            (&policy, Layout::PerIndicator),
            (&required, Layout::Folded),
        ] {
            for proofs in [Proofs::Off, Proofs::On] {
                let plan = TfhePlan::new(policy, layout, SHARES, proofs).unwrap();
                let errors = errors(&plan.program, &pattern);
                for (position, family) in families.iter().enumerate() {
                    let family = gaps(policy, position, family.clone());
                    let expected = number(policy, &family);
                    prop_assert_eq!(in_the_clear(&plan, &family, &errors), expected, "{}", layout);
                }
            }
        }
    }
}

#[test]
fn keys_of_other_shapes_are_refused() {
    let plan = plan(&shipped("mpi"), Layout::Folded);
    assert!(TfheEncrypt::new(plan.clone(), &KEYS.public[1..]).is_err());
    assert!(TfheVerify::new(&plan, &KEYS.public[1..]).is_err());
    assert!(TfheOpen::new(&KEYS.secret[1..]).is_err());
    let evaluate = |public: &[u8], evaluation: &[u8]| {
        assert!(TfheEvaluate::new(&plan, public, evaluation).is_err());
    };
    evaluate(&KEYS.public[1..], &KEYS.evaluation);
    evaluate(&KEYS.public, &KEYS.evaluation[..1000]);
    let longer: Vec<u8> = KEYS.evaluation.iter().copied().chain([0]).collect();
    evaluate(&KEYS.public, &longer);
}

#[test]
fn an_evaluation_key_of_other_parameters_is_refused_by_name() {
    use tfhe::shortint::parameters::v1_8::V1_8_PARAM_MESSAGE_1_CARRY_1_KS_PBS_TUNIFORM_2M128;
    let plan = plan(&shipped("mpi"), Layout::Folded);
    let client = tfhe::shortint::ClientKey::new(V1_8_PARAM_MESSAGE_1_CARRY_1_KS_PBS_TUNIFORM_2M128);
    let key = tfhe::shortint::CompressedServerKey::new(&client);
    let bytes = crate::keys::evaluation_bytes(&key).unwrap();
    let refused = TfheEvaluate::new(&plan, &KEYS.public, &bytes).err().unwrap();
    assert!(matches!(refused, EngineError::Parameters { what: "evaluation key", .. }), "{refused}");
}

/// The noise of results, measured: not more than the formulas say it is.
#[test]
fn measured_noise_is_within_the_formulas() {
    let policy = shipped("digital-family-card");
    let plan = plan(&policy, Layout::Folded);
    let evaluate = TfheEvaluate::new(&plan, &KEYS.public, &KEYS.evaluation).unwrap();
    let open = TfheOpen::new(&KEYS.secret).unwrap();
    let families = sample(&policy, 64);
    let chunks = encrypt(&plan, &KEYS.public, &families);
    let results = evaluate.evaluate(&whole(families.len(), &chunks), &|_| {}).unwrap().results;
    let words = parameters::DIMENSION + 1;
    let results = crate::words::from_bytes("results", &results, families.len() * words).unwrap();
    let square: f64 = results
        .chunks(words)
        .map(|ciphertext| {
            let off = open.phase(ciphertext).wrapping_add(parameters::STEP / 2) % parameters::STEP;
            ((off as f64 - (parameters::STEP / 2) as f64) / 2f64.powi(64)).powi(2)
        })
        .sum();
    let expected = plan.program.output_variance();
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
    let plan = plan(&shipped("mpi"), Layout::Folded);
    let mut key = KEYS.evaluation.clone();
    for position in 0..12 {
        key[position] ^= 0x81;
        assert!(TfheEvaluate::new(&plan, &KEYS.public, &key).is_err(), "byte {position}");
        key[position] ^= 0x81;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let plan = plan(&shipped("mpi"), Layout::Folded);
        prop_assert!(TfheEvaluate::new(&plan, &KEYS.public, &bytes).is_err());
        prop_assert!(TfheEncrypt::new(plan.clone(), &bytes).is_err());
        prop_assert!(TfheVerify::new(&plan, &bytes).is_err());
        if let Ok(open) = TfheOpen::new(&bytes) {
            let _ = blindtier_engine::Open::open(&open, 1, &bytes);
        }
    }
}

#[test]
fn arbitrary_ciphertexts_of_the_right_length_evaluate_without_panic() {
    let plan = plan(&shipped("nursery"), Layout::Folded);
    let evaluate = TfheEvaluate::new(&plan, &KEYS.public, &KEYS.evaluation).unwrap();
    let submitters = plan.summary().submitters;
    let chunks: Vec<Vec<u8>> = submitters
        .iter()
        .map(|submitter| {
            let mut bytes = vec![0u8; usize::try_from(plan.upload_bytes(*submitter, 2)).unwrap()];
            blake3::Hasher::new().update(&[*submitter as u8]).finalize_xof().fill(&mut bytes);
            bytes
        })
        .collect();
    assert!(evaluate.evaluate(&whole(2, &chunks), &|_| {}).is_ok());
    let zeros: Vec<Vec<u8>> = chunks.iter().map(|chunk| vec![0; chunk.len()]).collect();
    assert!(evaluate.evaluate(&whole(2, &zeros), &|_| {}).is_ok());
}
