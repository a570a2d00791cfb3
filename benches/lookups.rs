//! Where the time of a lookup goes, and other ways to do it: `cargo bench --bench lookups -- [--runs N] [--json]`.
//!
//! Every way does the same number of lookups on one thread; runs take turns, and the median counts. What each way shows is
//! discussed in `docs/performance.md`. It reports and never fails.

mod setup;

use blindtier::engine::Proofs;
use blindtier::engine_tfhe::{TfheEvaluate, generate_keys};
use blindtier::policy::passes::Layout;
use blindtier::report::Spread;
use clap::Parser;
use miette::{IntoDiagnostic, Result, miette};
use rayon::ThreadPoolBuilder;
use serde_json::json;
use setup::Session;
use std::hint::black_box;
use std::time::Instant;
use tfhe::core_crypto::fft_impl::fft64::crypto::bootstrap::blind_rotate_assign_scratch;
use tfhe::core_crypto::fft_impl::fft64::math::fft::Fft;
use tfhe::core_crypto::prelude::{
    ComputationBuffers, LweCiphertextOwned, keyswitch_lwe_ciphertext,
};
use tfhe::shortint::atomic_pattern::AtomicPatternServerKey;
use tfhe::shortint::parameters::v1_8::{
    V1_8_PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128,
    V1_8_PARAM_MESSAGE_2_CARRY_2_KS32_PBS_TUNIFORM_2M128,
};
use tfhe::shortint::server_key::ShortintBootstrappingKey;
use tfhe::shortint::{ClientKey, ServerKey};

