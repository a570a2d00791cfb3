//! What an imported policy gives for inputs as a register would write them.

use blindtier_dmn::{Imported, Role};
use blindtier_policy::{Answer, Binding, Facts, Interpreter, Outcome};
use std::collections::BTreeMap;

/// Values of the model's inputs by name, as texts.
pub type Inputs = BTreeMap<String, String>;

/// Runs the clear twin. An input that is not given stays an empty cell.
pub fn outcome(imported: &Imported, inputs: &Inputs) -> Result<Outcome, String> {
    let policy = &imported.policy;
    let mut header = Vec::new();
    let mut row = Vec::new();
    for part in imported.parts.iter().filter(|part| part.role == Role::Indicator) {
        let indicator = policy.indicators.iter().find(|i| i.id == part.id).unwrap();
        header.push(indicator.columns[0].clone());
        row.push(inputs.get(&part.dmn).cloned().unwrap_or_default());
    }
    let binding = Binding::new(policy, None, "inputs", &header).unwrap();
    let mut accumulator = binding.accumulator();
    binding
        .add(&mut accumulator, 1, |column| row.get(column).map(String::as_str))
        .map_err(|error| error.to_string())?;
    let values =
        binding.finish(&accumulator, Facts::default()).map_err(|error| error.to_string())?;
    match Interpreter::new(policy).unwrap().answer(&values, false).unwrap() {
        Answer::Tier(outcome) => Ok(outcome),
        other => Err(format!("{other:?}")),
    }
}

/// The tier as the model writes it.
pub fn tier(imported: &Imported, inputs: &Inputs) -> Result<String, String> {
    let outcome = outcome(imported, inputs)?;
    Ok(imported.policy.tiers[outcome.tier].label["en"].clone())
}
