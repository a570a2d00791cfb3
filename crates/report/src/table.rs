//! A report for the terminal.

use crate::comparison::{Comparison, Report, Sweep};
use crate::grid::Grid;
use crate::units::count;
use crate::view::{self, View};

/// The whole report as text, a table a topic.
pub fn table(report: &Report) -> String {
    let mut parts = Vec::new();
    if let Some(found) = &report.comparison {
        compared(report, found, &mut parts);
    }
    for sweep in &report.scaling {
        swept(sweep, &mut parts);
    }
    parts.join("\n")
}

fn compared(report: &Report, found: &Comparison, parts: &mut Vec<String>) {
    let machine = &report.machine;
    parts.push(format!(
        "{} ({}): {} families, {}; {} runs an approach, threads: {}, on {}",
        found.policy,
        found.policy_hash,
        count(found.families),
        found.data,
        found.repetitions,
        report.threads,
        machine.processor,
    ));
    let view = View::of(found);
    let mut add = |grid: Grid| {
        if !grid.is_empty() {
            parts.push(grid.to_string());
        }
    };
    add(view.times());
    add(view.costs());
    add(view.promises());
    add(view::ratios(&found.ratios));
    for failed in &found.failed {
        parts.push(format!("{} did not run: {}", failed.id, failed.reason));
    }
    for (note, number) in view.notes().iter().zip(1..) {
        parts.push(format!("[{number}] {note}"));
    }
}

fn swept(sweep: &Sweep, parts: &mut Vec<String>) {
    parts.push(format!("cost against {}; {}", view::quantity(sweep), sweep.fixed));
    parts.push(view::points(sweep).to_string());
    for (id, reason) in view::refusals(sweep) {
        parts.push(format!("{id} refused {reason}"));
    }
    for series in &sweep.series {
        if let Some(fit) = &series.fit {
            parts.push(format!("{}: evaluation takes {}", series.id, view::law(fit, 1.0)));
        }
    }
}
