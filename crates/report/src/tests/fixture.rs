//! A report with everything that a report can have.

use crate::{
    About, Circuit, Comparison, FORMAT, Failed, Fit, Goal, Kind, Machine, Point, Ratio, Report,
    Row, Run, Series, Spread, Sweep,
};

pub(super) fn sample() -> Report {
    Report {
        format: FORMAT,
        started: "2026-11-25T04:30:00Z".into(),
        command: "blindtier compare --policy nursery --data data/nursery.csv".into(),
        version: "0.1.0".into(),
        machine: Machine {
            processor: "AMD EPYC 9B14".into(),
            cores: 2,
            memory_bytes: 8_000_000_000,
            system: "Linux 6.1, x86_64".into(),
            features: "AVX-512".into(),
        },
        threads: 2,
        comparison: Some(comparison()),
        scaling: vec![families(), indicators(), cores()],
    }
}

fn comparison() -> Comparison {
    let ratio = |what: &str, slower: &str, median: f64, goal| Ratio {
        what: what.into(),
        slower: slower.into(),
        faster: "tfhe-folded".into(),
        times: Spread { median, min: median / 2.0, max: median * 2.0 },
        goal,
    };
    Comparison {
        policy: "nursery".into(),
        policy_hash: "121dbdb61d8443a73a2b862d21a9c0aec42283755c27f30cc79c20b2af8465f0".into(),
        data: "rows of data/nursery.csv".into(),
        families: 1000,
        repetitions: 2,
        rows: rows(),
        failed: vec![Failed {
            id: "openfhe".into(),
            reason: "the Python package openfhe is not installed".into(),
        }],
        ratios: vec![
            ratio("naive over folded", "tfhe-naive", 94.6, Some(Goal::AtLeast(30.0))),
            ratio("peer over folded", "wrong-peer", 2.52, Some(Goal::AtLeast(5.0))),
            ratio("other servers over folded", "spdz", 0.57, Some(Goal::AtMost(1.0))),
            ratio("folded over itself", "tfhe-folded", 1.0, None),
        ],
    }
}

fn rows() -> Vec<Row> {
    let note = "Its parameters are the library's defaults; <script>alert(1)</script>";
    let tfhe = About {
        failure_log2: Some(-128.5),
        security_bits: Some(128),
        lookups: Some(2),
        multiplications: None,
        notes: Vec::new(),
        ..about(Kind::Blindtier, "blindtier, tfhe, folded", Circuit::Folded)
    };
    vec![
        row("tfhe-folded", tfhe.clone(), 1000, 0, 0.0206),
        row(
            "tfhe-naive",
            About {
                setup_seconds: 4.2,
                lookups: None,
                notes: vec![note.into(), "Runs a sample of the families.".into()],
                ..about(Kind::Naive, "tfhe-rs high-level API", Circuit::AsWritten)
            },
            10,
            0,
            1.95,
        ),
        row(
            "clear",
            About {
                rounds: None,
                failure_log2: None,
                security_bits: None,
                key_bytes: None,
                upload_bytes_per_family: Some(8.0),
                result_bytes_per_family: Some(1.0),
                setup_seconds: 0.000_02,
                trust_model: "the evaluator sees every record".into(),
                ..about(Kind::Clear, "the policy's interpreter", Circuit::AsWritten)
            },
            1000,
            0,
            0.000_000_4,
        ),
        row(
            "wrong-peer",
            About {
                notes: vec![note.into()],
                ..about(Kind::Peer, "A peer", Circuit::PerIndicator)
            },
            1000,
            3,
            0.052,
        ),
        row(
            "spdz",
            About {
                rounds: Some(34),
                security_bits: None,
                key_bytes: None,
                trust_model: "three servers, no two of which may join what they hold".into(),
                ..about(Kind::OtherTrustModel, "MP-SPDZ, replicated shares", Circuit::AsWritten)
            },
            1000,
            0,
            0.011_7,
        ),
        row(
            "bfv-folded",
            About {
                lookups: None,
                multiplications: Some(14),
                chunk: 8192,
                ..about(Kind::Blindtier, "blindtier, bfv, folded", Circuit::Folded)
            },
            1000,
            0,
            0.000_71,
        ),
    ]
}

