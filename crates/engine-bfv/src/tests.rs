//! The engine as a whole: programs against the clear twin on many policies, ciphertexts on the shipped ones.

use crate::encrypt::Encryptor;
use crate::keys::secret_coefficients;
use crate::parameters::{DISTANCE, ENCRYPTION_BITS, PLAINTEXT, ROUND_FAMILIES, SECURE};
use crate::program::Counts;
use crate::ring::Basis;
use crate::{
    BfvCombine, BfvEncrypt, BfvEvaluate, BfvOpen, BfvOpenShare, BfvPlan, BfvPrepare, BfvVerify,
    KeySet, generate_keys,
};
use blindtier_engine::conformance::{Session, agrees, agrees_without_any_one, refuses_malformed};
use blindtier_engine::{
    Chunk, Combine, Encrypt, EngineError, Evaluate, Open, OpenShare, Plan, Prepare, Proofs, Verify,
};
use blindtier_policy::arbitrary::{families, policies};
use blindtier_policy::passes::Layout;
use blindtier_policy::{Answer, Code, Interpreter, OptOut, Policy};
use num_bigint::Sign;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

mod ceremony;
mod checks;
mod counts;
mod opening;
mod withheld;

const LAYOUTS: [Layout; 2] = [Layout::Folded, Layout::PerIndicator];
/// Into how many shares the key of most tests is cut.
const SHARES: u32 = 3;
const PROOFS: [Proofs; 2] = [Proofs::Off, Proofs::On];
const BINDING: [u8; 32] = [1; 32];
const SEED: [u8; 32] = [2; 32];
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

/// All shipped policies in both layouts, with and without checks.
fn all_plans() -> impl Iterator<Item = (&'static str, Layout, Proofs)> {
    let layouts = SHIPPED.into_iter().flat_map(|name| LAYOUTS.map(|layout| (name, layout)));
    layouts.flat_map(|(name, layout)| PROOFS.map(|proofs| (name, layout, proofs)))
}

/// Families of which every seventh said no.
fn with_opt_outs(policy: &Policy, families: &[Vec<i64>]) -> Vec<Vec<i64>> {
    let may = policy.opt_out == OptOut::Neutral;
    let said_no = |place: usize| i64::from(may && place % 7 == 3);
    families.iter().enumerate().map(|(f, v)| [v.as_slice(), &[said_no(f)]].concat()).collect()
}

/// A plan for a key in three shares.
fn plan(policy: &Policy, layout: Layout, proofs: Proofs) -> BfvPlan {
    BfvPlan::new(policy, layout, SHARES, proofs).unwrap()
}

/// Whether tiers are right, and checks 0, whatever the factors are. Covers and closed gates are taken as 20.
fn agrees_in_the_clear(policy: &Policy, plan: &BfvPlan, families: &[Vec<i64>]) -> bool {
    let interpreter = Interpreter::new(policy).unwrap();
    families.iter().all(|values| {
        let mut inputs = plan.inputs.column_values(values);
        inputs.resize(plan.gates.covers().end, 20);
        let gates = plan.gates.covers().is_empty();
        for (column, input) in plan.inputs.columns.iter().zip(&mut inputs) {
            *input *= if gates && column.is_gate() { 20 } else { 1 };
        }
        let said_no = values.get(policy.indicators.len()) == Some(&1);
        let known = &values[..policy.indicators.len()];
        let expected = match interpreter.answer(known, said_no).unwrap() {
            Answer::Tier(outcome) => Code::Tier(outcome.tier),
            Answer::OptedOut | Answer::Undecided(_) => Code::Withheld,
        };
        [1, 7_919].into_iter().all(|factor| {
            let factors = vec![factor; plan.program.checks.len()];
            let number = plan.program.simulate(&inputs, &factors);
            u32::try_from(number).is_ok_and(|number| policy.code(number) == expected)
        })
    })
}

/// An engine with all keys.
struct Rig {
    plan: BfvPlan,
    keys: KeySet,
    encrypt: BfvEncrypt,
    verify: BfvVerify,
    evaluate: BfvEvaluate,
    open: BfvOpen,
}

impl Rig {
    /// Without checks, with a key in three shares.
    fn new(policy: &Policy, layout: Layout) -> Self {
        Self::with(policy, layout, SHARES, Proofs::Off)
    }

