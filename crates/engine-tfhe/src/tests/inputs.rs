//! How submitted ciphertexts come in: re-randomised, or not at all.

use super::{BINDING, KEYS, columns, encrypt, plan, sample, shipped, whole};
use crate::chunk::CompactChunk;
use crate::public_key::encryption_key;
use crate::rerandomise::rerandomise;
use crate::words::to_bytes;
use crate::{TfheEncrypt, TfheEvaluate, TfheOpen};
use blindtier_engine::{Chunk, Encrypt, Evaluate, Open, Plan, Proofs};
use blindtier_policy::passes::Layout;

/// A ciphertext of an input and a family, as words.
fn expand(chunk: &CompactChunk, input: usize, family: usize) -> Vec<u64> {
    let mut out = crate::evaluate::empty();
    chunk.expand(input, family, &mut out);
    out.into_container()
}

#[test]
fn rerandomised_inputs_are_others_that_hold_the_same() {
    let policy = shipped("digital-family-card");
    let plan = plan(&policy, Layout::Folded);
    let families = sample(&policy, 2500);
    let encrypt = TfheEncrypt::new(plan.clone(), &KEYS.public).unwrap();
    let key = encryption_key(&KEYS.public, Proofs::Off).unwrap();
    let open = TfheOpen::new(&KEYS.secret).unwrap();
    let submitter = plan.summary().submitters[1];
    let bytes =
        encrypt.encrypt(submitter, &columns(&plan, submitter, &families), &BINDING).unwrap();
    let shape = plan.shape(submitter, families.len());
    let decode = || CompactChunk::new(&bytes, shape).unwrap();
    let with = |seed: u8, submitter: usize| {
        let mut chunk = decode();
        rerandomise(&mut chunk, &key, &[seed; 32], submitter);
        chunk
    };
    let (before, after, again) = (decode(), with(1, submitter), with(1, submitter));
    let (other_seed, other_submitter) = (with(2, submitter), with(1, submitter + 1));
    for input in 0..shape.inputs {
        for family in (0..families.len()).step_by(17) {
            let found = expand(&after, input, family);
            for other in [&before, &other_seed, &other_submitter] {
                let other = expand(other, input, family);
                assert!(found.iter().zip(&other).all(|(a, b)| a != b));
            }
            assert_eq!(found, expand(&again, input, family));
        }
    }
    // Half the squared difference of what two seeds add. The public key's noise meets random bits, whose mean is a
    // half: that half is the same at a place for all seeds of one key, and would need many keys to average out. In the
    // difference it cancels. It is a quarter of the variance over all keys, which in turn is half of the bound.
    let mut square = 0.0;
    let mut count = 0.0;
    for pair in 0..60 {
        let (one, other) = (with(2 * pair, submitter), with(2 * pair + 1, submitter));
        for input in 0..shape.inputs {
            for family in (0..families.len()).step_by(97) {
                let phase = |chunk| open.phase(&expand(chunk, input, family));
                let apart = phase(&one).wrapping_sub(phase(&other)).cast_signed();
                square += (apart as f64 / 2f64.powi(64)).powi(2) / 2.0;
                count += 1.0;
            }
        }
    }
    let measured = square / count;
    let expected = 0.375 * crate::noise::Noise::new().input / 2.0;
    let ratio = measured / expected;
    assert!((0.7..1.3).contains(&ratio), "measured {measured:e}, expected {expected:e}: {ratio}");
}

#[test]
fn results_depend_on_the_seed_alone() {
    let policy = shipped("mpi");
    let plan = plan(&policy, Layout::Folded);
    let families = sample(&policy, 3);
    let chunks = encrypt(&plan, &KEYS.public, &families);
    let evaluate = TfheEvaluate::new(&plan, &KEYS.public, &KEYS.evaluation).unwrap();
    let open = TfheOpen::new(&KEYS.secret).unwrap();
    let with = |seed| {
        let chunk = Chunk { seed: [seed; 32], ..whole(families.len(), &chunks) };
        evaluate.evaluate(&chunk, &|_| {}).unwrap().results
    };
    assert_eq!(with(1), with(1));
    assert_ne!(with(1), with(2));
    assert_eq!(open.open(3, &with(1)).unwrap(), open.open(3, &with(2)).unwrap());
}

#[test]
fn if_all_are_excluded_the_result_is_that_of_a_family_that_nobody_knows() {
    let policy = shipped("eight-indicators");
    let plan = plan(&policy, Layout::Folded);
    let evaluate = TfheEvaluate::new(&plan, &KEYS.public, &KEYS.evaluation).unwrap();
    let inputs = vec![None; plan.summary().submitters.len()];
    let chunk = Chunk { families: 2, inputs, seed: [0; 32] };
    let results = evaluate.evaluate(&chunk, &|_| {}).unwrap().results;
    let tier = policy.decide(&policy.missing_values()).unwrap().tier as u32;
    let open = TfheOpen::new(&KEYS.secret).unwrap();
    assert_eq!(open.open(2, &results).unwrap(), [tier, tier]);
    assert_eq!(results.len(), 2 * to_bytes(crate::evaluate::empty().as_ref()).len());
}
