//! The dependency graph is the trust model: a party's crate reaches only what that party may do.

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .unwrap()
}

fn package<'m>(metadata: &'m Metadata, name: &str) -> &'m Package {
    metadata.packages.iter().find(|p| p.name.as_str() == name).unwrap()
}

/// The project's own crates that a crate depends on, not counting its tests.
fn own(package: &Package) -> Vec<&str> {
    let mut names: Vec<&str> = package
        .dependencies
        .iter()
        .filter(|d| d.kind == DependencyKind::Normal && d.name.starts_with("blindtier-"))
        .map(|d| d.name.trim_start_matches("blindtier-"))
        .collect();
    names.sort_unstable();
    names
}

#[test]
fn parties_depend_only_on_what_they_may_do() {
    let metadata = metadata();
    for (party, expected) in [
        ("policy", vec![]),
        ("wire", vec![]),
        ("engine", vec!["policy"]),
        ("engine-bfv", vec!["engine", "policy"]),
        ("engine-tfhe", vec!["engine", "policy"]),
        ("dmn", vec!["policy"]),
        ("sim", vec!["policy"]),
        ("simulate", vec!["policy", "report"]),
        ("report", vec![]),
        ("ledger", vec!["wire"]),
        ("assessment", vec!["policy"]),
        ("letter", vec!["policy"]),
        ("linkage", vec![]),
        ("store", vec!["wire"]),
        ("submission", vec!["engine", "ledger", "wire"]),
        ("registrar", vec!["linkage", "policy", "submission", "wire"]),
        ("agency", vec!["linkage", "policy", "submission", "wire"]),
        ("evaluator", vec!["engine", "ledger", "transcript", "wire"]),
        ("cluster", vec!["evaluator", "wire"]),
        ("transcript", vec!["engine", "wire"]),
        ("dealer", vec!["wire"]),
        ("trustee", vec!["engine", "ledger", "transcript", "wire"]),
        ("family", vec!["ledger", "wire"]),
        ("auditor", vec!["engine", "ledger", "transcript", "wire"]),
    ] {
        let package = package(&metadata, &format!("blindtier-{party}"));
        assert_eq!(own(package), expected, "{party}");
        for (library, user) in [
            ("tfhe", "engine-tfhe"),
            ("tfhe-ntt", "engine-bfv"),
            ("voprf", "linkage"),
            ("object_store", "store"),
        ] {
            let has = package.dependencies.iter().any(|d| d.name == library);
            assert_eq!(has, party == user, "{party} and {library}");
        }
    }
}

#[test]
fn only_the_trustee_asks_for_the_ability_to_open() {
    let metadata = metadata();
    for package in &metadata.packages {
        let asks = package.dependencies.iter().any(|d| {
            d.kind == DependencyKind::Normal
                && d.name == "blindtier-engine"
                && d.features.iter().any(|f| f == "open")
        });
        // A comparison is no party: it makes keys of its own and throws them away.
        let may = [
            "blindtier-trustee",
            "blindtier-engine-bfv",
            "blindtier-engine-tfhe",
            "blindtier-compare",
            "blindtier",
        ];
        assert_eq!(asks, may.contains(&package.name.as_str()), "{}", package.name);
    }
}

#[test]
fn tfhe_is_asked_for_in_one_place_with_one_set_of_features() {
    let manifest = include_str!("../../Cargo.toml");
    assert_eq!(manifest.lines().filter(|l| l.starts_with("tfhe =")).count(), 1);
}
