//! Everything that reads what comes from outside, under changed inputs: an answer or a refusal, never a panic.
//!
//! Inputs are changed at random from those in `tests/corpus`, from the shipped policies and from the files of a round. For
//! longer than a test may take: `BLINDTIER_FUZZ_SECONDS=600 cargo test --release --test integration -- decoders --nocapture`.
//! What fails is written to `tests/corpus/TARGET/`, where every later run starts from it.

use crate::rig::ROUND;
use blindtier::policy::{Policy, read_families};
use blindtier::registrar::Population;
use blindtier::wire::{LetterKey, Proof, Signed, SigningIdentity, TrustFile};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Changed inputs a decoder where no time is given.
const CASES: u32 = 1500;

/// The most inputs that a run keeps of a decoder.
const KEPT: u32 = 12;

/// Changes inputs.
struct Mutator {
    random: ChaCha8Rng,
}

/// Bytes that numbers, texts and formats turn on.
const TELLING: [&[u8]; 22] = [
    &[0],
    &[0xff],
    &[0x7f],
    &[0x80],
    &[0; 8],
    &[0xff; 8],
    &[0xff, 0xff, 0xff, 0x7f],
    b"\"",
    b"\n",
    b",",
    b";",
    b"[[",
    b"]",
    b"{",
    b"=",
    b"-1",
    b"1e309",
    b"99999999999999999999999",
    b"0.00000000000000001",
    b"\xc3\x28",
    b"\xe2\x80\xae",
    b"<!--",
];

impl Mutator {
    fn position(&mut self, length: usize) -> usize {
        self.random.random_range(0..=length)
    }

