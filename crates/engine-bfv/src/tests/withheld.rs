//! What withholds a tier: opt-outs, values that have to be known, and submitters that were left out.

use super::*;
use blindtier_policy::UNDECIDED_NUMBER;

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

pub(super) fn required() -> Policy {
    Policy::parse("required.toml", REQUIRED).unwrap()
}

/// Every combination of values, unknown ones too, with and without a no.
fn every_case() -> Vec<Vec<i64>> {
    [3, 5, 3, 2, 2].into_iter().fold(vec![Vec::new()], |all, count| {
        all.iter().flat_map(|f| (0..count).map(move |v| [f.as_slice(), &[v]].concat())).collect()
    })
}

#[test]
fn unknown_values_and_opt_outs_withhold_the_tier_whoever_is_left_out() {
    let (policy, cases) = (required(), every_case());
    for (layout, proofs) in LAYOUTS.into_iter().flat_map(|l| PROOFS.map(|p| (l, p))) {
        let rig = Rig::with(&policy, layout, SHARES, proofs);
        assert_eq!(rig.plan.inputs.submitters(), [0, 1, 2, 3]);
        assert!(agrees_in_the_clear(&policy, &rig.plan, &cases), "{layout} {proofs:?}");
        agrees(&policy, &cases, &rig.session()).unwrap();
        agrees_without_any_one(&policy, &cases, &rig.session()).unwrap();
        refuses_malformed(&cases[..3], &rig.session()).unwrap();
        assert_eq!(rig.plan.summary().operations.checks > 0, proofs == Proofs::On);
        // The upload of a gate: one ciphertext, with checks two.
        let ciphertext = rig.plan.parameters.ciphertext_bytes(rig.plan.parameters.modulus_bits);
        let gates = if proofs == Proofs::On { 2 } else { 1 };
        assert_eq!(rig.plan.upload_bytes(3, 1), gates * ciphertext);
    }
}

#[test]
fn a_withheld_number_tells_nothing_and_is_another_one_every_time() {
    let policy = shipped("nursery");
    let families = sample(&policy, 4_000);
    let said_no: Vec<Vec<i64>> =
        families.iter().map(|values| [values.as_slice(), &[1]].concat()).collect();
    for proofs in PROOFS {
        let rig = Rig::with(&policy, Layout::Folded, SHARES, proofs);
        let numbers = || rig.open.open(4_000, &rig.results(&said_no)).unwrap();
        let (one, other) = (numbers(), numbers());
        assert!(one.iter().zip(&other).filter(|(a, b)| a == b).count() <= 3);
        for number in one.iter().chain(&other) {
            assert!((16..65_537).contains(number), "{number}");
            assert_eq!(policy.code(*number), Code::Withheld);
        }
        // With checks a number is the sum of two.
        let mean = one.iter().map(|n| f64::from(*n)).sum::<f64>() / 4_000.0;
        assert!((31_500.0..34_000.0).contains(&mean), "{mean}");
        let mut residues = [0; 16];
        one.iter().for_each(|n| residues[*n as usize % 16] += 1);
        assert!(residues.iter().all(|count| (180..320).contains(count)), "{residues:?}");
    }
}

#[test]
fn without_a_submitter_whose_values_are_needed_nobody_s_values_count() {
    let (policy, cases) = (required(), every_case());
    for proofs in PROOFS {
        let rig = Rig::with(&policy, Layout::Folded, SHARES, proofs);
        let chunks = rig.encrypted(&cases);
        let mut inputs: Vec<Option<&[u8]>> = chunks.iter().map(|c| Some(c.as_slice())).collect();
        inputs[1] = None;
        // Also not those of who sent something else: the gate of the bank alone decides.
        let chunk = Chunk { families: cases.len(), inputs, seed: SEED };
        let evaluated = rig.evaluate.evaluate(&chunk, &|_| {}).unwrap();
        assert_eq!(evaluated.operations, u64::from(rig.plan.summary().operations.total()));
        let numbers = rig.open.open(cases.len(), &evaluated.results).unwrap();
        let tier = policy.decide(&[1, 3, 1, 0]).unwrap().tier as u32;
        let open = cases.iter().map(|f| f[4] == 0 && f[0] < 2 && f[1] < 4);
        let offsets = match proofs {
            Proofs::Off => vec![16; cases.len()].into(),
            Proofs::On => {
                rig.plan.gates.offsets(&SEED, rig.plan.gates.covers_of(1)[0], cases.len())
            }
        };
        for ((number, known), offset) in numbers.iter().zip(open).zip(offsets.iter()) {
            assert!(*number > UNDECIDED_NUMBER);
            assert!(!known || *number == tier + *offset as u32, "{proofs:?}: {number}");
        }
    }
}

#[test]
fn only_with_checks_a_gate_moves_no_tier() {
    // A submitter sends 1 where it should send 0 or a large number.
    let policy = shipped("nursery");
    let families = sample(&policy, 3_000);
    let tiers: Vec<u32> =
        families.iter().map(|values| policy.decide(values).unwrap().tier as u32).collect();
    for proofs in PROOFS {
        let rig = Rig::with(&policy, Layout::Folded, SHARES, proofs);
        let gate = rig.plan.inputs.opt_out_column().unwrap();
        let chunks = rig.encrypted(&families);
        let chunks = rig.forged(&chunks, gate, &[1; 3_000]);
        let opened =
            |chunks: &[Vec<u8>]| rig.open.open(3_000, &rig.evaluated(3_000, chunks, SEED)).unwrap();
        let numbers = opened(&chunks);
        if proofs == Proofs::Off {
            assert!(numbers.iter().zip(&tiers).all(|(number, tier)| *number == tier + 1));
            continue;
        }
        assert!(numbers.iter().all(|number| policy.code(*number) == Code::Withheld));
        // Nor with a cover of its choice, and no other bit does better. By chance 0.5 are tiers.
        let cover = rig.plan.gates.covers_of(policy.agencies.len())[0];
        for (bit, number) in [(1, -16), (1, -20_000), (-1, 0), (2, -100), (30_000, 5)] {
            let chunks = rig.forged(&chunks, gate, &[bit; 3_000]);
            let chunks = rig.forged(&chunks, cover, &[number; 3_000]);
            let tiers = opened(&chunks).iter().filter(|number| **number < 5).count();
            assert!(tiers <= 6, "{bit} {number}: {tiers}");
        }
        // A cover alone does nothing.
        let chunks = rig.forged(&rig.encrypted(&families), cover, &[3; 3_000]);
        assert_eq!(opened(&chunks), tiers);
    }
}
