//! One family's tier, computed by the library on ciphertexts: `cargo run --release --example one_family`.
//!
//! Every party's part is one step below, in one process. In a round each party runs its own program, in its own
//! folder, and only files pass between them; `blindtier demo` shows that.

use blindtier::engine::{Chunk, Encrypt, Evaluate, Open, Plan, Proofs, Verify};
use blindtier::engine_tfhe::{
    TfheEncrypt, TfheEvaluate, TfheOpen, TfhePlan, TfheVerify, generate_keys,
};
use blindtier::policy::passes::Layout;
use blindtier::policy::{Policy, Variable};
use miette::{IntoDiagnostic, Result, ensure, miette};
use std::time::Instant;

const POLICY: &str = include_str!("../policies/eight-indicators.toml");

/// What the registers say of the family. On everything else it is as a family that they do not know.
const FAMILY: [(&str, &str); 3] =
    [("means", "scarce"), ("homeless", "yes"), ("child_outside", "yes")];

fn main() -> Result<()> {
    // Public: the policy, and the plan that follows from it. Every party works both out for itself.
    let policy = Policy::parse("eight-indicators.toml", POLICY)?;
    let plan = TfhePlan::new(&policy, Layout::Folded, 1, Proofs::On).into_diagnostic()?;
    let values = values(&policy)?;

    // The key holder: the secret key stays here, agencies get the public key, the evaluator the evaluation key.
    let keys = generate_keys(Proofs::On).into_diagnostic()?;

    // Every agency folds what it alone knows into its columns, a chunk of one family here, and encrypts them; the registrar
    // does the same with who said no (nobody). A round binds the proof to sender, round and slots.
    let binding = [0; 32];
    let encrypt = TfheEncrypt::new(plan.clone(), &keys.public).into_diagnostic()?;
    let mut submissions = Vec::new();
    for submitter in plan.inputs().submitters() {
        let mut columns = Vec::new();
        for column in plan.inputs().columns_of(submitter) {
            // Asks for this submitter's own values only.
            let mut own = |indicator: usize| values.get(indicator).copied().unwrap_or_default();
            columns.push(vec![plan.inputs().column_value(column, &mut own)]);
        }
        let chunk = encrypt.encrypt(submitter, &columns, &binding).into_diagnostic()?;
        let name = policy.agencies.get(submitter).map_or("registrar", |a| a.id.as_str());
        println!("{name} sends {} encrypted values, {} bytes", columns.len(), chunk.len());
        submissions.push(chunk);
    }

    // The evaluator: ciphertexts in, ciphertexts out, no secret key. First it checks the proofs of encryption.
    let verify = TfheVerify::new(&plan, &keys.public).into_diagnostic()?;
    for (submitter, chunk) in plan.inputs().submitters().into_iter().zip(&submissions) {
        verify.verify(submitter, 1, chunk, &binding).into_diagnostic()?;
    }
    let evaluate = TfheEvaluate::new(&plan, &keys.public, &keys.evaluation).into_diagnostic()?;
    let inputs = submissions.iter().map(|chunk| Some(chunk.as_slice())).collect();
    let start = Instant::now();
    let evaluated = evaluate
        .evaluate(&Chunk { families: 1, inputs, seed: [0; 32] }, &|_| {})
        .into_diagnostic()?;
    println!("the evaluator does {} lookups in {:.0?}", evaluated.operations, start.elapsed());

    // The key holder again: only the tier comes out, no indicator and no score.
    let open = TfheOpen::new(&keys.secret).into_diagnostic()?;
    let numbers = open.open(1, &evaluated.results).into_diagnostic()?;
    let found = numbers.first().and_then(|number| policy.code(*number).id(&policy));
    let found = found.unwrap_or("none");

    // The clear twin decides the same family without encryption.
    let twin = policy.decide(&values).into_diagnostic()?;
    let expected = policy.tiers.get(twin.tier).map_or("?", |tier| tier.id.as_str());
    println!("tier: {found}; the clear twin says {expected}");
    ensure!(found == expected, "the engine and the clear twin disagree");
    Ok(())
}

/// [`FAMILY`] as positions of levels, in the order of the policy.
fn values(policy: &Policy) -> Result<Vec<i64>> {
    let mut values = policy.missing_values();
    for (id, level) in FAMILY {
        let indicator = policy.indicators.iter().position(|i| i.id == id);
        let levels = policy.classes(Variable::Indicator(indicator.unwrap_or(usize::MAX)));
        let position = levels.iter().position(|l| l.id == level);
        let cell = indicator.and_then(|i| values.get_mut(i)).zip(position);
        let (cell, position) =
            cell.ok_or_else(|| miette!("no indicator {id} with level {level}"))?;
        *cell = i64::try_from(position).into_diagnostic()?;
    }
    Ok(values)
}
