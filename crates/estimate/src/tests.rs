//! The model by itself, on made-up measurements.

use crate::calibration::{Bfv, Calibration, Common, FORMAT, Machine, Ring, Tfhe, Work};
use crate::round::{BfvPlan, Chunked, Operations, Plan, Round, Submitter, Trustee};
use crate::{EstimateError, Seconds, Timing, What, memory, seconds, sent, store};

const RING: Ring =
    Ring { degree: 8_192, primes: 4, extension: 5, pieces: 1, result_primes: 3, shares: 3 };
const WORK: Work = Work {
    products: 16,
    checks: 0,
    relinearisations: 5,
    extensions: 14,
    inputs: 10,
    terms: 20,
    wide_terms: 12,
};

fn timing(one_core: f64) -> Timing {
    Timing { one_core, all_cores: one_core / 1.8 }
}

fn calibration() -> Calibration {
    let common = Common {
        start: 0.01,
        file: 0.001,
        byte_written: 2e-9,
        byte_read: 1e-9,
        row: 2e-6,
        seal: timing(1e-4),
        pad: 1e-6,
    };
    let tfhe = Tfhe {
        deal: 16.0,
        deal_proofs: 3.0,
        load_prover: 2.0,
        load_verifier: 0.1,
        load_evaluation: 0.4,
        load_opening: 3.0,
        list: 0.001,
        prove_empty: timing(1.5),
        prove_full: timing(2.0),
        verify_empty: timing(0.1),
        verify_full: timing(0.12),
        lookup_alone: timing(0.020),
        lookup_of_eight: timing(0.015),
        squash: timing(0.7),
        partial: 1e-5,
    };
    let bfv = Bfv {
        plan: "made up".into(),
        ring: RING,
        work: WORK.units(&RING),
        chunk: timing(0.025),
        encrypt: 0.004,
        check: 0.0005,
        partial: 0.003,
        combine: 0.004,
        first: 0.01,
        second: 0.02,
        keys: 0.02,
        load_encryption: 0.002,
        load_evaluation: 0.005,
    };
    let machine = Machine {
        processor: "some".into(),
        cores: 2,
        system: "linux".into(),
        features: "avx2".into(),
    };
    Calibration {
        format: FORMAT,
        blindtier: "0.1.0".into(),
        made: "2026-11-25T22:00:00Z".into(),
        machine,
        common,
        tfhe: Some(tfhe),
        bfv: vec![bfv],
    }
}

/// A round of 2-of-3 trustees with two submitters.
fn round(plan: Plan, families: u64, cores: u32, proofs: bool) -> Round {
    let (chunk, each, name) = match plan {
        Plan::Tfhe => (512, 3, "lookups"),
        Plan::Bfv(_) => (8_192, 16, "multiplications"),
    };
    let chunks = families.div_ceil(chunk);
    let last = families - (chunks - 1) * chunk;
    let bytes = |slots: u64| match plan {
        Plan::Tfhe => 16_384 + 8 * slots,
        Plan::Bfv(_) => 2 * 8_192 * 172 / 8,
    };
    let submitter = |name: &str, values| Submitter {
        name: name.into(),
        ciphertexts: 2,
        values,
        upload: Chunked { full: bytes(chunk), last: bytes(last) },
    };
    let trustee = |number, made| Trustee { name: format!("trustee:{number}"), made, held: 2 };
    Round {
        families,
        chunk,
        cores,
        engine: ["engine".into(), "parameters".into()],
        platform: "x86_64".into(),
        submitters: vec![submitter("agency:one", 3), submitter("registrar", 1)],
        trustees: vec![trustee(1, 2), trustee(2, 1), trustee(3, 0)],
        shares: 3,
        openers: 2,
        operations: Operations {
            name,
            each,
            all: each * if plan == Plan::Tfhe { families } else { chunks },
        },
        results: Chunked { full: bytes(chunk), last: bytes(last) },
        proofs,
        planning: 0.02,
        plan,
    }
}

fn bfv() -> Plan {
    Plan::Bfv(BfvPlan {
        ring: RING,
        work: WORK,
        modulus_bits: 172,
        encryption_bits: 30,
        result_bits: 129,
        held: 60,
        held_extension: 40,
    })
}

