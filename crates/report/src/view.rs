//! What of a report is shown, the same in a terminal and on a page: which tables, which columns, which words.

use crate::comparison::{
    Circuit, Comparison, Fit, Goal, Kind, Point, Ratio, Row, Series, Spread, Sweep,
};
use crate::grid::{Column, Grid};
use crate::units::{Unit, count, float};

/// Shown where there is nothing to measure or nobody tells.
const NONE: &str = "—";

/// The tables of a comparison, its rows from fastest to slowest.
pub(crate) struct View<'a> {
    rows: Vec<&'a Row>,
    notes: Vec<&'a str>,
}

impl<'a> View<'a> {
    pub(crate) fn of(comparison: &'a Comparison) -> Self {
        let mut rows: Vec<&Row> = comparison.rows.iter().collect();
        let time = |row: &Row| row.seconds_per_family.median;
        rows.sort_by(|a, b| time(a).total_cmp(&time(b)));
        let mut notes: Vec<&str> = Vec::new();
        for note in rows.iter().flat_map(|row| &row.about.notes) {
            if !notes.contains(&note.as_str()) {
                notes.push(note);
            }
        }
        Self { rows, notes }
    }

    pub(crate) fn rows(&self) -> &[&'a Row] {
        &self.rows
    }

    /// What rows say of themselves, to be numbered from 1; several may say the same.
    pub(crate) fn notes(&self) -> &[&'a str] {
        &self.notes
    }

    pub(crate) fn times(&self) -> Grid {
        let columns = [
            Column::text("approach"),
            Column::text("whose"),
            Column::text("circuit"),
            Column::number("time a family"),
            Column::number("time a slot"),
            Column::text("operations"),
            Column::number("over bare\noperations"),
            Column::number("families\nrun"),
            Column::number("agree with\nthe clear twin"),
        ];
        self.grid(columns.into(), |row| {
            let slot = &row.seconds_per_slot;
            vec![
                kind(row.about.kind).into(),
                circuit(row.about.circuit).into(),
                time(&row.seconds_per_family),
                if *slot == row.seconds_per_family {
                    "the same".into()
                } else {
                    Unit::Seconds.show(slot.median)
                },
                operations(row),
                row.over_floor.as_ref().map_or(NONE.into(), |over| spread(Unit::Count, over)),
                count(row.families_run),
                agreement(row.disagree, row.families_run),
            ]
        })
    }

    pub(crate) fn costs(&self) -> Grid {
        let columns = [
            Column::text("approach"),
            Column::number("setup,\nonce"),
            Column::number("encryption\na family"),
            Column::number("opening\na family"),
            Column::number("evaluation\nkey"),
            Column::number("upload\na family"),
            Column::number("result\na family"),
            Column::number("memory"),
        ];
        let bytes = |size: Option<f64>| size.map_or(NONE.into(), |size| Unit::Bytes.show(size));
        self.grid(columns.into(), |row| {
            let about = &row.about;
            vec![
                Unit::Seconds.show(about.setup_seconds),
                time(&row.encrypt_seconds_per_family),
                time(&row.open_seconds_per_family),
                bytes(about.key_bytes.map(float)),
                bytes(about.upload_bytes_per_family),
                bytes(about.result_bytes_per_family),
                bytes(row.peak_memory_bytes.map(float)),
            ]
        })
    }

    pub(crate) fn promises(&self) -> Grid {
        let columns = [
            Column::text("approach"),
            Column::text("name"),
            Column::text("version"),
            Column::text("trust model"),
            Column::number("rounds"),
            Column::number("a wrong tier"),
            Column::number("security"),
            Column::text("parameters"),
        ];
        self.grid(columns.into(), |row| {
            let about = &row.about;
            let trust = match about.kind {
                Kind::Clear => format!("no protection: {}", about.trust_model),
                Kind::OtherTrustModel => format!("another trust model: {}", about.trust_model),
                _ => about.trust_model.clone(),
            };
            vec![
                about.name.clone(),
                about.version.clone(),
                trust,
                about.rounds.map_or(NONE.into(), count),
                about.failure_log2.map_or("none".into(), |log2| format!("2^{log2:.1}")),
                about.security_bits.map_or(NONE.into(), |bits| format!("{bits} bits")),
                about.parameters.clone(),
            ]
        })
    }

    fn grid(&self, columns: Vec<Column>, cells: impl Fn(&Row) -> Vec<String>) -> Grid {
        let mut grid = Grid::new(columns);
        for row in &self.rows {
            let mut line = vec![self.marked(row)];
            line.extend(cells(row));
            grid.push_as(class(row), line);
        }
        grid
    }

    /// The row's name with the numbers of its notes.
    fn marked(&self, row: &Row) -> String {
        let notes = &row.about.notes;
        let numbers =
            self.notes.iter().zip(1..).filter(|(note, _)| notes.iter().any(|n| n == *note));
        let marks: Vec<String> = numbers.map(|(_, number)| format!("[{number}]")).collect();
        if marks.is_empty() { row.id.clone() } else { format!("{} {}", row.id, marks.concat()) }
    }
}

