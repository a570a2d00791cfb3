//! A population of twelve families, counted by hand.

use crate::{Found, Inputs, Population, SimulateError, Task, read, simulate};
use blindtier_policy::Policy;
use blindtier_report::{Errors, Moves};
use std::path::Path;

const POLICY: &str = r#"blindtier = "1"
name = "before"
tiers = ["none", "basic", "full"]
agencies = { tax = {}, land = {} }
indicators.income = { agency = "tax", aggregate = "sum", per = "persons", bands = [{ level = "low", below = 10 }, { level = "high", from = 10 }], missing = "high" }
indicators.home = { agency = "land", levels = ["owned", "rented"], missing = "owned" }
opt_out = { result = "neutral" }
[scores.need]
points.income = { low = 20, high = 0 }
points.home = { owned = 0, rented = 10 }
[cuts.support]
score = "need"
classes = ["none", "basic", "full"]
at = [10, 25]
[tier]
from = "support"
"#;

/// Persons, income, home, region, need; the answers stand behind: score, tier before, tier after.
const FAMILIES: [(u32, &str, &str, &str, &str); 12] = [
    (1, "5", "rented", "east", "yes"),  // 30 full, full
    (1, "5", "rented", "east", "yes"),  // 30 full, full
    (2, "15", "owned", "east", "yes"),  // 7.5 a head: 20 basic, full
    (2, "30", "rented", "east", "yes"), // 15 a head: 10 basic, none
    (6, "120", "owned", "east", "yes"), // 20 a head: 0 none, none
    (5, "120", "owned", "east", "no"),  // 24 a head: 0 none, none
    (1, "50", "rented", "west", "no"),  // 10 basic, none
    (1, "50", "rented", "west", "no"),  // 10 basic, none
    (1, "50", "owned", "west", "no"),   // 0 none, none
    (1, "9", "owned", "west", "no"),    // 20 basic, full
    (1, "", "", "west", "yes"),         // nobody knows it: 0 none, none
    (1, "", "rented", "west", ""),      // 10 basic, none
];

/// Full from 20 on, and nothing below.
fn after() -> String {
    POLICY.replace("\"before\"", "\"after\"").replace("[10, 25]", "[19, 20]")
}

fn parse(text: &str) -> Policy {
    Policy::parse("p.toml", text).unwrap_or_else(|errors| panic!("{:#?}", errors.errors()))
}

fn write(folder: &Path) {
    let mut tax = "family,person,income\n".to_owned();
    let mut land = "id,persons,home\n".to_owned();
    let mut families = "family,region,persons,need\n".to_owned();
    for (i, (persons, income, home, region, need)) in FAMILIES.iter().enumerate() {
        let id = format!("f{}", i + 1);
        families.push_str(&format!("{id},{region},{persons},{need}\n"));
        if !income.is_empty() {
            tax.push_str(&format!("{id},p1,{income}\n"));
        }
        if !home.is_empty() {
            land.push_str(&format!("{id},{persons},{home}\n"));
        }
    }
    for (name, text) in [("tax", tax), ("land", land), ("families", families)] {
        std::fs::write(folder.join(format!("{name}.csv")), text).unwrap();
    }
}

fn population(policies: Vec<&Policy>) -> Population {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let inputs = Inputs { policies, data: folder.path(), families: None, by: None, need: None };
    read(&inputs, &mut |_| ()).unwrap()
}

fn task<'a>(policy: &'a Policy, supported: &'a [String]) -> Task<'a> {
    Task {
        policy,
        against: None,
        supported: Some(supported),
        supported_against: Some(supported),
        without: &[],
        opt_out_rate: 0.0,
        seed: 1,
        minimum_cell: 0,
        sensitivity: false,
        threads: 2,
    }
}

fn supported() -> Vec<String> {
    vec!["basic".into(), "full".into()]
}

fn group<'f>(found: &'f Found, column: &str, group: &str) -> &'f blindtier_report::GroupCounts {
    let grouping = found.groupings.iter().find(|grouping| grouping.column == column).unwrap();
    grouping.groups.iter().find(|known| known.group == group).unwrap()
}

fn fractions(errors: &Errors) -> [Option<(u64, u64)>; 2] {
    [errors.exclusion, errors.inclusion].map(|rate| rate.map(|rate| (rate.families, rate.of)))
}