    fn with(policy: &Policy, layout: Layout, shares: u32, proofs: Proofs) -> Self {
        let plan = BfvPlan::new(policy, layout, shares, proofs).unwrap();
        let keys = generate_keys(&plan).unwrap();
        let encrypt = BfvEncrypt::new(plan.clone(), &keys.public).unwrap();
        let verify = BfvVerify::new(&plan).unwrap();
        let evaluate = BfvEvaluate::new(&plan, &keys.evaluation).unwrap();
        let open = BfvOpen::new(&plan, &keys.secret).unwrap();
        Self { plan, keys, encrypt, verify, evaluate, open }
    }

    fn session(&self) -> Session<'_> {
        let Self { plan, encrypt, verify, evaluate, open, .. } = self;
        Session { plan, encrypt, verify, evaluate, open }
    }

    /// Chunks of all submitters.
    fn encrypted(&self, families: &[Vec<i64>]) -> Vec<Vec<u8>> {
        let inputs = &self.plan.inputs;
        let value = |c, f: &Vec<i64>| {
            inputs.column_value(c, &mut |i| f.get(i).copied().unwrap_or_default())
        };
        let column = |c: usize| families.iter().map(|f| value(c, f)).collect::<Vec<_>>();
        let columns = |s: usize| inputs.columns_of(s).into_iter().map(column).collect::<Vec<_>>();
        let submitters = inputs.submitters().into_iter();
        submitters.map(|s| self.encrypt.encrypt(s, &columns(s), &BINDING).unwrap()).collect()
    }

    /// The result of chunks of all submitters.
    fn evaluated(&self, families: usize, chunks: &[Vec<u8>], seed: [u8; 32]) -> Vec<u8> {
        let inputs = chunks.iter().map(|chunk| Some(chunk.as_slice())).collect();
        let chunk = Chunk { families, inputs, seed };
        self.evaluate.evaluate(&chunk, &|_| {}).unwrap().results
    }

    /// The results of a chunk.
    fn results(&self, families: &[Vec<i64>]) -> Vec<u8> {
        self.evaluated(families.len(), &self.encrypted(families), SEED)
    }

    /// The same chunks with other values at the place of one ciphertext, which nobody checked.
    fn forged(&self, chunks: &[Vec<u8>], input: usize, values: &[i64]) -> Vec<Vec<u8>> {
        let encryptor = Encryptor::new(&self.plan.parameters, &self.keys.public).unwrap();
        let mut bytes = Vec::new();
        for part in encryptor.column(values, 0).unwrap() {
            crate::bytes::append(&mut bytes, &encryptor.basis, &part);
        }
        let mut chunks = chunks.to_vec();
        for (submitter, chunk) in self.plan.inputs.submitters().into_iter().zip(&mut chunks) {
            let sent = self.plan.sent_by(submitter);
            if let Some(place) = sent.iter().position(|position| *position == input) {
                chunk[place * bytes.len()..][..bytes.len()].copy_from_slice(&bytes);
            }
        }
        chunks
    }

    /// Bits of the largest coefficient of a result's noise, as a multiple of 1/Q'.
    fn noise_bits(&self, result: &[u8]) -> f64 {
        let basis = self.plan.result_basis().unwrap();
        let parts = crate::bytes::read("result", &basis, 2, result).unwrap();
        noise_bits(&basis, &self.open.phase(&parts[0], &parts[1]))
    }
}

/// Bits of the largest coefficient of a phase's noise, as a multiple of 1/Q.
fn noise_bits(basis: &Basis, phase: &[u64]) -> f64 {
    let modulus = basis.modulus();
    let largest = (0..basis.degree()).map(|coefficient| {
        // t·x = Q·m + t·v modulo t·Q, so that the centred remainder modulo Q is t·v.
        let scaled = basis.lift(phase, coefficient) * PLAINTEXT;
        let rest = ((scaled % &modulus) + &modulus) % &modulus;
        let centred = if &rest * 2 > modulus { rest - &modulus } else { rest };
        if centred.sign() == Sign::Minus { -centred } else { centred }
    });
    largest.max().unwrap().bits() as f64 - 16.0
}

