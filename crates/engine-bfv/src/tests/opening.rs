//! Opening with shares.

use super::*;
use crate::bytes::{append, read};
use crate::parameters::MOST_FLOODING_BITS;
use crate::plaintext::{add_plaintext, slots};
use crate::ring::Basis;
use crate::share::Share;
use blindtier_engine::Prepared;
use num_bigint::BigInt;

/// The shares' side of a rig.
struct Opening {
    basis: Basis,
    prepare: BfvPrepare,
    shares: Vec<BfvOpenShare>,
    combine: BfvCombine,
}

impl Opening {
    fn new(rig: &Rig) -> Self {
        let share = |seed| BfvOpenShare::new(&rig.plan, seed).unwrap();
        Self {
            basis: rig.plan.result_basis().unwrap(),
            prepare: BfvPrepare::new(&rig.plan).unwrap(),
            shares: rig.keys.shares.iter().map(|seed| share(seed)).collect(),
            combine: BfvCombine::new(&rig.plan).unwrap(),
        }
    }

    fn partials(&self, masks: &[u8], pads: &[Vec<u32>]) -> Vec<Vec<u8>> {
        let answers = self.shares.iter().zip(pads);
        answers.map(|(share, pads)| share.partial(pads.len(), masks, pads).unwrap()).collect()
    }

    fn combine(&self, families: usize, bodies: &[u8], partials: &[Vec<u8>]) -> Vec<u32> {
        let partials: Vec<&[u8]> = partials.iter().map(Vec::as_slice).collect();
        self.combine.combine(families, bodies, &partials).unwrap()
    }

    fn polynomial(&self, bytes: &[u8]) -> Vec<u64> {
        read("polynomial", &self.basis, 1, bytes).unwrap().remove(0)
    }
}

fn pads(shares: u32, families: usize) -> Vec<Vec<u32>> {
    let pad = |share: u32, family: u32| {
        (share + 1).wrapping_mul(family + 3).wrapping_mul(2_654_435_761) % 65_537
    };
    (0..shares).map(|share| (0..families as u32).map(|f| pad(share, f)).collect()).collect()
}

/// Tier plus pads of each family.
fn expected(policy: &Policy, families: &[Vec<i64>], pads: &[Vec<u32>]) -> Vec<u32> {
    let sum = |family: usize| pads.iter().map(|pads| pads[family]).sum::<u32>();
    let tier = |values: &Vec<i64>| policy.decide(values).unwrap().tier as u32;
    families.iter().enumerate().map(|(f, values)| (tier(values) + sum(f)) % 65_537).collect()
}

#[test]
fn all_shares_together_open_tiers_and_pads_and_all_but_one_nothing() {
    for (name, shares, proofs) in [
        ("nursery", 1, Proofs::Off),
        ("nursery", 3, Proofs::Off),
        ("nursery", 4, Proofs::On),
        ("nursery", 10, Proofs::On),
        ("digital-family-card", 3, Proofs::On),
        ("digital-family-card", 10, Proofs::Off),
    ] {
        let policy = shipped(name);
        let rig = Rig::with(&policy, Layout::Folded, shares, proofs);
        let opening = Opening::new(&rig);
        assert_eq!(opening.combine.pad_modulus(), 65_537);
        let families = sample(&policy, 3_000);
        let results = rig.results(&families);
        let (noise, bound) = (rig.noise_bits(&results), rig.plan.bound());
        let bound = bound.switched(&rig.plan.parameters).log2();
        println!("{name}, {shares} shares, {proofs:?}: noise 2^{noise:.0}, bound 2^{bound:.1}");
        assert!(noise <= bound);
        let counted = std::sync::atomic::AtomicUsize::new(0);
        let count = |done| {
            counted.fetch_add(done, std::sync::atomic::Ordering::Relaxed);
        };
        let Prepared { masks, bodies } =
            opening.prepare.prepare(families.len(), &results, &count).unwrap();
        assert_eq!((counted.into_inner(), [&bodies[..], &masks].concat()), (3_000, results));

        let pads = pads(shares, families.len());
        let partials = opening.partials(&masks, &pads);
        let right = expected(&policy, &families, &pads);
        assert_eq!(opening.combine(families.len(), &bodies, &partials), right, "{name} {shares}");
        for left_out in 0..partials.len() {
            let mut partials = partials.clone();
            partials[left_out].fill(0);
            let found = opening.combine(families.len(), &bodies, &partials);
            // Also not with the pad that is missing.
            let without = found.iter().zip(&right).filter(|(a, b)| a == b).count();
            let unpadded = (found.iter().zip(&right).zip(&pads[left_out]))
                .filter(|((a, b), pad)| (**a + **pad) % 65_537 == **b)
                .count();
            assert!(without.max(unpadded) <= 4, "{name} {left_out}: {without}, {unpadded}");
        }
        // Without c₀ there is nothing either.
        let nothing = opening.combine(families.len(), &vec![0; bodies.len()], &partials);
        assert!(nothing.iter().zip(&right).filter(|(a, b)| a == b).count() <= 4);
    }
}