fn estimate(plan: Plan, families: u64, cores: u32, proofs: bool) -> Seconds {
    seconds(&round(plan, families, cores, proofs), &calibration()).unwrap()
}

/// The seconds that grow with the number of families, or shrink with the number of cores.
fn growing(seconds: &Seconds) -> [f64; 8] {
    let all = seconds.in_all;
    [
        all.encrypt,
        all.evaluate,
        all.recompute,
        all.open,
        seconds.check,
        seconds.combine,
        seconds.seal,
        seconds.open,
    ]
}

#[test]
fn more_families_cost_more_and_more_cores_never_do() {
    for plan in [Plan::Tfhe, bfv()] {
        for proofs in [false, true] {
            for cores in [1, 2, 3, 8] {
                let mut before = [0.0; 8];
                for families in [1, 7, 8, 9, 24, 511, 512, 513, 8_192, 8_193, 40_000, 1_000_000] {
                    let now = growing(&estimate(plan.clone(), families, cores, proofs));
                    let more = growing(&estimate(plan.clone(), families, 2 * cores, proofs));
                    for ((now, before), more) in now.iter().zip(before).zip(more) {
                        assert!(*now >= before - 1e-9, "{plan:?} {families} {cores}");
                        assert!(more <= now + 1e-9, "{plan:?} {families} {cores}: {more} > {now}");
                    }
                    before = now;
                }
            }
        }
    }
}

#[test]
fn proofs_cost_whoever_makes_and_whoever_checks_them() {
    let (with, without) = (estimate(Plan::Tfhe, 100, 2, true), estimate(Plan::Tfhe, 100, 2, false));
    assert!(with.submitters[0].encrypt > without.submitters[0].encrypt + 2.0);
    assert!(with.check > without.check);
    assert!(with.in_all.keygen > without.in_all.keygen + 2.9);
    assert_eq!(with.evaluate, without.evaluate, "what is computed is the same");
}

#[test]
fn a_chunk_on_one_core_takes_as_long_as_was_measured() {
    let one = estimate(bfv(), 8_192, 1, false);
    assert!((one.evaluate - 0.025).abs() < 0.01, "{}", one.evaluate);
    let many = estimate(bfv(), 100 * 8_192, 2, false);
    let chunk = many.evaluate / 100.0;
    assert!((chunk - 0.025 / 1.8).abs() < 0.003, "{chunk}");
}

#[test]
fn lookups_take_as_long_as_was_measured() {
    let tfhe = estimate(Plan::Tfhe, 8 * 1_000, 2, false);
    let lookups = 8.0 * 1_000.0 * 3.0;
    let each = tfhe.evaluate / lookups;
    assert!((each - 0.015 / 1.8).abs() < 0.0005, "{each}");
    let alone = estimate(Plan::Tfhe, 1, 2, false);
    assert!((alone.evaluate / 3.0 - 0.020).abs() < 0.003, "{}", alone.evaluate);
}

#[test]
fn an_unmeasured_ring_is_scaled_from_the_nearest_one() {
    let larger = Ring { degree: 16_384, primes: 8, extension: 9, ..RING };
    let Plan::Bfv(plan) = bfv() else { panic!() };
    let scaled = Plan::Bfv(BfvPlan { ring: larger, ..plan });
    let (small, large) = (estimate(bfv(), 8_192, 1, false), estimate(scaled, 8_192, 1, false));
    let ratio = large.evaluate / small.evaluate;
    assert!((3.5..7.0).contains(&ratio), "twice the slots, twice the primes: {ratio}");

    let mut measured = calibration();
    let own = Bfv { ring: larger, chunk: timing(1.0), ..measured.bfv[0].clone() };
    measured.bfv.push(own);
    assert_eq!(measured.nearest(&larger, WORK.units(&larger)).unwrap().chunk, timing(1.0));
    assert_eq!(measured.nearest(&RING, WORK.units(&RING)).unwrap().chunk, timing(0.025));
}

#[test]
fn an_engine_that_was_not_measured_has_no_seconds() {
    let mut calibration = calibration();
    calibration.tfhe = None;
    calibration.bfv.clear();
    for plan in [Plan::Tfhe, bfv()] {
        let missing = seconds(&round(plan, 10, 2, false), &calibration);
        assert!(matches!(missing, Err(EstimateError::NotMeasured { .. })), "{missing:?}");
    }
}

