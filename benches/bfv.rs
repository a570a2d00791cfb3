//! What every step of a round costs on the bfv engine: `cargo bench --bench bfv`.
//!
//! An element of the throughput is a slot, that is, a family of a full chunk.

#[path = "setup/policies.rs"]
mod policies;

use blindtier::engine::{Encrypt, EngineError, Evaluate, Open, Plan};
use blindtier::engine_bfv::{BfvEncrypt, BfvEvaluate, BfvOpen, BfvPlan, KeySet, generate_keys};
use blindtier::policy::Policy;
use blindtier::policy::passes::Layout;
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

fn main() -> Result<()> {
    plans()?;
    for (name, text) in POLICIES.into_iter().take(2) {
        Session::new(name, text, Layout::Folded)?.speed_up(name)?;
    }
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    for (name, text) in POLICIES {
        for layout in LAYOUTS {
            let session = Session::new(name, text, layout)?;
            session.bench(&mut criterion, &format!("{name} {layout}"))?;
        }
    }
    criterion.final_summary();
    Ok(())
}

/// What is planned, without measuring anything.
fn plans() -> Result<()> {
    for (name, text) in POLICIES {
        for layout in LAYOUTS {
            let policy = Policy::parse(name, text)?;
            let plan = BfvPlan::new(&policy, layout, SHARES).into_diagnostic()?;
            println!("{name} {layout}: {}", plan.parameters().name());
            plan.describe().iter().for_each(|line| println!("  {line}"));
            let slots = u64::from(plan.chunk_slots().unwrap_or(1));
            let agencies = plan.inputs().agencies();
            let upload: u64 = agencies.iter().map(|a| plan.upload_bytes(*a, 1)).sum();
            let result = plan.result_bytes(1);
            println!("  bytes a family: upload {}, result {}", upload / slots, result / slots);
        }
    }
    println!();
    Ok(())
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
    fn new(name: &str, text: &str, layout: Layout) -> Result<Self> {
        let policy = Policy::parse(name, text)?;
        let plan = BfvPlan::new(&policy, layout, SHARES).into_diagnostic()?;
        let keys = generate_keys(&plan).into_diagnostic()?;
        Ok(Self {
            encrypt: BfvEncrypt::new(plan.clone(), &keys.public).into_diagnostic()?,
            evaluate: BfvEvaluate::new(&plan, &keys.evaluation).into_diagnostic()?,
            open: BfvOpen::new(&plan, &keys.secret, policy.tiers.len()).into_diagnostic()?,
            policy,
            plan,
            keys,
        })
    }

    fn encrypted(&self, families: &[Vec<i64>]) -> Result<Vec<Vec<u8>>, EngineError> {
        let agencies = self.plan.inputs().agencies().into_iter();
        agencies
            .map(|a| self.encrypt.encrypt(a, &columns(self.plan.inputs(), a, families)))
            .collect()
    }

    /// Two threads against one, over four chunks as the evaluator takes them: medians of interleaved pairs.
    fn speed_up(&self, name: &str) -> Result<()> {
        const CHUNKS: usize = 4;
        const PAIRS: usize = 7;
        let slots = self.plan.parameters().degree;
        let chunks = self.encrypted(&families(&self.policy, slots)).into_diagnostic()?;
        let inputs: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
        let pool = |threads| ThreadPoolBuilder::new().num_threads(threads).build();
        let (one, two) = (pool(1).into_diagnostic()?, pool(2).into_diagnostic()?);
        let seconds = |pool: &ThreadPool| {
            let start = Instant::now();
            pool.install(|| {
                (0..CHUNKS).into_par_iter().for_each(|_| {
                    black_box(self.evaluate.evaluate(slots, &inputs, &|_| {}).ok());
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
        let inputs: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
        let evaluated = self.evaluate.evaluate(slots, &inputs, &|_| {}).into_diagnostic()?;
        let codes = self.open.open(slots, &evaluated.results).into_diagnostic()?;
        for (family, code) in families.iter().zip(codes) {
            if self.policy.decide(family).into_diagnostic()?.tier != usize::from(code) {
                return Err(miette!("{name}: a tier differs from the clear twin's"));
            }
        }
        let mut group = criterion.benchmark_group(name);
        group.sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(slots as u64));
        group.bench_function("evaluate", |bencher| {
            bencher.iter(|| self.evaluate.evaluate(slots, &inputs, &|_| {}));
        });
        group.bench_function("encrypt, all agencies", |bencher| {
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
