//! Command-line transcripts, kept as data in `tests/cmd`.

#[test]
fn transcripts() {
    trycmd::TestCases::new()
        .default_bin_path(env!("CARGO_BIN_EXE_blindtier"))
        .case("tests/cmd/*.trycmd")
        .run();
}

#[test]
fn policy_run_reproduces_every_nursery_label() {
    let call = crate::rig::blindtier([
        "policy",
        "run",
        "policies/nursery.toml",
        "--data",
        "data/nursery.csv",
    ]);
    assert_eq!(call.code, 0, "{}", call.stderr);
    let data = std::fs::read_to_string("data/nursery.csv").unwrap();
    let mut printed = call.stdout.lines();
    assert_eq!(printed.next(), Some("id,tier"));
    let mut rows = 0;
    for (number, (row, line)) in data.lines().skip(1).zip(printed.by_ref()).enumerate() {
        let label = row.rsplit(',').next().unwrap();
        assert_eq!(line, format!("{},{label}", number + 1));
        rows += 1;
    }
    assert_eq!(rows, 12_960);
    assert_eq!(printed.next(), None);
}
