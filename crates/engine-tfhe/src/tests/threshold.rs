//! Opening with shares: right with all of them, nothing without any one, and what flooding does and does not cover.

use super::{SHARES, number, sample, shipped, whole};
use crate::chunk::{CompactChunk, Shape};
use crate::evaluate::empty;
use crate::keys::cut;
use crate::parameters::{
    COMPUTE, DIMENSION, MASK_BYTES, PAD_MODULUS, SQUASHED_STEP, STEP, WIDE_BYTES, WIDTH,
    encryption_noise,
};
use crate::words::{from_bytes, to_bytes, wide_bytes, wide_words};
use crate::{Dealt, TfheCombine, TfheEvaluate, TfheOpenShare, TfhePlan, TfhePrepare, deal};
use blindtier_engine::{
    Combine, EngineError, Evaluate, OpenShare, Plan, Prepare, Prepared, Proofs,
};
use blindtier_policy::passes::Layout;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use tfhe::core_crypto::commons::generators::NoiseRandomGenerator;
use tfhe::core_crypto::prelude::{
    CiphertextModulus, DefaultRandomGenerator, LweCiphertextCount, LweCompactCiphertextListOwned,
    LweCompactPublicKeyOwned, LweDimension, PlaintextList, new_seeder,
    par_encrypt_lwe_compact_ciphertext_list_with_compact_public_key,
};

/// Families that are prepared once for all tests: every tier code four times.
const FAMILIES: usize = 4 * WIDTH;

static DEALT: LazyLock<Dealt> = LazyLock::new(|| {
    let start = Instant::now();
    let dealt = deal(SHARES, Proofs::Off).unwrap();
    println!(
        "dealing {:?}, evaluation key {} bytes, squashing key {} bytes, share {} bytes",
        start.elapsed(),
        dealt.evaluation.len(),
        dealt.squashing.len(),
        dealt.shares[0].len()
    );
    dealt
});

static PREPARE: LazyLock<TfhePrepare> = LazyLock::new(|| {
    let start = Instant::now();
    let prepare = TfhePrepare::new(&DEALT.evaluation, &DEALT.squashing).unwrap();
    println!("loading keys {:?}", start.elapsed());
    prepare
});

static RESULTS: LazyLock<Vec<u8>> = LazyLock::new(|| encrypt(&codes()));

static PREPARED: LazyLock<Prepared> = LazyLock::new(|| {
    let start = Instant::now();
    let done = AtomicUsize::new(0);
    let count = |families| {
        done.fetch_add(families, Ordering::Relaxed);
    };
    let prepared = PREPARE.prepare(FAMILIES, &RESULTS, &count).unwrap();
    println!("preparing {FAMILIES} results {:?}", start.elapsed());
    assert_eq!(done.into_inner(), FAMILIES);
    prepared
});

fn codes() -> Vec<u32> {
    (0..FAMILIES as u32).map(|family| family % WIDTH as u32).collect()
}

/// Results as an evaluator would send them, of any tier codes.
fn encrypt(codes: &[u32]) -> Vec<u8> {
    let words = from_bytes("public key", &DEALT.public, 2 * DIMENSION).unwrap();
    let key = LweCompactPublicKeyOwned::from_container(words, CiphertextModulus::new_native());
    let mut list = LweCompactCiphertextListOwned::new(
        0u64,
        LweDimension(DIMENSION).to_lwe_size(),
        LweCiphertextCount(codes.len()),
        CiphertextModulus::new_native(),
    );
    let mut seeder = new_seeder();
    let mut generator =
        NoiseRandomGenerator::<DefaultRandomGenerator>::new_from_seed(seeder.as_mut().seed());
    let plain: Vec<u64> = codes.iter().map(|code| u64::from(*code) * STEP).collect();
    par_encrypt_lwe_compact_ciphertext_list_with_compact_public_key(
        &key,
        &mut list,
        &PlaintextList::from_container(plain),
        encryption_noise(),
        encryption_noise(),
        &mut generator,
    );
    let shape = Shape { inputs: 1, families: codes.len(), proofs: Proofs::Off };
    let chunk = CompactChunk::new(&to_bytes(&list.into_container()), shape).unwrap();
    let mut result = empty();
    (0..codes.len())
        .flat_map(|family| {
            chunk.expand(0, family, &mut result);
            to_bytes(result.as_ref())
        })
        .collect()
}