    /// A changed copy of one of the inputs, half of the time of one of the first ones, which decoders take.
    fn change(&mut self, inputs: &[Vec<u8>], first: usize) -> Vec<u8> {
        let among = [first, inputs.len()][self.random.random_range(0..2)];
        let mut bytes = inputs[self.random.random_range(0..among)].clone();
        for _ in 0..self.random.random_range(1..=4) {
            let (one, other) = (self.position(bytes.len()), self.position(bytes.len()));
            let (start, end) = (one.min(other), one.max(other));
            let end = end.min(start + self.random.random_range(1..=64));
            match self.random.random_range(0..8) {
                0 => bytes.truncate(start),
                1 => drop(bytes.drain(start..end)),
                2 => {
                    let repeated = bytes[start..end].to_vec();
                    bytes.splice(start..start, repeated);
                }
                3 => {
                    let telling = TELLING[self.random.random_range(0..TELLING.len())];
                    bytes.splice(start..start, telling.iter().copied());
                }
                4 => {
                    let telling = TELLING[self.random.random_range(0..TELLING.len())];
                    let end = (start + telling.len()).min(bytes.len());
                    bytes.splice(start..end, telling.iter().copied());
                }
                5 => {
                    let from = &inputs[self.random.random_range(0..inputs.len())];
                    let at = self.random.random_range(0..=from.len());
                    let part = &from[at..from.len().min(at + 256)];
                    bytes.splice(start..end, part.iter().copied());
                }
                _ => {
                    if let Some(byte) = bytes.get_mut(start) {
                        *byte ^= 1 << self.random.random_range(0..8);
                    }
                }
            }
        }
        bytes
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, ends: &str) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.retain(|path| path.is_file() && path.to_str().unwrap().ends_with(ends));
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// What an input led to, without what differs from input to input: nothing if it was taken, else the kind of the error.
type Outcome = Result<(), String>;

fn outcome<T, E: std::fmt::Display>(read: Result<T, E>) -> Outcome {
    read.map(drop).map_err(|error| error.to_string())
}

/// The letters of an error, outside of what it quotes.
fn kind(outcome: &Outcome) -> String {
    let Err(error) = outcome else { return "taken".into() };
    let mut quoted = false;
    let plain = |c: &char| {
        quoted ^= matches!(c, '"' | '`');
        !quoted && (c.is_ascii_alphabetic() || *c == ' ')
    };
    error.lines().next().unwrap_or_default().chars().filter(plain).take(80).collect()
}

/// Feeds a decoder. What leads to a new kind of outcome is changed further, and kept in `tests/corpus` if
/// `BLINDTIER_FUZZ_KEEP` is set. At least one input has to be taken, so that what is tried out lies behind the first check.
fn feed(target: &str, mut inputs: Vec<Vec<u8>>, decode: impl Fn(&[u8]) -> Outcome) {
    let corpus = root().join("tests/corpus").join(target);
    let first = inputs.len();
    inputs.extend(files(&corpus, ""));
    let keep = |input: &[u8]| {
        std::fs::create_dir_all(&corpus).unwrap();
        let name = blindtier::wire::Digest::of(input).to_string();
        let file = corpus.join(&name[..16]);
        std::fs::write(&file, input).unwrap();
        file
    };
    let mut kinds: BTreeSet<String> = inputs.iter().map(|input| kind(&decode(input))).collect();
    assert!(kinds.contains("taken"), "{target}: an input is taken as it is: {kinds:?}");
    let known = kinds.len();
    let mut wanted = std::env::var_os("BLINDTIER_FUZZ_KEEP").map_or(0, |_| KEPT);
    let seconds = std::env::var("BLINDTIER_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    let (begun, limit) = (Instant::now(), seconds.map(Duration::from_secs));
    let seed = seconds.map_or(11, |_| seed_of_now());
    let mut mutator = Mutator { random: ChaCha8Rng::seed_from_u64(seed) };
    let (mut tried, mut taken) = (0u64, 0u64);
    while limit.map_or(tried < u64::from(CASES), |limit| begun.elapsed() < limit) {
        let input = mutator.change(&inputs, first);
        let started = Instant::now();
        let Ok(outcome) = catch_unwind(AssertUnwindSafe(|| decode(&input))) else {
            panic!("{target} panics on {}", keep(&input).display());
        };
        assert!(started.elapsed() < Duration::from_secs(20), "{target} takes its time: {input:?}");
        tried += 1;
        taken += u64::from(outcome.is_ok());
        if input.len() < 1 << 16 && kinds.insert(kind(&outcome)) {
            if wanted > 0 && input.len() < 1 << 12 {
                keep(&input);
                wanted -= 1;
            }
            inputs.push(input);
        }
    }
    println!(
        "{target}: {tried} changed inputs, {taken} of them taken, {known} + {} kinds of outcome",
        kinds.len() - known
    );
}

/// Another one in every run that has time.
fn seed_of_now() -> u64 {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    since.as_nanos() as u64
}

/// A file for decoders that read files.
struct Scratch {
    folder: TempDir,
    name: &'static str,
}

impl Scratch {
    fn new(name: &'static str) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), name }
    }

    fn holding(&self, bytes: &[u8]) -> PathBuf {
        use std::os::unix::fs::OpenOptionsExt;
        let file = self.folder.path().join(self.name);
        let mut options = std::fs::OpenOptions::new();
        let opened = options.write(true).create(true).truncate(true).mode(0o600).open(&file);
        std::io::Write::write_all(&mut opened.unwrap(), bytes).unwrap();
        file
    }
}

fn text(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|error| error.to_string())
}

fn policies() -> Vec<Vec<u8>> {
    files(&root().join("policies"), ".toml")
}

fn policy(name: &str) -> Policy {
    let file = root().join(format!("policies/{name}.toml"));
    Policy::parse(name, &std::fs::read_to_string(file).unwrap()).unwrap()
}

#[test]
fn policies_are_read_or_refused() {
    feed("policy", policies(), |bytes| {
        let policy = Policy::parse("changed.toml", text(bytes)?);
        if let Ok(policy) = &policy {
            let written = Policy::parse("written.toml", &policy.to_toml());
            assert_eq!(
                written.ok().as_ref(),
                Some(policy),
                "what is taken can be written and read"
            );
        }
        outcome(
            policy.map_err(|errors| {
                errors.errors().first().map(ToString::to_string).unwrap_or_default()
            }),
        )
    });
}

#[test]
fn decision_models_are_read_or_refused() {
    let models = root().join("crates/dmn/tests/models");
    let map = std::fs::read_to_string(models.join("support.map.toml")).unwrap();
    let map = blindtier_dmn::Map::parse("support.map.toml", &map).unwrap();
    let options = blindtier_dmn::Options { map, ..Default::default() };
    feed("dmn", files(&models, ".dmn"), |bytes| {
        outcome(blindtier_dmn::import("changed.dmn", text(bytes)?, &options))
    });
    feed("dmn-map", files(&models, ".toml"), |bytes| {
        outcome(blindtier_dmn::Map::parse("changed.toml", text(bytes)?))
    });
}

#[test]
fn small_files_of_parties_are_read_or_refused() {
    let work = ROUND.path().join("work");
    let read = |name: &str| vec![std::fs::read(work.join(name)).unwrap()];
    let scratch = Scratch::new("changed");
    feed("trust", read("public/trust.toml"), |b| outcome(TrustFile::read(&scratch.holding(b))));
    feed("signing-key", read("evaluator/signing.key"), |b| {
        outcome(SigningIdentity::read(&scratch.holding(b)))
    });
    feed("letter-key", read("families/letter.key"), |b| {
        outcome(LetterKey::read(&scratch.holding(b)))
    });
    feed("proof", read("families/proof.toml"), |b| outcome(Proof::read(&scratch.holding(b))));
}

#[test]
fn tables_are_read_or_refused() {
    let work = ROUND.path().join("work");
    let population = std::fs::read(work.join("registrar/population.csv")).unwrap();
    let scratch = Scratch::new("changed.csv");
    feed("population", vec![population.clone()], |b| {
        outcome(Population::read(&scratch.holding(b), &work))
    });
    let known = Population::read(&work.join("registrar/population.csv"), &work).unwrap();
    feed("opt-outs", vec![b"f1\n\n f2\n".to_vec()], |b| {
        outcome(known.opt_outs(&scratch.holding(b)))
    });
    let nursery = policy("nursery");
    let rows = std::fs::read_to_string(root().join("data/nursery.csv")).unwrap();
    let rows: Vec<&str> = rows.lines().take(30).collect();
    feed("families", vec![rows.join("\n").into_bytes()], |b| {
        outcome(read_families(&nursery, &scratch.holding(b)))
    });
}

#[test]
fn parquet_is_read_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("population");
    let call = crate::rig::blindtier([
        "synth",
        "--families",
        "30",
        "--seed",
        "5",
        "--format",
        "parquet",
        "--out",
        out.to_str().unwrap(),
    ]);
    crate::rig::succeeded(&call);
    let (card, register) = (policy("digital-family-card"), out.join("tax.parquet"));
    let original = std::fs::read(&register).unwrap();
    feed("parquet", vec![original], |bytes| {
        std::fs::write(&register, bytes).unwrap();
        let inputs = blindtier::simulate::Inputs {
            policies: vec![&card],
            data: &out,
            families: None,
            by: None,
            need: None,
        };
        outcome(blindtier::simulate::read(&inputs, &mut |_| {}))
    });
}

/// A signed file is taken as its signer wrote it, or not at all. What is signed and malformed is tried out in
/// crates/wire/tests.
#[test]
fn signed_files_are_taken_unchanged_or_refused() {
    let work = ROUND.path().join("work");
    let trust = TrustFile::read(&work.join("public/trust.toml")).unwrap();
    let board = work.join("board");
    let names =
        ["round.bt", "letter-keys.bt", "results/receipt.bt", "partials/trustee-1/partials.bt"];
    let originals: Vec<Vec<u8>> =
        names.iter().map(|name| std::fs::read(board.join(name)).unwrap()).collect();
    feed("signed", originals.clone(), |bytes| {
        let opened = outcome(Signed::open(bytes, &trust));
        let original = originals.iter().any(|original| original == bytes);
        assert!(opened.is_err() || original, "a forgery");
        opened
    });
}
