//! Steps of engine tfhe.

use super::super::error::CliError;
use super::super::output::Output;
use super::super::policy_file::SHIPPED;
use super::timer::{Timer, number};
use blindtier_engine::{Chunk, Encrypt, Evaluate, OpenShare as _, Plan, Prepare, Proofs, Verify};
use blindtier_engine_tfhe::{
    TfheEncrypt, TfheEvaluate, TfheOpenShare, TfhePlan, TfhePrepare, TfheVerify, deal,
    generate_keys,
};
use blindtier_estimate::{Tfhe, Timing};
use blindtier_policy::Policy;
use blindtier_policy::passes::Layout;

/// Shares of a 2-of-3 key.
const SHARES: u32 = 3;
/// Values of a full list.
const LIST: usize = 2_048;
/// Families of a batch.
const BATCH: usize = 8;
/// What chunks are bound to in a round; nothing here.
const BINDING: [u8; 32] = [0; 32];
/// A step that is taken off another must leave something.
const LEAST: f64 = 1e-6;

pub fn measure(timer: &Timer, output: Output) -> Result<Tfhe, CliError> {
    output.step("measuring: tfhe, keys");
    let (dealt, deal) = timer.once(|| Ok(deal(SHARES, Proofs::Off)?))?;
    let (_, without) = timer.once(|| Ok(generate_keys(Proofs::Off)?))?;
    let (proven, with) = timer.once(|| Ok(generate_keys(Proofs::On)?))?;
    let policy = policy()?;
    let plan = TfhePlan::new(&policy, Layout::Folded, SHARES, Proofs::Off)?;

    output.step("measuring: tfhe, lookups");
    let encrypt = TfheEncrypt::new(plan.clone(), &dealt.public)?;
    let load_evaluation =
        timer.one(|| Ok(TfheEvaluate::new(&plan, &dealt.public, &dealt.evaluation)?))?;
    let evaluate = TfheEvaluate::new(&plan, &dealt.public, &dealt.evaluation)?;
    let list = {
        let submitter = submitter(&plan);
        let columns = columns(&plan, submitter, 512);
        timer.one(|| Ok(encrypt.encrypt(submitter, &columns, &BINDING)?))?
    };
    let lists = number(plan.summary().submitters.len());
    let each = f64::from(plan.summary().operations.total());
    let lookup = |families: usize| {
        let sizes = [families, families * timer.width()];
        let chunks = [chunk(&plan, &encrypt, sizes[0])?, chunk(&plan, &encrypt, sizes[1])?];
        let timing = timer.both(
            |cores| families * cores,
            |count| {
                let [one, all] = &chunks;
                let inputs = if count == families { one } else { all };
                let inputs = inputs.iter().map(|bytes| Some(bytes.as_slice())).collect();
                let chunk = Chunk { families: count, inputs, seed: BINDING };
                Ok(evaluate.evaluate(&chunk, &|_| {})?)
            },
        )?;
        // What every chunk costs beside its lookups is counted apart.
        let net = |seconds: f64, families: usize| {
            ((seconds - lists * list / number(families)) / each).max(LEAST)
        };
        Ok::<_, CliError>(Timing {
            one_core: net(timing.one_core, sizes[0]),
            all_cores: net(timing.all_cores, sizes[1]),
        })
    };
    let (lookup_alone, lookup_of_eight) = (lookup(1)?, lookup(BATCH)?);

    output.step("measuring: tfhe, opening");
    let (prepare, load_opening) =
        timer.once(|| Ok(TfhePrepare::new(&dealt.evaluation, &dealt.squashing)?))?;
    let families = 2 * timer.width();
    let inputs = chunk(&plan, &encrypt, families)?;
    let inputs = inputs.iter().map(|bytes| Some(bytes.as_slice())).collect();
    let results = evaluate.evaluate(&Chunk { families, inputs, seed: BINDING }, &|_| {})?.results;
    let size = results.len() / families.max(1);
    let squash = timer.both(
        |cores| 2 * cores,
        |count| {
            let some = results.get(..count * size).unwrap_or(&results);
            Ok(prepare.prepare(count, some, &|_| {})?)
        },
    )?;
    let prepared = prepare.prepare(families, &results, &|_| {})?;
    drop(prepare);
    let share = dealt.shares.first().map(|share| share.as_slice()).unwrap_or_default();
    let share = TfheOpenShare::new(&plan, &BINDING, share)?;
    let pads = vec![1; families];
    let partial = timer.one(|| Ok(share.partial(families, &prepared.masks, &pads)?))?;

    output.step("measuring: tfhe, proofs");
    let proofs = proofs(timer, &policy, &proven.public)?;
    let [load_prover, load_verifier] = proofs.loads;
    let [prove_empty, prove_full, verify_empty, verify_full] = proofs.lists;
    Ok(Tfhe {
        deal,
        deal_proofs: (with - without).max(LEAST),
        load_prover,
        load_verifier,
        load_evaluation,
        load_opening,
        list,
        prove_empty,
        prove_full,
        verify_empty,
        verify_full,
        lookup_alone,
        lookup_of_eight,
        squash,
        partial: partial * f64::from(timer.cores) / number(families),
    })
}

