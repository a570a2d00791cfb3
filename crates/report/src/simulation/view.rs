//! What of a simulation is shown, the same in a terminal and on a page.

use super::{
    Bias, Change, ChangeKind, Errors, Flow, Gap, Grouping, Moves, OptOuts, Rate, Sensitivity,
    Simulation,
};
use crate::grid::{Column, Grid};
use crate::units::{count, float, percent};

/// Shown where something is not told, or there is nothing.
pub(super) const NONE: &str = "—";

/// Answers of all families.
pub(super) fn answers(simulation: &Simulation) -> Grid {
    let mut columns =
        vec![Column::text("tier"), Column::number("families"), Column::number("share")];
    if simulation.policy.support_known {
        columns.push(Column::text("support"));
    }
    let mut grid = Grid::new(columns);
    for (answer, families) in simulation.policy.answers.iter().zip(&simulation.counts) {
        let mut line = vec![
            answer.label.clone(),
            count(*families),
            percent(share(*families, simulation.families)),
        ];
        if simulation.policy.support_known {
            line.push(if answer.supported { "yes" } else { "no" }.into());
        }
        grid.push(line);
    }
    grid
}

/// Answers by the groups of one column.
pub(super) fn grouping(simulation: &Simulation, grouping: &Grouping) -> Grid {
    let mut columns = vec![Column::text(name(&grouping.column)), Column::number("families")];
    columns.extend(simulation.policy.answers.iter().map(|answer| Column::number(&answer.label)));
    let mut grid = Grid::new(columns);
    for group in &grouping.groups {
        let mut line = vec![group.group.clone(), told(group.families)];
        line.extend(group.counts.iter().map(|cell| match (cell, group.families) {
            (Some(cell), Some(families)) => {
                format!("{} ({})", count(*cell), percent(share(*cell, families)))
            }
            (cell, _) => told(*cell),
        }));
        grid.push(line);
    }
    grid
}

/// From each answer of the first policy to each of the other.
pub(super) fn matrix(simulation: &Simulation, flow: &Flow) -> Grid {
    let mut columns =
        vec![Column::text(format!("{} ↓ {} →", simulation.policy.name, flow.to.name))];
    columns.extend(flow.to.answers.iter().map(|answer| Column::number(&answer.label)));
    columns.push(Column::number("together"));
    let mut grid = Grid::new(columns);
    let lines = simulation.policy.answers.iter().zip(&flow.matrix).zip(&simulation.counts);
    for ((answer, cells), together) in lines {
        let mut line = vec![answer.label.clone()];
        line.extend(cells.iter().map(|cell| told(*cell)));
        line.push(count(*together));
        grid.push(line);
    }
    let mut line = vec!["together".to_owned()];
    line.extend(flow.to_counts.iter().map(|families| count(*families)));
    line.push(count(simulation.families));
    grid.push(line);
    grid
}

/// Who gains and loses, overall and by group.
pub(super) fn moves(simulation: &Simulation, flow: &Flow) -> Grid {
    let mut grid = Grid::new([
        Column::text("group"),
        Column::text("of"),
        Column::number("families"),
        Column::number("another tier"),
        Column::number("gain support"),
        Column::number("lose support"),
    ]);
    let line = |moves: &Moves, families: Option<u64>| {
        [moves.changed, moves.gained, moves.lost].map(|cell| part(cell, families))
    };
    let mut all = vec!["all families".into(), String::new(), count(simulation.families)];
    all.extend(line(&flow.moves, Some(simulation.families)));
    grid.push(all);
    for group in &flow.groups {
        let mut cells = vec![group.group.clone(), name(&group.column), told(group.families)];
        cells.extend(line(&group.moves, group.families));
        grid.push(cells);
    }
    grid
}

/// Errors overall and by group.
pub(super) fn errors(bias: &Bias) -> Grid {
    let mut grid = Grid::new([
        Column::text("group"),
        Column::text("of"),
        Column::number("excluded of\nthose in need"),
        Column::number("exclusion error\n(95 % interval)"),
        Column::number("times the\nbest group"),
        Column::number("without need of\nthe supported"),
        Column::number("inclusion error\n(95 % interval)"),
        Column::number("times the\nbest group"),
    ]);
    let line = |group: &str, column: String, errors: &Errors, ratios: [Option<f64>; 2]| {
        let [exclusion, inclusion] = [errors.exclusion, errors.inclusion]
            .map(|rate| (rate.map_or(NONE.into(), |r| of(&r)), interval(rate)));
        let ratios = ratios.map(|ratio| ratio.map_or(NONE.into(), |ratio| format!("{ratio:.2}")));
        let [first, second] = ratios;
        vec![
            group.to_owned(),
            column,
            exclusion.0,
            exclusion.1,
            first,
            inclusion.0,
            inclusion.1,
            second,
        ]
    };
    grid.push(line("all families", String::new(), &bias.overall, [None, None]));
    for group in &bias.groups {
        let ratios = [group.exclusion_ratio, group.inclusion_ratio];
        grid.push(line(&group.group, name(&group.column), &group.errors, ratios));
    }
    grid
}