fn plan(shares: u32) -> TfhePlan {
    TfhePlan::new(&shipped("nursery"), Layout::Folded, shares, Proofs::Off).unwrap()
}

/// The key, as all shares together are.
fn key() -> Vec<u128> {
    let mut key = vec![0u128; MASK_BYTES / WIDE_BYTES];
    for share in &DEALT.shares {
        for (sum, word) in key.iter_mut().zip(wide_words(share)) {
            *sum = sum.wrapping_add(word);
        }
    }
    assert!(key.iter().all(|bit| *bit <= 1));
    key
}

/// The same key in so many shares.
fn holders(shares: u32) -> Vec<TfheOpenShare> {
    let plan = plan(shares);
    let cut = cut(&key(), shares);
    assert!(cut.iter().all(|share| share.len() == MASK_BYTES));
    (0u8..)
        .zip(cut)
        .map(|(holder, share)| TfheOpenShare::new(&plan, &[holder; 32], &share).unwrap())
        .collect()
}

/// Pads that differ from family to family and from share to share.
fn pads(share: usize, families: usize) -> Vec<u32> {
    (0..families)
        .map(|family| {
            let hash = blake3::hash(&[share as u8, family as u8]);
            u32::from(hash.as_bytes()[0]) % PAD_MODULUS
        })
        .collect()
}

fn partials(holders: &[TfheOpenShare], families: usize, masks: &[u8]) -> Vec<Vec<u8>> {
    (0..)
        .zip(holders)
        .map(|(share, holder)| holder.partial(families, masks, &pads(share, families)).unwrap())
        .collect()
}

/// What opening should give: codes plus the pads of all shares.
fn expected(shares: u32, codes: &[u32]) -> Vec<u32> {
    let mut expected = codes.to_vec();
    for share in 0..shares as usize {
        for (sum, pad) in expected.iter_mut().zip(pads(share, codes.len())) {
            *sum = (*sum + pad) % PAD_MODULUS;
        }
    }
    expected
}

fn combine(shares: u32, bodies: &[u8], partials: &[Vec<u8>]) -> Vec<u32> {
    let partials: Vec<&[u8]> = partials.iter().map(Vec::as_slice).collect();
    TfheCombine::new(&plan(shares)).combine(bodies.len() / WIDE_BYTES, bodies, &partials).unwrap()
}

#[test]
fn all_shares_together_open_every_tier_code() {
    for shares in [1, 3, 4, 10, 15] {
        let partials = partials(&holders(shares), FAMILIES, &PREPARED.masks);
        let opened = combine(shares, &PREPARED.bodies, &partials);
        assert_eq!(opened, expected(shares, &codes()), "{shares} shares");
    }
}

#[test]
fn the_dealt_shares_open_what_was_submitted() {
    let policy = shipped("eight-indicators");
    let plan = TfhePlan::new(&policy, Layout::Folded, SHARES, Proofs::Off).unwrap();
    let families = sample(&policy, 8);
    let chunks = super::encrypt(&plan, &DEALT.public, &families);
    let evaluate = TfheEvaluate::new(&plan, &DEALT.public, &DEALT.evaluation).unwrap();
    let results = evaluate.evaluate(&whole(families.len(), &chunks), &|_| {}).unwrap().results;
    let prepared = PREPARE.prepare(families.len(), &results, &|_| {}).unwrap();
    let holders: Vec<TfheOpenShare> = DEALT
        .shares
        .iter()
        .map(|share| TfheOpenShare::new(&plan, &[7; 32], share).unwrap())
        .collect();
    let opened =
        combine(SHARES, &prepared.bodies, &partials(&holders, families.len(), &prepared.masks));
    let numbers: Vec<u32> = families.iter().map(|f| number(&policy, f) as u32).collect();
    assert!(numbers.contains(&13));
    assert_eq!(opened, expected(SHARES, &numbers));
}

