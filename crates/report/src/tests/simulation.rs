//! Pages, tables and CSV of a simulation that has everything a simulation can have.

use super::elements;
use crate::{
    AnswerName, Bias, Change, ChangeKind, Decider, Errors, Flow, Gap, GroupCounts, GroupErrors,
    GroupMoves, Grouping, Moves, OptOuts, Rate, SIMULATION_FORMAT, Sensitivity, Simulation,
    bias_csv, flows_csv, gaps_csv, moves_csv, sensitivity_csv, simulation_page, simulation_text,
    tiers_csv,
};

fn decider(name: &str, answers: [(&str, &str, bool); 3]) -> Decider {
    Decider {
        name: name.into(),
        title: format!("The policy {name} <script>alert(1)</script>"),
        hash: "121dbdb61d8443a73a2b862d21a9c0aec42283755c27f30cc79c20b2af8465f0".into(),
        answers: answers
            .map(|(id, label, supported)| AnswerName {
                id: id.into(),
                label: label.into(),
                supported,
            })
            .into(),
        support_known: true,
    }
}

fn rate(families: u64, of: u64) -> Option<Rate> {
    let share = families as f64 / of as f64;
    Some(Rate { families, of, share, low: share * 0.75, high: share * 1.25 })
}

pub(super) fn sample() -> Simulation {
    let moves = Moves { changed: Some(250), gained: Some(150), lost: Some(50) };
    let errors = Errors { exclusion: rate(60, 240), inclusion: rate(25, 200) };
    let group = |column: &str, group: &str, errors: Errors, ratio: Option<f64>| GroupErrors {
        column: column.into(),
        group: group.into(),
        errors,
        exclusion_ratio: ratio,
        inclusion_ratio: ratio,
    };
    let change = |kind, place: &str, up: u64, down: u64| Change {
        kind,
        place: place.into(),
        from: "-458".into(),
        to: "-459".into(),
        changed: up + down,
        up,
        down,
        gained: Some(0),
        lost: Some(down),
    };
    Simulation {
        format: SIMULATION_FORMAT,
        started: "2026-11-25T04:30:00Z".into(),
        command: "blindtier simulate before --data population --against after".into(),
        version: "0.1.0".into(),
        data: "population".into(),
        policy: decider(
            "before",
            [("low", "Low", true), ("middle", "Middle", false), ("undecided", "Undecided", false)],
        ),
        families: 1000,
        combinations: 321,
        minimum_cell: 10,
        counts: vec![200, 700, 100],
        groupings: vec![Grouping {
            column: "head_sex".into(),
            groups: vec![
                GroupCounts {
                    group: "female".into(),
                    families: Some(512),
                    counts: vec![Some(110), Some(402), Some(0)],
                },
                GroupCounts {
                    group: "male".into(),
                    families: Some(488),
                    counts: vec![None, None, Some(100)],
                },
            ],
        }],
        flow: Some(Flow {
            to: decider(
                "after",
                [("low", "Low", true), ("middle", "Middle", false), ("high", "High", false)],
            ),
            to_counts: vec![300, 600, 100],
            matrix: vec![
                vec![Some(150), Some(50), Some(0)],
                vec![Some(100), None, None],
                vec![Some(50), None, None],
            ],
            moves,
            groups: vec![GroupMoves {
                column: "head_sex".into(),
                group: "female".into(),
                families: Some(512),
                moves: Moves { lost: None, ..moves },
            }],
        }),
        sensitivity: Some(Sensitivity {
            changes: vec![
                change(ChangeKind::Cut, "Points: Middle from", 13, 0),
                change(ChangeKind::Points, "Housing: None", 0, 77),
                change(ChangeKind::Weight, "Rent: weight", 0, 0),
            ],
        }),
        bias: Some(Bias {
            need: "need".into(),
            unknown: 3,
            overall: errors,
            groups: vec![
                group("head_sex", "female", errors, Some(1.0)),
                group("head_sex", "male", Errors { exclusion: None, ..errors }, None),
                group("region", "East", errors, Some(1.25)),
            ],
        }),
        gaps: vec![Gap {
            agencies: vec!["tax".into(), "land".into()],
            counts: vec![100, 800, 100],
            moves,
            errors,
        }],
        opt_outs: Some(OptOuts {
            rate: 0.05,
            seed: 1,
            opted_out: 51,
            forgone: Some(11),
            counts: vec![189, 665, 95],
            errors,
        }),
        notes: vec!["A note & what it says".into()],
        seconds: [2.5, 0.75],
    }
}

