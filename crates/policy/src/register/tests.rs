//! Registers in all shapes, and what is wrong with them.

use crate::*;
use std::path::Path;

const POLICY: &str = r#"blindtier = "1"
name = "register"
tiers = ["low", "high"]
agencies = { tax = {}, land = {} }
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
[indicators.loan]
agency = "tax"
aggregate = "any"
matches = ["open"]
missing = "no"
[indicators.home]
agency = "land"
levels = ["owned", "rented", "none"]
categories = { owned = ["own", "owned"] }
aggregate = "max"
missing = "none"
[indicators.rent]
agency = "land"
aggregate = "sum"
integer = { min = 0, max = 100, unit = "tenge", missing = 7 }
[indicators.insured]
agency = "land"
aggregate = "all"
missing = "yes"
[[reasons]]
id = "all"
when = { income = "none", arrears = "all", loan = "yes", insured = "no" }
[scores.s]
weights.rent = 1
[cuts.c]
score = "s"
classes = ["low", "high"]
at = [5]
[concepts.d]
inputs = ["c", "home"]
classes = ["low", "high"]
rules = [{ when = { home = "none" }, then = "low" }, { when = { c = "low" }, then = "low" }, { then = "high" }]
[tier]
from = "d"
"#;

fn policy() -> Policy {
    Policy::parse("register.toml", POLICY).unwrap_or_else(|errors| panic!("{:#?}", errors.errors()))
}

fn write(folder: &Path, name: &str, text: &str) -> std::path::PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// Families as `id: values`, or the message of the first error without the folder.
fn read(name: &str, text: &str) -> Result<Vec<String>, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), name, text);
    read_path(&path)
        .map_err(|message| message.replace(&format!("{}/", folder.path().display()), ""))
}

fn read_path(path: &Path) -> Result<Vec<String>, String> {
    let policy = policy();
    read_families(&policy, path)
        .and_then(|families| families.collect::<Result<Vec<_>, _>>())
        .map(|families| {
            families.iter().map(|family| format!("{}: {:?}", family.id, family.values)).collect()
        })
        .map_err(|error| error.to_string())
}

const FAMILY_HEADER: &str = "persons,adults,wage,pension,arrears,loan,home,rent,insured\n";

#[test]
fn one_row_a_family_counts_rows_or_takes_ids() {
    // Income 1 and 0.25 a head, just under either bound, and nothing known.
    let rows = "4,2,3,1,1,open,own,100,no\n4,1,1,,yes,closed,rented,0,Yes\n3,2,2.999,,0,,none,5,\n3,0,,,1,,,,\n";
    assert_eq!(
        read("a.csv", &format!("{FAMILY_HEADER}{rows}")).unwrap(),
        [
            "1: [2, 1, 1, 0, 100, 0]",
            "2: [1, 2, 0, 1, 0, 1]",
            "3: [1, 0, 0, 2, 5, 1]",
            "4: [0, 0, 0, 2, 7, 1]"
        ]
    );
    let named = format!("id,{FAMILY_HEADER}x9,1,1,0.249999999999999999,,,,,,\n");
    assert_eq!(read("a.csv", &named).unwrap(), ["x9: [0, 0, 0, 2, 7, 1]"]);
    assert_eq!(read("a.csv", &format!("\u{feff}{named}")).unwrap().len(), 1);
}

#[test]
fn one_row_a_person_is_gathered_by_family() {
    let text = "family,person,adult,wage,pension,arrears,loan,home,rent,insured\n\
        b,1,yes,1,,1,closed,own,40,yes\n\
        a,1,1,0.5,0.5,1,,,,\n\
        b,2,no,,,0,open,rented,60,yes\n\
        b,3,y,,1,0,,,,no\n";
    assert_eq!(read("p.csv", text).unwrap(), ["b: [1, 1, 1, 1, 100, 0]", "a: [2, 2, 0, 2, 7, 1]"]);
    let without = text
        .replace("adult,", "")
        .replace(",yes,1,", ",1,")
        .replace(",1,0.5", ",0.5")
        .replace(",no,,", ",,")
        .replace(",y,,", ",,");
    assert_eq!(read("p.csv", &without).unwrap()[0], "b: [1, 1, 1, 1, 100, 0]");
}

#[test]
fn a_folder_joins_the_files_of_the_agencies() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "tax.csv",
        "family,person,adult,wage,pension,arrears,loan\nf1,ann,1,1,,1,\nf1,bob,0,1,,,open\n",
    );
    assert!(
        read_path(folder.path())
            .unwrap_err()
            .contains("land.csv is missing: the policy has indicators of agency `land`")
    );
    write(folder.path(), "land.csv", "id,home,rent,insured\nf2,own,3,1\nf1,rented,9,0\n");
    // Two persons, one of them adult; the second family is unknown to the tax office.
    assert_eq!(
        read_path(folder.path()).unwrap(),
        ["f1: [2, 2, 1, 1, 9, 0]", "f2: [0, 0, 0, 0, 3, 1]"]
    );
    write(
        folder.path(),
        "land.csv",
        "family,person,home,rent,insured\nf1,cid,rented,9,0\nf1,ann,own,,\n",
    );
    assert_eq!(read_path(folder.path()).unwrap(), ["f1: [1, 2, 1, 1, 9, 0]"]);
    write(folder.path(), "land.csv", "id,persons,home,rent,insured\nf1,8,rented,9,0\n");
    assert_eq!(read_path(folder.path()).unwrap(), ["f1: [1, 2, 1, 1, 9, 0]"]);
    write(folder.path(), "land.csv", "id,home,rent,insured\nf1,own,3,1\nf1,rented,9,0\n");
    assert!(
        read_path(folder.path())
            .unwrap_err()
            .ends_with("line 3: family \"f1\" has a row already; keep one")
    );
    write(folder.path(), "tax.csv", "id,persons,adults,wage,pension,arrears,loan\nf1,2,2,1,,1,\n");
    write(folder.path(), "land.csv", "id,persons,home,rent,insured\nf1,8,rented,9,0\n");
    assert!(
        read_path(folder.path())
            .unwrap_err()
            .contains("family \"f1\" has 8 persons here but 2 in another file")
    );
}