/// What happens when registers know nobody, and when families say no.
pub(super) fn gaps(simulation: &Simulation) -> Grid {
    let mut grid = Grid::new([
        Column::text("what is missing"),
        Column::number("another tier"),
        Column::number("gain support"),
        Column::number("lose support"),
        Column::number("exclusion error"),
        Column::number("inclusion error"),
    ]);
    let share_of = |rate: Option<Rate>| rate.map_or(NONE.into(), |rate| percent(rate.share));
    let mut line = |what: String, moves: Moves, errors: Errors| {
        let mut cells = vec![what];
        let all = Some(simulation.families);
        cells.extend([moves.changed, moves.gained, moves.lost].map(|cell| part(cell, all)));
        cells.extend([share_of(errors.exclusion), share_of(errors.inclusion)]);
        grid.push(cells);
    };
    let known = simulation.policy.support_known.then_some(0);
    let nothing = Moves { changed: Some(0), gained: known, lost: known };
    line(
        "nothing".into(),
        nothing,
        simulation.bias.as_ref().map(|b| b.overall).unwrap_or_default(),
    );
    for gap in &simulation.gaps {
        line(agencies(gap), gap.moves, gap.errors);
    }
    if let Some(no) = &simulation.opt_outs {
        let moves = Moves { changed: Some(no.opted_out), gained: known, lost: no.forgone };
        line(says_no(no), moves, no.errors);
    }
    grid
}

/// The changes that move most families, at most so many.
pub(super) fn largest(sensitivity: &Sensitivity, most: usize) -> Vec<&Change> {
    let mut changes: Vec<&Change> = sensitivity.changes.iter().collect();
    changes.sort_by_key(|change| std::cmp::Reverse(change.changed));
    changes.truncate(most);
    changes
}

/// Changes and what they do.
pub(super) fn changes<'a>(
    simulation: &Simulation,
    changes: impl IntoIterator<Item = &'a Change>,
) -> Grid {
    let mut grid = Grid::new([
        Column::text("what is changed"),
        Column::text("kind"),
        Column::number("from"),
        Column::number("to"),
        Column::number("another tier"),
        Column::number("higher"),
        Column::number("lower"),
        Column::number("gain support"),
        Column::number("lose support"),
    ]);
    for change in changes {
        grid.push(vec![
            change.place.clone(),
            kind(change.kind).into(),
            change.from.clone(),
            change.to.clone(),
            part(Some(change.changed), Some(simulation.families)),
            count(change.up),
            count(change.down),
            told(change.gained),
            told(change.lost),
        ]);
    }
    grid
}

pub(super) fn agencies(gap: &Gap) -> String {
    gap.agencies.join(", ")
}

pub(super) fn says_no(no: &OptOuts) -> String {
    format!("{} of families say no", percent(no.rate))
}

pub(super) fn kind(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Cut => "cut",
        ChangeKind::Points => "points",
        ChangeKind::Weight => "weight",
    }
}

/// A column's name for people.
pub(super) fn name(column: &str) -> String {
    match column {
        "head_sex" => "sex of the head".into(),
        "persons" => "persons in the family".into(),
        other => other.replace('_', " "),
    }
}

pub(super) fn share(part: u64, all: u64) -> f64 {
    float(part) / float(all.max(1))
}

pub(super) fn told(cell: Option<u64>) -> String {
    cell.map_or(NONE.into(), count)
}

/// A count with its share.
fn part(cell: Option<u64>, families: Option<u64>) -> String {
    match (cell, families) {
        (Some(cell), Some(families)) => {
            format!("{} ({})", count(cell), percent(share(cell, families)))
        }
        (cell, _) => told(cell),
    }
}

fn of(rate: &Rate) -> String {
    format!("{} of {}", count(rate.families), count(rate.of))
}

fn interval(rate: Option<Rate>) -> String {
    rate.map_or(NONE.into(), |rate| {
        format!("{} ({}–{})", percent(rate.share), percent(rate.low), percent(rate.high))
    })
}
