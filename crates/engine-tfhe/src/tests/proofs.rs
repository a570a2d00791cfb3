//! Proofs of encryption: what they let through and what they do not.

use super::{BINDING, SHARES, columns, sample, shipped, with_required};
use crate::chunk::{CompactChunk, List, empty_list, encode};
use crate::parameters::{DIMENSION, STEP, UNIT};
use crate::proof::{self, CRS_BYTES, PROOF_BYTES};
use crate::public_key::PublicKey;
use crate::{
    KeySet, Part, Slack, TfheEncrypt, TfheEvaluate, TfheOpen, TfhePlan, TfheVerify, generate_keys,
};
use blindtier_engine::conformance::{Session, agrees, agrees_without_any_one, refuses_malformed};
use blindtier_engine::{Encrypt, EngineError, Plan, Proofs, Verify};
use blindtier_policy::Policy;
use blindtier_policy::passes::Layout;
use std::sync::LazyLock;
use std::time::Instant;

static KEYS: LazyLock<KeySet> = LazyLock::new(|| {
    let start = Instant::now();
    let keys = generate_keys(Proofs::On).unwrap();
    println!(
        "keys with proof parameters {:?}, public {} bytes",
        start.elapsed(),
        keys.public.len()
    );
    keys
});

static VERIFY: LazyLock<TfheVerify> =
    LazyLock::new(|| TfheVerify::new(&PLAN, &KEYS.public).unwrap());

/// Two agencies, one of them with a required value, and the right to say no.
static POLICY: LazyLock<Policy> = LazyLock::new(|| {
    let source = r#"
        blindtier = "1"
        name = "small"
        title = "Small"
        tiers = ["low", "middle", "high"]
        [agencies]
        tax = { label = "Tax" }
        bank = { label = "Bank" }
        [indicators.income]
        agency = "tax"
        integer = { min = -40, max = 60, missing = "undecided" }
        [indicators.debt]
        agency = "bank"
        integer = { min = 0, max = 30, missing = 0 }
        [scores.need]
        weights = { income = -1, debt = 3 }
        [cuts.class]
        score = "need"
        classes = ["low", "middle", "high"]
        at = [-20, 35]
        [tier]
        from = "class"
        [opt_out]
        result = "neutral"
    "#;
    Policy::parse("small.toml", source).unwrap()
});

static PLAN: LazyLock<TfhePlan> =
    LazyLock::new(|| TfhePlan::new(&POLICY, Layout::Folded, SHARES, Proofs::On).unwrap());

/// A few families, and what the agency at position 0 sends about them.
static CHUNK: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let encrypt = TfheEncrypt::new(PLAN.clone(), &KEYS.public).unwrap();
    encrypt.encrypt(0, &columns(&PLAN, 0, &sample(&POLICY, FAMILIES)), &BINDING).unwrap()
});

const FAMILIES: usize = 9;

fn verify(submitter: usize, chunk: &[u8], binding: &[u8; 32]) -> Result<(), EngineError> {
    VERIFY.verify(submitter, FAMILIES, chunk, binding)
}

fn is_refused(found: Result<(), EngineError>) {
    assert!(matches!(found, Err(EngineError::Proof { .. })), "{found:?}");
}

#[test]
fn the_conformance_suite_passes_with_proofs() {
    let encrypt = TfheEncrypt::new(PLAN.clone(), &KEYS.public).unwrap();
    let evaluate = TfheEvaluate::new(&PLAN, &KEYS.public, &KEYS.evaluation).unwrap();
    let open = TfheOpen::new(&KEYS.secret).unwrap();
    let session = Session {
        plan: &*PLAN,
        encrypt: &encrypt,
        verify: &*VERIFY,
        evaluate: &evaluate,
        open: &open,
    };
    agrees(&POLICY, &sample(&POLICY, 16), &session).unwrap();
    agrees_without_any_one(&POLICY, &sample(&POLICY, 4), &session).unwrap();
    refuses_malformed(&sample(&POLICY, 2), &session).unwrap();
}

