//! Steps that do not depend on the engine.

use super::super::error::CliError;
use super::super::policy_file::SHIPPED;
use super::timer::{Timer, number};
use blindtier_estimate::Common;
use blindtier_policy::{Policy, read_families};
use blindtier_wire::{
    Context, Digest, Engine, Expect, LetterKey, OpeningKey, PartyName, Purpose, RoundId, Share,
    SigningIdentity, TrustFile, TrusteeKey, read, seal, write,
};
use rayon::prelude::*;
use std::path::Path;
use std::process::{Command, Stdio};

/// Bytes of the large file.
const LARGE: usize = 32 << 20;
/// Families of the registers that are read.
const FAMILIES: u64 = 2_000;
/// Letters that are sealed at a time.
const LETTERS: usize = 512;
/// Bytes of a letter from a trustee with two shares.
const LETTER: usize = 96;

pub fn measure(timer: &Timer) -> Result<Common, CliError> {
    let folder = tempfile::tempdir().map_err(|source| CliError::File {
        file: std::env::temp_dir(),
        action: "make a temporary folder",
        remedy: "set TMPDIR to a folder that can be written to",
        source,
    })?;
    let engine = Engine { name: "none".into(), parameters: String::new() };
    let context = Context { round: RoundId([0; 32]), policy: Digest([0; 32]), engine };
    let [file, byte_written, byte_read] = files(timer, &context, folder.path())?;
    Ok(Common {
        start: start(timer)?,
        file,
        byte_written,
        byte_read,
        row: row(timer, &folder.path().join("registers"))?,
        seal: sealing(timer, &context)?,
        pad: pad(timer, &context)?,
    })
}

fn start(timer: &Timer) -> Result<f64, CliError> {
    let failed = |source| CliError::File {
        file: "blindtier".into(),
        action: "start this program",
        remedy: "check that its file is still there",
        source,
    };
    let program = std::env::current_exe().map_err(failed)?;
    timer.one(|| {
        let mut call = Command::new(&program);
        call.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        call.status().map_err(failed)
    })
}

/// A small file, and a byte of a large one, written and read.
fn files(timer: &Timer, context: &Context, folder: &Path) -> Result<[f64; 3], CliError> {
    let party = PartyName::dealer();
    let identity = SigningIdentity::generate(party.clone())?;
    let mut trust = TrustFile::new();
    trust.pin(party.clone(), &identity.public_key());
    let (small, large) = (folder.join("small.bt"), folder.join("large.bt"));
    let body = TrusteeKey { receiving: *LetterKey::generate()?.public() };
    let file = timer.one(|| Ok(write(&small, &body, context, &identity)?))?;
    let body = OpeningKey { public_key: Digest([0; 32]), bytes: vec![7; LARGE] };
    let written = timer.one(|| Ok(write(&large, &body, context, &identity)?))?;
    let expect = Expect::of(&party, context);
    let read = timer.one(|| Ok(read::<OpeningKey>(&large, &expect, &trust)?))?;
    let bytes = number(LARGE);
    let least = 1e-12;
    Ok([file, ((written - file) / bytes).max(least), (read / bytes).max(least)])
}

/// A row of a register.
fn row(timer: &Timer, folder: &Path) -> Result<f64, CliError> {
    let Some((name, text)) = SHIPPED.first() else { return Ok(1e-6) };
    let policy = Policy::parse(name, text)?;
    blindtier_sim::synthesize(&policy, FAMILIES, 1, folder)?;
    let rows = number(policy.agencies.len()) * FAMILIES as f64;
    let seconds = timer.one(|| {
        let mut count = 0u64;
        for family in read_families(&policy, folder)? {
            family?;
            count += 1;
        }
        Ok(count)
    })?;
    Ok(seconds / rows)
}

fn sealing(timer: &Timer, context: &Context) -> Result<blindtier_estimate::Timing, CliError> {
    let (key, from) = (LetterKey::generate()?, PartyName::trustee(1));
    let plain = [1u8; LETTER];
    timer.both(
        |_| LETTERS,
        |count| {
            let sealed =
                (0..u32::try_from(count).unwrap_or(u32::MAX)).into_par_iter().map(|slot| {
                    seal(key.public(), Purpose::Letter { slot, from: &from }, context, &plain)
                });
            Ok(sealed.filter_map(|sealed| sealed.map(|bytes| bytes.len())).sum::<usize>())
        },
    )
}

fn pad(timer: &Timer, context: &Context) -> Result<f64, CliError> {
    let share = Share { share: 0, key: [3; 32], material: Vec::new() };
    let slots = 4_096u32;
    let seconds = timer.one(|| {
        let pads = (0..slots).map(|slot| {
            let seed = share.seed(&Digest([0; 32]), slot);
            let Digest(commitment) = seed.commitment(context, 0, slot);
            u64::from(seed.pad(32)) + u64::from(commitment.first().copied().unwrap_or_default())
        });
        Ok::<u64, CliError>(std::hint::black_box(pads.sum()))
    })?;
    Ok(seconds / f64::from(slots))
}
