//! Steps of engine bfv, on the plans of some policies.

use super::super::cost::{figures, program};
use super::super::error::CliError;
use super::super::output::Output;
use super::timer::{Timer, number};
use blindtier_engine::{
    Chunk, Combine as _, Encrypt, Evaluate, OpenShare as _, Plan, Prepare, Proofs, Verify,
};
use blindtier_engine_bfv::{
    BfvCombine, BfvEncrypt, BfvEvaluate, BfvOpenShare, BfvPlan, BfvPrepare, BfvVerify,
    evaluation_key, first_message, public_key, second_message,
};
use blindtier_estimate::Bfv;
use blindtier_policy::Policy;
use blindtier_policy::passes::Layout;
use rayon::prelude::*;

/// Shares of a 2-of-3 key.
const SHARES: u32 = 3;
/// What keys and chunks are bound to in a round; nothing here.
const COMMON: [u8; 32] = [0; 32];

/// What is measured of every policy: what agencies send alone, what they send to compare, and with checks.
const KINDS: [(Layout, Proofs); 3] = [
    (Layout::Folded, Proofs::Off),
    (Layout::PerIndicator, Proofs::Off),
    (Layout::Folded, Proofs::On),
];

pub fn measure(timer: &Timer, policies: &[Policy], output: Output) -> Result<Vec<Bfv>, CliError> {
    let mut measured = Vec::new();
    for policy in policies {
        for (layout, proofs) in KINDS {
            let checks = if proofs == Proofs::On { ", with checks" } else { "" };
            let title = format!("{}, {layout}{checks}", policy.name);
            output.step(&format!("measuring: bfv, {title}"));
            match BfvPlan::new(policy, layout, SHARES, proofs) {
                Ok(plan) => measured.push(measure_plan(timer, title, &plan)?),
                Err(refused) => output.step(&format!("not measured: {refused}")),
            }
        }
    }
    Ok(measured)
}

fn measure_plan(timer: &Timer, title: String, plan: &BfvPlan) -> Result<Bfv, CliError> {
    let seeds: Vec<[u8; 32]> = (1..=SHARES).map(|n| [u8::try_from(n).unwrap_or(0); 32]).collect();
    let shares = number(seeds.len());
    let (firsts, first) = timer.once(|| {
        let firsts = seeds.iter().map(|seed| first_message(plan, &COMMON, seed));
        Ok(firsts.collect::<Result<Vec<_>, _>>()?)
    })?;
    let firsts: Vec<&[u8]> = firsts.iter().map(Vec::as_slice).collect();
    let (seconds, second) = timer.once(|| {
        let seconds = seeds.iter().map(|seed| second_message(plan, &COMMON, seed, &firsts));
        Ok(seconds.collect::<Result<Vec<_>, _>>()?)
    })?;
    let seconds: Vec<&[u8]> = seconds.iter().map(Vec::as_slice).collect();
    let ((public, evaluation), keys) = timer.once(|| {
        let public = public_key(plan, &COMMON, &firsts)?;
        Ok((public, evaluation_key(plan, &COMMON, &firsts, &seconds)?))
    })?;

    let (encrypt, load_encryption) = timer.once(|| Ok(BfvEncrypt::new(plan.clone(), &public)?))?;
    let submitters = plan.summary().submitters;
    let ciphertexts = figures::all_ciphertexts(plan);
    let count = number(usize::try_from(ciphertexts).unwrap_or(usize::MAX));
    let slots = plan.parameters().degree;
    let (inputs, encrypted) = timer.once(|| {
        let sent =
            submitters.iter().map(|s| encrypt.encrypt(*s, &columns(plan, *s, slots), &COMMON));
        Ok(sent.collect::<Result<Vec<_>, _>>()?)
    })?;
    let verify = BfvVerify::new(plan)?;
    let check = timer.one(|| {
        let mut chunks = submitters.iter().zip(&inputs);
        Ok(chunks.try_for_each(|(s, bytes)| verify.verify(*s, slots, bytes, &COMMON))?)
    })?;

    let (evaluate, load_evaluation) = timer.once(|| Ok(BfvEvaluate::new(plan, &evaluation)?))?;
    let whole = || Chunk {
        families: slots,
        inputs: inputs.iter().map(|bytes| Some(bytes.as_slice())).collect(),
        seed: COMMON,
    };
    let chunk = timer.both(
        |cores| if cores == 1 { 1 } else { 2 * cores },
        |count| {
            let chunks = (0..count).into_par_iter();
            let done = chunks.map(|_| evaluate.evaluate(&whole(), &|_| {}));
            Ok(done.collect::<Result<Vec<_>, _>>()?)
        },
    )?;
    let results = evaluate.evaluate(&whole(), &|_| {})?.results;
    drop(evaluate);

    let prepared = BfvPrepare::new(plan)?.prepare(slots, &results, &|_| {})?;
    let pads = vec![1; slots];
    let holders = seeds.iter().map(|seed| BfvOpenShare::new(plan, seed));
    let holders: Vec<BfvOpenShare> = holders.collect::<Result<_, _>>()?;
    let answer = || {
        let partials = holders.iter().map(|one| one.partial(slots, &prepared.masks, &pads));
        Ok::<_, CliError>(partials.collect::<Result<Vec<_>, _>>()?)
    };
    let partial = timer.one(answer)? / shares;
    let partials = answer()?;
    let partials: Vec<&[u8]> = partials.iter().map(Vec::as_slice).collect();
    let combining = BfvCombine::new(plan)?;
    let combine = timer.one(|| Ok(combining.combine(slots, &prepared.bodies, &partials)?))?;

    let ring = program::ring(plan);
    let inputs = u32::try_from(ciphertexts).unwrap_or(u32::MAX);
    Ok(Bfv {
        plan: title,
        ring,
        work: program::work(plan.program(), inputs).units(&ring),
        chunk,
        encrypt: encrypted / count,
        check: check / count,
        partial,
        combine,
        first: first / shares,
        second: second / shares,
        keys,
        load_encryption,
        load_evaluation,
    })
}

/// The columns of families that no register knows: what is encrypted does not change what it costs.
fn columns(plan: &BfvPlan, submitter: usize, families: usize) -> Vec<Vec<i64>> {
    let inputs = plan.inputs();
    let columns = inputs.columns_of(submitter).into_iter();
    columns.map(|column| vec![inputs.missing_value(column); families]).collect()
}
