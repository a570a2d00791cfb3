//! A simulation's numbers as comma-separated values, for other tools. What is not told is empty.

use super::{ChangeKind, Errors, Rate, Simulation, view};
use ::csv::{Error, Writer};
use std::io;

/// Rows as text.
fn write(rows: Vec<Vec<String>>) -> Result<String, Error> {
    let mut writer = Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(row)?;
    }
    let bytes = writer.into_inner().map_err(|error| error.into_error())?;
    String::from_utf8(bytes).map_err(|error| io::Error::other(error).into())
}

fn header(columns: &[&str]) -> Vec<Vec<String>> {
    vec![columns.iter().map(|column| (*column).to_owned()).collect()]
}

fn cell(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// Families by group and answer; all families have the column `all`.
///
/// # Errors
/// If the lines cannot be written.
pub fn tiers_csv(simulation: &Simulation) -> Result<String, Error> {
    let mut rows = header(&["column", "group", "tier", "families"]);
    let answers = &simulation.policy.answers;
    for (answer, count) in answers.iter().zip(&simulation.counts) {
        rows.push(vec!["all".into(), String::new(), answer.id.clone(), count.to_string()]);
    }
    for grouping in &simulation.groupings {
        for group in &grouping.groups {
            for (answer, count) in answers.iter().zip(&group.counts) {
                let (column, name) = (grouping.column.clone(), group.group.clone());
                rows.push(vec![column, name, answer.id.clone(), cell(*count)]);
            }
        }
    }
    write(rows)
}

/// Families by answer of the first and answer of the other policy.
///
/// # Errors
/// If the lines cannot be written.
pub fn flows_csv(simulation: &Simulation) -> Result<String, Error> {
    let mut rows = header(&["from", "to", "families"]);
    if let Some(flow) = &simulation.flow {
        for (from, line) in simulation.policy.answers.iter().zip(&flow.matrix) {
            for (to, count) in flow.to.answers.iter().zip(line) {
                rows.push(vec![from.id.clone(), to.id.clone(), cell(*count)]);
            }
        }
    }
    write(rows)
}

/// Families that move to the other policy, by group.
///
/// # Errors
/// If the lines cannot be written.
pub fn moves_csv(simulation: &Simulation) -> Result<String, Error> {
    let mut rows = header(&["column", "group", "families", "changed", "gained", "lost"]);
    if let Some(flow) = &simulation.flow {
        let all = (&"all".to_owned(), &String::new(), Some(simulation.families), &flow.moves);
        let groups = flow.groups.iter().map(|g| (&g.column, &g.group, g.families, &g.moves));
        for (column, group, families, moves) in std::iter::once(all).chain(groups) {
            let mut row = vec![column.clone(), group.clone(), cell(families)];
            row.extend([moves.changed, moves.gained, moves.lost].map(cell));
            rows.push(row);
        }
    }
    write(rows)
}

/// Both errors, overall and by group.
///
/// # Errors
/// If the lines cannot be written.
pub fn bias_csv(simulation: &Simulation) -> Result<String, Error> {
    let mut rows = header(&[
        "column",
        "group",
        "error",
        "families",
        "of",
        "share",
        "low",
        "high",
        "times_best",
    ]);
    let mut add = |column: &str, group: &str, errors: &Errors, ratios: [Option<f64>; 2]| {
        let both = [("exclusion", errors.exclusion), ("inclusion", errors.inclusion)];
        for ((error, rate), ratio) in both.into_iter().zip(ratios) {
            let mut row = vec![column.to_owned(), group.to_owned(), error.to_owned()];
            row.extend([cell(rate.map(|r| r.families)), cell(rate.map(|r| r.of))]);
            let parts: [fn(Rate) -> f64; 3] = [|r| r.share, |r| r.low, |r| r.high];
            row.extend(parts.map(|part| decimal(rate.map(part))));
            row.push(decimal(ratio));
            rows.push(row);
        }
    };
    if let Some(bias) = &simulation.bias {
        add("all", "", &bias.overall, [None, None]);
        for group in &bias.groups {
            let ratios = [group.exclusion_ratio, group.inclusion_ratio];
            add(&group.column, &group.group, &group.errors, ratios);
        }
    }
    write(rows)
}

/// What happens without registers and when families say no.
///
/// # Errors
/// If the lines cannot be written.
pub fn gaps_csv(simulation: &Simulation) -> Result<String, Error> {
    let mut rows = header(&["missing", "changed", "gained", "lost", "exclusion", "inclusion"]);
    for gap in &simulation.gaps {
        let mut row = vec![gap.agencies.join(" ")];
        row.extend([gap.moves.changed, gap.moves.gained, gap.moves.lost].map(cell));
        row.extend(
            [gap.errors.exclusion, gap.errors.inclusion].map(|r| decimal(r.map(|r| r.share))),
        );
        rows.push(row);
    }
    if let Some(no) = &simulation.opt_outs {
        let mut row = vec![format!("opt-out {}", no.rate), no.opted_out.to_string()];
        row.extend([cell(no.forgone.map(|_| 0)), cell(no.forgone)]);
        row.extend([no.errors.exclusion, no.errors.inclusion].map(|r| decimal(r.map(|r| r.share))));
        rows.push(row);
    }
    write(rows)
}

/// Every change of the policy.
///
/// # Errors
/// If the lines cannot be written.
pub fn sensitivity_csv(simulation: &Simulation) -> Result<String, Error> {
    let mut rows =
        header(&["kind", "place", "from", "to", "changed", "up", "down", "gained", "lost"]);
    for change in simulation.sensitivity.iter().flat_map(|found| &found.changes) {
        let kind: ChangeKind = change.kind;
        let mut row = vec![view::kind(kind).to_owned(), change.place.clone()];
        row.extend([change.from.clone(), change.to.clone()]);
        row.extend([change.changed, change.up, change.down].map(|count| count.to_string()));
        row.extend([cell(change.gained), cell(change.lost)]);
        rows.push(row);
    }
    write(rows)
}

/// Six digits after the point are more than the families can tell.
fn decimal(value: Option<f64>) -> String {
    value.map(|value| format!("{value:.6}")).unwrap_or_default()
}