#[test]
fn a_proof_holds_for_its_place_only() {
    let start = Instant::now();
    assert_eq!(verify(0, &CHUNK, &BINDING), Ok(()));
    println!("verifying a list {:?}", start.elapsed());
    let mut other = BINDING;
    other[31] ^= 1;
    is_refused(verify(0, &CHUNK, &other));
    // The registrar's chunk of another number of families can be as long.
    let shape = PLAN.shape(0, FAMILIES);
    let key = PublicKey::for_verifying(&KEYS.public, Proofs::On).unwrap();
    let list = CompactChunk::new(&CHUNK, shape).unwrap().lists().remove(0);
    let holds = |submitter, families, place| {
        let context = proof::context(&BINDING, submitter, families, place);
        let crs = key.crs.as_ref().unwrap();
        proof::holds(&key.key, crs, &list.ciphertexts, &list.proof, &context).unwrap()
    };
    assert!(holds(0, FAMILIES, 0));
    assert!(!holds(1, FAMILIES, 0));
    assert!(!holds(0, FAMILIES + 1, 0));
    assert!(!holds(0, FAMILIES, 1));
}

#[test]
fn swapped_lists_are_refused() {
    let families = sample(&POLICY, 300);
    let encrypt = TfheEncrypt::new(PLAN.clone(), &KEYS.public).unwrap();
    let start = Instant::now();
    let chunk = encrypt.encrypt(0, &columns(&PLAN, 0, &families), &BINDING).unwrap();
    println!("proving 2 lists {:?}", start.elapsed());
    let shape = PLAN.shape(0, families.len());
    let mut lists = CompactChunk::new(&chunk, shape).unwrap().lists();
    assert_eq!(lists.len(), 2);
    assert_eq!(VERIFY.verify(0, families.len(), &encode(&lists), &BINDING), Ok(()));
    // The proofs alone, and with what they were made for.
    let proof = std::mem::take(&mut lists[0].proof);
    lists[0].proof = std::mem::replace(&mut lists[1].proof, proof);
    is_refused(VERIFY.verify(0, families.len(), &encode(&lists), &BINDING));
}

/// A list of arbitrary messages, proven as well as they can be.
fn forged(messages: &[u64]) -> Vec<u8> {
    let public = PublicKey::for_encrypting(&KEYS.public, Proofs::On).unwrap();
    let mut ciphertexts = empty_list(messages.len());
    let context = proof::context(&BINDING, 0, FAMILIES, 0);
    let crs = public.crs.as_ref().unwrap();
    let proof = proof::encrypt(&public.key, crs, messages, &context, &mut ciphertexts).unwrap();
    encode(&[List { ciphertexts, proof }])
}

#[test]
fn values_that_are_no_bits_cannot_be_proven() {
    let inputs = PLAN.shape(0, FAMILIES).inputs;
    let mut messages = vec![1u64; inputs * FAMILIES];
    assert_eq!(verify(0, &forged(&messages), &BINDING), Ok(()));
    for wrong in [2, 3, 16, u64::MAX] {
        messages[4] = wrong;
        is_refused(verify(0, &forged(&messages), &BINDING));
    }
    // A proof of honest values does not hold for a ciphertext that was moved.
    let mut moved = CHUNK.clone();
    let body = 8 * (DIMENSION + 4);
    let word = u64::from_le_bytes(moved[body..body + 8].try_into().unwrap()).wrapping_add(UNIT);
    moved[body..body + 8].copy_from_slice(&word.to_le_bytes());
    is_refused(verify(0, &moved, &BINDING));
}

