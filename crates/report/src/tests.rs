mod fixture;
mod simulation;

use crate::units::Unit;
use crate::{Report, html, rows_csv, scaling_csv, table};
use fixture::sample;

/// Elements that have no end.
const VOID: [&str; 1] = ["meta"];

/// Fails unless every element ends in the order in which they began, with quoted attributes; gives back all names.
fn elements(page: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut open: Vec<&str> = Vec::new();
    let mut rest = page.strip_prefix("<!DOCTYPE html>").expect("a doctype");
    while let Some((text, after)) = rest.split_once('<') {
        assert!(open.last() == Some(&"style") || !text.contains('>'), "a bare > in {text:?}");
        let (tag, after) = after.split_once('>').expect("an end of the tag");
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
            continue;
        }
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric()), "{name}");
        assert!(attributes.matches('"').count().is_multiple_of(2), "{tag}");
        names.push(name.to_owned());
        if !VOID.contains(&name) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
    assert_eq!(rest, "");
    names
}

#[test]
fn a_page_is_well_formed_and_loads_nothing() {
    let page = html(&sample());
    let names = elements(&page);
    for loading in ["script", "link", "img", "iframe", "object", "embed", "base", "image", "use"] {
        assert!(!names.iter().any(|name| name == loading), "{loading}");
    }
    for loading in [" src=", " href=", "url(", "@import", " on"] {
        assert!(!page.contains(&format!("<a{loading}")));
    }
    for loading in [" src=", "href=", "url(", "@import", "http://", "https://"] {
        assert!(!page.contains(loading), "{loading}");
    }
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn what_data_says_is_text() {
    let page = html(&sample());
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(!page.contains("<script"));
}

#[test]
fn page_and_table_have_every_row_and_every_agreement() {
    let report = sample();
    let comparison = report.comparison.as_ref().unwrap();
    let (page, terminal) = (html(&report), table(&report));
    for shown in [&page, &terminal] {
        for row in &comparison.rows {
            assert!(shown.contains(&row.id), "{}", row.id);
        }
        for text in ["2000/2000", "20/20", "WRONG 3 of 2000", "WRONG 1 of 64"] {
            assert!(shown.contains(text), "{text}");
        }
        for failed in &comparison.failed {
            assert!(shown.contains(&failed.id) && shown.contains(&failed.reason));
        }
        assert!(shown.contains("NOT met") && shown.contains(">met<") | shown.contains(" met "));
        assert!(shown.contains("another trust model") && shown.contains("no protection"));
        assert!(shown.contains("the plan needs 12 lookups"));
        assert!(!shown.contains("NaN") && !shown.contains("inf"));
    }
}

#[test]
fn rows_are_sorted_by_time() {
    let terminal = table(&sample());
    let at = |id: &str| terminal.find(&format!("│ {id} ")).unwrap();
    let order = ["clear", "bfv-folded", "spdz", "tfhe-folded", "wrong-peer", "tfhe-naive"];
    assert!(order.windows(2).all(|pair| at(pair[0]) < at(pair[1])));
}

#[test]
fn every_chart_has_a_name_and_its_numbers() {
    let report = sample();
    let names = elements(&html(&report));
    let count = |name: &str| names.iter().filter(|n| *n == name).count();
    assert_eq!(count("figure"), 3 + 2 * report.scaling.len());
    assert_eq!(count("desc"), count("figure"));
    assert_eq!(count("details"), count("figure") + report.scaling.len());
}

#[test]
fn places_on_charts_are_numbers_also_where_values_have_no_logarithm() {
    let mut report = sample();
    let comparison = report.comparison.as_mut().unwrap();
    for row in &mut comparison.rows {
        row.about.setup_seconds = 0.0;
        row.seconds_per_family = crate::Spread::of(vec![0.0]);
        row.encrypt_seconds_per_family = crate::Spread::of(Vec::new());
    }
    for point in report.scaling.iter_mut().flat_map(|s| &mut s.series).flat_map(|s| &mut s.points) {
        point.seconds = 0.0;
    }
    let page = html(&report);
    elements(&page);
    assert!(!page.contains("NaN") && !page.contains("inf"));
}

#[test]
fn csv_is_read_back() {
    let report = sample();
    let runs: usize = report.comparison.iter().flat_map(|c| &c.rows).map(|r| r.runs.len()).sum();
    let text = rows_csv(&report).unwrap();
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    assert_eq!(reader.headers().unwrap().iter().next(), Some("id"));
    assert_eq!(reader.records().map(Result::unwrap).count(), runs);
    assert!(text.contains("tfhe-folded,folded,1,0,1000,1000,"));

    let series = || report.scaling.iter().flat_map(|sweep| &sweep.series);
    let text = scaling_csv(&report).unwrap();
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    let width = reader.headers().unwrap().len();
    let lines: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(lines.len(), series().map(|s| s.points.len()).sum::<usize>());
    assert!(lines.iter().all(|line| line.len() == width));
    let refused = lines.iter().find(|line| !line[width - 1].is_empty()).unwrap();
    assert_eq!(&refused[4], "");
}

#[test]
fn an_empty_report_is_shown() {
    let report = Report { comparison: None, scaling: Vec::new(), ..sample() };
    elements(&html(&report));
    assert_eq!(table(&report), "");
    assert_eq!(rows_csv(&report).unwrap().lines().count(), 1);
    assert_eq!(scaling_csv(&report).unwrap().lines().count(), 1);
}

#[test]
fn json_is_read_back() {
    let report = sample();
    let text = serde_json::to_string_pretty(&report).unwrap();
    // Short numbers, as the sample's: of others serde_json without `float_roundtrip` may lose the last bit.
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
}

#[test]
fn numbers_have_three_digits_and_a_unit() {
    let cases = [
        (Unit::Seconds, 0.0, "0 s"),
        (Unit::Seconds, 1.0, "1.00 s"),
        (Unit::Seconds, 0.9999, "1.00 s"),
        (Unit::Seconds, 0.0206, "20.6 ms"),
        (Unit::Seconds, 1e-3, "1.00 ms"),
        (Unit::Seconds, 4.56e-5, "45.6 µs"),
        (Unit::Seconds, 3e-8, "30.0 ns"),
        (Unit::Seconds, 5e-11, "0.0500 ns"),
        (Unit::Seconds, 12_345.0, "12,300 s"),
        (Unit::Seconds, f64::NAN, "—"),
        (Unit::Bytes, 999.0, "999 B"),
        (Unit::Bytes, 300_911_015.0, "301 MB"),
        (Unit::Bytes, 8.0, "8 B"),
        (Unit::Count, 35.24, "35.2"),
        (Unit::Count, 12_960.0, "12,960"),
        (Unit::Count, 0.5, "0.500"),
    ];
    for (unit, value, text) in cases {
        assert_eq!(unit.show(value), text);
    }
    assert_eq!(Unit::Seconds.mark(1e-2), "10 ms");
    assert_eq!(Unit::Seconds.mark(1e2), "100 s");
    assert_eq!(Unit::Count.mark(12_960.0), "12,960");
    assert_eq!(Unit::Count.mark(0.5), "0.5");
    assert_eq!(Unit::Bytes.mark(100.0), "100 B");
    assert_eq!(Unit::Seconds.show_spread(0.0206, 0.0191, 0.022), "20.6 ms (19.1–22.0)");
    assert_eq!(Unit::Seconds.show_spread(0.0206, 9e-4, 1.2), "20.6 ms (0.900–1,200)");
    assert_eq!(Unit::Seconds.show_spread(2.0, 2.0, 2.0), "2.00 s");
}

/// `BLINDTIER_REPORT_SAMPLE=DIR cargo test -p blindtier-report` leaves the sample there, to be looked at.
#[test]
fn a_sample_to_look_at() {
    if let Some(folder) = std::env::var_os("BLINDTIER_REPORT_SAMPLE") {
        let folder = std::path::Path::new(&folder);
        std::fs::write(folder.join("sample.html"), html(&sample())).unwrap();
        std::fs::write(folder.join("sample.txt"), table(&sample())).unwrap();
        let page = crate::simulation_page(&simulation::sample());
        std::fs::write(folder.join("simulation.html"), page).unwrap();
    }
}