#[test]
fn a_page_is_well_formed_loads_nothing_and_shows_data_as_text() {
    let page = simulation_page(&sample());
    let names = elements(&page);
    for loading in ["script", "link", "img", "iframe", "object", "embed", "base", "image", "use"] {
        assert!(!names.iter().any(|name| name == loading), "{loading}");
    }
    for loading in [" src=", "href=", "url(", "@import", "http://", "https://", "NaN", "inf "] {
        assert!(!page.contains(loading), "{loading}");
    }
    assert!(
        page.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && page.contains("note &amp; what")
    );
    // Every chart has its table.
    let count = |name: &str| names.iter().filter(|known| *known == name).count();
    assert_eq!(page.matches("The same numbers as a table").count(), count("figure"));
    assert!(count("figure") >= 7, "{}", count("figure"));
}

#[test]
fn bands_add_up_to_blocks_and_say_what_they_mean() {
    let page = simulation_page(&sample());
    // Five cells of the matrix are told, one of them is 0; the legend has a band for each of three meanings.
    assert_eq!(page.matches("class=\"band ").count(), 4 + 3);
    for meaning in ["the same tier", "gains support", "loses support"] {
        assert!(page.contains(meaning), "{meaning}");
    }
    assert!(page.contains("Middle → Low: 100"));
}

#[test]
fn page_and_terminal_show_the_same_numbers() {
    let simulation = sample();
    let (page, terminal) = (simulation_page(&simulation), simulation_text(&simulation));
    for text in [
        "110 (21.5 %)",
        "60 of 240",
        "25 % (18.8 %–31.2 %)",
        "150 (15 %)",
        "tax, land",
        "5 % of families say no",
        "Housing: None",
        "sex of the head",
    ] {
        assert!(page.contains(text), "{text}");
        assert!(terminal.contains(text), "{text}\n{terminal}");
    }
    assert!(terminal.contains("below 10") && terminal.contains("A note & what it says"));
}

#[test]
fn a_simulation_of_the_least_is_shown() {
    let least = Simulation {
        groupings: Vec::new(),
        flow: None,
        sensitivity: None,
        bias: None,
        gaps: Vec::new(),
        opt_outs: None,
        notes: Vec::new(),
        minimum_cell: 0,
        ..sample()
    };
    elements(&simulation_page(&least));
    assert!(!simulation_text(&least).contains("against"));
    for text in [flows_csv(&least), moves_csv(&least), bias_csv(&least), sensitivity_csv(&least)] {
        assert_eq!(text.unwrap().lines().count(), 1);
    }
}

#[test]
fn json_is_read_back_and_csv_has_every_number() {
    let simulation = sample();
    let text = serde_json::to_string(&simulation).unwrap();
    assert_eq!(serde_json::from_str::<Simulation>(&text).unwrap(), simulation);
    let lines = |text: Result<String, csv::Error>| {
        text.unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let tiers = lines(tiers_csv(&simulation));
    assert_eq!((tiers.len(), tiers[1].as_str()), (1 + 3 + 2 * 3, "all,,low,200"));
    assert!(tiers.contains(&"head_sex,male,low,".to_owned()), "{tiers:?}");
    assert_eq!(lines(flows_csv(&simulation)).len(), 10);
    assert_eq!(lines(moves_csv(&simulation))[2], "head_sex,female,512,250,150,");
    let bias = lines(bias_csv(&simulation));
    assert_eq!(bias[1], "all,,exclusion,60,240,0.250000,0.187500,0.312500,");
    assert!(bias.contains(&"head_sex,male,exclusion,,,,,,".to_owned()), "{bias:?}");
    assert_eq!(lines(gaps_csv(&simulation))[2], "opt-out 0.05,51,0,11,0.250000,0.125000");
    assert_eq!(
        lines(sensitivity_csv(&simulation))[2],
        "points,Housing: None,-458,-459,77,0,77,0,77"
    );
}