#[test]
fn what_plans_cost_is_exactly() {
    let counts = |multiplications, relinearisations, extensions, depth| Counts {
        multiplications,
        relinearisations,
        extensions,
        depth,
    };
    for (name, proofs, folded, per_indicator) in [
        ("nursery", Proofs::Off, counts(16, 5, 13, 2), counts(37, 14, 28, 3)),
        ("nursery", Proofs::On, counts(30, 5, 15, 2), counts(61, 14, 32, 3)),
        ("digital-family-card", Proofs::Off, counts(63, 30, 57, 10), counts(63, 30, 57, 10)),
        ("digital-family-card", Proofs::On, counts(144, 82, 137, 10), counts(106, 49, 107, 10)),
        ("eight-indicators", Proofs::Off, counts(42, 18, 28, 3), counts(49, 22, 31, 3)),
        ("eight-indicators", Proofs::On, counts(57, 18, 30, 3), counts(62, 22, 33, 3)),
        ("mpi", Proofs::Off, counts(8, 7, 8, 5), counts(8, 7, 8, 5)),
        ("mpi", Proofs::On, counts(37, 7, 18, 2), counts(19, 7, 20, 5)),
    ] {
        let policy = shipped(name);
        for (layout, expected) in [(Layout::Folded, folded), (Layout::PerIndicator, per_indicator)]
        {
            let plan = plan(&policy, layout, proofs);
            assert_eq!(plan.program.counts(), expected, "{name} {layout} {proofs:?}");
            let summary = plan.summary();
            assert_eq!(summary.operations.total(), expected.multiplications);
            assert_eq!(summary.operations.checks > 0, proofs == Proofs::On);
            assert_eq!((summary.operations.opt_out, summary.proofs), (0, proofs));
            assert!(plan.flooding_distance(ROUND_FAMILIES) <= DISTANCE, "{name} {layout}");
            let parameters = plan.parameters();
            let limit = SECURE.iter().find(|s| s.0 == parameters.degree).unwrap().1;
            assert!(parameters.modulus_bits + ENCRYPTION_BITS <= limit, "{}", parameters.name());
            let said = if proofs == Proofs::On { "checks=on" } else { "checks=off" };
            assert!(parameters.name().ends_with(said), "{}", parameters.name());
        }
    }
    for (proofs, bytes) in [(Proofs::Off, 387 + 43), (Proofs::On, 387 + 86)] {
        let nursery = plan(&shipped("nursery"), Layout::Folded, proofs);
        assert_eq!(nursery.parameters.degree, 8_192);
        let submitters = nursery.inputs.submitters();
        let upload: u64 = submitters.iter().map(|s| nursery.upload_bytes(*s, 1)).sum();
        assert_eq!(upload / 8_192, bytes, "bytes a family of all who submit, {proofs:?}");
    }
}

#[test]
fn no_plan_has_more_polynomials_than_the_bound_was_chosen_for() {
    // Everything whose norm is bounded by its variance: of a ciphertext the blinding, two errors, two roundings and two
    // parts; of a node its pieces, three roundings and two parts, and two parts of each operand; of a check its factor; of
    // a result two roundings a dropped prime.
    for (name, layout, proofs) in all_plans() {
        let plan = BfvPlan::new(&shipped(name), layout, 15, proofs).unwrap();
        let (counts, parameters) = (plan.program.counts(), &plan.parameters);
        let ciphertexts = 7 * plan.gates.covers().end as u32;
        let node = parameters.primes * parameters.pieces + 5;
        let nodes = counts.relinearisations * node + 2 * counts.extensions;
        let checks = plan.program.checks.len() as u32;
        let dropped = 2 * (parameters.primes - parameters.result_primes);
        assert!(ciphertexts + nodes + checks + dropped < 1 << 12, "{name} {layout} {proofs:?}");
    }
}

#[test]
fn programs_are_right_for_every_family_in_the_clear() {
    for (name, layout, proofs) in all_plans() {
        let policy = shipped(name);
        let families = match name {
            "digital-family-card" => sample(&policy, 2_000),
            _ => every_family(&policy),
        };
        let plan = plan(&policy, layout, proofs);
        assert!(agrees_in_the_clear(&policy, &plan, &families), "{name} {layout} {proofs:?}");
        let families = with_opt_outs(&policy, &families);
        assert!(agrees_in_the_clear(&policy, &plan, &families), "{name} {layout} {proofs:?}");
    }
}

#[test]
fn shipped_policies_pass_the_conformance_suite() {
    for (name, layout, proofs) in all_plans() {
        let policy = shipped(name);
        let rig = Rig::with(&policy, layout, SHARES, proofs);
        let families = with_opt_outs(&policy, &sample(&policy, 5_000));
        agrees(&policy, &families, &rig.session()).unwrap();
        if layout == Layout::Folded && name != "digital-family-card" {
            agrees_without_any_one(&policy, &families[..500], &rig.session()).unwrap();
            refuses_malformed(&families[..3], &rig.session()).unwrap();
        }
    }
}