/// The first shipped policy.
fn policy() -> Result<Policy, CliError> {
    let (name, text) = SHIPPED.first().copied().unwrap_or_default();
    Ok(Policy::parse(name, text)?)
}

fn submitter(plan: &TfhePlan) -> usize {
    plan.summary().submitters.first().copied().unwrap_or_default()
}

/// The columns of families that no register knows: what is encrypted does not change what it costs.
fn columns(plan: &TfhePlan, submitter: usize, families: usize) -> Vec<Vec<i64>> {
    let inputs = plan.inputs();
    let columns = inputs.columns_of(submitter).into_iter();
    columns.map(|column| vec![inputs.missing_value(column); families]).collect()
}

/// A chunk of all submitters.
fn chunk(
    plan: &TfhePlan,
    encrypt: &TfheEncrypt,
    families: usize,
) -> Result<Vec<Vec<u8>>, CliError> {
    let submitters = plan.summary().submitters.into_iter();
    let sent = submitters.map(|s| encrypt.encrypt(s, &columns(plan, s, families), &BINDING));
    Ok(sent.collect::<Result<_, _>>()?)
}

/// Making and checking proofs.
struct Proven {
    /// Preparing the public key to prove, and to check.
    loads: [f64; 2],
    /// Proving and checking a list with hardly any bit and with 2,048.
    lists: [Timing; 4],
}

fn proofs(timer: &Timer, policy: &Policy, public: &[u8]) -> Result<Proven, CliError> {
    let plan = TfhePlan::new(policy, Layout::Folded, SHARES, Proofs::On)?;
    // Only the first time: what was checked once is not checked again in the same process.
    let (encrypt, load_prover) = timer.once(|| Ok(TfheEncrypt::new(plan.clone(), public)?))?;
    let load_verifier = timer.one(|| Ok(TfheVerify::new(&plan, public)?))?;
    let verify = TfheVerify::new(&plan, public)?;
    let submitter = submitter(&plan);
    let bits = plan.program().inputs.iter().filter(|input| input.submitter == submitter).count();
    let measure = |families: usize| {
        let columns = columns(&plan, submitter, families);
        let proving = timer.both(|_| 1, |_| Ok(encrypt.encrypt(submitter, &columns, &BINDING)?))?;
        let chunk = encrypt.encrypt(submitter, &columns, &BINDING)?;
        let checking =
            timer.both(|_| 1, |_| Ok(verify.verify(submitter, families, &chunk, &BINDING)?))?;
        Ok::<_, CliError>([proving, checking])
    };
    let [prove_empty, verify_empty] = measure(1)?;
    let [prove_full, verify_full] = measure((LIST / bits.max(1)).max(1))?;
    Ok(Proven {
        loads: [load_prover, load_verifier],
        lists: [prove_empty, prove_full, verify_empty, verify_full],
    })
}
