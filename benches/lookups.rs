//! Where the time of a lookup goes, and other ways to do it: `cargo bench --bench lookups -- [--runs N] [--json]`.
//!
//! Every way does the same number of lookups on one thread with keys of its own; runs take turns and medians count.

use clap::Parser;
use miette::Result;
use serde_json::json;
use std::hint::black_box;
use std::time::Instant;
use tfhe::core_crypto::algorithms::modulus_switch::{
    ModulusSwitchedLweCiphertext, lwe_ciphertext_centered_binary_modulus_switch,
};
use tfhe::core_crypto::commons::parameters::CiphertextModulusLog;
use tfhe::core_crypto::fft_impl::fft64::crypto::bootstrap::{
    batch_blind_rotate_assign_scratch, blind_rotate_assign_scratch,
};
use tfhe::core_crypto::fft_impl::fft64::math::fft::Fft;
use tfhe::core_crypto::prelude::*;
use tfhe::shortint::atomic_pattern::AtomicPatternServerKey;
use tfhe::shortint::parameters::v1_8::{
    V1_8_PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128,
    V1_8_PARAM_MESSAGE_2_CARRY_2_KS32_PBS_TUNIFORM_2M128,
};
use tfhe::shortint::server_key::ShortintBootstrappingKey;
use tfhe::shortint::{ClientKey, ServerKey};

#[derive(Parser)]
struct Arguments {
    #[arg(long, default_value_t = 9)]
    runs: usize,
    #[arg(long, default_value_t = 16)]
    lookups: usize,
    #[arg(long)]
    json: bool,
    #[arg(long, hide = true)]
    bench: bool,
}

struct Switched { mask: Vec<usize>, body: usize }
impl ModulusSwitchedLweCiphertext<usize> for Switched {
    fn log_modulus(&self) -> CiphertextModulusLog { CiphertextModulusLog(12) }
    fn lwe_dimension(&self) -> LweDimension { LweDimension(self.mask.len()) }
    fn body(&self) -> usize { self.body }
    fn mask(&self) -> impl ExactSizeIterator<Item = usize> + '_ { self.mask.iter().copied() }
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let n = arguments.lookups;
    let client = ClientKey::new(V1_8_PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128);
    let server = ServerKey::new(&client);
    let client32 = ClientKey::new(V1_8_PARAM_MESSAGE_2_CARRY_2_KS32_PBS_TUNIFORM_2M128);
    let server32 = ServerKey::new(&client32);
    let table = server.generate_lookup_table(|x| (x * 7 + 3) % 16);
    let table32 = server32.generate_lookup_table(|x| (x * 7 + 3) % 16);
    let a: Vec<_> = (0..n).map(|i| client.encrypt((i % 4) as u64)).collect();
    let a32: Vec<_> = (0..n).map(|i| client32.encrypt((i % 4) as u64)).collect();
    let AtomicPatternServerKey::Standard(key) = &server.atomic_pattern else { panic!() };
    let ShortintBootstrappingKey::Classic { bsk, .. } = &key.bootstrapping_key else { panic!() };
    let ksk = &key.key_switching_key;
    let fft = Fft::new(bsk.polynomial_size());
    let fft = fft.as_view();
    let switched: Vec<_> = a.iter().map(|c| {
        let mut small = LweCiphertext::new(0u64, ksk.output_lwe_size(), ksk.ciphertext_modulus());
        keyswitch_lwe_ciphertext(ksk, &c.ct, &mut small);
        small
    }).collect();
    let ms: Vec<Switched> = switched.iter().map(|c| {
        let m = lwe_ciphertext_centered_binary_modulus_switch::<u64, usize, _>(c.as_view(), CiphertextModulusLog(12));
        Switched { mask: m.mask().collect(), body: m.body() }
    }).collect();
    let mut ways: Vec<(String, Box<dyn FnMut()>)> = Vec::new();
    ways.push(("lookup".into(), Box::new(|| for c in &a { black_box(server.apply_lookup_table(c, &table)); })));
    ways.push(("lookup 32-bit key switch".into(), Box::new(|| for c in &a32 { black_box(server32.apply_lookup_table(c, &table32)); })));
    ways.push(("key switch alone".into(), Box::new(|| for c in &a {
        let mut small = LweCiphertext::new(0u64, ksk.output_lwe_size(), ksk.ciphertext_modulus());
        keyswitch_lwe_ciphertext(ksk, &c.ct, &mut small);
        black_box(&small);
    })));
    ways.push(("blind rotation alone".into(), Box::new(|| {
        let req = blind_rotate_assign_scratch::<u64>(bsk.glwe_size(), bsk.polynomial_size(), fft);
        let mut buffer = ComputationBuffers::new();
            buffer.resize(req.unaligned_bytes_required());
        for m in &ms {
            let mut acc = table.acc.clone();
            bsk.as_view().blind_rotate_assign(acc.as_mut_view(), m, fft, buffer.stack());
            black_box(&acc);
        }
    })));
    for batch in [2usize, 4, 8, 16] {
        let ms = &ms; let table = &table;
        ways.push((format!("blind rotation, batches of {batch}"), Box::new(move || {
            let req = batch_blind_rotate_assign_scratch::<u64>(bsk.glwe_size(), bsk.polynomial_size(), CiphertextCount(batch), fft);
            let mut buffer = ComputationBuffers::new();
            buffer.resize(req.unaligned_bytes_required());
            for chunk in ms.chunks(batch) {
                let words: Vec<u64> = chunk.iter().flat_map(|_| table.acc.as_ref().iter().copied()).collect();
                let mut list = GlweCiphertextList::from_container(words, bsk.glwe_size(), bsk.polynomial_size(), table.acc.ciphertext_modulus());
                bsk.as_view().batch_blind_rotate_assign(list.as_mut_view(), chunk, fft, buffer.stack());
                black_box(&list);
            }
        })));
    }
    let mut times = vec![Vec::new(); ways.len()];
    for run in 0..arguments.runs + 1 {
        for ((_, way), times) in ways.iter_mut().zip(&mut times) {
            let start = Instant::now();
            way();
            if run > 0 { times.push(start.elapsed().as_secs_f64() * 1e3 / n as f64); }
        }
    }
    for ((name, _), times) in ways.iter().zip(&mut times) {
        times.sort_by(f64::total_cmp);
        println!("{name:<32} {:.2} ms ({:.2} to {:.2})", times[times.len() / 2], times[0], times[times.len() - 1]);
    }
    let _ = json!({});
    Ok(())
}
