//! The part of a demo that counts the families of simulated regions.

use super::super::error::CliError;
use super::super::registrar::Switch;
use super::Stage;
use super::parties::{PASSES, Table, text};
use blindtier_ledger::thousandths;
use serde_json::{Value, json};

/// An opened number (`None` if it is too small to be shown) and the exact one.
type Cell = (Option<i64>, i64);

/// What was opened, beside the truth.
pub(super) struct Counted {
    /// The answer as the trustees print it.
    pub answer: Value,
    /// What the ledger says of the privacy budget.
    pub privacy: Value,
    /// For each region, the clear twin's numbers of families by tier.
    pub exact: Vec<Vec<i64>>,
    /// Whether the numbers have noise.
    pub noise: bool,
    /// Seconds of the evaluator, and of all trustees.
    pub seconds: [f64; 2],
    /// Multiplications.
    pub operations: u64,
}

impl Counted {
    /// The name of every region, and its cells by tier.
    pub fn cells(&self, tiers: &[String]) -> Vec<(String, Vec<Cell>)> {
        let groups = self.answer.get("groups").and_then(Value::as_object);
        let rows = groups.into_iter().flatten().zip(&self.exact);
        rows.map(|((name, cells), exact)| {
            let opened = |tier: &String| cells.get(tier).and_then(Value::as_i64);
            (name.clone(), tiers.iter().map(opened).zip(exact.iter().copied()).collect())
        })
        .collect()
    }

    /// Whether every exact number was opened: those that are shown, if there is no noise.
    pub fn agrees(&self, tiers: &[String], minimum: i64) -> bool {
        let right = |(opened, exact): &Cell| match opened {
            Some(opened) => opened == exact,
            None => *exact < minimum,
        };
        let rows = self.cells(tiers);
        rows.len() == self.exact.len() && rows.iter().all(|(_, cells)| cells.iter().all(right))
    }

    /// The largest distance of a shown number from the exact one.
    pub fn largest_distance(&self, tiers: &[String]) -> i64 {
        let rows = self.cells(tiers);
        let cells = rows.iter().flat_map(|(_, cells)| cells);
        cells
            .filter_map(|(opened, exact)| Some((opened.as_ref()? - exact).abs()))
            .max()
            .unwrap_or(0)
    }
}

/// The evaluator counts, all trustees answer, and a second question about the same regions is refused.
pub(super) fn count(
    table: &Table<'_>,
    stage: &Stage,
    expected: &[u32],
    regions: &[u32],
) -> Result<Option<Counted>, CliError> {
    let Some((count, epsilon, noise)) = stage.statistics else { return Ok(None) };
    let tiers = stage.policy.tiers.len();
    let mut exact = vec![vec![0i64; tiers]; usize::try_from(count).unwrap_or_default()];
    for (number, region) in expected.iter().zip(regions) {
        let cell = exact
            .get_mut(usize::try_from(*region).unwrap_or(usize::MAX))
            .and_then(|row| row.get_mut(usize::try_from(*number).unwrap_or(usize::MAX)));
        if let Some(cell) = cell {
            *cell += 1;
        }
    }
    let spends = [("--epsilon", thousandths(epsilon).into())];
    let counted = table.round("evaluator", &["evaluator", "count"], &spends)?;
    let seconds = |object: &Value| object.get("seconds").and_then(Value::as_f64).unwrap_or(0.0);
    let operations = counted.get("multiplications").and_then(Value::as_u64).unwrap_or_default();
    table.output.say(&format!(
        "evaluator: families of {count} regions counted by tier, {operations} multiplications on ciphertexts in {:.1} s",
        seconds(&counted)
    ));
    let mut command = vec!["trustee", "answer"];
    if noise == Switch::Off {
        command.push("--simulated");
    }
    let mut spent = 0.0;
    for _ in 0..PASSES {
        let mut last = None;
        for name in stage.sharing.names() {
            let said = table.trustee(name.as_str(), &command, &[])?;
            spent += seconds(&said);
            last = (text(&said, "stage") == "done").then_some(said);
        }
        let Some(said) = last else { continue };
        table.output.say("trustees: counted again, the same; the numbers opened with their noise");
        match table.round("evaluator", &["evaluator", "count"], &spends) {
            Err(CliError::Party { code: 2, .. }) => {
                table.output.say("evaluator: a second question about the same regions is refused");
            }
            _ => return Err(table.stuck("the second question about the same regions")),
        }
        let of = |field: &str| said.get(field).cloned().unwrap_or(json!(null));
        return Ok(Some(Counted {
            answer: of("answer"),
            privacy: of("privacy"),
            exact,
            noise: noise == Switch::On,
            seconds: [seconds(&counted), spent],
            operations,
        }));
    }
    Err(table.stuck("the answer about regions"))
}
