//! What every step of a round costs on the bfv engine, without and with checks: `cargo bench --bench bfv`.
//!
//! An element of the throughput is a slot, that is, a family of a full chunk.

#[path = "setup/policies.rs"]
mod policies;

use blindtier::engine::{Chunk, Encrypt, EngineError, Evaluate, Open, Plan, Proofs};
use blindtier::engine_bfv::{BfvEncrypt, BfvEvaluate, BfvOpen, BfvPlan, KeySet, generate_keys};
use blindtier::policy::passes::Layout;
use blindtier::policy::{Code, Policy};
use criterion::{Criterion, SamplingMode, Throughput};
use miette::{IntoDiagnostic, Result, miette};
use policies::{POLICIES, columns, families};
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Shares of a key that two of three trustees open with.
const SHARES: u32 = 3;

const LAYOUTS: [Layout; 2] = [Layout::Folded, Layout::PerIndicator];
const PROOFS: [(Proofs, &str); 2] = [(Proofs::Off, "without checks"), (Proofs::On, "with checks")];

/// The kinds of plans of a policy.
fn kinds() -> impl Iterator<Item = (Layout, Proofs, &'static str)> {
    LAYOUTS.into_iter().flat_map(|layout| PROOFS.map(|(proofs, said)| (layout, proofs, said)))
}

fn main() -> Result<()> {
    plans()?;
    for (name, text) in POLICIES.into_iter().take(2) {
        Session::new(name, text, Layout::Folded, Proofs::Off)?.speed_up(name)?;
    }
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    for (name, text) in POLICIES {
        for (layout, proofs, said) in kinds() {
            let session = Session::new(name, text, layout, proofs)?;
            session.bench(&mut criterion, &format!("{name} {layout} {said}"))?;
        }
    }
    criterion.final_summary();
    Ok(())
}

/// What is planned, without measuring anything.
fn plans() -> Result<()> {
    for (name, text) in POLICIES {
        for (layout, proofs, said) in kinds() {
            let policy = Policy::parse(name, text)?;
            let plan = BfvPlan::new(&policy, layout, SHARES, proofs).into_diagnostic()?;
            println!("{name} {layout} {said}: {}", plan.parameters().name());
            plan.describe().iter().for_each(|line| println!("  {line}"));
            let slots = u64::from(plan.chunk_slots().unwrap_or(1));
            let submitters = plan.inputs().submitters();
            let upload: u64 = submitters.iter().map(|s| plan.upload_bytes(*s, 1)).sum();
            let result = plan.result_bytes(1);
            println!("  bytes a family: upload {}, result {}", upload / slots, result / slots);
        }
    }
    println!();
    Ok(())
}

/// A chunk that everybody sent something for.
fn whole(families: usize, chunks: &[Vec<u8>]) -> Chunk<'_> {
    let inputs = chunks.iter().map(|chunk| Some(chunk.as_slice())).collect();
    Chunk { families, inputs, seed: [0; 32] }
}

struct Session {
    policy: Policy,
    plan: BfvPlan,
    keys: KeySet,
    encrypt: BfvEncrypt,
    evaluate: BfvEvaluate,
    open: BfvOpen,
}

impl Session {
    fn new(name: &str, text: &str, layout: Layout, proofs: Proofs) -> Result<Self> {
        let policy = Policy::parse(name, text)?;
        let plan = BfvPlan::new(&policy, layout, SHARES, proofs).into_diagnostic()?;
        let keys = generate_keys(&plan).into_diagnostic()?;
        Ok(Self {
            encrypt: BfvEncrypt::new(plan.clone(), &keys.public).into_diagnostic()?,
            evaluate: BfvEvaluate::new(&plan, &keys.evaluation).into_diagnostic()?,
            open: BfvOpen::new(&plan, &keys.secret).into_diagnostic()?,
            policy,
            plan,
            keys,
        })
    }

    fn encrypted(&self, families: &[Vec<i64>]) -> Result<Vec<Vec<u8>>, EngineError> {
        let inputs = self.plan.inputs();
        let submitters = inputs.submitters().into_iter();
        submitters
            .map(|s| self.encrypt.encrypt(s, &columns(inputs, s, families), &[0; 32]))
            .collect()
    }

    /// Two threads against one, over four chunks as the evaluator takes them: medians of interleaved pairs.
    fn speed_up(&self, name: &str) -> Result<()> {
        const CHUNKS: usize = 4;
        const PAIRS: usize = 7;
        let slots = self.plan.parameters().degree;
        let chunks = self.encrypted(&families(&self.policy, slots)).into_diagnostic()?;
        let chunk = whole(slots, &chunks);
        let pool = |threads| ThreadPoolBuilder::new().num_threads(threads).build();
        let (one, two) = (pool(1).into_diagnostic()?, pool(2).into_diagnostic()?);
        let seconds = |pool: &ThreadPool| {
            let start = Instant::now();
            pool.install(|| {
                (0..CHUNKS).into_par_iter().for_each(|_| {
                    black_box(self.evaluate.evaluate(&chunk, &|_| {}).ok());
                });
            });
            start.elapsed().as_secs_f64()
        };
        seconds(&two);
        let mut ratios: Vec<f64> = (0..PAIRS)
            .map(|pair| match pair % 2 {
                0 => seconds(&one) / seconds(&two),
                _ => 1.0 / (seconds(&two) / seconds(&one)),
            })
            .collect();
        ratios.sort_by(f64::total_cmp);
        if let (Some(least), Some(median), Some(most)) =
            (ratios.first(), ratios.get(PAIRS / 2), ratios.last())
        {
            println!(
                "{name}: two threads against one: median {median:.2}, {least:.2} to {most:.2}; {PAIRS} pairs of {CHUNKS} chunks"
            );
        }
        Ok(())
    }

    /// Times a full chunk, after every slot of it was compared with the clear twin.
    fn bench(&self, criterion: &mut Criterion, name: &str) -> Result<()> {
        let slots = self.plan.parameters().degree;
        let families = families(&self.policy, slots);
        let chunks = self.encrypted(&families).into_diagnostic()?;
        let chunk = whole(slots, &chunks);
        let evaluated = self.evaluate.evaluate(&chunk, &|_| {}).into_diagnostic()?;
        let numbers = self.open.open(slots, &evaluated.results).into_diagnostic()?;
        for (family, number) in families.iter().zip(numbers) {
            let tier = self.policy.decide(family).into_diagnostic()?.tier;
            if self.policy.code(number) != Code::Tier(tier) {
                return Err(miette!("{name}: a tier differs from the clear twin's"));
            }
        }
        let mut group = criterion.benchmark_group(name);
        group.sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(slots as u64));
        group.bench_function("evaluate", |bencher| {
            bencher.iter(|| self.evaluate.evaluate(&chunk, &|_| {}));
        });
        group.bench_function("encrypt, all who submit", |bencher| {
            bencher.iter(|| self.encrypted(&families));
        });
        group.bench_function("open", |bencher| {
            bencher.iter(|| self.open.open(slots, &evaluated.results));
        });
        group.bench_function("keys", |bencher| bencher.iter(|| generate_keys(&self.plan)));
        group.bench_function("prepare evaluation key", |bencher| {
            bencher.iter(|| BfvEvaluate::new(&self.plan, &self.keys.evaluation));
        });
        Ok(())
    }
}
