//! Whether the time of encoding and encrypting tells whom an agency knows: `cargo bench --bench membership`.
//!
//! In the manner of *dudect* (Reparaz, Balasch, Verbauwhede, ePrint 2016/1123): the same work is timed many times on two
//! classes of input in random order, families that the register does not know and families at random, and Welch's t
//! statistic compares the two. A size below 4.5 is no sign of a difference; above 10 there surely is one. Times above the
//! 90th percentile of both classes together are left out, as interrupts have nothing to do with the input. It reports and
//! never fails; without `--bench`, which `cargo bench` passes, it takes a few samples only.

#[path = "setup/policies.rs"]
mod policies;

use blindtier::engine::{Encrypt, Plan, Proofs};
use blindtier::engine_bfv::{self as bfv, BfvEncrypt, BfvPlan};
use blindtier::engine_tfhe::{self as tfhe, TfheEncrypt, TfhePlan};
use blindtier::policy::Policy;
use blindtier::policy::passes::Layout;
use miette::{IntoDiagnostic, Result};
use policies::{POLICIES, columns, families};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;
use std::hint::black_box;
use std::time::Instant;

/// Families that are encoded or encrypted at a time.
const FAMILIES: usize = 64;
/// Samples of encoding, and of encrypting, which takes longer.
const SAMPLES: [usize; 2] = [40_000, 1_500];

fn main() -> Result<()> {
    let quick = !std::env::args().any(|argument| argument == "--bench");
    let [encoding, encrypting] = if quick { [4, 4] } else { SAMPLES };
    let tfhe_keys = tfhe::generate_keys(Proofs::Off).into_diagnostic()?;
    for (name, text) in POLICIES {
        let policy = Policy::parse(name, text)?;
        let plan = TfhePlan::new(&policy, Layout::Folded, 1, Proofs::Off).into_diagnostic()?;
        let encrypt = TfheEncrypt::new(plan.clone(), &tfhe_keys.public).into_diagnostic()?;
        report("tfhe", &policy, &plan, &encrypt, [encoding, encrypting])?;
        let plan = BfvPlan::new(&policy, Layout::Folded, 1, Proofs::Off).into_diagnostic()?;
        let keys = bfv::generate_keys(&plan).into_diagnostic()?;
        let encrypt = BfvEncrypt::new(plan.clone(), &keys.public).into_diagnostic()?;
        report("bfv", &policy, &plan, &encrypt, [encoding, encrypting / 3 + 1])?;
    }
    Ok(())
}

/// Times the first agency's encoding and encrypting.
fn report(
    engine: &str,
    policy: &Policy,
    plan: &dyn Plan,
    encrypt: &dyn Encrypt,
    samples: [usize; 2],
) -> Result<()> {
    let agency = plan.inputs().submitters().first().copied().unwrap_or_default();
    let unknown = vec![policy.missing_values(); FAMILIES];
    let pool = families(policy, 16 * FAMILIES);
    let mut random = ChaCha20Rng::seed_from_u64(1);
    let mut known = || -> Vec<Vec<i64>> {
        let one = |random: &mut ChaCha20Rng| {
            pool.get(random.random_range(0..pool.len())).cloned().unwrap_or_default()
        };
        (0..FAMILIES).map(|_| one(&mut random)).collect()
    };
    let encode = compare(samples[0], &unknown, &mut known, |families| {
        black_box(columns(plan.inputs(), agency, families));
        Ok(())
    })?;
    let unknown = columns(plan.inputs(), agency, &unknown);
    let mut known_columns = || columns(plan.inputs(), agency, &known());
    let encrypted = compare(samples[1], &unknown, &mut known_columns, |columns| {
        black_box(encrypt.encrypt(agency, columns, &[0; 32]).into_diagnostic()?);
        Ok(())
    })?;
    let name = &policy.name;
    println!("{name}, {engine}: encode t = {encode:.1}, encrypt t = {encrypted:.1}");
    Ok(())
}

/// Welch's t of the times of `work` on the fixed input against inputs of the other class.
fn compare<I>(
    samples: usize,
    fixed: &I,
    other: &mut dyn FnMut() -> I,
    work: impl Fn(&I) -> Result<()>,
) -> Result<f64>
where
    I: Clone,
{
    let mut coin = ChaCha20Rng::seed_from_u64(2);
    let mut times: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
    for _ in 0..samples {
        let class = usize::from(coin.next_u32() & 1 == 1);
        // Both classes are freshly copied, so that neither is in the cache for another reason than the other.
        let drawn = other();
        let input = if class == 0 { fixed.clone() } else { drawn };
        let start = Instant::now();
        work(&input)?;
        let time = start.elapsed().as_secs_f64();
        if let Some(times) = times.get_mut(class) {
            times.push(time);
        }
    }
    let mut all: Vec<f64> = times.iter().flatten().copied().collect();
    all.sort_by(f64::total_cmp);
    let limit = all.get(all.len() * 9 / 10).copied().unwrap_or(f64::MAX);
    let [a, b] = times.map(|times| Moments::of(times.into_iter().filter(|t| *t <= limit)));
    Ok((a.mean - b.mean) / (a.variance / a.count + b.variance / b.count).sqrt())
}

struct Moments {
    count: f64,
    mean: f64,
    variance: f64,
}

impl Moments {
    fn of(times: impl Iterator<Item = f64>) -> Self {
        let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
        for time in times {
            count += 1.0;
            let distance = time - mean;
            mean += distance / count;
            squares += distance * (time - mean);
        }
        Self { count, mean, variance: squares / (count - 1.0) }
    }
}