#[test]
fn every_nursery_family_is_right_on_ciphertexts_and_noise_stays_below_its_bound() {
    let policy = shipped("nursery");
    for proofs in PROOFS {
        let rig = Rig::with(&policy, Layout::Folded, SHARES, proofs);
        let slots = rig.plan.parameters.degree;
        let allowed = rig.plan.bound().switched(&rig.plan.parameters).log2();
        for families in every_family(&policy).chunks(slots) {
            let result = rig.results(families);
            let numbers = rig.open.open(families.len(), &result).unwrap();
            for (values, number) in families.iter().zip(numbers) {
                assert_eq!(number as usize, policy.decide(values).unwrap().tier, "{values:?}");
            }
            let measured = rig.noise_bits(&result);
            println!("{proofs:?}: noise of a result 2^{measured:.0}, bound 2^{allowed:.1}");
            assert!(measured <= allowed, "measured {measured} bits, bound {allowed}");
            assert!(measured >= allowed - 24.0, "the bound is not that loose: {measured}");
        }
    }
}

#[test]
fn evaluation_gives_the_same_bytes_and_encryption_never_does() {
    let policy = shipped("mpi");
    let rig = Rig::new(&policy, Layout::Folded);
    let families = sample(&policy, 10);
    let (one, other) = (rig.encrypted(&families), rig.encrypted(&families));
    assert!(one.iter().zip(&other).all(|(a, b)| a != b && a.len() == b.len()));
    let inputs: Vec<Option<&[u8]>> = one.iter().map(|chunk| Some(chunk.as_slice())).collect();
    let chunk = Chunk { families: 10, inputs, seed: SEED };
    let run = |rig: &BfvEvaluate| rig.evaluate(&chunk, &|_| {}).unwrap().results;
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
    let numbers = rig.open.open(slots, &result).unwrap();
    assert!(numbers.iter().skip(5).all(|number| *number as usize == unknown));
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
    let around = [0, 1, 999, 1_000, 1_001, 1_017, 1_018, 1_019, 4_094, 4_095];
    let families: Vec<Vec<i64>> =
        around.iter().flat_map(|x| (0..=9).map(|y| vec![*x, y])).collect();
    for proofs in PROOFS {
        let plan = plan(&fits, Layout::Folded, proofs);
        assert!(agrees_in_the_clear(&fits, &plan, &families));
    }
    for (max, word) in [(20_000, "too wide for one polynomial"), (70_000, "plaintext modulus")] {
        let plan = BfvPlan::new(&policy(max), Layout::Folded, SHARES, Proofs::Off);
        let error = plan.unwrap_err().to_string();
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
    refused(BfvOpen::new(&rig.plan, &other.keys.secret).err().unwrap(), "secret key");
    assert!(secret_coefficients(4, 3, &[0, 1, 253, 4]).is_err());
    let families = sample(&shipped("nursery"), 2);
    let chunks = rig.encrypted(&families);
    let inputs = chunks.iter().map(|chunk| Some(chunk.as_slice())).collect();
    let mut chunk = Chunk { families: 2, inputs, seed: SEED };
    chunk.inputs.swap(0, 1);
    // The agencies' chunks differ in their number of columns.
    refused(rig.evaluate.evaluate(&chunk, &|_| {}).unwrap_err(), "chunk");
    chunk.inputs.swap(0, 1);
    chunk.families = rig.plan.parameters.degree + 1;
    refused(rig.evaluate.evaluate(&chunk, &|_| {}).unwrap_err(), "at most");
    refused(rig.verify.verify(17, 2, &[], &BINDING).unwrap_err(), "sends nothing");
    // A result under another key is noise and opens to no tier.
    let stranger = Rig::new(&shipped("nursery"), Layout::Folded);
    let numbers = stranger.open.open(2, &rig.evaluated(2, &chunks, SEED)).unwrap();
    assert!(numbers.iter().all(|number| *number > 12), "{numbers:?}");
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
        for (layout, proofs) in LAYOUTS.into_iter().zip(PROOFS) {
            match BfvPlan::new(&policy, layout, SHARES, proofs) {
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
        prop_assert!(BfvOpen::new(&rig.plan, &bytes).is_err());
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
        let proofs = PROOFS[planned % 2];
        if BfvPlan::new(&policy, Layout::Folded, SHARES, proofs).is_err() {
            continue;
        }
        planned += 1;
        let rig = Rig::with(&policy, Layout::Folded, SHARES, proofs);
        let families = with_opt_outs(&policy, &sample(&policy, 200));
        if let Err(violation) = agrees(&policy, &families, &rig.session()) {
            panic!("{violation}\n{policy:#?}");
        }
    }
    assert!(planned >= 6, "{planned} of 12 random policies could be planned");
}