#[test]
fn slots_that_are_no_family_s_stay_closed() {
    let policy = shipped("nursery");
    let rig = Rig::new(&policy, Layout::Folded);
    let opening = Opening::new(&rig);
    let results = rig.results(&sample(&policy, 5));
    let slots = rig.plan.parameters.degree;
    let Prepared { masks, bodies } = opening.prepare.prepare(5, &results, &|_| {}).unwrap();
    let partials = opening.partials(&masks, &pads(SHARES, 5));
    let all = opening.combine(slots, &bodies, &partials);
    let tiers = all[5..].iter().filter(|value| **value < 5).count();
    assert!(tiers <= 8, "{tiers} slots look like a tier; by chance 0.6 do");
    let upper = all[5..].iter().filter(|value| **value > 32_768).count();
    assert!((3_800..4_400).contains(&upper), "{upper}");
}

#[test]
fn asking_again_shows_nothing_to_average() {
    let policy = shipped("nursery");
    let rig = Rig::new(&policy, Layout::Folded);
    let opening = Opening::new(&rig);
    let (basis, slots) = (&opening.basis, slots(opening.basis.degree()).unwrap());
    let results = rig.results(&sample(&policy, 100));
    let Prepared { masks, .. } = opening.prepare.prepare(100, &results, &|_| {}).unwrap();
    let share = &opening.shares[1];
    let [one, other] = [pads(1, 100), pads(2, 100)].map(|mut pads| pads.pop().unwrap());
    let answer = share.partial(100, &masks, &one).unwrap();
    assert_eq!(answer, share.partial(100, &masks, &one).unwrap());
    let again = BfvOpenShare::new(&rig.plan, &rig.keys.shares[1]).unwrap();
    assert_eq!(answer, again.partial(100, &masks, &one).unwrap(), "another holder's answer");

    // The share does not even see c₀; with other pads the difference is that of the scaled pads, and nothing else. The
    // slots past the families have the same pads in both.
    let mut spare = vec![0; basis.degree()];
    Share::new(&rig.plan.summary().hash, &rig.keys.shares[1])
        .spare_pads(&masks)
        .below(PLAINTEXT, &mut spare);
    let scaled = |pads: &[u32]| {
        let own = pads.iter().map(|p| i64::from(*p));
        let spare = spare.iter().skip(pads.len()).map(|p| *p as i64);
        let mut sum = basis.zero();
        add_plaintext(basis, &mut sum, &slots.encode(&own.chain(spare).collect::<Vec<_>>(), 0));
        sum
    };
    let without_pads = |pads: &[u32]| {
        let mut rest = opening.polynomial(&share.partial(pads.len(), &masks, pads).unwrap());
        basis.add_scaled(&mut rest, &scaled(pads), -1);
        rest
    };
    let kept = without_pads(&one);
    assert_eq!(kept, without_pads(&other));
    assert_eq!(kept, without_pads(&one[..40]), "a chunk said to be shorter");

    // What is left is c₁·s and the noise, which fills its range and is another one for another c₁.
    let flooding = |masks: &[u8], mut rest: Vec<u64>| {
        let secret = Share::new(&rig.plan.summary().hash, &rig.keys.shares[1]);
        let secret = basis.transformed(&secret.secret(basis.degree()));
        let product = basis.multiply(opening.polynomial(masks), &secret);
        basis.add_scaled(&mut rest, &product, -1);
        (0..basis.degree()).map(|c| basis.lift(&rest, c)).collect::<Vec<BigInt>>()
    };
    let noise = flooding(&masks, kept);
    let half = BigInt::from(1) << rig.plan.parameters.flooding_bits;
    assert!(noise.iter().all(|v| *v >= -half.clone() && *v < half));
    let magnitudes = noise.iter().map(|v| v.magnitude().bits());
    let bits = u64::from(rig.plan.parameters.flooding_bits);
    assert_eq!(magnitudes.clone().max(), Some(bits));
    let outer = magnitudes.filter(|b| *b == bits).count();
    assert!((3_800..4_400).contains(&outer), "half of all are in the outer half: {outer}");

    let mut changed = opening.polynomial(&masks);
    changed[0] ^= 1;
    let mut masks = Vec::new();
    append(&mut masks, basis, &changed);
    let mut rest = opening.polynomial(&share.partial(0x2000, &masks, &[0; 0x2000]).unwrap());
    basis.add_scaled(&mut rest, &scaled(&[0; 0x2000]), -1);
    let other = flooding(&masks, rest);
    assert!(noise.iter().zip(&other).all(|(a, b)| a != b));
}