/// The goals and whether the runs reached them.
pub(crate) fn ratios(ratios: &[Ratio]) -> Grid {
    let mut grid = Grid::new([
        Column::text("ratio of times a family"),
        Column::text("slower"),
        Column::text("faster"),
        Column::number("times as long"),
        Column::number("goal"),
        Column::text("median against goal"),
    ]);
    for ratio in ratios {
        let median = ratio.times.median;
        let (goal, met) = match ratio.goal {
            None => (NONE.into(), None),
            Some(Goal::AtLeast(goal)) => {
                (format!("at least {}", Unit::Count.mark(goal)), Some(median >= goal))
            }
            Some(Goal::AtMost(goal)) => {
                (format!("at most {}", Unit::Count.mark(goal)), Some(median <= goal))
            }
        };
        let verdict = met.map_or("", |met| if met { "met" } else { "NOT met" });
        grid.push_as(
            if met == Some(false) { "wrong" } else { "" },
            vec![
                ratio.what.clone(),
                ratio.slower.clone(),
                ratio.faster.clone(),
                spread(Unit::Count, &ratio.times),
                goal,
                verdict.into(),
            ],
        );
    }
    grid
}

/// Every point of a sweep.
pub(crate) fn points(sweep: &Sweep) -> Grid {
    let mut grid = Grid::new([
        Column::text("approach"),
        Column::number(quantity(sweep)),
        Column::number("families\nrun"),
        Column::number("evaluation"),
        Column::number("time a family"),
        Column::number("lookups a family or\nmultiplications a chunk"),
        Column::number("upload\na family"),
        Column::number("evaluation\nkey"),
        Column::text("agree with the clear twin"),
    ]);
    for series in &sweep.series {
        for point in &series.points {
            let mut line =
                vec![series.id.clone(), Unit::Count.mark(point.x), count(point.families)];
            if point.refused.is_some() {
                line.extend(vec![NONE.into(); 5]);
                line.push("refused".into());
            } else {
                line.extend([
                    Unit::Seconds.show(point.seconds),
                    Unit::Seconds.show(a_family(point)),
                    count(point.operations),
                    Unit::Bytes.show(point.upload_bytes_per_family),
                    Unit::Bytes.show(float(point.key_bytes)),
                    agreement(point.disagree, point.families),
                ]);
            }
            grid.push_as(if point.disagree > 0 { "wrong" } else { "" }, line);
        }
    }
    grid
}

/// Which approach refused which point, and why.
pub(crate) fn refusals(sweep: &Sweep) -> Vec<(&str, String)> {
    let reasons = |series: &Series| {
        let refused = series.points.iter().filter_map(|p| Some((p.x, p.refused.as_ref()?)));
        refused.map(|(x, reason)| format!("{}: {reason}", Unit::Count.mark(x))).collect::<Vec<_>>()
    };
    let all = sweep.series.iter();
    all.flat_map(|s| reasons(s).into_iter().map(|reason| (s.id.as_str(), reason))).collect()
}

/// What grows in a sweep, for people.
pub(crate) fn quantity(sweep: &Sweep) -> String {
    match sweep.quantity.as_str() {
        "families" => "families".into(),
        "indicators" => "indicators of the policy".into(),
        "levels" => "levels an indicator".into(),
        "score_width" => "width of the score".into(),
        "tiers" => "tiers of the policy".into(),
        "cores" => "cores".into(),
        other => other.replace('_', " "),
    }
}

/// A law with its factor divided, as it is read aloud: `1.20 ms · indicators^1.02, R² 0.998`.
pub(crate) fn law(fit: &Fit, divisor: f64) -> String {
    let factor = Unit::Seconds.show(fit.factor / divisor);
    format!("{factor} · {}^{:.2}, R² {:.3}", fit.basis, fit.exponent, fit.r_squared)
}

/// Seconds of evaluation a family.
pub(crate) fn a_family(point: &Point) -> f64 {
    point.seconds / float(point.families.max(1))
}

/// Right answers of all, or in capitals how many are wrong.
pub(crate) fn agreement(wrong: u64, all: u64) -> String {
    match wrong {
        0 => format!("{all}/{all}"),
        _ => format!("WRONG {wrong} of {all}"),
    }
}

pub(crate) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Clear => "no protection, in the clear",
        Kind::Naive => "tfhe as its tutorial shows it",
        Kind::Blindtier => "blindtier",
        Kind::Peer => "another system",
        Kind::OtherTrustModel => "another system, another trust model",
    }
}

/// Rows that promise something else are set apart.
fn class(row: &Row) -> &'static str {
    let aside = matches!(row.about.kind, Kind::Clear | Kind::OtherTrustModel);
    match (row.disagree > 0, aside) {
        (true, true) => "wrong aside",
        (true, false) => "wrong",
        (false, true) => "aside",
        (false, false) => "",
    }
}

fn circuit(circuit: Circuit) -> &'static str {
    match circuit {
        Circuit::AsWritten => "as written",
        Circuit::PerIndicator => "per indicator",
        Circuit::Folded => "folded",
    }
}

fn operations(row: &Row) -> String {
    let lookups = row.about.lookups.map(|number| format!("{} lookups", count(number)));
    let multiplications = row.about.multiplications.map(|number| {
        format!("{} multiplications a chunk of {}", count(number), count(row.about.chunk))
    });
    let all: Vec<String> = [lookups, multiplications].into_iter().flatten().collect();
    if all.is_empty() { NONE.into() } else { all.join(", ") }
}

fn time(seconds: &Spread) -> String {
    spread(Unit::Seconds, seconds)
}

fn spread(unit: Unit, spread: &Spread) -> String {
    unit.show_spread(spread.median, spread.min, spread.max)
}
