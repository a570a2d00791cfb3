//! A report as one page with charts.

use crate::chart::{Axis, Bar, BarChart, Colour, Group, Ink, Line, LineChart};
use crate::comparison::{Comparison, Kind, Point, Report, Row, Series, Spread, Sweep};
use crate::page;
use crate::units::{Unit, count, float};
use crate::view::{self, View};
use maud::{Markup, html};

const KINDS: [Kind; 5] =
    [Kind::Blindtier, Kind::Naive, Kind::Peer, Kind::OtherTrustModel, Kind::Clear];

/// The report as a page of its own: no script, no network, readable on a phone and without seeing the charts.
pub fn html(report: &Report) -> String {
    let title = match &report.comparison {
        Some(found) => format!("{}: every approach side by side", found.policy),
        None => "How the cost of blindtier grows".into(),
    };
    let body = html! {
        (head(report))
        (verdict(report))
        @if let Some(found) = &report.comparison { (compared(found)) }
        @if !report.scaling.is_empty() { (scaling(&report.scaling)) }
    };
    page::page(&title, &body)
}

fn head(report: &Report) -> Markup {
    let machine = &report.machine;
    let memory = Unit::Bytes.show(float(machine.memory_bytes));
    let mut facts = Vec::new();
    if let Some(found) = &report.comparison {
        facts.extend([
            ("Policy", found.policy.clone()),
            ("Hash of the policy", found.policy_hash.clone()),
            ("Families", format!("{}, {}", count(found.families), found.data)),
            ("Runs of each approach, taking turns", found.repetitions.to_string()),
        ]);
    }
    facts.extend([
        ("Machine", format!("{}, {} cores, {memory}", machine.processor, machine.cores)),
        ("System", format!("{}; {}", machine.system, machine.features)),
        ("Threads an approach", report.threads.to_string()),
        ("Command", report.command.clone()),
        ("Date", report.started.clone()),
        ("Version of blindtier", report.version.clone()),
    ]);
    page::facts(&facts)
}

fn verdict(report: &Report) -> Markup {
    if report.all_agree() {
        return html! { p { "Every tier that was computed is the clear twin's." } };
    }
    let rows = report.comparison.iter().flat_map(|found| &found.rows);
    let rows = rows.map(|row| (&row.id, row.disagree, row.families_run));
    let series = report.scaling.iter().flat_map(|sweep| &sweep.series);
    let points = series
        .flat_map(|series| series.points.iter().map(|p| (&series.id, p.disagree, p.families)));
    let wrong = rows.chain(points).filter(|(_, wrong, _)| *wrong > 0);
    html! {
        div.alert role="alert" {
            strong { "Not all tiers are the clear twin's." }
            " Times of an approach that is wrong say nothing."
            ul {
                @for (id, wrong, all) in wrong { li { (id) ": " (view::agreement(wrong, all)) } }
            }
        }
    }
}

fn compared(found: &Comparison) -> Markup {
    let view = View::of(found);
    let rows = view.rows();
    html! {
        h2 { "How to read this" }
        ul {
            li {
                "Every approach decided the same families by the same policy. Its tiers were compared with those of the "
                em { "clear twin" } ", an interpreter that reads the families' values in the clear."
            }
            li {
                "Times are medians over the runs, with the smallest and the largest in brackets and as whiskers. "
                "Slow approaches ran only some of the families; the table says how many."
            }
            li {
                strong { "Over bare operations" } " is the time of evaluation over that of as many bare lookups or "
                "multiplications, measured right afterwards: what is more than 1 goes into everything around them."
            }
            li {
                "Axes are logarithmic: from one mark to the next is a multiple, not a sum, and no bar begins at zero."
            }
            li {
                "Not every row promises the same. " strong { "In the clear" } " protects nobody: it shows what the policy "
                "costs without encryption. " strong { "Another trust model" }
                " means several servers that learn nothing only as long as they do not join what they hold; "
                "with all others one evaluator computes alone and learns nothing. Such rows are outlined "
                "in the charts and set apart in the tables: less time there is not the same thing done faster. "
                "Who could decrypt is in the table of promises."
            }
        }
        h2 { "Charts" }
        div.charts { (evaluation(rows).figure()) (sizes(rows).figure()) (phases(rows).figure()) }
        h2 { "Numbers" }
        h3 { "Time and agreement" }
        (view.times().html("Time and agreement"))
        h3 { "Setup, other phases, bytes" }
        (view.costs().html("Setup, other phases, bytes"))
        h3 { "What each approach promises" }
        (view.promises().html("What each approach promises"))
        @if !found.ratios.is_empty() {
            h2 { "Ratios" }
            p { "How many times as long one approach takes as another, run by run. A goal is met by the median." }
            (view::ratios(&found.ratios).html("Ratios"))
        }
        @if !view.notes().is_empty() {
            h2 { "Notes" }
            ol { @for note in view.notes() { li { (note) } } }
        }
        @if !found.failed.is_empty() {
            h2 { "What did not run" }
            ul { @for failed in &found.failed { li { strong { (failed.id) } ": " (failed.reason) } } }
        }
    }
}