#[test]
fn without_any_one_share_the_right_number_comes_out_by_chance_only() {
    for shares in [3, 4, 10] {
        let right = expected(shares, &codes());
        let (mut hits, mut tries) = (0, 0);
        // The key is cut anew several times: one cut's answers are not many.
        for _ in 0..10 {
            let all = partials(&holders(shares), FAMILIES, &PREPARED.masks);
            for missing in 0..all.len() {
                let mut some = all.clone();
                some[missing].fill(0);
                let opened = combine(shares, &PREPARED.bodies, &some);
                hits += opened.iter().zip(&right).filter(|(found, right)| found == right).count();
                tries += FAMILIES;
            }
        }
        // Chance is one in 32. Six standard deviations more are seen less than once in a hundred million runs.
        let chance = tries as f64 / 32.0;
        println!("{shares} shares, one missing: {hits} of {tries} right, chance {chance}");
        assert!((hits as f64) < chance + 6.0 * chance.sqrt(), "{shares} shares: {hits} of {tries}");
    }
}

#[test]
fn preparing_and_answering_again_gives_the_same_bytes() {
    let words = DIMENSION + 1;
    let again = PREPARE.prepare(3, &RESULTS[..3 * 8 * words], &|_| {}).unwrap();
    assert_eq!(again.masks, PREPARED.masks[..3 * MASK_BYTES]);
    assert_eq!(again.bodies, PREPARED.bodies[..3 * WIDE_BYTES]);
    let holder = &holders(SHARES)[0];
    let pads = pads(0, FAMILIES);
    let start = Instant::now();
    let first = holder.partial(FAMILIES, &PREPARED.masks, &pads).unwrap();
    println!("one share's answers to {FAMILIES} families {:?}", start.elapsed());
    assert_eq!(holder.partial(FAMILIES, &PREPARED.masks, &pads).unwrap(), first);
    // A family's answer does not depend on who else is in the chunk.
    let alone = holder.partial(1, &PREPARED.masks[..MASK_BYTES], &pads[..1]).unwrap();
    assert_eq!(alone, first[..WIDE_BYTES]);
}

/// Another process gets the same bits, although keys are decoded and transformed anew.
#[test]
fn keys_loaded_again_prepare_the_same_bytes() {
    let again = TfhePrepare::new(&DEALT.evaluation, &DEALT.squashing).unwrap();
    let prepared = again.prepare(1, &RESULTS[..8 * (DIMENSION + 1)], &|_| {}).unwrap();
    assert_eq!(prepared.masks, PREPARED.masks[..MASK_BYTES]);
    assert_eq!(prepared.bodies, PREPARED.bodies[..WIDE_BYTES]);
}

#[test]
fn asking_again_with_other_pads_leaves_nothing_to_average() {
    let holder = &holders(SHARES)[1];
    let one = pads(1, FAMILIES);
    let other = pads(2, FAMILIES);
    let first = holder.partial(FAMILIES, &PREPARED.masks, &one).unwrap();
    let second = holder.partial(FAMILIES, &PREPARED.masks, &other).unwrap();
    for (((a, b), one), other) in wide_words(&first).zip(wide_words(&second)).zip(one).zip(other) {
        let pads = u128::from(one).wrapping_sub(u128::from(other));
        assert_eq!(a.wrapping_sub(b), pads.wrapping_mul(SQUASHED_STEP));
    }
}

/// Why a holder answers only masks that it prepared itself: a chosen mask lifts a bit of the key above any flooding.
#[test]
fn a_chosen_mask_reads_a_bit_of_the_key_despite_flooding() {
    let key = key();
    let shares = 10;
    let holders = holders(shares);
    for bit in [0, 1, 2, 3, 2048, 4095] {
        let mut mask = vec![0u128; key.len()];
        mask[bit] = 1 << 126;
        // Without flooding: minus the word times the bit, and nothing else.
        let unflooded = mask[bit].wrapping_mul(key[bit]).wrapping_neg();
        assert_eq!(unflooded != 0, key[bit] == 1);
        // With the flooding of all shares: a multiple of 2¹²⁶ is eight steps, and the floods are less than half a step.
        let masks = wide_bytes(&mask);
        let answers: Vec<Vec<u8>> =
            holders.iter().map(|holder| holder.partial(1, &masks, &[0]).unwrap()).collect();
        let opened = combine(shares, &[0; WIDE_BYTES], &answers);
        assert_eq!(opened, [if key[bit] == 1 { 24 } else { 0 }]);
    }
}

