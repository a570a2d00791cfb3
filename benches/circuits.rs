//! Circuits for comparisons with other libraries: the same sums of products, the same ring and modulus, the same checks.
//!
//! `cargo bench --bench circuits` times each circuit on one thread. `-- --export DIR` writes them as JSON for
//! `benches/peers/openfhe.py`, which then drives `-- --serve` so that both sides run in turn.

#[path = "setup/policies.rs"]
mod policies;

use blindtier::compare::{expected, sums_of_products};
use blindtier::engine::Proofs;
use blindtier::engine_bfv::trial::{Encrypted, Trial, polynomial, table};
use blindtier::engine_bfv::{BfvPlan, Encoding, Linear, Node, Parameters, Program, Value};
use blindtier::policy::Policy;
use blindtier::policy::passes::Layout;
use clap::Parser;
use miette::{Context, IntoDiagnostic, Result, miette};
use policies::{POLICIES, families};
use serde_json::{Value as Json, json};
use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::time::Instant;

/// Shares of a key that two of three trustees open with.
const SHARES: u32 = 3;

#[derive(Parser)]
#[command(about = "Circuits that other libraries can run too")]
struct Arguments {
    /// Write the circuits as JSON files into this folder
    #[arg(long, value_name = "DIR")]
    export: Option<PathBuf>,
    /// Read circuit names from standard input, run each once and answer with a JSON line
    #[arg(long)]
    serve: bool,
    /// Runs of each circuit without --serve
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Passed by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

/// A circuit with clear columns and what it has to give.
struct Circuit {
    name: &'static str,
    title: &'static str,
    program: Program,
    parameters: Parameters,
    columns: Vec<Vec<i64>>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let circuits = [score()?, one_hot()?, tree()?, folded()?];
    if let Some(folder) = &arguments.export {
        std::fs::create_dir_all(folder).into_diagnostic().wrap_err("cannot make the folder")?;
        // The last one is not for others: it is what blindtier does instead of the second and third.
        for circuit in circuits.iter().take(3) {
            let file = folder.join(format!("{}.json", circuit.name));
            std::fs::write(&file, circuit.json().to_string()).into_diagnostic()?;
            println!("{}: {}", file.display(), circuit.title);
        }
        return Ok(());
    }
    let ready = circuits.iter().map(Ready::new).collect::<Result<Vec<_>>>()?;
    if arguments.serve {
        for line in std::io::stdin().lock().lines() {
            let name = line.into_diagnostic()?;
            let answer = match ready.iter().find(|r| r.circuit.name == name.trim()) {
                Some(ready) => ready.timed()?,
                None => json!({ "error": format!("no circuit `{}`", name.trim()) }),
            };
            let mut out = std::io::stdout().lock();
            writeln!(out, "{answer}").and_then(|()| out.flush()).into_diagnostic()?;
        }
        return Ok(());
    }
    println!("{:<18}{:>10}{:>8}{:>8}{:>14}", "circuit", "N", "bits", "depth", "µs a slot");
    for ready in &ready {
        let mut seconds = Vec::with_capacity(arguments.runs);
        for _ in 0..arguments.runs.max(1) {
            seconds.push(ready.timed()?.get("seconds").and_then(Json::as_f64).unwrap_or_default());
        }
        seconds.sort_by(f64::total_cmp);
        let Parameters { degree, modulus_bits, .. } = ready.circuit.parameters;
        let depth = ready.circuit.program.counts().depth;
        let median = seconds.get(seconds.len() / 2).copied().unwrap_or_default();
        #[expect(clippy::cast_precision_loss, reason = "at most 2^15 slots")]
        let each = 1e6 * median / degree as f64;
        println!("{:<18}{degree:>10}{modulus_bits:>8}{depth:>8}{each:>14.2}", ready.circuit.name);
    }
    Ok(())
}

/// A score of eight columns with 41 values, cut at four places.
fn score() -> Result<Circuit> {
    let mut program = Program::default();
    let mut sum = Linear::default();
    (0..8).for_each(|column| sum.add(&Linear::of(Value::Input(column)), 1));
    program.nodes.push(Node { products: Vec::new(), linear: sum });
    let class = |value: i64| [9, 17, 24, 33].into_iter().filter(|cut| value >= *cut).count() as i64;
    let values: Vec<i64> = (0..=40).map(class).collect();
    program.output = polynomial(&mut program, Linear::of(Value::Node(0)), &values).into();
    let columns = (0..8)
        .map(|column| {
            (0..16_384).map(|row: i64| row / (1 + 5 * column + column * column) % 6).collect()
        })
        .collect();
    Ok(Circuit {
        name: "score",
        title: "a score of 8 columns, 41 values, 4 cuts",
        parameters: Parameters::fixed(&program, 16_384, 300, 6, 1),
        program,
        columns,
    })
}

fn nursery() -> Result<Policy> {
    let text = POLICIES.iter().find(|(name, _)| *name == "nursery").map_or("", |(_, text)| text);
    Ok(Policy::parse("nursery", text)?)
}

/// Columns of a plan for so many families.
fn columns(plan: &BfvPlan, families: &[Vec<i64>]) -> Vec<Vec<i64>> {
    let inputs = blindtier::engine::Plan::inputs(plan);
    let rows: Vec<Vec<i64>> = families.iter().map(|f| inputs.column_values(f)).collect();
    (0..inputs.columns.len())
        .map(|c| rows.iter().filter_map(|r| r.get(c)).copied().collect())
        .collect()
}

/// Nursery, every indicator by itself, one 0-or-1 column a level.
fn one_hot() -> Result<Circuit> {
    let policy = nursery()?;
    let (layout, encoding) = (Layout::PerIndicator, Encoding::Indicators);
    let plan =
        BfvPlan::encoded(&policy, layout, encoding, SHARES, Proofs::Off).into_diagnostic()?;
    let program = plan.program().clone();
    Ok(Circuit {
        name: "nursery-one-hot",
        title: "the Nursery model on one-hot columns, an indicator each",
        parameters: Parameters::fixed(&program, 8_192, 180, 4, 1),
        columns: columns(&plan, &families(&policy, 8_192)),
        program,
    })
}

/// Nursery's tree as its author drew it, on one number an indicator: every table is a polynomial in several variables.
fn tree() -> Result<Circuit> {
    let policy = nursery()?;
    let class = |concept: &str, classes: &[usize]| -> i64 {
        use blindtier::policy::{Table, Variable};
        let Some(found) = policy.concepts.iter().find(|c| c.id == concept) else { return 0 };
        let sizes = found.inputs.iter().map(|v| match v {
            Variable::Indicator(_) | Variable::Concept(_) | Variable::Cut(_) => {
                policy.classes(*v).len()
            }
        });
        let value = match &found.table {
            Table::Grid(cells) => {
                let place =
                    classes.iter().zip(sizes).fold(0, |at, (class, size)| at * size + class);
                cells.get(place).copied()
            }
            Table::FirstMatch(rules) => rules
                .iter()
                .find(|rule| {
                    rule.when.iter().zip(classes).all(|(accepted, class)| {
                        accepted.as_ref().is_none_or(|accepted| accepted.contains(class))
                    })
                })
                .map(|rule| rule.then),
        };
        value.and_then(|v| i64::try_from(v).ok()).unwrap_or_default()
    };
    let mut program = Program::default();
    let mut known: Vec<Option<Linear>> = vec![None; policy.concepts.len()];
    for (position, concept) in policy.concepts.iter().enumerate() {
        use blindtier::policy::Variable;
        let domains: Vec<usize> = concept.inputs.iter().map(|v| policy.classes(*v).len()).collect();
        let numbers = concept
            .inputs
            .iter()
            .map(|variable| match variable {
                Variable::Indicator(i) => Ok(Linear::of(Value::Input(*i))),
                Variable::Concept(c) => known
                    .get(*c)
                    .cloned()
                    .flatten()
                    .ok_or_else(|| miette!("concept {} reads a later one", concept.id)),
                Variable::Cut(_) => Err(miette!("Nursery has no cuts")),
            })
            .collect::<Result<Vec<_>>>()?;
        let mut values = Vec::new();
        let mut point = vec![0usize; domains.len()];
        loop {
            values.push(class(&concept.id, &point));
            if !blindtier::policy::circuit::dense::advance(&mut point, &domains) {
                break;
            }
        }
        let value = table(&mut program, &numbers, &domains, &values);
        if let Some(slot) = known.get_mut(position) {
            *slot = Some(value);
        }
    }
    let blindtier::policy::Variable::Concept(last) = policy.decision.from else {
        return Err(miette!("Nursery decides from a concept"));
    };
    let decided = known.get(last).cloned().flatten().unwrap_or_default();
    let tiers: Vec<i64> =
        policy.decision.tiers.iter().filter_map(|t| i64::try_from(*t).ok()).collect();
    let same = tiers.iter().zip(0..).all(|(tier, class)| *tier == class);
    let output = if same { decided } else { polynomial(&mut program, decided, &tiers) };
    program.output = output.into();
    let rows = families(&policy, 16_384);
    let indicators = 0..policy.indicators.len();
    Ok(Circuit {
        name: "nursery-tree",
        title: "the Nursery tree on one number an indicator",
        parameters: Parameters::fixed(&program, 16_384, 360, 8, 1),
        columns: indicators
            .map(|i| rows.iter().filter_map(|r| r.get(i)).copied().collect())
            .collect(),
        program,
    })
}

/// The plan that blindtier itself chooses for Nursery, with its own parameters and room for flooding.
fn folded() -> Result<Circuit> {
    let policy = nursery()?;
    let plan = BfvPlan::new(&policy, Layout::Folded, SHARES, Proofs::Off).into_diagnostic()?;
    Ok(Circuit {
        name: "nursery-folded",
        title: "the Nursery model as blindtier plans it, folded",
        program: plan.program().clone(),
        parameters: plan.parameters().clone(),
        columns: columns(&plan, &families(&policy, plan.parameters().degree)),
    })
}

impl Circuit {
    /// What every row has to give, in 0..t.
    fn expected(&self) -> Vec<i64> {
        expected(&self.program, &self.columns)
    }

