//! The streamed merge and the join in memory against the reader of `blindtier policy run`.

use crate::{Inputs, Population, SimulateError, read};
use blindtier_policy::{Policy, read_families};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int32Type};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::Path;
use std::sync::Arc;

const POLICY: &str = r#"blindtier = "1"
name = "register"
tiers = ["low", "high"]
agencies = { tax = {}, land = {}, health = {} }
[indicators.income]
agency = "tax"
columns = ["wage", "pension"]
aggregate = "sum"
per = "persons"
bands = [{ level = "none", from = 0, below = 0.25 }, { level = "some", from = 0.25, below = 1 }, { level = "much", from = 1 }]
missing = "none"
[indicators.arrears]
agency = "tax"
aggregate = "count"
per = "adults"
bands = [{ level = "none", below = 0.001 }, { level = "some", from = 0.001, below = 1 }, { level = "all", from = 1 }]
missing = "none"
[indicators.home]
agency = "land"
levels = ["owned", "rented", "none"]
aggregate = "max"
missing = "none"
[indicators.rent]
agency = "land"
aggregate = "sum"
integer = { min = 0, max = 1000, unit = "tenge", missing = "undecided" }
[indicators.insured]
agency = "health"
aggregate = "all"
missing = "yes"
[scores.s]
weights.rent = 1
points.income = { none = 1, some = 2, much = 3 }
points.arrears = { none = 0, some = 1, all = 2 }
points.home = { owned = 0, rented = 1, none = 2 }
points.insured = { no = 0, yes = 1 }
[cuts.c]
score = "s"
classes = ["low", "high"]
at = [50]
[tier]
from = "c"
"#;

fn policy() -> Policy {
    Policy::parse("p.toml", POLICY).unwrap_or_else(|errors| panic!("{:#?}", errors.errors()))
}

/// Rows of the three registers, each list in the order of families.
struct Rows {
    tax: Vec<String>,
    land: Vec<String>,
    health: Vec<String>,
}

fn rows(rng: &mut ChaCha8Rng, families: u32) -> Rows {
    let mut rows = Rows { tax: Vec::new(), land: Vec::new(), health: Vec::new() };
    let yes_no = |rng: &mut ChaCha8Rng| ["yes", "no", "1", "0", ""][rng.random_range(0..5)];
    for family in 1..=families {
        let persons = rng.random_range(1..6);
        for person in 0..persons {
            let id = format!("f{family},p{family}-{person}");
            if rng.random_bool(0.7) {
                let wage = rng.random_range(0..3000);
                let pension = ["", "0.5", "0"][rng.random_range(0..3)];
                let (adult, arrears) = (yes_no(rng), yes_no(rng));
                rows.tax.push(format!("{id},{adult},0.{wage:04},{pension},{arrears}"));
            }
            if rng.random_bool(0.6) {
                let (adult, insured) = (yes_no(rng), yes_no(rng));
                rows.health.push(format!("{id},{adult},{insured}"));
            }
        }
        if rng.random_bool(0.6) {
            let home = ["owned", "rented", "none", ""][rng.random_range(0..4)];
            let stated = if rng.random_bool(0.3) {
                rng.random_range(0..9).to_string()
            } else {
                String::new()
            };
            rows.land.push(format!("f{family},{stated},{home},{}", rng.random_range(0..100)));
        }
    }
    rows
}

fn write(folder: &Path, rows: &Rows) {
    for (name, header, lines) in [
        ("tax", "family,person,adult,wage,pension,arrears", &rows.tax),
        ("land", "id,persons,home,rent", &rows.land),
        ("health", "family,person,adult,insured", &rows.health),
    ] {
        let text = [header.to_owned()].iter().chain(lines).cloned().collect::<Vec<_>>().join("\n");
        std::fs::write(folder.join(format!("{name}.csv")), text + "\n").unwrap();
    }
}

fn streamed(policy: &Policy, data: &Path) -> Result<Population, SimulateError> {
    let inputs = Inputs { policies: vec![policy], data, families: None, by: None, need: None };
    read(&inputs, &mut |_| ())
}

fn values(population: &Population) -> Vec<Vec<i64>> {
    let mut values = Vec::new();
    population
        .of
        .iter()
        .map(|number| {
            population.values(0, crate::population::position(*number), &mut values);
            values.clone()
        })
        .collect()
}