#[test]
fn tiers_by_group_are_those_counted_by_hand() {
    let policy = parse(POLICY);
    let found = simulate(&population(vec![&policy]), &task(&policy, &supported())).unwrap();
    assert_eq!((found.families, found.counts.clone()), (12, vec![4, 6, 2]));
    // Income and home: four combinations.
    assert_eq!(found.combinations, 4);
    assert_eq!(group(&found, "region", "east").counts, [Some(2), Some(2), Some(2)]);
    assert_eq!(group(&found, "region", "west").counts, [Some(2), Some(4), Some(0)]);
    let sizes = &found.groupings[1];
    let names: Vec<&str> = sizes.groups.iter().map(|group| group.group.as_str()).collect();
    assert_eq!((sizes.column.as_str(), names), ("persons", vec!["1", "2", "5+"]));
    assert_eq!(group(&found, "persons", "5+").families, Some(2));
}

#[test]
fn flows_are_those_counted_by_hand_and_every_line_adds_up() {
    let (before, after) = (parse(POLICY), parse(&after()));
    let (supported, full) = (supported(), vec!["full".to_owned()]);
    let task =
        Task { against: Some(&after), supported_against: Some(&full), ..task(&before, &supported) };
    let found = simulate(&population(vec![&before, &after]), &task).unwrap();
    let flow = found.flow.unwrap();
    let full = |line: [u64; 3]| line.map(Some).to_vec();
    assert_eq!(flow.matrix, [full([4, 0, 0]), full([4, 0, 2]), full([0, 0, 2])]);
    for (line, count) in flow.matrix.iter().zip(&found.counts) {
        assert_eq!(line.iter().flatten().sum::<u64>(), *count);
    }
    assert_eq!(flow.to_counts, [8, 0, 4]);
    assert_eq!(flow.moves, Moves { changed: Some(6), gained: Some(0), lost: Some(4) });
    let east = &flow.groups[0];
    assert_eq!((east.column.as_str(), east.group.as_str()), ("region", "east"));
    assert_eq!(east.moves, Moves { changed: Some(2), gained: Some(0), lost: Some(1) });
}

#[test]
fn errors_are_those_counted_by_hand() {
    let policy = parse(POLICY);
    let supported = supported();
    let found = simulate(&population(vec![&policy]), &task(&policy, &supported)).unwrap();
    let bias = found.bias.unwrap();
    assert_eq!((bias.need.as_str(), bias.unknown), ("need", 1));
    // Six need support: four get it. Of the seven supported whose need is known three do not need it.
    assert_eq!(fractions(&bias.overall), [Some((2, 6)), Some((3, 7))]);
    let of = |group: &str| bias.groups.iter().find(|known| known.group == group).unwrap();
    assert_eq!(fractions(&of("east").errors), [Some((1, 5)), Some((0, 4))]);
    assert_eq!(fractions(&of("west").errors), [Some((1, 1)), Some((3, 3))]);
    assert_eq!((of("east").exclusion_ratio, of("west").exclusion_ratio), (Some(1.0), Some(5.0)));
    // The best group makes no inclusion error, so there is no ratio to it.
    assert_eq!(of("west").inclusion_ratio, None);
}

#[test]
fn a_register_that_knows_nobody_and_families_that_say_no_do_what_was_counted_by_hand() {
    let policy = parse(POLICY);
    let supported = supported();
    let without = ["tax".to_owned(), "land".to_owned()];
    let task = Task { without: &without, opt_out_rate: 1.0, ..task(&policy, &supported) };
    let found = simulate(&population(vec![&policy]), &task).unwrap();
    let [tax, land, both] = found.gaps.as_slice() else { panic!("{:?}", found.gaps) };
    // Without incomes the two in full support fall to basic, and the two with low incomes and a home of their own to none.
    assert_eq!((tax.agencies.clone(), tax.counts.clone()), (vec!["tax".into()], vec![6, 6, 0]));
    assert_eq!(tax.moves, Moves { changed: Some(4), gained: Some(0), lost: Some(2) });
    assert_eq!(fractions(&tax.errors), [Some((3, 6)), Some((2, 5))]);
    // Without homes those with a low income stay basic.
    assert_eq!(land.counts, [8, 4, 0]);
    assert_eq!(land.moves, Moves { changed: Some(6), gained: Some(0), lost: Some(4) });
    assert_eq!((both.agencies.len(), both.counts.clone()), (2, vec![12, 0, 0]));
    assert_eq!(fractions(&both.errors), [Some((6, 6)), None]);
    let no = found.opt_outs.unwrap();
    assert_eq!((no.opted_out, no.forgone, no.counts), (12, Some(8), vec![0, 0, 0]));
    assert_eq!(fractions(&no.errors), [Some((6, 6)), None]);
}

#[test]
fn opt_outs_follow_the_seed_and_about_the_rate() {
    let policy = parse(POLICY);
    let supported = supported();
    let population = population(vec![&policy]);
    let opted_out = |seed: u64| {
        let task = Task { opt_out_rate: 0.25, seed, ..task(&policy, &supported) };
        simulate(&population, &task).unwrap().opt_outs.unwrap().opted_out
    };
    assert_eq!(opted_out(7), opted_out(7));
    let all: u64 = (0..400).map(opted_out).sum();
    // 4,800 draws of a quarter: 1,200 on average, with a standard deviation of 30.
    assert!(all.abs_diff(1200) < 150, "{all}");
}