    fn json(&self) -> Json {
        let Self { name, title, program, parameters, columns } = self;
        sums_of_products(name, title, program, parameters, columns)
    }
}

/// A circuit with keys and encrypted columns.
struct Ready<'c> {
    circuit: &'c Circuit,
    trial: Trial,
    columns: Encrypted,
    expected: Vec<i64>,
}

impl<'c> Ready<'c> {
    fn new(circuit: &'c Circuit) -> Result<Self> {
        let trial = Trial::new(&circuit.program, &circuit.parameters).into_diagnostic()?;
        let columns = trial.encrypt(&circuit.columns).into_diagnostic()?;
        Ok(Self { circuit, trial, columns, expected: circuit.expected() })
    }

    /// Evaluates once and checks every slot.
    fn timed(&self) -> Result<Json> {
        let columns = self.columns.clone();
        let start = Instant::now();
        let result = self.trial.evaluate(columns);
        let seconds = start.elapsed().as_secs_f64();
        let slots = self.trial.open(&result);
        let right = slots.iter().zip(&self.expected).all(|(s, e)| i64::try_from(*s) == Ok(*e));
        if !right {
            return Err(miette!("{}: a slot is wrong", self.circuit.name));
        }
        Ok(json!({
            "name": self.circuit.name,
            "seconds": seconds,
            "rows": self.expected.len(),
            "ring_dimension": self.circuit.parameters.degree,
            "modulus_bits": self.circuit.parameters.modulus_bits,
        }))
    }
}
