//! A simulation for the terminal.

use super::{Simulation, view};
use crate::units::{Unit, count};

/// Changes of the policy that a terminal shows.
const CHANGES: usize = 12;

/// The whole simulation as text, a table a topic.
pub fn text(simulation: &Simulation) -> String {
    let [reading, deciding] = simulation.seconds;
    let mut parts = vec![
        format!(
            "{} ({}): {} families of {} with {} different combinations of values; read in {}, simulated in {}",
            simulation.policy.name,
            simulation.policy.hash,
            count(simulation.families),
            simulation.data,
            count(simulation.combinations),
            Unit::Seconds.show(reading),
            Unit::Seconds.show(deciding),
        ),
        view::answers(simulation).to_string(),
    ];
    for grouping in &simulation.groupings {
        parts.push(view::grouping(simulation, grouping).to_string());
    }
    if let Some(flow) = &simulation.flow {
        parts.push(format!("against {} ({}):", flow.to.name, flow.to.hash));
        parts.push(view::matrix(simulation, flow).to_string());
        parts.push(view::moves(simulation, flow).to_string());
    }
    if let Some(bias) = &simulation.bias {
        parts.push(format!("errors against column `{}`:", bias.need));
        parts.push(view::errors(bias).to_string());
    }
    if !simulation.gaps.is_empty() {
        parts.push("registers that know nobody, and families that say no:".into());
        parts.push(view::gaps(simulation).to_string());
    }
    if let Some(sensitivity) = &simulation.sensitivity {
        let shown = view::largest(sensitivity, CHANGES);
        parts.push(format!(
            "the {} of {} single changes that move most families:",
            shown.len(),
            sensitivity.changes.len()
        ));
        parts.push(view::changes(simulation, shown).to_string());
    }
    if simulation.minimum_cell > 1 {
        parts.push(hidden(simulation));
    }
    parts.extend(simulation.notes.iter().cloned());
    parts.join("\n")
}

/// What is said of cells that are not told.
pub(super) fn hidden(simulation: &Simulation) -> String {
    format!(
        "{} stands for counts of families in groups below {}, for counts from which these would follow, and for shares of nothing.",
        view::NONE,
        simulation.minimum_cell
    )
}