#[test]
fn bytes_grow_by_chunks_with_bfv_and_by_families_with_tfhe() {
    let of = |plan: &Plan, families, what| {
        let all = sent(&round(plan.clone(), families, 2, false));
        all.iter().filter(|sent| sent.what == what).map(|sent| sent.payload).sum::<u64>()
    };
    for what in [What::Submission, What::Results, What::Partials] {
        assert_eq!(of(&bfv(), 1, what), of(&bfv(), 8_192, what), "{what:?}");
        assert_eq!(2 * of(&bfv(), 1, what), of(&bfv(), 8_193, what), "{what:?}");
        assert!(of(&Plan::Tfhe, 2, what) > of(&Plan::Tfhe, 1, what), "{what:?}");
    }
    for plan in [bfv(), Plan::Tfhe] {
        assert_eq!(of(&plan, 100, What::Letters), 2 * 100 * (48 + 32 * 3));
        assert_eq!(of(&plan, 100, What::Levels), 100 * (48 + 3 * 8) + 100 * (48 + 8));
        assert_eq!(of(&plan, 100, What::Commitments), 2 * 100 * 2 * 32);
    }
}

#[test]
fn memory_does_not_shrink() {
    for plan in [bfv(), Plan::Tfhe] {
        let of = |families, cores| memory(&round(plan.clone(), families, cores, true));
        let (small, large, wide) = (of(100, 2), of(1_000_000, 2), of(1_000_000, 8));
        assert!(large.agency > small.agency && large.trustee >= small.trustee);
        assert!(wide.evaluator >= large.evaluator && large.evaluator >= small.evaluator);
    }
}

#[test]
fn a_calibration_comes_back_from_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("some/where/calibration.json");
    assert!(store::read(&file).unwrap().is_none());
    store::write(&file, &calibration()).unwrap();
    let (back, made) = (store::read(&file).unwrap().unwrap(), calibration());
    assert_eq!((&back.machine, &back.made, back.format), (&made.machine, &made.made, FORMAT));
    assert_eq!((&back.bfv[0].plan, back.bfv[0].ring), (&made.bfv[0].plan, RING));
    let [back, made] = [back, made].map(|c| seconds(&round(bfv(), 9_000, 2, false), &c).unwrap());
    assert!((back.evaluate / made.evaluate - 1.0).abs() < 1e-12);
    let left: Vec<_> = std::fs::read_dir(file.parent().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing unfinished is left");
}

#[test]
fn what_is_no_calibration_is_refused_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("calibration.json");
    let good = serde_json::to_string(&calibration()).unwrap();
    let endless = good.replace("\"start\":0.01", "\"start\":1e999");
    for text in [
        "",
        "{",
        "[]",
        &good[..good.len() / 2],
        &good.replace("\"format\":1", "\"format\":2"),
        &good.replace("\"start\":0.01", "\"start\":0.0"),
        &good.replace("\"start\":0.01", "\"start\":-1"),
        &good.replace("\"start\"", "\"begin\""),
        &good.replace("\"cores\":2", "\"cores\":0"),
        &good.replace("\"one_core\":0.7", "\"one_core\":0"),
        &endless,
    ] {
        assert_ne!(text, good);
        std::fs::write(&file, text).unwrap();
        let error = store::read(&file).unwrap_err();
        assert!(matches!(error, EstimateError::Malformed { .. }), "{text}: {error:?}");
        let said = error.to_string();
        assert!(
            said.contains("calibration.json") && said.contains("blindtier calibrate"),
            "{said}"
        );
    }
    std::fs::write(&file, [0xff, 0xfe]).unwrap();
    assert!(matches!(store::read(&file), Err(EstimateError::Malformed { .. })));
}

#[test]
fn another_release_or_machine_is_noticed() {
    let calibration = calibration();
    let here = calibration.machine.clone();
    assert!(calibration.differences("0.1.0", &here).is_empty());
    let release = calibration.differences("0.2.0", &here);
    assert_eq!(release.len(), 1);
    assert!(release[0].to_string().contains("release (0.1.0, here 0.2.0)"), "{}", release[0]);
    let other = Machine { processor: "another".into(), cores: 64, ..here };
    assert_eq!(calibration.differences("0.1.0", &other).len(), 2);
}
