//! Counting families by group and tier.

use super::withheld::required;
use super::*;
use crate::bytes::polynomial_bytes;
use crate::{BfvCombineCounts, BfvCount, BfvOpenCounts};
use blindtier_engine::{CombineCounts, Count, OpenCounts};

const GROUPS: u32 = 3;

fn counting(policy: &Policy, layout: Layout, proofs: Proofs) -> BfvPlan {
    BfvPlan::counting(policy, layout, SHARES, proofs, GROUPS).unwrap()
}

/// Families with who said no, and of every group whether they are in it: one of them, or none.
fn grouped(policy: &Policy, families: &[Vec<i64>]) -> Vec<Vec<i64>> {
    let families = with_opt_outs(policy, families);
    let member = |place: usize, group: u32| i64::from(place % 4 == group as usize);
    let groups = |place| (0..GROUPS).map(move |group| member(place, group)).collect::<Vec<_>>();
    families.iter().enumerate().map(|(f, v)| [v.as_slice(), &groups(f)].concat()).collect()
}

/// How many families of each group have each tier: for each group all tiers.
fn counted(policy: &Policy, families: &[Vec<i64>]) -> Vec<i64> {
    let interpreter = Interpreter::new(policy).unwrap();
    let (indicators, tiers) = (policy.indicators.len(), policy.tiers.len());
    let mut counts = vec![0; GROUPS as usize * tiers];
    for values in families {
        let said_no = values[indicators] == 1;
        if let Answer::Tier(outcome) = interpreter.answer(&values[..indicators], said_no).unwrap() {
            for group in (0..GROUPS as usize).filter(|g| values[indicators + 1 + g] == 1) {
                counts[group * tiers + outcome.tier] += 1;
            }
        }
    }
    counts
}

/// What the program counts in the clear.
fn simulated(plan: &BfvPlan, families: &[Vec<i64>]) -> Vec<i64> {
    let program = &plan.counting.as_ref().unwrap().program;
    let mut sums = vec![0; program.cells.len()];
    for values in families {
        let mut inputs = plan.inputs.column_values(values);
        inputs.resize(plan.gates.covers().end, 20);
        for (sum, cell) in sums.iter_mut().zip(program.simulate_cells(&inputs)) {
            *sum += cell;
        }
    }
    sums
}

#[test]
fn programs_count_what_the_clear_twin_counts() {
    for (name, layout, proofs) in all_plans() {
        let policy = shipped(name);
        let plan = counting(&policy, layout, proofs);
        let families = grouped(&policy, &sample(&policy, 400));
        assert_eq!(simulated(&plan, &families), counted(&policy, &families), "{name} {layout}");
        // Tiers are what they are without statistics.
        assert!(agrees_in_the_clear(&policy, &plan, &families), "{name} {layout}");
    }
}

#[test]
fn families_with_unknown_values_or_a_no_are_not_counted() {
    let policy = required();
    let ranges = [3, 5, 3, 2, 2];
    let mut cases = vec![Vec::new()];
    for count in ranges {
        let longer =
            |f: &Vec<i64>| (0..count).map(|v| [f.as_slice(), &[v]].concat()).collect::<Vec<_>>();
        cases = cases.iter().flat_map(longer).collect();
    }
    let families: Vec<Vec<i64>> = cases
        .iter()
        .enumerate()
        .map(|(place, f)| {
            let groups = (0..GROUPS as usize).map(|g| i64::from(place % 4 == g));
            f.iter().copied().chain(groups).collect()
        })
        .collect();
    for (layout, proofs) in LAYOUTS.into_iter().flat_map(|l| PROOFS.map(|p| (l, p))) {
        let plan = counting(&policy, layout, proofs);
        assert_eq!(plan.inputs.known_columns().len(), 2);
        let counts = counted(&policy, &families);
        assert_eq!(simulated(&plan, &families), counts, "{layout}");
        assert!(counts.iter().sum::<i64>() < families.len() as i64 / 2);
    }
}

/// An engine that counts, with the shares of the key.
struct Counting {
    plan: BfvPlan,
    encrypt: BfvEncrypt,
    count: BfvCount,
    shares: Vec<BfvOpenCounts>,
    combine: BfvCombineCounts,
}

