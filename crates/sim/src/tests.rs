//! What simulated registers owe the shipped policies, and one that uses everything the language has.

use crate::{Gaps, SimError, distribute, populate, synthesize};
use blindtier_policy::{
    Binding, Domain, Facts, Family, Indicator, Policy, Term, Variable, read_families,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use tempfile::{TempDir, tempdir};

/// Shared columns, several columns, decimals, wide integers, derived points, two terms on one indicator.
const EVERYTHING: &str = r#"blindtier = "1"
name = "everything"
tiers = ["low", "middle", "high"]
agencies = { tax = {}, land = {}, health = {} }
[indicators.earned]
agency = "tax"
columns = ["wage", "pension"]
aggregate = "sum"
integer = { min = -1000, max = 1000000, unit = "tenge", missing = 0 }
[indicators.other]
agency = "tax"
aggregate = "max"
integer = { min = 0, max = 500000, unit = "tenge", missing = 0 }
[indicators.household]
agency = "land"
aggregate = "count"
matches = ["here", "no"]
integer = { min = 0, max = 20, unit = "persons", missing = 1 }
[indicators.arrears]
agency = "tax"
aggregate = "count"
per = "adults"
bands = [{ level = "none", below = 0.001 }, { level = "some", from = 0.001, below = 1 }, { level = "all", from = 1 }]
missing = "none"
[indicators.late]
agency = "tax"
column = "arrears"
aggregate = "any"
missing = "no"
[indicators.cold]
agency = "land"
aggregate = "min"
bands = [{ level = "frost", below = -5 }, { level = "cold", from = -5, below = 0.5 }, { level = "warm", from = 0.5 }]
missing = "warm"
[indicators.home]
agency = "land"
levels = ["owned", "rented", "none"]
categories = { owned = ["own", "owned"] }
missing = "none"
[indicators.care]
agency = "health"
levels = ["light", "heavy", "full"]
aggregate = "min"
missing = "light"
[indicators.work]
agency = "health"
levels = ["light", "heavy", "full"]
aggregate = "max"
missing = "light"
[indicators.insured]
agency = "health"
aggregate = "all"
missing = "yes"
[concepts.load]
inputs = ["care", "work"]
classes = ["small", "large"]
rules = [{ when = { care = "full" }, then = "large" }, { when = { work = "full", care = "heavy" }, then = "large" }, { then = "small" }]
[scores.need]
decimals = 1
weights.earned = 0.8
weights.other = 1
points.home = { owned = 0.1, rented = 7, none = 12.5 }
points.load = { small = 0, large = -333.3 }
points.care = { light = 0, heavy = 2, full = 3 }
points.arrears = { none = 0, some = 1, all = 2 }
points.cold = { frost = 3.3, cold = 0, warm = -1.1 }
[cuts.c]
score = "need"
classes = ["low", "middle", "high"]
at = [100, 50000.5]
[scores.small]
points.c = { low = 0, middle = 1, high = 2 }
points.insured = { no = 0, yes = 5 }
points.late = { no = 0, yes = 3 }
weights.household = 10
[cuts.d]
score = "small"
classes = ["low", "middle", "high"]
at = [11, 40]
[tier]
from = "d"
"#;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn parse(name: &str, text: &str) -> Policy {
    Policy::parse(name, text).unwrap_or_else(|errors| panic!("{:#?}", errors.errors()))
}

fn shipped() -> Vec<Policy> {
    let mut files: Vec<_> = std::fs::read_dir(root().join("policies"))
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() >= 4);
    files
        .iter()
        .map(|file| parse(&file.display().to_string(), &std::fs::read_to_string(file).unwrap()))
        .collect()
}

fn everything() -> Policy {
    parse("everything.toml", EVERYTHING)
}

fn made(policy: &Policy, families: u64, seed: u64) -> TempDir {
    let folder = tempdir().unwrap();
    synthesize(policy, families, seed, folder.path()).unwrap();
    folder
}

fn families(policy: &Policy, data: &Path) -> Vec<Family> {
    read_families(policy, data).unwrap().collect::<Result<_, _>>().unwrap()
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap())
        .map(|file| (file.file_name().into_string().unwrap(), std::fs::read(file.path()).unwrap()))
        .collect()
}

/// All sums of a score whose terms are points of indicators, or `None`.
fn sums(policy: &Policy, score: usize) -> Option<BTreeSet<i64>> {
    let score = &policy.scores[score];
    let mut sums = BTreeSet::from([score.constant]);
    for term in &score.terms {
        let Term::Points { variable: Variable::Indicator(_), points } = term else { return None };
        sums = sums.iter().flat_map(|sum| points.iter().map(move |p| sum + p)).collect();
    }
    Some(sums)
}