#[derive(Parser)]
#[command(about = "Ways to do a lookup, in turns")]
struct Arguments {
    /// Runs of each way; the median counts
    #[arg(long, default_value_t = 9)]
    runs: usize,
    /// Lookups a run
    #[arg(long, default_value_t = 16)]
    lookups: usize,
    /// One JSON object instead of text
    #[arg(long)]
    json: bool,
    /// A single quick run
    #[arg(long)]
    test: bool,
    /// Passed by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

/// A name, how many lookups it does, and the work.
type Way<'a> = (&'static str, usize, Box<dyn FnMut() + 'a>);

fn main() -> Result<()> {
    let mut arguments = Arguments::parse();
    if arguments.test || !arguments.bench {
        (arguments.runs, arguments.lookups) = (1, 2);
    }
    let one = ThreadPoolBuilder::new().num_threads(1).build().into_diagnostic()?;
    one.install(|| measure(&arguments))
}

fn measure(arguments: &Arguments) -> Result<()> {
    let count = arguments.lookups.max(1);
    let keys = generate_keys(Proofs::Off).into_diagnostic()?;
    let session = Session::new("nursery", Layout::Folded, &keys)?;
    // As many families as give that many lookups.
    let each = session.chunk(1)?.lookups;
    let families = count.div_ceil(usize::try_from(each).into_diagnostic()?);
    let chunk = session.chunk(families)?;

    let client = ClientKey::new(V1_8_PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128);
    let server = ServerKey::new(&client);
    let short_client = ClientKey::new(V1_8_PARAM_MESSAGE_2_CARRY_2_KS32_PBS_TUNIFORM_2M128);
    let short = ServerKey::new(&short_client);
    let table = server.generate_lookup_table(|x| (7 * x + 3) % 16);
    let short_table = short.generate_lookup_table(|x| (7 * x + 3) % 16);
    let many = server.generate_many_lookup_table(&[&|x| x % 4, &|x| (x + 1) % 4]);
    let messages = 0..u64::try_from(count).into_diagnostic()?;
    let inputs: Vec<_> = messages.clone().map(|m| client.encrypt(m % 4)).collect();
    let short_inputs: Vec<_> = messages.map(|m| short_client.encrypt(m % 4)).collect();
    let AtomicPatternServerKey::Standard(parts) = &server.atomic_pattern else {
        return Err(miette!("the parameters have another kind of key"));
    };
    let ShortintBootstrappingKey::Classic { bsk, modulus_switch_noise_reduction_key: modulus } =
        &parts.bootstrapping_key
    else {
        return Err(miette!("the parameters have another kind of bootstrapping key"));
    };
    let switch = |input: &tfhe::shortint::Ciphertext| {
        let key = &parts.key_switching_key;
        let mut small = LweCiphertextOwned::new(0, key.output_lwe_size(), key.ciphertext_modulus());
        keyswitch_lwe_ciphertext(key, &input.ct, &mut small);
        small
    };
    let small: Vec<_> = inputs.iter().map(switch).collect();
    let size = bsk.polynomial_size();
    let fft = Fft::new(size);
    let needed = blind_rotate_assign_scratch::<u64>(bsk.glwe_size(), size, fft.as_view());
    let mut buffers = ComputationBuffers::new();
    buffers.resize(needed.unaligned_bytes_required());

    let evaluated = usize::try_from(chunk.lookups).into_diagnostic()?;
    let mut ways: Vec<Way<'_>> = vec![
        (
            "a lookup by itself",
            count,
            Box::new(|| {
                inputs.iter().for_each(|c| drop(black_box(server.apply_lookup_table(c, &table))));
            }),
        ),
        (
            "a lookup as evaluation does it",
            evaluated,
            Box::new(|| drop(black_box(session.evaluate(&chunk)))),
        ),
        (
            "a lookup with 32-bit key switch",
            count,
            Box::new(|| {
                short_inputs
                    .iter()
                    .for_each(|c| drop(black_box(short.apply_lookup_table(c, &short_table))));
            }),
        ),
        (
            "two tables of 8 values at once",
            count,
            Box::new(|| {
                inputs
                    .iter()
                    .for_each(|c| drop(black_box(server.apply_many_lookup_table(c, &many))));
            }),
        ),
        (
            "key switch alone",
            count,
            Box::new(|| inputs.iter().for_each(|c| drop(black_box(switch(c))))),
        ),
        (
            "blind rotation alone",
            count,
            Box::new(|| {
                for small in &small {
                    let log = size.to_blind_rotation_input_modulus_log();
                    let switched = modulus.lwe_ciphertext_modulus_switch::<usize, _>(small, log);
                    let mut rotated = table.acc.clone();
                    bsk.as_view().blind_rotate_assign(
                        rotated.as_mut_view(),
                        &switched,
                        fft.as_view(),
                        buffers.stack(),
                    );
                    black_box(&rotated);
                }
            }),
        ),
        (
            "loading the evaluation key, once",
            1,
            Box::new(|| {
                drop(black_box(TfheEvaluate::new(&session.plan, &keys.public, &keys.evaluation)));
            }),
        ),
    ];
    let mut times = vec![Vec::new(); ways.len()];
    for run in 0..=arguments.runs.max(1) {
        for ((_, lookups, way), times) in ways.iter_mut().zip(&mut times) {
            let start = Instant::now();
            way();
            #[expect(clippy::cast_precision_loss, reason = "a few lookups")]
            let milliseconds = start.elapsed().as_secs_f64() * 1e3 / *lookups as f64;
            // The first run warms up.
            if run > 0 {
                times.push(milliseconds);
            }
        }
    }
    let mut found = Vec::new();
    for ((name, _, _), times) in ways.iter().zip(times) {
        let Spread { median, min, max } = Spread::of(times);
        if !arguments.json {
            println!("{name:<34}{median:>8.2} ms ({min:.2} to {max:.2})");
        }
        found.push(
            json!({ "way": name, "milliseconds": { "median": median, "min": min, "max": max } }),
        );
    }
    if arguments.json {
        let platform = blindtier::engine_tfhe::platform_features();
        println!("{}", json!({ "platform": platform, "runs": arguments.runs, "ways": found }));
    }
    Ok(())
}