#[test]
fn malformed_openings_are_refused() {
    let policy = shipped("nursery");
    let rig = Rig::new(&policy, Layout::Folded);
    let opening = Opening::new(&rig);
    let too_many = rig.plan.parameters.degree + 1;
    let results = rig.results(&sample(&policy, 4));
    for (families, results) in
        [(4, &results[1..]), (4, &[]), (0, &results[..]), (too_many, &results[..])]
    {
        assert!(opening.prepare.prepare(families, results, &|_| {}).is_err());
    }
    let mut large = results.clone();
    large[..16].fill(0xff);
    assert!(opening.prepare.prepare(4, &large, &|_| {}).is_err());

    let Prepared { masks, bodies } = opening.prepare.prepare(4, &results, &|_| {}).unwrap();
    let share = &opening.shares[0];
    assert!(share.partial(4, &masks, &[0, 1, 2, 65_536]).is_ok());
    for (families, masks, pads) in [
        (4, &masks[..], &[0, 1, 2, 65_537][..]),
        (4, &masks, &[0; 3]),
        (4, &masks, &[0; 5]),
        (0, &masks, &[]),
        (too_many, &masks, &vec![0; too_many]),
        (4, &masks[1..], &[0; 4]),
        (4, &large[..masks.len()], &[0; 4]),
    ] {
        assert!(share.partial(families, masks, pads).is_err());
    }

    let partials = opening.partials(&masks, &pads(SHARES, 4));
    let [a, b, c] = [&partials[0][..], &partials[1], &partials[2]];
    let combine = |families, bodies: &[u8], partials: &[&[u8]]| {
        opening.combine.combine(families, bodies, partials).is_ok()
    };
    assert!(combine(4, &bodies, &[a, b, c]));
    for refused in [
        combine(4, &bodies, &[a, b]),
        combine(4, &bodies, &[a, b, c, c]),
        combine(4, &bodies, &[a, b, &c[1..]]),
        combine(4, &bodies, &[a, &[], c]),
        combine(4, &bodies, &[&large[..masks.len()], b, c]),
        combine(4, &bodies[1..], &[a, b, c]),
        combine(4, &large[..masks.len()], &[a, b, c]),
        combine(0, &bodies, &[a, b, c]),
        combine(too_many, &bodies, &[a, b, c]),
    ] {
        assert!(!refused);
    }
}

/// The hash of a plan with more shares.
fn other(plan: &BfvPlan, more: u32) -> [u8; 32] {
    let mut plan = plan.clone();
    plan.parameters.shares += more;
    plan.summary().hash
}

#[test]
fn flooding_hides_the_noise_of_a_national_round() {
    for (name, layout, proofs) in all_plans() {
        let policy = shipped(name);
        for shares in [1, 3, 4, 10, 15] {
            let plan = BfvPlan::new(&policy, layout, shares, proofs).unwrap();
            let parameters = plan.parameters();
            let bits = parameters.flooding_bits;
            assert!(bits <= MOST_FLOODING_BITS);
            // In whole numbers, and from the modulus itself.
            let noise = BigInt::from(plan.bound().switched(parameters).ceil() as u128);
            let degree = parameters.degree as u64;
            let coefficients = ROUND_FAMILIES.div_ceil(degree) * degree;
            assert!(
                (BigInt::from(coefficients) * (&noise + 1)) << 40 <= BigInt::from(2) << bits,
                "{name} {layout} {shares} {proofs:?}"
            );
            let sum = (BigInt::from(shares) << bits) + &noise + (shares + 1);
            let modulus = plan.result_basis().unwrap().modulus();
            assert!(sum * 2 * PLAINTEXT < modulus, "{name} {layout} {shares} {proofs:?}");
            assert!(plan.flooding_distance(ROUND_FAMILIES) <= DISTANCE);
            assert!(plan.flooding_distance(1) < plan.flooding_distance(40_000));
            let mut hashes: Vec<_> = [0, 1].map(|more| other(&plan, more)).into();
            hashes.dedup();
            assert_eq!((plan.shares(), hashes.len()), (shares, 2));
        }
    }
}
