//! The engine as a whole: programs against the clear twin on many policies, ciphertexts on the shipped ones.

use crate::keys::secret_coefficients;
use crate::parameters::{DISTANCE, ENCRYPTION_BITS, PLAINTEXT, ROUND_FAMILIES, SECURE};
use crate::program::Counts;
use crate::{
    BfvCombine, BfvEncrypt, BfvEvaluate, BfvOpen, BfvOpenShare, BfvPlan, BfvPrepare, KeySet,
    generate_keys,
};
use blindtier_engine::conformance::{Session, agrees, refuses_malformed};
use blindtier_engine::{
    Combine, Encrypt, EngineError, Evaluate, Open, OpenShare, Operations, Plan, Prepare,
};
use blindtier_policy::Policy;
use blindtier_policy::arbitrary::{families, policies};
use blindtier_policy::passes::Layout;
use num_bigint::Sign;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

mod ceremony;
mod opening;

const LAYOUTS: [Layout; 2] = [Layout::Folded, Layout::PerIndicator];
/// Into how many shares the key of most tests is cut.
const SHARES: u32 = 3;
const SHIPPED: [&str; 4] = ["nursery", "digital-family-card", "eight-indicators", "mpi"];

fn shipped(name: &str) -> Policy {
    let file = format!("{}/../../policies/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    Policy::parse(name, &std::fs::read_to_string(file).unwrap()).unwrap()
}

fn sample(policy: &Policy, count: usize) -> Vec<Vec<i64>> {
    let mut runner = TestRunner::deterministic();
    let strategy = families(policy);
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

/// Every family of a policy whose indicators have few levels.
fn every_family(policy: &Policy) -> Vec<Vec<i64>> {
    policy.indicators.iter().fold(vec![Vec::new()], |all, indicator| {
        let (min, max) = indicator.range();
        all.iter().flat_map(|f| (min..=max).map(move |v| [f.as_slice(), &[v]].concat())).collect()
    })
}

fn agrees_in_the_clear(policy: &Policy, plan: &BfvPlan, families: &[Vec<i64>]) -> bool {
    families.iter().all(|values| {
        let tier = policy.decide(values).unwrap().tier as i64;
        plan.program.simulate(&plan.inputs.column_values(values)) == tier
    })
}

/// An engine with all keys.
struct Rig {
    plan: BfvPlan,
    keys: KeySet,
    encrypt: BfvEncrypt,
    evaluate: BfvEvaluate,
    open: BfvOpen,
}

impl Rig {
    fn new(policy: &Policy, layout: Layout) -> Self {
        Self::with(policy, layout, SHARES)
    }

    fn with(policy: &Policy, layout: Layout, shares: u32) -> Self {
        let plan = BfvPlan::new(policy, layout, shares).unwrap();
        let keys = generate_keys(&plan).unwrap();
        let encrypt = BfvEncrypt::new(plan.clone(), &keys.public).unwrap();
        let evaluate = BfvEvaluate::new(&plan, &keys.evaluation).unwrap();
        let open = BfvOpen::new(&plan, &keys.secret, policy.tiers.len()).unwrap();
        Self { plan, keys, encrypt, evaluate, open }
    }

    fn session(&self) -> Session<'_> {
        let Self { plan, encrypt, evaluate, open, .. } = self;
        Session { plan, encrypt, evaluate, open }
    }

    /// Chunks of all agencies.
    fn encrypted(&self, families: &[Vec<i64>]) -> Vec<Vec<u8>> {
        let inputs = &self.plan.inputs;
        let column = |c: usize| {
            families.iter().map(|f| inputs.column_value(c, &mut |i| f[i])).collect::<Vec<_>>()
        };
        let columns = |a: usize| inputs.columns_of(a).into_iter().map(column).collect::<Vec<_>>();
        inputs
            .agencies()
            .into_iter()
            .map(|a| self.encrypt.encrypt(a, &columns(a)).unwrap())
            .collect()
    }

    /// The results of a chunk.
    fn results(&self, families: &[Vec<i64>]) -> Vec<u8> {
        let chunks = self.encrypted(families);
        let inputs: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
        self.evaluate.evaluate(families.len(), &inputs, &|_| {}).unwrap().results
    }

    /// Bits of the largest coefficient of a result's noise, as a multiple of 1/Q'.
    fn noise_bits(&self, result: &[u8]) -> f64 {
        let basis = self.plan.result_basis().unwrap();
        let parts = crate::bytes::read("result", &basis, 2, result).unwrap();
        let phase = self.open.phase(&parts[0], &parts[1]);
        let modulus = basis.modulus();
        let largest = (0..basis.degree()).map(|coefficient| {
            // t·x = Q·m + t·v modulo t·Q, so that the centred remainder modulo Q is t·v.
            let scaled = basis.lift(&phase, coefficient) * PLAINTEXT;
            let rest = ((scaled % &modulus) + &modulus) % &modulus;
            let centred = if &rest * 2 > modulus { rest - &modulus } else { rest };
            if centred.sign() == Sign::Minus { -centred } else { centred }
        });
        largest.max().unwrap().bits() as f64 - 16.0
    }
}

#[test]
fn what_plans_cost_is_exactly() {
    let counts = |multiplications, relinearisations, extensions, depth| Counts {
        multiplications,
        relinearisations,
        extensions,
        depth,
    };
    for (name, folded, per_indicator) in [
        ("nursery", counts(16, 5, 13, 2), counts(37, 14, 28, 3)),
        ("digital-family-card", counts(63, 30, 57, 10), counts(63, 30, 57, 10)),
        ("eight-indicators", counts(42, 18, 28, 3), counts(49, 22, 31, 3)),
        ("mpi", counts(8, 7, 8, 5), counts(8, 7, 8, 5)),
    ] {
        let policy = shipped(name);
        for (layout, expected) in [(Layout::Folded, folded), (Layout::PerIndicator, per_indicator)]
        {
            let plan = BfvPlan::new(&policy, layout, SHARES).unwrap();
            assert_eq!(plan.program.counts(), expected, "{name} {layout}");
            let a_chunk = expected.multiplications;
            assert_eq!(plan.summary().operations, Operations::Multiplications { a_chunk });
            assert!(plan.flooding_distance(ROUND_FAMILIES) <= DISTANCE, "{name} {layout}");
            let parameters = plan.parameters();
            let limit = SECURE.iter().find(|s| s.0 == parameters.degree).unwrap().1;
            assert!(parameters.modulus_bits + ENCRYPTION_BITS <= limit, "{}", parameters.name());
        }
    }
    let nursery = BfvPlan::new(&shipped("nursery"), Layout::Folded, SHARES).unwrap();
    let slots = nursery.chunk_slots().unwrap();
    let upload: u64 = nursery.inputs.agencies().iter().map(|a| nursery.upload_bytes(*a, 1)).sum();
    assert_eq!(upload / u64::from(slots), 387, "bytes a family over all agencies");
}

#[test]
fn no_plan_has_more_polynomials_than_the_bound_was_chosen_for() {
    // Everything whose norm is bounded by its variance: of a column the blinding, two errors, two roundings and two
    // parts; of a node its pieces, three roundings and two parts, and two parts of each operand; of a result two
    // roundings a dropped prime.
    for name in SHIPPED {
        for layout in LAYOUTS {
            let plan = BfvPlan::new(&shipped(name), layout, 15).unwrap();
            let (counts, parameters) = (plan.program.counts(), &plan.parameters);
            let columns = 7 * plan.inputs.columns.len() as u32;
            let node = parameters.primes * parameters.pieces + 5;
            let nodes = counts.relinearisations * node + 2 * counts.extensions;
            let dropped = 2 * (parameters.primes - parameters.result_primes);
            assert!(columns + nodes + dropped < 1 << 12, "{name} {layout}");
        }
    }
}

#[test]
fn programs_are_right_for_every_family_in_the_clear() {
    for name in ["nursery", "eight-indicators", "mpi"] {
        let policy = shipped(name);
        let all = every_family(&policy);
        for layout in LAYOUTS {
            assert!(agrees_in_the_clear(
                &policy,
                &BfvPlan::new(&policy, layout, SHARES).unwrap(),
                &all
            ));
        }
    }
    let card = shipped("digital-family-card");
    for layout in LAYOUTS {
        let plan = BfvPlan::new(&card, layout, SHARES).unwrap();
        assert!(agrees_in_the_clear(&card, &plan, &sample(&card, 2_000)));
    }
}

#[test]
fn shipped_policies_pass_the_conformance_suite() {
    for name in SHIPPED {
        let policy = shipped(name);
        for layout in LAYOUTS {
            let rig = Rig::new(&policy, layout);
            let families = sample(&policy, 5_000);
            agrees(&policy, &families, &rig.session()).unwrap();
            if layout == Layout::Folded && name != "digital-family-card" {
                refuses_malformed(&families[..3], &rig.session()).unwrap();
            }
        }
    }
}

#[test]
fn every_nursery_family_is_right_on_ciphertexts_and_noise_stays_below_its_bound() {
    let policy = shipped("nursery");
    let rig = Rig::new(&policy, Layout::Folded);
    let slots = rig.plan.parameters.degree;
    let allowed = rig.plan.bound().switched(&rig.plan.parameters).log2();
    for families in every_family(&policy).chunks(slots) {
        let result = rig.results(families);
        let codes = rig.open.open(families.len(), &result).unwrap();
        for (values, code) in families.iter().zip(codes) {
            assert_eq!(usize::from(code), policy.decide(values).unwrap().tier, "{values:?}");
        }
        let measured = rig.noise_bits(&result);
        println!("noise of a result: measured 2^{measured:.0}, bound 2^{allowed:.1}");
        assert!(measured <= allowed, "measured {measured} bits, bound {allowed}");
        assert!(measured >= allowed - 24.0, "the bound is not that loose: {measured}, {allowed}");
    }
}

#[test]
fn evaluation_gives_the_same_bytes_and_encryption_never_does() {
    let policy = shipped("mpi");
    let rig = Rig::new(&policy, Layout::Folded);
    let families = sample(&policy, 10);
    let (one, other) = (rig.encrypted(&families), rig.encrypted(&families));
    assert!(one.iter().zip(&other).all(|(a, b)| a != b && a.len() == b.len()));
    let inputs: Vec<&[u8]> = one.iter().map(Vec::as_slice).collect();
    let run = |rig: &BfvEvaluate| rig.evaluate(10, &inputs, &|_| {}).unwrap().results;
    let again = BfvEvaluate::new(&rig.plan, &rig.keys.evaluation).unwrap();
    assert_eq!(run(&rig.evaluate), run(&again));
}

#[test]
fn slots_past_the_last_family_are_missing_families() {
    let policy = shipped("nursery");
    let rig = Rig::new(&policy, Layout::Folded);
    let result = rig.results(&sample(&policy, 5));
    let slots = rig.plan.parameters.degree;
    let unknown = policy.decide(&policy.missing_values()).unwrap().tier;
    let codes = rig.open.open(slots, &result).unwrap();
    assert!(codes.iter().skip(5).all(|code| usize::from(*code) == unknown));
}

#[test]
fn a_policy_that_does_not_fit_says_which_part() {
    let text = |max: u64| {
        format!(
            r#"
            blindtier = "1"
            name = "wide"
            title = "Wide"
            tiers = ["low", "high"]
            [agencies]
            tax = {{ label = "Tax" }}
            land = {{ label = "Land" }}
            [indicators.income]
            agency = "tax"
            aggregate = "sum"
            integer = {{ min = 0, max = {max}, unit = "tenge", missing = 0 }}
            [indicators.plots]
            agency = "land"
            aggregate = "sum"
            integer = {{ min = 0, max = 9, unit = "plots", missing = 0 }}
            [scores.need]
            weights = {{ income = 1, plots = -2 }}
            [cuts.support]
            score = "need"
            classes = ["low", "high"]
            at = [1000]
            [tier]
            from = "support"
            "#
        )
    };
    let policy = |max| Policy::parse("wide.toml", &text(max)).unwrap();
    let fits = policy(4_095);
    let plan = BfvPlan::new(&fits, Layout::Folded, SHARES).unwrap();
    let around = [0, 1, 999, 1_000, 1_001, 1_017, 1_018, 1_019, 4_094, 4_095];
    let families: Vec<Vec<i64>> =
        around.iter().flat_map(|x| (0..=9).map(|y| vec![*x, y])).collect();
    assert!(agrees_in_the_clear(&fits, &plan, &families));
    for (max, word) in [(20_000, "too wide for one polynomial"), (70_000, "plaintext modulus")] {
        let error = BfvPlan::new(&policy(max), Layout::Folded, SHARES).unwrap_err().to_string();
        assert!(error.contains("a score") && error.contains(word), "{error}");
    }
}

#[test]
fn keys_and_ciphertexts_of_other_parameters_are_refused() {
    let rig = Rig::new(&shipped("nursery"), Layout::Folded);
    let other = Rig::new(&shipped("mpi"), Layout::Folded);
    let refused = |error: EngineError, part: &str| {
        assert!(error.to_string().contains(part), "{error}");
    };
    refused(BfvEncrypt::new(rig.plan.clone(), &other.keys.public).err().unwrap(), "public key");
    refused(BfvEvaluate::new(&rig.plan, &other.keys.evaluation).err().unwrap(), "evaluation key");
    refused(BfvOpen::new(&rig.plan, &other.keys.secret, 5).err().unwrap(), "secret key");
    assert!(secret_coefficients(4, 3, &[0, 1, 253, 4]).is_err());
    let families = sample(&shipped("nursery"), 2);
    let chunks = rig.encrypted(&families);
    let mut inputs: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
    inputs.swap(0, 1);
    // The agencies' chunks differ in their number of columns.
    refused(rig.evaluate.evaluate(2, &inputs, &|_| {}).unwrap_err(), "column");
    inputs.swap(0, 1);
    let slots = rig.plan.parameters.degree;
    refused(rig.evaluate.evaluate(slots + 1, &inputs, &|_| {}).unwrap_err(), "at most");
    // A result under another key is noise and opens to no tier.
    let result = rig.evaluate.evaluate(2, &inputs, &|_| {}).unwrap().results;
    let stranger = Rig::new(&shipped("nursery"), Layout::Folded);
    assert!(matches!(stranger.open.open(2, &result), Err(EngineError::NotATier { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn random_policies_are_right_in_the_clear(
        (policy, families) in policies().prop_flat_map(|policy| {
            let values = proptest::collection::vec(families(&policy), 24);
            (Just(policy), values)
        })
    ) {
        for layout in LAYOUTS {
            match BfvPlan::new(&policy, layout, SHARES) {
                Ok(plan) => {
                    prop_assert!(agrees_in_the_clear(&policy, &plan, &families));
                    prop_assert!(plan.flooding_distance(ROUND_FAMILIES) <= DISTANCE);
                }
                Err(error) => {
                    let refused = matches!(error, EngineError::Unsupported { .. });
                    prop_assert!(refused, "{error}");
                }
            }
        }
    }

    #[test]
    fn no_bytes_from_outside_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0usize..400_000) {
        static RIG: std::sync::LazyLock<Rig> =
            std::sync::LazyLock::new(|| Rig::new(&shipped("nursery"), Layout::Folded));
        let rig = &*RIG;
        prop_assert!(BfvEncrypt::new(rig.plan.clone(), &bytes).is_err());
        prop_assert!(BfvEvaluate::new(&rig.plan, &bytes).is_err());
        prop_assert!(BfvOpen::new(&rig.plan, &bytes, 5).is_err());
        prop_assert!(rig.open.open(1, &bytes).is_err());
        let all = [bytes.as_slice(); SHARES as usize];
        prop_assert!(crate::public_key(&rig.plan, &[0; 32], &all).is_err());
        prop_assert!(crate::evaluation_key(&rig.plan, &[0; 32], &all, &all).is_err());
        let prepared = BfvPrepare::new(&rig.plan).unwrap().prepare(1, &bytes, &|_| {});
        prop_assert!(prepared.is_err());
        prop_assert!(BfvCombine::new(&rig.plan).unwrap().combine(1, &bytes, &all).is_err());
        let share = BfvOpenShare::new(&rig.plan, &rig.keys.shares[0]).unwrap();
        prop_assert!(share.partial(1, &bytes, &[0]).is_err());
        // Right length, random content: either refused as a residue too large or opened to no tier.
        let long: Vec<u8> = bytes.iter().copied().cycle().take(rig.keys.public.len()).collect();
        let _ = BfvEncrypt::new(rig.plan.clone(), &long);
        let short = &rig.keys.public[..cut % rig.keys.public.len()];
        prop_assert!(BfvEncrypt::new(rig.plan.clone(), short).is_err());
    }
}

#[test]
fn random_policies_pass_the_conformance_suite() {
    let mut runner = TestRunner::deterministic();
    let mut planned = 0;
    for _ in 0..12 {
        let policy = policies().new_tree(&mut runner).unwrap().current();
        if BfvPlan::new(&policy, Layout::Folded, SHARES).is_err() {
            continue;
        }
        planned += 1;
        let rig = Rig::new(&policy, Layout::Folded);
        if let Err(violation) = agrees(&policy, &sample(&policy, 200), &rig.session()) {
            panic!("{violation}\n{policy:#?}");
        }
    }
    assert!(planned >= 6, "{planned} of 12 random policies could be planned");
}