/// Values by family as `blindtier policy run` reads them.
fn known(policy: &Policy, data: &Path) -> Vec<(String, Vec<i64>)> {
    let families = read_families(policy, data).unwrap();
    families.map(|family| family.unwrap()).map(|family| (family.id, family.values)).collect()
}

#[test]
fn registers_in_order_are_merged_to_the_values_of_the_other_reader() {
    let policy = policy();
    for seed in 0..40 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let folder = tempfile::tempdir().unwrap();
        // More than a batch, so that threads have to wait for one another.
        let families = if seed == 0 { 9000 } else { rng.random_range(1..30) };
        write(folder.path(), &rows(&mut rng, families));
        if known(&policy, folder.path()).is_empty() {
            assert!(streamed(&policy, folder.path()).is_err());
            continue;
        }
        let population = streamed(&policy, folder.path()).unwrap();
        assert!(population.notes.is_empty(), "{:?}", population.notes);
        let mut expected = known(&policy, folder.path());
        expected.sort_by_key(|(id, _)| id[1..].parse::<u32>().unwrap());
        let expected: Vec<Vec<i64>> = expected.into_iter().map(|(_, values)| values).collect();
        assert_eq!(values(&population), expected, "seed {seed}");
    }
}

#[test]
fn registers_out_of_order_are_joined_to_the_same_values_with_a_note() {
    let policy = policy();
    for seed in 0..20 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let folder = tempfile::tempdir().unwrap();
        let mut rows = rows(&mut rng, 25);
        for list in [&mut rows.tax, &mut rows.land, &mut rows.health] {
            list.shuffle(&mut rng);
        }
        write(folder.path(), &rows);
        let population = streamed(&policy, folder.path()).unwrap();
        assert!(population.notes[0].contains("joined in memory"), "{:?}", population.notes);
        let expected: Vec<Vec<i64>> =
            known(&policy, folder.path()).into_iter().map(|(_, values)| values).collect();
        assert_eq!(values(&population), expected, "seed {seed}");
    }
}

#[test]
fn a_single_file_of_families_or_persons_is_read_too() {
    let policy = policy();
    let folder = tempfile::tempdir().unwrap();
    let header = "persons,adults,wage,pension,arrears,home,rent,insured\n";
    for (name, text) in [
        ("numbered.csv", format!("{header}2,1,3,,1,owned,5,no\n1,1,,,,rented,,\n")),
        ("named.csv", format!("id,{header}b,2,1,3,,1,owned,5,no\na,1,1,,,,rented,,\n")),
        (
            "persons.csv",
            "family,person,adult,wage,pension,arrears,home,rent,insured\nb,1,yes,2,,1,owned,5,no\nb,2,no,1,,,,,\na,1,1,,,,rented,,\n"
                .to_owned(),
        ),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let population = streamed(&policy, &path).unwrap();
        let expected: Vec<Vec<i64>> =
            known(&policy, &path).into_iter().map(|(_, values)| values).collect();
        assert_eq!(values(&population), expected, "{name}");
        assert_eq!(population.notes.is_empty(), name == "numbered.csv", "{name}");
    }
}

#[test]
fn mistakes_are_those_of_the_other_reader() {
    let policy = policy();
    let folder = tempfile::tempdir().unwrap();
    let good = Rows {
        tax: vec!["f1,p1,yes,1,,yes".into()],
        land: vec!["f1,2,owned,3".into()],
        health: vec!["f1,p1,yes,no".into()],
    };
    let cases: [fn(&mut Rows); 6] = [
        |rows| rows.tax.push("f1,p1,yes,1,,yes".into()),
        |rows| rows.land.push("f1,2,owned,3".into()),
        |rows| rows.land[0] = "f1,two,owned,3".into(),
        |rows| rows.tax.push("f1,p2,perhaps,1,,yes".into()),
        |rows| rows.health[0] = "f1,p1,yes,maybe".into(),
        |rows| rows.land[0] = "f1,2,owned,2000".into(),
    ];
    for spoil in cases {
        let mut rows =
            Rows { tax: good.tax.clone(), land: good.land.clone(), health: good.health.clone() };
        spoil(&mut rows);
        write(folder.path(), &rows);
        let expected = match read_families(&policy, folder.path()) {
            Ok(mut families) => families.find_map(Result::err).unwrap(),
            Err(error) => error,
        };
        let found = streamed(&policy, folder.path()).map(|_| ()).unwrap_err();
        assert_eq!(found.to_string(), expected.to_string());
    }
    write(folder.path(), &good);
    std::fs::remove_file(folder.path().join("land.csv")).unwrap();
    let missing = streamed(&policy, folder.path()).map(|_| ()).unwrap_err();
    assert!(missing.to_string().contains("land.csv is missing"), "{missing}");
}