impl Counting {
    fn new(policy: &Policy, layout: Layout, proofs: Proofs) -> Self {
        let plan = counting(policy, layout, proofs);
        let keys = generate_keys(&plan).unwrap();
        Self {
            encrypt: BfvEncrypt::new(plan.clone(), &keys.public).unwrap(),
            count: BfvCount::new(&plan, &keys.evaluation).unwrap(),
            shares: keys.shares.iter().map(|s| BfvOpenCounts::new(&plan, s).unwrap()).collect(),
            combine: BfvCombineCounts::new(&plan).unwrap(),
            plan,
        }
    }

    fn count(&self, families: &[Vec<i64>], groups: &[u32]) -> Vec<u8> {
        let inputs = &self.plan.inputs;
        let column = |c: usize| -> Vec<i64> {
            families.iter().map(|f| inputs.column_values(f)[c]).collect()
        };
        let submitters = inputs.submitters();
        let sent: Vec<Vec<u8>> = submitters
            .iter()
            .map(|s| {
                let columns: Vec<_> = inputs.columns_of(*s).into_iter().map(column).collect();
                self.encrypt.encrypt(*s, &columns, &BINDING).unwrap()
            })
            .collect();
        let inputs = sent.iter().map(|bytes| Some(bytes.as_slice())).collect();
        let chunk = Chunk { families: families.len(), inputs, seed: SEED };
        let counted = self.count.count(&chunk, groups).unwrap();
        assert_eq!(
            counted,
            self.count.count(&chunk, groups).unwrap(),
            "a function of its arguments"
        );
        counted.counts
    }

    fn open(&self, counts: &[u8], noise: &[Vec<i64>], lowest: i64) -> Vec<i64> {
        let partials: Vec<Vec<u8>> =
            self.shares.iter().zip(noise).map(|(s, n)| s.partial(counts, n).unwrap()).collect();
        let partials: Vec<&[u8]> = partials.iter().map(Vec::as_slice).collect();
        self.combine.combine(counts, &partials, lowest).unwrap()
    }
}

#[test]
fn counts_on_ciphertexts_are_those_of_the_clear_twin_plus_the_noise_of_all_shares() {
    let policy = shipped("nursery");
    let tiers = policy.tiers.len();
    for (layout, proofs) in [(Layout::Folded, Proofs::Off), (Layout::Folded, Proofs::On)] {
        let rig = Counting::new(&policy, layout, proofs);
        let all = grouped(&policy, &sample(&policy, 3_000));
        let (one, other) = all.split_at(1_900);
        let mut counts = rig.count(one, &[0, 1, 2]);
        rig.count.add(&mut counts, &rig.count(other, &[0, 1, 2])).unwrap();
        let cells = GROUPS as usize * tiers;
        let none = vec![vec![0; cells]; 3];
        assert_eq!(rig.open(&counts, &none, 0), counted(&policy, &all));
        // Noise of every share is added, and what is below 0 comes out below 0.
        let noise: Vec<Vec<i64>> = (0..3i64)
            .map(|share| (0..cells as i64).map(|cell| (share + 1) * (cell - 9) * 40).collect())
            .collect();
        let expected: Vec<i64> = counted(&policy, &all)
            .iter()
            .enumerate()
            .map(|(cell, count)| count + noise.iter().map(|n| n[cell]).sum::<i64>())
            .collect();
        assert!(expected.iter().any(|count| *count < 0));
        assert_eq!(rig.open(&counts, &noise, -9 * 40 * 6), expected);
        // Some of the groups only.
        let counts = rig.count(&all, &[1]);
        let none = vec![vec![0; tiers]; 3];
        assert_eq!(rig.open(&counts, &none, 0), counted(&policy, &all)[tiers..2 * tiers]);
        // Without one share the numbers are others.
        let zero = vec![0u8; rig.shares[2].partial(&counts, &none[2]).unwrap().len()];
        let partials = [0, 1].map(|s| rig.shares[s].partial(&counts, &none[s]).unwrap());
        let partials = [partials[0].as_slice(), &partials[1], &zero];
        let wrong = rig.combine.combine(&counts, &partials, 0).unwrap();
        let right = counted(&policy, &all);
        let same = wrong.iter().zip(&right[tiers..2 * tiers]).filter(|(a, b)| a == b).count();
        assert!(same <= 1, "{same} of {tiers} numbers without one share");
    }
}