#[test]
fn sensitivity_of_a_cut_is_the_one_counted_by_hand() {
    let policy = parse(POLICY);
    let supported = supported();
    let task = Task { sensitivity: true, ..task(&policy, &supported) };
    let found = simulate(&population(vec![&policy]), &task).unwrap();
    let changes = found.sensitivity.unwrap().changes;
    let change = |place: &str, to: &str| {
        changes.iter().find(|change| change.place == place && change.to == to).unwrap()
    };
    // The range is 30 wide and a twentieth of it 1, so a cut is only moved by 1: from 11 on the four with 10 points get
    // nothing.
    let cut = change("support: basic from", "11");
    assert_eq!((cut.changed, cut.up, cut.down), (4, 0, 4));
    assert_eq!((cut.gained, cut.lost), (Some(0), Some(4)));
    assert_eq!(change("support: basic from", "9").changed, 0);
    // A tenth of 20 points moves nobody over a cut; 9 points for a rented home take those four below 10.
    assert_eq!(change("income: low", "22").changed, 0);
    assert_eq!(change("home: rented", "9").lost, Some(4));
    // A cut has two neighbours, so no change makes one pass the other.
    assert_eq!(changes.len(), 2 * 2 + 2 * 4);
}

#[test]
fn small_groups_are_not_told_and_do_not_follow() {
    let policy = parse(POLICY);
    let supported = supported();
    let task = Task { minimum_cell: 3, ..task(&policy, &supported) };
    let found = simulate(&population(vec![&policy]), &task).unwrap();
    for grouping in &found.groupings {
        for group in &grouping.groups {
            assert!(group.families.is_none_or(|families| families >= 3));
            assert!(group.counts.iter().flatten().all(|count| *count == 0 || *count >= 3));
            let told = group.counts.iter().chain([&group.families]);
            assert_ne!(told.filter(|count| count.is_none()).count(), 1, "{group:?}");
        }
    }
    let bias = found.bias.unwrap();
    assert!(bias.groups.iter().all(|group| group.errors.exclusion.is_none()), "{bias:?}");
    assert_eq!(fractions(&bias.overall)[0], Some((2, 6)), "totals are told");
}

#[test]
fn threads_do_not_change_the_figures() {
    let (before, after) = (parse(POLICY), parse(&after()));
    let supported = supported();
    let population = population(vec![&before, &after]);
    let figures = |threads: usize| {
        let task = Task {
            against: Some(&after),
            opt_out_rate: 0.5,
            sensitivity: true,
            threads,
            ..task(&before, &supported)
        };
        format!("{:?}", simulate(&population, &task).unwrap())
    };
    assert_eq!(figures(1), figures(3));
}

#[test]
fn what_cannot_be_simulated_says_why() {
    let policy = parse(POLICY);
    let population = population(vec![&policy]);
    let supported = supported();
    let refuse = |task: Task<'_>| simulate(&population, &task).unwrap_err().to_string();
    let unknown = ["gold".to_owned()];
    assert_eq!(
        refuse(task(&policy, &unknown)),
        "policy `before` has no tier `gold`; it has none, basic, full"
    );
    assert_eq!(
        refuse(Task { without: &unknown, ..task(&policy, &supported) }),
        "policy `before` has no agency `gold`; it has tax, land"
    );
    assert!(
        refuse(Task { opt_out_rate: 1.5, ..task(&policy, &supported) }).contains("from 0 to 1")
    );
    let closed = parse(&POLICY.replace("neutral", "not-offered"));
    let refused = refuse(Task { opt_out_rate: 0.5, ..task(&closed, &supported) });
    assert!(refused.contains("offers no opt-out"), "{refused}");

    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let read = |by: &[String], need: Option<&str>| {
        let inputs = Inputs {
            policies: vec![&policy],
            data: folder.path(),
            families: None,
            by: Some(by),
            need,
        };
        read(&inputs, &mut |_| ()).map(|_| ()).unwrap_err()
    };
    let colour = ["colour".to_owned()];
    assert!(
        matches!(read(&colour, None), SimulateError::NoColumn { column, .. } if column == "colour")
    );
    let refused = read(&[], Some("region"));
    assert!(matches!(refused, SimulateError::Need { line: 2, .. }), "{refused}");
    std::fs::remove_file(folder.path().join("families.csv")).unwrap();
    assert!(matches!(read(&colour, None), SimulateError::NoFamiliesFile { .. }));
}