fn about(kind: Kind, name: &str, circuit: Circuit) -> About {
    About {
        kind,
        name: name.into(),
        version: "1.8.2".into(),
        circuit,
        parameters: "N = 2048, k = 1, one block of 128 bits, message of 4 bits".into(),
        trust_model: "one evaluator learns nothing; two of three trustees open".into(),
        rounds: Some(0),
        failure_log2: Some(-64.0),
        security_bits: Some(128),
        lookups: None,
        multiplications: None,
        chunk: 1,
        key_bytes: Some(300_911_015),
        upload_bytes_per_family: Some(1436.5),
        result_bytes_per_family: Some(16_392.0),
        setup_seconds: 16.5,
        notes: Vec::new(),
    }
}

fn row(id: &str, about: About, families: u64, disagree: u64, seconds: f64) -> Row {
    let spread = |middle: f64| Spread { median: middle, min: middle / 2.0, max: middle * 2.0 };
    let run = |first: u64, disagree: u64| Run {
        first,
        families,
        slots: families.next_multiple_of(about.chunk),
        seconds: 10.25,
        encrypt_seconds: 0.5,
        open_seconds: 0.25,
        disagree,
        floor_seconds: Some(9.5),
    };
    let per_slot = if about.chunk == 1 { seconds } else { seconds / 8.0 };
    Row {
        id: id.into(),
        runs: vec![run(0, 0), run(families, disagree)],
        families_run: 2 * families,
        agree: 2 * families - disagree,
        disagree,
        seconds_per_family: spread(seconds),
        encrypt_seconds_per_family: spread(seconds / 16.0),
        open_seconds_per_family: spread(seconds / 4.0),
        seconds_per_slot: spread(per_slot),
        over_floor: Some(Spread { median: 1.08, min: 1.05, max: 1.12 }),
        peak_memory_bytes: Some(734_003_200),
        about,
    }
}

fn point(x: f64, seconds: f64, families: u64, operations: u64) -> Point {
    Point {
        x,
        seconds: (seconds * 1e4).round() / 1e4,
        families,
        operations,
        upload_bytes_per_family: 1436.0,
        key_bytes: 300_911_015,
        disagree: 0,
        refused: None,
    }
}

fn series(id: &str, basis: &str, factor: f64, exponent: f64, points: Vec<Point>) -> Series {
    let fit = Fit { basis: basis.into(), factor, exponent, r_squared: 0.998 };
    Series { id: id.into(), points, fit: Some(fit) }
}

fn families() -> Sweep {
    let tfhe = [1.0, 4.0, 16.0, 64.0, 256.0, 1024.0].map(|x| point(x, 0.02 * x, x as u64, 2));
    let bfv = [1.0, 4.0, 16.0, 64.0, 256.0, 1024.0].map(|x| point(x, 0.71, x as u64, 14));
    Sweep {
        quantity: "families".into(),
        fixed: "policy nursery, 2 threads".into(),
        series: vec![
            series("tfhe-folded", "families", 0.02, 1.0, tfhe.into()),
            series("bfv-folded", "families", 0.71, 0.0, bfv.into()),
        ],
    }
}

fn indicators() -> Sweep {
    let mut tfhe: Vec<Point> =
        [2.0, 4.0, 8.0, 16.0].map(|x: f64| point(x, 0.6 * x.powf(0.9), 64, 1 + x as u64)).into();
    tfhe[2].disagree = 1;
    tfhe.push(Point {
        refused: Some("the plan needs 12 lookups in a row, the noise allows 9".into()),
        ..point(32.0, 0.0, 64, 0)
    });
    let bfv = [2.0, 4.0, 8.0, 16.0, 32.0].map(|x: f64| point(x, 0.3 * x, 8192, 4 * x as u64));
    Sweep {
        quantity: "indicators".into(),
        fixed: "4 levels, score of 8 bits, 3 tiers, 2 threads".into(),
        series: vec![
            series("tfhe-folded", "indicators", 0.6, 0.9, tfhe),
            series("bfv-folded", "indicators", 0.3, 1.0, bfv.into()),
        ],
    }
}

fn cores() -> Sweep {
    let points = vec![point(1.0, 2.6, 64, 2), point(2.0, 1.35, 64, 2)];
    Sweep {
        quantity: "cores".into(),
        fixed: "policy nursery, 64 families".into(),
        series: vec![Series { id: "tfhe-folded".into(), points, fit: None }],
    }
}