fn evaluation(rows: &[&Row]) -> BarChart {
    let present = KINDS.into_iter().filter(|kind| rows.iter().any(|r| r.about.kind == *kind));
    BarChart {
        title: "Evaluation, time a family".into(),
        description: "Median of the runs; whiskers reach from the smallest to the largest.".into(),
        axis: Axis { label: "time of evaluation a family".into(), unit: Unit::Seconds },
        legend: present.map(|kind| (ink(kind), view::kind(kind).into())).collect(),
        groups: rows
            .iter()
            .map(|row| group(row, vec![timed("", ink(row.about.kind), &row.seconds_per_family)]))
            .collect(),
    }
}

fn phases(rows: &[&Row]) -> BarChart {
    let inks = [Colour::Grey, Colour::Sky, Colour::Blue, Colour::Green].map(Ink::solid);
    let [setup, encrypt, evaluate, open] = inks;
    BarChart {
        title: "Time by phase".into(),
        description: "Setup is paid once (compiling, keys, loading of keys), everything else for every family.".into(),
        axis: Axis { label: "time, setup once, the rest a family".into(), unit: Unit::Seconds },
        legend: Vec::new(),
        groups: rows
            .iter()
            .map(|row| {
                let bars = vec![
                    bar("setup", setup, row.about.setup_seconds),
                    timed("encrypt", encrypt, &row.encrypt_seconds_per_family),
                    timed("evaluate", evaluate, &row.seconds_per_family),
                    timed("open", open, &row.open_seconds_per_family),
                ];
                group(row, bars)
            })
            .collect(),
    }
}

fn sizes(rows: &[&Row]) -> BarChart {
    let inks = [Colour::Grey, Colour::Sky, Colour::Green].map(Ink::solid);
    let [key, upload, result] = inks;
    let groups = rows.iter().map(|row| {
        let bars = [
            ("key", key, row.about.key_bytes.map(float)),
            ("upload", upload, row.about.upload_bytes_per_family),
            ("result", result, row.about.result_bytes_per_family),
        ];
        let known = bars.into_iter().filter_map(|(label, ink, size)| Some(bar(label, ink, size?)));
        group(row, known.collect())
    });
    BarChart {
        title: "Bytes".into(),
        description: "The evaluation key is sent once; upload (of all agencies together) and result are those of one family in a full chunk.".into(),
        axis: Axis { label: "bytes, key once, the rest a family".into(), unit: Unit::Bytes },
        legend: Vec::new(),
        groups: groups.filter(|group| !group.bars.is_empty()).collect(),
    }
}

fn scaling(sweeps: &[Sweep]) -> Markup {
    let mut ids: Vec<&str> = Vec::new();
    for series in sweeps.iter().flat_map(|sweep| &sweep.series) {
        if !ids.contains(&series.id.as_str()) {
            ids.push(&series.id);
        }
    }
    let number = |id: &str| ids.iter().position(|known| *known == id).unwrap_or(0);
    html! {
        h2 { "How cost grows" }
        p {
            "One quantity grows, everything else stays. Dotted lines are laws, factor · quantity^exponent, fitted to the "
            "measured times: an exponent of 1 means that twice the quantity takes twice the time. A cross at the upper edge "
            "is a policy that the approach refused to compute."
        }
        @for sweep in sweeps {
            h3 { "Cost against " (view::quantity(sweep)) }
            p { "Fixed: " (sweep.fixed) }
            div.charts { (growth(sweep, number).figure()) (work(sweep, number).figure()) }
            @for (id, reason) in view::refusals(sweep) {
                p { strong { (id) } " refused " (reason) }
            }
            details {
                summary { "All numbers of this sweep" }
                (view::points(sweep).html(&format!("Cost against {}", view::quantity(sweep))))
            }
        }
    }
}