#[test]
fn every_fault_names_the_place_and_the_remedy() {
    let row = |row: &str| {
        read("a.csv", &format!("{FAMILY_HEADER}1,1,1,,0,,own,0,1\n{row}\n")).unwrap_err()
    };
    let cell = |column: &str, text: &str| {
        let cells = FAMILY_HEADER.trim().split(',').map(|name| {
            if name == column {
                text
            } else if name == "persons" || name == "adults" {
                "1"
            } else {
                ""
            }
        });
        row(&cells.collect::<Vec<_>>().join(","))
    };
    assert_eq!(
        cell("wage", "-1"),
        "a.csv, line 3, column `wage+pension` (indicator `income` of agency `tax`): \"-1\": no band holds this number; correct it, or \
         widen the first or last band in the policy"
    );
    assert_eq!(
        cell("home", "hotel"),
        "a.csv, line 3, column `home` (indicator `home` of agency `land`): \"hotel\": no category names this text; the policy knows \
         own, owned, rented, none; correct it, or add it to `categories`"
    );
    for text in ["NaN", "inf", "1e3", "\"1,000\"", "1 000", "0x1"] {
        assert!(cell("wage", text).contains("not a plain decimal number; write digits"), "{text}");
    }
    assert!(cell("wage", "1234567890123456789").contains("more than 18 digits"));
    assert!(cell("rent", "101").contains("\"101\": out of the declared range 0 to 100"));
    assert!(cell("rent", "-1").contains("out of the declared range"));
    assert!(cell("rent", "1.5").contains("\"1.5\": not a whole number"));
    assert!(cell("insured", "maybe").contains("neither yes"));
    assert!(
        cell("persons", "-2").ends_with("line 3, column `persons`: \"-2\" is not a whole number")
    );
    assert!(row("1,2").contains("a.csv: CSV error"));

    let missing = read("a.csv", "persons,adults,wage\n").unwrap_err();
    assert!(
        missing.starts_with(
            "a.csv: no column `pension`, which indicator `income` of agency `tax` reads"
        ),
        "{missing}"
    );
    let no_fact = read("a.csv", &FAMILY_HEADER.replace("adults,", "")).unwrap_err();
    assert!(
        no_fact.contains("indicator `arrears` is per adults; add a column `adults`"),
        "{no_fact}"
    );
    let twice = read("a.csv", &format!("wage,{FAMILY_HEADER}")).unwrap_err();
    assert!(twice.contains("the header names `wage` twice"));
    assert!(read("a.csv", "").unwrap_err().contains("the file is empty"));

    let persons = "family,person,wage,pension,arrears,loan,home,rent,insured\n";
    let person = |rows: &str| read("p.csv", &format!("{persons}{rows}")).unwrap_err();
    assert_eq!(
        person("f,1,,,,,,,\nf,1,,,,,,,\n"),
        "p.csv, line 3: person \"1\" has a row already; keep one"
    );
    assert!(person("f,,,,,,,,\n").contains("the cell of `person` is empty"));
    assert!(
        read_path(Path::new("/nonexistent.csv")).unwrap_err().starts_with("/nonexistent.csv: ")
    );
}

#[test]
fn an_agency_binds_only_its_own_columns() {
    let policy = policy();
    let binding = Binding::new(&policy, Some(1), "land.csv", &["insured", "rent", "home"]).unwrap();
    assert_eq!(binding.indicators().collect::<Vec<_>>(), [3, 4, 5]);
    let empty = binding.accumulator();
    assert_eq!(binding.finish(&empty, Facts::default()).unwrap(), [2, 7, 1]);
    let mut family = binding.accumulator();
    for (line, row) in [(2, ["1", "60", "own"]), (3, ["", "40", "rented"])] {
        binding.add(&mut family, line, |column| row.get(column).copied()).unwrap();
    }
    assert_eq!(binding.finish(&family, Facts::default()).unwrap(), [1, 100, 1]);
    assert!(matches!(
        Binding::new(&policy, Some(0), "tax.csv", &["wage", "pension", "loan"]),
        Err(RegisterError::MissingColumn { column, .. }) if column == "arrears"
    ));
}

#[test]
fn the_nursery_file_reads_into_decisions() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = std::fs::read_to_string(root.join("policies/nursery.toml")).unwrap();
    let policy = Policy::parse("nursery.toml", &text).unwrap();
    let mut counts = vec![0; policy.tiers.len()];
    for family in read_families(&policy, &root.join("data/nursery.csv")).unwrap() {
        counts[policy.decide(&family.unwrap().values).unwrap().tier] += 1;
    }
    assert_eq!(counts, [4320, 2, 328, 4266, 4044]);
}
