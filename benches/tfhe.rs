//! What every step of a round costs on the tfhe engine: `cargo bench --bench tfhe`.
//!
//! Whether the evaluator wastes time between lookups, and whether it scales, is measured by `ratio`.

mod setup;

use blindtier::engine::{Encrypt, Open, Plan, Proofs};
use blindtier::engine_tfhe::{KeySet, generate_keys};
use blindtier::policy::passes::Layout;
use criterion::{Criterion, SamplingMode, Throughput};
use miette::{IntoDiagnostic, Result};
use setup::policies::POLICIES;
use setup::{BINDING, Session};
use std::time::Duration;

const LAYOUTS: [Layout; 2] = [Layout::Folded, Layout::PerIndicator];

/// Families of a chunk wherever more than one is encrypted or opened.
const FAMILIES: usize = 64;

fn main() -> Result<()> {
    let keys = generate_keys(Proofs::Off).into_diagnostic()?;
    uploads(&keys)?;
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    lookup(&mut criterion, &keys)?;
    family(&mut criterion, &keys)?;
    encrypt(&mut criterion, &keys)?;
    open(&mut criterion, &keys)?;
    criterion.bench_function("keys", |bencher| bencher.iter(|| generate_keys(Proofs::Off)));
    criterion.final_summary();
    Ok(())
}

/// What all agencies together send for a family. A mask is shared by up to 2048 values of one agency's chunk,
/// so large chunks are cheaper.
fn uploads(keys: &KeySet) -> Result<()> {
    println!("upload of all agencies, bytes a family");
    println!("{:<22}{:<15}{:>12}{:>12}", "policy", "layout", "chunks of 64", "of 512");
    for (name, _) in POLICIES {
        for layout in LAYOUTS {
            let session = Session::new(name, layout, keys)?;
            let bytes = |families: usize| {
                let chunks = session.encrypted(&session.families(families)).into_diagnostic()?;
                Ok::<_, miette::Report>(chunks.iter().map(Vec::len).sum::<usize>() / families)
            };
            println!("{name:<22}{:<15}{:>12}{:>12}", layout.to_string(), bytes(64)?, bytes(512)?);
        }
    }
    println!();
    Ok(())
}

/// One bare lookup: nothing the engine does can be cheaper.
fn lookup(criterion: &mut Criterion, keys: &KeySet) -> Result<()> {
    let session = Session::new("nursery", Layout::Folded, keys)?;
    criterion.bench_function("lookup", |bencher| bencher.iter(|| session.bare_lookups(1)));
    Ok(())
}

/// One family's tier; an element of the throughput is a lookup.
fn family(criterion: &mut Criterion, keys: &KeySet) -> Result<()> {
    for (name, _) in POLICIES {
        for layout in LAYOUTS {
            let session = Session::new(name, layout, keys)?;
            let chunk = session.chunk(1)?;
            let mut group = criterion.benchmark_group(format!("family/{name}"));
            group.sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(chunk.lookups));
            group.bench_function(layout.to_string(), |bencher| {
                bencher.iter(|| session.evaluate(&chunk))
            });
        }
    }
    Ok(())
}

/// A chunk of the first agency, and of all agencies one after the other, columns included. An element is a family.
fn encrypt(criterion: &mut Criterion, keys: &KeySet) -> Result<()> {
    for (name, _) in POLICIES {
        let session = Session::new(name, Layout::Folded, keys)?;
        let families = session.families(FAMILIES);
        let mut group = criterion.benchmark_group(format!("encrypt/{name}"));
        group.throughput(Throughput::Elements(families.len() as u64));
        if let Some(agency) = session.plan.inputs().submitters().first().copied() {
            group.bench_function("one agency", |bencher| {
                bencher.iter(|| {
                    session.encrypt.encrypt(agency, &session.columns(agency, &families), &BINDING)
                });
            });
        }
        group.bench_function("all agencies", |bencher| {
            bencher.iter(|| session.encrypted(&families))
        });
    }
    Ok(())
}

/// Opening a chunk of results; they are one result repeated, since the time does not depend on what is opened.
fn open(criterion: &mut Criterion, keys: &KeySet) -> Result<()> {
    let session = Session::new("mpi", Layout::Folded, keys)?;
    let results = session.evaluate(&session.chunk(1)?).repeat(FAMILIES);
    let mut group = criterion.benchmark_group("open");
    group.throughput(Throughput::Elements(FAMILIES as u64));
    group.bench_function("results", |bencher| {
        bencher.iter(|| session.open.open(FAMILIES, &results))
    });
    Ok(())
}