#[test]
fn parquet_is_read_like_csv() {
    let policy = policy();
    let folder = tempfile::tempdir().unwrap();
    let rows = Rows {
        tax: vec![
            "f1,p1,yes,1.25,,yes".into(),
            "f1,p2,no,0,0.5,".into(),
            "f10,p3,,0.125,,no".into(),
        ],
        land: vec!["f2,,rented,7".into(), "f10,4,owned,9".into()],
        health: vec!["f1,p1,yes,no".into()],
    };
    write(folder.path(), &rows);
    let from_csv = values(&streamed(&policy, folder.path()).unwrap());

    let text = |texts: &[&str]| texts.iter().map(|t| ByteArray::from(*t)).collect::<Vec<_>>();
    let schema = "message tax { required binary family (UTF8); required binary person (UTF8); optional boolean adult; \
                  required double wage; optional double pension; optional binary arrears (UTF8); }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let file = std::fs::File::create(folder.path().join("tax.parquet")).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, Default::default()).unwrap();
    // Two row groups.
    for part in [0..2, 2..3] {
        let mut group = writer.next_row_group().unwrap();
        let take = |all: &[&str]| text(all.get(part.clone()).unwrap());
        let mut column = group.next_column().unwrap().unwrap();
        column
            .typed::<ByteArrayType>()
            .write_batch(&take(&["f1", "f1", "f10"]), None, None)
            .unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column
            .typed::<ByteArrayType>()
            .write_batch(&take(&["p1", "p2", "p3"]), None, None)
            .unwrap();
        column.close().unwrap();
        let first = part.start == 0;
        let mut column = group.next_column().unwrap().unwrap();
        let (adults, levels): (&[bool], &[i16]) =
            if first { (&[true, false], &[1, 1]) } else { (&[], &[0]) };
        column.typed::<BoolType>().write_batch(adults, Some(levels), None).unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let wages: &[f64] = if first { &[1.25, 0.0] } else { &[0.125] };
        column.typed::<DoubleType>().write_batch(wages, None, None).unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let (pensions, levels): (&[f64], &[i16]) =
            if first { (&[0.5], &[0, 1]) } else { (&[], &[0]) };
        column.typed::<DoubleType>().write_batch(pensions, Some(levels), None).unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let (arrears, levels): (&[&str], &[i16]) =
            if first { (&["yes"], &[1, 0]) } else { (&["no"], &[1]) };
        column.typed::<ByteArrayType>().write_batch(&text(arrears), Some(levels), None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
    }
    writer.close().unwrap();
    std::fs::remove_file(folder.path().join("tax.csv")).unwrap();

    let schema = "message land { required binary id (UTF8); optional int32 persons; required binary home (UTF8); required int32 rent; }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let file = std::fs::File::create(folder.path().join("land.parquet")).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, Default::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<ByteArrayType>().write_batch(&text(&["f2", "f10"]), None, None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int32Type>().write_batch(&[4], Some(&[0, 1]), None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<ByteArrayType>().write_batch(&text(&["rented", "owned"]), None, None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int32Type>().write_batch(&[7, 9], None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
    std::fs::remove_file(folder.path().join("land.csv")).unwrap();

    assert_eq!(values(&streamed(&policy, folder.path()).unwrap()), from_csv);
    std::fs::write(folder.path().join("land.parquet"), b"PAR1 or not").unwrap();
    let broken = streamed(&policy, folder.path()).map(|_| ()).unwrap_err();
    assert!(matches!(broken, SimulateError::Parquet { .. }), "{broken}");
}