/// The noise that flooding covers, measured: not more than the formula says it is.
#[test]
fn squashed_noise_is_within_the_formula() {
    let key = key();
    let noise: Vec<f64> = PREPARED
        .masks
        .chunks(MASK_BYTES)
        .zip(wide_words(&PREPARED.bodies))
        .zip(codes())
        .map(|((mask, body), code)| {
            let phase = wide_words(mask)
                .zip(&key)
                .fold(body, |phase, (a, s)| phase.wrapping_sub(a.wrapping_mul(*s)));
            phase.wrapping_sub(u128::from(code) * SQUASHED_STEP).cast_signed() as f64
        })
        .collect();
    let square = noise.iter().map(|e| e * e).sum::<f64>() / noise.len() as f64;
    let mean = noise.iter().map(|e| e.abs()).sum::<f64>() / noise.len() as f64;
    let largest = noise.iter().fold(0f64, |largest, e| largest.max(e.abs()));
    let expected = crate::noise::Noise::new().squashed.log2() + 256.0;
    println!(
        "squashed noise: standard deviation 2^{:.2} (formula 2^{:.2}), mean size 2^{:.2}, largest 2^{:.2}",
        square.log2() / 2.0,
        expected / 2.0,
        mean.log2(),
        largest.log2()
    );
    // As for results: 64 samples of normal noise exceed twice the variance about once in 100,000.
    assert!(square.log2() < expected + 1.0);
    assert!(square.log2() > expected - 8.0, "something else is measured");
}

#[test]
fn the_flooding_distance_is_as_computed_by_hand() {
    let deviation = crate::noise::Noise::new().squashed.sqrt().log2() + 128.0;
    for (shares, bits) in [(1, 120), (3, 120), (4, 118), (15, 118)] {
        let plan = plan(shares);
        assert_eq!(plan.shares(), shares);
        let one = deviation - f64::from(bits) - 1.0;
        assert!((plan.flooding_distance(1) - one).abs() < 1e-9);
        assert!((plan.flooding_distance(1 << 20) - one - 20.0).abs() < 1e-9);
        assert_eq!(plan.flooding_distance(0), f64::NEG_INFINITY);
        println!(
            "{shares} shares: 2^{one:.2} a family, {:.0} families stay within 2^-40",
            2f64.powf(-40.0 - one)
        );
    }
}

#[test]
fn the_plan_is_of_a_number_of_shares() {
    let policy = shipped("nursery");
    assert_ne!(plan(3).summary().hash, plan(2).summary().hash);
    assert_eq!(plan(3).summary().hash, plan(3).summary().hash);
    for shares in [0, 16] {
        let refused = TfhePlan::new(&policy, Layout::Folded, shares, Proofs::Off).err().unwrap();
        assert!(matches!(refused, EngineError::Unsupported { .. }), "{refused}");
        assert!(deal(shares, Proofs::Off).is_err());
    }
}

#[test]
fn this_processor_is_named() {
    crate::check_processor().unwrap();
    let features = crate::platform_features();
    println!("{features}");
    assert_eq!(features, crate::platform_features());
    assert!(features.starts_with("avx512f roots-") || features.starts_with("avx2+fma roots-"));
}

