//! Broken and hostile files are refused, never met with a panic.

use blindtier_dmn::{Map, Options, import};
use proptest::prelude::*;
use std::path::Path;

fn model(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models").join(name);
    std::fs::read_to_string(file).unwrap()
}

fn options() -> Options {
    Options { map: Map::parse("map", "decimals = 1").unwrap(), ..Options::default() }
}

#[test]
fn other_namespaces_entities_and_huge_files_are_refused() {
    let old = model("support.dmn").replace("20191111", "20180521");
    let entity = format!(
        "<!DOCTYPE x [<!ENTITY a \"b\">]>{}",
        model("support.dmn").split_once("?>").unwrap().1
    );
    let deep = format!("{}{}", "<a>".repeat(200_000), "</a>".repeat(200_000));
    let nested = model("support.dmn").replace(
        "</itemDefinition>",
        &format!(
            "{}{}</itemDefinition>",
            "<itemComponent>".repeat(50_000),
            "</itemComponent>".repeat(50_000)
        ),
    );
    for (text, part) in [
        (old.as_str(), "is no DMN 1.3 to 1.5"),
        (&entity, "DTD"),
        (&deep, "cannot be imported"),
        (&nested, "cannot be imported"),
        (&" ".repeat(blindtier_dmn::MAX_DMN + 1), "larger than 4 MiB"),
        ("", "not readable as XML"),
        ("<definitions/>", "is no DMN 1.3 to 1.5"),
    ] {
        let error = import("m.dmn", text, &options()).unwrap_err().to_string();
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[test]
fn a_file_cut_short_anywhere_is_refused() {
    let text = model("boundaries.dmn");
    for end in (0..text.trim_end().len()).filter(|end| text.is_char_boundary(*end)) {
        assert!(import("m.dmn", &text[..end], &options()).is_err(), "{end}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever comes out has been checked as a policy.
    #[test]
    fn changed_bytes_never_make_it_panic(
        which in 0..2usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = model(["support.dmn", "boundaries.dmn"][which]).into_bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Ok(imported) = import("m.dmn", &text, &options()) {
            prop_assert!(imported.policy.tiers.len() >= 2);
        }
    }

    #[test]
    fn swapped_entries_never_make_it_panic(
        entries in prop::collection::vec(
            prop::sample::select(vec![
                "-", "", "not(", "not()", "[1..2", "]..[", "1..2", "\"\"", "\"a\",", "<", "<= -", "null", "5", "-5.",
                "true", "99999999999999999999", "999999999999999999", "> 999999999999999999", "0.000000000000000001",
                "Kind", "Most", "[5..1]", "not(\"a\", 1)", "\u{e9}", "\"\\u",
            ]),
            1..8,
        ),
        seed in any::<u64>(),
    ) {
        let mut text = model("boundaries.dmn");
        for (number, entry) in entries.iter().enumerate() {
            let holes: Vec<usize> = text.match_indices("<text>").map(|(at, _)| at + 6).collect();
            let at = holes[(seed as usize).wrapping_mul(31).wrapping_add(number * 7) % holes.len()];
            let end = at + text[at..].find('<').unwrap();
            text.replace_range(at..end, &entry.replace('<', "&lt;"));
        }
        if let Ok(imported) = import("m.dmn", &text, &options()) {
            prop_assert!(imported.policy.tiers.len() >= 2);
        }
    }
}