#[test]
fn shipped_policies_get_every_level_every_threshold_and_every_tier() {
    for policy in shipped() {
        let folder = made(&policy, 200, 7);
        let families = families(&policy, folder.path());
        assert_eq!(families.len(), 200);
        for (i, indicator) in policy.indicators.iter().enumerate() {
            let (min, max) = indicator.range();
            for level in min..=max {
                let reached = families.iter().any(|family| family.values[i] == level);
                assert!(reached, "{}: {} = {level}", policy.name, indicator.id);
            }
        }
        let outcomes: Vec<_> =
            families.iter().map(|family| policy.decide(&family.values).unwrap()).collect();
        for tier in 0..policy.tiers.len() {
            assert!(outcomes.iter().any(|o| o.tier == tier), "{}: tier {tier}", policy.name);
        }
        for cut in &policy.cuts {
            let sums = sums(&policy, cut.score).unwrap();
            let found: BTreeSet<i64> = outcomes.iter().map(|o| o.scores[cut.score]).collect();
            for &at in &cut.at {
                let nearest = [sums.range(..at).next_back(), sums.range(at..).next()];
                let exact = [at - 1, at, at + 1].into_iter().filter(|sum| sums.contains(sum));
                for sum in nearest.into_iter().flatten().copied().chain(exact) {
                    assert!(found.contains(&sum), "{}: {} at {at}: {sum}", policy.name, cut.id);
                }
            }
        }
    }
}

#[test]
fn derived_points_wide_integers_and_shared_columns_are_mastered() {
    let policy = everything();
    let folder = made(&policy, 200, 1);
    let families = families(&policy, folder.path());
    let found: BTreeSet<i64> =
        families.iter().map(|f| policy.decide(&f.values).unwrap().scores[0]).collect();
    // Every tenth is in reach: earned in eight tenths, other in ten, home in 1, 70 and 125.
    for at in [1000, 500_005] {
        assert!([at - 1, at, at + 1].iter().all(|sum| found.contains(sum)), "{at}");
    }
    let found: BTreeSet<i64> =
        families.iter().map(|f| policy.decide(&f.values).unwrap().scores[1]).collect();
    for sum in [10, 11, 12, 39, 40] {
        assert!(found.contains(&sum), "{sum}: {found:?}");
    }
    for (i, Indicator { id, domain, .. }) in policy.indicators.iter().enumerate() {
        if let Domain::Levels { levels, .. } = domain {
            let reached: BTreeSet<i64> = families.iter().map(|family| family.values[i]).collect();
            assert_eq!(reached.len(), levels.len(), "{id}");
        }
    }
}