/// Time of the whole run against families, otherwise a family: approaches run different numbers of families there.
fn growth(sweep: &Sweep, number: impl Fn(&str) -> usize) -> LineChart {
    let whole = sweep.quantity == "families";
    let line = |series: &Series| {
        let families = |families: u64| if whole { 1.0 } else { float(families.max(1)) };
        let first = series.points.first().map_or(1, |point| point.families);
        let same = series.points.iter().all(|point| point.families == first);
        let fit = series.fit.as_ref().filter(|_| whole || same);
        Line {
            label: match fit {
                Some(fit) => format!("{}: {}", series.id, view::law(fit, families(first))),
                None => series.id.clone(),
            },
            number: number(&series.id),
            points: measured(series, |point| point.seconds / families(point.families)),
            refused: refused(series),
            law: fit.map(|fit| (fit.factor / families(first), fit.exponent)),
        }
    };
    let of = if whole { "of all families together" } else { "a family" };
    LineChart {
        title: format!("Evaluation against {}", view::quantity(sweep)),
        description: format!("Time of evaluation {of}. Dotted: the fitted law."),
        x: Axis { label: view::quantity(sweep), unit: Unit::Count },
        y: Axis { label: format!("time of evaluation {of}"), unit: Unit::Seconds },
        lines: sweep.series.iter().map(line).collect(),
    }
}

fn work(sweep: &Sweep, number: impl Fn(&str) -> usize) -> LineChart {
    let line = |series: &Series| Line {
        label: series.id.clone(),
        number: number(&series.id),
        points: measured(series, |point| float(point.operations)),
        refused: refused(series),
        law: None,
    };
    LineChart {
        title: format!("Operations against {}", view::quantity(sweep)),
        description: "Lookups a family (tfhe) or multiplications a chunk (bfv).".into(),
        x: Axis { label: view::quantity(sweep), unit: Unit::Count },
        y: Axis { label: "lookups or multiplications".into(), unit: Unit::Count },
        lines: sweep.series.iter().map(line).collect(),
    }
}

fn measured(series: &Series, y: impl Fn(&Point) -> f64) -> Vec<(f64, f64)> {
    let points = series.points.iter().filter(|point| point.refused.is_none());
    points.map(|point| (point.x, y(point))).collect()
}

fn refused(series: &Series) -> Vec<f64> {
    series.points.iter().filter(|p| p.refused.is_some()).map(|p| p.x).collect()
}

fn group(row: &Row, bars: Vec<Bar>) -> Group {
    let note = match row.about.kind {
        _ if row.disagree > 0 => view::agreement(row.disagree, row.families_run),
        Kind::Clear => "no protection".into(),
        Kind::OtherTrustModel => "another trust model".into(),
        _ => String::new(),
    };
    Group { label: row.id.clone(), note, warning: row.disagree > 0, bars }
}

fn timed(label: &str, ink: Ink, spread: &Spread) -> Bar {
    Bar { range: Some((spread.min, spread.max)), ..bar(label, ink, spread.median) }
}

fn bar(label: &str, ink: Ink, value: f64) -> Bar {
    Bar { label: label.into(), ink, value, range: None }
}

fn ink(kind: Kind) -> Ink {
    match kind {
        Kind::Clear => Ink::hollow(Colour::Grey),
        Kind::Naive => Ink::solid(Colour::Vermillion),
        Kind::Blindtier => Ink::solid(Colour::Blue),
        Kind::Peer => Ink::solid(Colour::Orange),
        Kind::OtherTrustModel => Ink::hollow(Colour::Purple),
    }
}
