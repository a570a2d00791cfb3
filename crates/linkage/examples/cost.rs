//! What linkage costs: `cargo run --release -p blindtier-linkage --example cost -- 100000`, for so many persons; with
//! `RAYON_NUM_THREADS=1` on one core.
#![allow(clippy::unwrap_used, clippy::cast_precision_loss, reason = "a measurement")]

use blindtier_linkage::{Blinding, LinkageKey};
use std::time::Instant;

fn main() {
    let count: usize = std::env::args().nth(1).map_or(20_000, |text| text.parse().unwrap());
    let persons: Vec<String> = (0..count).map(|n| format!("{n:012}")).collect();
    let nothing = |_, _| ();
    let timed = |what: &str, start: Instant| {
        println!("{what}: {:.1} µs a person", 1e6 * start.elapsed().as_secs_f64() / count as f64);
    };
    let (key, blinding) = (LinkageKey::generate().unwrap(), Blinding::generate().unwrap());
    let start = Instant::now();
    let direct = key.pseudonyms(&persons).unwrap();
    timed("registrar, roster", start);
    let start = Instant::now();
    let request = blinding.request(&persons, count, &nothing).unwrap();
    timed("agency, blind", start);
    let start = Instant::now();
    let answer = key.answer(&request, &nothing).unwrap();
    timed("registrar, answer", start);
    let start = Instant::now();
    let found = blinding.finish(&persons, &request, &answer, &key.public(), &nothing).unwrap();
    timed("agency, finish", start);
    assert!(found == direct, "the blind path is the direct path");
}