#[test]
fn few_families_lie_on_thresholds_in_several_classes() {
    let policy = shipped().into_iter().find(|policy| policy.name == "eight-indicators").unwrap();
    let folder = made(&policy, 4, 3);
    let scores: Vec<i64> = families(&policy, folder.path())
        .iter()
        .map(|family| policy.decide(&family.values).unwrap().scores[0])
        .collect();
    assert_eq!(scores, [0, 3, 6, 10]);
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_leaves_nothing_else() {
    for policy in shipped().into_iter().chain([everything()]) {
        let [a, b, c] = [(60, 5), (60, 5), (60, 6)].map(|(n, seed)| made(&policy, n, seed));
        assert_eq!(files(a.path()), files(b.path()));
        assert_ne!(files(a.path()), files(c.path()));
        let used: BTreeSet<String> = policy
            .indicators
            .iter()
            .map(|indicator| format!("{}.csv", policy.agencies[indicator.agency].id))
            .collect();
        assert!(files(a.path()).into_keys().eq(used));
        assert!(families(&policy, made(&policy, 0, 0).path()).is_empty());
    }
}

#[test]
fn about_one_pair_in_twenty_is_missing_after_the_first_ten_families() {
    for policy in shipped() {
        let folder = made(&policy, 600, 2);
        let mut missing = 0;
        let tables = files(folder.path());
        for text in tables.values() {
            let text = std::str::from_utf8(text).unwrap();
            let known: BTreeSet<u32> = text
                .lines()
                .skip(1)
                .map(|line| line.split(',').next().unwrap()[1..].parse().unwrap())
                .collect();
            assert!((1..=10).all(|family| known.contains(&family)), "{}", policy.name);
            missing += 600 - known.len();
        }
        let pairs = 590 * tables.len();
        assert!((pairs / 40..pairs / 12).contains(&missing), "{}: {missing}", policy.name);
    }
}

/// What a round makes of distributed files: facts from the population, values from each register by itself.
fn through_a_round(policy: &Policy, folder: &Path) -> Vec<Vec<i64>> {
    let read = |path: PathBuf| {
        let mut reader = csv::Reader::from_path(path).unwrap();
        let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
        let rows: Vec<Vec<String>> =
            reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
        (header, rows)
    };
    let (header, population) = read(folder.join("population.csv"));
    assert_eq!(header, ["person", "family", "adult", "letter_key"]);
    let mut order: Vec<&str> = Vec::new();
    let mut owner: HashMap<&str, usize> = HashMap::new();
    let mut facts: Vec<Facts> = Vec::new();
    for row in &population {
        let slot = order.iter().rposition(|family| *family == row[1]).unwrap_or_else(|| {
            order.push(&row[1]);
            facts.push(Facts::default());
            assert_eq!(row[3], format!("key-{}", row[1]));
            order.len() - 1
        });
        assert!(owner.insert(&row[0], slot).is_none(), "person {} twice", row[0]);
        facts[slot].persons += 1;
        facts[slot].adults += u32::from(row[2] == "yes");
    }
    let mut values = vec![policy.missing_values(); order.len()];
    for (agency, known) in policy.agencies.iter().enumerate() {
        let (header, rows) = read(folder.join(&known.id).join("register.csv"));
        assert_eq!(header[0], "person");
        let binding = Binding::new(policy, Some(agency), &known.id, &header).unwrap();
        let mut families = vec![binding.accumulator(); order.len()];
        let mut seen = BTreeSet::new();
        for row in &rows {
            assert!(seen.insert(&row[0]));
            let family = &mut families[owner[row[0].as_str()]];
            binding.add(family, 2, |column| row.get(column).map(String::as_str)).unwrap();
        }
        for ((family, facts), values) in families.iter().zip(&facts).zip(&mut values) {
            for (i, value) in binding.indicators().zip(binding.finish(family, *facts).unwrap()) {
                values[i] = value;
            }
        }
    }
    values
}

/// Distributes, and holds a round against the data.
fn agrees(policy: &Policy, data: &Path, sample: Option<(u64, u64)>) -> Vec<Family> {
    let output = tempdir().unwrap();
    let distributed = distribute(policy, data, sample, Gaps::none(), output.path()).unwrap();
    let keys: Vec<String> =
        distributed.families.iter().map(|family| format!("key-{}", family.id)).collect();
    assert!(distributed.write_population(output.path(), &keys[1..]).is_err());
    distributed.write_population(output.path(), &keys).unwrap();
    let round = through_a_round(policy, output.path());
    assert!(distributed.families.iter().map(|family| &family.values).eq(&round), "{}", policy.name);
    distributed.families
}

/// All agencies' files of a folder as one, one row a person.
fn merged(policy: &Policy, folder: &Path, to: &Path) {
    let mut people: BTreeMap<(u32, String), BTreeMap<String, String>> = BTreeMap::new();
    let mut columns: BTreeSet<String> = BTreeSet::new();
    for agency in &policy.agencies {
        let Ok(mut reader) = csv::Reader::from_path(folder.join(format!("{}.csv", agency.id)))
        else {
            continue;
        };
        let header = reader.headers().unwrap().clone();
        columns.extend(header.iter().map(str::to_owned));
        for row in reader.records().map(Result::unwrap) {
            let person =
                people.entry((row[0][1..].parse().unwrap(), row[1].to_owned())).or_default();
            for (column, cell) in header.iter().zip(&row) {
                person.insert(column.to_owned(), cell.to_owned());
            }
        }
    }
    let mut writer = csv::Writer::from_path(to).unwrap();
    writer.write_record(&columns).unwrap();
    for cells in people.values() {
        let cell = |column| cells.get(column).map_or("", String::as_str);
        writer.write_record(columns.iter().map(cell)).unwrap();
    }
    writer.flush().unwrap();
}

#[test]
fn a_round_agrees_with_folders_and_with_single_files() {
    for policy in shipped().into_iter().chain([everything()]) {
        let folder = made(&policy, 150, 9);
        let all = agrees(&policy, folder.path(), None);
        assert_eq!(all, families(&policy, folder.path()));

        let single = folder.path().join("single.csv");
        merged(&policy, folder.path(), &single);
        let mut by_person = agrees(&policy, &single, None);
        assert_eq!(by_person, families(&policy, &single));
        by_person.sort_by(|a, b| a.id.cmp(&b.id));
        let mut sorted = all.clone();
        sorted.sort_by(|a, b| a.id.cmp(&b.id));
        assert_eq!(by_person, sorted);

        let some = agrees(&policy, folder.path(), Some((20, 4)));
        assert_eq!(some.len(), 20);
        assert_eq!(some, agrees(&policy, folder.path(), Some((20, 4))));
        assert_ne!(some, agrees(&policy, folder.path(), Some((20, 5))));
        let mut rest = all.iter();
        assert!(some.iter().all(|family| rest.any(|known| known == family)), "out of order");
        assert_eq!(agrees(&policy, folder.path(), Some((u64::MAX, 4))), all);
    }
}

#[test]
fn a_round_agrees_with_the_nursery_file() {
    let policy = shipped().into_iter().find(|policy| policy.name == "nursery").unwrap();
    let data = root().join("data/nursery.csv");
    assert_eq!(agrees(&policy, &data, None), families(&policy, &data));
    let some = agrees(&policy, &data, Some((50, 1)));
    assert!(some.len() == 50 && some[0].id.parse::<u32>().unwrap() < 3000);
}

#[test]
fn one_row_a_family_becomes_as_many_persons_as_it_says() {
    let policy = everything();
    let folder = tempdir().unwrap();
    let file = folder.path().join("families.csv");
    let header =
        "id,persons,adults,wage,pension,other,household,arrears,cold,home,care,work,insured";
    let write = |rows: &str| std::fs::write(&file, format!("{header}\n{rows}\n")).unwrap();
    // One of two adults is in arrears; of one adult that would be all. Without adults it is missing.
    write(
        "x,3,2,5,1,2,here,yes,-7,own,full,light,no\ny,1,1,,,,,yes,,,,,\nz,1,0,,,,,yes,,,,,\nw,,,,,,,,,,,,",
    );
    let read = agrees(&policy, &file, None);
    assert_eq!(read.iter().map(|family| family.values[3]).collect::<Vec<_>>(), [1, 2, 0, 0]);

    let fails =
        || distribute(&policy, &file, None, Gaps::none(), &folder.path().join("out")).unwrap_err();
    write("x,2,2,,,,,,,,,,\nx,2,2,,,,,,,,,,");
    assert!(matches!(fails(), SimError::RepeatedFamily { line: 3, .. }));
    write("x,1,2,,,,,yes,,,,,");
    // Two adults but one person: no list of persons has them, and arrears would be those of all instead of some.
    assert!(matches!(fails(), SimError::Facts { read: 1, round: 2, .. }), "{}", fails());
    write("x,70000,2,,,,,yes,,,,,");
    assert!(matches!(fails(), SimError::TooManyPersons { persons: 70000, .. }));
    write("x,1,1,rich,,,,,,,,,");
    assert!(fails().to_string().contains("line 2, column `wage+pension`"));
    std::fs::write(&file, format!("{header}\n")).unwrap();
    assert!(matches!(fails(), SimError::NoFamily { .. }));
    assert!(!folder.path().join("out").exists(), "nothing is written before all is checked");
}

#[test]
fn a_folder_may_mix_rows_of_families_and_of_persons() {
    let policy = everything();
    let folder = tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    // Persons are numbered anew in each family; the second family is larger than its rows.
    write(
        "tax.csv",
        "family,person,adult,wage,pension,other,arrears\na,1,1,5,,,yes\na,2,yes,7,1,3,no\nb,1,0,,,,yes\n",
    );
    write("land.csv", "id,persons,adults,household,cold,home\nb,4,2,here,-7,own\nc,,,,3,rented\n");
    write("health.csv", "family,person,care,work,insured\na,3,full,light,no\na,1,light,full,yes\n");
    let read = agrees(&policy, folder.path(), None);
    let arrears: Vec<(&str, i64)> =
        read.iter().map(|family| (family.id.as_str(), family.values[3])).collect();
    assert_eq!(arrears, [("a", 1), ("b", 1), ("c", 0)]);
}

#[test]
fn columns_that_say_whom_a_row_is_about_are_not_free() {
    let folder = tempdir().unwrap();
    for (column, distributed) in [("person", false), ("adult", true), ("family", true)] {
        let policy = parse(
            "taken.toml",
            &EVERYTHING
                .replace("columns = [\"wage\", \"pension\"]", &format!("column = \"{column}\"")),
        );
        let error = synthesize(&policy, 1, 0, folder.path()).unwrap_err();
        assert!(error.to_string().contains(&format!("agency `tax` reads a column `{column}`")));
        let error =
            distribute(&policy, folder.path(), None, Gaps::none(), folder.path()).unwrap_err();
        assert_eq!(!matches!(error, SimError::ReservedColumn { .. }), distributed);
    }
}

#[test]
fn populating_writes_what_synthesizing_and_distributing_would() {
    for policy in shipped() {
        let data = made(&policy, 60, 5);
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        let distributed = distribute(&policy, data.path(), None, Gaps::none(), &one).unwrap();
        let keys: Vec<String> = (0..60).map(|n| format!("key-{n}")).collect();
        let listed = distributed.write_population(&one, &keys).unwrap();
        let mut values = Vec::new();
        let population = other.join("population.csv");
        populate(&policy, &keys, 5, Gaps::none(), &other, &population, |_, family| {
            values.push(family.to_vec());
            Ok::<_, SimError>(())
        })
        .unwrap();
        assert_eq!(distributed.families.len(), values.len());
        let number = |id: &str| id.trim_start_matches('f').parse::<usize>().unwrap();
        for family in &distributed.families {
            // A data set lists families in the order in which the agencies' files name them.
            assert_eq!(family.values, values[number(&family.id) - 1], "{}", family.id);
        }
        let sorted = |file: &Path| {
            let text = std::fs::read_to_string(file).unwrap();
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        for agency in &policy.agencies {
            let file = |root: &Path| root.join(&agency.id).join("register.csv");
            assert_eq!(sorted(&file(&one)), sorted(&file(&other)), "{}", agency.id);
        }
        let members = |file: &Path| -> Vec<String> {
            let whole = |line: String| line.rsplit_once(',').unwrap().0.to_owned();
            sorted(file).into_iter().map(whole).collect()
        };
        assert_eq!(members(&listed), members(&other.join("population.csv")));
    }
}

#[test]
fn gaps_take_families_out_of_registers_and_their_values_are_missing_then() {
    for policy in shipped() {
        let data = made(&policy, 200, 3);
        let output = tempdir().unwrap();
        let gaps = || Gaps::new(20, 9);
        let whole = agrees(&policy, data.path(), None);
        let thinned = distribute(&policy, data.path(), None, gaps(), output.path()).unwrap();
        let keys: Vec<String> = whole.iter().map(|family| format!("key-{}", family.id)).collect();
        thinned.write_population(output.path(), &keys).unwrap();
        let values: Vec<_> = thinned.families.iter().map(|f| f.values.clone()).collect();
        assert_eq!(values, through_a_round(&policy, output.path()), "{}", policy.name);
        let missing = policy.missing_values();
        let own = |agency: usize, values: &[i64]| -> Vec<i64> {
            let own = policy.indicators.iter().zip(values);
            own.filter(|(i, _)| i.agency == agency).map(|(_, value)| *value).collect()
        };
        let (mut changed, mut pairs) = (0, 0);
        for (before, after) in whole.iter().zip(&thinned.families) {
            assert_eq!(before.id, after.id);
            for agency in 0..policy.agencies.len() {
                let [before, after, missing] =
                    [&before.values, &after.values, &missing].map(|values| own(agency, values));
                assert!(after == before || after == missing);
                pairs += usize::from(before != missing);
                changed += usize::from(before != missing && after == missing);
            }
        }
        assert!(changed * 10 > pairs && changed * 10 < pairs * 3, "{changed} of {pairs}");

        let (again, keys) = (tempdir().unwrap(), vec!["key".to_owned(); 50]);
        let mut seen = Vec::new();
        let population = again.path().join("population.csv");
        populate(&policy, &keys, 3, gaps(), again.path(), &population, |id, family| {
            seen.push((id.to_owned(), family.to_vec()));
            Ok::<_, SimError>(())
        })
        .unwrap();
        assert_eq!(seen.len(), 50);
        assert_eq!(seen[49].0, "f50");
    }
}

#[test]
fn families_whose_tier_cannot_be_decided_are_made_too() {
    let text = EVERYTHING.replace("missing = \"none\"", "missing = \"undecided\"");
    let policy = parse("undecided.toml", &text);
    assert!(policy.indicators.iter().any(Indicator::is_required));
    let data = made(&policy, 80, 4);
    let families = agrees(&policy, data.path(), None);
    let undecided = families.iter().filter(|f| !policy.unknown(&f.values).is_empty()).count();
    assert!(undecided > 0 && undecided < families.len(), "{undecided}");
}