#[test]
fn malformed_arguments_of_opening_are_refused() {
    let plan = plan(SHARES);
    let share = &DEALT.shares[0];
    for wrong in [&share[1..], &share[..16], &[]] {
        assert!(TfheOpenShare::new(&plan, &[0; 32], wrong).is_err());
    }
    let holder = TfheOpenShare::new(&plan, &[0; 32], share).unwrap();
    let masks = &PREPARED.masks[..2 * MASK_BYTES];
    assert!(holder.partial(2, masks, &[31, 0]).is_ok());
    assert!(holder.partial(2, masks, &[32, 0]).is_err());
    assert!(holder.partial(2, masks, &[0, u32::MAX]).is_err());
    assert!(holder.partial(2, masks, &[0]).is_err());
    assert!(holder.partial(2, &masks[1..], &[0, 0]).is_err());
    assert!(holder.partial(3, masks, &[0, 0, 0]).is_err());
    assert!(holder.partial(usize::MAX, masks, &[0, 0]).is_err());
    assert_eq!(holder.partial(0, &[], &[]), Ok(Vec::new()));

    let combine = TfheCombine::new(&plan);
    assert_eq!(combine.pad_modulus(), PAD_MODULUS);
    let good: &[u8] = &[0u8; 2 * WIDE_BYTES];
    assert!(combine.combine(2, good, &[good; 3]).is_ok());
    assert!(combine.combine(2, good, &[good; 2]).is_err());
    assert!(combine.combine(2, good, &[good; 4]).is_err());
    assert!(combine.combine(2, &good[1..], &[good; 3]).is_err());
    assert!(combine.combine(2, good, &[good, &good[1..], good]).is_err());
    assert!(combine.combine(1, good, &[good; 3]).is_err());
    assert!(combine.combine(usize::MAX, good, &[good; 3]).is_err());

    assert!(PREPARE.prepare(2, &RESULTS[..8 * (DIMENSION + 1)], &|_| {}).is_err());
    assert!(PREPARE.prepare(1, &RESULTS[..8 * DIMENSION], &|_| {}).is_err());
    assert!(PREPARE.prepare(usize::MAX, &[], &|_| {}).is_err());
    assert!(PREPARE.prepare(0, &[], &|_| {}).is_ok());
    let noise: Vec<u8> = blake3::hash(b"results").as_bytes().repeat(DIMENSION / 4 + 1);
    assert!(PREPARE.prepare(1, &noise[..8 * (DIMENSION + 1)], &|_| {}).is_ok());
}

#[test]
fn malformed_squashing_keys_are_refused() {
    let refused = |bytes: &[u8]| assert!(crate::keys::squashing_key(bytes).is_err());
    let mut key = DEALT.squashing.clone();
    refused(&[]);
    refused(&key[..1000]);
    refused(&key[..key.len() - 1]);
    key.push(0);
    refused(&key);
    key.pop();
    for position in 0..12 {
        key[position] ^= 0x81;
        refused(&key);
        key[position] ^= 0x81;
    }
    refused(&DEALT.evaluation);
    assert!(TfhePrepare::new(&DEALT.evaluation, &key[1..]).is_err());
    assert!(TfhePrepare::new(&key, &key).is_err());
}

#[test]
fn a_squashing_key_of_other_parameters_is_refused_by_name() {
    use tfhe::shortint::ClientKey;
    use tfhe::shortint::noise_squashing::{CompressedNoiseSquashingKey, NoiseSquashingPrivateKey};
    use tfhe::shortint::parameters::{
        DecompositionBaseLog, LweDimension as SmallDimension, NoiseSquashingParameters,
    };
    // A tenth of the small key's dimension and another base: quickly made, and like the real one otherwise.
    let client = ClientKey::new(tfhe::shortint::ClassicPBSParameters {
        lwe_dimension: SmallDimension(90),
        ..COMPUTE
    });
    let NoiseSquashingParameters::Classic(mut squashing) = crate::parameters::SQUASHING else {
        unreachable!()
    };
    squashing.decomp_base_log = DecompositionBaseLog(20);
    let opening = NoiseSquashingPrivateKey::new(NoiseSquashingParameters::Classic(squashing));
    let key = CompressedNoiseSquashingKey::new(&client, &opening);
    let bytes = crate::keys::squashing_bytes(&key).unwrap();
    let refused = crate::keys::squashing_key(&bytes).err().unwrap();
    assert!(matches!(refused, EngineError::Parameters { what: "squashing key", .. }), "{refused}");
}