#[test]
fn a_hundred_thousand_families_are_counted_in_parts() {
    let policy = shipped("nursery");
    let rig = Counting::new(&policy, Layout::Folded, Proofs::Off);
    let all: Vec<Vec<i64>> = every_family(&policy).into_iter().cycle().take(100_000).collect();
    let all = grouped(&policy, &all);
    let (slots, tiers) = (rig.plan.parameters.degree, policy.tiers.len());
    let chunks: Vec<&[Vec<i64>]> = all.chunks(slots).collect();
    let none = vec![vec![0; tiers]; 3];
    let mut sums = vec![0; tiers];
    let parts = chunks.chunks(65_536 / slots);
    assert!(parts.len() > 1, "more than one part");
    for part in parts {
        let mut counted = part.iter().map(|chunk| rig.count(chunk, &[0]));
        let mut whole = counted.next().unwrap();
        counted.for_each(|chunk| rig.count.add(&mut whole, &chunk).unwrap());
        for (sum, count) in sums.iter_mut().zip(rig.open(&whole, &none, 0)) {
            *sum += count;
        }
    }
    assert_eq!(sums, counted(&policy, &all)[..tiers]);
}

#[test]
fn only_the_sum_over_all_slots_is_in_what_is_opened() {
    let policy = shipped("nursery");
    let rig = Counting::new(&policy, Layout::Folded, Proofs::Off);
    let families = grouped(&policy, &sample(&policy, 50));
    let counts = rig.count(&families, &[0]);
    let basis = rig.plan.kept_basis(rig.plan.parameters.counts.unwrap().primes).unwrap();
    // A count has one coefficient of the part that is added to, and a partial decryption one coefficient.
    let cell = 8 * basis.primes().len() + polynomial_bytes(&basis);
    assert_eq!(counts.len(), policy.tiers.len() * cell);
    let partial = rig.shares[0].partial(&counts, &[0; 5]).unwrap();
    assert_eq!(partial.len(), policy.tiers.len() * 8 * basis.primes().len());
    // The same share answers with the same bytes, another noise changes them by the noise only.
    assert_eq!(partial, rig.shares[0].partial(&counts, &[0; 5]).unwrap());
    assert_ne!(partial, rig.shares[0].partial(&counts, &[1; 5]).unwrap());
}

#[test]
fn malformed_counts_are_refused() {
    let policy = shipped("nursery");
    let rig = Counting::new(&policy, Layout::Folded, Proofs::Off);
    let families = grouped(&policy, &sample(&policy, 20));
    let counts = rig.count(&families, &[0]);
    let share = &rig.shares[0];
    assert!(share.partial(&counts[1..], &[0; 5]).is_err());
    assert!(share.partial(&counts, &[0; 4]).is_err());
    assert!(share.partial(&counts, &[0; 6]).is_err());
    let mut large = counts.clone();
    large[..8].fill(0xff);
    assert!(share.partial(&large, &[0; 5]).is_err());
    let mut sum = counts.clone();
    assert!(rig.count.add(&mut sum, &counts[..counts.len() / 5]).is_err());
    let partial = share.partial(&counts, &[0; 5]).unwrap();
    for partials in [&[partial.as_slice(); 2][..], &[&partial, &partial, &partial[8..]]] {
        assert!(rig.combine.combine(&counts, partials, 0).is_err());
    }
    // A plan without statistics counts nothing.
    let plain = BfvPlan::new(&policy, Layout::Folded, SHARES, Proofs::Off).unwrap();
    assert!(matches!(BfvCombineCounts::new(&plain), Err(EngineError::Unsupported { .. })));
    let inputs = vec![None; rig.plan.inputs.submitters().len()];
    let chunk = Chunk { families: 1, inputs, seed: SEED };
    for groups in [&[][..], &[GROUPS]] {
        assert!(rig.count.count(&chunk, groups).is_err());
    }
}