#[test]
fn a_flipped_bit_anywhere_is_refused_and_nothing_panics() {
    let words = CHUNK.len() - PROOF_BYTES;
    let in_proof = (words..CHUNK.len()).step_by(11);
    // Positions that say how long something is or of which kind.
    let heads = (words..words + 16).chain(CHUNK.len() - 12..CHUNK.len());
    let in_words = [0, 7, 8 * DIMENSION - 1, 8 * DIMENSION, words - 1];
    let mut chunk = CHUNK.clone();
    for position in in_proof.chain(heads).chain(in_words) {
        for flip in [0x01, 0x80] {
            chunk[position] ^= flip;
            is_refused(verify(0, &chunk, &BINDING));
            chunk[position] ^= flip;
        }
    }
    for filler in [0x00, 0xff] {
        let mut chunk = CHUNK.clone();
        chunk[words..].fill(filler);
        is_refused(verify(0, &chunk, &BINDING));
    }
    assert!(matches!(verify(0, &chunk[1..], &BINDING), Err(EngineError::Malformed { .. })));
}

#[test]
fn other_proof_parameters_are_refused() {
    let public = &KEYS.public;
    assert_eq!(public.len(), 2 * DIMENSION * 8 + CRS_BYTES);
    let parameters = &public[2 * DIMENSION * 8..];
    assert!(proof::parameters(parameters).is_ok());
    assert!(proof::parameters(&parameters[1..]).is_err());
    let mut changed = parameters.to_vec();
    // The variant, the number of points, and behind all points the numbers.
    let numbers = CRS_BYTES - 277..CRS_BYTES - 277 + 84;
    for position in (0..12).chain(numbers) {
        changed[position] ^= 0x41;
        assert!(proof::parameters(&changed).is_err(), "byte {position}");
        changed[position] ^= 0x41;
    }
    // A point that is on no curve is seen by whoever encrypts.
    changed[1000] ^= 1;
    let crs = proof::parameters(&changed).unwrap();
    assert!(proof::check_points(&crs, &changed).is_err());
    let without = TfhePlan::new(&POLICY, Layout::Folded, SHARES, Proofs::Off).unwrap();
    assert!(TfheEncrypt::new(without.clone(), public).is_err());
    assert!(TfheVerify::new(&without, public).is_err());
    assert!(TfheVerify::new(&PLAN, &public[..2 * DIMENSION * 8]).is_err());
    assert_ne!(without.summary().hash, PLAN.summary().hash);
}

/// The most that a submitter can do with proofs: any bits whatever. No sum leaves its range.
#[test]
fn whatever_bits_are_sent_no_sum_leaves_its_range() {
    for name in ["nursery", "digital-family-card", "eight-indicators", "mpi"] {
        let policy = with_required(shipped(name));
        for layout in [Layout::Folded, Layout::PerIndicator] {
            let plan = TfhePlan::new(&policy, layout, SHARES, Proofs::On).unwrap();
            for (column, found) in plan.circuit.inputs.columns.iter().enumerate() {
                let bits = plan.program.inputs.iter().filter(|input| input.column == column);
                assert!(bits.clone().all(|input| input.part != Part::Whole && input.weight >= 0));
                let weights: i64 = bits.map(|input| input.weight).sum();
                assert_eq!(weights, found.range.1 - found.range.0, "{name} {layout} {column}");
            }
            for bits in [0, 1] {
                let inputs: Vec<u64> = plan.program.inputs.iter().map(|_| bits * UNIT).collect();
                let torus = plan.program.simulate_with(&inputs, &[]);
                let number = torus.wrapping_add(STEP / 2) / STEP;
                assert!(number <= 14, "{name} {layout}: {number}");
            }
        }
    }
}

#[test]
fn values_that_no_family_has_are_told() {
    let slack = PLAN.slack();
    println!("{}", PLAN.describe().join("\n"));
    assert_eq!(slack.len(), 1);
    let Slack { submitter, range, honest, proven, .. } = slack[0];
    assert_eq!((submitter, range, honest, proven), (1, (0, 90), 31, 91));
    assert!(PLAN.describe().contains(&slack[0].to_string()));
}
